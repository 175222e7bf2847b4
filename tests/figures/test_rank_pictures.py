"""Pictures of the page Rank: they hold the sweep's numbers, stay lean, and let no file's text act as markup."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

from nmf_core import Dataset
from nmf_core.figures.rank_consensus import SHOWN, ConsensusMap
from nmf_core.figures.rank_curves import RankCurves
from nmf_core.figures.rank_lineage import ComponentTree
from nmf_core.figures.rank_restarts import RestartLosses
from nmf_core.figures.rank_trust import Intervals
from nmf_core.selection import SweepRequest, SweepWork, advise, sweep
from nmf_core.selection.consensus import consensus_matrix
from nmf_core.selection.lineage import lineage
from nmf_core.types import FitRequest, Stop

EVIL = '<a href="http://x">%{y}</a>'


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(0)
    X = rng.gamma(0.5, 1, (40, 3)) @ rng.gamma(0.5, 1, (3, 15)) + 0.05 * rng.random((40, 15))
    return sweep(X, range(1, 6), 3, n_folds=4, n_shuffles=1)


def weight(figure):
    return len(figure.to_json())


def lines(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def test_curves_hold_the_numbers_of_the_sweep(found):
    figure = RankCurves(found, advise(found), chosen=2).build()
    errors = lines(figure, "relative error")
    np.testing.assert_allclose(errors.y, [e.errors.min() for e in found.evidence], rtol=1e-6)
    np.testing.assert_array_equal(errors.customdata, [1, 2, 3, 4, 5])
    heldout = lines(figure, "data")
    np.testing.assert_allclose(heldout.y, [np.nanmean(e.heldout) for e in found.evidence], rtol=1e-6)
    np.testing.assert_allclose(lines(figure, "least stable").y, [e.weakest for e in found.evidence], rtol=1e-6)
    np.testing.assert_allclose(lines(figure, "cophenetic correlation").x, [2, 3, 4, 5])
    np.testing.assert_allclose(lines(RankCurves(found, more=True).build(), "weight").y, found.weights()[1:], rtol=1e-6)
    assert weight(figure) < 100_000


def test_all_panels_share_one_rank_axis(found):
    figure = RankCurves(found, more=True).build()
    assert {trace.xaxis for trace in figure.data} <= {None, "x"}
    panels = {trace.yaxis for trace in figure.data}
    assert len(panels) == 9
    domains = sorted(figure.layout[f"yaxis{'' if i == 0 else i + 1}"].domain for i in range(9))
    assert all(a[1] < b[0] for a, b in pairwise(domains))


def test_the_advised_rank_is_marked_and_told(found):
    advice = advise(found)
    assert advice.rank == 3
    picture = RankCurves(found, advice)
    marks = [shape for shape in picture.build().layout.shapes if shape.type == "rect"]
    assert [(shape.x0 + shape.x1) / 2 for shape in marks] == [3]
    assert "advised rank 3" in picture.describe()
    assert list(picture.table()["rank"]) == [1, 2, 3, 4, 5]


def test_unfinished_and_empty_sweeps_can_be_drawn():
    data = Dataset.of(np.random.default_rng(0).random((8, 5)))
    work = SweepWork(SweepRequest((1, 2), 2, FitRequest(dataset_id=data.id), 3, 1))
    empty = work.result(data, None, Stop.CANCELLED)
    assert "No rank" in RankCurves(empty).describe()
    RankCurves(empty).build()
    partial = work.result(data, work.advance(data, None, 0.0).state, Stop.CANCELLED)
    assert RankCurves(partial, advise(partial), more=True).build().data


def test_panels_of_a_running_sweep_have_their_place_from_the_start(found):
    data = Dataset.of(np.random.default_rng(0).random((8, 5)))
    work = SweepWork(SweepRequest((1, 2), 2, FitRequest(dataset_id=data.id), 3, 1))
    state = work.advance(data, None, 0.0).state
    early = RankCurves(work.result(data, state, Stop.CANCELLED)).build()
    while (chunk := work.advance(data, state, 0.0)).stop is Stop.RUNNING:
        state = chunk.state
    late = RankCurves(work.result(data, chunk.state, Stop.CONVERGED)).build()
    assert early.layout.height == late.layout.height
    places = [[axis.domain for axis in figure.select_yaxes()] for figure in (early, late)]
    assert places[0] == places[1]
    waiting = [note.text for note in early.layout.annotations if "not measured yet" in note.text]
    assert len(waiting) == 3
    assert not any("not measured yet" in note.text for note in late.layout.annotations)


def test_one_restart_draws_no_stability(found):
    single = sweep(np.random.default_rng(0).random((10, 6)), [1, 2], 1, n_folds=0, n_shuffles=0, bicross=False)
    figure = RankCurves(single).build()
    assert not any(trace.name in ("least stable", "cophenetic correlation") for trace in figure.data)


def test_restarts_are_counted_by_solution():
    picture = RestartLosses(np.array([3.0, 1.0, 1.0005]), np.array([1, 0, 0]))
    assert "2 of 3 restarts" in picture.describe()
    assert "2 distinct solutions" in picture.describe()
    np.testing.assert_allclose(picture.build().data[0].y, [0, 0.05, 200], rtol=1e-4)
    assert list(picture.table()["solution"]) == [2, 1, 1]
    assert list(picture.table()["restart"]) == [1, 2, 3]


def test_every_restart_is_a_point_that_knows_its_restart_and_seed():
    losses = np.array([3.0, 1.0, 1.5])
    picture = RestartLosses(losses, np.array([2, 0, 1]), seeds=(40, 41, 42), chosen=0)
    points = picture.build().data[0]
    assert [row[0] for row in points.customdata] == [1, 2, 0]
    assert all(isinstance(row, list | tuple) for row in points.customdata)  # what a click sends back
    assert [row[3] for row in points.customdata] == [41, 42, 40]
    assert int(np.argmax(points.marker.size)) == 2  # the chosen one, drawn last: it is the worst
    assert list(picture.table()["seed"]) == [40, 41, 42]
    np.testing.assert_allclose(picture.table()["loss above the best (%)"], [200, 0, 50])


def test_consensus_is_ordered_with_its_classes():
    rng = np.random.default_rng(1)
    groups = np.stack([np.tile([0, 1, 2], 10) for _ in range(4)])
    groups[3] = rng.integers(0, 3, 30)
    names = np.array([f"sample {i}" for i in range(30)])
    classes = np.tile(["a", EVIL, "c"], 10)
    picture = ConsensusMap(groups, 0, names, classes, EVIL)
    figure = picture.build()
    order = [int(name.split()[1]) for name in picture.table()["sample"]]
    np.testing.assert_allclose(figure.data[0].z, 100 * consensus_matrix(groups)[np.ix_(order, order)], rtol=1e-6)
    assert np.count_nonzero(np.diff(groups[0][order])) == 2
    np.testing.assert_array_equal(figure.data[1].z[0], groups[0][order])
    assert "<a href" not in figure.to_json()
    assert "cophenetic correlation" in picture.describe()
    assert figure.data[0].hovertemplate.startswith("in the same group in %{z:.0f} % of restarts")


def test_a_large_consensus_is_thinned_and_says_so():
    groups = np.random.default_rng(2).integers(0, 4, (3, 600))
    picture = ConsensusMap(groups, 0, np.arange(600).astype(str))
    figure = picture.build()
    assert figure.data[0].z.shape == (SHOWN, SHOWN)
    assert str(SHOWN) in picture.describe()
    assert weight(figure) < 1_000_000


def test_tree_draws_links_above_the_cut_and_top_features(found):
    tree = lineage({k: found.factors(k) for k in found.ranks})
    features = np.array([f"f{i}" for i in range(14)] + [EVIL])
    counts = []
    for cutoff in (0.4, 0.9):
        picture = ComponentTree(tree, features, cutoff, chosen=3)
        figure = picture.build()
        counts.append(len(picture.table()))
        drawn = sum(int(np.isnan(trace.x).sum()) for trace in figure.data[:-1])
        assert drawn == counts[-1] == len(tree.links(cutoff))
        assert "<a href" not in figure.to_json()
    assert counts[0] > counts[1]
    nodes = figure.data[-1]
    assert len(nodes.x) == 1 + 2 + 3 + 4 + 5
    np.testing.assert_array_equal(nodes.customdata, nodes.x)
    best = int(np.argmax(tree.H[0][0]))
    assert (f"f{best}" if best < 14 else "&lt;a") in nodes.text[0]


def test_intervals_hold_ends_and_flags():
    value, low, high = np.array([1.0, 2.0]), np.array([0.5, 2.0]), np.array([1.5, 3.0])
    picture = Intervals(
        (("x", EVIL),),
        (value,),
        (low,),
        (high,),
        (EVIL,),
        ("#0072b2",),
        "values",
        (np.array([False, True]),),
        "swapped",
    )
    trace = picture.build().data[0]
    np.testing.assert_allclose(trace.error_x.array, [0.5, 1.0])
    np.testing.assert_allclose(trace.error_x.arrayminus, [0.5, 0.0])
    assert trace.marker.symbol[1] == "diamond-open"
    assert "<a href" not in json.dumps(picture.build().to_plotly_json(), default=str)
    assert list(picture.table()["marked"]) == [False, True]
    assert "1 marked" in picture.describe()
