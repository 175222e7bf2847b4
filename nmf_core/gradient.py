"""The gradient of the loss as a difference of two non-negative parts, and how far a point is from stationary."""

from __future__ import annotations

from typing import Any

import numpy as np

from nmf_core.problem import Problem
from nmf_core.types import Array


def kkt_norm(problem: Problem, W: Array, H: Array) -> float:
    """Return the norm of the projected gradient: 0 exactly where no small step within W, H ≥ 0 helps.

    An entry counts if it is positive or if its gradient is negative (Lin 2007, Neural Computation 19(10), eq. 17).
    """
    down, up = terms_W(problem, W, H)
    value = _projected(W, up - down + problem.l1_W + problem.l2_W * W)
    if problem.update_H:
        down, up = terms_H(problem, W, H)
        value += _projected(H, up - down + problem.l1_H + problem.l2_H * H)
    return float(np.sqrt(value))


def _projected(F: Array, gradient: Array) -> float:
    counts = gradient[(F > 0) | (gradient < 0)].astype(np.float64)
    return float(counts @ counts)


def _pulls(problem: Problem, x: Array, y: Array, weights: Array | None) -> tuple[Array, Array | None]:
    """Return w x y^(β−2) and w y^(β−1) per cell; None for the second where it is 1 everywhere (β = 1)."""
    beta = problem.beta
    if beta < 2.0:
        np.maximum(y, problem.floor, out=y)
    if beta == 1.0:
        up = x / y
        down = weights
    elif beta == 2.0:
        up, down = x, y
    else:
        down = y ** (beta - 1.0)
        up = down / y if beta < 2.0 else y ** (beta - 2.0)
        up *= x
        if weights is not None:
            down *= weights
    if weights is not None:
        up = up * weights
        if beta == 2.0:
            down = y * weights
    return up, down


def terms_W(problem: Problem, W: Array, H: Array) -> tuple[Array, Array]:
    """Return the falling and the rising part of the gradient in W, both ≥ 0: ∇ = second − first, without penalties.

    They are numerator and denominator of the multiplicative update.
    """
    if problem.beta == 2.0 and not problem.masked:
        return problem.times_Ht(H), W @ (H @ H.T)
    if problem.sparse:
        return _terms_sparse(problem, W, H, side="W")
    X, weights = problem.X, problem.weights
    numerator, denominator = np.empty_like(W), np.empty_like(W)
    for rows in problem.row_blocks():
        up, down = _pulls(problem, X[rows], W[rows] @ H, None if weights is None else weights[rows])
        numerator[rows] = up @ H.T
        denominator[rows] = H.sum(axis=1) if down is None else down @ H.T
    return numerator, denominator


def terms_H(problem: Problem, W: Array, H: Array) -> tuple[Array, Array]:
    """Return the falling and the rising part of the gradient in H, both ≥ 0."""
    if problem.beta == 2.0 and not problem.masked:
        return problem.Wt_times(W), (W.T @ W) @ H
    if problem.sparse:
        return _terms_sparse(problem, W, H, side="H")
    X, weights = problem.X, problem.weights
    numerator, denominator = np.zeros_like(H), np.zeros_like(H)
    for rows in problem.row_blocks():
        up, down = _pulls(problem, X[rows], W[rows] @ H, None if weights is None else weights[rows])
        numerator += W[rows].T @ up
        denominator += W[rows].sum(axis=0)[:, None] if down is None else W[rows].T @ down
    return numerator, denominator


def _terms_sparse(problem: Problem, W: Array, H: Array, *, side: str) -> tuple[Array, Array]:
    """Do the same for CSR X: the numerator touches stored cells only; so does the denominator unless zeros count."""

    def gather(values: Any) -> Array:
        return values @ H.T if side == "W" else (values.T.tocsr() @ W).T

    up, down = _pulls(problem, problem.X.data, problem.product_at_stored(W, H), None)
    numerator = gather(problem.like_X(up))
    if problem.unstored:
        return numerator, gather(problem.like_X(np.ones_like(up) if down is None else down))
    if problem.beta == 1.0:
        sums = H.sum(axis=1)[None, :] if side == "W" else W.sum(axis=0)[:, None]
        return numerator, np.broadcast_to(sums, numerator.shape)
    denominator = np.zeros_like(W if side == "W" else H)
    for rows in problem.row_blocks():
        Y = W[rows] @ H
        if problem.beta < 1.0:
            np.maximum(Y, problem.floor, out=Y)
        Y **= problem.beta - 1.0
        if side == "W":
            denominator[rows] = Y @ H.T
        else:
            denominator += W[rows].T @ Y
    return numerator, denominator
