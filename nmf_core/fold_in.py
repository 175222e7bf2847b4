"""New rows over parts that are kept: the weights that fit them best, with H fixed."""

from __future__ import annotations

from typing import Any

import numpy as np

from nmf_core.fit import fit
from nmf_core.types import Array, FitRequest, FitResult, is_sparse


def weights_of(X: Any, result: FitResult, *, unknown: bool = False) -> Array:
    """Return W for new rows with H fixed: the loss and the penalties of the fit, solved to a tight tolerance.

    Parameters
    ----------
    X : ndarray or csr_array of shape (n, n_features)
        NaN marks a missing cell.
    result : FitResult
    unknown : bool
        Cells that a sparse X does not store are unknown, not zero.

    Returns
    -------
    ndarray of shape (n, rank)
        Rows of zeros weigh nothing.
    """
    asked, H = result.request, result.H
    W = np.zeros((X.shape[0], len(H)))
    sums = np.asarray(X.sum(axis=1)).ravel() if is_sparse(X) else np.nansum(X, axis=1)
    held = np.flatnonzero(sums > 0)
    if not held.size:
        return W
    request = FitRequest(
        rank=len(H),
        solver="auto",
        loss=asked.loss,
        init="random",
        max_iter=2_000,
        tol=1e-9,
        alpha_W=asked.alpha_W,  # scaled by the number of columns, which is the same for new rows
        alpha_H=0.0,
        l1_ratio=asked.l1_ratio,
    )
    rows = X[held]
    start = np.full((held.size, len(H)), max(float(sums[held].mean()), 1e-9) / max(float(H.sum()), 1e-12))
    mask: Any = "unstored" if unknown and is_sparse(X) else None
    W[held] = fit(rows, request, W=start, H=np.asarray(H, dtype=rows.dtype), update_H=False, mask=mask).W
    return W
