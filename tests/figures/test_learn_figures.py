"""Pictures of the page Learn: data, marks, weight."""

from __future__ import annotations

import numpy as np
import pytest

from nmf_core import fit, load_dataset
from nmf_core.components import present
from nmf_core.figures.learn_animation import PartsFilm, tiles
from nmf_core.figures.learn_cone import Cone, Triangle
from nmf_core.figures.learn_curves import LossCurves
from nmf_core.figures.learn_factors import FactorNumbers
from nmf_core.figures.learn_network import Network
from nmf_core.lessons.examples import paper_example


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
    box = drawn.layout.shapes[0]
    assert (box.xref, box.x0, box.y0) == ("x3", 1.5, 0.5)
    assert any("H (just updated)" in a.text for a in drawn.layout.annotations)
    assert "38.83" in shown.describe()
    assert len(shown.table()) == 12 * 3 + 8 + 6


def test_loss_curves_mark_where_the_page_stands():
    drawn = LossCurves({"a": np.array([4.0, 2, 1]), "b": np.array([4.0, 3, 2])}, at=1, chosen="b").build()
    mark = drawn.data[2]
    assert (mark.x[0], mark.y[0]) == (1, 3.0)
    assert drawn.data[0].line.dash != drawn.data[1].line.dash


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


def test_a_film_of_faces_stays_below_a_megabyte():
    rng = np.random.default_rng(0)
    snapshots = tuple(rng.random((9, 56 * 46)) for _ in range(19))
    drawn = PartsFilm(snapshots, tuple(range(19)), tuple(np.linspace(1, 0.1, 19)), (56, 46)).build()
    assert len(drawn.frames) == 19
    assert len(drawn.to_json()) < 1_000_000
    assert len(drawn.layout.sliders[0].steps) == 19


def test_tiles_lie_side_by_side_with_a_gap():
    out = tiles(np.arange(12.0).reshape(3, 4), (2, 2))
    np.testing.assert_array_equal(out[:2, :2], [[0, 1], [2, 3]])
    np.testing.assert_array_equal(out[:2, 3:5], [[4, 5], [6, 7]])
    np.testing.assert_array_equal(out[3:5, :2], [[8, 9], [10, 11]])
    assert out[2].sum() == 0
