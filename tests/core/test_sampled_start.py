"""A large X is begun on a sample of its lines: where, which, and what must not change by it."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from nmf_core import FitRequest, fit
from nmf_core.batch import fit_many
from nmf_core.fit import advance_to_end
from nmf_core.initialization import Start, initialize
from nmf_core.loop import advance
from nmf_core.loss import objective
from nmf_core.problem import prepare
from nmf_core.solvers import sampled
from nmf_core.solvers.eahals import ExtrapolatedHals
from nmf_core.types import Stop

RANK = 6


def _large(n: int = 3000, m: int = 80, seed: int = 0, dtype: type = np.float64) -> np.ndarray:
    """Return mixtures of RANK parts, the rows sorted by their strongest part, with a little noise."""
    rng = np.random.default_rng(seed)
    W = rng.gamma(0.4, 1.0, (n, RANK))
    W = W[np.argsort(W.argmax(axis=1))]
    X = W @ rng.gamma(0.4, 1.0, (RANK, m)) + 0.02 * rng.random((n, m))
    return X.astype(dtype)


def _without(**fields: object) -> FitRequest:
    return FitRequest(solver="eahals", options=(("sample", False),), **fields)  # type: ignore[arg-type]


@given(st.integers(800, 300_000), st.integers(200, 4000), st.integers(0, 2**33))
def test_a_sample_takes_each_line_once_and_no_stretch_is_left_out(N: int, size: int, turn: int) -> None:
    size = min(size, N // 4)
    lines = sampled.lines_of(N, size, turn)
    assert len(lines) == size
    assert lines[0] >= 0
    assert lines[-1] < N
    gaps = np.diff(lines)
    assert gaps.min() >= 1
    assert gaps.max() <= 2 * N / size + 1
    np.testing.assert_array_equal(lines, sampled.lines_of(N, size, turn))


def test_restarts_see_different_samples() -> None:
    samples = [set(sampled.lines_of(10_000, 1250, turn).tolist()) for turn in range(5)]
    for i, one in enumerate(samples):
        assert all(len(one & other) < 0.3 * len(one) for other in samples[:i])
    X = _large()
    for init, count in (("nndsvdar", 3), ("nndsvda", 1)):  # where the start draws nothing, the sample does not either
        requests = [FitRequest(rank=RANK, solver="eahals", init=init, seed=s, max_iter=1) for s in range(3)]
        assert len({result.trace.loss[0] for result in fit_many(X, requests)}) == count
    problem, solver = prepare(X), ExtrapolatedHals()
    by_turn = [solver.begin(problem, Start(RANK, "nndsvdar", seed=2, turn=turn), None).loss for turn in range(3)]
    assert len(set(by_turn)) == 3
    drawn = FitRequest(rank=RANK, solver="eahals", init="nndsvdar", seed=2, max_iter=1)
    assert fit(X, drawn).trace.loss[0] == by_turn[2]


def test_periodic_columns_are_not_hit_again_and_again() -> None:
    columns = sampled.lines_of(64 * 64, 1024) % 64  # pictures of 64 columns
    counts = np.bincount(columns, minlength=64)
    assert counts.min() >= 4
    assert counts.max() <= 32


@pytest.mark.parametrize("wide", [False, True])
def test_a_sample_of_copies_has_its_share_of_the_objective_with_penalties(wide: bool) -> None:
    rng = np.random.default_rng(1)
    row = rng.random((1, 30))
    X, W, H = np.repeat(row, 2000, axis=0), np.repeat(rng.random((1, 3)), 2000, axis=0), rng.random((3, 30))
    if wide:
        X, W, H = X.T.copy(), H.T.copy(), W.T.copy()
    problem = prepare(X, alpha_W=0.3, alpha_H=0.2, l1_ratio=0.4)
    lines = sampled.lines_of(2000, 500)
    part = sampled.part_of(problem, lines, wide)
    own = (W, H[:, lines]) if wide else (W[lines], H)
    assert objective(part, *own) == pytest.approx(0.25 * objective(problem, W, H), rel=1e-12)
    assert (part.total, part.squares, part.cells) == pytest.approx(
        (0.25 * problem.total, 0.25 * problem.squares, 0.25 * problem.cells), rel=1e-12
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("form", ["tall", "wide", "sparse"])
def test_a_large_fit_begins_far_on_and_ends_as_well(form: str, dtype: type) -> None:
    X = _large(dtype=dtype)
    if form == "wide":
        X = np.ascontiguousarray(X.T)
    if form == "sparse":
        X = _large(12_000, dtype=dtype)
        rare = np.quantile(X, 0.8) < X
        X = sp.csr_array(np.where(rare, X, 0).astype(dtype))
    fields = {"rank": RANK, "init": "random", "tol": 1e-6, "max_iter": 2000}
    plain, begun = fit(X, _without(**fields)), fit(X, FitRequest(solver="eahals", **fields))
    first, ours = plain.trace.loss, begun.trace.loss
    assert ours[0] < first[0] / 2
    assert ours[0] <= first[3]
    assert np.sqrt(ours[-1]) <= np.sqrt(first[-1]) * 1.02
    rounding = ours[0] * (1e-12 if dtype is np.float64 else 1e-5)
    assert (np.diff(ours) <= rounding).all()
    problem = prepare(X)
    assert ours[-1] == pytest.approx(objective(problem, begun.W, begun.H), rel=1e-8 if dtype is np.float64 else 1e-3)
    assert begun.W.dtype == dtype
    assert begun.W.min() >= 0
    assert begun.H.min() >= 0


def test_the_first_loss_is_that_of_the_state_it_begins_with() -> None:
    problem = prepare(_large(), alpha_W=1e-3, alpha_H=2e-3, l1_ratio=0.5)
    state = ExtrapolatedHals().begin(problem, Start(RANK, "random", seed=3), None)
    assert state.n_iter == 0
    assert state.loss == pytest.approx(objective(problem, state.W, state.H), rel=1e-10)


@pytest.mark.parametrize("shape", [(3000, 80), (80, 3000)])
def test_the_bits_do_not_depend_on_where_the_run_is_cut(shape: tuple[int, int]) -> None:
    X = _large()
    problem = prepare(X if shape[0] > shape[1] else np.ascontiguousarray(X.T))
    request = FitRequest(rank=RANK, solver="eahals", init="random", max_iter=23, tol=0, n_restarts=2)
    whole, state = advance_to_end(problem, request), None
    while True:
        chunk = advance(problem, request, state, 0.0)
        state = chunk.state
        if chunk.stop is not Stop.RUNNING:
            break
    best = state.leading[0]
    assert best is not None
    np.testing.assert_array_equal(best.W, whole.W)
    np.testing.assert_array_equal(best.H, whole.H)
    for ours, theirs in zip(state.losses, whole.restarts, strict=True):
        np.testing.assert_array_equal(ours, theirs.loss)


def test_a_batch_gives_the_bits_of_single_fits() -> None:
    X = _large()
    requests = [FitRequest(rank=r, solver="eahals", init="random", seed=s, max_iter=40) for r in (2, 6) for s in (0, 1)]
    for request, result in zip(requests, fit_many(X, requests), strict=True):
        np.testing.assert_array_equal(result.W, fit(X, request).W)


def test_a_start_of_ones_own_is_kept_unless_asked() -> None:
    X = _large()
    W, H = initialize(prepare(X), RANK, "random", seed=5)
    request = FitRequest(rank=RANK, solver="eahals", init="custom", max_iter=10, tol=0)
    kept = fit(X, request, W=W, H=H)
    at_start = ExtrapolatedHals().init(prepare(X), (W, H), None).loss
    assert kept.trace.loss[0] == at_start
    left = fit(X, request.with_(options=(("sample", True),)), W=W, H=H)
    assert left.trace.loss[0] < at_start / 2
    # A fit that is done stays where it is: nothing is lost by going on from one's own factors.
    done = fit(X, request.with_(init="random", tol=1e-7, max_iter=1000))
    again = fit(X, request.with_(max_iter=1), W=done.W, H=done.H)
    assert again.trace.loss[-1] <= done.trace.loss[-1] * (1 + 1e-9)


def test_small_and_incomplete_data_are_begun_where_they_start() -> None:
    small, gaps = _large(200, 40), _large()
    gaps[::7, ::5] = np.nan
    for X in (small, gaps):
        fields = {"rank": RANK, "init": "random", "max_iter": 12, "tol": 0}
        ours, theirs = fit(X, FitRequest(solver="eahals", **fields)), fit(X, _without(**fields))
        np.testing.assert_array_equal(ours.trace.loss, theirs.trace.loss)


def test_parts_that_the_sample_lacks_are_found_all_the_same() -> None:
    X = _large(4000, 60)
    lines = sampled.lines_of(4000, sampled.size_of(4000, X.size, RANK + 1))
    rare = np.setdiff1d(np.arange(4000), lines)[::40]
    X = np.hstack([X, np.zeros((4000, 6))])
    X[rare, 60:] = 8.0  # columns that are empty in the whole sample
    result = fit(X, FitRequest(rank=RANK + 1, solver="eahals", init="random", tol=1e-7, max_iter=3000))
    left = X[rare, 60:] - (result.W @ result.H)[rare, 60:]
    assert np.abs(left).mean() < 0.1


def test_zeros_alone_make_no_trouble() -> None:
    X = np.zeros((5000, 60))
    result = fit(X, FitRequest(rank=RANK, solver="eahals", init="random", max_iter=20))
    assert np.isfinite(result.trace.loss).all()
    assert result.trace.loss[-1] == pytest.approx(0.0, abs=1e-12)
