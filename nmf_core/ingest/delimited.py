"""Text tables: CSV, TSV and their relatives, read in one pass with memory close to that of the numbers."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from nmf_core.ingest.book import Book
from nmf_core.ingest.columns import Column
from nmf_core.ingest.dialect import (
    COMMENT,
    SEPARATORS,
    Dialect,
    cells,
    guess_header,
    guess_numbers,
    guess_separator,
    is_comment,
)
from nmf_core.ingest.reading import Option, Refused
from nmf_core.ingest.sample import stride
from nmf_core.ingest.talk import Talk

SAMPLE_BYTES, SAMPLE_LINES, LINE_CUT = 1 << 18, 400, 20_000
WIDE = 2000  # beyond so many columns Arrow's cost per column outweighs its speed per row


def read_delimited(body: bytes | memoryview, talk: Talk) -> list[Column]:
    """Read a text table, given as UTF-8, into columns.

    Raises
    ------
    Refused
        For a file that is empty, no text, ragged, or beyond the limits; the message names the line.
    """
    if not bytes(body[:4096]).strip() and not bytes(body).strip():
        raise Refused(
            "empty",
            "The file is empty: it holds only blank lines",
            hint="Choose a file with rows and columns",
        )
    lines = first_lines(body)
    dialect, names, width, offset, header_lines = _understand(lines, body, talk)
    _check_cell_length(lines, talk)
    if width > talk.limits.columns:
        raise Refused(
            "too-wide",
            f"The table has {width:,} columns; the limit is {talk.limits.columns:,}",
            f"line {header_lines + 1}",
            "Keep the columns you need, or transpose the table",
        )
    rows = memoryview(body)[offset:]
    n_upper = _count_lines(rows)
    if n_upper == 0:
        raise Refused("no-rows", "The table has a header but no rows", hint="Choose a file that holds data")
    step = stride(n_upper, width, talk)
    book = Book(width, -(-n_upper // step), dialect)
    comments = _count(rows, b"#") > 0 and COMMENT.search(rows) is not None
    quoted = b'"' in bytes(rows[:SAMPLE_BYTES]) or _count(rows, b'"') > 0
    simple = (
        width <= WIDE
        and dialect.separator != " "
        and not comments
        and not (quoted and _odd_quotes(rows, dialect.separator))
    )
    if not (simple and _with_arrow(rows, book, step, quoted, lines)):
        book = Book(width, -(-n_upper // step), dialect)
        _with_csv(rows, book, step, header_lines, comments, talk)
    if book.n == 0:
        raise Refused("no-rows", "The table has a header but no rows", hint="Choose a file that holds data")
    return book.close(names)


def first_lines(body: bytes | memoryview) -> list[str]:
    """Return the first lines with their ends; the last one only if it is whole or alone."""
    head = bytes(body[:SAMPLE_BYTES])
    if len(body) > SAMPLE_BYTES and not re.search(rb"[\r\n]", head):
        head = bytes(body[: 64 * SAMPLE_BYTES])
    text = head.decode("utf-8", errors="replace")
    lines = io.StringIO(text, newline="").readlines()
    if len(body) > len(head) and len(lines) > 1:
        lines.pop()
    return lines[:SAMPLE_LINES]


def _understand(lines: list[str], body: bytes | memoryview, talk: Talk) -> tuple[Dialect, list[str], int, int, int]:
    """Settle the dialect; return it with the names, the width, where the rows start, and the lines before them."""
    skip = 0
    while skip < len(lines) - 1 and (not lines[skip].strip() or is_comment(lines[skip], "#%")):
        skip += 1
    told = re.fullmatch(r'"?sep=(.)"?', lines[skip].strip(" \r\n")) if skip < len(lines) - 1 else None
    skip += told is not None  # spreadsheets write the separator into the first line
    short = [line[:LINE_CUT].rstrip("\r\n") for line in lines[skip:]]
    separator, decimal = guess_separator([line for line in short if line.strip()][:200])
    separator = told[1] if told and told[1] in SEPARATORS else separator
    separator = _chosen_separator(separator, talk)
    skip, title_lines = _skip_titles(lines, skip, separator)
    short = [line[:LINE_CUT].rstrip("\r\n") for line in lines[skip:]]
    rows = cells([line for line in short if line.strip() and not is_comment(line)], separator)
    if not rows:
        raise Refused("empty", "The file holds no table", hint="Choose a file with rows and columns")
    decimal, thousands, ambiguous = guess_numbers(rows[1:] or rows, separator, decimal)
    decimal, thousands = _chosen_numbers(decimal, thousands, ambiguous, rows, talk)
    dialect = Dialect(separator, decimal, thousands)
    commented = lines[skip - 1].lstrip("#% \t").rstrip("\r\n") if skip and is_comment(lines[skip - 1], "#%") else ""
    has_header = guess_header(rows, dialect)
    options = [Option("first", "The first line holds the names"), Option("none", "There is no header")]
    names_above = (
        cells([commented], separator)[0] if commented and not has_header and cells([commented], separator) else []
    )
    counts = Counter(len(row) for row in (rows[1:] if has_header else rows)[:200])
    width = max(counts, key=lambda k: (counts[k], k)) if counts else len(rows[0])
    if len(names_above) == width and width > 1:
        talk.note("header-comment", "The names were taken from the comment line above the numbers.")
        header_row, used = names_above, 0
    else:
        answer = talk.ask(
            "header", "Does the first line hold names?", options, "first" if has_header else "none", required=False
        )
        header_row, used = (
            (cells([_joined(lines, skip)], separator)[0], _lines_of_header(lines, skip))
            if answer == "first"
            else ([], 0)
        )
        if answer == "none":
            talk.note("no-header", "No header was found; the columns are named c1, c2 …", "header")
    if (
        header_row
        and separator not in " \t"
        and re.search(re.escape(separator) + r"[ \t]+[^\s\"]", _joined(lines, skip))
    ):
        talk.note("names-trimmed", "Blanks around column names were removed.")
    if skip and (title_lines or any(line.strip() for line in lines[:skip])):
        talk.note(
            "lines-skipped", f"{skip} line{'s' * (skip > 1)} before the table {'were' if skip > 1 else 'was'} skipped."
        )
    header_lines = skip + used
    offset = len("".join(lines[:header_lines]).encode("utf-8"))
    if header_row and not rows[1:] and offset >= len(body):
        raise Refused("no-rows", "The table has a header but no rows", hint="Choose a file that holds data")
    long_line = any(len(line) > LINE_CUT for line in lines)
    if long_line:  # the cut sample cannot tell the width of a very wide table
        first = lines[header_lines] if header_lines < len(lines) else lines[skip]
        counted = cells([first.rstrip("\r\n")], separator)
        width = len(counted[0]) if counted else width
    else:
        width = max(width, len(header_row)) if len(header_row) != width else width
    names = header_row or [f"c{j + 1}" for j in range(width)]
    if header_row and len(names) == width - 1:
        names = ["", *names]  # as R writes it: no name over the row names
        last = [row[-1].strip() for row in rows[1:] if len(row) == width]
        if last and not any(last):
            names = [*names[1:], ""]
    names = names[:width] + [""] * (width - len(names))
    return dialect, names, width, offset, header_lines


def _chosen_separator(separator: str, talk: Talk) -> str:
    options = [Option(s, SEPARATORS[s]) for s in SEPARATORS]
    answer = talk.ask("separator", "What separates the columns?", options, separator, required=False)
    if answer != ",":
        talk.note("separator", f"The columns are separated by {_article(SEPARATORS[answer])}.", "separator")
    return answer


def _chosen_numbers(decimal: str, thousands: str, ambiguous: str, rows: list[list[str]], talk: Talk) -> tuple[str, str]:
    marks = {"point": (".", ""), "comma": (",", ""), "point-thousands": (",", "."), "comma-thousands": (".", ",")}
    options = [
        Option("point", "decimal point: 1.234 is a little over one"),
        Option("comma", "decimal comma: 1,234 is a little over one"),
        Option("point-thousands", "points group thousands: 1.234 is one thousand two hundred thirty-four"),
        Option("comma-thousands", "commas group thousands: 1,234 is one thousand two hundred thirty-four"),
    ]
    blanks = "".join(c for c in thousands if c not in ".,")
    if decimal == ",":
        default = "point-thousands" if "." in thousands else "comma"
    else:
        default = "comma-thousands" if "," in thousands else "point"
    example = next(
        (c.strip() for row in rows[1:] or rows for c in row if ("." if ambiguous == "decimal" else ",") in c), ""
    )
    text = (
        f"Every number has exactly three digits after its mark, for example {example}. What does it mean?"
        if ambiguous
        else "How are numbers written?"
    )
    answer = talk.ask("numbers", text, options, default, required=bool(ambiguous))
    decimal, mark = marks[answer]
    if answer == "comma":
        talk.note("decimal-comma", "Numbers were read with a decimal comma.", "numbers")
    elif answer != "point":
        shown = next((c.strip() for row in rows for c in row if mark in c and c.strip()[-1:].isdigit()), "")
        plain = shown.replace(mark, "").replace(",", ".")
        talk.note("thousands", f"Marks between thousands were removed: {shown} was read as {plain}.", "numbers")
    elif blanks:
        talk.note("thousands", "Marks between thousands were removed.")
    return decimal, mark + blanks


def _skip_titles(lines: list[str], skip: int, separator: str) -> tuple[int, int]:
    """Skip title lines: up to 20 single cells above a table of at least two columns."""
    counts = [
        len(row[0]) if (row := cells([line[:LINE_CUT].rstrip("\r\n")], separator)) else 0 for line in lines[skip:]
    ]
    filled = [c for c in counts if c]
    if len(filled) < 3:
        return skip, 0
    modal = Counter(filled).most_common(1)[0][0]
    if modal < 2:
        return skip, 0
    k = 0
    while k < min(20, len(counts)) and counts[k] <= 1:
        k += 1
    if 0 < k < len(counts) and counts[k] >= modal - 1:
        return skip + k, k
    return skip, 0


def _joined(lines: list[str], skip: int) -> str:
    return "".join(lines[skip : skip + _lines_of_header(lines, skip)]).rstrip("\r\n")


def _lines_of_header(lines: list[str], skip: int) -> int:
    """Count the lines of the header: a quoted name may hold line ends."""
    used, quotes = 1, lines[skip].count('"')
    while quotes % 2 and skip + used < len(lines) and used < 20:
        quotes += lines[skip + used].count('"')
        used += 1
    return used if quotes % 2 == 0 else 1


def _check_cell_length(lines: list[str], talk: Talk) -> None:
    for number, line in enumerate(lines, 1):
        if len(line) > talk.limits.cell_bytes and not re.search(r"[,;\t|].{0,1000000}?[,;\t|]", line[:2_000_000]):
            raise Refused(
                "cell-too-long",
                f"A cell is {len(line):,} characters long",
                f"line {number}",
                "A cell of a table of numbers is short; is this the right file?",
            )


def _count(rows: memoryview, byte: bytes) -> int:
    return sum(bytes(rows[i : i + (1 << 22)]).count(byte) for i in range(0, len(rows), 1 << 22))


def _odd_quotes(rows: memoryview, separator: str) -> bool:
    """Tell whether quotation marks do not pair up, or stand where Arrow would silently read something else."""
    mark = re.escape(separator).encode()
    after = re.compile(rb"(?:^|[\r\n" + mark + rb'])"(?:[^"]|"")*"(?![\r\n"' + mark + rb"]|$)")
    return _count(rows, b'"') % 2 == 1 or after.search(bytes(rows[: 1 << 20])) is not None


def _count_lines(rows: memoryview) -> int:
    """Return an upper bound on the number of rows: line ends in quotes are counted, too."""
    if not len(rows):
        return 0
    feeds = _count(rows, b"\n")
    n = feeds if feeds else _count(rows, b"\r")
    return n + (bytes(rows[-1:]) not in (b"\n", b"\r"))


def _with_arrow(rows: memoryview, book: Book, step: int, quoted: bool, lines: list[str]) -> bool:
    """Fill the book with Arrow's reader; return False when a row does not fit and the patient reader has to look."""
    import pyarrow as pa
    import pyarrow.csv as pv

    names = [str(j) for j in range(len(book.columns))]
    longest = max((len(line) for line in lines), default=0)
    try:
        stream = pv.open_csv(
            pa.py_buffer(rows),
            read_options=pv.ReadOptions(
                use_threads=False, column_names=names, block_size=min(1 << 28, max(1 << 22, 8 * longest))
            ),
            parse_options=pv.ParseOptions(
                delimiter=book.dialect.separator, newlines_in_values=quoted, ignore_empty_lines=True
            ),
            convert_options=pv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, check_utf8=False
            ),
        )
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


def _with_csv(rows: memoryview, book: Book, step: int, before: int, comments: bool, talk: Talk) -> None:
    """Fill the book row by row: pads short rows, reports long ones, skips comment lines."""
    width, separator = len(book.columns), book.dialect.separator
    text = io.TextIOWrapper(io.BufferedReader(_View(rows), 1 << 20), encoding="utf-8", errors="replace", newline="")
    lines: Iterator[str] = iter(text)
    if comments:
        lines = (line for line in lines if not is_comment(line))
    if separator == " ":
        lines = (re.sub(r"[ \t]+", " ", line.strip()) + "\n" for line in lines)
    csv.field_size_limit(talk.limits.cell_bytes)
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=separator != "\t", strict=True)
    skip_long = talk.choices.get("long_rows") == "skip"
    long: list[tuple[int, int]] = []
    short, first_short, count, room = 0, 0, 0, max(1, 500_000 // width)
    pending: list[list[str]] = []

    def flush() -> None:
        for j, column in enumerate(zip(*pending, strict=True)):
            book.add(j, book.n, column)
        book.n += len(pending)
        pending.clear()

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
        line, found = long[0]
        if not skip_long:
            raise Refused(
                "ragged",
                f"Line {line} has {found} cells where {width} are expected"
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


def _article(word: str) -> str:
    return word if word == "blanks" else f"a {word}"
