"""The objective: β-divergence between X and WH plus penalties, for dense, sparse and masked X.

Frobenius is ½ Σ(X − WH)², as in scikit-learn; the others follow Févotte & Idier (2011), Neural Computation 23(9).
"""

from __future__ import annotations

import numpy as np

from nmf_core.problem import Problem
from nmf_core.types import Array

# Below these shares of ΣX² the Gram form of Σ(X − WH)² has lost its digits to cancellation; above, it is as good.
GRAM_LIMIT = {np.dtype(np.float64): 1e-9, np.dtype(np.float32): 1e-3}
# A sparse X of more cells than this is never compared with a dense WH.
DENSE_CELLS = 50_000_000


def dot(A: Array, B: Array) -> float:
    """Return Σ AB in double precision whatever the arrays' own."""
    if A.dtype == np.float64:
        return float(np.einsum("ij,ij->", A, B))
    return float(np.einsum("ij,ij->", A, B, dtype=np.float64, casting="same_kind"))


def penalty(problem: Problem, W: Array, H: Array) -> float:
    """Return the penalties on W and H."""
    value = 0.0
    for F, l1, l2 in ((W, problem.l1_W, problem.l2_W), (H, problem.l1_H, problem.l2_H)):
        if l1:
            value += l1 * float(F.sum(dtype=np.float64))
        if l2:
            value += 0.5 * l2 * dot(F, F)
    return value


def objective(problem: Problem, W: Array, H: Array) -> float:
    """Return D_β(X | WH) plus penalties, computed cell by cell."""
    if problem.beta == 2.0:
        data = frobenius(problem, W, H)
    else:
        data = _divergence(problem, W, H)
    return data + penalty(problem, W, H)


def from_gram(problem: Problem, W: Array, H: Array, product: Array, WtW: Array, HHt: Array, cross: Array) -> float:
    """Return the Frobenius objective at no pass over X: ½(ΣX² − 2⟨product, cross⟩ + ⟨WᵀW, HHᵀ⟩) plus penalties.

    Parameters
    ----------
    product, cross : ndarray
        ``Wᵀ X`` with H, or ``X Hᵀ`` with W.
    WtW, HHt : ndarray of shape (rank, rank)

    Notes
    -----
    Near an exact fit the three terms cancel; there the residual is formed block by block instead.
    """
    value = 0.5 * (problem.squares - 2.0 * dot(product, cross) + dot(WtW, HHt))
    if not value > 0.5 * GRAM_LIMIT[problem.dtype] * problem.squares and np.isfinite(value):
        value = frobenius(problem, W, H)
    return value + penalty(problem, W, H)


def frobenius(problem: Problem, W: Array, H: Array) -> float:
    """Return ½ Σ w(X − WH)² from the residual itself."""
    X, weights = problem.X, problem.weights
    if problem.unstored:
        R = X.data - problem.product_at_stored(W, H)
        return 0.5 * float(np.vdot(R, R)) if R.dtype == np.float64 else 0.5 * float((R.astype(np.float64) ** 2).sum())
    n, m = problem.shape
    if problem.sparse and n * m > DENSE_CELLS:
        Y = problem.product_at_stored(W, H).astype(np.float64)
        at_zeros = dot(W.T @ W, H @ H.T) - float(Y @ Y)
        return 0.5 * (float(((X.data - Y) ** 2).sum()) + max(at_zeros, 0.0))
    value = 0.0
    for rows in problem.row_blocks():
        R = W[rows] @ H
        R -= X[rows].toarray() if problem.sparse else X[rows]
        value += dot(R, R) if weights is None else dot(R * R, weights[rows])
    return 0.5 * value


def _divergence(problem: Problem, W: Array, H: Array) -> float:
    X, beta = problem.X, problem.beta
    if problem.unstored:
        return float(_cells(X.data, problem.product_at_stored(W, H), beta, problem.floor).sum(dtype=np.float64))
    if problem.sparse:
        Y = problem.product_at_stored(W, H)
        value = float(_cells(X.data, Y, beta, problem.floor).sum(dtype=np.float64))
        # A cell holding zero costs y (β = 1) or y^β / β: all cells minus the stored ones.
        if beta == 1.0:
            all_cells = float(W.sum(axis=0, dtype=np.float64) @ H.sum(axis=1, dtype=np.float64))
            return value + max(all_cells - float(Y.sum(dtype=np.float64)), 0.0)
        all_cells = sum(float(((W[r] @ H) ** beta).sum(dtype=np.float64)) for r in problem.row_blocks())
        return value + max(all_cells - float((Y**beta).sum(dtype=np.float64)), 0.0) / beta
    value = 0.0
    for rows in problem.row_blocks():
        x, y = X[rows], W[rows] @ H
        if problem.weights is None:
            cells = _cells(x, y, beta, problem.floor)
        else:
            weights = problem.weights[rows]
            x = np.where(weights > 0, x, np.maximum(y, problem.floor))  # a missing cell costs nothing
            cells = weights * _cells(x, y, beta, problem.floor)
        value += float(cells.sum(dtype=np.float64))
    return value


def _cells(x: Array, y: Array, beta: float, floor: float) -> Array:
    """Return d_β(x | y) of each cell; y is raised to the floor in place."""
    np.maximum(y, floor, out=y)
    if beta == 1.0:
        ratio = x / y
        np.log(ratio, out=ratio, where=x > 0)
        ratio *= x
        ratio += y
        ratio -= x
        if float(ratio.sum(dtype=np.float64)) < 1e-6 * float(x.sum(dtype=np.float64)):
            return _kullback_leibler_near(x, y)
        return ratio
    if beta == 0.0:
        ratio = x / y
        return ratio - np.log(ratio) - 1.0
    power = y ** (beta - 1.0)
    return (x**beta + (beta - 1.0) * power * y - beta * x * power) / (beta * (beta - 1.0))


def _kullback_leibler_near(x: Array, y: Array) -> Array:
    """Return d_1(x | y) as x (d − log(1 + d)), d = (y − x) / x: keeps its digits where y is close to x."""
    positive = x > 0
    d = np.divide(y - x, x, out=np.zeros_like(x), where=positive)
    near = np.abs(d) < 0.5
    log = np.log1p(d, out=np.zeros_like(x), where=near)
    np.log(np.divide(y, x, out=np.ones_like(x), where=positive), out=log, where=positive & ~near)
    return np.where(positive, x * (d - log), y)
