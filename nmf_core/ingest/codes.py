"""Codes that look like numbers: 01067 is a place and no amount; as a number it would lose its zero."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from nmf_core.ingest.columns import Column
from nmf_core.ingest.dialect import MISSING, cells
from nmf_core.ingest.preface import LINE_CUT
from nmf_core.ingest.reading import Option
from nmf_core.ingest.survey import Survey
from nmf_core.ingest.talk import Talk

_DIGITS = re.compile(r"\d{3,18}$")


def are_codes(texts: Sequence[str]) -> bool:
    """Tell digits of one length, three at least, some of which begin with a zero."""
    filled = [text.strip() for text in texts if text.strip().lower() not in MISSING]
    return (
        len(filled) > 1
        and len({len(text) for text in filled}) == 1
        and all(map(_DIGITS.match, filled))
        and any(text[0] == "0" for text in filled)
        and len(set(filled)) > 1
    )


def likely(found: Survey) -> list[int]:
    """Return the columns whose first cells look like codes, so that all of their cells are kept as they are written."""
    lines = [line[:LINE_CUT].rstrip("\r\n") for line in found.lines[found.above :]]
    rows = [row for row in cells([line for line in lines if line.strip()], found.dialect.separator) if row]
    if not any(cell.strip()[:1] == "0" for row in rows for cell in row):
        return []
    codes = [j for j in range(found.width) if are_codes([row[j] for row in rows if j < len(row)])]
    return codes if len(codes) < found.width else []


def as_codes(columns: list[Column], talk: Talk) -> list[Column]:
    """Take columns of codes for text beside columns of numbers; the choice can be undone."""
    numbers = [c for c in columns if c.kind == "number"]
    codes = [c for c in numbers if c.texts and not c.bad and are_codes(c.texts)]
    if not codes or len(codes) == len(numbers):
        return columns
    names = ", ".join(c.name.strip()[:40] or "the first column" for c in codes[:4])
    example = next(text.strip() for text in codes[0].texts or [] if text.strip()[:1] == "0")
    options = [Option("text", "codes: names or labels", len(codes)), Option("numbers", "numbers", len(codes))]
    if talk.ask("codes", f"What are digits such as {example}?", options, "text", required=False) == "numbers":
        return columns
    talk.note("codes", f"Digits with a zero in front, such as {example}, were taken as codes in: {names}.", "codes")
    for column in codes:
        column.kind, column.code, column.bad, column.found = "text", True, column.found, 0
        column.numbers = np.full(len(column.texts or []), np.nan)
    return columns
