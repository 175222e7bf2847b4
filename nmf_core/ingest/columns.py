"""Columns of a table on their way to a matrix: numbers where they are numbers, text where they are not."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nmf_core.ingest.dialect import MISSING
from nmf_core.types import Array

EXACT = 2.0**53
LOOKED_AT = 5000  # cells that tell the kind of a column of text
_FORMS = ("", "%Y-%m-%d", "%Y.%m.%d", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%y", "%d-%m-%y", "%m-%d-%y")
_TRUE = frozenset(("true", "yes", "y", "t", "wahr", "ja", "vrai", "oui"))
_FALSE = frozenset(("false", "no", "n", "f", "falsch", "nein", "faux", "non"))
_MARKS = frozenset(("x", "✓", "✔", "✗", "●", "•"))
_DATE = re.compile(
    r"\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})([ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?\s*$"
)
_COMPLEX = re.compile(r"\s*\(?[+-]?[\d.]+(e[+-]?\d+)?\s*[+-]\s*[\d.]+(e[+-]?\d+)?[ij]\)?\s*$", re.I)
_BOUND = re.compile(r"([<>≤≥])\s*=?\s*(\d+[.,]?\d*(?:[eE][+-]?\d+)?)\s*$")
_OTHER = re.compile(r"\s*[+-]?(0x[0-9a-f]+|\d+(_\d+)+|[\d.]+d[+-]?\d+|[\d.]+\s*%)\s*$", re.I)


@dataclass(slots=True, eq=False)
class Column:
    """One column.

    Attributes
    ----------
    name : str
    numbers : ndarray of float64 of length n, or None
        NaN where a cell is missing or not a number; None when no cell is one.
    texts : list of str, or None
        The cells as text; kept only while the column may be text.
    found, missing, infinite, bad : int
        Numbers, missing cells, infinite values (part of the numbers), and cells that are neither number nor missing.
    examples : list of (int, str)
        First five bad cells: row (from 1, without the header) and text.
    kind : str
        "number", "text", "bool", "date", "complex" or "empty".
    large : bool
        Holds an integer above 2^53 in magnitude.
    code : bool
        Text of digits that is no number, whatever it looks like.
    """

    name: str
    numbers: Array | None = None
    texts: list[str] | None = None
    found: int = 0
    missing: int = 0
    infinite: int = 0
    bad: int = 0
    examples: list[tuple[int, str]] = field(default_factory=list)
    kind: str = "number"
    large: bool = False
    code: bool = False

    @property
    def no_numbers(self) -> str:
        """The first cells that are no numbers, for a sentence."""
        return ", ".join(f"{text} in row {row} of {self.name}" for row, text in self.examples)

    @property
    def cells(self) -> Sequence[str]:
        """The cells as text: as they were written where that is known, else numbers without needless digits."""
        return self.texts or ([] if self.numbers is None else [whole(x) for x in self.numbers])

    def settle(self) -> Column:
        """Decide the kind from what was found."""
        if not self.found and not self.bad:
            self.kind = "empty"
        elif self.found and self.bad <= self.found:
            self.kind = "number"
        else:
            self.kind = kind_of_texts(self.texts or [text for _, text in self.examples])
        return self


def whole(x: float) -> str:
    """Write a number, a whole one without ``.0``."""
    return str(int(x)) if np.isfinite(x) and float(x).is_integer() else repr(float(x))


def kind_of_texts(texts: Sequence[str]) -> str:
    """Tell dates, truth values and complex numbers from other text; every cell that is not missing must agree."""
    sample = [t.strip() for t in texts[:LOOKED_AT] if t.strip().lower() not in MISSING]
    low = {t.lower() for t in sample}
    if len(low) == 1 and low <= _MARKS and len(sample) < len(texts[:LOOKED_AT]):
        return "bool"  # a cross where it is so, nothing where it is not
    if low and low <= (_TRUE | _FALSE) and len(texts) > LOOKED_AT:
        low = {t.strip().lower() for t in texts} - MISSING
    if low and low <= (_TRUE | _FALSE) and len(low) <= 2 and low & _TRUE and low & _FALSE:
        return "bool"
    head = sample
    if head and all(_DATE.match(t) for t in head):
        return "date"
    if (
        head
        and any("j" in t.lower() or "i" in t.lower() for t in head)
        and all(_COMPLEX.match(t) or re.fullmatch(r"[+-]?[\d.]+", t) for t in head)
    ):
        return "complex"
    return "text"


def looks_other(text: str) -> bool:
    """Tell numbers in a notation that is not read: ``0x10``, ``1_000``, ``1.0D+03``, ``12 %``."""
    return bool(_OTHER.match(text))


def bounds_of(column: Column) -> dict[int, tuple[str, float]] | None:
    """Return row → ("<" or ">", limit) of the cells that are no numbers; None when one of them is no limit."""
    if column.texts is None or column.numbers is None:
        return None
    found: dict[int, tuple[str, float]] = {}
    for i in np.flatnonzero(np.isnan(column.numbers)):
        text = column.texts[i].strip()
        if text.lower() in MISSING:
            continue
        match = _BOUND.match(text)
        value = parse_number(match[2].replace(",", ".")) if match else math.nan
        if match is None or value != value:
            return None
        found[int(i)] = ("<" if match[1] in "<≤" else ">", value)
    return found or None


def with_bounds(column: Column, found: dict[int, tuple[str, float]], *, halved: bool) -> Array:
    """Return the numbers with limits in the place of cells such as ``<0.5``; a lower limit may be halved."""
    numbers = np.array(column.numbers, dtype=np.float64)
    for i, (side, value) in found.items():
        numbers[i] = value / 2 if halved and side == "<" else value
    return numbers


def truth(texts: Iterable[str]) -> Array:
    """Turn yes/no, true/false into 1 and 0, missing into NaN; crosses and blank cells into 1 and 0."""
    texts = list(texts)
    if {t.strip().lower() for t in texts} - MISSING <= _MARKS:
        return np.array([float(t.strip().lower() not in MISSING) for t in texts], dtype=np.float64)
    values = [1.0 if (t := text.strip().lower()) in _TRUE else 0.0 if t in _FALSE else math.nan for text in texts]
    return np.array(values, dtype=np.float64)


def days(texts: Sequence[str]) -> Array:
    """Turn dates into days since the earliest; NaN where a cell is missing or no date."""
    import datetime as dt

    cells = [text.strip().replace("/", "-") for text in texts]
    filled = [cell for cell in cells if cell.lower() not in MISSING]

    def moment(cell: str, form: str) -> dt.datetime | None:
        try:
            return (
                dt.datetime.fromisoformat(cell) if not form else dt.datetime.strptime(re.split("[T ]", cell)[0], form)
            )
        except ValueError:
            return None

    # One order of day and month for the whole column, never cell by cell.
    form = max(_FORMS, key=lambda f: sum(moment(cell, f) is not None for cell in filled))

    def one(cell: str) -> float:
        found = moment(cell, form)
        if found is None:
            return math.nan
        return found.toordinal() + (found.hour * 3600 + found.minute * 60 + found.second) / 86400

    values = np.array([one(cell) for cell in cells])
    return np.round(values - np.nanmin(values), 6) if np.isfinite(values).any() else values


def from_values(name: str, values: Sequence[Any]) -> Column:
    """Build a column from Python values, as Excel and JSON give them."""
    import datetime as dt

    column = Column(name)
    numbers = np.full(len(values), np.nan)
    texts: list[str] = [""] * len(values)
    truths = dates = 0
    for i, value in enumerate(values):
        if value is None or value != value or (isinstance(value, str) and value.strip().lower() in MISSING):
            column.missing += 1
            continue
        if isinstance(value, bool):
            numbers[i], texts[i], truths = float(value), str(value), truths + 1
        elif isinstance(value, (int, float)):
            numbers[i] = _number(value)
            texts[i] = (
                str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else str(value)
            )
            column.large |= isinstance(value, int) and abs(value) > EXACT
        elif isinstance(value, (dt.datetime, dt.date, dt.time, dt.timedelta)):
            texts[i], dates = value.isoformat(" ") if isinstance(value, dt.datetime) else str(value), dates + 1
        else:
            texts[i] = value if isinstance(value, str) else str(value)
            numbers[i] = parse_number(texts[i])
    filled = np.array([bool(t) for t in texts], dtype=bool)
    column.missing = int((~filled).sum())
    isnan = np.isnan(numbers)
    column.found = int((filled & ~isnan).sum())
    bad = np.flatnonzero(filled & isnan)
    column.bad = len(bad)
    column.examples = [(int(i) + 1, texts[i]) for i in bad[:5]]
    column.infinite = int(np.isinf(numbers).sum())
    column.numbers, column.texts = numbers, texts
    column.settle()
    if truths and truths == column.found and not column.bad:
        column.kind = "bool"
        column.texts = ["" if not f else "true" if x else "false" for x, f in zip(numbers, filled, strict=True)]
    if dates and dates >= column.found and column.kind != "number":
        column.kind = "date"
    return column


def parse_number(text: str) -> float:
    """Return the number a cell holds, or NaN; ``1_000`` and ``0x10`` are none, ``1e400`` is infinite."""
    text = text.strip()
    if "_" in text or not text or text[-1:] in "nN":
        return math.nan
    try:
        return float(text)
    except ValueError:
        return math.nan


def _number(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
