"""Numbers in people's notation: with a unit or a currency, with a typographic minus, as text in a workbook or in JSON."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from nmf_core.ingest.book import Book, plain_number
from nmf_core.ingest.codes import as_codes
from nmf_core.ingest.columns import Column, from_values, parse_number
from nmf_core.ingest.dialect import MISSING, PLAIN, Dialect, guess_numbers
from nmf_core.ingest.reading import Option
from nmf_core.ingest.survey import chosen_numbers
from nmf_core.ingest.talk import Talk

_UNITS = (
    "%|‰|€|\\$|£|¥|EUR|USD|GBP|CHF|kg|mg|µg|μg|ug|ng|g|t|km²|km2|km|cm|mm|µm|μm|um|nm|m²|m2|m³|m3|m|ha|ml|mL|µl|μl|l|L|"
    "ms|s|min|h|°C|°F|°|K|Hz|kHz|MHz|GHz|mV|kV|V|mA|A|kWh|kW|MW|W|kJ|J|hPa|kPa|MPa|Pa|mbar|bar|mM|µM|μM|nM|mol|ppm|ppb|dB|"
    "kB|MB|GB|kcal|cal|rpm|px"
)
_WITH_UNIT = re.compile(
    r"\s*(?P<before>[$€£¥]|EUR|USD|GBP|CHF)?\s*(?P<number>[+\-−]?(?:\d[\d.,'’\u00a0\u202f ]*|[.,]\d+)(?:[eE][+\-−]?\d+)?)"
    rf"\s*(?P<spread>(?:±|\+/-|\+-)\s*[\d.,]+)?\s*(?P<after>{_UNITS})?\s*$"
)
_COMMA = re.compile(
    r"\s*[+\-−]?\d[\d.'’\u00a0\u202f ]*,\d+\s*$|\s*[+\-−]?\d{1,3}(['’,.\u00a0\u202f ]\d{3})+([.,]\d+)?\s*$"
)


def read_units(columns: list[Column], talk: Talk, dialect: Dialect = PLAIN) -> list[Column]:
    """Read columns whose cells all carry the same unit, a ±, another minus sign or another decimal mark, as numbers."""
    read: list[tuple[str, str]] = []
    said: dict[str, list[str]] = {}
    for j, column in enumerate(columns):
        if column.texts is None or not column.bad:
            continue
        found = _without_unit(column.texts)
        again = None if found is None else _again(column, found.texts, dialect, sure=bool(found.unit or found.minus))
        if found is None or again is None:
            continue
        if found.unit:
            if not read:
                options = [Option("read", "numbers with a unit"), Option("text", "text")]
                if (
                    talk.ask("units", "What are cells such as 12 % or 3,50 €?", options, "read", required=False)
                    == "text"
                ):
                    return columns
            read.append((column.name, found.unit))
        said.setdefault(found.minus or ("" if found.unit else "comma"), []).append(column.name)
        columns[j] = again
    if read:
        shown = ", ".join(f"{unit} in {name[:40]}" for name, unit in read[:4])
        talk.note(
            "units", f"Units after or before numbers were taken off: {shown}{' …' if len(read) > 4 else ''}.", "units"
        )
    for what, names in said.items():
        if what:
            text = _SAID[what].format(", ".join(name[:40] for name in names[:4]))
            talk.note("notation", text)
    return columns


_SAID = {
    "minus": "The typographic minus sign (−) was read as minus in: {}.",
    "spread": "What stands after ± was left out in: {}.",
    "apostrophe": "Apostrophes around numbers were taken off in: {}.",
    "brackets": "Numbers in brackets were read as negative in: {}.",
    "comma": "These columns write numbers in another way than the rest and were read so: {}.",
}


class _Plain(NamedTuple):
    """Cells without their unit, the unit, and what else is unusual in them (a key of `_SAID`)."""

    texts: list[str]
    unit: str
    minus: str


def _without_unit(texts: Sequence[str]) -> _Plain | None:
    """Return the cells without their common unit; None when one of them is no number with that unit."""
    units: set[str] = set()
    plain: list[str] = []
    minus = ""
    for text in texts:
        cell = text.strip()
        if cell.lower() in MISSING:
            plain.append("")
            continue
        if cell[:1] == "'":  # how a spreadsheet marks a number that is kept as text, and how databases quote
            cell, minus = cell.strip("'").strip(), minus or "apostrophe"
        if cell[:1] == "(" and cell[-1:] == ")":  # as accountants write
            cell, minus = f"-{cell[1:-1].strip()}", "brackets"
        elif "−" in cell:
            minus = minus or "minus"
        match = _WITH_UNIT.match(cell)
        if match is None:
            return None
        if match["spread"]:
            minus = "spread"
        units.add(" ".join(filter(None, (match["before"], match["after"]))))
        if len(units) > 1:
            return None
        plain.append(match["number"].strip().replace("−", "-"))
    return _Plain(plain, units.pop(), minus) if units else None


def _again(column: Column, texts: list[str], dialect: Dialect, *, sure: bool) -> Column | None:
    """Read the cells anew, as the file writes numbers or else as these cells do; None when that would be a guess."""
    decimal, thousands, ambiguous = guess_numbers([[text] for text in texts[:1000]], ";", ".")
    own = [] if ambiguous and not sure else [Dialect(";", decimal, thousands)]
    for way in (dialect, *own):
        book = Book(1, len(texts), way)
        book.add(0, 0, texts)
        book.n = len(texts)
        again = book.close([column.name])[0]
        if not again.bad:
            return again
    return None


def columns_of(names: Sequence[str], values: list[list[Any]], talk: Talk) -> list[Column]:
    """Build columns from the Python values of a workbook or of JSON, with numbers that are written as text read as numbers."""
    cells = _numbers_in_text(values, talk)
    columns = [from_values(name, column) for name, column in zip(names, cells, strict=True)]
    return as_codes(read_units(columns, talk), talk)


def _numbers_in_text(columns: list[list[Any]], talk: Talk) -> list[list[Any]]:
    """Turn text cells such as ``1,5`` or ``1.234,50`` of a workbook or of JSON into plain numbers, with a note.

    Parameters
    ----------
    columns : list of list
        The values of each column.
    talk : Talk
    """
    texts = [value for values in columns for value in values[:400] if isinstance(value, str) and _COMMA.match(value)]
    if not texts:
        return columns
    decimal, thousands, ambiguous = guess_numbers([[text] for text in texts], ";", ".")
    decimal, thousands = chosen_numbers(decimal, thousands, ambiguous, [["", text] for text in texts], talk)
    dialect = Dialect(";", decimal, thousands)
    if decimal == "." and not thousands:
        return columns
    return [[_plain(value, dialect) if isinstance(value, str) else value for value in values] for values in columns]


def _plain(text: str, dialect: Dialect) -> str:
    number = plain_number(text.strip().replace("−", "-"), dialect)
    return number if parse_number(number) == parse_number(number) else text
