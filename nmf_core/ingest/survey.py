"""A first look at a text table: what separates its cells, how numbers are written, which lines hold names."""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import dataclass

from nmf_core.ingest.dialect import (
    COMMENT,
    INLINE,
    SEPARATORS,
    Dialect,
    cells,
    guess_header,
    guess_numbers,
    guess_separator,
    is_comment,
    is_value,
)
from nmf_core.ingest.header import header_height, is_rule, joined_names
from nmf_core.ingest.preface import LINE_CUT, grid_lines, is_bag, lines_used, sizes_line, skip_titles
from nmf_core.ingest.reading import Option, Refused
from nmf_core.ingest.talk import Talk

SAMPLE_BYTES, SAMPLE_LINES = 1 << 18, 400
LONGEST_CELL = 20  # lines that a quoted cell may span
_OPENS = re.compile(r'(?:^|[,;\t|:~^&!])[ ]*"')
_CLOSES = re.compile(r'[^"]*(?:""[^"]*)*"[ ]*(?:[,;\t|:~^&!\r\n]|$)')
WIDE = 2000  # beyond so many columns Arrow's cost per column outweighs its speed per row


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What the first lines of a text table tell.

    Attributes
    ----------
    dialect : Dialect
    names : list of str
        One per column, as the file gives them.
    rows : memoryview
        The bytes below the names.
    before, above : int
        Lines above them, and in how many entries of `lines` they stand.
    n_upper : int
        Upper bound on the number of rows.
    comments, quoted : bool
        Whether comment lines and quotation marks occur below the names.
    simple : bool
        Whether Arrow's reader can be trusted with them.
    lines : list of str
        The first lines of the file; lines that a quoted cell spans are one entry.
    """

    dialect: Dialect
    names: list[str]
    rows: memoryview
    before: int
    above: int
    n_upper: int
    comments: bool
    quoted: bool
    simple: bool
    lines: list[str]

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.names)


def survey(body: bytes | memoryview, talk: Talk) -> Survey:
    """Look at a text table, given as UTF-8.

    Raises
    ------
    Refused
        For a file that is empty or has too many columns; the message names the line.
    """
    if not bytes(body[:4096]).strip() and not bytes(body).strip():
        raise Refused(
            "empty",
            "The file is empty: it holds only blank lines",
            hint="Choose a file with rows and columns",
        )
    lines = first_lines(body)
    dialect, names, width, offset, above = _understand(lines, body, talk)
    header_lines = len(_physical("".join(lines[:above])))
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
    marks = _count(rows, b"#") > 0
    inline = marks and INLINE.search(rows) is not None
    comments = inline or (marks and COMMENT.search(rows) is not None)
    if inline:
        talk.note("comments", "Comments at the end of lines, after #, were left out.")
    quoted = b'"' in bytes(rows[:SAMPLE_BYTES]) or _count(rows, b'"') > 0
    simple = (
        width <= WIDE
        and dialect.separator[0] != " "
        and not comments
        and not (quoted and _odd_quotes(rows, dialect.separator))
    )
    return Survey(dialect, names, rows, header_lines, above, n_upper, comments, quoted, simple, lines)


def first_lines(body: bytes | memoryview) -> list[str]:
    """Return the first lines with their ends; the last one only if it is whole or alone.

    A cell in quotation marks may hold line ends: the lines that it spans are returned as one.
    """
    head = bytes(body[:SAMPLE_BYTES])
    if len(body) > SAMPLE_BYTES and not re.search(rb"[\r\n]", head):
        head = bytes(body[: 64 * SAMPLE_BYTES])
    text = head.decode("utf-8", errors="replace")
    lines = _physical(text)
    if len(body) > len(head) and len(lines) > 1:
        lines.pop()
    return _records(lines[:SAMPLE_LINES])


def _physical(text: str) -> list[str]:
    return io.StringIO(text, newline="").readlines()


def _closes(lines: list[str]) -> bool:
    """Tell whether the first quotation mark in these lines ends a cell rather than begins one."""
    line = next((line for line in lines if '"' in line), "")
    return _CLOSES.match(line) is not None


def _records(lines: list[str]) -> list[str]:
    """Join the lines that a quoted cell spans; a quotation mark that is never closed joins nothing."""
    records: list[str] = []
    k = 0
    while k < len(lines):
        used = 1
        if _OPENS.search(lines[k]) and lines[k].count('"') % 2 and _closes(lines[k + 1 : k + LONGEST_CELL]):
            quotes = lines[k].count('"')
            while quotes % 2 and k + used < len(lines) and used < LONGEST_CELL:
                quotes += lines[k + used].count('"')
                used += 1
            used = used if quotes % 2 == 0 else 1
        records.append("".join(lines[k : k + used]))
        k += used
    return records


def _understand(lines: list[str], body: bytes | memoryview, talk: Talk) -> tuple[Dialect, list[str], int, int, int]:
    """Settle the dialect; return it with the names, the width, where the rows start, and the lines before them."""
    skip = 0
    while skip < len(lines) - 1 and (not lines[skip].strip() or is_comment(lines[skip], "#%!")):
        skip += 1
    skip += sizes_line(lines, skip) + grid_lines(lines, skip)
    bag = is_bag(lines, skip)
    skip += 3 * bag
    told = re.fullmatch(r'"?sep=(.)"?', lines[skip].strip(" \r\n")) if skip < len(lines) - 1 else None
    skip += told is not None  # spreadsheets write the separator into the first line
    short = [line[:LINE_CUT].rstrip("\r\n") for line in lines[skip:]]
    separator, decimal = guess_separator([line for line in short if line.strip()][:200])
    separator = told[1] if told and told[1] in SEPARATORS else separator
    separator = _chosen_separator(separator, talk)
    skip, title_lines = skip_titles(lines, skip, separator)
    short = [line[:LINE_CUT].rstrip("\r\n") for line in lines[skip:]]
    rows = cells([line for line in short if line.strip() and not is_comment(line) and not is_rule(line)], separator)
    if not rows:
        raise Refused("empty", "The file holds no table", hint="Choose a file with rows and columns")
    decimal, thousands, ambiguous = guess_numbers(rows[1:] or rows, separator, decimal)
    decimal, thousands = chosen_numbers(decimal, thousands, ambiguous, rows, talk)
    dialect = Dialect(separator, decimal, thousands)
    commented = (
        "document word count"
        if bag
        else lines[skip - 1].lstrip("#% \t").rstrip("\r\n")
        if skip and is_comment(lines[skip - 1], "#%")
        else ""
    )
    has_header = guess_header(rows, dialect)
    tall = header_height(rows, dialect) if has_header else 1
    options = [Option("first", "The first line holds the names"), Option("none", "There is no header")]
    if tall > 1:
        options.insert(0, Option("joined", f"The first {tall} lines hold the names together"))
    names_above = (
        cells([commented], separator)[0] if commented and not has_header and cells([commented], separator) else []
    )
    counts = Counter(len(row) for row in (rows[1:] if has_header else rows)[:200])
    width = max(counts, key=lambda k: (counts[k], k)) if counts else len(rows[0])
    if len(names_above) == width and width > 1:
        said = (
            "The first three lines hold sizes"
            if bag
            else "The names were taken from the comment line above the numbers"
        )
        talk.note("header-comment", f"{said}.")
        header_row, used = names_above, 0
    else:
        default = "none" if not has_header else "joined" if tall > 1 else "first"
        answer = talk.ask("header", "Does the first line hold names?", options, default, required=False)
        header_row, used = [], 0
        if answer == "none":
            talk.note("no-header", "No header was found; the columns are named c1, c2 …", "header")
        else:
            whole = cells([lines[skip].rstrip("\r\n")], separator)
            header_row, used = (whole or rows)[0], 1
            if answer == "joined":
                header_row, used = joined_names(rows[:tall]), lines_used(lines, skip, tall)
                talk.note(
                    "header-joined",
                    f"The names reach over {tall} lines and were joined: {_some(header_row)}.",
                    "header",
                )
            elif all(is_value(cell, dialect) for cell in header_row if cell.strip()):
                talk.note("header-numbers", f"The first line was taken as names: {_some(header_row)}.", "header")
            while skip + used < len(lines) and is_rule(lines[skip + used]):
                used += 1
    if header_row and separator[0] not in " \t" and re.search(re.escape(separator) + r"[ \t]+[^\s\"]", lines[skip]):
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


def chosen_numbers(decimal: str, thousands: str, ambiguous: str, rows: list[list[str]], talk: Talk) -> tuple[str, str]:
    """Settle how numbers are written, with a note, or a question where it could be either."""
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
        if blanks:
            talk.note("thousands", "Marks between thousands were removed.")
    elif answer != "point":
        grouped = re.compile(r"\d[\d.,]*" + re.escape(mark) + r"\d{3}[\d.,]*")
        shown = next((found[0] for row in rows for c in row if (found := grouped.search(c))), "")
        plain = f": {shown} was read as {shown.replace(mark, '').replace(',', '.')}" if shown else ""
        talk.note("thousands", f"Marks between thousands were removed{plain}.", "numbers")
    elif blanks:
        talk.note("thousands", "Marks between thousands were removed.")
    return decimal, mark + blanks


def _some(names: list[str]) -> str:
    shown = [name.strip()[:30] for name in names if name.strip()][:4]
    return ", ".join(shown) + (" …" if len(names) > len(shown) else "")


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
    feeds, returns = _count(rows, b"\n"), _count(rows, b"\r")
    n = feeds + max(0, returns - _count(rows, b"\r\n"))  # a lone CR ends a line as well
    return n + (bytes(rows[-1:]) not in (b"\n", b"\r"))


def _article(word: str) -> str:
    return word if word.endswith("blanks") else f"an {word}" if word[0] in "aeiou" else f"a {word}"
