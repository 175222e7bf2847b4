"""Long text tables (row, column, value) and lists of links: from the lines of a text file, in pieces."""

from __future__ import annotations

import numpy as np

from nmf_core.ingest.book import Book
from nmf_core.ingest.columns import Column
from nmf_core.ingest.delimited import open_arrow
from nmf_core.ingest.dialect import cells, is_comment
from nmf_core.ingest.keys import KeyBook, Keys
from nmf_core.ingest.long_lines import MOST_NAMES, read_lines
from nmf_core.ingest.long_table import Roles
from nmf_core.ingest.preface import LINE_CUT
from nmf_core.ingest.raw import Raw
from nmf_core.ingest.survey import Survey
from nmf_core.ingest.talk import Talk

BLOCK = 1 << 19  # bytes of text at a time: Arrow needs many times as much while it cuts them into cells


def read_long(found: Survey, talk: Talk) -> tuple[Raw | None, bool]:
    """Read a long table or a list of links, of which `survey` has seen the first lines; see `read_lines`."""
    if talk.choices.get("layout") == "table" or not found.simple or not 2 <= found.width <= 20:
        return None, False
    return read_lines(_sample(found), found.names, found.n_upper, lambda roles: _stream(found, roles, talk), talk)


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


def _stream(found: Survey, roles: Roles, talk: Talk) -> tuple[Keys, Keys, np.ndarray | None] | None:
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
            if max(len(a.place), len(b.place)) > MOST_NAMES * talk.limits.sparse_side:
                return None
            talk.progress("read", min(1.0, book.n / found.n_upper))
    except (pa.ArrowInvalid, ValueError):
        return None
    values = book.close([""])[0].numbers if roles.value is not None else None
    return a.close(), b.close(), values
