"""The page Data, run whole: what is understood, decided, prepared and used."""

from __future__ import annotations

import numpy as np
import pytest

from nmf_core import load_dataset
from nmf_core.ingest import Limits
from nmf_core.ingest.quota import Quota
from pages.ui import shelf, uploads
from tests.core.ingest_corpus import CASES, GOOD, far_cell, noise, picture
from tests.pages.helpers import address, array, bytes_sent, figures, finished, texts

MESSY = "Probe;Größe;Länge;Gruppe;Wert\n" + "".join(
    f"S{i};{i + 1},5;{'' if i == 3 else f'{i % 4},25'};{'ab'[i % 2]};{-0.25 if i == 5 else i + 0.75}\n".replace(
        ".", ","
    )
    for i in range(12)
)
#: Shown through the page: one of each verdict and reader, and names that act.
SHOWN = (
    "T01 empty", "T09 decimal comma", "T12 ambiguous point", "T14 row too long", "T19 text among numbers", "T22 nul byte",
    "T29 web page", "T32 nan and inf", "T42 markup names", "T45 one long cell", "T48b zip with two", "T50 only text", "T55 all zero",
    "E01 far cell", "E09 several sheets", "P02 cut off", "N01 objects", "N02 promises a terabyte", "N06 several arrays",
    "M01 cut in a number", "I01 900 MP", "I09 different sizes", "S00 wav", "S06 mp3", "D00 lines", "W02 edges with header",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Parse in this process: the children are tested elsewhere, and the two killers are refused before any parser."""
    from nmf_core.ingest import read_many

    monkeypatch.setattr(uploads, "read_many", lambda *args, **more: read_many(*args, **more, sandbox=False))
    monkeypatch.setattr(uploads, "_quota", Quota(per_visitor=10**9, total=10**10))


@pytest.fixture
def data_page(open_page):
    """Open the page with a data set; AppTest takes the picker's value over to another page only after a second run."""
    return lambda **query: finished(open_page("data", **query).run())


def drop(app, *files):
    """Drop files on the page; each is (name, bytes or text)."""
    ready = [
        (name, data.encode() if isinstance(data, str) else data, "application/octet-stream") for name, data in files
    ]
    app.file_uploader(key="data_page_files").set_value(ready).run()
    return finished(app)


def button(app, label):
    """Return the button with this label."""
    return next(b for b in app.button if b.label.replace("\\", "") == label)


def toggle(app, word):
    """Return the switch of the step whose label holds a word."""
    return next(t for t in app.toggle if word in t.label)


def in_use(app):
    """Return the data set that the picker shows."""
    value = app.selectbox(key="data").value
    return shelf.get(value) or load_dataset(value)


def test_a_built_in_data_set_is_shown_diagnosed_and_ready(data_page):
    app = data_page()
    assert "150 rows × 4 columns" in texts(app)
    assert "Continuous numbers from 0.1 to 7.9" in texts(app).replace("\\", "")
    heat = figures(app)[0]["data"][0]
    np.testing.assert_allclose(array(heat["z"]), load_dataset("iris").X, rtol=1e-6)
    assert button(app, "Use this data").disabled
    assert bytes_sent(app) < 1_000_000


def test_a_messy_file_is_understood_prepared_and_used(data_page):
    app = drop(data_page(), ("messy.csv", MESSY.encode("cp1252")))
    said = texts(app).replace("\\", "")
    for words in (
        "Windows-1252",
        "semicolon",
        "decimal comma",
        "Probe names the rows",
        "Gruppe (2 values)",
        "1 cell missing",
        "1 cell below zero",
    ):
        assert words in said
    assert toggle(app, "Missing values").value
    assert toggle(app, "Negative values").value
    button(app, "Use this data").click()
    finished(app.run())
    used = in_use(app)
    assert used.name == "messy"
    assert used.shape == (12, 3)
    assert used.rows[0] == "S0"
    assert used.mask.sum() == 1
    assert [s["step"] for s in used.steps] == ["missing", "negative"]
    assert any("Windows-1252" in note for note in used.notes)
    assert "now the current data set" in texts(app)


def test_steps_are_switched_changed_and_shown_in_the_numbers(data_page):
    app = data_page(data="wine")
    toggle(app, "Logarithm").set_value(True)
    finished(app.run())
    z = array(figures(app)[0]["data"][0]["z"])
    np.testing.assert_allclose(z, np.log1p(load_dataset("wine").X), rtol=1e-5)
    assert "np.log1p" in app.code[0].value
    button(app, "Use this data").click()
    finished(app.run())
    np.testing.assert_allclose(in_use(app).X, np.log1p(load_dataset("wine").X))
    assert in_use(app).name.endswith("(prepared)")


def test_a_step_is_added_moved_and_removed(data_page):
    app = data_page()
    app.selectbox(key="step_to_add").set_value("transpose").run()
    button(app, "Add").click().run()
    assert "4 rows × 150 columns" in texts(app)
    first = [t.label for t in app.toggle]
    [b for b in app.button if b.label == "Earlier"][-1].click().run()
    assert [t.label for t in app.toggle] != first
    while remove := [b for b in app.button if b.label == "Remove"]:
        remove[0].click().run()
    assert not any("Swap rows" in t.label for t in app.toggle)
    assert "**150 rows × 4 columns**. Open a file" in texts(app)


def test_a_step_that_does_not_fit_is_a_sentence_and_nothing_breaks(data_page):
    app = data_page(data="net_airlines")
    app.selectbox(key="step_to_add").set_value("transpose").run()
    button(app, "Add").click().run()
    assert "A network is symmetric" in texts(app)
    assert not any(b.label == "Use this data" for b in app.button)


def test_a_question_is_asked_and_answered(data_page):
    app = drop(data_page(), ("x.csv", "a;b\n1.234;2.345\n3.456;4.567\n"))
    assert "A choice is yours" in texts(app)
    assert "150 rows" in texts(app)  # the current data stay
    next(r for r in app.radio if "three digits" in r.label.replace("\\", "")).set_value("point-thousands")
    button(app, "Read it this way").click()
    finished(app.run())
    assert "2 rows × 2 columns" in texts(app)
    np.testing.assert_array_equal(array(figures(app)[0]["data"][0]["z"]), [[1234, 2345], [3456, 4567]])


def test_new_rows_are_read_as_the_data_were(data_page, open_page):
    """1.234 is a thousand, as was answered for the first file: nobody is asked again, nothing is guessed anew."""
    app = drop(
        data_page(), ("x.csv", "a;b;c\n" + "".join(f"{i + 1}.234;{9 - i}.345;{i % 3 + 1}.500\n" for i in range(8)))
    )
    next(r for r in app.radio if "three digits" in r.label.replace("\\", "")).set_value("point-thousands")
    button(app, "Read it this way").click()
    finished(app.run())
    button(app, "Use this data").click()
    finished(app.run())
    app = open_page("explore", **address(app), view="New rows")
    place_rows(app, "more.csv", "a;b;c\n2.234;8.345;2.500\n3.234;7.345;3.500\n")
    table = next(d.value for d in app.dataframe if "relative error" in d.value.columns)
    assert table["relative error"].max() < 0.05


def test_a_settled_choice_can_be_undone(data_page):
    app = drop(data_page(), ("x.csv", "a,b,species\n1,2,u\n3,4,u\n5,6,v\n7,8,v\n"))
    header = next(r for r in app.radio if "first line" in r.label)
    header.set_value("none")
    button(app, "Read it this way").click()
    finished(app.run())
    assert "5 rows" in texts(app)


def test_a_refused_file_leaves_data_and_result_as_they_were(data_page):
    app = data_page(data="wine")
    before = in_use(app).id
    drop(app, ("far.xlsx", far_cell()))
    assert "spans 1048576 x 16384 cells but holds 2" in texts(app).replace("\\", "")
    assert "earlier data and results are still there" in texts(app)
    assert in_use(app).id == before
    assert "178 rows × 13 columns" in texts(app)
    app.switch_page("explore.py").run()
    assert "178" in texts(finished(app))


@pytest.mark.parametrize("name", SHOWN)
def test_files_of_the_corpus_through_the_page(data_page, name):
    case = next(case for case in CASES if case.id == name)
    app = drop(data_page(), (case.name, case.make()))
    said = texts(app)
    icon = {"X": "was not read", "A": "", "N": "was read", "R": "was read"}[case.verdict]
    assert icon in said
    assert "Traceback" not in said
    assert "report" not in said
    assert "<img" not in said.replace("\\<img", "")  # names are escaped, never markup
    assert "![](" not in said.replace("\\", "\\\\")
    assert bytes_sent(app) < 2_000_000


def test_several_pictures_make_one_data_set_with_a_shape(data_page):
    files = [(f"{i}.png", picture(noise(12, 10, seed=i))) for i in range(4)]
    app = drop(data_page(), *files)
    button(app, "Use this data").click()
    finished(app.run())
    assert in_use(app).cell_shape == (12, 10)
    assert in_use(app).kind == "images"


def test_a_table_of_pixels_becomes_pictures(data_page):
    X = np.random.default_rng(0).integers(1, 99, (6, 64))
    app = drop(data_page(), ("pixels.csv", "\n".join(",".join(map(str, row)) for row in X)))
    next(s for s in app.selectbox if s.label == "The rows are").set_value("images").run()
    button(app, "Use this data").click()
    finished(app.run())
    assert in_use(app).kind == "images"
    assert in_use(app).cell_shape == (8, 8)


def test_the_quota_of_a_visitor_is_a_sentence(data_page, monkeypatch):
    monkeypatch.setattr(uploads, "_quota", Quota(per_visitor=100))
    app = drop(data_page(), ("x.csv", GOOD))
    assert "the limit is 100 bytes" in texts(app)
    assert "150 rows × 4 columns" in texts(app)


def test_more_files_than_allowed_are_a_sentence(data_page):
    app = drop(data_page(), *[(f"{i}.csv", "a") for i in range(21)])
    assert f"the limit is {Limits().files}" in texts(app)


@pytest.mark.parametrize("view", ["Heatmap", "Columns", "Singular values"])
@pytest.mark.parametrize("data", ["iris", "text_reuters395", "mnist_1k", "movielens_small"])
def test_every_picture_of_the_data_is_light(data_page, data, view):
    app = data_page(data=data)
    app.segmented_control(key="data_picture").set_value(view).run()
    assert not app.exception
    assert len(figures(app)) == 1
    assert bytes_sent(app) < 1_000_000


def test_missing_cells_have_a_map(data_page):
    app = data_page(data="energy_mix")
    app.segmented_control(key="data_picture").set_value("Missing cells").run()
    figure = figures(app)[0]
    share = array(figure["data"][0]["z"])
    assert share.sum() == pytest.approx(100.0)  # per cent: one cell
    assert "Missing cells" in figure["layout"]["title"]["text"]


def forgotten():
    """Empty the server's memory of prepared data, as a restart does."""
    with shelf._lock:
        shelf._kept.clear()


def test_a_link_to_prepared_data_outlives_the_servers_memory(data_page, open_page):
    app = data_page(data="wine")
    toggle(app, "Logarithm").set_value(True)
    finished(app.run())
    button(app, "Use this data").click()
    finished(app.run())
    link = address(app)
    made = in_use(app)
    assert link["data"] == made.id
    assert len(link["made"]) < 200
    forgotten()
    again = open_page("explore", **link)
    assert in_use(again).id == made.id
    np.testing.assert_array_equal(in_use(again).X, made.X)
    assert [s["step"] for s in in_use(again).steps] == [s["step"] for s in made.steps]
    assert "no longer on the server" not in texts(again)
    again.selectbox(key="data").set_value("iris").run()
    assert "made" not in address(again)


def test_the_address_of_prepared_data_names_the_built_in_set_and_its_steps(data_page):
    from nmf_core.ingest.recipe import Recipe

    app = data_page(data="wine")
    toggle(app, "Logarithm").set_value(True)
    finished(app.run())
    button(app, "Use this data").click()
    finished(app.run())
    recipe = Recipe.decode(address(app)["made"])
    assert recipe.source == "wine"
    assert [step.NAME for step in recipe.steps] == [s["step"] for s in in_use(app).steps]


@pytest.mark.parametrize("made", ["junk", "", "eNqrVkrOz0lVslJKzU0tUqoFAC3ABVc"])
def test_a_link_whose_recipe_is_damaged_says_that_the_data_are_gone(open_page, made):
    app = open_page("explore", data="0123456789abcdef01234567", made=made)
    assert "no longer on the server" in texts(app)
    assert in_use(app).name == load_dataset("iris").name


def test_a_link_cannot_order_data_beyond_the_limits_of_the_settings(open_page):
    from nmf_core import list_datasets
    from nmf_core.ingest.recipe import Recipe

    name, info = next((n, i) for n, i in list_datasets().items() if i.options)
    key = next(iter(info.options))
    app = open_page("explore", data="0123456789abcdef01234567", made=Recipe(name, {key: 10**9}).encode())
    assert "no longer on the server" in texts(app)


def place_rows(app, name, text):
    """Drop a file on the tab New rows of Explore."""
    app.file_uploader(key="new_rows_file").set_value([(name, text.encode(), "text/csv")]).run()
    return finished(app)


def test_new_rows_are_prepared_and_placed_on_explore(data_page, open_page):
    import pandas as pd

    wine = load_dataset("wine")
    app = data_page(data="wine")
    toggle(app, "Logarithm").set_value(True)
    finished(app.run())
    button(app, "Use this data").click()
    finished(app.run())
    app = open_page("explore", **address(app), view="New rows")
    assert "The stored preparation is applied to them first" in texts(app)
    some = pd.DataFrame(wine.X[:9], index=wine.rows[:9], columns=wine.cols)
    place_rows(app, "more.csv", some[some.columns[::-1]].to_csv())
    assert "9 rows placed" in texts(app)
    table = next(d.value for d in app.dataframe if "relative error" in d.value.columns)
    assert list(table.index) == list(wine.rows[:9])
    assert table["relative error"].max() < 0.3
    place_rows(app, "less.csv", some.drop(columns=["ash"]).to_csv())
    assert "1 of the 13 columns of the data is missing in the file: ash" in texts(app).replace("\\", "")
    assert in_use(app).name == "Wine (prepared)"  # the data in use are the same as before


@pytest.mark.parametrize("name", ["P02 cut off", "E01 far cell", "T01 empty"])
def test_a_file_of_new_rows_that_cannot_be_read_is_a_sentence(open_page, name):
    case = next(case for case in CASES if case.id == name)
    app = open_page("explore", view="New rows")
    app.file_uploader(key="new_rows_file").set_value([(case.name, case.make(), "text/csv")]).run()
    assert "was not read" in texts(finished(app))
    assert in_use(app).name == load_dataset("iris").name


def test_files_of_new_rows_count_in_the_quota(open_page, monkeypatch):
    monkeypatch.setattr(uploads, "_quota", Quota(per_visitor=100))
    app = place_rows(open_page("explore", view="New rows"), "more.csv", GOOD)
    assert "the limit is 100 bytes" in texts(app)


def test_the_next_thing_to_do_stands_before_the_details(data_page):
    app = drop(data_page(), ("messy.csv", MESSY.encode("cp1252")))
    said = texts(app)
    assert said.index("Ready after") < said.index("Continuous numbers")
    assert [b.label for b in app.button].index("Use this data") < [b.label for b in app.button].index("Add")


def said(app):
    """Return all text on a page as people read it."""
    return texts(app).replace("\\", "")


def test_what_is_too_large_is_read_in_part_by_one_click(data_page, monkeypatch):
    monkeypatch.setattr(uploads, "LIMITS", Limits(cells=1000))
    table = "a,b,c,d,e\n" + "".join(f"{i + 1},{i % 7 + 1},{i % 5 + 1},{i % 3 + 1},2\n" for i in range(900))
    app = drop(data_page(), ("large.csv", table))
    assert "900 rows × 5 columns = 4,500 cells" in said(app)
    assert "150 rows × 4 columns" in said(app)  # the data in use stay
    button(app, "Read every 5th row: 180 rows").click()
    finished(app.run())
    assert "180 rows × 5 columns" in said(app)
    assert "Every 5th of 900 rows was read" in said(app)
    button(app, "Use this data").click()
    finished(app.run())
    X = in_use(app).X
    np.testing.assert_allclose(X[:3, 0] / X[0, 0], [1, 6, 11])


def test_what_is_asked_stands_beside_the_first_rows_as_the_preset_answers_make_them(data_page):
    app = drop(
        data_page(),
        ("stocks.csv", "Date,AAPL,MSFT\n" + "".join(f"2023-01-{d:02d},{d},{2 * d}\n" for d in range(10, 20))),
    )
    table = next(d.value for d in app.dataframe if "AAPL" in d.value.columns)
    assert list(table.index) == [f"2023-01-{d}" for d in range(10, 15)]
    assert table["MSFT"].tolist() == [20, 22, 24, 26, 28]
    assert "The first 5 of 10 rows" in said(app)


def test_a_short_file_is_shown_whole_where_something_is_asked(data_page):
    app = drop(
        data_page(), ("days.csv", "Date,a,b\n" + "".join(f"2023-01-{d:02d},{d},{2 * d}\n" for d in range(10, 14)))
    )
    assert "All 4 rows with the answers preset above" in said(app)
    assert "of 4 rows" not in said(app)


def test_rows_that_are_too_long_are_skipped_by_one_click(data_page):
    app = drop(data_page(), ("ragged.csv", "a,b\n1,2\n1,2,3\n4,5\n7,8\n"))
    assert "Line 3 has 3 cells where 2 are expected" in said(app)
    button(app, "Skip 1 row").click()
    finished(app.run())
    assert "3 rows × 2 columns" in said(app)
