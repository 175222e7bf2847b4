"""Refit everything but a few held entries of H: once for the squared error, once for the Kullback–Leibler divergence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from nmf_core.selection.heldout_fit import passes
from nmf_core.types import Array

# Sweeps between two looks at the loss, sweeps at most, and how many looks ahead a slow fall is given.
LOOK, MOST, AHEAD = 10, 500, 25
# Below this share of a factor's mean an entry starts from it: multiplicative updates cannot leave zero.
LIFT = 1e-6

Held = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Objective:
    """A loss that entries may raise, and how the rest is refitted to keep it low.

    Attributes
    ----------
    loss : callable
        From (X, W, H); NaN cells of X do not count.
    size : callable
        From X: what an exact fit is measured against.
    refit : callable
        From (X, W, H, held, limit) to new W, H and their loss, at most `limit` unless it clearly will not get there.
    cells : int
        Cells refitted at most; larger data is sampled.
    """

    loss: Callable[[Array, Array, Array], float]
    size: Callable[[Array], float]
    refit: Callable[[Array, Array, Array, Held, float], tuple[Array, Array, float]]
    cells: int


def squared_error(X: Array, W: Array, H: Array) -> float:
    """Sum of squared residuals over the known cells."""
    residual = X - W @ H
    return float(np.nansum(residual * residual))


def divergence(X: Array, W: Array, H: Array) -> float:
    """Kullback–Leibler divergence over the known cells."""
    model = np.maximum(W @ H, 1e-300)
    ratio = np.divide(X, model, out=np.ones_like(X), where=X > 0)
    return float(np.nansum(X * np.log(ratio) - X + model))


def _descend(sweep: Callable[[], None], loss: Callable[[], float], limit: float) -> float:
    """Sweep until the loss is within the limit, or falls too slowly to reach it within 25 more looks.

    Valleys are long and flat, so a slow fall alone is no reason to give up.
    """
    now = loss()
    for _ in range(MOST // LOOK):
        for _ in range(LOOK):
            sweep()
        before, now = now, loss()
        if now <= limit or now - limit > AHEAD * (before - now):
            break
    return now


def refit_squared(X: Array, W: Array, H: Array, held: Held, limit: float) -> tuple[Array, Array, float]:
    """HALS; missing cells are filled with the model before every half-step (majorization)."""
    W, H = W.copy(), H.copy()
    gap = np.isnan(X)
    any_gap = bool(gap.any())
    keep = [[feature for component, feature in held if component == k] for k in range(len(H))]

    def sweep() -> None:
        Z = np.where(gap, W @ H, X) if any_gap else X
        passes(Z @ H.T, H @ H.T, W, 2)
        Z = np.where(gap, W @ H, X) if any_gap else X
        P, G = W.T @ Z, W.T @ W
        for _ in range(2):
            for k in range(len(H)):
                if G[k, k] > 0:
                    row = np.maximum(H[k] + (P[k] - G[k] @ H) / G[k, k], 0)
                    row[keep[k]] = H[k, keep[k]]
                    H[k] = row

    return W, H, _descend(sweep, lambda: squared_error(X, W, H), limit)


def refit_divergence(X: Array, W: Array, H: Array, held: Held, limit: float) -> tuple[Array, Array, float]:
    """Multiplicative updates with weight 0 on missing cells; held entries keep their value, so the loss never rises."""
    fixed = tuple(np.array(held, dtype=np.intp).reshape(-1, 2).T)
    values = H[fixed]
    W = np.maximum(W, LIFT * max(float(W.mean()), 1e-300))
    H = np.maximum(H, LIFT * max(float(H.mean()), 1e-300))
    H[fixed] = values
    known = ~np.isnan(X)
    complete = bool(known.all())
    clean, weight = (X, None) if complete else (np.where(known, X, 0.0), known.astype(np.float64))

    def sweep() -> None:
        ratio = clean / np.maximum(W @ H, 1e-300)
        down = H.sum(axis=1) if weight is None else weight @ H.T
        W[:] *= np.divide(ratio @ H.T, down, out=np.ones_like(W), where=down > 0)
        ratio = clean / np.maximum(W @ H, 1e-300)
        down = W.sum(axis=0)[:, None] if weight is None else W.T @ weight
        H[:] *= np.divide(W.T @ ratio, down, out=np.ones_like(H), where=down > 0)
        H[fixed] = values

    return W, H, _descend(sweep, lambda: divergence(X, W, H), limit)


SQUARED = Objective(squared_error, lambda X: float(np.nansum(X * X)), refit_squared, 500_000)
KL = Objective(divergence, lambda X: float(np.nansum(X)), refit_divergence, 100_000)
