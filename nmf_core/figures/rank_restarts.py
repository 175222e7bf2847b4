"""The restarts of one rank: how far each ended from the best, and which of them are the same solution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nmf_core.figures.palette import COMPONENT_COLORS
from nmf_core.figures.rank_curves import MUTED_HEX
from nmf_core.figures.template import figure
from nmf_core.figures.text import number
from nmf_core.types import Array

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

BLUE, ORANGE = COMPONENT_COLORS[:2]


@dataclass(frozen=True, slots=True, eq=False)
class RestartLosses:
    """Final loss of every restart at one rank, grouped by distinct solution.

    Every point carries its restart's position as ``customdata``, so that a click can choose it.

    Attributes
    ----------
    losses : ndarray of shape (n_fits,)
    group : ndarray of int
        Distinct solution of each restart, 0 the best.
    seeds : tuple of int, optional
        With which each restart can be computed again.
    chosen : int, optional
        Position of the restart the reader looks at.
    """

    losses: Array
    group: Array
    seeds: tuple[int, ...] = ()
    chosen: int | None = None

    @property
    def excess(self) -> Array:
        """How far each loss lies above the best, in percent of that."""
        best = float(self.losses.min())
        return np.asarray(100 * (self.losses - best) / max(abs(best), 1e-300))

    def build(self) -> go.Figure:
        """Return the figure."""
        excess = self.excess
        order = np.argsort(excess, kind="stable")
        seed = "<br>seed %{customdata[3]}" if self.seeds else ""
        told = [order, order + 1, self.group[order] + 1] + ([np.array(self.seeds)[order]] if self.seeds else [])
        here = order == self.chosen
        data = [
            {
                "type": "scatter",
                "x": np.arange(1, len(order) + 1),
                "y": excess[order].astype(np.float32),
                "mode": "markers",
                "cliponaxis": False,
                "marker": {
                    "size": np.where(here, 15, 10),
                    # Open symbols are drawn in their colour alone, filled ones have an edge.
                    "color": [
                        BLUE if g == 0 else ORANGE if at else MUTED_HEX
                        for at, g in zip(here, self.group[order], strict=True)
                    ],
                    "symbol": ["circle" if g == 0 else "diamond-open" for g in self.group[order]],
                    "line": {
                        "width": np.where(here, 3, np.where(self.group[order] == 0, 0, 1.5)),
                        "color": [ORANGE if at else MUTED_HEX for at in here],
                    },
                },
                "selected": {"marker": {"opacity": 1}},
                "unselected": {"marker": {"opacity": 1}},
                # Plain lists: a row of a typed array comes back from a click as something else than a list.
                "customdata": np.column_stack(told).tolist(),
                "hovertemplate": "restart %{customdata[1]}<br>%{y:.3g} % above the best<br>solution %{customdata[2]}"
                + seed
                + "<extra></extra>",
            }
        ]
        layout = {
            "height": 240,
            "showlegend": False,
            "clickmode": "event+select",
            "hovermode": "closest",
            "xaxis": {
                "title": {"text": "restarts, best first"},
                "tickformat": "d",
                "dtick": 1 if len(order) <= 10 else None,
                "range": [0.5, len(order) + 0.5],
            },
            # Differences below a thousandth of a percent are rounding, not news: the axis does not magnify them.
            "yaxis": {
                "title": {"text": "loss above the best (%)"},
                "range": [0, 1.08 * max(float(excess.max()), 1e-3)],
                "exponentformat": "none",
            },
            "margin": {"t": 16},
        }
        return figure(data, layout)

    def describe(self) -> str:
        """Say how many restarts found the best solution and how far off the others are."""
        n, hits, kinds = len(self.losses), int((self.group == 0).sum()), int(self.group.max()) + 1
        others = "there is no other" if kinds == 1 else f"there are {kinds} distinct solutions"
        return (
            f"{hits} of {n} restarts reached the best solution found; {others}. "
            f"The worst loss is {number(float(self.excess.max()), 3)} % above the best."
        )

    def table(self) -> pd.DataFrame:
        """Return loss, solution and seed of every restart."""
        import pandas as pd

        columns = {"restart": np.arange(1, len(self.losses) + 1)}
        if self.seeds:
            columns["seed"] = np.array(self.seeds)
        more = {"loss": self.losses, "loss above the best (%)": self.excess, "solution": self.group + 1}
        return pd.DataFrame(columns | more)
