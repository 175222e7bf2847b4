"""The topics of text that was not there when the topics were found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nmf_core.fold_in import weights_of
from nmf_core.lenses.text.topics import Topics, normalized
from nmf_core.lenses.text.vectorize import TextMatrix
from nmf_core.quality import matrix_errors
from nmf_core.types import Array, FitResult


@dataclass(frozen=True, slots=True, eq=False)
class Folded:
    """New text in the space of the topics.

    Attributes
    ----------
    vector : csr_array of shape (1, n_words)
        Weighted as the corpus is.
    W : ndarray of shape (rank,)
        As fitted, in the order of the fitted H.
    shares : ndarray of shape (n_topics,)
        In the order of the topics; zeros when no word is known.
    known, unknown : int
        Words of the text that are in the matrix, and words that are not (stop words count in neither).
    error : float
        Relative error ‖x − wH‖ / ‖x‖; NaN when no word is known.
    """

    vector: Any
    W: Array
    shares: Array
    known: int
    unknown: int
    error: float


def shares_of(W: Array, result: FitResult, topics: Topics) -> Array:
    """Return topic shares, in the order of the topics, for rows of W as fitted."""
    return normalized((W * result.H.sum(axis=1, dtype=np.float64))[:, topics.index])


def relative_errors(X: Any, W: Array, H: Array) -> Array:
    """Return ‖x − wH‖ / ‖x‖ for every row that holds words.

    Parameters
    ----------
    X : csr_array of shape (n, n_words)
    W, H : ndarray of shape (n, rank), (rank, n_words)
    """
    found = matrix_errors(X, None, W, H).relative_rows
    return found[~np.isnan(found)]


def fold_in(matrix: TextMatrix, result: FitResult, topics: Topics, text: str) -> Folded:
    """Give new text its topics: same words, same weights, H fixed."""
    from nmf_core.lenses.text.words import spans, terms

    vector = matrix.vector(text)
    words = [word for _, _, word, fate in spans(text, matrix.rules) if fate == "word"]
    vocabulary = set(matrix.dataset.cols.tolist())
    inside = sum(term in vocabulary for term in terms(words, 1))
    W = weights_of(vector, result)
    norm = float(np.sqrt(vector.multiply(vector).sum()))
    rest = np.asarray(vector.todense()).ravel() - (W @ result.H).ravel()
    return Folded(
        vector,
        W[0],
        shares_of(W, result, topics)[0],
        inside,
        len(words) - inside,
        float(np.linalg.norm(rest)) / norm if norm > 0 else float("nan"),
    )
