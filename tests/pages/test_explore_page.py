"""The page Explore, run whole: what is on it is the engine's result for the settings on it."""

from __future__ import annotations

import numpy as np
import pytest

from nmf_core import fit, list_datasets, load_dataset
from nmf_core.components import present, top_features, well_known
from nmf_core.defaults import suggested_penalty
from nmf_core.wording import percent
from pages.ui import shelf
from tests.pages.helpers import address, array, bytes_sent, figures, finished, texts

SMALL = [name for name, info in list_datasets().items() if info.shape[0] * info.shape[1] <= 200_000]


def heatmap(app, title):
    """Return the values of the heatmap with this title."""
    figure = next(f for f in figures(app) if title in f["layout"].get("title", {}).get("text", ""))
    return array(next(trace["z"] for trace in figure["data"] if trace["type"] == "heatmap" and trace.get("colorbar")))


def test_the_first_screen_shows_iris_with_the_engines_numbers(open_page):
    app = open_page()
    dataset = load_dataset("iris")
    result = fit(dataset, rank=3, time_limit=300.0)
    parts = present(dataset, result, "component sums 1")
    np.testing.assert_allclose(heatmap(app, "W: the recipe"), parts.W, rtol=1e-5)
    np.testing.assert_allclose(heatmap(app, "H: the components"), parts.H, rtol=1e-5, atol=1e-7)
    assert "150 flowers" in texts(app)
    cards = {metric.label: metric.value for metric in app.metric}
    assert cards["Relative error"] == "1.93 %"


@pytest.mark.parametrize("name", SMALL)
def test_every_small_data_set_opens_at_its_recommended_rank(open_page, name):
    app = open_page(data=name)
    info = list_datasets()[name]
    assert app.slider(key="rank").value == info.rank
    assert f"sum of **{info.rank}**" in texts(app)
    assert len(figures(app)) >= 3
    assert bytes_sent(app) < 1_000_000


@pytest.mark.parametrize("view", ["Parts", "Samples", "Fit", "Take along"])
def test_every_view_of_a_link_is_drawn_lean(open_page, view):
    app = open_page(data="wine", rank="4", view=view, scale="max 1", row="17")
    assert app.slider(key="rank").value == 4
    assert bytes_sent(app) < 1_000_000
    if view == "Samples":
        assert "wine 18 as a sum" in figures(app)[0]["layout"]["title"]["text"]


def test_the_address_holds_what_differs_from_the_defaults(open_page):
    app = open_page(data="wine", loss="kullback-leibler", solver="mu", seed="7")
    assert address(app)["data"] == "wine"
    assert address(app)["seed"] == "7"
    assert "rank" not in app.query_params
    app.slider(key="rank").set_value(6)
    finished(app.run())
    assert address(app)["rank"] == "6"
    dataset = load_dataset("wine")
    result = fit(dataset, rank=6, loss="kullback-leibler", solver="mu", seed=7, time_limit=300.0)
    np.testing.assert_allclose(heatmap(app, "W: the recipe"), present(dataset, result, "component sums 1").W, rtol=1e-5)


def test_a_switch_of_the_solver_changes_the_fit(open_page):
    app = open_page(data="digits", rank="10", solver="eahals", tol="0.001")
    switch = app.toggle(key="eahals_sample")
    assert switch.value
    switch.set_value(False).run()
    assert address(app)["eahals_sample"] == "off"
    fields = {"rank": 10, "solver": "eahals", "tol": 1e-3, "time_limit": 300.0}
    dataset = load_dataset("digits")
    plain = fit(dataset, options=(("sample", False),), **fields)
    assert plain.trace.loss[0] > fit(dataset, **fields).trace.loss[0]
    np.testing.assert_allclose(
        heatmap(app, "H: the components"), present(dataset, plain, "component sums 1").H, atol=1e-7
    )


def test_nonsense_in_the_address_falls_back_to_the_defaults(open_page):
    app = open_page(data="no such data", rank="9999", loss="<b>", tol="abc", seed="-5", view="Nowhere", row="10_000")
    assert "Iris" in texts(app)
    assert app.slider(key="rank").value == 4  # the most that Iris allows
    assert app.number_input(key="seed").value == 0
    assert any("no longer on the server" in warning.value for warning in app.warning)


def test_only_legal_combinations_are_offered(open_page):
    iris_losses = open_page(data="iris").selectbox(key="loss").options
    assert any("Itakura" in option for option in iris_losses)
    assert not any("Itakura" in option for option in open_page(data="digits").selectbox(key="loss").options)
    solvers = open_page(data="iris", loss="kullback-leibler").selectbox(key="solver").options
    assert not any("hals" in option.lower() for option in solvers)
    assert any("multiplicative" in option.lower() for option in solvers)


def test_a_new_data_set_starts_at_its_own_rank_and_settings_stay(open_page):
    app = open_page(data="iris", rank="2", max_iter="50")
    app.selectbox(key="data").set_value("wine")
    finished(app.run())
    assert app.slider(key="rank").value == list_datasets()["wine"].rank
    assert app.number_input(key="max_iter").value == 50


def test_continue_goes_on_to_the_same_bits_as_one_long_run(open_page):
    app = open_page(data="wine", max_iter="20", tol="0.0", solver="hals")
    assert "Stopped at the limit of iterations" in texts(app)
    app.button(key="continue_more").click()
    finished(app.run())
    assert app.number_input(key="max_iter").value == 40
    dataset = load_dataset("wine")
    result = fit(dataset, rank=3, max_iter=40, tol=0.0, solver="hals", time_limit=300.0)
    np.testing.assert_allclose(
        heatmap(app, "H: the components"), present(dataset, result, "component sums 1").H.astype(np.float32), rtol=1e-6
    )


def test_missing_cells_are_left_out_of_the_fit(open_page):
    app = open_page(data="energy_mix")
    assert "cells have no figure" in texts(app)
    assert figures(app)


def test_the_synthetic_data_have_their_settings_on_sliders(open_page):
    app = open_page(data="synthetic", synthetic_rank="3", synthetic_noise="0")
    assert app.slider(key="synthetic_rank").value == 3
    app.slider(key="rank").set_value(3)
    finished(app.run())
    cards = {metric.label: metric.value for metric in app.metric}
    assert float(cards["Relative error"].split()[0]) < 1.5


def test_data_and_settings_stay_when_the_page_is_turned(open_page):
    app = open_page(data="wine", loss="kullback-leibler", tol="0.0001", seed="3", penalties="own")
    for page in ("compare", "rank", "explore"):
        app.switch_page(f"{page}.py").run()
        assert "Wine" in texts(app)
        finished(app)
        assert app.selectbox(key="data").value == "wine"
        assert app.selectbox(key="loss").value == "kullback-leibler"
        assert app.selectbox(key="tol").value == 1e-4
        assert app.number_input(key="seed").value == 3
        assert app.selectbox(key="penalties").value == "own"


def test_ratings_open_with_a_penalty_and_its_reason_and_the_next_data_without(open_page):
    app = open_page(data="movielens_small")
    assert "98.4 % of the cells are unknown, so W and H carry an L2 penalty" in texts(app)
    dataset = load_dataset("movielens_small")
    penalty = suggested_penalty(dataset)
    result = fit(
        dataset,
        rank=5,
        alpha_W=penalty.alpha_W,
        alpha_H=penalty.alpha_H,
        l1_ratio=0.0,
        max_iter=500,
        tol=1e-5,
        time_limit=300.0,
    )
    bars = figures(app)[0]["data"][0]
    parts = present(dataset, result, "max 1")
    _, values = top_features(parts, 10, among=well_known(dataset, 5))
    np.testing.assert_allclose(array(bars["x"]), values[0], rtol=1e-5)
    assert "penalties" not in app.query_params  # the data say it, not the link
    app.selectbox(key="data").set_value("iris")
    finished(app.run())
    assert "carry an L2 penalty" not in texts(app)
    assert app.segmented_control(key="scale").value == "component sums 1"
    cards = {metric.label: metric.value for metric in app.metric}
    assert cards["Relative error"] == "1.93 %"
    app.segmented_control(key="scale").set_value("unit L2")
    finished(app.run())
    app.selectbox(key="data").set_value("movielens_small")
    finished(app.run())
    assert app.segmented_control(key="scale").value == "unit L2"  # a visitor's own choice stays
    app.selectbox(key="penalties").set_value("none")
    finished(app.run())
    assert "carry an L2 penalty" not in texts(app)
    assert address(app)["penalties"] == "none"


@pytest.mark.parametrize("name", ["wine", "coffee_ftir", "swimmer"])
def test_what_a_part_explains_alone_is_said_in_words(open_page, name):
    app = open_page(data=name, rank="3")
    dataset = load_dataset(name)
    result = fit(dataset, rank=3, max_iter=500, tol=1e-5, time_limit=300.0)
    share = present(dataset, result).share
    shown = texts(app)
    assert f"here they add up to {percent(share.sum())}." in shown
    if name != "wine":  # pictures and lines in one chart have no share drawn above them
        assert f"explain alone, in this order, {', '.join(map(percent, share))}:" in shown
    else:
        assert "The percentage under a part’s name is what that part explains alone" in shown


def test_a_file_that_asks_is_opened_with_the_usual_answers_by_one_click(open_page):
    app = open_page()
    lines = ["site,north,south,west", *(f"s{i},{i % 5 + 0.5},{-1.5 if i == 3 else i},{2 * i + 1}" for i in range(20))]
    lines[8] = "s7,,7,15"
    app.file_uploader(key="data_file").set_value([("field.csv", "\n".join(lines).encode(), "text/csv")])
    finished(app.run())
    assert "This file needs 2 decisions of yours." in texts(app)
    assert "1 cell is missing" in texts(app)
    assert "1 cell is negative" in texts(app)
    assert "150 flowers" in texts(app)  # nothing is taken over before the answer
    next(b for b in app.button if b.label == "Take the usual answers").click()
    finished(app.run())
    assert "150 flowers" not in texts(app)
    assert "**20 rows × 3 columns.**" in texts(app)
    dataset = shelf.get(address(app)["data"])
    assert [step["step"] for step in dataset.steps] == ["missing", "negative"]
    assert dataset.mask.sum() == 1
    assert np.nanmin(dataset.X) == 0
