"""Where the cells of a text table become numbers, batch by batch, in one preallocated block."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from nmf_core.ingest.columns import EXACT, Column, parse_number
from nmf_core.ingest.dialect import MISSING, Dialect

_US = re.compile(r"[+-]?(\d{1,3}([, '’\u00a0\u202f]\d{3})*|\d{1,2}(,\d{2})+,\d{3})(\.\d*)?([eE][+-]?\d+)?$")
_EU = re.compile(r"[+-]?\d{1,3}([. '’\u00a0\u202f]\d{3})*(,\d*)?([eE][+-]?\d+)?$")
_ARROW_NUMBER = r"^(?i:[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?inf(inity)?)$"
_DIGITS = re.compile(r"\s*[+-]?\d{16,}\s*$")


class Book:
    """Columns under construction.

    The block is laid out column by column and never copied while it grows: the memory of a large table is that of its
    numbers, because columns of text touch no page of the block. Of the columns in `kept` the text of numbers is kept, too.
    """

    def __init__(self, n_columns: int, n_rows: int, dialect: Dialect, kept: Sequence[int] = ()) -> None:
        self.block = np.empty((n_columns, n_rows), dtype=np.float64)
        self.columns = [Column("", texts=[] if j in kept else None) for j in range(n_columns)]
        self.dialect = dialect
        self.n = 0

    def add(self, j: int, start: int, texts: Sequence[str]) -> None:
        """Take the cells of column j from row `start` on, as text."""
        out = self.block[j, start : start + len(texts)]
        dialect = self.dialect
        if dialect.decimal == "." and not dialect.thousands:
            try:
                out[:] = list(map(float, texts))
            except ValueError:
                pass
            else:
                if not any("_" in text for text in texts):
                    self._count(j, start, out, texts)
                    return
        self._one_by_one(j, start, out, texts)

    def add_arrow(self, j: int, start: int, cells: Any) -> None:
        """Take the cells of column j from row `start` on, as an Arrow array of strings."""
        import pyarrow as pa
        import pyarrow.compute as pc

        column, out = self.columns[j], self.block[j, start : start + len(cells)]
        if self.dialect.thousands:
            self._one_by_one(j, start, out, cells.to_pylist())
            return
        values = cells
        if self.dialect.decimal == ",":
            if pc.any(pc.match_substring(values, ".")).as_py():
                self._one_by_one(j, start, out, cells.to_pylist())
                return
            values = pc.replace_substring(values, ",", ".")
        if column.bad <= column.found:
            try:
                out[:] = pc.cast(values, pa.float64()).to_numpy(zero_copy_only=False)
                self._count(j, start, out, cells)
                return
            except pa.ArrowInvalid:
                pass
        trimmed = pc.utf8_trim_whitespace(values)
        gone = pc.is_in(pc.utf8_lower(trimmed), value_set=pa.array(sorted(MISSING)))
        good = pc.and_not(pc.match_substring_regex(trimmed, _ARROW_NUMBER), gone)
        if pc.all(pc.or_(good, gone)).as_py():
            out[:] = pc.cast(pc.if_else(gone, pa.scalar("nan"), trimmed), pa.float64()).to_numpy(zero_copy_only=False)
            self._count(j, start, out, cells)
            return
        self._mixed(j, start, out, cells, trimmed, gone.to_numpy(zero_copy_only=False), good)

    def _mixed(self, j: int, start: int, out: Any, cells: Any, trimmed: Any, gone: Any, good: Any) -> None:
        """Take a batch with cells that are neither numbers nor missing."""
        import pyarrow as pa
        import pyarrow.compute as pc

        column = self.columns[j]
        mask = good.to_numpy(zero_copy_only=False)
        out[:] = np.nan
        if mask.any():
            out[mask] = pc.cast(trimmed.filter(good), pa.float64()).to_numpy(zero_copy_only=False)
        bad = np.flatnonzero(~mask & ~gone)
        column.found += int(mask.sum())
        column.missing += int(gone.sum())
        column.infinite += int(np.isinf(out).sum())
        column.bad += len(bad)
        for i in bad[: max(0, 5 - len(column.examples))]:
            column.examples.append((start + int(i) + 1, trimmed[int(i)].as_py()[:60]))
        if column.texts is None:
            column.texts = [_text(x) for x in self.block[j, :start]]
        column.texts.extend(cells.to_pylist())

    def _count(self, j: int, start: int, out: Any, texts: Any) -> None:
        column = self.columns[j]
        low, top = float(out.min()), float(out.max())
        if low != low:  # NaN: missing cells among them
            missing = int(np.isnan(out).sum())
            column.missing += missing
            column.found += len(out) - missing
            if missing < len(out):
                low, top = float(np.nanmin(out)), float(np.nanmax(out))
        else:
            column.found += len(out)
        if max(-low, top) >= EXACT:
            column.infinite += int(np.isinf(out).sum())
            if not column.large:
                cells = texts if isinstance(texts, (list, tuple)) else texts.to_pylist()
                column.large = any(_beyond(cells[i]) for i in np.flatnonzero(np.abs(out) >= EXACT)[:1000])
        if column.texts is not None:
            column.texts.extend(texts if isinstance(texts, (list, tuple)) else texts.to_pylist())

    def _one_by_one(self, j: int, start: int, out: Any, texts: Sequence[str]) -> None:
        column, dialect = self.columns[j], self.dialect
        for i, text in enumerate(texts):
            cell = text.strip()
            if cell.lower() in MISSING:
                out[i] = np.nan
                column.missing += 1
                continue
            value = out[i] = parse_number(plain_number(cell, dialect))
            if value != value:
                column.bad += 1
                if len(column.examples) < 5:
                    column.examples.append((start + i + 1, text.strip()[:60]))
            else:
                column.found += 1
                column.infinite += bool(np.isinf(value))
                column.large |= abs(value) >= EXACT and _beyond(text)
        if column.bad and column.texts is None:
            column.texts = [_text(x) for x in self.block[j, :start]]
        if column.texts is not None:
            column.texts.extend(texts)

    def close(self, names: Sequence[str]) -> list[Column]:
        """Return the finished columns."""
        for j, (column, name) in enumerate(zip(self.columns, names, strict=True)):
            column.name = name
            column.numbers = self.block[j, : self.n]
            column.settle()
        return self.columns


def plain_number(cell: str, dialect: Dialect) -> str:
    """Return a number with a decimal point and without marks between thousands; "no number" when the marks stand wrong."""
    grouped = _US if dialect.decimal == "." else _EU
    if dialect.thousands and any(mark in cell for mark in dialect.thousands):
        if not grouped.match(cell):
            return "no number"
        for mark in dialect.thousands:
            cell = cell.replace(mark, "")
    if dialect.decimal == ",":
        return "no number" if "." in cell else cell.replace(",", ".")
    return cell


def _beyond(text: str) -> bool:
    """Tell a whole number too large to keep its last digit; 2^53 + 1 is the first."""
    digits = text.strip().lstrip("+-0")
    return bool(_DIGITS.match(text)) and (len(digits) > 16 or int(digits or "0") > EXACT)


def _text(value: float) -> str:
    if value != value:
        return ""
    return str(int(value)) if abs(value) < 1e15 and float(value).is_integer() else repr(float(value))
