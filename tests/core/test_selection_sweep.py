"""Sweeps: pure, resumable, enlargeable, on every kind of data."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import scipy.sparse as sp

from nmf_core import Dataset, FitRequest, Stop, fit, load_dataset
from nmf_core.selection import SweepRequest, SweepWork, advise, sweep
from nmf_core.selection import pieces as pieces_module
from nmf_core.selection.pieces import residual_squares, sketch
from nmf_core.selection.plan import planned
from nmf_core.selection.sample import heldout_sample


def product(n=40, m=15, rank=3, seed=0):
    rng = np.random.default_rng(seed)
    S = rng.gamma(0.7, 1, (n, rank)) @ rng.gamma(0.7, 1, (rank, m))
    return np.abs(S + 0.1 * S.std() * rng.standard_normal(S.shape))


DATA = Dataset.of(product())
MODEL = FitRequest(dataset_id=DATA.id, max_iter=100, tol=1e-3)


def run(work, dataset, state=None, budget=float("inf")):
    while True:
        chunk = work.advance(dataset, state, budget)
        state = chunk.state
        if chunk.stop is not Stop.RUNNING:
            return work.result(dataset, state, chunk.stop)


def same(a, b):
    assert a.ranks == b.ranks
    for x, y in zip(a.evidence, b.evidence, strict=True):
        for name in ("losses", "errors", "heldout", "shuffled_errors", "block", "similarity"):
            np.testing.assert_array_equal(getattr(x, name), getattr(y, name))


def test_cutting_into_chunks_changes_no_bit():
    work = SweepWork(SweepRequest((1, 2, 3), 3, MODEL, 3, 1))
    whole, cut = run(work, DATA), run(work, DATA, budget=0.0)
    same(whole, cut)
    assert whole.progress == 1.0


def test_state_and_work_can_travel():
    work = SweepWork(SweepRequest((2,), 2, MODEL, 0, 0, False))
    chunk = pickle.loads(pickle.dumps(work)).advance(DATA, None, 0.0)  # noqa: S301
    assert chunk.stop is Stop.RUNNING
    same(run(work, DATA), run(work, DATA, pickle.loads(pickle.dumps(chunk.state))))  # noqa: S301


def test_a_larger_sweep_computes_only_what_is_missing(monkeypatch):
    small = run(SweepWork(SweepRequest((2, 3), 2, MODEL, 3, 1)), DATA)
    larger = SweepWork(SweepRequest((1, 2, 3, 4), 4, MODEL, 4, 1))
    computed = []
    real = pieces_module.compute

    def counted(names, *rest):
        computed.extend(names)
        return real(names, *rest)

    monkeypatch.setattr("nmf_core.selection.work.compute", counted)
    grown = run(larger, DATA, small.state)
    assert not set(computed) & set(small.state.pieces)
    assert set(computed) | set(small.state.pieces) >= set(planned(larger.request, DATA))
    same(grown, run(larger, DATA))


def test_pieces_computed_together_are_the_ones_computed_alone():
    work = SweepWork(SweepRequest((1, 2, 3), 3, MODEL, 3, 2))
    names = list(planned(work.request, DATA))
    together = pieces_module.compute(names, work.request, DATA)
    for name, one in zip(names, together, strict=True):
        (alone,) = pieces_module.compute([name], work.request, DATA)
        if name[0] == "fit":
            again = fit(DATA, work.request.fit_request(*name[1:]))
            np.testing.assert_array_equal(one.fit.W, again.W)
            np.testing.assert_array_equal(one.fit.H, again.H)
            assert one.piece.loss == alone.piece.loss == again.loss
        else:
            assert one.piece == alone.piece
        assert (one.heldout is None) == (name[0] != "speckle")


def test_predictions_of_held_out_cells_are_kept_and_weigh_the_steps():
    found = run(SweepWork(SweepRequest((2, 3, 4), 1, MODEL, 4, 0, False)), DATA)
    for i in range(4):
        cells = found.state.heldout[0, i]
        for k in (1, 2, 3, 4):
            error = np.mean((cells - found.state.heldout[k, i]) ** 2)
            assert error == pytest.approx(found.state.pieces["speckle", k, i])
    assert found.step(2, 3).weight > 0.7  # the data has three parts
    assert found.step(3, 4).weight < 0.4
    assert found.step(2, 5) is None
    weights = found.table()["weight of the step to it"].to_numpy()
    np.testing.assert_array_equal(weights, [np.nan, found.step(2, 3).weight, found.step(3, 4).weight])


def test_another_models_pieces_are_refused():
    state = run(SweepWork(SweepRequest((2,), 1, MODEL, 0, 0, False)), DATA).state
    other = SweepWork(SweepRequest((2,), 1, MODEL.with_(loss="kullback-leibler"), 0, 0, False))
    with pytest.raises(ValueError, match="cannot be reused"):
        other.advance(DATA, state, 0.0)


def test_every_point_can_be_opened_as_a_fit():
    found = run(SweepWork(SweepRequest((2, 3), 3, MODEL, 0, 0, False)), DATA)
    for k in (2, 3):
        again = fit(DATA, found.best_request(k))
        W, H = found.factors(k)
        np.testing.assert_array_equal(again.W, W)
        np.testing.assert_array_equal(again.H, H)
        assert again.loss == found.at(k).losses.min()
        assert found.restart_request(k, found.at(k).best) == found.best_request(k)
        for position, loss in enumerate(found.at(k).losses):
            again = fit(DATA, found.restart_request(k, position))
            assert again.loss == loss
            np.testing.assert_array_equal(sketch(again.H), found.components(k)[position])


def test_errors_are_in_the_units_of_the_data():
    found = run(SweepWork(SweepRequest((2,), 2, MODEL, 0, 0, False)), DATA)
    W, H = found.factors(2)
    rmse = np.sqrt(np.mean((DATA.X - W @ H) ** 2))
    assert found.at(2).errors.min() * np.sqrt(found.total / found.known) == pytest.approx(rmse)


def test_fewer_restarts_than_were_computed_are_what_they_would_be_alone():
    # Only the best factors of a rank are kept; the best of the first two is another one than the best of eight.
    data = load_dataset("wine")
    model = FitRequest(dataset_id=data.id, max_iter=30, tol=1e-3)
    large, small = (SweepWork(SweepRequest((2, 5, 6), n, model, 0, 0, False)) for n in (8, 2))
    many, alone = run(large, data), run(small, data)
    assert any(many.best_request(k) != alone.best_request(k) for k in alone.ranks)
    cut = run(small, data, many.state)
    back = run(large, data, cut.state)
    for one, other in ((cut, alone), (back, many)):
        same(one, other)
        assert one.progress == 1.0
        for k in one.ranks:
            assert one.best_request(k) == other.best_request(k)
            assert one.at(k).best == np.argmin(one.at(k).losses)
            for a, b in zip(one.factors(k), other.factors(k), strict=True):
                np.testing.assert_array_equal(a, b)


def test_partial_result_can_be_drawn_at_any_time():
    work = SweepWork(SweepRequest((1, 2, 3), 2, MODEL, 3, 1))
    assert work.result(DATA, None, Stop.CANCELLED).ranks == ()
    state = work.advance(DATA, None, 0.0).state
    partial = work.result(DATA, state, Stop.CANCELLED)
    assert partial.ranks == (1,)
    assert 0 < partial.progress < 1
    assert len(partial.table()) == 1


def test_held_out_error_is_relative_to_rank_one_even_outside_the_range():
    found = sweep(DATA, [2, 3], 1, n_folds=4, n_shuffles=0, bicross=False)
    both = sweep(DATA, [1, 2, 3], 1, n_folds=4, n_shuffles=0, bicross=False)
    np.testing.assert_allclose(found.at(3).heldout, both.at(3).heldout)
    assert both.at(1).heldout.mean() == pytest.approx(1)
    assert both.at(3).heldout.mean() < 0.5


@pytest.mark.parametrize("loss", ["kullback-leibler", "itakura-saito"])
def test_other_losses(loss):
    X = product() + 0.05
    found = sweep(X, [1, 2, 3], 1, n_folds=2, n_shuffles=1, bicross=False, loss=loss, max_iter=60)
    errors = np.array([np.nanmean(e.heldout) for e in found.evidence])
    assert errors[0] == pytest.approx(1)
    assert np.isfinite(errors).all()
    assert loss == "itakura-saito" or errors[2] < 0.9
    assert (np.isfinite(found.at(2).aic)) == (loss == "kullback-leibler")


def test_missing_cells_leave_out_what_is_not_defined():
    X = product()
    X[np.random.default_rng(0).random(X.shape) < 0.1] = np.nan
    found = sweep(X, [1, 2, 3], 2, n_folds=3, n_shuffles=1)
    e = found.at(3)
    assert np.isnan(e.svd_error)
    assert np.isnan(e.block).all()
    assert np.isfinite(e.heldout).sum() == 3
    assert e.heldout[:3].mean() < 0.5
    assert any("missing" in note for note in found.notes)


def test_unstored_cells_of_sparse_data_are_unknown():
    rng = np.random.default_rng(1)
    X = sp.csr_array(product(60, 20, 2) * (rng.random((60, 20)) < 0.6))
    found = sweep(X, [1, 2], 1, mask="unstored", n_folds=2, n_shuffles=1)
    assert found.at(2).heldout.mean() < 0.9
    expected = X.data - (found.factors(2)[0] @ found.factors(2)[1])[X.nonzero()]
    assert found.at(2).errors[0] ** 2 == pytest.approx((expected**2).sum() / (X.data**2).sum(), rel=1e-6)


def test_sparse_data_counts_its_zeros():
    X = product() * (np.random.default_rng(0).random((40, 15)) < 0.4)
    dense = sweep(X, [2], 1, n_folds=2, n_shuffles=0)
    sparse = sweep(sp.csr_array(X), [2], 1, n_folds=2, n_shuffles=0)
    np.testing.assert_allclose(dense.at(2).heldout, sparse.at(2).heldout)
    assert sparse.at(2).errors[0] == pytest.approx(dense.at(2).errors[0], rel=1e-3)


def test_ranks_the_data_cannot_have_are_named():
    found = sweep(product(10, 4, 2), [2, 4, 5, 9], 1, n_folds=0, n_shuffles=0, bicross=False)
    assert found.ranks == (2, 4)
    assert "above 4" in found.notes[0]


def test_large_data_is_sampled_and_says_so():
    rows, cols, note = heldout_sample(np.ones((5000, 400)))
    assert len(rows) * len(cols) <= 250_000
    assert "of 5,000 rows" in note
    assert heldout_sample(np.ones((50, 40)))[2] == ""


@pytest.mark.parametrize("kind", ["dense", "sparse", "missing", "unstored"])
def test_residual_squares(kind):
    rng = np.random.default_rng(2)
    X, W, H = product(), rng.random((40, 2)), rng.random((2, 15))
    hole = rng.random(X.shape) < 0.3
    if kind in ("dense", "missing"):
        X[hole] = np.nan if kind == "missing" else 0
        assert residual_squares(X, W, H) == pytest.approx(np.nansum((X - W @ H) ** 2))
    else:
        X[hole] = 0
        weight = X != 0 if kind == "unstored" else np.ones(X.shape)
        mask = "unstored" if kind == "unstored" else None
        assert residual_squares(sp.csr_array(X), W, H, mask) == pytest.approx((weight * (X - W @ H) ** 2).sum())


def test_sketches_keep_cosines():
    rng = np.random.default_rng(3)
    H = rng.gamma(0.3, 1, (6, 5000))
    H[1] = H[0] + 0.05 * rng.random(5000)
    small, unit = sketch(H), H / np.linalg.norm(H, axis=1, keepdims=True)
    assert small.shape == (6, 512)
    np.testing.assert_allclose(small @ small.T, unit @ unit.T, atol=0.2)
    assert (small[0] @ small[1]) / np.linalg.norm(small[0]) / np.linalg.norm(small[1]) > 0.98


@pytest.mark.parametrize(
    "change", [{"ranks": ()}, {"ranks": (0,)}, {"n_restarts": 0}, {"n_folds": 11}, {"n_shuffles": -1}]
)
def test_requests_are_checked(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        SweepRequest(**change)


def test_request_keys_tell_requests_apart():
    base = SweepRequest((1, 2), 2, MODEL)
    others = [
        base.with_(ranks=(1, 3)),
        base.with_(n_restarts=3),
        base.with_(model=MODEL.with_(seed=1)),
        base.with_(n_folds=3),
    ]
    assert len({base.key, *(o.key for o in others)}) == 5
    assert base.key == SweepRequest((2, 1, 1), 2, MODEL.with_(rank=9, init="nndsvd")).key


def test_penalties_reach_the_held_out_fits():
    X = product(30, 12, 2)
    plain = sweep(X, [1, 2], 1, n_folds=2, n_shuffles=0, bicross=False)
    heavy = sweep(X, [1, 2], 1, n_folds=2, n_shuffles=0, bicross=False, alpha_W=10.0, l1_ratio=1.0)
    assert heavy.state.pieces["speckle", 2, 0] > 1.5 * plain.state.pieces["speckle", 2, 0]


@pytest.mark.parametrize(
    "kind", ["zeros", "constant", "2 x 2", "2 x 50", "identity", "empty rows", "huge", "tiny", "mostly missing"]
)
def test_degenerate_data_end_in_an_answer(kind):
    rng = np.random.default_rng(0)
    X = {
        "zeros": np.zeros((6, 5)),
        "constant": np.ones((6, 5)),
        "2 x 2": rng.random((2, 2)),
        "2 x 50": rng.random((2, 50)),
        "identity": np.eye(6),
        "empty rows": np.vstack([rng.random((6, 5)), np.zeros((3, 5))]),
        "huge": 1e100 * rng.random((10, 6)),
        "tiny": 1e-100 * rng.random((10, 6)),
        "mostly missing": np.where(rng.random((20, 6)) < 0.8, np.nan, rng.random((20, 6))),
    }[kind]
    found = sweep(X, [1, 2, 3], 2, n_folds=3, n_shuffles=1)
    assert advise(found).headline
    assert len(found.table()) == len(found.ranks)
