"""What stands above a table: titles, what an instrument tells about itself, sizes, the corners of a map."""

from __future__ import annotations

import re
from collections import Counter

from nmf_core.ingest.dialect import cells, is_comment

LINE_CUT = 20_000  # characters of a line that are looked at
_PLAIN_NUMBER = re.compile(r"\s*[-+]?[\d.,]+([eE][-+]?\d+)?\s*$")
_GRID = re.compile(r"\s*(ncols|nrows|xll\w+|yll\w+|cellsize|dx|dy|nodata_value)\s+[-+.\deE]+\s*$", re.I)


def skip_titles(lines: list[str], skip: int, separator: str) -> tuple[int, int]:
    """Skip title lines: up to 20 single cells above a table of at least two columns."""
    counts = [_filled(line, separator) for line in lines[skip:]]
    filled = [c for c in counts if c]
    if len(filled) < 3:
        return skip, 0
    modal = Counter(filled).most_common(1)[0][0]
    if modal < 2:
        return skip, 0
    k = 0
    while k < min(20, len(counts)) and counts[k] <= 1:
        k += 1
    if not (0 < k < len(counts) and counts[k] >= modal - 1):
        k = _about(lines[skip:], counts, modal, separator)
    return (skip + k, k) if k else (skip, 0)


def _about(lines: list[str], counts: list[int], modal: int, separator: str) -> int:
    """Count the lines that tell about a table, as instruments write them above it: narrower than it is, and apart from it
    by a blank line or by a line of names.
    """
    k = next((k for k, count in enumerate(counts[:40]) if count >= modal - 1), 0)
    below = [count for count in counts[k + 1 :] if count]
    if not k or modal < 3 or len(below) < 2 or sum(count >= modal - 1 for count in below) < 0.8 * len(below):
        return 0
    names = [cell for row in cells([lines[k].rstrip("\r\n")], separator) for cell in row if cell.strip()]
    words = sum(_PLAIN_NUMBER.match(cell) is None for cell in names)
    return k if not counts[k - 1] or words > 0.5 * len(names) else 0


def _filled(line: str, separator: str) -> int:
    """Count the cells of a line; 1 for a title, also when a spreadsheet wrote separators after it."""
    row = cells([line[:LINE_CUT].rstrip("\r\n")], separator)
    if not row:
        return 0
    return len(row[0]) if sum(bool(cell.strip()) for cell in row[0]) > 1 else 1


def lines_used(lines: list[str], skip: int, tall: int) -> int:
    """Count the lines of names over several rows, blank ones and comments between them included."""
    used = 0
    for _ in range(tall):
        while skip + used < len(lines) and (not lines[skip + used].strip() or is_comment(lines[skip + used])):
            used += 1
        used += skip + used < len(lines)
    return used


def sizes_line(lines: list[str], skip: int) -> int:
    """Return 1 when the line after ``#1.2`` holds the sizes of a table, as GCT files do."""
    marked = skip > 0 and re.fullmatch(r"#1\.[23]", lines[skip - 1].strip()) is not None
    return int(marked and re.fullmatch(r"\d+(\t\d+){1,3}", lines[skip].strip()) is not None)


def grid_lines(lines: list[str], skip: int) -> int:
    """Count the lines of sizes and corners above a grid of heights, as geographic systems write them (ESRI ASCII)."""
    k = 0
    while skip + k < len(lines) - 1 and _GRID.match(lines[skip + k]):
        k += 1
    return k if k >= 4 else 0


def is_bag(lines: list[str], skip: int) -> bool:
    """Tell a bag of words: numbers of documents, words and entries on lines of their own, then document, word, count."""
    head = [line.split() for line in lines[skip : skip + 6]]
    if len(head) < 5 or not all(word.isdigit() for words in head for word in words):
        return False
    if [len(words) for words in head[:4]] != [1, 1, 1, 3]:
        return False
    documents, words = int(head[0][0]), int(head[1][0])
    return all(1 <= int(row[0]) <= documents and 1 <= int(row[1]) <= words for row in head[3:] if len(row) == 3)
