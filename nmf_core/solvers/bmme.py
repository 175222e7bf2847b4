"""Multiplicative updates with extrapolation: the default for losses other than Frobenius."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from nmf_core.gradient import terms_H, terms_W
from nmf_core.kernels import multiplicative
from nmf_core.kernels.divergence_twins import update_rows
from nmf_core.kernels.hals import Rule
from nmf_core.kernels.multiplicative import Point, SparseSystem, run
from nmf_core.loss import objective
from nmf_core.problem import Problem, once
from nmf_core.solvers.base import Solver
from nmf_core.solvers.mu import exponent
from nmf_core.types import Array, State

# Share of known cells below which they are gone through one by one.
THIN = 0.03


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
        return self.until(problem, state, count, None)

    def until(self, problem: Problem, state: State, count: int, rule: Rule | None) -> tuple[State, list[float]]:
        """Make up to `count` steps, fewer where `rule` ends them: small fits are compiled as a whole."""
        return advanced(_system(problem, len(state.H)), state, count, rule)


def advanced(system: multiplicative.System, state: State, count: int, rule: Rule | None) -> tuple[State, list[float]]:
    """Run the loop of extrapolated steps from a state and return the one it ends in."""
    aux = state.aux
    W, H, W_near, H_near = (np.ascontiguousarray(F) for F in (state.W, state.H, aux["W_near"], aux["H_near"]))
    point = Point(W, H, W_near, H_near, aux["time"], state.loss)
    if isinstance(system, SparseSystem):
        point, losses = run(system, system.packed(point), count, rule)
        point = system.unpacked(point)
    else:
        point, losses = run(system, point, count, rule)
    aux = {"W_near": point.W_near, "H_near": point.H_near, "time": point.time}
    n_iter = state.n_iter + len(losses)
    return replace(state, W=point.W, H=point.H, n_iter=n_iter, loss=point.loss, aux=aux), losses


def stored_system(
    problem: Problem, X: Any, Xt: Any, rank: int, kind: type[SparseSystem] = SparseSystem
) -> SparseSystem:
    """Return sparse X and its transpose as the loop sees them, for β = 1."""
    return kind(X, Xt, problem.unstored, rank, **_common(problem, problem.total))


def _system(problem: Problem, rank: int) -> multiplicative.System:
    beta = problem.beta
    if problem.sparse and beta == 1.0:
        return stored_system(problem, problem.X, problem.Xt, rank)
    if problem.sparse and (beta == 2.0 or (problem.unstored and _is_thin(problem))):
        return _Stored(problem)
    constant = _constant(problem)
    size = problem.total if beta == 1.0 else problem.cells if beta == 0.0 else abs(constant)
    others = {"constant": constant, **_common(problem, size)}
    if problem.sparse and math.prod(problem.shape) >= multiplicative.SMALL_CELLS:
        return multiplicative.SpreadSystem(problem.X, problem.unstored, beta, **others)
    X, weights = _spread(problem) if problem.sparse else (problem.X, problem.weights)
    return multiplicative.DenseSystem(X, weights, beta, **others)


def _is_thin(problem: Problem) -> bool:
    """Tell whether so few cells are stored that it is quicker to go through them one by one than through all."""
    return problem.X.nnz < THIN * math.prod(problem.shape)


@once
def _spread(problem: Problem) -> tuple[Array, Array | None]:
    """Return a small sparse X as dense X and weights."""
    X, rows = problem.X, slice(0, problem.shape[0])
    return multiplicative.spread(X, rows), multiplicative.spread(X, rows, known=True) if problem.unstored else None


def _common(problem: Problem, size: float) -> dict[str, Any]:
    """Return what every system takes; `size` is what the terms of the loss add up to, about."""
    return {
        "floor": problem.floor,
        "penalties": (problem.l1_W, problem.l2_W, problem.l1_H, problem.l2_H),
        "gammas": _gammas(problem),
        "exact": lambda W, H: objective(problem, W, H),
        "scale": size * (1e-9 if problem.dtype == np.float64 else 1e-4),
        "update_H": problem.update_H,
    }


def _gammas(problem: Problem) -> tuple[float, float, float, float]:
    """Return the exponents for W and H to begin with, then those that are proven monotone."""
    beta = problem.beta
    bold = max(exponent(beta), float(beta < 1.0))
    return bold, bold, exponent(beta, penalised=problem.l2_W > 0), exponent(beta, penalised=problem.l2_H > 0)


@once
def _constant(problem: Problem) -> float:
    """Return the part of the divergence that depends on X alone: Σ w x^β / (β (β − 1)), 0 for β = 0 and 1."""
    beta, weights, value = problem.beta, problem.weights, 0.0
    if beta in (0.0, 1.0):
        return 0.0
    if problem.sparse:
        return float((problem.X.data.astype(np.float64) ** beta).sum()) / (beta * (beta - 1.0))
    for rows in problem.row_blocks():
        x = problem.X[rows].astype(np.float64, copy=False)
        if weights is None:
            value += float((x**beta).sum())
        else:
            known = weights[rows] > 0
            value += float((x[known] ** beta) @ weights[rows][known].astype(np.float64))
    return value / (beta * (beta - 1.0))


class _Stored:
    """Sparse X in plain NumPy, for β = 2 and where few cells are known: only stored cells are touched."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.work = problem, 4.0 * problem.cells

    def sweep(self, point: Point, push: float, gentle: bool, told: bool) -> tuple[Point, float]:
        """Return the point after one update of W and H, and the objective before."""
        problem = self.problem
        loss = self.loss(point.W, point.H) if told else 0.0
        gamma_W, gamma_H = _gammas(problem)[2 * gentle : 2 * gentle + 2]
        up, down = terms_W(problem, point.W, point.H)
        W, W_near = self._updated(point.W, up, down, problem.l1_W, problem.l2_W, gamma_W, push, point.W_near)
        H, H_near = point.H, point.H_near
        if problem.update_H:
            up, down = terms_H(problem, W, H)
            H, H_near = self._updated(H, up, down, problem.l1_H, problem.l2_H, gamma_H, push, H_near)
        return Point(W, H, W_near, H_near, 0.0, 0.0), loss

    def _updated(
        self, F: Array, up: Array, down: Array, l1: float, l2: float, gamma: float, push: float, near: Array
    ) -> tuple[Array, Array]:
        near, far, tiny = near.copy(), np.empty_like(F), np.finfo(F.dtype).tiny * F.dtype.type(1e3)
        update_rows(F, up, down, l1, l2, gamma, tiny, push, near, far)
        return far, near

    def loss(self, W: Array, H: Array) -> float:
        """Return the objective."""
        return objective(self.problem, W, H)

    def whole(self, point: Point, count: int, rule: Rule | None) -> tuple[Point, list[float]]:
        """Make no step: nothing is compiled here."""
        return point, []
