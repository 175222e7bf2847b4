"""Texts: one document per line, per paragraph, per file or per cell of a column, counted word by word."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from nmf_core.ingest.decode import to_utf8
from nmf_core.ingest.dialect import cells, number_share
from nmf_core.ingest.names import tidy_names, title
from nmf_core.ingest.raw import Raw
from nmf_core.ingest.reading import Option, Refused
from nmf_core.ingest.talk import Talk
from nmf_core.types import Array

WORD = re.compile(r"[^\W\d_]{2,}(?:['’][^\W\d_]+)?")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_RUNS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+|[^\W\d_\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]{2,}")
VOCABULARY = 10_000
#: Words that carry grammar rather than topic, in English; other languages are left to `COMMON`.
FUNCTION_WORDS = frozenset(
    [
        "a",
        "an",
        "the",
        "and",
        "or",
        "but",
        "if",
        "then",
        "than",
        "that",
        "this",
        "these",
        "those",
        "of",
        "in",
        "on",
        "at",
        "by",
        "for",
        "from",
        "to",
        "with",
        "without",
        "into",
        "over",
        "under",
        "up",
        "down",
        "out",
        "off",
        "as",
        "is",
        "am",
        "are",
        "was",
        "were",
        "be",
        "been",
        "being",
        "have",
        "has",
        "had",
        "having",
        "do",
        "does",
        "did",
        "doing",
        "will",
        "would",
        "shall",
        "should",
        "can",
        "could",
        "may",
        "might",
        "must",
        "not",
        "no",
        "nor",
        "so",
        "too",
        "very",
        "it",
        "its",
        "he",
        "him",
        "his",
        "she",
        "her",
        "hers",
        "they",
        "them",
        "their",
        "theirs",
        "we",
        "us",
        "our",
        "ours",
        "you",
        "your",
        "yours",
        "me",
        "my",
        "mine",
        "who",
        "whom",
        "which",
        "what",
        "when",
        "where",
        "why",
        "how",
        "all",
        "any",
        "both",
        "each",
        "few",
        "more",
        "most",
        "other",
        "some",
        "such",
        "only",
        "own",
        "same",
        "there",
        "here",
        "about",
        "above",
        "after",
        "again",
        "against",
        "before",
        "below",
        "between",
        "during",
        "further",
        "once",
        "through",
        "until",
        "while",
        "because",
        "just",
        "also",
    ]
)
COMMON = 0.6  # a word in a larger share of the documents tells them apart no more


def words_of(text: str) -> list[str]:
    """Return the words of a text in small letters.

    Chinese and Japanese put no blanks between words: there each two neighbouring characters count as a word.
    """
    words: list[str] = []
    for word in WORD.findall(text):
        if not _UNSPACED.search(word):
            words.append(word.lower().replace("’", "'"))
            continue
        for run in _RUNS.findall(word):
            words += [run[k : k + 2] for k in range(len(run) - 1)] if _UNSPACED.match(run) else [run.lower()]
    return words


def looks_like_prose(lines: Sequence[str]) -> bool:
    """Tell running text from a table: words in long lines, few numbers, no steady separator."""
    filled = [line for line in lines if line.strip()]
    if not filled:
        return False
    words = [len(words_of(line)) for line in filled]
    tokens = sum(len(line.split()) for line in filled) or 1
    numbers = sum(bool(re.fullmatch(r"[-+.,\d]+", token)) for line in filled for token in line.split())
    digits = any(re.search(r"\d", line) for line in filled)
    uneven = not digits and len({len(line.split()) for line in filled}) > 1  # no links, no table: nothing but words
    if sum(words) < (1.5 if uneven else 3) * len(filled) or numbers > 0.2 * tokens:
        return False
    if sum(line.lstrip().startswith('"') for line in filled) > 0.6 * len(filled):
        return False
    for separator in ("\t", ";", "|", ","):
        rows = cells([line.rstrip("\r\n") for line in filled], separator)
        counts = Counter(map(len, rows))
        if not counts:
            continue
        columns, often = counts.most_common(1)[0]
        if columns > 1 and often > 0.9 * len(rows) and (len(rows) > 2 or number_share(rows[1:], ".") >= 0.5):
            return False
    return True


def read_text(body: bytes | memoryview, talk: Talk) -> Raw:
    """Read one text (UTF-8) as many documents: its lines or its paragraphs."""
    text = bytes(body).decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    paragraphs = [" ".join(part.split()) for part in re.split(r"(?:\r?\n[ \t]*){2,}", text) if part.strip()]
    options = [
        Option("lines", f"each line: {len(lines):,} documents", len(lines)),
        Option("paragraphs", f"each paragraph: {len(paragraphs):,} documents", len(paragraphs)),
    ]
    default = "paragraphs" if 3 <= len(paragraphs) < len(lines) else "lines"
    answer = talk.ask("documents", "What is one document?", options, default, required=False)
    parts = lines if answer == "lines" else paragraphs
    talk.note(
        "documents",
        f"Running text, read as {len(parts):,} document{'s' * (len(parts) != 1)}, one per {answer[:-1]}.",
        "documents",
    )
    if len(parts) < 2:
        raise Refused(
            "one-document",
            "There is one document; at least two are needed",
            hint="Put one document on each line, or pack several text files as .zip",
        )
    return from_documents(parts, [f"{answer[:-1]} {i + 1}" for i in range(len(parts))], talk)


def read_texts(files: Sequence[tuple[str, bytes]], talk: Talk) -> Raw:
    """Read many text files, one document each; folders become labels."""
    texts = [bytes(to_utf8(data, talk)).decode("utf-8", "replace").strip() for _, data in files]
    names = [name for (name, _), text in zip(files, texts, strict=True) if text]
    empty = len(files) - len(names)
    if empty:
        talk.note("documents-empty", f"{empty} empty text file{'s' * (empty > 1)} left out.")
    texts = [text for text in texts if text]
    if len(texts) < 2:
        raise Refused(
            "one-document",
            f"There {'is 1 document' if texts else 'are no documents'}; at least two are needed",
            hint="Choose more text files",
        )
    folders = [name.rsplit("/", 2)[-2] if "/" in name else "" for name in names]
    raw = from_documents(texts, [title(name) for name in names], talk)
    if 1 < len(set(folders)) < len(folders):
        talk.note("labels", f"The folders became labels: {len(set(folders))} of them.")
        return raw.with_(labels={"folder": np.array(folders)})
    return raw


def from_documents(texts: Sequence[str], names: Sequence[str], talk: Talk) -> Raw:
    """Count words; the texts stay in ``extra["documents"]``, so that a lens can count them in other ways."""
    import scipy.sparse as sp

    n = len(texts)
    counts = [Counter(words_of(text)) for text in texts]
    frequency: Counter[str] = Counter()
    for count in counts:
        frequency.update(count.keys())
    if not frequency:
        raise Refused("no-words", "The text holds no words", hint="Choose a file with running text")
    least = 2 if n >= 10 and sum(f >= 2 for f in frequency.values()) >= 20 else 1
    most = COMMON * n if n >= 5 else n
    kept = [w for w, f in frequency.items() if least <= f <= most and w not in FUNCTION_WORDS]
    if len(kept) < 2:
        raise Refused(
            "no-words",
            f"Only {len(kept)} word{'s' * (len(kept) != 1)} of {len(frequency):,} tell{'s' * (len(kept) == 1)} the documents apart; the others are in most of them or carry no meaning",
            hint="Choose longer or more different documents",
        )
    if len(kept) > VOCABULARY:
        kept = sorted(kept, key=lambda w: (-frequency[w], w))[:VOCABULARY]
    kept.sort()
    place = {word: j for j, word in enumerate(kept)}
    indices: list[int] = []
    values: list[int] = []
    ends = [0]
    for count in counts:
        found = sorted((place[w], c) for w, c in count.items() if w in place)
        indices.extend(j for j, _ in found)
        values.extend(c for _, c in found)
        ends.append(len(indices))
    X = sp.csr_array(
        (np.array(values, dtype=float), np.array(indices, dtype=np.int32), np.array(ends, dtype=np.int32)),
        shape=(n, len(kept)),
    )
    rule = f"in at least {least} and at most {100 * COMMON:.0f} % of the documents" if n >= 5 else "in any document"
    talk.note(
        "words",
        f"{n:,} documents × {len(kept):,} words: counts of words of two letters or more, {rule}, without English function words.",
    )
    if any(map(_UNSPACED.search, kept)):
        talk.note("characters", "Where a language puts no blanks, every two neighbouring characters count as a word.")
    rows = np.array(tidy_names(list(names), talk, "row", "document "))
    return Raw(
        X,
        rows,
        np.array(tidy_names(kept, talk, "column", "w")),
        kind="text",
        extra={"documents": document_array(texts)},
    )


def document_array(texts: Sequence[str]) -> Array:
    """Return texts as a fixed-width array, or as objects when one long text would make it huge."""
    longest = max(map(len, texts), default=0)
    if longest * len(texts) * 4 <= max(64_000_000, 16 * sum(map(len, texts))):
        return np.array(list(texts), dtype=np.str_)
    result = np.empty(len(texts), dtype=object)
    result[:] = list(texts)
    return result
