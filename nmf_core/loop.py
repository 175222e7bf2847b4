"""The one loop: restart after restart, cut into chunks anywhere without changing a bit."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nmf_core import solvers
from nmf_core.fit_state import FitState
from nmf_core.kernels.hals import Rule
from nmf_core.problem import Problem
from nmf_core.restart import Restart
from nmf_core.solvers.base import Solver
from nmf_core.types import Array, Chunk, FitRequest, Stop

# So many cells of W and H together go into one call of a shared loop: about 32 MB in all with what belongs to them.
TOGETHER_CELLS = 1_000_000


def advance(
    problem: Problem,
    request: FitRequest,
    state: FitState | None,
    budget: float,
    *,
    W: Array | None = None,
    H: Array | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Chunk:
    """Run the loop for about `budget` seconds, at least one iteration.

    Parameters
    ----------
    problem : Problem
    request : FitRequest
    state : FitState or None
        None: the start. A finished state goes on if the request now allows more.
    budget : float
        Seconds.
    W, H : ndarray, optional
        The start, for ``init="custom"``.
    clock : callable
        Seconds; decides only where chunks end, the time limit and the trace's seconds.
    """
    solver, _ = resolve(problem, request)
    model = _model(problem, request, solver)
    if state is None:
        state = FitState(model=model)
    elif state.model != model:
        raise ValueError(
            "The earlier result cannot be continued: only max_iter, tol, stop_rule, time_limit and n_restarts may "
            "differ from its request, and X must be the same. Start a new fit instead."
        )
    state = _reopened(state, request)
    deadline = clock() + budget
    while _unfinished(state, request):
        state = Restart(problem, request, solver, state, clock).go(deadline, W, H)
        if clock() >= deadline:
            break
    stop = Stop.RUNNING if _unfinished(state, request) else _outcome(state, request)
    return Chunk(state, stop, _progress(state, request), _message(problem, state))


def advance_each(
    problem: Problem, requests: Sequence[FitRequest], clock: Callable[[], float] = time.perf_counter
) -> list[FitState | None]:
    """Run small fits of one problem to their end in compiled loops that many share; None for those it cannot take.

    A state is the one that `advance` leads to.
    """
    states: list[FitState | None] = [None] * len(requests)
    alike: dict[tuple[Any, ...], list[tuple[int, Restart, Rule]]] = {}
    with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
        for i, request in enumerate(requests):
            solver = resolve(problem, request)[0]
            if request.n_restarts > 1 or request.init == "custom" or not solver.shares(problem, request.rank):
                continue
            restart = Restart(problem, request, solver, FitState(model=_model(problem, request, solver)), clock)
            rule = restart.open()
            if rule is not None:
                key = (solver, request.rank, request.max_iter, replace(rule, first=0.0))
                alike.setdefault(key, []).append((i, restart, rule))
        for (solver, rank, max_iter, _), fits in alike.items():
            step = max(1, int(TOGETHER_CELLS / (rank * sum(problem.shape))))
            for some in (fits[s : s + step] for s in range(0, len(fits), step)):
                begin = clock()
                starts = [restart.current for _, restart, _ in some if restart.current is not None]
                ends = solver.until_each(problem, starts, max_iter, [rule for _, _, rule in some])
                each = (clock() - begin) / max(1, sum(len(losses) for _, losses in ends))
                for (i, restart, _), (after, losses) in zip(some, ends, strict=True):
                    states[i] = restart.close(after, losses, each * len(losses))
    return states


def _model(problem: Problem, request: FitRequest, solver: Solver) -> tuple[Any, ...]:
    """Return all that must not change when a fit is continued."""
    data = (problem.shape, problem.dtype.str, problem.total, problem.squares, problem.update_H)
    penalties = (problem.l1_W, problem.l2_W, problem.l1_H, problem.l2_H)
    return (*data, *penalties, request.rank, request.beta, request.init, request.seed, repr(solver))


def _unfinished(state: FitState, request: FitRequest) -> bool:
    """Tell whether there is anything left to do."""
    return state.current is not None or (len(state.losses) < request.n_restarts and not _out_of_time(state, request))


def _out_of_time(state: FitState, request: FitRequest) -> bool:
    return request.time_limit is not None and bool(state.losses) and state.spent >= request.time_limit


def _outcome(state: FitState, request: FitRequest) -> Stop:
    """Return why a finished fit ended: the time limit if it cut restarts off, else what ended the best restart."""
    if len(state.losses) < request.n_restarts:
        return Stop.TIME_LIMIT
    return state.stops[state.best_restart]


def _progress(state: FitState, request: FitRequest) -> float:
    done = len(state.losses) - (state.current is not None)
    part = 0.0 if state.current is None else state.current.n_iter / request.max_iter
    share = (done + part) / max(request.n_restarts, len(state.losses))
    if request.time_limit:
        share = max(share, state.spent / request.time_limit)
    return min(share, 1.0)


def _message(problem: Problem, state: FitState) -> str:
    """Say in one line where the fit stands."""
    shown = state.current if state.current is not None else state.best
    assert shown is not None
    restart = f"restart {len(state.losses)}, " if len(state.losses) > 1 else ""
    line = f"{restart}iteration {shown.n_iter:,}"
    if problem.beta == 2.0 and problem.squares > 0 and not problem.penalised:
        return f"{line}, relative error {100 * np.sqrt(max(2 * shown.loss, 0) / problem.squares):.3g} %"
    return f"{line}, loss {shown.loss:.6g}"


def resolve(problem: Problem, request: FitRequest) -> tuple[Solver, str]:
    """Return the solver with its options, and why it was taken if that was left to the engine."""
    needs: dict[str, Any] = {
        "beta": problem.beta,
        "masked": problem.masked,
        "sparse": problem.sparse,
        "penalised": problem.penalised,
    }
    name, reason = request.solver, ""
    if name == "auto":
        stored = problem.X.nnz if problem.sparse else 0
        name, reason = solvers.choose(**needs, shape=problem.shape, rank=request.rank, stored=stored)
    return solvers.build(name, request.options, **needs), reason


def _reopened(state: FitState, request: FitRequest) -> FitState:
    """Put the best restart of a finished state back to work; the stop rules decide whether it has anything to do."""
    if state.best is None or _unfinished(state, request):
        return state
    return replace(state, current=state.best, running=state.best_restart, best=None)
