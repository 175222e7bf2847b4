"""Names over more than one line: merged headings, units below names, the rule of a Markdown table."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nmf_core.ingest.dialect import MISSING, Dialect, is_value

TALLEST = 4
_RULE = re.compile(r"[ \t|+]*:?-{2,}:?[ \t]*([|+][ \t]*:?-{2,}:?[ \t]*)*[|+]?[ \t]*[\r\n]*$")


def header_height(rows: Sequence[Sequence[str]], dialect: Dialect) -> int:
    """Return over how many rows the names reach, from the first: 1 unless every column of numbers has more words on top.

    Parameters
    ----------
    rows : sequence of sequences of str
        The first holds names.
    dialect : Dialect
    """
    below = list(rows[TALLEST : TALLEST + 100])
    if len(below) < 2:  # a short table: judge by what there is
        below = list(rows[2:])
    width = max((len(row) for row in below), default=0)
    numeric = [
        j
        for j in range(width)
        if below and sum(len(row) > j and is_value(row[j], dialect) for row in below) > 0.5 * len(below)
    ]
    if len(numeric) < 2:
        return 1
    height = 1
    for row in rows[1:TALLEST]:
        cells = [row[j].strip() if j < len(row) else "" for j in numeric]
        # pandas: the names of the index on a line of their own, below the empty corner
        filled = [j for j, cell in enumerate(row) if cell.strip()]
        corner = all(j >= len(above) or not above[j].strip() for above in rows[:height] for j in filled)
        words = [] if corner and height > 1 and len(filled) < len(numeric) else [cell for cell in cells if cell]
        index_name = not words and bool(filled)
        marks = sum(cell.lower() in MISSING for cell in words)
        if not index_name and (len(words) < max(2, 0.5 * len(numeric)) or marks):
            break
        if any(is_value(cell, dialect) for cell in words):
            break
        if index_name and height == 1:
            break  # a single filled cell under the names is a row that lacks its numbers
        height += 1
    return height if height < len(rows) else 1


def joined_names(rows: Sequence[Sequence[str]]) -> list[str]:
    """Join the names of several rows column by column; a heading over several columns counts for each of them."""
    width = max(len(row) for row in rows)
    filled: list[list[str]] = []
    for i, row in enumerate(rows):
        cells = [row[j].strip() if j < len(row) else "" for j in range(width)]
        if i < len(rows) - 1:  # merged cells: only the first one holds the heading
            lower = rows[i + 1]
            for j in range(1, width):
                if not cells[j] and j < len(lower) and lower[j].strip() and any(cells[:j]):
                    cells[j] = cells[j - 1]
        filled.append(cells)
    return [" ".join(dict.fromkeys(part for part in parts if part)) for parts in zip(*filled, strict=True)]


def is_rule(line: str) -> bool:
    """Tell the line of dashes below the names of a Markdown or console table."""
    return "--" in line and _RULE.match(line) is not None
