"""JSON: records, columns, arrays of arrays, JSON Lines, and node-link networks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from nmf_core.ingest.columns import Column, from_values
from nmf_core.ingest.decode import to_utf8
from nmf_core.ingest.grid import from_grid
from nmf_core.ingest.raw import Raw
from nmf_core.ingest.reading import Refused
from nmf_core.ingest.sample import stride
from nmf_core.ingest.table import arrange
from nmf_core.ingest.talk import Talk


def read_json(data: bytes | memoryview, talk: Talk) -> Raw:
    """Read a table from JSON."""
    text = bytes(to_utf8(data, talk)).decode("utf-8")
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        value = _lines(text, error)
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
            return [from_values(str(key), _plain(values[::step])) for key, values in value.items()]
        if inner and all(isinstance(v, Mapping) for v in inner):  # pandas: column → row → value
            keys = list(dict.fromkeys(k for v in inner for k in v))
            columns = [from_values(str(name), _plain([v.get(k) for k in keys])) for name, v in value.items()]
            return [from_values("", keys), *columns]
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
            names = list(dict.fromkeys(name for record in value for name in _flat(record)))
            return _from_rows(
                [str(name) for name in names], [[flat.get(name) for name in names] for flat in map(_flat, value)], talk
            )
        raise Refused(
            "json-shape", "The JSON list mixes values and records", hint="Save a list of records with the same fields"
        )
    raise Refused("no-rows", "The JSON text holds no rows", hint="Save a list of records, or one list per column")


def _from_rows(names: list[str], rows: list[list[Any]], talk: Talk) -> list[Column]:
    if not rows:
        raise Refused("no-rows", "The JSON text holds no rows", hint="Choose a file that holds data")
    step = stride(len(rows), len(names), talk)
    rows = rows[::step]
    return [
        from_values(name, _plain([row[j] if j < len(row) else None for row in rows])) for j, name in enumerate(names)
    ]


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, Mapping):
            flat.update({f"{key}.{k}": v for k, v in value.items()})
        else:
            flat[str(key)] = value
    return flat


def _plain(values: list[Any]) -> list[Any]:
    return [json.dumps(v)[:200] if isinstance(v, (list, dict)) else v for v in values]


def _is_network(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("nodes"), list) and isinstance(value.get("links", value.get("edges")), list)
