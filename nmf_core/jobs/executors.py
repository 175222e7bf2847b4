"""Where chunks run: in the server process, in worker processes, or on anything with ``submit`` that returns futures.

All three look alike to the manager. To run on a cluster, hand over its executor (for Dask ``Client.get_executor()``):
the machines need this package and, through ``NMF_SPOOL``, one folder that all of them see.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from multiprocessing.connection import wait
from typing import Any, Protocol

from nmf_core.kernels.threads import cores

KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


class PoolClosed(RuntimeError):
    """No more tasks are taken, because the process is ending."""


class Pool(Protocol):
    """What the manager needs.

    Attributes
    ----------
    workers : int
        Chunks that may be under way at once.
    separate : bool
        Workers are other processes: data sets and big arrays go through files.
    shared_fate : bool
        When one worker dies, the chunks of all are lost.
    cores : int
        Cores its workers share, to be divided among the chunks under way; 0: their threads are not our business.
    generation : int
        Counts how often the pool was built.
    """

    workers: int
    separate: bool
    shared_fate: bool
    cores: int
    generation: int

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        """Start a call."""

    def rebuild(self) -> None:
        """Replace workers that are no more."""

    def kill(self, pid: int) -> bool:
        """End a worker that does not come back; False where that cannot be done."""

    def lost(self) -> bool:
        """Tell whether a worker is no more, noticed or not."""

    def warm(self) -> None:
        """Start workers now instead of with the first task."""

    def close(self) -> None:
        """End all workers."""


class InlinePool:
    """Runs each chunk at once in the submitting thread (the pump): for tests, or where processes are not allowed."""

    workers = 1
    separate = False
    shared_fate = False
    cores = 0
    generation = 0

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        """Run the call and return it done."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args))
        except BaseException as error:
            future.set_exception(error)
        return future

    def rebuild(self) -> None:
        """Nothing to do."""

    def kill(self, pid: int) -> bool:
        """Not possible."""
        return False

    def lost(self) -> bool:
        """Never."""
        return False

    def warm(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""


class ProcessPool:
    """Worker processes on this machine (loky: fresh interpreters that do not run the page script again).

    Parameters
    ----------
    workers : int, optional
        ``NMF_WORKERS``, else one for each core this process may use.
    root : str
        Folder of the spool; a worker removes it if it finds its parent gone.
    """

    separate = True
    shared_fate = True

    def __init__(self, workers: int | None = None, root: str = "") -> None:
        self.cores = cores()
        self.workers = max(1, workers or int(os.environ.get("NMF_WORKERS") or 0) or self.cores)
        self.generation = 0
        self.root = root
        self._lock = threading.Lock()
        self._pool: Any = None
        self._closed = False

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        """Queue the call; workers are started if there are none."""
        from loky.process_executor import ShutdownExecutorError

        with self._lock:
            pool = self._ready()
            try:
                return pool.submit(function, *args)
            except ShutdownExecutorError as error:
                raise PoolClosed from error  # the interpreter is ending

    def rebuild(self) -> None:
        """Forget a broken pool; the next task starts another."""
        with self._lock:
            old, self._pool = self._pool, None
            self.generation += 1
        if old is not None:
            _end(old, join=False)

    def lost(self) -> bool:
        """Tell whether a worker has died; loky mends that by itself unless the worker died in the middle of a message."""
        with self._lock:
            processes = [] if self._pool is None else list(self._pool._processes.values())
        return bool(processes and wait([process.sentinel for process in processes], timeout=0))

    def kill(self, pid: int) -> bool:
        """Kill one worker; the pool is broken then and is rebuilt."""
        with self._lock:
            mine = self._pool is not None and pid in self._pool._processes
        if mine:
            os.kill(pid, KILL)
        return mine

    def warm(self) -> None:
        """Start the workers and wait for the first one's imports."""
        self.submit(os.getpid).result()

    def close(self) -> None:
        """End all workers now."""
        with self._lock:
            self._closed = True
            pool, self._pool = self._pool, None
        if pool is not None:
            _end(pool, join=True)

    def _ready(self) -> Any:
        from loky import ProcessPoolExecutor

        from nmf_core.jobs.process import THREAD_VARIABLES, prepare_worker

        if self._closed:
            raise PoolClosed
        if self._pool is None:
            nice = int(os.environ.get("NMF_NICE") or 5)
            self._pool = ProcessPoolExecutor(
                self.workers,
                timeout=None,
                initializer=prepare_worker,
                initargs=(os.getpid(), self.root, nice),
                env=dict.fromkeys(THREAD_VARIABLES, "1"),
            )
        return self._pool


def _end(pool: Any, *, join: bool) -> None:
    """End a loky pool, also one whose manager thread hangs.

    A worker killed while it sends leaves half a message in the pipe, and the thread would wait for the other half for
    ever: this process holds the writing end too, so the pipe never ends. Closing our ends of both pipes frees the threads.
    """
    for pid in list(pool._processes):
        with contextlib.suppress(OSError):
            os.kill(pid, KILL)
    for queue, end in ((pool._result_queue, "_writer"), (pool._call_queue, "_reader")):
        with contextlib.suppress(OSError):
            getattr(queue, end).close()
    pool.shutdown(wait=join, kill_workers=True)


class ForeignPool:
    """Any executor of the ``concurrent.futures`` kind, for example Dask's ``Client.get_executor()``.

    Parameters
    ----------
    executor : Executor
        Stays the caller's: it is not shut down here.
    workers : int
    """

    separate = True
    shared_fate = False
    cores = 0
    generation = 0

    def __init__(self, executor: Executor, workers: int) -> None:
        self.workers = max(1, workers)
        self._executor = executor

    def submit(self, function: Callable[..., Any], *args: Any) -> Future[Any]:
        """Pass the call on."""
        return self._executor.submit(function, *args)

    def rebuild(self) -> None:
        """The executor's owner looks after its workers."""

    def kill(self, pid: int) -> bool:
        """Not ours to do."""
        return False

    def lost(self) -> bool:
        """Its futures tell."""
        return False

    def warm(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""


def make_pool(executor: str | Executor | None, workers: int | None, root: str) -> Pool:
    """Return the pool for ``"inline"``, ``"processes"`` or an executor object; None asks ``NMF_EXECUTOR``.

    Raises
    ------
    ValueError
        For another name.
    """
    choice = executor or os.environ.get("NMF_EXECUTOR") or "processes"
    if choice == "inline":
        return InlinePool()
    if choice == "processes":
        return ProcessPool(workers, root)
    if isinstance(choice, str):
        raise ValueError(f"executor: unknown {choice!r}; use 'processes' or 'inline', or hand over an executor object")
    return ForeignPool(choice, workers or getattr(choice, "_max_workers", 0) or os.cpu_count() or 1)
