"""scikit-learn itself on the same problem from the same start: the line that every solver is held against."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from nmf_core.comparison.run import Run, yardsticks
from nmf_core.initialization import initialize
from nmf_core.loss import objective
from nmf_core.problem import prepare
from nmf_core.types import Dataset, FitRequest

#: Iterations of its calls, up to the limit of the request.
COUNTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
#: Seconds of one call at most: nothing can stop scikit-learn half-way.
MOST_SECONDS = 8.0
#: Seconds below which a call is made three times and the quickest counts: chance would decide otherwise.
SHORT = 0.1


def obstacle(dataset: Dataset) -> str:
    """Return why scikit-learn cannot run on these data, or an empty string."""
    if dataset.mask is not None:
        return "scikit-learn takes no missing cells, so it has no line here."
    if not dataset.X.max() > 0:
        return "scikit-learn takes no start of zeros alone, so it has no line here."
    return ""


def own_solver(beta: float) -> str:
    """Return the solver that scikit-learn has for a loss: coordinate descent for Frobenius alone."""
    return "cd" if beta == 2.0 else "mu"


def calls(dataset: Dataset, request: FitRequest) -> list[Callable[[Run | None], Run]]:
    """Return the calls to make, one after the other; each takes the run so far and returns it one point longer.

    scikit-learn does not say how the loss fell. So it is called anew with 1, 2, 5, 10 … iterations from the same start;
    a point's seconds are those of one whole call, its checks of the input included, as for anybody who calls it.
    The run ends where its own stopping rule does, or where the next call would take longer than `MOST_SECONDS`.
    """
    counts = sorted({min(count, request.max_iter) for count in COUNTS})
    return [partial(_longer, dataset, request, count) for count in counts]


def _longer(dataset: Dataset, request: FitRequest, count: int, so_far: Run | None) -> Run:
    if so_far is not None and not _goes_on(so_far, request, count):
        return so_far
    from sklearn.decomposition import non_negative_factorization

    problem = prepare(
        dataset.X,
        beta=request.beta,
        alpha_W=request.alpha_W,
        alpha_H=request.alpha_H,
        l1_ratio=request.l1_ratio,
    )
    W0, H0 = initialize(problem, request.rank, request.init, seed=request.seed)
    arguments: dict[str, Any] = {
        "n_components": request.rank,
        "init": "custom",
        "solver": own_solver(request.beta),
        "beta_loss": request.loss,
        "tol": request.tol,
        "alpha_W": request.alpha_W,
        "alpha_H": request.alpha_H,
        "l1_ratio": request.l1_ratio,
        "random_state": request.seed,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that it has not converged, which the table says
        if so_far is None:  # warm, as all others are
            non_negative_factorization(dataset.X, W=W0.copy(), H=H0.copy(), max_iter=1, **arguments)
        seconds = np.inf
        for _ in range(3):
            begin = time.perf_counter()
            W, H, n_iter = non_negative_factorization(dataset.X, W=W0.copy(), H=H0.copy(), max_iter=count, **arguments)
            seconds = min(seconds, time.perf_counter() - begin)
            if seconds > SHORT:
                break
    before = so_far or Run(
        request=request.with_(solver=own_solver(request.beta), options=(), n_restarts=1),
        iterations=np.array([0]),
        losses=np.array([objective(problem, W0, H0)]),
        seconds=np.array([0.0]),
        H=np.zeros((0, dataset.shape[1]), dtype=np.float32),
        ended="",
        error=float("nan"),
        divergence=float("nan"),
        own=True,
    )
    error, divergence = yardsticks(dataset, W, H)
    early = n_iter < count
    return Run(
        request=before.request,
        iterations=np.append(before.iterations, n_iter),
        losses=np.append(before.losses, objective(problem, np.ascontiguousarray(W), np.ascontiguousarray(H))),
        seconds=np.append(before.seconds, seconds),
        H=before.H,
        ended="Converged by its own rule." if early else "Stopped at the limit of iterations.",
        error=error,
        divergence=divergence,
        own=True,
    )


def _goes_on(run: Run, request: FitRequest, count: int) -> bool:
    """Tell whether another call is worth it and short enough."""
    if run.ended.startswith("Converged"):
        return False
    expected = float(run.seconds[-1]) * count / max(int(run.iterations[-1]), 1)
    return expected <= min(MOST_SECONDS, request.time_limit or MOST_SECONDS)
