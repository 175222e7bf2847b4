"""Multiplicative updates with extrapolation: the loop, and X as it sees it (dense or sparse, β = 1 or 0).

Each step updates W, then H, from a point pushed on along the growth of both (Hien & Gillis 2021; Hien, Phan, Gillis,
Ahookhosh & Patrinos 2022). A step that raises the objective is taken back and made again without a push and with the
exponent that is proven to be monotone (Févotte & Idier 2011), so the trace never rises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from nmf_core import kernels
from nmf_core.kernels import divergence_twins as twins
from nmf_core.kernels import threads
from nmf_core.kernels.sparse import padded, parts_of, short_indices
from nmf_core.types import Array

# Cells of a block of rows: about 256 KB of float64, which stays in the cache between its four uses.
BLOCK_CELLS = 1 << 15


@dataclass(slots=True)
class Point:
    """Where the loop stands between two steps; arrays are replaced, never overwritten.

    Attributes
    ----------
    W, H : ndarray
        The pushed pair, with objective `loss`.
    W_near, H_near : ndarray
        The pair it was pushed from.
    time : float
        Nesterov's t: the push is (t − 1) / t'.
    """

    W: Array
    H: Array
    W_near: Array
    H_near: Array
    time: float
    loss: float


class System(Protocol):
    """X, its loss and penalties."""

    work: float

    def sweep(self, point: Point, push: float, gentle: bool) -> Point:
        """Return the point after one update of W and H; `gentle` takes the exponent that is proven monotone."""

    def loss(self, W: Array, H: Array) -> float:
        """Return the objective."""


def run(system: System, point: Point, count: int) -> tuple[Point, list[float]]:
    """Make `count` steps and return the last point and the objective after each."""
    losses = []
    with threads.one_blas_thread():
        for _ in range(count):
            later = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * point.time**2))
            push = (point.time - 1.0) / later
            next_ = system.sweep(point, push, gentle=False)
            next_.time, next_.loss = float(later), system.loss(next_.W, next_.H)
            if not next_.loss <= point.loss:
                next_ = system.sweep(point, 0.0, gentle=True)
                next_.time, next_.loss = 1.0, system.loss(next_.W, next_.H)
            point = next_
            losses.append(point.loss)
    return point, losses


class DenseSystem:
    """Dense X for β = 1 or 0, with or without weights.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    weights : ndarray of X's shape or None
    beta : {1.0, 0.0}
    floor : float
        Smallest WH that is divided by.
    penalties : tuple of float
        l1_W, l2_W, l1_H, l2_H.
    exact : callable
        ``exact(W, H)``: the objective cell by cell, for fits so close that ours loses its digits.
    penalty : callable
        ``penalty(W, H)``.
    scale : float
        Objective below which `exact` is asked.
    """

    def __init__(
        self,
        X: Array,
        weights: Array | None,
        beta: float,
        floor: float,
        penalties: tuple[float, float, float, float],
        exact: Callable[[Array, Array], float],
        penalty: Callable[[Array, Array], float],
        scale: float,
    ) -> None:
        self.X, self.weights, self.is_zero = X, X if weights is None else weights, beta == 0.0
        self.masked, self.exact, self.penalty, self.scale = weights is not None, exact, penalty, scale
        self.dtype = X.dtype
        n, m = X.shape
        self.work = 4.0 * n * m
        self.block = max(8, min(256, BLOCK_CELLS // m))
        self.floor, self.tiny = floor, float(np.finfo(self.dtype).tiny) * 1e3
        self.penalties = penalties
        count = 1 if n * m < 40_000 else max(2, min(8, n // max(self.block, 64)))
        step = -(-n // count)
        if step > self.block:
            step = -(-step // self.block) * self.block
        self.parts = [(s, min(s + step, n)) for s in range(0, n, step)]

    def sweep(self, point: Point, push: float, gentle: bool) -> Point:
        """Return the point after one update of W and H in one pass over X, parts in parallel."""
        rank, m = point.H.shape
        kernel = kernels.get("divergence", "sweep_rows", self.dtype, kernels.patience(self.work)) or twins.sweep_rows
        l1_W, l2_W, l1_H, l2_H = self.penalties
        numbers = np.array([self.floor, l1_W, l2_W, self.tiny, push], self.dtype)
        near, far = point.W_near.copy(), np.empty_like(point.W)
        varies, root = self.masked or self.is_zero, gentle and self.is_zero
        ups = [np.empty((rank, m), self.dtype) for _ in self.parts]
        downs = [np.empty((rank, m) if varies else (1, 1), self.dtype) for _ in self.parts]
        fixed = (self.X, self.weights, self.masked, self.is_zero, root, point.W, point.H, sums(point.H), near, far)
        out = zip(self.parts, ups, downs, strict=True)
        threads.run(kernel, [(*fixed, numbers, *part, self.block, up, down) for part, up, down in out])
        for i in range(1, len(self.parts)):
            ups[0] += ups[i]
            downs[0] += downs[i]
        down_H = downs[0] if varies else np.broadcast_to(sums(far.T)[:, None], (rank, m))
        H_near, H = point.H_near.copy(), np.empty_like(point.H)
        real = self.dtype.type
        twins.update_rows(
            point.H, ups[0], down_H, True, H_near, real(l1_H), real(l2_H), root, real(self.tiny), real(push), H_near, H
        )
        return Point(far, H, near, H_near, 0.0, 0.0)

    def loss(self, W: Array, H: Array) -> float:
        """Return the objective."""
        kernel = kernels.get("divergence", "divergence", self.dtype, kernels.patience(self.work)) or twins.divergence
        floor = np.full(1, self.floor, self.dtype)
        fixed = (self.X, self.weights, self.masked, self.is_zero, W, H, floor)
        value = sum(threads.run(kernel, [(*fixed, *part, self.block) for part in self.parts]))
        return self.exact(W, H) if abs(value) < self.scale else float(value) + self.penalty(W, H)


class SparseSystem:
    """CSR X for β = 1: only stored cells are touched. Parameters as in :class:`DenseSystem`.

    Factors are padded rows (n × width and m × width); :meth:`packed` and :meth:`unpacked` convert.
    """

    update_H = True

    def __init__(
        self,
        X: Any,
        Xt: Any,
        unstored: bool,
        rank: int,
        floor: float,
        penalties: tuple[float, float, float, float],
        exact: Callable[[Array, Array], float],
        penalty: Callable[[Array, Array], float],
        scale: float,
    ) -> None:
        self.X, self.Xt, self.unstored, self.rank = short_indices(X), short_indices(Xt), unstored, rank
        self.exact, self.penalty, self.scale, self.penalties = exact, penalty, scale, penalties
        self.dtype = X.dtype
        self.floor, self.tiny = floor, float(np.finfo(self.dtype).tiny) * 1e3
        self.work = 4.0 * X.nnz

    def packed(self, point: Point) -> Point:
        """Return the point with factors as padded rows."""
        W, H, W_near, H_near = (padded(F) for F in (point.W, point.H.T, point.W_near, point.H_near.T))
        return Point(W, H, W_near, H_near, point.time, point.loss)

    def unpacked(self, point: Point) -> Point:
        """Return the point with factors of shape (n, rank) and (rank, m)."""
        W, H, W_near, H_near = (
            np.ascontiguousarray(F[:, : self.rank]) for F in (point.W, point.H, point.W_near, point.H_near)
        )
        return Point(W, H.T, W_near, H_near.T, point.time, point.loss)

    def sweep(self, point: Point, push: float, gentle: bool) -> Point:
        """Return the point after one update of W over the rows of X, then one of H over its columns."""
        l1_W, l2_W, l1_H, l2_H = self.penalties
        W, W_near = self._half(self.X, point.W, point.H, point.W_near, l1_W, l2_W, push)
        H, H_near = point.H, point.H_near
        if self.update_H:
            H, H_near = self._half(self.Xt, point.H, W, point.H_near, l1_H, l2_H, push)
        return Point(W, H, W_near, H_near, 0.0, 0.0)

    def _half(
        self, X: Any, F: Array, other: Array, near: Array, l1: float, l2: float, push: float
    ) -> tuple[Array, Array]:
        kernel = (
            kernels.get("divergence", "sweep_stored", self.dtype, kernels.patience(self.work)) or twins.sweep_stored
        )
        numbers = np.array([self.floor, l1, l2, self.tiny, push], self.dtype)
        near, far = near.copy(), np.empty_like(F)
        fixed = (X.indptr, X.indices, X.data, self.unstored, F, other, sums(other.T), near, far, numbers)
        threads.run(kernel, [(*fixed, *part) for part in parts_of(len(F))])
        return far, near

    def loss(self, W: Array, H: Array) -> float:
        """Return the objective; a cell holding zero costs its WH."""
        kernel = kernels.get("divergence", "divergence_stored", self.dtype, kernels.patience(self.work))
        kernel = kernel or twins.divergence_stored
        parts = parts_of(len(W))
        out = [np.empty(2) for _ in parts]
        floor = np.full(1, self.floor, self.dtype)
        X = self.X
        fixed = (X.indptr, X.indices, X.data, W, H, floor)
        threads.run(kernel, [(*fixed, *part, into) for part, into in zip(parts, out, strict=True)])
        value, stored = (float(sum(pair[i] for pair in out)) for i in (0, 1))
        if not self.unstored:
            everywhere = float(np.sum(column_sums(W) * column_sums(H)))
            value += max(everywhere - stored, 0.0)
        W, H = np.ascontiguousarray(W[:, : self.rank]), np.ascontiguousarray(H[:, : self.rank].T)
        return self.exact(W, H) if abs(value) < self.scale else value + self.penalty(W, H)


def column_sums(F: Array) -> Array:
    """Return the sums over rows in double precision."""
    return F.sum(axis=0, dtype=np.float64)


def sums(H: Array) -> Array:
    """Return the sums over columns, in H's precision."""
    return column_sums(H.T).astype(H.dtype)
