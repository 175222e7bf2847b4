"""Pictures of the page Compare."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from nmf_core import FitRequest, fit, load_dataset
from nmf_core.comparison.race import RaceWork
from nmf_core.comparison.rivals import TITLES, RivalsWork, nmf
from nmf_core.comparison.standings import best_known, loss_title
from nmf_core.figures.compare_blocks import MethodBlocks
from nmf_core.figures.compare_codes import MethodCodes
from nmf_core.figures.compare_lines import Lines
from nmf_core.figures.compare_methods import MethodParts
from nmf_core.figures.compare_pairs import PairDifference, Similarity
from nmf_core.figures.compare_race import AGAINST, RaceCurves
from nmf_core.figures.compare_sample import MethodSample
from nmf_core.figures.grey import evened, grey
from nmf_core.staged import run


@pytest.fixture(scope="module")
def iris():
    dataset = load_dataset("iris")
    rivals = run(RivalsWork(dataset.id, rank=2, names=("PCA", "VQ")), dataset)
    return dataset, (nmf(dataset, fit(dataset, rank=2)), *rivals)


def test_components_of_every_method_share_one_signed_scale(iris):
    dataset, methods = iris
    shown = MethodParts(dataset, methods, TITLES)
    drawn = shown.build()
    go.Figure(drawn.to_dict())  # Plotly's own validation
    assert len(drawn.data) == 3
    for trace, method in zip(drawn.data, methods, strict=True):
        assert (trace.zmin, trace.zmax) == (-1, 1)
        np.testing.assert_allclose(trace.z, method.parts / np.abs(method.parts).max(axis=1, keepdims=True), rtol=1e-5)
    assert "NMF: 0 % of its entries are negative" in shown.describe()
    assert len(shown.table()) == 6


def test_a_sample_is_rebuilt_and_who_takes_away_is_said(iris):
    dataset, methods = iris
    shown = MethodSample(dataset, methods, row=0)
    go.Figure(shown.build().to_dict())
    assert "NMF only adds" in shown.describe()
    assert "PCA takes away" in shown.describe()
    table = shown.table()
    np.testing.assert_allclose(table["X"], dataset.X[0])
    np.testing.assert_allclose(table["PCA"], methods[1].rebuilt(0), atol=1e-12)
    one = MethodSample(dataset, methods, row=0, steps=1).table()
    assert (one["NMF"] <= table["NMF"] + 1e-12).all()


def test_lines_keep_groups_apart_without_colour():
    frame = pd.DataFrame({"level": [0, 1, 0, 1], "error": [0.1, 0.2, 0.3, 0.4], "method": ["a", "a", "<b>", "<b>"]})
    drawn = Lines(frame, "level", "error", "method", percent=True).build()
    go.Figure(drawn.to_dict())  # Plotly's own validation
    assert {t.line.dash for t in drawn.data} == {"solid", "dash"}
    assert drawn.data[1].name == "&lt;b&gt;"
    np.testing.assert_allclose(drawn.data[1].y, [0.3, 0.4])
    assert "a 20.0 %" in Lines(frame, "level", "error", "method", percent=True).describe()


def test_levels_are_spread_out_and_values_out_of_bounds_are_drawn_at_the_edge():
    frame = pd.DataFrame(
        {
            "level": [0, 0.01, 0.1],
            "error": [0.0, 0.5, 1e9],
            "low": [0.0, 0.4, 1e8],
            "high": [0.0, 0.6, 2e9],
            "method": "a",
        }
    )
    shown = Lines(
        frame,
        "level",
        "error",
        "method",
        percent=True,
        levels=True,
        limits=(0.001, 10.0),
        spread=("low", "high"),
        mark=0.01,
    )
    drawn = shown.build()
    go.Figure(drawn.to_dict())  # Plotly's own validation
    (line,) = drawn.data
    np.testing.assert_allclose(line.x, [0, 0.1, np.sqrt(0.1)])
    np.testing.assert_allclose(line.y, [0.001, 0.5, 10])
    np.testing.assert_allclose(line.customdata[:, 1], frame["error"])
    np.testing.assert_allclose(line.error_y.array, [0, 0.1, 0])
    assert drawn.layout.shapes[0].x0 == pytest.approx(0.1)
    assert drawn.layout.yaxis.ticktext[-1].startswith("≥ 1,000")
    np.testing.assert_allclose(shown.table()["error"], frame["error"])


@pytest.fixture(scope="module")
def race():
    dataset = load_dataset("iris")
    base = FitRequest(dataset.id, rank=3, max_iter=300)
    requests = tuple(base.with_(loss=loss, solver=s) for s in ("mu", "bmme") for loss in ("frobenius", 0.5))
    runs = run(RaceWork(dataset.id, requests), dataset)
    titles = {r.request.loss: loss_title(r.request.loss) for r in runs}
    return runs, titles, best_known(runs)


@pytest.mark.parametrize("against", AGAINST)
@pytest.mark.parametrize("raw", [False, True])
def test_every_loss_has_a_panel_and_a_line_of_scikit_learn(race, against, raw):
    runs, titles, best = race
    drawn = RaceCurves(runs, titles, best, against=against, raw=raw).build()
    go.Figure(drawn.to_dict())  # Plotly's own validation
    assert {t.yaxis for t in drawn.data} == {"y", "y2"}
    assert [t.name for t in drawn.data].count("scikit-learn’s own mu") == 1
    assert [t.name for t in drawn.data].count("scikit-learn’s own cd") == 1
    for run_, trace in zip(sorted(runs, key=lambda r: list(titles).index(r.request.loss)), drawn.data, strict=True):
        known = best[titles[run_.request.loss]]
        end = run_.loss if raw else max(run_.loss / known - 1, 1e-6)
        assert trace.y[-1] == pytest.approx(end)
        across = run_.iterations[-1] if against == "iteration" else 1000 * run_.seconds[-1]
        assert trace.x[-1] == pytest.approx(across)


def test_words_and_table_hold_the_same_numbers(race):
    runs, titles, best = race
    shown = RaceCurves(runs, titles, best)
    assert "β = 0.5: " in shown.describe()
    table = shown.table()
    assert table.groupby("loss")["above the best known"].min().tolist() == [0, 0]
    assert len(table) < 160 * len(runs)


class TestBlocks:
    def test_blocks_of_all_methods_stand_in_one_figure(self):
        dataset = load_dataset("digits")
        rivals = run(RivalsWork(dataset.id, rank=6, names=("PCA", "VQ")), dataset)
        methods = (nmf(dataset, fit(dataset, rank=6)), *rivals)
        names = {"NMF": tuple(f"<b>{k}" for k in range(6))}
        shown = MethodBlocks(methods, dataset.cell_shape, 3, TITLES, names, {"NMF": ("#112233",) * 6})
        drawn = shown.build()
        go.Figure(drawn.to_dict())  # Plotly's own validation
        assert len(drawn.layout.images) == 6
        # The same size for each method's blocks, so that nothing looks larger than it is.
        assert len({image.sizex for image in drawn.layout.images[::2]}) == 1
        assert any("&lt;b&gt;5" in a.text and "#112233" in a.text for a in drawn.layout.annotations)
        assert len(drawn.to_json()) < 400_000
        told = shown.describe()
        assert "VQ: 6 blocks" in told
        assert "the picture holds 1 of them" in told
        table = shown.table().set_index(["method", "block"])
        amount = methods[1].codes[3] * np.linalg.norm(methods[1].parts, axis=1)
        np.testing.assert_allclose(table.loc["PCA", "amount in the picture"], amount)
        assert (table.loc["NMF", "negative pixels"] == 0).all()
        assert (table.loc["VQ", "negative pixels"] == 0).all()

    def test_a_flat_block_is_not_drawn_as_full(self):
        blocks = np.stack([np.full((4, 4), 7.0), np.arange(16.0).reshape(4, 4), np.zeros((4, 4))])
        scaled, flat = evened(blocks, signed=False)
        assert flat.tolist() == [True, False, True]
        assert (scaled[0] == 0.5).all()
        assert scaled[1].max() == 1
        assert (scaled[2] == 0).all()
        below, _ = evened(-blocks, signed=True)
        assert (below[0] == -0.25).all()

    def test_colour_channels_are_averaged(self):
        rows = np.arange(24.0).reshape(2, 12)
        np.testing.assert_allclose(grey(rows, (2, 2, 3))[0], [[1, 4], [7, 10]])


def test_codes_are_in_units_of_what_they_contribute(iris):
    dataset, methods = iris
    shown = MethodCodes(methods, dataset.rows, {"NMF": ("petals", "sepals")})
    drawn = shown.build()
    go.Figure(drawn.to_dict())  # Plotly's own validation
    assert list(drawn.layout.xaxis.ticktext) == ["petals", "sepals"]
    for trace, method in zip(drawn.data, methods, strict=True):
        size = method.codes * np.linalg.norm(method.parts, axis=1)
        np.testing.assert_allclose(np.sort(trace.z.ravel()), np.sort((size / np.abs(size).max()).ravel()), atol=1e-6)
    assert "VQ uses 1.0 of 2 components" in shown.describe()
    np.testing.assert_allclose(shown.table()["NMF petals"], methods[0].codes[:, 0])


def test_names_and_colours_of_parts_are_in_the_pictures_of_methods(iris):
    dataset, methods = iris
    names, colors = {"NMF": ("petals", "sepals")}, {"NMF": ("#111111", "#222222")}
    rows = MethodParts(dataset, methods, TITLES, names).build().layout.yaxis.ticktext
    assert list(rows) == ["petals", "sepals"]
    bars = MethodSample(dataset, methods, 0, None, names, colors).build().data
    assert {b.name for b in bars if b.marker.color in ("#111111", "#222222")} == {"petals", "sepals"}
    assert MethodParts(dataset, methods, TITLES, names).table().loc[("NMF", "petals")].shape == (4,)


class TestPairs:
    def test_similarities_are_in_the_cells_and_pairs_are_framed(self):
        cosine = np.array([[0.9, 0.1, 0.2], [0.3, 0.2, 0.8]])
        shown = Similarity(cosine, ("a", "<i>"), ("x", "y", "z"), ((0, 0), (1, 2)))
        drawn = shown.build()
        go.Figure(drawn.to_dict())  # Plotly's own validation
        np.testing.assert_allclose(drawn.data[0].z, cosine, rtol=1e-6)
        assert [(s.y0 + s.y1, s.x0 + s.x1) for s in drawn.layout.shapes] == [(0, 0), (2, 4)]
        assert drawn.layout.yaxis.ticktext[1] == "&lt;i&gt;"
        assert "a and x 0.90" in shown.describe()
        assert shown.table().loc["a", "y"] == 0.1

    def test_a_pair_shows_the_largest_differences_on_top(self):
        first, second = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.35, 0.55])
        cols = np.array(["one", "<b>two</b>", "three"])
        shown = PairDifference(first, second, ("petals", "Part 2"), ("#111111", "#222222"), cols)
        drawn = shown.build()
        go.Figure(drawn.to_dict())  # Plotly's own validation
        assert list(drawn.layout.yaxis.ticktext) == ["one", "three", "&lt;b&gt;two&lt;/b&gt;"]
        np.testing.assert_allclose(drawn.data[0].x, first[[0, 2, 1]])
        np.testing.assert_allclose(drawn.data[1].x, second[[0, 2, 1]])
        assert drawn.data[0].marker.color == "#111111"
        assert drawn.data[0].hovertemplate.startswith("%{text}")
        assert next(iter(drawn.data[0].text)).endswith(f"one: {100 * first[0]:.1f} %")
        assert "one -40.0, three +35.0" in shown.describe()
        np.testing.assert_allclose(shown.table()["difference"], [-0.4, 0.35, 0.05])

    def test_features_of_one_axis_are_drawn_as_lines(self):
        axis = np.linspace(400, 700, 9)
        first, second = np.full(9, 1 / 9), np.arange(9) / 36
        drawn = PairDifference(first, second, ("a", "b"), ("#111111", "#222222"), axis.astype(str), axis).build()
        go.Figure(drawn.to_dict())  # Plotly's own validation
        np.testing.assert_allclose(drawn.data[2].y, second - first)
        np.testing.assert_allclose(drawn.data[0].x, axis)
