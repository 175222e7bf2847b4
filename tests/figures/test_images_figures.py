"""Pictures of the image lens: what is in the figure, what is said, how much it weighs."""

from __future__ import annotations

import base64
import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from nmf_core import Dataset, fit, load_dataset
from nmf_core.components import present
from nmf_core.figures.images_code import CodeMatrix
from nmf_core.figures.images_cube import ClassMap, EndMembers
from nmf_core.figures.images_curves import MethodLines
from nmf_core.figures.images_panels import Panel, Panels
from nmf_core.figures.images_tiles import MOST, PictureTiles, lighter, pairs
from nmf_core.figures.png import COLORMAPS, encode, palette, sheet
from nmf_core.lenses.images import pictures

RNG = np.random.default_rng(0)
BAD = '<b onload="x">$y$%{z}'


def opened(source: str | bytes) -> np.ndarray:
    """Return a data URI or bytes as RGBA."""
    data = base64.b64decode(source.split(",", 1)[1]) if isinstance(source, str) else source
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))


# PNG sheets.


def test_a_sheet_has_its_tiles_where_it_says_and_nothing_between():
    tiles = RNG.random((5, 4, 3))
    drawn = sheet(tiles, 2, limits=(0.0, 1.0), gap=2, caption=3)
    image = opened(drawn.png)
    assert image.shape == (drawn.height, drawn.width, 4) == (3 * 9 - 2, 2 * 5 - 2, 4)
    for i, tile in enumerate(tiles):
        x, y = drawn.center(i)
        top, left = round(y - 1.5), round(x - 1)
        np.testing.assert_allclose(image[top : top + 4, left : left + 3, 0] / 255, tile, atol=1 / 250)
    assert image[..., 3].sum() == 255 * 5 * 12  # all else is transparent
    np.testing.assert_array_equal(drawn.centers(5), [drawn.center(i) for i in range(5)])


@pytest.mark.parametrize("colormap", list(COLORMAPS))
def test_zero_has_one_colour_in_every_tile(colormap):
    tiles = np.zeros((3, 2, 2))
    tiles[1, 0, 0], tiles[2, 1, 1] = 5.0, 0.1
    image = opened(sheet(tiles, 3, colormap=colormap, gap=0).png)
    colours = {tuple(image[1, x]) for x in (0, 2, 4)} | {tuple(image[0, 0])}
    assert len(colours) == 1
    place = 127 if colormap == "signed" else 0
    assert colours.pop()[:3] == tuple(int(v) for v in palette(colormap)[place])


def test_signed_tiles_are_symmetric_around_white():
    image = opened(encode(np.array([[-2.0, 0.0, 1.0]]), colormap="signed", limits="each"))[0, :, :3].astype(int)
    assert tuple(image[1]) == (255, 255, 255)
    assert image[0, 2] > image[0, 0]  # negative is blue
    assert image[2, 0] > image[2, 2]  # positive is orange
    assert image[0].sum() < image[2].sum()  # and −2 is stronger than +1


def test_missing_pixels_are_transparent_and_dead_parts_look_empty():
    values = np.array([[[np.nan, 1.0]], [[0.0, 0.0]]])
    image = opened(sheet(values, 1, colormap="ink", gap=0).png)
    assert image[0, 0, 3] == 0
    assert image[0, 1, 3] == 255
    assert (image[1, :, :3] == 255).all()


def test_shared_limits_keep_faint_tiles_faint():
    tiles = np.stack([np.full((2, 2), 1.0), np.full((2, 2), 0.5)])
    each, shared = (opened(sheet(tiles, 2, limits=how, gap=0).png)[0, :, 0] for how in ("each", "shared"))
    assert each[0] == each[2] == 255
    assert shared[0] == 255
    assert shared[2] == pytest.approx(128, abs=2)


def test_tiles_shrink_with_their_size_around_their_middle():
    drawn = sheet(np.ones((2, 20, 20)), 2, gap=0, sizes=[1.0, 0.5])
    alpha = opened(drawn.png)[..., 3] > 0
    assert alpha[:, :20].sum() == 400
    assert alpha[:, 20:].sum() == 100
    ys, xs = np.nonzero(alpha[:, 20:])
    assert (ys.mean(), xs.mean()) == pytest.approx((9.5, 9.5), abs=0.6)


def test_wrong_tiles_are_refused():
    with pytest.raises(ValueError, match="shape must be"):
        sheet(np.ones((3, 3)))
    with pytest.raises(ValueError, match="shape must be"):
        sheet(np.ones((0, 3, 3)))
    with pytest.raises(ValueError, match="unknown"):
        sheet(np.ones((1, 3, 3)), colormap="rainbow")


# Tiles.


def tiles_of(n: int, **more) -> PictureTiles:
    frame = pd.DataFrame({"part": range(n)})
    return PictureTiles(RNG.random((n, 10, 8)), [f"{BAD} {i}" for i in range(n)], f"{n} tiles", frame, **more)


def test_tiles_are_one_picture_with_a_point_to_click_on_each():
    built = tiles_of(30, chosen=(3,), colors=["#123456"] * 30).build()
    assert len(built.layout.images) == 1
    captions, points = built.data
    assert len(points.x) == len(captions.text) == 30
    np.testing.assert_array_equal(points.customdata, np.arange(30))
    assert "<b" not in "".join(captions.text)
    assert "<b onload" not in "".join(points.text)
    frame = built.layout.shapes[0]
    assert frame.x0 < points.x[3] < frame.x1
    assert frame.y0 < points.y[3] < frame.y1


def test_more_tiles_than_can_be_told_apart_are_cut_and_it_says_so():
    built = tiles_of(MOST + 5).build()
    assert len(built.data[1].x) == MOST
    assert f"first {MOST} of {MOST + 5}" in built.layout.title.text


def test_no_tiles_is_a_note_not_an_error():
    empty = PictureTiles(np.zeros((0, 4, 4)), (), "nothing to show", pd.DataFrame())
    assert "nothing to show" in empty.build().layout.annotations[0].text


@pytest.mark.parametrize("shape", [(100, 64, 64), (60, 48, 48, 3), (144, 120, 90, 3)])
def test_sheets_stay_below_a_megabyte_even_when_they_are_noise(shape):
    built = PictureTiles(RNG.random(shape), (), "noise", pd.DataFrame()).build()
    assert len(built.to_json()) < 1_000_000


def test_large_tiles_are_averaged_and_small_ones_left_alone():
    small = RNG.random((4, 10, 10))
    assert lighter(small) is small
    large = np.repeat(np.repeat(RNG.random((20, 100, 100)), 4, axis=1), 4, axis=2)
    again = lighter(large)
    assert again.shape[1] < 200
    np.testing.assert_allclose(again.mean(axis=(1, 2)), large.mean(axis=(1, 2)), atol=0.01)


def test_pairs_stand_side_by_side_with_a_line_between():
    left, right = RNG.random((4, 5, 6)), RNG.random((4, 5, 6))
    both = pairs(left, right)
    assert both.shape == (4, 5, 13)
    np.testing.assert_array_equal(both[..., :6], left)
    np.testing.assert_array_equal(both[..., 7:], right)
    assert (both[..., 6] == 1).all()


# Panels.


@pytest.mark.parametrize(("side", "columns"), [(8, 4), (28, 4), (92, 3)])
def test_headings_of_panels_do_not_run_into_each_other_and_every_picture_has_a_frame(side, columns):
    square = np.zeros((side, side))
    panels = Panels(
        tuple(Panel("Added last", square, subtitle="6 of 10 parts") for _ in range(columns)), "", pd.DataFrame()
    )
    layout = panels.build().layout
    total = layout.xaxis.range[1]
    pixels = (layout.height - 12) / layout.yaxis.range[0]  # of the page, for one of the picture
    starts = [note.x for note in layout.annotations]
    assert min(np.diff(starts)) * pixels >= 13 * 7  # "6 of 10 parts" in small type
    assert total * pixels <= 920
    assert len(layout.shapes) == columns
    assert [shape.x0 for shape in layout.shapes] == starts


def test_panels_show_each_picture_exactly_and_escape_their_titles():
    values = (RNG.random((50, 40)) * 255).round() / 255
    built = Panels((Panel(BAD, values, subtitle=BAD), Panel("b", values)), "two", pd.DataFrame({"a": [1]})).build()
    assert len(built.layout.images) == 2
    np.testing.assert_allclose(opened(built.layout.images[0].source)[..., 0] / 255, values, atol=1 / 250)
    assert "<b onload" not in built.layout.annotations[0].text
    assert built.layout.images[0].x < built.layout.images[1].x


def test_photographs_stay_within_the_budget_and_look_the_same():
    photo = pictures.shrink(pictures.sample("china"), 480)
    panels = Panels(tuple(Panel(str(i), photo) for i in range(4)), "four", pd.DataFrame(), columns=2)
    assert len(panels.build().to_json()) < 1_000_000
    shown = opened(panels.build().layout.images[0].source)[..., :3] / 255
    assert np.abs(shown - photo).mean() < 0.02


# Codes, curves, cubes.


def test_a_code_is_laid_out_like_its_tiles_with_nothing_after_the_last():
    figure = CodeMatrix((np.arange(7.0), np.array([1.0, -2, 0, 0, 0, 0, 0])), ("NMF", "PCA"), 3)
    built = figure.build()
    z = np.asarray(built.data[0].z, dtype=float)
    np.testing.assert_array_equal(z.ravel()[:7], np.arange(7.0))
    assert np.isnan(z.ravel()[7:]).all()
    assert (built.data[1].zmin, built.data[1].zmax) == (-2, 2)
    assert "PCA uses 2 of 7 parts, 1 of them negative" in figure.describe()
    assert list(figure.table().columns) == ["NMF", "PCA"]
    assert CodeMatrix((np.zeros(4),), ("NMF",), 2).build().data[0].zmax == 1


def test_method_lines_draw_levels_across_and_say_where_each_is_best():
    frame = pd.DataFrame(
        {
            "method": ["NMF", "NMF", "PCA", "PCA", "raw pixels"],
            "rank": [10, 20, 10, 20, None],
            "accuracy": [0.9, 0.8, 0.85, np.nan, 0.95],
            "error": [0.01, 0.02, 0.01, 0.02, 0.01],
        }
    )
    lines = MethodLines(frame, "rank", "accuracy", "rank", "accuracy", error="error", percent=True, up=True, mark=15.0)
    built = lines.build()
    by_name = {trace.name: trace for trace in built.data}
    np.testing.assert_array_equal(by_name["raw pixels"].x, [10, 20])
    np.testing.assert_array_equal(by_name["PCA"].x, [10])
    assert by_name["NMF"].line.color != by_name["PCA"].line.color
    assert built.layout.shapes[0].x0 == 15
    assert "NMF 90.0 % at rank 10" in lines.describe()
    assert "raw pixels 95.0 %" in lines.describe()
    nothing = MethodLines(frame.assign(accuracy=np.nan), "rank", "accuracy", "rank", "accuracy")
    assert "Nothing" in nothing.build().layout.annotations[0].text


def test_the_class_map_has_one_colour_per_class_and_grey_for_none():
    classes = np.array(["woods", "corn", "corn", "unlabelled", BAD, "corn"])
    drawn = ClassMap(classes, (2, 3), "Truth", classes == "unlabelled")
    built = drawn.build()
    names = [trace.name for trace in built.data]
    assert names[0] == "corn"
    assert names[-1] == "no class"
    assert all("<b" not in name for name in names)
    image = opened(built.layout.images[0].source)
    step = image.shape[1] // 3
    cells = image[step // 2 :: step, step // 2 :: step, :3]
    assert len({tuple(c) for c in cells.reshape(-1, 3)}) == 4
    assert tuple(cells[0, 1]) == tuple(cells[0, 2]) == tuple(cells[1, 2])
    assert "3 classes" in drawn.describe()
    assert len(drawn.table()) == 6


def test_end_members_stand_over_the_bands_of_the_file():
    scene = load_dataset("indian_pines")
    parts = present(scene, fit(scene, rank=2, max_iter=5))
    built = EndMembers(scene, parts, np.zeros((0, scene.shape[1]))).build()
    assert list(built.data[0].x[:3]) == [1, 3, 5]
    assert built.data[0].x[-1] == 199
    assert built.layout.xaxis.title.text == "band"


def test_end_members_compare_shapes_and_tabulate_every_band():
    data = Dataset.of(RNG.random((12, 5)), cols=[f"{BAD}{i}" for i in range(5)], kind="cube")
    parts = present(data, fit(data, rank=2, max_iter=50))
    figure = EndMembers(data, parts, np.array([[1.0, 1, 1, 1, 1]]), (BAD,))
    built = figure.build()
    assert len(built.data) == 3
    for trace in built.data:
        assert np.linalg.norm(np.asarray(trace.y, dtype=float)) == pytest.approx(1, abs=1e-5)
        assert "<b onload" not in trace.name
    assert figure.table().shape == (5, 4)
    assert "2 end members" in figure.describe()
