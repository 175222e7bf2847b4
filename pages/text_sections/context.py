"""What all sections of the page Text share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from nmf_core import Dataset, FitRequest
from nmf_core.figures.palette import component_colors
from nmf_core.lenses.text.claims import Claim
from nmf_core.lenses.text.coherence import npmi
from nmf_core.lenses.text.topic_map import jensen_shannon
from nmf_core.lenses.text.topics import Topics
from nmf_core.lenses.text.vectorize import TextMatrix
from nmf_core.types import Array, FitResult
from pages.ui.widgets import md

N_COHERENCE = 10  # top words in the coherence
AUTOMATIC = 3_000  # documents up to which slower comparisons start by themselves


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """The corpus, its topics, and how they were asked for.

    Attributes
    ----------
    raw : Dataset
        As picked, with its documents.
    corpus : str
        Digest of the documents.
    matrix : TextMatrix
    request : FitRequest
    result : FitResult
    topics : Topics
        With the visitor's names.
    colors : tuple of str
    npmi : ndarray of shape (n_topics,)
    distances : ndarray of shape (n_topics, n_topics)
    """

    raw: Dataset
    corpus: str
    matrix: TextMatrix
    request: FitRequest
    result: FitResult
    topics: Topics
    colors: tuple[str, ...]
    npmi: Array
    distances: Array

    @property
    def data(self) -> Dataset:
        """The matrix as a data set."""
        return self.matrix.dataset

    def title(self, topic: int) -> str:
        """Return number and name of a topic, not escaped: for select boxes, which show text literally."""
        return f"{topic + 1} {self.topics.names[topic]}"

    @property
    def clearest(self) -> int:
        """The most coherent topic: a good one to begin with."""
        return int(np.nan_to_num(self.npmi, nan=-1.0).argmax())

    @property
    def names_key(self) -> str:
        """Where the session keeps the visitor's names of these topics."""
        return f"_topic_names_{self.data.id}_{self.request.key}"


def gather(raw: Dataset, corpus: str, matrix: TextMatrix, request: FitRequest, result: FitResult) -> Context:
    """Build the context; what takes time is cached by the keys of data and request."""
    topics, coherence, distances = _measured(
        f"{corpus} {matrix.dataset.id} {request.key} {result.n_iter} {result.stop}", matrix, result
    )
    context = Context(raw, corpus, matrix, request, result, topics, component_colors(topics.rank), coherence, distances)
    names = st.session_state.get(context.names_key, {})
    if names:
        context = Context(
            raw, corpus, matrix, request, result, topics.renamed(names), context.colors, coherence, distances
        )
    return context


@st.cache_resource(max_entries=16, show_spinner=False)
def _measured(key: str, _matrix: TextMatrix, _result: FitResult) -> tuple[Topics, Array, Array]:
    topics = Topics.of(_result.W, _result.H, _matrix.dataset.X, _matrix.dataset.cols)
    return topics, npmi(_matrix.counts, topics.top(N_COHERENCE)), jensen_shannon(topics.words)


def claim(*found: Claim) -> None:
    """Draw measured claims: what held, what did not."""
    icons = {True: ":material/check_circle:", False: ":material/cancel:", None: ":material/balance:"}
    st.markdown("**Measured here**")
    with st.container(border=True):
        for one in found:
            st.markdown(f"{icons[one.holds]} {md(one.text, 1500)}")
