"""What the page Learn shows is what the engine does."""

from __future__ import annotations

import base64
import json
from itertools import pairwise

import numpy as np
import pytest

from nmf_core import FitRequest, Stop, fit, load_dataset
from nmf_core.figures.learn_film import PartsFilm
from nmf_core.lessons.examples import EXAMPLES, flowers, own, start
from nmf_core.lessons.film import FRAMES, FilmWork
from nmf_core.lessons.series import SeriesWork
from nmf_core.lessons.spelled import spelled
from nmf_core.lessons.standstill import standstill
from nmf_core.lessons.stepping import METHODS, disguised, moments
from nmf_core.lessons.valleys import valleys


@pytest.fixture
def small():
    return EXAMPLES["small"]()


def run(work, dataset):
    state, chunk = None, None
    while chunk is None or chunk.stop is Stop.RUNNING:
        chunk = work.advance(dataset, state, 0.1)
        state = chunk.state
    return work.result(dataset, state, chunk.stop)


def test_one_frobenius_update_of_h_has_the_published_values(small):
    first = moments(small.X, small.W, small.H, "mu", "frobenius", 1)
    np.testing.assert_allclose(2 * first[0].loss, 38.83203125, rtol=1e-12)
    expected = [[1.419354839, 0.814159292, 0.290220820], [0.571428571, 1.037037037, 1.454545455]]
    np.testing.assert_allclose(first[1].H, expected, atol=5e-10)
    np.testing.assert_array_equal(first[1].W, small.W)
    np.testing.assert_allclose(2 * first[1].loss, 35.963867374, rtol=1e-10)


def test_one_kullback_leibler_update_of_h_has_the_published_values(small):
    first = moments(small.X, small.W, small.H, "mu", "kullback-leibler", 1)
    np.testing.assert_allclose(first[0].loss, 13.264486423, rtol=1e-9)
    expected = [[1.384615385, 1.075457875, 0.379667117], [0.545454545, 1.274458874, 2.096757054]]
    np.testing.assert_allclose(first[1].H, expected, atol=5e-10)


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_descends_and_stays_non_negative(name, method):
    e = EXAMPLES[name]()
    path = moments(e.X, e.W, e.H, method, count=30)
    losses = np.array([m.loss for m in path])
    assert (np.diff(losses) <= 1e-12 * losses[0]).all()
    assert losses[-1] < losses[0]
    assert min(min(m.W.min(), m.H.min()) for m in path) >= 0
    assert [m.updated for m in path[:4]] == ["start", "H", "W", "H"]


def test_two_half_updates_of_hals_are_one_iteration_of_the_solver_in_the_other_order(small):
    path = moments(small.X.T, small.H.T, small.W.T, "hals", count=2)
    result = fit(small.X, rank=2, solver="hals", init="custom", W=small.W, H=small.H, max_iter=1, tol=0.0)
    np.testing.assert_allclose(path[1].H.T, result.W, rtol=1e-12)
    np.testing.assert_allclose(path[2].W.T, result.H, rtol=1e-12)


def test_a_zero_stays_zero_under_multiplication_and_comes_back_under_hals(small):
    H = small.H.copy()
    H[0, 0] = 0
    assert all(m.H[0, 0] == 0 for m in moments(small.X, small.W, H, "mu", count=40))
    assert any(m.H[0, 0] > 0 for m in moments(small.X, small.W, H, "hals", count=40))


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize(
    ("method", "loss"),
    [("mu", "frobenius"), ("mu", "kullback-leibler"), ("pg", "frobenius"), ("hals", "frobenius")],
)
def test_the_formula_on_the_screen_gives_what_the_solver_made_for_every_entry(name, method, loss):
    e = EXAMPLES[name]()
    path = moments(e.X, e.W, e.H, method, loss, 22)
    for at in (0, 1, 2, 3, 20, 21):
        factor = path[at + 1].updated
        F = path[at].H if factor == "H" else path[at].W
        for row, col in np.ndindex(F.shape):
            made = spelled(e.X, path[at], path[at + 1], method, factor, row, col, loss)
            after = path[at + 1].H if factor == "H" else path[at + 1].W
            assert made.solver == after[row, col]
            assert made.value == pytest.approx(made.solver, rel=1e-7, abs=1e-12)
            assert made.note


def test_the_formula_holds_the_numbers_on_the_screen(small):
    path = moments(small.X, small.W, small.H, "mu", "frobenius", 2)
    first = spelled(small.X, path[0], path[1], "mu", "H", 0, 0).latex
    assert r"\frac{0.5\cdot 1 + 1\cdot 3 + 0.75\cdot 0 + 1\cdot 2}" in first
    assert r"\frac{5.5}{3.875}" in first
    assert r"\mathbf{1.419}" in first
    second = spelled(small.X, path[1], path[2], "mu", "W", 3, 1).latex
    assert r"W_{4,2}" in second
    assert rf"\mathbf{{{path[2].W[3, 1]:.4g}}}" in second
    kl = moments(small.X, small.W, small.H, "mu", "kullback-leibler", 1)
    assert r"\mathbf{1.385}" in spelled(small.X, kl[0], kl[1], "mu", "H", 0, 0, "kullback-leibler").latex
    hals = moments(small.X, small.W, small.H, "hals", count=1)
    made = spelled(small.X, hals[0], hals[1], "hals", "H", 0, 0)
    assert r"(W^\top X)_{1,1} &= 0.5\cdot 1 + 1\cdot 3 + 0.75\cdot 0 + 1\cdot 2 = 5.5" in made.latex
    assert r"\frac{5.5 - 3.875}{2.812}" in made.latex  # Σ W₁² = 0.25 + 1 + 0.5625 + 1
    assert made.solver == pytest.approx(1 + (5.5 - 3.875) / 2.8125)


def test_the_length_of_the_gradient_step_is_the_one_the_solver_took(small):
    for before, after in pairwise(moments(small.X, small.W, small.H, "pg", count=20)):
        still = standstill(small.X, before.W, before.H)
        F, slope, new = (
            (before.H, still.slope_H, after.H) if after.updated == "H" else (before.W, still.slope_W, after.W)
        )
        assert after.size > 0
        np.testing.assert_allclose(np.maximum(F - after.size * slope, 0), new, rtol=1e-9, atol=1e-12)


def test_the_slopes_are_those_of_the_loss(small):
    for loss in ("frobenius", "kullback-leibler"):
        still = standstill(small.X, small.W, small.H, loss)
        for r, c in np.ndindex(small.H.shape):
            step = 1e-6
            more, less = small.H.copy(), small.H.copy()
            more[r, c] += step
            less[r, c] -= step
            rise = moments(small.X, small.W, more, "mu", loss, 0)[0].loss
            fall = moments(small.X, small.W, less, "mu", loss, 0)[0].loss
            assert still.slope_H[r, c] == pytest.approx((rise - fall) / (2 * step), abs=1e-5)


@pytest.mark.parametrize("name", ["small", "valleys"])
def test_where_it_stands_still_factors_are_one_or_the_entry_is_zero(name):
    e = EXAMPLES[name]()
    end = moments(e.X, e.W, e.H, "hals", count=2000)[-1]
    first, last = standstill(e.X, e.W, e.H), standstill(e.X, end.W, end.H)
    assert last.norm < 1e-6 * first.norm
    for F, factor, slope in ((end.W, last.factor_W, last.slope_W), (end.H, last.factor_H, last.slope_H)):
        np.testing.assert_allclose(factor[F > 1e-6], 1, atol=1e-4)
        assert (slope[F <= 1e-6] >= -1e-6).all()


def test_one_table_has_two_valleys_and_neither_can_be_left_by_small_changes():
    X = EXAMPLES["valleys"]().X
    low, high = valleys(X)
    assert sorted(low.seeds + high.seeds) == list(range(10))
    assert high.loss > 2 * low.loss
    rng = np.random.default_rng(0)
    for valley in (low, high):
        for _ in range(10):
            W = np.maximum(valley.W + rng.normal(0, 0.02, valley.W.shape), 0)
            H = np.maximum(valley.H + rng.normal(0, 0.02, valley.H.shape), 0)
            back = fit(X, rank=2, solver="hals", init="custom", W=W, H=H, max_iter=3000, tol=1e-12)
            assert back.loss == pytest.approx(valley.loss, rel=1e-4)


@pytest.mark.parametrize("name", ["small", "flowers", "picture"])
def test_the_other_tables_have_one_valley(name):
    (only,) = valleys(EXAMPLES[name]().X)
    assert sorted(only.seeds) == list(range(10))


def test_flowers_are_rows_of_the_iris_data():
    iris = load_dataset("iris")
    e = flowers((0, 149, 75))
    np.testing.assert_array_equal(e.X, iris.X[[0, 149, 75]])
    assert e.rows == tuple(iris.rows[[0, 149, 75]])
    assert own((5, 2)).X.shape == (5, 2)
    assert own((5, 2)).H.shape == (2, 2)


@pytest.mark.parametrize(("name", "rank"), [("iris", 3), ("digits", 16), ("faces_orl", 9)])
def test_a_film_weighs_less_than_a_megabyte_and_holds_the_parts(name, rank):
    dataset = load_dataset(name)
    request = FitRequest(dataset.id, rank=rank, solver="mu", init="random", max_iter=FRAMES[-1], tol=0.0)
    film = run(FilmWork(request), dataset)
    shape = dataset.cell_shape
    shown = PartsFilm(film.snapshots, film.iterations, film.errors, shape, tuple(dataset.cols) if shape is None else ())
    sent = shown.payload()
    assert len(json.dumps(sent)) < 1_000_000
    pixels = np.frombuffer(base64.b64decode(sent["bytes"]), np.uint8).reshape(len(FRAMES), rank, -1)
    last = film.snapshots[-1] / film.snapshots[-1].max(axis=1, keepdims=True)
    np.testing.assert_allclose(pixels[-1] / 255, last, atol=0.5 / 255 + 1e-9)
    assert film.errors[-1] < film.errors[0] / 2
    assert f"{len(FRAMES)} frames" in shown.describe()


def test_scale_and_order_leave_the_product_alone(small):
    W, H = disguised(small.W, small.H, 7.5, swap=True)
    np.testing.assert_allclose(W @ H, small.W @ small.H, rtol=1e-14)
    np.testing.assert_allclose(W[:, 1], 7.5 * small.W[:, 0])


def test_the_pictures_come_apart_into_their_two_bars():
    e = EXAMPLES["picture"]()
    end = moments(e.X, e.W, e.H, "hals", count=200)[-1]
    bars = {tuple(np.flatnonzero(h > 1e-3 * h.max())) for h in end.H}
    across, down = (5, 6, 7, 8, 9), (3, 8, 13, 18, 23)
    assert bars == {across, down}


def test_starts_differ_by_seed_and_hold_no_zero(small):
    (W0, H0), (W1, H1) = start(small.X, 2, 0), start(small.X, 2, 1)
    assert not np.array_equal(W0, W1)
    assert min(W0.min(), H0.min(), W1.min(), H1.min()) >= 0.05


def test_steps_refuse_what_a_method_does_not_take(small):
    with pytest.raises(ValueError, match="HALS takes the Frobenius loss alone"):
        moments(small.X, small.W, small.H, "hals", "kullback-leibler")
    with pytest.raises(ValueError, match="unknown 'newton'"):
        moments(small.X, small.W, small.H, "newton")


def test_a_film_shows_the_fit_itself_at_every_frame():
    dataset = load_dataset("iris")
    request = FitRequest(dataset.id, rank=3, solver="mu", init="random", max_iter=20, tol=0.0)
    film = run(FilmWork(request), dataset)
    assert film.iterations == tuple(f for f in FRAMES if f <= 20)
    for i in (1, 4, len(film.iterations) - 1):
        whole = fit(dataset, request, max_iter=film.iterations[i])
        np.testing.assert_array_equal(film.snapshots[i], whole.H)
    assert film.errors[-1] < film.errors[0]


@pytest.mark.parametrize("rule", ["loss", "kkt", "scikit-learn"])
def test_a_series_of_tolerances_goes_on_where_the_looser_stopped_and_ends_where_lone_runs_do(rule):
    iris = load_dataset("iris")
    base = FitRequest(iris.id, rank=3, solver="mu", init="random", max_iter=400, stop_rule=rule)
    requests = tuple(base.with_(tol=tol) for tol in (1e-2, 1e-4, 1e-6))
    found = run(SeriesWork(requests), iris)
    assert [r.request.tol for r in found] == [1e-2, 1e-4, 1e-6]
    for request, result in zip(requests, found, strict=True):
        alone = fit(iris, request)
        assert (result.n_iter, result.stop) == (alone.n_iter, alone.stop)
        np.testing.assert_array_equal(result.H, alone.H)
    assert found[0].n_iter < found[-1].n_iter


def test_a_series_of_starts_begins_each_anew_and_tells_how_far_it_is():
    iris = load_dataset("iris")
    requests = tuple(FitRequest(iris.id, rank=2, solver="mu", init="random", seed=s, max_iter=50) for s in (1, 2, 3))
    work, state, told = SeriesWork(requests), None, []
    while True:
        chunk = work.advance(iris, state, 0.0)  # as little as can be: state is carried from chunk to chunk
        state = chunk.state
        told.append(chunk.progress)
        if chunk.stop is not Stop.RUNNING:
            break
    assert told == sorted(told)
    assert 0 < told[0] < 1
    assert told[-1] == 1
    for request, result in zip(requests, work.result(iris, state, chunk.stop), strict=True):
        np.testing.assert_array_equal(result.H, fit(iris, request).H)
