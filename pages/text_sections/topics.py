"""Section Topics: words, names, map, and what LDA says."""

from __future__ import annotations

import numpy as np
import streamlit as st

from nmf_core.figures.text_coloured import legend_html
from nmf_core.figures.text_opinion import TwoOpinions
from nmf_core.figures.text_topics import PANELS, RelevantWords, TopicMap, TopicWords
from nmf_core.lenses.text.claims import topics_claim
from nmf_core.lenses.text.coherence import npmi
from nmf_core.lenses.text.second_opinion import WHOLE, SecondOpinion, match_topics
from nmf_core.lenses.text.topic_map import near_duplicates, spread_map
from nmf_core.lenses.text.topics import suggest_names
from nmf_core.wording import count, percent
from pages.text_sections.context import AUTOMATIC, N_COHERENCE, Context, claim
from pages.ui import jobs
from pages.ui.state import number, pick, slide, switch
from pages.ui.widgets import cards, md, picture


def show(c: Context) -> None:
    """Draw the section."""
    st.markdown(
        "Each panel is a topic that the documents share; read its first words aloud and you can usually say what it is "
        "about. Look for the solid part of the bars: words that are the topic's own, while the pale part is "
        "shared with "
        "other topics."
    )
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with left:
        weight = slide(
            "Order of the words: λ",
            0.0,
            1.0,
            "lambda",
            1.0,
            step=0.05,
            help="1 puts the heaviest words first, 0 the most exclusive ones; about 0.6 reads best (Sievert & "
            "Shirley 2014).",
        )
    with right:
        n = number("Words per topic", 3, 20, "n_words", 8)
    first = 0
    if c.topics.rank > PANELS:
        pages = -(-c.topics.rank // PANELS)
        page = pick(
            "Topics shown",
            list(range(pages)),
            "topics_page",
            names=lambda p: f"{p * PANELS + 1}–{min(c.topics.rank, (p + 1) * PANELS)}",
            segmented=True,
        )
        first = page * PANELS
    picture(TopicWords(c.topics, c.colors, c.npmi, n, weight, first), key="topic_words")
    _duplicates(c)
    _measures(c)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("One topic in depth", anchor=False)
        topic = pick("Topic", list(range(c.topics.rank)), "topic", c.clearest, names=c.title)
        _name(c, topic)
        picture(RelevantWords(c.topics, topic, c.colors[topic], weight), key="relevant_words")
    with right:
        st.subheader("Map of the topics", anchor=False)
        flat = spread_map(c.distances)
        st.caption(
            "Circles that lie near use the same words; the area is the size. Jensen–Shannon distances of the "
            "words, drawn "
            f"flat by metric scaling: stress {flat.stress:.2f} (0 is faithful, above 0.2 look at the table instead)."
        )
        picture(TopicMap(c.topics, c.colors, flat.xy, flat.stress, c.distances), key="topic_map")
    _second_opinion(c)


def facts(c: Context) -> None:
    """Draw the numbers above the sections."""
    n, m = c.data.shape
    mean = float(np.nanmean(c.npmi)) if not np.isnan(c.npmi).all() else float("nan")
    own = float((c.topics.words * c.topics.exclusivity).sum(axis=1).mean())
    cards(
        [
            ("Documents", f"{n:,}", f"{len(c.matrix.empty):,} of them hold none of the words and belong to no topic."),
            ("Words", f"{m:,}", "Different words in the matrix, after all rules. The section Words shows what went."),
            (
                "Coherence",
                "–" if mean != mean else f"{mean:.3f}",
                f"Mean NPMI of the first {N_COHERENCE} words of each topic, counted on these same documents: 0 "
                f"is chance, "
                "1 always together.",
            ),
            ("Exclusivity", f"{own:.2f}", "Part of a topic's weight that no other topic claims, mean over topics."),
        ]
    )
    empty = int((c.topics.size <= 0).sum())
    if empty:
        st.warning(
            f"{empty} of {c.topics.rank} topics hold nothing: ask for fewer topics, or for less sparse ones.",
            icon=":material/warning:",
        )
    shown = range(min(c.topics.rank, 30))
    st.html(legend_html(shown, c.topics.names, c.colors, [float(c.topics.size[t]) for t in shown]))


def _duplicates(c: Context) -> None:
    found = near_duplicates(c.topics.words, c.topics.top(N_COHERENCE))
    for pair in found[:3]:
        shared = ", ".join(md(c.topics.vocabulary[j], 40) for j in pair.shared[:6]) or "many small weights"
        st.warning(
            f"Topics {md(c.title(pair.first))} and {md(c.title(pair.second))} say nearly the same (distance "
            f"{pair.distance:.2f} of 1; in common: {shared}). Fewer topics may do.",
            icon=":material/content_copy:",
        )
    if len(found) > 3:
        st.caption(f"… and {len(found) - 3} more pairs that are nearly the same.")


def _name(c: Context, topic: int) -> None:
    """Let the visitor name a topic; an empty field takes the suggestion back."""
    index = int(c.topics.index[topic])
    key = f"topic_name_{c.names_key}_{index}"

    def keep() -> None:
        names = {i: name for i, name in st.session_state.get(c.names_key, {}).items() if i != index}
        suggested = suggest_names(c.topics)[topic]
        wanted = st.session_state[key].strip() or suggested
        st.session_state[key] = wanted
        if wanted != suggested:
            names[index] = wanted
        st.session_state[c.names_key] = names

    st.text_input(
        "Its name",
        c.topics.names[topic],
        key=key,
        max_chars=80,
        on_change=keep,
        help="Suggested from the words with most weight × exclusivity. Write your own: it is used "
        "everywhere on this page "
        "as long as data and settings stay. Empty: the suggestion again.",
    )


def _measures(c: Context) -> None:
    with st.expander("Sizes and measures of all topics", icon=":material/table_rows:"):
        own = (c.topics.words * c.topics.exclusivity).sum(axis=1)
        st.dataframe(
            {
                "topic": np.arange(1, c.topics.rank + 1),
                "name": list(c.topics.names),
                "size": c.topics.size,
                "coherence": c.npmi,
                "exclusivity": own,
                "first words": [", ".join(c.topics.vocabulary[row]) for row in c.topics.top(8)],
            },
            hide_index=True,
            height=min(38 + 35 * c.topics.rank, 460),
            column_config={
                "size": st.column_config.NumberColumn("size", format="percent"),
                "coherence": st.column_config.NumberColumn("coherence", format="%.3f"),
                "exclusivity": st.column_config.NumberColumn("exclusivity", format="%.2f"),
            },
        )


def _second_opinion(c: Context) -> None:
    st.subheader("A second opinion: LDA", anchor=False)
    st.markdown(
        "Latent Dirichlet allocation is the usual alternative: a probability model of the counts. Each NMF "
        "topic stands "
        "beside the LDA topic nearest to it, at the same rank and on the same words."
    )
    if c.data.shape[0] > AUTOMATIC and not switch("Run LDA on these documents (may take minutes)", "run_lda"):
        return
    if c.topics.rank < 2:
        st.info("Two topics or more are needed to compare.")
        return
    work = SecondOpinion(c.data.id, c.request, c.corpus)
    opinion = jobs.run(work, c.data, label="LDA and NMF from several starts", key="lda", growing=True)
    if opinion is None or opinion.topics is None:
        return
    lda = opinion.topics
    lda_npmi = npmi(c.matrix.counts, lda.top(N_COHERENCE))
    match = match_topics(c.topics, lda)
    picture(TwoOpinions(c.topics, lda, c.colors, c.npmi, lda_npmi, match), key="two_opinions")
    how = (
        "batch variational Bayes, every pass over all documents"
        if c.data.shape[0] <= WHOLE
        else "online variational Bayes (Hoffman, Blei & Bach 2010), documents in slices"
    )
    st.caption(
        f"LDA by scikit-learn: {how}; {count(opinion.passes, 'update')}, the first of {work.n_seeds} seeds is shown."
    )
    with st.expander("LDA's topics in words", icon=":material/list:"):
        for t in range(lda.rank):
            words = ", ".join(md(w, 40) for w in lda.vocabulary[lda.top(10)[t]])
            st.markdown(f"{t + 1}\\. {words} — {percent(lda.size[t], 2)}, NPMI {lda_npmi[t]:.2f}")
    if len(opinion.lda):
        claim(topics_claim(opinion, N_COHERENCE))
