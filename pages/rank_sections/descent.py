"""Components over ranks: what splits, merges, stays."""

from __future__ import annotations

import streamlit as st

from nmf_core.figures.rank_lineage import ComponentTree
from nmf_core.selection.lineage import lineage
from pages.rank_sections.context import View
from pages.rank_sections.sweeping import choose
from pages.ui import widgets
from pages.ui.state import slide

MANY = 12


def show(view: View) -> None:
    """Draw the tree of components around the rank looked at."""
    ranks = list(view.sweep.ranks)
    if len(ranks) < 2:
        st.info("It takes at least two ranks to compare.")
        return
    if len(ranks) > MANY:
        middle = ranks.index(view.rank)
        start = min(max(middle - MANY // 2, 0), len(ranks) - MANY)
        ranks = ranks[start : start + MANY]
        st.caption(f"Ranks {ranks[0]} to {ranks[-1]}, around the rank you look at.")
    cutoff = float(
        slide(
            "Join components from a cosine of",
            0.3,
            0.99,
            "tree_cutoff",
            0.6,
            step=0.01,
            help="Wider bands: more alike.",
        )
    )
    tree = lineage({k: view.sweep.factors(k) for k in ranks})
    picture = ComponentTree(tree, view.dataset.cols, cutoff, view.rank)
    widgets.picture(picture, key="rank_tree", on_select=choose, download="components-over-ranks")
    st.caption(
        "A mark is a component, its size the share it holds; hover for its strongest features, click to look at its rank."
    )
    with st.expander("What happens from rank to rank, in words"):
        for sentence in tree.fates(cutoff):
            st.markdown(f"- {sentence}")
