"""Big arrays of a state wait in files, so that they never pass through the server process.

A 1,000,000 × 20 state is 160 MB. Sent through pipes it would be copied six times a chunk, half of that under the
server's interpreter lock. Instead the worker writes each big array once (``.npy``) and sends a :class:`Parked` in its
place; the next worker reads it. The server reads it only if somebody asks for a partial or the final result.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from nmf_core.types import is_sparse

PARK_BYTES = 50_000
"""Arrays of at least this size are parked; smaller ones travel faster with the message."""


@dataclass(frozen=True, slots=True)
class Parked:
    """Stands for an array kept in a file."""

    path: str


def replace_leaves(value: Any, change: Callable[[Any], Any], depth: int = 0) -> Any:
    """Return `value` with `change` applied to its leaves; containers without a changed leaf are returned as they are.

    Containers are dataclasses, mappings, lists and tuples (named ones too).
    """
    if depth > 12 or isinstance(value, (str, bytes, int, float, np.ndarray, Parked)) or value is None:
        return change(value)
    if is_dataclass(value) and not isinstance(value, type):
        old = {f.name: getattr(value, f.name) for f in fields(value)}
        new = {name: replace_leaves(part, change, depth + 1) for name, part in old.items()}
        if all(new[name] is old[name] for name in old):
            return value
        other = copy.copy(value)
        for name, part in new.items():
            if part is not old[name]:
                object.__setattr__(other, name, part)
        return other
    if isinstance(value, Mapping):
        new = {name: replace_leaves(part, change, depth + 1) for name, part in value.items()}
        if isinstance(value, MappingProxyType):  # cannot be pickled
            return new
        return value if all(new[name] is part for name, part in value.items()) else new
    if isinstance(value, (list, tuple)):
        parts = [replace_leaves(part, change, depth + 1) for part in value]
        if all(a is b for a, b in zip(parts, value, strict=True)):
            return value
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    return change(value)


def park(value: Any, folder: str, at_least: int = PARK_BYTES) -> Any:
    """Write the big arrays in `value` to `folder` and return `value` with :class:`Parked` in their places.

    An array that occurs twice is written once.
    """
    written: dict[int, tuple[Any, Parked]] = {}

    def change(leaf: Any) -> Any:
        if not isinstance(leaf, np.ndarray) or leaf.nbytes < at_least or leaf.dtype.hasobject:
            return leaf
        if id(leaf) not in written:
            os.makedirs(folder, exist_ok=True)
            path = os.path.join(folder, f"{len(written)}.npy")
            np.save(path, leaf, allow_pickle=False)
            written[id(leaf)] = (leaf, Parked(path))
        return written[id(leaf)][1]

    return replace_leaves(value, change)


def unpark(value: Any) -> Any:
    """Read parked arrays back, as fresh writable arrays; one file becomes one array."""
    read: dict[str, Any] = {}

    def change(leaf: Any) -> Any:
        if not isinstance(leaf, Parked):
            return leaf
        if leaf.path not in read:
            read[leaf.path] = np.load(leaf.path, allow_pickle=False)
        return read[leaf.path]

    return replace_leaves(value, change)


def nbytes(value: Any) -> int:
    """Return about how many bytes of arrays, frames and text `value` holds; shared arrays count once."""
    seen: dict[int, Any] = {}
    total = 0

    def change(leaf: Any) -> Any:
        nonlocal total
        if id(leaf) in seen:
            return leaf
        seen[id(leaf)] = leaf
        if is_sparse(leaf) and hasattr(leaf, "indptr"):
            total += leaf.data.nbytes + leaf.indices.nbytes + leaf.indptr.nbytes
        elif hasattr(leaf, "memory_usage") and hasattr(leaf, "columns"):
            total += int(leaf.memory_usage(deep=False).sum())
        elif isinstance(leaf, (str, bytes)):
            total += len(leaf)
        else:
            total += int(getattr(leaf, "nbytes", 0) or 64)
        return leaf

    replace_leaves(value, change)
    return total
