"""When kernels are compiled, where the result is kept, and which may be used now.

Numba's cache on disk makes the difference between 0.1 s and half a minute. It lies beside the source where that can
be written, else in the user's cache folder, else in a private folder for temporary files. The first start of an
installation fills it from a child process, so the compiler never competes with a visitor for the interpreter lock.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent
MARK = "nmf-kernels-"
# Family of kernels → module with the compiled functions and `signatures(dtype)`.
FAMILIES = {
    "survey": "nmf_core.kernels._survey",
    "dense": "nmf_core.kernels._dense",
    "sparse": "nmf_core.kernels._sparse",
    "divergence": "nmf_core.kernels._divergence",
    "counts": "nmf_core.kernels._counts",
    "known": "nmf_core.kernels._known",
    "heldout": "nmf_core.kernels._heldout",
}
_DTYPES = ("float64", "float32")

_lock = threading.Lock()
_loaded: dict[tuple[str, str], dict[str, Any]] = {}  # (family, dtype) → functions, empty when they cannot be had
_started: dict[tuple[str, str], threading.Event] = {}
_silenced = 0


@cache
def _name(dtype: Any) -> str:
    return str(np.dtype(dtype))


def enabled() -> bool:
    """Tell whether compiled kernels may be used at all: Numba is installed and neither switched off there nor here."""
    off = (os.environ.get("NUMBA_DISABLE_JIT", "0"), os.environ.get("NMF_EXPLORER_KERNELS", "1"))
    return off[0] in ("", "0") and off[1] != "0" and importlib.util.find_spec("numba") is not None


@contextmanager
def twins_only() -> Iterator[None]:
    """Let the NumPy twins answer while this lasts, in the whole process: for tests and comparisons."""
    global _silenced
    _silenced += 1
    try:
        yield
    finally:
        _silenced -= 1


def get(family: str, name: str, dtype: Any, patience: float = 0.0) -> Callable[..., Any] | None:
    """Return a compiled function, or None while (or where) the twin must answer.

    The first call starts loading in the background. `patience` is how many seconds to wait for that, if the compiled
    form lies in the cache already: worth it before long computations. Waiting changes no result.
    """
    key = (family, _name(dtype))
    if _silenced or key[1] not in _DTYPES:
        return None
    functions = _loaded.get(key)
    if functions is None:
        done = _start(key)
        if patience > 0 and not done.is_set() and _is_cached(key):
            done.wait(patience)
        functions = _loaded.get(key)
    return None if functions is None else functions.get(name)


def patience(work: float) -> float:
    """Return how many seconds it pays to wait for kernels that lie in the cache, by the multiplications ahead."""
    return 3.0 if work > 2e7 else 0.0


def ready(family: str, dtype: Any = "float64") -> bool:
    """Tell whether a family of kernels is loaded, without starting anything."""
    return bool(_loaded.get((family, _name(dtype))))


def status() -> dict[str, str]:
    """Return what every family is doing, in words, by family and dtype."""
    words = {}
    for family in FAMILIES:
        for dtype in _DTYPES:
            key = (family, dtype)
            if not enabled():
                word = "off"
            elif key in _loaded:
                word = "ready" if _loaded[key] else "failed; NumPy answers"
            else:
                word = "loading" if key in _started else "not started"
            words[f"{family} {dtype}"] = word
    return words


def warm_up(families: Any = None, dtypes: Any = _DTYPES, *, wait: bool = False) -> None:
    """Load kernels in the background (all by default); `wait` returns only when they can be used."""
    events = [_start((family, _name(dtype))) for family in families or FAMILIES for dtype in dtypes]
    if wait:
        for event in events:
            event.wait()


def _start(key: tuple[str, str]) -> threading.Event:
    """Start loading a family unless it has been started, and return the event that tells its end."""
    with _lock:
        if key in _started:
            return _started[key]
        event = _started[key] = threading.Event()
        if not enabled():
            _loaded[key] = {}
            event.set()
            return event
    threading.Thread(target=_load, args=(key, event), name=f"nmf-kernels-{key[0]}-{key[1]}", daemon=True).start()
    return event


_one_at_a_time = threading.Lock()


def _load(key: tuple[str, str], event: threading.Event) -> None:
    """Compile or load one family; runs in a background thread."""
    functions: dict[str, Any] = {}
    try:
        with _one_at_a_time:
            _choose_cache()
            if not _is_cached(key):
                with _alone(key):
                    if not _is_cached(key):
                        _compile_in_child(key)
            functions = _compile(key)
    except Exception:  # whatever goes wrong in a compiler, the twin still answers; status() tells
        functions = {}
    finally:
        _loaded[key] = functions
        event.set()


@contextmanager
def _alone(key: tuple[str, str]) -> Iterator[None]:
    """Let one process of this machine fill the cache while the others wait: a server and its workers start together."""
    lock, mine = _mark(key).with_suffix(".lock"), False
    for _ in range(1200):  # ten minutes
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
            mine = True
            break
        except FileExistsError:
            if _is_cached(key):
                break
            try:
                if time.time() - lock.stat().st_mtime > 600:  # left behind by a process that was killed
                    lock.unlink(missing_ok=True)
            except OSError:
                continue
            time.sleep(0.5)
        except OSError:  # nowhere to write: everybody compiles for themselves
            break
    try:
        yield
    finally:
        if mine:
            with suppress(OSError):
                lock.unlink(missing_ok=True)


def _compile(key: tuple[str, str]) -> dict[str, Any]:
    """Compile a family for one dtype in this process, from the cache where it is there."""
    module = import_module(FAMILIES[key[0]])
    functions = {}
    for name, signature in module.signatures(np.dtype(key[1])).items():
        function = getattr(module, name)
        function.compile(signature)
        functions[name] = _locking(function, signature)
    return functions


def _locking(function: Callable[..., Any], signature: tuple[Any, ...]) -> Callable[..., Any]:
    """Return a function that passes on views which cannot be written to where its signature says they need not be.

    Numba takes an array that can be written to for another type: the first such call would compile the function once more,
    for seconds, in the middle of a fit.
    """
    places = [i for i, kind in enumerate(signature) if _is_locked(kind)]
    tuples = [i for i, kind in enumerate(signature) if any(_is_locked(part) for part in getattr(kind, "types", ()))]

    def call(*arguments: Any) -> Any:
        given = list(arguments)
        for i in places:
            given[i] = _locked(given[i])
        for i in tuples:
            given[i] = tuple(_locked(part) if isinstance(part, np.ndarray) else part for part in given[i])
        return function(*given)

    return call


def _is_locked(kind: Any) -> bool:
    return hasattr(kind, "layout") and not kind.mutable


def _locked(array: Any) -> Any:
    view = array.view()
    view.flags.writeable = False
    return view


def _compile_in_child(key: tuple[str, str]) -> None:
    """Fill the cache from a child process of low priority; on failure the caller compiles by itself."""
    code = f"from nmf_core.kernels.compiling import fill_cache; fill_cache({key[0]!r}, {key[1]!r})"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(FOLDER.parent.parent), *filter(None, sys.path)])}
    if getattr(sys, "frozen", False):
        return
    try:
        subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=600,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return


def fill_cache(family: str, dtype: str) -> None:
    """Compile a family into the cache on disk and leave a mark that it is there; the child process runs this."""
    if hasattr(os, "nice"):
        os.nice(10)
    _choose_cache()
    forget_older()
    key = (family, dtype)
    _compile(key)
    _mark(key).touch()


def forget_older() -> None:
    """Remove compiled code of other sources than these.

    Numba asks only whether a function's own file has changed. Code of others that was compiled into it (``_lanes`` is in
    nearly everything) would live on in the cache.
    """
    folder = _cache_folder()
    stamp = folder / f"{MARK}{_sources()}.sources"
    if stamp.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    ours = {file.stem for file in FOLDER.glob("_*.py")}
    compiled = [file for file in folder.rglob("_*.nb[ci]") if file.name.split(".")[0] in ours]
    for old in (*compiled, *folder.glob(f"{MARK}*.mark"), *folder.glob(f"{MARK}*.sources")):
        old.unlink(missing_ok=True)
    stamp.touch()


def _is_cached(key: tuple[str, str]) -> bool:
    return _mark(key).exists()


def _mark(key: tuple[str, str]) -> Path:
    """Return the file that says: compiled by this Python and Numba from this source for this processor."""
    from importlib.metadata import version

    h = hashlib.blake2b(digest_size=8)
    for part in (*key, platform.python_version(), version("numba"), version("numpy"), _processor(), _sources()):
        h.update(part.encode())
    return _cache_folder() / f"{MARK}{h.hexdigest()}.mark"


def _sources() -> str:
    """Return a digest of everything that is compiled."""
    h = hashlib.blake2b(digest_size=8)
    for file in sorted(FOLDER.glob("_*.py")):
        h.update(file.read_bytes())
        h.update(str(file.stat().st_mtime_ns).encode())  # Numba's cache goes by the time of the file
    return h.hexdigest()


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            return next((line for line in file if line.startswith(("model name", "CPU part"))), platform.machine())
    except OSError:
        return platform.processor() or platform.machine()


def _cache_folder() -> Path:
    """Return where compiled code is kept: Numba's own choice if that can be written, else a private folder."""
    if os.environ.get("NUMBA_CACHE_DIR"):
        return Path(os.environ["NUMBA_CACHE_DIR"])
    beside = FOLDER / "__pycache__"
    if os.access(beside if beside.exists() else FOLDER, os.W_OK):
        return beside
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nmf-explorer"
    for folder in (home, Path(tempfile.gettempdir()) / f"nmf-explorer-{getattr(os, 'getuid', lambda: 0)()}"):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            continue
        mine = not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()
        if mine and os.access(folder, os.W_OK):  # compiled code is executed: never from a folder of somebody else
            return folder
    return beside


def _choose_cache() -> None:
    """Point Numba at the cache folder if its own first choice cannot be written."""
    folder = _cache_folder()
    if not os.environ.get("NUMBA_CACHE_DIR") and folder != FOLDER / "__pycache__":
        os.environ["NUMBA_CACHE_DIR"] = str(folder)
        if "numba" in sys.modules:
            sys.modules["numba"].config.CACHE_DIR = str(folder)  # read at import; too late for the variable
