"""Extractive summaries: the sentences that carry most of a text's topics, beside lead and random sentences."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from nmf_core.lenses.text.sentences import sentence_spans
from nmf_core.lenses.text.words import WordRules, spans
from nmf_core.types import Array, Chunk, Dataset, FitRequest, Stop

POOL = 3_000  # sentences looked at, at most
MIN_WORDS = 4  # a sentence with fewer words says nothing alone ("Order.")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence: document it stands in, where it starts and ends there, and its text."""

    document: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Sentences to choose from.

    Attributes
    ----------
    sentences : tuple of Sentence
        In the order of the documents given, then of the text.
    X : csr_array of shape (n_sentences, n_words)
        Counts × idf over sentences, idf as scikit-learn's.
    length : ndarray of int of shape (n_sentences,)
        Words of every kind in each sentence.
    left_out : int
        Sentences beyond :data:`POOL`.
    """

    sentences: tuple[Sentence, ...]
    X: Any
    length: Array
    left_out: int


def gather(documents: Sequence[str] | Array, which: Sequence[int], rules: WordRules) -> Pool:
    """Cut documents into sentences and count their words.

    Parameters
    ----------
    documents : sequence of str
    which : sequence of int
        Documents to take, in this order; they take turns when there are more sentences than :data:`POOL`.
    rules : WordRules
        How words are recognised and which are stop words; the limits on document frequency do not apply here.

    Raises
    ------
    ValueError
        When no sentence holds enough words.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    per_document = []
    for d in which:
        text = str(documents[d])
        found = [Sentence(int(d), a, b, text[a:b]) for a, b in sentence_spans(text)]
        per_document.append([s for s in found if len(s.text.split()) >= MIN_WORDS])
    total = sum(len(found) for found in per_document)
    if total > POOL:
        share = POOL / total
        per_document = [found[: max(1, int(len(found) * share))] for found in per_document]
    sentences = [s for found in per_document for s in found][:POOL]
    if not sentences:
        raise ValueError(f"summary: no sentence of {MIN_WORDS} words or more was found")
    vectorizer = CountVectorizer(analyzer=lambda text: [w for _, _, w, fate in spans(text, rules) if fate == "word"])
    try:
        counts = sp.csr_array(vectorizer.fit_transform([s.text for s in sentences]), dtype=np.float64)
    except ValueError:
        raise ValueError("summary: the sentences hold nothing but stop words") from None
    df = np.bincount(counts.indices, minlength=counts.shape[1])
    counts.data *= (np.log((1 + len(sentences)) / (1 + df)) + 1)[counts.indices]
    length = np.array([len(s.text.split()) for s in sentences])
    return Pool(tuple(sentences), counts, length, total - len(sentences))


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """Sentences chosen, and how they compare.

    Attributes
    ----------
    pool : Pool
    chosen : tuple of int
        Positions in the pool, in the order of choice.
    score : ndarray of shape (n_sentences,)
        :func:`relevance` of each sentence.
    similarity : float
        Centroid similarity of the summary, see :func:`centroid_similarity`.
    lead : tuple of int
        The first sentences, as many as make up the same number of words.
    lead_similarity : float
    plain_similarity : float
        Of the centroid method without topics.
    random_similarity : ndarray of shape (n_draws,)
        Of random sentences with the same number of words.
    rank : int
        Topics of the factorization of sentences.
    """

    pool: Pool
    chosen: tuple[int, ...]
    score: Array
    similarity: float
    lead: tuple[int, ...]
    lead_similarity: float
    plain_similarity: float
    random_similarity: Array
    rank: int

    @property
    def n_words(self) -> int:
        """Words of the summary."""
        return int(self.pool.length[list(self.chosen)].sum())


def centroid_similarity(X: Any, chosen: Sequence[int] | Array) -> float:
    """Return the cosine between the sum of the chosen sentences and the sum of all (Radev et al. 2004's centroid).

    Parameters
    ----------
    X : csr_array of shape (n_sentences, n_words)
    chosen : sequence of int
    """
    everything = np.asarray(X.sum(axis=0)).ravel()
    part = np.asarray(X[list(chosen)].sum(axis=0)).ravel()
    lengths = np.linalg.norm(everything) * np.linalg.norm(part)
    return float(everything @ part / lengths) if lengths > 0 else 0.0


def default_rank(n_sentences: int) -> int:
    """Return how many topics the sentences are split into: about the square root of their number, 1 to 10."""
    return int(np.clip(round(np.sqrt(n_sentences) / 1.5), 1, 10))


def relevance(X: Any, rank: int, seed: int = 0) -> Array:
    """Return how well every sentence says what the whole is about, the largest 1.

    U ≈ WH over sentences (see :func:`level_rows`); the whole is what the topics keep of the mean sentence, c = w̄H with
    w̄ the mean of the rows of W, and a sentence is worth uᵀc. Lee, Park, Ahn & Kim (2009) score Σ_t w_st · w̄_t
    instead, which looks at the topics alone; on speeches the words of the sentence itself do better.

    Parameters
    ----------
    X : csr_array of shape (n_sentences, n_words)
    rank : int
    """
    from nmf_core.fit import fit

    U = level_rows(X)
    rank = max(1, min(rank, *U.shape))
    result = fit(U, FitRequest(rank=rank, seed=seed, max_iter=200, tol=1e-4, init="nndsvda"))
    return _scaled(U @ (result.W.mean(axis=0) @ result.H))


def plain_relevance(X: Any) -> Array:
    """Return the relevance without topics: the cosine to the mean sentence (Radev et al. 2004), the largest 1."""
    U = level_rows(X)
    return _scaled(U @ np.asarray(U.mean(axis=0)).ravel())


def _scaled(score: Array) -> Array:
    score = np.asarray(score, dtype=np.float64).ravel()
    return score / score.max() if score.max() > 0 else score


def level_rows(X: Any) -> Any:
    """Return the rows divided by their Euclidean length, or by the median length where that is larger.

    A pivot in the sense of Singhal, Buckley & Mitra (1996): a sentence of three words must not win because it is short.
    """
    lengths = np.sqrt(np.asarray(X.multiply(X).sum(axis=1)).ravel())
    held = lengths[lengths > 0]
    pivot = float(np.median(held)) if len(held) else 1.0
    return sp.csr_array(X.multiply((1 / np.maximum(lengths, pivot))[:, None]))


def unit_rows(X: Any) -> Any:
    """Return the rows scaled to Euclidean length 1 (csr); empty rows stay empty."""
    lengths = np.sqrt(np.asarray(X.multiply(X).sum(axis=1)).ravel())
    return sp.csr_array(X.multiply((1 / np.where(lengths > 0, lengths, 1))[:, None]))


def choose(X: Any, score: Array, n: int, redundancy: float) -> tuple[int, ...]:
    """Take n sentences one by one: high relevance, little repetition (Carbonell & Goldstein 1998, MMR).

    Parameters
    ----------
    X : csr_array of shape (n_sentences, n_words)
    score : ndarray of shape (n_sentences,)
        Relevance, the largest 1.
    n : int
    redundancy : float
        From 0 (repetition costs nothing) to 1: weight of the largest cosine to a sentence already taken.
    """
    rows = unit_rows(X)
    repeated = np.zeros(len(score))
    open_ = np.diff(rows.indptr) > 0
    chosen: list[int] = []
    while len(chosen) < n and open_.any():
        value = np.where(open_, (1 - redundancy) * score - redundancy * repeated, -np.inf)
        best = int(value.argmax())
        chosen.append(best)
        open_[best] = False
        repeated = np.maximum(repeated, np.asarray(rows @ rows[[best]].T.todense()).ravel())
    return tuple(chosen)


def lead(pool: Pool, n_words: int) -> tuple[int, ...]:
    """Return the first sentences with about `n_words`: of one document, or the first of each document in turn."""
    turn: dict[int, int] = {}
    rounds = []
    for sentence in pool.sentences:
        rounds.append(turn.get(sentence.document, 0))
        turn[sentence.document] = rounds[-1] + 1
    return about(np.argsort(rounds, kind="stable"), pool.length, n_words)


def about(order: Array, length: Array, n_words: int) -> tuple[int, ...]:
    """Take sentences in order, at least one, as many as come closest to n_words in all."""
    total = np.cumsum(length[order])
    return tuple(order[: int(np.abs(total - n_words).argmin()) + 1].tolist())


def summarize(pool: Pool, n: int, redundancy: float, *, rank: int = 0, seed: int = 0, draws: int = 200) -> Summary:
    """Choose n sentences by NMF and measure them beside others with about as many words.

    Beside: the first sentences, random ones, and the centroid method without topics, which aims at the measure itself.

    Parameters
    ----------
    pool : Pool
    n : int
    redundancy : float
    rank : int
        0: :func:`default_rank`.
    draws : int
        Random summaries.
    """
    n = max(1, min(n, len(pool.sentences)))
    rank = max(1, min(rank or default_rank(len(pool.sentences)), *pool.X.shape))
    score = relevance(pool.X, rank, seed)
    chosen = choose(pool.X, score, n, redundancy)
    words = int(pool.length[list(chosen)].sum())
    first = lead(pool, words)
    plain = np.array(choose(pool.X, plain_relevance(pool.X), 2 * n + 2, redundancy))
    rng = np.random.default_rng(seed)
    size = len(pool.sentences)
    enough = min(size, words // max(1, int(pool.length.min())) + 1)
    by_chance = np.array(
        [centroid_similarity(pool.X, about(rng.permutation(size)[:enough], pool.length, words)) for _ in range(draws)]
    )
    return Summary(
        pool,
        chosen,
        score,
        centroid_similarity(pool.X, chosen),
        first,
        centroid_similarity(pool.X, first),
        centroid_similarity(pool.X, about(plain, pool.length, words)),
        by_chance,
        rank,
    )


@dataclass(frozen=True, slots=True)
class Summarize:
    """Work: the summary of some documents.

    Attributes
    ----------
    dataset_id, corpus : str
        See `vectorize.Vectorize`.
    which : tuple of int
        Documents, in the order in which they are read.
    rules : WordRules
    n : int
        Sentences.
    redundancy : float
    """

    dataset_id: str
    corpus: str
    which: tuple[int, ...]
    rules: WordRules
    n: int = 3
    redundancy: float = 0.3

    @property
    def key(self) -> str:
        """Digest of everything that decides the result."""
        return hashlib.blake2b(f"summarize {self!r}".encode(), digest_size=12).hexdigest()

    def advance(self, dataset: Dataset, state: Any, budget: float) -> Chunk:
        """Do it all: a pool is limited, so this takes a second at most."""
        pool = gather(dataset.extra["documents"], self.which, self.rules)
        return Chunk(summarize(pool, self.n, self.redundancy), Stop.CONVERGED, 1.0, f"{len(pool.sentences)} sentences")

    def result(self, dataset: Dataset, state: Summary | None, stop: Stop) -> Summary | None:
        """Return the summary."""
        return state


@dataclass(frozen=True, slots=True, eq=False)
class Race:
    """Centroid similarity of four summaries of about equal length, one entry per document.

    Attributes
    ----------
    documents : ndarray of int of shape (n,)
    nmf, lead, random, plain : ndarray of shape (n,)
        ``random`` holds the mean over draws; ``plain`` is the centroid method without topics.
    total : int
        Documents that are long enough.
    """

    documents: Array
    nmf: Array
    lead: Array
    random: Array
    plain: Array
    total: int


@dataclass(frozen=True, slots=True)
class SummaryRace:
    """Work: summarise many documents four ways, to see which way is best here.

    Attributes
    ----------
    dataset_id, corpus : str
    rules : WordRules
    n : int
        Sentences of each summary.
    redundancy : float
    most : int
        Documents tried, spread evenly over those that are long enough (three times as many sentences as asked for).
    """

    dataset_id: str
    corpus: str
    rules: WordRules
    n: int = 3
    redundancy: float = 0.3
    most: int = 60

    @property
    def key(self) -> str:
        """Digest of everything that decides the result."""
        return hashlib.blake2b(f"summary race {self!r}".encode(), digest_size=12).hexdigest()

    def advance(self, dataset: Dataset, state: Race | None, budget: float) -> Chunk:
        """Summarise some more documents."""
        from time import perf_counter

        documents = dataset.extra["documents"]
        if state is None:
            long = [i for i, text in enumerate(documents) if len(sentence_spans(str(text))) >= 3 * self.n]
            step = max(1, -(-len(long) // self.most))
            nothing = np.zeros(0)
            state = Race(np.array(long[::step], dtype=int), nothing, nothing, nothing, nothing, len(long))
        start = perf_counter()
        while len(state.nmf) < len(state.documents):
            d = int(state.documents[len(state.nmf)])
            try:
                made = summarize(gather(documents, [d], self.rules), self.n, self.redundancy, draws=50)
                values = [made.similarity, made.lead_similarity, made.random_similarity.mean(), made.plain_similarity]
            except ValueError:  # nothing but stop words: a document without a say
                values = [np.nan] * 4
            before = (state.nmf, state.lead, state.random, state.plain)
            nmf, lead_, random, plain = (np.append(old, new) for old, new in zip(before, values, strict=True))
            state = replace(state, nmf=nmf, lead=lead_, random=random, plain=plain)
            if perf_counter() - start > budget:
                break
        done, of = len(state.nmf), len(state.documents)
        stop = Stop.CONVERGED if done >= of else Stop.RUNNING
        return Chunk(state, stop, done / of if of else 1.0, f"{done} of {of} documents summarised")

    def result(self, dataset: Dataset, state: Race | None, stop: Stop) -> Race | None:
        """Return the documents done so far."""
        if state is None:
            return None
        good = ~np.isnan(state.nmf)
        done = state.documents[: len(state.nmf)]
        return Race(done[good], state.nmf[good], state.lead[good], state.random[good], state.plain[good], state.total)
