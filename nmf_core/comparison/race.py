"""Solvers, losses and starts on one problem: every run one after the other, on one thread, its code compiled before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nmf_core import kernels
from nmf_core.comparison.reference import calls, obstacle
from nmf_core.comparison.run import Run, yardsticks
from nmf_core.fit import fit, one_thread
from nmf_core.kernels import threads
from nmf_core.kernels.compiling import FAMILIES
from nmf_core.staged import Fit, Progress, StagedWork, Step
from nmf_core.types import Dataset, FitRequest, FitResult

_warm: set[tuple[Any, ...]] = set()  # what this process has compiled or loaded; decides nothing but the time


@contextmanager
def one_core() -> Iterator[None]:
    """Hold kernels and linear algebra to one thread: scikit-learn's coordinate descent has no more either."""
    before = threads.limit()
    threads.set_limit(1)
    try:
        with one_thread():
            yield
    finally:
        threads.set_limit(before)


@dataclass(frozen=True, slots=True)
class TimedFit(Fit):
    """A fit that is measured: on one thread, and with its code warm in the very process that runs it.

    Chunks of one work may run in different worker processes, so warming is looked after here and not in a stage.
    """

    def go(self, progress: Progress, budget: float) -> tuple[Progress, float, str]:
        with one_core():
            dataset, request = self.make(progress.done)
            warm(dataset, request)
            # `super()` without arguments does not survive the copy of a dataclass with slots.
            return Fit.go(self, progress, budget)


def warm(dataset: Dataset, request: FitRequest) -> None:
    """Load the compiled code (compiling it, at the first start of an installation) and go through it, once per process.

    Twenty iterations and one more also take the compiled loop between two looks at the stopping rule.
    """
    kind = (request.solver, request.beta, dataset.X.dtype.str, hasattr(dataset.X, "indptr"), dataset.mask is not None)
    if kind not in _warm:
        kernels.warm_up([family for family in FAMILIES if family != "heldout"], (dataset.X.dtype,), wait=True)
        few = request.with_(dataset_id=dataset.id, init="random", max_iter=21, tol=0.0, n_restarts=1)
        fit(dataset, few.with_(time_limit=1.0))
        _warm.add(kind)


@dataclass(frozen=True, slots=True)
class RaceWork(StagedWork):
    """Run requests one after the other; for every loss among them, scikit-learn itself from the first one's start.

    Attributes
    ----------
    requests : tuple of FitRequest
        On one data set.
    """

    requests: tuple[FitRequest, ...] = ()
    NAME: ClassVar[str] = "race"
    inline: ClassVar[bool] = False  # the thread that draws the page must not wait for a compiler

    def plan(self, dataset: Dataset) -> tuple[Step | Fit, ...]:
        """All runs of the first loss and its reference, then the next loss."""
        stages: list[Step | Fit] = []
        for loss, group in self._groups():
            for request in group:
                label = f"{loss}: {request.solver} from {request.init}, seed {request.seed}"

                def make(done: Any, request: FitRequest = request) -> tuple[Dataset, FitRequest]:
                    return dataset, request

                def kept(result: FitResult) -> Run:
                    return _kept(dataset, result)

                stages.append(TimedFit(label, make, kept))
            stages += self._reference(dataset, group[0])
        return tuple(stages)

    def _groups(self) -> list[tuple[str | float, list[FitRequest]]]:
        losses = dict.fromkeys(r.loss for r in self.requests)
        return [(loss, [r for r in self.requests if r.loss == loss]) for loss in losses]

    @staticmethod
    def _reference(dataset: Dataset, request: FitRequest) -> list[Step | Fit]:
        if obstacle(dataset):
            return []
        stages: list[Step | Fit] = []
        for step in calls(dataset, request):

            def timed(done: Any, step: Any = step) -> Run:
                with one_core():
                    return step(done[-1] if done[-1].own else None)

            stages.append(Step(f"{request.loss}: scikit-learn itself", timed))
        return stages

    def finish(self, dataset: Dataset, done: tuple[Any, ...]) -> tuple[Run, ...] | None:
        """Return the runs so far; of the calls of scikit-learn for one loss, the last."""
        runs: list[Run] = []
        for run in done:
            if runs and run.own and runs[-1].own:
                runs.pop()
            runs.append(run)
        return tuple(runs) or None


def _kept(dataset: Dataset, result: FitResult) -> Run:
    """Return what is needed of a result; its state travels between processes several times a second."""
    error, divergence = yardsticks(dataset, result.W, result.H)
    seconds = result.trace.seconds - result.trace.seconds[0]  # the start is the same for all of them: not counted
    return Run(
        request=result.request,
        iterations=np.arange(len(seconds)),
        losses=result.trace.loss,
        seconds=seconds,
        H=result.H.astype(np.float32),
        ended=str(result.stop),
        error=error,
        divergence=divergence,
    )
