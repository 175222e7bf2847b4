"""Section Summaries: sentences that say most of a document, a topic or a group of documents."""

from __future__ import annotations

import numpy as np
import streamlit as st

from nmf_core.figures.palette import COMPONENT_COLORS
from nmf_core.figures.text_coloured import sentences_html
from nmf_core.figures.text_summary import SummaryScores
from nmf_core.lenses.text.claims import summary_claim
from nmf_core.lenses.text.clusters import known
from nmf_core.lenses.text.documents import typical
from nmf_core.lenses.text.summary import Summarize, Summary, SummaryRace
from nmf_core.types import Array
from pages.text_sections.context import Context, claim
from pages.ui import jobs
from pages.ui.state import number, pick, slide
from pages.ui.widgets import md, picture

WHAT = {"document": "One document", "topic": "A topic", "label": "A label"}
TYPICAL = 25  # documents behind the summary of a topic
OF_LABEL = 400  # documents behind the summary of a label


def show(c: Context) -> None:
    """Draw the section."""
    st.markdown(
        "A summary here invents nothing: it picks sentences whose words carry most of the whole, as the topics "
        "of an NMF "
        "on sentences see it. Look at where the marked sentences stand: the first ones are rarely the best."
    )
    if c.matrix.documents is None:
        st.info("These data hold word counts but no running text, so there are no sentences.", icon=":material/info:")
        return
    left, middle, right = st.columns(3)
    with left:
        what = pick("Summary of", list(WHAT), "summary_of", names=WHAT)
    with middle:
        which = _which(c, what)
    with right:
        n = slide("Sentences", 1, 12, "summary_length", 3)
    redundancy = slide(
        "Avoid repetition",
        0.0,
        1.0,
        "redundancy",
        0.3,
        step=0.05,
        help="Price of a sentence that repeats one already taken (maximal marginal relevance); 0 ignores repetition.",
    )
    if not which:
        st.info("No document to summarise here.", icon=":material/info:")
        return
    work = Summarize(c.data.id, c.corpus, which, c.matrix.rules, int(n), float(redundancy))
    found = jobs.run(work, c.data, label="Choosing sentences", key="summarize")
    if found is not None:
        _draw(c, found, what)
    st.divider()
    st.markdown("**Does it work on these documents?**")
    race = jobs.run(
        SummaryRace(c.data.id, c.corpus, c.matrix.rules, int(n), float(redundancy)),
        c.data,
        label="Summarising many documents four ways",
        key="summary_race",
        growing=True,
    )
    if race is not None:
        claim(summary_claim(race, int(n)))


def _which(c: Context, what: str) -> tuple[int, ...]:
    documents = c.matrix.documents
    assert documents is not None
    if what == "document":
        default = _longest(documents)
        n = len(documents)
        d = number(f"Document, 1 to {n:,}", 1, n, "summary_document", default + 1) - 1
        st.caption(md(c.data.rows[d], 120))
        return (d,)
    if what == "topic":
        topic = pick("Topic", list(range(c.topics.rank)), "topic", c.clearest, names=c.title)
        st.caption(f"The {TYPICAL} most typical documents.")
        return tuple(typical(c.topics, topic, TYPICAL).tolist())
    names = [name for name, values in c.data.labels.items() if _frequent(values)]
    if not names:
        st.caption("No label column gathers two documents or more.")
        return ()
    name = pick("Label", names, "summary_label")
    value = pick("Value", _frequent(c.data.labels[name]), "summary_value")
    return tuple(np.flatnonzero(np.asarray(c.data.labels[name]).astype(str) == value)[:OF_LABEL].tolist())


def _longest(documents: Array) -> int:
    """Return a document that is long, but short enough to read beside its summary."""
    length = np.array([len(str(text)) for text in documents])
    readable = np.where(length <= 6000, length, 0)
    return int(readable.argmax())


def _frequent(values: Array) -> list[str]:
    text = np.asarray(values).astype(str)
    names, counts = np.unique(text[known(text)], return_counts=True)
    order = [i for i in np.argsort(-counts, kind="stable") if counts[i] >= 2][:100]
    return [str(names[i]) for i in order]


def _draw(c: Context, found: Summary, what: str) -> None:
    pool = found.pool
    total = int(pool.length.sum())
    st.caption(
        f"{len(found.chosen)} of {len(pool.sentences):,} sentences, {found.n_words:,} of {total:,} words; NMF with "
        f"{found.rank} topics on the sentences"
        + (f"; {pool.left_out:,} more sentences were left out for time." if pool.left_out else ".")
    )
    ours, lead = st.columns(2)
    with ours, st.container(border=True):
        st.markdown("**Chosen by NMF**")
        _list(c, found, sorted(found.chosen), what)
    with lead, st.container(border=True):
        st.markdown("**The first sentences, about as many words**")
        _list(c, found, list(found.lead), what)
    picture(SummaryScores(found), key="summary_scores")
    documents = c.matrix.documents
    assert documents is not None
    if what == "document":
        d = pool.sentences[0].document
        spans = [(pool.sentences[i].start, pool.sentences[i].end) for i in found.chosen]
        st.markdown("**In their place**")
        whole = len(str(documents[d])) <= 8000
        with st.container(border=True, height="content" if whole else 460):
            st.html(sentences_html(str(documents[d]), spans, COMPONENT_COLORS[0]))
        return
    st.markdown("**In their place**")
    for i in found.chosen[:6]:
        s = pool.sentences[i]
        with st.expander(md(c.data.rows[s.document], 100)):
            text = str(documents[s.document])
            start, end = max(0, s.start - 700), min(len(text), s.end + 700)
            st.html(sentences_html(text[start:end], [(s.start - start, s.end - start)], COMPONENT_COLORS[0]))


def _list(c: Context, found: Summary, which: list[int], what: str) -> None:
    for i in which[:14]:
        s = found.pool.sentences[i]
        source = f"  \n*{md(c.data.rows[s.document], 80)}*" if what != "document" else ""
        st.markdown(f"{md(s.text, 900)}{source}")
    if len(which) > 14:
        st.caption(f"… and {len(which) - 14} more.")
