"""Documents seen through topics: the most typical and the most mixed ones, search, nearest neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from nmf_core.lenses.text.topics import Topics
from nmf_core.lenses.text.vectorize import TextMatrix
from nmf_core.types import Array


def dominant(shares: Array) -> Array:
    """Return each document's largest topic, −1 for a document without any word; ties go to the earlier topic."""
    return np.where(shares.sum(axis=1) > 0, shares.argmax(axis=1), -1)


def mixture(shares: Array) -> Array:
    """Return how mixed each document is: the entropy of its shares over log k, from 0 (one topic) to 1 (all alike)."""
    k = shares.shape[1]
    if k < 2:
        return np.zeros(len(shares))
    logs = np.log(np.where(shares > 0, shares, 1))
    return np.clip(-(shares * logs).sum(axis=1) / np.log(k), 0, 1)


def typical(topics: Topics, topic: int, n: int = 10, words: Array | None = None) -> Array:
    """Return the documents with the largest share of a topic, the largest first.

    Among equal shares (short texts often have one topic only) the document with more words comes first.

    Parameters
    ----------
    words : ndarray of shape (n_documents,), optional
        Words counted in each document.
    """
    share = topics.shares[:, topic]
    length = np.zeros(len(share)) if words is None else words
    order = np.lexsort((np.arange(len(share)), -length, -np.round(share, 9)))
    return order[share[order] > 0][:n]


def mixed(topics: Topics, topic: int, n: int = 10) -> Array:
    """Return the documents led by a topic in which the other topics weigh most, the most mixed first."""
    led = np.flatnonzero(dominant(topics.shares) == topic)
    order = np.lexsort((led, -mixture(topics.shares[led])))
    return led[order][:n]


@dataclass(frozen=True, slots=True)
class Hits:
    """Documents found by a search.

    Attributes
    ----------
    documents : tuple of int
        The best first.
    scores : tuple of float
        Cosine between query and document on the words of the matrix.
    literal : bool
        True: every document listed holds all words of the query as written; False: none does, and these are merely the
        nearest by words in common.
    total : int
        Documents found in all.
    """

    documents: tuple[int, ...]
    scores: tuple[float, ...]
    literal: bool
    total: int


def search(matrix: TextMatrix, query: str, n: int = 20, within: Array | None = None) -> Hits:
    """Find documents by words in their text, name or labels, ranked by the cosine of their weights.

    Parameters
    ----------
    matrix : TextMatrix
    query : str
        Words that must all occur (as pieces of words, whatever their case); when no document holds them all, the
        nearest by words in common are returned.
    within : ndarray of bool of shape (n_documents,), optional
        Documents to look at.
    """
    wanted = query.casefold().split()
    dataset, texts = matrix.dataset, matrix.documents
    allowed = np.ones(dataset.shape[0], dtype=bool) if within is None else within
    if not wanted:
        return Hits((), (), True, 0)
    score = cosine(dataset.X, matrix.vector(query))
    holds = np.zeros(len(allowed), dtype=bool)
    if texts is not None:
        for i in np.flatnonzero(allowed):
            everything = "\n".join(
                [texts[i], dataset.rows[i], *(str(v[i]) for v in dataset.labels.values())]
            ).casefold()
            holds[i] = all(word in everything for word in wanted)
    else:
        for i in np.flatnonzero(allowed):
            name = str(dataset.rows[i]).casefold()
            holds[i] = all(word in name for word in wanted)
        in_words = np.asarray((matrix.count(query) > 0).todense()).ravel().astype(bool)
        if in_words.sum() == len(wanted):
            every = np.asarray((dataset.X[:, np.flatnonzero(in_words)] > 0).sum(axis=1)).ravel() == in_words.sum()
            holds |= allowed & every
    literal = bool(holds.any())
    chosen = np.flatnonzero(holds) if literal else np.flatnonzero(allowed & (score > 0))
    order = chosen[np.lexsort((chosen, -score[chosen]))]
    return Hits(tuple(order[:n].tolist()), tuple(score[order[:n]].tolist()), literal, len(order))


def cosine(X: Any, vector: Any) -> Array:
    """Return the cosine between each row of X (csr) and one row vector (csr); 0 where either is empty."""
    v = np.asarray(vector.todense()).ravel()
    rows = sp.csr_array(X)
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel()) * np.linalg.norm(v)
    return np.asarray(rows @ v).ravel() / np.where(lengths > 0, lengths, 1)


def hellinger(shares: Array, mixture_of_one: Array) -> Array:
    """Return 1 − the Hellinger distance between each row of shares and one mixture: 1 for equal mixtures."""
    difference = np.sqrt(shares) - np.sqrt(mixture_of_one)
    return np.clip(1 - np.sqrt((difference**2).sum(axis=1) / 2), 0, 1)


def nearest(
    X: Any, topics: Topics, vector: Any, shares: Array, n: int = 8, *, by: str = "words", skip: int = -1
) -> tuple[Array, Array]:
    """Return the nearest documents to a text and their similarities, the nearest first.

    Parameters
    ----------
    X : csr_array of shape (n_documents, n_words)
        As factorized.
    topics : Topics
    vector : csr_array of shape (1, n_words)
    shares : ndarray of shape (n_topics,)
    by : {"words", "topics"}
        Cosine of the weighted words, or 1 − Hellinger distance of the topic shares.
    skip : int
        A document to leave out (the text itself, when it is one of the corpus).
    """
    if by not in ("words", "topics"):
        raise ValueError(f"by: must be 'words' or 'topics', not {by!r}")
    score = cosine(X, vector) if by == "words" else hellinger(topics.shares, shares)
    score = np.where(topics.shares.sum(axis=1) > 0, score, 0.0)
    if 0 <= skip < len(score):
        score[skip] = -1
    order = np.lexsort((np.arange(len(score)), -score))[:n]
    order = order[score[order] > 0]
    return order, score[order]
