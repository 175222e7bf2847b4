"""Every picture of the Explore page on every kind of data: what it shows, says and weighs."""

import json
import re
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest
import scipy.sparse as sp

from nmf_core import fit
from nmf_core.components import Identity, present_matrices
from nmf_core.figures.base import Picture
from nmf_core.figures.build_row import BuiltRow
from nmf_core.figures.component_bars import ComponentBars, GroupedBars
from nmf_core.figures.component_lines import ComponentLines
from nmf_core.figures.component_tiles import ComponentTiles, light
from nmf_core.figures.drawing import FactorDrawing
from nmf_core.figures.error_curve import ErrorCurve
from nmf_core.figures.errors import FeatureErrors, SampleErrors
from nmf_core.figures.heatmaps import FeatureHeatmap, SampleHeatmap
from nmf_core.figures.label_counts import LabelCounts
from nmf_core.figures.reconstruction import Reconstruction
from nmf_core.figures.space import ComponentSpace, ParallelComponents
from nmf_core.types import Dataset, FitRequest, FitResult, Stop, Trace

EVIL = "<img src=x onerror=alert(1)><a href='//x'>=cmd %{x} $a$</a>"


def factors(n, m, rank, seed=0):
    rng = np.random.default_rng(seed)
    return rng.gamma(0.5, size=(n, rank)), rng.gamma(0.5, size=(rank, m))


def table(**more):
    W, H = factors(30, 6, 3)
    labels = {"group": np.array(["a", "b", "c"] * 10), "n": np.arange(30) % 4}
    return Dataset.of(W @ H + 0.01, "table", labels=labels, **more), W, H


def holes():
    data, W, H = table()
    X = data.X.copy()
    X[::4, ::2] = np.nan
    labels = {"half": np.array(["x", None] * 15, dtype=object), "number": np.where(np.arange(30) % 5, 1.5, np.nan)}
    return Dataset.of(X, "holes", labels=labels), W, H


def sparse(mask=None):
    W, H = factors(60, 40, 4)
    X = np.where(np.random.default_rng(1).random((60, 40)) < 0.2, W @ H, 0)
    X[:, 0] = X[0] = 1
    return Dataset.of(sp.csr_array(X), "sparse", mask=mask, kind="ratings" if mask else "text"), W, H


def spectra():
    W, H = factors(20, 900, 3)
    return Dataset.of(W @ H, "spectra", kind="spectra", cols=[f"{w}" for w in np.linspace(4000, 400, 900)]), W, H


def images(colour=False):
    W, H = factors(25, 192 if colour else 64, 9)
    shape = (8, 8, 3) if colour else (8, 8)
    return Dataset.of(W @ H, "images", kind="images", cell_shape=shape, labels={"digit": np.arange(25) % 10}), W, H


def markup():
    W, H = factors(12, 9, 3)
    names = [EVIL + str(i) for i in range(12)]
    return Dataset.of(W @ H, EVIL, rows=names, cols=names[:9], labels={EVIL: np.array([EVIL, "b"] * 6)}), W, H


def one_by_one():
    return Dataset.of(np.array([[2.0]]), "one"), np.array([[1.0]]), np.array([[2.0]])


def zeros():
    return Dataset.of(np.zeros((4, 3)), "zeros", labels={"l": ["a", "a", "b", ""]}), np.zeros((4, 2)), np.zeros((2, 3))


def many_parts():
    W, H = factors(50, 400, 40)
    return Dataset.of((W @ H).astype(np.float32), "many parts"), W.astype(np.float32), H.astype(np.float32)


def tall():
    W, H = factors(60_000, 8, 5)
    labels = {"g": np.random.default_rng(0).integers(0, 30, 60_000)}
    return Dataset.of(W @ H, "tall", labels=labels), W, H


CASES = {
    "table": table,
    "holes": holes,
    "sparse": sparse,
    "unstored": lambda: sparse("unstored"),
    "spectra": spectra,
    "images": images,
    "colour": lambda: images(True),
    "markup": markup,
    "one": one_by_one,
    "zeros": zeros,
    "many": many_parts,
    "tall": tall,
}


def result_of(W, H, restarts=3, **request):
    rng = np.random.default_rng(0)
    losses = [np.sort(rng.random(40 + 7 * i))[::-1] + 0.5 for i in range(restarts)]
    traces = tuple(Trace(loss, np.linspace(0, 1, len(loss))) for loss in losses)
    return FitResult(FitRequest(rank=H.shape[0], solver="hals", **request), W, H, traces[1], Stop.CONVERGED, traces, 1)


def pictures(data, parts, result):
    yield SampleHeatmap(data, parts)
    yield SampleHeatmap(data, parts, order="cluster")
    yield FeatureHeatmap(data, parts, order="dominant")
    yield ComponentBars(data, parts)
    yield ComponentBars(data, parts, same_features=True, low=parts.visible().H * 0.9, high=parts.visible().H * 1.2)
    yield GroupedBars(data, parts)
    yield ComponentLines(data, parts)
    yield ComponentLines(data, parts, panels=True, low=parts.visible().H * 0.9, high=parts.visible().H * 1.1)
    yield Reconstruction(data, parts)
    yield Reconstruction(data, parts, rows="dominant", cols="name")
    yield SampleErrors(data, parts)
    yield FeatureErrors(data, parts)
    yield BuiltRow(data, parts, row=data.shape[0] - 1)
    yield BuiltRow(data, parts, row=0, steps=1)
    yield ComponentSpace(data, parts)
    yield ParallelComponents(data, parts)
    yield FactorDrawing(data, parts)
    yield ErrorCurve(data, result)
    yield ErrorCurve(data, result, against="second", log=False)
    if data.cell_shape is not None:
        yield ComponentTiles(data, parts)
    for name in data.labels:
        yield SampleHeatmap(data, parts, order="label", label=name)
        yield ComponentSpace(data, parts, color=name)
        yield ParallelComponents(data, parts, color=name)
        yield SampleErrors(data, parts, color=name)
        yield LabelCounts(data, parts, name)


def strings(node):
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from strings(value)


OURS = re.compile(
    r"</?(b|sup)>|<br>|<extra></extra>|<extra>|</extra>|<span style=\"color:[#\w(),. ]+(;font-size:\d+px)?\">|</span>"
)
REFERENCES = re.compile(r"%\{(x|y|z|text|customdata(\[\d\])?)(:[^}]*)?\}")


@pytest.mark.parametrize("case", CASES)
def test_every_picture_of_every_kind_of_data(case):
    data, W, H = CASES[case]()
    names = Identity(names=((0, EVIL),)) if case == "markup" else None
    parts = present_matrices(data, W, H, "component sums 1", names)
    drawn = 0
    for picture in pictures(data, parts, result_of(W, H)):
        name = type(picture).__name__
        figure = picture.build()
        text = figure.to_json()
        assert len(text) < 1_000_000, name
        assert text == picture.build().to_json(), name  # pure: equal every time
        assert figure.layout.template.layout.colorway, name
        go.Figure(figure.to_dict())  # Plotly's own validation: every field exists and has a sensible value
        spec = json.loads(text)
        spec["layout"].pop("template")
        for shown in strings(spec):
            if not shown.startswith("data:"):
                bare = REFERENCES.sub("", OURS.sub("", shown))
                assert "<" not in bare, (name, shown)
                assert "%{" not in bare, (name, shown)
        said = picture.describe()
        assert said[0].isupper() or said[0].isdigit(), (name, said)
        assert said.rstrip().endswith("."), (name, said)
        assert "nan" not in said.lower().split(), (name, said)
        frame = picture.table()
        assert len(frame) > 0, name
        assert len(frame.columns) > 1, name
        drawn += 1
    assert drawn >= 19


def test_pictures_keep_the_protocol():
    data, W, H = table()
    shown: list[Picture] = list(pictures(data, present_matrices(data, W, H), result_of(W, H)))
    for picture in shown:
        with pytest.raises(AttributeError):
            picture.dataset = None


def test_hidden_components_are_left_out_but_still_count_in_the_model():
    data, W, H = table()
    parts = present_matrices(data, W, H, identity=Identity(hidden=(0,)))
    whole = present_matrices(data, W, H)
    gone = parts.names[int(np.flatnonzero(parts.hidden)[0])]
    assert gone not in [t.name for t in ComponentLines(data, parts).build().data]
    assert gone not in ComponentBars(data, parts).table()["component"].tolist()
    assert Reconstruction(data, parts).describe() == Reconstruction(data, whole).describe()


class TestSampleHeatmap:
    def test_values_points_and_track(self):
        data, W, H = table()
        parts = present_matrices(data, W, H, "max 1")
        picture = SampleHeatmap(data, parts, order="label", label="group")
        heat, points, track = picture.build().data[:3]
        order = np.argsort(data.labels["group"], kind="stable")
        assert sorted(picture.table()["sample"]) == sorted(data.rows)
        shown = points.customdata[:: parts.rank, 0].astype(int)
        assert data.labels["group"][shown].tolist() == data.labels["group"][order].tolist()
        np.testing.assert_allclose(heat.z, parts.W[shown], rtol=1e-6)
        np.testing.assert_array_equal(points.customdata[: parts.rank, 1], parts.index)
        np.testing.assert_allclose(points.customdata[:, 2], parts.W[shown].ravel(), rtol=1e-6)
        assert track.z.ravel().tolist() == [0] * 10 + [1] * 10 + [2] * 10
        assert heat.hoverinfo == "skip"
        assert points.marker.opacity == 0

    def test_legend_names_the_groups_of_the_track(self):
        data, W, H = table()
        figure = SampleHeatmap(data, present_matrices(data, W, H), label="group").build()
        legend = [t.name for t in figure.data if t.showlegend is not False and t.type == "scatter"]
        assert legend == ["a", "b", "c"]
        assert figure.layout.legend.title.text == "group "

    def test_a_million_rows_are_shown_as_averages_and_say_so(self):
        rng = np.random.default_rng(0)
        W, H = rng.random((1_000_000, 20), dtype=np.float32), rng.random((20, 5), dtype=np.float32)
        data = Dataset.of(np.ones((1_000_000, 5), dtype=np.float32), "long")
        parts = present_matrices(data, W, H)
        picture = SampleHeatmap(data, parts)
        figure = picture.build()
        assert len(figure.to_json()) < 1_000_000
        assert "1,000,000 samples as 500 averages" in figure.layout.title.text
        assert figure.data[0].z.shape == (500, 20)
        np.testing.assert_allclose(figure.data[0].z[3], parts.W[6000:8000].mean(axis=0), rtol=1e-4)
        assert "averages of about 2,000 samples" in picture.describe()

    def test_component_names_carry_their_colours(self):
        data, W, H = table()
        parts = present_matrices(data, W, H)
        ticks = SampleHeatmap(data, parts).build().layout.xaxis.ticktext
        assert [re.search("#[0-9a-f]{6}", tick)[0] for tick in ticks] == list(parts.colors)


class TestFeatureHeatmap:
    def test_values_and_points(self):
        data, W, H = table(cols=list("fedcba"))
        parts = present_matrices(data, W, H)
        picture = FeatureHeatmap(data, parts, order="name")
        heat, points = picture.build().data
        np.testing.assert_allclose(heat.z, parts.H[:, ::-1], rtol=1e-6)
        assert points.customdata[0].tolist()[:2] == [5, parts.index[0]]
        assert picture.table()["feature"].tolist() == list("abcdef")
        np.testing.assert_array_equal(picture.table()[parts.names[1]], parts.H[1, ::-1])

    def test_an_axis_of_numbers_is_marked_at_round_values(self):
        data, W, H = spectra()
        axis = FeatureHeatmap(data, present_matrices(data, W, H)).build().layout.xaxis
        values = [float(text.replace(",", "")) for text in axis.ticktext]
        assert values == [500, 1000, 1500, 2000, 2500, 3000, 3500, 4000]
        # 900 points in 500 blocks from 4000 down to 400
        expected = [(4000 - value) / 3600 * 500 for value in values]
        np.testing.assert_allclose(axis.tickvals, expected, atol=1.5)
        assert (
            FeatureHeatmap(data, present_matrices(data, W, H), order="dominant").build().layout.xaxis.ticktext[0] == "1"
        )

    def test_the_legend_of_the_labels_takes_room_of_its_own_below_turned_names(self):
        data, W, H = table()
        legend = SampleHeatmap(data, present_matrices(data, W, H)).build().layout.legend
        assert (legend.yref, legend.y, legend.yanchor) == ("container", 0, "bottom")

    def test_many_components_stay_below_the_limit(self):
        W, H = factors(10, 3000, 320)
        data = Dataset.of(W @ H)
        figure = FeatureHeatmap(data, present_matrices(data, W, H)).build()
        assert len(figure.to_json()) < 1_000_000
        assert "first 300 of 320 components" in figure.layout.title.text
        assert "3,000 features as 250 averages" in figure.layout.title.text

    def test_sizes_of_averages_are_not_rounded_to_one(self):
        W, H = factors(671, 4, 2)
        data = Dataset.of(W @ H)
        assert "averages of about 1.3 samples" in SampleHeatmap(data, present_matrices(data, W, H)).describe()

    def test_names_below_h_are_thinned_before_they_overlap(self):
        W, H = factors(10, 96, 3)
        data = Dataset.of(W @ H)
        axis = FeatureHeatmap(data, present_matrices(data, W, H)).build().layout.xaxis
        assert list(axis.ticktext) == [f"c{j + 1}" for j in range(0, 96, 4)]
        assert list(axis.tickvals) == list(range(0, 96, 4))

    def test_numbers_in_the_cells_have_the_same_decimals_and_only_where_they_can_be_read(self):
        data, W, H = table()
        H = np.array(H) / H.max()
        H[0, 0] = 3.6e-6
        heat = FeatureHeatmap(data, present_matrices(data, W, H)).build().data[0]
        assert heat.texttemplate == "%{z:.1f}"
        assert FeatureHeatmap(data, present_matrices(data, W, H / 2)).build().data[0].texttemplate == "%{z:.2f}"
        assert FeatureHeatmap(data, present_matrices(data, W, H * 400)).build().data[0].texttemplate == "%{z:.0f}"
        assert FeatureHeatmap(data, present_matrices(data, W, H * 1e-9)).build().data[0].texttemplate == "%{z:.1e}"
        wide = Dataset.of(np.ones((4, 13)))
        assert FeatureHeatmap(wide, present_matrices(wide, *factors(4, 13, 2))).build().data[0].texttemplate is None


class TestExactSums:
    """What is left of an exact sum is rounding, and no picture makes a pattern of it."""

    def exact(self, **more):
        data = Dataset.of(np.full((20, 5), 3.0), **more)
        result = fit(data, rank=4)
        return data, result, present_matrices(data, result.W, result.H)

    def test_residuals_of_an_exact_sum_are_drawn_as_zero(self):
        data, _, parts = self.exact()
        left = next(t.z for t in Reconstruction(data, parts).build().data if t.name == "X − WH")
        layout = Reconstruction(data, parts).build().layout
        assert np.abs(left).max() < 1e-3 * layout.coloraxis2.cmax
        assert layout.coloraxis2.cmax == pytest.approx(3e-6)
        assert BuiltRow(data, parts).build().layout.xaxis2.range == pytest.approx((-3e-6, 3e-6))
        real = BuiltRow(data, parts, steps=1).build().layout.xaxis2.range
        assert real is None  # a residual that is one has Plotly's own range

    def test_residuals_along_an_axis_too(self):
        data = Dataset.of(np.full((20, 9), 3.0), kind="spectra")
        result = fit(data, rank=2)
        figure = BuiltRow(data, present_matrices(data, result.W, result.H)).build()
        assert figure.layout.yaxis2.range == pytest.approx((-3e-6, 3e-6))

    def test_the_loss_of_an_exact_start_is_a_flat_line(self):
        data, result, _ = self.exact()
        layout = ErrorCurve(data, result).build().layout
        assert "zero up to rounding" in layout.title.text
        assert layout.yaxis.type == "linear"
        assert result.trace.loss.max() < 1e-6 * layout.yaxis.range[1]
        # Rounding that never comes to zero would have a logarithm, and a wild curve of it.
        positive = replace(result, trace=replace(result.trace, loss=np.full(len(result.trace.loss), 1e-30)))
        assert ErrorCurve(data, positive).build().layout.yaxis.type == "linear"

    def test_a_loss_with_penalties_says_so(self):
        data, _, _ = table()
        assert "with its penalties" in ErrorCurve(data, fit(data, rank=2, alpha_W=0.1)).build().layout.title.text
        assert "penalties" not in ErrorCurve(data, fit(data, rank=2)).build().layout.title.text
        only_H = ErrorCurve(data, fit(data, rank=2, alpha_W=0.0, alpha_H=0.1)).build().layout
        assert "with its penalties" in only_H.title.text
        none = ErrorCurve(data, fit(data, rank=2, alpha_W=0.0, alpha_H=0.0)).build().layout
        assert "penalties" not in none.title.text

    def test_a_row_of_zeros_is_said_to_be_one(self):
        X = np.zeros((4, 3))
        X[1:] = np.arange(9).reshape(3, 3) + 1
        data = Dataset.of(X, rows=["nobody", "b", "c", "d"])
        result = fit(data, rank=2)
        picture = BuiltRow(data, present_matrices(data, result.W, result.H), row=0)
        assert picture.build().layout.title.text == "nobody holds nothing but zeros"
        assert "nothing but zeros" in picture.describe()


class TestComponentBars:
    def test_bars_are_the_top_features_and_names_stand_in_full(self):
        long = [f"a rather long name of a measurement, number {j}" for j in range(8)]
        W, H = factors(20, 8, 2)
        data = Dataset.of(W @ H, cols=long)
        parts = present_matrices(data, W, H)
        figure = ComponentBars(data, parts, n=3).build()
        bars, names = figure.data[0], figure.data[1]
        order = np.argsort(-parts.H[0])[:3]
        np.testing.assert_allclose(bars.x, parts.H[0, order], rtol=1e-6)
        assert [name.strip() for name in names.text] == [long[j] for j in order]
        assert bars.marker.color.startswith("rgba(0, 114, 178")

    def test_name_and_numbers_stand_on_two_lines_that_fit_into_a_panel_of_a_narrow_page(self):
        W, H = factors(20, 6, 8)
        data = Dataset.of(W @ H, cols=list("abcdef"))
        parts = present_matrices(data, W, H, identity=Identity(names=tuple((k, "name " * 16) for k in range(8))))
        figure = ComponentBars(data, parts, n=3).build()
        assert len(figure.layout.annotations) == 8  # nothing else stands beside a heading
        widths = [1 / 4 * 700] * 8  # a main column of 700 pixels, four panels in a row
        for note, width in zip(figure.layout.annotations, widths, strict=True):
            lines = [re.sub("<[^>]*>", "", line) for line in note.text.split("<br>")]
            assert len(lines) == 2
            assert len(lines[0]) * 7.5 <= width  # 14 px bold
            assert len(lines[1]) * 6 <= width  # 11 px
            assert "full width" in lines[1]

    def test_one_very_long_name_does_not_take_the_room_of_the_other_panels(self):
        W, H = factors(20, 40, 4)
        cols = [f"f{j}" for j in range(40)]
        cols[int(H[0].argmax())] = "x" * 300
        data = Dataset.of(W @ H, cols=cols)
        figure = ComponentBars(data, present_matrices(data, W, H)).build()
        assert figure.layout.xaxis4.domain[0] > 0.7
        assert max(len(text) for trace in figure.data if trace.name == "names" for text in trace.text) < 40

    def test_features_with_few_known_cells_do_not_stand_for_a_component(self):
        rng = np.random.default_rng(5)
        W, H = factors(200, 500, 2)
        known = rng.random((200, 500)) < np.where(np.arange(500) < 100, 0.5, 0.01)
        H[0, 499], H[1, 498] = 1e6, 1e6  # as in a fit without a penalty
        data = Dataset.of(np.where(known, 1.0, np.nan))
        parts = present_matrices(data, W, H)
        picture = ComponentBars(data, parts, n=5)
        assert all(int(name[1:]) <= 100 for name in picture.table()["feature"])
        assert "400 features with few known cells passed over" in picture.build().layout.title.text
        assert "400 features with few known cells passed over" in picture.describe()
        assert not {"c499", "c500"} & set(GroupedBars(data, parts).table()["feature"])
        assert "c500" not in FeatureHeatmap(data, parts).describe()

    def test_same_features_share_order_and_range(self):
        data, W, H = table()
        figure = ComponentBars(data, present_matrices(data, W, H), same_features=True).build()
        names = [t.text for t in figure.data if t.name == "names"]
        assert names[0] == names[1] == names[2]
        assert figure.layout.xaxis.range == figure.layout.xaxis2.range

    def test_intervals_become_error_bars(self):
        data, W, H = table()
        parts = present_matrices(data, W, H)
        picture = ComponentBars(data, parts, n=2, low=parts.H * 0.5, high=parts.H * 1.5)
        bars = picture.build().data[0]
        np.testing.assert_allclose(bars.error_x.array, 0.5 * bars.x, rtol=1e-5)
        np.testing.assert_allclose(bars.error_x.arrayminus, 0.5 * bars.x, rtol=1e-5)
        frame = picture.table()
        np.testing.assert_allclose(frame["to"], 1.5 * frame["value"])

    def test_grouped_bars_keep_file_order_and_colours(self):
        data, W, H = table()
        parts = present_matrices(data, W, H)
        figure = GroupedBars(data, parts, n=4).build()
        assert [t.marker.color for t in figure.data] == list(parts.colors)
        assert list(figure.layout.yaxis.ticktext) == sorted(figure.layout.yaxis.ticktext)
        assert len(figure.data[0].x) == 4


class TestComponentLines:
    def test_falling_axes_run_from_left_to_right_as_spectroscopists_draw_them(self):
        data, W, H = spectra()
        parts = present_matrices(data, W, H)
        figure = ComponentLines(data, parts).build()
        assert figure.layout.xaxis.autorange == "reversed"
        assert figure.data[0].x[0] == 4000
        np.testing.assert_allclose(figure.data[1].y, parts.H[1], rtol=1e-6)
        assert [t.line.color for t in figure.data] == list(parts.colors)

    def test_peaks_survive_thinning(self):
        H = np.full((2, 20_000), 0.1)
        H[0, 12_345], H[1, 777] = 9.0, 5.0
        data = Dataset.of(np.ones((3, 20_000)), kind="spectra", cols=[str(j) for j in range(20_000)])
        figure = ComponentLines(data, present_matrices(data, np.ones((3, 2)), H)).build()
        assert len(figure.data[0].x) <= 1300
        assert max(t.y.max() for t in figure.data) == 9
        assert 12_345 in figure.data[0].x
        assert len(figure.to_json()) < 100_000


class TestComponentTiles:
    def test_one_tile_and_one_caption_per_component(self):
        data, W, H = images()
        parts = present_matrices(data, W, H)
        figure = ComponentTiles(data, parts).build()
        captions, tiles = figure.data
        assert len(captions.text) == len(tiles.x) == 9
        np.testing.assert_array_equal(tiles.customdata, parts.index)
        assert len({(x, y) for x, y in zip(tiles.x, tiles.y, strict=True)}) == 9
        assert figure.layout.images[0].source.startswith("data:image/png;base64,")

    def test_large_pictures_are_averaged_exactly(self, monkeypatch):
        monkeypatch.setattr("nmf_core.figures.component_tiles.PIXELS", 2 * 35 * 3)
        tiles = np.random.default_rng(0).random((2, 14, 15))
        small, said = light(tiles)
        assert small.shape == (2, 7, 8)
        assert "14 × 15 pixels shown as 7 × 8 averages" in said
        np.testing.assert_allclose(small[1, 0, 0], tiles[1, :2, :1].mean())
        assert light(tiles[:, :7, :5])[1] == ""

    @pytest.mark.parametrize("shape", [(200, 180), (112, 92), (60, 80, 3), (56, 46)])
    def test_even_noise_stays_below_the_limit(self, shape):
        rng = np.random.default_rng(0)
        n = int(np.prod(shape))
        W, H = rng.random((3, 60)), rng.random((60, n))
        data = Dataset.of(rng.random((3, n)), kind="images", cell_shape=shape)
        parts = present_matrices(data, W, H)
        for picture in (ComponentTiles(data, parts), BuiltRow(data, parts)):
            assert len(picture.build().to_json()) < 1_000_000
        large = n * 60 > 420_000 // (3 if len(shape) == 3 else 1)
        title = ComponentTiles(data, parts).build().layout.title.text
        assert ("averages" in (title or "")) == large

    def test_shapes_that_do_not_fit_are_refused(self):
        data, W, H = table()
        parts = present_matrices(data, W, H)
        for shape in (None, (2, 2), (6,), (1, 3, 2)):
            with pytest.raises(ValueError, match="cell_shape"):
                ComponentTiles(data.with_(cell_shape=shape), parts).build()


class TestReconstruction:
    def test_three_panels_and_one_scale(self):
        data, W, H = table()
        parts = present_matrices(data, W, H, "W·D·H")
        figure = Reconstruction(data, parts).build()
        x, wh, left = (t for t in figure.data if t.type == "heatmap")
        np.testing.assert_allclose(x.z, data.X, rtol=1e-6)
        np.testing.assert_allclose(wh.z, W @ H, rtol=1e-5)
        np.testing.assert_allclose(left.z, data.X - W @ H, atol=1e-6)
        assert (x.coloraxis, wh.coloraxis, left.coloraxis) == ("coloraxis", "coloraxis", "coloraxis2")
        assert figure.layout.coloraxis2.cmin == -figure.layout.coloraxis2.cmax
        assert figure.layout.coloraxis.cmin == 0
        points = next(t for t in figure.data if t.name == "cells")
        assert points.customdata[7].tolist()[:2] == [1, 1]

    def test_averages_are_exact_and_announced(self):
        data, W, H = tall()
        parts = present_matrices(data, W, H)
        figure = Reconstruction(data, parts).build()
        assert "60,000 samples" in figure.layout.title.text
        assert "500 × 8 averages" in figure.layout.title.text
        np.testing.assert_allclose(figure.data[1].z[0], (W @ H)[:120].mean(axis=0), rtol=1e-5)

    def test_missing_cells_stay_empty(self):
        data, W, H = holes()
        x, _, left = (t for t in Reconstruction(data, present_matrices(data, W, H)).build().data if t.type == "heatmap")
        np.testing.assert_array_equal(np.isnan(x.z), data.mask)
        np.testing.assert_array_equal(np.isnan(left.z), data.mask)

    def test_one_giant_does_not_make_everything_dark(self):
        rng = np.random.default_rng(0)
        X = rng.random((60, 20))
        X[3, 4] = 1e6
        data = Dataset.of(X)
        figure = Reconstruction(data, present_matrices(data, rng.random((60, 2)), rng.random((2, 20)))).build()
        assert figure.layout.coloraxis.cmax < 10


class TestErrors:
    def test_worst_samples_and_features_come_first(self):
        data, W, H = table()
        X = data.X.copy()
        X[7], X[:, 2] = X[7] * 5, X[:, 2] * 2
        data = Dataset.of(X)
        parts = present_matrices(data, W, H)
        rows = SampleErrors(data, parts).table()
        assert rows["sample"][0] == "r8"
        expected = np.linalg.norm(X - W @ H, axis=1) / np.linalg.norm(X, axis=1)
        np.testing.assert_allclose(rows["relative error"], np.sort(expected)[::-1])
        np.testing.assert_allclose(rows["share of all squared error"].sum(), 1)
        assert FeatureErrors(data, parts).table()["feature"][0] == "c3"
        drawn = SampleErrors(data, parts).build()
        shown = {int(c[0]): y for t in drawn.data for c, y in zip(t.customdata, t.y, strict=True)}
        assert shown[7] == pytest.approx(100 * expected[7], rel=1e-5)
        assert len(shown) == 30

    def test_of_very_many_samples_the_worst_are_drawn(self):
        data, W, H = tall()
        X = data.X.copy()
        X[31_337] *= 50
        data = Dataset.of(X)
        figure = SampleErrors(data, present_matrices(data, W, H)).build()
        shown = np.concatenate([t.customdata[:, 0] for t in figure.data])
        assert 31_337 in shown
        assert len(shown) <= 10_000
        assert "of 60,000 shown, the worst among them" in figure.layout.title.text


class TestBuiltRow:
    @pytest.mark.parametrize("case", ["table", "spectra", "images", "sparse", "holes"])
    def test_pieces_add_up_to_the_model(self, case):
        data, W, H = CASES[case]()
        parts = present_matrices(data, W, H, "max 1")
        frame = BuiltRow(data, parts, row=3).table()
        np.testing.assert_allclose(frame["WH"], (W @ H)[3], rtol=1e-10)
        np.testing.assert_allclose(frame[list(parts.names)].sum(axis=1), frame["WH"])
        np.testing.assert_allclose((frame["X"] - frame["WH"]).dropna(), frame["X − WH"].dropna())
        sizes = frame.iloc[:, 2 : 2 + parts.rank].sum().to_numpy()
        assert (np.diff(sizes) <= 1e-12).all()

    def test_bars_are_stacked_step_by_step(self):
        data, W, H = table()
        parts = present_matrices(data, W, H)
        two = BuiltRow(data, parts, row=4, steps=2).build()
        stacked = [t for t in two.data if t.type == "bar" and t.xaxis is None]
        assert len(stacked) == 2
        left = next(t for t in two.data if t.name == "left over")
        np.testing.assert_allclose(left.x, data.X[4] - sum(t.x for t in stacked), atol=1e-5)
        assert "2 of 3 components added" in two.layout.title.text
        assert "first 2 of 3" in BuiltRow(data, parts, row=4, steps=2).describe()

    def test_lines_end_at_the_model_and_pictures_at_the_sample(self):
        data, W, H = spectra()
        figure = BuiltRow(data, present_matrices(data, W, H), row=2).build()
        np.testing.assert_allclose(figure.data[2].y.max(), (W @ H)[2].max(), rtol=1e-5)
        data, W, H = images()
        captions = BuiltRow(data, present_matrices(data, W, H), row=2).build().data[0].text
        assert len(captions) % 2 == 0
        assert captions[len(captions) // 2 - 1] == "<b>the sample</b>"

    def test_rows_and_steps_out_of_range_are_brought_back(self):
        data, W, H = table()
        parts = present_matrices(data, W, H)
        assert BuiltRow(data, parts, row=999, steps=99).build() == BuiltRow(data, parts, row=29).build()
        assert BuiltRow(data, parts, row=-5, steps=-1).build() == BuiltRow(data, parts, row=0, steps=0).build()

    def test_more_components_than_colours_people_can_keep_apart_are_joined(self):
        data, W, H = many_parts()
        parts = present_matrices(data, W, H)
        figure = BuiltRow(data, parts, row=1).build()
        bars = [t for t in figure.data if t.type == "bar" and t.xaxis is None]
        assert len(bars) == 12
        assert bars[-1].name == "all others"
        at = np.sort(np.argsort(-np.maximum(data.X[1], (W @ H)[1]), kind="stable")[:24])
        np.testing.assert_allclose(sum(t.x for t in bars), (W @ H)[1, at], rtol=1e-4)


class TestSpace:
    def test_points_are_w_and_carry_their_row(self):
        data, W, H = table()
        parts = present_matrices(data, W, H, "unit L2")
        figure = ComponentSpace(data, parts, x=2, y=0, color="group").build()
        assert [t.name for t in figure.data] == ["a", "b", "c"]
        rows = figure.data[1].customdata[:, 0]
        np.testing.assert_array_equal(rows, np.arange(1, 30, 3))
        np.testing.assert_allclose(figure.data[1].x, parts.W[rows, 2], rtol=1e-6)
        np.testing.assert_allclose(figure.data[1].y, parts.W[rows, 0], rtol=1e-6)
        assert len({t.marker.symbol for t in figure.data}) == 3

    def test_dominant_components_keep_their_colours(self):
        data, W, H = table()
        parts = present_matrices(data, W, H)
        colours = {t.name: t.marker.color for t in ComponentSpace(data, parts).build().data}
        assert colours.items() <= dict(zip(parts.names, parts.colors, strict=True)).items()

    def test_many_points_go_to_the_graphics_card_and_are_thinned(self):
        data, W, H = tall()
        figure = ComponentSpace(data, present_matrices(data, W, H)).build()
        assert {t.type for t in figure.data} == {"scattergl"}
        assert sum(len(t.x) for t in figure.data) == 20_000
        assert "20,000 of 60,000 shown" in figure.layout.title.text

    def test_parallel_coordinates_hold_every_component(self):
        data, W, H = table()
        parts = present_matrices(data, W, H)
        lines = ParallelComponents(data, parts, color="group").build().data[0]
        assert [d.label for d in lines.dimensions] == list(parts.names)
        np.testing.assert_allclose(lines.dimensions[1]["values"], parts.W[:, 1], rtol=1e-6)
        assert list(lines.line.colorbar.ticktext) == ["a", "b", "c"]

    def test_one_component_gives_a_sentence_instead_of_a_plane(self):
        data, W, H = one_by_one()
        parts = present_matrices(data, W, H)
        for picture in (ComponentSpace(data, parts), ParallelComponents(data, parts)):
            assert "Two components" in picture.build().layout.annotations[0].text


class TestErrorCurve:
    def test_best_restart_in_front_of_the_others(self):
        data, W, H = table()
        result = result_of(W, H)
        figure = ErrorCurve(data, result).build()
        others, best = figure.data[:2]
        assert (others.name, best.name) == ("other restarts", "best restart")
        np.testing.assert_allclose(best.y, result.trace.loss)
        assert np.isnan(others.y).sum() == 2
        assert len(others.y) == len(result.restarts[0].loss) + len(result.restarts[2].loss) + 2
        assert len(ErrorCurve(data, result).table()) == sum(len(t.loss) for t in result.restarts)

    def test_second_axis_reads_the_relative_error(self):
        data, W, H = table()
        figure = ErrorCurve(data, result_of(W, H), log=False).build()
        norm = np.linalg.norm(data.X)
        for loss, text in zip(figure.layout.yaxis2.tickvals, figure.layout.yaxis2.ticktext, strict=True):
            assert np.sqrt(2 * loss) / norm == pytest.approx(float(text.split()[0]) / 100, rel=1e-3)
        assert figure.layout.yaxis2.range == figure.layout.yaxis.range

    @pytest.mark.parametrize("request_", [{"loss": "kullback-leibler"}, {"alpha_W": 0.1}])
    def test_no_relative_error_where_the_loss_is_not_the_squared_one(self, request_):
        data, W, H = table()
        figure = ErrorCurve(data, result_of(W, H, **request_)).build()
        assert "yaxis2" not in figure.layout
        assert "relative error" not in ErrorCurve(data, result_of(W, H, **request_)).table()

    def test_a_million_iterations_and_a_thousand_restarts_stay_small(self):
        data, W, H = table()
        long = Trace(1 / np.arange(1, 1_000_002), np.arange(1_000_001.0))
        one = FitResult(FitRequest(rank=3, solver="mu"), W, H, long, Stop.MAX_ITER, (long,))
        figure = ErrorCurve(data, one).build()
        assert len(figure.to_json()) < 100_000
        assert figure.data[0].y[[0, -1]].tolist() == [1.0, 1 / 1_000_001]
        many = result_of(W, H, restarts=1000)
        figure = ErrorCurve(data, many).build()
        assert len(figure.to_json()) < 1_000_000
        assert "of 999 other restarts drawn" in figure.layout.title.text

    def test_a_loss_of_zero_is_drawn_on_a_linear_axis(self):
        data, W, H = table()
        trace = Trace(np.array([1.0, 0.0]), np.array([0.0, 0.1]))
        exact = FitResult(FitRequest(rank=3, solver="mu"), W, H, trace, Stop.CONVERGED, (trace,))
        assert ErrorCurve(data, exact).build().layout.yaxis.type == "linear"
        with pytest.raises(ValueError, match="iteration, second"):
            ErrorCurve(data, exact, against="hour").build()


def test_label_counts_count():
    data, W, H = table()
    parts = present_matrices(data, W, H)
    picture = LabelCounts(data, parts, "group")
    frame = picture.table()
    assert frame["group"].tolist() == ["a", "b", "c"]
    assert frame[list(parts.names)].to_numpy().sum() == 30
    assert frame[list(parts.names)].sum(axis=1).tolist() == [10, 10, 10]
    heat = picture.build().data[0]
    np.testing.assert_allclose(heat.z.sum(axis=1), 100, rtol=1e-5)


def test_drawing_uses_the_users_own_words():
    data, W, H = table(cols=["length", "width", "c", "d", "e", "depth"])
    picture = FactorDrawing(data, present_matrices(data, W, H), "flowers", "measurements")
    texts = " ".join(a.text for a in picture.build().layout.annotations)
    for word in ("30 flowers × 6 measurements", "3 components", "length, width, …, depth", "r1", "r30"):
        assert word in texts
    assert "30 rows (flowers)" in picture.describe()
    assert picture.table()["rows"].tolist() == [30, 30, 3]
