"""NMF for absolute errors (an L1-type loss): squared errors reweighted until they count as absolute ones."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from nmf_core import solvers
from nmf_core.fit import one_thread
from nmf_core.initialization import initialize
from nmf_core.problem import prepare
from nmf_core.staged import Progress
from nmf_core.types import Array

#: Rounds of reweighting at most, and steps of the solver in each.
ROUNDS, STEPS = 80, 5
#: Ends when five rounds lower the loss by less than this share.
TOLERANCE = 1e-4
#: Below this share of the mean of X an error counts as squared: the loss is smooth at 0.
SMOOTH = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Absolute:
    """A factorization under way.

    Attributes
    ----------
    W, H : ndarray
    losses : tuple of float
        Σ √((X − WH)² + ε²) over known cells after every round, the start included.
    """

    W: Array
    H: Array
    losses: tuple[float, ...]

    @property
    def over(self) -> bool:
        """Whether it has converged or used up its rounds."""
        done = len(self.losses) - 1
        if done >= ROUNDS:
            return True
        return done >= 5 and self.losses[-6] - self.losses[-1] <= TOLERANCE * self.losses[-1]


def start(X: Array, rank: int, seed: int = 0) -> Absolute:
    """Return the start: NNDSVDa of X without its largest values.

    The loss has many minima, and one whose components are the outliers themselves is near any start made from them. So
    for the start alone every value is cut off at the 90 % quantile of its feature's positive values.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a feature without any positive value: nothing is cut off there
        caps = np.nanquantile(np.where(X > 0, X, np.nan), 0.9, axis=0)
    W, H = initialize(prepare(np.fmin(X, caps)), rank, "nndsvda", seed=seed)
    return Absolute(W, H, (_loss(X, W, H),))


def advance(X: Array, state: Absolute) -> Absolute:
    """Return the state one round later: weights from the errors, then steps of the engine's own solver with them.

    √(r² + ε²) lies below the parabola that touches it at the present error, r² / 2s + const with s = √(r₀² + ε²). A step
    that lowers the squared errors weighted by 1 / s therefore never raises the loss (majorization; for NMF see L. Du,
    X. Li and Y.-D. Shen (2012), Robust nonnegative matrix factorization via half-quadratic minimization, ICDM).
    """
    epsilon = _epsilon(X)
    weights = epsilon / np.sqrt((X - state.W @ state.H) ** 2 + epsilon**2)
    problem = prepare(X, weights=np.nan_to_num(weights))
    solver = solvers.build("bmme", (), beta=2.0, masked=True, sparse=False, penalised=False)
    with one_thread():
        begun = solver.init(problem, (np.ascontiguousarray(state.W), np.ascontiguousarray(state.H)), None)
        after, _ = solver.many(problem, begun, STEPS)
    return Absolute(after.W, after.H, (*state.losses, _loss(X, after.W, after.H)))


def factorize(X: Array, rank: int, seed: int = 0) -> Absolute:
    """Return the whole factorization.

    Parameters
    ----------
    X : ndarray of shape (n, m)
        ≥ 0; NaN where unknown.
    rank, seed : int
    """
    state = start(X, rank, seed)
    while not state.over:
        state = advance(X, state)
    return state


def _loss(X: Array, W: Array, H: Array) -> float:
    return float(np.nansum(np.sqrt((X - W @ H) ** 2 + _epsilon(X) ** 2)))


def _epsilon(X: Array) -> float:
    return SMOOTH * (float(np.nanmean(X)) or 1.0)


@dataclass(frozen=True, slots=True)
class AbsoluteFit:
    """A stage of a staged work that is such a factorization.

    Attributes
    ----------
    label : str
    make : callable
        Takes the results of the stages before; returns X, the rank and the seed.
    then : callable
        Takes the `Absolute`; what it returns is the stage's result.
    """

    label: str
    make: Callable[[tuple[Any, ...]], tuple[Array, int, int]]
    then: Callable[[Absolute], Any]

    def go(self, progress: Progress, budget: float) -> tuple[Progress, float, str]:
        deadline = time.perf_counter() + budget
        X, rank, seed = self.make(progress.done)
        state = progress.inner or start(X, rank, seed)
        while not state.over:
            state = advance(X, state)
            if time.perf_counter() >= deadline and not state.over:
                return Progress(progress.done, state), len(state.losses) / (ROUNDS + 1), self.label
        return Progress((*progress.done, self.then(state))), 0.0, self.label
