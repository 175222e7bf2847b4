"""Names and colours that a visitor gave follow the parts to other seeds, solvers and ranks, and into every export."""

from __future__ import annotations

import json

import numpy as np

from nmf_core import fit, load_dataset
from nmf_core.components import Identity, match, present, suggest_names
from nmf_core.figures.palette import COMPONENT_COLORS
from tests.pages.helpers import address, array, figures, finished, texts

NAMED = json.dumps({"names": {"1": "petals"}, "colors": {"1": "#123456"}}, separators=(",", ":"))


def headings(app):
    """Return the headings of the component bars, in order."""
    return [a["text"] for a in figures(app)[0]["layout"]["annotations"] if "■" in a["text"]]


def test_an_address_names_and_colours_the_parts(open_page):
    app = open_page(data="iris", rank="2", parts=NAMED)
    named = [h for h in headings(app) if "petals" in h]
    assert len(named) == 1
    assert "#123456" in named[0]
    assert json.loads(address(app)["parts"])["names"] == {"1": "petals"}


def test_a_name_follows_its_part_to_another_start_and_another_rank(open_page):
    app = open_page(data="iris", rank="2", parts=NAMED)
    petals = fit(load_dataset("iris"), rank=2, time_limit=300.0).H[1]
    app.selectbox(key="init").set_value("random")
    app.number_input(key="seed").set_value(5)
    finished(app.run())
    app.slider(key="rank").set_value(3)
    finished(app.run())
    names = json.loads(address(app)["parts"])["names"]
    place = int(next(i for i, name in names.items() if name == "petals"))
    result = fit(load_dataset("iris"), rank=3, init="random", seed=5, time_limit=300.0)
    likeness = match(petals[None], result.H).cosine[0]
    assert place == int(np.argmax(likeness))
    assert likeness[place] > 0.6


def test_the_similarity_that_justified_a_name_is_shown(open_page):
    app = open_page(data="iris", rank="2", parts=NAMED)
    app.selectbox(key="init").set_value("random")
    app.session_state["names"] = True
    finished(app.run())
    assert "Names carried over by cosine similarity" in texts(app)
    assert "petals 1.00" in texts(app)


def test_rename_reorder_hide_and_start_over(open_page):
    app = open_page(data="iris", rank="3")
    app.session_state["names"] = True
    finished(app.run())
    first = next(field for field in app.text_input if field.value == "Part 1")
    first.set_value("=cmd() & <i>co</i>")
    finished(app.run())
    assert any("=cmd() &amp; &lt;i&gt;co&lt;/i&gt;" in h for h in headings(app))
    assert "parts" in address(app)
    next(b for b in app.button if str(b.key).startswith("Hide_")).click()
    finished(app.run())
    assert len(headings(app)) == 2
    next(b for b in app.button if str(b.key).startswith("Start over_")).click()
    finished(app.run())
    assert len(headings(app)) == 3
    assert "parts" not in address(app)


def test_dropping_a_part_refits_the_others_from_where_they_stand(open_page):
    app = open_page(data="wine", rank="4", solver="hals")
    app.session_state["names"] = True
    finished(app.run())
    box = next(b for b in app.checkbox if str(b.key).startswith("choose_"))
    box.check()
    finished(app.run())
    next(b for b in app.button if str(b.key).startswith("drop_")).click()
    finished(app.run())
    assert "sum of **3** parts" in texts(app)
    assert len(headings(app)) == 3


def test_nonsense_in_the_address_leaves_the_parts_their_own_names(open_page):
    for text in ("{", '{"names": 3}', '{"dropped": [0, 1]}', "[" * 3000, '{"colors": {"0": "javascript:x"}}'):
        app = open_page(data="iris", rank="2", parts=text)
        assert len(headings(app)) == 2


def test_a_name_lost_at_a_small_rank_is_there_again_at_the_old_one(open_page):
    named = json.dumps({"names": {"0": "a", "1": "b", "2": "c", "3": "d"}, "colors": {"2": "#654321"}})
    app = open_page(data="wine", rank="4", parts=named)
    app.slider(key="rank").set_value(2)
    finished(app.run())
    few = set(json.loads(address(app)["parts"])["names"].values())
    assert len(few & set("abcd")) == 2
    app.selectbox(key="init").set_value("random")
    finished(app.run())
    app.selectbox(key="init").set_value("nndsvda")
    app.slider(key="rank").set_value(4)
    finished(app.run())
    back = json.loads(address(app)["parts"])
    assert back["names"] == {"0": "a", "1": "b", "2": "c", "3": "d"}
    assert back["colors"]["2"] == "#654321"


def test_names_wait_while_other_data_are_looked_at(open_page):
    app = open_page(data="iris", rank="2", parts=NAMED)
    app.selectbox(key="data").set_value("wine")
    finished(app.run())
    assert "parts" not in address(app)
    assert not any("petals" in h for h in headings(app))
    app.selectbox(key="data").set_value("iris")
    app.slider(key="rank").set_value(2)
    finished(app.run())
    assert any("petals" in h for h in headings(app))
    assert json.loads(address(app)["parts"])["names"]["1"] == "petals"


def opened_editor(open_page, **query):
    """Open Explore with the table of components open."""
    app = open_page(**query)
    app.session_state["names"] = True
    return finished(app.run())


def press(app, start):
    """Press the first button whose key starts with `start`."""
    next(b for b in app.button if str(b.key).startswith(start)).click()
    return finished(app.run())


def test_recolour_reorder_and_suggested_names(open_page):
    app = opened_editor(open_page, data="iris", rank="3")
    picker = next(p for p in app.color_picker if p.value == COMPONENT_COLORS[0])
    picker.set_value("#abcdef")
    finished(app.run())
    assert "#abcdef" in headings(app)[0]
    press(app, "Down_")
    assert "#abcdef" in headings(app)[1]
    assert len(json.loads(address(app)["parts"])["order"]) == 3
    press(app, "Use suggested names_")
    result = fit(load_dataset("iris"), rank=3, time_limit=300.0)
    wanted = suggest_names(present(load_dataset("iris"), result), load_dataset("iris"))
    for name in wanted:
        assert any(name in h for h in headings(app))


def test_merged_parts_add_up_and_can_be_taken_apart(open_page):
    app = opened_editor(open_page, data="iris", rank="3")
    for box in [b for b in app.checkbox if str(b.key).startswith("choose_")][:2]:
        box.check()
    finished(app.run())
    press(app, "Merge the chosen_")
    assert len(headings(app)) == 2
    merged = json.loads(address(app)["parts"])["merged"]
    dataset = load_dataset("iris")
    parts = present(
        dataset, fit(dataset, rank=3, time_limit=300.0), "component sums 1", Identity(merged=tuple(map(tuple, merged)))
    )
    drawn = sorted(np.sort(array(t["x"])).tolist() for t in figures(app)[0]["data"] if t["type"] == "bar")
    np.testing.assert_allclose(drawn, sorted(np.sort(row).tolist() for row in parts.H), rtol=1e-5)
    next(b for b in app.checkbox if str(b.key).startswith("choose_")).check()
    finished(app.run())
    press(app, "Take apart_")
    assert len(headings(app)) == 3


def test_what_was_decided_is_in_every_picture_table_and_link(open_page):
    decided = {"names": {"0": "sepals", "1": "petals"}, "colors": {"1": "#123456"}, "order": [1, 0], "hidden": []}
    app = open_page(data="iris", rank="2", parts=json.dumps(decided))
    link = next(str(code.value) for code in open_page_tab(app, "Take along").code if "parts=" in str(code.value))
    assert "petals" in link
    for view in ("Parts", "Samples", "Fit"):
        app = open_page_tab(app, view)
        drawn = json.dumps(figures(app))
        if view != "Fit":
            assert "petals" in drawn, view
            assert "#123456" in drawn.lower() or "rgba(18, 52, 86" in drawn, view
        assert "Part 1" not in drawn, view
    app.switch_page("compare.py").run()
    finished(app)
    rows = figures(app)[0]["layout"]["yaxis"]["ticktext"]
    assert rows == ["petals", "sepals"]
    assert json.loads(address(app)["parts"])["names"] == decided["names"]
    bars = [t for t in figures(app)[1]["data"] if t["type"] == "bar" and t["xaxis"] == "x"]
    assert {(t["name"], t["marker"]["color"]) for t in bars} >= {("petals", "#123456")}


def open_page_tab(app, view):
    """Turn to a tab of Explore."""
    app.query_params["view"] = view
    app.session_state["view"] = view
    return finished(app.run())


def test_hidden_parts_are_left_out_on_compare_and_still_count(open_page):
    plain = open_page("compare", data="iris", rank="3")
    hiding = open_page("compare", data="iris", rank="3", parts='{"hidden":[1],"names":{"0":"kept"}}')
    assert len(figures(hiding)[0]["layout"]["yaxis"]["ticktext"]) == 2
    errors = [
        next(f.value for f in app.dataframe if "relative error" in f.value.columns)["relative error"].iloc[0]
        for app in (plain, hiding)
    ]
    assert errors[0] == errors[1]
    assert "left out of the pictures of components" in texts(hiding)


def test_other_pages_show_the_names_without_deciding_anything(open_page):
    named = json.dumps({"names": {"0": "stroke"}})
    app = open_page(data="digits", rank="6", parts=named)
    before = dict(app.session_state["_identity"])
    app.switch_page("images.py").run()
    finished(app)
    app.selectbox(key="images_data").set_value("digits")
    finished(app.run())
    assert "stroke" in json.dumps(figures(app))
    assert dict(app.session_state["_identity"]) == before


def test_names_stay_with_the_parts_that_are_left_after_one_is_dropped(open_page):
    named = json.dumps({"names": {"0": "a", "1": "b", "2": "c", "3": "d"}, "colors": {"2": "#654321"}})
    app = opened_editor(open_page, data="wine", rank="4", parts=named)
    dataset = load_dataset("wine")
    before = fit(dataset, rank=4, time_limit=300.0)
    next(b for b in app.checkbox if b.label == "Choose b").check()
    finished(app.run())
    press(app, "drop_")
    kept = json.loads(address(app)["parts"])
    assert sorted(kept["names"].values()) == ["a", "c", "d"]
    after = fit(dataset, before.request.with_(rank=3, init="custom"), W=before.W[:, [0, 2, 3]], H=before.H[[0, 2, 3]])
    for old, new in zip((0, 2, 3), match(before.H[[0, 2, 3]], after.H).b, strict=True):
        assert kept["names"][str(new)] == "abcd"[old]
    assert kept["colors"][str(match(before.H[[2]], after.H).b[0])] == "#654321"


def test_a_merged_part_keeps_name_and_colour_through_starts_solvers_ranks_and_pages(open_page):
    decided = {"names": {"0": "both", "1": "rest"}, "colors": {"0": "#123456"}, "merged": [[0, 2]]}
    app = finished(open_page(data="iris", rank="3", parts=json.dumps(decided)).run())

    def seen(app):
        return sorted(
            (("both" in h, "#123456" in h) for h in headings(app) if "both" in h or "rest" in h), reverse=True
        )

    both_and_rest = [(True, True), (False, False)]
    assert seen(app) == both_and_rest
    for kind, key, value in (
        ("selectbox", "init", "random"),
        ("selectbox", "solver", "mu"),
        ("slider", "rank", 4),
        ("slider", "rank", 2),
        ("slider", "rank", 3),
    ):
        getattr(app, kind)(key=key).set_value(value)
        finished(app.run())
        assert seen(app) == both_and_rest, (key, value)
    assert len(json.loads(address(app)["parts"])["merged"]) == 1
    app.switch_page("compare.py").run()
    finished(app)
    assert figures(app)[0]["layout"]["yaxis"]["ticktext"] == ["both", "rest"]
    app.switch_page("explore.py").run()
    finished(app)
    assert seen(app) == both_and_rest
