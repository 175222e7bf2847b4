"""Packed files: sizes are read from headers or counted while unpacking, before anything is kept."""

from __future__ import annotations

import io
import re
import tarfile
import zipfile
import zlib

from nmf_core.ingest.limits import size
from nmf_core.ingest.reading import Refused
from nmf_core.ingest.sample import offer_part
from nmf_core.ingest.talk import Talk

_STEP = 1 << 18
_LOOKED_AT = 1 << 16
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a]")


def open_zip(data: bytes | memoryview, talk: Talk, what: str = "archive") -> zipfile.ZipFile:
    """Open a .zip after a look at the unpacked size of its members, and at their number when it is a workbook."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        infos = archive.infolist()
    except Exception as error:  # BadZipFile, struct.error, NotImplementedError, UnicodeDecodeError …
        raise Refused("damaged", f"The {what} is damaged or unsafe", hint="Pack or save it again") from error
    limits = talk.limits
    if what != "archive" and len(infos) > limits.members:
        raise Refused(
            "too-many-members",
            f"The {what} holds {len(infos):,} files; the limit is {limits.members:,}",
            hint="Pack fewer files",
        )
    total = sum(info.file_size for info in infos)
    if total > limits.unpacked:
        refusal = Refused(
            "too-large",
            f"The {what} unpacks to {size(total)}; the limit is {size(limits.unpacked)}",
            hint="Pack fewer or smaller files",
        )
        if len(infos) > 1 or infos[0].flag_bits & 1:
            raise refusal
        _offer_beginning(_first_bytes(archive, infos[0]), refusal, talk)
    if any(info.flag_bits & 1 for info in infos):
        raise Refused("protected", f"The {what} is protected by a password", hint="Pack it again without a password")
    return archive


def zip_of_tar(data: bytes | memoryview, talk: Talk) -> bytes:
    """Return the plain files of a .tar as a .zip, in memory; links, devices and folders are left out."""
    buffer = io.BytesIO()
    total = count = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as source, zipfile.ZipFile(buffer, "w") as archive:
            for info in source:
                if not info.isreg():
                    continue
                count, total = count + 1, total + info.size
                if total > talk.limits.unpacked or count > 20 * talk.limits.members:
                    raise Refused(
                        "too-large",
                        f"The archive holds more than {size(talk.limits.unpacked)} or {20 * talk.limits.members:,} files, which is the limit",
                        hint="Pack fewer or smaller files",
                    )
                file = source.extractfile(info)
                if file is not None:
                    archive.writestr(zipfile.ZipInfo(info.name or "file", (1980, 1, 1, 0, 0, 0)), file.read())
    except Refused:
        raise
    except Exception as error:  # TarError, EOFError, ValueError …
        raise Refused("damaged", "The archive is damaged or cut off", hint="Pack it again") from error
    return buffer.getvalue()


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, talk: Talk) -> bytes:
    """Unpack one member into memory; a header that lied about the size ends here."""
    body, total = io.BytesIO(), 0  # grows in place; pieces that are joined in the end are held twice
    try:
        with archive.open(info) as file:
            while part := file.read(_STEP):
                total += len(part)
                body.write(part)
                if total > talk.limits.unpacked:
                    return _beginning(body, talk)
                talk.progress("unpack", min(1.0, total / max(1, info.file_size)))
    except Refused:
        raise
    except Exception as error:  # zlib.error, BadZipFile (CRC), EOFError, NotImplementedError …
        raise Refused("damaged", "The archive is damaged", f"member {info.filename[:80]}", "Pack it again") from error
    return body.getvalue()


def gunzip(data: bytes | memoryview, talk: Talk) -> bytes:
    """Unpack .gz, counting while unpacking."""
    body = io.BytesIO()
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
                    body.write(part)
                    if total > talk.limits.unpacked:
                        return _beginning(body, talk)
                    if worker.eof:
                        break
                talk.progress("unpack", min(1.0, (len(data) - len(rest) + position) / len(data)))
            if not worker.eof:
                raise Refused("cut-off", "The .gz file is cut off", f"after {size(total)} of text", "Copy it again")
            rest = rest[position - len(worker.unused_data) :]
    except zlib.error as error:
        raise Refused("damaged", "The .gz file is damaged", f"after {size(total)} of text", "Pack it again") from error
    return body.getvalue()


def unpack_other(data: bytes | memoryview, talk: Talk, how: str) -> bytes:
    """Unpack .bz2 or .xz, counting while unpacking."""
    import bz2
    import lzma

    worker = bz2.BZ2Decompressor() if how == "bz2" else lzma.LZMADecompressor(memlimit=512_000_000)
    body = io.BytesIO()
    total, block = 0, bytes(data)
    try:
        while not worker.eof:
            part = worker.decompress(block, 1 << 22)
            block = b""
            total += len(part)
            body.write(part)
            if total > talk.limits.unpacked:
                return _beginning(body, talk)
            if not part and worker.needs_input:
                raise Refused("cut-off", f"The .{how} file is cut off", hint="Copy it again")
    except (OSError, lzma.LZMAError, EOFError) as error:
        raise Refused("damaged", f"The .{how} file is damaged", hint="Pack it again") from error
    return body.getvalue()


def _first_bytes(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        with archive.open(info) as file:
            return file.read(_LOOKED_AT)
    except Exception:  # damaged: its beginning is of no use
        return b""


def _offer_beginning(head: bytes, error: Refused, talk: Talk) -> None:
    """Return if the beginning of a text is wanted; else raise the error, with the offer if it is a text."""
    message = error.message
    if not head or _BINARY.search(head) or b"\n" not in head:
        raise error
    offer_part("beginning", message.code, message.text, f"Read the first {size(_half(talk))} of it", message.hint, talk)


def _beginning(buffer: io.BytesIO, talk: Talk) -> bytes:
    """Return the whole lines among the first bytes of a text that is too large, if that is wanted."""
    _offer_beginning(bytes(buffer.getbuffer()[:_LOOKED_AT]), _too_large(talk), talk)
    body = bytes(buffer.getbuffer()[: _half(talk)])
    talk.note("beginning", f"The first {size(_half(talk))} of the unpacked text were read, and no more.", "beginning")
    return body[: body.rfind(b"\n") + 1] or body


def _half(talk: Talk) -> int:
    return talk.limits.unpacked // 2  # the numbers of a text, and its cells on their way, need room as well


def _too_large(talk: Talk) -> Refused:
    return Refused(
        "too-large",
        f"The file unpacks to more than {size(talk.limits.unpacked)}, which is the limit",
        hint="Keep the rows or columns you need",
    )
