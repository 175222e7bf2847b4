"""Section Words: what each rule drops, what is left, and whether the weighting pays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from nmf_core.figures.text_coloured import coloured_html
from nmf_core.fit import FitWork
from nmf_core.lenses.text.claims import weighting_claim
from nmf_core.lenses.text.coherence import npmi
from nmf_core.lenses.text.running_text import kept_words
from nmf_core.lenses.text.topics import Topics
from nmf_core.lenses.text.vectorize import Vectorize
from pages.text_sections.context import AUTOMATIC, N_COHERENCE, Context, claim
from pages.text_sections.prepare import WEIGHTS
from pages.ui import jobs
from pages.ui.state import number, switch
from pages.ui.widgets import md


def show(c: Context) -> None:
    """Draw the section."""
    st.markdown(
        "Every rule under *Words that go in* (at the left) takes words away before any topic is sought. Look at the "
        "examples: a word that you would have kept means a rule is too strict, one you find useless among the most "
        "frequent left belongs on your own list."
    )
    kept = float(c.matrix.counts.sum())
    total = kept + sum(d.tokens for d in c.matrix.dropped)
    whole = all(float(d.tokens).is_integer() for d in c.matrix.dropped) and kept.is_integer()
    rows = [
        {
            "rule": d.rule,
            "different words": d.words,
            "occurrences": d.tokens,
            "share": d.tokens / total if total else 0.0,
            "most frequent of them": ", ".join(f"{word} ({n:,})" for word, n in d.examples),
        }
        for d in c.matrix.dropped
    ]
    most = np.argsort(-np.asarray(c.matrix.counts.sum(axis=0)).ravel(), kind="stable")[:15]
    sums = np.asarray(c.matrix.counts.sum(axis=0)).ravel()
    rows.append(
        {
            "rule": "kept",
            "different words": c.data.shape[1],
            "occurrences": int(kept),
            "share": kept / total if total else 0.0,
            "most frequent of them": ", ".join(f"{c.data.cols[j]} ({int(sums[j]):,})" for j in most),
        }
    )
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        height=38 + 35 * len(rows),
        column_config={
            "share": st.column_config.ProgressColumn("share", min_value=0, max_value=1, format="percent"),
            "most frequent of them": st.column_config.TextColumn("most frequent of them", width="large"),
        },
    )
    if c.matrix.rules.ngrams > 1:
        st.caption(
            "Runs of words count as terms of their own, so occurrences add up to more than the words of the text."
        )
    if not whole:
        st.caption("The columns hold weights, not counts; occurrences are their sums.")
    if c.matrix.empty:
        first = ", ".join(md(c.data.rows[d], 40) for d in c.matrix.empty[:5])
        st.warning(
            f"{len(c.matrix.empty):,} documents hold none of the words that are left and belong to no topic: {first}"
            + (" …" if len(c.matrix.empty) > 5 else "."),
            icon=":material/warning:",
        )
    if c.matrix.documents is not None:
        st.markdown("**What is left of one document**")
        d = number("Document", 1, c.data.shape[0], "words_document", 1) - 1
        text = str(c.matrix.documents[d])
        with st.container(border=True, height=280 if len(text) > 1500 else "content"):
            st.html(coloured_html(kept_words(text, c.data.cols, c.matrix.rules), ("kept",), (c.colors[0],)))
    _weighting(c)


def _weighting(c: Context) -> None:
    """Fit the same corpus under the other weighting, and compare coherence."""
    if c.topics.rank < 2 or not whole_counts(c):
        return
    st.markdown("**Would the other weighting do better?**")
    if c.data.shape[0] > AUTOMATIC and not switch("Fit it to see (may take minutes)", "other_weighting"):
        return
    other = "counts" if c.matrix.rules.weighting == "tfidf" else "tfidf"
    rules = replace(c.matrix.rules, weighting=other)
    matrix = jobs.run(Vectorize(c.raw.id, c.corpus, rules), c.raw, label="Weighing the words", key="other_words")
    if matrix is None:
        return
    loss = "frobenius" if other == "tfidf" else "kullback-leibler"
    request = c.request.with_(dataset_id=matrix.dataset.id, loss=loss)
    result = jobs.run(FitWork(request), matrix.dataset, label=f"Topics from {WEIGHTS[other]}", key="other_fit")
    if result is None:
        return
    topics = Topics.of(result.W, result.H, matrix.dataset.X, matrix.dataset.cols)
    theirs = npmi(matrix.counts, topics.top(N_COHERENCE))
    claim(
        weighting_claim(
            float(np.nanmean(c.npmi)), float(np.nanmean(theirs)), WEIGHTS[c.matrix.rules.weighting], WEIGHTS[other]
        )
    )


def whole_counts(c: Context) -> bool:
    """Tell whether the matrix comes from counts (weights alone cannot be weighed anew)."""
    return bool(np.all(c.matrix.counts.data == np.round(c.matrix.counts.data)))
