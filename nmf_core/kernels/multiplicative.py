"""Multiplicative updates with extrapolation: the loop, and X as it sees it (dense and sparse, every β).

Each step updates W, then H, from a point pushed on along the growth of both (Hien & Gillis 2021; Hien, Phan, Gillis,
Ahookhosh & Patrinos 2022). A step that raises the objective is taken back and made again without a push and with the
exponent that is proven to be monotone (Févotte & Idier 2011), so the trace never rises.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from nmf_core import kernels
from nmf_core.kernels import divergence_twins as twins
from nmf_core.kernels import threads
from nmf_core.kernels.abreast import REGISTER
from nmf_core.kernels.hals import LIGHT_WORK, Rule
from nmf_core.kernels.sparse import padded, parts_of, short_indices
from nmf_core.kernels.twins import total
from nmf_core.types import Array

# Bytes of a block of WH, and of one of its rows: they stay in the nearest cache between their uses.
BLOCK_BYTES, ROW_BYTES = 1 << 15, 1 << 11
# Below this many cells a step runs in one part, the whole loop compiled.
SMALL_CELLS = 80_000
# The same for sparse X: stored cells times components.
SMALL_STORED = 200_000
# Cells of sparse X that are spread out at a time.
SPREAD_CELLS = 1 << 18


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

    def sweep(self, point: Point, push: float, gentle: bool, told: bool) -> tuple[Point, float]:
        """Return the point after one update of W and H, and the objective before, 0 unless it shall be `told`.

        ``gentle`` takes the exponent that is proven monotone.
        """

    def loss(self, W: Array, H: Array) -> float:
        """Return the objective."""

    def whole(self, point: Point, count: int, rule: Rule | None) -> tuple[Point, list[float]]:
        """Make up to `count` steps in one compiled call: all that are left, those up to the end by `rule`, or none."""


def run(system: System, point: Point, count: int, rule: Rule | None = None) -> tuple[Point, list[float]]:
    """Make `count` steps and return the last point and the objective after each.

    With a rule, a compiled whole loop may end earlier, and where there is none, no more than ``rule.every`` are made.
    """
    with threads.one_blas_thread() if system.work * count > LIGHT_WORK else nullcontext():
        point, losses = system.whole(point, count, rule)
        if losses and rule is not None:
            return point, losses
        if len(losses) < count:
            count = count if rule is None else min(count, rule.every)
            point, more = _steps(system, point, count - len(losses))
            losses += more
    return point, losses


def _steps(system: System, point: Point, count: int) -> tuple[Point, list[float]]:
    """Make `count` steps: the objective after each is told by the step that follows, the last by itself."""
    losses: list[float] = []
    after, again = _step(system, point, told=False)[0], False
    while True:
        further = None
        if len(losses) + 1 < count:
            further, after.loss = _step(system, after, told=True)
        else:
            after.loss = system.loss(after.W, after.H)
        if not after.loss <= point.loss and not again:
            after, again = system.sweep(point, 0.0, gentle=True, told=False)[0], True
            after.time = 1.0
            continue
        losses.append(after.loss)
        if further is None:
            return after, losses
        point, after, again = after, further, False


def _step(system: System, point: Point, told: bool) -> tuple[Point, float]:
    later = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * (point.time * point.time)))
    after, loss = system.sweep(point, (point.time - 1.0) / later, gentle=False, told=told)
    after.time = float(later)
    return after, loss


class DenseSystem:
    """Dense X, every β, with or without weights.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    weights : ndarray of X's shape or None
    beta : float
    floor : float
        Smallest WH that is divided by.
    penalties : tuple of float
        l1_W, l2_W, l1_H, l2_H.
    gammas : tuple of float
        Exponents for W and H, then those that are proven monotone.
    constant : float
        What the loss has beside what the kernels sum up: Σ w x^β / (β (β − 1)), 0 for β = 0 and 1.
    exact : callable
        ``exact(W, H)``: the objective cell by cell, for fits so close that ours loses its digits.
    scale : float
        Divergence below which `exact` is asked.
    update_H : bool
    """

    def __init__(
        self,
        X: Array,
        weights: Array | None,
        beta: float,
        floor: float,
        penalties: tuple[float, float, float, float],
        gammas: tuple[float, float, float, float],
        constant: float,
        exact: Callable[[Array, Array], float],
        scale: float,
        update_H: bool,
    ) -> None:
        self.X, self.weights, self.beta = X, X if weights is None else weights, beta
        self.masked, self.exact, self.scale, self.update_H = weights is not None, exact, scale, update_H
        self.varies = self.masked or beta != 1.0
        self.dtype = X.dtype
        n, m = X.shape
        self.work = 4.0 * n * m
        self.wide = ROW_BYTES // self.dtype.itemsize
        self.block = max(8, min(256, BLOCK_BYTES // (self.dtype.itemsize * min(m, self.wide)) // 4 * 4))
        tiny = float(np.finfo(self.dtype).tiny) * 1e3
        self.limits = np.array([max(floor, tiny), tiny], self.dtype)
        self.penalties, self.gammas, self.constant = np.array(penalties), np.array(gammas), constant
        # A part costs a few microseconds besides its cells: two where X is small, four, then eight.
        count = next((c for c in (1, 2, 4) if n * m < SMALL_CELLS * c * c), 8)
        step = -(-n // min(count, max(2, n // 64)))
        self.parts = [(s, min(s + step, n)) for s in range(0, n, step)]
        self._rooms: list[Array] = []

    def _kernel(self, name: str) -> Callable[..., Any]:
        return kernels.get("divergence", name, self.dtype, kernels.patience(self.work)) or getattr(twins, name)

    def sweep(self, point: Point, push: float, gentle: bool, told: bool) -> tuple[Point, float]:
        """Return the point after one update of W and H in one pass over X, parts in parallel, and the objective before."""
        floor, tiny = self.limits
        l1_W, l2_W, l1_H, l2_H = (self.dtype.type(value) for value in self.penalties)
        gamma_W, gamma_H = self.gammas[2:] if gentle else self.gammas[:2]
        numbers = np.array([floor, l1_W, l2_W, tiny, push], self.dtype)
        near, far = point.W_near.copy(), np.empty_like(point.W)
        halves = 2 if self.update_H else 1
        value, ups, downs = self._sweep(point.W, point.H, gamma_W, near, far, numbers, halves, told)
        loss = self._objective(value, point.W, point.H) if told else 0.0
        if not self.update_H:
            return Point(far, point.H, near, point.H_near, 0.0, 0.0), loss
        for i in range(1, len(self.parts)):
            ups[0] += ups[i]
            if self.varies:
                downs[0] += downs[i]
        if not self.varies:
            downs[0][:] = self._kernel("column_sums")(far)[:, None]
        H_near, H = point.H_near.copy(), np.empty_like(point.H)
        push = self.dtype.type(push)
        self._kernel("update_rows")(point.H, ups[0], downs[0], l1_H, l2_H, gamma_H, tiny, push, H_near, H)
        return Point(far, H, near, H_near, 0.0, 0.0), loss

    def loss(self, W: Array, H: Array) -> float:
        """Return the objective."""
        numbers = np.zeros(5, self.dtype)
        numbers[0] = self.limits[0]
        return self._objective(self._sweep(W, H, 1.0, W, W, numbers, 0, True)[0], W, H)

    def _sweep(
        self, W: Array, H: Array, gamma: float, near: Array, far: Array, numbers: Array, halves: int, told: bool
    ) -> tuple[float, list[Array], list[Array]]:
        """Go over X once: return the divergence and, part by part, the numerators and denominators for H."""
        (rank, m), parts = H.shape, len(self.parts)
        if not self._rooms or len(self._rooms[0]) != rank:
            self._rooms = [aligned(rank, m, self.dtype) for _ in range(1 + parts + (parts if self.varies else 1))]
        panel, ups, downs = self._rooms[0], self._rooms[1 : 1 + parts], self._rooms[1 + parts :]
        panel[:, :m] = H
        sums = self._kernel("row_sums")(H).astype(self.dtype)
        fixed = (self.X, self.weights, self.masked, self.beta, gamma, W, panel, sums, near, far, numbers)
        calls = [
            (*fixed, *part, self.block, self.wide, halves, told, up, down)
            for part, up, down in zip(self.parts, ups, downs if self.varies else downs * parts, strict=True)
        ]
        return float(sum(threads.run(self._rows_function(), calls))), ups, downs

    def _rows_function(self) -> Callable[..., float]:
        return self._kernel("sweep_rows")

    def _objective(self, value: float, W: Array, H: Array) -> float:
        """Return the objective, given the divergence less a constant."""
        value += self.constant
        if abs(value) < self.scale:
            return self.exact(W, H)
        return value + charged(W, H, self.penalties, self.dtype, self.work)

    def whole(self, point: Point, count: int, rule: Rule | None) -> tuple[Point, list[float]]:
        """Make up to `count` steps in one compiled call if X is small; it ends before a fit so close that digits go."""
        whole = kernels.get("divergence", "whole_loop", self.dtype) if len(self.parts) == 1 else None
        if whole is None:
            return point, []
        values = (self.X, self.weights, self.masked, self.beta, self.constant, self.block, self.wide)
        return _whole(whole, values, self, self.limits, point, count, rule)


class SpreadSystem(DenseSystem):
    """CSR X, every β, by the kernels for dense X: some rows at a time are spread out, never the whole of it.

    Parameters as in :class:`DenseSystem`, but for `unstored`: cells that are not stored are unknown, not zero.
    """

    def __init__(self, X: Any, unstored: bool, beta: float, **others: Any) -> None:
        super().__init__(X, X if unstored else None, beta, **others)

    def whole(self, point: Point, count: int, rule: Rule | None) -> tuple[Point, list[float]]:
        """Make no step: the compiled loop takes dense X."""
        return point, []

    def _rows_function(self) -> Callable[..., float]:
        return self._spread_rows

    def _spread_rows(
        self, X: Any, weights: Any, masked: bool, beta: float, gamma: float, W: Array, H: Array, H_sums: Array,
        near: Array, far: Array, numbers: Array, start: int, stop: int, block: int, wide: int, halves: int, told: bool,
        up_H: Array, down_H: Array,
    ) -> float:  # fmt: skip
        """Do what `sweep_rows` does, a number of rows after another."""
        kernel, m, value = self._kernel("sweep_rows"), X.shape[1], 0.0
        high = max(SPREAD_CELLS // m // block, 1) * block
        up, down = np.zeros_like(up_H), np.zeros_like(down_H)
        up_H[:], down_H[:] = 0, 0
        for first in range(start, stop, high):
            rows = slice(first, min(first + high, stop))
            x = spread(X, rows)
            w = spread(X, rows, known=True) if masked else x
            value += kernel(
                x, w, masked, beta, gamma, W[rows], H, H_sums, near[rows], far[rows], numbers, 0, len(x), block, wide,
                halves, told, up, down,
            )  # fmt: skip
            if halves == 2:
                up_H += up
                if self.varies:
                    down_H += down
        return value


def spread(X: Any, rows: slice, known: bool = False) -> Array:
    """Return rows of CSR X as a dense array, or which of its cells are `known`: 1 where stored, 0 elsewhere."""
    import scipy.sparse as sp

    at = X.indptr[rows.start : rows.stop + 1]
    cells = slice(at[0], at[-1])
    shape = (rows.stop - rows.start, X.shape[1])
    values = np.ones_like(X.data[cells]) if known else X.data[cells]
    return sp.csr_array((values, X.indices[cells], at - at[0]), shape=shape).toarray()


class SparseSystem:
    """CSR X for β = 1: only stored cells are touched. Parameters as in :class:`DenseSystem`.

    Factors are padded rows (n × width and m × width); :meth:`packed` and :meth:`unpacked` convert.

    Parameters
    ----------
    X, Xt : scipy.sparse.csr_array
        X and its transpose.
    unstored : bool
        Cells that are not stored are unknown, not zero.
    rank : int
    """

    newton = False
    least = 0.0

    def __init__(
        self,
        X: Any,
        Xt: Any,
        unstored: bool,
        rank: int,
        floor: float,
        penalties: tuple[float, float, float, float],
        gammas: tuple[float, float, float, float],
        exact: Callable[[Array, Array], float],
        scale: float,
        update_H: bool,
    ) -> None:
        self.X, self.Xt, self.unstored, self.rank = short_indices(X), short_indices(Xt), unstored, rank
        self.exact, self.scale, self.update_H = exact, scale, update_H
        self.penalties, self.gammas = np.array(penalties), np.array(gammas)
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

    def sweep(self, point: Point, push: float, gentle: bool, told: bool) -> tuple[Point, float]:
        """Return the point after one update of W over the rows of X, then one of H over its columns, and the objective."""
        loss = self.loss(point.W, point.H) if told else 0.0
        l1_W, l2_W, l1_H, l2_H = self.penalties
        gamma_W, gamma_H = self.gammas[2:] if gentle else self.gammas[:2]
        W, W_near = self._half(self.X, point.W, point.H, point.W_near, l1_W, l2_W, push, gamma_W, gentle)
        H, H_near = point.H, point.H_near
        if self.update_H:
            H, H_near = self._half(self.Xt, point.H, W, point.H_near, l1_H, l2_H, push, gamma_H, gentle)
        return Point(W, H, W_near, H_near, 0.0, 0.0), loss

    def _half(
        self, X: Any, F: Array, other: Array, near: Array, l1: float, l2: float, push: float, gamma: float, gentle: bool
    ) -> tuple[Array, Array]:
        numbers = np.array([self.floor, l1, l2, self.tiny, push], self.dtype)
        near, far = near.copy(), np.empty_like(F)
        fixed = (X.indptr, X.indices, X.data, self.unstored, F, other, self._sums(other), near, far, numbers, gamma)
        kernel = self._kernel("sweep_stored") or twins.sweep_stored
        threads.run(kernel, [(*fixed, *part) for part in parts_of(len(F))])
        return far, near

    def _kernel(self, name: str) -> Callable[..., Any] | None:
        return kernels.get("counts", name, self.dtype, kernels.patience(self.work))

    def _column_sums(self, F: Array) -> Array:
        kernel = kernels.get("divergence", "column_sums", self.dtype, kernels.patience(self.work))
        return (kernel or twins.column_sums)(F)

    def _sums(self, F: Array) -> Array:
        return self._column_sums(F).astype(self.dtype)

    def loss(self, W: Array, H: Array) -> float:
        """Return the objective; a cell holding zero costs its WH."""
        kernel = self._kernel("divergence_stored") or twins.divergence_stored
        parts = parts_of(len(W))
        out = [np.empty(2) for _ in parts]
        X, floor = self.X, np.full(1, self.floor, self.dtype)
        fixed = (X.indptr, X.indices, X.data, W, H, floor)
        threads.run(kernel, [(*fixed, *part, into) for part, into in zip(parts, out, strict=True)])
        value, stored = (float(sum(pair[i] for pair in out)) for i in (0, 1))
        if not self.unstored:
            everywhere = total(self._column_sums(W) * self._column_sums(H))
            value += max(everywhere - stored, 0.0)
        if abs(value) < self.scale:
            return self.exact(np.ascontiguousarray(W[:, : self.rank]), np.ascontiguousarray(H[:, : self.rank].T))
        return value + charged(W, H, self.penalties, self.dtype, self.work)

    def whole(self, point: Point, count: int, rule: Rule | None) -> tuple[Point, list[float]]:
        """Make up to `count` steps in one compiled call if X is small; it ends before a fit so close that digits go."""
        small = self.X.nnz * point.W.shape[1] < SMALL_STORED
        whole = kernels.get("counts", "whole_loop", self.dtype) if small else None
        if whole is None:
            return point, []
        limits = np.array([self.floor, self.tiny, self.least], self.dtype)
        X, Xt, step = self.X, self.Xt, parts_of(len(point.W))[0][1]
        cells = (X.indptr, X.indices, X.data, Xt.indptr, Xt.indices, Xt.data)
        return _whole(whole, (*cells, self.unstored, self.newton, step), self, limits, point, count, rule)


def _whole(
    loop: Callable[..., Any],
    values: tuple[Any, ...],
    system: DenseSystem | SparseSystem,
    limits: Array,
    point: Point,
    count: int,
    rule: Rule | None,
) -> tuple[Point, list[float]]:
    """Call the compiled loop with X and its loss as plain values."""
    factors = point.W.copy(), point.H.copy(), point.W_near.copy(), point.H_near.copy()
    numbers, losses = np.array([point.time, point.loss]), np.empty(count + 1)
    losses[0] = point.loss
    stop = (0, 0.0, 0.0, False) if rule is None else (rule.every, rule.tol, rule.first, rule.open_first)
    done = loop(
        values, *factors, numbers, limits, system.penalties, system.gammas, system.scale, system.update_H, count, losses,
        *stop,
    )  # fmt: skip
    return Point(*factors, *numbers.tolist()), losses[1 : done + 1].tolist()


def aligned(rows: int, columns: int, dtype: Any) -> Array:
    """Return zeros, rows of whole vectors that each begin with a cache line: others take kernels longer."""
    line, long = REGISTER // np.dtype(dtype).itemsize, -(-columns // 16) * 16 + 16
    whole = np.zeros(rows * long + line, dtype)
    first = line - whole.ctypes.data // whole.itemsize % line
    return whole[first : first + rows * long].reshape(rows, long)


def charged(W: Array, H: Array, penalties: Array, dtype: Any, work: float) -> float:
    """Return the penalties on W and H: l1_W, l2_W, l1_H, l2_H."""
    if not penalties.any():
        return 0.0
    charge = kernels.get("divergence", "charge", dtype, kernels.patience(work)) or twins.charge
    l1_W, l2_W, l1_H, l2_H = penalties.tolist()
    return charge(W, l1_W, l2_W) + charge(H, l1_H, l2_H)
