"""What rows and columns say about each other: a table whose rows are its columns is a network, or a square of relations."""

from __future__ import annotations

from typing import Any

import numpy as np

from nmf_core.ingest.raw import Raw
from nmf_core.ingest.reading import Option
from nmf_core.ingest.talk import Talk


def as_network(raw: Raw, talk: Talk, *, named: bool) -> Raw:
    """Take a square table as an adjacency matrix where its names, or its symmetry, say so; the choice can be undone.

    Parameters
    ----------
    raw : Raw
        A dense table.
    talk : Talk
    named : bool
        Whether rows and columns carry names of the file; without them only symmetry speaks.
    """
    n, m = raw.shape
    if n != m or n < 3 or raw.kind != "table" or raw.sparse:
        return raw
    same = named and [str(name) for name in raw.rows] == [str(name) for name in raw.cols]
    X = raw.X
    symmetric = bool(np.array_equal(X, X.T, equal_nan=True))
    if not (same or (symmetric and not named)) or not _linked(X):
        return raw
    options = [Option("table", "an ordinary table: rows and columns as they are")]
    if symmetric:
        options.insert(0, Option("network", f"a network of {n:,} nodes"))
    else:
        options.append(Option("network", f"a network of {n:,} nodes; links count in both directions and are added up"))
    default = "network" if symmetric else "table"
    text = "Rows and columns have the same names. What is it?" if same else "The matrix is symmetric. What is it?"
    answer = talk.ask("relations", text, options, default, required=False)
    if answer == "table":
        if not symmetric:
            talk.note(
                "relations",
                f"Rows and columns are the same {n:,} names: a directed network, rows to columns.",
                "relations",
            )
        return raw
    talk.note("relations", f"A network of {n:,} nodes: rows and columns are the same.", "relations")
    return raw.with_(X=_sparse(X if symmetric else _summed(X)), cols=raw.rows, kind="network")


def _linked(X: np.ndarray) -> bool:
    """Tell whether anything is known beside the diagonal."""
    filled = (X != 0) & ~np.isnan(X)
    np.fill_diagonal(filled, False)
    return bool(filled.any())


def _summed(X: np.ndarray) -> np.ndarray:
    total = X + X.T
    np.fill_diagonal(total, np.diag(X))
    return total


def _sparse(X: np.ndarray) -> Any:
    """Return CSR where most cells are zero and all are known."""
    import scipy.sparse as sp

    if np.isnan(X).any() or np.count_nonzero(X) > 0.3 * X.size:
        return X
    return sp.csr_array(X)
