"""Samples in the space of components: two of them as axes, or all as parallel coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.components import Parts, dominant
from nmf_core.figures.groups import DOMINANT, groups_of
from nmf_core.figures.palette import stepped_scale
from nmf_core.figures.template import SMALL, figure, note, titled
from nmf_core.figures.text import count, label, number
from nmf_core.types import Array, Dataset

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

#: Points in the plane and lines across the axes drawn at most; an even selection of the rows beyond.
POINTS, LINES, AXES_MOST = 20_000, 4_000, 16


@dataclass(frozen=True, slots=True, eq=False)
class ComponentSpace:
    """Each sample as a point: how much it holds of two components.

    Attributes
    ----------
    dataset : Dataset
    parts : Parts
    x, y : int
        Display positions of the two components.
    color : str
        ``"dominant"`` or a key of ``dataset.labels``.
    height : int
        Pixels.

    Notes
    -----
    A click or a lasso gives ``customdata = [row of the file]``.
    """

    dataset: Dataset
    parts: Parts
    x: int = 0
    y: int = 1
    color: str = DOMINANT
    height: int = 460

    def build(self) -> go.Figure:
        """Return the figure."""
        parts = self.parts.visible()
        if parts.rank < 2:
            return note("Two components are needed for a plane; this result shows one.")
        i, j = self._axes()
        groups = groups_of(self.dataset, parts, self.color)
        shown = every(len(parts.W), POINTS)
        few = len(shown) <= 3000
        a, b = label(parts.names[i], 40), label(parts.names[j], 40)
        data: list[dict[str, Any]] = []
        for g, name in enumerate(groups.names):
            at = shown[groups.codes[shown] == g]
            if not len(at):
                continue
            names: dict[str, Any] = {"text": [label(self.dataset.rows[r], 40) for r in at]} if few else {}
            data.append(
                {
                    "type": "scattergl" if len(shown) > 1000 else "scatter",
                    "mode": "markers",
                    "x": parts.W[at, i].astype(np.float32),
                    "y": parts.W[at, j].astype(np.float32),
                    "customdata": at.astype(np.int32)[:, None],
                    "marker": {
                        "color": groups.colors[g],
                        "symbol": groups.symbols[g],
                        "size": 8 if few else 5,
                        "opacity": 0.75,
                    },
                    "name": label(name, 30),
                    "hovertemplate": ("%{text}" if few else "row %{customdata[0]}")
                    + f"<br>{a} %{{x:.4g}}<br>{b} %{{y:.4g}}<extra>{label(name, 30)}</extra>",
                    **names,
                }
            )
        n = len(parts.W)
        thinned = f"{len(shown):,} of {n:,} shown"
        layout = {
            "height": self.height,
            **titled(f"Samples by {a} and {b}", [thinned] if len(shown) < n else ()),
            "xaxis": {"title": {"text": _axis_title(parts, i)}, "rangemode": "tozero"},
            "yaxis": {"title": {"text": _axis_title(parts, j)}, "rangemode": "tozero"},
            "legend": {"title": {"text": label(groups.title, 30) + " ", "font": {"size": 13}}, "y": -0.18},
            "dragmode": "zoom",
        }
        return figure(data, layout)

    def describe(self) -> str:
        """Say what the axes are and how many samples hold more of one than of the other."""
        parts = self.parts.visible()
        if parts.rank < 2:
            return "No picture: a plane needs two components."
        i, j = self._axes()
        amounts = parts.amounts
        more = int((amounts[:, i] > amounts[:, j]).sum())
        groups = groups_of(self.dataset, parts, self.color)
        return (
            f"Scatter plot of {count(len(amounts), 'sample')} by {parts.names[i]} and {parts.names[j]}, coloured by "
            f"{groups.title}. {count(more, 'sample holds', 'samples hold')} more of {parts.names[i]} than of "
            f"{parts.names[j]}."
        )

    def table(self) -> pd.DataFrame:
        """Return both coordinates and the group of every sample."""
        import pandas as pd

        parts = self.parts.visible()
        groups = groups_of(self.dataset, parts, self.color)
        frame = {"sample": self.dataset.rows, groups.title: np.array(groups.names, dtype=object)[groups.codes]}
        for k in dict.fromkeys(self._axes()):
            frame[parts.names[k]] = parts.W[:, k]
        return pd.DataFrame(frame)

    def _axes(self) -> tuple[int, int]:
        rank = self.parts.visible().rank
        i = min(max(self.x, 0), rank - 1)
        j = min(max(self.y, 0), rank - 1)
        return i, j if j != i or rank < 2 else (i + 1) % rank


@dataclass(frozen=True, slots=True, eq=False)
class ParallelComponents:
    """Each sample as a line across all components; drag along an axis to pick out samples.

    Attributes
    ----------
    dataset : Dataset
    parts : Parts
    color : str
        ``"dominant"`` or a key of ``dataset.labels``.
    """

    dataset: Dataset
    parts: Parts
    color: str = DOMINANT

    def build(self) -> go.Figure:
        """Return the figure."""
        parts = self._parts()
        if parts.rank < 2:
            return note("Two components are needed to draw lines between them; this result shows one.")
        groups = groups_of(self.dataset, self.parts.visible(), self.color)
        shown = every(len(parts.W), LINES)
        n_groups = len(groups.names)
        room = max(8, 120 // parts.rank)
        data = [
            {
                "type": "parcoords",
                "line": {
                    "color": groups.codes[shown].astype(np.uint8),
                    "cmin": -0.5,
                    "cmax": n_groups - 0.5,
                    "colorscale": stepped_scale(groups.colors),
                    "showscale": True,
                    "colorbar": {
                        "tickmode": "array",
                        "tickvals": list(range(n_groups)),
                        "ticktext": [label(name, 18) for name in groups.names],
                        "title": {"text": label(groups.title, 22), "font": {"size": SMALL}},
                        "thickness": 12,
                        "outlinewidth": 0,
                    },
                },
                "dimensions": [
                    {"label": label(parts.names[k], room), "values": parts.W[shown, k].astype(np.float32)}
                    for k in range(parts.rank)
                ],
                "labelfont": {"size": 12},
                "tickfont": {"size": 10},
            }
        ]
        title, notes = "Every sample across all components", []
        if parts.rank < self.parts.visible().rank:
            title = f"Every sample across the first {parts.rank} of {self.parts.visible().rank} components"
        if len(shown) < len(parts.W):
            notes.append(f"{len(shown):,} of {len(parts.W):,} samples shown")
        margin = {"l": 50, "r": 20, "t": 90, "b": 20}
        return figure(data, {"height": 400, **titled(title, notes), "margin": margin})

    def describe(self) -> str:
        """Say what a line is and what the components reach."""
        parts = self._parts()
        groups = groups_of(self.dataset, self.parts.visible(), self.color)
        reach = ", ".join(f"{parts.names[k]} up to {number(parts.W[:, k].max(), 3)}" for k in range(min(parts.rank, 8)))
        return (
            f"Parallel coordinates: each of {count(len(parts.W), 'sample')} is a line across "
            f"{count(parts.rank, 'component')} ({reach}), coloured by {groups.title}."
        )

    def table(self) -> pd.DataFrame:
        """Return W of the visible components, with the dominant one."""
        import pandas as pd

        parts = self.parts.visible()
        frame = pd.DataFrame(parts.W, columns=list(parts.names))
        names = np.array([*parts.names, "(none)"], dtype=object)
        frame.insert(0, "dominant component", names[dominant(parts)], allow_duplicates=True)
        frame.insert(0, "sample", self.dataset.rows, allow_duplicates=True)
        return frame

    def _parts(self) -> Parts:
        parts = self.parts.visible()
        return parts if parts.rank <= AXES_MOST else parts.take(range(AXES_MOST))


def every(n: int, most: int) -> Array:
    """Return all of n rows, or `most` of them spread evenly."""
    return np.arange(n) if n <= most else (np.arange(most) * n) // most


def _axis_title(parts: Parts, k: int) -> str:
    return f'<span style="color:{parts.colors[k]}">■</span> {label(parts.names[k], 50)}'
