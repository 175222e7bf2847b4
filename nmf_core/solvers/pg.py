"""Projected gradient: alternating non-negative least squares by gradient steps with Armijo's rule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from nmf_core.gradient import kkt_norm
from nmf_core.loss import dot, from_gram
from nmf_core.problem import Problem
from nmf_core.solvers.base import Solver, option
from nmf_core.types import Array, State


@dataclass(frozen=True)
class ProjectedGradient(Solver):
    """Each factor in turn is brought near its optimum by projected gradient steps (Lin 2007, Algorithms 2 and 4).

    A subproblem is solved until its projected gradient is below a tolerance that tightens tenfold whenever the very
    first point already satisfies it.
    """

    name: ClassVar[str] = "pg"
    label: ClassVar[str] = "Projected gradient"
    help: ClassVar[str] = "A textbook method to compare with; convergence is proven, speed is not its strength."
    order: ClassVar[int] = 60
    REFERENCE: ClassVar[str] = (
        "C.-J. Lin (2007), Projected gradient methods for nonnegative matrix factorization, Neural Computation 19(10)"
    )

    inner: int = option(100, label="Inner steps", low=1, high=10_000, help="Most gradient steps on a factor at a time.")

    def init(self, problem: Problem, start: tuple[Array, Array], rng: Any) -> State:
        """Return the state before the first step, with the tolerances of the two subproblems."""
        state = super().init(problem, start, rng)
        tolerance = 1e-3 * kkt_norm(problem, *start)
        return replace(state, aux={"tol_W": tolerance, "tol_H": tolerance, "size_W": 1.0, "size_H": 1.0})

    def step(self, problem: Problem, state: State) -> State:
        """Return the state after nearly solving for W, then for H."""
        H, aux = state.H, dict(state.aux)
        HHt, XHt = H @ H.T, problem.times_Ht(H)
        Ft, aux["tol_W"], aux["size_W"] = self._solve(
            state.W.T, HHt, XHt.T, problem.l1_W, problem.l2_W, aux["tol_W"], aux["size_W"]
        )
        W = Ft.T
        WtW = W.T @ W
        if problem.update_H:
            WtX = problem.Wt_times(W)
            H, aux["tol_H"], aux["size_H"] = self._solve(
                H, WtW, WtX, problem.l1_H, problem.l2_H, aux["tol_H"], aux["size_H"]
            )
            loss = from_gram(problem, W, H, WtX, WtW, H @ H.T, H)
        else:
            loss = from_gram(problem, W, H, XHt, WtW, HHt, W)
        return replace(state, W=W, H=H, n_iter=state.n_iter + 1, loss=loss, aux=aux)

    def _solve(
        self, F: Array, gram: Array, product: Array, l1: float, l2: float, tolerance: float, size: float
    ) -> tuple[Array, float, float]:
        """Return F near the minimum of ½⟨FᵀF, gram⟩ − ⟨product, F⟩ + penalties, its tolerance and its step size."""
        if l2:
            gram = gram + l2 * np.eye(len(gram), dtype=gram.dtype)
        pull = product - l1 if l1 else product
        for count in range(self.inner):
            gradient = gram @ F - pull
            moving = gradient[(F > 0) | (gradient < 0)]
            if float(np.sqrt(np.vdot(moving, moving))) <= tolerance:
                if count == 0:
                    tolerance *= 0.1
                break
            F, size = _armijo(F, gradient, gram, size)
        return F, tolerance, size


def _armijo(F: Array, gradient: Array, gram: Array, size: float) -> tuple[Array, float]:
    """Return max(0, F − size · gradient) for the largest size 10^k found to fall enough, and that size."""

    def point(size: float) -> tuple[Array, bool]:
        far = np.maximum(F - F.dtype.type(size) * gradient, 0)
        change = far - F
        return far, 0.99 * dot(gradient, change) + 0.5 * dot(gram @ change, change) <= 0

    best, falls = point(size)
    if falls:
        for _ in range(20):
            further, falls = point(size * 10.0)
            if not falls or np.array_equal(further, best):
                break
            best, size = further, size * 10.0
        return best, size
    for _ in range(40):
        size *= 0.1
        best, falls = point(size)
        if falls:
            return best, size
    return F, 1.0
