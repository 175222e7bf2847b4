"""Do the words of a topic stand together? Normalised pointwise mutual information on the training corpus."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from nmf_core.types import Array


def npmi(counts: Any, top: Array) -> Array:
    """Return the mean NPMI over all pairs of each topic's top words (Bouma 2009; Lau, Newman & Baldwin 2014).

    NPMI(i, j) = log(p_ij / (p_i p_j)) / −log p_ij, with probabilities counted over whole documents of the corpus
    given: p_i is the share of documents that hold word i. It is −1 for words that never meet, 0 for words that meet by
    chance, 1 for words that stand only together. A pair that stands in every document tells nothing and counts as 0.

    Parameters
    ----------
    counts : csr_array of shape (n_documents, n_words)
        Anything above 0 means "stands in".
    top : ndarray of int of shape (n_topics, n)
        Columns of the top words, n ≥ 2.

    Returns
    -------
    ndarray of shape (n_topics,)
        From −1 to 1; NaN where a topic has fewer than two words.
    """
    n_documents = counts.shape[0]
    wanted, place = np.unique(top, return_inverse=True)
    place = place.reshape(top.shape)
    present = sp.csc_array(counts[:, wanted])
    present = sp.csc_array((np.ones(present.nnz), present.indices, present.indptr), shape=present.shape)
    joint = (present.T @ present).toarray() / n_documents  # at most n_topics × n words on a side
    single = np.diag(joint)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.log(joint / np.outer(single, single)) / -np.log(joint)
    values[joint == 0] = -1.0
    values[joint == 1] = 0.0
    pairs = np.triu_indices(top.shape[1], k=1)
    if not len(pairs[0]):
        return np.full(len(top), np.nan)
    return np.array([values[np.ix_(row, row)][pairs].mean() for row in place])
