"""What the page Learn shows is what the engine does."""

from __future__ import annotations

import numpy as np
import pytest

from nmf_core import FitRequest, Stop, fit, load_dataset
from nmf_core.lessons.examples import EXAMPLES, start
from nmf_core.lessons.film import FRAMES, FilmWork
from nmf_core.lessons.stepping import METHODS, disguised, formula, moments


@pytest.fixture
def small():
    return EXAMPLES["small"]()


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


def test_the_formula_spells_out_the_number_the_update_gives(small):
    path = moments(small.X, small.W, small.H, "mu", "frobenius", 2)
    assert r"\mathbf{1.419}" in formula(small.X, path[0], "H", 0, 0)
    assert rf"\mathbf{{{path[2].W[3, 1]:.4g}}}" in formula(small.X, path[1], "W", 3, 1)
    path = moments(small.X, small.W, small.H, "mu", "kullback-leibler", 1)
    assert rf"\mathbf{{{path[1].H[1, 2]:.4g}}}" in formula(small.X, path[0], "H", 1, 2, "kullback-leibler")


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
    work, state, chunk = FilmWork(request), None, None
    while chunk is None or chunk.stop is Stop.RUNNING:
        chunk = work.advance(dataset, state, 0.1)
        state = chunk.state
    film = work.result(dataset, state, chunk.stop)
    assert film.iterations == tuple(f for f in FRAMES if f <= 20)
    for i in (1, 4, len(film.iterations) - 1):
        whole = fit(dataset, request, max_iter=film.iterations[i])
        np.testing.assert_array_equal(film.snapshots[i], whole.H)
    assert film.errors[-1] < film.errors[0]
