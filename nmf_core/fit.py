"""Factorize: `fit` for one call, `FitWork` for a chain of chunks; both run the one loop of `loop`."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from nmf_core.fit_state import FitState
from nmf_core.kernels.threads import one_blas_thread
from nmf_core.loop import advance, resolve
from nmf_core.problem import Problem, prepare
from nmf_core.types import Array, Chunk, Dataset, FitRequest, FitResult, Stop, Trace
from nmf_core.versions import versions

__all__ = ["FitState", "FitWork", "advance", "advance_to_end", "fit", "one_thread", "resolve", "versions"]


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
        return result_of(problem, self.request, state, stop)


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
                return result_of(problem, request, state, chunk.stop)
            if cancelled:
                return result_of(problem, request, state, Stop.CANCELLED)


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


def result_of(problem: Problem, request: FitRequest, state: FitState, stop: Stop) -> FitResult:
    """Return the result that a state holds so far."""
    solver, reason = resolve(problem, request)
    best, number = state.leading
    assert best is not None
    traces = tuple(Trace(loss, seconds) for loss, seconds in zip(state.losses, state.seconds, strict=True))
    return FitResult(
        request=request.solved_by(solver.name),
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


def one_thread() -> AbstractContextManager[Any]:
    """Hold BLAS to one thread: chunked and whole runs then agree bit for bit."""
    import scipy.linalg.cython_blas  # noqa: F401  loaded later, SciPy's own library would escape the limit

    return one_blas_thread()
