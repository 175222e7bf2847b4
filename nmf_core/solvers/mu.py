"""Multiplicative updates for every β-divergence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from nmf_core.gradient import terms_H, terms_W
from nmf_core.loss import from_gram, objective
from nmf_core.problem import Problem
from nmf_core.solvers.base import Solver, option
from nmf_core.types import Array, State


@dataclass(frozen=True)
class MultiplicativeUpdates(Solver):
    """W ← W · (numerator / denominator)^γ(β), then H likewise.

    γ(β) is 1/(2 − β) below 1, 1/(β − 1) above 2 and 1 between (Févotte & Idier 2011, eq. 4.2), and 1/(3 − β) below 2
    under an L2 penalty (see `exponent`): with it the objective never rises. One step updates W, then H, as
    scikit-learn's ``solver="mu"``.
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

    as_scikit_learn: bool = option(
        False,
        label="As scikit-learn",
        help="Its very numbers: the exponent it takes under penalties, and tiny entries set to 0; the loss may rise.",
    )

    def step(self, problem: Problem, state: State) -> State:
        """Return the state after one update of W and one of H."""
        if problem.beta == 2.0 and not problem.masked:
            return _frobenius_step(problem, state)
        W, H, plain = state.W, state.H, self.as_scikit_learn
        gamma = exponent(problem.beta, penalised=problem.l2_W > 0 and not plain)
        W = _updated(W, *terms_W(problem, W, H), problem.l1_W, problem.l2_W, gamma)
        if plain and problem.beta < 1.0:
            _drop_tiny(W)
        if problem.update_H:
            gamma = exponent(problem.beta, penalised=problem.l2_H > 0 and not plain)
            H = _updated(H, *terms_H(problem, W, H), problem.l1_H, problem.l2_H, gamma)
            if plain and problem.beta <= 1.0:
                _drop_tiny(H)
        return replace(state, W=W, H=H, n_iter=state.n_iter + 1, loss=objective(problem, W, H))


def exponent(beta: float, *, penalised: bool = False) -> float:
    """Return γ(β) that makes the update monotone.

    Without an L2 penalty it is that of Févotte & Idier (2011). With one, the denominator contains l2·w at the old w. The
    majorizer's derivative in r = new / old, den r^max(β−1, 0) − num r^min(β−2, 0) + l1 + l2 w r, then has its root
    beyond (num / (den + l1 + l2 w))^γ for γ = 1/(3 − β) whenever β < 2: the update stops short of the minimum, never
    past it. L1 alone, and β ≥ 2, need no change for the same reason.
    """
    if beta > 2.0:
        return 1.0 / (beta - 1.0)
    if penalised:
        return 1.0 / (3.0 - beta)
    return 1.0 / (2.0 - beta) if beta < 1.0 else 1.0


def _drop_tiny(F: Array) -> None:
    """Set to 0 what has shrunk below float64's rounding, in place."""
    F[np.finfo(np.float64).eps > F] = 0


def _updated(F: Array, numerator: Array, denominator: Array, l1: float, l2: float, gamma: float) -> Array:
    """Return F · (numerator / (denominator + penalties))^γ; where nothing pulls, F stays."""
    if l1:
        denominator = denominator + l1
    if l2:
        denominator = denominator + l2 * F
    ratio = np.divide(numerator, denominator, out=np.ones_like(F), where=denominator > 0)
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
    W = _updated(W, XHt, W @ HHt, problem.l1_W, problem.l2_W, 1.0)
    WtW = W.T @ W
    if not problem.update_H:
        loss = from_gram(problem, W, H, XHt, WtW, HHt, W)
        return replace(state, W=W, n_iter=state.n_iter + 1, loss=loss, aux=aux)
    WtX = problem.Wt_times(W)
    H = _updated(H, WtX, WtW @ H, problem.l1_H, problem.l2_H, 1.0)
    loss = from_gram(problem, W, H, WtX, WtW, H @ H.T, H)
    return replace(state, W=W, H=H, n_iter=state.n_iter + 1, loss=loss)
