"""Page Text: the topics of documents, and what they are good for."""

from __future__ import annotations

import streamlit as st

from nmf_core.fit import FitWork
from nmf_core.lenses.text.vectorize import Vectorize
from pages.text_sections import context, documents, groups, new_text, prepare, summaries, topics, trends, words
from pages.ui import data, fitting, jobs
from pages.ui.state import pick
from pages.ui.widgets import story

SECTIONS = {
    "Topics": topics.show,
    "Documents": documents.show,
    "Groups": groups.show,
    "Time and labels": trends.show,
    "Summaries": summaries.show,
    "New text": new_text.show,
    "Words": words.show,
}

raw = data.chosen({"text"}, key="text_data", default="text_commons")
story(
    "Text",
    "A document is a mixture of topics, and a topic is a mixture of words: W·H says both at once. Look for words that "
    "belong together although nobody said so, and for documents that hold two topics in one.",
)
corpus = prepare.corpus_of(raw)
rules, rank = prepare.controls(raw, corpus)
matrix = jobs.run(Vectorize(raw.id, corpus, rules), raw, label=f"Reading {raw.name}", key="read_words")
if matrix is not None:
    request = prepare.request(matrix.dataset, rank, rules)
    if request.rank < rank:
        st.caption(f"These data allow at most {request.rank} topics: there are no more documents or words than that.")
    result = jobs.run(FitWork(request), matrix.dataset, label=f"Finding {request.rank} topics", key="text_fit")
    if result is not None:
        c = context.gather(raw, corpus, matrix, request, result)
        topics.facts(c)
        section = pick("Section", list(SECTIONS), "section", segmented=True, label_visibility="collapsed")
        SECTIONS[section](c)
        fitting.outcome(matrix.dataset, result)
