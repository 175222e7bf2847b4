"""Multiplicative updates with extrapolation: the default for losses other than Frobenius."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from nmf_core.gradient import terms_H, terms_W
from nmf_core.kernels import multiplicative
from nmf_core.kernels.multiplicative import Point, run
from nmf_core.loss import objective, penalty
from nmf_core.problem import Problem
from nmf_core.solvers.base import Solver
from nmf_core.solvers.mu import exponent
from nmf_core.types import Array, State


@dataclass(frozen=True)
class ExtrapolatedMultiplicativeUpdates(Solver):
    """Multiplicative updates from points pushed on along the growth of W and H (Nesterov's schedule).

    Below β = 1 the exponent is 1, which is not proven to be monotone: a step that raises the loss is made again without a
    push and with the proven exponent, so the trace never rises.
    """

    name: ClassVar[str] = "bmme"
    label: ClassVar[str] = "Extrapolated multiplicative updates"
    help: ClassVar[str] = "The fastest for counts and spectra (Kullback–Leibler, Itakura–Saito); zeros stay zero."
    losses: ClassVar[frozenset[float] | None] = None
    supports_mask: ClassVar[bool] = True
    keeps_zeros: ClassVar[bool] = True
    order: ClassVar[int] = 45
    REFERENCE: ClassVar[str] = (
        "L. T. K. Hien, D. N. Phan, N. Gillis, M. Ahookhosh and P. Patrinos (2022), Block Bregman majorization "
        "minimization with extrapolation, SIAM Journal on Mathematics of Data Science 4(1)"
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
        W, H, W_near, H_near = (np.ascontiguousarray(F) for F in (state.W, state.H, aux["W_near"], aux["H_near"]))
        point = Point(W, H, W_near, H_near, aux["time"], state.loss)
        system = _system(problem, len(state.H))
        if isinstance(system, multiplicative.SparseSystem):
            point, losses = run(system, system.packed(point), count)
            point = system.unpacked(point)
        else:
            point, losses = run(system, point, count)
        aux = {"W_near": point.W_near, "H_near": point.H_near, "time": point.time}
        return replace(state, W=point.W, H=point.H, n_iter=state.n_iter + count, loss=point.loss, aux=aux), losses


def _system(problem: Problem, rank: int) -> multiplicative.System:
    penalties = (problem.l1_W, problem.l2_W, problem.l1_H, problem.l2_H)
    size = problem.total if problem.beta == 1.0 else problem.cells
    functions: dict[str, Any] = {
        "floor": problem.floor,
        "penalties": penalties,
        "exact": lambda W, H: objective(problem, W, H),
        "penalty": lambda W, H: penalty(problem, W, H),
        "scale": size * (1e-9 if problem.dtype == np.float64 else 1e-4),
    }
    # The compiled loops know no exponent that is monotone under an L2 penalty.
    compiled = problem.update_H and not (problem.l2_W or problem.l2_H)
    if compiled and not problem.sparse and problem.beta in (0.0, 1.0):
        return multiplicative.DenseSystem(problem.X, problem.weights, problem.beta, **functions)
    if compiled and problem.sparse and problem.beta == 1.0:
        return multiplicative.SparseSystem(problem.X, problem.Xt, problem.unstored, rank, **functions)
    return _General(problem)


class _General:
    """Any β, L2 penalties and fixed H, in plain NumPy: powers cost more there than all else."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.work = problem, 4.0 * problem.cells

    def sweep(self, point: Point, push: float, gentle: bool) -> Point:
        """Return the point after one update of W and H."""
        problem = self.problem
        bold = None if gentle else max(exponent(problem.beta), float(problem.beta < 1.0))
        gamma = bold or exponent(problem.beta, penalised=problem.l2_W > 0)
        up, down = terms_W(problem, point.W, point.H)
        W, W_near = _pushed(point.W, up, down, problem.l1_W, problem.l2_W, gamma, push, point.W_near)
        H, H_near = point.H, point.H_near
        if problem.update_H:
            gamma = bold or exponent(problem.beta, penalised=problem.l2_H > 0)
            up, down = terms_H(problem, W, H)
            H, H_near = _pushed(H, up, down, problem.l1_H, problem.l2_H, gamma, push, H_near)
        return Point(W, H, W_near, H_near, 0.0, 0.0)

    def loss(self, W: Array, H: Array) -> float:
        """Return the objective."""
        return objective(self.problem, W, H)


def _pushed(
    F: Array, up: Array, down: Array, l1: float, l2: float, gamma: float, push: float, near: Array
) -> tuple[Array, Array]:
    down = down + l1 + l2 * F if l1 or l2 else down
    ratio = np.divide(up, down, out=np.ones_like(F), where=down > 0)
    if gamma != 1.0:
        ratio **= gamma
    ratio *= F
    ratio[ratio < np.finfo(F.dtype).tiny * 1e3] = 0
    growth = np.maximum(ratio - near, 0)
    growth *= push
    growth += ratio
    return growth, ratio
