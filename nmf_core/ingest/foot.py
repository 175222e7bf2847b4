"""What stands below or beside a table and is no data: sources and remarks, a row of totals, a column of totals."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from nmf_core.ingest.columns import Column
from nmf_core.ingest.dialect import MISSING
from nmf_core.ingest.reading import Option
from nmf_core.ingest.talk import Talk
from nmf_core.types import Array

_REMARK = re.compile(
    r"(sources?|notes?|footnotes?|remarks?|legend|data( from|:)|see |quelle|anmerkung|hinweis|stand|fuente|"
    r"last (updated|modified)|generated|exported|created|end of|copyright|©|\*|!|\(|†|–|—|#|\d\) )",
    re.I,
)
_TOTAL = re.compile(
    r"(grand |sub-?|over)?(totals?|sums?|summe|gesamt|insgesamt|ensemble|totale|all|overall|mean|average|avg|mittelwert|durchschnitt)\b",
    re.I,
)
LONGEST_FOOT = 20


def without_foot(columns: list[Column], n: int, talk: Talk) -> tuple[list[Column], int]:
    """Leave out remarks below the table, and a last row that adds the others up or averages them; both can be undone."""
    numeric = [c for c in columns if c.kind == "number" and c.numbers is not None]
    texts = [c for c in columns if c.kind == "text" and c.texts is not None]
    if not numeric or not texts or n < 4:
        return columns, n
    remarks = _remarks(numeric, texts, n)
    if remarks:
        k = len(remarks)
        options = [Option("out", "leave them out", k), Option("keep", "keep them as rows", k)]
        if talk.ask("foot", "What about the remarks below the table?", options, "out", required=False) == "out":
            shown = "; ".join(remarks)[:120]
            talk.note("foot", f"{k} line{'s' * (k > 1)} below the table left out: {shown}", "foot")
            n -= k
            leave_out(columns, np.arange(n + k) >= n)
    for which, at in (("last", n - 1), ("first", 0)):
        label = _total(numeric, texts, n, at)
        if not label:
            continue
        options = [Option("out", "leave it out", 1), Option("keep", "keep it as a row", 1)]
        if talk.ask("total", f"What about the {which} row, {label}?", options, "out", required=False) == "out":
            talk.note("total", f"The {which} row, {label}, sums up the others and was left out.", "total")
            n -= 1
            leave_out(columns, np.arange(n + 1) == at)
        break
    return _without_total_column(columns, talk), n


def without_headers(columns: list[Column], n: int, talk: Talk) -> int:
    """Leave out rows that hold the names again, as files have that were put one after the other; return the rows left."""
    if n < 3 or len(columns) < 2 or any(c.texts is None or not c.name.strip() for c in columns):
        return n
    again = np.ones(n, dtype=bool)
    for column in columns:
        again &= np.array([text.strip() == column.name.strip() for text in column.texts or []], dtype=bool)
        if not again.any():
            return n
    k = int(again.sum())
    talk.note(
        "headers-again",
        f"{k} row{'s that hold' if k > 1 else ' that holds'} the names again left out (first: row {int(np.argmax(again)) + 1}).",
    )
    leave_out(columns, again)
    for column in columns:
        column.settle()
    return n - k


def _without_total_column(columns: list[Column], talk: Talk) -> list[Column]:
    """Leave out the last column of numbers where its name says total and its numbers add the others up."""
    numeric = [c for c in columns if c.kind == "number" and c.numbers is not None]
    last = numeric[-1]
    if len(numeric) < 4 or not _TOTAL.match(last.name.strip()):
        return columns
    rest = np.column_stack([np.asarray(c.numbers, dtype=float) for c in numeric[:-1]])
    told = np.asarray(last.numbers, dtype=float)
    known = np.isfinite(told) & np.isfinite(rest).any(axis=1)
    if known.sum() < 3:
        return columns
    rest, told = rest[known], told[known]
    ways = {"adds up": np.nansum(rest, axis=1), "averages": np.nanmean(rest, axis=1)}
    agree = {what: float(np.isclose(told, values, rtol=0.01).mean()) for what, values in ways.items()}
    what = max(agree, key=lambda key: agree[key])
    if agree[what] < 0.9:
        return columns
    options = [Option("out", "leave it out", 1), Option("keep", "keep it as a column", 1)]
    if talk.ask("total_column", f"What about the column {last.name}?", options, "out", required=False) == "keep":
        return columns
    talk.note("total-column", f"The column {last.name} {what} the others and was left out.", "total_column")
    return [c for c in columns if c is not last]


def _remarks(numeric: Sequence[Column], texts: Sequence[Column], n: int) -> list[str]:
    """Return the remarks at the end, top first: one filled cell, no number, and words as remarks begin."""
    found: list[str] = []
    for i in range(n - 1, max(n - 1 - LONGEST_FOOT, n // 2), -1):
        filled = [c.texts[i].strip() for c in texts if c.texts is not None and c.texts[i].strip()]
        if len(filled) != 1 or not all(np.isnan(c.numbers[i]) for c in numeric if c.numbers is not None):
            break
        found.append(filled[0])
    if not any(map(_REMARK.match, found)):
        return []
    return found[::-1]


def _total(numeric: Sequence[Column], texts: Sequence[Column], n: int, at: int) -> str:
    """Return what the row at a place calls itself if it adds the others up or averages them."""
    label = next((c.texts[at].strip() for c in texts if c.texts is not None and c.texts[at].strip()), "")
    if n < 4 or not _TOTAL.match(label) or len(label) > 40:
        return ""
    agree = known = 0
    for column in numeric[:200]:
        x = np.asarray(column.numbers)[:n]
        last, rest = x[at], np.delete(x, at)
        rest = rest[np.isfinite(rest)]
        if not np.isfinite(last) or not rest.size:
            continue
        known += 1
        agree += any(abs(last - value) <= 0.01 * abs(value) + 1e-12 for value in (rest.sum(), rest.mean()))
    return label if known and agree >= 0.8 * known else ""


def leave_out(columns: Sequence[Column], out: Array) -> None:
    """Take rows out of every column, and what was counted in them."""
    for column in columns:
        texts, numbers = column.texts, column.numbers
        gone = np.isnan(numbers[out]) if numbers is not None else np.ones(int(out.sum()), dtype=bool)
        if texts is not None:
            blank = np.array([texts[i].strip().lower() in MISSING for i in np.flatnonzero(out)], dtype=bool)
            column.texts = [text for text, leave in zip(texts, out, strict=True) if not leave]
        else:
            blank = gone
        column.missing -= int(blank.sum())
        if column.bad:
            column.bad -= int((gone & ~blank).sum())
        column.found -= int((~gone).sum())
        column.examples = [(row, text) for row, text in column.examples if row > len(out) or not out[row - 1]]
        if numbers is not None:
            column.numbers = numbers[~out]
