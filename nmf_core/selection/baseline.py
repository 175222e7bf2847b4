"""What would the same curve look like if the columns had nothing to do with each other?"""

from __future__ import annotations

from typing import Any

import numpy as np

from nmf_core.types import Array, is_sparse


def permute_columns(X: Any, seed: int) -> Any:
    """Shuffle every column on its own (Frigyesi & Höglund 2008).

    Each column keeps its values (missing cells and stored zeros included); what linked one column to another is gone.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_samples, n_features)
    seed : int

    Returns
    -------
    Same type and shape as X.
    """
    rng = np.random.default_rng(seed)
    if not is_sparse(X):
        return rng.permuted(np.asarray(X), axis=0)
    import scipy.sparse as sp

    columns = sp.csc_array(X, copy=True)
    n_samples = columns.shape[0]
    for j in range(columns.shape[1]):
        start, end = columns.indptr[j], columns.indptr[j + 1]
        columns.indices[start:end] = rng.choice(n_samples, size=end - start, replace=False)
    columns.has_sorted_indices = False
    columns.sort_indices()
    return sp.csr_array(columns)


def marginal_gain(rss: Array, before: float) -> Array:
    """Share of the remaining error that each further rank removes, (RSS_{k−1} − RSS_k)/RSS_{k−1}.

    Parameters
    ----------
    rss : ndarray of shape (..., n_ranks)
        Residual sums of squares for consecutive ranks.
    before : float
        RSS of the rank before the first (ΣX² before rank 1).
    """
    rss = np.asarray(rss, dtype=np.float64)
    previous = np.concatenate([np.full((*rss.shape[:-1], 1), before), rss[..., :-1]], axis=-1)
    return np.divide(previous - rss, previous, out=np.zeros_like(rss), where=previous > 0)


def drift(X: Any, groups: Array | None = None, *, rows: int = 2000, cols: int = 200) -> float:
    """Return the median over columns of the correlation of each value with the one in the next row; 0 where not defined.

    High for samples in an order of time or place, and for samples sorted by class.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_samples, n_features)
        NaN where missing: the mean of the column stands in.
    groups : ndarray of int of shape (n_samples,), optional
        Known classes: what they differ by is taken out, since rows sorted by class do not drift.
    rows, cols : int
        The first rows and evenly spread columns that are looked at.
    """
    part = X[:rows, :: max(1, X.shape[1] // cols)]
    part = np.asarray(part.toarray() if is_sparse(part) else part, dtype=np.float64)
    part = part / max(float(np.nanmax(part, initial=0.0)), 1e-300)
    known = np.isfinite(part)
    group = np.zeros(len(part), dtype=int) if groups is None else np.asarray(groups)[:rows]
    centred = np.zeros_like(part)
    for g in np.unique(group):
        here = group == g
        mean = np.where(known[here], part[here], 0.0).sum(axis=0) / np.maximum(known[here].sum(axis=0), 1)
        centred[here] = np.where(known[here], part[here] - mean, 0.0)
    spread = (centred**2).sum(axis=0)
    varied = spread > 1e-24 * len(part)
    if not varied.any():
        return 0.0
    return float(np.median((centred[1:] * centred[:-1]).sum(axis=0)[varied] / spread[varied]))
