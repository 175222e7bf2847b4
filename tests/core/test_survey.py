"""One look at X: its ends and sums, by kernel and twin alike."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmf_core import kernels
from nmf_core.initialization import initialize
from nmf_core.kernels import twins
from nmf_core.kernels.dense import DenseSystem
from nmf_core.problem import prepare


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    kernels.warm_up(["survey", "dense"], wait=True)


@given(st.integers(1, 70_000), st.integers(0, 99), st.sampled_from([np.float64, np.float32]))
def test_kernel_and_twin_give_the_same_bits_and_the_right_ones(size: int, seed: int, dtype: type) -> None:
    kernel = kernels.get("survey", "survey", dtype)
    assert kernel is not None
    x = np.random.default_rng(seed).gamma(0.5, 3.0, size).astype(dtype)
    found = kernel(x)
    assert found == twins.survey(x)
    exact = x.astype(np.float64)
    assert found[:2] == (exact.min(), exact.max())
    assert found[2:] == pytest.approx((exact.sum(), (exact**2).sum()), rel=1e-12)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 70, 149])
@pytest.mark.parametrize("compiled", [True, False])
def test_no_value_that_is_not_finite_is_overlooked(bad: float, place: int, compiled: bool) -> None:
    import scipy.sparse as sp

    X = sp.csr_array(np.arange(1.0, 151.0).reshape(15, 10))
    X.data[place] = bad
    with nullcontext() if compiled else kernels.twins_only(), pytest.raises(ValueError, match="infinite or NaN"):
        prepare(X)


def test_a_negative_value_is_named_wherever_it_stands() -> None:
    X = np.ones((40, 40))
    X[17, 3] = -0.25
    with pytest.raises(ValueError, match=r"negative values \(smallest -0\.25\)"):
        prepare(X)


@pytest.mark.parametrize("shape", [(900, 200), (200, 900), (4000, 300)])
@pytest.mark.parametrize("compiled", [True, False])
def test_an_iteration_without_passes_tells_the_terms_of_the_loss(shape: tuple[int, int], compiled: bool) -> None:
    X = np.random.default_rng(0).random(shape)
    problem = prepare(X)
    W, H = initialize(problem, 7, "random")
    A, B = (H, W.T) if shape[0] < shape[1] else (W.T, H)
    A, B = np.ascontiguousarray(A), np.ascontiguousarray(B)
    before = A.copy()
    system = DenseSystem(problem.X, 7, problem.squares, np.empty((0, 0)))
    with nullcontext() if compiled else kernels.twins_only():
        found = system.terms(A, B)
    assert found == pytest.approx(((X * (W @ H)).sum(), ((W @ H) ** 2).sum()), rel=1e-12)
    np.testing.assert_array_equal(A, before)
