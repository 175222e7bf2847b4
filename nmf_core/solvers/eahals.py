"""Accelerated HALS with extrapolation: the default for the Frobenius loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from nmf_core.kernels import get, known, ready
from nmf_core.kernels.dense import DenseSystem, holds, is_small, is_tiny, is_wide, laid_out
from nmf_core.kernels.hals import Point, Rule, Settings, System, run, swept
from nmf_core.kernels.sparse import SparseSystem, padded
from nmf_core.loss import GRAM_LIMIT, best_scale, frobenius, from_gram, penalty
from nmf_core.problem import Problem, once
from nmf_core.solvers import sampled
from nmf_core.solvers.base import Solver, Start, option
from nmf_core.types import Array, State

# Passes over the kept factor may cost this share of a product with X, and be so many times those over the other.
PASSES_SHARE = 0.5
MOST_PASSES = 2
# The lines that no sample had get their weights by so many times as many passes.
FILLING = 8
# Up to this many multiplications per pass over both factors, passes are doubled.
LIGHT_PASS = 5000


@dataclass(frozen=True)
class ExtrapolatedHals(Solver):
    """HALS passes from points pushed on along the last change; a push that raises the loss is taken back.

    The push ``momentum`` grows while the loss falls and is cut when it rises (Ang & Gillis 2019, Algorithm 3). Unlike
    there, a step that raises the loss is discarded and the next one is made without a push, so the trace never rises.
    The reported pair is the pushed factor of one side with the plain one of the other: non-negative, and its loss costs
    no pass over X. The factor along the longer side of dense X is updated first, in one pass over X with the products
    that the other one needs. Passes that cost little beside a product are made up to four times as often (after Gillis &
    Glineur 2012). With missing or weighted cells the passes run on the residual of each row's known cells.
    """

    name: ClassVar[str] = "eahals"
    label: ClassVar[str] = "Extrapolated accelerated HALS"
    help: ClassVar[str] = "The fastest for the Frobenius loss, small or large; take it unless you study another."
    supports_mask: ClassVar[bool] = True
    order: ClassVar[int] = 10
    REFERENCE: ClassVar[str] = (
        "A. M. S. Ang and N. Gillis (2019), Accelerating nonnegative matrix factorization algorithms using "
        "extrapolation, Neural Computation 31(2)"
    )

    inner: int = option(
        3,
        label="Passes",
        low=1,
        high=100,
        help="Passes over a factor per product with X; up to four times as many where they cost little beside the rest.",
    )
    first: float = option(0.5, label="First momentum", low=0.0, high=1.0, help="How far the first steps are pushed on.")
    grow: float = option(1.01, label="Growth", low=1.0, high=2.0, help="Factor on the momentum while the loss falls.")
    grow_limit: float = option(
        1.005, label="Growth of the limit", low=1.0, high=2.0, help="Factor on the momentum's upper limit."
    )
    cut: float = option(1.5, label="Cut", low=1.0, high=10.0, help="Divisor of the momentum when the loss rises.")
    sample: bool = option(
        True,
        label="Begin on a sample",
        help="Large X: the first iterations see some rows or columns only. Not from a start of your own.",
    )

    def init(self, problem: Problem, start: tuple[Array, Array], rng: Any) -> State:
        """Return the state before the first step, its momentum not yet used.

        Where both factors are sought, they are brought to X's scale: several passes over one factor, made for another
        that is far off, lead into poorer minima.
        """
        W, H = start
        if problem.update_H:
            scale, value = best_scale(problem, W, H, _terms(problem, W, H))
            root = problem.dtype.type(np.sqrt(scale))
            W, H = W * root, H * root
            loss = value + penalty(problem, W, H)
        else:
            loss = super().init(problem, start, rng).loss
        return self._state(problem, W, H, loss, rng)

    def _state(self, problem: Problem, W: Array, H: Array, loss: float, rng: Any) -> State:
        A, B = (H, W.T) if _is_wide(problem) else (W.T, H)
        return State(W, H, 0, loss, rng, {"near": A, "far": B, "momentum": self.first, "limit": 1.0, "used": 0.0})

    def begin(self, problem: Problem, start: Start, rng: Any) -> State:
        """Return the state after iterations on a sample and one on all of X, with many passes over the streamed factor."""
        wide = _is_wide(problem)
        found = sampled.begun(self, problem, start, rng, wide) if self.sample and problem.update_H else None
        if found is None:
            return self.init(problem, start.of(problem), rng)
        state = self._state(problem, *found, np.inf, rng)
        system, point = _system(problem, len(state.H)), _point(problem, state)
        settings = self._balanced(problem, system, point)
        losses = run(system, point, replace(settings, passes=FILLING * settings.passes), 1)
        if not np.isfinite(losses[0]):
            return self.init(problem, start.of(problem), rng)
        return replace(_after(problem, state, point, losses), n_iter=0)

    def step(self, problem: Problem, state: State) -> State:
        """Return the state after one pushed step, or the same factors without momentum if that raised the loss."""
        return self.many(problem, state, 1)[0]

    def many(self, problem: Problem, state: State, count: int) -> tuple[State, list[float]]:
        """Make `count` steps, compiled where the kernels are loaded; the same bits either way."""
        if problem.masked:
            return self._many_known(problem, state, count)
        if not problem.update_H:
            return self._many_W(problem, state, count)
        return self.until(problem, state, count, None)

    def until(self, problem: Problem, state: State, count: int, rule: Rule | None) -> tuple[State, list[float]]:
        """Make up to `count` steps, fewer where `rule` ends them: small fits are compiled as a whole."""
        if problem.masked or not problem.update_H:
            return self.many(problem, state, count if rule is None else min(count, rule.every))
        system, point = _system(problem, len(state.H)), _point(problem, state)
        losses = run(system, point, self._balanced(problem, system, point), count, rule)
        return _after(problem, state, point, losses), losses

    def shares(self, problem: Problem, rank: int) -> bool:
        """Tell whether fits of a problem may run in one compiled call: X is dense and small."""
        plain = not problem.masked and not problem.sparse and problem.update_H
        return plain and is_small(problem.shape, rank) and get("dense", "whole_many", problem.dtype) is not None

    def until_each(
        self, problem: Problem, states: Sequence[State], count: int, rules: Sequence[Rule]
    ) -> list[tuple[State, list[float]]]:
        """Do for many states of one rank what `until` does for one."""
        system = _system(problem, len(states[0].H))
        assert isinstance(system, DenseSystem)
        points = [_point(problem, state) for state in states]
        found = system.whole_many(points, self._balanced(problem, system, points[0]), count, rules)
        return [(_after(problem, *at), at[2]) for at in zip(states, points, found, strict=True)]

    def _balanced(self, problem: Problem, system: System, point: Point) -> Settings:
        """Return the settings with more passes over the factor that does not stream, where they are cheap: X is long."""
        penalties = (problem.l1_W, problem.l2_W, problem.l1_H, problem.l2_H)
        # Where a pass takes less than the rest of an iteration, however small, twice as many cost little.
        pass_work = len(point.B) ** 2 * sum(problem.shape)
        passes = 2 * self.inner if pass_work <= LIGHT_PASS else self.inner
        affordable = min(MOST_PASSES * passes, int(PASSES_SHARE * system.work / (point.B.size * len(point.B))))
        ordered = penalties[2:] + penalties[:2] if _is_wide(problem) else penalties
        return self._settings(*ordered, passes, max(passes, affordable), GRAM_LIMIT[problem.dtype])

    def _settings(
        self,
        l1_A: float,
        l2_A: float,
        l1_B: float,
        l2_B: float,
        passes: int,
        passes_B: int,
        gram_share: float = 0.0,
    ) -> Settings:
        return Settings(l1_A, l2_A, l1_B, l2_B, passes, passes_B, self.grow, self.grow_limit, self.cut, gram_share)

    def _many_known(self, problem: Problem, state: State, count: int) -> tuple[State, list[float]]:
        """Make steps that look at known cells alone."""
        aux = state.aux
        rank = len(state.H)
        A, near, B, far = (padded(F) for F in (state.W, aux["near"].T, state.H.T, aux["far"].T))
        point = Point(A, near, B, far, aux["momentum"], aux["limit"], aux["used"], state.loss)
        settings = self._settings(problem.l1_W, problem.l2_W, problem.l1_H, problem.l2_H, self.inner, self.inner)

        def charged(W: Array, H: Array) -> float:
            return penalty(problem, W[:, :rank], H[:, :rank].T)

        losses = known.run(_known_cells(problem), point, settings, rank, count, charged, update_B=problem.update_H)
        numbers = {"momentum": point.momentum, "limit": point.limit, "used": point.used}
        aux = {"near": point.near[:, :rank].T, "far": point.B_far[:, :rank].T, **numbers}
        H = point.B[:, :rank].T if problem.update_H else state.H
        return replace(state, W=point.A[:, :rank], H=H, n_iter=state.n_iter + count, loss=point.loss, aux=aux), losses

    def _many_W(self, problem: Problem, state: State, count: int) -> tuple[State, list[float]]:
        """Make steps for fixed H: the products never change, so plain passes are all it takes."""
        aux, losses = state.aux, []
        if "HXt" not in aux:
            HXt = np.ascontiguousarray(problem.times_Ht(state.H).T)
            aux = {**aux, "HXt": HXt, "HHt": state.H @ state.H.T}
        settings = Settings(l1_B=problem.l1_W, l2_B=problem.l2_W, passes_B=self.inner)
        Wt, HXt, HHt = np.ascontiguousarray(state.W.T), aux["HXt"], aux["HHt"]
        patience = 3.0 if float(HXt.size) * len(HXt) > 1e8 else 0.0
        for _ in range(count):
            Wt = swept(Wt, HXt, HHt, settings, patience)
            losses.append(from_gram(problem, Wt.T, state.H, HXt.T, Wt @ Wt.T, HHt, Wt.T))
        return replace(state, W=Wt.T, n_iter=state.n_iter + count, loss=losses[-1], aux=aux), losses


def _terms(problem: Problem, W: Array, H: Array) -> tuple[float, float] | None:
    """Return ⟨X, WH⟩ and ‖WH‖² by the kernels of an iteration, or None where X is not dense and whole, or tiny."""
    if problem.sparse or problem.masked or is_tiny(problem.shape):
        return None
    system = _system(problem, len(H))
    assert isinstance(system, DenseSystem)
    A, B = (H, W.T) if _is_wide(problem) else (W.T, H)
    return system.terms(np.ascontiguousarray(A), np.ascontiguousarray(B))


def _is_wide(problem: Problem) -> bool:
    """Tell whether H is updated before W: the factor along the longer side of dense X comes first."""
    return not problem.sparse and not problem.masked and is_wide(problem.shape)


def _point(problem: Problem, state: State) -> Point:
    """Return copies of a state's arrays in the order in which they are updated."""
    aux = state.aux
    A, B = (state.H, state.W.T) if _is_wide(problem) else (state.W.T, state.H)
    A, near, B, far = np.array(A, order="C"), aux["near"], np.array(B, order="C"), np.array(aux["far"], order="C")
    # Before the first step both are the same, and a copy of a copy is quicker than another transposition.
    near = A.copy() if state.n_iter == 0 else np.array(near, order="C")
    return Point(A, near, B, far, aux["momentum"], aux["limit"], aux["used"], state.loss)


def _after(problem: Problem, state: State, point: Point, losses: list[float]) -> State:
    """Return the state at a point that so many iterations led to."""
    W, H = (point.B.T, point.A) if _is_wide(problem) else (point.A.T, point.B)
    numbers = {"momentum": point.momentum, "limit": point.limit, "used": point.used}
    aux = {"near": point.near, "far": point.B_far, **numbers}
    return State(W, H, state.n_iter + len(losses), point.loss, state.rng, aux)


def _system(problem: Problem, rank: int) -> System:
    if not problem.sparse:
        held = (
            _panel(problem)
            if holds(problem.shape, rank) and ready("dense", problem.dtype)
            else np.empty((0, 0), problem.dtype)
        )
        return DenseSystem(problem.X, rank, problem.squares, held)
    return SparseSystem(problem.X, problem.Xt, rank, problem.squares, lambda W, H: 2.0 * frobenius(problem, W, H))


@once
def _panel(problem: Problem) -> Array:
    """Return dense X in one panel."""
    return laid_out(problem.X)


@once
def _known_cells(problem: Problem) -> known.KnownCells:
    """Return the known cells of a masked problem."""
    if problem.sparse:
        return known.KnownCells(problem.X, problem.Xt, None)
    import scipy.sparse as sp

    weights = problem.weights
    assert weights is not None
    where = weights > 0
    indptr = np.concatenate([[0], np.cumsum(where.sum(axis=1))])
    columns = np.nonzero(where)[1]
    X = sp.csr_array((problem.X[where], columns, indptr), shape=problem.shape)
    roots = None
    if not (weights[where] == 1).all():
        R = sp.csr_array((np.sqrt(weights[where]), columns, indptr), shape=problem.shape)
        roots = (R.data, R.T.tocsr().data)
    return known.KnownCells(X, X.T.tocsr(), roots)
