"""What a worker does: one chunk of one job."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
import traceback
from dataclasses import dataclass
from typing import Any

from nmf_core.jobs.parking import park, unpark
from nmf_core.jobs.process import ensure_one_thread
from nmf_core.jobs.store import DatasetRef, open_dataset
from nmf_core.kernels.threads import set_limit
from nmf_core.types import Dataset, Stop, Work


@dataclass(frozen=True, slots=True)
class Failure:
    """A work raised: what people read, and what the log keeps."""

    sentence: str
    report: str
    details: str


@dataclass(frozen=True, slots=True)
class Report:
    """What one chunk brought.

    Attributes
    ----------
    state : object
        Where the next chunk starts; big arrays may be parked.
    seconds : float
        Spent computing.
    overhead : float
        Spent reading and writing.
    result : object
        Only when the work came to its end.
    """

    state: Any = None
    stop: Stop = Stop.RUNNING
    progress: float | None = None
    message: str = ""
    news: Any = None
    seconds: float = 0.0
    overhead: float = 0.0
    result: Any = None
    failure: Failure | None = None


def run_chunk(
    work: Work, source: Dataset | DatasetRef, state: Any, budget: float, folder: str | None, threads: int = 0
) -> Report:
    """Advance `work` by about `budget` seconds and report; nothing a work raises gets out.

    Parameters
    ----------
    source : Dataset or DatasetRef
    state : object
        None for the start.
    folder : str or None
        Where to park the big arrays of the new state; None to return them as they are (same process).
    threads : int
        How many the compiled kernels may use; 0 leaves that as it is.
    """
    begin = time.perf_counter()
    mark = None if folder is None else f"{folder}.pid"
    try:
        if mark is not None:
            ensure_one_thread()
            if threads:
                set_limit(threads)
            os.makedirs(os.path.dirname(mark), exist_ok=True)
            with open(mark, "w", encoding="ascii") as file:
                file.write(str(os.getpid()))
        dataset = source if isinstance(source, Dataset) else open_dataset(source)
        start = unpark(state)
        loaded = time.perf_counter()
        chunk = work.advance(dataset, start, budget)
        del start
        news = work.news(chunk.state) if hasattr(work, "news") else None
        result = None if chunk.stop is Stop.RUNNING else work.result(dataset, chunk.state, chunk.stop)
        computed = time.perf_counter()
        kept, result = (chunk.state, result) if folder is None else park((chunk.state, result), folder)
        end = time.perf_counter()
    except (Exception, SystemExit) as error:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        return Report(failure=describe_failure(error), seconds=time.perf_counter() - begin)
    finally:
        if mark is not None:
            with contextlib.suppress(OSError):
                os.remove(mark)
    seconds, overhead = computed - loaded, (loaded - begin) + (end - computed)
    return Report(kept, chunk.stop, chunk.progress, chunk.message, news, seconds, overhead, result)


def describe_failure(error: BaseException) -> Failure:
    """Say in one sentence what went wrong; the traceback is for the log alone."""
    report = secrets.token_hex(3).upper()
    details = "".join(traceback.format_exception(error))
    text = " ".join(str(error).split())
    if isinstance(error, MemoryError):
        sentence = "There was not enough memory; try fewer components or a smaller matrix."
    elif isinstance(error, OSError) and error.errno == 28:
        sentence = "The disk of the server is full, so the computation could not go on."
    elif isinstance(error, ValueError) and 0 < len(text) <= 300:
        sentence = text if text.endswith((".", "!", "?")) else f"{text}."
    else:
        sentence = f"The computation met an error it does not know ({type(error).__name__})."
    return Failure(f"{sentence} The log has the details as report {report}.", report, details)
