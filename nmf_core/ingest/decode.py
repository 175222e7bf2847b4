"""From bytes to UTF-8 text: byte order marks, UTF-16, Windows-1252, and what is no text at all."""

from __future__ import annotations

import codecs
import re

from nmf_core.ingest.reading import Option, Refused
from nmf_core.ingest.talk import Talk

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LABELS = {
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32-le": "UTF-32",
    "utf-32-be": "UTF-32",
    "cp1252": "Windows-1252",
}
_CHOICES = ("cp1252", "iso8859-2", "cp1251", "cp1253", "cp932", "gb18030", "euc-kr", "mac-roman")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_STEP = 1 << 20


def to_utf8(data: bytes | memoryview, talk: Talk) -> bytes | memoryview:
    """Return the text as UTF-8 without a byte order mark; notes every guess.

    Raises
    ------
    Refused
        When the bytes are no text.
    """
    head = bytes(data[:_STEP])
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            body = data[len(bom) :]
            if encoding == "utf-8":
                return _checked(body, talk)
            return _recode(body, encoding, talk, guessed=False)
    encoding = _utf16_without_mark(head)
    if encoding:
        return _recode(data, encoding, talk, guessed=True)
    return _checked(data, talk)


def _checked(data: bytes | memoryview, talk: Talk) -> bytes | memoryview:
    """Refuse binary data, keep valid UTF-8 as it is, recode the rest."""
    valid = _is_utf8(data)
    position, line, count = None, 1, 0
    for start in range(0, len(data), _STEP):
        chunk = bytes(data[start : start + _STEP])
        hits = [m.start() for m in _CONTROL.finditer(chunk)] if _CONTROL.search(chunk) else []
        if hits and position is None:
            position, line = start + hits[0], line + chunk.count(b"\n", 0, hits[0])
        elif position is None:
            line += chunk.count(b"\n")
        count += len(hits)
    nul = b"\0" in bytes(data[:_STEP]) or (position is not None and data[position] == 0)
    if position is not None and (nul or count > 0.002 * len(data) or not valid):
        share = count / max(1, len(data))
        if share > 0.02 or not valid:
            raise Refused(
                "not-text",
                f"This is not a text table: it holds binary data at byte {position}",
                "",
                "Export the data as CSV, Excel, Parquet or NPZ and try again",
            )
        raise Refused(
            "binary-in-text",
            f"The text holds binary data at byte {position}",
            f"line {line}",
            "The file is damaged or not a text table; save it again as CSV in UTF-8",
        )
    if valid:
        return data
    options = [Option(name, _LABELS.get(name, name)) for name in _CHOICES]
    encoding = talk.ask("encoding", "Which encoding was the text saved in?", options, "cp1252", required=False)
    return _recode(data, encoding, talk, guessed=True)


def _recode(data: bytes | memoryview, encoding: str, talk: Talk, guessed: bool) -> bytes:
    raw = bytes(data)
    try:
        text = raw.decode(encoding, errors="strict")
    except UnicodeDecodeError as error:
        if encoding != "cp1252":
            raise Refused(
                "not-text",
                f"The text does not decode as {_LABELS.get(encoding, encoding)}",
                f"byte {error.start}",
                "The file is cut off or damaged; save it again as UTF-8",
            ) from None
        text = raw.decode("latin-1")
    if "\0" in text:
        raise Refused(
            "binary-in-text",
            f"The text holds binary data at byte {text.index(chr(0))}",
            f"line {text.count(chr(10), 0, text.index(chr(0))) + 1}",
            "The file is damaged or not a text table",
        )
    label = _LABELS.get(encoding, encoding)
    examples = sorted(
        {m.group() for m in re.finditer(r"\w*[^\x00-\x7f]\w*", text[:_STEP])}, key=lambda word: (len(word), word)
    )[:3]
    shown = f", for example {', '.join(examples)}" if examples and guessed else ""
    talk.note(
        "encoding", f"The text was decoded as {label}{shown}.", "encoding" if guessed and encoding in _CHOICES else ""
    )
    return text.encode("utf-8", errors="replace")


def _is_utf8(data: bytes | memoryview) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), _STEP):
            decoder.decode(bytes(data[start : start + _STEP]))
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _utf16_without_mark(head: bytes) -> str:
    """Tell UTF-16 without a mark by where its zero bytes lie: at every second place, and nowhere else."""
    sample = head[:4096]
    if len(sample) < 8 or b"\0" not in sample:
        return ""
    even, odd = sample[0::2].count(0) / len(sample[0::2]), sample[1::2].count(0) / len(sample[1::2])
    if odd > 0.6 and even < 0.02:
        return "utf-16-le"
    if even > 0.6 and odd < 0.02:
        return "utf-16-be"
    return ""
