"""From columns to a matrix: which column names the rows, which are labels, which are numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from nmf_core.ingest.columns import Column, bounds_of, days, looks_other, truth, whole, with_bounds
from nmf_core.ingest.documents import from_documents
from nmf_core.ingest.foot import without_foot, without_headers
from nmf_core.ingest.long_table import arrange_long
from nmf_core.ingest.names import BUDGET, tidy_names
from nmf_core.ingest.raw import Raw
from nmf_core.ingest.reading import Option, Refused
from nmf_core.ingest.relations import as_network
from nmf_core.ingest.row_names import date_axis, row_names, short_dates
from nmf_core.ingest.table_texts import is_prose, prose_column, said_column
from nmf_core.ingest.talk import Talk
from nmf_core.types import Array

_LABEL_NAMES = re.compile(
    r"(class|target|labels?|species|group|cluster|categor(y|ies)|diagnosis|outcome|cell[ _]?type|y|cls|type)$", re.I
)


def arrange(columns: list[Column], talk: Talk, *, plain: bool = False) -> Raw:
    """Build the labelled matrix of a table; `plain` when it is known to be no long table.

    Raises
    ------
    Refused
        When no rows are left, or no column holds numbers.
    """
    columns, n = _without_empty(columns, talk)
    columns, n = without_foot(columns, without_headers(columns, n, talk), talk)
    given = [column.name for column in columns]
    for column, name in zip(columns, tidy_names(given, talk, "column", "c"), strict=True):
        column.name = name
    complex_ = [column for column in columns if column.kind == "complex"]
    if complex_:
        raise Refused(
            "complex",
            "The table holds complex numbers",
            f"column {complex_[0].name}",
            "Save the magnitudes, or real and imaginary parts in columns of their own",
        )
    for column in columns:
        if column.kind == "text" and column.texts and not column.code and talk.choices.get("units") != "text":
            filled = [t for t in column.texts[:500] if t.strip()]
            if filled and all(looks_other(t) or t.replace(".", "").isdigit() for t in filled):
                column.kind = "number"  # hexadecimal, 1_000, 12 %: numbers in a notation that is not guessed
            elif column.bad and bounds_of(column):
                column.kind = "number"  # most of them below the limit of detection
    long = None if plain else arrange_long(columns, given, talk)
    if long is not None:
        return long
    prose = prose_column(columns, talk)
    if prose is not None:
        return _documents(columns, prose, n, talk)
    rows, used = row_names(columns, given, n, talk)
    rest = [column for column in columns if column is not used]
    axis = None if used is not None else date_axis(columns[0])
    numeric = _numeric(rest, talk, axis)
    if axis is not None and axis.kind == "names":
        used, rows = axis, np.array(tidy_names(short_dates(axis.texts or []), talk, "row", "r"), dtype=np.str_)
    if not numeric and (said := said_column(columns, talk)) is not None:
        return _documents(columns, said, n, talk)
    aside, numeric = _labels(rest, numeric, talk)
    if not numeric:
        shown = "; ".join(f"{c.name}: {', '.join((c.texts or [])[:3])}" for c in columns[:2])
        raise Refused(
            "no-numbers",
            "No numeric column was found",
            f"first values: {shown[:150]}",
            "Each column needs numbers below its name; if the numbers use another notation, choose how they are written",
        )
    X = _stack(numeric)
    if any(column.large for column in numeric):
        talk.note(
            "large-integers", "Integers above 2^53 (9,007,199,254,740,992) lose their last digits as 64-bit numbers."
        )
    labels = {column.name: _label_values(column) for column in aside}
    names = np.array([column.name for column in numeric], dtype=np.str_)
    named = used is not None or any(name.strip() and name != f"c{j + 1}" for j, name in enumerate(given))
    return as_network(Raw(X, rows, names, labels=labels), talk, named=named)


def _without_empty(columns: list[Column], talk: Talk) -> tuple[list[Column], int]:
    """Leave out columns and rows in which no cell is filled."""
    n = len(columns[0].numbers) if columns and columns[0].numbers is not None else 0
    if n == 0:
        raise Refused("no-rows", "The table has a header but no rows", hint="Choose a file that holds data")
    kept = [column for column in columns if column.kind != "empty"]
    gone = [column for column in columns if column.kind == "empty" and column.name.strip()]
    if not kept:
        raise Refused("all-missing", "Every cell of the table is empty", hint="Choose a file that holds data")
    if gone:
        names = ", ".join(column.name[:40] for column in gone[:3])
        talk.note("columns-empty", f"{len(gone)} empty column{'s' * (len(gone) > 1)} left out: {names}.")
    some_text = [c for c in kept if c.texts is not None]
    if all(column.missing for column in kept):
        empty = np.ones(n, dtype=bool)
        for column in kept:
            empty &= np.isnan(np.asarray(column.numbers))
        for column in some_text:
            empty &= np.array([not text.strip() for text in column.texts or []], dtype=bool)
        if empty.any() and not empty.all():
            k = int(empty.sum())
            talk.note("rows-empty", f"{k} empty row{'s' * (k > 1)} left out (first: row {int(np.argmax(empty)) + 1}).")
            for column in kept:
                column.numbers = column.numbers[~empty] if column.numbers is not None else None
                if column.texts is not None:
                    column.texts = [text for text, out in zip(column.texts, empty, strict=True) if not out]
                column.missing -= k
            n -= k
    return kept, n


def _documents(columns: list[Column], prose: Column, n: int, talk: Talk) -> Raw:
    rest = [c for c in columns if c is not prose]
    names, used = row_names(rest, [c.name for c in rest], n, talk, alone=True) if rest else (None, None)
    keep = np.array([bool(text.strip()) for text in prose.texts or []], dtype=bool)
    if not keep.all():
        k = int((~keep).sum())
        talk.note("documents-empty", f"{k} empty text{'s' * (k > 1)} left out.")
    at = np.flatnonzero(keep)
    if len(at) < 2:
        raise Refused(
            "one-document",
            f"There {'is 1 document' if len(at) else 'are no documents'}; at least two are needed",
            hint="Choose a table with more rows",
        )
    rows = [f"document {i + 1}" for i in at] if names is None or used is None else [str(names[i]) for i in at]
    raw = from_documents([(prose.texts or [])[i] for i in at], rows, talk)
    labels = {}
    for column in rest:
        values = _label_values(column)
        distinct = len(set(values.tolist()))
        # Dates and names stay however many there are (topics over time, by speaker); numbers only as a few classes.
        few = distinct <= max(2, min(60, n // 2))
        wanted = few or (column.kind != "number" and not is_prose(column))
        if column is not used and distinct >= 2 and wanted and column.kind != "out":
            labels[column.name] = values[at]
    if labels:
        talk.note("labels", f"Set aside as labels: {', '.join(list(labels)[:5])}.")
    return raw.with_(labels=labels)


def _numeric(columns: list[Column], talk: Talk, axis: Column | None = None) -> list[Column]:
    """Settle truth values, dates and columns with cells that are no numbers; return the columns of numbers.

    `axis` is a column of dates that could name the rows; its kind is "names" afterwards if it does.
    """
    truths = [c for c in columns if c.kind == "bool"]
    for column in truths:
        column.numbers, column.kind, column.bad = truth(column.texts or []), "number", 0
    crosses = [c for c in truths if c.missing and not np.isnan(np.asarray(c.numbers)).any()]
    if crosses:
        talk.note("crosses", f"A cross was read as 1 and a blank cell as 0 in: {_list(crosses)}.")
    answers = [c for c in truths if c not in crosses]
    if answers:
        talk.note("truth-values", f"Yes/no was read as 1/0 in: {_list(answers)}.")
    dates = [c for c in columns if c.kind == "date"]
    if dates:
        options = [
            Option("out", "leave them out", len(dates)),
            Option("days", "count days since the first date", len(dates)),
            Option("label", "set them aside as labels", len(dates)),
        ]
        if axis is not None:
            rest = f", leave out the others ({len(dates) - 1})" if len(dates) > 1 else ""
            options.insert(0, Option("rows", f"name the rows by {axis.name}{rest}", 1))
        answer = talk.ask("dates", f"What about dates ({_list(dates)})?", options, options[0].value)
        what = {
            "days": "counted as days since the first one",
            "label": "set aside as labels",
            "out": "left out",
            "rows": "taken as names of the rows" + ("; others were left out" if len(dates) > 1 else ""),
        }[answer]
        talk.note("dates", f"Dates were {what}: {_list(dates)}.", "dates")
        for column in dates:
            if answer == "days":
                column.numbers, column.kind, column.bad = days(column.texts or []), "number", 0
            elif answer == "rows" and column is axis:
                column.kind = "names"
            else:
                column.kind = "label" if answer == "label" else "out"
    mixed = [c for c in columns if c.kind == "number" and c.bad]
    if mixed:
        k = sum(c.bad for c in mixed)
        shown = ", ".join(c.no_numbers for c in mixed)
        cells = "1 cell is" if k == 1 else f"{k:,} cells are"
        options = [
            Option("missing", f"treat {'it' if k == 1 else 'them'} as missing", k),
            Option("drop", f"leave out {len(mixed)} column{'s' * (len(mixed) > 1)}", len(mixed)),
        ]
        bounds = [found for c in mixed if (found := bounds_of(c))]
        if len(bounds) == len(mixed):  # as laboratories write what was too little, or too much, to measure
            options[:0] = _limits(bounds, k)
        answer = talk.ask("bad_cells", f"{cells} no number: {shown[:300]}. What to do?", options, options[0].value)
        if answer == "drop":
            talk.note(
                "columns-left-out", f"Columns with cells that are no numbers left out: {_list(mixed)}.", "bad_cells"
            )
            columns = [c for c in columns if c not in mixed]
        elif answer in ("half", "bound"):
            for column, found in zip(mixed, bounds, strict=True):
                column.numbers = with_bounds(column, found, halved=answer == "half")
                column.bad = 0
            how = "half of the limit" if answer == "half" else "the limit"
            talk.note("bounds", f"Cells below or above a limit got {how}: {shown[:200]}.", "bad_cells")
        else:
            talk.note("bad-cells", f"Cells that are no numbers count as missing: {shown[:200]}.", "bad_cells")
    return [c for c in columns if c.kind == "number" and c.numbers is not None and not np.isnan(c.numbers).all()]


def _limits(bounds: Sequence[dict[int, tuple[str, float]]], k: int) -> list[Option]:
    """Return what can stand in the place of cells such as ``<0.5``, with one of them as an example."""
    cells = [cell for bound in bounds for cell in bound.values()]
    below = next((value for side, value in cells if side == "<"), None)
    limit = Option("bound", f"take the limit: {cells[0][0]}{cells[0][1]:g} becomes {cells[0][1]:g}", k)
    if below is None:
        return [limit]
    above = " (and the limit for >)" if any(side == ">" for side, _ in cells) else ""
    return [Option("half", f"take half the limit: <{below:g} becomes {below / 2:g}{above}", k), limit]


def _labels(columns: list[Column], numeric: list[Column], talk: Talk) -> tuple[list[Column], list[Column]]:
    """Set text, and numbers that are class numbers by name, aside as labels."""
    chosen = {id(c) for c in numeric}
    texts = [c for c in columns if id(c) not in chosen and c.kind in ("text", "label") and c.texts]
    asked = numeric if len(numeric) <= 200 else [c for c in numeric if _LABEL_NAMES.match(c.name)]
    coded = [c for c in asked if len(numeric) > 2 and not c.missing and _few_whole(c)]
    default = [c.name for c in texts] + [c.name for c in coded if _LABEL_NAMES.match(c.name)]
    if not texts and not coded:
        return [], numeric
    options = [Option(c.name, c.name, len(set(c.cells))) for c in (*texts, *coded)]
    answer = talk.ask_many(
        "labels", "Which columns are labels, set aside from the numbers?", options, default, required=False
    )
    aside = [c for c in (*texts, *coded) if c.name in answer]
    if aside:
        shown = ", ".join(f"{c.name} ({next(o.count for o in options if o.value == c.name)} values)" for c in aside[:5])
        talk.note("labels", f"Set aside as labels: {shown}{' …' if len(aside) > 5 else ''}.", "labels")
    out = [c for c in texts if c.name not in answer]
    if out:
        talk.note("columns-left-out", f"Columns of text left out: {_list(out)}.", "labels")
    return aside, [c for c in numeric if c.name not in answer or c not in coded]


def _stack(columns: list[Column]) -> Array:
    """Return the columns side by side, without a copy when they already lie in one block."""
    arrays = [c.numbers for c in columns]
    base = arrays[0].base if arrays[0] is not None else None
    if base is not None and all(a is not None and a.base is base for a in arrays):
        block = base
        if block.ndim == 2 and block.flags.c_contiguous:
            start = block.__array_interface__["data"][0]
            index = [(a.__array_interface__["data"][0] - start) // block.strides[0] for a in arrays if a is not None]
            n = len(arrays[0])  # type: ignore[arg-type]
            if index == list(range(index[0], index[0] + len(index))):
                return block[index[0] : index[0] + len(index), :n].T
    return np.column_stack(arrays)  # type: ignore[arg-type]


def _label_values(column: Column) -> Array:
    if column.texts is not None and column.kind != "number":
        width = max(12, min(200, BUDGET // (4 * max(1, len(column.texts)))))
        return np.array([text.strip()[:width] for text in column.texts], dtype=np.str_)
    return np.array([whole(x) for x in np.asarray(column.numbers)], dtype=np.str_)


def _few_whole(column: Column) -> bool:
    x = column.numbers
    if x is None or not np.isfinite(x).all() or (x != np.floor(x)).any():
        return False
    distinct = len(np.unique(x))
    return 2 <= distinct <= min(30, len(x) // 3)


def _list(columns: Sequence[Column]) -> str:
    return ", ".join(c.name for c in columns[:5]) + (" …" if len(columns) > 5 else "")
