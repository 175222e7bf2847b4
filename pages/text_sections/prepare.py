"""The controls: which words go in, how they are weighed, how many topics."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from nmf_core import Dataset, FitRequest
from nmf_core.lenses.text.stopwords import TITLES, parse_words, suggest_lists
from nmf_core.lenses.text.vectorize import corpus_digest
from nmf_core.lenses.text.words import MAX_WORDS, WordRules
from pages.text_sections.context import SHARED
from pages.ui.data import info_of

_FOLLOW = ("stop_lists", "min_df", "max_df", "topics")  # defaults that depend on the corpus
_TOKENS = {
    "letters": "Letters only",
    "hyphens": "Letters, inner hyphens and apostrophes kept",
    "digits": "Letters and digits",
}
WEIGHTS = {"tfidf": "TF-IDF", "counts": "Counts (KL)"}


def corpus_of(dataset: Dataset) -> str:
    """Return a digest of the texts of a data set; its id covers the words alone."""
    kept = st.session_state.get("_text_corpus")
    if kept is None or kept[0] is not dataset.extra:
        documents = dataset.extra.get("documents")
        kept = (dataset.extra, dataset.id if documents is None else corpus_digest(documents))
        st.session_state["_text_corpus"] = kept
    return str(kept[1])


def controls(dataset: Dataset, corpus: str) -> tuple[WordRules, int]:
    """Draw the controls in the sidebar; return the word rules and the wished number of topics."""
    seen = st.session_state.get("_text_seen")
    if seen is not None and seen != corpus:
        for key in _FOLLOW:
            st.session_state.pop(key, None)
    st.session_state["_text_seen"] = corpus
    n = dataset.shape[0]
    has_text = dataset.extra.get("documents") is not None
    with st.sidebar:
        rank = st.slider(
            "Topics (rank)",
            1,
            max(2, min(60, n)),
            min(_usual_rank(dataset), max(2, n)),
            key="topics",
            help="How many topics to look for. Fewer are broader; with too many, topics repeat each other.",
            **SHARED,
        )
        weighting = st.segmented_control(
            "Weights",
            list(WEIGHTS),
            default="tfidf",
            required=True,
            format_func=WEIGHTS.get,
            key="weighting",
            help="TF-IDF lifts words that few documents use, with the Frobenius loss. Counts go with the "
            "Kullback-Leibler "
            "loss, under which NMF is probabilistic latent semantic analysis.",
            **SHARED,
        )
        with st.expander("Words that go in", icon=":material/filter_alt:"):
            rules = _words(dataset, corpus, n, has_text, str(weighting))
    return rules, int(rank)


def request(dataset: Dataset, rank: int, rules: WordRules) -> FitRequest:
    """Draw what decides the fit, and return the request."""
    with st.sidebar, st.expander("Model", icon=":material/tune:"):
        init = st.selectbox(
            "Start",
            ["nndsvda", "nndsvd", "random"],
            format_func={
                "nndsvda": "NNDSVDa: from the SVD, repeatable",
                "nndsvd": "NNDSVD: from the SVD, zeros kept",
                "random": "Random",
            }.get,
            key="text_init",
            **SHARED,
        )
        seed = st.number_input("Seed", 0, 2**31 - 1, 0, key="text_seed", help="Matters for random starts.", **SHARED)
        restarts = st.number_input(
            "Restarts (best of)", 1, 50, 1, key="text_restarts", help="For random starts: the best is kept.", **SHARED
        )
        sparse = st.number_input(
            "Sparser topics (alpha_H, L1)",
            0.0,
            10.0,
            0.0,
            0.001,
            format="%.4f",
            key="text_alpha",
            help="Sets small weights of words to zero; scaled as in scikit-learn.",
            **SHARED,
        )
    return FitRequest(
        dataset_id=dataset.id,
        rank=max(1, min(rank, dataset.max_rank)),
        loss="frobenius" if rules.weighting == "tfidf" else "kullback-leibler",
        init=str(init),
        seed=int(seed),
        n_restarts=int(restarts),
        alpha_W=0.0,
        alpha_H=float(sparse),
        l1_ratio=1.0 if sparse else 0.0,
        tol=1e-5,
        max_iter=500,
    )


def _usual_rank(dataset: Dataset) -> int:
    info = info_of(dataset)
    return info.rank if info else int(np.clip(dataset.shape[0] // 15, 2, 10))


@st.cache_data(max_entries=64, show_spinner=False)
def _suggested(corpus: str, _documents: Any) -> tuple[str, ...]:
    return suggest_lists(_documents)


def _words(dataset: Dataset, corpus: str, n: int, has_text: bool, weighting: str) -> WordRules:
    found = _suggested(corpus, dataset.extra["documents"]) if has_text else ("english",)
    lists = st.multiselect(
        "Stop words",
        list(TITLES),
        default=list(found),
        format_func=TITLES.get,
        key="stop_lists",
        help="Lists of words that carry no topic. Those whose tell-tale words stand in the documents are "
        "chosen for you.",
        **SHARED,
    )
    own = st.text_area(
        "Stop words of your own",
        key="own_words",
        height=80,
        max_chars=5000,
        placeholder="today, thing, said",
        help="Between blanks, commas or lines. The section Words shows the most frequent words that are left.",
        **SHARED,
    )
    tokens = st.selectbox("What is a word", list(_TOKENS), format_func=_TOKENS.get, key="tokens", **SHARED)
    left, right = st.columns(2)
    min_letters = left.number_input("Letters, at least", 1, 10, 3, key="min_letters", **SHARED)
    ngrams = right.number_input(
        "Words in a row, up to",
        1,
        3,
        1,
        key="ngrams",
        disabled=not has_text,
        help="2 also counts pairs such as “prime minister”." if has_text else "These data hold no running text.",
        **SHARED,
    )
    least = 1 if n < 20 else 2 if n < 100 else 3 if n < 5000 else 5
    min_df = left.number_input("In documents, at least", 1, max(1, min(n, 1000)), least, key="min_df", **SHARED)
    max_words = right.number_input(
        "Words in all, at most", 100, MAX_WORDS, 20_000, 1000, key="max_words", help="The most frequent stay.", **SHARED
    )
    max_df = st.slider(
        "In at most this share of documents", 0.05, 1.0, 0.5 if n >= 20 else 1.0, 0.05, key="max_df", **SHARED
    )
    lowercase = st.toggle("Lower case", value=True, key="lowercase", help="Police and police are one word.", **SHARED)
    accents = st.toggle("Without accents", key="accents", help="é becomes e.", **SHARED)
    sublinear = st.toggle(
        "Dampen repeated words",
        value=True,
        key="sublinear",
        disabled=weighting != "tfidf",
        help="1 + log(count) in place of the count.",
        **SHARED,
    )
    return WordRules(
        tokens=tokens,
        min_letters=int(min_letters),
        lowercase=bool(lowercase),
        strip_accents=bool(accents),
        lists=tuple(sorted(lists)),
        own=parse_words(own or ""),
        ngrams=int(ngrams) if has_text else 1,
        min_df=int(min_df),
        max_df=float(max_df),
        max_words=int(max_words),
        weighting=weighting,
        sublinear=bool(sublinear),
    )
