"""A tree of components over ranks: what splits, merges, stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.figures.palette import component_color, with_alpha
from nmf_core.figures.template import figure
from nmf_core.figures.text import label, plain
from nmf_core.selection.lineage import Lineage
from nmf_core.types import Array

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

WIDTHS = 4
TOP = 5


@dataclass(frozen=True, slots=True, eq=False)
class ComponentTree:
    """One column per rank, one mark per component; bands join components that are alike.

    Attributes
    ----------
    lineage : Lineage
    features : ndarray of str of shape (n_features,)
    cutoff : float
        Smallest cosine that is drawn.
    chosen : int, optional
        A rank to mark.
    """

    lineage: Lineage
    features: Array
    cutoff: float = 0.6
    chosen: int | None = None

    def build(self) -> go.Figure:
        """Return the figure."""
        tree = self.lineage
        place = [_places(order) for order in tree.order]
        edges = np.linspace(self.cutoff, 1.0, WIDTHS + 1)
        lines: dict[tuple[int, int], list[Array]] = {}
        t = np.linspace(0, 1, 16)
        ease = t * t * (3 - 2 * t)
        for level, i, j, value in tree.links(self.cutoff):
            width = int(np.clip(np.searchsorted(edges, value, side="right") - 1, 0, WIDTHS - 1))
            start, end = place[level][i], place[level + 1][j]
            x = tree.ranks[level] + t * (tree.ranks[level + 1] - tree.ranks[level])
            curve = np.column_stack([x, start + ease * (end - start)])
            lines.setdefault((int(tree.family[level + 1][j]), width), []).append(curve)
        data: list[dict[str, Any]] = []
        gap = np.full((1, 2), np.nan)
        for (family, width), curves in sorted(lines.items()):
            points = np.concatenate([part for curve in curves for part in (curve, gap)]).astype(np.float32)
            data.append(
                {
                    "type": "scatter",
                    "x": points[:, 0],
                    "y": points[:, 1],
                    "mode": "lines",
                    "line": {
                        "color": with_alpha(component_color(family), 0.2 + 0.2 * width),
                        "width": 1.5 + 3.5 * width,
                    },
                    "hoverinfo": "skip",
                }
            )
        data.append(self._nodes(place))
        tall = max((len(order) for order in tree.order), default=1)
        layout: dict[str, Any] = {
            "height": 120 + 34 * max(tall, 6),
            "showlegend": False,
            "hovermode": "closest",
            "clickmode": "event+select",
            "xaxis": {"title": {"text": "rank"}, "tickvals": list(tree.ranks), "showgrid": False},
            "yaxis": {"visible": False, "range": [1.03, -0.03]},
            "margin": {"l": 10, "r": 10, "t": 14, "b": 10},
        }
        if self.chosen in tree.ranks:
            k = float(self.chosen or 0)
            layout["shapes"] = [
                {
                    "type": "rect", "xref": "x", "yref": "paper", "x0": k - 0.18, "x1": k + 0.18, "y0": 0, "y1": 1,
                    "fillcolor": "rgba(128,128,128,0.15)", "line": {"width": 0}, "layer": "below",
                }
            ]  # fmt: skip
        return figure(data, layout)

    def describe(self) -> str:
        """Say what happens from rank to rank."""
        if len(self.lineage.ranks) < 2:
            return "It takes two ranks to compare."
        return f"Components with a cosine of {self.cutoff:.2f} or more are joined. " + " ".join(
            self.lineage.fates(self.cutoff)
        )

    def table(self) -> pd.DataFrame:
        """Return every link with its cosine and the strongest features at both ends."""
        import pandas as pd

        tree = self.lineage
        rows = [
            {
                "rank": tree.ranks[level],
                "component": i + 1,
                "next rank": tree.ranks[level + 1],
                "next component": j + 1,
                "cosine": value,
                "strongest features": ", ".join(plain(self.features[f]) for f in _top(tree.H[level][i])),
                "strongest features of the next": ", ".join(
                    plain(self.features[f]) for f in _top(tree.H[level + 1][j])
                ),
            }
            for level, i, j, value in tree.links(self.cutoff)
        ]
        columns = ["rank", "component", "next rank", "next component", "cosine"]
        return pd.DataFrame(rows, columns=None if rows else columns)

    def _nodes(self, place: list[Array]) -> dict[str, Any]:
        tree = self.lineage
        x, y, size, color, text, ranks = [], [], [], [], [], []
        for level, rank in enumerate(tree.ranks):
            for i in range(len(place[level])):
                x.append(rank)
                y.append(place[level][i])
                size.append(8 + 22 * np.sqrt(tree.share[level][i]))
                color.append(component_color(int(tree.family[level][i])))
                best = ", ".join(label(self.features[f], 30) for f in _top(tree.H[level][i]))
                text.append(f"rank {rank}, component {i + 1}<br>share {100 * tree.share[level][i]:.3g} %<br>{best}")
                ranks.append(rank)
        return {
            "type": "scatter",
            "x": np.array(x),
            "y": np.array(y, dtype=np.float32),
            "mode": "markers",
            "marker": {"size": np.array(size), "color": color, "line": {"width": 1, "color": "white"}, "opacity": 1},
            "selected": {"marker": {"opacity": 1}},
            "unselected": {"marker": {"opacity": 1}},
            "text": text,
            "customdata": np.array(ranks),
            "hovertemplate": "%{text}<extra></extra>",
        }


def _places(order: Array) -> Array:
    place = np.empty(len(order))
    place[order] = (np.arange(len(order)) + 0.5) / len(order)
    return place


def _top(component: Array) -> Array:
    best = np.argsort(-component, kind="stable")[:TOP]
    return best[component[best] > 0]
