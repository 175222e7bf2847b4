"""One run of a race: what is kept of it, and two measures that hold for every loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmf_core.loss import objective
from nmf_core.problem import prepare
from nmf_core.types import Array, Dataset, FitRequest


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """How one run went.

    Attributes
    ----------
    request : FitRequest
        With the solver that ran.
    iterations, losses, seconds : ndarray
        Points of its way, the start included; seconds of computing after the start.
    H : ndarray of shape (rank, n_features)
        Empty for scikit-learn's own.
    ended : str
        Why it ended, a sentence.
    error : float
        ‖X − WH‖ / ‖X‖ over known cells: the first yardstick common to all losses.
    divergence : float
        Kullback-Leibler divergence D(X | WH): the second.
    own : bool
        Made by scikit-learn itself.
    """

    request: FitRequest
    iterations: Array
    losses: Array
    seconds: Array
    H: Array
    ended: str
    error: float
    divergence: float
    own: bool = False

    @property
    def loss(self) -> float:
        """The objective at the end."""
        return float(self.losses[-1])


def yardsticks(dataset: Dataset, W: Array, H: Array) -> tuple[float, float]:
    """Return the relative Frobenius error and the Kullback-Leibler divergence of a model, whatever loss made it."""
    squared = prepare(dataset.X, beta=2.0, mask=dataset.mask)
    counted = prepare(dataset.X, beta=1.0, mask=dataset.mask)
    W, H = (np.ascontiguousarray(F, dtype=squared.dtype) for F in (W, H))
    size = squared.squares
    error = float(np.sqrt(2.0 * objective(squared, W, H) / size)) if size > 0 else 0.0
    return error, objective(counted, W, H)
