"""MatrixMarket files, checked line by line before numbers are taken: SciPy's reader crashes on files that are cut off."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from nmf_core.ingest.arrays import from_array, from_sparse
from nmf_core.ingest.long_table import check_sides
from nmf_core.ingest.raw import Raw
from nmf_core.ingest.reading import Option, Refused
from nmf_core.ingest.talk import Talk

_FORMS = ("coordinate", "array")
_FIELDS = ("real", "double", "integer", "unsigned-integer", "pattern", "complex")
_SYMMETRIES = ("general", "symmetric", "skew-symmetric", "hermitian")


def read_matrix_market(data: bytes | memoryview, talk: Talk) -> Raw:
    """Read a matrix in coordinate or array form."""
    body = bytes(data)
    if b"\r" in body:
        body = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    banner, _, rest = body.partition(b"\n")
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
    if field == "complex" or symmetry == "hermitian":
        raise Refused("complex", "The matrix holds complex numbers", "line 1", "Save the magnitudes")
    line = 2
    while rest.lstrip(b" \t").startswith((b"%", b"\n")):
        _, _, rest = rest.partition(b"\n")
        line += 1
    sizes, _, rest = rest.partition(b"\n")
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


def _dense(rest: bytes, n: int, m: int, symmetry: str, line: int, talk: Talk) -> Raw:
    count = n * m if symmetry == "general" else n * (n + 1) // 2 - (n if symmetry == "skew-symmetric" else 0)
    if n * m > talk.limits.cells:
        raise Refused(
            "too-large",
            f"The matrix has {n:,} × {m:,} cells; the limit is {talk.limits.cells:,}",
            f"line {line}",
            "Save fewer rows",
        )
    words = rest.split()
    if len(words) < count:
        raise Refused(
            "cut-off",
            f"The file is cut off: {count:,} numbers promised, {len(words):,} found",
            f"line {line + 1 + rest.count(10)}",
            "Copy it again",
        )
    try:
        values = np.array(words[:count], dtype=np.float64)
    except ValueError:
        place = next(k for k, word in enumerate(words) if not _is_number(word))
        raise Refused(
            "damaged",
            f"“{words[place][:20].decode('utf-8', 'replace')}” is no number",
            f"line {line + 1 + place}",
            "Save the file again",
        ) from None
    if symmetry == "general":
        return from_array(values.reshape(m, n).T, talk)
    X = np.zeros((n, n))
    i, j = np.tril_indices(n, -1 if symmetry == "skew-symmetric" else 0)
    order = np.lexsort((i, j))
    X[i[order], j[order]] = values
    X[j[order], i[order]] = -values if symmetry == "skew-symmetric" else values
    return from_array(X, talk)


def _coordinates(rest: bytes, n: int, m: int, promised: int, field: str, symmetry: str, line: int, talk: Talk) -> Raw:
    import scipy.sparse as sp

    width = 2 if field == "pattern" else 3
    found = _filled_lines(rest)
    if promised > talk.limits.stored:
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
    check_sides(n, m, talk)
    columns = _numbers(rest, width, line)
    i, j = columns[0].astype(np.int64) - 1, columns[1].astype(np.int64) - 1
    if len(i) != promised:
        raise Refused(
            "damaged", f"{promised:,} entries promised, {len(i):,} found", f"line {line}", "Save the file again"
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
    if field == "pattern":
        values = np.ones(len(i))
        talk.note("pattern", "The file holds no values, only positions: each entry counts 1.")
    else:
        values = columns[2]
    if not len(i):
        raise Refused(
            "all-zero", "The matrix has no entries: it holds only zeros", f"line {line}", "Choose another file"
        )
    if symmetry != "general":
        off = i != j
        sign = -1.0 if symmetry == "skew-symmetric" else 1.0
        i, j, values = (
            np.concatenate([i, j[off]]),
            np.concatenate([j, i[off]]),
            np.concatenate([values, sign * values[off]]),
        )
    raw = from_sparse(sp.coo_array((values, (i, j)), shape=(n, m)).tocsr(), talk)
    if symmetry == "symmetric":
        options = [
            Option("network", "a network: rows and columns are the same nodes"),
            Option("table", "an ordinary table"),
        ]
        answer = talk.ask("symmetric", "What is this symmetric matrix?", options, "network", required=False)
        if answer == "network":
            talk.note("symmetric", "The matrix is symmetric and was taken as a network.", "symmetric")
            return raw.with_(kind="network", cols=raw.rows)
    return raw


def _filled_lines(text: bytes) -> int:
    """Count lines that are not blank."""
    if text[:1] not in (b"\n", b"") and not re.search(rb"\n[ \t]*\n", text):
        return text.count(b"\n") + (not text.endswith(b"\n"))
    return text.count(b"\n") + 1 - len(re.findall(rb"(?m)^[ \t]*$", text))


def _numbers(rest: bytes, width: int, line: int) -> list[Any]:
    """Return the columns of the entries; on any damage, find the line."""
    import pyarrow as pa
    import pyarrow.csv as pv

    text = re.sub(rb"[ \t]+", b" ", rest) if b"  " in rest or b"\t" in rest else rest
    text = re.sub(rb"(?m)^ +| +$", b"", text) if b"\n " in text or b" \n" in text or text[:1] == b" " else text
    names = [str(k) for k in range(width)]
    types = [pa.int64(), pa.int64(), pa.float64()][:width]
    if not text.strip():
        return [np.empty(0), np.empty(0), np.empty(0)][:width]
    try:
        table = pv.read_csv(
            pa.py_buffer(text),
            read_options=pv.ReadOptions(column_names=names, use_threads=False),
            parse_options=pv.ParseOptions(delimiter=" ", quote_char=False),
            convert_options=pv.ConvertOptions(column_types=dict(zip(names, types, strict=True)), null_values=[]),
        )
    except pa.ArrowInvalid:
        for k, row in enumerate(rest.split(b"\n")):
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
    return [column.to_numpy() for column in table.columns]


def _is_number(word: bytes) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return b"_" not in word
