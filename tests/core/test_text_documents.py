"""Documents: mixtures, typical ones, search, neighbours, words in their running text, groups against labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nmf_core import Dataset, FitRequest, fit
from nmf_core.lenses.text.clusters import agreement, by_dominant, by_kmeans, by_words, cross_table
from nmf_core.lenses.text.completion import area, complete
from nmf_core.lenses.text.documents import dominant, mixed, mixture, nearest, search, typical
from nmf_core.lenses.text.running_text import colour_words, kept_words, posterior
from nmf_core.lenses.text.topics import Topics
from nmf_core.lenses.text.vectorize import TextMatrix, Vectorize
from nmf_core.lenses.text.words import WordRules

TEXTS = (
    "Goals and goals: the striker scored, the keeper wept.",
    "The striker missed; the keeper saved. Goals came late.",
    "Cabinet and minister: the budget, the vote, the tax.",
    "A minister lost the vote. The cabinet kept the budget and the tax.",
    "The minister watched the striker: goals, vote, budget, keeper.",
    "Of the and!",
)
RULES = WordRules(min_df=2, max_df=1.0)


@pytest.fixture(scope="module")
def small() -> tuple[TextMatrix, Topics]:
    """Football, politics, one of both, and one document without words; two topics."""
    raw = Dataset.of(
        np.ones((len(TEXTS), 1)),
        kind="text",
        rows=["derby", "final", "budget day", "crisis", "box", "nothing"],
        labels={"page": np.array(["sport", "sport", "news", "news", "", "news"])},
        extra={"documents": np.array(TEXTS)},
    )
    work = Vectorize(raw.id, "", RULES)
    chunk = work.advance(raw, None, 60)
    matrix = work.result(raw, chunk.state, chunk.stop)
    assert matrix is not None
    result = fit(matrix.dataset, FitRequest(rank=2, tol=1e-8, max_iter=2000))
    return matrix, Topics.of(result.W, result.H, matrix.dataset.X, matrix.dataset.cols)


def football(topics: Topics) -> int:
    return int(topics.words[:, topics.vocabulary.tolist().index("striker")].argmax())


def test_mixture_runs_from_one_topic_to_all_alike():
    assert mixture(np.array([[1, 0, 0], [1 / 3, 1 / 3, 1 / 3], [0, 0, 0]])).tolist() == pytest.approx([0, 1, 0])
    assert mixture(np.ones((2, 1))).tolist() == [0, 0]


def test_dominant_topic_of_a_document_without_words_is_none(small: tuple[TextMatrix, Topics]):
    _, topics = small
    lead = dominant(topics.shares)
    assert lead[0] == lead[1] == football(topics)
    assert lead[2] == lead[3] == 1 - football(topics)
    assert lead[5] == -1


def test_typical_and_mixed_documents(small: tuple[TextMatrix, Topics]):
    _, topics = small
    best = typical(topics, football(topics), 3)
    assert set(best[:2].tolist()) == {0, 1}
    assert best[2] == 4
    led_by = int(dominant(topics.shares)[4])
    assert mixed(topics, led_by, 1).tolist() == [4]


def test_search_finds_words_names_and_labels(small: tuple[TextMatrix, Topics]):
    matrix, _ = small
    assert search(matrix, "STRIKER keeper").documents[:2] != ()
    assert set(search(matrix, "striker keeper").documents) == {0, 1, 4}
    assert search(matrix, "budget day").documents == (2,)
    assert set(search(matrix, "sport").documents) == {0, 1}
    near = search(matrix, "minister unheardof")
    assert not near.literal
    assert set(near.documents) == {2, 3, 4}
    assert search(matrix, "zzz").documents == ()
    assert search(matrix, "  ").documents == ()
    assert search(matrix, "striker", n=1).total == 3


def test_a_document_is_its_own_nearest_neighbour(small: tuple[TextMatrix, Topics]):
    matrix, topics = small
    X = matrix.dataset.X
    for by in ("words", "topics"):
        found, score = nearest(X, topics, X[[2]], topics.shares[2], 3, by=by)
        assert score[0] == pytest.approx(1)
        assert 5 not in found
        assert 2 not in nearest(X, topics, X[[2]], topics.shares[2], 3, by=by, skip=2)[0]
    with pytest.raises(ValueError, match="by"):
        nearest(X, topics, X[[2]], topics.shares[2], by="magic")


def test_words_get_the_topic_they_came_from(small: tuple[TextMatrix, Topics]):
    _, topics = small
    ball = football(topics)
    pieces = colour_words(TEXTS[4], topics, topics.shares[4], RULES)
    assert "".join(piece.text for piece in pieces) == TEXTS[4]
    coloured = {piece.text: piece.topic for piece in pieces if piece.topic >= 0}
    assert coloured["striker"] == coloured["keeper"] == ball
    assert coloured["minister"] == coloured["vote"] == 1 - ball
    assert "watched" not in coloured
    columns = np.arange(len(topics.vocabulary))
    likely = posterior(topics, topics.shares[4], columns)
    assert np.allclose(likely.sum(axis=1), 1)


@given(st.text(alphabet=st.sampled_from("goals kepr<>&'\"İß\n striker"), max_size=120))
@settings(max_examples=60, deadline=None)
def test_pieces_are_the_text_whatever_it_holds(text: str):
    topics = Topics.of(np.ones((1, 1)), np.ones((1, 2)), np.ones((1, 2)), np.array(["goals", "striker"]))
    for pieces in (
        colour_words(text, topics, np.ones(1), RULES),
        colour_words(text, topics, np.ones(1), RULES, limit=20),
        kept_words(text, topics.vocabulary, RULES),
    ):
        assert "".join(piece.text for piece in pieces) == text


def test_pairs_of_words_are_coloured_together():
    rules = WordRules(lists=(), ngrams=2, min_df=1, max_df=1.0)
    H = np.array([[1.0, 0.0], [0.0, 1.0]])
    topics = Topics.of(np.ones((1, 2)), H, np.ones((1, 2)), np.array(["prime minister", "sheep"]), ordered=False)
    pieces = colour_words("Prime Minister, sheep and prime numbers", topics, np.array([0.5, 0.5]), rules)
    assert [(p.text, p.topic) for p in pieces if p.topic >= 0] == [("Prime", 0), ("Minister", 0), ("sheep", 1)]


def test_groups_against_a_label(small: tuple[TextMatrix, Topics]):
    matrix, topics = small
    labels = matrix.dataset.labels["page"]
    for groups in (by_dominant(topics.shares), by_kmeans(topics.shares, 2)):
        assert groups[5] == -1
        found = agreement(groups, labels)
        assert (found.n, found.n_labels) == (4, 2)
        assert found.ari == found.nmi == found.ami == pytest.approx(1)
    assert by_words(matrix.dataset.X, 2)[5] == -1
    nothing = agreement(np.full(6, -1), labels)
    assert np.isnan(nothing.ari)
    assert nothing.n == 0


def test_cross_table_counts_and_gathers_rare_labels():
    groups = np.array([0, 0, 1, 1, 1, -1])
    table = cross_table(groups, np.array(["a", "a", "a", "b", "c", "a"]), ("x", "y"), most=1)
    assert table.loc["a"].tolist() == [2, 1]
    assert table.loc["(others)"].tolist() == [0, 2]


def test_area_under_the_curve_counts_pairs():
    assert area(np.array([3.0, 4.0]), np.array([1.0, 2.0])) == 1
    assert area(np.array([1.0]), np.array([1.0])) == 0.5
    assert area(np.array([1.0, 3.0]), np.array([2.0, 2.0])) == 0.5


def test_topics_tell_hidden_words_when_there_are_topics():
    rng = np.random.default_rng(0)
    H = np.zeros((3, 90))
    for k in range(3):
        H[k, 30 * k : 30 * k + 30] = 1
    X = rng.poisson(np.repeat(np.eye(3), 30, axis=0) @ H * 0.7)
    result = fit(X.astype(float), FitRequest(rank=3))
    import scipy.sparse as sp

    found = complete(sp.csr_array(X.astype(float)), result)
    assert found.topics > 0.9
    assert found.common < 0.6
    assert found.wins > 0.9 * found.n
