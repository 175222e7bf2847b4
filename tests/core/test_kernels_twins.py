"""Compiled kernels against their NumPy twins (same bits) and the twins against textbook formulas."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from nmf_core import kernels
from nmf_core.fit import fit
from nmf_core.kernels import divergence_twins, threads, twins
from nmf_core.kernels.abreast import LAID, LIBRARY, ROWS
from nmf_core.kernels.blas import product
from nmf_core.kernels.dense import form_of, laid_out, parts_of
from nmf_core.loss import objective
from nmf_core.problem import prepare
from nmf_core.solvers import eahals

SHAPES = [(150, 4, 3), (4, 150, 3), (1, 50, 1), (50, 1, 1), (300, 300, 1), (600, 70, 9), (70, 600, 17), (2600, 150, 25)]
KL, IS = "kullback-leibler", "itakura-saito"


@pytest.fixture(scope="module", autouse=True)
def _compiled():
    families = ("dense", "sparse", "divergence", "counts", "known")
    kernels.warm_up(families, wait=True)
    words = kernels.status()
    assert all(words[f"{family} {dtype}"] == "ready" for family in families for dtype in ("float64", "float32")), words


def data(n, m, dtype, seed=0, share=0.3):
    rng = np.random.default_rng(seed)
    X = rng.gamma(1.0, 2.0, (n, m)).astype(dtype)
    X[rng.random((n, m)) < share] = 0
    return X


def same(X, **fields):
    """Fit with kernels and with twins, hold them against each other bit by bit, and return the first."""
    steps = 24 if min(X.shape) * max(X.shape) < 100_000 else 6
    fields = {"init": "random", "max_iter": steps, "tol": 0, **fields}
    fast = fit(X, **fields)
    with kernels.twins_only():
        slow = fit(X, **fields)
    np.testing.assert_array_equal(fast.trace.loss, slow.trace.loss)
    np.testing.assert_array_equal(fast.W, slow.W)
    np.testing.assert_array_equal(fast.H, slow.H)
    problem = prepare(X, beta=fast.request.beta, **{k: v for k, v in fields.items() if k in PREPARED})
    exact = objective(problem, fast.W, fast.H)
    single = problem.dtype == np.float32
    scale = max(problem.squares, problem.total) if single else 1.0
    assert fast.loss == pytest.approx(exact, rel=1e-5 if single else 1e-9, abs=1e-6 * scale if single else 1e-12)
    rise = np.diff(fast.trace.loss).max(initial=0.0)
    assert rise <= (1e-5 if single else 1e-12) * max(fast.trace.loss[0], 1e-12 * problem.squares)
    return fast


PREPARED = ("alpha_W", "alpha_H", "l1_ratio", "mask", "weights")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("n", "m", "rank"), SHAPES)
def test_eahals_dense(n, m, rank, dtype):
    same(data(n, m, dtype), rank=rank, solver="eahals")
    same(data(n, m, dtype), rank=rank, solver="eahals", alpha_W=0.01, alpha_H=0.02, l1_ratio=0.5)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("n", "m", "rank"), SHAPES)
def test_eahals_sparse(n, m, rank, dtype, monkeypatch):
    monkeypatch.setattr(eahals, "MOST_PASSES", 1)  # how many passes are affordable depends on the cells stored
    X = data(n, m, dtype, share=0.8)
    X[0, 0] = 1
    sparse = same(sp.csr_array(X), rank=rank, solver="eahals")
    dense = fit(X, rank=rank, solver="eahals", init="random", max_iter=sparse.n_iter, tol=0)
    if n >= m:  # wide dense X updates H first
        assert sparse.loss == pytest.approx(dense.loss, rel=1e-3 if dtype == np.float32 else 1e-7)
    same(sp.csr_array(X), rank=rank, solver="eahals", alpha_W=0.01, l1_ratio=0.5)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("n", "m", "rank"), SHAPES[:-1])
@pytest.mark.parametrize("loss", [KL, IS, 0.5, 1.5, 1.3, 2.7, -0.4])
def test_multiplicative_dense(n, m, rank, loss, dtype):
    positive = loss == IS or (loss != KL and loss <= 0)
    X = data(n, m, dtype, share=0.0 if positive else 0.3) + (dtype(0.01) if positive else dtype(0))
    same(X, rank=rank, solver="bmme", loss=loss)
    weights = np.random.default_rng(1).choice([0.0, 1.0, 2.5], (n, m), p=[0.2, 0.6, 0.2])
    weights[0, 0] = 1.0
    same(X, rank=rank, solver="bmme", loss=loss, weights=weights, alpha_W=0.01, l1_ratio=1.0)
    same(X, rank=rank, solver="bmme", loss=loss, weights=weights, alpha_W=0.01, l1_ratio=0.5)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("mask", [None, "unstored"])
@pytest.mark.parametrize(("n", "m", "rank"), SHAPES[:-1])
def test_multiplicative_sparse(n, m, rank, mask, dtype):
    X = data(n, m, dtype, share=0.8)
    X[0, 0] = 1
    same(sp.csr_array(X), rank=rank, solver="bmme", loss=KL, mask=mask)
    same(sp.csr_array(X), rank=rank, solver="bmme", loss=KL, mask=mask, alpha_W=0.01, l1_ratio=0.5)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("n", "m", "rank"), SHAPES[:-1])
def test_coordinate_newton(n, m, rank, dtype):
    X = data(n, m, dtype, share=0.8)
    X[0, 0] = 1
    sparse = same(sp.csr_array(X), rank=rank, solver="ccd", loss=KL, max_iter=12)
    dense = same(X, rank=rank, solver="ccd", loss=KL, max_iter=12, alpha_W=0.01, l1_ratio=0.5)
    assert dense.loss != sparse.loss
    if rank == 1:  # the optimum of rank 1 is row sums · column sums / total
        best = np.outer(X.sum(axis=1, dtype=float), X.sum(axis=0, dtype=float)) / X.sum(dtype=float)
        np.testing.assert_allclose(sparse.W @ sparse.H, best, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("n", "m", "rank"), SHAPES[:-1])
def test_known_cells(n, m, rank, dtype):
    X = data(n, m, dtype)
    rng = np.random.default_rng(1)
    mask = rng.random((n, m)) < 0.3
    weights = rng.choice([0.0, 1.0, 2.5], (n, m), p=[0.2, 0.6, 0.2])
    mask[0, 0], weights[0, 0] = False, 1.0
    same(X, rank=rank, mask=mask)
    same(X, rank=rank, weights=weights, alpha_W=0.01, alpha_H=0.02, l1_ratio=0.5)
    S = data(n, m, dtype, share=0.8)
    S[0, 0] = 1
    assert same(sp.csr_array(S), rank=rank, mask="unstored").request.solver == "eahals"


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 8), st.integers(0, 99), st.floats(0, 0.95))
def test_any_shape_with_empty_rows_and_columns(n, m, rank, seed, share):
    X = data(n, m, np.float64, seed, share)
    X[:, seed % m] = 0
    X[seed % n] = 0
    X[-1, -1] = 1
    same(X, rank=rank, solver="eahals", seed=seed)
    same(sp.csr_array(X), rank=rank, solver="eahals", seed=seed)
    same(X, rank=rank, solver="bmme", loss=KL, seed=seed)
    same(sp.csr_array(X), rank=rank, solver="bmme", loss=KL, seed=seed)
    same(sp.csr_array(X), rank=rank, solver="ccd", loss=KL, seed=seed)
    same(sp.csr_array(X), rank=rank, solver="eahals", mask="unstored", seed=seed)


def test_all_zero_component_is_left_alone():
    X = data(40, 30, np.float64)
    rng = np.random.default_rng(0)
    W, H = rng.random((40, 3)), rng.random((3, 30))
    W[:, 1], H[1] = 0, 0
    result = same(X, rank=3, solver="eahals", init="custom", W=W, H=H)
    assert np.isfinite(result.W).all()
    assert not result.H[1].any()


def test_exact_low_rank_reaches_rounding():
    rng = np.random.default_rng(3)
    X = rng.random((60, 3)) @ rng.random((3, 40))
    result = same(X, rank=3, solver="eahals", max_iter=2000)
    assert result.loss <= 1e-20 * float((X**2).sum())


@pytest.mark.parametrize(
    ("X", "fields"),
    [
        (data(9000, 120, np.float64), {"rank": 12, "solver": "eahals"}),
        (data(130, 9000, np.float32), {"rank": 12, "solver": "eahals"}),
        (sp.csr_array(data(3000, 200, np.float64, share=0.95)), {"rank": 10, "solver": "eahals"}),
        (data(900, 200, np.float64), {"rank": 6, "solver": "bmme", "loss": KL}),
        (sp.csr_array(data(3000, 200, np.float32, share=0.95)), {"rank": 10, "solver": "bmme", "loss": KL}),
    ],
)
def test_number_of_threads_changes_no_bit(X, fields, monkeypatch):
    monkeypatch.setattr(threads, "cores", lambda: 4)
    results = []
    for count in (1, 2, 4):
        threads.set_limit(count)
        assert threads.limit() == count
        results.append(fit(X, init="random", max_iter=7, tol=0, **fields))
    threads.set_limit(None)
    for other in results[1:]:
        np.testing.assert_array_equal(results[0].trace.loss, other.trace.loss)
        np.testing.assert_array_equal(results[0].W, other.W)
        np.testing.assert_array_equal(results[0].H, other.H)


def test_read_only_input_and_wide_indices():
    X = data(50, 20, np.float64)
    X.flags.writeable = False
    same(X, rank=3, solver="eahals")
    S = sp.csr_array(data(50, 20, np.float64, share=0.8))
    S.indices, S.indptr = S.indices.astype(np.int64), S.indptr.astype(np.int64)
    result = same(S, rank=3, solver="eahals")
    assert result.loss == same(sp.csr_array(S.toarray()), rank=3, solver="eahals").loss


def test_sweep_is_exact_coordinate_minimization():
    rng = np.random.default_rng(0)
    B, X, F = rng.random((4, 30)), rng.random((30, 9)), rng.random((4, 9))
    expected = F.copy()
    for _ in range(3):
        for k in range(4):
            residual = X - B.T @ expected + np.outer(B[k], expected[k])
            expected[k] = np.maximum(B[k] @ residual / (B[k] @ B[k]), 0)
    gram = B @ B.T
    off, inverse = twins.split_gram(gram, 0.0)
    swept = np.empty_like(F)
    twins.sweep(F, B @ X, np.zeros(1), off, inverse, 3, swept, 0, 9)
    np.testing.assert_allclose(swept, expected, rtol=1e-12)


def test_multiplicative_update_is_the_published_one():
    X = np.array([[1.0, 2, 0], [3, 4, 1], [0, 1, 5], [2, 0, 1]])
    W = np.array([[0.5, 1], [1, 0.25], [0.75, 0.5], [1, 1]])
    H = np.array([[1, 0.5, 0.25], [0.5, 1, 2]])
    result = fit(X.T, rank=2, solver="bmme", loss=KL, init="custom", W=H.T, H=W.T, max_iter=1)
    np.testing.assert_allclose(
        result.W.T,
        [[1.384615385, 1.075457875, 0.379667117], [0.545454545, 1.274458874, 2.096757054]],
        rtol=1e-8,
    )


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 3e-16), (np.float32, 2e-7)])
def test_logarithm(dtype, tolerance):
    x = np.exp(np.random.default_rng(0).uniform(-60, 60, 20000)).astype(dtype)
    exact = np.log(x.astype(np.longdouble))
    error = np.abs(divergence_twins.log_of(x) - exact) / np.maximum(np.abs(exact), 0.5)
    assert error.max() <= tolerance


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 2e-14), (np.float32, 1e-5)])
@pytest.mark.parametrize("exponent", [-2.0, -1.5, -0.5, 0.5, 1.0, 2.0, 0.3, -1.7, 2.6])
def test_powers(exponent, dtype, tolerance):
    x = np.exp(np.random.default_rng(0).uniform(-20, 20, 20000)).astype(dtype)
    exact = x.astype(np.longdouble) ** np.longdouble(exponent)
    within = (exact < np.finfo(dtype).max / 10) & (exact > np.finfo(dtype).tiny * 10)
    error = np.abs(divergence_twins.power_of(x, exponent) / exact - 1)[within]
    assert error.max() <= tolerance


@pytest.mark.parametrize("loss", [KL, IS, 0.5, 1.5, 3.0])
def test_a_small_fit_reaches_an_exact_product_through_the_compiled_loop(loss):
    rng = np.random.default_rng(3)
    X = rng.gamma(1, 1, (40, 2)) @ rng.gamma(1, 1, (2, 9)) + 1e-9
    result = same(X, rank=2, solver="bmme", loss=loss, max_iter=4000)
    assert np.linalg.norm(X - result.W @ result.H) < 5e-3 * np.linalg.norm(X)
    one, parts = {"rank": 2, "solver": "bmme", "loss": loss, "init": "random", "tol": 0}, []
    whole = fit(X, **one, max_iter=37)
    part = None
    for stop in (1, 9, 20, 37):
        part = fit(X, **one, max_iter=stop, continue_from=part)
        parts.append(part.n_iter)
    assert parts == [1, 9, 20, 37]
    np.testing.assert_array_equal(part.W, whole.W)
    np.testing.assert_array_equal(part.trace.loss, whole.trace.loss)


def test_no_fit_makes_a_user_wait_for_the_compiler():
    """A call with types that were not compiled for would compile anew, for seconds, in the middle of the fit."""
    from nmf_core.kernels import _counts, _dense, _divergence, _known, _sparse

    kinds = {(m, name): getattr(m, name) for m in (_counts, _dense, _divergence, _known, _sparse)
             for name in m.signatures(np.dtype(float))}  # fmt: skip
    before = {kind: len(function.signatures) for kind, function in kinds.items()}
    for dtype in (np.float64, np.float32):
        X = data(40, 9, dtype)
        locked, gaps = X.copy(), X.copy()
        locked.setflags(write=False)
        gaps[3, 4] = np.nan
        for table in (X, locked, gaps, sp.csr_array(X), data(600, 70, dtype), sp.csr_array(data(600, 70, dtype))):
            for solver, loss in (("eahals", "frobenius"), ("bmme", KL), ("ccd", KL), ("bmme", 1.5)):
                if table is gaps and solver == "ccd":
                    continue
                assert fit(table, rank=3, solver=solver, loss=loss, max_iter=12).n_iter > 0
    assert {kind: len(function.signatures) for kind, function in kinds.items()} == before


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("loss", [KL, IS, 1.3])
def test_fixed_H_stays_and_W_is_sought_alike_by_kernels_and_twins(loss, dtype):
    X = data(300, 40, dtype, share=0.0) + dtype(0.1)
    H = np.random.default_rng(2).random((4, 40)).astype(dtype)
    fixed = {
        "rank": 4,
        "solver": "bmme",
        "loss": loss,
        "init": "custom",
        "H": H,
        "update_H": False,
        "max_iter": 30,
        "tol": 0,
        "alpha_W": 0.01,
    }
    fast = fit(X, **fixed)
    with kernels.twins_only():
        slow = fit(X, **fixed)
    np.testing.assert_array_equal(fast.W, slow.W)
    np.testing.assert_array_equal(fast.H, H)
    assert fast.trace.loss[-1] < 0.9 * fast.trace.loss[0]


def test_product_takes_slices_transposes_and_adds():
    rng = np.random.default_rng(0)
    A, B = rng.random((7, 40)), rng.random((40, 5))
    np.testing.assert_allclose(product(A[:, 3:20], B[3:20]), A[:, 3:20] @ B[3:20])
    np.testing.assert_allclose(product(B.T, A.T), B.T @ A.T)
    C = np.ones((7, 5))
    expected = 1 + A @ B
    assert product(A, B, C) is C
    np.testing.assert_allclose(C, expected)
    np.testing.assert_allclose(product(A[::2, ::2], B[::2]), A[::2, ::2] @ B[::2])


def test_residual_equals_the_plain_sum():
    X, rng = data(300, 40, np.float64), np.random.default_rng(1)
    A, B = rng.random((3, 300)), rng.random((3, 40))
    expected = ((X - A.T @ B) ** 2).sum()
    assert twins.residual(X, False, A, B, 0, 300) == pytest.approx(expected, rel=1e-12)
    assert twins.residual(np.ascontiguousarray(X.T), True, A, B, 0, 300) == pytest.approx(expected, rel=1e-12)


def test_the_twin_takes_rows_without_any_stored_cell():
    from nmf_core.kernels.divergence_twins import _at_stored

    F, other = np.ones((5, 16)), np.ones((4, 16))
    assert _at_stored(np.zeros(6, np.int32), np.zeros(0, np.int32), F, other, 0, 5).shape == (0,)
    some = _at_stored(np.array([0, 2, 2, 3], np.int32), np.array([1, 3, 0], np.int32), F[:3], other, 0, 3)
    np.testing.assert_array_equal(some, [16, 16, 16])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("rank", "M", "N"), [(1, 1, 1), (3, 4, 150), (4, 7, 33), (5, 16, 64), (6, 21, 257), (11, 9, 7)]
)
def test_products_of_our_own(rank, M, N, dtype):
    rng = np.random.default_rng(rank)
    B, V = rng.random((rank, M)).astype(dtype), rng.random((rank, N)).astype(dtype)
    X = rng.random((M, N)).astype(dtype)
    exact = np.float64
    close = {"rtol": 1e-5 if dtype == np.float32 else 1e-13}
    np.testing.assert_allclose(twins.skinny_product(B, X), B.astype(exact) @ X.astype(exact), **close)
    np.testing.assert_allclose(twins.collected(V, X), V.astype(exact) @ X.T.astype(exact), **close)
    kernels.warm_up(["dense"], [dtype], wait=True)
    gram = np.empty((rank, rank), dtype)
    kernels.get("dense", "outer_gram", dtype)(V, gram)
    np.testing.assert_array_equal(gram, twins.collected(V, V))
    np.testing.assert_array_equal(gram, gram.T)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(1, 1), (150, 4), (4, 150), (17, 16), (100, 33)])
def test_x_in_one_panel(shape, dtype):
    kernels.warm_up(["dense"], [dtype], wait=True)
    X = np.random.default_rng(0).random(shape).astype(dtype)
    panel, long = laid_out(X), max(shape)
    np.testing.assert_array_equal(panel[:, :long], X if shape[0] < shape[1] else X.T)
    assert panel.ctypes.data % 64 == 0
    assert (panel[:, long : -(-long // (64 // X.itemsize)) * (64 // X.itemsize)] == 0).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("shape", "rank", "form"), [((4000, 150), 20, ROWS), ((150, 4000), 20, LAID), ((30_000, 20), 20, LAID)]
)
def test_large_x_in_every_form(shape, rank, form, dtype, monkeypatch):
    if dtype == np.float64 and shape[1] == 20:
        shape = (30_000, 17)
    X = data(*shape, dtype)
    assert form_of(shape, rank, X.itemsize) == form
    fields = {"rank": rank, "solver": "eahals", "alpha_W": 0.01, "l1_ratio": 0.5}
    fast = same(X, **fields)
    with monkeypatch.context() as patched, kernels.twins_only():
        patched.setattr(kernels, "enabled", lambda: False)
        assert form_of(shape, rank, X.itemsize) == LIBRARY
        plain = fit(X, init="random", max_iter=fast.n_iter, tol=0, **fields)
    assert plain.loss == pytest.approx(fast.loss, rel=1e-3 if dtype == np.float32 else 1e-7)


def test_parts_cover_the_longer_side_once():
    for shape in ((400, 2576), (20_001, 784), (200_000, 100), (3000, 3000)):
        parts = parts_of(shape, 40)
        assert [start for start, _ in parts] == [0, *(stop for _, stop in parts[:-1])]
        assert parts[-1][1] == max(shape)
        lengths = [stop - start for start, stop in parts]
        assert max(lengths[:-1]) - min(lengths) <= 16 * len(parts)
