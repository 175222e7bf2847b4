"""The manager's own record of a job, and whose turn it is."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from nmf_core.jobs.store import DatasetRef
from nmf_core.jobs.task import Report
from nmf_core.jobs.view import JobView
from nmf_core.types import Dataset, Stop, Work

FIRST_BUDGET = 0.1
MAX_BUDGET = 0.6
UNWATCHED_TURN = 4


@dataclass(slots=True, eq=False)
class Job:
    """Mutable; whoever changes it holds the manager's lock.

    Attributes
    ----------
    viewers : dict of str to float
        Visitor -> when they last looked (monotonic seconds).
    left : set of str
        Visitors who cancelled it for themselves.
    suspect : bool
        A worker died while it was computing: it computes alone until it has finished a chunk, so that the guilty job is
        found and others are not blamed.
    crashes : int
        Workers that died since the last good chunk while nothing else was computing.
    """

    key: str
    work: Work | None
    dataset: Dataset | None
    source: Dataset | DatasetRef | None = None
    state: Any = None
    state_folder: str = ""
    state_bytes: int = 0
    stop: Stop = Stop.RUNNING
    viewers: dict[str, float] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)
    task: Any = None
    stopped_at: float = 0.0
    suspect: bool = False
    crashes: int = 0
    all_crashes: int = 0
    overhead: float = 0.0
    pace: float = 0.0
    last_end: float | None = None
    partial: tuple[Any, Any] | None = None
    view: JobView = field(default_factory=lambda: JobView(""))

    @property
    def running(self) -> bool:
        """It waits or computes."""
        return self.stop is Stop.RUNNING

    @property
    def last_look(self) -> float:
        """When somebody looked at it last."""
        return max(self.viewers.values(), default=0.0)

    def budget(self, usual: float) -> float:
        """Seconds for the next chunk: short at first, so that news comes early; longer where moving states is dear."""
        if self.state is None:
            return min(usual, FIRST_BUDGET)
        return max(usual, min(MAX_BUDGET, 3 * self.overhead))

    def publish(self, **changes: Any) -> None:
        """Replace the snapshot that others see, if anything changed."""
        now = replace(self.view, stop=self.stop, viewers=len(self.viewers), has_state=self.state is not None, **changes)
        if now != self.view:
            self.view = replace(now, version=self.view.version + 1)

    def accept(self, report: Report, now: float) -> None:
        """Take over what a chunk brought."""
        old, new = self.view.progress, report.progress
        if old is not None and new is not None and new > old and self.last_end is not None and now > self.last_end:
            pace = (new - old) / (now - self.last_end)
            self.pace = pace if self.pace == 0 else 0.7 * self.pace + 0.3 * pace
        self.last_end = now
        self.state, self.overhead = report.state, report.overhead
        self.suspect, self.crashes = False, 0
        self.publish(
            progress=report.progress,
            message=report.message,
            seconds=self.view.seconds + report.seconds,
            eta=(1 - new) / self.pace if self.pace > 0 and new is not None else None,
            place=0,
            chunks=self.view.chunks + 1,
            news=report.news,
        )


class Turns:
    """Jobs that wait for a worker: in turn, those somebody looks at first.

    Jobs out of sight (another page is open, a slider was moved on) get every fourth turn, so that they neither stand
    still nor hold up what people wait for.
    """

    def __init__(self, watch: float) -> None:
        self.watch = watch
        self._ready: deque[Job] = deque()
        self._given = 0

    def __len__(self) -> int:
        return len(self._ready)

    def add(self, job: Job, *, first: bool = False) -> None:
        """Queue a job, at the end or (a chunk was lost) at the front."""
        if job not in self._ready:
            self._ready.appendleft(job) if first else self._ready.append(job)

    def remove(self, job: Job) -> None:
        """Take a job out."""
        if job in self._ready:
            self._ready.remove(job)

    def next(self, now: float, computing: Sequence[Job]) -> Job | None:
        """Take out the job whose turn it is; None if none may start now."""
        if not self._ready or any(job.suspect for job in computing):
            return None
        chosen = next((job for job in self._ready if job.suspect), None)
        if chosen is not None and computing:
            return None  # it must be alone
        if chosen is None:
            seen = next((job for job in self._ready if job.last_look >= now - self.watch), None)
            unseen = next((job for job in self._ready if job.last_look < now - self.watch), None)
            turn_of_unseen = self._given % UNWATCHED_TURN == UNWATCHED_TURN - 1
            chosen = (unseen or seen) if turn_of_unseen else (seen or unseen)
            if seen is not None and unseen is not None:
                self._given += 1
        assert chosen is not None
        self._ready.remove(chosen)
        return chosen

    def publish_places(self) -> None:
        """Tell jobs that have not had a turn yet where they stand."""
        for place, job in enumerate((job for job in self._ready if job.view.chunks == 0), start=1):
            if job.view.place != place:
                job.publish(place=place)
