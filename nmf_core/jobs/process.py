"""How a process must be set up so that chunks give the same bits wherever they run: one thread for linear algebra."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import shutil
import signal
import sys
import threading
import time

THREAD_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)
WARM = ("nmf_core.fit", "nmf_core.kernels", "nmf_core.solvers")

_limits: list[object] = []


def one_thread() -> None:
    """Limit BLAS, OpenMP and Numba of this process to one thread; libraries loaded later follow the environment.

    Sums in another order give other last bits: one thread makes a run in the server, in a worker, whole or in chunks
    the same, and N workers fit on N cores.
    """
    for name in THREAD_VARIABLES:
        os.environ[name] = "1"
    # SciPy brings an OpenBLAS of its own; it must be loaded before the limit is set, or it escapes.
    importlib.import_module("scipy.linalg.cython_blas")
    from threadpoolctl import threadpool_limits

    _limits[:] = [threadpool_limits(1)]
    if "numba" in sys.modules:
        config = importlib.import_module("numba.core.config")
        with contextlib.suppress(RuntimeError):  # its threads run already: they cannot become fewer, only idle
            config.reload_config()
        with contextlib.suppress(ValueError):
            sys.modules["numba"].set_num_threads(1)


def ensure_one_thread() -> None:
    """As :func:`one_thread`, once: workers of a foreign executor come unprepared."""
    if not _limits:
        one_thread()


def prepare_worker(parent: int, root: str, nice: int) -> None:
    """Set up a fresh worker process: one thread, low priority, imports done, gone when its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends its workers itself
    if nice and hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(nice)
    threading.Thread(target=_watch, args=(parent, root), name="parent-watch", daemon=True).start()
    one_thread()
    for name in WARM:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()


def _watch(parent: int, root: str) -> None:
    """End this process, and remove the folder of the parent, once the parent is no longer there."""
    if os.name == "nt":
        import _winapi

        handle = _winapi.OpenProcess(0x00100000, False, parent)  # type: ignore[attr-defined,unused-ignore]
        _winapi.WaitForSingleObject(handle, 0xFFFFFFFF)  # type: ignore[attr-defined,unused-ignore]
    else:
        while os.getppid() == parent:
            time.sleep(0.5)
    shutil.rmtree(root, ignore_errors=True)
    os._exit(0)
