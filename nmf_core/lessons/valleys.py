"""Where different starts end: the minima that a tiny table has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from nmf_core.lessons.examples import start
from nmf_core.types import Array


@dataclass(frozen=True, slots=True, eq=False)
class Valley:
    """A minimum and the starts that lead there.

    Attributes
    ----------
    loss : float
    seeds : tuple of int
    W, H : ndarray
        Of the lowest of these ends; each part scaled to the maximum 1 and sorted, so that valleys can be compared.
    traces : tuple of ndarray
        Loss after each iteration, per seed.
    """

    loss: float
    seeds: tuple[int, ...]
    W: Array
    H: Array
    traces: tuple[Array, ...]


def valleys(X: Array, rank: int = 2, seeds: Iterable[int] = range(10), loss: str = "frobenius") -> list[Valley]:
    """Run the engine from several random starts until nothing moves, and tell apart where they end.

    Parameters
    ----------
    X : ndarray
    rank : int
    seeds : iterable of int
    loss : {"frobenius", "kullback-leibler"}

    Returns
    -------
    list of Valley
        The lowest first. Ends whose losses differ by less than a hundredth of the lowest, or by less than 10⁻⁵ of
        the loss at the start, count as one.
    """
    from nmf_core.fit import fit

    solver = "hals" if loss == "frobenius" else "mu"
    ends = []
    for seed in seeds:
        W, H = start(X, rank, seed)
        ends.append(
            (seed, fit(X, rank=rank, solver=solver, loss=loss, init="custom", W=W, H=H, max_iter=5000, tol=1e-12))
        )
    ends.sort(key=lambda end: end[1].loss)
    out: list[Valley] = []
    floor = 1e-5 * max(float(result.trace.loss[0]) for _, result in ends)
    for seed, result in ends:
        if out and result.loss - out[-1].loss <= max(0.01 * out[-1].loss, floor):
            last = out[-1]
            out[-1] = Valley(last.loss, (*last.seeds, seed), last.W, last.H, (*last.traces, result.trace.loss))
        else:
            out.append(Valley(float(result.loss), (seed,), *_comparable(result.W, result.H), (result.trace.loss,)))
    return out


def _comparable(W: Array, H: Array) -> tuple[Array, Array]:
    size = np.maximum(H.max(axis=1), 1e-300)
    H, W = H / size[:, None], W * size
    order = np.argsort(H @ np.arange(H.shape[1]) / np.maximum(H.sum(axis=1), 1e-300), kind="stable")
    return W[:, order], H[order]
