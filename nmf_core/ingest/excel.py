"""Workbooks: XLSX, XLSM, XLSB, XLS and ODS through calamine, after a scan of what the sheets claim to span."""

from __future__ import annotations

import html
import io
import re
import zipfile
from typing import Any

from nmf_core.ingest.archive import open_zip
from nmf_core.ingest.columns import Column
from nmf_core.ingest.grid import from_grid
from nmf_core.ingest.reading import Option, Refused
from nmf_core.ingest.talk import Talk

_CELL = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"')
#: A formula whose result the program that wrote it did not store: calamine sees an empty cell.
_NO_RESULT = re.compile(rb"</(?:\w+:)?f>\s*(?:<(?:\w+:)?v>\s*</(?:\w+:)?v>|<(?:\w+:)?v\s*/>)?\s*</(?:\w+:)?c>")
_STEP = 1 << 20


def read_workbook(data: bytes | memoryview, talk: Talk) -> list[Column]:
    """Read one sheet of a workbook into columns; which one is asked when several hold data.

    Raises
    ------
    Refused
        For a damaged, protected or bomb-like workbook, and when the chosen sheet is empty or beyond the limits.
    """
    import python_calamine as calamine

    spans: dict[str, tuple[int, int, int]] = {}
    unsolved: dict[str, int] = {}
    if bytes(data[:2]) == b"PK":
        spans, unsolved = _scan(data, talk)
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = [sheet for sheet in book.sheets_metadata if sheet.typ == calamine.SheetTypeEnum.WorkSheet]
    except calamine.PasswordError:
        raise protected() from None
    except Exception as error:  # CalamineError, ZipError, XmlError …
        raise _damaged() from error
    names = [sheet.name for sheet in sheets]
    visible = [sheet.name for sheet in sheets if sheet.visible == calamine.SheetVisibleEnum.Visible] or names
    if not names:
        raise Refused("empty", "The workbook has no sheet with cells", hint="Choose another file")
    sizes: dict[str, tuple[int, int, int]] = {}
    for name in names:
        if name in spans:
            sizes[name] = spans[name]
        elif len(names) <= 50:
            sheet = _sheet(book, name)
            sizes[name] = (sheet.height, sheet.width, sheet.height * sheet.width)
    filled = [name for name in names if sizes.get(name, (1, 1, 1))[2] > 0]
    seen = [name for name in visible if name in filled] or filled or names
    default = max(seen, key=lambda name: sizes.get(name, (1, 1, 1))[2])
    chosen = default
    if len(filled) > 1:
        options = [
            Option(name, _label(name, sizes.get(name), hidden=name not in visible), sizes.get(name, (0, 0, 0))[2])
            for name in names
        ]
        chosen = talk.ask("sheet", "Which sheet holds the data?", options, default)
    if k := unsolved.get(chosen, 0):
        talk.note(
            "formulas",
            f"{k:,} formula{'s have' if k > 1 else ' has'} no stored result and count{'s' * (k == 1)} as empty: open the workbook "
            "in a spreadsheet program, save it there, and try again.",
        )
    if chosen in spans:
        _check_span(spans[chosen], chosen, talk)
    sheet = _sheet(book, chosen)
    if not filled or sheet.height == 0:
        raise Refused("empty", "The sheet is empty", f"sheet {chosen}", "Choose another sheet or file")
    try:
        rows = sheet.to_python(skip_empty_area=True)
        first = (sheet.start or (0, 0))[0] + 1
    except Exception as error:
        raise _damaged() from error
    return from_grid(rows, talk, first)


def _sheet(book: Any, name: str) -> Any:
    try:
        return book.get_sheet_by_name(name)
    except Exception as error:
        raise _damaged() from error


def _damaged() -> Refused:
    return Refused(
        "damaged",
        "The workbook is damaged or unsafe",
        hint="Open it in a spreadsheet program and save it again, or export the sheet as CSV",
    )


def protected() -> Refused:
    """Return the refusal of a workbook under a password."""
    return Refused("protected", "The workbook is protected by a password", hint="Save a copy without a password")


def _label(name: str, span: tuple[int, int, int] | None, *, hidden: bool) -> str:
    text = name if span is None else f"{name}: {span[0]:,} rows × {span[1]:,} columns"
    return text + (" (hidden)" if hidden else "")


def _check_span(span: tuple[int, int, int], name: str, talk: Talk) -> None:
    rows, columns, found = span
    if rows * columns > max(4 * talk.limits.cells, 1) or (
        rows * columns > 2_000_000 and rows * columns > 50 * max(found, 1)
    ):
        raise Refused(
            "far-cell",
            f"The sheet spans {rows} x {columns} cells but holds {found:,}",
            f"sheet {name}",
            "Delete the cells far away from the table and save it again, or export the sheet as CSV",
        )
    if found > talk.limits.cells:
        raise Refused(
            "too-large",
            f"The sheet holds {found:,} cells; the limit is {talk.limits.cells:,}",
            f"sheet {name}",
            "Keep the rows and columns you need",
        )


def _scan(data: bytes | memoryview, talk: Talk) -> tuple[dict[str, tuple[int, int, int]], dict[str, int]]:
    """Return (last row, last column, cells), and the number of formulas without a result, of each sheet of an XLSX.

    Both come from the XML, piece by piece.
    """
    archive = open_zip(data, talk, "workbook")
    members = {info.filename.lstrip("/"): info for info in archive.infolist()}
    try:
        files = _sheet_files(archive, members)
        spans, unsolved = {}, {}
        for name, member in files.items():
            spans[name], unsolved[name] = _span(archive, members[member])
        for member in ("xl/sharedStrings.xml", "xl/workbook.xml", "xl/styles.xml", "content.xml"):
            if member in members:
                with archive.open(members[member]) as file:
                    if b"<!DOCTYPE" in (head := file.read(4096)) or b"<!ENTITY" in head:
                        raise _damaged()
        return spans, unsolved
    except Refused:
        raise
    except Exception as error:  # BadZipFile, EOFError, zlib.error, NotImplementedError, RuntimeError (encrypted) …
        raise _damaged() from error


def _sheet_files(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> dict[str, str]:
    """Map sheet names to members; the relations are few and flat, so no XML parser is needed."""
    if "xl/workbook.xml" not in members:
        return {}
    book = archive.read(members["xl/workbook.xml"])[: 4 * _STEP].decode("utf-8", "replace")
    rels_name = "xl/_rels/workbook.xml.rels"
    rels = archive.read(members[rels_name])[: 4 * _STEP].decode("utf-8", "replace") if rels_name in members else ""
    targets = {}
    for tag in re.findall(r"<(?:\w+:)?Relationship\b[^>]*>", rels):
        attributes = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        target = attributes.get("Target", "")
        targets[attributes.get("Id", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    files = {}
    for tag in re.findall(r"<(?:\w+:)?sheet\b[^>]*>", book):
        attributes = dict(re.findall(r'([\w:]+)="([^"]*)"', tag))
        member = targets.get(next((v for k, v in attributes.items() if k.endswith(":id")), ""), "")
        if member in members and member.endswith(".xml"):
            files[html.unescape(attributes.get("name", ""))] = member
    return files


def _span(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> tuple[tuple[int, int, int], int]:
    top, right, found, unsolved, tail = 0, 0, 0, 0, b""
    with archive.open(info) as file:
        first = True
        while chunk := file.read(_STEP):
            if first and (b"<!DOCTYPE" in chunk[:4096] or b"<!ENTITY" in chunk[:4096]):
                raise _damaged()
            first = False
            text = tail + chunk
            end = 0
            for match in _CELL.finditer(text):
                found += 1
                top = max(top, int(match[2]))
                right = max(right, _column(match[1]))
                end = match.end()
            formulas = [match.end() for match in _NO_RESULT.finditer(text)]
            unsolved += len(formulas)
            tail = text[max([end, len(text) - 200, *formulas[-1:]]) :]
    return (top, right, found), unsolved


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number
