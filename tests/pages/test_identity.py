"""Names and colours that a visitor gave follow the parts to other seeds, solvers and ranks, and into every export."""

from __future__ import annotations

import json

import numpy as np

from nmf_core import fit, load_dataset
from nmf_core.components import match
from tests.pages.helpers import address, figures, finished, texts

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
