"""Does this factorization look like the only one? Evidence in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmf_core.selection.matching import unit_rows
from nmf_core.types import Array

# A value below this share of its row's (or column's) largest counts as zero.
ZERO = 1e-3
PURE = 0.98


@dataclass(frozen=True, slots=True)
class Uniqueness:
    """Evidence for and against a unique factorization.

    Attributes
    ----------
    pure_samples, pure_features : int
        Components with at least one sample (feature) that holds next to nothing else: separability (Donoho & Stodden 2003).
    own_zeros : int
        Pairs (a, b) of components, out of rank·(rank − 1), for which W has a sample with b and without a and H a feature
        with b and without a: what must hold for every pair in a unique factorization (Laurberg et al. 2008, Theorem 3).
    pairs : int
    zeros_W, zeros_H : float
        Share of entries that are zero.
    verdict : {"likely unique", "possibly not unique", "not unique"}
    sentences : tuple of str
    """

    pure_samples: int
    pure_features: int
    own_zeros: int
    pairs: int
    zeros_W: float
    zeros_H: float
    verdict: str
    sentences: tuple[str, ...]


def uniqueness(W: Array, H: Array) -> Uniqueness:
    """Judge a factorization by its zeros.

    Parameters
    ----------
    W : ndarray of shape (n_samples, rank)
    H : ndarray of shape (rank, n_features)

    Notes
    -----
    Separability on one side and enough zeros on the other are sufficient; boundary closeness (a zero for every pair on
    both sides) is necessary (Laurberg et al. 2008; Huang, Sidiropoulos & Swami 2014). "Unique" means up to order and scale.
    """
    rank = len(H)
    size_W = np.asarray(W, dtype=np.float64) / np.maximum(np.max(W, axis=0), 1e-300)
    size_H = unit_rows(H)
    size_H = size_H / np.maximum(size_H.max(axis=1, keepdims=True), 1e-300)
    present_W, present_H = size_W > ZERO, size_H > ZERO
    zeros_W, zeros_H = float(1 - present_W.mean()), float(1 - present_H.mean())
    if rank == 1:
        sentence = "One component is always unique up to its scale."
        return Uniqueness(1, 1, 0, 0, zeros_W, zeros_H, "likely unique", (sentence,))
    pure_samples, pure_features = _pure(size_W), _pure(size_H.T)
    pairs = rank * (rank - 1)
    apart_W = _apart(present_W)
    apart_H = _apart(present_H.T)
    own = int((apart_W & apart_H).sum())
    sentences = [
        f"{pure_samples} of {rank} components have a sample that holds next to nothing else, {pure_features} of {rank} a "
        "feature that belongs to them alone.",
        f"{100 * zeros_W:.3g} % of W and {100 * zeros_H:.3g} % of H are zero.",
    ]
    if own < pairs:
        verdict = "not unique"
        sentences.append(
            f"For {pairs - own} of {pairs} ordered pairs, one component is present in every feature (or in every sample) in "
            "which the other is. Some of the one can then be moved into the other without changing W·H, so other, equally "
            "good factorizations exist. Penalties that set entries to zero, or known zeros, would settle it."
        )
    elif pure_samples == rank or pure_features == rank:
        verdict = "likely unique"
        sentences.append(
            "Every component has a pure representative and every pair is told apart on both sides: up to order and scale, "
            "this factorization looks unique."
        )
    else:
        verdict = "possibly not unique"
        sentences.append(
            "Every pair of components is told apart by zeros on both sides, which uniqueness needs, but not all have a pure "
            "representative, which would prove it: judge by restarts and by the ranges below."
        )
    return Uniqueness(pure_samples, pure_features, own, pairs, zeros_W, zeros_H, verdict, tuple(sentences))


def _pure(size: Array) -> int:
    """Count columns that dominate at least one row: their share of the row exceeds 98 %."""
    total = size.sum(axis=1)
    rows = total > 0
    share = size[rows] / total[rows, None]
    return int((share.max(axis=0, initial=0.0) >= PURE).sum())


def _apart(present: Array) -> Array:
    """Tell for every pair (a, b), a ≠ b, whether some row holds b but not a; the diagonal is False."""
    has = present.astype(np.float64)
    return (1 - has).T @ has > 0
