"""Many fits of one matrix in one call: restarts, ranks, penalties, bootstrap starts.

X is checked and prepared once. Small fits share compiled loops, some fits to each thread, and need no interpreter between
start and end; others run on a thread of their own. A result is the one that :func:`nmf_core.fit.fit` gives for the same
request.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from nmf_core.fit import advance_to_end, one_thread, result_of
from nmf_core.kernels import threads
from nmf_core.kernels.dense import is_tiny
from nmf_core.loop import advance_each
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
    alike: dict[tuple[Any, ...], list[int]] = {}
    for i, request in enumerate(requests):
        alike.setdefault((request.beta, request.alpha_W, request.alpha_H, request.l1_ratio), []).append(i)
    results: list[Any] = [None] * len(requests)
    left = []
    with one_thread():
        for (beta, alpha_W, alpha_H, l1_ratio), places in alike.items():
            penalties = {"alpha_W": alpha_W, "alpha_H": alpha_H, "l1_ratio": l1_ratio}
            problem = prepare(X, beta=beta, mask=mask, weights=weights, **penalties)
            # Some fits need ten times the iterations of others: several shares of them for each thread.
            count = 1 if is_tiny(problem.shape) else min(len(places), 4 * threads.limit())
            shares = [places[first::count] for first in range(count)]
            found = threads.run(advance_each, [(problem, [requests[i] for i in share]) for share in shares])
            for share, states in zip(shares, found, strict=True):
                for i, state in zip(share, states, strict=True):
                    if state is None or state.current is not None:
                        left.append((i, (problem, requests[i], state)))
                    else:
                        results[i] = result_of(problem, requests[i], state, state.stops[0])
        for (i, _), result in zip(left, threads.run(advance_to_end, [part for _, part in left]), strict=True):
            results[i] = result
    return results
