"""Numbers as CSV: exact, with names, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.components import Parts, dominant
from nmf_core.types import Array, Dataset, FitResult, is_sparse

if TYPE_CHECKING:
    import pandas as pd

#: A CSV of more cells than this would be hundreds of megabytes of text.
MOST_CELLS = 10_000_000
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_BREAKS = str.maketrans({"\r": " ", "\n": " ", "\t": " ", "\0": " "})


def safe(value: Any) -> str:
    """Return text that no spreadsheet takes for a formula.

    Spreadsheets run cells that begin with ``=``, ``+``, ``-``, ``@`` or a control character (also after blanks). Such text
    gets an apostrophe in front; plain numbers ("-3.5" as the name of a wavelength) stay as they are.
    """
    text = str(value)
    bare = text.lstrip(" \t\r\n\0\ufeff\u00a0\u200b")
    # Full-width signs are read as the plain ones in East Asian settings.
    risky = bare[:1] in ("=", "+", "-", "@", "|", "\uff1d", "\uff0b", "\uff0d", "\uff20") or text[:1] in (
        "\t",
        "\r",
        "\n",
    )
    text = text.translate(_BREAKS)
    return "'" + text if risky and not _NUMBER.fullmatch(bare.strip()) else text


def exact(value: Any) -> str:
    """Return a number so that reading it back gives the very same value; NaN is an empty cell."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return "" if value != value else repr(value)
    return str(value)


def matrix_csv(values: Any, rows: Iterable[Any], cols: Iterable[Any], corner: str = "") -> str:
    """Return a matrix with names as CSV (UTF-8 text, comma, one header line).

    Parameters
    ----------
    values : ndarray or sparse matrix of shape (n, m)
    rows, cols : iterables of names, of length n and m
    corner : str
        Head of the column of row names.

    Raises
    ------
    ValueError
        If there are more than `MOST_CELLS` cells.
    """
    n, m = values.shape
    if n * m > MOST_CELLS:
        raise ValueError(
            f"csv: {n:,} × {m:,} cells would make a file of about {n * m * 18 / 1e6:,.0f} MB; take the NPZ file instead"
        )
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([safe(corner), *map(safe, cols)])
    for name, line in zip(rows, _lines(values), strict=True):
        writer.writerow([safe(name), *map(exact, line)])
    return out.getvalue()


def _lines(values: Any, step: int = 1000) -> Iterator[Sequence[Any]]:
    for start in range(0, values.shape[0], step):
        block = values[start : start + step]
        yield from (block.toarray() if is_sparse(block) else np.asarray(block)).tolist()


def frame_csv(frame: pd.DataFrame) -> str:
    """Return any table of a picture as CSV, without its index."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([safe(column) for column in frame.columns])
    cells = [_cells(frame.iloc[:, j]) for j in range(frame.shape[1])]
    writer.writerows(zip(*cells, strict=True))
    return out.getvalue()


def _cells(column: Any) -> list[str]:
    values = column.tolist()
    if column.dtype.kind in "iufb":
        return [exact(value) for value in values]
    return ["" if value is None or value != value else safe(value) for value in values]


def samples_csv(dataset: Dataset, parts: Parts) -> str:
    """Return W with the names and labels of the samples and their dominant component."""
    return _with_labels(dataset, parts, parts.W)


def features_csv(dataset: Dataset, parts: Parts) -> str:
    """Return H, one line per component (under W·D·H with its weight in a column of its own)."""
    weighted = not (parts.weights == 1).all()
    head = ["weight"] if weighted else []
    values = np.column_stack([parts.weights, parts.H]) if weighted else parts.H
    return matrix_csv(values, parts.names, [*head, *dataset.cols], "component")


def model_csv(dataset: Dataset, parts: Parts) -> str:
    """Return WH."""
    n, m = dataset.shape
    if n * m > MOST_CELLS:  # before it is formed
        raise ValueError(
            f"csv: WH has {n:,} × {m:,} cells; take W and H, whose product it is, from the NPZ file instead"
        )
    return matrix_csv(parts.recipe @ parts.H, dataset.rows, dataset.cols, "sample")


def data_csv(dataset: Dataset) -> str:
    """Return X as it was factorized; missing cells are empty."""
    return matrix_csv(dataset.X, dataset.rows, dataset.cols, "sample")


def trace_csv(result: FitResult) -> str:
    """Return iteration, seconds and loss of every restart; the best one is marked."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["restart", "best", "iteration", "seconds", "loss"])
    for i, trace in enumerate(result.restarts or (result.trace,)):
        best = int(i == result.best or not result.restarts)
        rows = zip(np.asarray(trace.seconds).tolist(), np.asarray(trace.loss).tolist(), strict=True)
        writer.writerows([i + 1, best, k, exact(float(s)), exact(float(v))] for k, (s, v) in enumerate(rows))
    return out.getvalue()


def _with_labels(dataset: Dataset, parts: Parts, values: Array) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["sample", *map(safe, dataset.labels), "dominant component", *map(safe, parts.names)])
    top = dominant(parts)
    names = [*parts.names, ""]
    labels = [column.tolist() for column in dataset.labels.values()]
    for i, (name, line) in enumerate(zip(dataset.rows.tolist(), _lines(values), strict=True)):
        about = ["" if c[i] is None or c[i] != c[i] else safe(c[i]) for c in labels]
        writer.writerow([safe(name), *about, safe(names[top[i]]), *map(exact, line)])
    return out.getvalue()
