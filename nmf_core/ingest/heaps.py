"""A look at the heaps of an HDF5 file before its library reads them: a damaged heap makes the library go round for ever.

A heap holds texts of different length: a head of 16 bytes, then objects, each with a head of its own that tells how far
the next one is. An object of free space that claims to be 0 bytes long is its own next one.
"""

from __future__ import annotations

from nmf_core.ingest.reading import Refused

_MARK = b"GCOL\x01"
_HEAD = 16


def check_heaps(body: bytes) -> None:
    """Walk through every heap, each object once.

    Raises
    ------
    Refused
        When a heap does not lead to its end.
    """
    at = body.find(_MARK)
    while at >= 0:
        size = int.from_bytes(body[at + 8 : at + _HEAD], "little")
        if not _leads_to_its_end(body, at, size):
            raise Refused(
                "damaged",
                "The HDF5 file is damaged: a heap of texts leads nowhere",
                f"byte {at:,}",
                "Copy or save it again",
            )
        at = body.find(_MARK, at + len(_MARK))


def _leads_to_its_end(body: bytes, at: int, size: int) -> bool:
    place, end = at + _HEAD, at + size
    if size < _HEAD or end > len(body):
        return True  # by chance the same bytes, or a claim that the library itself refuses
    while place + _HEAD <= end:
        number = int.from_bytes(body[place : place + 2], "little")
        length = int.from_bytes(body[place + 8 : place + _HEAD], "little")
        step = length if number == 0 else _HEAD + -(-length // 8) * 8
        if step < _HEAD:
            return False
        place += step
    return True
