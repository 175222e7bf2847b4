"""The topics of text that was not there when the topics were found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nmf_core.lenses.text.topics import Topics, normalized
from nmf_core.lenses.text.vectorize import TextMatrix
from nmf_core.types import Array, FitRequest, FitResult


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


def weights_of(X: Any, result: FitResult) -> Array:
    """Return W for new rows with H fixed: the loss and the penalties of the fit, solved to a tight tolerance.

    Parameters
    ----------
    X : csr_array of shape (n, n_words)
    result : FitResult

    Returns
    -------
    ndarray of shape (n, rank)
        Rows without words are zero.
    """
    from nmf_core.fit import fit

    W = np.zeros((X.shape[0], len(result.H)))
    held = np.diff(X.indptr) > 0
    if held.any():
        request = FitRequest(
            rank=len(result.H),
            solver="auto",
            loss=result.request.loss,
            init="random",
            max_iter=2_000,
            tol=1e-9,
            alpha_W=result.request.alpha_W,  # scaled by the number of words, which is the same for new text
            alpha_H=0.0,
            l1_ratio=result.request.l1_ratio,
        )
        start = np.full((int(held.sum()), len(result.H)), 1.0)
        W[held] = fit(X[np.flatnonzero(held)], request, W=start, H=result.H, update_H=False).W
    return W


def shares_of(W: Array, result: FitResult, topics: Topics) -> Array:
    """Return topic shares, in the order of the topics, for rows of W as fitted."""
    return normalized((W * result.H.sum(axis=1, dtype=np.float64))[:, topics.index])


def relative_errors(X: Any, W: Array, H: Array) -> Array:
    """Return ‖x − wH‖ / ‖x‖ for every row that holds words, without forming WH.

    Parameters
    ----------
    X : csr_array of shape (n, n_words)
    W, H : ndarray of shape (n, rank), (rank, n_words)
    """
    square = np.asarray(X.multiply(X).sum(axis=1)).ravel()
    cross = ((X @ H.T) * W).sum(axis=1)
    model = ((W @ (H @ H.T)) * W).sum(axis=1)
    held = square > 0
    return np.sqrt(np.clip(square - 2 * cross + model, 0, None)[held] / square[held])


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
