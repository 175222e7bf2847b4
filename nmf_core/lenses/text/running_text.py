"""The words of a document in its running text, each with the topic it most likely came from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmf_core.lenses.text.topics import Topics
from nmf_core.lenses.text.words import WordRules, spans
from nmf_core.types import Array


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of the text.

    Attributes
    ----------
    text : str
        As it stands in the document; all pieces together are the document.
    topic : int
        The topic the word most likely came from; −1 for what lies between, and for words outside the matrix.
    certainty : float
        p(topic | word, document), from 1/k to 1.
    """

    text: str
    topic: int
    certainty: float


def posterior(topics: Topics, shares: Array, columns: Array) -> Array:
    """Return p(topic | word, document) ∝ share of the topic in the document × weight of the word in the topic.

    Parameters
    ----------
    shares : ndarray of shape (n_topics,)
        Of one document.
    columns : ndarray of int of shape (n,)

    Returns
    -------
    ndarray of shape (n, n_topics)
        Rows sum to 1, or hold zeros where no topic of the document knows the word.
    """
    joint = topics.words[:, columns].T * shares
    total = joint.sum(axis=1, keepdims=True)
    return joint / np.where(total > 0, total, 1)


def colour_words(text: str, topics: Topics, shares: Array, rules: WordRules, limit: int = 60_000) -> list[Piece]:
    """Cut a text into pieces, each word of the matrix with its topic.

    A word that is also part of longer terms (n-grams) of the matrix collects their topics' weights.

    Parameters
    ----------
    text : str
    topics : Topics
    shares : ndarray of shape (n_topics,)
        Of this document.
    rules : WordRules
        As used for the matrix.
    limit : int
        Only so many characters are coloured; the rest comes as one plain piece.
    """
    place = _places(topics.vocabulary)
    found = [(start, end, word) for start, end, word, fate in spans(text[:limit], rules) if fate == "word"]
    votes = np.zeros((len(found), topics.rank))
    for length in range(1, rules.ngrams + 1):
        for i in range(len(found) - length + 1):
            column = place.get(" ".join(word for _, _, word in found[i : i + length]))
            if column is not None:
                votes[i : i + length] += topics.words[:, column] * shares
    total = votes.sum(axis=1)
    pieces: list[Piece] = []
    at = 0
    for (start, end, _), vote, whole in zip(found, votes, total, strict=True):
        if whole <= 0:
            continue
        if start > at:
            pieces.append(Piece(text[at:start], -1, 0.0))
        topic = int(vote.argmax())
        pieces.append(Piece(text[start:end], topic, float(vote[topic] / whole)))
        at = end
    if at < len(text):
        pieces.append(Piece(text[at:], -1, 0.0))
    return pieces


def _places(vocabulary: Array) -> dict[str, int]:
    return {word: j for j, word in enumerate(vocabulary.tolist())}


def kept_words(text: str, vocabulary: Array, rules: WordRules, limit: int = 60_000) -> list[Piece]:
    """Cut a text into pieces: topic 0 for words that are in the matrix, alone or in a run, −1 for all else."""
    place = _places(vocabulary)
    found = [(start, end, word) for start, end, word, fate in spans(text[:limit], rules) if fate == "word"]
    kept = [False] * len(found)
    for length in range(1, rules.ngrams + 1):
        for i in range(len(found) - length + 1):
            if " ".join(word for _, _, word in found[i : i + length]) in place:
                kept[i : i + length] = [True] * length
    pieces: list[Piece] = []
    at = 0
    for (start, end, _), keep in zip(found, kept, strict=True):
        if keep:
            if start > at:
                pieces.append(Piece(text[at:start], -1, 0.0))
            pieces.append(Piece(text[start:end], 0, 1.0))
            at = end
    if at < len(text):
        pieces.append(Piece(text[at:], -1, 0.0))
    return pieces
