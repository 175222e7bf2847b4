"""Groups of samples: consensus of restarts, and agreement with known classes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from nmf_core.components import present_matrices
from nmf_core.figures.rank_consensus import ConsensusMap
from nmf_core.figures.text import plain
from nmf_core.selection import agreement
from nmf_core.types import Array
from pages.rank_sections.context import View
from pages.ui import widgets
from pages.ui.state import pick


def show(view: View) -> None:
    """Draw the consensus of the rank looked at."""
    sweep, rank = view.sweep, view.rank
    e = sweep.at(rank)
    st.markdown(
        f"Each restart at rank **{rank}** puts every sample with its strongest component. Dark and bright blocks: pairs that "
        "are always apart or always together. Grey-green haze: pairs on which restarts disagree."
    )
    rows = sweep.sample_rows
    classes, name = None, "class"
    labels = {k: v for k, v in view.dataset.labels.items() if 2 <= len(np.unique(np.asarray(v).astype(str))) <= 30}
    if labels:
        name = str(pick("Known classes", list(labels), "rank_classes"))
        classes = np.asarray(labels[name])[rows].astype(str)
    parts = present_matrices(view.dataset, *sweep.factors(rank))
    # Groups carry the numbers and colours that the components have on every page.
    groups = _as_displayed(sweep.groups(rank), e.best, parts.index)
    if len(groups) < 2 or rank < 2:
        st.info("Consensus takes at least two restarts and two components.")
        return
    cards = [
        ("Cophenetic correlation", f"{e.consensus.cophenetic:.3f}", "Brunet et al. 2004; 1 is perfect agreement."),
        ("Dispersion", f"{e.consensus.dispersion:.3f}", "Kim & Park 2007; 1: every pair always apart or together."),
        ("Ambiguous pairs", f"{100 * e.consensus.pac:.1f} %", "PAC (Şenbabaoğlu et al. 2014): 0.1 < consensus < 0.9."),
        ("Silhouette", f"{e.consensus.silhouette:.2f}", "Of samples on 1 − consensus."),
    ]
    table = None
    if classes is not None:
        table, group_names, class_names = agreement.contingency(groups[e.best], classes)
        agree, total = agreement.agreeing(table), int(table.sum())
        cards.append(
            (
                f"Agree with {widgets.md(name, 20)}",
                f"{agree} of {total}",
                "Samples in a group whose majority they share.",
            )
        )
    widgets.cards(cards)
    widgets.picture(
        ConsensusMap(groups, e.best, view.dataset.rows[rows], classes, name),
        key="consensus",
        download=f"consensus-{rank}",
    )
    if table is not None:
        st.markdown(
            f"Groups of the best restart against **{widgets.md(name)}**: purity {agreement.purity(table):.3f}, entropy "
            f"{agreement.entropy(table):.3f}."
        )
        frame = pd.DataFrame(table, index=[plain(parts.names[g]) for g in group_names], columns=class_names)
        st.dataframe(frame)


def _as_displayed(groups: Array, best: int, index: Array) -> Array:
    """Renumber the best restart's groups by display position; those of the others have no meaning outside their restart."""
    place = np.empty(len(index), dtype=groups.dtype)
    place[index] = np.arange(len(index))
    out = groups.copy()
    out[best] = place[groups[best]]
    return out
