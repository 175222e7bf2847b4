"""Geometry of three parts: every sample is a mixture, a point in a triangle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nmf_core.figures.learn_plane import line, over, plane, points
from nmf_core.figures.palette import component_color
from nmf_core.figures.template import MUTED, figure
from nmf_core.types import Array

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


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

    def mixtures(self) -> Array:
        """Return the weights (n × 3) that sum to 1 and come nearest to each sample; outside the triangle some are < 0."""
        H = self.H / np.maximum(self.H.sum(axis=1, keepdims=True), 1e-300)
        X = self.X / np.maximum(self.X.sum(axis=1, keepdims=True), 1e-300)
        # A last row, weighed heavily: the weights sum to 1.
        A = np.vstack([H.T, np.full((1, 3), 1e3)])
        B = np.vstack([X.T, np.full((1, len(X)), 1e3)])
        return np.linalg.lstsq(A, B, rcond=None)[0].T

    def place(self) -> tuple[Array, Array]:
        """Return the corners (3 × 2) and the samples (n × 2) in the plane of the parts."""
        corners = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(0.75)]])
        return corners, self.mixtures() @ corners

    def build(self) -> go.Figure:
        """Return the figure."""
        corners, places = self.place()
        loop = [0, 1, 2, 0]
        scores = self.scores()
        second = {"xaxis": "x2", "yaxis": "y2", "showlegend": False}
        traces = [
            {
                **line(corners[loop, 0], corners[loop, 1], "mixtures with weights ≥ 0", MUTED, 1),
                "fill": "toself",
                "fillcolor": "rgba(128,128,128,0.18)",
                "hoverinfo": "skip",
            },
            *points(places[:, 0], places[:, 1], self.groups, self.rows),
            {
                "type": "scatter",
                "mode": "markers+text",
                "x": corners[:, 0],
                "y": corners[:, 1],
                "text": ["Part 1", "Part 2", "Part 3"],
                "textposition": ["bottom center", "bottom center", "top center"],
                "marker": {"size": 16, "color": [component_color(k) for k in range(3)]},
                "showlegend": False,
                "cliponaxis": False,
                "hoverinfo": "text",
            },
            *({**t, **second} for t in points(scores[:, 0], scores[:, 1], self.groups, self.rows)),
        ]
        hide = {"visible": False}
        reach = 1.1 * max(float(np.abs(scores).max()), 1e-12)
        layout = {
            "height": 440,
            "xaxis": {**hide, "domain": [0.0, 0.48], "constrain": "domain"},
            "yaxis": {**hide, "scaleanchor": "x", "constrain": "domain"},
            "annotations": [over("NMF: mixtures of three parts", 0.24), over("PCA: scores with signs", 0.78)],
        }
        layout |= plane(1, [0.57, 1.0], [-reach, reach], ("PCA axis 1", "PCA axis 2"))
        return figure(traces, layout)

    def scores(self) -> Array:
        """Return the samples (n × 2) on PCA's first two axes."""
        centred = self.X - self.X.mean(axis=0)
        return centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T

    def describe(self) -> str:
        """Return what the picture shows, in words."""
        return (
            f"A triangle whose corners are the three parts, and {len(self.X)} samples as mixtures of them. A sample at a "
            f"corner is that part alone; {self.outside()} lie outside, where a weight would have to be negative. Beside it, "
            f"PCA's first two axes; {int((self.scores()[:, 0] < 0).sum())} samples have a negative score on the first."
        )

    def outside(self) -> int:
        """Return how many samples lie outside the triangle, beyond the width of a point."""
        return int((self.mixtures() < -0.01).any(axis=1).sum())

    def table(self) -> pd.DataFrame:
        """Return where the samples lie."""
        import pandas as pd

        _, places = self.place()
        scores = self.scores()
        return pd.DataFrame(
            {
                "sample": list(self.rows),
                "group": self.groups,
                "x": places[:, 0],
                "y": places[:, 1],
                "PCA axis 1": scores[:, 0],
                "PCA axis 2": scores[:, 1],
            }
        )
