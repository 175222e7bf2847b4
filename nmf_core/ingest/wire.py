"""How a child process hands its answer over: a length, JSON, then plain .npy arrays. Never a pickle."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from nmf_core.ingest.raw import Raw
from nmf_core.ingest.reading import Message, Note, Question, from_json, to_json
from nmf_core.ingest.talk import Talk
from nmf_core.types import Array

_HEAD = 8
_JSON_LIMIT = 100_000_000


def send(file: IO[bytes], raw: Raw | None, talk: Talk, message: Message | None) -> None:
    """Write the outcome of `understand` to a binary file."""
    arrays: list[Array] = []

    def put(array: Array) -> dict[str, Any]:
        if array.dtype.kind == "O":  # texts of very different length: one run of bytes and where each ends
            encoded = [str(text).encode("utf-8", "replace") for text in array.ravel()]
            arrays.append(np.frombuffer(b"".join(encoded), dtype=np.uint8))
            arrays.append(np.cumsum([len(part) for part in encoded], dtype=np.int64))
            return {"texts": len(arrays) - 2}
        arrays.append(array)
        return {"array": len(arrays) - 1}

    answer: dict[str, Any] = {**to_json(talk.notes, talk.questions, message), "format": talk.format, "raw": None}
    if raw is not None:
        parts = (raw.X.data, raw.X.indices, raw.X.indptr) if raw.sparse else (raw.X,)
        answer["raw"] = {
            "name": raw.name,
            "kind": raw.kind,
            "mask": raw.mask,
            "shape": list(raw.shape),
            "cell_shape": None if raw.cell_shape is None else list(raw.cell_shape),
            "X": [put(part) for part in parts],
            "rows": put(raw.rows),
            "cols": put(raw.cols),
            "labels": [[key, put(label)] for key, label in raw.labels.items()],
            "extra": [
                [key, put(value) if isinstance(value, np.ndarray) else {"value": value}]
                for key, value in raw.extra.items()
            ],
        }
    head = json.dumps(answer).encode()
    file.write(len(head).to_bytes(_HEAD, "little"))
    file.write(head)
    for array in arrays:
        np.save(file, array)
    file.flush()


def receive(file: IO[bytes]) -> tuple[Raw | None, list[Note], list[Question], Message | None, str]:
    """Read what `send` wrote.

    Raises
    ------
    ValueError, KeyError, TypeError
        When the answer is no such thing: the child has read a stranger's file and is not trusted.
    """
    length = int.from_bytes(file.read(_HEAD), "little")
    if not 0 < length <= _JSON_LIMIT:
        raise ValueError("no answer")
    answer = json.loads(file.read(length))
    notes, questions, message = from_json(answer)
    values = answer["raw"]
    if values is None:
        return None, notes, questions, message, str(answer["format"])
    size = os.fstat(file.fileno()).st_size
    arrays: list[Array] = []
    while file.tell() < size:
        arrays.append(_load(file, size))

    def get(ref: Mapping[str, Any]) -> Any:
        if "value" in ref:
            return _tuples(ref["value"])
        if "texts" in ref:
            return _texts(arrays[ref["texts"]], arrays[ref["texts"] + 1])
        return arrays[ref["array"]]

    parts = [get(ref) for ref in values["X"]]
    if len(parts) == 3:
        import scipy.sparse as sp

        X: Any = sp.csr_array((parts[0], parts[1], parts[2]), shape=tuple(values["shape"]))
        X.check_format(full_check=True)
    else:
        X = parts[0]
    raw = Raw(
        X,
        get(values["rows"]),
        get(values["cols"]),
        kind=values["kind"],
        labels={key: get(ref) for key, ref in values["labels"]},
        cell_shape=None if values["cell_shape"] is None else tuple(values["cell_shape"]),
        mask=values["mask"],
        extra={key: get(ref) for key, ref in values["extra"]},
        name=values["name"],
    )
    if list(raw.shape) != values["shape"] or (len(raw.rows), len(raw.cols)) != raw.shape:
        raise ValueError("shapes differ")
    return raw, notes, questions, message, str(answer["format"])


def _tuples(value: Any) -> Any:
    """Give shapes back as the tuples they were before JSON."""
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


def _load(file: IO[bytes], size: int) -> Array:
    """Load one array; a header that promises more than the file holds is an error before memory is taken."""
    start = file.tell()
    version = npy.read_magic(file)
    shape, _, dtype = (npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0)(file)
    if dtype.hasobject or math.prod(shape) * dtype.itemsize > size - file.tell():
        raise ValueError("not a plain array")
    file.seek(start)
    return np.load(file)


def _texts(blob: Array, ends: Array) -> Array:
    data = blob.tobytes()
    starts = np.concatenate([[0], ends[:-1]]) if len(ends) else ends
    texts = [data[int(a) : int(b)].decode("utf-8", "replace") for a, b in zip(starts, ends, strict=True)]
    longest = max(map(len, texts), default=0)
    if longest * len(texts) * 4 <= max(64_000_000, 16 * len(data)):
        return np.array(texts, dtype=np.str_)
    result = np.empty(len(texts), dtype=object)
    result[:] = texts
    return result
