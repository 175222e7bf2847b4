"""How far can one entry of a component move before the loss rises by a chosen amount, everything else refitted?"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nmf_core.selection.matching import cosine
from nmf_core.types import Array, Chunk, Dataset, FitRequest, Stop, is_sparse

# Sweeps between two looks at the loss, sweeps at most, and how many looks ahead a slow fall is given.
LOOK, MOST, AHEAD = 10, 500, 25
STEPS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Ambiguity:
    """Ranges of single entries of H.

    Attributes
    ----------
    entries : ndarray of int of shape (n, 2)
        (component, feature).
    value, low, high : ndarray of shape (n,)
        The fitted value, and the smallest and largest value found to cost no more than `rise`, with component length kept.
    swapped : ndarray of bool of shape (n,)
        At one end of the range some component changed into another one: the factors can trade places.
    rise : float
        Allowed relative rise of the loss.
    complete : bool
        All entries are done.
    """

    entries: Array
    value: Array
    low: Array
    high: Array
    swapped: Array
    rise: float
    complete: bool


@dataclass(frozen=True, slots=True, eq=False)
class AmbiguityWork:
    """A :class:`~nmf_core.types.Work` after EPA PMF's displacement (DISP; Paatero et al. 2014), for the squared error.

    One entry of H is pulled away from its value and held there; all other entries of H and all of W are refitted. The pull
    is doubled, then halved, until the loss has risen by `rise`. To keep the free scale between W and H from hiding the
    move, the largest other entry of the component is held at its value as well.

    Attributes
    ----------
    request : FitRequest
    W, H : ndarray of shape (n_samples, rank), (rank, n_features)
        The reference fit, at a minimum.
    entries : tuple of (component, feature)
    rise : float
        Relative rise of the squared error that still counts as a good fit (DISP: an absolute ΔQ; here a share of Q).
    """

    request: FitRequest
    W: Array = field(repr=False)
    H: Array = field(repr=False)
    entries: tuple[tuple[int, int], ...]
    rise: float = 0.01

    def __post_init__(self) -> None:
        if not 0 < self.rise <= 1:
            raise ValueError(f"rise: must lie above 0 and up to 1, not {self.rise!r}")
        for k, j in self.entries:
            if not (0 <= k < self.H.shape[0] and 0 <= j < self.H.shape[1]):
                raise ValueError(f"entries: ({k}, {j}) is outside H of shape {self.H.shape}")

    @property
    def key(self) -> str:
        """Digest of everything that decides the result."""
        h = hashlib.blake2b(json.dumps([self.request.key, list(self.entries), self.rise]).encode(), digest_size=12)
        for factor in (self.W, self.H):
            h.update(np.ascontiguousarray(factor).tobytes())
        return f"ambiguity-{h.hexdigest()}"

    @property
    def dataset_id(self) -> str:
        """The data it runs on."""
        return self.request.dataset_id

    def advance(self, dataset: Dataset, state: tuple[Any, ...] | None, budget: float) -> Chunk:
        """Work through entries for about `budget` seconds, at least one."""
        from nmf_core.fit import one_thread

        done = list(state or ())
        deadline = time.perf_counter() + budget
        with one_thread():
            X = _dense(dataset)
            W, H = _settled(X, self.W, self.H)
            while len(done) < len(self.entries):
                k, j = self.entries[len(done)]
                done.append(_range(X, W, H, k, j, self.rise))
                if time.perf_counter() >= deadline:
                    break
        stop = Stop.RUNNING if len(done) < len(self.entries) else Stop.CONVERGED
        share = len(done) / max(len(self.entries), 1)
        return Chunk(tuple(done), stop, share, f"entry {len(done)} of {len(self.entries)}")

    def result(self, dataset: Dataset, state: tuple[Any, ...] | None, stop: Stop) -> Ambiguity:
        """Turn any state, also an unfinished one, into ranges."""
        done = list(state or ())
        found = np.array([row[:3] for row in done], dtype=np.float64).reshape(-1, 3)
        return Ambiguity(
            np.array(self.entries[: len(done)], dtype=np.intp).reshape(-1, 2),
            found[:, 0],
            found[:, 1],
            found[:, 2],
            np.array([bool(row[3]) for row in done]),
            self.rise,
            len(done) == len(self.entries),
        )


def strongest_entries(H: Array, per_component: int) -> tuple[tuple[int, int], ...]:
    """Return the largest entries of every component."""
    count = min(per_component, H.shape[1])
    return tuple((k, int(j)) for k in range(len(H)) for j in np.argsort(-H[k], kind="stable")[:count])


def _dense(dataset: Dataset) -> Array:
    X = dataset.X
    return np.asarray(X.toarray() if is_sparse(X) else X, dtype=np.float64)


def _loss(X: Array, W: Array, H: Array) -> float:
    residual = X - W @ H
    return float(np.nansum(residual * residual))


def _refit(X: Array, W: Array, H: Array, held: Sequence[tuple[int, int]], limit: float) -> tuple[Array, Array, float]:
    """HALS with some entries of H held, until the loss is at most `limit` or clearly will not get there.

    Missing cells are filled with the model before every half-step (majorization). Valleys of ambiguous factorizations are
    long and flat, so a fall that would reach the limit within 25 more looks goes on.
    """
    W, H = W.copy(), H.copy()
    gap = np.isnan(X)
    any_gap = bool(gap.any())
    keep = [[feature for component, feature in held if component == k] for k in range(len(H))]
    before = np.inf
    now = _loss(X, W, H)
    for sweep in range(1, MOST + 1):
        Z = np.where(gap, W @ H, X) if any_gap else X
        P, G = Z @ H.T, H @ H.T
        for _ in range(2):
            for k in range(len(H)):
                if G[k, k] > 0:
                    W[:, k] = np.maximum(W[:, k] + (P[:, k] - W @ G[:, k]) / G[k, k], 0)
        Z = np.where(gap, W @ H, X) if any_gap else X
        P, G = W.T @ Z, W.T @ W
        for _ in range(2):
            for k in range(len(H)):
                if G[k, k] > 0:
                    row = np.maximum(H[k] + (P[k] - G[k] @ H) / G[k, k], 0)
                    row[keep[k]] = H[k, keep[k]]
                    H[k] = row
        if sweep % LOOK == 0:
            before, now = now, _loss(X, W, H)
            if now <= limit or now - limit > AHEAD * (before - now):
                break
    return W, H, now


def _settled(X: Array, W: Array, H: Array) -> tuple[Array, Array]:
    """Refit the reference itself first, so that a rise is measured from the same minimum."""
    W, H, _ = _refit(X, np.asarray(W, dtype=np.float64), np.asarray(H, dtype=np.float64), (), 0.0)
    return W, H


def _range(X: Array, W: Array, H: Array, k: int, j: int, rise: float) -> tuple[float, float, float, bool]:
    base = _loss(X, W, H)
    total = float(np.nansum(X * X))
    # An exact fit would allow no move at all: a tiny share of the data's own size counts as noise there.
    limit = base * (1 + rise) + 1e-9 * total
    others = H[k].copy()
    others[j] = -1.0
    anchor = int(np.argmax(others))
    held = ((k, j), (k, anchor)) if others[anchor] > 0 else ((k, j),)
    value, size = float(H[k, j]), float(H[k].max())
    low, swapped_low = _end(X, W, H, k, j, held, value, 0.0, limit, size) if value > 0 else (0.0, False)
    high, swapped_high = _end(X, W, H, k, j, held, value, None, limit, size)
    return value, low, high, swapped_low or swapped_high


def _end(
    X: Array,
    W: Array,
    H: Array,
    k: int,
    j: int,
    held: Sequence[tuple[int, int]],
    value: float,
    floor: float | None,
    limit: float,
    size: float,
) -> tuple[float, bool]:
    """Find one end of the range: bracket by doubling, then halve."""
    sign = -1.0 if floor is not None else 1.0
    good, best = value, (W, H)
    step, bad = 0.1 * max(value, 0.05 * size), None
    for _ in range(8):
        trial = good + sign * step
        if floor is not None:
            trial = max(trial, floor)
        *fitted, loss = _pulled(X, *best, k, j, held, trial, limit)
        if loss <= limit:
            good, best = trial, (fitted[0], fitted[1])
            if floor is not None and trial <= floor:
                break
            if trial > 10 * size:
                break
            step *= 2
        else:
            bad = trial
            break
    if bad is not None:
        for _ in range(STEPS):
            trial = 0.5 * (good + bad)
            *fitted, loss = _pulled(X, *best, k, j, held, trial, limit)
            if loss <= limit:
                good, best = trial, (fitted[0], fitted[1])
            else:
                bad = trial
    nearest = cosine(H, best[1]).argmax(axis=1)
    return good, bool((nearest != np.arange(len(H))).any())


def _pulled(
    X: Array, W: Array, H: Array, k: int, j: int, held: Sequence[tuple[int, int]], trial: float, limit: float
) -> tuple[Array, Array, float]:
    moved = H.copy()
    moved[k, j] = trial
    return _refit(X, W, moved, held, limit)
