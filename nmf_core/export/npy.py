"""Arrays to and from bytes, without pickle, and without trusting what a file says about its own size."""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from nmf_core.types import Array

#: Largest member, and largest sum of all members, that is unpacked.
MOST_BYTES = 1 << 30
_DATE = (1980, 1, 1, 0, 0, 0)  # equal content, equal bytes


class ArchiveError(ValueError):
    """An archive that cannot be used; the sentence says why."""


def array_bytes(array: Array) -> bytes:
    """Return an array in NPY format.

    Raises
    ------
    ValueError
        For arrays of objects, which would need pickle.
    """
    array = np.asarray(array)
    if array.dtype.hasobject:
        raise ValueError("npy: an array of Python objects cannot be stored without pickle")
    out = io.BytesIO()
    np.lib.format.write_array(out, np.ascontiguousarray(array) if array.ndim else array, allow_pickle=False)
    return out.getvalue()


def array_from(data: bytes, name: str = "array") -> Array:
    """Read an array in NPY format whose header agrees with the number of bytes that follow.

    Raises
    ------
    ArchiveError
    """
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        reader = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        shape, fortran, dtype = reader(stream)
    except (
        ValueError,
        KeyError,
        TypeError,
        SyntaxError,
        EOFError,
        OverflowError,
        RecursionError,
        MemoryError,
    ) as error:
        raise ArchiveError(f"{name}: this is not a NumPy array that can be read") from error
    if dtype.hasobject or dtype.fields is not None or dtype.subdtype is not None or dtype.kind not in "biufSU":
        raise ArchiveError(f"{name}: holds {dtype}; only numbers and text are read")
    rest = len(data) - stream.tell()
    if any(side < 0 for side in shape) or math.prod(shape) * dtype.itemsize != rest:
        raise ArchiveError(f"{name}: is cut off or damaged (its header and its size disagree)")
    if dtype.itemsize == 0:
        return np.zeros(shape, dtype=dtype)
    flat = np.frombuffer(data, dtype=dtype, offset=stream.tell())
    array = flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)
    return np.array(array, dtype=dtype.newbyteorder("="), order="C")


def pack(members: Mapping[str, bytes]) -> bytes:
    """Return a ZIP archive; equal members give equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, data in members.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return out.getvalue()


def unpack(data: bytes, allowed: set[str] | None, what: str) -> dict[str, bytes]:
    """Return the members of a ZIP archive.

    Parameters
    ----------
    data : bytes
    allowed : set of str or None
        Names that may occur; None allows any name that ends in ``.npy``.
    what : str
        How the sentences call the file.

    Raises
    ------
    ArchiveError
        If it is no archive, is damaged, holds other members, or would unpack to more than `MOST_BYTES`.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, UnicodeError) as error:
        raise ArchiveError(f"{what}: this is not a ZIP archive, or its end is missing") from error
    names = [entry.filename for entry in entries]
    if len(names) != len(set(names)):
        raise ArchiveError(f"{what}: a member occurs twice; the file was changed by another program")
    foreign = [n for n in names if (n not in allowed if allowed is not None else not n.endswith(".npy"))]
    if foreign:
        raise ArchiveError(f"{what}: holds {foreign[0]!r}, which does not belong into it; it is not from NMF Explorer")
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise ArchiveError(f"{what}: would unpack to more than {MOST_BYTES >> 20} MB")
    found: dict[str, bytes] = {}
    left = MOST_BYTES
    for entry in entries:
        try:
            with archive.open(entry) as member:
                found[entry.filename] = member.read(left + 1)  # what is there counts, not what the directory says
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError, ValueError) as error:
            raise ArchiveError(f"{what}: the member {entry.filename} is damaged or locked by a password") from error
        except Exception as error:  # zlib.error and its kin share no base class
            if type(error).__module__ in ("zlib", "_lzma", "lzma", "_bz2"):
                raise ArchiveError(f"{what}: the member {entry.filename} is damaged") from error
            raise
        left -= len(found[entry.filename])
        if left < 0:
            raise ArchiveError(f"{what}: would unpack to more than {MOST_BYTES >> 20} MB")
    return found


def json_bytes(value: Any) -> bytes:
    """Return JSON (no NaN), sorted, so that equal values give equal bytes."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False, indent=1).encode()


def json_from(data: bytes, what: str) -> Any:
    """Read JSON.

    Raises
    ------
    ArchiveError
    """

    def refuse(text: str) -> Any:
        raise ValueError(text)

    try:
        return json.loads(data.decode(), parse_constant=refuse)
    except (ValueError, UnicodeError, RecursionError) as error:
        raise ArchiveError(f"{what}: is not readable as JSON") from error
