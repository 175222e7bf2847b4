"""Criteria against published and hand-checked values."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_digits, load_iris
from sklearn.metrics import silhouette_samples

from nmf_core.selection import agreement, baseline, consensus, fit_quality, parsimony, stability
from nmf_core.selection.matching import cosine, match

C = np.array([[1, 0.9, 0.2, 0.1], [0.9, 1, 0.3, 0.2], [0.2, 0.3, 1, 0.8], [0.1, 0.2, 0.8, 1]])


def test_consensus_scores_of_the_reference_matrix():
    assert consensus.cophenetic_correlation(C) == pytest.approx(0.982855872, abs=1e-9)
    assert consensus.dispersion(C) == pytest.approx(0.565)
    assert consensus.pac(C) == pytest.approx(4 / 6)


def test_consensus_matrix_counts_shared_groups():
    labels = np.array([[0, 0, 1, 1], [1, 1, 1, 0], [2, 0, 0, 2]])
    plain = np.mean([row[:, None] == row[None] for row in labels], axis=0)
    np.testing.assert_allclose(consensus.consensus_matrix(labels), plain)


def test_one_run_leaves_consensus_undefined():
    score = consensus.score(np.array([[0, 1, 0]]))
    assert np.isnan([score.cophenetic, score.dispersion, score.pac, score.silhouette]).all()


def test_perfect_agreement_scores_one():
    score = consensus.score(np.tile([0, 0, 1, 1, 2, 2], (5, 1)))
    assert (score.cophenetic, score.dispersion, score.pac, score.silhouette) == pytest.approx((1, 1, 0, 1))


def test_sample_silhouette_matches_scikit_learn():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, (8, 30))
    matrix = consensus.consensus_matrix(labels)
    ours = consensus.sample_silhouette(matrix, labels[0])
    np.testing.assert_allclose(ours, silhouette_samples(1 - matrix, labels[0], metric="precomputed"), atol=1e-12)


def test_tree_order_keeps_groups_together():
    labels = np.tile([0, 1, 0, 1, 0, 1], (3, 1))
    order = consensus.tree_order(consensus.consensus_matrix(labels))
    assert np.count_nonzero(np.diff(labels[0][order])) == 1


def test_assignments_ignore_the_scale_between_w_and_h():
    rng = np.random.default_rng(1)
    W, H, d = rng.random((20, 3)), rng.random((3, 7)), np.array([1e-3, 1.0, 1e3])
    np.testing.assert_array_equal(consensus.assignments(W, H), consensus.assignments(W * d, H / d[:, None]))


def test_purity_and_entropy_of_the_reference_table():
    table = np.array([[10, 2], [1, 7]])
    assert agreement.purity(table) == pytest.approx(0.85)
    assert agreement.entropy(table) == pytest.approx(0.607439230, abs=1e-9)
    assert agreement.agreeing(table) == 17


def test_contingency_counts():
    table, groups, classes = agreement.contingency(np.array([1, 1, 0]), np.array(["b", "a", "b"]))
    assert table.tolist() == [[0, 1], [1, 1]]
    assert groups.tolist() == [0, 1]
    assert classes.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("x", "value"), [([1, 2, 3, 4], 0.174258142), ([0, 0, 3, 4], 0.6), ([0, 5, 0], 1), ([2, 2, 2], 0)]
)
def test_hoyer_sparseness(x, value):
    assert float(parsimony.hoyer(np.array(x))) == pytest.approx(value, abs=1e-9)


def test_hoyer_of_zeros_is_undefined():
    assert np.isnan(parsimony.hoyer(np.zeros(4)))


def test_parsimony_finds_duplicates_and_empties_at_any_scale():
    rng = np.random.default_rng(2)
    W, H = rng.random((30, 4)), rng.random((4, 12))
    H[1], W[:, 1], H[3] = 5 * H[0], 0.2 * W[:, 0], 0
    found = parsimony.parsimony(W, H)
    assert (found.duplicates, found.empty, found.smallest_share) == (1, 1, 0)
    d = np.array([1e4, 1e-3, 1.0, 7.0])
    again = parsimony.parsimony(W * d, H / d[:, None])
    assert (again.duplicates, again.empty) == (1, 1)
    assert again.sparseness_H == pytest.approx(found.sparseness_H)


def test_information_criteria_charge_for_parameters():
    aic, bic = parsimony.information_criteria(200.0, 1000, 10)
    assert aic == pytest.approx(1000 * np.log(0.2) + 20)
    assert bic == pytest.approx(1000 * np.log(0.2) + 10 * np.log(1000))
    assert np.isnan(parsimony.information_criteria(0.0, 10, 1)).all()


@pytest.mark.parametrize(
    ("load", "rank", "value"),
    [(load_iris, 1, 330.98493), (load_iris, 2, 15.530613), (load_iris, 3, 3.552570), (load_digits, 1, 2097239.574)],
)
def test_svd_bound_of_published_data(load, rank, value):
    assert fit_quality.svd_bound(load().data, np.array([rank]))[0] == pytest.approx(value, rel=1e-7)


def test_svd_bound_is_the_same_for_sparse_and_transposed_data():
    X = sp.random_array((40, 25), density=0.3, rng=np.random.default_rng(3)).tocsr()
    ranks = np.array([1, 5, 24, 25, 30])
    dense = fit_quality.svd_bound(X.toarray(), ranks)
    np.testing.assert_allclose(fit_quality.svd_bound(X, ranks), dense, atol=1e-9)
    np.testing.assert_allclose(fit_quality.svd_bound(X.T.tocsr(), ranks), dense, atol=1e-9)
    assert dense[-1] == dense[-2] == 0


def test_elbow_finds_the_corner():
    assert fit_quality.elbow(np.arange(1, 9), np.array([10, 6, 2, 1.8, 1.6, 1.4, 1.2, 1.0])) == 3
    assert fit_quality.elbow(np.array([1, 2]), np.array([2.0, 1.0])) is None
    assert fit_quality.elbow(np.arange(4), np.ones(4)) is None


@pytest.mark.parametrize("kind", ["dense", "sparse", "missing"])
def test_permuting_keeps_every_column_and_breaks_the_links(kind):
    rng = np.random.default_rng(4)
    X = np.outer(rng.random(60) + 0.1, rng.random(8) + 0.1)
    if kind == "missing":
        X[rng.random(X.shape) < 0.1] = np.nan
    if kind == "sparse":
        X[rng.random(X.shape) < 0.5] = 0
    P = baseline.permute_columns(sp.csr_array(X) if kind == "sparse" else X, 0)
    P = P.toarray() if kind == "sparse" else P
    np.testing.assert_array_equal(np.sort(P, axis=0), np.sort(X, axis=0))
    assert not np.array_equal(P, X, equal_nan=True)


def test_marginal_gain():
    np.testing.assert_allclose(baseline.marginal_gain(np.array([50.0, 10.0, 10.0]), 100.0), [0.5, 0.8, 0.0])


def test_matching_undoes_a_permutation_and_a_scale():
    rng = np.random.default_rng(5)
    H, order = rng.random((5, 20)), rng.permutation(5)
    found, similarity = match(H, H[order] * rng.random((5, 1)))
    np.testing.assert_array_equal(order[found], np.arange(5))
    np.testing.assert_allclose(similarity, 1)


def test_matching_refuses_too_few_components():
    with pytest.raises(ValueError, match="fewer"):
        match(np.ones((3, 2)), np.ones((2, 2)))


def test_cosine_of_an_empty_component_is_zero():
    assert cosine(np.zeros((1, 3)), np.ones((2, 3))).tolist() == [[0, 0]]


def test_amari_is_zero_for_the_same_components_and_grows_with_noise():
    rng = np.random.default_rng(6)
    H = rng.random((4, 50))
    assert stability.amari(H, H[[2, 0, 3, 1]]) == pytest.approx(0, abs=1e-12)
    noisy = [stability.amari(H, H + level * rng.random(H.shape)) for level in (0.1, 0.5, 3)]
    assert 0 < noisy[0] < noisy[1] < noisy[2]


def test_component_silhouette_matches_scikit_learn():
    rng = np.random.default_rng(7)
    H = rng.random((3, 15)) ** 4
    runs = [H] + [np.abs(H + 0.1 * rng.standard_normal(H.shape))[rng.permutation(3)] for _ in range(5)]
    points, labels = [], []
    for run in runs:
        order, _ = match(H, run)
        points.append(run[order] / np.linalg.norm(run[order], axis=1, keepdims=True))
        labels.append(np.arange(3))
    expected = silhouette_samples(np.concatenate(points), np.concatenate(labels)).reshape(-1, 3).mean(axis=0)
    np.testing.assert_allclose(stability.component_silhouette(runs), expected, atol=1e-6)


def test_badges_name_the_component_that_changes():
    rng = np.random.default_rng(8)
    H = np.eye(3, 30)
    others = [np.vstack([H[:2], rng.random(30)]) for _ in range(4)]
    words = [badge.word for badge in stability.badges(stability.matched_similarity(H, others))]
    assert words == ["stable", "stable", "unstable"]


def test_distinct_solutions_need_both_loss_and_components():
    A, B = np.eye(2, 6), np.eye(6)[3:5]
    group = stability.distinct_solutions(np.array([2.0, 1.0, 1.0, 1.0]), [A, A, B, A[::-1]])
    assert group[1] == group[3] != group[2]
    assert len(set(group.tolist())) == 3
