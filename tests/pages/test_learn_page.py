"""The page Learn, run whole."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qsl

import numpy as np
import pytest

from nmf_core import fit, load_dataset
from nmf_core.lessons.examples import EXAMPLES
from nmf_core.lessons.stepping import moments
from nmf_core.lessons.valleys import valleys
from tests.pages.helpers import address, array, bytes_sent, figures, finished, texts

PLACES = (
    ("idea", "sum", {}),
    ("idea", "sum", {"example": "picture", "drag": "h"}),
    ("algorithm", "step", {"method": "hals", "step": "3"}),
    ("algorithm", "step", {"method": "pg", "step": "4"}),
    ("algorithm", "step", {"learn_loss": "kullback-leibler"}),
    ("algorithm", "methods", {"step": "1"}),
    ("algorithm", "why", {"why": "negative", "example": "picture"}),
    ("algorithm", "why", {"why": "zero"}),
    ("algorithm", "why", {"why": "stop", "example": "valleys"}),
    ("algorithm", "minima", {"example": "valleys"}),
    ("algorithm", "disguise", {"swap": "on"}),
    ("network", "network", {"net_data": "wine"}),
    ("geometry", "two", {"cone_w1": "-2"}),
    ("geometry", "three", {"tri_data": "olive_oils"}),
    ("starts", "film", {}),
    ("starts", "starts", {"start_data": "digits"}),
    ("starts", "stop", {"rule": "kkt"}),
    ("starts", "few", {}),
    ("uses", "used", {"use": "Sound"}),
    ("uses", "fails", {"trouble": "rank"}),
    ("uses", "fails", {"trouble": "negative"}),
    ("uses", "fails", {"trouble": "outlier"}),
    ("uses", "fails", {"trouble": "unique"}),
)


def at(open_page, chapter, part="", **query):
    """Open the page at a place, by its address."""
    app = open_page("learn", chapter=chapter, **({"part": part} if part else {}), **query)
    return finished(app.run())


def metrics(app):
    return {m.label: m.value for m in app.metric}


@pytest.mark.parametrize(("chapter", "part", "query"), PLACES)
def test_every_place_opens_by_its_address_and_its_question_can_be_answered(open_page, chapter, part, query):
    app = at(open_page, chapter, part, **query)
    assert not app.error
    assert bytes_sent(app) < 2_000_000
    assert figures(app) or part == "film"
    for chart in app.get("plotly_chart"):  # what the picture shows, in numbers, not what kind of picture it is
        assert re.search(r"\d", chart.proto.alt)
        assert len(chart.proto.alt) > 60
    asked = next(radio for radio in app.radio if "Check yourself" in radio.label)
    verdicts = []
    for option in asked.options:
        next(radio for radio in app.radio if radio.key == asked.key).set_value(option)
        finished(app.run())
        said = [box.value for box in (*app.success, *app.warning) if re.match(r"Yes\.|Not quite:", box.value)]
        assert len(said) == 1
        verdicts.append((option, said[0]))
    right = [option for option, text in verdicts if text.startswith("Yes.")]
    assert len(right) == 1  # one answer is right, and every other one is told which
    assert all(text.startswith(f"Not quite: {right[0]}. ") for option, text in verdicts if option != right[0])


def test_the_golden_case_is_stepped_forward_and_back(open_page):
    app = at(open_page, "algorithm", step="0")
    assert metrics(app)["Σ (X − WH)²"] == "38.832"
    app.button(key="step_next").click()
    finished(app.run())
    H = array(figures(app)[0]["data"][2]["z"])
    np.testing.assert_allclose(
        H, [[1.419354839, 0.814159292, 0.290220820], [0.571428571, 1.037037037, 1.454545455]], rtol=1e-6
    )
    assert metrics(app)["Σ (X − WH)²"] == "35.9639"
    assert address(app)["step"] == "1"
    app.button(key="step_back").click()
    finished(app.run())
    assert array(figures(app)[0]["data"][2]["z"])[0, 0] == 1


def test_the_golden_case_has_its_kullback_leibler_update(open_page):
    app = at(open_page, "algorithm", learn_loss="kullback-leibler", step="0")
    assert metrics(app)["Σ X log(X/WH) − X + WH"] == "13.2645"
    app.button(key="step_next").click()
    finished(app.run())
    H = array(figures(app)[0]["data"][2]["z"])
    np.testing.assert_allclose(
        H, [[1.384615385, 1.075457875, 0.379667117], [0.545454545, 1.274458874, 2.096757054]], rtol=1e-6
    )


def test_the_formula_foretells_what_the_next_update_shows(open_page):
    app = at(open_page, "algorithm", method="hals", step="5", entry_w="W[3,2]")
    foretold = re.search(r"the framed entry becomes \*\*([\d.]+)\*\*", texts(app)).group(1)
    app.button(key="step_next").click()
    finished(app.run())
    assert f"{array(figures(app)[0]['data'][1]['z'])[2, 1]:.4g}" == foretold
    app.button(key="step_next").click()
    finished(app.run())
    assert app.selectbox(key="entry_w").value == "W[3,2]"  # what was chosen in W is still chosen after H had its turn


def test_three_methods_start_from_the_same_numbers(open_page):
    app = at(open_page, "algorithm", "methods", step="0")
    e = EXAMPLES["small"]()
    for i, method in enumerate(("mu", "pg", "hals"), start=1):
        expected = moments(e.X, e.W, e.H, method, count=1)[1].H
        np.testing.assert_allclose(array(figures(app)[0]["data"][i]["z"]), expected, rtol=1e-6)


def test_next_goes_through_every_stop_and_back_returns(open_page):
    app = at(open_page, "geometry", "three", tri_data="olive_oils")
    app.button(key="next").click()
    finished(app.run())
    assert (address(app)["chapter"], app.session_state["part"]) == ("starts", "film")
    app.button(key="next").click()
    finished(app.run())
    assert address(app)["film"] == "digits"
    for _ in range(2):
        app.button(key="back").click()
        finished(app.run())
    assert (address(app)["chapter"], address(app)["tri_data"]) == ("geometry", "olive_oils")
    assert "Stop 14 of" in texts(app)


@pytest.mark.parametrize(
    ("part", "query", "following"),
    [
        (
            "why",
            {"why": "zero", "example": "picture", "step": "7"},
            {"why": "stop", "example": "valleys", "step": "10"},
        ),
        ("why", {"why": "negative", "example": "own"}, {"why": "zero"}),
        ("step", {"step": "9", "method": "hals"}, {"part": "methods"}),
    ],
)
def test_next_goes_on_from_wherever_people_have_stepped(open_page, part, query, following):
    app = at(open_page, "algorithm", part, **query)
    app.button(key="next").click()
    finished(app.run())
    assert following.items() <= address(app).items()


def test_next_leaves_a_film_that_was_scrubbed(open_page):
    app = at(open_page, "starts", "film", film="digits", frame="7")
    app.button(key="next").click()
    finished(app.run())
    assert address(app)["film"] == "faces_orl"
    assert "frame" not in address(app)


def test_the_link_for_the_class_holds_the_numbers_but_not_the_large_type(open_page):
    app = at(open_page, "algorithm", present="on", step="3", w_small="1,2;3,4;5,6;7,8")
    (code,) = app.get("code")
    assert "step=3" in code.value
    assert "w_small=1%2C2%3B3%2C4" in code.value
    assert "present" not in code.value


def test_the_first_stop_has_no_back_and_the_last_no_next(open_page):
    app = at(open_page, "idea")
    assert app.button(key="back").disabled
    assert not app.button(key="next").disabled
    app = at(open_page, "uses", "fails", trouble="unique")
    assert app.button(key="next").disabled


def test_presenting_draws_in_large_type(open_page):
    plain, large = (
        figures(at(open_page, "algorithm", **more))[0]["layout"]["font"]["size"] for more in ({}, {"present": "on"})
    )
    assert large == 1.5 * plain


def test_typed_numbers_are_in_the_link(open_page):
    app = at(open_page, "idea", w_small="1,1;1,1;1,1;1,1")
    assert (array(figures(app)[0]["data"][1]["z"]) == 1).all()
    app = at(open_page, "idea", w_small="-1,1;1,1;1,1;<b>,1")
    assert array(figures(app)[0]["data"][1]["z"])[0, 0] == 0.5


def test_parts_are_dragged_like_amounts_and_given_back(open_page):
    app = at(open_page, "idea", drag="h")
    app.slider(key="drag_h_small_0_2").set_value(1.75)
    finished(app.run())
    assert array(figures(app)[0]["data"][2]["z"])[0, 2] == 1.75
    e = EXAMPLES["small"]()
    H = e.H.copy()
    H[0, 2] = 1.75
    assert metrics(app)["Your Σ (X − WH)²"] == f"{((e.X - e.W @ H) ** 2).sum():.5g}"
    assert address(app)["h_small"].startswith("1,0.5,1.75;")
    app.button(key="given").click()
    finished(app.run())
    assert array(figures(app)[0]["data"][2]["z"])[0, 2] == 0.25
    assert "h_small" not in address(app)


def test_the_contest_is_with_the_solver_itself(open_page):
    e = EXAMPLES["small"]()
    app = at(open_page, "idea")
    best = valleys(e.X)[0].loss
    assert metrics(app)["The algorithm's best of ten starts"] == f"{2 * best:.5g}"
    app.button(key="helped").click()
    finished(app.run())
    two = moments(e.X, e.W, e.H, count=2)[-1]
    assert metrics(app)["Your Σ (X − WH)²"] == f"{2 * two.loss:.5g}"
    assert metrics(app)["Updates it needs to be as good as you"] == "2"
    result = fit(e.X, rank=2, max_iter=2000, tol=1e-12)
    query = {
        name: ";".join(",".join(f"{v:.10g}" for v in row) for row in F)
        for name, F in (("w_small", result.W), ("h_small", result.H))
    }
    app = at(open_page, "idea", **query)
    assert any("As good as" in box.value for box in app.success)


def test_rows_of_iris_are_chosen_and_are_in_the_link(open_page):
    app = at(open_page, "idea", example="flowers", flowers="3,140")
    np.testing.assert_allclose(array(figures(app)[0]["data"][0]["z"]), load_dataset("iris").X[[3, 140]], rtol=1e-6)
    app.multiselect(key="flowers").set_value([3, 140, 70])
    finished(app.run())
    assert address(app)["flowers"] == "3,140,70"
    assert array(figures(app)[0]["data"][0]["z"]).shape == (3, 4)
    app = at(open_page, "idea", example="flowers", flowers="3,999")
    assert array(figures(app)[0]["data"][0]["z"]).shape == (6, 4)


def test_ones_own_table_takes_another_size_and_keeps_what_fits(open_page):
    app = at(open_page, "idea", example="own", own="2x3", x_own="1,2,3;4,5,6")
    app.number_input(key="own_0").set_value(3)
    finished(app.run())
    X = array(figures(app)[0]["data"][0]["z"])
    np.testing.assert_array_equal(X[:2], [[1, 2, 3], [4, 5, 6]])
    assert X.shape == (3, 3)
    assert address(app)["example"] == "own"
    app.number_input(key="own_1").set_value(2)
    finished(app.run())
    np.testing.assert_array_equal(array(figures(app)[0]["data"][0]["z"])[:2], [[1, 2], [4, 5]])
    again = at(open_page, "idea", **address(app))
    np.testing.assert_array_equal(array(figures(again)[0]["data"][0]["z"])[:2], [[1, 2], [4, 5]])


def test_an_all_zero_table_is_taken_calmly(open_page):
    for part in ("step", "methods", "why", "minima", "disguise"):
        app = at(open_page, "algorithm", part, example="own", own="2x2", x_own="0,0;0,0")
        assert not app.error
    app = at(open_page, "idea", example="own", own="2x2", x_own="0,0;0,0")
    assert app.button(key="helped").disabled


def test_the_disguise_changes_w_and_h_and_leaves_wh_alone(open_page):
    plain = figures(at(open_page, "algorithm", "disguise", disguise="1"))[0]["data"]
    drawn = figures(at(open_page, "algorithm", "disguise", disguise="4", swap="on"))[0]["data"]
    np.testing.assert_array_equal(array(drawn[1]["z"])[:, 1], 4 * array(plain[1]["z"])[:, 0])
    np.testing.assert_array_equal(array(drawn[2]["z"])[1], array(plain[2]["z"])[0] / 4)
    np.testing.assert_array_equal(array(drawn[3]["z"]), array(plain[3]["z"]))


def test_every_seed_is_told_where_it_ends(open_page):
    app = at(open_page, "algorithm", "minima", example="valleys")
    found = valleys(EXAMPLES["valleys"]().X)
    assert "There are **2 valleys**" in texts(app)
    ends = {trace["name"]: array(trace["y"])[-1] for trace in figures(app)[0]["data"]}
    for valley in found:
        assert all(ends[f"seed {seed}"] == pytest.approx(2 * valley.loss, rel=0.01) for seed in valley.seeds)
    app = at(open_page, "algorithm", "minima", example="small")
    assert "All ten end at **2.945**" in texts(app)


def test_a_tolerance_that_never_stops_the_run_has_no_mark(open_page):
    app = at(open_page, "starts", "stop", stop_data="digits")
    table = app.table[0].value
    stopped = [name for name, why in table["why it stopped"].items() if why.startswith("Converged")]
    assert 0 < len(stopped) < len(table)
    assert figures(app)[0]["data"][-1]["text"] == stopped


def test_the_film_stands_where_the_address_says(open_page):
    app = at(open_page, "starts", "film", film="digits", frame="7")
    (player,) = app.get("bidi_component")
    sent = json.loads(player.proto.mixed.json if player.proto.HasField("mixed") else player.proto.json)
    assert sent["at"] == 7
    assert sent["heads"][7].startswith(f"iteration {sent['iterations'][7]} ")
    assert len(json.dumps(sent)) < 1_000_000
    assert address(app)["frame"] == "7"
    assert at(open_page, "starts", "film", frame="99").session_state["frame"] == 0


@pytest.mark.parametrize(("use", "page"), [("Images", "images"), ("Text", "text"), ("Compression", "images")])
def test_an_application_links_to_its_lens(open_page, use, page):
    app = at(open_page, "uses", "used", use=use)
    (link,) = app.get("page_link")
    assert link.proto.page.endswith(page)
    assert f"{page}_data=" in link.proto.query_string


@pytest.mark.parametrize("use", ["Genes", "Ratings", "Sound", "Networks"])
def test_an_application_without_a_lens_leads_to_the_same_parts_on_explore(open_page, use):
    app = at(open_page, "uses", "used", use=use)
    (link,) = app.get("page_link")
    assert link.proto.page.endswith("explore") or link.proto.page == ""
    there = finished(open_page("explore", **dict(parse_qsl(link.proto.query_string))).run())
    here, bars, heat = figures(app)[0]["data"], *figures(there)[:2]
    kind = here[0]["type"]
    if kind == "heatmap":  # the rows may stand in another order
        found = next(t for t in heat["data"] if t["type"] == "heatmap")
        mine, theirs = (np.sort(array(t["z"]), axis=0) for t in (here[0], found))
        np.testing.assert_allclose(mine, theirs, rtol=1e-5)
    else:
        pairs = [(a, b) for a, b in zip(here, bars["data"], strict=True) if a["type"] == kind and "x" in a]
        assert len(pairs) >= 3
        for a, b in pairs:
            if kind == "bar":  # fewer bars stand here
                assert a["text"] == b["text"][: len(a["text"])]
            for axis in ("x",) if kind == "bar" else ("x", "y"):
                mine = array(a[axis])
                np.testing.assert_allclose(mine, array(b[axis])[: len(mine)], rtol=1e-5)
    loss = "kullback-leibler" if use == "Sound" else "frobenius"
    assert there.selectbox(key="loss").value == loss


def test_the_link_to_explore_holds_whatever_was_set_there_before(open_page):
    app = at(open_page, "uses", "used", use="Sound")
    (link,) = app.get("page_link")
    asked = dict(parse_qsl(link.proto.query_string))
    there = finished(
        open_page("explore", data="iris", rank="2", loss="itakura-saito", init="random", max_iter="7").run()
    )
    there.query_params.clear()
    for key, value in asked.items():
        there.query_params[key] = value
    finished(there.run())
    state = there.session_state
    assert [state[k] for k in ("data", "rank", "loss", "init", "max_iter")] == [
        "audio_piano_notes",
        3,
        "kullback-leibler",
        "nndsvda",
        500,
    ]


def test_spectra_of_sounds_are_told_apart_without_colour(open_page):
    app = at(open_page, "uses", "used", use="Sound")
    picture = figures(app)[0]
    assert len({trace["xaxis"] for trace in picture["data"]}) == len(picture["data"]) == 3
    for k, said in enumerate(picture["layout"]["annotations"][:3]):
        assert f"Part {k + 1}" in said["text"]
