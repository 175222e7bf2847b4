"""Topics over time and by label: dates, periods, and intervals that cover what they should."""

from __future__ import annotations

import numpy as np
import pytest

from nmf_core.lenses.text.prevalence import (
    clearest_change,
    label_groups,
    parse_times,
    periods,
    prevalence,
    suitable_unit,
    wilson,
)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2019-03-07", "2019-03-07"),
        ("1987", "1987-01-01"),
        ("1987.0", "1987-01-01"),
        ("2019-03", "2019-03-01"),
        ("7 March 2019", "2019-03-07"),
        ("2019-03-07T23:30:00Z", "2019-03-07"),
        ("1666-09-02", "1666-09-02"),
    ],
)
def test_dates_in_common_notations(text: str, day: str):
    days = parse_times(np.array([text, "2001-01-01"]))
    assert days is not None
    assert days[0] == np.datetime64(day)


@pytest.mark.parametrize(
    "labels",
    [
        ["Con", "Lab", "SNP"],
        ["1", "2", "3"],
        ["May", "June", "July"],
        ["12", "7", "2001-01-01"],
        ["", "", ""],
        ["2001-05-05", "2001-05-05"],
        ["99999999", "88888888"],
    ],
)
def test_what_is_no_date_is_not_read_as_one(labels: list[str]):
    assert parse_times(np.array(labels)) is None


def test_missing_dates_are_left_out():
    days = parse_times(np.array(["2001-01-01", "", "2003-01-01", "nan", "2004-06-01"]))
    assert days is not None
    assert np.isnat(days).tolist() == [False, True, False, True, False]
    codes, names = periods(days, "year")
    assert names == ("2001", "2002", "2003", "2004")
    assert codes.tolist() == [0, -1, 2, -1, 3]


@pytest.mark.parametrize(
    ("unit", "first", "n"),
    [
        ("decade", "1990–99", 2),
        ("5 years", "1995–99", 2),
        ("quarter", "1999 Q4", 3),
        ("month", "1999-12", 4),
        ("day", "1999-12-31", 92),
    ],
)
def test_periods_of_the_calendar(unit: str, first: str, n: int):
    codes, names = periods(np.array(["1999-12-31", "2000-03-31"], dtype="datetime64[D]"), unit)
    if unit == "quarter":
        n = 2
    assert names[0] == first
    assert len(names) == n
    assert codes.tolist() == [0, n - 1]


def test_too_many_periods_are_refused():
    with pytest.raises(ValueError, match="too many"):
        periods(np.array(["1000-01-01", "2000-01-01"], dtype="datetime64[D]"), "day")
    with pytest.raises(ValueError, match="unit"):
        periods(np.array(["1000-01-01"], dtype="datetime64[D]"), "week")


def test_the_unit_suits_the_span():
    start = np.datetime64("1989-01-01")
    assert suitable_unit(start + np.arange(0, 11000, 20)) == "5 years"
    assert suitable_unit(start + np.arange(0, 360, 1)) == "month"
    assert suitable_unit(np.repeat(start + np.arange(5), 20)) == "day"


def test_wilson_is_the_published_interval():
    low, high = wilson(np.array([8, 0]), 10)
    assert low.tolist() == pytest.approx([0.4902, 0.0], abs=1e-4)
    assert high.tolist() == pytest.approx([0.9433, 0.2775], abs=1e-4)


def test_values_are_means_and_proportions():
    shares = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0], [0.0, 0.0], [0.2, 0.8]])
    codes = np.array([0, 0, 1, 1, -1])
    found = prevalence(shares, codes, ("a", "b", "c"))
    assert found.n.tolist() == [2, 1, 0]
    assert found.value[0].tolist() == [0.75, 0.25]
    assert np.isnan(found.low[1]).all()  # a single document's mean has no interval
    assert np.isnan(found.value[2]).all()
    led = prevalence(shares, codes, ("a", "b", "c"), measure="led")
    assert led.value[:2].tolist() == [[1, 0], [0, 1]]
    assert len(found.table(("x", "y"))) == 6
    with pytest.raises(ValueError, match="measure"):
        prevalence(shares, codes, ("a",), measure="size")


def test_the_bootstrap_covers_the_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = 0
    for trial in range(200):
        shares = rng.dirichlet([1.0, 3.0], 40)
        found = prevalence(shares, np.zeros(40, dtype=int), ("all",), draws=400, seed=trial)
        hits += int(found.low[0, 0] <= 0.25 <= found.high[0, 0])
    assert 0.88 <= hits / 200 <= 0.99


def test_same_seed_same_intervals_and_memory_is_bounded():
    shares = np.random.default_rng(1).dirichlet([1, 1, 1], 3000)
    codes = np.arange(3000) % 2
    a, b = (prevalence(shares, codes, ("x", "y")) for _ in range(2))
    assert np.array_equal(a.low, b.low)
    assert (a.high - a.low).max() < 0.05


def test_the_clearest_change_is_found_and_small_groups_are_not():
    rng = np.random.default_rng(2)
    shares = np.vstack([rng.dirichlet([8, 1, 1], 60), rng.dirichlet([1, 8, 1], 60), rng.dirichlet([0.1, 0.1, 9], 4)])
    codes = np.repeat([0, 1, 2], [60, 60, 4])
    change = clearest_change(prevalence(shares, codes, ("early", "late", "few")))
    assert change is not None
    assert change.apart
    assert change.topic in (0, 1)
    assert {change.low_group, change.high_group} == {0, 1}
    assert clearest_change(prevalence(shares[:10], codes[:10], ("early",))) is None


def test_labels_become_groups_by_frequency():
    labels = np.array(["b"] * 6 + ["a"] * 9 + ["rare"] * 2 + [""] * 7)
    codes, names = label_groups(labels)
    assert names == ("a", "b")
    assert codes.tolist() == [1] * 6 + [0] * 9 + [-1] * 9
    assert label_groups(labels, most=1)[1] == ("a",)
