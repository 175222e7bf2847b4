"""How far apart topics are: Jensen–Shannon distances, a flat map of them, and topics that say the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmf_core.types import Array


def jensen_shannon(P: Array) -> Array:
    """Return the Jensen–Shannon distances between rows that sum to 1 (Endres & Schindelin 2003).

    The square root of the divergence to base 2: a metric, 0 for equal rows, 1 for rows without a word in common.

    Parameters
    ----------
    P : ndarray of shape (k, n)

    Returns
    -------
    ndarray of shape (k, k)
        Symmetric, zeros on the diagonal.
    """
    k = len(P)
    D = np.zeros((k, k))
    entropy = -_xlog2x(P).sum(axis=1)
    for i in range(k - 1):
        middle = 0.5 * (P[i] + P[i + 1 :])
        divergence = -_xlog2x(middle).sum(axis=1) - 0.5 * (entropy[i] + entropy[i + 1 :])
        D[i, i + 1 :] = np.sqrt(np.clip(divergence, 0, 1))
    return D + D.T


def _xlog2x(P: Array) -> Array:
    return P * np.log2(np.where(P > 0, P, 1))


@dataclass(frozen=True, slots=True, eq=False)
class FlatMap:
    """A flat picture of a distance matrix.

    Attributes
    ----------
    xy : ndarray of shape (k, 2)
    shown : float
        Share of the (positive) squared distances that the two axes of classical scaling hold, from 0 to 1.
    stress : float
        Kruskal's stress-1 of the points: root of Σ(d − δ)² / Σd² over pairs; 0 is a faithful map.
    """

    xy: Array
    shown: float
    stress: float = 0.0


def classical_scaling(D: Array) -> FlatMap:
    """Return the best flat picture of distances: principal coordinates (Torgerson 1952; Gower 1966).

    Parameters
    ----------
    D : ndarray of shape (k, k)
        Symmetric distances.
    """
    k = len(D)
    if k < 2:
        return FlatMap(np.zeros((k, 2)), 1.0, 0.0)
    J = np.eye(k) - 1.0 / k
    values, vectors = np.linalg.eigh(-0.5 * J @ (D**2) @ J)
    order = np.argsort(-values)[:2]
    axes, found = vectors[:, order], np.clip(values[order], 0, None)
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])  # eigh leaves the sign open
    xy = axes * np.where(signs == 0, 1, signs) * np.sqrt(found)
    if xy.shape[1] < 2:
        xy = np.column_stack([xy, np.zeros(k)])
    positive = values[values > 0].sum()
    return FlatMap(xy, float(found.sum() / positive) if positive > 0 else 1.0, stress(xy, D))


def stress(xy: Array, D: Array) -> float:
    """Return Kruskal's stress-1 of points for the distances D."""
    d = _between(xy)
    total = float((d**2).sum())
    return float(np.sqrt(((d - D) ** 2).sum() / total)) if total > 0 else float((D > 0).any())


def _between(xy: Array) -> Array:
    return np.sqrt(((xy[:, None, :] - xy[None, :, :]) ** 2).sum(axis=2))


def spread_map(D: Array, n_iter: int = 300) -> FlatMap:
    """Return points whose distances come as near to D as they can: metric scaling by SMACOF from the classical start.

    Topics are mostly all about equally far apart, and classical scaling then piles up what its two axes do not hold;
    least squares on the distances themselves (de Leeuw 1977; Borg & Groenen 2005, eq. 8.29) spreads them.

    Parameters
    ----------
    D : ndarray of shape (k, k)
        Symmetric distances.
    """
    start = classical_scaling(D)
    k = len(D)
    if k < 3:
        return start
    xy = start.xy
    for _ in range(n_iter):
        d = _between(xy)
        ratio = np.divide(D, d, out=np.zeros_like(D), where=d > 1e-12)
        B = np.diag(ratio.sum(axis=1)) - ratio
        new = B @ xy / k  # the Guttman transform: never raises the raw stress
        if np.abs(new - xy).max() < 1e-7:
            break
        xy = new
    return FlatMap(xy, start.shown, stress(xy, D))


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """Two topics that say nearly the same.

    Attributes
    ----------
    first, second : int
        Positions of the topics.
    distance : float
        Jensen–Shannon distance of their words.
    shared : tuple of int
        Columns of the top words they have in common.
    """

    first: int
    second: int
    distance: float
    shared: tuple[int, ...]


def near_duplicates(
    words: Array, top: Array, *, closest: float = 0.45, overlap: float = 0.4
) -> tuple[NearDuplicate, ...]:
    """Return the pairs of topics that are too alike, the closest first.

    A pair is alike when its Jensen–Shannon distance is below `closest`, or when the two lists of top words share at
    least the part `overlap`.

    Parameters
    ----------
    words : ndarray of shape (k, n_words)
        Rows sum to 1.
    top : ndarray of int of shape (k, n)
    """
    D = jensen_shannon(words)
    found = []
    for i in range(len(words)):
        for j in range(i + 1, len(words)):
            shared = tuple(int(c) for c in top[i] if c in set(top[j].tolist()))
            if D[i, j] < closest or len(shared) >= overlap * top.shape[1]:
                found.append(NearDuplicate(i, j, float(D[i, j]), shared))
    return tuple(sorted(found, key=lambda pair: pair.distance))
