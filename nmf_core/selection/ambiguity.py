"""How far can one entry of a component move before the loss rises by a chosen amount, everything else refitted?"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nmf_core.selection.ambiguity_refit import KL, SQUARED, Objective
from nmf_core.selection.matching import cosine
from nmf_core.selection.sample import Part, ambiguity_data, remembered
from nmf_core.types import Array, Chunk, Dataset, FitRequest, Stop

# Halvings of the last step, and refits of the reference at most.
STEPS, ROUNDS = 5, 50
OBJECTIVES = {2.0: SQUARED, 1.0: KL}


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
    note : str
        Which part of large data was refitted; empty for all of it.
    """

    entries: Array
    value: Array
    low: Array
    high: Array
    swapped: Array
    rise: float
    complete: bool
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class AmbiguityWork:
    """A :class:`~nmf_core.types.Work` after EPA PMF's displacement (DISP; Paatero et al. 2014).

    For the squared error and the Kullback-Leibler divergence, without the model's penalties.

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
        Relative rise of the loss that still counts as a good fit (DISP: an absolute ΔQ; here a share of Q).

    Notes
    -----
    Of large data a part is refitted, always with the columns of the asked entries; the result says which.
    """

    request: FitRequest
    W: Array = field(repr=False)
    H: Array = field(repr=False)
    entries: tuple[tuple[int, int], ...]
    rise: float = 0.01

    def __post_init__(self) -> None:
        if not 0 < self.rise <= 1:
            raise ValueError(f"rise: must lie above 0 and up to 1, not {self.rise!r}")
        if self.request.beta not in OBJECTIVES:
            raise ValueError("loss: ranges are defined for the Frobenius and the Kullback-Leibler loss alone")
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
        objective = OBJECTIVES[self.request.beta]
        part = self._part(dataset)
        place = {int(j): i for i, j in enumerate(part.cols)}
        with one_thread():
            W, H = remembered((self.key, "settled"), lambda: self._settled(objective, part))
            while len(done) < len(self.entries):
                k, j = self.entries[len(done)]
                done.append(_range(objective, part.X, W, H, k, place[j], self.rise))
                if time.perf_counter() >= deadline:
                    break
        stop = Stop.RUNNING if len(done) < len(self.entries) else Stop.CONVERGED
        share = len(done) / max(len(self.entries), 1)
        return Chunk(tuple(done), stop, share, f"entry {len(done)} of {len(self.entries)}")

    def _part(self, dataset: Dataset) -> Part:
        wanted = tuple(sorted({j for _, j in self.entries}))
        return ambiguity_data(dataset, wanted, OBJECTIVES[self.request.beta].cells)

    def _settled(self, objective: Objective, part: Part) -> tuple[Array, Array]:
        """Refit the reference itself first, so that a rise is measured from the minimum it lies at."""
        W, H = _of(self.W, part.rows), np.ascontiguousarray(_of(self.H.T, part.cols).T)
        before = objective.loss(part.X, W, H)
        for _ in range(ROUNDS):
            W, H, now = objective.refit(part.X, W, H, (), 0.0)
            if before - now <= 0.01 * self.rise * before:
                break
            before = now
        return W, H

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
            self._part(dataset).note,
        )


def _of(factor: Array, index: Array) -> Array:
    return np.array(factor[index], dtype=np.float64, order="C")


def strongest_entries(H: Array, per_component: int) -> tuple[tuple[int, int], ...]:
    """Return the largest entries of every component."""
    count = min(per_component, H.shape[1])
    return tuple((k, int(j)) for k in range(len(H)) for j in np.argsort(-H[k], kind="stable")[:count])


def _range(
    objective: Objective, X: Array, W: Array, H: Array, k: int, j: int, rise: float
) -> tuple[float, float, float, bool]:
    base = objective.loss(X, W, H)
    total = objective.size(X)
    # An exact fit would allow no move at all: a tiny share of the data's own size counts as noise there.
    limit = base * (1 + rise) + 1e-9 * total
    others = H[k].copy()
    others[j] = -1.0
    anchor = int(np.argmax(others))
    held = ((k, j), (k, anchor)) if others[anchor] > 0 else ((k, j),)
    value, size = float(H[k, j]), float(H[k].max())

    def pull(W: Array, H: Array, trial: float) -> tuple[Array, Array, float]:
        moved = H.copy()
        moved[k, j] = trial
        return objective.refit(X, W, moved, held, limit)

    low, swapped_low = _end(pull, W, H, value, -1.0, limit, size) if value > 0 else (0.0, False)
    high, swapped_high = _end(pull, W, H, value, 1.0, limit, size)
    return value, low, high, swapped_low or swapped_high


def _end(
    pull: Callable[[Array, Array, float], tuple[Array, Array, float]],
    W: Array,
    H: Array,
    value: float,
    sign: float,
    limit: float,
    size: float,
) -> tuple[float, bool]:
    """Find one end of the range: bracket by doubling, then halve."""
    good, best = value, (W, H)
    step, bad = 0.1 * max(value, 0.05 * size), None
    for _ in range(8):
        trial = max(good + sign * step, 0.0)
        *fitted, loss = pull(*best, trial)
        if loss > limit:
            bad = trial
            break
        good, best = trial, (fitted[0], fitted[1])
        if trial <= 0 or trial > 10 * size:
            break
        step *= 2
    if bad is not None:
        for _ in range(STEPS):
            trial = 0.5 * (good + bad)
            *fitted, loss = pull(*best, trial)
            if loss <= limit:
                good, best = trial, (fitted[0], fitted[1])
            else:
                bad = trial
    nearest = cosine(H, best[1]).argmax(axis=1)
    return good, bool((nearest != np.arange(len(H))).any())
