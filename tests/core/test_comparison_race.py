"""Solvers, losses and starts against each other, and scikit-learn itself beside them."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning

from nmf_core import Dataset, FitRequest, fit, load_dataset, staged
from nmf_core.comparison.race import RaceWork
from nmf_core.comparison.reference import obstacle
from nmf_core.comparison.run import yardsticks
from nmf_core.comparison.standings import above, best_known, exact, seeds, solutions, standings, summary
from nmf_core.initialization import initialize
from nmf_core.problem import prepare
from nmf_core.staged import run
from nmf_core.types import Stop


@pytest.fixture(scope="module")
def race():
    dataset = load_dataset("iris")
    base = FitRequest(dataset.id, rank=3, max_iter=200)
    requests = [base.with_(solver=s, init="random", seed=i) for s in ("eahals", "mu") for i in range(3)]
    requests += [base.with_(solver="mu", loss=loss) for loss in ("kullback-leibler", 0.5)]
    return dataset, requests, run(RaceWork(dataset.id, tuple(requests)), dataset)


def test_a_race_gives_what_single_fits_give(race):
    dataset, requests, runs = race
    ours = [r for r in runs if not r.own]
    assert [r.request for r in ours] == requests
    for request, raced in zip(requests, ours, strict=True):
        alone = fit(dataset, request)
        assert raced.loss == alone.loss
        np.testing.assert_array_equal(raced.H, alone.H.astype(np.float32))
        np.testing.assert_array_equal(raced.losses, alone.trace.loss)
        assert raced.seconds[0] == 0
        assert (np.diff(raced.seconds) >= 0).all()


def test_the_reference_of_every_loss_is_scikit_learn_itself(race):
    dataset, requests, runs = race
    own = {r.request.loss: r for r in runs if r.own}
    assert list(own) == ["frobenius", "kullback-leibler", 0.5]
    assert own["frobenius"].request.solver == "cd"
    assert own["kullback-leibler"].request.solver == "mu"
    for loss, reference in own.items():
        first = next(r for r in requests if r.loss == loss)
        alone = fit(dataset, first.with_(max_iter=1, tol=0.0, solver="mu"))
        # Both start from the same W and H …
        assert reference.losses[0] == pytest.approx(alone.trace.loss[0], rel=1e-12)
        solver = reference.request.solver
        model = NMF(3, init="custom", solver=solver, beta_loss=loss, tol=first.tol, max_iter=200)
        W, H = initialize(prepare(dataset.X, beta=first.beta), 3, first.init, seed=first.seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            W = model.fit_transform(dataset.X, W=W, H=H)
        # … and the end is what anybody gets from scikit-learn.
        assert reference.iterations[-1] == model.n_iter_
        error = float(np.linalg.norm(dataset.X - W @ model.components_) / np.linalg.norm(dataset.X))
        assert reference.error == pytest.approx(error, rel=1e-9)


def test_losses_are_ranked_within_themselves_alone(race):
    _, _, runs = race
    best = best_known(runs)
    assert set(best) == {"Frobenius", "Kullback-Leibler", "β = 0.5"}
    table = standings(runs, best)
    for _, part in table.groupby("loss"):
        assert part["above the best"].min() == 0
        assert part["final loss"].min() == best[part["loss"].iloc[0]]
    # A better loss known from elsewhere moves the measure, and that of no other loss.
    better = best_known(runs, {"Frobenius": best["Frobenius"] / 2})
    moved = standings(runs, better)
    assert moved.loc[moved["loss"] == "Frobenius", "above the best"].min() == pytest.approx(1.0)
    assert moved.loc[moved["loss"] == "β = 0.5", "above the best"].min() == 0


def test_each_loss_wins_on_its_own_yardstick():
    dataset = load_dataset("wine")
    base = FitRequest(dataset.id, rank=3, max_iter=2000, tol=1e-8, solver="bmme")
    runs = run(RaceWork(dataset.id, (base, base.with_(loss="kullback-leibler"))), dataset)
    squared, counted = (
        next(r for r in runs if r.request.loss == loss and not r.own) for loss in ("frobenius", "kullback-leibler")
    )
    assert squared.error < counted.error
    assert counted.divergence < squared.divergence
    assert counted.divergence == pytest.approx(counted.loss, rel=1e-9)
    assert squared.error == pytest.approx(np.sqrt(2 * squared.loss) / np.linalg.norm(dataset.X), rel=1e-9)


def test_the_summary_counts_solutions_seeds_and_arrivals(race):
    _, _, runs = race
    table = standings(runs, best_known(runs))
    told = summary(table).set_index("loss")
    ours = table[(table["loss"] == "Frobenius") & table["solution"].notna()]
    assert told.loc["Frobenius", "runs"] == 6
    assert told.loc["Frobenius", "within 1 % of the best"] == (ours["above the best"] <= 0.01).sum()
    assert told.loc["Frobenius", "by the solver"] == "eahals"
    per_seed = seeds(table)
    assert per_seed["seeds"].tolist() == [3, 3]
    # So loose that everything is the same solution.
    assert standings(runs, best_known(runs), same=0.0)["solution"].max() == 1


def test_a_run_has_arrived_when_it_first_comes_within_a_hundredth(race):
    _, _, runs = race
    table = standings(runs, best_known(runs))
    one = next(r for r in runs if r.request.solver == "eahals")
    over = above(one.losses, table.loc[table["loss"] == "Frobenius", "final loss"].min())
    first = int(np.flatnonzero(over <= 0.01)[0])
    assert first > 0
    assert table.iloc[0]["seconds to within 1 %"] == one.seconds[first]


def test_what_is_left_of_an_exact_answer_is_not_ranked():
    # Three rows and rank 3: every good run ends at rounding, and rounding differs a thousandfold.
    dataset = Dataset.of(np.random.default_rng(5).gamma(1, 1, (3, 9)))
    base = FitRequest(dataset.id, rank=3, solver="cd", max_iter=500, tol=1e-5)
    runs = run(
        RaceWork(dataset.id, tuple(base.with_(init=i, seed=s) for i, s in [("nndsvda", 0), ("random", 1)])), dataset
    )
    best = best_known(runs, {"Frobenius": 1e-13})
    assert exact(runs, best) == ("Frobenius",)
    ours = [r for r in runs if not r.own]
    assert max(r.loss for r in ours) > 2e-13
    table = standings(runs, best)
    assert table["above the best"].max() < 0.01
    assert summary(table)["within 1 % of the best"].tolist() == [2]
    # Where something is left the best itself is the measure, however much there was at the start.
    np.testing.assert_allclose(above(np.array([2.0, 3.0]), 2.0, 1e5), [0.0, 0.5])
    np.testing.assert_allclose(above(np.array([3e-6, 1.0]), 0.0, 3.0), [1.0, 1 / 3e-6])


def test_data_of_zeros_alone_race_without_scikit_learn():
    dataset = Dataset.of(np.zeros((5, 4)))
    runs = run(RaceWork(dataset.id, (FitRequest(dataset.id, rank=2, solver="mu", init="random"),)), dataset)
    assert [r.own for r in runs] == [False]
    assert "zeros" in obstacle(dataset)
    assert standings(runs, best_known(runs))["above the best"].tolist() == [0.0]


def test_data_with_missing_cells_race_without_scikit_learn():
    X = np.random.default_rng(0).random((20, 8))
    X[3, 4] = np.nan
    dataset = Dataset.of(X)
    assert "missing" in obstacle(dataset)
    request = FitRequest(dataset.id, rank=2, solver="mu", max_iter=30)
    (only,) = run(RaceWork(dataset.id, (request,)), dataset)
    assert not only.own
    error, _ = yardsticks(dataset, *(lambda r: (r.W, r.H))(fit(dataset, request)))
    assert only.error == error
    known = ~np.isnan(X)
    result = fit(dataset, request)
    assert error == pytest.approx(np.linalg.norm((X - result.W @ result.H)[known]) / np.linalg.norm(X[known]), rel=1e-9)


def test_sparse_counts_have_a_reference_for_both_losses():
    dataset = load_dataset("text_reuters395")
    base = FitRequest(dataset.id, rank=3, max_iter=10, tol=0.0)
    runs = run(
        RaceWork(dataset.id, (base.with_(solver="cd"), base.with_(solver="mu", loss="kullback-leibler"))), dataset
    )
    assert [r.own for r in runs] == [False, True, False, True]
    for ours, own in (runs[:2], runs[2:]):
        assert own.loss == pytest.approx(ours.loss, rel=1e-6)
        assert own.iterations.tolist() == [0, 1, 2, 5, 10]


def test_a_race_may_be_cut_anywhere(race, monkeypatch):
    monkeypatch.setattr(staged, "LEAST", 0.0)
    dataset, requests, whole = race
    work = RaceWork(dataset.id, tuple(requests[:4]))
    state, stop, looks = None, Stop.RUNNING, 0
    while stop is Stop.RUNNING:
        chunk = work.advance(dataset, state, 0.0)
        state, stop, looks = chunk.state, chunk.stop, looks + 1
        partial = work.result(dataset, state, stop)
        assert partial is None or len(partial) <= 5
    assert looks > 5
    for cut, once in zip(work.result(dataset, state, stop)[:4], whole[:4], strict=True):
        assert cut.loss == once.loss


def test_equal_solutions_have_equal_numbers_whatever_order_and_scale():
    H = np.random.default_rng(0).random((3, 9))
    other = np.random.default_rng(5).random((3, 9))
    assert solutions([H, 4 * H[::-1], other, H[:2]]).tolist() == [0, 0, 1, 2]
