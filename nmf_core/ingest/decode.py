"""From bytes to UTF-8 text: byte order marks, UTF-16, Windows-1252, and what is no text at all."""

from __future__ import annotations

import codecs
import re

from nmf_core.ingest import east_asia
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
    "cp1252": "Windows-1252 (Western Europe)",
    "cp1250": "Windows-1250 (Central Europe)",
    "iso8859-2": "ISO 8859-2 (Central Europe)",
    "cp1251": "Windows-1251 (Cyrillic)",
    "koi8-r": "KOI8-R (Cyrillic)",
    "cp1253": "Windows-1253 (Greek)",
    "cp1254": "Windows-1254 (Turkish)",
    "cp1255": "Windows-1255 (Hebrew)",
    "cp1256": "Windows-1256 (Arabic)",
    "cp874": "Windows-874 (Thai)",
    "cp932": "Shift JIS (Japanese)",
    "euc-jp": "EUC-JP (Japanese)",
    "gb18030": "GB 18030 (Chinese)",
    "big5": "Big5 (Chinese)",
    "euc-kr": "EUC-KR (Korean)",
    "mac-roman": "Mac Roman",
}
_CHOICES = (
    "cp1252", "cp1250", "iso8859-2", "cp1251", "koi8-r", "cp1253", "cp1254", "cp1255", "cp1256", "cp874", "cp932", "euc-jp",
    "gb18030", "big5", "euc-kr", "mac-roman",
)  # fmt: skip
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_STEP = 1 << 20
_SIGNS = "€£¥§©®°±²³µ·¹º¼½¾×÷–—‘’“”…\u00a0«»‰†‡•™".encode("cp1252")  # of Western texts, and no letters
_UNDEFINED = b"\x81\x8d\x8f\x90\x9d"  # in Windows-1252
_WORD_BEYOND = re.compile(rb"[\x80-\xff]{3}")  # accents hardly ever come three in a row


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
    sample = bytes(data[:_STEP])
    options = [Option(name, _LABELS.get(name, name) + _shown(sample, name)) for name in _CHOICES]
    default = _guess(sample)
    encoding = talk.ask(
        "encoding", "Which encoding was the text saved in?", options, default, required=default != "cp1252"
    )
    return _recode(data, encoding, talk, guessed=True)


def _guess(sample: bytes) -> str:
    """Guess the encoding of a text that is no UTF-8; Western European unless most of its letters are no Latin ones."""
    high = [byte for byte in sample if byte >= 0x80 and byte not in _SIGNS]
    latin = sum(chr(byte).isalpha() for byte in sample if byte < 0x80)
    if high and (found := east_asia.guess(sample)):
        return found
    if len(high) <= latin or not _WORD_BEYOND.search(sample):
        return "mac-roman" if sum(byte in _UNDEFINED for byte in high) > 1 else "cp1252"
    for encoding, script in (
        ("cp932", r"[\u3040-\u30ff]"),
        ("euc-kr", r"[\uac00-\ud7a3]"),
        ("gb18030", r"[\u4e00-\u9fff]"),
    ):
        text = _decoded(sample, encoding)
        letters = re.findall(r"[^\W\d_a-zA-Z]", text)
        if len(re.findall(script, text)) > (0.1 if encoding == "cp932" else 0.6) * max(1, len(letters)):
            return encoding
    if sum(0xC0 <= byte < 0xE0 for byte in high) > 0.6 * len(high):
        return "koi8-r"  # small letters lie where others keep their capitals
    accents = sum(byte in b"\xdc\xdd\xde\xdf\xfc\xfd\xfe" for byte in high)
    greek = 0xFF not in high and accents > 0.06 * len(high) and _decoded(sample, "cp1253")
    return "cp1253" if greek else "cp1251"


def _decoded(sample: bytes, encoding: str) -> str:
    """Return the sample as text, empty when it does not decode; the cut at its end is forgiven."""
    for end in range(len(sample), max(0, len(sample) - 4), -1):
        try:
            return sample[:end].decode(encoding)
        except UnicodeDecodeError as error:
            if error.start < end - 4:
                return ""
    return ""


def _shown(sample: bytes, encoding: str) -> str:
    """Return how the first words beyond ASCII would read."""
    words = re.findall(r"\w*[^\W\x00-\x7f]\w*", _decoded(sample[:20_000], encoding))
    return f": {' '.join(dict.fromkeys(words[:4]))[:50]}" if words else ": does not fit"


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
