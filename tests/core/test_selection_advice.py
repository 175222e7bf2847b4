"""The advice: right on data whose rank is known, silent where there is nothing, honest about doubts."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from nmf_core import Dataset, load_dataset
from nmf_core.selection import advise, agreement, sweep
from nmf_core.selection.baseline import drift, permute_columns
from nmf_core.selection.blending import Step, step
from nmf_core.selection.heldout_choice import further, heldout_choice, smallest_as_good, without_dominant


def synthetic(rank, n=60, m=40, seed=0, noise=0.1, kind="gaussian"):
    rng = np.random.default_rng([seed, rank])
    W = rng.gamma(1, 1, (n, rank)) * (rng.random((n, rank)) > 0.5)
    H = rng.gamma(1, 1, (rank, m)) * (rng.random((rank, m)) > 0.5)
    signal = W @ H
    if kind == "gaussian":
        sd = noise * np.linalg.norm(signal) / np.sqrt(signal.size)
        return np.maximum(signal + sd * rng.standard_normal(signal.shape), 0)
    return rng.poisson(signal * 30 / signal.mean()).astype(float)


@pytest.mark.parametrize(("rank", "kind"), [(3, "gaussian"), (6, "poisson"), (9, "gaussian")])
def test_known_rank_is_advised(rank, kind):
    found = sweep(synthetic(rank, kind=kind), range(max(1, rank - 3), rank + 4), 2, n_shuffles=1, bicross=False)
    advice = advise(found)
    assert advice.rank == rank
    assert advice.reasons
    assert not advice.preliminary


def test_known_rank_is_advised_for_counts_under_kullback_leibler():
    X = synthetic(4, kind="poisson")
    found = sweep(X, range(2, 7), 1, n_shuffles=0, n_folds=5, bicross=False, loss="kullback-leibler", max_iter=150)
    assert advise(found).rank == 4


def test_known_rank_is_advised_with_missing_cells():
    X = synthetic(4)
    X[np.random.default_rng(0).random(X.shape) < 0.1] = np.nan
    assert advise(sweep(X, range(2, 7), 1, n_shuffles=0, n_folds=5)).rank == 4


@pytest.mark.parametrize("kind", ["shuffled iris", "shuffled parts", "uniform", "poisson"])
def test_nothing_is_advised_where_there_is_nothing(kind):
    rng = np.random.default_rng(3)
    X = {
        "shuffled iris": lambda: permute_columns(load_dataset("iris").X, 5),
        "shuffled parts": lambda: permute_columns(synthetic(4), 5),
        "uniform": lambda: rng.random((60, 20)),
        "poisson": lambda: rng.poisson(3, (60, 20)).astype(float),
    }[kind]()
    advice = advise(sweep(X, range(1, 5), 2, n_shuffles=1, n_folds=5, bicross=False))
    assert advice.rank is None
    assert "Nothing" in advice.headline
    assert advice.settle


def test_iris_has_two_parts():
    advice = advise(sweep(load_dataset("iris"), range(1, 5), 4, n_shuffles=1))
    assert advice.rank == 2
    votes = {vote.criterion: vote.rank for vote in advice.families}
    assert votes["Speckled cross-validation"] == 2
    assert votes["Elbow of the error"] == 2


def test_swimmer_is_sixteen_limbs_or_seventeen_parts():
    # 16 limb positions and a torso; the torso is in every image, so any limb's four parts can share it: 16 fit exactly.
    found = sweep(load_dataset("swimmer"), [14, 16, 17], 1, n_folds=3, n_shuffles=0, bicross=False)
    advice = advise(found)
    assert advice.rank in (16, 17)
    assert "exactly" in advice.reasons[0]


def test_leukemia_reads_as_published():
    # Brunet et al. 2004, ranks 2 to 5: groups are stable at two and three and fall apart from four on; nimfa's table: 37 of
    # 38 agree at rank 2, 36 of 38 at rank 3.
    data = load_dataset("genes_leukemia")
    cells = np.asarray(data.labels["diagnosis"])
    kinds = np.array([name[:3] for name in cells])
    found = sweep(data, [2, 3, 4, 5], 6, n_folds=0, n_shuffles=0, bicross=False, loss="kullback-leibler", max_iter=200)
    for rank, classes, at_least in ((2, kinds, 37), (3, cells, 36)):
        e = found.at(rank)
        assert e.consensus.cophenetic > 0.99
        assert e.weakest > 0.95
        table, _, _ = agreement.contingency(found.groups(rank)[e.best], classes)
        assert agreement.agreeing(table) >= at_least
    scores = {e.rank: e.consensus for e in found.evidence}
    assert max(scores[4].cophenetic, scores[5].cophenetic) < 0.99
    assert max(scores[4].dispersion, scores[5].dispersion) < 0.95 < min(scores[2].dispersion, scores[3].dispersion)
    assert [e.n_distinct for e in found.evidence[:2]] == [1, 1]


def test_an_error_that_still_falls_is_said_and_not_taken_for_an_answer():
    found = sweep(synthetic(9), range(1, 5), 3, n_shuffles=0, n_folds=5, bicross=False)
    advice = advise(found)
    assert any("still falls at rank 4" in doubt for doubt in advice.doubts)
    assert any("Extend the range" in way for way in advice.settle)
    assert advice.rank is None
    assert advice.leaner is None or advice.leaner < 4


def test_unfinished_sweeps_give_preliminary_advice():
    from nmf_core.selection import SweepRequest, SweepWork
    from nmf_core.types import FitRequest, Stop

    data = Dataset.of(synthetic(3))
    work = SweepWork(SweepRequest((1, 2, 3), 2, FitRequest(dataset_id=data.id), 3, 0, False))
    state = work.advance(data, None, 0.0).state
    early = advise(work.result(data, state, Stop.CANCELLED))
    assert early.rank is None
    assert early.preliminary
    assert advise(work.result(data, None, Stop.CANCELLED)).rank is None


def test_without_held_out_cells_the_doubt_is_said():
    advice = advise(sweep(synthetic(3), range(1, 6), 3, n_folds=0, n_shuffles=0, bicross=False))
    assert any("No cells were held out" in doubt for doubt in advice.doubts)


def dense(rank, n, m, noise, seed):
    """All parts overlap: most of X is one common profile, and the others are faint beside the noise."""
    rng = np.random.default_rng([seed, rank])
    signal = rng.random((n, rank)) @ rng.random((rank, m))
    sd = noise * np.linalg.norm(signal) / np.sqrt(signal.size)
    return np.maximum(signal + sd * rng.standard_normal(signal.shape), 0)


@pytest.mark.parametrize("seed", [0, 4, 7])
def test_parts_too_faint_to_lower_the_error_are_found_and_called_faint(seed):
    found = sweep(dense(8, 80, 60, 0.13, seed), range(4, 11), 1, n_shuffles=0, bicross=False)
    advice = advise(found)
    votes = {vote.criterion: vote for vote in advice.families}
    assert votes["Speckled cross-validation"].rank < 8
    assert advice.rank == votes["Weight of the steps"].rank == 8
    assert advice.leaner == votes["Speckled cross-validation"].rank
    assert "faint, yet more than noise" in advice.reasons[0]
    assert any("too faint to be estimated well" in doubt for doubt in advice.doubts)
    into, past = (f"{100 * max(found.step(k, k + 1).weight, 0):.0f} % of the step" for k in (7, 8))
    sentence = votes["Weight of the steps"].sentence
    assert sentence == f"Held-out cells ask for {into} from rank 7 to 8, and for {past} to 9."
    assert votes["Weight of the steps"].verdict == "supports"
    assert votes["Speckled cross-validation"].verdict == "silent"


@pytest.mark.parametrize(
    ("X", "ranks", "rank"),
    [
        (synthetic(4, n=150, m=100, noise=0.1), range(2, 8), 4),
        (synthetic(3, n=100, m=60, noise=0.2, seed=3), range(1, 8), 3),
    ],
)
def test_noise_cut_at_zero_is_not_taken_for_a_part(X, ranks, rank):
    # Cutting noise at zero lifts empty cells: a real but tiny pattern, which predicts without being worth a component.
    assert advise(sweep(X, ranks, 1, n_shuffles=0, n_folds=5, bicross=False)).rank == rank


def test_an_end_among_ranks_worse_than_none_leads_nowhere():
    rng = np.random.default_rng([25, 5])
    signal = rng.gamma(1, 1, (30, 3)) @ rng.gamma(1, 1, (3, 10))
    X = np.maximum(signal + 0.3 * signal.std() * rng.standard_normal(signal.shape), 0)
    found = sweep(X, range(1, 9), 1, n_shuffles=0, bicross=False)
    assert np.nanmean(found.at(4).heldout) < 1 < np.nanmean(found.at(5).heldout)
    assert found.step(4, 5).weight < 0.25 < found.step(3, 4).weight
    assert advise(found).rank == 2


STEP = dict.fromkeys(range(1, 9), 0.8)


@pytest.mark.parametrize(
    ("weights", "start", "expected"),
    [
        ({**STEP, 4: 0.55, 5: 0.5, 6: 0.05, 7: 0.1}, 4, 6),  # up to where it sharply ends
        ({**STEP, 4: 0.3, 5: 0.7, 6: 0.0, 7: 0.0}, 4, 6),  # a fainter one before another
        ({**STEP, 4: 0.1, 5: 0.2, 6: 0.05, 7: 0.1}, 4, 4),  # nothing asked for
        ({**STEP, 4: 0.4, 5: 0.4, 6: 0.05, 7: 0.1}, 4, 4),  # asked for, but less than 60 % of what was asked for before
        (dict.fromkeys(range(1, 9), 0.5), 4, 4),  # no end: pictures and texts
    ],
)
def test_going_up_needs_steps_that_are_asked_for_and_an_end(weights, start, expected):
    def step(lower, higher):
        # Over two ranks at once, the mean of both steps.
        return Step(float(np.mean([weights[k] for k in range(lower, higher)])), 5.0, 0.1)

    assert further(dict.fromkeys(range(1, 9), 0.5), start, step) == expected


def test_going_up_ignores_uncertain_and_tiny_steps():
    errors = dict.fromkeys(range(1, 7), 0.5)
    ends = {5: 0.0, 6: 0.0}
    assert further(errors, 3, lambda a, _b: Step(ends.get(a, 0.8), 5.0, 0.1)) == 5
    assert further(errors, 3, lambda a, _b: Step(ends.get(a, 0.8), 1.5, 0.1)) == 3
    assert further(errors, 3, lambda a, _b: Step(ends.get(a, 0.8), 5.0, 0.003)) == 3


def test_a_step_is_weighed_as_stacking_does():
    rng = np.random.default_rng(0)
    cells, lower, higher = ([rng.random(50) for _ in range(4)] for _ in range(3))
    x, p, q = (np.concatenate(part) for part in (cells, lower, higher))
    found = step(cells, lower, higher)
    best = (x - p) @ (q - p) / ((q - p) @ (q - p))
    assert found.weight == pytest.approx(best)
    assert found.gain == pytest.approx(1 - np.sum((x - p - best * (q - p)) ** 2) / np.sum((x - p) ** 2))
    blend = [0.7 * a + 0.3 * b for a, b in zip(lower, higher, strict=True)]
    assert step(blend, lower, higher).weight == pytest.approx(0.3)
    huge = ([1e200 * a for a in part] for part in (blend, lower, higher))
    assert step(*huge).weight == pytest.approx(0.3)
    counts = [a + 0.5 for a in blend]
    shifted = ([a + 0.5 for a in part] for part in (lower, higher))
    assert step(counts, *shifted, "kullback-leibler").weight == pytest.approx(0.3, abs=0.02)
    assert step(cells, lower, lower) is None
    assert step(cells[:1], lower[:1], higher[:1]) is None


def test_smallest_as_good_pairs_the_sets():
    # Sets differ tenfold in difficulty; rank 3 is better than rank 2 in every one of them.
    base = np.array([0.1, 1.0, 0.5, 0.2])
    errors = np.stack([base * 2, base * 1.0, base * 0.9, base * 0.9])
    assert smallest_as_good(np.array([1, 2, 3, 4]), errors) == 3
    assert smallest_as_good(np.array([1, 2, 3, 4]), errors, floor=0.06) == 2


def test_one_value_far_from_all_others_does_not_decide():
    # 500 among numbers below 1: a component goes to it, which also frees rank 1 for the rest; so it does in shuffled columns.
    X = np.random.default_rng(1).random((80, 25))
    X[37, 11] = 500.0
    advice = advise(sweep(X, range(1, 6), 2, n_shuffles=1, bicross=False, max_iter=100))
    assert advice.rank is None
    assert "Nothing" in advice.headline
    assert any("One set of held-out cells holds" in doubt for doubt in advice.doubts)


def test_a_set_of_cells_is_left_out_only_if_it_holds_nearly_all_error():
    even = np.array([[2.0, 1.0, 3.0, 2.0], [1.0, 0.5, 1.5, 1.0]])
    kept, share = without_dominant(even)
    np.testing.assert_allclose(kept, even / 2)
    assert share == 0
    kept, share = without_dominant(np.hstack([even, [[4000.0], [5000.0]]]))
    np.testing.assert_allclose(kept, even / 2)
    assert share == pytest.approx(4000 / 4008)  # at the rank with the lowest error
    exact = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])  # the others have no error at all: nothing to go by without it
    assert without_dominant(exact)[1] == 0


def test_smaller_ranks_that_chance_could_have_put_behind_are_named():
    rng = np.random.default_rng([0, 3])
    X = synthetic(3, 100, 50)
    X[rng.random(X.shape) < 0.8] = np.nan  # four cells in five are gone
    advice = advise(sweep(X, range(1, 7), 2, n_shuffles=0, bicross=False, max_iter=100))
    held = heldout_choice(sweep(X, range(1, 7), 2, n_shuffles=0, bicross=False, max_iter=100))
    near, excess, spread = held.near[0]
    assert 1 < near < held.plain
    assert excess <= 2 * spread
    assert f"or as few as {near}" in advice.headline
    assert advice.leaner == near
    assert any(f"Chance could have put rank {near}" in doubt for doubt in advice.doubts)
    # With all cells there, nothing of the kind is said.
    assert heldout_choice(sweep(synthetic(3, 100, 50), range(1, 6), 1, n_shuffles=0, bicross=False)).near == ()


def test_columns_that_merely_drift_are_doubted():
    rng = np.random.default_rng([0, 8])
    noise = rng.standard_normal((150, 30))
    for i in range(1, len(noise)):
        noise[i] += 0.9 * noise[i - 1]
    X = np.abs(noise)
    advice = advise(sweep(X, range(1, 7), 1, n_shuffles=1, bicross=False, max_iter=100))
    assert drift(X) > 0.5
    assert advice.rank is not None  # held-out cells alone are taken in: the values before and after tell them
    assert any("merely drift" in doubt for doubt in advice.doubts)
    iris = advise(sweep(load_dataset("iris"), range(1, 4), 1, n_shuffles=0, n_folds=5, bicross=False))
    assert not any("drift" in doubt for doubt in iris.doubts)  # sorted by species, yet most of its error goes


def test_a_small_gain_is_called_faint():
    rng = np.random.default_rng(4)
    X = 6 * rng.random((200, 30))
    X[:60, :10] += 3.0
    advice = advise(sweep(X, range(1, 5), 1, n_shuffles=1, bicross=False, max_iter=100))
    assert advice.rank == 2
    assert any("faint structure" in doubt for doubt in advice.doubts)


def test_rows_sorted_by_a_known_class_do_not_drift():
    groups = np.repeat([0, 1, 2], 40)
    X = 5.0 * groups[:, None] + np.random.default_rng(2).random((120, 6))
    assert drift(X) > 0.9
    assert abs(drift(X, groups)) < 0.2
    wine = load_dataset("wine")  # sorted by grower
    assert drift(wine.X) > 0.5
    assert sweep(wine, [1, 2], 1, n_folds=0, n_shuffles=0, bicross=False).drift < 0.5


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_drift_does_not_depend_on_scale_gaps_or_storage(scale):
    X = np.arange(40.0)[:, None] * np.ones(3) * scale
    assert drift(X) == pytest.approx(drift(np.arange(1.0, 41)[:, None]), abs=1e-9)
    assert drift(sp.csr_matrix(X)) == pytest.approx(drift(X))
    X[5, 1] = np.nan
    assert drift(X) > 0.8
    assert drift(np.ones((4, 3)) * scale) == 0
    assert drift(X[:1]) == 0
