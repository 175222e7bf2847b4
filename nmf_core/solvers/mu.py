"""Multiplicative updates for every β-divergence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from nmf_core.gradient import terms_H, terms_W
from nmf_core.loss import from_gram, objective
from nmf_core.problem import Problem
from nmf_core.solvers.base import Solver
from nmf_core.types import Array, State


@dataclass(frozen=True)
class MultiplicativeUpdates(Solver):
    """W ← W · (numerator / denominator)^γ(β), then H likewise.

    γ(β) is 1/(2 − β) below 1, 1/(β − 1) above 2 and 1 between (Févotte & Idier 2011, eq. 4.2): with it the objective
    never rises. One step updates W, then H, as scikit-learn's ``solver="mu"``.
    """

    name: ClassVar[str] = "mu"
    label: ClassVar[str] = "Multiplicative updates"
    help: ClassVar[str] = "Takes every loss and missing cells, and never rises; slow near the end, and zeros stay zero."
    losses: ClassVar[frozenset[float] | None] = None
    supports_mask: ClassVar[bool] = True
    keeps_zeros: ClassVar[bool] = True
    order: ClassVar[int] = 50
    REFERENCE: ClassVar[str] = (
        "D. D. Lee and H. S. Seung (2001), Algorithms for non-negative matrix factorization, NIPS 13; "
        "C. Févotte and J. Idier (2011), Algorithms for nonnegative matrix factorization with the β-divergence, "
        "Neural Computation 23(9)"
    )

    def step(self, problem: Problem, state: State) -> State:
        """Return the state after one update of W and one of H."""
        if problem.beta == 2.0 and not problem.masked:
            return _frobenius_step(problem, state)
        W, H = state.W, state.H
        numerator, denominator = terms_W(problem, W, H)
        W = _updated(problem, W, numerator, denominator, problem.l1_W, problem.l2_W)
        if problem.beta < 1.0:
            W = _settled(W)
        if problem.update_H:
            numerator, denominator = terms_H(problem, W, H)
            H = _updated(problem, H, numerator, denominator, problem.l1_H, problem.l2_H)
            if problem.beta <= 1.0:
                H = _settled(H)
        return replace(state, W=W, H=H, n_iter=state.n_iter + 1, loss=objective(problem, W, H))


def exponent(beta: float) -> float:
    """Return γ(β) that makes the update monotone (Févotte & Idier 2011)."""
    if beta < 1.0:
        return 1.0 / (2.0 - beta)
    if beta > 2.0:
        return 1.0 / (beta - 1.0)
    return 1.0


def _settled(F: Array) -> Array:
    """Set to 0 what has shrunk below rounding, as scikit-learn does for β ≤ 1, and relative to F where F is small."""
    F[np.finfo(np.float64).eps * min(1.0, float(F.max())) > F] = 0
    return F


def _updated(problem: Problem, F: Array, numerator: Array, denominator: Array, l1: float, l2: float) -> Array:
    """Return F · (numerator / (denominator + penalties))^γ; where nothing pulls, F stays."""
    if l1:
        denominator = denominator + l1
    if l2:
        denominator = denominator + l2 * F
    ratio = np.divide(numerator, denominator, out=np.ones_like(F), where=denominator > 0)
    gamma = exponent(problem.beta)
    if gamma != 1.0:
        ratio **= gamma
    ratio *= F
    return ratio


def _frobenius_step(problem: Problem, state: State) -> State:
    """Make the step for β = 2 without missing cells from products with X and Gram matrices alone."""
    W, H, aux = state.W, state.H, state.aux
    if problem.update_H:
        XHt = problem.times_Ht(H)
        HHt = H @ H.T
    else:
        if "XHt" not in aux:
            aux = {**aux, "XHt": problem.times_Ht(H), "HHt": H @ H.T}
        XHt, HHt = aux["XHt"], aux["HHt"]
    W = _updated(problem, W, XHt, W @ HHt, problem.l1_W, problem.l2_W)
    WtW = W.T @ W
    if not problem.update_H:
        loss = from_gram(problem, W, H, XHt, WtW, HHt, W)
        return replace(state, W=W, n_iter=state.n_iter + 1, loss=loss, aux=aux)
    WtX = problem.Wt_times(W)
    H = _updated(problem, H, WtX, WtW @ H, problem.l1_H, problem.l2_H)
    loss = from_gram(problem, W, H, WtX, WtW, H @ H.T, H)
    return replace(state, W=W, H=H, n_iter=state.n_iter + 1, loss=loss)
