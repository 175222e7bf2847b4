"""How a text table is written: separator, decimal mark, thousands mark, comments, header."""

from __future__ import annotations

import contextlib
import csv
import itertools
import re
from collections import Counter
from dataclasses import dataclass

SEPARATORS = {
    ",": "comma",
    ";": "semicolon",
    "\t": "tab",
    "|": "vertical bar",
    " ": "blanks",
    "  ": "two or more blanks",
    ":": "colon",
    "~": "tilde",
    "^": "caret",
    "&": "ampersand",
    "!": "exclamation mark",
}
MISSING = frozenset(
    (
        "",
        "na",
        "n/a",
        "#n/a",
        "nan",
        "null",
        "none",
        "-",
        "--",
        ".",
        "?",
        "nd",
        "n.d.",
        "missing",
        "<na>",
        "nil",
        "#n/v",
        "#div/0!",
        "#value!",
        "#ref!",
        "#name?",
        "#num!",
        "#null!",
        "#nv",
        "#n/d",
        "-nan",
        "1.#qnan",
        "nat",
    )
)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")
_COMMA_NUMBER = re.compile(r"[+-]?(\d+,?\d*|,\d+)([eE][+-]?\d+)?$")
_US_GROUPS = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d{1,2}(,\d{2})+,\d{3})(\.\d*)?$")  # also lakhs: 12,34,567
_EU_GROUPS = re.compile(r"[+-]?\d{1,3}(\.\d{3})+(,\d*)?$")
_BLANK_GROUPS = re.compile(r"[+-]?\d{1,3}([ '’\u00a0\u202f]\d{3})+([.,]\d*)?$")
_INFINITE = frozenset(("inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"))
_WORDS = frozenset(("true", "false"))


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way to cut a text table into cells and to read numbers.

    Attributes
    ----------
    separator : str
    decimal : {".", ","}
    thousands : str
        Characters removed from numbers; empty for none.
    """

    separator: str
    decimal: str = "."
    thousands: str = ""


PLAIN = Dialect(",")  # numbers with a decimal point and nothing between thousands

_ERRORS = r"(?:N/A|N/V|N/D|NV|DIV/0!|VALUE!|REF!|NAME\?|NUM!|NULL!)"
_SHEET_ERRORS = re.compile(rf"#{_ERRORS}", re.I)
COMMENT = re.compile(rf"(?:^|[\r\n])[ \t]*#(?!{_ERRORS})".encode(), re.I)
#: A comment at the end of a line: after a number, a blank and a mark, and without a separator in it.
_REMARK = r"(?<=\d)[ \t]+#[ \t][^\r\n,;\t|\"]*"
INLINE = re.compile(rf"{_REMARK}(?:[\r\n]|$)".encode())
_INLINE_END = re.compile(rf"{_REMARK}[\r\n]*$")


def is_comment(line: str, marks: str = "#") -> bool:
    """Tell whether a line is a comment; the errors of spreadsheets (#N/A) begin in the same way and are none."""
    line = line.lstrip()
    return line[:1] in marks and line[:1] != "" and not _SHEET_ERRORS.match(line)


def without_remark(line: str) -> str:
    """Return a line without the comment at its end (`INLINE`)."""
    return _INLINE_END.sub("\n", line)


_BETWEEN = "\x1f"  # the unit separator of ASCII stands for any number of blanks


def delimiter(separator: str) -> str:
    """Return the one character that stands between cells after `spread`."""
    return separator if len(separator) == 1 else _BETWEEN


def spread(line: str, separator: str) -> str:
    """Return a line with one `delimiter` between its cells: blanks count once where they are the separator."""
    if separator == " ":
        return re.sub(r"[ \t]+", " ", line.strip())
    if separator == "  ":
        return re.sub(r"[ \t]{2,}|\t", _BETWEEN, line.strip())
    return line


def cells(lines: list[str], separator: str) -> list[list[str]]:
    """Cut lines into cells."""
    if separator[0] == " ":
        lines = [spread(line, separator) for line in lines]
    reader = csv.reader(lines, delimiter=delimiter(separator), skipinitialspace=separator != "\t", strict=False)
    rows: list[list[str]] = []
    with contextlib.suppress(csv.Error):
        rows.extend(row for row in reader if any(cell.strip() for cell in row))
    return rows


def number_share(rows: list[list[str]], decimal: str) -> float:
    """Return which share of the cells are numbers under a decimal mark; groups of three digits count."""
    pattern, groups = (_NUMBER, _US_GROUPS) if decimal == "." else (_COMMA_NUMBER, _EU_GROUPS)
    found = total = 0
    for row in rows:
        for cell in row:
            text = cell.strip().strip("%‰€$£¥ ").replace("−", "-")
            if text.lower() in MISSING:
                continue
            total += 1
            found += bool(
                pattern.match(text) or groups.match(text) or _BLANK_GROUPS.match(text) or text.lower() in _INFINITE
            )
    return found / total if total else 0.0


def guess_separator(lines: list[str]) -> tuple[str, str]:
    """Return the separator and decimal mark under which most cells are numbers and most lines have as many cells.

    The number share decides before the number of cells: in ``a;b`` over ``1,5;2,5`` both marks cut every data line
    alike, but only the semicolon leaves numbers.
    """
    best: tuple[float, ...] = (-1.0,)
    answer = (",", ".")
    tabs = sum("\t" in line for line in lines) >= 0.9 * len(lines)
    for rank, separator in enumerate(SEPARATORS):
        if tabs and separator[0] == " ":
            continue  # blanks between tabs belong to names such as "Station 3"
        rows = cells(lines, separator)
        if not rows:
            continue
        counts = Counter(len(row) for row in rows)
        modal = max(counts, key=lambda k: (counts[k], k))
        if modal < 2:
            continue
        short = len(rows) > 1 and len(rows[0]) == modal - 1  # no name over the row names, as R writes
        consistency = counts[modal] / (len(rows) - short)
        first = 1.0 if len(rows[0]) in (modal, modal - 1) else 0.0
        body = rows[1:] or rows
        for decimal in (".",) if separator == "," else (".", ","):
            share = number_share(body, decimal)
            words = consistency == 1.0 and modal <= 3 and len(rows) > 2  # links of a network: a b
            if (
                separator in (" ", "  ", ":", "~", "^", "&", "!")
                and (consistency < 0.9 or share == 0.0)
                and not (words and separator == " ")
            ):
                continue
            score = (round(consistency * (0.2 + share) * (0.6 + 0.4 * first), 2), float(-(decimal == ",")), -rank)
            if score > best:
                best, answer = score, (separator, decimal)
    return answer


def guess_numbers(rows: list[list[str]], separator: str, decimal: str) -> tuple[str, str, str]:
    """Return decimal mark, thousands marks, and which of them is ambiguous ("", "decimal" or "comma")."""
    texts = [cell.strip(" %‰€$£¥\t").replace("−", "-") for row in rows for cell in row]
    texts = [t for t in texts if t and t[-1:].isdigit() and any(c in t for c in ".,'’ \u00a0\u202f")]
    us = [t for t in texts if _US_GROUPS.match(t)]
    eu = [t for t in texts if _EU_GROUPS.match(t)]
    blank = "".join({c for t in texts if _BLANK_GROUPS.match(t) for c in t if c in " '’\u00a0\u202f"})
    plain = [t for t in texts if "." in t and "," not in t and _NUMBER.match(t)]
    comma = [t for t in texts if "," in t and "." not in t and _COMMA_NUMBER.match(t)]
    both_eu = [t for t in eu if "," in t or t.count(".") > 1]
    both_us = [t for t in us if "." in t or t.count(",") > 1]
    if both_eu and not both_us and len(both_eu) >= 0.5 * len([t for t in texts if "." in t and "," in t] or both_eu):
        return ",", "." + blank, ""
    if both_us:
        return ".", "," + blank, ""
    if comma and not plain:
        groups = [t for t in comma if _US_GROUPS.match(t) and not t.lstrip("+-").startswith("0")]
        if separator == ",":
            return (".", "," + blank, "") if len(groups) == len(comma) else (",", blank, "")
        if len(groups) == len(comma):
            return ",", blank, "comma"
        return ",", blank, ""
    if plain:
        groups = [t for t in plain if _EU_GROUPS.match(t) and not t.lstrip("+-").startswith("0")]
        if len(groups) == len(plain):
            return ".", blank, "decimal"
        if comma and us and len(us) == len(comma):
            return ".", "," + blank, ""
    return decimal if comma or not plain else ".", blank, ""


def is_value(text: str, dialect: Dialect) -> bool:
    """Tell whether a cell is a number; marks for missing values are none."""
    text = text.strip()
    if text.lower() in _INFINITE:
        return True
    for mark in dialect.thousands:
        text = text.replace(mark, "")
    return bool((_NUMBER if dialect.decimal == "." else _COMMA_NUMBER).match(text))


def guess_header(rows: list[list[str]], dialect: Dialect) -> bool:
    """Tell whether the first row holds names rather than values.

    It does when a column of numbers has a word on top, or when its numbers count upwards (years, positions) over
    other values, or when nothing in the table is a number and the first row's words do not come again.
    """
    if len(rows) < 2:
        return not any(is_value(cell, dialect) for cell in rows[0])
    first, body = rows[0], rows[1:201]
    width = max(len(row) for row in body)
    words_over_numbers = numbers = numeric_columns = 0
    words_are_marks = True  # "NA" over a number is a name or a missing value; the rest of the row decides
    for j in range(min(len(first), width)):
        offset = width - len(first)  # a header may leave out the name over the row names
        column = [row[j + offset] for row in body if len(row) > j + offset >= 0]
        values = sum(is_value(cell, dialect) for cell in column)
        if column and values > 0.5 * len(column):
            numeric_columns += 1
            if is_value(first[j], dialect):
                numbers += 1
            elif first[j].strip():
                words_over_numbers += 1
                words_are_marks &= first[j].strip().lower() in MISSING
    if words_over_numbers and not (words_are_marks and numbers):
        return True
    if numbers and numbers == numeric_columns:
        head = [cell.strip() for cell in first if is_value(cell, dialect)]
        if len(head) > 2 and all(re.fullmatch(r"\d{1,6}", t) for t in head):
            steps = {int(b) - int(a) for a, b in itertools.pairwise(head)}
            below = [row[-len(head) :] for row in body]
            counting = len(steps) == 1 and steps.pop() > 0
            other = any(not re.fullmatch(r"\s*\d{1,6}\s*", c) for row in below for c in row)
            return counting and (other or len(first) < width or not first[0].strip())
        return False
    later = {cell.strip() for row in body for cell in row}
    return not numeric_columns and not any(cell.strip() in later for cell in first)
