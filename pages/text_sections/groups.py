"""Section Groups: documents put together by topic, held against a label."""

from __future__ import annotations

import numpy as np
import streamlit as st

from nmf_core.figures.text_documents import GroupTable
from nmf_core.lenses.text.claims import clusters_claim
from nmf_core.lenses.text.clusters import PlainGroups, agreement, by_dominant, by_kmeans, cross_table, known
from nmf_core.wording import percent
from pages.text_sections.context import Context, claim
from pages.ui import jobs
from pages.ui.state import number, pick
from pages.ui.widgets import cards, md, picture

HOW = {"dominant": "Leading topic", "kmeans": "k-means on the topic shares"}


def suitable_labels(c: Context) -> list[str]:
    """Return the label columns that can form groups: the ones with few different values first."""
    found = []
    for name, values in c.data.labels.items():
        text = np.asarray(values).astype(str)
        n = len(np.unique(text[known(text)]))
        if 2 <= n <= 0.9 * max(len(text), 1):
            found.append((n, name))
    return [name for _, name in sorted(found, key=lambda pair: pair[0])]


def show(c: Context) -> None:
    """Draw the section."""
    st.markdown(
        "Documents that share a leading topic form a group without anybody having labelled them. Look for rows of the "
        "table that gather in one column: there the label and the topics divide the documents alike."
    )
    left, middle, right = st.columns([2, 2, 1])
    with left:
        how = pick("Groups by", list(HOW), "groups_by", names=HOW)
    labels = suitable_labels(c)
    label = None
    if labels:
        with middle:
            label = pick("Held against the label", labels, "groups_label")
    k = c.topics.rank
    if how == "kmeans":
        with right:
            k = number("Groups", 2, max(2, min(60, c.data.shape[0])), "n_groups", max(2, k))
        groups = by_kmeans(c.topics.shares, k, c.request.seed)
        names = tuple(f"group {g + 1}" for g in range(k))
    else:
        groups = by_dominant(c.topics.shares)
        names = tuple(c.title(t) for t in range(c.topics.rank))
    size = np.bincount(groups[groups >= 0], minlength=len(names))
    if label is None:
        st.info("These data have no label column to hold the groups against, so only their sizes are shown.")
        st.dataframe({"group": list(names), "documents": size.tolist()}, hide_index=True)
        return
    values = np.asarray(c.data.labels[label])
    ours = agreement(groups, values)
    help_ = f"Over the {ours.n:,} documents that have both a label and a group."
    cards(
        [
            (
                "ARI",
                f"{round(ours.ari, 3) + 0.0:.3f}",
                f"Adjusted Rand index: 0 by chance, 1 for equal groups. {help_}",
            ),
            ("NMI", f"{ours.nmi:.3f}", f"Normalised mutual information; grows with the number of groups. {help_}"),
            (
                "AMI",
                f"{round(ours.ami, 3) + 0.0:.3f}",
                f"Mutual information corrected for chance: 0 by chance. {help_}",
            ),
            ("Labels", f"{ours.n_labels:,}", f"Different values of {md(label)}."),
        ]
    )
    if ours.n_labels > 50:
        st.caption(
            f"{md(label)} has {ours.n_labels:,} different values: the table shows the most frequent; NMI is "
            f"high merely "
            "because nearly every document has a value of its own, so look at ARI and AMI."
        )
    picture(GroupTable(cross_table(groups, values, names), label), key="group_table")
    if how == "kmeans":
        with st.expander("What the groups are made of", icon=":material/pie_chart:"):
            for g in range(k):
                members = groups == g
                if members.any():
                    mean = c.topics.shares[members].mean(axis=0)
                    top = [
                        f"{md(c.title(int(t)))} {percent(mean[t], 2)}" for t in np.argsort(-mean)[:3] if mean[t] > 0.01
                    ]
                    st.markdown(f"**group {g + 1}** ({int(members.sum()):,} documents): {', '.join(top)}")
    if c.topics.rank < 2:
        return
    plain = jobs.run(
        PlainGroups(c.data.id, max(2, k), c.request.seed), c.data, label="k-means on the words", key="plain_groups"
    )
    if plain is not None:
        what = "groups by leading topic" if how == "dominant" else "k-means on topic shares"
        claim(clusters_claim(ours, agreement(plain, values), what, label))
