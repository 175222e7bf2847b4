"""Cyclic coordinate descent for the Kullback–Leibler loss."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from nmf_core.kernels.hals import Rule
from nmf_core.kernels.newton import NewtonSystem
from nmf_core.problem import Problem, once
from nmf_core.solvers.base import Solver, option
from nmf_core.solvers.bmme import advanced, stored_system
from nmf_core.types import Array, State


@dataclass(frozen=True)
class CoordinateNewton(Solver):
    """A Newton-like step for every entry of W, then of H, looking at non-zero cells alone; pushed on as in `bmme`.

    A step that raises the loss is made again by a multiplicative update, so the trace never rises. The first steps are
    multiplicative, too: from an NNDSVD start, full steps empty components that never come back (on 34 fits of tables and
    word counts the error ended 5 % above the best, 15 % with penalties, on average; after five such steps, 0.2 %).
    """

    name: ClassVar[str] = "ccd"
    label: ClassVar[str] = "Coordinate descent (Kullback–Leibler)"
    help: ClassVar[str] = "For counts: the quickest to many digits, and entries may leave and return to zero."
    losses: ClassVar[frozenset[float] | None] = frozenset({1.0})
    order: ClassVar[int] = 47
    REFERENCE: ClassVar[str] = (
        "C.-J. Hsieh and I. S. Dhillon (2011), Fast coordinate descent methods with variable selection for "
        "non-negative matrix factorization, KDD"
    )

    opening: int = option(
        5,
        label="Multiplicative steps first",
        help="They bring a start to scale: full steps from far off may empty components for good.",
        low=0,
        high=1000,
    )

    def init(self, problem: Problem, start: tuple[Array, Array], rng: Any) -> State:
        """Return the state before the first step, which is made without a push."""
        state = super().init(problem, start, rng)
        return replace(state, aux={"W_near": state.W, "H_near": state.H, "time": 1.0})

    def step(self, problem: Problem, state: State) -> State:
        """Return the state after one update of W and H."""
        return self.many(problem, state, 1)[0]

    def many(self, problem: Problem, state: State, count: int) -> tuple[State, list[float]]:
        """Make `count` steps; the same bits however the run is cut."""
        losses: list[float] = []
        while len(losses) < count:
            state, more = self.until(problem, state, count - len(losses), None)
            losses += more
        return state, losses

    def until(self, problem: Problem, state: State, count: int, rule: Rule | None) -> tuple[State, list[float]]:
        """Make up to `count` steps, fewer where `rule` ends them or the multiplicative ones are over."""
        X, Xt = _both_ways(problem)
        left = self.opening - state.n_iter
        if left > 0:
            return advanced(stored_system(problem, X, Xt, len(state.H)), state, min(count, left), None)
        system = stored_system(problem, X, Xt, len(state.H), NewtonSystem)
        system.least = problem.mean * (1e-40 if problem.dtype == np.float64 else 1e-10)
        return advanced(system, state, count, rule)


@once
def _both_ways(problem: Problem) -> tuple[Any, Any]:
    """Return X by row and by column; dense X loses its zeros."""
    if problem.sparse:
        return problem.X, problem.Xt
    import scipy.sparse as sp

    X = sp.csr_array(problem.X)
    return X, X.T.tocsr()
