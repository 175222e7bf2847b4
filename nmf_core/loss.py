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
    n, m = problem.shape
    if problem.unstored or (problem.sparse and n * m > DENSE_CELLS):
        residual = own = 0.0
        for part, y in problem.stored_blocks(W, H):
            y = y.astype(np.float64, copy=False)
            own += float(y @ y)
            y -= X.data[part]
            residual += float(y @ y)
        if problem.unstored:
            return 0.5 * residual
        return 0.5 * (residual + max(dot(W.T @ W, H @ H.T) - own, 0.0))
    value = 0.0
    for rows in problem.row_blocks():
        R = W[rows] @ H
        R -= X[rows].toarray() if problem.sparse else X[rows]
        value += dot(R, R) if weights is None else dot(R * R, weights[rows])
    return 0.5 * value


def best_scale(problem: Problem, W: Array, H: Array, terms: tuple[float, float] | None = None) -> tuple[float, float]:
    """Return the factor a ≥ 0 that brings a·WH closest to X, and the Frobenius loss there, penalties left out.

    Without gaps both come from Gram matrices and one product with X: no more than the loss itself costs. `terms` are
    ⟨X, WH⟩ and ‖WH‖² where they are known.
    """
    if terms is not None:
        cross, size = terms
    elif not problem.masked:
        cross, size = dot(problem.times_Ht(H), W), dot(W.T @ W, H @ H.T)
    else:
        cross = size = 0.0
        blocks = problem.stored_blocks(W, H) if problem.sparse else ((r, W[r] @ H) for r in problem.row_blocks())
        for part, y in blocks:
            x = problem.X.data[part] if problem.sparse else problem.X[part]
            wy = y if problem.weights is None else y * problem.weights[part]
            cross += float(np.sum(x * wy, dtype=np.float64))
            size += float(np.sum(y * wy, dtype=np.float64))
    if not (cross > 0 and size > 0):
        return 1.0, frobenius(problem, W, H)
    a = cross / size
    value = 0.5 * (problem.squares - a * cross)
    if not value > 0.5 * GRAM_LIMIT[problem.dtype] * problem.squares and np.isfinite(value):
        root = problem.dtype.type(np.sqrt(a))
        value = frobenius(problem, root * W, root * H)
    return a, value


def _divergence(problem: Problem, W: Array, H: Array) -> float:
    X, beta, floor = problem.X, problem.beta, problem.floor
    if problem.unstored:
        return _summed(X.data, problem.product_at_stored(W, H), beta, floor)
    if problem.sparse:
        Y = problem.product_at_stored(W, H)
        # A cell holding zero costs y (β = 1) or y^β / β: all cells minus the stored ones.
        if beta == 1.0:
            all_cells = float(W.sum(axis=0, dtype=np.float64) @ H.sum(axis=1, dtype=np.float64))
            stored = float(Y.sum(dtype=np.float64))
        else:
            all_cells = sum(float(((W[r] @ H) ** beta).sum(dtype=np.float64)) for r in problem.row_blocks()) / beta
            stored = float((Y**beta).sum(dtype=np.float64)) / beta
        return _summed(X.data, Y, beta, floor) + max(all_cells - stored, 0.0)
    value = 0.0
    for rows in problem.row_blocks():
        x, y = X[rows], W[rows] @ H
        if problem.weights is None:
            value += _summed(x, y, beta, floor)
        else:
            weights = problem.weights[rows]
            x = np.where(weights > 0, x, np.maximum(y, floor))  # a missing cell costs nothing
            value += _summed(x, y, beta, floor, weights)
    return value


def _summed(x: Array, y: Array, beta: float, floor: float, weights: Array | None = None) -> float:
    """Return Σ w d_β(x | y) in double precision; y is raised to the floor in place.

    Where the sum is small against its terms, it is formed again from cells that do not cancel.
    """
    np.maximum(y, floor, out=y)
    cells, size = _plain(x, y, beta)
    if weights is not None:
        cells *= weights
        size = size * weights
    value = float(cells.sum(dtype=np.float64))
    if not abs(value) < (1e-6 if x.dtype == np.float64 else 1e-2) * float(size.sum(dtype=np.float64)):
        return value
    cells = _near(x, y, beta)
    if weights is not None:
        cells *= weights
    return max(float(cells.sum(dtype=np.float64)), 0.0)


def _plain(x: Array, y: Array, beta: float) -> tuple[Array, Array]:
    """Return d_β(x | y) by its definition, and how large its terms are."""
    if beta == 1.0:
        cells = x / y
        np.log(cells, out=cells, where=x > 0)
        cells *= x
        cells += y
        cells -= x
        return cells, x
    if beta == 0.0:
        ratio = x / y
        return ratio - np.log(ratio) - 1.0, np.ones_like(x)
    power, own = y ** (beta - 1.0), x**beta
    return (own + (beta - 1.0) * power * y - beta * x * power) / (beta * (beta - 1.0)), own


def _near(x: Array, y: Array, beta: float) -> Array:
    """Return d_β(x | y) with its digits kept where y is close to x, from d = (y − x) / x.

    With e = (1 + d)^(β−1) − 1 it is x^β ((β−1) d − e + (β−1) d e) / (β (β−1)); its limits are x (d − log(1 + d)) for
    β = 1 and log(1 + d) − d / (1 + d) for β = 0. Elsewhere, and at x = 0, the definition serves.
    """
    positive = x > 0
    d = np.divide(y - x, x, out=np.zeros_like(x), where=positive)
    near = positive & (np.abs(d) < 0.5)
    log = np.log1p(d, out=np.zeros_like(x), where=near)
    if beta == 1.0:
        close = x * (d - log)
    elif beta == 0.0:
        close = log - np.divide(d, 1.0 + d, out=np.zeros_like(x), where=near)
    else:
        e = np.expm1((beta - 1.0) * log)
        close = np.divide(x, 1.0, out=np.ones_like(x), where=positive) ** beta
        close *= ((beta - 1.0) * d - e + (beta - 1.0) * d * e) / (beta * (beta - 1.0))
    return np.where(near, close, _plain(x, y, beta)[0])
