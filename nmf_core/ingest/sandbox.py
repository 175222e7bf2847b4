"""Reads a file in a process of its own, so that no file can harm the server: its death is a sentence."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nmf_core.ingest.limits import Limits, size
from nmf_core.ingest.progress import EVERY, Listener, Watch
from nmf_core.ingest.raw import Raw
from nmf_core.ingest.reading import Choices, Message, Note, Question
from nmf_core.ingest.wire import receive

CHILD = Path(__file__).with_name("child.py")
AT_ONCE = 3
_slots = threading.BoundedSemaphore(AT_ONCE)
Outcome = tuple[Raw | None, list[Note], list[Question], Message | None, str]


def read_in_child(
    data: bytes | memoryview, name: str, choices: Choices, limits: Limits, watch: Watch | None = None
) -> Outcome:
    """Parse in a fresh Python process with limits on memory, processor time, wall time and output, and no environment.

    The upload travels through an unnamed temporary file and so does the answer: nothing has a path, nothing is left
    behind. At most `AT_ONCE` children run; further readings wait. `watch` hears about the progress; when it returns False
    or raises, the child is ended.
    """
    if not sys.executable or not CHILD.is_file():
        return _refusal(
            "no-child",
            "This installation cannot start a reading process",
            "Start the program with Python from its folder",
        )
    if not _slots.acquire(timeout=limits.wall_seconds):
        return _refusal("busy", "Too many files are being read at this moment", "Try again in a minute")
    try:
        return _run([sys.executable, "-I", "-X", "utf8", str(CHILD)], data, name, choices, limits, watch)
    except (OSError, subprocess.SubprocessError) as error:
        return _refusal(
            "no-child", "The reading process could not be started", "Try again in a minute", type(error).__name__
        )
    finally:
        _slots.release()


def _run(
    command: Sequence[str],
    data: bytes | memoryview,
    name: str,
    choices: Choices,
    limits: Limits,
    watch: Watch | None,
) -> Outcome:
    usual, limits = limits, limits.for_bytes(data)
    file_size = 64_000_000 + 16 * limits.cells + 32 * limits.stored
    job = json.dumps(
        {"name": name, "choices": _plain(choices), "limits": limits.to_json(), "file_size": file_size}
    ).encode("utf-8", "replace")
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as answer:
        given.write(len(job).to_bytes(8, "little"))
        given.write(job)
        given.write(data)
        given.flush()
        given.seek(0)
        process = subprocess.Popen(
            command,
            stdin=given,
            stdout=answer,
            stderr=subprocess.PIPE,
            env=_environment(),
            cwd=tempfile.gettempdir(),
            close_fds=True,
            **_quiet(),
        )
        assert process.stderr is not None
        listener = Listener(process.stderr)
        listening = threading.Thread(target=listener.run, daemon=True)
        listening.start()
        try:
            code = _wait(process, listener, limits, watch)
        except _Cancelled:
            return _refusal("cancelled", "Reading was cancelled", "Open the file again when you want to go on")
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            listening.join(timeout=5)
            process.stderr.close()
        if code == 0:
            answer.seek(0)
            try:
                return receive(answer)
            except (ValueError, KeyError, TypeError, AttributeError, IndexError, EOFError, OSError, MemoryError):
                code = 1
    return _death(code, limits, suspect=limits is not usual)


class _Cancelled(Exception):
    pass


def _wait(process: subprocess.Popen[bytes], listener: Listener, limits: Limits, watch: Watch | None) -> int | None:
    """Wait for the child, telling how far it is; None when the time is over."""
    end = time.monotonic() + limits.wall_seconds
    while (left := end - time.monotonic()) > 0:
        try:
            return process.wait(timeout=min(EVERY, left) if watch else left)
        except subprocess.TimeoutExpired:
            if watch and watch(listener.stage, listener.share) is False:
                raise _Cancelled from None
    return None


def _death(code: int | None, limits: Limits, *, suspect: bool) -> Outcome:
    """Say in a sentence why the child ended without an answer; `suspect` when too long a time speaks for damage."""
    hint = "The file is damaged, or far larger inside than it looks. Save it again, for example as CSV"
    by_signal = -code if code is not None and code < 0 else 0
    cpu = getattr(signal, "SIGXCPU", -1)
    full = getattr(signal, "SIGXFSZ", -1)
    kill = getattr(signal, "SIGKILL", -1)
    if code is None or by_signal == cpu:
        return _refusal(
            "time",
            f"Reading took longer than {limits.cpu_seconds} seconds and was stopped",
            "The file is probably damaged: copy or save it again" if suspect else "Keep the rows and columns you need",
        )
    if by_signal == full:
        return _refusal("too-large", "The file holds more than the limits allow", "Keep the rows and columns you need")
    if by_signal == kill:
        return _refusal(
            "memory", f"Reading was stopped: it took too much time or memory (limit {size(limits.memory)})", hint
        )
    if by_signal:
        name = signal.Signals(by_signal).name if by_signal in list(signal.Signals) else str(by_signal)
        return _refusal("crash", "The file made its reader crash and was not read", hint, name)
    return _refusal("memory", f"The file could not be read within the limits (memory {size(limits.memory)})", hint)


def _refusal(code: str, text: str, hint: str, place: str = "") -> Outcome:
    return None, [], [], Message(code, text, place, hint), ""


def _environment() -> dict[str, str]:
    """Return what the child may know: nothing of the server, one thread, no reserved address space."""
    wanted = {
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "MALLOC_ARENA_MAX": "2",
    }
    if os.name == "nt":
        wanted["SYSTEMROOT"] = os.environ.get("SYSTEMROOT", r"C:\Windows")
    return wanted


def _quiet() -> dict[str, Any]:
    if os.name == "nt":
        return {"creationflags": getattr(subprocess, "CREATE_NO_WINDOW", 0)}
    return {"start_new_session": True}


def _plain(choices: Choices) -> dict[str, Any]:
    return {
        str(key): list(value) if isinstance(value, (tuple, list)) else value
        for key, value in choices.items()
        if isinstance(value, (str, tuple, list))
    }
