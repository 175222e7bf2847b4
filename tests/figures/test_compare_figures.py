"""Pictures of the page Compare."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from nmf_core import fit, load_dataset
from nmf_core.comparison.rivals import TITLES, RivalsWork, nmf
from nmf_core.figures.compare_lines import Lines
from nmf_core.figures.compare_methods import MethodParts, MethodSample
from nmf_core.lenses.images.staged import run


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
    assert "a 20 %" in Lines(frame, "level", "error", "method", percent=True).describe()
