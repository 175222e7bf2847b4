"""The second opinion: other methods, other solvers, spoiled data, two runs."""

from __future__ import annotations

import numpy as np
import pytest

from nmf_core import Dataset, FitRequest, fit, load_dataset
from nmf_core.comparison.corruption import LEVELS, LOSSES, RIVALS, RobustnessWork, corrupted, drift
from nmf_core.comparison.race import RaceWork, solutions, standings
from nmf_core.comparison.rivals import RivalsWork, negatives, nmf, offered, running_sum
from nmf_core.comparison.runs import changes, matched
from nmf_core.components import present
from nmf_core.lenses.images.staged import run


@pytest.fixture(scope="module")
def iris():
    dataset = load_dataset("iris")
    return dataset, fit(dataset, rank=3)


def test_svd_has_the_smallest_error_and_nmf_reaches_it_at_rank_2():
    dataset = load_dataset("iris")
    (svd,) = run(RivalsWork(dataset.id, rank=2, names=("SVD",)), dataset)
    own = nmf(dataset, fit(dataset, rank=2, max_iter=2000, tol=1e-9))
    assert (svd.error * np.linalg.norm(dataset.X)) ** 2 == pytest.approx(15.530613, rel=1e-6)
    assert own.error == pytest.approx(svd.error, rel=1e-6)


def test_only_methods_without_minus_signs_have_no_negative_entries(iris):
    dataset, result = iris
    pca, vq, ica = run(RivalsWork(dataset.id, rank=3, names=("PCA", "VQ", "ICA")), dataset)
    assert negatives(nmf(dataset, result)) == 0
    assert negatives(vq) == 0
    assert negatives(pca) > 0.2
    assert negatives(ica) > 0.2
    np.testing.assert_array_equal((vq.codes > 0).sum(axis=1), 1)


def test_a_running_sum_ends_at_the_reconstruction(iris):
    dataset, _ = iris
    (pca,) = run(RivalsWork(dataset.id, rank=3, names=("PCA",)), dataset)
    order, pieces = running_sum(pca, 17)
    assert sorted(order) == [0, 1, 2]
    np.testing.assert_allclose(pca.offset + pieces.sum(axis=0), pca.rebuilt(17), atol=1e-12)
    sizes = np.abs(pieces).sum(axis=1)
    assert (np.diff(sizes) <= 0).all()


def test_lda_is_for_counts_alone():
    counts = Dataset.of(np.random.default_rng(0).poisson(3, (20, 8)).astype(float))
    assert "LDA" in offered(counts)
    assert "LDA" not in offered(load_dataset("iris"))
    (lda,) = run(RivalsWork(counts.id, rank=2, names=("LDA",)), counts)
    np.testing.assert_allclose(lda.parts.sum(axis=1), 1)
    np.testing.assert_allclose(lda.codes.sum(axis=1), counts.X.sum(axis=1))


def test_an_unknown_method_gets_a_sentence():
    dataset = load_dataset("iris")
    with pytest.raises(ValueError, match="unknown method 'TSNE'"):
        run(RivalsWork(dataset.id, names=("TSNE",)), dataset)


def test_a_race_gives_what_single_fits_give(iris):
    dataset, _ = iris
    base = FitRequest(dataset.id, rank=2, max_iter=60)
    requests = tuple(base.with_(solver=s, init="random", seed=i) for s in ("cd", "mu") for i in range(2))
    results = run(RaceWork(dataset.id, requests), dataset)
    assert [r.request for r in results] == list(requests)
    for request, result in zip(requests, results, strict=True):
        np.testing.assert_array_equal(result.H, fit(dataset, request).H)
    table = standings(results)
    assert table["above the best"].min() == 0
    assert table["final loss"].tolist() == [r.loss for r in results]


def test_equal_solutions_have_equal_numbers_whatever_order_and_scale():
    H = np.random.default_rng(0).random((3, 9))
    other = np.random.default_rng(5).random((3, 9))
    assert solutions([H, 4 * H[::-1], other, H[:2]]).tolist() == [0, 0, 1, 2]


class TestCorruption:
    X = np.random.default_rng(1).gamma(2, 1, (40, 12))

    def test_level_zero_leaves_the_data_alone(self):
        for kind in LEVELS:
            assert corrupted(self.X, kind, 0.0) is self.X

    def test_each_kind_does_what_it_says(self):
        noisy = corrupted(self.X, "noise", 0.1)
        assert noisy.min() >= 0
        assert (noisy - self.X).std() == pytest.approx(0.1 * self.X.std(), rel=0.15)
        spoiled = corrupted(self.X, "outliers", 0.05)
        hit = spoiled != self.X
        assert 0 < hit.mean() < 0.12
        assert (spoiled[hit] == 10 * self.X.max()).all()
        gone = np.isnan(corrupted(self.X, "missing", 0.5))
        assert gone.mean() == pytest.approx(0.5, abs=0.1)
        assert not gone.all(axis=1).any()
        assert not gone.all(axis=0).any()

    def test_a_higher_level_spoils_the_same_cells_and_more(self):
        low, high = (np.isnan(corrupted(self.X, "missing", level)) for level in (0.1, 0.4))
        assert (high | ~low).all()

    def test_nonsense_gets_a_sentence(self):
        with pytest.raises(ValueError, match="is not one of"):
            corrupted(self.X, "acid", 0.1)
        with pytest.raises(ValueError, match="level ≥ 0"):
            corrupted(self.X, "noise", float("nan"))

    def test_drift_ignores_order_scale_and_sign(self):
        F = np.random.default_rng(2).random((3, 8))
        assert drift(F, -3 * F[::-1]) == pytest.approx(0, abs=1e-12)
        assert drift(np.eye(3)[:1], np.eye(3)[1:2]) == pytest.approx(1)

    def test_outliers_ruin_the_squared_error_and_missing_cells_do_not(self):
        dataset = load_dataset("synthetic", rank=3, noise=0.0, n_samples=60, n_features=20)
        frames = {
            kind: run(RobustnessWork(dataset.id, rank=3, kind=kind), dataset).set_index(["method", "level"])
            for kind in ("outliers", "missing")
        }
        error = "error against the clean data"
        assert len(frames["missing"]) == 5 * (len(LOSSES) + len(RIVALS))
        own = "NMF, Frobenius"
        assert frames["outliers"].loc[(own, 0.03), error] > 10 * frames["outliers"].loc[(own, 0.0), error]
        # Left out of the fit, missing cells of exact low rank can be told from the others; column means cannot.
        assert frames["missing"].loc[(own, 0.2), error] < 0.2 * frames["missing"].loc[("PCA", 0.2), error]


def test_changes_name_the_settings_that_differ():
    a = FitRequest("d", rank=3, seed=1)
    assert changes(a, a.with_(rank=4, solver="mu")) == [("rank", 3, 4), ("solver", "auto", "mu")]
    assert changes(a, a) == []


def test_runs_are_matched_and_the_extra_part_has_no_counterpart(iris):
    dataset, result = iris
    three = present(dataset, result, "component sums 1")
    two = present(dataset, fit(dataset, rank=2), "component sums 1")
    table = matched(three, two, dataset.cols)
    assert len(table) == 3
    assert table["cosine"].isna().sum() == 1
    assert table.iloc[-1]["second"] == ""
    same = matched(three, three, dataset.cols)
    np.testing.assert_allclose(same["cosine"], 1)
    assert (same["first"] == same["second"]).all()
