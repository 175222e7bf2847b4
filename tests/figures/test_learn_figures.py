"""Pictures of the page Learn: data, marks, weight."""

from __future__ import annotations

import numpy as np
import pytest

from nmf_core import fit, load_dataset
from nmf_core.components import present
from nmf_core.figures.learn_cone import Cone
from nmf_core.figures.learn_curves import LossCurves
from nmf_core.figures.learn_factors import FactorNumbers, FactorVersions
from nmf_core.figures.learn_film import PartsFilm
from nmf_core.figures.learn_grids import INK
from nmf_core.figures.learn_large import Large
from nmf_core.figures.learn_network import Network
from nmf_core.figures.learn_triangle import Triangle
from nmf_core.figures.png import palette
from nmf_core.lessons.examples import paper_example, picture


@pytest.fixture(scope="module")
def iris():
    dataset = load_dataset("iris")
    result = fit(dataset, rank=3)
    return dataset, result, present(dataset, result, "max 1")


def test_factor_numbers_hold_the_five_matrices_and_mark_the_entry():
    e = paper_example()
    shown = FactorNumbers(e.X, e.W, e.H, e.rows, e.cols, ("Part 1", "Part 2"), "H", ("H", 1, 2))
    drawn = shown.build()
    np.testing.assert_allclose(drawn.data[3].z, e.W @ e.H, rtol=1e-6)
    np.testing.assert_allclose(drawn.data[4].z, e.X - e.W @ e.H, atol=1e-6)
    assert drawn.data[4].zmin == -drawn.data[4].zmax
    box = next(shape for shape in drawn.layout.shapes if shape.line.dash is None)
    assert (box.xref, box.x0, box.y0) == ("x3", 1.5, 0.5)
    assert any("H (new)" in a.text for a in drawn.layout.annotations)
    assert "38.83" in shown.describe()
    assert len(shown.table()) == 12 * 3 + 8 + 6


def test_loss_curves_mark_where_the_page_stands():
    drawn = LossCurves({"a": np.array([4.0, 2, 1]), "b": np.array([4.0, 3, 2])}, at=1, chosen="b").build()
    mark = drawn.data[2]
    assert (mark.x[0], mark.y[0]) == (1, 3.0)
    ten = LossCurves({f"seed {i}": np.array([2.0, 1]) for i in range(10)}).build()
    assert len({trace.line.dash for trace in ten.data}) == 10  # told apart without colour


def test_a_line_of_the_network_is_as_wide_as_rate_times_weight(iris):
    dataset, _, parts = iris
    drawn = Network(dataset, parts, row=100).build()
    lines = [t for t in drawn.data if t.mode == "lines"]
    carried = parts.recipe[100][:, None] * parts.H
    widths = np.sort([line.line.width for line in lines])
    expected = np.sort(12 * carried.ravel() / carried.max())
    np.testing.assert_allclose(widths, expected[expected >= 0.15], rtol=1e-6)
    assert "No line can be negative" in Network(dataset, parts, row=100).describe()


def test_the_cone_counts_the_samples_inside():
    H = np.array([[1.0, 0.1], [0.1, 1.0]])
    X = np.array([[1.0, 1.0], [3.0, 0.1], [0.5, 0.4]])
    shown = Cone(X, H, ("a", "b"), np.array(["g", "g", "h"]), weights=(-1.0, 2.0))
    assert "2 lie in the cone" in shown.describe()
    assert "outside the cone" in shown.describe()
    end = next(t for t in shown.build().data if t.mode == "lines+markers")
    np.testing.assert_allclose([end.x[-1], end.y[-1]], -1 * H[0] + 2 * H[1])


def test_a_sample_that_is_one_part_alone_sits_at_its_corner(iris):
    _dataset, result, _ = iris
    X = np.vstack([2.0 * result.H, result.H.sum(axis=0)])
    corners, points = Triangle(X, result.H, ("a", "b", "c", "d"), np.full(4, "x")).place()
    np.testing.assert_allclose(points[:3], corners, atol=1e-6)


def test_a_film_of_bars_says_what_it_shows():
    H = np.array([[4.0, 2, 0, 0], [1, 1, 1, 1]])
    film = PartsFilm((H, np.diag([1.0, 2])), (0, 7), (0.5, 0.125), cols=("a", "b"), name="toys")
    sent = PartsFilm((H, H), (0, 7), (0.5, 0.125), cols=("a", "b", "c", "d")).payload()
    assert sent["heads"] == ["iteration 0 · relative error 50 %", "iteration 7 · relative error 12.5 %"]
    assert (sent["rank"], sent["height"], sent["width"], sent["bars"]) == (2, 1, 4, True)
    assert "from 50 % to 12.5 %" in film.describe()
    assert "from 25 % to 50 %" in film.describe()
    assert film.table()["iteration"].tolist() == [0, 7]


def test_every_number_can_be_read_on_its_cell():
    """WCAG: at least 4.5 to 1 between a number and its cell; on faint cells it takes the page's own text colour."""
    e = paper_example()
    drawn = FactorNumbers(e.X, e.W, e.H, e.rows, e.cols, ("Part 1", "Part 2")).build()
    scale = palette("viridis")
    for i in range(4):
        heat = drawn.data[i]
        seen = 0
        for layer in (t for t in drawn.data[5:] if t.xaxis == heat.xaxis):
            for (y, x), text in np.ndenumerate(np.array(layer.text)):
                if text.strip():
                    share = min(max(heat.z[y][x] / heat.zmax, 0), 1)
                    assert contrast(scale[round(share * (len(scale) - 1))], layer.textfont.color) >= 4.5
                    seen += 1
        assert seen == np.size(heat.z)
    strong, faint = drawn.data[-2:]
    assert (strong.textfont.color, faint.textfont.color) == ("#ffffff", INK)
    assert {t.strip() for t in np.ravel(strong.text)} == {"", "3.25", "3.81"}
    assert "−2.12" in np.ravel(faint.text)
    # All texts of a grid have the same places and lengths in both layers: so they get the same size.
    assert [len(t) for t in np.ravel(strong.text)] == [len(t) for t in np.ravel(faint.text)]


def contrast(rgb, hex_color):
    def luminance(values):
        linear = [v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in np.asarray(values) / 255]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    a, b = luminance(rgb), luminance([int(hex_color[k : k + 2], 16) for k in (1, 3, 5)])
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)


def test_the_cells_a_formula_reads_are_dashed():
    e = paper_example()
    parts = ("Part 1", "Part 2")
    drawn = FactorNumbers(e.X, e.W, e.H, e.rows, e.cols, parts, entry=("H", 1, 2)).build()
    used = {(b.xref, b.x0, b.y0, b.x1, b.y1) for b in drawn.layout.shapes if b.line.dash}
    assert used == {("x", 1.5, -0.5, 2.5, 3.5), ("x2", 0.5, -0.5, 1.5, 3.5), ("x4", 1.5, -0.5, 2.5, 3.5)}
    drawn = FactorNumbers(e.X, e.W, e.H, e.rows, e.cols, parts, entry=("W", 2, 0)).build()
    used = {(b.xref, b.x0, b.y0, b.x1, b.y1) for b in drawn.layout.shapes if b.line.dash}
    assert used == {("x", -0.5, 1.5, 2.5, 2.5), ("x3", -0.5, -0.5, 2.5, 0.5), ("x4", -0.5, 1.5, 2.5, 2.5)}


def test_pictures_show_the_sign_of_what_is_left_without_colour():
    e = picture()
    shown = FactorNumbers(e.X, e.W, e.H, e.rows, e.cols, ("Part 1", "Part 2"), cell_shape=e.cell_shape)
    drawn = shown.build()
    np.testing.assert_array_equal(drawn.data[0].z[6:11], e.X[1].reshape(5, 5))
    layers = [np.array(t.text) for t in drawn.data[5:] if t.xaxis == "x5"]
    signs = {at: text for layer in layers for at, text in np.ndenumerate(layer) if text.strip()}
    residual = e.X - e.W @ e.H
    assert signs[(1, 0)] == "+"
    assert residual[0, 5] > 0
    (row, col), sign = next(((r, c), s) for (r, c), s in signs.items() if s == "−")
    assert residual[row // 6, (row % 6) * 5 + col] < 0
    assert sign == "−"
    assert "Part 1 is darkest in" in shown.describe()


def test_versions_share_one_scale_of_colours():
    versions = (("before", np.array([[1.0, 2]])), ("after", np.array([[4.0, 0.5]])))
    drawn = FactorVersions(versions, ("Part 1",), ("a", "b"), "Two").build()
    assert [h.zmax for h in drawn.data[:2]] == [4.0, 4.0]
    assert FactorVersions(versions, ("Part 1",), ("a", "b"), "Two").table()["value"].tolist() == [1, 2, 4, 0.5]


def test_large_type_is_larger_everywhere_and_says_the_same():
    e = paper_example()
    small = FactorNumbers(e.X, e.W, e.H, e.rows, e.cols, ("Part 1", "Part 2"))
    plain, large = small.build(), Large(small, 1.5).build()
    assert large.layout.font.size == 1.5 * plain.layout.font.size
    assert (
        large.layout.xaxis.tickfont.size == large.layout.yaxis4.tickfont.size == 1.5 * plain.layout.xaxis.tickfont.size
    )
    assert large.layout.annotations[0].font.size == 1.5 * plain.layout.annotations[0].font.size
    assert large.layout.height > plain.layout.height
    assert Large(small).describe() == small.describe()


def test_pca_stands_beside_the_cone_at_a_right_angle():
    X = load_dataset("iris").X[:, 1:3]
    mean = X.mean(axis=0)
    axes = (mean, np.linalg.svd(X - mean, full_matrices=False)[2])
    shown = Cone(X, np.eye(2), ("a", "b"), np.full(150, "g"), (1.0, -2.0), axes)
    lines = [t for t in shown.build().data if t.name and t.name.startswith("PCA axis")]
    first, second = (np.array([t.x[1] - t.x[0], t.y[1] - t.y[0]]) for t in lines)
    assert abs(first @ second) < 1e-9
    assert {t.xaxis for t in lines} == {"x2"}
    assert "a 1 and b -2" in shown.describe()
    negative = int(((X - mean) @ axes[1][0] < 0).sum())
    assert f"{negative} samples lie on the negative side" in shown.describe()


def test_samples_that_need_a_negative_weight_lie_outside_the_triangle():
    H = np.eye(3) + 0.2
    X = np.array([[1.0, 1, 1], [1.0, 0.0, 0.0], [2.0, 0.5, 0.5]])
    assert Triangle(X, H, ("a", "b", "c"), np.full(3, "x")).outside() == 1
