"""Which part of large data the expensive criteria look at, and the sentence that says so."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np

from nmf_core.selection.baseline import permute_columns
from nmf_core.types import Array, Dataset, is_sparse

HELDOUT_CELLS = 250_000
CONSENSUS_ROWS = 600


@dataclass(frozen=True, slots=True, eq=False)
class HeldoutData:
    """Dense data for cross-validation.

    Attributes
    ----------
    X : ndarray of shape (n_rows, n_cols)
        Missing cells hold 0.
    known : ndarray of bool of the same shape
    missing : (rows, columns)
    note : str
        Empty if this is all of the data.
    """

    X: Array
    known: Array
    missing: tuple[Array, Array]
    note: str

    @property
    def complete(self) -> bool:
        """Whether no cell is missing."""
        return len(self.missing[0]) == 0


def consensus_rows(n_samples: int) -> Array:
    """Return the rows whose groups are compared between restarts: all, or evenly spread ones."""
    return evenly(n_samples, CONSENSUS_ROWS)


def evenly(count: int, most: int) -> Array:
    """Return the numbers from 0 to count − 1: all of them, or `most` evenly spread ones."""
    if count <= most:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, most).astype(np.int64))


def heldout_sample(X: Any, limit: int = HELDOUT_CELLS) -> tuple[Array, Array, str]:
    """Choose rows (at random) and columns (those with the largest sum of squares) so that at most `limit` cells remain.

    Returns
    -------
    rows, cols : ndarray of int
    note : str
        A sentence, empty if all of the data is used.
    """
    n, m = X.shape
    if n * m <= limit:
        return np.arange(n), np.arange(m), ""
    shrink = float(np.sqrt(limit / (n * m)))
    n_rows = int(min(n, max(200, round(n * shrink))))
    n_cols = int(min(m, max(50, limit // n_rows)))
    n_rows = int(min(n, max(50, limit // n_cols)))
    rows = np.sort(np.random.default_rng(5).choice(n, n_rows, replace=False))
    cols = np.sort(np.argsort(-_energy(X), kind="stable")[:n_cols])
    parts = []
    if n_rows < n:
        parts.append(f"{n_rows:,} of {n:,} rows, drawn at random")
    if n_cols < m:
        parts.append(f"the {n_cols:,} of {m:,} columns with the largest sums of squares")
    return rows, cols, f"Held-out error is measured on {' and on '.join(parts)}, since the data is large."


def _energy(X: Any) -> Array:
    """Return the sum of squares of every column."""
    if is_sparse(X):
        return np.asarray((X.multiply(X)).sum(axis=0), dtype=np.float64).ravel()
    return np.nansum(np.asarray(X, dtype=np.float64) ** 2, axis=0)


def heldout_data(X: Any, mask: Any) -> HeldoutData:
    """Return the dense data that cross-validation works on."""
    rows, cols, note = heldout_sample(X)
    part = X[rows][:, cols]
    dense = np.array(part.toarray() if is_sparse(part) else part, dtype=np.float64, order="C")
    known = ~np.isnan(dense)
    if isinstance(mask, np.ndarray):
        known &= ~mask[np.ix_(rows, cols)]
    # A row or a column without anything in it can neither be fitted nor tested.
    dense[~known] = 0.0
    full_rows, full_cols = dense.any(axis=1), dense.any(axis=0)
    dense, known = dense[full_rows][:, full_cols], known[full_rows][:, full_cols]
    missing_rows, missing_cols = np.nonzero(~known)
    return HeldoutData(np.ascontiguousarray(dense), known, (missing_rows, missing_cols), note)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A dense part of the data, NaN where a cell is missing.

    Attributes
    ----------
    X : ndarray of shape (n_rows, n_cols)
    rows, cols : ndarray of int
    note : str
        Empty if this is all of the data.
    """

    X: Array
    rows: Array
    cols: Array
    note: str


def ambiguity_data(dataset: Dataset, wanted: tuple[int, ...], limit: int) -> Part:
    """Return the data on which single entries are moved: all of it, or a part that holds the wanted columns.

    Rows are drawn at random (of ratings: those with the most known cells); to the wanted columns come those with the
    largest sums of squares.
    """

    def make() -> Part:
        X = dataset.X
        n, m = X.shape
        rows, cols, note = np.arange(n), np.arange(m), ""
        if n * m > limit:
            energy = _energy(X)
            energy[list(wanted)] = np.inf
            n_cols = int(min(m, max(len(wanted), round(m * np.sqrt(limit / (n * m))), 50)))
            cols = np.sort(np.argsort(-energy, kind="stable")[:n_cols])
            n_rows = int(min(n, max(50, limit // n_cols)))
            if isinstance(dataset.mask, str):
                known = np.diff(X[:, cols].indptr)
                rows = np.sort(np.argsort(-known, kind="stable")[:n_rows])
            else:
                rows = np.sort(np.random.default_rng(6).choice(n, n_rows, replace=False))
            note = (
                f"Measured on {n_rows:,} of {n:,} rows and {n_cols:,} of {m:,} columns, since the data is large; a rise is a "
                "share of the loss on these."
            )
        part = X[rows][:, cols]
        dense = np.array(part.toarray() if is_sparse(part) else part, dtype=np.float64, order="C")
        if isinstance(dataset.mask, str):
            stored = part.astype(bool)
            stored.data[:] = True
            dense[~stored.toarray()] = np.nan
        elif dataset.mask is not None:
            dense[dataset.mask[np.ix_(rows, cols)]] = np.nan
        return Part(dense, rows, cols, note)

    return remembered((dataset.id, "ambiguity", wanted, limit), make)


_recent: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
# Pieces are computed on several threads; making one matrix may ask for another, hence the re-entrant lock.
_lock = threading.RLock()


def remembered(key: tuple[Any, ...], make: Any) -> Any:
    """Keep the last few derived matrices: pieces of one sweep come one after another in the same process."""
    with _lock:
        if key not in _recent:
            _recent[key] = make()
            while len(_recent) > 8:
                _recent.popitem(last=False)
        else:
            _recent.move_to_end(key)
        return _recent[key]


def shuffled(dataset: Dataset, copy: int) -> Any:
    """Return the data with each column permuted on its own (copy number `copy`)."""
    return remembered((dataset.id, "shuffled", copy), lambda: permute_columns(dataset.X, 1000 + copy))


def heldout_of(dataset: Dataset, copy: int | None = None) -> HeldoutData:
    """Return cross-validation's data: of the data itself, or of a shuffled copy of *the same cells*."""

    def make() -> HeldoutData:
        if copy is None:
            return heldout_data(dataset.X, dataset.mask)
        base = heldout_of(dataset)
        X = base.X.copy()
        X[~base.known] = np.nan
        return heldout_data(permute_columns(X, 1000 + copy), None)

    return remembered((dataset.id, "heldout", copy), make)
