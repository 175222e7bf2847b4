"""Section New text: the topics of a paragraph that was not there before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from nmf_core.figures.text_coloured import coloured_html
from nmf_core.figures.text_documents import TopicShares
from nmf_core.lenses.text.claims import FoldInTest, fold_in_claim
from nmf_core.lenses.text.documents import nearest
from nmf_core.lenses.text.fold_in import fold_in, relative_errors
from nmf_core.lenses.text.running_text import colour_words
from nmf_core.wording import percent
from pages.text_sections.context import Context, claim
from pages.text_sections.groups import suitable_labels
from pages.ui import jobs
from pages.ui.state import pick
from pages.ui.widgets import cards, picture

BY = {"words": "Words they share", "topics": "Topics they share"}


def show(c: Context) -> None:
    """Draw the section."""
    st.markdown(
        "Paste a paragraph: the topics stay as they are, and only the paragraph's own mixture is sought "
        "(fold-in). Look "
        "at where its words change colour, and whether the nearest documents are about the same."
    )
    text = st.text_area("Text", _example(c), key=f"new_text_{c.corpus}", height=160, max_chars=50_000)
    if not text or not text.strip():
        st.info("Write or paste some text above.", icon=":material/edit_note:")
        return
    folded = fold_in(c.matrix, c.result, c.topics, text)
    usual = float(np.median(relative_errors(c.data.X, c.result.W, c.result.H)))
    cards(
        [
            ("Known words", f"{folded.known:,}", "Words of the text that are in the matrix, repeats counted."),
            ("Unknown words", f"{folded.unknown:,}", "Words that are not, without stop words."),
            (
                "Relative error",
                "–" if folded.error != folded.error else percent(folded.error),
                "‖x − wH‖ / ‖x‖ on the words of the matrix. Topics are broad, so it is high for any single document.",
            ),
            (
                "Usual here",
                percent(usual),
                "Median relative error of the documents of this corpus; a text far above it is about something else.",
            ),
        ]
    )
    if folded.shares.sum() <= 0:
        why = "holds none of the words of these documents" if not folded.known else "has no topic of these documents"
        st.warning(f"The text {why}, so it has no mixture and no neighbours.", icon=":material/search_off:")
        return
    picture(TopicShares(c.topics.names, c.colors, folded.shares[None, :], ("new text",)), key="new_topics")
    with st.container(border=True):
        pieces = colour_words(text, c.topics, folded.shares, c.matrix.rules)
        st.html(coloured_html(pieces, c.topics.names, c.colors))
    by = pick("Nearest documents by", list(BY), "nearest_by", names=BY, segmented=True)
    found, score = nearest(c.data.X, c.topics, folded.vector, folded.shares, 8, by=by)
    if len(found):
        table = {
            "document": c.data.rows[found],
            "similarity": score,
            "leading topic": [c.title(int(t)) for t in c.topics.shares[found].argmax(axis=1)],
            "number": found + 1,
        }
        if c.matrix.documents is not None:
            table["begins"] = [" ".join(str(c.matrix.documents[d])[:160].split()) for d in found]
        st.dataframe(
            pd.DataFrame(table),
            hide_index=True,
            column_config={
                "similarity": st.column_config.ProgressColumn("similarity", min_value=0, max_value=1, format="percent")
            },
        )
        st.caption(
            "Similarity: cosine of the weighted words."
            if by == "words"
            else "Similarity: 1 − Hellinger distance of topics."
        )
    labels = suitable_labels(c)
    label = labels[0] if labels else ""
    test = FoldInTest(replace(c.result, state=None), label, c.corpus)
    check = jobs.run(test, c.data, label="Folding in documents whose topics are known", key="fold_in_test")
    if check is not None:
        claim(fold_in_claim(check, label or None))


def _example(c: Context) -> str:
    """Return a text to begin with: a sentence of our own for the built-in speeches, else the words of two topics."""
    words = set(c.data.cols.tolist())
    ours = (
        "The waiting list at our local hospital is longer than ever. Nurses and doctors do all they can for their "
        "patients, but the ambulance service has lost a third of its budget, and the police are now called to help."
    )
    if {"hospital", "patients", "police", "authorities"} <= words and c.matrix.documents is not None:
        return ours
    first = c.topics.vocabulary[c.topics.top(8)]
    return " ".join(np.concatenate(list(first[:2])).tolist())
