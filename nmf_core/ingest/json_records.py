"""JSON: records, columns, arrays of arrays, JSON Lines, and node-link networks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from nmf_core.ingest.biom import is_biom, read_biom
from nmf_core.ingest.columns import Column
from nmf_core.ingest.decode import to_utf8
from nmf_core.ingest.grid import from_grid
from nmf_core.ingest.notation import columns_of
from nmf_core.ingest.raw import Raw
from nmf_core.ingest.reading import Option, Refused
from nmf_core.ingest.sample import stride
from nmf_core.ingest.table import arrange
from nmf_core.ingest.talk import Talk

DEEPEST, LONGEST = 6, 1000  # records within records; numbers in a list that become fields of their own


def read_json(data: bytes | memoryview, talk: Talk) -> Raw:
    """Read a table from JSON."""
    text = bytes(to_utf8(data, talk)).decode("utf-8")
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        value = _lines(text, error)
    if isinstance(value, Mapping) and is_biom(value):
        return read_biom(value, talk)
    if isinstance(value, Mapping) and _is_network(value):
        from nmf_core.ingest.networks import from_node_link

        return from_node_link(value, talk)
    return arrange(_columns(value, talk), talk)


def _lines(text: str, error: json.JSONDecodeError) -> list[Any]:
    """Read JSON Lines; a line that fails tells where."""
    records = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            at = number if records else error.lineno
            raise Refused(
                "damaged", "The JSON text is damaged or cut off", f"line {at}", "Save it again, or as CSV"
            ) from None
    return records


def _columns(value: Any, talk: Talk) -> list[Column]:
    if isinstance(value, Mapping):
        inner = list(value.values())
        if {"columns", "data"} <= set(value) and isinstance(value["data"], list) and isinstance(value["columns"], list):
            index = value.get("index")
            rows = [
                [*([] if index is None else [index[i]]), *row]
                for i, row in enumerate(value["data"])
                if isinstance(row, list)
            ]
            return _from_rows([str(c) for c in ([""] if index is not None else []) + value["columns"]], rows, talk)
        if inner and all(isinstance(v, list) for v in inner):
            length = max(map(len, inner))
            step = stride(length, len(inner), talk)
            if any(len(v) != length for v in inner):
                raise Refused("ragged", "The columns differ in length", hint="Give every column as many values")
            return _by_name([str(key) for key in value], [values[::step] for values in inner], talk)
        if inner and all(isinstance(v, Mapping) for v in inner):
            return _of_records(value, talk)
        lists = [v for v in inner if isinstance(v, list) and v and isinstance(v[0], (Mapping, list))]
        if len(lists) == 1:  # {"data": [ … ]}: the one list of records inside
            return _columns(lists[0], talk)
        raise Refused(
            "json-shape", "The JSON object is no table", hint="Save a list of records, or one list per column"
        )
    if isinstance(value, list) and value:
        if all(isinstance(v, list) for v in value):
            return from_grid([_plain(row) for row in value], talk)
        if all(isinstance(v, Mapping) for v in value):
            aligned = _aligned(value)
            return _from_rows(list(aligned[0]), [list(flat.values()) for flat in aligned], talk)
        raise Refused(
            "json-shape", "The JSON list mixes values and records", hint="Save a list of records with the same fields"
        )
    raise Refused("no-rows", "The JSON text holds no rows", hint="Save a list of records, or one list per column")


def _of_records(value: Mapping[str, Any], talk: Talk) -> list[Column]:
    """Read {name: {name: value}}: pandas writes columns outside by default, other programs write rows outside."""
    inner = list(value.values())
    keys = list(dict.fromkeys(k for v in inner for k in v))
    counted = all(str(key).isdigit() for key in keys)
    options = [
        Option("columns", f"columns: {len(value):,} of them, with {len(keys):,} rows", len(value)),
        Option("rows", f"rows: {len(value):,} of them, with {len(keys):,} columns", len(value)),
    ]
    default = "columns" if counted or len(keys) >= len(value) else "rows"
    answer = talk.ask("outer", "What are the outer names of the JSON object?", options, default, required=False)
    talk.note("outer", f"The outer names of the JSON object were taken as {answer}.", "outer")
    if answer == "columns":
        columns = [[v.get(k) for k in keys] for v in inner]
        return _by_name(["", *map(str, value)], [list(map(str, keys)), *columns], talk)
    aligned = _aligned(inner)
    rows = [[name, *flat.values()] for name, flat in zip(value, aligned, strict=True)]
    return _from_rows(["", *aligned[0]], rows, talk)


def _aligned(records: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    flats = [_flat(record) for record in records]
    names = list(dict.fromkeys(name for flat in flats for name in flat))
    return [{name: flat.get(name) for name in names} for flat in flats]


def _from_rows(names: list[str], rows: list[list[Any]], talk: Talk) -> list[Column]:
    if not rows:
        raise Refused("no-rows", "The JSON text holds no rows", hint="Choose a file that holds data")
    step = stride(len(rows), len(names), talk)
    rows = rows[::step]
    return _by_name(names, [[row[j] if j < len(row) else None for row in rows] for j in range(len(names))], talk)


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """Lay records within records, and short lists of numbers, out as fields with dotted names."""
    flat: dict[str, Any] = {}

    def put(name: str, value: Any, depth: int) -> None:
        if isinstance(value, Mapping) and value and depth < DEEPEST:
            for key, inner in value.items():
                put(f"{name}.{key}", inner, depth + 1)
        elif isinstance(value, list) and 0 < len(value) <= LONGEST and all(map(_is_number, value)):
            for k, inner in enumerate(value, 1):
                flat[f"{name}.{k}"] = inner
        else:
            flat[name] = value

    for key, value in record.items():
        put(str(key), value, 0)
    return flat


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))


def _plain(values: list[Any]) -> list[Any]:
    return [json.dumps(v)[:200] if isinstance(v, (list, dict)) else v for v in values]


def _by_name(names: list[str], values: list[list[Any]], talk: Talk) -> list[Column]:
    return columns_of(names, list(map(_plain, values)), talk)


def _is_network(value: Mapping[str, Any]) -> bool:
    links = value.get("links", value.get("edges", value.get("adjacency")))
    return isinstance(value.get("nodes"), list) and isinstance(links, list)
