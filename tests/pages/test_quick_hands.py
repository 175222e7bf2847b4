"""People who are quicker than the server: what they set last stays, whatever the browser sends late."""

from __future__ import annotations

import pytest

from tests.pages.helpers import address, finished


def opened(open_page, page="learn", **query):
    return finished(open_page(page, **query).run())


def test_a_slider_is_not_set_back_by_the_run_it_caused(open_page):
    """What a run assigns goes to the browser and takes the place of what was set meanwhile."""
    app = opened(open_page, chapter="geometry", part="two")
    app.slider(key="cone_w2").set_value(2.0)
    finished(app.run())
    assert app.slider(key="cone_w2").value == 2.0
    sent = [
        app.slider(key="cone_w2"),
        app.slider(key="cone_w1"),
        app.selectbox(key="chapter"),
        app.selectbox(key="part"),
    ]
    assert not any(widget.proto.set_value for widget in sent)


@pytest.mark.parametrize(
    ("page", "query", "kinds"),
    [
        ("explore", {}, ("slider", "selectbox", "number_input")),
        ("learn", {}, ("slider", "selectbox", "toggle")),
        ("compare", {"section": "Robustness", "corruption": "missing", "draws": "1"}, ("slider", "selectbox")),
    ],
)
def test_no_run_sends_widgets_the_value_they_show(open_page, page, query, kinds):
    app = opened(open_page, page, **query)
    finished(app.run())
    widgets = [w for kind in kinds for w in app.get(kind)]
    assert len(widgets) >= 2
    assert [w.label for w in widgets if w.proto.set_value] == []


def test_an_address_the_browser_sends_late_does_not_undo_what_was_set_meanwhile(open_page):
    app = opened(open_page, chapter="geometry", part="two", cone_w2="0.2")
    app.slider(key="cone_w2").set_value(0.1)
    finished(app.run())
    assert address(app)["cone_w2"] == "0.1"
    app.query_params["cone_w2"] = "0.2"  # the browser has not heard of the new address yet
    app.slider(key="cone_w2").set_value(-0.3)
    finished(app.run())
    assert app.slider(key="cone_w2").value == -0.3
    assert address(app)["cone_w2"] == "-0.3"


def test_a_late_address_does_not_undo_a_return_to_the_default(open_page):
    app = opened(open_page, chapter="geometry", part="two", cone_w2="0.2")
    app.slider(key="cone_w2").set_value(3.0)  # as it is at first: nothing of it stands in the address
    finished(app.run())
    app.query_params["cone_w2"] = "0.2"
    finished(app.run())
    assert app.slider(key="cone_w2").value == 3.0
    assert "cone_w2" not in address(app)


def test_an_address_never_seen_is_followed(open_page):
    app = opened(open_page, chapter="geometry", part="two", cone_w2="0.2")
    app.query_params["cone_w2"] = "0.7"
    finished(app.run())
    assert app.slider(key="cone_w2").value == 0.7


def test_numbers_typed_quickly_are_not_undone_by_a_late_address(open_page):
    app = opened(open_page, w_small="0.5,1;1,0.25;0.75,0.5;1,1")
    drag = next(s for s in app.slider if s.label.startswith("Amount of part 1"))
    drag.set_value(0.9)
    finished(app.run())
    app.query_params["w_small"] = "0.5,1;1,0.25;0.75,0.5;1,1"
    finished(app.run())
    assert next(s for s in app.slider if s.label.startswith("Amount of part 1")).value == 0.9


def test_a_late_address_does_not_undo_a_new_name(open_page):
    first = '{"names":{"0":"blossoms"}}'
    app = opened(open_page, "explore", data="iris", rank="2", parts=first)
    app.session_state["names"] = True
    finished(app.run())
    next(field for field in app.text_input if field.value == "blossoms").set_value("petals")
    finished(app.run())
    assert "petals" in address(app)["parts"]
    app.query_params["parts"] = first  # sent before the browser heard of the new name
    finished(app.run())
    assert "petals" in address(app)["parts"]
    assert [field.value for field in app.text_input if field.value in ("blossoms", "petals")] == ["petals"]
