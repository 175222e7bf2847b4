"""Names from files: trimmed, made unique, cut to a length that a page and the memory can bear."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np

from nmf_core.ingest.talk import Talk
from nmf_core.types import Array

_FORMULA = tuple("=+-@|")
BUDGET = 64_000_000  # bytes that a fixed-width array of names may take (4 bytes a character)


def tidy_names(names: Sequence[str], talk: Talk, what: str, prefix: str) -> list[str]:
    """Return as many names, none empty, none twice, and note what was changed.

    Parameters
    ----------
    names : sequence of str
    talk : Talk
    what : str
        "column" or "row", for the notes.
    prefix : str
        Letter for names that have to be made up: ``c1``, ``r1`` …
    """
    width = max(12, min(talk.limits.name_length, BUDGET // (4 * max(1, len(names)))))
    trimmed = cut = freed = broken = 0
    result: list[str] = []
    quoted = len(names) > 1 and all(len(name) > 2 and name[0] == name[-1] == "'" for name in names)
    for i, name in enumerate(names):
        short = name.strip()
        if quoted:  # 'a','b': the quotation marks of databases
            short = name = short[1:-1]
        if len(short.splitlines()) > 1:
            short = name = " ".join(part.strip() for part in short.splitlines() if part.strip())
            broken += 1
        if short[:2] == '="' and short[-1:] == '"' and len(short) > 3:  # how spreadsheets keep 001 from becoming 1
            short = name = short[2:-1]
        trimmed += short != name
        if short[:1] == "'" and short[1:].lstrip()[:1] in _FORMULA:
            short, freed = short[1:], freed + 1
        if len(short) > width:
            short, cut = short[: width - 1] + "…", cut + 1
        result.append(short or f"{prefix}{i + 1}")
    told = what == "column" and any(note.code == "names-trimmed" for note in talk.notes)
    if trimmed and not told:
        talk.note("names-trimmed", f"Blanks around {_count(trimmed, what)} were removed.")
    if broken:
        talk.note("names-joined", f"Line ends within {_count(broken, what)} became blanks.")
    if cut:
        talk.note("names-cut", f"{_count(cut, what)} cut to {width} characters.")
    if freed:
        talk.note(
            "names-freed",
            f"Apostrophes that keep spreadsheets from taking {_count(freed, what)} for formulas were removed.",
        )
    seen: dict[str, int] = {}
    taken = set(result)
    renamed: list[tuple[str, str]] = []
    for i, name in enumerate(result):
        if name in seen:
            k = seen[name]
            while True:
                k += 1
                new = f"{name} ({k})"
                if new not in taken:
                    break
            seen[name] = k
            taken.add(new)
            renamed.append((name, new))
            result[i] = new
        else:
            seen[name] = 1
    if renamed:
        shown = ", ".join(f"{old} → {new}" for old, new in renamed[:3])
        more = " …" if len(renamed) > 3 else ""
        talk.note("names-duplicate", f"{_count(len(renamed), what)} occurred twice and got a number: {shown}{more}")
    return result


def numbered(prefix: str, n: int) -> Array:
    """Return ``prefix1`` … ``prefixn``, made piece by piece: a million names as a list would take 60 MB."""
    names = np.empty(n, dtype=f"U{len(prefix) + len(str(n))}")
    for start in range(0, n, 50_000):
        stop = min(n, start + 50_000)
        names[start:stop] = [f"{prefix}{i}" for i in range(start + 1, stop + 1)]
    return names


def file_name(name: str) -> str:
    """Return the last part of a path that a browser sent: no folders, no control characters, at most 120 characters."""
    base = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    kept = "".join(c for c in base if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co")).strip()
    return kept[-120:] or "file"


def title(file_name: str) -> str:
    """Make a title from a file's name: no folders, no ending, no control characters, at most 80 characters."""
    base = file_name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    base = "".join(c for c in base if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))
    stem = base
    for ending in (".gz", ".bz2", ".xz", ".csv", ".tsv", ".txt", ".npz", ".npy", ".mtx", ".zip", ".xlsx", ".parquet"):
        if stem.lower().endswith(ending) and len(stem) > len(ending):
            stem = stem[: -len(ending)]
    if stem == base and "." in base[1:]:
        stem = base.rsplit(".", 1)[0]
    return stem.strip()[:80] if stem.strip(". ") else "data"


def _count(n: int, what: str) -> str:
    return f"1 {what} name" if n == 1 else f"{n:,} {what} names"
