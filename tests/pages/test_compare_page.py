"""The page Compare, run whole."""

from __future__ import annotations

import pytest

from nmf_core import fit, list_datasets, load_dataset
from nmf_core.comparison.robustness import RobustnessWork
from nmf_core.components import match
from nmf_core.staged import run
from pages.compare_sections.words import share
from pages.ui.widgets import md
from tests.pages.helpers import address, array, bytes_sent, figures, finished, texts


@pytest.mark.parametrize("name", ["iris", "faces_lfw", "mutations_brca21", "energy_mix", "net_airlines"])
def test_methods_stand_side_by_side_on_every_kind_of_data(open_page, name):
    app = open_page("compare", data=name)
    assert f"story about **{md(list_datasets()[name].title)}**" in texts(app)
    assert "Measured here" in texts(app)
    assert figures(app)
    assert bytes_sent(app) < 1_000_000


def test_what_is_measured_is_said_in_good_grammar(open_page):
    app = open_page("compare", data="swimmer", rivals="PCA,VQ")
    assert "the smallest error is PCA’s, 0 % (exact)" in texts(app)
    assert "With 17 components of any sign nothing need be left over" in texts(app)
    assert "Fewer than 17 hold anything at all: PCA 12" in texts(app)
    app = open_page("compare", data="iris", rank="1", rivals="SVD")
    assert "No 1 component of any sign can get below" in texts(app)
    assert "need(s)" not in texts(app)


def test_the_race_shows_scikit_learns_solver_as_reference(open_page):
    app = open_page("compare", data="iris", section="Solvers", max_iter="60")
    app = finished(app.run())
    table = next(frame.value for frame in app.dataframe if "final loss" in frame.value.columns)
    own = table[(table["solver"] == "cd") & (table["start"] == "NNDSVDa")].iloc[0]
    expected = fit(load_dataset("iris"), rank=3, solver="cd", max_iter=60, time_limit=300.0)
    assert own["final loss"] == pytest.approx(expected.loss, rel=1e-12)
    itself = table[table["solver"] == "scikit-learn’s cd"].iloc[0]
    assert itself["final loss"] == pytest.approx(expected.loss, rel=1e-9)
    drawn = [trace["name"] for trace in figures(app)[0]["data"]]
    assert "scikit-learn’s own cd" in drawn
    assert "one after the other in one process, on one thread" in texts(app)


def test_several_losses_race_without_being_ranked_against_each_other(open_page):
    app = open_page(
        "compare",
        data="iris",
        section="Solvers",
        max_iter="40",
        race_losses="kullback-leibler,0.5",
        race_solvers="cd,mu",
        race_starts="random",
        race_seeds="5",
        race_axis="second",
    )
    app = finished(app.run())
    assert "must not be ranked against each other" in texts(app)
    assert "Left out, as they do not take the loss: cd (Kullback-Leibler), cd (β = 0.5)" in texts(app)
    tables = [frame.value for frame in app.dataframe]
    summary = next(t for t in tables if "best loss" in t.columns)
    assert summary["loss"].tolist() == ["Frobenius", "Kullback-Leibler", "β = 0.5"]
    assert summary["runs"].tolist() == [10, 5, 5]
    runs = next(t for t in tables if "final loss" in t.columns)
    nearest = runs.groupby("loss", sort=False)["above the best"].min()
    # The result on the screen is known too; of other losses only these runs are.
    known = fit(load_dataset("iris"), rank=3, max_iter=40, time_limit=300.0).loss
    raced = runs["final loss"][runs["loss"] == "Frobenius"].min()
    assert nearest["Frobenius"] == pytest.approx(raced / min(raced, known) - 1)
    assert nearest[["Kullback-Leibler", "β = 0.5"]].tolist() == [0, 0]
    assert {"relative error", "KL divergence"} <= set(runs.columns)
    seeds = next(t for t in tables if "seeds" in t.columns)
    assert set(seeds["seeds"]) == {5}
    drawn = figures(app)[0]
    assert len({trace["xaxis"] for trace in drawn["data"]}) == 3
    assert {"race_losses", "race_solvers", "race_seeds"} <= set(address(app))
    app.segmented_control(key="race_drawn").set_value("loss")
    app = finished(app.run())
    assert figures(app)[0]["layout"]["yaxis"]["title"]["text"] == "loss"


def test_nonsense_in_the_address_of_a_choice_is_its_default(open_page):
    app = open_page(
        "compare", data="iris", section="Solvers", max_iter="20", race_solvers="magic,;", race_losses="1e999"
    )
    app = finished(app.run())
    assert len(app.multiselect(key="race_solvers").value) >= 3


def test_a_pinned_result_is_compared_with_another_rank(open_page):
    app = open_page("compare", data="wine", section="Runs")
    app = finished(app.run())
    assert "a reload or a link does not bring them back" in texts(app)
    app.button(key="pin").click()
    finished(app.run())
    app.slider(key="rank").set_value(4)
    finished(app.run())
    settings = next(frame.value for frame in app.dataframe if "setting" in frame.value.columns)
    assert settings.set_index("setting").loc["rank"].tolist() == ["3", "4"]
    pairs = next(frame.value for frame in app.dataframe if "cosine" in frame.value.columns)
    assert len(pairs) == 4
    assert pairs["cosine"].isna().sum() == 1
    # The pair that differs most is drawn first, feature by feature.
    likeness = match(*(fit(load_dataset("wine"), rank=r, time_limit=300.0).H for r in (3, 4))).similarity
    assert f"cosine {likeness.min():.3f}" in app.selectbox(key="pair").options[0]
    assert len(figures(app)[0]["data"]) == 2


def test_two_pins_are_compared_with_each_other_under_their_names(open_page):
    named = '{"names":{"0":"my part"},"colors":{"0":"#123456"}}'
    app = open_page("compare", data="iris", section="Runs", parts=named)
    app = finished(app.run())
    app.button(key="pin").click()
    finished(app.run())
    for loss in ("kullback-leibler", "itakura-saito"):
        app.selectbox(key="loss").set_value(loss)
        finished(app.run())
        app.button(key="pin").click()
        finished(app.run())
    overview = next(frame.value for frame in app.dataframe if "mean cosine" in frame.value.columns)
    assert len(overview) == 3
    assert overview["mean cosine"].iloc[-1] == pytest.approx(1)
    first, second = app.selectbox(key="pinned").options[:2]
    app.selectbox(key="pinned").select(first)
    finished(app.run())
    app.selectbox(key="against_pin").select(second)
    finished(app.run())
    settings = next(frame.value for frame in app.dataframe if "setting" in frame.value.columns)
    assert settings.set_index("setting").loc["loss"].tolist() == ["frobenius", "kullback-leibler"]
    pairs = next(frame.value for frame in app.dataframe if "cosine" in frame.value.columns)
    assert "my part" in set(pairs["first"])
    assert "my part" in set(pairs["second"])  # carried over before it was pinned


def test_pins_that_differ_in_the_limits_alone_are_told_apart(open_page):
    app = open_page("compare", data="iris", section="Runs", max_iter="40", tol="0")
    app.button(key="pin").click()
    finished(app.run())
    app.number_input(key="max_iter").set_value(20)
    finished(app.run())
    app.button(key="pin").click()
    finished(app.run())
    options = app.selectbox(key="pinned").options
    assert len(set(options)) == 2
    assert options[0].endswith("iterations at most 40")
    overview = next(frame.value for frame in app.dataframe if "mean cosine" in frame.value.columns)
    assert overview["pinned"].tolist() == list(options)


def test_pins_of_other_data_are_compared_on_common_features_or_not_at_all(open_page):
    app = open_page("compare", data="iris", section="Runs")
    app = finished(app.run())
    app.button(key="pin").click()
    finished(app.run())
    app.selectbox(key="data").set_value("wine")
    finished(app.run())
    assert "fewer than two features in common" in texts(app)


@pytest.mark.parametrize("kind", ["noise", "outliers", "missing"])
def test_robustness_says_what_was_measured(open_page, kind):
    app = open_page("compare", data="iris", section="Robustness", corruption=kind)
    app = finished(app.run())
    assert "Measured here" in texts(app)
    assert "off the clean data" in texts(app)
    assert len(figures(app)) == 2


def test_the_level_of_corruption_is_free(open_page):
    app = open_page(
        "compare", data="wine", section="Robustness", corruption="outliers", level_outliers="0.7", draws="1"
    )
    app = finished(app.run())
    assert app.slider(key="level_outliers").value == 0.7
    dataset = load_dataset("wine")
    work = RobustnessWork(dataset.id, kind="outliers", levels=(0.0, 0.007))
    errors = {o.method: o.error for o in run(work, dataset) if o.level > 0}
    table = next(frame.value for frame in app.dataframe if "drift" in frame.value.columns).set_index("method")
    for method, error in errors.items():
        assert table.loc[method, "spoiled data"] == pytest.approx(error, rel=1e-9)
    assert "0.7 % of the cells at 10 times the largest value" in texts(app)
    # The chosen level stands among the others in the curves.
    line = next(t for t in figures(app)[0]["data"] if t["name"] == "PCA")
    assert any(abs(x**2 - 0.007) < 1e-9 for x in array(line["x"]))


def test_nothing_is_spoiled_at_level_zero(open_page):
    app = open_page("compare", data="iris", section="Robustness", level_noise="0", draws="1")
    app = finished(app.run())
    table = next(frame.value for frame in app.dataframe if "drift" in frame.value.columns)
    assert (table["drift"] == 0).all()
    assert table["spoiled data"].tolist() == table["clean data"].tolist()
    assert "Measured here" not in texts(app)


def test_a_picture_is_shown_clean_spoiled_and_rebuilt(open_page):
    app = open_page(
        "compare",
        data="digits",
        section="Robustness",
        corruption="noise",
        robust_methods="NMF Frobenius,PCA",
        draws="1",
    )
    app = finished(app.run())
    captions = next(t for t in figures(app)[0]["data"] if t["name"] == "captions")["text"]
    assert captions == ["clean", "spoiled", "NMF Frobenius", "PCA"]


def test_shares_of_rounding_and_of_nearly_all_are_said_plainly(open_page):
    assert [share(v) for v in (0.0, 6e-10, 0.2, 1 - 1e-9, 1.0, 12.0)] == [
        "0 %",
        "below 0.0001 %",
        "20.0 %",
        "100.0 %",
        "100.0 %",
        "1,200 %",
    ]
    # Four parts of four measurements leave nothing over; the pin says so, and two parts beside it do not.
    app = open_page("compare", data="iris", section="Runs", rank="4", max_iter="3000", tol="1e-10")
    app.button(key="pin").click()
    finished(app.run())
    app.slider(key="rank").set_value(2)
    finished(app.run())
    cards = {metric.label: metric.value for metric in app.metric}
    assert cards["Relative error"].startswith("below 0.0001 % →")
