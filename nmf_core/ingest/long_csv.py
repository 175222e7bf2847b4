"""Long text tables (row, column, value) read in pieces: names are kept once, lines as two numbers and a value.

A rating file of a million lines would take 200 MB as columns of text; this way its memory is that of its matrix, about
three times over.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nmf_core.ingest.book import Book
from nmf_core.ingest.columns import Column
from nmf_core.ingest.delimited import open_arrow
from nmf_core.ingest.dialect import cells, is_comment
from nmf_core.ingest.keys import KeyBook, Keys
from nmf_core.ingest.limits import size
from nmf_core.ingest.long_table import Roles, build, find_roles, settle_layout
from nmf_core.ingest.names import tidy_names
from nmf_core.ingest.raw import Raw
from nmf_core.ingest.reading import Refused
from nmf_core.ingest.sample import offer_part, ordinal
from nmf_core.ingest.survey import LINE_CUT, Survey
from nmf_core.ingest.talk import Talk

BLOCK = 1 << 19  # bytes of text at a time: Arrow needs many times as much while it cuts them into cells
MANY = 100_000  # lines from which a table that might be long is read so even when its names do not say it


def read_long(found: Survey, talk: Talk) -> tuple[Raw | None, bool]:
    """Read a long table or a list of links, of which `survey` has seen the first lines.

    Returns
    -------
    raw : Raw or None
        None when the file is an ordinary table or needs the patient reader.
    settled : bool
        Whether the file was found to be an ordinary table, so that nobody needs to look again.
    """
    answer = talk.choices.get("layout")
    if answer == "table":
        return None, False
    if not found.simple or not 2 <= found.width <= 20:
        return None, False
    sample = _sample(found)
    roles = find_roles(sample, found.names) if sample else None
    if roles is None or not (roles.hint or answer in ("long", "network") or found.n_upper >= MANY):
        return None, False
    step = -(-found.n_upper // talk.limits.stored)
    if step > 1:
        limit = talk.limits.stored
        text = f"The table has {found.n_upper:,} lines ({size(16 * found.n_upper)} of memory); the limit is {limit:,}"
        if roles.hint != "long" and answer != "long":
            raise Refused("too-large", text, hint="Keep the lines you need and try again")
        offer_part(
            "sample_lines", "too-large", text, f"Read about every {ordinal(step)} {sample[roles.row].name or 'row'} with all its lines",
            "Keep the lines you need", talk,
        )  # fmt: skip
    read = _stream(found, roles, sample, talk)
    if read is None:
        return None, False
    a, b, values = read
    if step > 1:
        keep, n = (a.index >= 0) & (a.index % step == 0), len(a.names)
        a, b, values = a.take(keep).used(), b.take(keep).used(), None if values is None else values[keep]
        talk.note(
            "sampled",
            f"The lines of every {ordinal(step)} row were read: {len(a.names):,} of {n:,} rows.",
            "sample_lines",
        )
    for column, name in zip(sample, tidy_names(found.names, talk, "column", "c"), strict=True):
        column.name = name
    layout = settle_layout(roles, sample, a, b, values, talk)
    if layout == "table":
        return None, True
    return build(layout, a, b, values, "" if roles.value is None else sample[roles.value].name, talk), True


def _sample(found: Survey) -> list[Column]:
    """Return the columns of the first lines, to tell their kinds by."""
    lines = [line[:LINE_CUT].rstrip("\r\n") for line in found.lines[found.above :]]
    rows = [
        [*row, *[""] * (found.width - len(row))]
        for row in cells([line for line in lines if line.strip() and not is_comment(line)], found.dialect.separator)
        if len(row) <= found.width
    ]
    if not rows:
        return []
    book = Book(found.width, len(rows), found.dialect)
    for j, texts in enumerate(zip(*rows, strict=True)):
        book.add(j, 0, texts)
    book.n = len(rows)
    return book.close(found.names)


def _stream(
    found: Survey, roles: Roles, sample: Sequence[Column], talk: Talk
) -> tuple[Keys, Keys, np.ndarray | None] | None:
    """Read the two columns of names and the column of values; None when a line does not fit or a value is no number."""
    import pyarrow as pa

    a, b = KeyBook(found.n_upper), KeyBook(found.n_upper)
    wanted = [j for j in (roles.row, roles.col, roles.value) if j is not None]
    book = Book(1, found.n_upper, found.dialect)
    try:
        for batch in open_arrow(found, wanted, BLOCK):
            a.add_arrow(batch.column(0))
            b.add_arrow(batch.column(1))
            if roles.value is not None:
                book.add_arrow(0, book.n, batch.column(2))
                if book.columns[0].bad:
                    return None
            book.n += batch.num_rows
            if len(a.place) > talk.limits.sparse_side or len(b.place) > talk.limits.sparse_side:
                return None
            talk.progress("read", min(1.0, book.n / found.n_upper))
    except (pa.ArrowInvalid, ValueError):
        return None
    values = book.close([""])[0].numbers if roles.value is not None else None
    return a.close(), b.close(), values
