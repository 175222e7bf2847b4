"""Rank: how many components, and can they be trusted?"""

from __future__ import annotations

import streamlit as st

from nmf_core.figures.rank_curves import RankCurves
from nmf_core.selection import advise
from pages.rank_sections import advice, agreement, descent, numbers, sweeping, trust
from pages.rank_sections.context import View
from pages.ui import data, model, widgets
from pages.ui.state import switch

SECTIONS = {
    "Trust in the chosen rank": trust.show,
    "Groups of samples": agreement.show,
    "Components over ranks": descent.show,
    "How the advice is made": advice.explain,
    "All numbers": numbers.show,
}

dataset = data.chosen()
info = data.info_of(dataset)
request = model.request(dataset)
widgets.story(
    "Rank",
    f"How many parts does **{widgets.md(dataset.name)}** hold? Every rank is fitted from several random starts, and asked to "
    "predict cells it has not seen. Look for the rank where the held-out error stops falling and the parts still come back.",
)
if dataset.max_rank < 2:
    st.info("One row or one column has nothing to split: choose data with at least two of both.")
    st.stop()
work = sweeping.controls(dataset, request)
sweep = sweeping.run(work, dataset)
if sweep is not None and sweep.ranks:
    case = advise(sweep)
    view = View(dataset, info, request, sweep, case)
    left, right = st.columns([2, 3], gap="medium")
    with left:
        advice.card(view)
    with right:
        more = switch(
            "More criteria", "more_criteria", help="Bi-cross-validation, PAC, silhouettes, Amari, AIC and BIC."
        )
        widgets.picture(
            RankCurves(sweep, case, chosen=request.rank, more=more),
            key="rank_curves",
            on_select=sweeping.choose,
            download=f"rank-{dataset.id[:6]}",
        )
        st.caption("Shaded: the advised rank. Dotted: the rank you look at; click any point to look at its rank.")
    for note in sweep.notes:
        st.caption(widgets.md(note, 400))
    tabs = st.tabs(list(SECTIONS), key="rank_section", on_change="rerun", bind="query-params")
    for tab, draw in zip(tabs, SECTIONS.values(), strict=True):
        if tab.open:
            with tab:
                draw(view)
