"""Do the components themselves come back from restart to restart?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nmf_core.selection.matching import cosine, match, unit_rows
from nmf_core.types import Array

STABLE, SHAKY = 0.95, 0.80


def amari(A: Array, B: Array) -> float:
    """Amari-type distance of two sets of components (Wu et al. 2016, PNAS 113:4290).

    1 − (Σ row maxima + Σ column maxima of corr(A, B))/(2·rank): 0 for the same components in any order.

    Parameters
    ----------
    A, B : ndarray of shape (rank, n_features)
    """
    correlation = cosine(A - A.mean(axis=1, keepdims=True), B - B.mean(axis=1, keepdims=True))
    return float(1.0 - (correlation.max(axis=0).sum() + correlation.max(axis=1).sum()) / (2 * len(A)))


def mean_amari(components: Sequence[Array]) -> float:
    """Mean Amari-type distance over all pairs of restarts; NaN with fewer than two."""
    pairs = [amari(a, b) for i, a in enumerate(components) for b in components[i + 1 :]]
    return float(np.mean(pairs)) if pairs else np.nan


def matched_similarity(reference: Array, components: Sequence[Array]) -> Array:
    """Cosine of every reference component with its partner in each other fit.

    Parameters
    ----------
    reference : ndarray of shape (rank, n_features)
    components : sequence of ndarray of shape (rank, n_features)

    Returns
    -------
    ndarray of shape (n_fits, rank)
    """
    if not components:
        return np.zeros((0, len(reference)))
    return np.stack([match(reference, other)[1] for other in components])


def component_silhouette(components: Sequence[Array]) -> Array:
    """Silhouette of the components of many restarts, one cluster per component (cNMF, Kotliar et al. 2019).

    Components are scaled to length 1 and compared by Euclidean distance. The clusters come from matching every
    restart to the first (Hungarian), where cNMF uses k-means: each restart gives one member to each cluster.

    Parameters
    ----------
    components : sequence of ndarray of shape (rank, n_features)
        The reference (best) restart first.

    Returns
    -------
    ndarray of shape (rank,)
        Mean silhouette per component, −1 to 1; NaN with fewer than two restarts or with one component.
    """
    n_runs = len(components)
    rank = len(components[0]) if n_runs else 0
    if n_runs < 2 or rank < 2:
        return np.full(rank, np.nan)
    aligned = [unit_rows(components[0])]
    aligned += [unit_rows(other)[match(components[0], other)[0]] for other in components[1:]]
    points = np.concatenate(aligned)  # run-major: point i belongs to cluster i % rank
    distance = np.sqrt(np.maximum(2.0 - 2.0 * np.clip(points @ points.T, -1.0, 1.0), 0.0))
    np.fill_diagonal(distance, 0.0)
    per_cluster = distance.reshape(len(points), n_runs, rank).sum(axis=1)
    own = np.tile(np.arange(rank), n_runs)
    index = np.arange(len(points))
    inside = per_cluster[index, own] / (n_runs - 1)
    outside = per_cluster / n_runs
    outside[index, own] = np.inf
    nearest = outside.min(axis=1)
    larger = np.maximum(inside, nearest)
    value = np.divide(nearest - inside, larger, out=np.zeros_like(inside), where=larger > 0)
    return value.reshape(n_runs, rank).mean(axis=0)


@dataclass(frozen=True, slots=True)
class Badge:
    """A word on how far one component can be trusted, with the number behind it."""

    word: str
    similarity: float

    @property
    def sentence(self) -> str:
        """Return the badge as a sentence."""
        if not np.isfinite(self.similarity):
            return "Not known: it takes at least two fits."
        return f"{self.word}: its typical likeness to its partner in other fits is {self.similarity:.2f} (cosine)."


def badges(similarity: Array) -> tuple[Badge, ...]:
    """Return one badge per component.

    Parameters
    ----------
    similarity : ndarray of shape (n_fits, rank)
        From :func:`matched_similarity`; the median over fits decides: stable from 0.95, shaky from 0.80.
    """
    if len(similarity) == 0:
        return tuple(Badge("unknown", np.nan) for _ in range(similarity.shape[1]))
    middle = np.median(similarity, axis=0)
    return tuple(
        Badge("stable" if value >= STABLE else "shaky" if value >= SHAKY else "unstable", float(value))
        for value in middle
    )


def distinct_solutions(
    losses: Array, components: Sequence[Array], *, loss_tol: float = 1e-3, likeness: float = 0.98
) -> Array:
    """Group restarts that found the same solution.

    Two restarts count as one solution when their losses differ by less than `loss_tol` (relative) and every matched
    pair of components has a cosine above `likeness`.

    Returns
    -------
    ndarray of int of shape (n_runs,)
        Group of each restart, numbered from the best loss up.
    """
    losses = np.asarray(losses, dtype=np.float64)
    group = np.full(len(losses), -1)
    leaders: list[int] = []
    for i in np.argsort(losses, kind="stable"):
        for number, leader in enumerate(leaders):
            close = abs(losses[i] - losses[leader]) <= loss_tol * max(abs(losses[leader]), 1e-300)
            if close and match(components[leader], components[i])[1].min() >= likeness:
                group[i] = number
                break
        else:
            group[i] = len(leaders)
            leaders.append(int(i))
    return group
