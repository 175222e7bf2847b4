"""Which component of one fit is which component of another."""

from __future__ import annotations

import numpy as np

from nmf_core.types import Array


def unit_rows(H: Array) -> Array:
    """Return the rows of H at Euclidean length 1; a row of zeros stays zero."""
    H = np.asarray(H, dtype=np.float64)
    length = np.linalg.norm(H, axis=1, keepdims=True)
    return np.divide(H, length, out=np.zeros_like(H), where=length > 0)


def cosine(A: Array, B: Array) -> Array:
    """Cosine similarity of every row of A with every row of B.

    Parameters
    ----------
    A : ndarray of shape (n_a, n_features)
    B : ndarray of shape (n_b, n_features)

    Returns
    -------
    ndarray of shape (n_a, n_b)
        Between 0 and 1 for non-negative rows; 0 wherever a row is empty.
    """
    return np.clip(unit_rows(A) @ unit_rows(B).T, -1.0, 1.0)


def match(reference: Array, other: Array) -> tuple[Array, Array]:
    """Pair the components of two fits so that the sum of their cosines is largest (Hungarian method).

    Parameters
    ----------
    reference : ndarray of shape (rank, n_features)
    other : ndarray of shape (rank_other, n_features), rank_other ≥ rank

    Returns
    -------
    order : ndarray of int of shape (rank,)
        ``other[order]`` lines up with the reference.
    similarity : ndarray of shape (rank,)
        Cosine of each pair.

    Raises
    ------
    ValueError
        If `other` has fewer components than the reference.
    """
    from scipy.optimize import linear_sum_assignment

    if len(other) < len(reference):
        raise ValueError(f"other: has {len(other)} components, fewer than the reference's {len(reference)}")
    similarity = cosine(reference, other)
    row, order = linear_sum_assignment(-similarity)
    return order, similarity[row, order]
