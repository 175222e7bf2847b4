"""Data made worse on purpose: noise, outliers, missing cells; and how far a model is off."""

from __future__ import annotations

import numpy as np

from nmf_core.lenses.images.prepare import dense
from nmf_core.types import Array, Dataset

KINDS = {
    "noise": "Noise",
    "outliers": "Outliers",
    "missing": "Missing cells",
}
#: What a level means.
MEANING = {
    "noise": "standard deviation of the noise, as a share of the data's own",
    "outliers": "share of cells set to many times the largest value",
    "missing": "share of cells taken away",
}
#: Levels of the curves; the first is the clean data.
LEVELS = {
    "noise": (0.0, 0.1, 0.25, 0.5, 1.0, 2.0),
    "outliers": (0.0, 0.001, 0.003, 0.01, 0.03, 0.1),
    "missing": (0.0, 0.1, 0.2, 0.4, 0.6, 0.8),
}
#: Outliers are so many times the largest value, unless said otherwise.
STRENGTH = 10.0


def clean(dataset: Dataset) -> Array:
    """Return X dense in double precision; a cell that is unknown from the start is NaN."""
    X = dataset.X
    if not hasattr(X, "indptr"):
        return np.array(X, dtype=np.float64)
    if not isinstance(dataset.mask, str):
        return X.toarray().astype(np.float64)
    out = np.full(X.shape, np.nan)
    stored = X.tocoo()
    out[stored.coords] = stored.data
    return out


def filled(X: Array) -> Array:
    """Return X with unknown cells set to the mean of their column, for methods that know no missing cells."""
    return X if not np.isnan(X).any() else dense(Dataset.of(X))[0].astype(np.float64)


def off(X: Array, model: Array) -> float:
    """Return ‖X − model‖ / ‖X‖ over the known cells of X."""
    known = ~np.isnan(X)
    size = float(np.linalg.norm(X[known])) or 1.0
    return float(np.linalg.norm((X - model)[known])) / size


def corrupted(X: Array, kind: str, level: float, seed: int = 0, strength: float = STRENGTH) -> Array:
    """Return X made worse.

    Parameters
    ----------
    X : ndarray of shape (n, m)
        Clean, ≥ 0; NaN where unknown, which stays unknown.
    kind : {"noise", "outliers", "missing"}
    level : float
        See `MEANING`. Zero returns X itself. What noise pushes below 0 is set to 0: NMF needs X ≥ 0.
    seed : int
        A higher level of the same seed spoils the same cells and more.
    strength : float
        Outliers are so many times the largest value.

    Raises
    ------
    ValueError
        For an unknown kind or a negative level.
    """
    if kind not in KINDS or not level >= 0:
        raise ValueError(f"corruption: {kind!r} at {level!r} is not one of {', '.join(KINDS)} at a level ≥ 0")
    if level == 0:
        return X
    rng = np.random.default_rng([seed, 7])
    if kind == "noise":
        return np.maximum(X + level * np.nanstd(X) * rng.standard_normal(X.shape), 0.0)
    hit = rng.random(X.shape) < level
    out = X.copy()
    if kind == "outliers":
        out[hit & ~np.isnan(X)] = strength * np.nanmax(X)
        return out
    out[hit] = np.nan
    # A row or column without any known cell has nothing to say: it keeps its own.
    rows, cols = np.isnan(out).all(axis=1), np.isnan(out).all(axis=0)
    out[rows] = X[rows]
    out[:, cols] = X[:, cols]
    return out
