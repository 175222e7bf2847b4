"""Do samples fall into the same groups from restart to restart?

Every restart puts each sample with its largest component. The consensus of a pair is the share of restarts that put
both with the same one (Monti et al. 2003; Brunet et al. 2004, PNAS 101:4164).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmf_core.types import Array

PAC_LOW, PAC_HIGH = 0.1, 0.9


def assignments(W: Array, H: Array | None = None) -> Array:
    """Return the strongest component of every sample.

    Parameters
    ----------
    W : ndarray of shape (n_samples, rank)
    H : ndarray of shape (rank, n_features), optional
        When given, each column of W is first multiplied by the length of its component, so that the arbitrary
        scale between W and H cannot decide the answer.
    """
    strength = W if H is None else W * np.linalg.norm(H, axis=1)
    return np.argmax(strength, axis=1)


def consensus_matrix(labels: Array) -> Array:
    """Share of runs in which a pair of samples has the same label.

    Parameters
    ----------
    labels : ndarray of int of shape (n_runs, n_samples)

    Returns
    -------
    ndarray of shape (n_samples, n_samples)
    """
    labels = np.atleast_2d(np.asarray(labels))
    if labels.shape[0] == 0:
        raise ValueError("labels: needs at least one run")
    n_runs, n_samples = labels.shape
    n_groups = int(labels.max()) + 1 if labels.size else 1
    # One product of indicator matrices instead of a loop over runs: C = Σ_run Z_run Z_runᵀ / n_runs.
    member = np.zeros((n_samples, n_runs * n_groups), dtype=np.float32)
    member[np.arange(n_samples)[:, None], labels.T + n_groups * np.arange(n_runs)] = 1.0
    return (member @ member.T).astype(np.float64) / n_runs


def _pairs(C: Array) -> Array:
    return C[np.triu_indices(len(C), 1)]


def cophenetic_correlation(C: Array) -> float:
    """Cophenetic correlation of a consensus matrix (Brunet et al. 2004).

    Pearson correlation between d = 1 − C and the heights at which the average-linkage tree of d joins each pair.
    1 when every restart agrees (also when all samples fall into one group, where the quotient is 0/0).
    """
    from scipy.cluster.hierarchy import average, cophenet

    distance = 1.0 - _pairs(np.asarray(C, dtype=np.float64))
    if distance.size == 0 or np.ptp(distance) < 1e-12:
        return 1.0
    height = cophenet(average(distance))
    if np.ptp(height) < 1e-12:
        return 0.0
    return float(np.corrcoef(distance, height)[0, 1])


def dispersion(C: Array) -> float:
    """Dispersion ρ = mean of 4 (C − ½)² (Kim & Park 2007): 1 for a consensus of zeros and ones, 0 when all are ½."""
    return float(np.mean(4.0 * (np.asarray(C) - 0.5) ** 2))


def pac(C: Array, low: float = PAC_LOW, high: float = PAC_HIGH) -> float:
    """Proportion of ambiguous clustering: share of pairs strictly between `low` and `high` (Şenbabaoğlu 2014)."""
    pairs = _pairs(np.asarray(C))
    return float(np.mean((pairs > low) & (pairs < high))) if pairs.size else 0.0


def sample_silhouette(C: Array, labels: Array) -> Array:
    """Silhouette of every sample on the distances 1 − C.

    Parameters
    ----------
    C : ndarray of shape (n_samples, n_samples)
    labels : ndarray of int of shape (n_samples,)
        Groups of the best restart.

    Returns
    -------
    ndarray of shape (n_samples,)
        Between −1 and 1; NaN throughout if there is only one group; 0 for a sample alone in its group.
    """
    distance = 1.0 - np.asarray(C, dtype=np.float64)
    groups, code = np.unique(labels, return_inverse=True)
    if len(groups) < 2:
        return np.full(len(code), np.nan)
    member = np.eye(len(groups))[code]
    size = member.sum(axis=0)
    total = distance @ member
    own = code, size[code]
    inside = total[np.arange(len(code)), own[0]] / np.maximum(own[1] - 1, 1)
    mean = total / size
    mean[np.arange(len(code)), code] = np.inf
    outside = mean.min(axis=1)
    larger = np.maximum(inside, outside)
    value = np.divide(outside - inside, larger, out=np.zeros_like(inside), where=larger > 0)
    return np.where(own[1] > 1, value, 0.0)


def tree_order(C: Array) -> Array:
    """Return the order of samples in which the average-linkage tree of 1 − C draws without crossings."""
    from scipy.cluster.hierarchy import average, leaves_list

    if len(C) < 3:
        return np.arange(len(C))
    return leaves_list(average(1.0 - _pairs(np.asarray(C, dtype=np.float64))))


@dataclass(frozen=True, slots=True)
class ConsensusScore:
    """The numbers of one consensus matrix; NaN where one run alone defines nothing."""

    cophenetic: float
    dispersion: float
    pac: float
    silhouette: float
    n_runs: int


def score(labels: Array, best: int = 0) -> ConsensusScore:
    """Score the agreement of restarts.

    Parameters
    ----------
    labels : ndarray of int of shape (n_runs, n_samples)
    best : int
        The restart whose groups the silhouette uses.

    Notes
    -----
    With one run the consensus holds only zeros and ones and every score would read "perfect": all are NaN then.
    """
    labels = np.atleast_2d(labels)
    if len(labels) < 2:
        return ConsensusScore(np.nan, np.nan, np.nan, np.nan, len(labels))
    C = consensus_matrix(labels)
    silhouette = sample_silhouette(C, labels[best])
    mean = float(np.mean(silhouette)) if np.isfinite(silhouette).all() else np.nan
    return ConsensusScore(cophenetic_correlation(C), dispersion(C), pac(C), mean, len(labels))
