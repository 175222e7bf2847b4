"""Packed files: sizes are read from headers or counted while unpacking, before anything is kept."""

from __future__ import annotations

import io
import zipfile
import zlib

from nmf_core.ingest.limits import size
from nmf_core.ingest.reading import Refused
from nmf_core.ingest.talk import Talk

_STEP = 1 << 18


def open_zip(data: bytes | memoryview, talk: Talk, what: str = "archive") -> zipfile.ZipFile:
    """Open a .zip after a look at the number and the unpacked size of its members."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        infos = archive.infolist()
    except Exception as error:  # BadZipFile, struct.error, NotImplementedError, UnicodeDecodeError …
        raise Refused("damaged", f"The {what} is damaged or unsafe", hint="Pack or save it again") from error
    limits = talk.limits
    if len(infos) > limits.members:
        raise Refused(
            "too-many-members",
            f"The {what} holds {len(infos):,} files; the limit is {limits.members:,}",
            hint="Pack fewer files",
        )
    total = sum(info.file_size for info in infos)
    if total > limits.unpacked:
        raise Refused(
            "too-large",
            f"The {what} unpacks to {size(total)}; the limit is {size(limits.unpacked)}",
            hint="Pack fewer or smaller files",
        )
    if any(info.flag_bits & 1 for info in infos):
        raise Refused("protected", f"The {what} is protected by a password", hint="Pack it again without a password")
    return archive


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, talk: Talk) -> bytes:
    """Unpack one member into memory; a header that lied about the size ends here."""
    parts, total = [], 0
    try:
        with archive.open(info) as file:
            while part := file.read(_STEP):
                total += len(part)
                if total > talk.limits.unpacked:
                    raise _too_large(talk)
                parts.append(part)
                talk.progress("unpack", min(1.0, total / max(1, info.file_size)))
    except Refused:
        raise
    except Exception as error:  # zlib.error, BadZipFile (CRC), EOFError, NotImplementedError …
        raise Refused("damaged", "The archive is damaged", f"member {info.filename[:80]}", "Pack it again") from error
    return b"".join(parts)


def gunzip(data: bytes | memoryview, talk: Talk) -> bytes:
    """Unpack .gz, counting while unpacking."""
    parts: list[bytes] = []
    total, rest = 0, data
    try:
        while rest and bytes(rest[:2]) == b"\x1f\x8b":
            worker = zlib.decompressobj(wbits=31)
            position = 0
            while not worker.eof and position < len(rest):
                block = bytes(rest[position : position + _STEP])
                position += len(block)
                while block:
                    part = worker.decompress(block, 1 << 22)
                    block = worker.unconsumed_tail
                    total += len(part)
                    if total > talk.limits.unpacked:
                        raise _too_large(talk)
                    parts.append(part)
                    if worker.eof:
                        break
                talk.progress("unpack", min(1.0, (len(data) - len(rest) + position) / len(data)))
            if not worker.eof:
                raise Refused("cut-off", "The .gz file is cut off", f"after {size(total)} of text", "Copy it again")
            rest = rest[position - len(worker.unused_data) :]
    except zlib.error as error:
        raise Refused("damaged", "The .gz file is damaged", f"after {size(total)} of text", "Pack it again") from error
    return b"".join(parts)


def unpack_other(data: bytes | memoryview, talk: Talk, how: str) -> bytes:
    """Unpack .bz2 or .xz, counting while unpacking."""
    import bz2
    import lzma

    worker = bz2.BZ2Decompressor() if how == "bz2" else lzma.LZMADecompressor(memlimit=512_000_000)
    parts: list[bytes] = []
    total, block = 0, bytes(data)
    try:
        while not worker.eof:
            part = worker.decompress(block, 1 << 22)
            block = b""
            total += len(part)
            if total > talk.limits.unpacked:
                raise _too_large(talk)
            parts.append(part)
            if not part and worker.needs_input:
                raise Refused("cut-off", f"The .{how} file is cut off", hint="Copy it again")
    except (OSError, lzma.LZMAError, EOFError) as error:
        raise Refused("damaged", f"The .{how} file is damaged", hint="Pack it again") from error
    return b"".join(parts)


def _too_large(talk: Talk) -> Refused:
    return Refused(
        "too-large",
        f"The file unpacks to more than {size(talk.limits.unpacked)}, which is the limit",
        hint="Keep the rows or columns you need",
    )
