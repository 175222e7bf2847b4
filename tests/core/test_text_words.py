"""Words and the matrix of documents × words: the same numbers as scikit-learn's, however the work is cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from nmf_core import Dataset, Stop, load_dataset
from nmf_core.lenses.text.stopwords import TITLES, parse_words, stop_list, suggest_lists
from nmf_core.lenses.text.vectorize import TextMatrix, Vectorize, corpus_digest
from nmf_core.lenses.text.words import WordRules, spans, terms

LETTERS = r"(?u)\b[^\W\d_]{3,}\b"


def corpus(*texts: str) -> Dataset:
    """Return a data set that holds documents; its X does not matter."""
    return Dataset.of(np.ones((len(texts), 1)), kind="text", extra={"documents": np.array(texts, dtype=np.str_)})


def matrix(dataset: Dataset, rules: WordRules, budget: float = 60.0) -> TextMatrix:
    """Run the work to its end."""
    work = Vectorize(dataset.id, "", rules)
    state, stop = None, Stop.RUNNING
    while stop is Stop.RUNNING:
        chunk = work.advance(dataset, state, budget)
        state, stop = chunk.state, chunk.stop
    found = work.result(dataset, state, stop)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def commons() -> Dataset:
    """The first 200 speeches."""
    whole = load_dataset("text_commons")
    return corpus(*whole.extra["documents"][:200])


@pytest.mark.parametrize("ngrams", [1, 2])
@pytest.mark.parametrize("sublinear", [False, True])
def test_tfidf_is_scikit_learns(commons: Dataset, ngrams: int, sublinear: bool):
    rules = WordRules(ngrams=ngrams, sublinear=sublinear, min_df=2, max_df=0.4)
    ours = matrix(commons, rules)
    theirs = TfidfVectorizer(
        stop_words=sorted(stop_list("english")),
        token_pattern=LETTERS,
        ngram_range=(1, ngrams),
        min_df=2,
        max_df=0.4,
        sublinear_tf=sublinear,
    )
    X = theirs.fit_transform(commons.extra["documents"])
    assert ours.dataset.cols.tolist() == theirs.get_feature_names_out().tolist()
    assert abs(ours.dataset.X - X).max() < 1e-12
    assert np.allclose(ours.idf, theirs.idf_)


def test_counts_are_scikit_learns_and_new_text_is_counted_alike(commons: Dataset):
    ours = matrix(commons, WordRules(weighting="counts", lists=(), min_df=1, max_df=1.0, min_letters=2))
    theirs = CountVectorizer(token_pattern=r"(?u)\b[^\W\d_]{2,}\b")
    X = theirs.fit_transform(commons.extra["documents"])
    assert ours.dataset.cols.tolist() == theirs.get_feature_names_out().tolist()
    assert abs(ours.dataset.X - X).max() == 0
    text = str(commons.extra["documents"][7]) + " zyxwvut"
    assert abs(ours.vector(text) - theirs.transform([text])).max() == 0


def test_new_text_gets_the_weights_of_the_corpus(commons: Dataset):
    ours = matrix(commons, WordRules(ngrams=2, min_df=2))
    for d in (0, 57, 199):
        assert abs(ours.vector(str(commons.extra["documents"][d])) - ours.dataset.X[[d]]).max() < 1e-12


def test_the_cut_changes_nothing(commons: Dataset, monkeypatch: pytest.MonkeyPatch):
    whole = matrix(commons, WordRules())
    monkeypatch.setattr("nmf_core.lenses.text.vectorize.BATCH", 33)
    pieces = matrix(commons, WordRules(), budget=0.0)
    assert pieces.dataset.id == whole.dataset.id
    assert pieces.dropped == whole.dropped


def test_what_is_dropped_and_what_is_kept_make_up_the_whole_text(commons: Dataset):
    ours = matrix(commons, WordRules(min_df=4, max_df=0.3, max_words=300))
    every = sum(1 for text in commons.extra["documents"] for _ in spans(str(text), WordRules()))
    assert ours.counts.sum() + sum(d.tokens for d in ours.dropped) == every
    rules = [d.rule for d in ours.dropped]
    assert rules[0] == "stop words"
    assert "in fewer than 4 documents" in rules
    assert "beyond the 300 most frequent words" in rules
    assert ours.dropped[0].examples[0][0] == "the"
    assert ours.dataset.shape[1] == 300


def test_own_stop_words_and_case():
    texts = corpus("Police police POLICE station hall", "the police station", "town hall station", "town hall")
    ours = matrix(texts, WordRules(own=("hall",), min_df=1, max_df=1.0))
    assert ours.dataset.cols.tolist() == ["police", "station", "town"]
    assert ours.counts.toarray()[0].tolist() == [3, 1, 0]
    kept = matrix(texts, WordRules(lowercase=False, own=("Hall", "hall"), min_df=1, max_df=1.0))
    assert {"Police", "POLICE", "police"} <= set(kept.dataset.cols.tolist())


def test_accents_hyphens_digits_and_encoded_data():
    text = "Café well-being 2024 covid19 don't " + "x" * 200
    word = {
        rules: [w for _, _, w, fate in spans(text, rules) if fate == "word"]
        for rules in (
            WordRules(lists=()),
            WordRules(lists=(), strip_accents=True),
            WordRules(lists=(), tokens="hyphens"),
            WordRules(lists=(), tokens="digits"),
        )
    }
    plain, accents, hyphens, digits = word.values()
    assert plain == ["café", "well", "being", "don"]
    assert accents[0] == "cafe"
    assert hyphens == ["café", "well-being", "don't"]
    assert digits == ["café", "well", "being", "2024", "covid19", "don"]
    assert [fate for *_, fate in spans(text, WordRules())][-1] == "long"


@given(st.text(max_size=300))
@settings(max_examples=60, deadline=None)
def test_spans_point_into_the_text(text: str):
    end = 0
    for start, stop, _, _ in spans(text, WordRules(lists=(), strip_accents=True)):
        assert end <= start < stop <= len(text)
        assert text[start:stop].strip() == text[start:stop]
        end = stop


def test_terms_are_runs_of_neighbours():
    assert terms(["a", "b", "c"], 1) == ["a", "b", "c"]
    assert terms(["a", "b", "c"], 3) == ["a", "b", "c", "a b", "b c", "a b c"]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (("the of and", "and the"), "stop words"),
        (("", " "), "the documents hold none"),
        (("alpha beta gamma delta",), "at least 2 are needed"),
        (("alpha", "beta"), "fewer than 2 documents"),
    ],
)
def test_too_little_text_gets_a_sentence(texts: tuple[str, ...], message: str):
    with pytest.raises(ValueError, match=message):
        matrix(corpus(*texts), WordRules(min_df=2, max_df=1.0))


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_letters": 0},
        {"ngrams": 4},
        {"min_df": 0},
        {"max_df": 0.0},
        {"max_df": 1.5},
        {"max_words": 10**9},
        {"tokens": "all"},
        {"weighting": "x"},
        {"lists": ("klingon",)},
    ],
)
def test_rules_are_checked(wrong: dict):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        WordRules(**wrong)


def test_documents_without_words_are_rows_of_zeros_and_named():
    ours = matrix(corpus("alpha beta", "the", "alpha gamma beta", "gamma"), WordRules(min_df=1, max_df=1.0))
    assert ours.empty == (1,)
    assert ours.dataset.X[[1]].nnz == 0


def test_word_counts_without_text_pass_the_same_rules():
    X = np.array([[2, 1, 0, 3, 5, 1], [0, 1, 4, 1, 0, 1], [1, 0, 1, 2, 0, 7]])
    counts = Dataset.of(X, kind="text", cols=["Bank", "bank", "river", "the", "1992", "money"])
    ours = matrix(counts, WordRules(min_df=1, max_df=1.0, weighting="counts"))
    assert ours.documents is None
    assert ours.dataset.cols.tolist() == ["bank", "money", "river"]
    assert ours.counts.toarray().tolist() == [[3, 1, 0], [1, 1, 4], [1, 7, 1]]
    assert {d.rule: d.tokens for d in ours.dropped} == {"stop words": 6, "numbers and words with digits": 5}


def test_reuters_has_counts_and_titles():
    ours = matrix(load_dataset("text_reuters395"), WordRules())
    assert ours.dataset.shape[0] == 395
    assert ours.counts.sum() == np.round(ours.counts.sum())
    assert {"church", "years"} & set(dict(ours.dropped[-1].examples))


def test_no_topic_of_the_speeches_is_made_of_forms_of_do():
    assert {"do", "does", "did", "doing", "done", "doesn"} <= stop_list("english")


def test_lists_are_found_by_their_tell_tale_words():
    assert suggest_lists(load_dataset("text_commons").extra["documents"]) == ("english", "parliament")
    german = [
        "Der Hund und die Katze, das ist ein Bild.",
        "Und der Mann ist hier.",
        "Das Haus ist alt und der Hof auch.",
    ]
    assert suggest_lists(german) == ("german",)
    assert suggest_lists([]) == ()
    for name in TITLES:
        words = stop_list(name)
        assert all(word == word.lower() for word in words)
        assert len(words) > 20


def test_own_list_is_read_from_any_separator():
    assert parse_words(" Today, thing;said\nthing  ") == ("said", "thing", "today")


def test_equal_counts_with_other_text_are_another_corpus():
    a, b = corpus("dog bites man", "man bites dog"), corpus("man bites dog", "dog bites man")
    assert a.id == b.id
    assert corpus_digest(a.extra["documents"]) != corpus_digest(b.extra["documents"])
    works = [Vectorize(d.id, corpus_digest(d.extra["documents"]), WordRules()) for d in (a, b)]
    assert works[0].key != works[1].key
