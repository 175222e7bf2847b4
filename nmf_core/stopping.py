"""When a restart is over: the stop rules, in one place."""

from __future__ import annotations

import numpy as np

from nmf_core.gradient import kkt_norm
from nmf_core.kernels.hals import Rule
from nmf_core.problem import Problem
from nmf_core.types import Array, FitRequest, State, Stop

# The stop rules look at the loss every so many iterations, as scikit-learn does.
CHECK_EVERY = 10


def verdict(
    problem: Problem,
    request: FitRequest,
    state: State,
    losses: list[float] | Array,
    *,
    first_kkt: float,
    spent: float,
) -> Stop:
    """Apply the stop rules to one restart.

    They look every ten iterations. ``"loss"``: the error √(2·loss) fell by less than ``tol`` times the smaller of the
    first error and that at the first look: a poor start (NNDSVDa on large numbers) must not end the fit early.
    ``"kkt"``: the projected gradient's norm is at most ``tol`` times that of the start (Lin 2007).
    ``"scikit-learn"``: for ``cd`` its violation ratio, looked at every time; else the loss relative to the first error.
    ``tol=0`` switches all off; an exact fit always stops.
    """
    n_iter = state.n_iter
    if losses[-1] == 0:
        return Stop.CONVERGED
    if request.stop_rule == "scikit-learn" and "violation" in state.aux:
        if state.aux["violation"] <= request.tol * state.aux["first_violation"]:
            return Stop.CONVERGED
    elif request.tol > 0 and n_iter > 0 and n_iter % CHECK_EVERY == 0:
        if request.stop_rule == "kkt":
            if kkt_norm(problem, state.W, state.H) <= request.tol * first_kkt:
                return Stop.CONVERGED
        else:
            before, now = _error(losses[n_iter - CHECK_EVERY]), _error(losses[n_iter])
            reference = _error(losses[0])
            if request.stop_rule == "loss":
                reference = min(reference, _error(losses[CHECK_EVERY]))
                if problem.beta == 2.0 and now <= 0.01 * request.tol * np.sqrt(problem.squares):
                    return Stop.CONVERGED  # as good as exact
            if before - now < request.tol * reference:
                return Stop.CONVERGED
    if n_iter >= request.max_iter:
        return Stop.MAX_ITER
    if request.time_limit is not None and spent >= request.time_limit:
        return Stop.TIME_LIMIT
    return Stop.RUNNING


def _error(loss: float) -> float:
    return float(np.sqrt(2.0 * max(loss, 0.0)))


def compiled_rule(problem: Problem, request: FitRequest, state: State, losses: list[float]) -> Rule | None:
    """Return the stop rule as compiled loops take it, or None if it looks at more than losses."""
    if request.stop_rule == "kkt" or "violation" in state.aux:
        return None
    first, exact, young = _error(losses[0]), -1.0, len(losses) <= CHECK_EVERY
    if request.stop_rule == "loss":
        first = first if young else min(first, _error(losses[CHECK_EVERY]))
        exact = 0.01 * request.tol * float(np.sqrt(problem.squares)) if problem.beta == 2.0 else -1.0
    return Rule(CHECK_EVERY, request.tol, first, young and request.stop_rule == "loss", exact)
