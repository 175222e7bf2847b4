"""Works made of several stages: calls and fits, one after another, cut into chunks anywhere."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

from nmf_core.fit import FitWork
from nmf_core.types import Chunk, Dataset, FitRequest, FitResult, Stop

# Seconds a stage gets at least: beginning one may take longer than what is left of a chunk.
LEAST = 0.02


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a staged work stands: results of the finished stages, and the state of a fit under way."""

    done: tuple[Any, ...] = ()
    inner: Any = None


@dataclass(frozen=True, slots=True)
class Step:
    """A stage that runs in one go: well under a second.

    Attributes
    ----------
    label : str
        What is being done, for people.
    run : callable
        Takes the results of the stages before, in order; returns this stage's.
    """

    label: str
    run: Callable[[tuple[Any, ...]], Any]

    def go(self, progress: Progress, budget: float) -> tuple[Progress, float, str]:
        return Progress((*progress.done, self.run(progress.done))), 0.0, self.label


@dataclass(frozen=True, slots=True)
class Fit:
    """A stage that is a factorization by the engine.

    Attributes
    ----------
    label : str
    make : callable
        Takes the results of the stages before; returns the data set and the request.
    then : callable, optional
        Takes the FitResult; what it returns is the stage's result. A work of many fits keeps no more than it needs:
        its state travels between processes several times a second.
    """

    label: str
    make: Callable[[tuple[Any, ...]], tuple[Dataset, FitRequest]]
    then: Callable[[FitResult], Any] | None = None

    def go(self, progress: Progress, budget: float) -> tuple[Progress, float, str]:
        dataset, request = self.make(progress.done)
        work = FitWork(request.with_(dataset_id=dataset.id))
        chunk = work.advance(dataset, progress.inner, budget)
        if chunk.stop is Stop.RUNNING:
            return Progress(progress.done, chunk.state), chunk.progress or 0.0, f"{self.label}: {chunk.message}"
        result = replace(work.result(dataset, chunk.state, chunk.stop), state=None)
        kept = result if self.then is None else self.then(result)
        return Progress((*progress.done, kept)), 0.0, self.label


@dataclass(frozen=True, slots=True)
class StagedWork:
    """Base of works in stages: a frozen dataclass of plain fields, with `plan` and `finish`.

    Attributes
    ----------
    dataset_id : str
    """

    dataset_id: str
    NAME: ClassVar[str] = "staged"

    @property
    def key(self) -> str:
        """Digest of everything that decides the result."""
        told = repr([(f.name, getattr(self, f.name)) for f in fields(self)])
        return f"{self.NAME}-{hashlib.blake2b(told.encode(), digest_size=12).hexdigest()}"

    def plan(self, dataset: Dataset) -> tuple[Step | Fit, ...]:
        """Return the stages."""
        raise NotImplementedError

    def finish(self, dataset: Dataset, done: tuple[Any, ...]) -> Any:
        """Turn the results of the first stages (all of them, or fewer) into the result; None if that is too few."""
        raise NotImplementedError

    def advance(self, dataset: Dataset, state: Progress | None, budget: float) -> Chunk:
        """Work for about `budget` seconds from `state` (None: the start) and return where it got to."""
        stages = self.plan(dataset)
        state = state or Progress()
        deadline = time.perf_counter() + budget
        share, message = 0.0, stages[0].label
        while len(state.done) < len(stages):
            left = max(deadline - time.perf_counter(), LEAST)
            state, share, message = stages[len(state.done)].go(state, left)
            if time.perf_counter() >= deadline:
                break
        finished = len(state.done) == len(stages)
        progress = (len(state.done) + share) / len(stages)
        return Chunk(state, Stop.CONVERGED if finished else Stop.RUNNING, min(progress, 1.0), message)

    def result(self, dataset: Dataset, state: Progress | None, stop: Stop) -> Any:
        """Turn any state, also an unfinished one, into the (partial) result."""
        return self.finish(dataset, state.done if state else ())


def run(work: StagedWork, dataset: Dataset) -> Any:
    """Do a whole work at once, in this thread."""
    chunk = work.advance(dataset, None, float("inf"))
    return work.result(dataset, chunk.state, chunk.stop)
