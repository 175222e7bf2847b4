"""The page Rank, run whole: advice, curves, depth, and the way to a fit."""

from __future__ import annotations

import numpy as np
import pytest

from nmf_core import FitRequest, fit, load_dataset
from nmf_core.fit import FitWork
from nmf_core.jobs import manager
from nmf_core.selection import SweepRequest, SweepWork, advise, sweep
from nmf_core.types import Stop
from tests.pages.helpers import address, array, bytes_sent, figures, finished, texts

LEAN = {"rank_to": "4", "rank_restarts": "4"}


def trace(app, name):
    return next(t for f in figures(app) for t in f["data"] if t.get("name") == name)


def test_iris_is_advised_two_with_reasons_and_the_engines_curve(open_page):
    app = open_page("rank", data="iris", **LEAN)
    assert "2 components" in texts(app)
    assert "Held-out cells are predicted best from rank 2 on" in texts(app).replace("\\", "")
    data = load_dataset("iris")
    work = SweepWork(SweepRequest((1, 2, 3, 4), 4, FitRequest(dataset_id=data.id, rank=3, tol=1e-4)))
    chunk = work.advance(data, None, float("inf"))
    expected = work.result(data, chunk.state, Stop.CONVERGED)
    shown = trace(app, "relative error")
    np.testing.assert_allclose(array(shown["y"]), [e.errors.min() for e in expected.evidence], rtol=1e-6)
    assert advise(expected).rank == 2
    assert bytes_sent(app) < 500_000


@pytest.mark.parametrize(
    "section",
    ["Trust in the chosen rank", "Groups of samples", "Components over ranks", "How the advice is made", "All numbers"],
)
def test_every_section_can_be_linked(open_page, section):
    app = open_page("rank", data="iris", rank="2", rank_section=section, **LEAN)
    words = {
        "Trust in the chosen rank": "Is it the only factorization?",
        "Groups of samples": "Each restart at rank **2**",
        "Components over ranks": "A mark is a component",
        "How the advice is made": "The rule.",
        "All numbers": "uncentred",
    }
    assert words[section] in texts(app)
    assert bytes_sent(app) < 2_000_000


def test_error_bars_can_be_asked_for(open_page):
    app = open_page("rank", data="iris", rank="2", boot_on="on", boot_n="10", disp_on="on", **LEAN)
    bars = [t for f in figures(app) for t in f["data"] if t["type"] == "bar" and t.get("error_x")]
    assert len(bars) == 2
    ranges = [t for f in figures(app) for t in f["data"] if t["type"] == "scatter" and t.get("error_x")]
    assert len(ranges) >= 2
    assert "10 bootstrap fits" in texts(app)


def test_looking_at_the_advised_rank_and_opening_its_fit(open_page):
    app = open_page("rank", data="iris", **LEAN)
    assert app.slider(key="rank").value == 3
    finished(app.button(key="take_advice").click().run())
    assert app.slider(key="rank").value == 2
    app.button(key="open_best").click().run()
    finished(app)
    assert address(app)["init"] == "random"
    assert address(app)["rank"] == "2"


def test_any_restart_opens_with_its_own_bits_and_the_way_back_finds_the_sweep(open_page):
    data = load_dataset("wine")
    app = open_page("rank", data="wine", rank="4", seed="11", rank_to="4", rank_restarts="3")
    finished(app.run())
    before = array(trace(app, "relative error")["y"])
    found = sweep(data, range(1, 5), 3, n_folds=0, n_shuffles=0, bicross=False, seed=11)
    worst = int(np.argmax(found.at(4).losses))
    finished(app.selectbox(key="restart_4").set_value(worst + 1).run())
    assert f"Restart {worst + 1} beside the best one" in texts(app)
    app.button(key="open_restart").click().run()
    finished(app)
    assert address(app)["seed"] == str(11 + worst)
    assert address(app)["init"] == "random"
    opened = FitRequest(
        dataset_id=data.id, rank=4, init="random", seed=11 + worst, tol=1e-4, time_limit=300.0, alpha_H=0.0
    )
    result = manager().result(FitWork(opened).key)
    assert result.loss == found.at(4).losses[worst]
    np.testing.assert_array_equal(result.W, fit(data, found.restart_request(4, worst)).W)
    # Back on the page Rank it is the sweep from seed 11 again, not one from the opened seed.
    app.switch_page("rank.py")
    finished(app.run())
    np.testing.assert_array_equal(array(trace(app, "relative error")["y"]), before)


def test_a_link_to_a_restart_outlives_a_sweep_that_has_not_reached_it(open_page, monkeypatch):
    real = SweepWork.advance
    monkeypatch.setattr(SweepWork, "advance", lambda self, dataset, state, budget: real(self, dataset, state, 0.0))
    app = open_page("rank", data="wine", rank="4", rank_to="4", rank_restarts="3", restart_4="3", seed="23")
    assert app.selectbox(key="restart_4").value == 3
    assert app.button(key="open_restart").label == "Open restart 3 in Explore"


def test_fewer_restarts_show_the_best_of_those(open_page):
    data = load_dataset("wine")
    app = open_page("rank", data="wine", rank="4", rank_to="4", rank_restarts="8")
    finished(app.run())
    app.number_input(key="rank_restarts").set_value(2)
    finished(app.run())
    alone = sweep(data, range(1, 5), 2, n_folds=0, n_shuffles=0, bicross=False)
    shown = trace(app, "relative error")
    np.testing.assert_allclose(array(shown["y"]), [e.errors.min() for e in alone.evidence], rtol=1e-6)
    assert "best of 2 restarts" in texts(app)


def test_a_wider_range_goes_on_from_the_first(open_page):
    app = open_page("rank", data="wine", rank_to="2", rank_restarts="2")
    finished(app.run())
    before = array(trace(app, "relative error")["y"])
    app.number_input(key="rank_to").set_value(3)
    finished(app.run())
    after = array(trace(app, "relative error")["y"])
    assert len(after) == 3
    np.testing.assert_array_equal(before, after[:2])


def test_shuffled_columns_can_be_left_out(open_page):
    app = open_page("rank", data="iris", rank_shuffled="off", **LEAN)
    names = [t.get("name") for f in figures(app) for t in f["data"]]
    assert "shuffled columns" not in names
