"""How many threads may compute, and the pool they come from: the one place that decides.

Kernels release the GIL and run on ordinary Python threads; BLAS itself is always held to one thread, so no two thread
pools fight over the cores. Worker processes share the machine: whoever starts N of them gives each its share with
:func:`set_limit` or the variable ``NMF_EXPLORER_THREADS``.

Work is cut into parts by its shape alone, never by the number of threads, so results do not depend on that number.
"""

from __future__ import annotations

import math
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any

VARIABLE = "NMF_EXPLORER_THREADS"

_lock = threading.Lock()
_limit: int | None = None
_pool: ThreadPoolExecutor | None = None
_pool_size = 0
_blas: Any = None
_blas_libraries: tuple[bool, ...] = ()
_blas_users = 0
_blas_before: list[Any] = []


def cores() -> int:
    """Return the number of cores this process may use: its affinity, cut by the quota of its control group."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:  # macOS, Windows
        count = os.cpu_count() or 1
    try:
        with open("/sys/fs/cgroup/cpu.max") as file:
            quota, period = file.read().split()
        if quota != "max":
            count = min(count, max(1, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):
        pass
    return max(1, count)


def limit() -> int:
    """Return how many threads this process may compute on."""
    global _limit
    if _limit is None:
        try:
            wanted = int(os.environ.get(VARIABLE, ""))
        except ValueError:
            wanted = cores()
        _limit = max(1, min(wanted, cores()))
    return _limit


def set_limit(count: int | None) -> None:
    """Allow `count` threads from now on (never more than cores); None: decide anew from the environment."""
    global _limit
    _limit = None if count is None else max(1, min(int(count), cores()))


def run(function: Callable[..., Any], parts: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Call ``function(*part)`` for every part, on as many threads as allowed, and return the results in order.

    The calling thread takes part, so a busy pool delays nothing. The first error is raised after all parts ended.
    """
    threads = min(limit(), len(parts))
    if threads <= 1:
        return [function(*part) for part in parts]
    results: list[Any] = [None] * len(parts)
    waiting = deque(enumerate(parts))

    def drain() -> None:
        while True:
            try:
                i, part = waiting.popleft()
            except IndexError:
                return
            results[i] = function(*part)

    # NumPy keeps its error state in the context: helpers take that of the caller along.
    helpers = [_executor(threads - 1).submit(copy_context().run, drain) for _ in range(threads - 1)]
    try:
        drain()
    finally:
        errors = [helper.exception() for helper in helpers if not helper.cancel()]
    for error in errors:
        if error is not None:
            raise error
    return results


def _executor(size: int) -> ThreadPoolExecutor:
    global _pool, _pool_size
    with _lock:
        if _pool is None or _pool_size < size:
            _pool, _pool_size = ThreadPoolExecutor(max(size, limit() - 1), "nmf-kernel"), max(size, limit() - 1)
        return _pool


def _after_fork() -> None:
    """Forget the threads of the parent: they do not exist in a forked child."""
    global _pool, _pool_size, _lock, _limit, _blas_users, _blas_before
    _pool, _pool_size, _lock, _limit, _blas_users, _blas_before = None, 0, threading.Lock(), None, 0, []


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold every BLAS library to one thread for a while; overlapping users share one limit."""
    global _blas, _blas_libraries, _blas_users, _blas_before
    with _lock:
        if _blas_users == 0:
            if "scipy" in sys.modules:  # its own OpenBLAS must be loaded first, or it escapes the limit
                import scipy.linalg.cython_blas  # noqa: F401
            loaded = ("scipy.linalg.cython_blas" in sys.modules, "sklearn" in sys.modules, "torch" in sys.modules)
            if _blas is None or _blas_libraries != loaded:
                from threadpoolctl import ThreadpoolController

                found = ThreadpoolController().lib_controllers
                _blas, _blas_libraries = [library for library in found if library.user_api == "blas"], loaded
            _blas_before = [library.get_num_threads() for library in _blas]
            for library, count in zip(_blas, _blas_before, strict=True):
                if count != 1:
                    library.set_num_threads(1)
        _blas_users += 1
    try:
        yield
    finally:
        with _lock:
            _blas_users -= 1
            if _blas_users == 0:
                for library, count in zip(_blas, _blas_before, strict=True):
                    if count not in (1, None):
                        library.set_num_threads(count)
