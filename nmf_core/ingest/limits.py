"""How large data may be, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what is read; a person who runs the program alone may raise them.

    Attributes
    ----------
    upload : int
        Bytes of one file.
    files : int
        Files of one upload.
    unpacked : int
        Bytes after unpacking a .gz, .zip or .npz.
    members : int
        Files in an archive.
    cells : int
        Rows × columns of a dense matrix.
    rows : int
        Rows of a table: W holds a row for each.
    stored : int
        Stored entries of a sparse matrix.
    sparse_side : int
        Rows or columns of a sparse matrix: W and H are dense.
    columns : int
        Columns of a table.
    cell_bytes : int
        Length of one cell of a table of numbers, in bytes.
    pixels : int
        Of one picture.
    audio_seconds : int
        Length of a sound that is read whole.
    name_length : int
        Characters kept of a name.
    memory, cpu_seconds, wall_seconds : int
        Of the process that reads one file.
    """

    upload: int = 50 * MB
    files: int = 20
    unpacked: int = 500 * MB
    members: int = 1000
    cells: int = 25 * MB
    rows: int = 2 * MB
    stored: int = 25 * MB
    sparse_side: int = 2 * MB
    columns: int = 500_000
    cell_bytes: int = 1 * MB
    pixels: int = 25 * MB
    audio_seconds: int = 600
    name_length: int = 200
    memory: int = 3_000 * MB
    cpu_seconds: int = 60
    wall_seconds: int = 90

    @classmethod
    def for_uploads(cls, upload: int) -> Limits:
        """Return the limits of a server that takes files of this many bytes.

        Where files may be larger than usual, all that grows with them may be larger by as much: numbers, memory, time.
        """
        usual = cls()
        times = max(1.0, upload / usual.upload)
        growing = ("unpacked", "cells", "rows", "stored", "sparse_side", "memory", "cpu_seconds", "wall_seconds")
        return replace(usual, upload=upload, **{name: int(times * getattr(usual, name)) for name in growing})

    def for_bytes(self, data: bytes | memoryview) -> Limits:
        """Return the limits with less processor time for a format whose library may go round in circles when damaged.

        An intact HDF5 file takes about 0.2 s a megabyte, and starting the reader not one second.
        """
        if bytes(data[:8]) != b"\x89HDF\r\n\x1a\n":
            return self
        return replace(self, cpu_seconds=min(self.cpu_seconds, 5 + len(data) // (2 * MB)))

    def to_json(self) -> dict[str, int]:
        """Return plain values that `from_json` reads back."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Limits:
        """Rebuild limits from plain values; unknown names are ignored."""
        known = {f.name for f in fields(cls)}
        return cls(**{key: int(value) for key, value in values.items() if key in known})


def size(n_bytes: int) -> str:
    """Write a number of bytes for people, with a decimal prefix: ``size(4600)`` gives ``'4.6 kB'``."""
    value = float(n_bytes)
    for unit in ("bytes", "kB", "MB", "GB", "TB", "PB", "EB"):
        if value < 1000 or unit == "EB":
            return f"{n_bytes} bytes" if unit == "bytes" else f"{value:.3g} {unit}"
        value /= 1000
    raise AssertionError("unreachable")
