"""The controls: which words go in, how they are weighed, how many topics."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from nmf_core import Dataset, FitRequest
from nmf_core.lenses.text.stopwords import TITLES, parse_words, suggest_lists
from nmf_core.lenses.text.vectorize import corpus_digest
from nmf_core.lenses.text.words import MAX_WORDS, WordRules
from pages.ui.data import info_of
from pages.ui.state import number, pick, remember, seed, slide, switch

_FOLLOW = ("stop_lists", "min_df", "max_df", "topics")  # defaults that depend on the corpus
_TOKENS = {
    "letters": "Letters only",
    "hyphens": "Letters, inner hyphens and apostrophes kept",
    "digits": "Letters and digits",
}
STARTS = {
    "nndsvda": "NNDSVDa: from the SVD, repeatable",
    "nndsvd": "NNDSVD: from the SVD, zeros kept",
    "random": "Random",
}
SPARSER = {0.0: "Off", 1e-6: "Light (1e-6)", 1e-5: "Medium (1e-5)", 3e-5: "Strong (3e-5)"}
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
        rank = slide(
            "Topics (rank)",
            1,
            max(2, min(60, n)),
            "topics",
            min(_usual_rank(dataset), max(2, n)),
            help="How many topics to look for. Fewer are broader; with too many, topics repeat each other.",
        )
        weighting = pick(
            "Weights",
            list(WEIGHTS),
            "weighting",
            names=WEIGHTS,
            segmented=True,
            help="TF-IDF lifts words that few documents use, with the Frobenius loss. Counts go with the "
            "Kullback-Leibler loss, under which NMF is probabilistic latent semantic analysis.",
        )
        with st.expander("Words that go in", icon=":material/filter_alt:"):
            rules = _words(dataset, corpus, n, has_text, weighting)
    return rules, rank


def request(dataset: Dataset, rank: int, rules: WordRules) -> FitRequest:
    """Draw what decides the fit, and return the request."""
    with st.sidebar, st.expander("Model", icon=":material/tune:"):
        init = pick("Start", list(STARTS), "text_init", names=STARTS)
        seed_ = number("Seed", 0, 2**31 - 1, "text_seed", 0, help="Matters for random starts.")
        restarts = number("Restarts (best of)", 1, 50, "text_restarts", 1, help="For random starts: the best is kept.")
        sparse = 0.0
        if rules.weighting == "tfidf":
            sparse = pick(
                "Sparser topics",
                list(SPARSER),
                "text_alpha",
                names=SPARSER,
                help="An L1 penalty on W and H (alpha_W = alpha_H, scaled as in scikit-learn) sets small "
                "weights to zero: "
                "shorter topics, at some cost in coherence.",
            )
    return FitRequest(
        dataset_id=dataset.id,
        rank=max(1, min(rank, dataset.max_rank)),
        loss="frobenius" if rules.weighting == "tfidf" else "kullback-leibler",
        init=init,
        seed=seed_,
        n_restarts=restarts,
        alpha_W=sparse,  # on both: a penalty on H alone is evaded by making W larger
        alpha_H="same",
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
    lists = _lists(found)
    seed("own_words", "", str)
    own = st.text_area(
        "Stop words of your own",
        key="own_words",
        height=80,
        max_chars=5000,
        placeholder="today, thing, said",
        help="Between blanks, commas or lines. The section Words shows the most frequent words that are left.",
        persist_state="session",
    )
    remember("own_words", " ".join(parse_words(own or "")), "")
    tokens = pick("What is a word", list(_TOKENS), "tokens", names=_TOKENS)
    left, right = st.columns(2)
    least = 1 if n < 20 else 2 if n < 100 else 3 if n < 5000 else 5
    with left:
        min_letters = number("Letters, at least", 1, 10, "min_letters", 3)
        min_df = number("In documents, at least", 1, max(1, min(n, 1000)), "min_df", least)
    with right:
        ngrams = number(
            "Words in a row, up to",
            1,
            3,
            "ngrams",
            1,
            disabled=not has_text,
            help="2 also counts pairs such as “prime minister”." if has_text else "These data hold no running text.",
        )
        max_words = number(
            "Words in all, at most", 100, MAX_WORDS, "max_words", 20_000, step=1000, help="The most frequent stay."
        )
    max_df = slide("In at most this share of documents", 0.05, 1.0, "max_df", 0.5 if n >= 20 else 1.0, step=0.05)
    lowercase = switch("Lower case", "lowercase", True, help="Police and police are one word.")
    accents = switch("Without accents", "accents", help="é becomes e.")
    sublinear = weighting == "tfidf" and switch(
        "Dampen repeated words", "sublinear", True, help="1 + log(count) in place of the count."
    )
    return WordRules(
        tokens=tokens,
        min_letters=min_letters,
        lowercase=lowercase,
        strip_accents=accents,
        lists=lists,
        own=parse_words(own or ""),
        ngrams=ngrams if has_text else 1,
        min_df=min_df,
        max_df=max_df,
        max_words=max_words,
        weighting=weighting,
        sublinear=sublinear,
    )


def _lists(found: tuple[str, ...]) -> tuple[str, ...]:
    def parse(text: str) -> list[str]:
        names = [] if text == "none" else text.split(",")
        if any(name not in TITLES for name in names):
            raise ValueError(text)
        return names

    seed("stop_lists", list(found), parse)
    chosen = st.multiselect(
        "Stop words",
        list(TITLES),
        format_func=lambda name: TITLES[name],
        key="stop_lists",
        help="Lists of words that carry no topic. Those whose tell-tale words stand in the documents are "
        "chosen for you.",
        persist_state="session",
    )
    remember("stop_lists", ",".join(sorted(chosen)) or "none", ",".join(sorted(found)) or "none")
    return tuple(sorted(chosen))
