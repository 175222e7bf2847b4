"""Geometry of two parts: samples lie inside the cone that they span."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.figures.learn_plane import line, over, plane, points
from nmf_core.figures.palette import component_color
from nmf_core.figures.template import MUTED, figure
from nmf_core.figures.text import plain
from nmf_core.types import Array

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


@dataclass(frozen=True, slots=True, eq=False)
class Cone:
    """Two features, two components: every sum with weights ≥ 0 lies in the shaded cone.

    Attributes
    ----------
    X : ndarray of shape (n, 2)
    H : ndarray of shape (2, 2)
    cols : tuple of str
    groups : ndarray of str, shape (n,)
    weights : (float, float), optional
        A sum to draw arrow after arrow; a negative weight leads out of the cone.
    axes : tuple of (mean of shape (2,), directions of shape (2, 2)), optional
        PCA's axes, to compare.
    """

    X: Array
    H: Array
    cols: tuple[str, str]
    groups: Array
    weights: tuple[float, float] | None = None
    axes: tuple[Array, Array] | None = None

    def build(self) -> go.Figure:
        """Return the figure."""
        reach = 1.1 * max(float(np.abs(self.X).max()), *(np.abs(self._sum()) if self.weights is not None else [0.0]))
        rays = [h / max(float(np.abs(h).max()), 1e-12) * reach * 1.5 for h in self.H]
        traces: list[dict[str, Any]] = [
            {
                "type": "scatter",
                "x": [0, rays[0][0], rays[1][0], 0],
                "y": [0, rays[0][1], rays[1][1], 0],
                "fill": "toself",
                "fillcolor": "rgba(128,128,128,0.18)",
                "mode": "lines",
                "line": {"width": 0},
                "name": "the cone: all sums with weights ≥ 0",
                "hoverinfo": "skip",
            }
        ]
        traces += points(self.X[:, 0], self.X[:, 1], self.groups)
        for k, ray in enumerate(rays):
            dash = ("solid", "longdash")[k]
            traces.append(line([0, ray[0]], [0, ray[1]], f"Part {k + 1}", component_color(k), 4, dash=dash))
        if self.weights is not None:
            first, end = self.weights[0] * self.H[0], self._sum()
            traces.append(
                {
                    **line([0, first[0], end[0]], [0, first[1], end[1]], "w₁ · Part 1 + w₂ · Part 2", "#d55e00", 3),
                    "mode": "lines+markers",
                    "marker": {"size": [6, 8, 15], "symbol": ["circle", "circle", "star"]},
                }
            )
        low = min(0.0, *(self._sum() if self.weights is not None else [0.0]))
        limits = [1.1 * low - 0.06 * reach, reach]
        layout = {"height": 440, "annotations": [], "legend": {"y": -0.2}}
        layout |= plane(0, [0.0, 0.46] if self.axes else [0.0, 1.0], limits, self.cols)
        if self.axes is not None:
            traces += self._pca(reach)
            layout |= plane(1, [0.54, 1.0], limits, self.cols)
            layout["annotations"] = [
                over("NMF: parts from the origin", 0.23),
                over("PCA: axes through the mean", 0.77),
            ]
        return figure(traces, layout)

    def _sum(self) -> Array:
        return np.asarray(self.weights) @ self.H

    def _pca(self, reach: float) -> list[dict[str, Any]]:
        """Return the samples again, with PCA's axes: both directions of each count, with opposite signs."""
        assert self.axes is not None
        mean, directions = self.axes
        second: dict[str, Any] = {"xaxis": "x2", "yaxis": "y2"}
        traces = [{**t, **second, "showlegend": False} for t in points(self.X[:, 0], self.X[:, 1], self.groups)]
        spread = [1.1 * float(np.abs((self.X - mean) @ d).max()) for d in directions]
        for i, (d, far) in enumerate(zip(directions, spread, strict=True)):
            far = max(far, 0.15 * reach)
            ends = np.stack([mean - d * far, mean + d * far])
            traces.append(
                {
                    **line(ends[:, 0], ends[:, 1], f"PCA axis {i + 1}", MUTED, 3, dash=("dash", "dot")[i]),
                    **second,
                    "mode": "lines+text",
                    "text": ["−", "+"],
                    "textfont": {"size": 18},
                    "textposition": "top center",
                }
            )
        return traces

    def describe(self) -> str:
        """Return what the picture shows, in words."""
        text = (
            f"{len(self.X)} samples in the plane of {plain(self.cols[0])} and {plain(self.cols[1])}; {self.inside()} lie in "
            "the cone of the two parts."
        )
        if self.weights is not None:
            where = "inside" if min(self.weights) >= 0 else "outside"
            x, y = self._sum()
            text += (
                f" The sum with weights {self.weights[0]:.2f} and {self.weights[1]:.2f} lies {where} the cone, at "
                f"{plain(self.cols[0])} {x:.3g} and {plain(self.cols[1])} {y:.3g}."
            )
        if self.axes is not None:
            negative = int(((self.X - self.axes[0]) @ self.axes[1][0] < 0).sum())
            text += (
                f" Beside it the same samples with PCA's two axes, which cross at a right angle in the mean; {negative} samples "
                "lie on the negative side of the first."
            )
        return text

    def inside(self) -> int:
        """Return how many samples lie in the cone, its edges included; none where both parts are one direction."""
        if abs(float(np.linalg.det(self.H))) <= 1e-9:
            return 0
        return int((np.linalg.solve(self.H.T, self.X.T) >= -1e-6).all(axis=0).sum())

    def table(self) -> pd.DataFrame:
        """Return the samples and the two parts."""
        import pandas as pd

        frame = pd.DataFrame(np.vstack([self.X, self.H]), columns=list(self.cols))
        frame.insert(0, "what", [*self.groups, "Part 1", "Part 2"])
        return frame
