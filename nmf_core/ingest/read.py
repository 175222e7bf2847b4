"""The front door: any bytes in, a `Reading` out."""

from __future__ import annotations

import re
from typing import Any

from nmf_core.ingest.limits import Limits, size
from nmf_core.ingest.names import title
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
            hint="Pack it as .gz or .zip, or keep the rows and columns you need",
        )
        return Reading(Verdict.REFUSE, title(name), message=message, choices=given)
    view = bytes(data) if isinstance(data, bytearray) else data
    if sandbox:
        outcome = read_in_child(view, name, given, limits)
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
        return settle(raw, talk)
    except (Refused, ValueError, MemoryError) as error:
        text = re.sub(r"\s+", " ", str(error))[:300] or "The values could not be used"
        message = (
            error.message
            if isinstance(error, Refused)
            else Message("values", text, hint="Check the values and save the file again")
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
