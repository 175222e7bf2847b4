"""Text tables: CSV, TSV and their relatives, read in one pass with memory close to that of the numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from nmf_core.ingest.book import Book
from nmf_core.ingest.codes import as_codes, likely
from nmf_core.ingest.columns import Column
from nmf_core.ingest.dialect import delimiter, is_comment, spread, without_remark
from nmf_core.ingest.notation import read_units
from nmf_core.ingest.reading import Option, Refused
from nmf_core.ingest.sample import stride
from nmf_core.ingest.survey import Survey
from nmf_core.ingest.talk import Talk


def read_delimited(found: Survey, talk: Talk) -> list[Column]:
    """Read a text table, of which `survey` has seen the first lines, into columns.

    Raises
    ------
    Refused
        For a file that is ragged or beyond the limits; the message names the line.
    """
    step = stride(found.n_upper, found.width, talk)
    n, codes = -(-found.n_upper // step), likely(found)
    book = Book(found.width, n, found.dialect, codes)
    if not (found.simple and _with_arrow(found, book, step, talk)):
        book = Book(found.width, n, found.dialect, codes)
        _with_csv(found, book, step, talk)
    if book.n == 0:
        raise Refused("no-rows", "The table has a header but no rows", hint="Choose a file that holds data")
    return as_codes(read_units(book.close(found.names), talk, found.dialect), talk)


def open_arrow(found: Survey, wanted: Sequence[int] | None = None, block: int = 1 << 22) -> Any:
    """Open Arrow's reader on the rows of a table; every cell as text, in batches of `block` bytes, some columns or all."""
    import pyarrow as pa
    import pyarrow.csv as pv

    names = [str(j) for j in range(found.width)]
    longest = max((len(line) for line in found.lines), default=0)
    return pv.open_csv(
        pa.py_buffer(found.rows),
        read_options=pv.ReadOptions(
            use_threads=False, column_names=names, block_size=min(1 << 28, max(block, 8 * longest))
        ),
        parse_options=pv.ParseOptions(
            delimiter=found.dialect.separator, newlines_in_values=found.quoted, ignore_empty_lines=True
        ),
        convert_options=pv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=False,
            check_utf8=False,
            include_columns=None if wanted is None else [names[j] for j in wanted],
        ),
    )


def _with_arrow(found: Survey, book: Book, step: int, talk: Talk) -> bool:
    """Fill the book with Arrow's reader; return False when a row does not fit and the patient reader has to look."""
    import pyarrow as pa

    try:
        stream = open_arrow(found)
        seen = 0
        for batch in stream:
            arrays: Sequence[Any] = batch.columns
            if step > 1:
                picks = pa.array(range((-seen) % step, batch.num_rows, step))
                arrays = [array.take(picks) for array in arrays]
            k = len(arrays[0])
            if book.n + k > book.block.shape[1]:
                return False
            for j, array in enumerate(arrays):
                if array.nbytes > 1_000_000 + 8 * k and _longest(array) > 1_000_000:
                    return False
                book.add_arrow(j, book.n, array)
            book.n += k
            seen += batch.num_rows
            talk.progress("read", min(1.0, seen / found.n_upper))
    except pa.ArrowInvalid:
        return False
    return True


def _longest(array: Any) -> int:
    import pyarrow.compute as pc

    return int(pc.max(pc.binary_length(array)).as_py() or 0)


class _View(io.RawIOBase):
    """A readable file over a memoryview, so that text is decoded piece by piece."""

    def __init__(self, view: memoryview) -> None:
        self.view, self.at = view, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        k = min(len(buffer), len(self.view) - self.at)
        buffer[:k] = self.view[self.at : self.at + k]
        self.at += k
        return k


def _with_csv(found: Survey, book: Book, step: int, talk: Talk) -> None:
    """Fill the book row by row: pads short rows, reports long ones, skips comment lines."""
    width, separator, before = found.width, found.dialect.separator, found.before
    view = _View(found.rows)
    text = io.TextIOWrapper(io.BufferedReader(view, 1 << 20), encoding="utf-8", errors="replace", newline="")
    lines: Iterator[str] = iter(text)
    if found.comments:
        lines = (without_remark(line) for line in lines if not is_comment(line))
    if separator[0] == " ":
        lines = (spread(line, separator) + "\n" for line in lines)
    csv.field_size_limit(talk.limits.cell_bytes)
    reader = csv.reader(lines, delimiter=delimiter(separator), skipinitialspace=separator != "\t", strict=True)
    skip_long = talk.choices.get("long_rows") == "skip"
    long: list[tuple[int, int]] = []
    short, first_short, count, room = 0, 0, 0, max(1, 500_000 // width)
    pending: list[list[str]] = []

    def flush() -> None:
        for j, column in enumerate(zip(*pending, strict=True)):
            book.add(j, book.n, column)
        book.n += len(pending)
        pending.clear()
        talk.progress("read", view.at / max(1, len(found.rows)))

    try:
        for row in reader:
            if not row or (len(row) == 1 and not row[0].strip() and width > 1):
                continue
            if len(row) > width:
                if any(cell.strip() for cell in row[width:]):
                    long.append((before + reader.line_num, len(row)))
                    continue
                row = row[:width]
            elif len(row) < width:
                short, first_short = short + 1, first_short or before + reader.line_num
                row = row + [""] * (width - len(row))
            count += 1
            if (count - 1) % step == 0:
                pending.append(row)
                if len(pending) >= room:
                    flush()
    except csv.Error as error:
        _explain(error, before + reader.line_num, talk)
    flush()
    if long:
        options = [Option("skip", f"Skip {_rows(len(long))}", len(long)), Option("refuse", "Do not read the file")]
        talk.ask("long_rows", "What about rows with too many cells?", options, "refuse", required=False)
        line, cells = long[0]
        if not skip_long:
            raise Refused(
                "ragged",
                f"Line {line} has {cells} cells where {width} are expected"
                + (f"; so do {len(long) - 1} more lines" if len(long) > 1 else ""),
                f"line {line}",
                f"Repair the file, or choose to skip {_rows(len(long))}",
            )
        talk.note("rows-skipped", f"{_rows(len(long))} with too many cells skipped (first: line {line}).", "long_rows")
    if short:
        talk.note(
            "rows-short", f"{_rows(short)} had too few cells (first: line {first_short}); the rest counts as missing."
        )


def _explain(error: csv.Error, line: int, talk: Talk) -> None:
    if "field larger" in str(error):
        raise Refused(
            "cell-too-long",
            f"A cell is longer than {talk.limits.cell_bytes:,} characters",
            f"near line {line}",
            "A cell of a table of numbers is short; or a quotation mark is never closed",
        ) from None
    if "end of data" in str(error):
        raise Refused(
            "quote-open",
            "A quotation mark is opened and never closed",
            f"the cell ends at line {line}",
            "Close the quotation mark, or double it inside a cell",
        ) from None
    raise Refused(
        "quote-broken",
        "A quotation mark stands where none is allowed",
        f"line {line}",
        'Inside a quoted cell write two quotation marks ("") for one',
    ) from None


def _rows(n: int) -> str:
    return "1 row" if n == 1 else f"{n:,} rows"
