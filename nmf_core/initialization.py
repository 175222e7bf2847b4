"""Where a fit starts: random, NNDSVD and its kin, k-means, or factors given by the caller.

For restart 0 the values are those of scikit-learn for ``random_state=seed``: ``random`` draws the same numbers from the
same stream; the NNDSVD family differs only by the accuracy of the singular vectors, which here are exact wherever that
is cheap. The start of restart i > 0 is drawn from a stream of its own; `nndsvd`, `nndsvda` and `custom` have nothing
to draw, so their further restarts are random.

Missing cells are taken, for the start alone, as row mean × column mean / mean of the known cells.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nmf_core.problem import Problem
from nmf_core.types import Array

# Singular vectors come from the eigenvectors of the smaller Gram matrix up to this side.
GRAM_SIDE = 2500
# NNDSVD treats smaller entries as zero (scikit-learn's eps).
_TINY = 1e-6


def stream(seed: int, restart: int) -> np.random.RandomState:
    """Return the generator of one restart; restart 0 is scikit-learn's ``RandomState(seed)``."""
    if restart == 0:
        return np.random.RandomState(seed)
    return np.random.RandomState(np.random.MT19937(np.random.SeedSequence(seed, spawn_key=(restart,))))


def initialize(
    problem: Problem,
    rank: int,
    init: str,
    *,
    seed: int = 0,
    restart: int = 0,
    W: Array | None = None,
    H: Array | None = None,
    keeps_zeros: bool = False,
) -> tuple[Array, Array]:
    """Return W and H to start from.

    Parameters
    ----------
    problem : Problem
    rank : int
    init : {"random", "nndsvd", "nndsvda", "nndsvdar", "kmeans", "custom"}
    seed, restart : int
    W, H : ndarray, optional
        For ``"custom"``, and H whenever only W is sought.
    keeps_zeros : bool
        The solver cannot leave 0: when only W is sought it starts at a constant instead.

    Returns
    -------
    W, H : ndarray of shape (n_samples, rank), (rank, n_features)
        Of X's dtype, C order.

    Raises
    ------
    ValueError
        If the rank is too large for this start, or given factors do not fit.
    """
    n, m = problem.shape
    if not problem.update_H:
        if H is None:
            raise ValueError("H: give the components when only W is sought")
        H = _checked(H, (rank, m), "H", problem)
        level = np.sqrt(max(problem.mean, 0.0) / rank) if keeps_zeros else 0.0
        return np.full((n, rank), level, dtype=problem.dtype), H
    if init == "custom":
        if W is None or H is None:
            raise ValueError("init: 'custom' needs both W and H")
        W, H = _checked(W, (n, rank), "W", problem), _checked(H, (rank, m), "H", problem)
        if restart == 0:
            return W, H
    elif W is not None or H is not None:
        raise ValueError(f"init: W and H are only used with init='custom', not {init!r}")
    if init in ("random", "custom") or (restart > 0 and init in ("nndsvd", "nndsvda")):
        return _random(problem, rank, stream(seed, restart))
    if rank > min(n, m) and init != "kmeans":
        raise ValueError(
            f"init = '{init}' can only be used when n_components <= min(n_samples, n_features), "
            f"here {min(n, m)}; use init='random' for {rank} components"
        )
    if init == "kmeans":
        return _kmeans(problem, rank, stream(seed, restart))
    return _nndsvd(problem, rank, init, seed, restart)


def _checked(F: Array, shape: tuple[int, int], name: str, problem: Problem) -> Array:
    F = np.array(F, dtype=problem.dtype, order="C")
    if F.shape != shape:
        raise ValueError(f"{name}: needs shape {shape}, got {F.shape}")
    if not np.isfinite(F).all() or F.min() < 0:
        raise ValueError(f"{name}: must be finite and ≥ 0")
    return F


def _random(problem: Problem, rank: int, rng: np.random.RandomState) -> tuple[Array, Array]:
    """Return |normal| · √(mean / rank), H drawn first, as scikit-learn does."""
    level = problem.dtype.type(np.sqrt(problem.mean / rank))
    n, m = problem.shape
    H = level * rng.standard_normal(size=(rank, m)).astype(problem.dtype, copy=False)
    W = level * rng.standard_normal(size=(n, rank)).astype(problem.dtype, copy=False)
    return np.abs(W), np.abs(H)


def _nndsvd(problem: Problem, rank: int, init: str, seed: int, restart: int) -> tuple[Array, Array]:
    """Return the non-negative double SVD of Boutsidis & Gallopoulos (2008), Pattern Recognition 41(4)."""
    U, S, Vt = _svd(problem, rank, seed)
    # The limit below which entries count as zero and the fill of X's mean in both factors suit values near 1 only:
    # data of quite another magnitude start as if brought there by a power of four.
    mean, unit = problem.mean, 1.0
    if mean > 0 and not 1e-6 <= mean <= 1e6:
        unit = 2.0 ** round(np.log2(mean) / 2)
        S, mean = S / unit / unit, mean / unit / unit
    Wt, H = np.zeros((rank, U.shape[0]), dtype=U.dtype), np.zeros_like(Vt)
    Ut = np.ascontiguousarray(U.T)
    Wt[0] = np.sqrt(S[0]) * np.abs(Ut[0])
    H[0] = np.sqrt(S[0]) * np.abs(Vt[0])
    for j in range(1, rank):
        u, v = np.maximum(Ut[j], 0), np.maximum(Vt[j], 0)
        opposite_u, opposite_v = u - Ut[j], v - Vt[j]
        size, other = _size(u) * _size(v), _size(opposite_u) * _size(opposite_v)
        if other >= size:
            u, v, size = opposite_u, opposite_v, other
        if size > 0:
            scale = np.sqrt(S[j] * size)
            np.multiply(u, scale / _size(u), out=Wt[j])
            np.multiply(v, scale / _size(v), out=H[j])
    W = np.ascontiguousarray(Wt.T)
    W[W < _TINY] = 0
    H[H < _TINY] = 0
    if init == "nndsvda":
        W[W == 0] = mean
        H[H == 0] = mean
    elif init == "nndsvdar":
        rng = stream(seed, restart)
        for F in (W, H):
            empty = F == 0
            F[empty] = np.abs(mean * rng.standard_normal(size=int(empty.sum())) / 100)
    return (W * unit).astype(problem.dtype, order="C"), (H * unit).astype(problem.dtype, order="C")


def _size(v: Array) -> float:
    return float(np.sqrt(v @ v))


def _kmeans(problem: Problem, rank: int, rng: np.random.RandomState) -> tuple[Array, Array]:
    """Return cluster centres as H and membership + 0.2 as W, scaled to X (Ding, Li & Jordan 2010, TPAMI 32(1))."""
    import warnings

    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    n = problem.shape[0]
    if rank > n:
        raise ValueError(f"init: 'kmeans' needs at least as many samples as components, here {n} and {rank}")
    X = _filled(problem)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct rows than clusters: centres repeat
        model = KMeans(rank, n_init=1, random_state=rng).fit(X)
    H = np.maximum(model.cluster_centers_, 0)
    W = np.full((n, rank), 0.2)
    W[np.arange(n), model.labels_] += 1.0
    weight = float(((W.T @ W) * (H @ H.T)).sum())
    if weight > 0:
        W *= float((W * (X @ H.T)).sum()) / weight
    return W.astype(problem.dtype, order="C"), H.astype(problem.dtype, order="C")


def _filled(problem: Problem) -> Array:
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


def _svd(problem: Problem, rank: int, seed: int) -> tuple[Array, Array, Array]:
    """Return the leading singular triplets of (filled) X: exact where that is cheap, else randomised."""
    n, m = problem.shape
    side, sketch = min(n, m), rank + 10
    density = problem.X.nnz / (float(n) * m) if problem.sparse else 1.0
    # Operations, weighted by how fast each kind runs: reducing a Gram matrix to its eigenvectors is mostly memory-bound.
    exact = float(n) * m * side * density * (density if problem.sparse else 1.0) + 10.0 * side**3
    passes = 2 * _power_iterations(problem.shape, rank) + 2
    random = passes * (2.0 * n * m * sketch * density + 3.0 * (n + m) * sketch**2)
    X = _filled(problem)
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
            lambda Q: rows[:, None] * (columns @ Q) + rest @ Q,
            lambda Q: columns[:, None] * (rows @ Q) + rest_T @ Q,
            problem,
            rank,
            seed,
        )
    Xt = problem.Xt if problem.sparse else X.T
    return _svd_random(lambda Q: X @ Q, lambda Q: Xt @ Q, problem, rank, seed)


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
