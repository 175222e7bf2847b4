"""What runs in the child process: take limits on itself, read one file from standard input, answer, end.

Started as ``python -I child.py`` with an empty environment; the parent is `nmf_core.ingest.sandbox`. Standard input is
an unnamed file: 8 bytes with the length of a JSON job, the job, the data. Standard output takes the answer of `wire.send`,
standard error the lines of `progress.Reporter`.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import sys
from pathlib import Path

_HEAD = 8


def confine(memory: int, cpu_seconds: int, file_size: int) -> None:
    """Set hard limits on this process, as far as the system knows them."""
    try:
        import resource
    except ImportError:  # Windows: the parent's wall clock is what remains
        return

    def cap(name: str, value: int) -> None:
        kind = getattr(resource, name, None)
        if kind is None:  # not every Unix knows all of them
            return
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (value, value))

    cap("RLIMIT_CORE", 0)
    cap("RLIMIT_AS", memory)
    cap("RLIMIT_CPU", cpu_seconds)
    cap("RLIMIT_FSIZE", file_size)
    cap("RLIMIT_NOFILE", 64)


def main() -> None:
    """Read the job, parse the data, write the answer."""
    mapping = mmap.mmap(0, 0, access=mmap.ACCESS_READ)
    view = memoryview(mapping)
    length = int.from_bytes(view[:_HEAD], "little")
    job = json.loads(bytes(view[_HEAD : _HEAD + length]))
    data = view[_HEAD + length :]
    confine(job["limits"]["memory"], job["limits"]["cpu_seconds"], job["file_size"])
    # Anything a library prints must end up neither in the answer nor in the progress.
    answer, told = os.fdopen(os.dup(1), "r+b"), os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    root = str(Path(__file__).resolve().parents[2])
    if root not in sys.path:
        sys.path.append(root)
    from nmf_core.ingest.sight import confine_sight
    from nmf_core.ingest.wall import confine_calls

    confine_sight()
    confine_calls()
    from nmf_core.ingest.limits import Limits
    from nmf_core.ingest.progress import Reporter
    from nmf_core.ingest.understand import understand
    from nmf_core.ingest.wire import send

    report = Reporter(told)

    def progress(stage: str, share: float) -> None:
        report(stage, share)
        # What was read of the file need not stay in memory: it comes back when it is touched again.
        if hasattr(mmap, "MADV_DONTNEED"):
            mapping.madvise(mmap.MADV_DONTNEED)

    raw, talk, message = understand(data, job["name"], job["choices"], Limits.from_json(job["limits"]), progress)
    report("hand", 0.0)
    send(answer, raw, talk, message)
    answer.flush()
    os._exit(0)  # no destructors of readers that have seen hostile bytes


if __name__ == "__main__":
    main()
