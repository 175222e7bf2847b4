"""Snapshots of a fit on its way, as a work: the film of its convergence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nmf_core.fit import FitWork
from nmf_core.quality import errors
from nmf_core.types import Array, Chunk, Dataset, FitRequest, Stop

#: Iterations shown: close together where much happens.
FRAMES = (0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 17, 20, 24, 29, 35, 42, 50, 60, 72, 86, 103, 124, 150, 180, 215, 260, 310)


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """H and the relative error after the iterations in `iterations`."""

    iterations: tuple[int, ...]
    snapshots: tuple[Array, ...]
    errors: tuple[float, ...]
    losses: Array


@dataclass(frozen=True, slots=True)
class FilmWork:
    """Run a request and keep H at `FRAMES`; each snapshot goes on from the one before.

    Attributes
    ----------
    request : FitRequest
        Its ``max_iter`` ends the film; nothing else stops it.
    """

    request: FitRequest

    @property
    def key(self) -> str:
        """Digest of everything that decides the result."""
        return f"film-{self.request.key}"

    @property
    def dataset_id(self) -> str:
        """The data it runs on."""
        return self.request.dataset_id

    def advance(self, dataset: Dataset, state: Any | None, budget: float) -> Chunk:
        """Run to the next frame."""
        state = state or ((), (), (), None, np.zeros(0))
        iterations, snapshots, seen, inner, _ = state
        wanted = [f for f in FRAMES if f <= self.request.max_iter]
        at = wanted[len(iterations)]
        # The start is what is left of a fit of one iteration by its trace alone, so it is made by the solver's init.
        request = replace(self.request, max_iter=max(at, 1), tol=0.0, time_limit=None)
        if at == 0:
            H, W, inner, losses = *_start(dataset, request), None, np.zeros(0)
        else:
            work = FitWork(request)
            chunk = work.advance(dataset, inner, float("inf"))
            result = work.result(dataset, chunk.state, chunk.stop)
            H, W, inner, losses = result.H, result.W, chunk.state, result.trace.loss
        relative = errors(dataset, W, H).relative
        state = ((*iterations, at), (*snapshots, H), (*seen, relative), inner, losses)
        done = len(iterations) + 1 >= len(wanted)
        return Chunk(
            state, Stop.MAX_ITER if done else Stop.RUNNING, (len(iterations) + 1) / len(wanted), f"iteration {at}"
        )

    def result(self, dataset: Dataset, state: Any, stop: Stop) -> Film:
        """Return the frames so far."""
        iterations, snapshots, seen, _, losses = state
        return Film(iterations, snapshots, seen, losses)


def _start(dataset: Dataset, request: FitRequest) -> tuple[Array, Array]:
    """Return H and W that the run starts from."""
    from nmf_core.initialization import initialize
    from nmf_core.problem import prepare

    problem = prepare(dataset.X, beta=request.beta, mask=dataset.mask)
    W, H = initialize(problem, request.rank, request.init, seed=request.seed)
    return H, W
