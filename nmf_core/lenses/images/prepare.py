"""The matrix that the methods of this lens run on: dense, single precision, nothing missing."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from nmf_core.types import Array, Dataset, is_sparse

#: Cells up to which sparse data are made dense.
DENSE_CELLS = 60_000_000


@lru_cache(maxsize=2)  # by identity: data sets are immutable; works ask for the same one chunk after chunk
def dense(dataset: Dataset) -> tuple[Array, str]:
    """Return X dense in float32, and a sentence on what was filled in (empty if nothing was).

    Missing cells get the mean of their column, for methods that know no missing cells.

    Raises
    ------
    ValueError
        If a sparse X is too large to be made dense.
    """
    X: Any = dataset.X
    if is_sparse(X):
        if X.shape[0] * X.shape[1] > DENSE_CELLS:
            raise ValueError(
                f"X: {X.shape[0]:,} × {X.shape[1]:,} cells are too many for this page; take fewer or smaller pictures"
            )
        X = X.toarray()
    X = np.array(X, dtype=np.float32, order="C")
    missing = np.isnan(X)
    if not missing.any():
        X.flags.writeable = False
        return X, ""
    known = ~missing
    counts = known.sum(axis=0)
    overall = X[known].mean() if known.any() else np.float32(0)
    means = np.divide(np.where(known, X, 0).sum(axis=0), counts, out=np.full(X.shape[1], overall), where=counts > 0)
    filled = np.where(missing, means.astype(np.float32), X)
    return (
        filled,
        f"{int(missing.sum()):,} missing pixels were filled with the mean of their place in the other pictures.",
    )


def single(dataset: Dataset) -> Dataset:
    """Return the data set in float32: half the time, and more digits than an 8-bit picture has."""
    if is_sparse(dataset.X) or dataset.X.dtype == np.float32:
        return dataset
    return _single(dataset)


@lru_cache(maxsize=4)  # by identity: data sets are immutable and compare by it
def _single(dataset: Dataset) -> Dataset:
    return Dataset.of(
        dataset.X.astype(np.float32),
        dataset.name,
        rows=dataset.rows,
        cols=dataset.cols,
        kind=dataset.kind,
        labels=dataset.labels,
        cell_shape=dataset.cell_shape,
        notes=dataset.notes,
        steps=dataset.steps,
        extra=dataset.extra,
    )
