"""The front door: any bytes in, a `Reading` out."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nmf_core.ingest.limits import MB, Limits, size
from nmf_core.ingest.names import file_name, title
from nmf_core.ingest.progress import Watch
from nmf_core.ingest.reading import Choices, Message, Reading, Refused, Verdict
from nmf_core.ingest.sandbox import Outcome, read_in_child
from nmf_core.ingest.settle import settle
from nmf_core.ingest.talk import Talk
from nmf_core.ingest.understand import understand

LIMITS = Limits()


def read(
    data: bytes | bytearray | memoryview,
    name: str,
    choices: Choices | None = None,
    *,
    limits: Limits = LIMITS,
    sandbox: bool = True,
    watch: Watch | None = None,
) -> Reading:
    """Read one file: understand its format, name its rows and columns, find what is missing or negative.

    The same bytes, name and choices give the same answer. No bytes raise an exception.

    Parameters
    ----------
    data : bytes
    name : str
        The file's name; used for the title only. What the file is, its bytes decide.
    choices : mapping, optional
        Answers to the questions of an earlier reading: question id → option value, or a list of them.
    limits : Limits
    sandbox : bool
        False parses in this process: for files of one's own, and for tests. A crash of a reader is a crash then.
    watch : callable (stage, share), optional
        Hears about ten times a second how far the reading is (`nmf_core.ingest.progress.STAGES`); False ends it.

    Returns
    -------
    Reading
    """
    name = name if isinstance(name, str) else str(name)
    given: dict[str, Any] = dict(choices or {})
    if len(data) > limits.upload:
        message = Message(
            "upload-too-large",
            f"The file is {size(len(data))} large; the limit is {size(limits.upload)}",
            hint="Keep the rows and columns you need"
            if bytes(data[:4]).startswith((b"\x1f\x8b", b"PK"))
            else "Pack it as .gz or .zip, or keep the rows and columns you need",
        )
        return Reading(Verdict.REFUSE, title(name), message=message, choices=given)
    view = bytes(data) if isinstance(data, bytearray) else data
    if sandbox:
        outcome = read_in_child(view, name, given, limits, watch)
    else:
        outcome = read_here(view, name, given, limits)
    return conclude(outcome, name, given, limits)


def read_here(data: bytes | memoryview, name: str, choices: Choices, limits: Limits = LIMITS) -> Outcome:
    """Parse in this process and return what a child would have sent."""
    raw, talk, message = understand(data, name, choices, limits)
    return raw, talk.notes, talk.questions, message, talk.format


def conclude(outcome: Outcome, name: str, choices: Choices, limits: Limits = LIMITS) -> Reading:
    """Turn what a child found into a reading; used again, without the child, when only answers about values change."""
    raw, notes, questions, message, form = outcome
    if message is not None or raw is None:
        message = message or Message("damaged", "The file could not be read")
        return Reading(
            Verdict.REFUSE, title(name), tuple(notes), tuple(questions), message, choices=choices, format=form
        )
    talk = Talk(choices, limits)
    talk.notes, talk.questions, talk.format = list(notes), list(questions), form
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            return settle(raw, talk)
    except Exception as error:  # whatever the values of a stranger's file bring about, it is an answer
        text = re.sub(r"\s+", " ", str(error))[:300] or "The values could not be used"
        message = (
            error.message
            if isinstance(error, Refused)
            else Message("values", text, type(error).__name__, "Check the values and save the file again")
        )
        return Reading(
            Verdict.REFUSE,
            title(name),
            tuple(talk.notes),
            tuple(talk.questions),
            message,
            raw=raw,
            choices=choices,
            format=form,
        )


def read_many(
    files: Sequence[tuple[str, bytes]],
    choices: Choices | None = None,
    *,
    limits: Limits = LIMITS,
    sandbox: bool = True,
    watch: Watch | None = None,
) -> Reading:
    """Read several files together: pictures or texts become rows, of other files one is asked for.

    Parameters
    ----------
    files : sequence of (name, bytes)
    choices, limits, sandbox, watch : see `read`
    """
    if len(files) == 1:
        return read(files[0][1], files[0][0], choices, limits=limits, sandbox=sandbox, watch=watch)
    given = dict(choices or {})
    total = sum(len(data) for _, data in files)
    message = None
    if not files:
        message = Message("empty", "No file was chosen")
    elif len(files) > limits.files:
        message = Message(
            "too-many-files",
            f"{len(files):,} files at once; the limit is {limits.files}",
            hint="Pack them as one .zip",
        )
    elif total > limits.upload:
        message = Message(
            "upload-too-large",
            f"The files are {size(total)} together; the limit is {size(limits.upload)}",
            hint="Choose fewer files",
        )
    if message:
        return Reading(Verdict.REFUSE, "files", message=message, choices=given)
    buffer = io.BytesIO()
    seen: dict[str, int] = {}
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files:
            base = file_name(name)
            seen[base] = seen.get(base, 0) + 1
            stem, dot, ending = base.rpartition(".")
            numbered = base if seen[base] == 1 else f"{stem or ending} ({seen[base]}){dot}{ending if stem else ''}"
            info = zipfile.ZipInfo(numbered, date_time=(1980, 1, 1, 0, 0, 0))  # same files, same bytes
            archive.writestr(info, data)
    return read(
        buffer.getvalue(),
        f"{len(files)} files",
        given,
        limits=replace(limits, upload=limits.upload + MB),
        sandbox=sandbox,
        watch=watch,
    )
