"""Several fits of one table as one work, the later ones going on from the earlier where only limits differ."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from typing import Any

from nmf_core.fit import FitWork
from nmf_core.types import Chunk, Dataset, FitRequest, FitResult, Stop

#: Fields of a request that only say when to stop: a run with tighter ones goes on from the state of the looser.
LIMITS = ("max_iter", "tol", "stop_rule", "time_limit")


@dataclass(frozen=True, slots=True)
class SeriesWork:
    """Run requests one after another.

    Attributes
    ----------
    requests : tuple of FitRequest
        All on the same data. Of requests that differ only in their limits the loosest stands first: the next one then
        costs only what it runs further.
    """

    requests: tuple[FitRequest, ...]

    @property
    def key(self) -> str:
        """Digest of everything that decides the results."""
        keys = "".join(request.key for request in self.requests)
        return f"series-{hashlib.blake2b(keys.encode(), digest_size=12).hexdigest()}"

    @property
    def dataset_id(self) -> str:
        """The data it runs on."""
        return self.requests[0].dataset_id

    def advance(self, dataset: Dataset, state: Any | None, budget: float) -> Chunk:
        """Work for about `budget` seconds."""
        done, inner = state or ((), None)
        end = time.perf_counter() + budget
        while True:
            at, request = len(done), self.requests[len(done)]
            work = FitWork(request)
            chunk = work.advance(dataset, inner, max(end - time.perf_counter(), 0.0))
            inner, within = chunk.state, chunk.progress or 0.0
            if chunk.stop is not Stop.RUNNING:
                done, within = (*done, replace(work.result(dataset, inner, chunk.stop), state=None)), 0.0
                if len(done) == len(self.requests):
                    return Chunk((done, None), Stop.CONVERGED, 1.0, f"{len(done)} runs")
                inner = inner if _goes_on(request, self.requests[len(done)]) else None
            if time.perf_counter() >= end:
                total = len(self.requests)
                told = f"run {at + 1} of {total} · {chunk.message}"
                return Chunk((done, inner), Stop.RUNNING, (len(done) + within) / total, told)

    def result(self, dataset: Dataset, state: Any, stop: Stop) -> tuple[FitResult, ...]:
        """Return the results of the runs that are done."""
        return state[0] if state else ()


def _goes_on(before: FitRequest, after: FitRequest) -> bool:
    """Tell whether a run is the one before, only longer."""
    same = after.with_(**{name: getattr(before, name) for name in LIMITS}).key == before.key
    return (
        same and after.stop_rule == before.stop_rule and after.tol <= before.tol and after.max_iter >= before.max_iter
    )
