"""Section Documents: find one, see its topics, and its words coloured in the running text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from nmf_core.figures.text_coloured import coloured_html, legend_html
from nmf_core.figures.text_documents import TopicShares
from nmf_core.lenses.text.claims import completion_claim
from nmf_core.lenses.text.completion import CompletionTest
from nmf_core.lenses.text.documents import mixed, mixture, nearest, search, typical
from nmf_core.lenses.text.running_text import colour_words, posterior
from nmf_core.types import Array
from pages.text_sections.context import Context, claim
from pages.ui import jobs
from pages.ui.state import number, pick, remember, seed, switch
from pages.ui.widgets import md, picture

WAYS = {
    "typical": "Most typical of a topic",
    "mixed": "Most mixed of a topic",
    "search": "Search",
    "number": "By number",
}
LISTED = 25


def show(c: Context) -> None:
    """Draw the section."""
    st.markdown(
        "A document is a mixture of topics, and its words show where each of them speaks. Look for passages "
        "that change "
        "colour: that is where the document moves from one topic to another."
    )
    document = _choose(c)
    if document is None:
        return
    st.divider()
    _one(c, document)


def _choose(c: Context) -> int | None:
    left, right = st.columns([1, 2])
    with left:
        way = pick("Find documents", list(WAYS), "find", "mixed", names=WAYS)
    if way == "number":
        n = c.data.shape[0]
        with right:
            return int(number(f"Document, 1 to {n:,}", 1, n, "document", 1)) - 1
    if way == "search":
        seed("search", "", str)
        query = right.text_input(
            "Words", key="search", max_chars=200, placeholder="hospital waiting", persist_state="session"
        )
        remember("search", query, "")
        if not query or not query.strip():
            st.caption("All words must occur in the text, the name or the labels of a document, in any case.")
            return None
        hits = search(c.matrix, query, LISTED)
        if not hits.documents:
            st.info(f"No document holds “{md(query)}” or any of its words.", icon=":material/search_off:")
            return None
        if hits.literal:
            st.caption(f"{hits.total:,} documents hold all these words; the best are listed.")
        else:
            st.caption("No document holds all these words; these are the nearest by words in common.")
        return _pick(c, np.array(hits.documents), "similarity", np.array(hits.scores), "search")
    with right:
        topic = pick("Topic", list(range(c.topics.rank)), "topic", c.clearest, names=c.title)
    if way == "typical":
        counted = np.asarray(c.matrix.counts.sum(axis=1)).ravel()
        found = typical(c.topics, topic, LISTED, counted)
        return _pick(c, found, "share of the topic", c.topics.shares[found, topic], f"typical{topic}")
    found = mixed(c.topics, topic, LISTED)
    return _pick(c, found, "mixture", mixture(c.topics.shares[found]), f"mixed{topic}")


def _pick(c: Context, found: Array, measure: str, values: Array, key: str) -> int | None:
    """Draw a list of documents; return the one picked, the first until then."""
    if not len(found):
        st.info("No document belongs here: none is led by this topic.", icon=":material/info:")
        return None
    lead = c.topics.shares[found].argmax(axis=1)
    table: dict[str, Any] = {
        "document": c.data.rows[found],
        measure: values,
        "leading topic": [c.title(int(t)) for t in lead],
    }
    if c.matrix.documents is not None:
        table["begins"] = [" ".join(str(c.matrix.documents[d])[:160].split()) for d in found]
    for name, column in list(c.data.labels.items())[:3]:
        if name not in table:
            table[name] = np.asarray(column).astype(str)[found]
    event = st.dataframe(
        pd.DataFrame(table),
        hide_index=True,
        height=min(38 + 35 * len(found), 250),
        key=f"list_{key}_{c.names_key}",
        on_select="rerun",
        selection_mode="single-row",
        column_config={measure: st.column_config.ProgressColumn(measure, min_value=0, max_value=1, format="percent")},
    )
    rows = event["selection"]["rows"]
    st.caption("Click the first column to read another document.")
    return int(found[rows[0] if rows and rows[0] < len(found) else 0])


def _one(c: Context, d: int) -> None:
    shares = c.topics.shares[d]
    st.subheader(md(c.data.rows[d], 160), anchor=False)
    told = [f"{md(name)}: {md(values[d], 100)}" for name, values in c.data.labels.items() if str(values[d]).strip()]
    st.caption(" · ".join([f"document {d + 1:,}", *told[:6]]))
    if shares.sum() <= 0:
        st.info("None of this document's words are in the matrix, so it belongs to no topic.", icon=":material/info:")
    else:
        picture(TopicShares(c.topics.names, c.colors, shares[None, :], (str(c.data.rows[d]),)), key="document_topics")
    if c.matrix.documents is None:
        _bag(c, d)
    else:
        _running(c, str(c.matrix.documents[d]), shares)
    found, score = nearest(c.data.X, c.topics, c.data.X[[d]], shares, 5, by="words", skip=d)
    if len(found):
        st.markdown("**Nearest documents by words**")
        st.dataframe(
            pd.DataFrame({"document": c.data.rows[found], "similarity": score, "number": found + 1}),
            hide_index=True,
            column_config={
                "similarity": st.column_config.ProgressColumn("similarity", min_value=0, max_value=1, format="percent")
            },
        )
    test = jobs.run(CompletionTest(replace(c.result, state=None)), c.data, label="Hiding words", key="completion")
    if test is not None:
        claim(completion_claim(test))


def _running(c: Context, text: str, shares: Array) -> None:
    held = [int(t) for t in np.argsort(-shares, kind="stable") if shares[t] >= 0.01][:10]
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    only = left.multiselect(
        "Topics coloured", held, default=held, format_func=c.title, key=f"coloured_{c.names_key}_{hash(text)}"
    )
    with right:
        numbers = switch("Numbers", "topic_numbers", help="Write the topic's number behind each word.")
    st.html(legend_html(only, c.topics.names, c.colors, [float(shares[t]) for t in only]))
    pieces = colour_words(text, c.topics, shares, c.matrix.rules)
    with st.container(border=True, height=460 if len(text) > 3500 else "content"):
        st.html(coloured_html(pieces, c.topics.names, c.colors, numbers=numbers, only=only))
    st.caption(
        "A word has the colour of the topic it most likely came from, given this document; words with no clear "
        "topic are "
        "underlined only. Words without colour are stop words or were left out."
    )


def _bag(c: Context, d: int) -> None:
    st.caption(
        "These data hold no running text; these are the document's words with the topic each most likely came from."
    )
    row = c.data.X[[d]]
    order = row.indices[np.argsort(-row.data, kind="stable")][:60]
    likely = posterior(c.topics, c.topics.shares[d], order)
    known = likely.sum(axis=1) > 0
    st.dataframe(
        pd.DataFrame(
            {
                "word": c.data.cols[order],
                "occurrences": np.asarray(c.matrix.counts[[d]].todense()).ravel()[order],
                "topic": [c.title(int(t)) if k else "–" for t, k in zip(likely.argmax(axis=1), known, strict=True)],
                "certainty": likely.max(axis=1),
            }
        ),
        hide_index=True,
        height=320,
        column_config={
            "certainty": st.column_config.ProgressColumn("certainty", min_value=0, max_value=1, format="percent")
        },
    )
