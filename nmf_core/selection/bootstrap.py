"""Error bars: how much do components move when the samples are drawn again?"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nmf_core.selection.matching import match, unit_rows
from nmf_core.types import Array, Chunk, Dataset, FitRequest, Stop, is_sparse

CELLS = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class BootstrapState:
    """Matched components of the finished replicates; picklable."""

    H: tuple[Array, ...] = ()
    W: tuple[Array, ...] = ()
    similarity: tuple[Array, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Bootstrap:
    """Intervals around one factorization.

    Attributes
    ----------
    H : ndarray of shape (rank, n_features)
    low_H, high_H : ndarray of the same shape
        Percentiles over replicates at `level`, on the scale of the reference: every replicate's component is multiplied by
        the factor that brings it closest to its partner.
    W : ndarray of shape (n_rows, rank)
        Of the watched rows, refitted on the reference's components.
    low_W, high_W : ndarray of the same shape
        Rows are refitted on every replicate's components, so the interval holds the uncertainty of the components.
    similarity : ndarray of shape (n_replicates, rank)
        Cosine of every component with its partner.
    rows : ndarray of int
    level : float
    n : int
        Finished replicates.
    """

    H: Array
    low_H: Array
    high_H: Array
    W: Array
    low_W: Array
    high_W: Array
    similarity: Array
    rows: Array
    level: float
    n: int


@dataclass(frozen=True, slots=True, eq=False)
class BootstrapWork:
    """A :class:`~nmf_core.types.Work`: draw rows with replacement, fit again from the reference's components, match.

    Attributes
    ----------
    request : FitRequest
        Of the reference fit.
    H : ndarray of shape (rank, n_features)
        Its components. Replicates start from them, half of the time shaken, so that the bars show what the *data* leave
        open; what the start leaves open is what restarts show.
    n : int
        Replicates.
    block : int
        1: single rows. More: runs of so many neighbouring rows, for ordered data (Künsch 1989).
    rows : tuple of int
        Samples whose weights get intervals too.
    level : float
        Of the intervals.
    """

    request: FitRequest
    H: Array = field(repr=False)
    n: int = 50
    block: int = 1
    rows: tuple[int, ...] = ()
    level: float = 0.9

    @property
    def key(self) -> str:
        """Digest of everything that decides the result."""
        plain = json.dumps([self.request.key, self.n, self.block, list(self.rows), self.level])
        h = hashlib.blake2b(plain.encode(), digest_size=12)
        h.update(np.ascontiguousarray(self.H).tobytes())
        return f"bootstrap-{h.hexdigest()}"

    @property
    def dataset_id(self) -> str:
        """The data it runs on."""
        return self.request.dataset_id

    def advance(self, dataset: Dataset, state: BootstrapState | None, budget: float) -> Chunk:
        """Compute replicates for about `budget` seconds, at least one."""
        from nmf_core.fit import one_thread

        state = BootstrapState() if state is None else state
        H, W, similarity = list(state.H), list(state.W), list(state.similarity)
        deadline = time.perf_counter() + budget
        with one_thread():
            while len(H) < self.n:
                h, w, s = self._replicate(dataset, len(H))
                H.append(h)
                W.append(w)
                similarity.append(s)
                if time.perf_counter() >= deadline:
                    break
        stop = Stop.RUNNING if len(H) < self.n else Stop.CONVERGED
        state = BootstrapState(tuple(H), tuple(W), tuple(similarity))
        return Chunk(state, stop, len(H) / self.n, f"replicate {len(H)} of {self.n}")

    def result(self, dataset: Dataset, state: BootstrapState | None, stop: Stop) -> Bootstrap:
        """Turn any state, also an unfinished one, into intervals."""
        state = BootstrapState() if state is None else state
        rows = np.array(self.rows, dtype=np.intp)
        W = self._weights(dataset, self.H, rows)
        tails = [50 * (1 - self.level), 50 * (1 + self.level)]
        if state.H:
            low_H, high_H = np.percentile(np.stack(state.H), tails, axis=0)
            low_W, high_W = np.percentile(np.stack(state.W), tails, axis=0) if len(rows) else (W, W)
        else:
            low_H = high_H = np.full(self.H.shape, np.nan)
            low_W = high_W = np.full(W.shape, np.nan)
        rank = len(self.H)
        similarity = np.stack(state.similarity) if state.similarity else np.zeros((0, rank))
        return Bootstrap(
            np.asarray(self.H), low_H, high_H, W, low_W, high_W, similarity, rows, self.level, len(state.H)
        )

    def _replicate(self, dataset: Dataset, number: int) -> tuple[Array, Array, Array]:
        from nmf_core.fit import fit

        rng = np.random.default_rng([self.request.seed, 41, number])
        drawn = resample(dataset.shape[0], self.block, rng)
        X = dataset.X[drawn]
        mask: Any = dataset.mask[drawn] if isinstance(dataset.mask, np.ndarray) else dataset.mask
        start = np.array(self.H, dtype=X.dtype)
        if number % 2:
            start = start * rng.uniform(0.5, 1.5, start.shape).astype(X.dtype)
        # A component that starts at an exact zero could not grow there under multiplicative updates.
        start = np.maximum(start, 1e-4 * start.mean(axis=1, keepdims=True))
        weights = np.maximum(_regressed(X, start, mask), 1e-8 * max(float(np.abs(start).max()), 1e-300))
        request = self.request.with_(init="custom", n_restarts=1, tol=max(self.request.tol, 1e-4), dataset_id="")
        result = fit(X, request, W=weights.astype(X.dtype), H=start, mask=mask)
        order, similarity = match(self.H, result.H)
        found = np.asarray(result.H, dtype=np.float64)[order]
        # Scale of a component is free: bring each to the length at which it fits its partner best.
        norm = (found * found).sum(axis=1)
        scale = np.divide((found * self.H).sum(axis=1), norm, out=np.ones(len(found)), where=norm > 0)
        found *= scale[:, None]
        rows = np.array(self.rows, dtype=np.intp)
        return found.astype(np.float32), self._weights(dataset, found, rows).astype(np.float32), similarity

    def _weights(self, dataset: Dataset, H: Array, rows: Array) -> Array:
        if len(rows) == 0:
            return np.zeros((0, len(H)))
        from nmf_core.fit import fit

        X = dataset.X[rows]
        mask: Any = dataset.mask[rows] if isinstance(dataset.mask, np.ndarray) else dataset.mask
        request = self.request.with_(init="custom", n_restarts=1, tol=1e-5, max_iter=300, dataset_id="")
        # A row without anything in it weighs nothing; the engine needs no fit for that.
        start = np.maximum(_regressed(X, H, mask), 1e-12).astype(X.dtype)
        return np.asarray(fit(X, request, W=start, H=H.astype(X.dtype), update_H=False, mask=mask).W, dtype=np.float64)


def resample(n: int, block: int, rng: np.random.Generator) -> Array:
    """Draw n rows with replacement, in runs of `block` neighbours (the last run is cut)."""
    if block <= 1:
        return np.sort(rng.integers(0, n, n))
    block = min(block, n)
    starts = rng.integers(0, n - block + 1, -(-n // block))
    return (starts[:, None] + np.arange(block)).ravel()[:n]


def _regressed(X: Any, H: Array, mask: Any) -> Array:
    """Non-negative least-squares weights as a start; missing cells count as the column's mean."""
    from nmf_core.selection.crossval import regressed

    if not is_sparse(X) and np.isnan(X).any():
        known = ~np.isnan(X)
        mean = np.divide(np.nansum(X, axis=0), known.sum(axis=0), out=np.zeros(X.shape[1]), where=known.any(axis=0))
        X = np.where(known, X, mean)
    return regressed(X, np.asarray(H, dtype=np.float64), 40)


def words(bootstrap: Bootstrap) -> list[tuple[str, float]]:
    """Return one badge per component and the median likeness behind it."""
    from nmf_core.selection.stability import badges

    return [(badge.word, badge.similarity) for badge in badges(bootstrap.similarity)]


def widths(bootstrap: Bootstrap) -> Array:
    """Mean width of a component's intervals, relative to the mean of the component, shape (rank,)."""
    mean = np.maximum(unit_rows(bootstrap.H).mean(axis=1), 1e-300)
    length = np.maximum(np.linalg.norm(bootstrap.H, axis=1), 1e-300)
    return (bootstrap.high_H - bootstrap.low_H).mean(axis=1) / length / mean
