"""The page Learn, run whole."""

from __future__ import annotations

import pytest

from tests.pages.helpers import address, array, bytes_sent, figures, finished, texts

CHAPTERS = ("idea", "algorithm", "network", "geometry", "starts", "uses")


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_chapter_opens_by_its_link(open_page, chapter):
    app = open_page("learn", chapter=chapter)
    app = finished(app.run())
    assert figures(app)
    assert bytes_sent(app) < 2_000_000


def test_the_golden_case_is_stepped_forward_and_back(open_page):
    app = open_page("learn", chapter="algorithm", step="0")
    app = finished(app.run())
    app.button(key="step_next").click()
    finished(app.run())
    H = array(figures(app)[0]["data"][2]["z"])
    assert H[0, 0] == pytest.approx(1.419354839, rel=1e-6)
    assert address(app)["step"] == "1"
    app.button(key="step_back").click()
    finished(app.run())
    assert array(figures(app)[0]["data"][2]["z"])[0, 0] == 1


def test_next_and_back_turn_the_pages(open_page):
    app = open_page("learn", chapter="idea")
    app = finished(app.run())
    app.button(key="next").click()
    finished(app.run())
    assert address(app)["chapter"] == "algorithm"
    app.button(key="back").click()
    finished(app.run())
    assert "The idea" in texts(app)


def test_typed_numbers_are_in_the_link(open_page):
    app = open_page("learn", chapter="idea", w_small="1,1;1,1;1,1;1,1")
    app = finished(app.run())
    assert (array(figures(app)[0]["data"][1]["z"]) == 1).all()
    app = open_page("learn", chapter="idea", w_small="-1,1;1,1;1,1;<b>,1")
    app = finished(app.run())
    assert array(figures(app)[0]["data"][1]["z"])[0, 0] == 0.5
