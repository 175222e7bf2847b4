"""Cyclic coordinate descent for the Kullback–Leibler loss."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from nmf_core.kernels.multiplicative import Point, run
from nmf_core.kernels.newton import NewtonSystem
from nmf_core.loss import objective, penalty
from nmf_core.problem import Problem, once
from nmf_core.solvers.base import Solver
from nmf_core.types import Array, State


@dataclass(frozen=True)
class CoordinateNewton(Solver):
    """A Newton-like step for every entry of W, then of H, looking at non-zero cells alone; pushed on as in `bmme`.

    A step that raises the loss is made again by a multiplicative update, so the trace never rises.
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

    def init(self, problem: Problem, start: tuple[Array, Array], rng: Any) -> State:
        """Return the state before the first step, which is made without a push."""
        state = super().init(problem, start, rng)
        return replace(state, aux={"W_near": state.W, "H_near": state.H, "time": 1.0})

    def step(self, problem: Problem, state: State) -> State:
        """Return the state after one update of W and H."""
        return self.many(problem, state, 1)[0]

    def many(self, problem: Problem, state: State, count: int) -> tuple[State, list[float]]:
        """Make `count` steps; the same bits however the run is cut."""
        aux = state.aux
        system = NewtonSystem(
            *_both_ways(problem),
            problem.unstored,
            len(state.H),
            floor=problem.floor,
            penalties=(problem.l1_W, problem.l2_W, problem.l1_H, problem.l2_H),
            exact=lambda W, H: objective(problem, W, H),
            penalty=lambda W, H: penalty(problem, W, H),
            scale=problem.total * (1e-9 if problem.dtype == np.float64 else 1e-4),
        )
        system.update_H = problem.update_H
        system.least = problem.mean * (1e-40 if problem.dtype == np.float64 else 1e-10)
        point = Point(state.W, state.H, aux["W_near"], aux["H_near"], aux["time"], state.loss)
        point, losses = run(system, system.packed(point), count)
        point = system.unpacked(point)
        aux = {"W_near": point.W_near, "H_near": point.H_near, "time": point.time}
        return replace(state, W=point.W, H=point.H, n_iter=state.n_iter + count, loss=point.loss, aux=aux), losses


@once
def _both_ways(problem: Problem) -> tuple[Any, Any]:
    """Return X by row and by column; dense X loses its zeros."""
    if problem.sparse:
        return problem.X, problem.Xt
    import scipy.sparse as sp

    X = sp.csr_array(problem.X)
    return X, X.T.tocsr()
