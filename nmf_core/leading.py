"""Leading singular triplets of X, exact where that is cheap; missing cells are filled from the margins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nmf_core.kernels import patience
from nmf_core.kernels.sparse import gather, padded, short_indices
from nmf_core.problem import Problem
from nmf_core.types import Array

# The eigenvectors of the smaller Gram matrix are an option up to this side.
GRAM_SIDE = 2500


def leading_triplets(problem: Problem, rank: int, seed: int) -> tuple[Array, Array, Array]:
    """Return the leading singular triplets of (filled) X: exact where that is cheap, else randomised."""
    n, m = problem.shape
    side, sketch = min(n, m), rank + 10
    density = problem.X.nnz / (float(n) * m) if problem.sparse else 1.0
    # Operations, weighted by how fast each kind runs: reducing a Gram matrix to its eigenvectors is mostly memory-bound.
    exact = float(n) * m * side * density * (density if problem.sparse else 1.0) + 10.0 * side**3
    passes = 2 * _power_iterations(problem.shape, rank) + 2
    random = passes * (2.0 * n * m * sketch * density + 3.0 * (n + m) * sketch**2)
    X = filled(problem)
    if not problem.unstored and side <= GRAM_SIDE and (side <= 100 or exact <= random):
        triplets = _svd_gram(X, rank)
        if triplets is not None:
            return triplets
        if side <= 200 and n * m <= 2_000_000:
            dense = problem.X.toarray() if problem.sparse else X
            U, S, Vt = np.linalg.svd(dense.astype(np.float64), full_matrices=False)
            return U[:, :rank], S[:rank], Vt[:rank]
    if problem.unstored:
        rows, columns = _margins(problem)
        rest = problem.like_X(problem.X.data - rows[problem.row_of] * columns[problem.X.indices])
        rest_T = rest.T.tocsr()
        return _svd_random(
            lambda Q: rows[:, None] * (columns @ Q) + _times(rest, Q),
            lambda Q: columns[:, None] * (rows @ Q) + _times(rest_T, Q),
            problem,
            rank,
            seed,
        )
    Xt = problem.Xt if problem.sparse else X.T
    return _svd_random(lambda Q: _times(X, Q), lambda Q: _times(Xt, Q), problem, rank, seed)


def _times(X: Any, Q: Array) -> Array:
    """Return XQ, for CSR X on all threads."""
    if not hasattr(X, "indptr"):
        return X @ Q
    return gather(short_indices(X), padded(Q), Q.shape[1], patience(X.nnz * Q.shape[1])).T


def _svd_gram(X: Array, rank: int) -> tuple[Array, Array, Array] | None:
    """Return singular triplets from the eigenvectors of the smaller Gram matrix, or None if digits are lost."""
    from scipy.linalg import eigh

    wide = X.shape[0] < X.shape[1]
    A = X.T if wide else X
    side = A.shape[1]
    # Squaring halves the digits: float32 suffices for singular values that are not small, and saves half the time.
    for dtype, least in ((np.float32, 1e-2), (np.float64, 1e-6)):
        if dtype == np.float32 and (A.dtype != np.float32 or side <= 256 or hasattr(A, "tocsr")):
            continue
        values, vectors = eigh(_gram(A, dtype), subset_by_index=(side - rank, side - 1), check_finite=False)
        values, V = values[::-1], np.ascontiguousarray(vectors[:, ::-1])
        S = np.sqrt(np.maximum(values, 0))
        if S[-1] > least * S[0]:
            U = A @ (V / S).astype(A.dtype)
            return (V, S, U.T) if wide else (U, S, V.T)
    return None


def _gram(A: Any, dtype: type) -> Array:
    """Return AᵀA in the given precision, without a copy of all of A."""
    if hasattr(A, "tocsr"):
        A = A.tocsr().astype(dtype)
        return (A.T @ A).toarray()
    if A.dtype == dtype:
        return A.T @ A
    gram = np.zeros((A.shape[1], A.shape[1]))
    for i in range(0, A.shape[0], 1024):
        block = A[i : i + 1024].astype(dtype)
        gram += block.T @ block
    return gram


def _power_iterations(shape: tuple[int, int], rank: int) -> int:
    """Return how often the sketch goes through X and back, as scikit-learn does."""
    return 7 if rank < 0.1 * min(shape) else 4


def _svd_random(
    times: Callable[[Array], Array], times_T: Callable[[Array], Array], problem: Problem, rank: int, seed: int
) -> tuple[Array, Array, Array]:
    """Return leading singular triplets by a randomised range finder (Halko, Martinsson & Tropp 2011, SIAM Review 53).

    Same test matrix and number of power iterations as scikit-learn's, so that the same start comes out of it.
    """
    shape = problem.shape
    transposed = shape[0] < shape[1]
    if transposed:
        times, times_T = times_T, times
    Q = np.random.RandomState(seed).normal(size=(min(shape), rank + 10)).astype(problem.dtype, copy=False)
    for _ in range(_power_iterations(shape, rank)):
        Q = _orthonormal(times(Q))
        Q = _orthonormal(times_T(Q))
    Q = _orthonormal(_orthonormal(times(Q)))
    U, S, Vt = np.linalg.svd(times_T(Q).T, full_matrices=False)
    U = (Q @ U)[:, :rank]
    S, Vt = S[:rank], Vt[:rank]
    return (Vt.T, S, U.T) if transposed else (U, S, Vt)


def _orthonormal(Y: Array) -> Array:
    """Return a basis of Y's columns: by Cholesky, which is several times quicker than QR, unless Y is near singular."""
    limit = 1e-5 if Y.dtype == np.float64 else 1e-2
    try:
        L = np.linalg.cholesky(Y.T @ Y)
    except np.linalg.LinAlgError:
        return np.linalg.qr(Y)[0]
    diagonal = L.diagonal()
    if not diagonal.min() > limit * diagonal.max():
        return np.linalg.qr(Y)[0]
    return Y @ np.linalg.inv(L).T


def filled(problem: Problem) -> Array:
    """Return X with missing cells filled; CSR stays CSR (unknown cells of sparse X count as 0 here)."""
    if problem.weights is None:
        return problem.X
    rows, columns = _margins(problem)
    return np.where(problem.weights > 0, problem.X, np.outer(rows, columns)).astype(problem.dtype)


def _margins(problem: Problem) -> tuple[Array, Array]:
    """Return r and c with r cᵀ = row mean × column mean / mean over the known cells."""
    X = problem.X
    if problem.weights is not None:
        known = problem.weights > 0
        per_row, per_column = known.sum(axis=1), known.sum(axis=0)
        sum_row, sum_column = X.sum(axis=1), X.sum(axis=0)
    else:
        per_row, per_column = np.diff(X.indptr), np.bincount(X.indices, minlength=X.shape[1])
        sum_row, sum_column = X.sum(axis=1), X.sum(axis=0)
    mean = float(sum_row.sum() / max(per_row.sum(), 1))
    rows = np.divide(sum_row, per_row, out=np.full(X.shape[0], mean), where=per_row > 0)
    columns = np.divide(sum_column, per_column, out=np.full(X.shape[1], mean), where=per_column > 0)
    return rows / mean if mean else rows, columns
