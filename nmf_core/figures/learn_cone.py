"""Geometry: samples lie inside the cone that the components span."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.figures.palette import component_color, label_color, symbol, with_alpha
from nmf_core.figures.template import MUTED, figure
from nmf_core.figures.text import label, labels, plain
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
        reach = 1.15 * float(np.abs(self.X).max())
        rays = [h / max(float(np.abs(h).max()), 1e-12) * reach * 1.5 for h in self.H]
        traces: list[dict[str, Any]] = [
            {
                "type": "scatter",
                "x": [0, rays[0][0], rays[1][0], 0],
                "y": [0, rays[0][1], rays[1][1], 0],
                "fill": "toself",
                "fillcolor": "rgba(128,128,128,0.13)",
                "mode": "lines",
                "line": {"width": 0},
                "name": "the cone: all sums with weights ≥ 0",
                "hoverinfo": "skip",
            }
        ]
        traces += _points(self.X[:, 0], self.X[:, 1], self.groups)
        for k, ray in enumerate(rays):
            traces.append(_line([0, ray[0]], [0, ray[1]], f"Part {k + 1}", component_color(k), 4))
        if self.axes is not None:
            mean, directions = self.axes
            for i, d in enumerate(directions):
                span = np.stack([mean - d * reach / 2, mean + d * reach / 2])
                traces.append(_line(span[:, 0], span[:, 1], f"PCA axis {i + 1}", MUTED, 2, dash=("dash", "dot")[i]))
        if self.weights is not None:
            first = self.weights[0] * self.H[0]
            end = first + self.weights[1] * self.H[1]
            traces.append(
                {
                    **_line([0, first[0], end[0]], [0, first[1], end[1]], "w₁ · Part 1 + w₂ · Part 2", "#d55e00", 3),
                    "mode": "lines+markers",
                    "marker": {"size": [6, 8, 15], "symbol": ["circle", "circle", "star"]},
                }
            )
        return figure(
            traces,
            {
                "height": 480,
                "xaxis": {"title": {"text": label(self.cols[0])}, "range": [-0.25 * reach, reach]},
                "yaxis": {
                    "title": {"text": label(self.cols[1])},
                    "range": [-0.25 * reach, reach],
                    "scaleanchor": "x",
                },
            },
        )

    def describe(self) -> str:
        """Return what the picture shows, in words."""
        inside = int((np.linalg.solve(self.H.T, self.X.T) >= -1e-9).all(axis=0).sum()) if self._solvable() else 0
        text = f"{len(self.X)} samples in the plane of {plain(self.cols[0])} and {plain(self.cols[1])}; {inside} lie in the cone of the two parts."
        if self.weights is not None:
            where = "inside" if min(self.weights) >= 0 else "outside"
            text += f" The sum with weights {self.weights[0]:.2f} and {self.weights[1]:.2f} lies {where} the cone."
        return text

    def _solvable(self) -> bool:
        return abs(float(np.linalg.det(self.H))) > 1e-9

    def table(self) -> pd.DataFrame:
        """Return the samples and the two parts."""
        import pandas as pd

        frame = pd.DataFrame(np.vstack([self.X, self.H]), columns=list(self.cols))
        frame.insert(0, "what", [*self.groups, "Part 1", "Part 2"])
        return frame


@dataclass(frozen=True, slots=True, eq=False)
class Triangle:
    """Three components seen along the axis of their cone: every sample is a mixture, inside the triangle if WH is exact.

    Attributes
    ----------
    X : ndarray of shape (n, m)
    H : ndarray of shape (3, m)
    rows : sequence of str
    groups : ndarray of str

    Notes
    -----
    Rows are divided by their sums, so that only the mixture counts, and projected on the plane of the three parts.
    """

    X: Array
    H: Array
    rows: tuple[str, ...]
    groups: Array

    def place(self) -> tuple[Array, Array]:
        """Return the corners (3 × 2) and the samples (n × 2) in the plane of the parts."""
        H = self.H / np.maximum(self.H.sum(axis=1, keepdims=True), 1e-300)
        X = self.X / np.maximum(self.X.sum(axis=1, keepdims=True), 1e-300)
        corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(0.75)]])
        # Mixture weights that sum to 1 and come nearest to the sample; outside the triangle some are negative.
        A = np.vstack([H.T, np.full((1, 3), 1e3)])
        B = np.vstack([X.T, np.full((1, len(X)), 1e3)])
        mix = np.linalg.lstsq(A, B, rcond=None)[0].T
        return corners, mix @ corners

    def build(self) -> go.Figure:
        """Return the figure."""
        corners, points = self.place()
        loop = [0, 1, 2, 0]
        traces = [
            {
                **_line(corners[loop, 0], corners[loop, 1], "mixtures with weights ≥ 0", MUTED, 1),
                "fill": "toself",
                "fillcolor": "rgba(128,128,128,0.13)",
                "hoverinfo": "skip",
            },
            *_points(points[:, 0], points[:, 1], self.groups, self.rows),
            {
                "type": "scatter",
                "mode": "markers+text",
                "x": corners[:, 0],
                "y": corners[:, 1],
                "text": ["Part 1", "Part 2", "Part 3"],
                "textposition": ["bottom center", "bottom center", "top center"],
                "marker": {"size": 16, "color": [component_color(k) for k in range(3)]},
                "showlegend": False,
                "hoverinfo": "text",
            },
        ]
        hide = {"visible": False}
        return figure(traces, {"height": 480, "xaxis": hide, "yaxis": {**hide, "scaleanchor": "x"}})

    def describe(self) -> str:
        """Return what the picture shows, in words."""
        return (
            f"A triangle whose corners are the three parts, and {len(self.X)} samples as mixtures of them. A sample at a "
            "corner is that part alone; a sample outside cannot be mixed exactly."
        )

    def table(self) -> pd.DataFrame:
        """Return where the samples lie."""
        import pandas as pd

        _, points = self.place()
        return pd.DataFrame({"sample": list(self.rows), "group": self.groups, "x": points[:, 0], "y": points[:, 1]})


def _line(x: Any, y: Any, name: str, color: str, width: float, dash: str = "solid") -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.asarray(x, float),
        "y": np.asarray(y, float),
        "name": name,
        "line": {"color": color, "width": width, "dash": dash},
        "hoverinfo": "name",
    }


def _points(x: Array, y: Array, groups: Array, rows: tuple[str, ...] | None = None) -> list[dict[str, Any]]:
    out = []
    for i, group in enumerate(dict.fromkeys(groups.tolist())):
        at = groups == group
        out.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": x[at],
                "y": y[at],
                "name": label(group, 24),
                "marker": {"color": with_alpha(label_color(i), 0.75), "symbol": symbol(i), "size": 8},
                **({"text": labels(np.asarray(rows)[at]), "hoverinfo": "text"} if rows is not None else {}),
            }
        )
    return out
