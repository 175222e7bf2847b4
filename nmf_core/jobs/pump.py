"""The one thread that moves jobs on: it alone talks to the workers.

Callbacks of futures only enqueue; the pump takes one event after the other, so there is one order of things. It changes
a job under the manager's lock and does what takes time (files, the pool) outside of it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from nmf_core.jobs.executors import Pool, PoolClosed
from nmf_core.jobs.job import Job, Turns
from nmf_core.jobs.parking import nbytes, unpark
from nmf_core.jobs.store import DatasetRef, Spool, folder_bytes
from nmf_core.jobs.task import Failure, Report, describe_failure, run_chunk
from nmf_core.types import Stop

log = logging.getLogger("nmf_core.jobs")

GRACE = 0.8
"""Seconds a chunk may go on after its job was stopped, before its worker is ended."""
PATIENCE = 1.0
"""Seconds a pool has to notice by itself that a worker died."""
TICK = 0.2
"""Seconds between two looks at what should have ended."""
OVERRUN = 1.0
"""A worker is only ended if its chunk has taken at least this long."""


@dataclass(eq=False, slots=True)
class Task:
    """One chunk under way."""

    name: str
    job: Job
    folder: str | None
    generation: int
    begun: float
    future: Future[Any] | None = None


class Pump:
    """Runs jobs on a pool.

    Parameters
    ----------
    pool, spool
    lock : Condition
        The manager's; notified on each change.
    clock : callable
        Monotonic seconds.
    on_end : callable
        Called (without the lock) with a job and the result when the work came to its own end.
    on_tick : callable
        Called about four times a second while there are jobs.
    budget, tries, watch : see the manager.
    """

    def __init__(
        self,
        pool: Pool,
        spool: Spool | None,
        lock: threading.Condition,
        clock: Callable[[], float],
        on_end: Callable[[Job, Any], None],
        on_tick: Callable[[], None],
        *,
        budget: float,
        tries: int,
        watch: float,
    ) -> None:
        self.pool, self.spool, self.lock, self.clock = pool, spool, lock, clock
        self._on_end, self._on_tick = on_end, on_tick
        self.budget, self.tries = budget, tries
        self._events: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._turns = Turns(watch)
        self._tasks: dict[str, Task] = {}
        self._meant: set[int] = set()  # generations in which the pump itself ended a worker
        self._names = count()
        self._looked = 0.0
        self._lost_since: float | None = None
        self._litter: list[str | None] = []  # folders that workers about to be ended may still write to
        self._live: set[Job] = set()
        self._thread: threading.Thread | None = None
        self._writer = ThreadPoolExecutor(1, "nmf-spool") if spool is not None else None

    # What others may call, from any thread.

    def start(self, job: Job) -> None:
        """Set a job going (again)."""
        self._put(partial(self._start, job))

    def stopped(self, job: Job) -> None:
        """Say that a job's ``stop`` was set by somebody else."""
        self._put(partial(self._stopped, job))

    def close(self) -> None:
        """End the thread; tasks under way are forgotten."""
        self._events.put(None)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(5)
        if self._writer is not None:
            self._writer.shutdown(wait=False, cancel_futures=True)

    @property
    def computing(self) -> int:
        """Chunks under way."""
        return len(self._tasks)

    def _put(self, event: Callable[[], None]) -> None:
        with self.lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="nmf-pump", daemon=True)
                self._thread.start()
        self._events.put(event)

    # The thread.

    def _run(self) -> None:
        while True:
            try:
                event = self._events.get(timeout=TICK if self._live or self._tasks else None)
            except queue.Empty:
                event = self._nothing
            if event is None:
                return
            try:
                event()
                if time.monotonic() - self._looked >= TICK:
                    self._looked = time.monotonic()
                    self._overdue()
                    self._lost()
                self._on_tick()
                self._dispatch()
            except Exception:  # one job's trouble must not stop the others
                log.exception("the pump met an error")

    def _nothing(self) -> None:
        """Time has passed."""

    def _start(self, job: Job) -> None:
        self._live.add(job)
        if job.task is not None or job.source is not None:  # still under way from before it was stopped
            self._ready(job)
        elif self._writer is None or self.spool is None:
            job.source = job.dataset
            self._ready(job)
        else:
            assert job.dataset is not None
            written = self._writer.submit(self.spool.put, job.dataset)
            written.add_done_callback(lambda done: self._events.put(partial(self._written, job, done)))

    def _written(self, job: Job, done: Future[DatasetRef]) -> None:
        error = done.exception()
        if error is not None:
            self._fail(job, describe_failure(error))
            return
        if job.source is not None:  # it was stopped and resumed while the data were written
            assert self.spool is not None
            self.spool.release(done.result())
        else:
            job.source = done.result()
        self._ready(job)

    def _ready(self, job: Job) -> None:
        if not job.running:
            self._settle(job)
        elif job.task is None and job.source is not None:
            with self.lock:
                self._turns.add(job)
                self._turns.publish_places()

    def _stopped(self, job: Job) -> None:
        self._turns.remove(job)
        self._settle(job)

    def _dispatch(self) -> None:
        while len(self._tasks) < self.pool.workers:
            with self.lock:
                job = self._turns.next(self.clock(), [task.job for task in self._tasks.values()])
                if job is None:
                    break
                name = f"{next(self._names)}"
                folder = self.spool.folder(name) if self.spool is not None else None
                task = Task(name, job, folder, self.pool.generation, self.clock())
                job.task = self._tasks[name] = task
                job.publish(place=0)
                self._turns.publish_places()
                arguments = (job.work, job.source, job.state, job.budget(self.budget), folder, self._threads())
            try:
                future = self._submit(*arguments)
            except PoolClosed:
                self._tasks.pop(name)
                job.task = None
                break
            except Exception as error:
                self._tasks.pop(name)
                job.task = None
                self._fail(job, describe_failure(error))
                continue
            task.future, task.generation = future, self.pool.generation
            future.add_done_callback(partial(self._report, task))

    def _threads(self) -> int:
        """Return how many threads a chunk may use: a job that is alone has all cores; results do not depend on it."""
        if not self.pool.cores:
            return 0
        return max(1, self.pool.cores // max(1, min(self.pool.workers, len(self._turns) + len(self._tasks))))

    def _report(self, task: Task, future: Future[Report]) -> None:
        self._events.put(partial(self._done, task, future))

    def _submit(self, *arguments: Any) -> Future[Any]:
        try:
            return self.pool.submit(run_chunk, *arguments)
        except BrokenExecutor:
            self.pool.rebuild()
            return self.pool.submit(run_chunk, *arguments)

    def _done(self, task: Task, future: Future[Report]) -> None:
        if self._tasks.get(task.name) is not task:
            _drop(task.folder)
            return
        try:
            report = future.result()
        except (BrokenExecutor, CancelledError):
            self._broken(task)
            return
        except BaseException as error:
            if type(error).__name__ == "KilledWorker":  # Dask's word for it
                self._broken(task)
                return
            report = Report(failure=describe_failure(error))
        del self._tasks[task.name]
        job = task.job
        job.task = None
        if report.failure is not None:
            if job.running:
                self._fail(job, report.failure)
            else:
                self._settle(job)
            return
        self._accept(job, task, report)

    def _accept(self, job: Job, task: Task, report: Report) -> None:
        ended = report.stop is not Stop.RUNNING
        if ended:
            try:
                result = unpark(report.result)
            except Exception as error:
                self._fail(job, describe_failure(error))
                return
            self._on_end(job, result)  # first, so that whoever sees the end finds the result
        old = job.state_folder
        with self.lock:
            job.state_folder = task.folder or ""
            if ended:
                job.stop = report.stop
            job.accept(report, self.clock())
            if ended:
                job.state = job.partial = job.work = job.dataset = None
            self.lock.notify_all()
        _drop(old)
        while self._litter:
            _drop(self._litter.pop())
        if ended:
            self._live.discard(job)
            self._release(job)
            _drop(job.state_folder)
        elif job.running:
            self._turns.add(job)
        else:
            self._settle(job)

    def _broken(self, first: Task) -> None:
        """A worker died: put back what was under way, and find out whose fault it was."""
        doomed = [first]
        if self.pool.shared_fate:
            doomed += [
                task
                for task in self._tasks.values()
                if task is not first and task.generation == first.generation and not _good(task.future)
            ]
        meant = first.generation in self._meant
        if first.generation == self.pool.generation:
            self.pool.rebuild()
        for task in doomed:
            self._tasks.pop(task.name, None)
            self._litter.append(task.folder)
            job = task.job
            with self.lock:
                job.task = None
                if not job.running:
                    pass
                elif not meant:
                    job.suspect = True
                    job.all_crashes += 1
                    job.crashes += len(doomed) == 1
                job.publish(retries=job.view.retries + 1)
                self.lock.notify_all()
            if not job.running:
                self._settle(job)
            elif job.crashes >= self.tries or job.all_crashes >= 4 * self.tries:
                failure = describe_failure(RuntimeError(f"{job.all_crashes} workers died while computing {job.key}"))
                words = "Its worker process was ended several times by the system, most likely because memory ran out"
                advice = "try fewer components or a smaller matrix"
                sentence = f"{words}; {advice}. The log has it as report {failure.report}."
                self._fail(job, Failure(sentence, failure.report, failure.details))
            else:
                self._turns.add(job, first=True)
        log.warning("a worker process ended; %d chunk(s) are computed again", len(doomed))

    def _fail(self, job: Job, failure: Failure) -> None:
        log.error("report %s: %s\n%s", failure.report, type(job.work).__name__, failure.details)
        with self.lock:
            job.stop, job.stopped_at = Stop.FAILED, self.clock()
            job.publish(message=failure.sentence, report=failure.report)
            self.lock.notify_all()
        self._settle(job)

    def _overdue(self) -> None:
        """End workers whose job was stopped and whose chunk does not come to an end."""
        now = self.clock()
        for task in list(self._tasks.values()):
            if task.job.running or now - task.job.stopped_at < GRACE or now - task.begun < OVERRUN:
                continue
            pid = None
            with contextlib.suppress(OSError, ValueError):
                pid = int(Path(f"{task.folder}.pid").read_text(encoding="ascii"))
            if pid is not None and self.pool.kill(pid):
                self._meant.add(task.generation)

    def _lost(self) -> None:
        """Give up a pool that has lost a worker and does not notice."""
        since, self._lost_since = self._lost_since, None
        if self._tasks and self.pool.lost():
            self._lost_since = since if since is not None else time.monotonic()
            if time.monotonic() - self._lost_since >= PATIENCE:
                self._lost_since = None
                self._broken(next(iter(self._tasks.values())))

    def _settle(self, job: Job) -> None:
        """Let go of what a stopped job no longer needs; its state stays."""
        if job.running or job.task is not None:
            return
        self._live.discard(job)
        self._release(job)
        size = folder_bytes(job.state_folder) if job.state_folder else nbytes(job.state)
        with self.lock:
            job.state_bytes = size
            job.publish()
            self.lock.notify_all()

    def _release(self, job: Job) -> None:
        source, job.source = job.source, None
        if isinstance(source, DatasetRef) and self.spool is not None:
            self.spool.release(source)


def _good(future: Future[Any] | None) -> bool:
    return future is not None and future.done() and not future.cancelled() and future.exception() is None


def _drop(folder: str | None) -> None:
    if folder:
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.remove(f"{folder}.pid")  # left by a worker that was killed
