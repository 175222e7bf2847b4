"""The advice card, and how it is made."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.rank_sections.context import View
from pages.rank_sections.sweeping import TOP, extend, look_at, open_fit
from pages.ui.widgets import md

_VERDICTS = {"supports": "supports it", "doubts": "doubts it", "silent": "has no say on it"}


def card(view: View) -> None:
    """Draw the recommendation with its reasons and its doubts."""
    advice = view.advice
    with st.container(border=True):
        st.caption("Advice so far (the sweep is not finished)" if advice.preliminary else "Advice")
        st.subheader(md(advice.headline), anchor=False)
        for sentence in advice.reasons[:6]:
            st.markdown(f":material/check_circle: {md(sentence, 400)}")
        if advice.doubts:
            st.markdown("**Doubts**")
            for sentence in advice.doubts:
                st.markdown(f":material/help: {md(sentence, 400)}")
        if advice.settle:
            st.markdown("**What would settle it**")
            for sentence in advice.settle:
                st.markdown(f":material/arrow_forward: {md(sentence, 400)}")
        _actions(view)


def _actions(view: View) -> None:
    advice, sweep = view.advice, view.sweep
    with st.container(horizontal=True):
        for rank, key in ((advice.rank, "take_advice"), (advice.leaner, "take_leaner")):
            if rank in sweep.ranks and rank != view.request.rank:
                st.button(
                    f"Look at rank {rank}",
                    key=key,
                    type="primary" if key == "take_advice" else "secondary",
                    on_click=look_at,
                    args=(rank,),
                    icon=":material/visibility:",
                )
        last, top = sweep.ranks[-1], min(view.dataset.max_rank, TOP)
        if any("Extend the range" in way for way in advice.settle) and last < top:
            further = min(top, 2 * last)
            st.button(
                f"Extend to rank {further}", key="extend", on_click=extend, args=(further,), icon=":material/expand:"
            )
        wanted = sweep.best_request(view.rank)
        if st.button(
            f"Open the best fit of rank {view.rank} in Explore",
            key="open_best",
            on_click=open_fit,
            args=(wanted, sweep.request.model.seed),
            icon=":material/open_in_new:",
            help="Sets rank, random start and seed to those of the best restart here.",
        ):
            st.switch_page("explore.py")


def explain(view: View) -> None:
    """Draw the rule and what every family says."""
    st.markdown(f"**The rule.** {md(view.advice.rule, 2000)}")
    rows = [
        {
            "Kind of evidence": vote.family,
            "Criterion": vote.criterion,
            "Alone it would take": "none" if vote.rank is None else str(vote.rank),
            "On the advice": _VERDICTS[vote.verdict],
            "In words": vote.sentence,
        }
        for vote in view.advice.families
    ]
    if rows:
        st.table(pd.DataFrame(rows).set_index("Kind of evidence"))  # unlike a data frame, it shows whole sentences
    st.caption(
        "On synthetic data of known rank the rule, and each criterion alone, were counted for hits: see "
        "benchmarks/rank_advice.md."
    )
