"""Arrays that are a table in pieces: records with fields, or several arrays of one length, each a column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from nmf_core.ingest.columns import EXACT, Column, from_values
from nmf_core.ingest.raw import Raw
from nmf_core.ingest.reading import Refused
from nmf_core.ingest.sample import stride
from nmf_core.ingest.talk import Talk
from nmf_core.types import Array

_PLAIN = "biufUS"


def from_records(array: Array, talk: Talk) -> Raw:
    """Read an array of records as a table: one column per field."""
    from nmf_core.ingest.table import arrange

    names = [str(name) for name in array.dtype.names or ()]
    if any(array.dtype[name].shape or array.dtype[name].kind not in "biufUS" for name in names):
        raise Refused(
            "structured",
            "The array holds records whose fields are not single numbers or texts",
            str(names)[:100],
            "Save the numeric fields as one array",
        )
    array = array[:: stride(len(array), len(names), talk)]
    return arrange([_column(name, array[name]) for name in names], talk)


def alike(heads: Mapping[str, tuple[tuple[int, ...], bool, Any]]) -> list[str]:
    """Return the arrays of an archive that can be the columns of one table: the most of one length, two at least."""
    sizes = {name: head[0][0] for name, head in heads.items() if len(head[0]) == 1 and head[2].kind in _PLAIN}
    lengths = Counter(n for n in sizes.values() if n > 1)
    if not lengths:
        return []
    n, k = max(lengths.items(), key=lambda item: (item[1], item[0]))
    return [name for name, length in sizes.items() if length == n] if k > 1 else []


def from_columns(arrays: Mapping[str, Array], present: set[str], talk: Talk) -> Raw:
    """Read arrays of one length as the columns of a table; the others of the archive stay behind."""
    from nmf_core.ingest.table import arrange

    n = len(next(iter(arrays.values())))
    step = stride(n, len(arrays), talk)
    rest = sorted(present - set(arrays))
    left = f"; left out: {', '.join(rest)[:100]}" if rest else ""
    talk.note("columns", f"{len(arrays)} arrays of {n:,} values were read as columns of a table{left}.")
    return arrange([_column(name, values[::step]) for name, values in arrays.items()], talk)


def _column(name: str, values: Array) -> Column:
    """Build a column from an array of numbers or texts."""
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    if values.dtype.kind in "bU":
        try:
            return from_values(name, values.tolist())
        except (SystemError, ValueError, UnicodeError) as error:  # bytes that are no characters
            raise Refused("damaged", "The array holds damaged texts", f"field {name[:60]}", "Save it again") from error
    numbers = values.astype(np.float64)
    missing = int(np.isnan(numbers).sum())
    large = values.dtype.kind in "iu" and bool(len(values)) and max(int(values.max()), -int(values.min())) > EXACT
    column = Column(name, numbers, None, len(numbers) - missing, missing, int(np.isinf(numbers).sum()), large=large)
    return column.settle()
