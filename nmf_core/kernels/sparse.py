"""Sparse X for E-A-HALS: two products over the stored cells per iteration, each row of the result on its own.

Rows are independent, so any number of threads gives the same bits, and X is never densified.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nmf_core import kernels
from nmf_core.kernels import threads, twins
from nmf_core.kernels.hals import Point, Rule, Settings
from nmf_core.types import Array

# Parts per product: more than threads, since rows differ in length.
PARTS = 8


def parts_of(count: int) -> list[tuple[int, int]]:
    """Cut rows into parts of whole blocks."""
    step = max(twins.BLOCK, -(-count // PARTS // twins.BLOCK) * twins.BLOCK)
    return [(s, min(s + step, count)) for s in range(0, count, step)]


class SparseSystem:
    """CSR X and its transpose, float32 or float64.

    Parameters
    ----------
    X, Xt : scipy.sparse.csr_array
        Of shape (n_samples, n_features) and its transpose.
    rank : int
    squares : float
        ΣX².
    residual : callable
        ``residual(W, H)`` returns Σ(X − WH)² without the help of Gram matrices.
    """

    def __init__(self, X: Any, Xt: Any, rank: int, squares: float, residual: Any) -> None:
        self.X, self.Xt, self.squares, self.dtype = short_indices(X), short_indices(Xt), squares, X.dtype
        self.work = float(X.nnz) * rank
        self._residual = residual
        self._far_rows = np.zeros((X.shape[0], width_of(rank)), self.dtype)

    def stream(
        self, point: Point, far: Array, G: Array, settings: Settings, patience: float
    ) -> tuple[Array, Array, Array]:
        """Update A, then gather its product with X."""
        rank = len(point.B)
        stream = kernels.get("sparse", "stream_rows", self.dtype, patience) or twins.stream_rows
        l1, l2, push = (np.full(1, value, self.dtype) for value in (settings.l1_A, settings.l2_A, point.used))
        parts = parts_of(self.X.shape[0])
        grams = [np.empty((rank, rank), self.dtype) for _ in parts]
        sums = [np.empty(rank) for _ in parts]
        cells = (self.X.indptr, self.X.indices, self.X.data)
        fixed = (*cells, point.A, point.near, far, self._far_rows, self.rows(point.B_far), G, l1, l2, push)
        out = zip(parts, grams, sums, strict=True)
        threads.run(stream, [(*fixed, settings.passes, *part, gram, total) for part, gram, total in out])
        for i in range(1, len(parts)):
            grams[0] += grams[i]
            sums[0] += sums[i]
        return gather(self.Xt, self._far_rows, rank, patience), grams[0], sums[0]

    def rows(self, F: Array) -> Array:
        """Return a factor of shape (rank, N) as N rows, padded with zeros."""
        return padded(F.T)

    def residual(self, A: Array, B: Array) -> float:
        """Return Σ(X − WH)²."""
        return self._residual(np.ascontiguousarray(A.T), B)

    def whole(self, point: Point, settings: Settings, count: int, patience: float, rule: Rule | None = None) -> None:
        """There is no compiled whole loop for sparse X."""


def width_of(rank: int) -> int:
    """Return how long a padded row is: a multiple of 8."""
    return rank + -rank % 8


def padded(F: Array) -> Array:
    """Return a copy whose rows are filled up with zeros."""
    out = np.zeros((len(F), width_of(F.shape[1])), F.dtype)
    out[:, : F.shape[1]] = F
    return out


def short_indices(X: Any) -> Any:
    """Return CSR X with 32-bit indices, the one kind kernels are compiled for, if it has others."""
    if X.indices.dtype == np.int32 and X.indptr.dtype == np.int32:
        return X
    import scipy.sparse as sp

    return sp.csr_array((X.data, X.indices.astype(np.int32), X.indptr.astype(np.int32)), shape=X.shape)


def gather(X: Any, rows: Array, rank: int, patience: float = 0.0) -> Array:
    """Return (X @ rows)ᵀ of shape (rank, n) for CSR X and a factor given as padded rows."""
    kernel = kernels.get("sparse", "gather", X.dtype, patience) or twins.gather
    out = np.empty((rank, X.shape[0]), X.dtype)
    threads.run(kernel, [(X.indptr, X.indices, X.data, rows, out, *part) for part in parts_of(X.shape[0])])
    return out
