"""Hierarchical alternating least squares: one component after another, each solved exactly."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from nmf_core.loss import from_gram, penalty
from nmf_core.problem import Problem
from nmf_core.solvers.base import Solver
from nmf_core.solvers.coordinate import sweep
from nmf_core.types import Array, State


@dataclass(frozen=True)
class Hals(Solver):
    """One pass over the components of W, then one over those of H."""

    name: ClassVar[str] = "hals"
    label: ClassVar[str] = "HALS"
    help: ClassVar[str] = "Quick and steady for the Frobenius loss; the plain form that others build on."
    supports_mask: ClassVar[bool] = True
    order: ClassVar[int] = 20
    REFERENCE: ClassVar[str] = (
        "A. Cichocki and A.-H. Phan (2009), Fast local algorithms for large scale nonnegative matrix and tensor "
        "factorizations, IEICE Transactions E92-A(3)"
    )

    def step(self, problem: Problem, state: State) -> State:
        """Return the state after one pass over W and one over H."""
        if problem.masked:
            return _weighted_step(problem, state)
        return gram_step(problem, state, passes_W=1, passes_H=1)


def gram_step(problem: Problem, state: State, *, passes_W: int, passes_H: int) -> State:
    """Return the state after some passes over W and over H, each from one product with X."""
    H, aux = state.H, state.aux
    if "XHt" in aux:
        XHt, HHt = aux["XHt"], aux["HHt"]
    else:
        XHt, HHt = problem.times_Ht(H), H @ H.T
        if not problem.update_H:
            aux = {**aux, "XHt": XHt, "HHt": HHt}
    W = sweep(state.W.T, HHt, XHt.T, problem.l1_W, problem.l2_W, passes_W).T
    WtW = W.T @ W
    if not problem.update_H:
        loss = from_gram(problem, W, H, XHt, WtW, HHt, W)
        return replace(state, W=W, n_iter=state.n_iter + 1, loss=loss, aux=aux)
    WtX = problem.Wt_times(W)
    H = sweep(H, WtW, WtX, problem.l1_H, problem.l2_H, passes_H)
    loss = from_gram(problem, W, H, WtX, WtW, H @ H.T, H)
    return replace(state, W=W, H=H, n_iter=state.n_iter + 1, loss=loss)


def _weighted_step(problem: Problem, state: State) -> State:
    """Return the state after one pass over W and H that looks at known cells alone.

    The residual of the known cells is kept up to date, so each component costs two passes over them.
    """
    cells = _Stored(problem, state.W, state.H) if problem.sparse else _Weighted(problem, state.W, state.H)
    Wt, H = np.array(state.W.T, order="C"), np.array(state.H, order="C")
    curvature = cells.curvature_W(H)
    for j in range(len(H)):
        new = _solved(Wt[j], cells.pull_W(H[j]), curvature[j], problem.l1_W, problem.l2_W)
        cells.subtract(new - Wt[j], H[j])
        Wt[j] = new
    if problem.update_H:
        curvature = cells.curvature_H(Wt)
        for j in range(len(H)):
            new = _solved(H[j], cells.pull_H(Wt[j]), curvature[j], problem.l1_H, problem.l2_H)
            cells.subtract(Wt[j], new - H[j])
            H[j] = new
    W = Wt.T
    loss = cells.loss() + penalty(problem, W, H)
    return replace(state, W=W, H=H, n_iter=state.n_iter + 1, loss=loss)


def _solved(old: Array, pull: Array, curvature: Array, l1: float, l2: float) -> Array:
    """Return max(0, minimum) per entry; an entry that no known cell touches stays (or shrinks to 0 if penalised)."""
    slope = pull - l1 - l2 * old if l1 or l2 else pull
    bend = curvature + l2
    change = np.divide(slope, bend, out=np.zeros_like(old), where=bend > 0)
    new = np.maximum(old + change, 0)
    if l1:
        new[bend <= 0] = 0
    return new


class _Weighted:
    """The residual X − WH of dense X with weights."""

    def __init__(self, problem: Problem, W: Array, H: Array) -> None:
        assert problem.weights is not None
        self.weights = problem.weights
        self.residual = problem.X - W @ H

    def curvature_W(self, H: Array) -> Array:
        return (self.weights @ (H * H).T).T

    def curvature_H(self, Wt: Array) -> Array:
        return (Wt * Wt) @ self.weights

    def pull_W(self, h: Array) -> Array:
        return np.einsum("ij,ij,j->i", self.weights, self.residual, h)

    def pull_H(self, w: Array) -> Array:
        return np.einsum("ij,ij,i->j", self.weights, self.residual, w)

    def subtract(self, w: Array, h: Array) -> None:
        self.residual -= np.outer(w, h)

    def loss(self) -> float:
        return 0.5 * float(np.einsum("ij,ij,ij->", self.weights, self.residual, self.residual, dtype=np.float64))


class _Stored:
    """The residual of the stored cells of sparse X; all others are unknown."""

    def __init__(self, problem: Problem, W: Array, H: Array) -> None:
        assert problem.row_of is not None
        self.problem, self.rows, self.columns = problem, problem.row_of, problem.X.indices
        self.residual = problem.X.data - problem.product_at_stored(W, H)
        self.ones = problem.like_X(np.ones_like(self.residual))

    def curvature_W(self, H: Array) -> Array:
        return (self.ones @ (H * H).T).T

    def curvature_H(self, Wt: Array) -> Array:
        return (self.ones.T @ (Wt * Wt).T).T

    def pull_W(self, h: Array) -> Array:
        return self.problem.like_X(self.residual) @ h

    def pull_H(self, w: Array) -> Array:
        return self.problem.like_X(self.residual).T @ w

    def subtract(self, w: Array, h: Array) -> None:
        self.residual -= w[self.rows] * h[self.columns]

    def loss(self) -> float:
        return 0.5 * float((self.residual.astype(np.float64) ** 2).sum())
