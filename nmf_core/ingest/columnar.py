"""Parquet, Feather and Arrow files; sizes come from the number of rows and columns, never from what a footer claims."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from nmf_core.ingest.columns import Column, from_values
from nmf_core.ingest.raw import Raw
from nmf_core.ingest.reading import Refused
from nmf_core.ingest.sample import stride
from nmf_core.ingest.talk import Talk


@dataclass(frozen=True, slots=True, eq=False)
class Batches:
    """A file of columns, opened but not read.

    Attributes
    ----------
    n : int
        Rows.
    schema : pyarrow.Schema
    batches : callable
        Gives the batches of rows, from the first one on each time it is called.
    """

    n: int
    schema: Any
    batches: Callable[[], Iterable[Any]]

    @property
    def index(self) -> set[str]:
        """The columns that pandas wrote as its index."""
        try:
            info = json.loads((self.schema.metadata or {}).get(b"pandas", b"{}"))
            return {name for name in info.get("index_columns", []) if isinstance(name, str)}
        except (ValueError, AttributeError, TypeError):
            return set()


def read_columnar(data: bytes | memoryview, talk: Talk, *, parquet: bool) -> Raw:
    """Read Parquet, or Feather or an Arrow file or stream; of a table that is too large every k-th row if wanted."""
    from nmf_core.ingest.long_arrow import read_long
    from nmf_core.ingest.table import arrange

    what = "Parquet" if parquet else "Arrow or Feather"
    try:
        found = (_parquet if parquet else _arrow)(data)
        long, settled = read_long(found, talk)
        if long is not None:
            return long
        step = _check(found.n, len(found.schema.names), talk)
        table = _picked(found.batches(), found.schema, found.n, step, talk)
    except (Refused, MemoryError):
        raise
    except Exception as error:  # ArrowInvalid, OSError, KeyError, … as the damage wills
        raise Refused(
            "damaged", f"This is a damaged {what} file", hint="Write it again and check that the copy is complete"
        ) from error
    return arrange(columns_of_table(table, found.index, talk), talk, plain=settled)


def _parquet(data: bytes | memoryview) -> Batches:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = pq.ParquetFile(pa.BufferReader(pa.py_buffer(data)))
    batches = partial(file.iter_batches, 1 << 16, use_threads=False)
    return Batches(file.metadata.num_rows, file.schema_arrow, batches)


def _arrow(data: bytes | memoryview) -> Batches:
    import pyarrow as pa
    import pyarrow.ipc as ipc

    source, opened = pa.py_buffer(data), ipc.open_file if bytes(data[:6]) == b"ARROW1" else ipc.open_stream
    schema = opened(pa.BufferReader(source)).schema
    n = sum(batch.num_rows for batch in _batches(opened(pa.BufferReader(source))))  # counted before any is kept
    return Batches(n, schema, lambda: _batches(opened(pa.BufferReader(source))))


def _batches(reader: Any) -> Iterator[Any]:
    if hasattr(reader, "num_record_batches"):
        return (reader.get_batch(i) for i in range(reader.num_record_batches))
    return iter(reader)


def _picked(batches: Iterable[Any], schema: Any, n: int, step: int, talk: Talk) -> Any:
    """Return every `step`-th of n rows as a table; of the others no more than a batch is held."""
    import pyarrow as pa

    parts, seen = [], 0
    for batch in batches:
        rows = np.arange((-seen) % step, batch.num_rows, step)
        parts.append(batch if step == 1 else batch.take(pa.array(rows)))
        seen += batch.num_rows
        talk.progress("read", min(1.0, seen / n))
    return pa.Table.from_batches(parts, schema)


def _check(n: int, m: int, talk: Talk) -> int:
    if m == 0 or n == 0:
        raise Refused(
            "no-rows",
            f"The table has {m:,} column{'s' * (m != 1)} and {n:,} rows: there is no data",
            hint="Choose a file that holds data",
        )
    if m > talk.limits.columns:
        raise Refused(
            "too-wide",
            f"The table has {m:,} columns; the limit is {talk.limits.columns:,}",
            hint="Keep the columns you need",
        )
    return stride(n, m, talk)


def columns_of_table(table: Any, index: set[str], talk: Talk) -> list[Column]:
    """Return the columns of a table, those in `index` first."""
    import pyarrow as pa
    import pyarrow.types as pt

    table = _laid_out(table, talk)
    columns, levels, odd, spans = [], [], [], []
    block = np.empty((table.num_columns, table.num_rows))
    for j, (name, values) in enumerate(zip(table.column_names, table.columns, strict=True)):
        kind = values.type
        if pt.is_dictionary(kind):
            values, kind = values.cast(kind.value_type), kind.value_type
        if pt.is_binary(kind) or pt.is_large_binary(kind):  # text as older writers leave it
            values, kind = _as_text(values)
        if pt.is_boolean(kind):
            column = from_values(name, values.to_pylist())
        elif pt.is_integer(kind) or pt.is_floating(kind) or pt.is_decimal(kind):
            large = pt.is_integer(kind) and kind.bit_width == 64 and _above_exact(values)
            if not (pt.is_float64(kind) or pt.is_int64(kind)):
                odd.append(str(kind))
            block[j] = values.cast(pa.float64(), safe=False).to_numpy()
            missing = int(np.isnan(block[j]).sum())
            column = Column(
                name, block[j], None, len(values) - missing, missing, int(np.isinf(block[j]).sum()), large=large
            ).settle()
        elif pt.is_duration(kind):
            seconds = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[kind.unit]
            block[j] = values.cast(pa.int64()).cast(pa.float64(), safe=False).to_numpy() / seconds
            missing = int(np.isnan(block[j]).sum())
            column = Column(name, block[j], None, len(values) - missing, missing).settle()
            spans.append(name)
        elif pt.is_temporal(kind):
            texts = ["" if v is None else str(v) for v in values.to_pylist()]
            column = Column(name, np.full(len(texts), np.nan), texts, 0, sum(not t for t in texts), 0, 1, kind="date")
        elif pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind):
            column = from_values(name, values.to_pylist())
        elif pt.is_null(kind):
            column = Column(name, np.full(len(values), np.nan), missing=len(values), kind="empty")
        else:
            talk.note("columns-left-out", f"The column {name} of type {kind} was left out.")
            continue
        columns.append(column)
        if name in index:
            column.name = "" if name.startswith("__index_level") else name
            levels.append(column)
    if spans:
        talk.note("durations", f"Durations were turned into seconds: {', '.join(spans[:5])}.")
    if odd:
        talk.note("dtype", f"Numbers of type {', '.join(sorted(set(odd)))} were turned into float64.")
    if not columns:
        raise Refused("no-numbers", "No column holds numbers or text", hint="Save a table of numbers")
    return _with_index(columns, levels)


def _with_index(columns: list[Column], levels: list[Column]) -> list[Column]:
    """Put the index of pandas first, its levels joined to one name; levels of text stay, to become labels."""
    if not levels or any(c.missing for c in levels):
        return columns
    rest = [c for c in columns if c not in levels]
    if len(levels) == 1:
        if levels[0].kind == "number":  # an index names rows, whatever its own name
            levels[0].name = ""
        return [*levels, *rest]
    texts = [", ".join(parts) for parts in zip(*(c.cells for c in levels), strict=True)]
    names = Column("", np.full(len(texts), np.nan), texts, bad=len(texts), kind="text")
    return [names, *rest, *(c for c in levels if c.kind == "text" and c.name)]


def _laid_out(table: Any, talk: Talk) -> Any:
    """Return the table with records and lists of equal length as columns of their own."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as pt

    for _ in range(4):
        if not any(pt.is_struct(field.type) for field in table.schema):
            break
        table = table.flatten()
    names: list[str] = []
    arrays: list[Any] = []
    for name, values in zip(table.column_names, table.columns, strict=True):
        kind = values.type
        if pt.is_list(kind) or pt.is_large_list(kind) or pt.is_fixed_size_list(kind):
            inner = kind.value_type
            lengths = pc.unique(pc.list_value_length(values)).to_pylist()
            wide = lengths[0] if len(lengths) == 1 and lengths[0] else 0
            numeric = pt.is_integer(inner) or pt.is_floating(inner)
            if numeric and wide > 0 and (len(names) + wide) * len(values) <= talk.limits.cells:
                names += [f"{name}.{k + 1}" for k in range(wide)]
                arrays += [pc.list_element(values, k) for k in range(wide)]
                continue
        names.append(name)
        arrays.append(values)
    return pa.table(arrays, names=names) if len(names) != table.num_columns else table


def _as_text(values: Any) -> tuple[Any, Any]:
    """Return bytes as text with its type; as they are where they are no text."""
    import pyarrow as pa

    with contextlib.suppress(pa.ArrowInvalid):
        values = values.cast(pa.string())
    return values, values.type


def _above_exact(values: Any) -> bool:
    import pyarrow.compute as pc

    ends = pc.min_max(values).as_py()
    return any(end is not None and abs(int(end)) > 2**53 for end in ends.values())
