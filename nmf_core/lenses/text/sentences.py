"""Where sentences begin and end in running text."""

from __future__ import annotations

import re

# Before these a full stop ends an abbreviation, not a sentence (when more follows on the line).
_ABBREVIATED = """
mr mrs ms dr prof hon rt st sir col gen capt sgt lt no nos vol art para fig eq cf etc eg ie viz al approx
dept est inc ltd co corp vs jan feb mar apr jun jul aug sep sept oct nov dec z.b bzw usw ca nr str u.s u.k
e.g i.e a.m p.m m.p
"""
_ABBREVIATIONS = frozenset(_ABBREVIATED.split())
_END = re.compile(r"[.!?…。！？]+[\"'”’)\]»]*")
_BREAK = re.compile(r"\n\s*\n|\r\n\s*\r\n")
_WORD_BEFORE = re.compile(r"[\w.]+$")


def sentence_spans(text: str, longest: int = 2_000) -> list[tuple[int, int]]:
    """Return (start, end) of each sentence, without the white space between them.

    A sentence ends at ``. ! ? …`` before white space and something that can begin one (no lower-case letter), at an
    empty line, and at the end. Initials ("J. Smith"), numbers ("3.5") and common abbreviations do not end it.

    Parameters
    ----------
    text : str
    longest : int
        Characters after which a text without any full stop is cut at the next blank.
    """
    cuts = set()
    for match in _END.finditer(text):
        end = match.end()
        if end >= len(text):
            continue
        if match.group()[0] in "。！？":
            cuts.add(end)
            continue
        if not text[end].isspace():
            continue
        following = text[end:].lstrip()[:1]
        if following.islower():
            continue
        if match.group() == ".":
            word = _WORD_BEFORE.search(text, max(0, match.start() - 30), match.start())
            before = word.group() if word else ""
            if before.lower() in _ABBREVIATIONS or (
                len(before) == 1 and before.isalpha() and before.isupper() and before != "I"
            ):
                continue
        cuts.add(end)
    cuts.update(match.start() for match in _BREAK.finditer(text))
    spans, start = [], 0
    for cut in [*sorted(cuts), len(text)]:
        piece = (start, cut)
        start = cut
        spans.extend(_cut_long(text, *_trimmed(text, *piece), longest))
    return [span for span in spans if span[1] > span[0]]


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _cut_long(text: str, start: int, end: int, longest: int) -> list[tuple[int, int]]:
    pieces = []
    while end - start > longest:
        blank = text.find(" ", start + longest, end)
        if blank < 0:
            break
        pieces.append((start, blank))
        start = blank + 1
    return [*pieces, (start, end)]
