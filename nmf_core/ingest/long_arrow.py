"""Long tables (row, column, value) and lists of links: from the batches of a Parquet or Arrow file, in pieces."""

from __future__ import annotations

from typing import Any

import numpy as np

from nmf_core.ingest.columnar import Batches, columns_of_table
from nmf_core.ingest.keys import KeyBook, Keys
from nmf_core.ingest.long_lines import MOST_NAMES, read_lines
from nmf_core.ingest.long_table import Roles
from nmf_core.ingest.raw import Raw
from nmf_core.ingest.talk import Talk

FIRST = 1000  # rows that tell the kinds of the columns


def read_long(found: Batches, talk: Talk) -> tuple[Raw | None, bool]:
    """Read a long table or a list of links; see `read_lines`."""
    import pyarrow as pa
    import pyarrow.types as pt

    kinds = [field.type.value_type if pt.is_dictionary(field.type) else field.type for field in found.schema]
    plain = all(pt.is_string(k) or pt.is_large_string(k) or pt.is_integer(k) or pt.is_floating(k) for k in kinds)
    if not (plain and 2 <= len(kinds) <= 20 and found.n) or any(name in found.index for name in found.schema.names):
        return None, False
    first = pa.Table.from_batches([next(iter(found.batches()))], found.schema).slice(0, FIRST)
    aside = Talk(talk.choices, talk.limits)  # what is noted of the first rows is noted again of all
    sample = columns_of_table(first, set(), aside)
    return read_lines(sample, found.schema.names, found.n, lambda roles: _stream(found, roles, talk), talk)


def _stream(found: Batches, roles: Roles, talk: Talk) -> tuple[Keys, Keys, np.ndarray | None] | None:
    """Read the two columns of names and the column of values; None when there are too many names, or names with fractions."""
    import pyarrow as pa

    a, b = KeyBook(found.n), KeyBook(found.n)
    values = None if roles.value is None else np.full(found.n, np.nan)
    at = 0
    for batch in found.batches():
        for book, j in ((a, roles.row), (b, roles.col)):
            cells = _names(batch.column(j))
            if cells is None:
                return None
            book.add_arrow(cells)
        if values is not None:
            numbers = batch.column(roles.value).cast(pa.float64(), safe=False)
            values[at : at + batch.num_rows] = numbers.to_numpy(zero_copy_only=False)
        at += batch.num_rows
        if max(len(a.place), len(b.place)) > MOST_NAMES * talk.limits.sparse_side:
            return None
        talk.progress("read", at / found.n)
    return a.close(), b.close(), values


def _names(cells: Any) -> Any:
    """Return cells as text, missing ones empty; None where numbers with fractions name nothing."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as pt

    if pt.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    if pt.is_floating(cells.type):
        known = cells.drop_null().to_numpy(zero_copy_only=False)
        if not (np.isfinite(known) & (known == np.floor(known)) & (np.abs(known) < 2.0**53)).all():
            return None
        cells = cells.cast(pa.int64())
    return pc.fill_null(cells.cast(pa.string()), "")
