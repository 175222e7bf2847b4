"""The solver that holds parts to a smallest sparseness."""

import numpy as np
import pytest
from scipy.optimize import minimize

from nmf_core import fit, load_dataset
from nmf_core.quality import hoyer
from nmf_core.solvers.sparse_parts import sparse_enough


@pytest.mark.parametrize("sparseness", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("n", [3, 10, 500])
def test_projection_is_sparse_enough_and_nearest(n, sparseness):
    rng = np.random.default_rng(n)
    row = rng.normal(size=n) + 0.4
    h = sparse_enough(row, sparseness)
    assert h.min() >= 0
    assert float(hoyer(h[None])[0]) >= sparseness - 1e-9
    # Nearest: no vector that is as sparse, among many, lies closer.
    for _ in range(300):
        other = sparse_enough(row + rng.normal(scale=0.3, size=n), sparseness)
        length = float(other @ other)
        if length:
            other = other * max(float(row @ other) / length, 0.0)
        assert np.linalg.norm(row - h) <= np.linalg.norm(row - other) + 1e-9


def test_projection_agrees_with_a_general_optimizer():
    row, s = np.array([0.9, 0.7, 0.65, 0.2, -0.3]), 0.5
    k = np.sqrt(5) - s * (np.sqrt(5) - 1)
    found = minimize(
        lambda h: float(((h - row) ** 2).sum()),
        np.array([0.9, 0.3, 0.3, 0.01, 0.01]),
        bounds=[(0, None)] * 5,
        constraints={"type": "ineq", "fun": lambda h: k * np.linalg.norm(h) - h.sum()},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )
    np.testing.assert_allclose(sparse_enough(row, s), found.x, atol=2e-5)


@pytest.mark.parametrize("row", [np.ones(9), np.zeros(9), -np.ones(9), np.r_[np.ones(4), np.zeros(5)]])
def test_projection_of_ties_and_empty_rows(row):
    h = sparse_enough(row, 0.7)
    assert np.isfinite(h).all()
    assert h.min() >= 0
    assert not h.any() or float(hoyer(h[None])[0]) >= 0.7 - 1e-9
    assert h.any() == (row.max() > 0)


def test_a_row_that_is_sparse_enough_stays():
    row = np.array([0.0, 3.0, 0.0, 0.1])
    np.testing.assert_array_equal(sparse_enough(row, 0.5), row)


def test_loss_never_rises_and_every_part_is_sparse_enough():
    X = load_dataset("digits").X
    result = fit(X, rank=12, solver="sparse_parts", options=(("sparseness", 0.7),), max_iter=60, tol=0.0)
    assert (np.diff(result.trace.loss) <= 1e-9 * result.trace.loss[0]).all()
    assert hoyer(result.H).min() >= 0.7 - 1e-9
    plain = fit(X, rank=12, solver="sparse_parts", max_iter=60, tol=0.0)
    assert hoyer(plain.H).min() < 0.6
    strict = fit(X, rank=12, solver="sparse_parts", options=(("sparseness", 0.9),), max_iter=60, tol=0.0)
    assert hoyer(strict.H).min() >= 0.9 - 1e-9
    assert strict.loss > 1.2 * result.loss
