"""Spoiled data, the loss of absolute errors, and what is measured on them."""

from __future__ import annotations

import numpy as np
import pytest

from nmf_core import Dataset, FitRequest, fit, load_dataset, staged
from nmf_core.comparison.absolute import ROUNDS, advance, factorize, start
from nmf_core.comparison.corruption import KINDS, LEVELS, clean, corrupted
from nmf_core.comparison.robustness import (
    ABSOLUTE,
    DRIFT,
    ERROR,
    METHODS,
    SPOILED,
    RobustnessWork,
    damage,
    drift,
    frame,
    off,
)
from nmf_core.staged import run
from nmf_core.types import Stop


class TestCorruption:
    X = np.random.default_rng(1).gamma(2, 1, (40, 12))

    def test_level_zero_leaves_the_data_alone(self):
        for kind in KINDS:
            assert corrupted(self.X, kind, 0.0) is self.X

    def test_each_kind_does_what_it_says(self):
        noisy = corrupted(self.X, "noise", 0.1)
        assert noisy.min() >= 0
        assert (noisy - self.X).std() == pytest.approx(0.1 * self.X.std(), rel=0.15)
        for strength in (2.0, 10.0):
            spoiled = corrupted(self.X, "outliers", 0.05, strength=strength)
            hit = spoiled != self.X
            assert 0 < hit.mean() < 0.12
            assert (spoiled[hit] == strength * self.X.max()).all()
        gone = np.isnan(corrupted(self.X, "missing", 0.5))
        assert gone.mean() == pytest.approx(0.5, abs=0.1)
        assert not gone.all(axis=1).any()
        assert not gone.all(axis=0).any()

    def test_a_higher_level_spoils_the_same_cells_and_more(self):
        low, high = (np.isnan(corrupted(self.X, "missing", level)) for level in (0.1, 0.4))
        assert (high | ~low).all()

    def test_nonsense_gets_a_sentence(self):
        with pytest.raises(ValueError, match="is not one of"):
            corrupted(self.X, "acid", 0.1)
        with pytest.raises(ValueError, match="level ≥ 0"):
            corrupted(self.X, "noise", float("nan"))

    @pytest.mark.parametrize("kind", list(KINDS))
    def test_what_is_unknown_stays_unknown(self, kind):
        X = self.X.copy()
        X[3, 5] = np.nan
        assert np.isnan(corrupted(X, kind, 0.3)[3, 5])

    def test_clean_data_keep_what_is_unknown(self):
        energy = load_dataset("energy_mix")
        np.testing.assert_array_equal(np.isnan(clean(energy)), energy.mask)
        ratings = load_dataset("movielens_small")
        assert (~np.isnan(clean(ratings))).sum() == ratings.X.nnz
        text = load_dataset("text_reuters395")
        np.testing.assert_array_equal(clean(text), text.X.toarray())


class TestAbsoluteErrors:
    def exact(self, share: float) -> tuple[np.ndarray, np.ndarray]:
        """Return data of exact rank 3 and the same with outliers."""
        rng = np.random.default_rng(3)
        X = rng.random((80, 3)) @ (rng.random((3, 40)) * (rng.random((3, 40)) < 0.6))
        return X, corrupted(X, "outliers", share, seed=1)

    def test_its_loss_never_rises(self):
        _, bad = self.exact(0.03)
        state = start(bad, 3)
        for _ in range(20):
            state = advance(bad, state)
        losses = np.array(state.losses)
        assert (np.diff(losses) <= 1e-9 * losses[0]).all()
        assert losses[-1] < 0.8 * losses[0]

    def test_its_loss_is_the_sum_of_absolute_errors(self):
        X, _ = self.exact(0.0)
        state = advance(X, start(X, 3))
        residual = np.abs(X - state.W @ state.H)
        epsilon = 0.01 * X.mean()
        assert residual.sum() <= state.losses[-1] <= residual.sum() + epsilon * X.size

    def test_few_outliers_do_not_move_it_and_do_move_least_squares(self):
        X, bad = self.exact(0.01)
        robust = factorize(bad, 3)
        squared = fit(bad, rank=3, max_iter=300)
        assert len(robust.losses) - 1 <= ROUNDS
        assert robust.W.min() >= 0
        assert robust.H.min() >= 0
        assert off(X, robust.W @ robust.H) < 0.05
        assert off(X, squared.W @ squared.H) > 1

    def test_its_loss_is_lower_than_that_of_least_squares(self):
        _, bad = self.exact(0.02)
        robust, squared = factorize(bad, 3), fit(bad, rank=3, max_iter=500)
        assert np.abs(bad - robust.W @ robust.H).sum() < np.abs(bad - squared.W @ squared.H).sum()

    def test_missing_cells_cost_nothing(self):
        X, _ = self.exact(0.0)
        gone = corrupted(X, "missing", 0.2)
        state = factorize(gone, 3)
        assert np.isfinite(state.losses).all()
        assert off(X, state.W @ state.H) < 0.15

    def test_a_feature_without_a_positive_value_is_no_trouble(self):
        X, _ = self.exact(0.0)
        X[:, 0] = 0
        state = factorize(X, 2)
        assert np.isfinite(state.H).all()
        assert np.median(state.W @ state.H[:, 0]) < 1e-3


def test_drift_ignores_order_scale_and_sign():
    F = np.random.default_rng(2).random((3, 8))
    assert drift(F, -3 * F[::-1]) == pytest.approx(0, abs=1e-12)
    assert drift(np.eye(3)[:1], np.eye(3)[1:2]) == pytest.approx(1)


def test_what_a_low_rank_leaves_out_is_no_damage():
    assert damage(0.3, 0.3, 0.5) == 0
    assert damage(0.3, 0.5, 0.4) == pytest.approx(1.0)
    assert damage(0.0, 0.2, 0.4) == pytest.approx(0.5)


def test_outliers_ruin_the_squared_error_and_missing_cells_do_not():
    dataset = load_dataset("synthetic", rank=3, noise=0.0, n_samples=60, n_features=20)
    tables = {
        kind: frame(run(RobustnessWork(dataset.id, rank=3, kind=kind), dataset)).set_index(["method", "level"])
        for kind in ("outliers", "missing")
    }
    assert len(tables["missing"]) == 6 * (len(METHODS) + 1)
    own = METHODS[0]
    at = tables["outliers"][ERROR]
    assert at[own, 0.03] > 10 * at[own, 0.0]
    # PCA minimizes a squared error too: no better.
    assert at["PCA", 0.03] > 0.8 * at[own, 0.03]
    assert at[ABSOLUTE, 0.01] < 0.1 * at[own, 0.01]
    # Left out of the fit, missing cells of exact low rank can be told from the others; column means cannot.
    gone = tables["missing"][ERROR]
    assert gone[own, 0.2] < 0.2 * gone["PCA", 0.2]
    assert gone[SPOILED, 0.2] > gone[SPOILED, 0.1] > 0
    assert tables["outliers"].loc[(own, 0.0), DRIFT] == pytest.approx(0, abs=1e-6)


def test_the_level_is_free_and_the_median_of_the_draws_counts():
    dataset = load_dataset("iris")
    work = RobustnessWork(dataset.id, kind="noise", levels=(0.0, 0.37), methods=(METHODS[0], "PCA"), draws=3, rows=(7,))
    outcomes = run(work, dataset)
    assert len(outcomes) == 2 * (1 + 3)
    table = frame(outcomes).set_index(["method", "level"])
    for name in (METHODS[0], "PCA"):
        errors = [o.error for o in outcomes if o.method == name and o.level == 0.37]
        assert len(set(errors)) == 3
        assert table.loc[(name, 0.37), ERROR] == pytest.approx(np.median(errors))
        assert table.loc[(name, 0.37), f"{ERROR}, most"] == max(errors)
    one = next(o for o in outcomes if o.level == 0.37 and o.method == METHODS[0] and o.draw == 1)
    alone = fit(corrupted(clean(dataset), "noise", 0.37, 1000), FitRequest(rank=3, max_iter=300, tol=1e-5))
    assert one.error == pytest.approx(off(clean(dataset), alone.W @ alone.H), rel=1e-12)
    np.testing.assert_allclose(one.rebuilt[0], (alone.W @ alone.H)[7], rtol=1e-5)


def test_a_small_penalty_holds_the_model_where_most_cells_are_missing():
    dataset = load_dataset("wine")
    errors = {}
    for alpha in (0.0, 0.001):
        work = RobustnessWork(
            dataset.id, kind="missing", levels=(0.0, 0.63), methods=METHODS[:1], draws=3, alpha_W=alpha, alpha_H=alpha
        )
        errors[alpha] = [o.error for o in run(work, dataset) if o.level > 0]
    assert max(errors[0.0]) > 5
    assert max(errors[0.001]) < 0.3


def test_errors_count_known_cells_alone():
    dataset = load_dataset("energy_mix")
    work = RobustnessWork(dataset.id, rank=2, kind="noise", levels=(0.0,), methods=(METHODS[0],))
    (only,) = run(work, dataset)
    X = clean(dataset)
    result = fit(dataset, rank=2, max_iter=300, tol=1e-5)
    known = ~dataset.mask
    expected = np.linalg.norm((X - result.W @ result.H)[known]) / np.linalg.norm(X[known])
    assert only.error == pytest.approx(expected, rel=1e-9)


def test_the_work_may_be_cut_anywhere(monkeypatch):
    monkeypatch.setattr(staged, "LEAST", 0.0)
    dataset = Dataset.of(np.random.default_rng(0).random((30, 10)))
    work = RobustnessWork(
        dataset.id, rank=2, kind="outliers", levels=LEVELS["outliers"][:4:3], methods=(ABSOLUTE, "VQ")
    )
    state, stop, looks = None, Stop.RUNNING, 0
    while stop is Stop.RUNNING:
        chunk = work.advance(dataset, state, 0.0)
        state, stop, looks = chunk.state, chunk.stop, looks + 1
    assert looks > 4
    for cut, once in zip(work.result(dataset, state, stop), run(work, dataset), strict=True):
        assert cut.error == once.error


def test_an_unknown_method_gets_a_sentence():
    dataset = load_dataset("iris")
    with pytest.raises(ValueError, match="methods: unknown"):
        run(RobustnessWork(dataset.id, methods=("magic",)), dataset)
