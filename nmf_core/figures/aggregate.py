"""Large matrices made small enough to draw: means over blocks of rows and columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from nmf_core.types import Array, is_sparse

#: Most rows or columns of a heatmap; more are averaged in blocks.
SIDE = 500


def block_starts(n: int, limit: int) -> Array:
    """Return where each block of rows begins: n blocks of one row, or `limit` blocks of nearly equal size."""
    blocks = max(1, min(n, limit))
    return (np.arange(blocks) * n) // blocks


def block_sizes(starts: Array, n: int) -> Array:
    """Return how many rows each block holds."""
    return np.diff(np.append(starts, n))


def fit_cells(n: int, m: int, cells: int, side: int = SIDE) -> tuple[int, int]:
    """Return how many rows and columns to draw: at most `side` each and `cells` in all, the longer side cut first."""
    rows, columns = min(n, side), min(m, side)
    if rows * columns > cells:
        short = min(rows, columns, int(cells**0.5))
        rows, columns = (short, cells // short) if rows <= columns else (cells // short, short)
        rows, columns = min(rows, n, side), min(columns, m, side)
    return rows, columns


def mean_rows(A: Array, order: Array | None, starts: Array) -> Array:
    """Average blocks of rows, without a copy of the whole array.

    Parameters
    ----------
    A : ndarray of shape (n, m)
    order : ndarray of int of shape (n,), optional
        Rows in this order first; file order if None.
    starts : ndarray of int
        Of `block_starts`.

    Returns
    -------
    ndarray of float64 of shape (blocks, m)
    """
    n = len(A)
    if len(starts) == n:
        return np.asarray(A if order is None else A[order], dtype=np.float64)
    sizes = block_sizes(starts, n)
    if order is None:
        return np.add.reduceat(A, starts, axis=0, dtype=np.float64) / sizes[:, None]
    ends = starts + sizes
    return np.stack([A[order[s:e]].mean(axis=0, dtype=np.float64) for s, e in zip(starts, ends, strict=True)])


def block_means(
    X: Any, rows: Array | None, row_starts: Array, cols: Array | None, col_starts: Array, *, seen: Any = None
) -> Array:
    """Average blocks of rows × blocks of columns of a dense or sparse matrix.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n, m)
    rows, cols : ndarray of int, optional
        Orders to bring rows and columns into first.
    row_starts, col_starts : ndarray of int
    seen : ndarray of bool or sparse pattern of X's shape, optional
        Cells that count; a block without any is NaN. X must hold zeros elsewhere.

    Returns
    -------
    ndarray of float64 of shape (row blocks, column blocks)
    """
    total = _block_sums(X, rows, row_starts, cols, col_starts)
    if seen is not None:
        count = _block_sums(seen, rows, row_starts, cols, col_starts)
        return np.where(count > 0, total / np.where(count > 0, count, 1), np.nan)
    count = np.outer(block_sizes(row_starts, X.shape[0]), block_sizes(col_starts, X.shape[1]))
    return total / count


def _block_sums(X: Any, rows: Array | None, row_starts: Array, cols: Array | None, col_starts: Array) -> Array:
    n, m = X.shape
    if is_sparse(X):
        left = _indicator(rows, row_starts, n)
        right = _indicator(cols, col_starts, m)
        return np.asarray((left @ X @ right.T).todense(), dtype=np.float64)
    ends = np.append(row_starts[1:], n)
    if rows is None and len(row_starts) < n:
        sums = np.add.reduceat(X, row_starts, axis=0, dtype=np.float64)
    elif len(row_starts) == n:
        sums = np.asarray(X if rows is None else X[rows], dtype=np.float64)
    else:
        assert rows is not None
        spans = zip(row_starts, ends, strict=True)
        sums = np.stack([X[rows[s:e]].sum(axis=0, dtype=np.float64) for s, e in spans])
    if cols is not None:
        sums = sums[:, cols]
    return sums if len(col_starts) == m else np.add.reduceat(sums, col_starts, axis=1)


def _indicator(order: Array | None, starts: Array, n: int) -> Any:
    """Return the sparse matrix (blocks × n) that sums the rows of each block."""
    import scipy.sparse as sp

    columns = np.arange(n) if order is None else order
    block = np.repeat(np.arange(len(starts)), block_sizes(starts, n))
    return sp.csr_array((np.ones(n), (block, columns)), shape=(len(starts), n))


def block_modes(codes: Array, order: Array | None, starts: Array, n_codes: int) -> Array:
    """Return the most frequent code (0 … n_codes−1) of each block; the smaller one of two equally frequent."""
    codes = codes if order is None else codes[order]
    if len(starts) == len(codes):
        return codes
    block = np.repeat(np.arange(len(starts)), block_sizes(starts, len(codes)))
    counts = np.bincount(block * n_codes + codes, minlength=len(starts) * n_codes)
    return counts.reshape(len(starts), n_codes).argmax(axis=1)
