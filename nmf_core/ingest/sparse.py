"""Sparse matrices: from their parts, as scipy.sparse saves them, to a checked and named CSR matrix."""

from __future__ import annotations

from typing import Any

import numpy as np

from nmf_core.ingest.names import numbered
from nmf_core.ingest.raw import Raw
from nmf_core.ingest.reading import Refused
from nmf_core.ingest.sample import sparse_stride
from nmf_core.ingest.talk import Talk
from nmf_core.types import Array


def from_parts(parts: dict[str, Array], talk: Talk) -> Raw:
    """Build CSR from the parts that scipy.sparse.save_npz writes."""
    import scipy.sparse as sp

    try:
        kind = parts["format"].item()
        kind = kind.decode() if isinstance(kind, bytes) else str(kind)
        shape = tuple(int(side) for side in parts["shape"].ravel())
        if len(shape) != 2 or min(shape) < 0:
            raise ValueError("shape")
        step = sparse_stride(*shape, int(parts["data"].size), talk)
        if kind in ("csr", "csc"):
            make = sp.csr_array if kind == "csr" else sp.csc_array
            X = make((parts["data"], parts["indices"], parts["indptr"]), shape=shape)
            X.check_format(full_check=True)
        elif kind == "coo":
            X = sp.coo_array((parts["data"], (parts["row"], parts["col"])), shape=shape)
        elif kind == "dia":
            X = sp.dia_array((parts["data"], parts["offsets"]), shape=shape)
        elif kind == "bsr":
            X = sp.bsr_array((parts["data"], parts["indices"], parts["indptr"]), shape=shape)
            X.check_format(full_check=True)
        else:
            raise ValueError(f"format {kind}")
        given = int(parts["data"].size) if kind == "coo" and step == 1 else None
        X = sp.csr_array(X)
        X = X[::step] if step > 1 else X
    except Refused:
        raise
    except Exception as error:  # SciPy raises a dozen kinds for parts that do not fit
        raise Refused(
            "damaged",
            "This sparse matrix is damaged: its parts do not fit together",
            hint="Save it again with scipy.sparse.save_npz",
        ) from error
    return from_sparse(X, talk, given)


def from_sparse(X: Any, talk: Talk, given: int | None = None) -> Raw:
    """Check and name a sparse matrix whose size has passed `sparse_stride`, made of so many given entries."""
    import scipy.sparse as sp

    n, m = X.shape
    if 0 in X.shape:
        raise Refused("no-rows", f"The matrix is empty: {n:,} × {m:,}", hint="Choose a file that holds data")
    if X.dtype.kind == "c":
        if np.any(X.data.imag != 0):
            raise Refused("complex", "The matrix holds complex numbers", hint="Save the magnitudes")
        X = X.real
    X = sp.csr_array(X)
    if X.dtype not in (np.float32, np.float64):
        X = X.astype(np.float64)
    if np.isnan(X.data).any():
        k = int(np.isnan(X.data).sum())
        raise Refused(
            "sparse-missing", f"The sparse matrix holds {k:,} NaN", hint="Leave missing entries out and save it again"
        )
    given = int(X.nnz) if given is None else given
    if not X.has_canonical_format:
        X = _own(X)
        X.sum_duplicates()
    if given > X.nnz:
        k = given - int(X.nnz)
        entries = "1 entry was" if k == 1 else f"{k:,} entries were"
        talk.note("entries-twice", f"{entries} given for a cell that has one already; such entries were added up.")
    zeros = int((X.data == 0).sum())
    if zeros:
        X = _own(X)
        talk.note(
            "stored-zeros", "1 stored zero was removed." if zeros == 1 else f"{zeros:,} stored zeros were removed."
        )
        X.eliminate_zeros()
    fill = X.nnz / (n * m)
    talk.note("sparse", f"A sparse matrix: {n:,} × {m:,} with {X.nnz:,} entries ({100 * fill:.3g} % of the cells).")
    rows = numbered("r", n)
    cols = numbered("c", m)
    counts = whole(X.data)
    return Raw(X, rows, cols, kind="counts" if counts else "table")


def _own(X: Any) -> Any:
    """Return a matrix that may be changed: the arrays of one that was just read may be the file itself."""
    return X if X.data.flags.writeable and X.indices.flags.writeable else X.copy()


def whole(values: Array) -> bool:
    """Tell whether all numbers are counts; a piece at a time, which takes no second array."""
    pieces = (values[start : start + (1 << 16)] for start in range(0, len(values), 1 << 16))
    return all(bool((piece >= 0).all() and (piece == np.floor(piece)).all()) for piece in pieces)
