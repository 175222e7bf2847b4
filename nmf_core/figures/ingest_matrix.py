"""The data before any fit, as a heatmap; and where cells are missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.figures.aggregate import block_means, block_starts
from nmf_core.figures.palette import SEQUENTIAL
from nmf_core.figures.template import SMALL, figure
from nmf_core.figures.text import count, label, number, percent
from nmf_core.types import Array, is_sparse

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

ROWS, COLUMNS, TABLE_ROWS = 300, 300, 1000
SIGNED = ((0.0, "rgb(33, 102, 172)"), (0.5, "rgb(245, 245, 245)"), (1.0, "rgb(178, 24, 43)"))


@dataclass(frozen=True, slots=True, eq=False)
class DataHeatmap:
    """A matrix as colours, averaged in blocks when it has more cells than pixels.

    Attributes
    ----------
    X : ndarray or CSR of shape (n, m)
        NaN and infinite cells are left blank.
    rows, cols : ndarray of str
    title : str
    height : int
        Pixels.
    """

    X: Any
    rows: Array
    cols: Array
    title: str = "The data"
    height: int = 420

    def build(self) -> go.Figure:
        """Return the figure."""
        values, row_starts, col_starts = self._blocks()
        n, m = self.X.shape
        low, high, scale = _range(values)
        title = label(self.title)
        if len(row_starts) < n or len(col_starts) < m:
            title += f" · {n:,} × {m:,} cells as {len(row_starts)} × {len(col_starts)} averages"
        if float(np.nanmax(values, initial=0.0)) > high:
            title += f" · colours end at {number(high, 3)}"
        heat = {
            "type": "heatmap",
            "z": values.astype(np.float32),
            "zmin": low,
            "zmax": high,
            "colorscale": scale,
            "hovertemplate": "row %{y}, column %{x}<br>%{z:.4g}<extra></extra>",
            "colorbar": {"thickness": 10, "outlinewidth": 0, "title": {"text": "X", "font": {"size": SMALL}}},
        }
        layout = {
            "height": self.height,
            "title": {"text": title},
            "xaxis": {**_ticks(self.cols, col_starts, 24), "showgrid": False, "zeroline": False},
            "yaxis": {
                **_ticks(self.rows, row_starts, 20),
                "showgrid": False,
                "zeroline": False,
                "autorange": "reversed",
            },
        }
        return figure([heat], layout)

    def describe(self) -> str:
        """Say how large the matrix is and what its values are like."""
        n, m = self.X.shape
        values = self.X.data if is_sparse(self.X) else self.X
        good = values[np.isfinite(values)]
        zeros = 1 - np.count_nonzero(good) / (n * m) if is_sparse(self.X) else float((self.X == 0).mean())
        low = min(float(good.min(initial=0.0)), 0.0) if is_sparse(self.X) else float(good.min(initial=np.inf))
        return (
            f"Heatmap of the matrix: {count(n, 'row')} by {count(m, 'column')}, values from {number(low)} "
            f"to {number(float(good.max(initial=-np.inf)))}; {percent(zeros)} of the cells are zero."
        )

    def table(self) -> pd.DataFrame:
        """Return the first rows as they are."""
        import pandas as pd

        part = self.X[:TABLE_ROWS, :TABLE_ROWS]
        part = part.toarray() if is_sparse(part) else part
        return pd.DataFrame(part, index=pd.Index(self.rows[:TABLE_ROWS]), columns=self.cols[:TABLE_ROWS])

    def _blocks(self) -> tuple[Array, Array, Array]:
        n, m = self.X.shape
        row_starts, col_starts = block_starts(n, ROWS), block_starts(m, COLUMNS)
        if is_sparse(self.X):
            return block_means(self.X, None, row_starts, None, col_starts), row_starts, col_starts
        finite = np.isfinite(self.X)
        if finite.all():
            return block_means(self.X, None, row_starts, None, col_starts), row_starts, col_starts
        known = np.where(finite, self.X, 0.0)
        return block_means(known, None, row_starts, None, col_starts, seen=finite), row_starts, col_starts


@dataclass(frozen=True, slots=True, eq=False)
class MissingMap:
    """Where cells are missing: share per block of rows and column.

    Attributes
    ----------
    X : ndarray of shape (n, m)
    rows, cols : ndarray of str
    height : int
        Pixels.
    """

    X: Any
    rows: Array
    cols: Array
    height: int = 320

    def build(self) -> go.Figure:
        """Return the figure."""
        n, m = self.X.shape
        row_starts, col_starts = block_starts(n, ROWS), block_starts(m, COLUMNS)
        share = block_means(self._gone().astype(np.float32), None, row_starts, None, col_starts)
        heat = {
            "type": "heatmap",
            "z": (100 * share).astype(np.float32),
            "zmin": 0,
            "zmax": 100,
            "colorscale": [[0, "rgba(128,128,128,0.12)"], [1, "#d55e00"]],
            "hovertemplate": "row %{y}, column %{x}<br>%{z:.0f} % missing<extra></extra>",
            "colorbar": {"thickness": 10, "outlinewidth": 0, "ticksuffix": " %"},
        }
        layout = {
            "height": self.height,
            "title": {"text": f"Missing cells: {percent(float(self._gone().mean()))}"},
            "xaxis": {**_ticks(self.cols, col_starts, 24), "showgrid": False, "zeroline": False},
            "yaxis": {
                **_ticks(self.rows, row_starts, 14),
                "showgrid": False,
                "zeroline": False,
                "autorange": "reversed",
            },
        }
        return figure([heat], layout)

    def describe(self) -> str:
        """Say how many cells are missing and where most of them are."""
        gone = self._gone()
        per_column = gone.sum(axis=0)
        worst = int(np.argmax(per_column))
        return (
            f"Map of missing cells: {count(int(gone.sum()), 'cell')} of {gone.size:,} are missing, in "
            f"{count(int(gone.any(axis=1).sum()), 'row')} and {count(int((per_column > 0).sum()), 'column')}; "
            f"most in {self.cols[worst]} ({int(per_column[worst]):,})."
        )

    def table(self) -> pd.DataFrame:
        """Return the number of missing cells per column."""
        import pandas as pd

        gone = self._gone().sum(axis=0)
        return pd.DataFrame({"column": self.cols, "missing": gone, "share": gone / len(self.rows)})

    def _gone(self) -> Array:
        return ~np.isfinite(np.asarray(self.X))


def _range(values: Array) -> tuple[float, float, Any]:
    good = values[np.isfinite(values)]
    if not good.size:
        return 0.0, 1.0, SEQUENTIAL
    low, top = float(good.min()), float(good.max())
    if low < 0:
        side = max(-low, top)
        return -side, side, [list(stop) for stop in SIGNED]
    high = float(np.quantile(good, 0.995))
    # A few extreme cells would leave the rest in one colour: the scale ends below them, and the title says so.
    high = top if high <= 0 or top < 4 * high else high
    return 0.0, high or 1.0, SEQUENTIAL


def _ticks(names: Array, starts: Array, most: int) -> dict[str, Any]:
    step = max(1, -(-len(starts) // most))
    at = np.arange(0, len(starts), step)
    if len(starts) == len(names):
        text = [label(names[i], 24) for i in at]
    else:
        text = [f"{int(starts[i]) + 1:,}" for i in at]
    return {"tickmode": "array", "tickvals": at.tolist(), "ticktext": text, "tickfont": {"size": SMALL}}
