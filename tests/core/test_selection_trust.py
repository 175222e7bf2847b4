"""Bootstrap, ambiguity, uniqueness and lineage: what they must find on data whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import brentq, minimize

from nmf_core import Dataset, FitRequest, Stop, fit
from nmf_core.selection.ambiguity import AmbiguityWork, strongest_entries
from nmf_core.selection.bootstrap import BootstrapWork, resample, widths, words
from nmf_core.selection.lineage import _crossings, lineage
from nmf_core.selection.sample import ambiguity_data
from nmf_core.selection.uniqueness import uniqueness


def blocks(noise, n=60, seed=0):
    """Three separable parts of four features each."""
    rng = np.random.default_rng(seed)
    H = np.kron(np.eye(3), [1.0, 0.8, 0.6, 0.4])
    W = rng.gamma(1, 1, (n, 3)) * (rng.random((n, 3)) < 0.6)
    W[:3] = np.eye(3)
    X = np.maximum(W @ H + noise * rng.standard_normal((n, 12)), 0)
    return Dataset.of(X), W, H


def finish(work, dataset, budget=float("inf")):
    state = None
    while True:
        chunk = work.advance(dataset, state, budget)
        state = chunk.state
        if chunk.stop is not Stop.RUNNING:
            return work.result(dataset, state, chunk.stop)


def fitted(dataset, rank=3):
    request = FitRequest(dataset_id=dataset.id, rank=rank, tol=1e-6, n_restarts=3, init="random")
    return request, fit(dataset, request)


def test_bootstrap_intervals_hold_the_truth_and_grow_with_noise():
    mean = []
    for noise in (0.02, 0.2):
        dataset, _, H = blocks(noise)
        request, result = fitted(dataset)
        found = finish(BootstrapWork(request, result.H, n=24, rows=(0, 5)), dataset)
        assert found.n == 24
        assert (found.low_H <= found.high_H).all()
        order = [int(np.argmax(result.H[:, 4 * k])) for k in range(3)]
        scale = np.linalg.norm(result.H[order], axis=1) / np.linalg.norm(H, axis=1)
        slack = 0.05 * scale[:, None]
        truth = H * scale[:, None]
        inside = (found.low_H[order] - slack <= truth) & (truth <= found.high_H[order] + slack)
        assert inside.mean() > 0.8
        assert found.W.shape == found.low_W.shape == (2, 3)
        assert [word for word, _ in words(found)] == ["stable"] * 3
        mean.append(widths(found).mean())
    assert mean[1] > 3 * mean[0]


def test_bootstrap_does_not_depend_on_where_it_is_cut():
    dataset, _, _ = blocks(0.1)
    request, result = fitted(dataset)
    work = BootstrapWork(request, result.H, n=4, block=5)
    whole, cut = finish(work, dataset), finish(work, dataset, budget=0.0)
    np.testing.assert_array_equal(whole.low_H, cut.low_H)
    np.testing.assert_array_equal(whole.similarity, cut.similarity)


def test_a_component_fitted_to_noise_is_not_stable():
    dataset, _, _ = blocks(0.3)
    request, result = fitted(dataset, rank=5)
    found = finish(BootstrapWork(request, result.H, n=16), dataset)
    stable = [word == "stable" for word, _ in words(found)]
    assert 1 <= sum(stable) <= 4


def test_bootstrap_takes_missing_cells():
    dataset, _, _ = blocks(0.1)
    X = np.array(dataset.X)
    X[np.random.default_rng(0).random(X.shape) < 0.1] = np.nan
    holed = Dataset.of(X)
    request, result = fitted(holed)
    found = finish(BootstrapWork(request, result.H, n=3, rows=(1,)), holed)
    assert np.isfinite(found.low_H).all()
    assert np.isfinite(found.W).all()


def test_blocks_of_neighbours_stay_together():
    drawn = resample(100, 10, np.random.default_rng(0))
    assert len(drawn) == 100
    assert np.count_nonzero(np.diff(drawn) == 1) == 90


def test_separable_data_leave_little_ambiguity():
    dataset, _, _ = blocks(0.05)
    request, result = fitted(dataset)
    found = finish(AmbiguityWork(request, result.W, result.H, strongest_entries(result.H, 2), 0.01), dataset)
    assert found.complete
    assert (found.low <= found.value).all()
    assert (found.value <= found.high).all()
    assert ((found.high - found.low) / found.value).max() < 0.5
    assert not found.swapped.any()


def test_dense_overlapping_parts_leave_much_ambiguity():
    rng = np.random.default_rng(1)
    # No zero anywhere: every part can take up some of the others.
    X = (1 + rng.random((40, 3))) @ (1 + rng.random((3, 12))) + 0.05 * rng.random((40, 12))
    dataset = Dataset.of(X)
    request, result = fitted(dataset)
    free = finish(AmbiguityWork(request, result.W, result.H, strongest_entries(result.H, 2), 0.05), dataset)
    tight_data, _, _ = blocks(0.05)
    tight_request, tight_result = fitted(tight_data)
    entries = strongest_entries(tight_result.H, 2)
    tight = finish(AmbiguityWork(tight_request, tight_result.W, tight_result.H, entries, 0.05), tight_data)
    width = [np.median((a.high - a.low) / a.value) for a in (free, tight)]
    assert width[0] > 2 * width[1]


def test_a_larger_allowed_rise_gives_wider_ranges():
    dataset, _, _ = blocks(0.1)
    request, result = fitted(dataset)
    entries = strongest_entries(result.H, 1)
    small, large = (finish(AmbiguityWork(request, result.W, result.H, entries, r), dataset, 0.0) for r in (0.01, 0.1))
    assert ((large.high - large.low) >= (small.high - small.low)).all()


@pytest.mark.parametrize("missing", [False, True])
def test_kullback_leibler_ranges_of_one_component_are_the_exact_ones(missing):
    # Rank 1, W and all other features refitted: only the shares of the pulled feature and of the held one matter, so the
    # rise has a closed form. A row that is missing altogether must not change it.
    rng = np.random.default_rng(3)
    X = rng.poisson(20 * np.outer(rng.random(30) + 0.5, [1.0, 2.0, 0.6, 1.5])).astype(float)
    sums = X.sum(axis=0)
    expected = np.outer(X.sum(axis=1), sums) / sums.sum()
    loss = np.sum(X * np.log(np.where(X > 0, X, 1) / expected) - X + expected)
    dataset = Dataset.of(np.vstack([X, np.full(4, np.nan)]) if missing else X)
    request = FitRequest(dataset_id=dataset.id, rank=1, loss="kullback-leibler", init="random", tol=1e-8)
    result = fit(dataset, request)
    assert result.H[0].argmax() == 1  # so feature 1 is the one that is held
    rise = 0.05
    found = finish(AmbiguityWork(request, result.W, result.H, ((0, 0),), rise), dataset)

    def cost(value):
        share, fitted = value / (value + result.H[0, 1]), sums[0] / (sums[0] + sums[1])
        return sums[0] * np.log(fitted / share) + sums[1] * np.log((1 - fitted) / (1 - share)) - rise * loss

    value = float(result.H[0, 0])
    low, high = brentq(cost, 1e-6 * value, value), brentq(cost, value, 100 * value)
    # The ends are found by halving, from inside.
    assert low <= found.low[0] <= low + 0.05 * (value - low)
    assert high - 0.05 * (high - value) <= found.high[0] <= high


def test_kullback_leibler_ranges_with_cells_missing_here_and_there_are_the_exact_ones():
    rng = np.random.default_rng(3)
    X = rng.poisson(20 * np.outer(rng.random(30) + 0.5, [1.0, 2.0, 0.6, 1.5])).astype(float)
    X[:, [0, 2, 3]] = np.where(rng.random((30, 3)) < 0.3, np.nan, X[:, [0, 2, 3]])
    dataset = Dataset.of(X)
    request = FitRequest(dataset_id=dataset.id, rank=1, loss="kullback-leibler", init="random", tol=1e-8)
    result = fit(dataset, request)
    assert result.H[0].argmax() == 1
    rise = 0.05
    found = finish(AmbiguityWork(request, result.W, result.H, ((0, 0),), rise), dataset)

    def loss(h):
        known = ~np.isnan(X)
        w = np.where(known, X, 0).sum(axis=1) / (known @ h)  # the best weights for these components
        expected = np.outer(w, h)
        return np.nansum(X * np.log(np.where(X > 0, X, 1) / expected) - X + expected)

    def cost(value):
        free = minimize(lambda x: loss(np.array([value, result.H[0, 1], *np.exp(x)])), np.log(result.H[0, 2:]))
        return free.fun - (1 + rise) * loss(result.H[0])

    value = float(result.H[0, 0])
    low, high = brentq(cost, 0.5 * value, value), brentq(cost, value, 2 * value)
    assert found.value[0] == pytest.approx(value, rel=1e-3)
    assert low <= found.low[0] <= low + 0.05 * (value - low)
    assert high - 0.05 * (high - value) <= found.high[0] <= high


def test_large_data_is_sampled_with_the_asked_columns_and_says_so():
    dataset, _, _ = blocks(0.05, n=700)
    wide = Dataset.of(np.hstack([np.asarray(dataset.X), 0.01 * np.random.default_rng(0).random((700, 900))]))
    request = FitRequest(dataset_id=wide.id, rank=3, tol=1e-5, n_restarts=2, init="random")
    result = fit(wide, request)
    faint = int(np.argmin(np.asarray(wide.X).sum(axis=0)))
    entries = (*strongest_entries(result.H, 1), (0, faint))
    found = finish(AmbiguityWork(request, result.W, result.H, entries, 0.01), wide)
    assert "of 700 rows" in found.note
    assert found.complete
    np.testing.assert_allclose(found.value[:3], [result.H[k, j] for k, j in entries[:3]], rtol=0.05)
    assert (found.low <= found.value).all()
    assert (found.value <= found.high).all()
    assert ((found.high - found.low)[:3] / found.value[:3]).max() < 0.5


def test_ratings_have_ranges_from_their_known_cells_alone():
    rng = np.random.default_rng(2)
    X = np.asarray(blocks(0.05, n=80)[0].X) + 0.1
    ratings = sp.csr_array(np.where(rng.random(X.shape) < 0.7, X, 0))
    dataset = Dataset.of(ratings, mask="unstored")
    holed = Dataset.of(np.where(ratings.toarray() > 0, ratings.toarray(), np.nan))
    request = FitRequest(dataset_id=dataset.id, rank=3, tol=1e-5, init="random", n_restarts=2)
    result = fit(dataset, request)
    entries = strongest_entries(result.H, 1)
    ranges = finish(AmbiguityWork(request, result.W, result.H, entries, 0.02), dataset)
    same = finish(AmbiguityWork(request.with_(dataset_id=holed.id), result.W, result.H, entries, 0.02), holed)
    np.testing.assert_array_equal(ranges.high, same.high)
    assert (ranges.high > ranges.value).all()


def test_of_many_ratings_the_best_known_rows_are_kept():
    rng = np.random.default_rng(0)
    X = sp.csr_array((rng.random((2000, 300)) < rng.random((2000, 1))).astype(float))
    part = ambiguity_data(Dataset.of(X, mask="unstored"), (299,), 500_000)
    assert 299 in part.cols
    known = np.diff(X[:, part.cols].indptr)
    left_out = np.setdiff1d(np.arange(2000), part.rows)
    assert len(left_out) > 100
    assert known[part.rows].min() >= known[left_out].max()
    np.testing.assert_array_equal((~np.isnan(part.X)).sum(axis=1), known[part.rows])


def test_ambiguity_checks_its_arguments():
    _, W, H = blocks(0.1)
    with pytest.raises(ValueError, match="rise"):
        AmbiguityWork(FitRequest(), W, H, ((0, 0),), 0.0)
    with pytest.raises(ValueError, match="Kullback-Leibler"):
        AmbiguityWork(FitRequest(loss="itakura-saito"), W, H, ((0, 0),), 0.1)
    with pytest.raises(ValueError, match="outside"):
        AmbiguityWork(FitRequest(), W, H, ((3, 0),), 0.1)


def test_uniqueness_tells_separable_from_dense():
    _, W, H = blocks(0.0)
    good = uniqueness(W, H)
    assert good.verdict == "likely unique"
    assert (good.pure_samples, good.pure_features, good.own_zeros) == (3, 3, 6)
    rng = np.random.default_rng(0)
    dense = uniqueness(1 + rng.random((20, 3)), 1 + rng.random((3, 8)))
    assert dense.verdict == "not unique"
    assert dense.own_zeros == 0


def test_not_unique_is_true():
    rng = np.random.default_rng(0)
    W, H = 1 + rng.random((20, 2)), np.array([[1.0, 1.0, 1.0], [1.0, 0.0, 0.5]])
    assert uniqueness(W, H).verdict == "not unique"
    other_W, other_H = W.copy(), H.copy()
    other_H[0] -= 0.5 * H[1]
    other_W[:, 1] += 0.5 * W[:, 0]
    np.testing.assert_allclose(other_W @ other_H, W @ H)
    assert (other_H >= 0).all()


def test_uniqueness_does_not_depend_on_scale():
    _, W, H = blocks(0.0)
    d = np.array([1e-4, 1.0, 1e5])
    assert uniqueness(W * d, H / d[:, None]) == uniqueness(W, H)


def test_lineage_follows_splits():
    a, b, c = np.eye(3, 9)
    factors = {
        1: (np.ones((5, 1)), np.array([a + b + c])),
        2: (np.ones((5, 2)), np.array([c, a + b])),
        3: (np.ones((5, 3)), np.array([a, c, b])),
    }
    tree = lineage(factors)
    links = {(tree.ranks[level], i, j) for level, i, j, _ in tree.links(0.65)}
    assert links == {(1, 0, 1), (2, 0, 1), (2, 1, 0), (2, 1, 2)}
    assert tree.family[2][1] == tree.family[1][0]
    assert "1 kept, 1 split" in tree.fates(0.65)[1]
    position = {int(k): i for i, k in enumerate(tree.order[2])}
    assert abs(position[0] - position[2]) == 1


def test_ordering_does_not_add_crossings():
    rng = np.random.default_rng(2)
    H = rng.gamma(0.3, 1, (8, 40))
    factors = {k: (np.ones((4, k)), H[rng.permutation(8)[:k]]) for k in range(3, 9)}
    tree = lineage(factors)
    weights = [matrix**3 for matrix in tree.likeness]
    plain = [np.arange(k) for k in tree.ranks]
    assert _crossings(weights, list(tree.order)) < 0.3 * _crossings(weights, plain)
