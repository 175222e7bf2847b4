"""Other starts: where every restart of a rank ended, and the way to each of them."""

from __future__ import annotations

import numpy as np
import streamlit as st

from nmf_core.components import Parts
from nmf_core.figures.rank_restarts import RestartLosses
from nmf_core.figures.text import number
from nmf_core.selection.stability import badges, distinct_solutions
from pages.rank_sections.context import View
from pages.rank_sections.sweeping import choose_restart, open_fit
from pages.ui import widgets
from pages.ui.state import pick

CHART = "restart_losses"
WORDS = {"stable": ":material/verified:", "shaky": ":material/warning:", "unstable": ":material/error:"}


def show(view: View, parts: Parts) -> None:
    """Draw the losses of all restarts, whether their components come back, and a choice that opens any one of them."""
    sweep, rank = view.sweep, view.rank
    e = sweep.at(rank)
    st.markdown("#### Other starts")
    group = distinct_solutions(e.losses, sweep.components(rank))
    key = f"restart_{rank}"  # of each rank its own: 0 stands for the best, whichever that is
    requests = [sweep.restart_request(rank, i) for i in range(len(e.losses))]
    left, right = st.columns([3, 2])
    with left:
        drawing = st.container()
        excess = RestartLosses(e.losses, group).excess
        names = {0: f"The best of them (restart {e.best + 1})"} | {
            int(i) + 1: f"Restart {i + 1}: {number(float(excess[i]), 3)} % above the best, solution {group[i] + 1}"
            for i in np.argsort(e.losses, kind="stable")
        }
        # A link may name a restart that a running sweep has yet to reach.
        names |= {i + 1: f"Restart {i + 1}: not fitted yet" for i in range(len(requests), sweep.request.n_restarts)}
        with st.container(horizontal=True, vertical_alignment="bottom"):
            number_ = int(pick("Restart", list(names), key, 0, names=names, help="Or click its point above."))
            position = number_ - 1 if 0 < number_ <= len(requests) else e.best
            if st.button(
                f"Open restart {position + 1} in Explore",
                key="open_restart",
                on_click=open_fit,
                args=(requests[position], sweep.request.model.seed),
                icon=":material/open_in_new:",
                help=f"Sets rank {rank} and seed {requests[position].seed}: the same start, the same bits.",
            ):
                st.switch_page("explore.py")
        with drawing:
            picture = RestartLosses(e.losses, group, tuple(r.seed for r in requests), position)
            widgets.picture(picture, key=CHART, on_select=lambda: choose_restart(CHART, key), download="restarts")
    with right:
        st.markdown(widgets.md(picture.describe(), 400))
        if position == e.best:
            badge_list(parts, e.similarity, "other starts")
        else:
            _against_best(view, parts, position)


def badge_list(parts: Parts, similarity: np.ndarray, where: str) -> None:
    """Draw one word per component."""
    if len(similarity) == 0:
        st.caption("Badges take at least two fits.")
        return
    words = badges(similarity[:, parts.index])
    lines = [
        f"{WORDS[badge.word]} {widgets.md(name, 40)}: **{badge.word}** ({badge.similarity:.2f})"
        for name, badge in zip(parts.names, words, strict=True)
    ]
    st.markdown("  \n".join(lines))
    st.caption(f"Typical likeness (cosine) to the partner in {where}; stable from 0.95, shaky from 0.80.")


def _against_best(view: View, parts: Parts, position: int) -> None:
    """Draw how alike the components of one restart are to those of the best one."""
    e = view.sweep.at(view.rank)
    alike = e.similarity[position - (position > e.best)][parts.index]
    lines = [f"{widgets.md(name, 40)}: **{value:.2f}**" for name, value in zip(parts.names, alike, strict=True)]
    st.markdown(f"Restart {position + 1} beside the best one:\n\n" + "  \n".join(lines))
    st.caption("Likeness (cosine) of each component of the best restart to its partner in this one; 1: the same.")
