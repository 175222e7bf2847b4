"""Components whose features are points of one axis (spectra, time courses) as lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.components import Parts, feature_axis, feature_axis_words
from nmf_core.figures.aggregate import block_starts
from nmf_core.figures.component_bars import PANELS, heading, value_words
from nmf_core.figures.palette import with_alpha
from nmf_core.figures.template import axis_id, axis_key, figure, grid_domains
from nmf_core.figures.text import count, label, number
from nmf_core.types import Array, Dataset

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

LINE_POINTS = 1200


@dataclass(frozen=True, slots=True, eq=False)
class ComponentLines:
    """H as lines over an ordered axis: all in one chart, or one panel per component.

    Attributes
    ----------
    dataset : Dataset
    parts : Parts
    panels : bool
        One panel per component instead of one chart for all.
    low, high : ndarray of shape (rank, n_features), optional
        Ends of an interval, drawn as a band.
    """

    dataset: Dataset
    parts: Parts
    panels: bool = False
    low: Array | None = None
    high: Array | None = None

    def build(self) -> go.Figure:
        """Return the figure."""
        parts = self.parts.visible()
        parts = parts if parts.rank <= PANELS else parts.take(range(PANELS))
        axis = self._axis()
        at = thin(parts.H, LINE_POINTS if parts.rank <= 12 else LINE_POINTS // 3)
        falling = len(axis) > 1 and axis[1] < axis[0]
        columns = 1 if parts.rank < 4 else 2 if parts.rank < 9 else 3
        rows = -(-parts.rank // columns)
        panel = 170
        domains = grid_domains(parts.rank, columns, gap_y=0.3) if self.panels else [([0.0, 1.0], [0.0, 1.0])]
        data: list[dict[str, Any]] = []
        layout: dict[str, Any] = {
            "height": 30 + rows * panel if self.panels else 400,
            "showlegend": not self.panels,
            "hovermode": "closest" if self.panels else "x",
            "legend": {"y": 1.0, "yanchor": "bottom"},
            "annotations": [],
            "margin": {"l": 10, "r": 10, "t": 44 if self.panels else 30, "b": 10},
        }
        x = axis[at].astype(np.float32)
        for k in range(parts.rank):
            where = {"xaxis": axis_id("x", k), "yaxis": axis_id("y", k)} if self.panels else {}
            if self.low is not None and self.high is not None:
                data.append(
                    {
                        "type": "scatter",
                        "x": np.concatenate([x, x[::-1]]),
                        "y": np.concatenate([self.high[k, at], self.low[k, at][::-1]]).astype(np.float32),
                        "fill": "toself",
                        "fillcolor": with_alpha(parts.colors[k], 0.2),
                        "line": {"width": 0},
                        "hoverinfo": "skip",
                        "showlegend": False,
                        "name": "interval",
                        **where,
                    }
                )
            data.append(
                {
                    "type": "scatter",
                    "x": x,
                    "y": parts.H[k, at].astype(np.float32),
                    "mode": "lines",
                    "line": {"color": parts.colors[k], "width": 2, "dash": _DASHES[k // 6 % len(_DASHES)]},
                    "fill": "tozeroy" if self.panels else None,
                    "fillcolor": with_alpha(parts.colors[k], 0.15),
                    "name": label(parts.names[k], 40),
                    "hovertemplate": f"%{{x}}<br>{label(parts.names[k], 40)}: %{{y:.4g}}<extra></extra>",
                    **where,
                }
            )
        for k, (dx, dy) in enumerate(domains):
            last = k + columns >= len(domains)
            layout[axis_key("x", k)] = {
                "domain": dx,
                "anchor": axis_id("y", k),
                "autorange": "reversed" if falling else True,
                "showticklabels": last or not self.panels,
                "title": {"text": self._axis_words() if not self.panels else ""},
                **({"matches": "x"} if k else {}),
            }
            layout[axis_key("y", k)] = {"domain": dy, "anchor": axis_id("x", k), "rangemode": "tozero", "nticks": 4}
            if self.panels:
                layout["annotations"].append(heading(parts, k, dx[0], dy[1], columns))
            else:
                layout["yaxis"]["title"] = {"text": value_words(parts.scale)}
        return figure(data, layout)

    def describe(self) -> str:
        """Say where each component peaks."""
        parts, axis = self.parts.visible(), self._axis()
        peaks = [f"{parts.names[k]} at {number(axis[parts.H[k].argmax()], 6)}" for k in range(min(parts.rank, 8))]
        return (
            f"{count(parts.rank, 'component')} as lines over {count(len(axis), 'point')} from {number(axis[0], 6)} to "
            f"{number(axis[-1], 6)}. Highest points: {', '.join(peaks)}."
        )

    def table(self) -> pd.DataFrame:
        """Return one row per feature: its name, its place on the axis, its value in every component."""
        import pandas as pd

        parts = self.parts.visible()
        frame = pd.DataFrame(parts.H.T, columns=list(parts.names))
        frame.insert(0, "axis", self._axis(), allow_duplicates=True)
        frame.insert(0, "feature", self.dataset.cols, allow_duplicates=True)
        return frame

    def _axis(self) -> Array:
        axis = feature_axis(self.dataset)
        return np.arange(1.0, self.dataset.shape[1] + 1) if axis is None else axis

    def _axis_words(self) -> str:
        return label(feature_axis_words(self.dataset))


_DASHES = ("solid", "dash", "dot", "dashdot")


def thin(Y: Array, points: int) -> Array:
    """Return at most about `points` positions along the columns of Y that keep every curve's highs and lows.

    Of each block of neighbours the places of the largest and of the smallest value of any curve stay.
    """
    m = Y.shape[1]
    if m <= points:
        return np.arange(m)
    starts = block_starts(m, max(1, points // 2))
    top, bottom = Y.max(axis=0), Y.min(axis=0)
    ends = np.append(starts[1:], m)
    kept = {0, m - 1}
    for s, e in zip(starts.tolist(), ends.tolist(), strict=True):
        kept.add(s + int(top[s:e].argmax()))
        kept.add(s + int(bottom[s:e].argmin()))
    return np.array(sorted(kept))
