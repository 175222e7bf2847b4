"""Section Time and labels: how much of each topic there is, with intervals."""

from __future__ import annotations

import numpy as np
import streamlit as st

from nmf_core.figures.text_prevalence import TopicsByLabel, TopicsOverTime
from nmf_core.lenses.text.claims import keyword_claim, prevalence_claim
from nmf_core.lenses.text.clusters import known
from nmf_core.lenses.text.prevalence import (
    UNITS,
    Prevalence,
    label_groups,
    parse_times,
    periods,
    prevalence,
    suitable_unit,
)
from nmf_core.types import Array
from pages.text_sections.context import Context, claim
from pages.ui.state import pick
from pages.ui.widgets import md, picture

MEASURES = {"share": "Mean share", "led": "Documents it leads"}


def show(c: Context) -> None:
    """Draw the section."""
    st.markdown(
        "Topics come and go with the years, and some are one side's more than another's. Look for bands or "
        "bars that do "
        "not overlap: only there do the documents say that two periods or two groups differ."
    )
    if not c.data.labels:
        st.info("These data have no labels, so there is neither time nor group to look at.", icon=":material/info:")
        return
    measure = pick(
        "Measure",
        list(MEASURES),
        "measure",
        names=MEASURES,
        segmented=True,
        help="The mean share counts every bit of a topic; the other counts documents whose largest topic it is.",
    )
    times, groups = _columns(c)
    if times:
        _over_time(c, times, measure)
    else:
        st.caption("No label column holds dates, so there is nothing to draw over time.")
    if groups:
        _by_label(c, groups, measure)


@st.cache_resource(max_entries=16, show_spinner=False)
def _days(corpus: str, name: str, _values: Array) -> list[Array]:
    found = parse_times(_values)
    return [] if found is None else [found]


def _columns(c: Context) -> tuple[list[str], list[str]]:
    times = [name for name, values in c.data.labels.items() if _days(c.corpus, name, values)]
    groups = []
    for name, values in c.data.labels.items():
        text = np.asarray(values).astype(str)
        names, counts = np.unique(text[known(text)], return_counts=True)
        if name not in times and (counts >= 5).sum() >= 2:
            groups.append((len(names), name))
    return times, [name for _, name in sorted(groups)]


@st.cache_resource(max_entries=32, show_spinner=False)
def _prevalence(key: str, measure: str, _shares: Array, _codes: Array, _groups: tuple[str, ...]) -> Prevalence:
    return prevalence(_shares, _codes, _groups, measure=measure)  # type: ignore[arg-type]


def _key(c: Context, *what: str) -> str:
    return " ".join([c.corpus, c.data.id, c.request.key, str(c.result.n_iter), *what])


def _topics(c: Context, key: str, by: Array, most: int) -> tuple[int, ...]:
    """Let the visitor choose topics; those that differ most between groups are chosen first."""
    spread = np.nan_to_num(np.nanmax(by, axis=0) - np.nanmin(by, axis=0))
    default = sorted(np.argsort(-spread, kind="stable")[:most].tolist())
    return tuple(
        st.multiselect("Topics", range(c.topics.rank), default=default, format_func=c.title, max_selections=8, key=key)
    )


def _over_time(c: Context, names: list[str], measure: str) -> None:
    st.subheader("Over time", anchor=False)
    left, right = st.columns(2)
    with left:
        name = pick("Dates from", names, "time_label")
    days = _days(c.corpus, name, c.data.labels[name])[0]
    usual = suitable_unit(days)
    with right:
        unit = pick("One point per", UNITS, "unit", usual)
    try:
        codes, groups = periods(days, unit)
    except ValueError as error:
        st.warning(md(error, 300), icon=":material/warning:")
        return
    found = _prevalence(_key(c, name, unit), measure, c.topics.shares, codes, groups)
    shown = _topics(c, f"time_topics_{c.names_key}", found.value, 4)
    if shown:
        picture(TopicsOverTime(found, c.topics.names, c.colors, shown), key="over_time")
    lost = int((codes < 0).sum())
    st.caption(
        f"Bands: {found.method}. Documents per period: {int(found.n.min())} to {int(found.n.max())}"
        + (f"; {lost:,} documents without a date are left out." if lost else ".")
    )
    claim(prevalence_claim(found, c.topics.names, "periods"), keyword_claim(c.topics, c.matrix, codes, len(groups)))


def _by_label(c: Context, names: list[str], measure: str) -> None:
    st.subheader("By label", anchor=False)
    name = pick("Groups from", names, "label_label")
    codes, groups = label_groups(c.data.labels[name])
    found = _prevalence(_key(c, name, "label"), measure, c.topics.shares, codes, groups)
    shown = _topics(c, f"label_topics_{c.names_key}_{name}", found.value, 3)
    if shown:
        picture(TopicsByLabel(found, c.topics.names, c.colors, shown), key="by_label")
    lost = int((codes < 0).sum())
    st.caption(
        f"Whiskers: {found.method}. Groups with at least five documents, the twelve most frequent"
        + (f"; {lost:,} documents with another or no label are left out." if lost else ".")
    )
    claim(prevalence_claim(found, c.topics.names, "groups"), keyword_claim(c.topics, c.matrix, codes, len(groups)))
