"""Steps of the multiplicative updates: one pass over X against its twin and plain formulas, and the loop around it."""

import numpy as np
import pytest
import scipy.sparse as sp

from nmf_core import kernels
from nmf_core.kernels import divergence_twins as twins
from nmf_core.kernels import multiplicative
from nmf_core.kernels.multiplicative import Point, aligned
from nmf_core.loss import objective
from nmf_core.problem import prepare
from nmf_core.solvers.bmme import ExtrapolatedMultiplicativeUpdates, _system


@pytest.fixture(scope="module", autouse=True)
def _compiled():
    kernels.warm_up(("divergence", "counts"), wait=True)


def factors(n, m, rank, dtype, seed=0):
    rng = np.random.default_rng(seed)
    return rng.gamma(1.0, 1.0, (n, rank)).astype(dtype), rng.gamma(1.0, 1.0, (rank, m)).astype(dtype)


def table(n, m, dtype, seed=1):
    return np.random.default_rng(seed).gamma(0.5, 2.0, (n, m)).astype(dtype) + dtype(1e-3)


def swept(function, X, w, beta, W, H, near, block, wide, halves):
    (n, m), rank, dtype = X.shape, len(H), X.dtype
    panel, up, down = (aligned(rank, m, dtype) for _ in range(3))
    panel[:, :m] = H
    near, far = near.copy(), np.zeros_like(W)
    numbers = np.array([1e-12, 0.01, 0.02, 1e-30, 0.3], dtype)
    sums = twins.row_sums(H).astype(dtype)
    masked = w is not None
    at = (X, w if masked else X, masked, beta, 0.7, W, panel, sums, near, far, numbers, 2, n - 1, block, wide, halves)
    value = function(*at, True, up, down)
    return value, near, far, up[:, :m], down[:, :m]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("beta", [1.0, 0.0, 0.5, 1.3, 2.0, 3.0, -0.4])
@pytest.mark.parametrize(
    ("n", "m", "rank", "block", "wide"),
    [(40, 1, 1, 16, 64), (21, 16, 4, 8, 64), (30, 61, 7, 12, 64), (50, 150, 18, 256, 64), (9, 700, 3, 8, 256), (9, 33, 60, 8, 64)],
)  # fmt: skip
def test_a_sweep_is_that_of_its_twin_and_of_the_formulas(n, m, rank, block, wide, beta, masked, dtype):
    X, (W, H) = table(n, m, dtype), factors(n, m, rank, dtype)
    near = factors(n, m, rank, dtype, 5)[0]
    w = np.random.default_rng(2).choice([0.0, 1.0, 2.5], (n, m)).astype(dtype) if masked else None
    kernel = kernels.get("divergence", "sweep_rows", dtype)
    for halves in (0, 1, 2):
        fast = swept(kernel, X, w, beta, W, H, near, block, wide, halves)
        slow = swept(twins.sweep_rows, X, w, beta, W, H, near, block, wide, halves)
        assert fast[0] == slow[0]
        for ours, theirs in zip(fast[1:], slow[1:], strict=True):
            np.testing.assert_array_equal(ours, theirs)
    value, new, far, up, down = fast
    rows, close = slice(2, n - 1), {"rtol": 1e-9 if dtype == np.float64 else 2e-3}
    x, v = X[rows].astype(float), W[rows].astype(float) @ H
    weight = np.ones_like(x) if w is None else w[rows].astype(float)
    if beta == 1.0:
        cells = x * np.log(x / v) - x + v
    elif beta == 0.0:
        cells = x / v - np.log(x / v) - 1
    else:
        cells = v**beta / beta - x * v ** (beta - 1) / (beta - 1)
    assert value == pytest.approx((weight * cells).sum(), rel=close["rtol"], abs=close["rtol"] * np.abs(cells).sum())
    ratio = (weight * x * v ** (beta - 2)) @ H.T / ((weight * v ** (beta - 1)) @ H.T + 0.01 + 0.02 * W[rows])
    np.testing.assert_allclose(new[rows], W[rows] * ratio**0.7, **close)
    np.testing.assert_allclose(far[rows], new[rows] + 0.3 * np.maximum(new[rows] - near[rows], 0), **close)
    v = np.maximum(far[rows].astype(float) @ H, 1e-12)
    np.testing.assert_allclose(up, far[rows].T @ (weight * x * v ** (beta - 2)), **close)
    if masked or beta != 1.0:
        np.testing.assert_allclose(down, far[rows].T @ (weight * v ** (beta - 1)), **close)
    np.testing.assert_array_equal(new[[0, 1, -1]], near[[0, 1, -1]])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("update_H", [True, False])
@pytest.mark.parametrize("beta", [1.0, 0.0, 1.3])
@pytest.mark.parametrize(
    ("n", "m", "kind"), [(300, 400, "dense"), (40, 21, "dense"), (300, 400, "sparse"), (40, 21, "sparse")]
)
def test_steps_are_the_same_however_they_are_cut_and_every_loss_is_that_of_its_pair(n, m, kind, beta, update_H, dtype):
    X = table(n, m, dtype)
    if kind == "sparse":
        X[np.random.default_rng(3).random((n, m)) < 0.7] = 0
        X = sp.csr_array(X)
    mask = "unstored" if kind == "sparse" and beta == 0.0 else None
    problem = prepare(X, beta=beta, alpha_W=1e-3, update_H=update_H, mask=mask)
    solver = ExtrapolatedMultiplicativeUpdates()
    start = solver.init(problem, factors(n, m, 4, dtype), None)
    whole, trace = solver.many(problem, start, 23)
    state, cut = start, []
    for count in (1, 1, 2, 9, 1, 9):
        state, more = solver.many(problem, state, count)
        cut += more
        assert len(more) == count
        assert more[-1] == state.loss == _system(problem, 4).loss(*_packed(problem, state))
        assert state.loss == pytest.approx(
            objective(problem, state.W, state.H), rel=1e-9 if dtype == np.float64 else 1e-4
        )
    assert cut == trace
    assert state.n_iter == whole.n_iter == 23
    assert state.aux["time"] == whole.aux["time"]
    for name in ("W", "H"):
        np.testing.assert_array_equal(getattr(state, name), getattr(whole, name))
        np.testing.assert_array_equal(state.aux[f"{name}_near"], whole.aux[f"{name}_near"])
    assert (np.diff([start.loss, *trace]) <= (1e-12 if dtype == np.float64 else 1e-5) * trace[0]).all()


def _packed(problem, state):
    if not problem.sparse or problem.beta != 1.0:
        return state.W, state.H
    point = _system(problem, 4).packed(Point(state.W, state.H, state.W, state.H, 1.0, 0.0))
    return point.W, point.H


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(300, 400), (40, 21), (37, 5000)])
@pytest.mark.parametrize(
    ("beta", "mask"), [(0.5, None), (1.3, None), (3.0, None), (0.5, "unstored"), (0.0, "unstored")]
)
def test_sparse_X_gives_what_dense_X_gives(beta, mask, shape, dtype, monkeypatch):
    monkeypatch.setattr(multiplicative, "SPREAD_CELLS", 20_000)
    X = table(*shape, dtype)
    stored = np.random.default_rng(3).random(shape) < 0.2
    sparse = sp.csr_array((X[stored], np.nonzero(stored)), shape=shape)
    problem = prepare(sparse, beta=beta, mask=mask, alpha_W=1e-4)
    dense = prepare(np.where(stored, X, np.nan if mask else 0).astype(dtype), beta=beta, alpha_W=1e-4)
    solver, start = ExtrapolatedMultiplicativeUpdates(), factors(*shape, 4, dtype)
    results = [solver.many(p, solver.init(p, start, None), 9) for p in (problem, dense)]
    close = {"rtol": 1e-9 if dtype == np.float64 else 1e-3}
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-10 if dtype == np.float64 else 1e-5)
    np.testing.assert_allclose(results[0][0].W, results[1][0].W, atol=1e-9 if dtype == np.float64 else 1e-4, **close)
    np.testing.assert_allclose(results[0][0].H, results[1][0].H, atol=1e-9 if dtype == np.float64 else 1e-4, **close)
    with kernels.twins_only():
        twin, trace = solver.many(problem, solver.init(problem, start, None), 9)
    assert trace == results[0][1]
    np.testing.assert_array_equal(twin.H, results[0][0].H)


@pytest.mark.parametrize("beta", [2.0, 1.5])
def test_few_known_cells_are_gone_through_one_by_one_with_the_same_result(beta):
    stored = np.random.default_rng(3).random((300, 400)) < 0.02
    stored[0, 0] = True
    X = table(300, 400, np.float64)
    sparse = prepare(sp.csr_array((X[stored], np.nonzero(stored)), shape=X.shape), beta=beta, mask="unstored")
    dense = prepare(np.where(stored, X, np.nan), beta=beta)
    assert not isinstance(_system(sparse, 3), multiplicative.DenseSystem)
    solver, start = ExtrapolatedMultiplicativeUpdates(), factors(300, 400, 3, np.float64)
    one, other = (solver.many(p, solver.init(p, start, None), 9) for p in (sparse, dense))
    np.testing.assert_allclose(one[1], other[1], rtol=1e-10)
    np.testing.assert_allclose(one[0].H, other[0].H, rtol=1e-8, atol=1e-12)


class Scripted:
    """A system without numbers: W says how it was reached, and `losses` what that costs."""

    work, update_H = 0.0, True

    def __init__(self, losses):
        self.losses, self.calls = losses, 0

    def sweep(self, point, push, gentle, told):
        self.calls += 1
        name = point.W + ("g" if gentle else "b")
        assert (push == 0.0) == (gentle or point.time == 1.0)
        return Point(name, name, name, name, 0.0, 0.0), self.loss(point.W, point.H) if told else 0.0

    def loss(self, W, H):
        return self.losses[W]

    def whole(self, point, count, rule):
        return point, []


@pytest.mark.parametrize("cuts", [(4,), (1, 1, 1, 1), (2, 2), (3, 1)])
def test_a_step_that_raises_the_loss_is_made_again_gently(cuts):
    losses = {"": 9.0, "b": 8.0, "bb": 8.5, "bg": 7.0, "bgb": np.nan, "bgg": 7.0, "bggb": 6.0, "bggbb": 99.0}
    system, point, trace = Scripted(losses), Point("", "", "", "", 1.0, 9.0), []
    for count in cuts:
        point, more = multiplicative.run(system, point, count)
        assert len(more) == count
        trace += more
    assert trace == [8.0, 7.0, 7.0, 6.0]
    assert point.W == "bggb"
    assert point.time > 1.0
    assert system.calls <= 4 + 2 + 2  # steps, those made again, and those from points that were given up


def test_a_gentle_step_stands_even_if_rounding_raises_the_loss():
    system = Scripted({"": 1.0, "b": 2.0, "g": 1.0 + 1e-16, "gb": 0.5})
    point, trace = multiplicative.run(system, Point("", "", "", "", 1.0, 1.0), 2)
    assert (point.W, trace) == ("gb", [1.0 + 1e-16, 0.5])
