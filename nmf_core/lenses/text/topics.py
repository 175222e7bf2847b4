"""Topics as people read them: shares of documents, weights of words, exclusivity, relevance, names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.types import Array

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Topics:
    """A topic model of any origin (NMF, LDA) in one scale: probabilities. Build with :meth:`of`.

    Attributes
    ----------
    shares : ndarray of shape (n_documents, n_topics)
        Share of each topic in a document; rows sum to 1, a document without any word has a row of zeros.
    words : ndarray of shape (n_topics, n_words)
        Weight of each word in a topic; rows sum to 1.
    size : ndarray of shape (n_topics,)
        Mean share over the documents that hold words; sums to 1; largest first.
    marginal : ndarray of shape (n_words,)
        Share of each word in the matrix that was factorized; sums to 1.
    vocabulary : ndarray of str of shape (n_words,)
    names : tuple of str
        One per topic; words from the corpus, so escape them when shown.
    index : ndarray of int of shape (n_topics,)
        Row of the fitted H that each topic is.
    """

    shares: Array
    words: Array
    size: Array
    marginal: Array
    vocabulary: Array
    names: tuple[str, ...]
    index: Array

    @classmethod
    def of(cls, W: Array, H: Array, X: Any, vocabulary: Array, *, ordered: bool = True) -> Topics:
        """Bring a factorization of X (documents × words) into the scale of probabilities.

        The rows of H are divided by their sums and W is multiplied by them, so that WH stays; then the rows of W are
        divided by theirs. Under the Kullback-Leibler loss these are exactly the probabilities of PLSA (Gaussier &
        Goutte 2005); under other losses they are shares of the reconstructed weight.

        Parameters
        ----------
        W, H : ndarray of shape (n_documents, rank), (rank, n_words)
        X : csr_array or ndarray of shape (n_documents, n_words)
        vocabulary : ndarray of str of shape (n_words,)
        ordered : bool
            Largest topic first; False keeps the order of H.
        """
        sums = H.sum(axis=1, dtype=np.float64)
        strength = np.asarray(W, dtype=np.float64) * sums
        words = np.asarray(H, dtype=np.float64) / np.where(sums > 0, sums, 1)[:, None]
        shares = normalized(strength)
        held = shares.sum(axis=1) > 0
        size = shares[held].mean(axis=0) if held.any() else np.zeros(len(H))
        order = np.argsort(-size, kind="stable") if ordered else np.arange(len(H))
        column = np.asarray(X.sum(axis=0), dtype=np.float64).ravel()
        topics = cls(
            shares=shares[:, order],
            words=words[order],
            size=size[order],
            marginal=column / max(column.sum(), np.finfo(float).tiny),
            vocabulary=vocabulary,
            names=(),
            index=order,
        )
        return replace(topics, names=suggest_names(topics))

    @property
    def rank(self) -> int:
        """Number of topics."""
        return len(self.words)

    @property
    def exclusivity(self) -> Array:
        """p(word | topic) / Σ over topics of it, of shape (n_topics, n_words): 1 for a topic's own word."""
        total = self.words.sum(axis=0)
        return self.words / np.where(total > 0, total, 1)

    def relevance(self, weight: float = 0.6) -> Array:
        """λ log p(w | t) + (1 − λ) log (p(w | t) / p(w)), Sievert & Shirley (2014), eq. 1.

        Parameters
        ----------
        weight : float
            λ from 0 (lift alone: rare words that are the topic's own) to 1 (weight alone).

        Returns
        -------
        ndarray of shape (n_topics, n_words)
            −∞ where a topic gives a word no weight.
        """
        if not 0 <= weight <= 1:
            raise ValueError(f"λ: must be from 0 to 1, not {weight!r}")
        return _relevance(self.words, self.marginal, weight)

    def top(self, n: int = 10, weight: float = 1.0) -> Array:
        """Return the columns of the n most relevant words of each topic, best first, of shape (n_topics, n).

        Ties go to the earlier column, so that equal models show equal lists.
        """
        return best(self.relevance(weight), n)

    def table(self, topic: int, n: int = 30, weight: float = 0.6) -> pd.DataFrame:
        """Return the n most relevant words of a topic with weight, exclusivity, relevance, lift and corpus share."""
        import pandas as pd

        weights = self.words[[topic]]
        relevance = _relevance(weights, self.marginal, weight)
        columns = best(relevance, n)[0]
        columns = columns[weights[0, columns] > 0]
        marginal = self.marginal[columns]
        return pd.DataFrame(
            {
                "word": self.vocabulary[columns],
                "weight": weights[0, columns],
                "exclusivity": weights[0, columns] / self.words[:, columns].sum(axis=0),
                "relevance": relevance[0, columns],
                "lift": weights[0, columns] / np.where(marginal > 0, marginal, np.nan),
                "share in corpus": marginal,
            }
        )

    def renamed(self, names: dict[int, str]) -> Topics:
        """Return the same topics with some names replaced (keys: rows of the fitted H)."""
        return replace(self, names=tuple(names.get(int(i)) or n for i, n in zip(self.index, self.names, strict=True)))


def _relevance(words: Array, marginal: Array, weight: float) -> Array:
    with np.errstate(divide="ignore"):
        log_words, log_marginal = np.log(words), np.log(marginal)
    safe = np.where(np.isfinite(log_marginal), log_marginal, 0)
    return np.where(np.isfinite(log_words), log_words - (1 - weight) * safe, -np.inf)


def best(values: Array, n: int) -> Array:
    """Return the columns of the n largest values of each row, the largest first, ties to the earlier column."""
    n = min(n, values.shape[1])
    rows = np.empty((len(values), n), dtype=np.int64)
    for i, row in enumerate(values):
        least = np.partition(row, len(row) - n)[len(row) - n]
        candidates = np.flatnonzero(row >= least)
        rows[i] = candidates[np.argsort(-row[candidates], kind="stable")][:n]
    return rows


def normalized(rows: Array) -> Array:
    """Divide each row by its sum; a row of zeros stays."""
    sums = rows.sum(axis=1, keepdims=True)
    return rows / np.where(sums > 0, sums, 1)


def suggest_names(topics: Topics, n: int = 3) -> tuple[str, ...]:
    """Return one name per topic: the n words with most weight × exclusivity, without near-repeats (school, schools).

    Two topics never get the same name: the later one takes further words.
    """
    names: list[str] = []
    lists = best(topics.words * topics.exclusivity, 12)
    for t in range(topics.rank):
        words = [str(topics.vocabulary[j]) for j in lists[t] if topics.words[t, j] > 0]
        chosen: list[str] = []
        for word in words:
            if not any(_alike(word, other) for other in chosen):
                chosen.append(word)
        name = " · ".join(chosen[:n]) or "no words"
        for more in range(n + 1, len(chosen) + 1):
            if name not in names:
                break
            name = " · ".join(chosen[:more])
        names.append(name if name not in names else f"{name} ({t + 1})")
    return tuple(names)


def _alike(a: str, b: str) -> bool:
    """Tell whether two words differ in their ending alone: same beginning but for at most three letters."""
    short, long = sorted((a, b), key=len)
    stem = max(4, len(short) - 2)
    return long.startswith(short[:stem]) and len(long) - len(short) <= 3
