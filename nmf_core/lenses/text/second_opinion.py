"""Latent Dirichlet allocation at equal rank: the usual alternative, on the same words, over several seeds."""

from __future__ import annotations

import hashlib
from copy import deepcopy
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
import scipy.sparse as sp

from nmf_core.lenses.text.coherence import npmi
from nmf_core.lenses.text.topic_map import jensen_shannon
from nmf_core.lenses.text.topics import Topics
from nmf_core.types import Array, Chunk, Dataset, FitRequest, Stop

WHOLE = 2_000  # documents: up to here each pass sees all of them at once (batch), beyond in slices (online)
SLICE = 512
PASSES = 20


@dataclass(frozen=True, slots=True, eq=False)
class Opinion:
    """What LDA found, and how coherent both models' topics are over several seeds.

    Attributes
    ----------
    topics : Topics or None
        LDA with the first seed, largest topic first; None before its first pass.
    lda : ndarray of shape (n_seeds_done,)
        Mean NPMI of the top words over topics, one value per seed.
    nmf : ndarray of shape (n_seeds_done,)
        The same for NMF from random starts.
    passes : int
        Passes (over the corpus, or slices of it when it is large) behind ``topics``.
    """

    topics: Topics | None
    lda: Array
    nmf: Array
    passes: int


@dataclass(frozen=True, slots=True)
class _Progress:
    seed: int  # seeds finished
    slices: int  # of the running one
    model: Any
    first: Any  # the model of the first seed
    lda: tuple[float, ...]
    nmf: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """Work: LDA (scikit-learn, variational Bayes, its own priors) and NMF from random starts on the same documents.

    The data set is the one NMF was fitted on; when it holds weights, `counts_id` names where counts come from:
    ``extra["counts"]``.

    Attributes
    ----------
    dataset_id : str
    request : FitRequest
        Of the NMF; its rank is used for both, its seed is the first of the seeds.
    corpus : str
        Digest of the counts: LDA sees them, the data set's id covers the weights alone.
    n_seeds : int
    n_words : int
        Top words in the coherence.
    n_passes : int
        LDA's passes over the documents, a fifth of it (at least two) when they go in slices.
    """

    dataset_id: str
    request: FitRequest
    corpus: str
    n_seeds: int = 3
    n_words: int = 10
    n_passes: int = PASSES

    @property
    def key(self) -> str:
        """Digest of everything that decides the result."""
        return hashlib.blake2b(f"second opinion {self!r}".encode(), digest_size=12).hexdigest()

    def advance(self, dataset: Dataset, state: _Progress | None, budget: float) -> Chunk:
        """Do some more passes."""
        from sklearn.decomposition import LatentDirichletAllocation

        counts = counts_of(dataset)
        n = counts.shape[0]
        step = n if n <= WHOLE else SLICE
        per_pass = -(-n // step)
        passes = self.n_passes if n <= WHOLE else max(2, self.n_passes // 5)
        # partial_fit writes into its model: work on a copy, so that the same state always leads to the same next one.
        state = deepcopy(state) if state else _Progress(0, 0, None, None, (), ())
        start = perf_counter()
        while state.seed < self.n_seeds:
            if state.slices >= passes * per_pass:
                state = self._finish(dataset, counts, state)
            else:
                # learning_decay 0 with all documents in one slice is scikit-learn's batch learning, cut into passes.
                model = state.model or LatentDirichletAllocation(
                    self.request.rank,
                    random_state=(self.request.seed + state.seed) % 2**32,
                    learning_decay=0.0 if n <= WHOLE else 0.7,
                    batch_size=step,
                    total_samples=n,
                )
                at = (state.slices % per_pass) * step
                model.partial_fit(counts[at : at + step])
                state = replace(state, slices=state.slices + 1, model=model)
                if state.seed == 0:
                    state = replace(state, first=model)
            if perf_counter() - start > budget:
                break
        done = (state.seed + min(1.0, state.slices / (passes * per_pass))) / self.n_seeds
        stop = Stop.CONVERGED if state.seed >= self.n_seeds else Stop.RUNNING
        return Chunk(state, stop, min(done, 1.0), f"LDA, seed {min(state.seed + 1, self.n_seeds)} of {self.n_seeds}")

    def _finish(self, dataset: Dataset, counts: Any, state: _Progress) -> _Progress:
        from nmf_core.fit import fit

        request = self.request.with_(init="random", seed=(self.request.seed + state.seed) % 2**32)
        result = fit(dataset, request)
        scores = [
            float(np.nanmean(npmi(counts, np.argsort(-H, axis=1, kind="stable")[:, : self.n_words])))
            for H in (state.model.components_, _by_weight(result.H))
        ]
        return replace(
            state, seed=state.seed + 1, slices=0, model=None, lda=(*state.lda, scores[0]), nmf=(*state.nmf, scores[1])
        )

    def result(self, dataset: Dataset, state: _Progress | None, stop: Stop) -> Opinion:
        """Return LDA's topics and the coherences of the seeds done so far."""
        topics, passes = None, 0
        if state is not None and state.first is not None:
            topics = lda_topics(counts_of(dataset), state.first, dataset.cols)
            passes = int(state.first.n_batch_iter_) - 1
        lda, nmf = (np.array(values) for values in ((state.lda, state.nmf) if state else ((), ())))
        return Opinion(topics, lda, nmf, passes)


def _by_weight(H: Array) -> Array:
    sums = H.sum(axis=1, keepdims=True)
    return H / np.where(sums > 0, sums, 1)


def counts_of(dataset: Dataset) -> Any:
    """Return the counts that belong to a text data set: ``extra["counts"]`` or X itself."""
    found = dataset.extra.get("counts")
    return sp.csr_array(dataset.X if found is None else found)


def lda_topics(counts: Any, model: Any, vocabulary: Array) -> Topics:
    """Return the topics of a fitted LDA; shares of documents by its own variational inference."""
    shares = model.transform(counts)
    shares[np.diff(counts.indptr) == 0] = 0
    return Topics.of(shares, _by_weight(model.components_), counts, vocabulary)


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """Topics of one model paired with those of another, one to one, by the least sum of distances.

    ``pairs`` has shape (k, 2), ``distance`` (k,) holds their Jensen–Shannon distances; ``all_`` the whole matrix.
    """

    pairs: Array
    distance: Array
    all_: Array


def match_topics(first: Topics, second: Topics) -> Match:
    """Pair the topics of two models over the same words (Hungarian method on Jensen–Shannon distances)."""
    from scipy.optimize import linear_sum_assignment

    k = first.rank
    D = jensen_shannon(np.vstack([first.words, second.words]))[:k, k:]
    rows, columns = linear_sum_assignment(D)
    return Match(np.column_stack([rows, columns]), D[rows, columns], D)
