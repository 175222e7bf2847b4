"""Two results: the similarity of all components, and one matched pair feature by feature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.figures.palette import SEQUENTIAL
from nmf_core.figures.template import LINE, MUTED, figure
from nmf_core.figures.text import label, labels, percent, plain
from nmf_core.types import Array

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

#: Components up to which numbers stand in the cells, and features shown of a pair.
NUMBERED, FEATURES = 14, 24


@dataclass(frozen=True, slots=True, eq=False)
class Similarity:
    """Cosines of all components of one result with all of another; matched pairs are framed.

    Attributes
    ----------
    cosine : ndarray of shape (rank_a, rank_b)
    names_a, names_b : tuple of str
    pairs : tuple of (int, int)
    """

    cosine: Array
    names_a: tuple[str, ...]
    names_b: tuple[str, ...]
    pairs: tuple[tuple[int, int], ...]

    def build(self) -> go.Figure:
        """Return the figure."""
        n, m = self.cosine.shape
        few = max(n, m) <= NUMBERED
        heat: dict[str, Any] = {
            "type": "heatmap",
            "z": self.cosine.astype(np.float32),
            "zmin": 0,
            "zmax": 1,
            "colorscale": SEQUENTIAL,
            "colorbar": {"title": {"text": "cosine"}, "thickness": 12},
            "xgap": 1,
            "ygap": 1,
            "hovertemplate": "%{y} and %{x}: %{z:.3f}<extra></extra>",
        }
        if few:
            heat |= {"text": [[f"{v:.2f}" for v in row] for row in self.cosine], "texttemplate": "%{text}"}
        frames = [
            {
                "type": "rect",
                "x0": j - 0.46,
                "x1": j + 0.46,
                "y0": i - 0.46,
                "y1": i + 0.46,
                "line": {"color": "#e69f00", "width": 3},
            }
            for i, j in self.pairs
        ]
        return figure(
            [heat],
            {
                "height": int(min(620, 120 + 34 * n)),
                "margin": {"t": 10},
                "shapes": frames,
                "xaxis": {
                    "tickvals": list(range(m)),
                    "ticktext": labels(self.names_b, 16),
                    "title": {"text": "second"},
                    "showgrid": False,
                },
                "yaxis": {
                    "tickvals": list(range(n)),
                    "ticktext": labels(self.names_a, 16),
                    "title": {"text": "first"},
                    "autorange": "reversed",
                    "showgrid": False,
                },
            },
        )

    def describe(self) -> str:
        """Say which pairs are matched and how similar they are."""
        told = [f"{plain(self.names_a[i])} and {plain(self.names_b[j])} {self.cosine[i, j]:.2f}" for i, j in self.pairs]
        return f"Cosine similarity of {self.cosine.shape[0]} and {self.cosine.shape[1]} components. Matched: {', '.join(told)}."

    def table(self) -> pd.DataFrame:
        """Return the cosines."""
        import pandas as pd

        return pd.DataFrame(self.cosine, index=list(self.names_a), columns=list(self.names_b)).rename_axis("first")


@dataclass(frozen=True, slots=True, eq=False)
class PairDifference:
    """A matched pair as shares of each part's own sum: the features that differ most, or two lines on an ordered axis.

    Attributes
    ----------
    first, second : ndarray of shape (n_features,)
        Shares; they sum to 1.
    names : tuple of (str, str)
    colors : tuple of (str, str)
    cols : ndarray of str
    axis : ndarray, optional
        Positions of the features if they are points of one axis.
    """

    first: Array
    second: Array
    names: tuple[str, str]
    colors: tuple[str, str]
    cols: Array
    axis: Array | None = None

    def build(self) -> go.Figure:
        """Return the figure."""
        return self._bars() if self.axis is None else self._lines()

    def _lines(self) -> go.Figure:
        data = [
            {
                "type": "scatter",
                "mode": "lines",
                "x": self.axis,
                "y": values,
                "name": label(f"{name}, {which}", 50),
                "line": {"color": color, "dash": dash, "width": 2},
            }
            for values, name, color, dash, which in zip(
                (self.first, self.second), self.names, self.colors, ("dash", "solid"), ("first", "second"), strict=True
            )
        ]
        gap = {"type": "scatter", "mode": "lines", "x": self.axis, "y": self.second - self.first, "name": "difference"}
        return figure(
            [*data, gap | {"line": {"color": MUTED, "dash": "dot", "width": 1.5}}],
            {
                "height": 380,
                "margin": {"t": 10},
                "yaxis": {"title": {"text": "share of the part"}, "tickformat": ".3~%"},
                "legend": {"y": 1.02, "yanchor": "bottom"},
            },
        )

    def _bars(self) -> go.Figure:
        at = self._most()
        names = labels(self.cols[at], 24)
        positions = list(range(len(at)))
        joins = [
            {"type": "line", "x0": a, "x1": b, "y0": y, "y1": y, "line": {"color": LINE, "width": 3}, "layer": "below"}
            for y, a, b in zip(positions, self.first[at], self.second[at], strict=True)
        ]
        data = [
            {
                "type": "scatter",
                "mode": "markers",
                "x": values[at],
                "y": positions,
                "name": label(f"{name}, {which}", 50),
                "cliponaxis": False,
                "marker": {"symbol": symbol, "size": 11, "color": color, "line": {"width": 2, "color": color}},
                "text": [f"{name}: {percent(value)}" for name, value in zip(names, values[at], strict=True)],
                "hovertemplate": "%{text}<extra></extra>",
            }
            for values, name, color, symbol, which in zip(
                (self.first, self.second),
                self.names,
                self.colors,
                ("circle-open", "diamond"),
                ("first", "second"),
                strict=True,
            )
        ]
        return figure(
            data,
            {
                "height": 130 + 24 * len(at),
                "margin": {"t": 10},
                "shapes": joins,
                "xaxis": {"title": {"text": "share of the part"}, "tickformat": ".3~%", "rangemode": "tozero"},
                "yaxis": {
                    "tickvals": positions,
                    "ticktext": names,
                    "range": [len(at) - 0.4, -0.6],
                    "showgrid": False,
                },
                "legend": {"y": 1.02, "yanchor": "bottom"},
            },
        )

    def _most(self) -> Array:
        return np.argsort(-np.abs(self.second - self.first), kind="stable")[:FEATURES]

    def describe(self) -> str:
        """Say which features differ most."""
        gap = self.second - self.first
        told = [f"{plain(self.cols[j])} {100 * gap[j]:+.1f}" for j in self._most()[:3]]
        return (
            f"{plain(self.names[0])} of the first result beside {plain(self.names[1])} of the second, as shares of each part. "
            f"The largest differences, in points: {', '.join(told)}."
        )

    def table(self) -> pd.DataFrame:
        """Return both parts and their difference, the largest difference first."""
        import pandas as pd

        order = np.argsort(-np.abs(self.second - self.first), kind="stable")
        return pd.DataFrame(
            {
                "first": self.first[order],
                "second": self.second[order],
                "difference": (self.second - self.first)[order],
            },
            index=list(self.cols[order]),
        ).rename_axis("feature")
