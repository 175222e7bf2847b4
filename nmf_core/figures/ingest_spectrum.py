"""The singular values with their elbow: a first idea of how many parts there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nmf_core.figures.palette import COMPONENT_COLORS, OTHER_COLOR
from nmf_core.figures.template import figure
from nmf_core.figures.text import count, number, percent
from nmf_core.types import Array

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


@dataclass(frozen=True, slots=True, eq=False)
class SingularValues:
    """The largest singular values; those before the elbow stand out.

    Attributes
    ----------
    values : ndarray
        Largest first.
    total : float
        ‖X‖².
    elbow : int
        How many come before the curve flattens.
    sampled : bool
        The values are those of a sample of rows and columns.
    height : int
        Pixels.
    """

    values: Array
    total: float
    elbow: int
    sampled: bool = False
    height: int = 320

    def build(self) -> go.Figure:
        """Return the figure."""
        k = np.arange(1, len(self.values) + 1)
        share = self._share()
        colors = [COMPONENT_COLORS[0] if i <= self.elbow else OTHER_COLOR for i in k]
        data = [
            {
                "type": "scatter",
                "x": k,
                "y": self.values.astype(np.float32),
                "mode": "lines+markers",
                "marker": {"color": colors, "size": 8},
                "line": {"color": OTHER_COLOR, "width": 1},
                "customdata": np.round(100 * share, 2),
                "hovertemplate": "value %{x}: %{y:.4g}<br>%{customdata} % of the sum of squares so far<extra></extra>",
                "showlegend": False,
            }
        ]
        title = f"Singular values · elbow after {self.elbow}" + (" · of a sample" if self.sampled else "")
        layout = {
            "height": self.height,
            "title": {"text": title},
            "xaxis": {"title": {"text": "position"}},
            "yaxis": {"title": {"text": "singular value"}, "type": "log" if self._wide() else "linear"},
            "shapes": [{"type": "line", "x0": self.elbow + 0.5, "x1": self.elbow + 0.5, "y0": 0, "y1": 1, "yref": "paper", "line": {"dash": "dot", "width": 1, "color": OTHER_COLOR}}],
        }  # fmt: skip
        return figure(data, layout)

    def describe(self) -> str:
        """Say where the elbow is and what the values before it hold."""
        share = float(self._share()[self.elbow - 1]) if len(self.values) else 0.0
        first = float(self.values[0]) if len(self.values) else 0.0
        return (
            f"The {count(len(self.values), 'largest singular value')} of the matrix, from {number(first)} down; the curve "
            f"bends after {count(self.elbow, 'value')}, which hold {percent(share)} of the sum of squares. "
            "It is a hint at the number of parts, not an answer."
        )

    def table(self) -> pd.DataFrame:
        """Return the values with their shares."""
        import pandas as pd

        k = np.arange(1, len(self.values) + 1)
        return pd.DataFrame({"position": k, "singular value": self.values, "cumulative share": self._share()})

    def _share(self) -> Array:
        return np.cumsum(self.values**2) / self.total if self.total > 0 else np.zeros(len(self.values))

    def _wide(self) -> bool:
        return len(self.values) > 1 and float(self.values[-1]) > 0 and float(self.values[0] / self.values[-1]) > 100
