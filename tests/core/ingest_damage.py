"""Reads damaged files one after the other and says how far it came; run as a program, because a reader may crash.

``python ingest_damage.py FIRST LAST`` prints one line per file: its number and the verdict.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np

from nmf_core.ingest import Limits, read
from tests.core import ingest_corpus as corpus

LIMITS = Limits(upload=2_000_000, unpacked=5_000_000, cells=300_000, pixels=300_000, columns=5000)


def originals() -> list[tuple[str, bytes]]:
    """Return one healthy file of each format."""
    wanted = (
        "T09 decimal comma", "T11 thousands", "T20f class numbers", "T63 long table", "E00 workbook", "E11 errors",
        "P04 types", "P09 feather", "P09b stream", "J01 records", "J05 split", "N00 npy", "N06c with names", "N06d sparse",
        "M00 mtx", "M07b symmetric", "I00b colour", "I06b bmp", "I06c tiff", "I06 gif", "I06d webp", "I07b wrong ending",
        "I10 folders", "S00 wav", "S01 flac", "S01b ogg", "D00 lines", "D05 zip of texts", "W00 graphml", "W01 gml",
        "W03 node-link", "T48b zip with two",
    )  # fmt: skip
    found = {case.id: case for case in corpus.CASES}
    return [(found[name].name, found[name].make()) for name in wanted]


def damaged(number: int, files: list[tuple[str, bytes]]) -> tuple[str, bytes]:
    """Return the damaged file of a number: cut off, bytes changed, bytes put in, or a piece doubled."""
    rng = np.random.default_rng(number)
    name, data = files[number % len(files)]
    body = bytearray(data)
    how = int(rng.integers(0, 5))
    at = int(rng.integers(0, len(body)))
    if how == 0:
        body = body[:at]
    elif how == 1:
        for place in rng.integers(0, len(body), int(rng.integers(1, 9))):
            body[place] = int(rng.integers(0, 256))
    elif how == 2:
        body[at:at] = rng.bytes(int(rng.integers(1, 40)))
    elif how == 3:
        body[at : at + int(rng.integers(1, 40))] = b""
    else:
        end = min(len(body), at + int(rng.integers(1, 200)))
        body[at:at] = body[at:end]
    return name, bytes(body)


def main() -> None:
    """Read the files of a range of numbers."""
    warnings.simplefilter("ignore")
    files = originals()
    for number in range(int(sys.argv[1]), int(sys.argv[2])):
        print(number, "start", flush=True)
        name, data = damaged(number, files)
        print(number, read(data, name, limits=LIMITS, sandbox=False).verdict.value, flush=True)


if __name__ == "__main__":
    main()
