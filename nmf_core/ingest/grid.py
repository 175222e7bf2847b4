"""From a grid of Python values (a sheet, a JSON array of arrays) to columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from nmf_core.ingest.columns import Column
from nmf_core.ingest.dialect import PLAIN, guess_header
from nmf_core.ingest.header import header_height, joined_names
from nmf_core.ingest.notation import columns_of
from nmf_core.ingest.reading import Option, Refused
from nmf_core.ingest.sample import stride
from nmf_core.ingest.talk import Talk

HEAD = 20


def from_grid(rows: Sequence[Sequence[Any]], talk: Talk, first_row: int = 1) -> list[Column]:
    """Find the header, then build a column from each position.

    Parameters
    ----------
    rows : sequence of sequences
        None or "" for an empty cell; rows may differ in length.
    talk : Talk
    first_row : int
        Number of the first row in the file, for messages.
    """
    filled = [sum(not _empty(value) for value in row) for row in rows[:400]]
    width = max((len(row) for row in rows), default=0)
    if not width or not any(filled):
        raise Refused("empty", "The sheet is empty", hint="Choose another sheet or file")
    if width > talk.limits.columns:
        raise Refused("too-wide", f"The table has {width:,} columns; the limit is {talk.limits.columns:,}")
    typical = Counter(count for count in filled if count).most_common(1)[0][0]
    start = 0
    while start < min(HEAD, len(filled) - 1) and filled[start] <= (1 if typical > 1 else 0):
        start += 1
    sample = [[_text(value) for value in row] + [""] * (width - len(row)) for row in rows[start : start + 200]]
    has_header = guess_header(sample, PLAIN)
    options = [Option("none", "There is no header")]
    options += [
        Option(str(first_row + i), f"row {first_row + i}: {_shown(rows[i])}") for i in range(min(HEAD, len(rows)))
    ]
    tall = header_height(sample, PLAIN) if has_header else 1
    default = str(first_row + start) if has_header else "none"
    if tall > 1:
        default = "joined"
        options.insert(0, Option("joined", f"rows {first_row + start} to {first_row + start + tall - 1} together"))
    answer = talk.ask("header", "Which row holds the names?", options, default, required=False)
    if answer == "none":
        names, body = [f"c{j + 1}" for j in range(width)], rows[start:]
        talk.note("no-header", "No header was found; the columns are named c1, c2 …", "header")
    elif answer == "joined":
        names, body = joined_names(sample[:tall]), rows[start + tall :]
        filled_names = [name[:30] for name in names if name]
        shown = ", ".join(filled_names[:6]) + (" …" if len(filled_names) > 6 else "")
        talk.note("header-joined", f"The names reach over {tall} rows and were joined: {shown}.", "header")
        if start:
            talk.note("lines-skipped", f"{start} row{'s' * (start > 1)} above the names skipped.", "header")
    else:
        at = int(answer) - first_row
        names, body = [_text(value) for value in rows[at]], rows[at + 1 :]
        names += [""] * (width - len(names))
        if at > 0:
            talk.note("lines-skipped", f"{at} row{'s' * (at > 1)} above the names skipped.", "header")
    body = [row for row in body if any(not _empty(value) for value in row)]
    if not body:
        raise Refused("no-rows", "The table has a header but no rows", hint="Choose a sheet that holds data")
    body = _filled_down(body, names, talk)
    step = stride(len(body), width, talk)
    body = body[::step]
    columns = columns_of(names, [[row[j] if j < len(row) else None for row in body] for j in range(width)], talk)
    return [column for column in columns if column.kind != "empty" or column.name.strip()]


def _filled_down(body: Sequence[Sequence[Any]], names: Sequence[str], talk: Talk) -> Sequence[Sequence[Any]]:
    """Give rows without a group the group of the row above: merged cells hold their text once."""
    first = [row[0] if row else None for row in body]
    blank = [_empty(value) for value in first]
    second = [row[1] if len(row) > 1 else None for row in body]
    groups = [value for value, gone in zip(first, blank, strict=True) if not gone]
    merged = len(set(map(str, groups))) == len(groups) <= len(body) / 2
    if (
        len(body) < 4
        or blank[0]
        or not 0.3 <= sum(blank) / len(body) < 1
        or not all(isinstance(value, str) for value in groups)
        or any(map(_empty, second))
        or not (merged or all(isinstance(value, str) for value in second))
    ):
        return body
    name, k = names[0] or "the first column", sum(blank)
    options = [Option("fill", "the group above them", k), Option("keep", "nothing", k)]
    if talk.ask("fill_down", f"What do blank cells in {name} stand for?", options, "fill", required=False) == "keep":
        return body
    talk.note("fill-down", f"{k:,} blank cells in {name} were taken as part of the group above them.", "fill_down")
    filled, group = [], None
    for row, gone in zip(body, blank, strict=True):
        group = group if gone else row[0]
        filled.append([group, *row[1:]])
    return filled


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _shown(row: Sequence[Any]) -> str:
    return ", ".join(_text(value)[:20] for value in row[:4])[:60] or "empty"
