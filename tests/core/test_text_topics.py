"""Weights, exclusivity, relevance, coherence, distances: definitions held against hand-made and other people's numbers."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.spatial.distance import jensenshannon, pdist, squareform

from nmf_core.lenses.text.coherence import npmi
from nmf_core.lenses.text.second_opinion import match_topics
from nmf_core.lenses.text.topic_map import (
    classical_scaling,
    jensen_shannon,
    near_duplicates,
    spread_map,
    stress,
)
from nmf_core.lenses.text.topics import Topics

W = np.array([[2.0, 0.0], [1.0, 3.0], [0.0, 0.0]])
H = np.array([[3.0, 1.0, 0.0, 0.0], [0.0, 2.0, 1.0, 1.0]])
VOCABULARY = np.array(["cat", "dog", "fish", "bird"])


@pytest.fixture
def topics() -> Topics:
    """Two topics over four words, in the order of H."""
    return Topics.of(W, H, W @ H, VOCABULARY, ordered=False)


def test_shares_and_weights_are_probabilities(topics: Topics):
    assert topics.words.tolist() == [[0.75, 0.25, 0, 0], [0, 0.5, 0.25, 0.25]]
    assert topics.shares.tolist() == [[1, 0], [0.25, 0.75], [0, 0]]
    assert topics.size.tolist() == [0.625, 0.375]
    assert topics.marginal.sum() == pytest.approx(1)


def test_the_scale_of_w_and_h_does_not_matter(topics: Topics):
    D = np.diag([7.0, 0.01])
    other = Topics.of(W @ D, np.linalg.inv(D) @ H, W @ H, VOCABULARY, ordered=False)
    assert np.allclose(other.shares, topics.shares)
    assert np.allclose(other.words, topics.words)


def test_largest_topic_comes_first_and_index_points_back():
    ordered = Topics.of(W[:, ::-1], H[::-1], W @ H, VOCABULARY)
    assert ordered.index.tolist() == [1, 0]
    assert ordered.size.tolist() == [0.625, 0.375]
    assert ordered.renamed({1: "pets"}).names[0] == "pets"


def test_relevance_is_sievert_and_shirleys(topics: Topics):
    p, marginal = topics.words[0, :2], topics.marginal[:2]
    expected = 0.6 * np.log(p) + 0.4 * np.log(p / marginal)
    assert np.allclose(topics.relevance(0.6)[0, :2], expected)
    assert np.isneginf(topics.relevance(0.6)[0, 2:]).all()
    assert np.allclose(np.exp(topics.relevance(1.0)[1, 1:]), topics.words[1, 1:])
    with pytest.raises(ValueError, match="λ"):
        topics.relevance(1.5)


def test_exclusivity_is_a_share_between_topics(topics: Topics):
    assert topics.exclusivity[:, 1].tolist() == pytest.approx([1 / 3, 2 / 3])
    assert topics.exclusivity.sum(axis=0).tolist() == pytest.approx([1, 1, 1, 1])


def test_lambda_brings_up_the_topics_own_words(topics: Topics):
    assert VOCABULARY[topics.top(1, 1.0)[1, 0]] == "dog"
    assert VOCABULARY[topics.top(1, 0.0)[1, 0]] in ("fish", "bird")
    table = topics.table(1, 4, 1.0)
    assert table["word"].tolist() == ["dog", "fish", "bird"]
    assert table["lift"].iloc[1] == pytest.approx(0.25 / topics.marginal[2])


def test_names_leave_out_repeats_and_are_never_equal():
    words = np.array(["school", "schools", "pupil", "teacher", "exam"])
    rows = np.array([[5.0, 4, 3, 2, 1], [5.0, 4, 3, 2, 1]])
    names = Topics.of(np.ones((3, 2)), rows, np.ones((3, 5)), words).names
    assert names[0] == "school · pupil · teacher"
    assert names[0] != names[1]


def test_npmi_of_known_words():
    counts = sp.csr_array([[1, 2, 0, 0], [3, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]])
    assert npmi(counts, np.array([[0, 1]]))[0] == pytest.approx(1)  # always together
    assert npmi(counts, np.array([[0, 2]]))[0] == pytest.approx(-1)  # never
    p = 0.25
    assert npmi(counts, np.array([[2, 3]]))[0] == pytest.approx(np.log(p / (0.5 * 0.25)) / -np.log(p))
    independent = sp.csr_array([[1, 1], [1, 0], [0, 1], [0, 0]])
    assert npmi(independent, np.array([[0, 1]]))[0] == pytest.approx(0)
    everywhere = sp.csr_array([[1, 1], [1, 1]])
    assert npmi(everywhere, np.array([[0, 1]]))[0] == 0
    assert np.isnan(npmi(counts, np.array([[0]]))[0])


def test_npmi_agrees_with_the_slow_definition():
    rng = np.random.default_rng(0)
    counts = sp.csr_array(rng.poisson(0.4, (60, 30)))
    counts.eliminate_zeros()
    top = np.array([rng.choice(30, 6, replace=False) for _ in range(4)])
    present = counts.toarray() > 0

    def slow(row: np.ndarray) -> float:
        values = []
        for a in range(len(row)):
            for b in range(a + 1, len(row)):
                x, y = present[:, row[a]], present[:, row[b]]
                both = (x & y).mean()
                values.append(-1.0 if both == 0 else np.log(both / x.mean() / y.mean()) / -np.log(both))
        return float(np.mean(values))

    assert np.allclose(npmi(counts, top), [slow(row) for row in top])


def test_jensen_shannon_is_scipys():
    P = np.random.default_rng(1).dirichlet(np.full(20, 0.3), 6)
    expected = squareform(pdist(P, lambda a, b: jensenshannon(a, b, base=2)))
    assert np.allclose(jensen_shannon(P), expected, atol=1e-7)
    assert jensen_shannon(np.eye(2)).tolist() == [[0, 1], [1, 0]]


def test_flat_points_come_back():
    points = np.random.default_rng(2).normal(size=(9, 2))
    D = squareform(pdist(points))
    for found in (classical_scaling(D), spread_map(D)):
        assert np.allclose(squareform(pdist(found.xy)), D, atol=1e-6)
        assert found.stress < 1e-6
        assert found.shown == pytest.approx(1)


def test_spreading_lowers_the_stress_of_equal_distances():
    D = 1.0 - np.eye(8)
    assert spread_map(D).stress < classical_scaling(D).stress - 0.05
    assert spread_map(D).stress == pytest.approx(stress(spread_map(D).xy, D))


@pytest.mark.parametrize("k", [1, 2])
def test_maps_of_one_and_two_topics(k: int):
    D = 0.7 * (1 - np.eye(k))
    assert spread_map(D).xy.shape == (k, 2)
    assert np.isfinite(spread_map(D).xy).all()


def test_near_duplicates_are_found():
    P = np.array([[0.5, 0.4, 0.1, 0, 0], [0.45, 0.45, 0.1, 0, 0], [0, 0, 0, 0.5, 0.5]])
    top = np.argsort(-P, axis=1, kind="stable")[:, :3]
    found = near_duplicates(P, top)
    assert [(pair.first, pair.second) for pair in found] == [(0, 1)]
    assert set(found[0].shared) == {0, 1, 2}


def test_matching_undoes_a_shuffle():
    rng = np.random.default_rng(3)
    rows = rng.dirichlet(np.full(30, 0.2), 5)
    X = np.ones((4, 30))
    words = np.array([f"w{j}" for j in range(30)])
    first = Topics.of(rng.random((4, 5)), rows, X, words, ordered=False)
    shuffle = rng.permutation(5)
    second = Topics.of(rng.random((4, 5)), rows[shuffle], X, words, ordered=False)
    match = match_topics(first, second)
    assert shuffle[match.pairs[:, 1]].tolist() == match.pairs[:, 0].tolist()
    assert np.allclose(match.distance, 0, atol=1e-6)
