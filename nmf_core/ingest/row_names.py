"""Which column of a table names its rows: texts without repeats, a counter, an axis, dates."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from nmf_core.ingest.columns import Column
from nmf_core.ingest.names import numbered, tidy_names
from nmf_core.ingest.reading import Option
from nmf_core.ingest.table_texts import is_prose
from nmf_core.ingest.talk import Talk
from nmf_core.types import Array

_ID_NAMES = frozenset(
    (
        "",
        "id",
        "index",
        "name",
        "sample",
        "samples",
        "no",
        "nr",
        "no.",
        "nr.",
        "#",
        "obs",
        "row",
        "rows",
        "gene",
        "key",
        "unnamed: 0",
        "...1",
        "x1",
        "sample_id",
        "sampleid",
        "sample id",
        "rownames",
        "row_names",
        "barcode",
        "gene_id",
    )
)
#: A first column of rising numbers under such a name is the axis along which the rows lie.
_AXIS = re.compile(
    r"(wave ?(lengths?|numbers?)|raman ?shift|lambda|frequency|freq|energy|m/?z|2[ -]?theta|angle|retention ?time|time ?stamp|"
    r"unix ?time|epoch|time|date|year|hours?|seconds?|minutes?|days?|depth|position|distance|t(?=$|[ _.(\[]))(?![a-z])[^a-z]{0,3}(\(.*\)|\[.*\]|[a-z°/⁻¹^-]{1,5})?$",
    re.I,
)


def row_names(
    columns: list[Column], given: Sequence[str], n: int, talk: Talk, *, alone: bool = False
) -> tuple[Array, Column | None]:
    """Find the column that names the rows: text without repeats, or a counter named like one.

    `alone` tells that the numbers, or words, are elsewhere, so that the only column may name the rows.
    """
    least = 1 if alone else 2
    candidates: list[Column] = []
    default: Column | None = None
    for j, column in enumerate(columns):
        name = given[j].strip().lower()
        if column.kind == "text" and not column.missing and len(set(column.texts or [])) == n:
            candidates.append(column)
            if default is None and (j == 0 or name in _ID_NAMES) and not is_prose(column):
                default = column
        elif (
            column.kind == "number"
            and (name in _ID_NAMES or j == 0)
            and not (column.missing or column.bad)
            and _whole_unique(column)
        ):
            if len(columns) >= least:
                candidates.append(column)
            named = name in _ID_NAMES or _is_axis(column, name) or (_unnamed(given) and _counts(column))
            if default is None and j == 0 and len(columns) >= least and named:
                default = column
        elif j == 0 and len(columns) > 2 and _is_axis(column, name):
            candidates.append(column)
            default = default or column
        elif column.kind == "text" and j == 0 and name in _ID_NAMES and not is_prose(column):
            candidates.append(column)
            if default is None and len(set(column.texts or [])) > 0.9 * n:
                default = column
    if default is None:
        unique = [c for c in candidates if c.kind == "text" and not is_prose(c)]
        default = unique[0] if len(unique) == 1 else None
    if len(columns) < least:
        candidates, default = [], None
    if candidates:
        options = [Option("", "none: number the rows"), *(Option(c.name, c.name) for c in candidates)]
        answer = talk.ask(
            "row_names", "Which column names the rows?", options, default.name if default else "", required=False
        )
        default = next((c for c in candidates if c.name == answer), None)
    if default is None:
        return numbered("r", n), None
    which = "first column" if default is columns[0] and not given[0].strip() else f"column {default.name}"
    talk.note("row-names", f"The {which} names the rows.", "row_names")
    return np.array(tidy_names(default.cells, talk, "row", "r"), dtype=np.str_), default


def _whole_unique(column: Column) -> bool:
    x = column.numbers
    return x is not None and bool((x == np.floor(x)).all()) and len(np.unique(x)) == len(x)


def _unnamed(given: Sequence[str]) -> bool:
    """Tell names that were made up because the file has no header."""
    return len(given) > 2 and all(name == f"c{k}" for k, name in enumerate(given, 1))


def _counts(column: Column) -> bool:
    """Tell 0, 1, 2 … or 1, 2, 3 … down a column."""
    x = np.asarray(column.numbers)
    return len(x) >= 5 and x[0] in (0.0, 1.0) and bool((np.diff(x) == 1).all())


def _is_axis(column: Column, name: str) -> bool:
    """Tell a column of numbers that rise or fall all the way, under the name of an axis."""
    x = column.numbers
    if column.kind != "number" or column.missing or column.bad or x is None or len(x) < 3 or not _AXIS.match(name):
        return False
    steps = np.diff(x)
    return bool((steps > 0).all() or (steps < 0).all())


def date_axis(column: Column) -> Column | None:
    """Return a first column of dates that could name the rows: none is missing, none comes twice."""
    texts = column.texts or []
    return column if column.kind == "date" and not column.missing and len(set(texts)) == len(texts) else None


def short_dates(texts: Sequence[str]) -> list[str]:
    """Return dates without the midnight that workbooks and Parquet add."""
    midnight = re.compile(r"[ T]00:00(:00(\.0+)?)?(\+00:00|Z)?$")
    return [midnight.sub("", text) for text in texts] if all(map(midnight.search, texts)) else list(texts)
