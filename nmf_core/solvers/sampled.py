"""A rough start for large X: some of its lines first, so that the long way from a random start costs little.

The factors of a few thousand rows hold nearly all that can be known about H. So a large X is not factorized from the
start given: some of its rows (of its columns, if it is wide) are, some of those before them, and so on. Then the other
rows get their weights for the H found there, and the fit proper begins. A sample large enough to stand for X draws its
start itself: singular vectors of all of X would take longer than the fit.

Not for solvers that keep zeros: a column that is empty in the sample would stay so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from nmf_core.problem import Problem, row_of_stored, survey
from nmf_core.solvers.base import Solver, Start
from nmf_core.types import Array, State

# One line in so many belongs to the sample, more where these are too few for the rank.
MOST_SPARING, LEAST_SPARING = 8, 4
PER_COMPONENT = 100
# A sample has at least so many lines, and so many for each component.
LEAST_LINES, LEAST_PER_COMPONENT = 200, 10
# Cells (stored ones of sparse X) times components from which a sample pays.
LEAST_WORK = 1e6
# Iterations on the sample; they end where five of them no longer lower the error by this share.
COUNT, EVERY, TOL = 20, 5, 3e-3


def size_of(N: int, cells: float, rank: int) -> int:
    """Return how many of N lines make a sample; 0: it would not pay."""
    if cells * rank < LEAST_WORK or LEAST_SPARING * max(LEAST_LINES, LEAST_PER_COMPONENT * rank) > N:
        return 0
    return max(N // MOST_SPARING, min(N // LEAST_SPARING, PER_COMPONENT * rank))


def lines_of(N: int, size: int, turn: int = 0) -> Array:
    """Return which lines make a sample: one at random out of every stretch, others at every `turn`.

    Stretches see to it that sorted rows are all represented, chance that no pattern of the columns is hit again and again.
    """
    i = np.arange(size)
    mixed = (i + turn % 2**32 * 7919).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)  # as SplitMix64 mixes a counter
    chance = (mixed >> np.uint64(11)) / 2.0**53
    bounds = np.arange(size + 1) * N // size
    return bounds[:-1] + (chance * np.diff(bounds)).astype(np.intp)


def part_of(problem: Problem, lines: Array, wide: bool) -> Problem:
    """Return the problem that some rows of X make, or some columns if it is wide."""
    X = problem.X[:, lines] if wide else problem.X[lines]
    share = len(lines) / problem.shape[wide]
    Xt = row_of = None
    if problem.sparse:
        Xt, row_of = X.T.tocsr(), row_of_stored(X)
    else:
        X = np.ascontiguousarray(X)
    _, _, total, squares = survey(X.data if problem.sparse else X)
    cells = float(X.shape[0]) * X.shape[1]
    scaled = {name: share * getattr(problem, name) for name in (("l1_W", "l2_W") if wide else ("l1_H", "l2_H"))}
    return replace(
        problem, X=X, Xt=Xt, row_of=row_of, total=total, squares=squares, mean=total / cells, cells=cells, **scaled
    )


def settled(before: State, after: State) -> bool:
    """Tell whether some iterations on a sample no longer changed much."""
    return not np.sqrt(max(before.loss, 0.0)) - np.sqrt(max(after.loss, 0.0)) >= TOL * np.sqrt(max(after.loss, 0.0))


def begun(solver: Solver, problem: Problem, start: Start, rng: Any, wide: bool) -> tuple[Array, Array] | None:
    """Return W and H as a sample of the rows (of the columns, if wide) has them, the other lines alike: at their mean.

    The sample may itself begin with one. None where that would not pay, or led out of the range of numbers.
    """
    cells = problem.X.nnz if problem.sparse else problem.X.size
    size = 0 if problem.masked else size_of(problem.shape[wide], cells, start.rank)
    if not size:
        return None
    if size < PER_COMPONENT * start.rank:
        start = start.drawn(problem)  # so few lines would lead singular vectors astray
    lines = lines_of(problem.shape[wide], size, start.turn)
    part = part_of(problem, lines, wide)
    state = solver.begin(part, start.some(lines, wide), rng)
    for _ in range(0, COUNT, EVERY):
        before = state
        state, _ = solver.many(part, state, EVERY)
        if settled(before, state):
            break
    if not np.isfinite(state.loss):
        return None
    found, kept = (state.H.T, state.W) if wide else (state.W, state.H)
    spread = np.repeat(found.mean(axis=0)[None], problem.shape[wide], axis=0)
    spread[lines] = found
    kept = np.ascontiguousarray(kept)
    return (kept, spread.T) if wide else (spread, kept)
