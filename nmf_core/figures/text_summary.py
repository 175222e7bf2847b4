"""How near a summary comes to the whole, beside other ways to choose sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.figures.palette import COMPONENT_COLORS, LABEL_COLORS, OTHER_COLOR
from nmf_core.figures.template import figure
from nmf_core.figures.text import number
from nmf_core.lenses.text.summary import Summary

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


@dataclass(frozen=True, slots=True, eq=False)
class SummaryScores:
    """Centroid similarity of one summary and of its rivals, as bars; random sentences with the middle 95 %."""

    summary: Summary

    def build(self) -> go.Figure:
        """Return the figure."""
        rows = self._rows()
        low, high = np.quantile(self.summary.random_similarity, [0.025, 0.975])
        up = [0.0] * (len(rows) - 1) + [max(0.0, float(high) - rows[-1][1])]
        down = [0.0] * (len(rows) - 1) + [max(0.0, rows[-1][1] - float(low))]
        data: list[dict[str, Any]] = [
            {
                "type": "bar",
                "orientation": "h",
                "x": np.array([value for _, value in rows], dtype=np.float32),
                "y": np.arange(len(rows)),
                "marker": {"color": [COMPONENT_COLORS[0], LABEL_COLORS[1], LABEL_COLORS[2], OTHER_COLOR]},
                "error_x": {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "width": 5},
                "text": [number(value, 3) for _, value in rows],
                "textposition": "inside",
                "insidetextanchor": "start",
                "hovertemplate": "%{x:.3f}<extra></extra>",
            }
        ]
        layout = {
            "height": 210,
            "xaxis": {"range": [0, 1], "title": {"text": "centroid similarity to the whole (1: the same words)"}},
            "yaxis": {
                "range": [len(rows) - 0.4, -0.6],
                "tickmode": "array",
                "tickvals": list(range(len(rows))),
                "ticktext": [name for name, _ in rows],
                "showgrid": False,
            },
            "margin": {"l": 4, "r": 4, "t": 8, "b": 4},
        }
        return figure(data, layout)

    def _rows(self) -> list[tuple[str, float]]:
        s = self.summary
        return [
            ("NMF", s.similarity),
            ("centroid, no topics", s.plain_similarity),
            ("first sentences", s.lead_similarity),
            ("random sentences", float(s.random_similarity.mean())),
        ]

    def describe(self) -> str:
        """Give the four numbers."""
        told = ", ".join(f"{name} {number(value, 3)}" for name, value in self._rows())
        return f"Centroid similarity of summaries with about as many words: {told}."

    def table(self) -> pd.DataFrame:
        """Return method, similarity, and the interval of the random ones."""
        import pandas as pd

        low, high = np.quantile(self.summary.random_similarity, [0.025, 0.975])
        table = pd.DataFrame(self._rows(), columns=["sentences chosen by", "centroid similarity"])
        table["from"] = [np.nan] * 3 + [low]
        table["to"] = [np.nan] * 3 + [high]
        return table
