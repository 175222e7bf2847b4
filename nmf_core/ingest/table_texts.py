"""A column of running text among the columns of a table: its cells are the documents."""

from __future__ import annotations

from nmf_core.ingest.columns import Column
from nmf_core.ingest.documents import words_of
from nmf_core.ingest.reading import Option
from nmf_core.ingest.talk import Talk

PROSE_LENGTH, PROSE_WORDS = 30, 5


def prose_column(columns: list[Column], talk: Talk) -> Column | None:
    """Return the column of running text to be read as documents, if there is one and it is wanted."""
    prose = [c for c in columns if c.kind == "text" and is_prose(c)]
    if not prose:
        return None
    numbers = sum(c.kind in ("number", "bool") for c in columns)
    longest = max(prose, key=lambda c: sum(map(len, (c.texts or [])[:200])))
    options = [Option(c.name, f"the texts in {c.name}", len(c.texts or [])) for c in prose]
    if numbers:
        options.append(Option("", f"the {numbers} column{'s' * (numbers > 1)} of numbers", numbers))
    answer = talk.ask("text_column", "What should be factorized?", options, longest.name, required=numbers > 1)
    column = next((c for c in prose if c.name == answer), None)
    if column is not None:
        talk.note("text-column", f"The texts in {column.name} were read as documents.", "text_column")
    return column


def said_column(columns: list[Column], talk: Talk) -> Column | None:
    """Return a column of short texts to be read as documents, of a table without numbers; asked, never assumed."""
    texts = [c for c in columns if c.texts and sum(len(words_of(t)) for t in c.texts) >= 1.5 * len(c.texts)]
    texts = [c for c in texts if len(set(c.texts or [])) > 0.5 * len(c.texts or [])]
    if not texts:
        return None
    options = [Option(c.name, f"the texts in {c.name}, word by word", len(c.texts or [])) for c in texts[:20]]
    options.append(Option("", "nothing: it is not what I meant to open", 0))
    longest = max(texts, key=lambda c: sum(map(len, (c.texts or [])[:200])))
    answer = talk.ask("text_column", "No column holds numbers. What should be factorized?", options, longest.name)
    return next((c for c in texts if c.name == answer), None)


def is_prose(column: Column) -> bool:
    texts = [t for t in (column.texts or [])[:200] if t.strip()]
    if not texts:
        return False
    return sum(map(len, texts)) > PROSE_LENGTH * len(texts) and sum(t.count(" ") for t in texts) >= (
        PROSE_WORDS - 1
    ) * len(texts)
