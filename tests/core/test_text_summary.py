"""Sentences and summaries."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from nmf_core import Dataset, Stop
from nmf_core.lenses.text.sentences import sentence_spans
from nmf_core.lenses.text.summary import (
    Summarize,
    SummaryRace,
    about,
    centroid_similarity,
    choose,
    gather,
    lead,
    level_rows,
    summarize,
)
from nmf_core.lenses.text.words import WordRules

RULES = WordRules()


def split(text: str) -> list[str]:
    return [text[a:b] for a, b in sentence_spans(text)]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One here. Two there! Three?", ["One here.", "Two there!", "Three?"]),
        ("The hon. Member for Poole spoke.", ["The hon. Member for Poole spoke."]),
        (
            "Mr. Smith and J. Jones paid 3.5 per cent. of it. Then left.",
            ["Mr. Smith and J. Jones paid 3.5 per cent. of it.", "Then left."],
        ),
        ('He said "No." Then he left.', ['He said "No."', "Then he left."]),
        ("A heading\n\nA text without stop", ["A heading", "A text without stop"]),
        ("Wait... what is it? ok.", ["Wait... what is it? ok."]),
        ("It is I. You know.", ["It is I.", "You know."]),
        ("第一句。第二句！", ["第一句。", "第二句！"]),
        ("", []),
        ("   \n ", []),
    ],
)
def test_sentences(text: str, sentences: list[str]):
    assert split(text) == sentences


@given(st.text(alphabet=st.sampled_from("ab .!?\n\"'A1\t"), max_size=200))
@settings(max_examples=80, deadline=None)
def test_sentences_are_in_order_and_lose_only_blanks(text: str):
    found = sentence_spans(text)
    assert all(a < b for a, b in found)
    assert all(found[i][1] <= found[i + 1][0] for i in range(len(found) - 1))
    assert sum(len("".join(s.split())) for s in split(text)) == len("".join(text.split()))


def test_text_without_a_stop_is_cut_at_a_blank():
    found = split("word " * 1000)
    assert len(found) > 1
    assert max(map(len, found)) <= 2010


def test_centroid_similarity_by_hand():
    X = sp.csr_array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 2.0]])
    assert centroid_similarity(X, [0, 1, 2]) == pytest.approx(1)
    assert centroid_similarity(X, [2]) == pytest.approx(2 / np.sqrt(6))
    assert centroid_similarity(sp.csr_array((2, 3)), [0]) == 0


def test_redundancy_keeps_a_repetition_out():
    X = sp.csr_array([[1.0, 1, 0, 0], [1.0, 1, 0, 0], [0, 0, 1.0, 1.0]])
    score = np.array([1.0, 0.99, 0.5])
    assert choose(X, score, 2, 0.0) == (0, 1)
    assert choose(X, score, 2, 0.5) == (0, 2)
    assert choose(X, score, 9, 0.5) == (0, 2, 1)


def test_empty_sentences_are_never_chosen():
    X = sp.csr_array([[0.0, 0], [1, 0], [0, 1]])
    assert set(choose(X, np.array([1.0, 0.5, 0.4]), 3, 0.0)) == {1, 2}


def test_about_comes_closest_to_the_number_of_words():
    length = np.array([5, 10, 10, 20])
    assert about(np.arange(4), length, 16) == (0, 1)
    assert about(np.arange(4), length, 22) == (0, 1, 2)
    assert about(np.arange(4), length, 1) == (0,)


def test_lead_takes_the_first_of_each_document_in_turn():
    documents = ["One two three four. Five six seven eight.", "Nine ten eleven twelve. Alpha beta gamma delta."]
    pool = gather(documents, [0, 1], WordRules(lists=()))
    assert lead(pool, 8) == (0, 2)
    assert lead(pool, 12) == (0, 2, 1)


def test_short_sentences_do_not_win_by_their_length():
    X = sp.csr_array([[3.0, 0, 0], [3.0, 4.0, 0], [30.0, 0, 40.0]])
    lengths = np.sqrt(np.asarray(level_rows(X).power(2).sum(axis=1)).ravel())
    assert lengths.tolist() == pytest.approx([0.6, 1, 1])


def test_a_summary_stands_in_its_document():
    text = " ".join(
        f"The {a} committee looked at {b} in the {c}."
        for a in ("first", "second")
        for b in ("schools", "roads", "ships")
        for c in ("north", "south")
    )
    pool = gather([text], [0], RULES)
    found = summarize(pool, 3, 0.3)
    assert len(found.chosen) == 3
    for i in found.chosen:
        s = pool.sentences[i]
        assert text[s.start : s.end] == s.text
    assert 0 < found.similarity <= 1
    assert summarize(pool, 99, 0.3).similarity == pytest.approx(1)
    again = summarize(pool, 3, 0.3)
    assert again.chosen == found.chosen
    assert np.array_equal(again.random_similarity, found.random_similarity)


@pytest.mark.parametrize(
    ("text", "message"), [("Short. Yes. No.", "no sentence"), ("the of and the of.", "stop words")]
)
def test_nothing_to_summarise_gets_a_sentence(text: str, message: str):
    with pytest.raises(ValueError, match=message):
        gather([text], [0], RULES)


def test_works_do_what_the_functions_do_and_survive_hopeless_documents():
    texts = [
        "The cat sat here. " * 2 + "Dogs run in parks daily. Birds fly over green hills. Fish swim in deep rivers.",
        "the of. and the.",
    ]
    data = Dataset.of(np.ones((2, 1)), kind="text", extra={"documents": np.array([*texts])})
    work = Summarize(data.id, "x", (0,), RULES, 2, 0.3)
    chunk = work.advance(data, None, 1.0)
    assert chunk.stop is Stop.CONVERGED
    assert work.result(data, chunk.state, chunk.stop).chosen == summarize(gather(texts, [0], RULES), 2, 0.3).chosen
    race = SummaryRace(data.id, "x", RULES, 1, 0.3)
    state, stop = None, Stop.RUNNING
    while stop is Stop.RUNNING:
        chunk = race.advance(data, state, 0.0)
        state, stop = chunk.state, chunk.stop
    result = race.result(data, state, stop)
    assert result.total >= 1
    assert not np.isnan(result.nmf).any()
    assert work.key != Summarize(data.id, "y", (0,), RULES, 2, 0.3).key
