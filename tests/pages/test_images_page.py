"""The page Images, section by section, with the real engine."""

from __future__ import annotations

import re

import numpy as np
import pytest

from nmf_core import Dataset
from pages.ui import shelf
from tests.pages import helpers
from tests.pages.helpers import address, array, bytes_sent, figures

BUDGET, FIGURE = 2_000_000, 1_000_000


def finished(app):
    """Run the page until it shows no job under way: one that ends just after a run is still drawn as running."""
    helpers.finished(app)
    for _ in range(20):
        if not any(button.label == "Cancel" for button in app.button):
            return app
        helpers.finished(app.run())
    raise AssertionError("a job is still drawn as running")


@pytest.fixture
def opened(open_page):
    """Open the page and wait until all of it is there."""
    return lambda **query: finished(open_page("images", **query))


def texts(app) -> str:
    """Return all text as people read it: without the backslashes that keep names from being markup."""
    return helpers.texts(app).replace("\\", "")


def cards(app) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def own(n: int = 12, shape: tuple[int, ...] = (6, 5), **more) -> str:
    """Put a few pictures on the shelf as an upload would; return the id."""
    rng = np.random.default_rng(3)
    bars = np.zeros((4, *shape))
    for k in range(4):
        bars[k, k] = 1
    X = rng.random((n, 4)) @ bars.reshape(4, -1)
    rows = [f"<b>{i}</b> $x$" for i in range(n)]
    more = {"cell_shape": shape, "kind": "images", "rows": rows} | more
    return shelf.put(Dataset.of(X, "mine <i>", **more))


def within_budget(app) -> None:
    assert bytes_sent(app) < BUDGET
    assert all(len(element.proto.spec) < FIGURE for element in app.get("plotly_chart"))


def test_the_first_screen_shows_25_parts_of_faces_and_what_they_are_worth(opened):
    app = opened()
    assert cards(app)["Pictures"] == "400"
    assert 14 < float(cards(app)["Relative error"].split()[0]) < 17
    sheet = figures(app)[0]
    assert len(sheet["layout"]["images"]) == 1
    assert array(sheet["data"][1]["customdata"]).tolist() == list(range(25))
    assert "NMF's parts are the most local" in texts(app)
    within_budget(app)


def test_the_order_of_the_tiles_is_kept_in_the_address(opened):
    app = opened()
    before = figures(app)[0]["data"][0]["text"]
    app.segmented_control(key="images_order").set_value("sparseness").run()
    finished(app)
    assert figures(app)[0]["data"][0]["text"] != before
    assert address(app)["images_order"] == "sparseness"


def test_a_picture_is_rebuilt_step_by_step(opened):
    app = opened()
    errors = []
    for steps in (0, 3, 25):
        app.slider(key="images_steps").set_value(steps).run()
        finished(app)
        notes = " ".join(a["text"] for a in figures(app)[2]["layout"]["annotations"])
        assert f"{steps} of 25 parts" in notes
        given = re.search(r"Part \d+ · (\d+(?:\.\d+)?) %", notes)  # what the last part adds to all brightness
        assert (given is None) == (steps == 0)
        assert given is None or 0 <= float(given[1]) < 100 / steps
        errors.append(float(re.search(r"error (\d+(?:\.\d+)?) %", notes)[1]))
    assert errors[0] == 100.0
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 25


def test_the_sparseness_slider_makes_parts_sparser(opened):
    plain = float(cards(opened(images_data="digits"))["Sparseness"])
    sparse = float(cards(opened(images_data="digits", images_sparseness="0.85"))["Sparseness"])
    assert sparse >= 0.849
    assert sparse > plain + 0.05


def test_swimmer_counts_its_limbs(opened):
    app = opened(images_data="swimmer")
    told = texts(app)
    assert "A small L1 penalty makes it 16 of 16" in told
    assert "PCA finds 0 of 16" in told
    assert "ghost" in told
    within_budget(app)


def test_methods_stand_side_by_side(opened):
    app = opened(images_view="Methods", images_data="digits")
    drawn = figures(app)
    assert [len(f["layout"]["images"]) for f in drawn[:3]] == [1, 1, 1]
    codes = drawn[3]
    assert [trace["name"] for trace in codes["data"]] == ["NMF", "PCA", "VQ"]
    signed = array(codes["data"][1]["z"])
    assert np.nanmin(signed) < 0
    assert np.nanmin(array(codes["data"][0]["z"])) >= 0
    assert np.count_nonzero(np.nan_to_num(array(codes["data"][2]["z"]))) == 1
    assert len(drawn[4]["layout"]["images"]) == 4
    assert {trace["name"] for trace in drawn[5]["data"]} == {"NMF", "PCA", "VQ"}
    assert "negative values in parts" in app.dataframe[0].value.columns
    within_budget(app)


def test_compression_states_its_rule_and_loses_to_jpeg(opened):
    app = opened(images_view="Compression", compression_rank="12")
    assert "8-bit whole numbers" in texts(app)
    assert "JPEG, made for the purpose, is" in texts(app)
    table = app.dataframe[0].value
    assert list(table["method"]) == ["NMF", "SVD", "JPEG"]
    assert table["bytes"].max() == table["bytes"][0]
    before = cards(app)
    app.slider(key="compression_rank").set_value(40).run()
    finished(app)
    assert float(cards(app)["PSNR"].split()[0]) > float(before["PSNR"].split()[0])
    within_budget(app)


@pytest.mark.parametrize("query", [{"compression_block": "0"}, {"compression_grey": "on", "compression_block": "32"}])
def test_compression_of_lines_and_in_grey(opened, query):
    app = opened(images_view="Compression", compression_rank="8", compression_errors="on", **query)
    assert len(app.dataframe[0].value) == 3
    within_budget(app)


@pytest.mark.parametrize("kind", ["missing", "salt-and-pepper", "gaussian"])
def test_denoising_gains_and_says_against_what(opened, kind):
    app = opened(images_view="Denoising", damage=kind, **{f"denoising_rank_{kind}": "12"})
    assert float(cards(app)["Gain"].split()[0]) > 2
    assert "NMF on patches gains" in texts(app)
    within_budget(app)


def test_recognition_draws_pairs_and_compares_with_pca(opened):
    data = own(
        30, labels={"who": np.repeat(["a<b>", "b", "c"], 10)}
    )  # three classes without anything to tell them by: many are confused
    app = opened(images_view="Recognition", images_data=data)
    assert "nearest neighbour on W is right for" in texts(app)
    pairs = figures(app)[1]
    assert "&lt;b&gt;" in " ".join(pairs["data"][0]["text"])
    assert "<b>" not in " ".join(pairs["data"][0]["text"])
    within_budget(app)


def test_recognition_without_labels_says_what_is_needed(opened):
    app = opened(images_view="Recognition", images_data=own())
    assert "Recognition needs labels" in texts(app)


def test_a_cube_shows_maps_spectra_and_ground_truth(opened):
    app = opened(images_view="Spectral cubes")
    drawn = figures(app)
    assert cards(app)["Bands"] == "100"
    assert any(trace["name"] == "corn, no till" for trace in drawn[1]["data"])
    assert array(drawn[2]["data"][1]["customdata"]).tolist() == list(range(5))
    assert len(drawn[3]["data"]) == 5
    assert "normalised mutual information" in texts(app)
    within_budget(app)


def test_own_pictures_are_shown_and_their_names_stay_text(opened):
    app = opened(images_data=own())
    assert cards(app)["Pictures"] == "12"
    assert "<b>" not in str(figures(app)[1]["data"])
    within_budget(app)


def test_own_colour_pictures_keep_their_colours(opened):
    app = opened(images_data=own(shape=(6, 5, 3)))
    assert cards(app)["Pictures"] == "12"
    app = opened(images_view="Methods", images_data=own(shape=(6, 5, 3)))
    assert len(figures(app)) >= 5


def test_pictures_with_missing_pixels_are_shown_everywhere(opened):
    rng = np.random.default_rng(0)
    X = rng.random((20, 3)) @ rng.random((3, 30))
    X[rng.random(X.shape) < 0.2] = np.nan
    data = shelf.put(
        Dataset.of(X, "holes", kind="images", cell_shape=(6, 5), labels={"who": np.repeat(["a", "b"], 10)})
    )
    for section in ("Parts", "Methods", "Recognition"):
        app = opened(images_view=section, images_data=data)
        assert "Measured here" in texts(app)


def test_rows_that_are_no_pictures_get_a_sentence(opened):
    app = opened(images_data=own(cell_shape=None))
    assert "not known to be pictures" in texts(app)


@pytest.mark.parametrize("value", ["Nothing", "<script>", ""])
def test_a_damaged_address_opens_the_first_section(opened, value):
    app = opened(images_view=value, images_data="digits", images_sparseness="NaN", images_order=value)
    assert cards(app)["Pictures"] == "1,797"
