"""The one loop: start, step, watch, stop, restart — cut into chunks anywhere without changing a bit."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

import numpy as np

from nmf_core import solvers
from nmf_core.gradient import kkt_norm
from nmf_core.initialization import initialize, stream
from nmf_core.kernels.hals import Rule
from nmf_core.problem import Problem, prepare
from nmf_core.solvers.base import Solver
from nmf_core.types import Array, Chunk, Dataset, FitRequest, FitResult, State, Stop, Trace

# The stop rules look at the loss every so many iterations, as scikit-learn does.
CHECK_EVERY = 10


@dataclass(frozen=True, slots=True)
class FitState:
    """Where a fit stands between two chunks; picklable.

    Attributes
    ----------
    current : State or None
        Of the restart under way.
    running : int
        Its number.
    losses, seconds : tuple of ndarray
        One entry per begun restart, each of length n_iter + 1.
    stops : tuple of Stop
        One per begun restart.
    first_kkt : tuple of float
        Projected gradient norm at each start; NaN where nobody looked.
    best : State or None
    best_restart : int
        Of the finished restarts.
    model : tuple
        What must be equal for a later request to go on from here.
    """

    current: State | None = None
    running: int = 0
    losses: tuple[Array, ...] = ()
    seconds: tuple[Array, ...] = ()
    stops: tuple[Stop, ...] = ()
    first_kkt: tuple[float, ...] = ()
    best: State | None = None
    best_restart: int = 0
    model: tuple[Any, ...] = ()

    @property
    def spent(self) -> float:
        """Seconds of computing so far, over all restarts."""
        return float(sum(s[-1] for s in self.seconds))

    @property
    def leading(self) -> tuple[State | None, int]:
        """The best state so far, the restart under way included, and its number."""
        if self.current is not None and (self.best is None or self.current.loss < self.best.loss):
            return self.current, self.running
        return self.best, self.best_restart


@dataclass(frozen=True, slots=True, eq=False)
class FitWork:
    """A fit as a :class:`~nmf_core.types.Work`: a chain of chunks that may be cut anywhere.

    Attributes
    ----------
    request : FitRequest
    W, H : ndarray, optional
        The start, for ``init="custom"``; H alone when only W is sought.
    update_H : bool
    """

    request: FitRequest
    W: Array | None = None
    H: Array | None = None
    update_H: bool = True

    @property
    def key(self) -> str:
        """Digest of everything that decides the result."""
        if self.W is None and self.H is None and self.update_H:
            return f"fit-{self.request.key}"
        h = hashlib.blake2b(f"{self.request.key}{self.update_H}".encode(), digest_size=12)
        for F in (self.W, self.H):
            h.update(b"-" if F is None else f"{F.dtype.str}{F.shape}".encode() + np.ascontiguousarray(F).tobytes())
        return f"fit-{h.hexdigest()}"

    @property
    def dataset_id(self) -> str:
        """The data it runs on."""
        return self.request.dataset_id

    def advance(self, dataset: Dataset, state: FitState | None, budget: float) -> Chunk:
        """Work for about `budget` seconds from `state` (None: the start) and return where it got to.

        A finished state of an earlier request with the same model and start, but tighter limits (more iterations, a
        smaller tolerance, more time, more restarts), is continued.
        """
        problem = _prepared(dataset, self.request, self.update_H)
        with one_thread():
            return advance(problem, self.request, state, budget, W=self.W, H=self.H)

    def news(self, state: FitState) -> dict[str, Any]:
        """Return what a page draws while the fit runs: the loss so far of the restart under way, thinned out."""
        losses = state.losses[state.running] if state.losses else np.zeros(0)
        at = np.unique(np.linspace(0, len(losses) - 1, min(len(losses), 200)).astype(int))
        return {"iteration": at, "loss": losses[at], "restart": state.running + 1, "n_iter": len(losses) - 1}

    def result(self, dataset: Dataset, state: FitState, stop: Stop) -> FitResult:
        """Turn any state, also an unfinished one, into the (partial) result."""
        problem = _prepared(dataset, self.request, self.update_H)
        if state is None or state.leading[0] is None:
            with one_thread():
                state = advance(problem, self.request, None, 0.0, W=self.W, H=self.H).state
        return _result(problem, self.request, state, stop)


def fit(
    X: Any,
    request: FitRequest | None = None,
    *,
    W: Array | None = None,
    H: Array | None = None,
    update_H: bool = True,
    mask: Array | Literal["unstored"] | None = None,
    weights: Array | None = None,
    callback: Callable[[FitState, Chunk], Any] | None = None,
    continue_from: FitResult | None = None,
    **fields: Any,
) -> FitResult:
    """Factorize X ≈ WH and return the full result.

    Parameters
    ----------
    X : array-like, sparse matrix or Dataset of shape (n_samples, n_features)
        Non-negative. NaN in dense X marks a missing cell.
    request : FitRequest, optional
        Everything that decides the numbers. Left out, it is built from `fields`.
    W, H : ndarray, optional
        The start, with ``init="custom"``; or H alone with ``update_H=False``.
    update_H : bool
        False: keep H and seek W only.
    mask : ndarray of bool or ``"unstored"``, optional
        True where a cell is missing; ``"unstored"``: cells not stored in sparse X are unknown, not zero.
    weights : ndarray of X's shape, optional
        Non-negative weight per cell of dense X.
    callback : callable, optional
        Called about four times a second with the state (losses and seconds so far) and the chunk;
        a true return value cancels.
    continue_from : FitResult, optional
        An earlier result on the same X: the run goes on where it stopped.
    **fields
        Of :class:`FitRequest`, for example ``fit(X, rank=5, loss="kullback-leibler")``; change those of `request`.

    Returns
    -------
    FitResult

    Raises
    ------
    ValueError
        If X, the request or the start cannot be used; the sentence says why.

    Examples
    --------
    >>> import numpy as np
    >>> from nmf_core import fit
    >>> result = fit(np.outer([1.0, 2.0, 3.0], [1.0, 0.5]), rank=1)
    >>> bool(np.allclose(result.W @ result.H, [[1.0, 0.5], [2.0, 1.0], [3.0, 1.5]]))
    True
    """
    request = FitRequest(**fields) if request is None else request.with_(**fields) if fields else request
    if isinstance(X, Dataset):
        mask = X.mask if mask is None else mask
        request = request if request.dataset_id else request.with_(dataset_id=X.id)
        X = X.X
    problem = _prepare(X, request, mask=mask, weights=weights, update_H=update_H)
    state = None if continue_from is None else continue_from.state
    return advance_to_end(problem, request, state, W=W, H=H, callback=callback)


def advance_to_end(
    problem: Problem,
    request: FitRequest,
    state: FitState | None = None,
    *,
    W: Array | None = None,
    H: Array | None = None,
    callback: Callable[[FitState, Chunk], Any] | None = None,
    report: Callable[[str], Any] | None = None,
) -> FitResult:
    """Run chunk after chunk until the fit stops, telling `callback` (or its line to `report`) after each."""
    watched = callback is not None or report is not None
    with one_thread():
        while True:
            chunk = advance(problem, request, state, 0.25 if watched else float("inf"), W=W, H=H)
            state = chunk.state
            assert state is not None
            if report is not None:
                report(chunk.message)
            cancelled = callback is not None and callback(state, chunk)
            if chunk.stop is not Stop.RUNNING:
                return _result(problem, request, state, chunk.stop)
            if cancelled:
                return _result(problem, request, state, Stop.CANCELLED)


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
        state = _Run(problem, request, solver, state, clock).go(deadline, W, H)
        if clock() >= deadline:
            break
    stop = Stop.RUNNING if _unfinished(state, request) else _outcome(state, request)
    return Chunk(state, stop, _progress(state, request), _message(problem, state))


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


class _Run:
    """One restart under way, mutable while `advance` lasts."""

    def __init__(
        self, problem: Problem, request: FitRequest, solver: Solver, state: FitState, clock: Callable[[], float]
    ) -> None:
        self.problem, self.request, self.solver, self.before, self.clock = problem, request, solver, state, clock
        self.current = state.current
        self.number = len(state.losses) if state.current is None else state.running
        self.losses: list[float] = [] if state.current is None else state.losses[self.number].tolist()
        self.seconds: list[float] = [] if state.current is None else state.seconds[self.number].tolist()
        self.first_kkt = float("nan") if state.current is None else state.first_kkt[self.number]
        self.earlier = state.spent - (self.seconds[-1] if self.seconds else 0.0)

    def go(self, deadline: float, W: Array | None, H: Array | None) -> FitState:
        """Iterate until a rule stops the restart or the deadline passes."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
            if self.current is None:
                self._start(W, H)
            if self.request.stop_rule == "kkt" and not np.isfinite(self.first_kkt):
                self.first_kkt = kkt_norm(self.problem, *self._point(W, H))
            stop = self._check()
            while stop is Stop.RUNNING:
                stop = self._check() if self._step(deadline) else Stop.NONFINITE
                if self.clock() >= deadline:
                    break
        return self._packed(stop)

    def _point(self, W: Array | None, H: Array | None) -> tuple[Array, Array]:
        request, keeps_zeros = self.request, self.solver.keeps_zeros
        return initialize(
            self.problem,
            request.rank,
            request.init,
            seed=request.seed,
            restart=self.number,
            W=W,
            H=H,
            keeps_zeros=keeps_zeros,
        )

    def _start(self, W: Array | None, H: Array | None) -> None:
        begin = self.clock()
        state = self.solver.init(self.problem, self._point(W, H), stream(self.request.seed, self.number))
        if not np.isfinite(state.loss):
            raise ValueError("The loss is not finite at the start: rescale X, or take another initialization.")
        self.current, self.losses, self.seconds = state, [state.loss], [self.clock() - begin]

    def _step(self, deadline: float) -> bool:
        """Make steps up to the next check, fewer if the deadline is near; False: a value was not finite."""
        assert self.current is not None
        before, begin = self.current, self.clock()
        n_iter = before.n_iter
        look = self.solver.look_every
        count = min(self._affordable(deadline - begin), self.request.max_iter - n_iter)
        rule = self._rule() if count > look and n_iter % look == 0 else None
        if rule is None:
            count = min(count, look - n_iter % look)
            after, losses = self.solver.many(self.problem, before, count)
        else:
            after, losses = self.solver.until(self.problem, before, count, rule)
            count = len(losses)
        if not np.isfinite(losses).all():
            good = int(np.argmin(np.isfinite(losses)))
            after, losses = self.solver.many(self.problem, before, good) if good else (before, [])
        took = self.clock() - begin
        spent = self.seconds[-1]
        self.current = after
        self.losses += losses
        self.seconds += [spent + took * (i + 1) / max(len(losses), 1) for i in range(len(losses))]
        return len(losses) == count

    def _affordable(self, left: float) -> int:
        """Return how many iterations fit into the time left, judged by those so far."""
        if self.request.time_limit is not None:
            left = min(left, self.request.time_limit - self.earlier - self.seconds[-1])
        if left == float("inf"):
            return self.request.max_iter
        done = len(self.seconds) - 1
        if done == 0:
            return 1
        each = (self.seconds[-1] - self.seconds[0]) / done
        count = int(min(left / each, self.request.max_iter)) if each > 0 else self.request.max_iter
        return max(1, count if count < CHECK_EVERY else count - count % CHECK_EVERY)

    def _rule(self) -> Rule | None:
        """Return the stop rule as compiled loops take it, or None if it looks at more than losses."""
        request, problem = self.request, self.problem
        assert self.current is not None
        if self.solver.look_every != CHECK_EVERY or request.stop_rule == "kkt" or "violation" in self.current.aux:
            return None
        first, exact, young = _error(self.losses[0]), -1.0, len(self.losses) <= CHECK_EVERY
        if request.stop_rule == "loss":
            first = first if young else min(first, _error(self.losses[CHECK_EVERY]))
            exact = 0.01 * request.tol * float(np.sqrt(problem.squares)) if problem.beta == 2.0 else -1.0
        return Rule(CHECK_EVERY, request.tol, first, young and request.stop_rule == "loss", exact)

    def _check(self) -> Stop:
        """Say whether the restart is over."""
        assert self.current is not None
        return verdict(
            self.problem,
            self.request,
            self.current,
            self.losses,
            first_kkt=self.first_kkt,
            spent=self.earlier + self.seconds[-1],
        )

    def _packed(self, stop: Stop) -> FitState:
        before, i = self.before, self.number

        def put(values: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
            return (*values[:i], value, *values[i + 1 :])

        state = replace(
            before,
            current=self.current,
            running=i,
            losses=put(before.losses, np.array(self.losses)),
            seconds=put(before.seconds, np.array(self.seconds)),
            stops=put(before.stops, stop),
            first_kkt=put(before.first_kkt, self.first_kkt),
        )
        if stop is Stop.RUNNING:
            return state
        best, best_restart = state.leading
        return replace(state, current=None, best=best, best_restart=best_restart)


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


def resolve(problem: Problem, request: FitRequest) -> tuple[Solver, str]:
    """Return the solver with its options, and why it was taken if that was left to the engine."""
    needs: dict[str, Any] = {
        "beta": problem.beta,
        "masked": problem.masked,
        "sparse": problem.sparse,
        "penalised": problem.penalised,
    }
    name, reason = solvers.choose(**needs) if request.solver == "auto" else (request.solver, "")
    return solvers.build(name, request.options, **needs), reason


def _reopened(state: FitState, request: FitRequest) -> FitState:
    """Put the best restart of a finished state back to work; the stop rules decide whether it has anything to do."""
    if state.best is None or _unfinished(state, request):
        return state
    return replace(state, current=state.best, running=state.best_restart, best=None)


def _prepare(X: Any, request: FitRequest, *, mask: Any, weights: Any, update_H: bool) -> Problem:
    return prepare(
        X,
        beta=request.beta,
        mask=mask,
        weights=weights,
        alpha_W=request.alpha_W,
        alpha_H=request.alpha_H,
        l1_ratio=request.l1_ratio,
        update_H=update_H,
    )


# Chunks of the same fit come one after another, and those of a few fits interleave in one worker: preparing X anew
# each time would cost a pass over it and, if sparse, a transposition.
_recent: OrderedDict[tuple[Any, ...], Problem] = OrderedDict()


def _prepared(dataset: Dataset, request: FitRequest, update_H: bool) -> Problem:
    key = (dataset.id, request.beta, request.alpha_W, request.alpha_H, request.l1_ratio, update_H)
    problem = _recent.pop(key, None)
    if problem is None:
        problem = _prepare(dataset.X, request, mask=dataset.mask, weights=None, update_H=update_H)
    _recent[key] = problem
    while len(_recent) > 4:
        _recent.popitem(last=False)
    return problem


def _result(problem: Problem, request: FitRequest, state: FitState, stop: Stop) -> FitResult:
    solver, reason = resolve(problem, request)
    best, number = state.leading
    assert best is not None
    traces = tuple(Trace(loss, seconds) for loss, seconds in zip(state.losses, state.seconds, strict=True))
    return FitResult(
        request=request.with_(solver=solver.name),
        W=np.ascontiguousarray(best.W),
        H=np.ascontiguousarray(best.H),
        trace=traces[number],
        stop=stop,
        restarts=traces,
        best=number,
        solver_reason=reason,
        versions=versions(),
        state=state,
    )


@cache
def versions() -> dict[str, str]:
    """Return the versions of what the numbers depend on."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from nmf_core import __version__

    found = {"Python": platform.python_version(), "NMF Explorer": __version__}
    for package in ("numpy", "scipy", "scikit-learn", "numba"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


@cache
def _pools() -> Any:
    """Find the BLAS libraries once; SciPy's own must be loaded first or it escapes the limit."""
    import scipy.linalg.cython_blas  # noqa: F401
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_thread() -> AbstractContextManager[Any]:
    """Hold BLAS to one thread: chunked and whole runs then agree bit for bit."""
    return _pools().limit(limits=1, user_api="blas")
