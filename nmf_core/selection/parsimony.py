"""Is every component needed? Sparseness, shares, duplicates, empties, and scores that charge for parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmf_core.selection.matching import cosine
from nmf_core.types import Array

DUPLICATE = 0.95


def hoyer(x: Array, axis: int = -1) -> Array:
    """Sparseness (√n − L1/L2)/(√n − 1) along an axis (Hoyer 2004): 0 for a constant, 1 for a single entry.

    NaN for a vector of zeros; 0 for vectors of length 1.
    """
    x = np.abs(np.asarray(x, dtype=np.float64))
    n = x.shape[axis]
    l1, l2 = x.sum(axis=axis), np.sqrt((x * x).sum(axis=axis))
    if n == 1:
        return np.where(l2 > 0, 0.0, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(l2 > 0, (np.sqrt(n) - l1 / l2) / (np.sqrt(n) - 1), np.nan)


def strength(W: Array, H: Array) -> Array:
    """Length ‖w_k‖·‖h_k‖ of each rank-one part, free of the scale between W and H."""
    return np.linalg.norm(W, axis=0) * np.linalg.norm(H, axis=1)


@dataclass(frozen=True, slots=True)
class Parsimony:
    """How lean one factorization is.

    Attributes
    ----------
    sparseness_W, sparseness_H : float
        Mean Hoyer sparseness of the columns of W and the rows of H.
    smallest_share : float
        Squared length of the weakest part over the sum of all: 0 for an empty component.
    duplicates : int
        Pairs of components whose cosine exceeds 0.95 in H *and* in W: the same part twice.
    similar : int
        Pairs whose cosine exceeds 0.95 in H alone.
    empty : int
        Components that are zero in W or in H.
    """

    sparseness_W: float
    sparseness_H: float
    smallest_share: float
    duplicates: int
    similar: int
    empty: int


def parsimony(W: Array, H: Array, threshold: float = DUPLICATE) -> Parsimony:
    """Measure one factorization; see :class:`Parsimony`."""
    energy = strength(W, H) ** 2
    total = energy.sum()
    # "Empty" is relative: solvers leave tiny positive numbers where a component has died.
    empty = int((energy <= 1e-20 * max(total, 1e-300)).sum())
    upper = np.triu(np.ones((len(H), len(H)), dtype=bool), 1)
    same_H = (cosine(H, H) > threshold) & upper
    same_W = cosine(W.T, W.T) > threshold
    with np.errstate(invalid="ignore"):
        sparse_W, sparse_H = hoyer(W, axis=0), hoyer(H, axis=1)
    return Parsimony(
        float(np.nanmean(sparse_W)) if np.isfinite(sparse_W).any() else np.nan,
        float(np.nanmean(sparse_H)) if np.isfinite(sparse_H).any() else np.nan,
        float(energy.min() / total) if total > 0 else 0.0,
        int((same_H & same_W).sum()),
        int(same_H.sum()),
        empty,
    )


def n_parameters(n_samples: int, n_features: int, rank: int) -> int:
    """Free numbers of W and H: rank·(n_samples + n_features − 1), the scale of each part counted once."""
    return rank * (n_samples + n_features - 1)


def information_criteria(rss: float, n_cells: int, parameters: int) -> tuple[float, float]:
    """AIC and BIC of a least-squares fit, n log(RSS/n) + 2p and n log(RSS/n) + p log n.

    Assumes independent Gaussian errors of one size in every cell, and as many free parameters as W and H have entries
    although those at zero are not free and NMF is no regular model. A hint, never a proof. NaN at an exact fit.
    """
    if rss <= 0 or n_cells <= 0:
        return np.nan, np.nan
    base = n_cells * np.log(rss / n_cells)
    return float(base + 2 * parameters), float(base + parameters * np.log(n_cells))


def poisson_information_criteria(divergence: float, n_cells: int, parameters: int) -> tuple[float, float]:
    """AIC and BIC from the Kullback–Leibler divergence D, 2D + 2p and 2D + p log n.

    Assumes the cells are independent Poisson counts (not rescaled), where 2D is the deviance; and parameters as in
    :func:`information_criteria`.
    """
    return float(2 * divergence + 2 * parameters), float(2 * divergence + parameters * np.log(n_cells))
