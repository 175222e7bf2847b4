"""MatrixMarket files, checked line by line before numbers are taken: SciPy's reader crashes on files that are cut off."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from nmf_core.ingest.arrays import from_array
from nmf_core.ingest.hubs import busiest
from nmf_core.ingest.limits import size
from nmf_core.ingest.names import tidy_names
from nmf_core.ingest.raw import Raw
from nmf_core.ingest.reading import Option, Refused
from nmf_core.ingest.sample import offer_part, ordinal, sparse_stride, stride
from nmf_core.ingest.sparse import from_sparse
from nmf_core.ingest.talk import Talk

_STEP = 1 << 20
_BLANKS = re.compile(rb"  |\t|\n | \n")
_FORMS = ("coordinate", "array")
_FIELDS = ("real", "double", "integer", "unsigned-integer", "pattern", "complex")
_SYMMETRIES = ("general", "symmetric", "skew-symmetric", "hermitian")


def read_matrix_market(data: bytes | memoryview, talk: Talk) -> Raw:
    """Read a matrix in coordinate or array form."""
    view = memoryview(data)
    if any(b"\r" in bytes(view[k : k + _STEP]) for k in range(0, len(view), _STEP)):
        view = memoryview(bytes(view).replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
    banner, at = _line(view, 0)
    words = banner.decode("ascii", "replace").lower().split()
    if (
        len(words) < 5
        or words[1] != "matrix"
        or words[2] not in _FORMS
        or words[3] not in _FIELDS
        or words[4] not in _SYMMETRIES
    ):
        raise Refused(
            "banner",
            "The first line is no MatrixMarket banner",
            "line 1",
            "It should read: %%MatrixMarket matrix coordinate real general",
        )
    form, field, symmetry = words[2:5]
    if form == "array" and field == "complex":
        raise Refused("complex", "The matrix holds complex numbers", "line 1", "Save the magnitudes")
    line = 2
    sizes, at = _line(view, at)
    while at < len(view) and (not sizes.strip() or sizes.lstrip().startswith(b"%")):
        sizes, at = _line(view, at)
        line += 1
    rest = view[at:]
    wanted = 3 if form == "coordinate" else 2
    try:
        numbers = [int(word) for word in sizes.split()]
    except ValueError:
        numbers = []
    if len(numbers) != wanted or min(numbers) < 0:
        raise Refused(
            "damaged", f"The line of sizes should hold {wanted} whole numbers", f"line {line}", "Save the file again"
        )
    n, m = numbers[:2]
    if n == 0 or m == 0:
        raise Refused("no-rows", f"The matrix is empty: {n:,} × {m:,}", f"line {line}", "Choose a file that holds data")
    if symmetry != "general" and n != m:
        raise Refused(
            "damaged", f"A {symmetry} matrix must be square, not {n:,} × {m:,}", f"line {line}", "Save the file again"
        )
    if form == "array":
        return _dense(rest, n, m, symmetry, line, talk)
    return _coordinates(rest, n, m, numbers[2], field, symmetry, line, talk)


def read_named(data: bytes, features: bytes, barcodes: bytes, talk: Talk) -> Raw:
    """Read features × barcodes with their names from files beside, turned so that the rows are barcodes (cells)."""
    raw = read_matrix_market(data, talk)
    cells = [line.split("\t")[0] for line in _lines(barcodes)]
    fields = [line.split("\t") for line in _lines(features)]
    genes = [row[1] if len(row) > 1 and row[1].strip() else row[0] for row in fields]
    if raw.shape == (len(genes), len(cells)) and raw.shape != (len(cells), len(genes)):
        raw = raw.turned()
        talk.note(
            "turned", f"Features × barcodes in the file became rows of {len(cells):,} cells × {len(genes):,} features."
        )
    elif raw.shape != (len(cells), len(genes)):
        raise Refused(
            "names-missing",
            f"The matrix is {raw.shape[0]:,} × {raw.shape[1]:,}, but there are names for {len(genes):,} features and {len(cells):,} barcodes",
            hint="Pack the three files of one run",
        )
    return raw.with_(
        rows=np.array(tidy_names(cells, talk, "row", "cell ")),
        cols=np.array(tidy_names(genes, talk, "column", "feature ")),
        kind="expression",
    )


def _lines(data: bytes) -> list[str]:
    return [line for line in data.decode("utf-8", "replace").splitlines() if line.strip()]


def _line(view: memoryview, at: int) -> tuple[bytes, int]:
    """Return the line that starts at a byte, and where the next one starts."""
    head = b""
    while b"\n" not in head and at + len(head) < len(view):
        head += bytes(view[at + len(head) : at + len(head) + (1 << 16)])
    line, end, _ = head.partition(b"\n")
    return line, at + len(line) + len(end)


def _dense(rest: memoryview, n: int, m: int, symmetry: str, line: int, talk: Talk) -> Raw:
    """Read a matrix that is written column by column, a symmetric one from its diagonal down; a part of it if wanted."""
    skew = symmetry == "skew-symmetric"
    count = n * m if symmetry == "general" else n * (n + 1) // 2 - n * skew
    found = _filled_lines(rest)
    if found < count and n * m > talk.limits.cells:
        raise _cut_off(count, found, line + found)
    if symmetry == "general":
        step = stride(n, m, talk)
        X = np.empty((m, -(-n // step)))
        for start, values in _column(rest, count, line, talk):
            if step == 1:
                X.reshape(-1)[start : start + len(values)] = values
                continue
            j, i = np.divmod(np.arange(start, start + len(values)), n)
            keep = i % step == 0
            X[j[keep], i[keep] // step] = values[keep]
        return from_array(X.T, talk)
    step = _square_stride(n, talk)
    X = np.zeros((-(-n // step),) * 2)
    lengths = np.arange(n - skew, -skew, -1)  # of the columns
    begin = np.cumsum(lengths) - lengths
    for start, values in _column(rest, count, line, talk):
        at = np.arange(start, start + len(values))
        j = np.searchsorted(begin, at, side="right") - 1
        i = at - begin[j] + j + skew
        if step > 1:
            keep = (i % step == 0) & (j % step == 0)
            i, j, values = i[keep] // step, j[keep] // step, values[keep]
        X[i, j] = values
        X[j, i] = -values if skew else values
    return from_array(X, talk)


def _square_stride(n: int, talk: Talk) -> int:
    """Return k such that every k-th row and column of a symmetric matrix fit the limit.

    Raises
    ------
    Refused
        With the offer, when nothing was answered yet.
    """
    cells = talk.limits.cells
    step = -(-n // max(1, math.isqrt(cells)))
    if step == 1:
        return 1
    kept = -(-n // step)
    text = f"The matrix has {n:,} × {n:,} = {n * n:,} cells ({size(8 * n * n)} of memory); the limit is {cells:,}"
    part = f"every {ordinal(step)} row and the same columns: {kept:,} × {kept:,}"
    offer_part("sample", "too-large", text, f"Read {part}", "Save fewer rows and columns", talk)
    talk.note("sampled", f"Of {n:,} rows and columns these were read: {part}.", "sample")
    return step


def _cut_off(promised: int, found: int, line: int) -> Refused:
    text = f"The file is cut off: {promised:,} numbers promised, {found:,} found"
    return Refused("cut-off", text, f"line {line}", "Copy it again")


def _column(rest: memoryview, count: int, line: int, talk: Talk) -> Iterator[tuple[int, Any]]:
    """Read one number a line in pieces, each with its place; other ways to set numbers out are read with patience."""
    import pyarrow as pa
    import pyarrow.csv as pv

    n = 0
    try:
        for batch in pv.open_csv(
            pa.py_buffer(rest),
            read_options=pv.ReadOptions(column_names=["x"], use_threads=False, block_size=1 << 20),
            parse_options=pv.ParseOptions(delimiter=" ", quote_char=False),
            convert_options=pv.ConvertOptions(column_types={"x": pa.float64()}, null_values=[]),
        ):
            values = batch.column(0).to_numpy(zero_copy_only=False)[: count - n]
            yield n, values
            n += len(values)
            talk.progress("read", n / count)
    except pa.ArrowInvalid:
        n = 0
    if n == count:
        return
    text = bytes(rest)
    words = text.split()
    if len(words) < count:
        raise _cut_off(count, len(words), line + 1 + text.count(10))
    try:
        yield 0, np.array(words[:count], dtype=np.float64)
    except ValueError:
        place = next(k for k, word in enumerate(words) if not _is_number(word))
        raise Refused(
            "damaged",
            f"“{words[place][:20].decode('utf-8', 'replace')}” is no number",
            f"line {line + 1 + place}",
            "Save the file again",
        ) from None


def _coordinates(
    rest: memoryview, n: int, m: int, promised: int, field: str, symmetry: str, line: int, talk: Talk
) -> Raw:
    import scipy.sparse as sp

    width = {"pattern": 2, "complex": 4}.get(field, 3)
    found = _filled_lines(rest)
    if promised > talk.limits.stored and found < promised:
        raise Refused(
            "too-large",
            f"The header promises {promised:,} entries ({found:,} lines found); the limit is {talk.limits.stored:,}",
            f"line {line}",
            "Save fewer rows or columns",
        )
    if found < promised:
        raise Refused(
            "cut-off",
            f"The file is cut off at line {line + found}: {promised:,} entries promised, {found:,} found",
            f"line {line + found}",
            "Copy it again",
        )
    square = symmetry != "general"
    step = 1 if square else sparse_stride(n, m, promised, talk)
    columns, seen = _numbers(rest, width, line, promised, step, talk)
    i, j = columns[0], columns[1]
    i -= 1
    j -= 1
    if seen != promised:
        raise Refused(
            "damaged", f"{promised:,} entries promised, {seen:,} found", f"line {line}", "Save the file again"
        )
    outside = (i < 0) | (i >= n) | (j < 0) | (j >= m)
    if outside.any():
        k = int(np.argmax(outside))
        raise Refused(
            "index",
            f"Row {i[k] + 1}, column {j[k] + 1} lies outside of {n:,} × {m:,}; counting starts at 1",
            f"line {line + 1 + k}",
            "Save the file again",
        )
    if step > 1:
        n, i = -(-n // step), i // step
    if field == "pattern":
        values = np.ones(len(i))
        talk.note("pattern", "The file holds no values, only positions: each entry counts 1.")
    else:
        values = columns[2]
    if field == "complex":
        k = int(np.count_nonzero(columns[3]))
        if k:
            raise Refused("complex", f"The matrix holds {k:,} complex numbers", "line 1", "Save the magnitudes")
        talk.note("complex", "The numbers were complex with all imaginary parts 0; the real parts were kept.")
    if not len(i):
        raise Refused(
            "all-zero", "The matrix has no entries: it holds only zeros", f"line {line}", "Choose another file"
        )
    del columns  # where the memory of a large file goes
    names = None
    if square:
        part = busiest(i, j, n, talk, nodes="rows and columns", links="entries")
        if part is not None:
            names, inside, i, j = part
            n, m, values = len(names), len(names), values[inside]
        off = i != j
        sign = -1.0 if symmetry == "skew-symmetric" else 1.0
        i, j, values = (
            np.concatenate([i, j[off]]),
            np.concatenate([j, i[off]]),
            np.concatenate([values, sign * values[off]]),
        )
    X, given = sp.coo_array((values, (i, j)), shape=(n, m)).tocsr(), len(i)
    del i, j, values
    raw = from_sparse(X, talk, given)
    if names is not None:
        kept = np.array([f"r{k + 1}" for k in names], dtype=np.str_)
        raw = raw.with_(rows=kept, cols=np.char.replace(kept, "r", "c"))
    if symmetry in ("symmetric", "hermitian"):
        options = [
            Option("network", "a network: rows and columns are the same nodes"),
            Option("table", "an ordinary table"),
        ]
        answer = talk.ask("symmetric", "What is this symmetric matrix?", options, "network", required=False)
        if answer == "network":
            talk.note("symmetric", "The matrix is symmetric and was taken as a network.", "symmetric")
            return raw.with_(kind="network", cols=raw.rows)
    return raw


def _filled_lines(text: memoryview) -> int:
    """Count lines that are not blank, piece by piece."""
    count, filled = 0, False
    for start in range(0, len(text), _STEP):
        *lines, last = bytes(text[start : start + _STEP]).split(b"\n")
        for line in lines:
            count += filled or bool(line.strip())
            filled = False
        filled = filled or bool(last.strip())
    return count + filled


def _numbers(rest: memoryview, width: int, line: int, promised: int, step: int, talk: Talk) -> tuple[list[Any], int]:
    """Return the columns of the entries, int32 and float64, of every `step`-th row, and how many entries there are.

    On any damage, the line is found.
    """
    import pyarrow as pa
    import pyarrow.csv as pv

    room = promised if step == 1 else 0
    columns: list[Any] = [np.empty(room, dtype=np.int32 if k < 2 else np.float64) for k in range(width)]
    picked: list[list[Any]] = [[column] for column in columns]
    text: Any = rest
    if _untidy(rest):
        text = re.sub(rb"(?m)^ +| +$", b"", re.sub(rb"[ \t]+", b" ", bytes(rest)))
    if not promised:
        return columns, 0
    names = [str(k) for k in range(width)]
    types = [pa.int32(), pa.int32(), pa.float64(), pa.float64()][:width]
    n = 0
    try:
        for batch in pv.open_csv(
            pa.py_buffer(text),
            read_options=pv.ReadOptions(column_names=names, use_threads=False, block_size=1 << 19),
            parse_options=pv.ParseOptions(delimiter=" ", quote_char=False),
            convert_options=pv.ConvertOptions(column_types=dict(zip(names, types, strict=True)), null_values=[]),
        ):
            k = batch.num_rows
            if n + k > promised:
                found = _filled_lines(rest)
                raise Refused(
                    "damaged", f"{promised:,} entries promised, {found:,} found", f"line {line}", "Save the file again"
                )
            cells = [values.to_numpy(zero_copy_only=False) for values in batch.columns]
            keep = None if step == 1 else (cells[0] - 1) % step == 0
            for column, pieces, values in zip(columns, picked, cells, strict=True):
                if keep is None:
                    column[n : n + k] = values
                else:
                    pieces.append(values[keep])
            n += k
            talk.progress("read", n / promised)
    except pa.ArrowInvalid:
        for k, row in enumerate(bytes(rest).split(b"\n")):
            words = row.split()
            if words and (
                len(words) != width
                or not all(map(_is_number, words))
                or not all(w.lstrip(b"+-").isdigit() for w in words[:2])
            ):
                raise Refused(
                    "damaged", f"The line should hold {width} numbers", f"line {line + 1 + k}", "Save the file again"
                ) from None
        raise Refused("damaged", "The entries cannot be read", f"line {line + 1}", "Save the file again") from None
    return [column[:n] for column in columns] if step == 1 else [np.concatenate(pieces) for pieces in picked], n


def _untidy(text: memoryview) -> bool:
    """Tell whether blanks come in other places than one between two numbers."""
    return bytes(text[:1]) == b" " or any(
        _BLANKS.search(bytes(text[max(0, start - 1) : start + _STEP])) is not None
        for start in range(0, len(text), _STEP)
    )


def _is_number(word: bytes) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return b"_" not in word
