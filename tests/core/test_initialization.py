"""Starts: scikit-learn's values for a seed, and sense where scikit-learn has none."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition._nmf import _initialize_nmf

from nmf_core import leading
from nmf_core.fit import fit
from nmf_core.initialization import initialize
from nmf_core.problem import prepare
from nmf_core.types import INITS

DATA = {
    "iris": load_iris().data,
    "digits": load_digits().data,
    "wide": load_digits().data[:40].T[20:45],
    "square": np.random.default_rng(0).gamma(1, 1, (25, 25)),
}
DRAWN = [i for i in INITS if i != "custom"]


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", ["dense", "csr"])
@pytest.mark.parametrize("seed", [0, 11])
def test_random_draws_scikit_learns_numbers(name, dtype, kind, seed):
    X = DATA[name].astype(dtype)
    X = sp.csr_array(X) if kind == "csr" else X
    W, H = initialize(prepare(X), 4, "random", seed=seed)
    W_theirs, H_theirs = _initialize_nmf(X, 4, init="random", random_state=seed)
    np.testing.assert_allclose(W, W_theirs, rtol=1e-6 if dtype is np.float32 else 1e-14)
    np.testing.assert_allclose(H, H_theirs, rtol=1e-6 if dtype is np.float32 else 1e-14)
    assert W.dtype == H.dtype == dtype


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("init", ["nndsvd", "nndsvda", "nndsvdar"])
@pytest.mark.parametrize("kind", ["dense", "csr"])
@pytest.mark.parametrize("rank", [1, 2, 4])
def test_nndsvd_gives_scikit_learns_values(name, init, kind, rank):
    X = DATA[name]
    X = sp.csr_array(X) if kind == "csr" else X
    W, H = initialize(prepare(X), rank, init, seed=3)
    W_theirs, H_theirs = _initialize_nmf(X, rank, init=init, random_state=3)
    close = {"rtol": 1e-4, "atol": 1e-3 if name == "square" else 1e-4}  # theirs are approximate where spectra are flat
    np.testing.assert_allclose(W, W_theirs, **close)
    np.testing.assert_allclose(H, H_theirs, **close)


@pytest.mark.parametrize(("kind", "shape"), [("dense", (80, 60)), ("csr", (80, 60)), ("csr", (60, 80))])
def test_randomised_vectors_give_scikit_learns_values(monkeypatch, kind, shape):
    """On a matrix too large for Gram matrices the same random sketch is taken as there, so even its errors agree."""
    monkeypatch.setattr(leading, "GRAM_SIDE", 0)
    X = np.random.default_rng(1).gamma(1, 1, shape)
    X = sp.csr_array(X * (X > 1)) if kind == "csr" else X
    W, H = initialize(prepare(X), 5, "nndsvd", seed=3)
    W_theirs, H_theirs = _initialize_nmf(X, 5, init="nndsvd", random_state=3)
    np.testing.assert_allclose(W, W_theirs, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(H, H_theirs, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("init", DRAWN)
@pytest.mark.parametrize(
    "kind", ["dense", "csr", "missing", "unstored", "zeros", "row", "column", "low rank", "empty row"]
)
def test_every_start_is_usable_on_every_kind(init, kind):
    rng = np.random.default_rng(4)
    X, mask, rank = rng.gamma(1, 1, (12, 9)), None, 3
    if kind == "csr":
        X = sp.csr_array(X * (X > 1))
    elif kind == "missing":
        X[rng.random(X.shape) < 0.3] = np.nan
        X[2], X[:, 4] = np.nan, np.nan
    elif kind == "unstored":
        X, mask = sp.csr_array(X * (X > 1)), "unstored"
    elif kind == "zeros":
        X[:] = 0
    elif kind == "row":
        X, rank = X[:1], 1
    elif kind == "column":
        X, rank = X[:, :1], 1
    elif kind == "low rank":
        X = np.outer(X[:, 0], X[0])
    elif kind == "empty row":
        X[3], X[:, 5] = 0, 0
    problem = prepare(X, mask=mask)
    W, H = initialize(problem, rank, init, seed=1)
    again = initialize(problem, rank, init, seed=1)
    assert W.shape == (problem.shape[0], rank)
    assert H.shape == (rank, problem.shape[1])
    for F, other in zip((W, H), again, strict=True):
        assert np.isfinite(F).all()
        assert (F >= 0).all()
        assert np.array_equal(F, other)


@pytest.mark.parametrize("init", DRAWN)
def test_restarts_differ_and_do_not_depend_on_each_other(init):
    problem = prepare(DATA["digits"][:200])
    starts = [initialize(problem, 5, init, seed=2, restart=i)[0] for i in range(3)]
    assert not np.allclose(starts[1], starts[2])
    assert not np.allclose(starts[0], starts[1])
    assert np.array_equal(starts[2], initialize(problem, 5, init, seed=2, restart=2)[0])


def test_k_means_starts_from_the_centres_of_the_groups():
    X = np.vstack([np.tile([9.0, 0, 0], (10, 1)), np.tile([0, 5.0, 5.0], (10, 1))])
    W, H = initialize(prepare(X), 2, "kmeans", seed=0)
    shapes = H / H.sum(axis=1, keepdims=True)
    assert sorted(np.round(shapes, 6).tolist()) == [[0.0, 0.5, 0.5], [1.0, 0.0, 0.0]]
    assert (W[:10].argmax(axis=1) == W[0].argmax()).all()
    assert W[0].argmax() != W[-1].argmax()


def test_missing_cells_are_filled_from_the_margins():
    """A rank-1 matrix with holes is completed exactly by its margins only if the holes are: here the start is close."""
    truth = np.outer(np.arange(1.0, 21.0), [1.0, 2.0, 3.0, 4.0])
    X = truth.copy()
    X[::3, 1] = np.nan
    W, H = initialize(prepare(X), 1, "nndsvda")
    assert np.abs(W @ H - truth).max() < 0.2 * truth.max()


def test_float32_start_matches_float64():
    X = DATA["digits"]
    doubles, singles = (initialize(prepare(A), 6, "nndsvda") for A in (X, X.astype(np.float32)))
    for double, single in zip(doubles, singles, strict=True):
        np.testing.assert_allclose(single, double, atol=2e-4)
        assert single.dtype == np.float32


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ({"init": "nndsvda", "rank": 5}, "use init='random' for 5 components"),
        ({"init": "custom", "rank": 2}, "needs both W and H"),
        ({"init": "custom", "rank": 2, "W": np.ones((150, 3)), "H": np.ones((2, 4))}, r"W: needs shape \(150, 2\)"),
        ({"init": "custom", "rank": 2, "W": np.ones((150, 2)), "H": -np.ones((2, 4))}, "H: must be finite and ≥ 0"),
        ({"init": "random", "rank": 2, "W": np.ones((150, 2))}, "only used with init='custom'"),
        ({"init": "kmeans", "rank": 151}, "at least as many samples"),
        ({"rank": 2, "update_H": False}, "give the components"),
    ],
)
def test_what_cannot_start_gets_a_sentence(args, sentence):
    with pytest.raises(ValueError, match=sentence):
        fit(DATA["iris"], **args)


def test_more_components_than_features_start_at_random():
    result = fit(DATA["iris"], rank=6, init="random", max_iter=200)
    assert result.H.shape == (6, 4)
    assert result.loss < 1.0
