"""How the values are distributed: per column, and before and after a preparation step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.figures.palette import COMPONENT_COLORS, OTHER_COLOR
from nmf_core.figures.template import figure
from nmf_core.figures.text import count, label, number, percent
from nmf_core.types import Array, is_sparse

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

BOXES, BINS, SAMPLE = 40, 60, 200_000
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True, eq=False)
class ColumnDistributions:
    """Five quantiles per column: boxes for few columns, bands for many.

    Attributes
    ----------
    X : ndarray or CSR of shape (n, m)
    cols : ndarray of str
    log : bool
        Draw log(1 + x) (only for values ≥ 0).
    height : int
        Pixels.
    """

    X: Any
    cols: Array
    log: bool = False
    height: int = 360

    def build(self) -> go.Figure:
        """Return the figure."""
        quantiles, at = self._quantiles()
        shown = np.sign(quantiles) * np.log1p(np.abs(quantiles)) if self.log else quantiles
        m = self.X.shape[1]
        if m <= BOXES:
            data: list[dict[str, Any]] = [
                {
                    "type": "box",
                    "x": np.arange(m, dtype=np.float32),
                    "lowerfence": shown[0],
                    "q1": shown[1],
                    "median": shown[2],
                    "q3": shown[3],
                    "upperfence": shown[4],
                    "marker": {"color": COMPONENT_COLORS[0]},
                    "showlegend": False,
                    "hoverinfo": "y",
                }
            ]
            ticks = {"tickmode": "array", "tickvals": list(range(m)), "ticktext": [label(c, 24) for c in self.cols]}
            title = "Distribution per column"
        else:
            x = np.arange(len(at), dtype=np.float32)
            band = {"type": "scatter", "x": x, "mode": "lines", "hoverinfo": "skip"}
            data = [
                {**band, "y": shown[4], "line": {"width": 0}, "showlegend": False},
                {**band, "y": shown[0], "fill": "tonexty", "fillcolor": "rgba(0,114,178,0.15)", "line": {"width": 0}, "name": "5 to 95 %"},
                {**band, "y": shown[3], "line": {"width": 0}, "showlegend": False},
                {**band, "y": shown[1], "fill": "tonexty", "fillcolor": "rgba(0,114,178,0.35)", "line": {"width": 0}, "name": "25 to 75 %"},
                {**band, "y": shown[2], "line": {"width": 1.5, "color": COMPONENT_COLORS[0]}, "name": "median"},
            ]  # fmt: skip
            step = max(1, len(at) // 8)
            ticks = {
                "tickmode": "array",
                "tickvals": list(range(0, len(at), step)),
                "ticktext": [f"{at[i] + 1:,}" for i in range(0, len(at), step)],
            }
            title = f"Distribution per column · {m:,} columns" + (
                f", every {m // len(at)}th shown" if len(at) < m else ""
            )
        layout = {
            "height": self.height,
            "title": {"text": title},
            "xaxis": ticks,
            "yaxis": {"title": {"text": "log(1 + value)" if self.log else "value"}},
        }
        return figure(data, layout)

    def describe(self) -> str:
        """Name the columns with the largest and the smallest median."""
        quantiles, at = self._quantiles()
        top, low = int(np.nanargmax(quantiles[2])), int(np.nanargmin(quantiles[2]))
        return (
            f"Distribution of {count(self.X.shape[1], 'column')}: the medians go from {number(quantiles[2][low])} "
            f"({self.cols[at[low]]}) to {number(quantiles[2][top])} ({self.cols[at[top]]})."
        )

    def table(self) -> pd.DataFrame:
        """Return the quantiles."""
        import pandas as pd

        quantiles, at = self._quantiles()
        frame = pd.DataFrame({"column": self.cols[at]})
        for level, values in zip(LEVELS, quantiles, strict=True):
            frame[f"{100 * level:g} %"] = values
        return frame

    def _quantiles(self) -> tuple[Array, Array]:
        n, m = self.X.shape
        at = np.arange(0, m, max(1, -(-m // 600)))
        rows = np.arange(0, n, max(1, -(-n * len(at) // (4 * SAMPLE))))
        if is_sparse(self.X):
            part = self.X[rows][:, at].toarray()
        else:
            part = np.asarray(self.X[np.ix_(rows, at)], dtype=np.float64)
        part = np.where(np.isfinite(part), part, np.nan)
        empty = np.isnan(part).all(axis=0)
        part[:, empty] = 0.0
        return np.nanquantile(part, LEVELS, axis=0), at


@dataclass(frozen=True, slots=True, eq=False)
class BeforeAfter:
    """The values before and after a step, as two histograms with counts on a logarithmic axis.

    Attributes
    ----------
    before, after : ndarray or CSR
    title : str
    height : int
        Pixels.
    """

    before: Any
    after: Any
    title: str = "Before and after"
    height: int = 260

    def build(self) -> go.Figure:
        """Return the figure."""
        data = []
        for k, (name, X, color) in enumerate(self._sides()):
            heights, edges = _histogram(X)
            data.append(
                {
                    "type": "bar",
                    "x": (edges[:-1] + edges[1:]) / 2,
                    "y": heights,
                    "width": np.diff(edges),
                    "marker": {"color": color},
                    "name": name,
                    "xaxis": "x" if k == 0 else "x2",
                    "yaxis": "y" if k == 0 else "y2",
                    "hovertemplate": "%{x:.4g}: %{y:,} cells<extra></extra>",
                    "showlegend": False,
                }
            )
        layout: dict[str, Any] = {
            "height": self.height,
            "title": {"text": label(self.title, 80)},
            "bargap": 0,
            "xaxis": {"domain": [0, 0.47], "title": {"text": "before"}},
            "xaxis2": {"domain": [0.53, 1], "title": {"text": "after"}},
            "yaxis": {"type": "log", "title": {"text": "cells"}},
            "yaxis2": {"type": "log", "anchor": "x2"},
        }
        return figure(data, layout)

    def describe(self) -> str:
        """Give range, mean and zeros of both sides."""
        return " ".join(f"{name.capitalize()}: {_summary(X)}." for name, X, _ in self._sides())

    def table(self) -> pd.DataFrame:
        """Return both histograms."""
        import pandas as pd

        frames = []
        for name, X, _ in self._sides():
            heights, edges = _histogram(X)
            frames.append(pd.DataFrame({"side": name, "from": edges[:-1], "to": edges[1:], "cells": heights}))
        return pd.concat(frames, ignore_index=True)

    def _sides(self) -> tuple[tuple[str, Any, str], ...]:
        return (("before", self.before, OTHER_COLOR), ("after", self.after, COMPONENT_COLORS[0]))


def _values(X: Any) -> Array:
    """Return up to 200,000 finite values, evenly spread over the matrix, the zeros of a sparse one among them."""
    flat = X.data if is_sparse(X) else np.asarray(X).ravel()
    flat = flat[:: max(1, -(-flat.size // SAMPLE))].astype(np.float64)
    return flat[np.isfinite(flat)]


def _histogram(X: Any) -> tuple[Array, Array]:
    values = _values(X)
    if not values.size:
        return np.zeros(1, dtype=int), np.array([0.0, 1.0])
    total = X.nnz if is_sparse(X) else X.size
    low, high = float(values.min()), float(values.max())
    if is_sparse(X):
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low <= 1e-12 * max(abs(low), abs(high), 1e-300):
        low, high = low - 0.5, high + 0.5
    heights, edges = np.histogram(values, bins=BINS, range=(low, high))
    heights = np.round(heights * (total / max(1, values.size))).astype(int)
    if is_sparse(X):
        heights[min(int(np.searchsorted(edges, 0.0, side="right")) - 1, BINS - 1)] += X.shape[0] * X.shape[1] - X.nnz
    return heights, edges


def _summary(X: Any) -> str:
    n, m = X.shape
    values = X.data if is_sparse(X) else np.asarray(X)
    good = values[np.isfinite(values)]
    if not good.size:
        return f"{n:,} × {m:,}, no values"
    zeros = 1 - np.count_nonzero(good) / (n * m) if is_sparse(X) else float((good == 0).mean())
    mean = float(good.sum()) / (n * m) if is_sparse(X) else float(good.mean())
    low = min(float(good.min()), 0.0) if is_sparse(X) else float(good.min())
    return (
        f"{n:,} × {m:,}, from {number(low)} to {number(float(good.max()))}, mean {number(mean)}, {percent(zeros)} zeros"
    )
