"""Long computing for many visitors: each work is a chain of short chunks on a few workers."""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

from nmf_core.jobs.executors import make_pool
from nmf_core.jobs.job import Job
from nmf_core.jobs.parking import unpark
from nmf_core.jobs.pump import Pump
from nmf_core.jobs.results import Results
from nmf_core.jobs.store import Spool
from nmf_core.jobs.task import describe_failure
from nmf_core.jobs.view import FINISHED, JobView
from nmf_core.types import Dataset, Stop, Work, is_sparse

log = logging.getLogger("nmf_core.jobs")

STOPPED_JOBS = 100
INLINE_CELLS = 2_000_000


class QueueFull(RuntimeError):
    """Too many computations are under way; the sentence is for the visitor."""


class Manager:
    """Runs works, computes equal ones once, and remembers results.

    Parameters
    ----------
    executor : {"processes", "inline"} or Executor, optional
        Where chunks run; ``NMF_EXECUTOR``, else ``"processes"``.
    workers : int, optional
        Chunks at once; ``NMF_WORKERS``, else the number of cores.
    budget : float
        Seconds of a chunk.
    lease : float
        A job nobody has looked at for so many seconds is stopped; its state stays. Longer than a minute, because a
        browser lets a hidden tab act once a minute only.
    watch : float
        Jobs looked at within so many seconds go first (a page looks twice a second).
    max_jobs, max_per_owner : int
        Jobs under way in all and for one visitor (``owner=""`` has no limit of its own).
    result_bytes, state_bytes, spool_bytes : int
        Limits of finished results in memory, of states of stopped jobs, and of data sets on disk.
    tries : int
        A job whose worker dies so many times on the same chunk has failed.

    Notes
    -----
    Visitors who ask for an equal key share one job. ``cancel`` takes one visitor out: the job stops only when no other
    is left, and to the one who cancelled it looks cancelled all the same.
    """

    def __init__(
        self,
        executor: str | Executor | None = None,
        *,
        workers: int | None = None,
        budget: float = 0.25,
        lease: float = 180.0,
        watch: float = 3.0,
        max_jobs: int = 64,
        max_per_owner: int = 6,
        result_bytes: int = 512_000_000,
        state_bytes: int = 2_000_000_000,
        spool_bytes: int = 4_000_000_000,
        tries: int = 3,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        pool = make_pool(executor, workers, "")
        self._spool = Spool(max_bytes=spool_bytes) if pool.separate else None
        if self._spool is not None and hasattr(pool, "root"):
            pool.root = self._spool.root
        self.lease, self.watch, self.max_jobs, self.max_per_owner = lease, watch, max_jobs, max_per_owner
        self.state_bytes = state_bytes
        self._clock = clock
        self._lock = threading.Condition(threading.RLock())
        self._jobs: dict[str, Job] = {}
        self._inline: dict[str, threading.Event] = {}
        self._results = Results(result_bytes, self._forget)
        self._pool = pool
        self._pump = Pump(
            pool, self._spool, self._lock, clock, self._ended, self._tick, budget=budget, tries=tries, watch=watch
        )
        self._closed = False
        atexit.register(self.shutdown)

    # Starting.

    def submit(
        self, work: Work, dataset: Dataset, *, owner: str = "", state: Any = None, seconds: float = 0.0
    ) -> JobView:
        """Compute `work`, or join the job that does so already; safe to call on every page run.

        A job that this visitor cancelled, or that failed, is not started again: that is what :meth:`resume` is for. One
        that others cancelled or that was abandoned goes on where it was.

        Parameters
        ----------
        owner : str
            The visitor, for example the session's id.
        state : object, optional
            Where to start instead of at the beginning (`seconds` of computing were spent on it).

        Raises
        ------
        QueueFull
            If too much is under way; the message is for the visitor.
        ValueError
            If `dataset` is not the one the work is for.
        """
        if work.dataset_id and work.dataset_id != dataset.id:
            raise ValueError(f"dataset: the work is for data set {work.dataset_id}, not {dataset.id}")
        key = work.key
        with self._lock:
            if self._closed:
                raise QueueFull("The server is shutting down.")
            job = self._jobs.get(key)
            if job is not None and not (job.stop in FINISHED and self._results.get(key) is None):
                if owner in job.left:
                    return self._seen_by(job, owner)
                job.viewers[owner] = self._clock()
                job.publish()
                if job.running or job.stop in FINISHED or job.stop is Stop.FAILED:
                    return job.view
                return self._restart(job)
            self._make_room(owner)
            job = Job(key, work, dataset, state=state, view=JobView(key, seconds=seconds))
            job.viewers[owner] = self._clock()
            job.publish()
            self._jobs[key] = job
            self._pump.start(job)
            return job.view

    def run_inline(self, work: Work, dataset: Dataset, *, owner: str = "", seconds: float = 0.25) -> Any | None:
        """Return the result at once if it is known or takes no longer than `seconds`; else see that it is computed.

        The caller's thread computes for up to `seconds`; what it got done is handed over, nothing is computed twice.
        Big data, and works with ``inline = False``, go to the workers right away.

        Returns
        -------
        object or None
            The finished result. None: look at :meth:`peek` (it runs, or it failed).

        Raises
        ------
        QueueFull, ValueError
            As :meth:`submit`.
        """
        key = work.key
        result = self.result(key)
        if result is not None:
            return result
        with self._lock:
            taken = key in self._jobs or not getattr(work, "inline", True) or _cells(dataset) > INLINE_CELLS
            other = self._inline.get(key)
            if not taken and other is None:
                mine = self._inline[key] = threading.Event()
        if taken:
            self.submit(work, dataset, owner=owner)
            return self.result(key)
        if other is not None:
            other.wait(4 * seconds)
            result = self.result(key)
            if result is None:
                self.submit(work, dataset, owner=owner)
            return result
        try:
            return self._compute_here(work, dataset, owner, seconds)
        finally:
            with self._lock:
                self._inline.pop(key, None)
            mine.set()

    def resume(self, key: str, *, owner: str = "") -> JobView | None:
        """Let a cancelled, abandoned or failed job go on from its state; None if it is no longer known."""
        with self._lock:
            job = self._jobs.get(key)
            if job is None:
                return None
            job.left.discard(owner)
            job.viewers[owner] = self._clock()
            job.publish()
            return self._restart(job) if job.view.resumable else job.view

    # Looking.

    def peek(self, key: str, *, owner: str | None = None) -> JobView | None:
        """Return the present snapshot of a job, as `owner` sees it; None if it is not known (any more)."""
        job = self._jobs.get(key)
        if job is None:
            return None
        return job.view if owner is None else self._seen_by(job, owner)

    def touch(self, key: str, *, owner: str = "") -> JobView | None:
        """Say that a visitor is looking, which keeps the job alive, and return what they see."""
        with self._lock:
            job = self._jobs.get(key)
            if job is None:
                return None
            if owner not in job.left:
                job.viewers[owner] = self._clock()
                job.publish()
            return self._seen_by(job, owner)

    def touch_owner(self, owner: str) -> None:
        """Keep all jobs of a visitor alive who is active, on whatever page; jobs in sight still go first."""
        with self._lock:
            alive = self._clock() - self.watch - 1
            for job in self._jobs.values():
                if job.running and owner in job.viewers:
                    job.viewers[owner] = max(job.viewers[owner], alive)

    def result(self, key: str) -> Any | None:
        """Return the result of a work that came to its end; None otherwise."""
        return self._results.get(key)

    def partial(self, key: str) -> Any | None:
        """Return what there is: the finished result, or one made from the latest state; None before the first chunk.

        Costs what ``Work.result`` costs, once for each new state; for a big state also the reading of it.
        """
        for _ in range(5):
            result = self._results.get(key)
            job = self._jobs.get(key)
            if result is not None or job is None:
                return result
            with self._lock:
                state, stop, view, work, dataset = job.state, job.stop, job.view, job.work, job.dataset
            if state is None or work is None or dataset is None:
                continue  # it has just ended, or has not begun
            if job.partial is not None and job.partial[0] == (view.chunks, stop):
                return job.partial[1]
            try:
                result = work.result(dataset, unpark(state), stop)
            except FileNotFoundError:
                continue  # the next chunk came in between
            job.partial = ((view.chunks, stop), result)
            return result
        return None

    def wait(self, key: str, timeout: float = 60.0) -> JobView | None:
        """Wait until a job no longer runs and nothing of it is under way; for scripts and tests."""
        end = time.monotonic() + timeout
        with self._lock:
            while True:
                job = self._jobs.get(key)
                left = end - time.monotonic()
                idle = job is None or (not job.running and job.task is None)
                if idle or left <= 0:
                    return None if job is None else job.view
                self._lock.wait(min(left, 0.5))

    def stats(self) -> dict[str, int]:
        """Return counts for a status page and for load tests."""
        with self._lock:
            return {
                "workers": self._pool.workers,
                "computing": self._pump.computing,
                "running": sum(job.running for job in self._jobs.values()),
                "known": len(self._jobs),
                "results": len(self._results),
                "result_bytes": self._results.bytes,
                "spool_bytes": self._spool.bytes() if self._spool is not None else 0,
            }

    # Stopping.

    def cancel(self, key: str, *, owner: str = "") -> JobView | None:
        """Take one visitor out; the job itself stops (within a second) when no other visitor is left."""
        with self._lock:
            job = self._jobs.get(key)
            if job is None:
                return None
            if job.running:
                job.viewers.pop(owner, None)
                job.left.add(owner)
                if not job.viewers:
                    self._stop(job, Stop.CANCELLED)
                job.publish()
            return self._seen_by(job, owner)

    def warm(self) -> None:
        """Start the workers in the background, so that the first job does not wait for their imports."""

        def start() -> None:
            try:
                self._pool.warm()
            except Exception:
                if not self._closed:
                    log.exception("the workers could not be started")

        threading.Thread(target=start, name="nmf-warm", daemon=True).start()

    def shutdown(self) -> None:
        """Stop everything and remove all files."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        atexit.unregister(self.shutdown)
        self._pump.close()
        self._pool.close()
        if self._spool is not None:
            self._spool.close()

    # Inside.

    def _compute_here(self, work: Work, dataset: Dataset, owner: str, seconds: float) -> Any | None:
        begin = time.perf_counter()
        state, stop = None, Stop.RUNNING
        try:
            while stop is Stop.RUNNING:
                left = seconds - (time.perf_counter() - begin)
                if left <= 0.2 * seconds:
                    break
                chunk = work.advance(dataset, state, left)
                state, stop = chunk.state, chunk.stop
            result = None if stop is Stop.RUNNING else work.result(dataset, state, stop)
        except Exception as error:
            failure = describe_failure(error)
            log.error("report %s: %s\n%s", failure.report, type(work).__name__, failure.details)
            self._record(work, dataset, owner, Stop.FAILED, message=failure.sentence, report=failure.report)
            return None
        spent = time.perf_counter() - begin
        if stop is Stop.RUNNING:
            self.submit(work, dataset, owner=owner, state=state, seconds=spent)
            return None
        self._results.put(work.key, result)
        self._record(
            work, dataset, owner, stop, progress=chunk.progress, message=chunk.message, seconds=spent, chunks=1
        )
        return result

    def _record(self, work: Work, dataset: Dataset, owner: str, stop: Stop, **view: Any) -> None:
        job = Job(work.key, work, dataset, stop=stop, view=JobView(work.key))
        if stop in FINISHED:
            job.work = job.dataset = None
        with self._lock:
            job.viewers[owner] = self._clock()
            job.publish(**view)
            self._jobs[job.key] = job
            self._lock.notify_all()

    def _restart(self, job: Job) -> JobView:
        job.stop = Stop.RUNNING
        job.suspect, job.crashes, job.all_crashes, job.last_end = False, 0, 0, None
        job.publish(report="", eta=None)
        self._pump.start(job)
        return job.view

    def _stop(self, job: Job, stop: Stop) -> None:
        job.stop, job.stopped_at = stop, self._clock()
        job.publish(eta=None, place=0)
        self._lock.notify_all()
        self._pump.stopped(job)

    def _seen_by(self, job: Job, owner: str) -> JobView:
        if owner in job.left and job.stop in (Stop.RUNNING, Stop.ABANDONED):
            return replace(job.view, stop=Stop.CANCELLED, eta=None, place=0)
        return job.view

    def _make_room(self, owner: str) -> None:
        """Stop jobs nobody looks at where a limit is reached, or refuse."""
        now = self._clock()
        running = [job for job in self._jobs.values() if job.running]
        unseen = sorted((job for job in running if job.last_look < now - self.watch), key=lambda job: job.last_look)
        own = [job for job in running if owner in job.viewers]
        if owner and len(own) >= self.max_per_owner:
            free = [job for job in unseen if list(job.viewers) == [owner]]
            if not free:
                raise QueueFull(
                    f"You have {len(own)} computations under way, which is the limit; wait for one or cancel one."
                )
            self._stop(free[0], Stop.ABANDONED)
        elif len(running) >= self.max_jobs:
            if not unseen:
                raise QueueFull(f"The server is busy with {len(running)} computations; try again in a minute.")
            self._stop(unseen[0], Stop.ABANDONED)

    def _tick(self) -> None:
        now = self._clock()
        with self._lock:
            for job in self._jobs.values():
                if not job.running:
                    continue
                gone = [owner for owner, look in job.viewers.items() if look < now - self.lease]
                for owner in gone:
                    del job.viewers[owner]
                if not job.viewers:
                    self._stop(job, Stop.ABANDONED)
                elif gone:
                    job.publish()
        self._trim()

    def _ended(self, job: Job, result: Any) -> None:
        self._results.put(job.key, result)

    def _forget(self, key: str) -> None:
        with self._lock:
            job = self._jobs.get(key)
            if job is not None and job.stop in FINISHED:
                del self._jobs[key]

    def _trim(self) -> None:
        """Keep the number and size of stopped jobs within limits, oldest first; finished ones go with their result."""
        with self._lock:
            stopped = [job for job in self._jobs.values() if not job.running and job.stop not in FINISHED]
            stopped = [job for job in stopped if job.task is None]
            size = sum(job.state_bytes for job in stopped)
            gone: list[Job] = []
            for job in stopped[:-1]:
                if size <= self.state_bytes and len(stopped) - len(gone) <= STOPPED_JOBS:
                    break
                size -= job.state_bytes
                gone.append(job)
                del self._jobs[job.key]
        for job in gone:
            if job.state_folder:
                shutil.rmtree(job.state_folder, ignore_errors=True)


def _cells(dataset: Dataset) -> int:
    return int(dataset.X.nnz) if is_sparse(dataset.X) else int(dataset.X.size)


_manager: Manager | None = None
_manager_pid = 0
_manager_lock = threading.Lock()


def manager() -> Manager:
    """Return the manager of this process, made on first use; no cache that visitors can clear holds it."""
    global _manager, _manager_pid
    with _manager_lock:
        if _manager is None or _manager._closed or _manager_pid != os.getpid():
            _manager, _manager_pid = Manager(), os.getpid()
        return _manager


def shutdown() -> None:
    """Shut the manager of this process down, if there is one; the next :func:`manager` is a new one."""
    global _manager
    with _manager_lock:
        old, _manager = _manager, None
    if old is not None and _manager_pid == os.getpid():
        old.shutdown()
