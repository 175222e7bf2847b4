"""Many fits of one matrix in one call: restarts, ranks, penalties, bootstrap starts.

X is checked and prepared once. Each fit runs on a thread of its own; small ones spend nearly all their time in compiled
loops that need no interpreter lock. A result is the one that :func:`nmf_core.fit.fit` gives for the same request.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from nmf_core.fit import advance_to_end, one_thread
from nmf_core.kernels import threads
from nmf_core.problem import prepare
from nmf_core.types import Array, Dataset, FitRequest, FitResult


def fit_many(
    X: Any,
    requests: Sequence[FitRequest],
    *,
    mask: Array | Literal["unstored"] | None = None,
    weights: Array | None = None,
) -> list[FitResult]:
    """Return the result of every request, in order.

    Parameters
    ----------
    X : array-like, sparse matrix or Dataset of shape (n_samples, n_features)
    requests : sequence of FitRequest
        They may differ in everything: rank, seed, loss, solver, penalties, limits.
    mask, weights : see :func:`nmf_core.fit.fit`.

    Raises
    ------
    ValueError
        If X or any request cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> from nmf_core.types import FitRequest
    >>> X = np.outer([1.0, 2.0, 3.0], [1.0, 0.5])
    >>> [result.request.seed for result in fit_many(X, [FitRequest(rank=1, seed=s) for s in range(3)])]
    [0, 1, 2]
    """
    if isinstance(X, Dataset):
        mask = X.mask if mask is None else mask
        requests = [r if r.dataset_id else r.with_(dataset_id=X.id) for r in requests]
        X = X.X
    problems: dict[tuple[Any, ...], Any] = {}
    parts = []
    for request in requests:
        key = (request.beta, request.alpha_W, request.alpha_H, request.l1_ratio)
        if key not in problems:
            penalties = {name: getattr(request, name) for name in ("alpha_W", "alpha_H", "l1_ratio")}
            problems[key] = prepare(X, beta=request.beta, mask=mask, weights=weights, **penalties)
        parts.append((problems[key], request))
    with one_thread():
        return threads.run(advance_to_end, parts)
