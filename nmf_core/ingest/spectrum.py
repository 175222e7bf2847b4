"""Singular values of a matrix before any fit, and the elbow among them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmf_core.ingest.raw import Raw
from nmf_core.types import Array

LIMIT_ROWS, LIMIT_COLUMNS = 2000, 2000


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """The largest singular values.

    Attributes
    ----------
    values : ndarray
        Largest first.
    total : float
        Sum of the squares of all singular values, ‖X‖².
    elbow : int
        Number of values before the curve flattens.
    sampled : bool
        Rows or columns were sampled, so that the values are those of a part of the matrix.
    """

    values: Array
    total: float
    elbow: int
    sampled: bool


def spectrum(raw: Raw, k: int = 30, seed: int = 0) -> Spectrum:
    """Return the k largest singular values; missing cells count as their column's mean.

    Uses the randomized range finder with six power iterations of Halko, Martinsson & Tropp (2011, algorithm 4.4); exact
    for small matrices. Rows and columns beyond 2,000 each are sampled when X is dense.
    """
    rng = np.random.default_rng(seed)
    X, sampled = raw.X, False
    n, m = raw.shape
    if not raw.sparse:
        if n > LIMIT_ROWS:
            X, sampled = X[np.sort(rng.choice(n, LIMIT_ROWS, replace=False))], True
        if m > LIMIT_COLUMNS:
            X, sampled = X[:, np.sort(rng.choice(m, LIMIT_COLUMNS, replace=False))], True
        X = _filled(np.asarray(X, dtype=np.float64))
        total = float((X**2).sum())
    else:
        total = float((X.data.astype(np.float64) ** 2).sum())
    k = min(k, *X.shape)
    if not raw.sparse and min(X.shape) <= 200:
        gram = X.T @ X if X.shape[1] <= X.shape[0] else X @ X.T
        values = np.sqrt(np.maximum(np.linalg.eigvalsh(gram)[::-1][:k], 0.0))
    else:
        size = min(k + 20, *X.shape)
        Q = np.linalg.qr(X @ rng.standard_normal((X.shape[1], size)))[0]
        for _ in range(6):
            Q = np.linalg.qr(X.T @ Q)[0]
            Q = np.linalg.qr(X @ Q)[0]
        values = np.linalg.svd(np.asarray((X.T @ Q).T), compute_uv=False)[:k]
    return Spectrum(values, total, elbow(values), sampled)


def elbow(values: Array) -> int:
    """Return how many values come before the curve flattens.

    The point farthest below the chord from the first to the last value, both axes scaled to [0, 1] (Satopää et al.,
    2011, "Kneedle"); the values before it are counted.
    """
    values = np.asarray(values, dtype=float)
    if len(values) < 3 or values[0] <= values[-1]:
        return min(1, len(values))
    x = np.linspace(0.0, 1.0, len(values))
    y = (values - values[-1]) / (values[0] - values[-1])
    return max(1, int(np.argmax((1.0 - x) - y)))


def _filled(X: Array) -> Array:
    bad = ~np.isfinite(X)
    if not bad.any():
        return X
    X = np.where(bad, np.nan, X)
    some = ~np.isnan(X).all(axis=0)
    means = np.zeros(X.shape[1])
    means[some] = np.nanmean(X[:, some], axis=0)
    return np.where(bad, means, X)
