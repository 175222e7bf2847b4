"""X beside WH beside what is left: the whole factorization at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.components import Parts
from nmf_core.figures.aggregate import block_means, block_starts, fit_cells, mean_rows
from nmf_core.figures.ordering import Ordering, order_features, order_samples
from nmf_core.figures.palette import DIVERGING, SEQUENTIAL
from nmf_core.figures.rounding import VISIBLE
from nmf_core.figures.template import SMALL, figure, titled
from nmf_core.figures.text import count, label, number, percent
from nmf_core.quality import errors_of
from nmf_core.types import Array, Dataset, is_sparse

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

#: Cells of one panel drawn at most, and cells with their names in the hover text at most.
PANEL_CELLS, NAMED_CELLS = 40_000, 3_000
_HOVER = "row %{y:,.0f}, column %{x:,.0f}<br>NAME %{z:.4g}<extra></extra>"


@dataclass(frozen=True, slots=True, eq=False)
class Reconstruction:
    """X, WH and X − WH as three heatmaps; X and WH share one colour scale.

    Attributes
    ----------
    dataset : Dataset
    parts : Parts
    rows, cols : str
        Orders of `nmf_core.figures.ordering`.
    label : str, optional
        Key of ``dataset.labels`` for ``rows="label"``.
    height : int
        Pixels.

    Notes
    -----
    Where cells are averaged, WH and the residual are exact averages of blocks: errors of opposite sign cancel inside a
    block, which the title says. In small data a click gives ``customdata = [row of the file, column of the file]``.
    """

    dataset: Dataset
    parts: Parts
    rows: str = "file"
    cols: str = "file"
    label: str | None = None
    height: int = 420

    def build(self) -> go.Figure:
        """Return the figure."""
        row_order, col_order, row_starts, col_starts, X, WH = self._blocks()
        n, m = self.dataset.shape
        left = X - WH
        top = _robust_top(np.concatenate([X[np.isfinite(X)], WH.ravel()]))
        known = np.abs(left[np.isfinite(left)])
        span = max(_robust_top(known), VISIBLE * top) if known.size else 1.0
        exact = len(row_starts) == n and len(col_starts) == m
        small = exact and X.size <= NAMED_CELLS
        data: list[dict[str, Any]] = []
        for i, (z, name) in enumerate(((X, "X"), (WH, "WH"), (left, "X − WH"))):
            data.append(
                {
                    "type": "heatmap",
                    "z": z.astype(np.float32),
                    "xaxis": f"x{i + 1}" if i else "x",
                    "yaxis": "y",
                    "coloraxis": "coloraxis2" if i == 2 else "coloraxis",
                    "name": name,
                    "hoverongaps": False,
                    **({"hoverinfo": "skip"} if small else {"hovertemplate": _HOVER.replace("NAME", name)}),
                    **_numbering(n, m, len(row_starts), len(col_starts), small),
                }
            )
            if small:
                data.append(self._points(X, WH, i, row_order, col_order))
        gap, width = 0.02, (1 - 0.04) / 3
        x_ticks = self._ticks(self.dataset.cols, col_order, m, small, 12)
        layout: dict[str, Any] = {
            "height": self.height,
            **titled(f"{n:,} samples × {m:,} features", self._notes(exact, row_order, col_order)),
            "margin": {"l": 10, "r": 10, "t": 84 if exact else 104, "b": 10},
            "yaxis": {
                "autorange": "reversed",
                "showgrid": False,
                "zeroline": False,
                **self._ticks(self.dataset.rows, row_order, n, small, max(5, self.height // 24)),
            },
            "coloraxis": _bar(SEQUENTIAL, 0, top, 0.0, 2 * width + gap, "X and WH"),
            "coloraxis2": _bar([list(s) for s in DIVERGING], -span, span, 2 * (width + gap), 1.0, "X − WH"),
            "annotations": [],
        }
        for i, name in enumerate(("X: the data", "WH: the model", "X − WH: what is left")):
            x0 = i * (width + gap)
            layout[f"xaxis{i + 1}" if i else "xaxis"] = {
                "domain": [x0, x0 + width],
                "showgrid": False,
                "zeroline": False,
                **x_ticks,
                **({"matches": "x"} if i else {}),
            }
            layout["annotations"].append(
                {
                    "text": f"<b>{name}</b>",
                    "x": x0 + width / 2,
                    "y": 1,
                    "xref": "paper",
                    "yref": "paper",
                    "xanchor": "center",
                    "yanchor": "bottom",
                    "showarrow": False,
                }
            )
        return figure(data, layout)

    def describe(self) -> str:
        """Say how much of X the model explains and where the largest difference is."""
        seen = errors_of(self.dataset, self.parts)
        n, m = self.dataset.shape
        worst = int(seen.rows.argmax())
        part = percent(seen.rows[worst] / seen.rss if seen.rss else 0)
        size = f"{count(n, 'sample')} by {count(m, 'feature')}"
        return (
            f"Three heatmaps of {size}: the data X, the model WH and the residual X − WH. WH leaves a relative error "
            f"of {percent(seen.relative)} (RSS {number(seen.rss, 5)}); sample {self.dataset.rows[worst]} adds most "
            f"to it ({part})."
        )

    def table(self) -> pd.DataFrame:
        """Return the cells (or block averages) shown, in long form: row, column, X, WH, residual."""
        import pandas as pd

        row_order, col_order, row_starts, col_starts, X, WH = self._blocks()
        heads = row_starts if row_order.order is None else row_order.order[row_starts]
        tops = col_starts if col_order.order is None else col_order.order[col_starts]
        frame = pd.DataFrame(
            {
                "row": np.repeat(self.dataset.rows[heads], len(tops)),
                "column": np.tile(self.dataset.cols[tops], len(heads)),
                "X": X.ravel(),
                "WH": WH.ravel(),
                "X − WH": (X - WH).ravel(),
            }
        )
        if X.shape != self.dataset.shape:
            frame = frame.rename(columns={"row": "first row of block", "column": "first column of block"})
        return frame

    def _blocks(self) -> tuple[Ordering, Ordering, Array, Array, Array, Array]:
        dataset, parts = self.dataset, self.parts
        n, m = dataset.shape
        rows = order_samples(dataset, parts, self.rows, self.label)
        cols = order_features(dataset, parts, self.cols)
        n_rows, n_cols = fit_cells(n, m, PANEL_CELLS)
        row_starts, col_starts = block_starts(n, n_rows), block_starts(m, n_cols)
        where = (rows.order, row_starts, cols.order, col_starts)
        seen = _seen(dataset)
        X = dataset.X if seen is None or is_sparse(dataset.X) else np.where(seen, dataset.X, 0)
        means = block_means(X, *where, seen=seen)
        # The average of WH over a block is the product of averages: no need to form WH.
        WH = mean_rows(parts.recipe, rows.order, row_starts) @ mean_rows(parts.H.T, cols.order, col_starts).T
        return rows, cols, row_starts, col_starts, means, WH

    def _points(self, X: Array, WH: Array, panel: int, rows: Ordering, cols: Ordering) -> dict[str, Any]:
        n, m = X.shape
        i, j = np.repeat(np.arange(n), m), np.tile(np.arange(m), n)
        at_row = i if rows.order is None else rows.order[i]
        at_col = j if cols.order is None else cols.order[j]
        values = np.stack([at_row, at_col, X[i, j], WH[i, j], (X - WH)[i, j]], axis=1).astype(np.float32)
        names = [label(name, 40) for name in self.dataset.rows]
        heads = [label(name, 40) for name in self.dataset.cols]
        return {
            "type": "scattergl" if len(i) > 1000 else "scatter",
            "x": j.astype(np.uint16),
            "y": i.astype(np.uint16),
            "xaxis": f"x{panel + 1}" if panel else "x",
            "yaxis": "y",
            "mode": "markers",
            "marker": {"size": 8, "opacity": 0},
            "selected": {"marker": {"opacity": 0}},
            "unselected": {"marker": {"opacity": 0}},
            "customdata": values,
            "text": [f"{names[r]}, {heads[c]}" for r, c in zip(at_row.tolist(), at_col.tolist(), strict=True)],
            "hovertemplate": "%{text}<br>X %{customdata[2]:.4g}<br>WH %{customdata[3]:.4g}"
            "<br>X − WH %{customdata[4]:.3g}<extra></extra>",
            "showlegend": False,
            "name": "cells",
        }

    def _ticks(self, names: Array, order: Ordering, n: int, small: bool, most: int) -> dict[str, Any]:
        if not small:
            title = "" if order.order is None else f"number, {order.words.split(' (')[0]}"
            return {"tickfont": {"size": SMALL}, "nticks": 8, "title": {"text": title, "font": {"size": SMALL}}}
        at = list(range(0, n, max(1, -(-n // most))))
        shown = names if order.order is None else names[order.order]
        return {
            "tickmode": "array",
            "tickvals": at,
            "ticktext": [label(shown[i], 22) for i in at],
            "tickfont": {"size": SMALL},
        }

    def _notes(self, exact: bool, rows: Ordering, cols: Ordering) -> list[str]:
        notes = [o.words for o in (rows, cols) if "only" in o.words]
        if not exact:
            a, b = fit_cells(*self.dataset.shape, PANEL_CELLS)
            notes.insert(0, f"shown as {a} × {b} averages (errors of opposite sign cancel within an average)")
        return notes[:2]


def _seen(dataset: Dataset) -> Any:
    """Return which cells count, or None for all."""
    if dataset.mask is None:
        return None
    if isinstance(dataset.mask, str):
        pattern = dataset.X.copy()
        pattern.data = np.ones_like(pattern.data)
        return pattern
    return ~dataset.mask


def _robust_top(values: Array) -> float:
    """Return the upper end of the colours: the maximum, or the 99.5 % quantile where a few values dwarf the rest."""
    if not values.size:
        return 1.0
    top, high = float(values.max()), float(np.quantile(values, 0.995))
    chosen = high if high > 0 and top > 3 * high else top
    return chosen if chosen > 0 else 1.0


def _bar(scale: Any, low: float, high: float, x0: float, x1: float, title: str) -> dict[str, Any]:
    return {
        "colorscale": scale,
        "cmin": low,
        "cmax": high,
        "colorbar": {
            "orientation": "h",
            "thickness": 8,
            "len": (x1 - x0) * 0.7,
            "x": (x0 + x1) / 2,
            "y": 1.0,
            "yref": "paper",
            "yanchor": "bottom",
            "ypad": 24,
            "outlinewidth": 0,
            "nticks": 5,
            "tickfont": {"size": SMALL},
        },
    }


def _numbering(n: int, m: int, rows: int, columns: int, small: bool) -> dict[str, Any]:
    """Return where blocks sit on axes that count rows and columns from 1 (from 0 where names stand at the ticks)."""
    if small:
        return {}
    dy, dx = n / rows, m / columns
    return {"y0": 0.5 + dy / 2, "dy": dy, "x0": 0.5 + dx / 2, "dx": dx}
