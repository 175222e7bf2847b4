"""Held-out error: no leak, exact cases, the compiled and the plain form agree."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from nmf_core import kernels
from nmf_core.selection import crossval
from nmf_core.selection.heldout_fit import masked_fit, nonnegative_passes


def product(n, m, rank, seed=0, noise=0.0):
    rng = np.random.default_rng(seed)
    S = rng.gamma(0.7, 1, (n, rank)) @ rng.gamma(0.7, 1, (rank, m))
    return np.abs(S + noise * S.std() * rng.standard_normal(S.shape))


@pytest.mark.parametrize("loss", ["frobenius", "kullback-leibler", "itakura-saito", 1.5])
def test_a_fit_does_not_change_when_held_out_cells_change(loss):
    X = product(30, 12, 3, noise=0.1) + 0.1
    test = crossval.speckles(np.ones(X.shape, bool), 10, 0.1, 0)[0]
    changed = X.copy()
    changed[test] = 1e6
    lost = X.copy()
    lost[test] = np.nan
    fits = [masked_fit(Z, test, 3, seed=1, loss=loss, max_iter=40) for Z in (X, changed, lost)]
    for W, H, value in fits[1:]:
        np.testing.assert_array_equal(W, fits[0][0])
        np.testing.assert_array_equal(H, fits[0][1])
        assert value == fits[0][2]


def test_stored_cells_held_out_do_not_reach_the_fit():
    rng = np.random.default_rng(0)
    X = sp.csr_array(product(30, 20, 2) * (rng.random((30, 20)) < 0.5))
    test = rng.permutation(X.nnz)[: X.nnz // 10]
    changed = X.copy()
    changed.data[test] = 1e6
    (before, plain), (after, other) = (crossval.stored_prediction(Z, test, 2, seed=0) for Z in (X, changed))
    np.testing.assert_array_equal(plain, other)
    np.testing.assert_array_equal(before, X.data[test])
    np.testing.assert_array_equal(after, 1e6)
    # Rows with one known cell are fitted by any weight; no prediction leaves the range of the known values.
    few = sp.csr_array(np.where(rng.random((40, 30)) < 0.08, 1 + 4 * rng.random((40, 30)), 0))
    _, bold = crossval.stored_prediction(few, np.arange(0, few.nnz, 5), 4, seed=0)
    assert few.data.min() <= bold.min() <= bold.max() <= few.data.max()


@pytest.mark.parametrize("loss", ["frobenius", "kullback-leibler"])
def test_compiled_and_plain_fits_agree(loss):
    kernels.warm_up(["heldout"], ("float64",), wait=True)
    assert kernels.ready("heldout")
    X = product(25, 14, 3, noise=0.2)
    test = crossval.speckles(np.ones(X.shape, bool), 5, 0.2, 3)[1]
    fast = masked_fit(X, test, 3, seed=2, loss=loss, max_iter=60, tol=0)
    with kernels.twins_only():
        plain = masked_fit(X, test, 3, seed=2, loss=loss, max_iter=60, tol=0)
    np.testing.assert_allclose(fast[0] @ fast[1], plain[0] @ plain[1], rtol=1e-6, atol=1e-8)
    assert fast[2] == pytest.approx(plain[2], rel=1e-8)


@pytest.mark.parametrize("loss", ["frobenius", "kullback-leibler"])
def test_training_loss_never_rises(loss):
    X = product(25, 14, 4, noise=0.3)
    test = crossval.speckles(np.ones(X.shape, bool), 5, 0.2, 3)[0]
    losses = [masked_fit(X, test, 4, seed=2, loss=loss, n_starts=1, max_iter=i, tol=0)[2] for i in (1, 2, 4, 8, 16, 64)]
    assert (np.diff(losses) <= 1e-12).all()


def test_speckles_cover_every_known_cell_once():
    known = np.random.default_rng(0).random((20, 9)) < 0.8
    seen = np.zeros(known.shape, int)
    for rows, cols in crossval.speckles(known, 10, 0.1, 1):
        seen[rows, cols] += 1
    assert seen[~known].sum() == 0
    assert seen[known].max() == 1
    assert seen[known].mean() > 0.99


def test_speckles_never_empty_a_row_or_a_column():
    known = np.ones((12, 2), bool)
    for rows, cols in crossval.speckles(known, 3, 0.33, 0):
        left = known.copy()
        left[rows, cols] = False
        assert left.any(axis=0).all()
        assert left.any(axis=1).all()


def test_speckled_error_tells_the_rank():
    X = product(60, 30, 4, noise=0.05)
    folds = crossval.speckles(np.ones(X.shape, bool), 4, 0.1, 0)
    error = [np.mean([crossval.speckled_error(X, f, k, seed=k) for f in folds]) for k in range(1, 7)]
    assert int(np.argmin(error)) + 1 == 4


def test_bi_cross_validation_is_exact_without_noise():
    X = product(30, 20, 3, seed=5)
    for rows, cols in crossval.blocks(30, 20, 3, 0)[:4]:
        assert crossval.bicross_svd_error(X, rows, cols, 3) < 1e-20 * np.mean(X**2)
        # Not to rounding: a block may have several exact non-negative factorizations, and not each holds its neighbours.
        assert crossval.bicross_error(X, rows, cols, 3, seed=0, max_iter=3000, tol=1e-12) < 5e-3 * np.mean(X**2)
        assert crossval.bicross_error(X, rows, cols, 1, seed=0) > 1e-2 * np.mean(X**2)


def test_bi_cross_validation_is_the_same_on_sparse_data():
    X = product(40, 24, 2, noise=0.1) * (np.random.default_rng(0).random((40, 24)) < 0.6)
    rows, cols = crossval.blocks(40, 24, 3, 0)[0]
    dense = crossval.bicross_error(X, rows, cols, 2, seed=0, tol=1e-9, max_iter=2000)
    sparse = crossval.bicross_error(sp.csr_array(X), rows, cols, 2, seed=0, tol=1e-9, max_iter=2000)
    assert sparse == pytest.approx(dense, rel=0.02)


def test_blocks_cover_the_matrix_once():
    seen = np.zeros((10, 7), int)
    for rows, cols in crossval.blocks(10, 7, 3, 2):
        seen[np.ix_(rows, cols)] += 1
    assert (seen == 1).all()


def test_nonnegative_regression_matches_scipy():
    from scipy.optimize import nnls

    rng = np.random.default_rng(3)
    H, X = rng.random((4, 15)), rng.random((6, 15))
    expected = np.stack([nnls(H.T, x)[0] for x in X])
    np.testing.assert_allclose(crossval.regressed(X, H, 2000), expected, atol=1e-7)
    with kernels.twins_only():
        np.testing.assert_allclose(nonnegative_passes(X @ H.T, H @ H.T, expected * 0, 4000), expected, atol=1e-7)


def test_mean_loss_is_zero_only_where_the_prediction_is_right():
    x = np.array([0.5, 2.0, 3.0])
    for loss in ("frobenius", "kullback-leibler", "itakura-saito", 0.5, 3.0):
        assert crossval.mean_loss(x, x, loss) == pytest.approx(0, abs=1e-12)
        assert crossval.mean_loss(x, 1.3 * x, loss) > 0
