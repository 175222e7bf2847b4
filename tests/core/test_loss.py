"""The objective against a plain cell-by-cell sum in extended precision, and where Gram matrices lose their digits."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from nmf_core.loss import frobenius, from_gram, objective
from nmf_core.problem import prepare

BETAS = [2.0, 1.0, 0.0, 0.5, 1.5, 3.0, -0.5]


def oracle(X, W, H, beta, weights=None):
    """Return Σ d_β(x | y) by its definition (Févotte & Idier 2011, eq. 3), one cell at a time."""
    total = np.longdouble(0)
    Y = W.astype(np.longdouble) @ H.astype(np.longdouble)
    for (i, j), x in np.ndenumerate(np.asarray(X, dtype=np.longdouble)):
        y, w = Y[i, j], 1.0 if weights is None else weights[i, j]
        if w == 0:
            continue
        if beta == 2.0:
            d = (x - y) ** 2 / 2
        elif beta == 1.0:
            d = (x * np.log(x / y) if x > 0 else 0) - x + y
        elif beta == 0.0:
            d = x / y - np.log(x / y) - 1
        else:
            d = (x**beta + (beta - 1) * y**beta - beta * x * y ** (beta - 1)) / (beta * (beta - 1))
        total += w * d
    return float(total)


def example(beta, seed=0):
    rng = np.random.default_rng(seed)
    X, W, H = rng.gamma(1, 1, (9, 7)), rng.gamma(1, 1, (9, 3)), rng.gamma(1, 1, (3, 7))
    if beta > 0:
        X[rng.random(X.shape) < 0.4] = 0
    return X, W, H


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize("kind", ["dense", "float32", "csr", "masked", "weighted", "unstored"])
def test_matches_the_definition(beta, kind):
    X, W, H = example(beta)
    rng = np.random.default_rng(1)
    weights, given, mask, digits = None, X, None, 1e-12
    if kind == "float32":
        given, digits = X.astype(np.float32), 3e-6
        W, H = W.astype(np.float32), H.astype(np.float32)
    elif kind == "csr":
        given = sp.csr_array(X)
    elif kind == "masked":
        weights = (rng.random(X.shape) < 0.7).astype(float)
        given = np.where(weights > 0, X, np.nan)
    elif kind == "weighted":
        weights = rng.integers(0, 4, X.shape).astype(float)
    elif kind == "unstored":
        given, mask, weights = sp.csr_array(X), "unstored", (X > 0).astype(float)
    problem = prepare(given, beta=beta, mask=mask, weights=weights if kind == "weighted" else None)
    assert objective(problem, W, H) == pytest.approx(oracle(X, W, H, beta, weights), rel=digits)


@pytest.mark.parametrize("beta", BETAS)
def test_is_zero_where_wh_is_x(beta):
    _, W, H = example(beta)
    X = W @ H
    assert objective(prepare(X, beta=beta), W, H) == pytest.approx(0, abs=1e-13 * X.size * max(1.0, X.max() ** beta))


@pytest.mark.parametrize("beta", [b for b in BETAS if b != 2.0])
@pytest.mark.parametrize("kind", ["dense", "csr", "masked"])
def test_keeps_its_digits_near_an_exact_fit(beta, kind):
    """By its definition the loss of such a fit comes out as rounding noise of either sign."""
    _, W, H = example(beta)
    X = (W @ H) * (1 + 1e-6 * np.random.default_rng(3).standard_normal((9, 7)))
    known = np.ones(X.shape) if kind != "masked" else (np.random.default_rng(5).random(X.shape) < 0.8).astype(float)
    given = sp.csr_array(X) if kind == "csr" else np.where(known > 0, X, np.nan)
    assert objective(prepare(given, beta=beta), W, H) == pytest.approx(oracle(X, W, H, beta, known), rel=1e-5)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(BETAS))
def test_is_never_negative(seed, beta):
    X, W, H = example(beta, seed)
    assert objective(prepare(X, beta=beta), W, H) >= 0


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("residual", [1.0, 1e-2, 1e-4, 1e-6, 1e-8, 1e-10])
@pytest.mark.parametrize("kind", ["dense", "csr"])
def test_gram_form_switches_before_it_loses_its_digits(dtype, residual, kind):
    """From Gram matrices the loss of a nearly exact fit comes out wrong or negative; ours must not."""
    rng = np.random.default_rng(2)
    W, H = rng.random((60, 4)).astype(dtype), rng.random((4, 50)).astype(dtype)
    X = np.maximum(W.astype(float) @ H + residual * rng.standard_normal((60, 50)), 0).astype(dtype)
    problem = prepare(X if kind == "dense" else sp.csr_array(X))
    WtX, WtW = problem.Wt_times(W), W.T @ W
    value = from_gram(problem, W, H, WtX, WtW, H @ H.T, H)
    true = 0.5 * float(((X.astype(float) - W.astype(float) @ H.astype(float)) ** 2).sum())
    floor = 0.5 * float(np.finfo(dtype).eps * 4) ** 2 * float((X.astype(float) ** 2).sum())
    assert value >= 0
    assert value == pytest.approx(true, rel=1e-3 if dtype is np.float32 else 1e-5, abs=floor)


def test_penalties_have_scikit_learns_scale():
    X, W, H = example(2.0)
    problem = prepare(X, alpha_W=0.3, alpha_H=0.2, l1_ratio=0.25)
    n, m = X.shape
    expected = 0.5 * ((X - W @ H) ** 2).sum()
    expected += 0.3 * m * (0.25 * W.sum() + 0.75 / 2 * (W**2).sum())
    expected += 0.2 * n * (0.25 * H.sum() + 0.75 / 2 * (H**2).sum())
    assert objective(problem, W, H) == pytest.approx(expected, rel=1e-13)


def test_a_huge_sparse_matrix_is_never_compared_with_a_dense_one():
    n = 30_000
    X = sp.csr_array(([3.0, 4.0], ([5, n - 1], [7, n - 2])), shape=(n, n))
    W, H = np.zeros((n, 1)), np.zeros((1, n))
    W[5], H[0, 7] = 3.0, 1.0
    assert frobenius(prepare(X), W, H) == pytest.approx(8.0)
