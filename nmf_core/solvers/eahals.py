"""Accelerated HALS with extrapolation: the default for the Frobenius loss."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from nmf_core.loss import from_gram
from nmf_core.problem import Problem
from nmf_core.solvers.base import Solver, option
from nmf_core.solvers.coordinate import sweep
from nmf_core.types import Array, State


@dataclass(frozen=True)
class ExtrapolatedHals(Solver):
    """HALS passes from points pushed on along the last change; a push that raises the loss is taken back.

    The push ``momentum`` grows while the loss falls and is cut when it rises (Ang & Gillis 2019, Algorithm 3). Unlike
    there, a step that raises the loss is discarded and the next one is made without a push, so the trace never rises.
    The reported pair is (extrapolated W, H): non-negative, and its loss costs no pass over X.
    """

    name: ClassVar[str] = "eahals"
    label: ClassVar[str] = "Extrapolated accelerated HALS"
    help: ClassVar[str] = "The fastest for the Frobenius loss, small or large; take it unless you study another."
    order: ClassVar[int] = 10
    REFERENCE: ClassVar[str] = (
        "A. M. S. Ang and N. Gillis (2019), Accelerating nonnegative matrix factorization algorithms using "
        "extrapolation, Neural Computation 31(2)"
    )

    inner: int = option(3, label="Passes", low=1, high=100, help="Passes over a factor per product with X.")
    first: float = option(0.5, label="First momentum", low=0.0, high=1.0, help="How far the first steps are pushed on.")
    grow: float = option(1.01, label="Growth", low=1.0, high=2.0, help="Factor on the momentum while the loss falls.")
    grow_limit: float = option(
        1.005, label="Growth of the limit", low=1.0, high=2.0, help="Factor on the momentum's upper limit."
    )
    cut: float = option(1.5, label="Cut", low=1.0, high=10.0, help="Divisor of the momentum when the loss rises.")

    def init(self, problem: Problem, start: tuple[Array, Array], rng: Any) -> State:
        """Return the state before the first step, its momentum not yet used."""
        state = super().init(problem, start, rng)
        return replace(state, aux=_calm(state.W, state.H, self.first, 1.0))

    def step(self, problem: Problem, state: State) -> State:
        """Return the state after one pushed step, or the same factors without momentum if that raised the loss."""
        aux = state.aux
        momentum, limit, used = aux["momentum"], aux["limit"], aux["used"]
        if not problem.update_H:
            return self._step_W(problem, state)
        H_far = aux["H_far"]
        W = sweep(state.W.T, H_far @ H_far.T, problem.times_Ht(H_far).T, problem.l1_W, problem.l2_W, self.inner).T
        W_far = _pushed(W, aux["W_near"], used)
        WtW, WtX = W_far.T @ W_far, problem.Wt_times(W_far)
        H = sweep(H_far, WtW, WtX, problem.l1_H, problem.l2_H, self.inner)
        loss = from_gram(problem, W_far, H, WtX, WtW, H @ H.T, H)
        n_iter = state.n_iter + 1
        if not loss <= state.loss and used > 0:
            calm = _calm(aux["W_near"], state.H, momentum / self.cut, momentum)
            return replace(state, n_iter=n_iter, aux={**calm, "W_near": state.W})
        if used > 0:
            momentum, limit = min(limit, self.grow * momentum), min(1.0, self.grow_limit * limit)
        H_far = _pushed(H, state.H, momentum)
        aux = {"W_near": W, "H_far": H_far, "momentum": momentum, "limit": limit, "used": momentum}
        return replace(state, W=W_far, H=H, n_iter=n_iter, loss=loss, aux=aux)

    def _step_W(self, problem: Problem, state: State) -> State:
        """Make a step for fixed H: the products never change, so plain passes are all it takes."""
        aux = state.aux
        if "XHt" not in aux:
            aux = {**aux, "XHt": problem.times_Ht(state.H), "HHt": state.H @ state.H.T}
        W = sweep(state.W.T, aux["HHt"], aux["XHt"].T, problem.l1_W, problem.l2_W, self.inner).T
        loss = from_gram(problem, W, state.H, aux["XHt"], W.T @ W, aux["HHt"], W)
        return replace(state, W=W, n_iter=state.n_iter + 1, loss=loss, aux=aux)


def _pushed(new: Array, old: Array, momentum: float) -> Array:
    """Return max(0, new + momentum · (new − old))."""
    far = new - old
    far *= momentum
    far += new
    return np.maximum(far, 0, out=far)


def _calm(W: Array, H: Array, momentum: float, limit: float) -> dict[str, Any]:
    """Return what the next step needs when it is to be made without a push."""
    return {"W_near": W, "H_far": H, "momentum": momentum, "limit": limit, "used": 0.0}
