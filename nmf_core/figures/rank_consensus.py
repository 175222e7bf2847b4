"""The consensus of restarts as a clustered heatmap, with a track of known classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.figures.palette import COMPONENT_COLORS, component_color, label_color
from nmf_core.figures.template import figure
from nmf_core.figures.text import label, plain
from nmf_core.selection.consensus import consensus_matrix, score, tree_order
from nmf_core.selection.sample import evenly
from nmf_core.types import Array

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

SHOWN = 400


@dataclass(frozen=True, slots=True, eq=False)
class ConsensusMap:
    """Share of restarts in which two samples have the same strongest component.

    Attributes
    ----------
    groups : ndarray of int of shape (n_fits, n_samples)
    best : int
        The restart whose groups are drawn as a track.
    names : ndarray of str of shape (n_samples,)
    classes : ndarray of shape (n_samples,), optional
        Known classes, drawn as a second track.
    class_name : str
    """

    groups: Array
    best: int
    names: Array
    classes: Array | None = None
    class_name: str = "class"

    def build(self) -> go.Figure:
        """Return the figure."""
        C, order = self._ordered()
        names = np.array([label(self.names[i], 40) for i in order])
        n = len(order)
        data: list[dict[str, Any]] = [
            {
                "type": "heatmap",
                "z": (100 * C).astype(np.float32),
                "x": np.arange(n),
                "y": np.arange(n),
                "zmin": 0,
                "zmax": 100,
                "colorscale": "Viridis",
                "text": None,
                "customdata": None,
                "hovertemplate": "in the same group in %{z:.0f} % of restarts<extra></extra>",
                "colorbar": {"title": {"text": "together"}, "ticksuffix": " %", "thickness": 12, "len": 0.8},
            }
        ]
        tracks = self._tracks(order)
        for i, (title, codes, texts, colors) in enumerate(tracks):
            data.append(
                {
                    "type": "heatmap",
                    "z": codes[None].astype(np.float32),
                    "x": np.arange(n),
                    "y": [0],
                    "yaxis": f"y{i + 2}",
                    "zmin": -0.5,
                    "zmax": len(colors) - 0.5,
                    "colorscale": _steps(colors),
                    "showscale": False,
                    "text": [[f"{name}<br>{label(title)}: {text}" for name, text in zip(names, texts, strict=True)]],
                    "hovertemplate": "%{text}<extra></extra>",
                }
            )
        layout: dict[str, Any] = {
            "height": 520,
            "xaxis": {"visible": False, "constrain": "domain"},
            "yaxis": {"visible": False, "autorange": "reversed", "domain": [0, 0.985 - 0.05 * len(tracks)]},
            "margin": {"l": 10, "r": 10, "t": 12, "b": 10},
        }
        for i, (title, *_rest) in enumerate(tracks):
            top = 1 - 0.05 * i
            layout[f"yaxis{i + 2}"] = {
                "domain": [top - 0.04, top],
                "tickvals": [0],
                "ticktext": [label(title, 24)],
                "showgrid": False,
            }
        return figure(data, layout)

    def describe(self) -> str:
        """Say how clear the blocks are."""
        found = score(self.groups, self.best)
        n_fits, n = self.groups.shape
        if n_fits < 2:
            return "One restart alone: consensus is not defined."
        text = (
            f"Consensus of {n_fits} restarts over {n:,} samples: cophenetic correlation {found.cophenetic:.3f}, "
            f"dispersion {found.dispersion:.3f}, {100 * found.pac:.3g} % of pairs ambiguous."
        )
        return text + (f" {SHOWN} of them, evenly spread over the tree, are drawn." if n > SHOWN else "")

    def table(self) -> pd.DataFrame:
        """Return the drawn samples in order, with group and class."""
        import pandas as pd

        _, order = self._ordered()
        out = pd.DataFrame({"sample": self.names[order], "group": self.groups[self.best][order] + 1})
        if self.classes is not None:
            out[plain(self.class_name)] = self.classes[order]
        return out

    def _ordered(self) -> tuple[Array, Array]:
        C = consensus_matrix(self.groups)
        order = tree_order(C)
        order = order[evenly(len(order), SHOWN)]
        return C[np.ix_(order, order)], order

    def _tracks(self, order: Array) -> list[tuple[str, Array, list[str], list[str]]]:
        group = self.groups[self.best][order].astype(int)
        rank = int(self.groups.max()) + 1
        tracks = [("group", group, [str(g + 1) for g in group], [component_color(i) for i in range(rank)])]
        if self.classes is not None:
            values, codes = np.unique(np.asarray(self.classes).astype(str), return_inverse=True)
            colors = [label_color(i) for i in range(len(values))]
            shown = codes[order]
            tracks.append((self.class_name, shown, [label(values[c]) for c in shown], colors))
        return tracks


def _steps(colors: list[str]) -> list[list[Any]]:
    """Return a colour scale of flat steps."""
    n = max(len(colors), 1)
    colors = colors or [COMPONENT_COLORS[0]]
    return [[edge, color] for i, color in enumerate(colors) for edge in (i / n, (i + 1) / n)]
