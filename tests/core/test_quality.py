"""Quality measures against published and independently computed values."""

import math

import numpy as np
import pytest
import scipy.sparse as sp

from nmf_core import load_dataset, solvers
from nmf_core.components import dominant, present
from nmf_core.quality import (
    agreement,
    cards,
    compared_label,
    divergence,
    entropy,
    errors,
    errors_of,
    feature_scores,
    hoyer,
    purity,
    selected_features,
    svd_bound,
)
from nmf_core.types import Dataset, FitRequest, FitResult, Stop, Trace
from nmf_core.wording import duration

X = np.array([[1.0, 2, 0], [3, 4, 1], [0, 1, 5], [2, 0, 1]])
W = np.array([[0.5, 1], [1, 0.25], [0.75, 0.5], [1, 1]])
H = np.array([[1, 0.5, 0.25], [0.5, 1, 2]])


def result_of(W, H, **request):
    trace = Trace(np.array([2.0, 1.0]), np.array([0.0, 0.1]))
    return FitResult(FitRequest(rank=W.shape[1], solver="hals", **request), W, H, trace, Stop.CONVERGED, (trace,))


def test_golden_4_by_3_case():
    seen = errors(Dataset.of(X), W, H)
    assert seen.rss == pytest.approx(38.83203125, rel=1e-12)
    assert seen.share == pytest.approx(0.373676915, abs=5e-10)
    assert seen.relative == pytest.approx(math.sqrt(1 - 0.373676915), abs=1e-9)
    assert divergence(X, W @ H, 1) == pytest.approx(13.264486423, abs=5e-10)
    assert divergence(X, W @ H, 2) == pytest.approx(38.83203125 / 2)
    missing = X.copy()
    missing[0, 2] = missing[2, 0] = np.nan
    assert errors(Dataset.of(missing), W, H).rss == pytest.approx(33.31640625, rel=1e-12)


def test_divergences_are_zero_at_equality_and_continuous_in_beta():
    rng = np.random.default_rng(0)
    A, B = rng.uniform(0.5, 2, (2, 6, 5))
    for beta in (-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0):
        assert divergence(A, A, beta) == pytest.approx(0, abs=1e-12)
        assert divergence(A, B, beta) > 0
    assert divergence(A, B, 1 + 1e-6) == pytest.approx(divergence(A, B, 1), rel=1e-4)
    assert divergence(A, B, 1e-6) == pytest.approx(divergence(A, B, 0), rel=1e-4)


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("form", ["dense", "sparse", "unstored", "missing", "float32"])
def test_errors_by_row_and_column_agree_with_the_direct_sum(form, large, monkeypatch):
    monkeypatch.setattr("nmf_core.quality._BLOCK", 40)  # several blocks of rows
    if large:
        monkeypatch.setattr("nmf_core.quality._SPARSE_DENSE", 10)  # as for data too large to be made dense
    rng = np.random.default_rng(3)
    A = rng.random((23, 11)) * (rng.random((23, 11)) > 0.4)
    A[0] = 1.0
    U, V = rng.random((23, 2)), rng.random((2, 11))
    counted = np.ones(A.shape, dtype=bool)
    if form == "missing":
        counted = rng.random(A.shape) > 0.2
        data = Dataset.of(np.where(counted, A, np.nan))
    elif form == "unstored":
        counted = A > 0
        data = Dataset.of(sp.csr_array(A), mask="unstored")
    elif form == "sparse":
        data = Dataset.of(sp.csr_array(A))
    else:
        data = Dataset.of(A.astype(np.float32 if form == "float32" else np.float64))
    seen = errors(data, U, V)
    direct = np.where(counted, A - U @ V, 0) ** 2
    np.testing.assert_allclose(seen.rows, direct.sum(axis=1), rtol=1e-5)
    np.testing.assert_allclose(seen.cols, direct.sum(axis=0), rtol=1e-5)
    np.testing.assert_allclose(seen.squares, np.sum(np.where(counted, A, 0) ** 2), rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "rank", "value", "tolerance"),
    [
        ("iris", 1, 330.98493, 5e-6),
        ("iris", 2, 15.530613, 5e-7),
        ("iris", 3, 3.552570, 5e-7),
        ("digits", 1, 2097239.574, 5e-4),
    ],
)
def test_svd_bound_reference_values(name, rank, value, tolerance):
    data = load_dataset(name)
    assert svd_bound(data, rank) == pytest.approx(value, abs=tolerance)
    assert svd_bound(Dataset.of(sp.csr_array(data.X)), rank) == pytest.approx(value, abs=tolerance)


def test_svd_bound_of_large_sparse_data_and_where_it_is_not_defined():
    rng = np.random.default_rng(5)
    A = sp.random_array((1700, 1600), density=0.004, rng=rng, format="csr")
    exact = float(np.square(np.linalg.svd(A.toarray(), compute_uv=False)[5:]).sum())
    assert svd_bound(Dataset.of(A), 5) == pytest.approx(exact, rel=1e-9)
    assert svd_bound(Dataset.of(X), 3) == 0.0
    assert svd_bound(Dataset.of(W @ H), 2) == 0.0
    assert svd_bound(Dataset.of(np.where(X == 5, np.nan, X)), 1) is None
    assert svd_bound(Dataset.of(sp.csr_array(X), mask="unstored"), 1) is None


@pytest.mark.parametrize(
    ("vector", "value"),
    [([1, 2, 3, 4], 0.174258142), ([0, 0, 3, 4], 0.6), ([0, 7, 0, 0], 1.0), ([2, 2, 2, 2], 0.0)],
)
@pytest.mark.parametrize("magnitude", [1e-200, 1.0, 1e200])
def test_hoyer(vector, value, magnitude):
    row = np.array([vector], dtype=float) * magnitude
    assert hoyer(row)[0] == pytest.approx(value, abs=5e-10)
    assert hoyer(row.T, axis=0)[0] == pytest.approx(value, abs=5e-10)


def test_hoyer_is_not_defined_for_zeros_and_single_values():
    assert np.isnan(hoyer(np.zeros((1, 4)))).all()
    assert np.isnan(hoyer(np.ones((2, 1)))).all()


@pytest.mark.parametrize(
    ("column", "value"), [([3, 1], 0.18872188), ([1, 1], 0.0), ([5, 0], 1.0), ([2, 1, 1], 0.05360537)]
)
def test_feature_score(column, value):
    assert feature_scores(np.array([column], dtype=float).T)[0] == pytest.approx(value, abs=5e-9)


def test_features_of_zeros_are_unscored_and_specific_strong_ones_are_selected():
    rng = np.random.default_rng(1)
    H = np.full((3, 60), 1.0) + 0.01 * rng.random((3, 60))
    H[:, 5] = [9, 0, 0]
    H[:, 6] = [0, 0.001, 0]
    H[:, 7] = 0
    assert np.isnan(feature_scores(H)[7])
    chosen = selected_features(H)
    assert chosen[5]
    assert not chosen[6]
    assert not chosen[7]
    assert np.isnan(feature_scores(H[:1])).all()
    assert not selected_features(H[:1]).any()


def test_purity_and_entropy_reference_values():
    counts = np.array([[10, 2], [1, 7]])
    assert purity(counts) == pytest.approx(0.85)
    assert entropy(counts) == pytest.approx(0.607439230, abs=5e-10)
    assert entropy(np.array([[5, 0], [0, 3]])) == 0
    assert entropy(np.array([[4, 4], [3, 3]])) == pytest.approx(1)
    assert math.isnan(entropy(np.array([[4], [3]])))
    groups = np.repeat([0, 0, 1, 1], [10, 2, 1, 7])
    labels = np.repeat(["a", "b", "a", "b"], [10, 2, 1, 7])
    found = agreement(groups, labels)
    assert (found.purity, found.n_used) == (pytest.approx(0.85), 20)
    assert found.entropy == pytest.approx(0.607439230, abs=5e-10)


def test_agreement_leaves_out_samples_without_label_or_component():
    groups = np.array([0, 0, 1, 1, -1, 1])
    labels = np.array(["a", "a", "b", "b", "a", ""], dtype=object)
    found = agreement(groups, labels)
    assert found.n_used == 4
    assert (found.purity, found.ari, found.nmi) == (1.0, 1.0, 1.0)
    assert agreement(groups, np.array(["a"] * 6)) is None
    assert agreement(np.full(6, -1), labels) is None
    assert agreement(groups, np.array([1.0, 1, 2, 2, np.nan, np.nan])).n_used == 4


def test_errors_are_computed_once_for_the_same_components(monkeypatch):
    data = Dataset.of(X)
    parts = present(data, result_of(W, H))
    first = errors_of(data, parts)
    monkeypatch.setattr("nmf_core.quality.errors", None)
    assert errors_of(data, parts) is first
    with pytest.raises(TypeError):
        errors_of(Dataset.of(X + 1), parts)


def test_a_bound_that_would_take_long_is_not_computed(monkeypatch):
    data = load_dataset("iris")
    monkeypatch.setattr("nmf_core.quality._BOUND_COST", 10)
    assert svd_bound(data, 2) is None
    result = result_of(np.ones((150, 2)), np.ones((2, 4)))
    shown = {name: value for name, value, _ in cards(data, result, present(data, result))}
    assert shown["Above the SVD bound"] == "not computed"


def test_cards_say_what_is_shown():
    data = load_dataset("iris")
    U, s, Vt = np.linalg.svd(data.X, full_matrices=False)
    # The rank-1 optimum, by Perron and Frobenius
    result = result_of(np.abs(U[:, :1] * s[0]), np.abs(Vt[:1]))
    parts = present(data, result)
    shown = {name: value for name, value, _ in cards(data, result, parts)}
    assert shown["Above the SVD bound"] == "reached"
    assert shown["Relative error"] == f"{100 * math.sqrt(330.98493 / np.square(data.X).sum()):.3g} %"
    assert shown["Iterations"] == "1"
    assert shown["Time"] == "100 ms"
    assert shown["Purity"] == "33.3 %"
    assert "Kullback–Leibler loss" not in shown
    help_texts = [text for *_, text in cards(data, result, parts)]
    assert all(text.endswith(".") for text in help_texts)
    label = solvers.get(result.request.solver).label  # as people read it, not its short name
    assert any(text.startswith(f"Of {label}. ") for text in help_texts)
    holes = Dataset.of(np.where(X == 5, np.nan, X))
    other = result_of(W, H, loss="kullback-leibler")
    shown = {name: value for name, value, _ in cards(holes, other, present(holes, other))}
    assert shown["Above the SVD bound"] == "not defined"
    assert shown["Kullback–Leibler loss"] == "1"
    assert "Purity" not in shown


def test_dominant_components_of_iris_and_choice_of_label():
    data = Dataset.of(np.full((4, 3), 9.0), labels={"id": np.arange(4), "kind": np.array(["a", "b", "a", "b"])})
    assert compared_label(data) == "kind"
    assert compared_label(data, "id") == "id"
    assert compared_label(Dataset.of(np.ones((4, 3)))) is None
    parts = present(data, result_of(np.array([[1.0, 2], [2, 1], [0, 3], [0, 0]]), np.ones((2, 3))))
    names = [parts.names[i] if i >= 0 else None for i in dominant(parts)]
    assert names == ["Part 1", "Part 2", "Part 1", None]  # Part 1 explains more: the second column of W


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0123, "12.3 ms"), (2.5, "2.5 s"), (61.2, "61.2 s"), (605, "10 min 5 s"), (7384, "2 h 3 min")],
)
def test_duration(seconds, words):
    assert duration(seconds) == words
