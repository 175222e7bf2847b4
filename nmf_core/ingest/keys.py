"""Names that come again and again, each kept once: what a long table's rows and columns are called, and where."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nmf_core.ingest.dialect import MISSING
from nmf_core.types import Array

_CODE = re.compile(r"0\d+$")
_WHOLE = re.compile(r"[+-]?\d{1,15}(\.0*)?$")


@dataclass(frozen=True, slots=True, eq=False)
class Keys:
    """A column of names as numbers.

    Attributes
    ----------
    names : list of str
        Each name once: whole numbers by size, other names in order of first occurrence.
    index : ndarray of int32
        The place of each line's name in `names`; -1 where it is missing.
    """

    names: list[str]
    index: Array

    @classmethod
    def of(cls, texts: Sequence[str]) -> Keys:
        """Number texts; empty ones are missing."""
        book = KeyBook(len(texts))
        book.index[:] = np.fromiter(map(book.number, texts), dtype=np.int32, count=len(texts))
        book.n = len(texts)
        return book.close()

    @classmethod
    def of_numbers(cls, values: Array) -> Keys:
        """Number whole numbers; NaN is missing."""
        known = np.isfinite(values)
        distinct, inverse = np.unique(values[known], return_inverse=True)
        index = np.full(len(values), -1, dtype=np.int32)
        index[known] = inverse
        return cls([str(int(x)) for x in distinct], index)

    def take(self, keep: Array) -> Keys:
        """Return the keys of some lines; names that are left without a line stay."""
        return Keys(self.names, self.index[keep])

    def used(self) -> Keys:
        """Return the keys without names that no line holds."""
        seen = np.zeros(len(self.names) + 1, dtype=bool)
        seen[self.index] = True
        if seen[:-1].all():
            return self
        place = (np.cumsum(seen[:-1]) - 1).astype(np.int32)
        return Keys([name for name, used in zip(self.names, seen, strict=False) if used], place[self.index])


def _codes(names: Sequence[str]) -> bool:
    """Tell names of one length, some with a zero in front: 007 is not 7, where nobody writes 7."""
    return len({len(name) for name in names}) == 1 and any(map(_CODE.match, names))


class KeyBook:
    """Keys under construction: batches of cells come in, each name is kept once.

    Parameters
    ----------
    n : int
        Upper bound on the number of lines.
    """

    def __init__(self, n: int) -> None:
        self.index = np.empty(n, dtype=np.int32)
        self.place: dict[str, int] = {}
        self.n = 0

    def number(self, text: str) -> int:
        """Return the number of a name, a new one if it is new."""
        name = text.strip()
        return self.place.setdefault(name, len(self.place)) if name else -1

    def add_arrow(self, cells: Any) -> None:
        """Take a batch of cells, as an Arrow array of strings."""
        coded = cells.dictionary_encode()
        numbers = np.fromiter(map(self.number, coded.dictionary.to_pylist()), dtype=np.int32)
        k = len(cells)
        self.index[self.n : self.n + k] = numbers[coded.indices.to_numpy(zero_copy_only=False)]
        self.n += k

    def close(self) -> Keys:
        """Return the keys; whole numbers are one name however they are written, and sorted by size."""
        names, index = list(self.place), self.index[: self.n]
        marks = [name.lower() in MISSING for name in names]
        rest = [name for name, mark in zip(names, marks, strict=True) if not mark]
        if not rest or not all(map(_WHOLE.match, rest)) or _codes(rest):
            return Keys(names, index)
        values = np.array([np.nan if mark else float(name) for name, mark in zip(names, marks, strict=True)])
        found = Keys.of_numbers(values)
        turned = np.append(found.index, np.int32(-1))  # the last one stands for -1
        for start in range(0, len(index), 1 << 18):  # in place, piece by piece: no second index in memory
            index[start : start + (1 << 18)] = turned[index[start : start + (1 << 18)]]
        return Keys(found.names, index)
