"""Half of a document's words are hidden: do its topics tell which words they are?"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from nmf_core.fold_in import weights_of
from nmf_core.types import Array, Chunk, Dataset, FitResult, Stop


@dataclass(frozen=True, slots=True)
class Completion:
    """How well hidden words are ranked before words that are not in the document.

    Attributes
    ----------
    n : int
        Documents tried.
    topics, common : float
        Mean area under the ROC curve (0.5: by chance, 1: perfect) when words are ranked by the document's topics, and
        when they are ranked by the number of documents they stand in.
    wins : int
        Documents in which topics rank better.
    """

    n: int
    topics: float
    common: float
    wins: int


def complete(X: Any, result: FitResult, most: int = 100, seed: int = 0) -> Completion:
    """Hide half of the words of some documents, fold in the rest, and rank all other words by wH.

    The topics were found with the whole documents in sight; what is tested is whether half of a document is enough to
    tell its topics.

    Parameters
    ----------
    X : csr_array of shape (n_documents, n_words)
        As factorized.
    result : FitResult
    most : int
        Documents tried, evenly spread over those with at least ten different words.
    """
    rng = np.random.default_rng(seed)
    X = sp.csr_array(X)
    long = np.flatnonzero(np.diff(X.indptr) >= 10)
    chosen = long[:: max(1, -(-len(long) // most))] if len(long) else long
    if not len(chosen):
        return Completion(0, float("nan"), float("nan"), 0)
    common = np.bincount(X.indices, minlength=X.shape[1]).astype(float)
    seen = sp.csr_array(X[chosen], copy=True)
    hidden: list[Array] = []
    for i in range(len(chosen)):
        start, end = seen.indptr[i], seen.indptr[i + 1]
        away = rng.permutation(np.arange(start, end))[: (end - start) // 2]
        hidden.append(seen.indices[away].copy())
        seen.data[away] = 0
    seen.eliminate_zeros()
    W = weights_of(seen, result)
    scores = []
    for i, words in enumerate(hidden):
        others = np.ones(X.shape[1], dtype=bool)
        others[X.indices[X.indptr[chosen[i]] : X.indptr[chosen[i] + 1]]] = False
        by_topics = W[i] @ result.H
        scores.append([area(values[words], values[others]) for values in (by_topics, common)])
    table = np.array(scores)
    return Completion(
        len(chosen), float(table[:, 0].mean()), float(table[:, 1].mean()), int((table[:, 0] > table[:, 1]).sum())
    )


def area(positive: Array, negative: Array) -> float:
    """Return the area under the ROC curve: the share of (positive, negative) pairs in order, ties counting half."""
    from scipy.stats import rankdata

    if not len(positive) or not len(negative):
        return 0.5
    ranks = rankdata(np.concatenate([positive, negative]))[: len(positive)]
    return float((ranks.sum() - len(positive) * (len(positive) + 1) / 2) / (len(positive) * len(negative)))


@dataclass(frozen=True, slots=True, eq=False)
class CompletionTest:
    """Work: :func:`complete` on the data set a result was fitted on."""

    fitted: FitResult

    @property
    def key(self) -> str:
        """Digest of everything that decides the result."""
        said = f"completion {self.fitted.request.key} {self.fitted.n_iter}"
        return hashlib.blake2b(said.encode(), digest_size=12).hexdigest()

    @property
    def dataset_id(self) -> str:
        """The data it runs on."""
        return self.fitted.request.dataset_id

    def advance(self, dataset: Dataset, state: Any, budget: float) -> Chunk:
        """Do it all: the number of documents tried is limited."""
        return Chunk(complete(dataset.X, self.fitted), Stop.CONVERGED, 1.0, "hidden words ranked")

    def result(self, dataset: Dataset, state: Completion | None, stop: Stop) -> Completion | None:
        """Return the outcome."""
        return state
