"""The page Compare, run whole."""

from __future__ import annotations

import pytest

from nmf_core import fit, list_datasets, load_dataset
from pages.ui.widgets import md
from tests.pages.helpers import bytes_sent, figures, finished, texts


@pytest.mark.parametrize("name", ["iris", "faces_lfw", "mutations_brca21", "energy_mix", "net_airlines"])
def test_methods_stand_side_by_side_on_every_kind_of_data(open_page, name):
    app = open_page("compare", data=name)
    assert f"story about **{md(list_datasets()[name].title)}**" in texts(app)
    assert "Measured here" in texts(app)
    assert figures(app)
    assert bytes_sent(app) < 1_000_000


def test_the_race_shows_scikit_learns_solver_as_reference(open_page):
    app = open_page("compare", data="iris", section="Solvers", max_iter="60")
    app = finished(app.run())
    table = next(frame.value for frame in app.dataframe if "final loss" in frame.value.columns)
    assert "cd" in set(table["solver"])
    own = table[(table["solver"] == "cd") & (table["start"] == "nndsvda")].iloc[0]
    expected = fit(load_dataset("iris"), rank=3, solver="cd", max_iter=60, time_limit=300.0)
    assert own["final loss"] == pytest.approx(expected.loss, rel=1e-12)


def test_a_pinned_result_is_compared_with_another_seed(open_page):
    app = open_page("compare", data="wine", section="Runs")
    app = finished(app.run())
    app.button(key="pin").click()
    finished(app.run())
    app.slider(key="rank").set_value(4)
    finished(app.run())
    settings = next(frame.value for frame in app.dataframe if "setting" in frame.value.columns)
    assert settings.set_index("setting").loc["rank"].tolist() == ["3", "4"]
    pairs = next(frame.value for frame in app.dataframe if "cosine" in frame.value.columns)
    assert len(pairs) == 4
    assert pairs["cosine"].isna().sum() == 1


@pytest.mark.parametrize("kind", ["noise", "outliers", "missing"])
def test_robustness_says_what_was_measured(open_page, kind):
    app = open_page("compare", data="iris", section="Robustness", corruption=kind)
    app = finished(app.run())
    assert "Measured here" in texts(app)
    assert "off the clean data" in texts(app)
    assert len(figures(app)) == 2
