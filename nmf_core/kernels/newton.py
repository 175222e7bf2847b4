"""Coordinate descent for the Kullback–Leibler loss on stored cells, and its NumPy twin.

Each entry w of a row minimizes Σ_p −x_p log(y_p + (s − w) h_p) + d s, the others fixed. With A = Σ x h / y and
C = Σ x h² / y², Newton's step is (A − d) / C (Hsieh & Dhillon 2011). Taken here: (A/d − 1) A / C, Newton's step on the
hyperbola A / (1 + s C / A) instead of its tangent. It is exact where one component explains the cells, never longer than
what convexity allows on the way up, and far less prone to overshoot on the way down.
"""

from __future__ import annotations

import numpy as np

from nmf_core import kernels
from nmf_core.kernels import threads
from nmf_core.kernels.divergence_twins import _at_stored
from nmf_core.kernels.multiplicative import Point, SparseSystem, _patience, sums
from nmf_core.kernels.sparse import parts_of
from nmf_core.types import Array


def newton_stored(
    indptr: Array, indices: Array, data: Array, unstored: bool, F: Array, other: Array, sums_: Array,
    near: Array, far: Array, numbers: Array, start: int, stop: int,
) -> None:  # fmt: skip
    """Update rows start…stop of a factor coordinate by coordinate, all rows abreast."""
    import scipy.sparse as sp

    floor, l1, l2, _, push = numbers
    dtype, width, rows = F.dtype, F.shape[1], stop - start
    at = (indptr[start : stop + 1] - indptr[start]).astype(np.int64)
    stored = np.diff(at)
    padded = (stored + 7) // 8 * 8
    begin = np.concatenate([[0], np.cumsum(padded)])
    row = np.repeat(np.arange(rows), padded)
    place = np.repeat(begin[:-1] - at[:-1], stored) + np.arange(at[-1])
    x, y = np.zeros(begin[-1], dtype), np.ones(begin[-1], dtype)
    x[place] = data[indptr[start] : indptr[stop]]
    y[place] = _at_stored(indptr, indices, F, other, start, stop)
    cells = indices[indptr[start] : indptr[stop]]
    # One row per row, one column per chunk of eight cells: SciPy adds chunks one after another.
    chunks = sp.csr_array((np.ones(begin[-1] // 8, dtype), np.arange(begin[-1] // 8), begin // 8))
    chunks.resize((rows, max(begin[-1] // 8, 1)))

    def by_row(values: Array) -> Array:
        lanes = (chunks @ values.reshape(-1, 8)).T if begin[-1] else np.zeros((8, rows), dtype)
        return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]))

    if unstored:
        ones = sp.csr_array((np.ones(at[-1], dtype), cells, at), shape=(rows, len(other)))
        down = ones @ other
    else:
        down = np.broadcast_to(sums_, (rows, width))
    inverse = dtype.type(1) / np.maximum(y, floor)
    q = x * inverse
    W = F[start:stop].copy()
    h = np.zeros(begin[-1], dtype)
    for k in range(width):
        h[place] = other[cells, k]
        pull = q * h
        a, c = by_row(pull), by_row(pull * (inverse * h))
        w = W[:, k]
        d = down[:, k] + l1
        d = d + l2 * w
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            new = w + (a / d - dtype.type(1)) * (a / c)
        new = np.where(c > 0, np.maximum(new, 0), dtype.type(0))
        new = np.where(d > 0, new, w)
        step = (new - w)[row]
        W[:, k] = new
        moved = step != 0
        y = np.where(moved, y + step * h, y)
        inverse = np.where(moved, dtype.type(1) / np.maximum(y, floor), inverse)
        q = np.where(moved, x * inverse, q)
    growth = np.maximum(W - near[start:stop], 0)
    near[start:stop] = W
    far[start:stop] = W + push * growth


class NewtonSystem(SparseSystem):
    """CSR X for β = 1, updated coordinate by coordinate; a step that raises the loss is made anew multiplicatively."""

    def _half(
        self, X: object, F: Array, other: Array, near: Array, l1: float, l2: float, push: float
    ) -> tuple[Array, Array]:
        if self._gentle:
            return super()._half(X, F, other, near, l1, l2, push)
        kernel = kernels.get("newton", "newton_stored", self.dtype, _patience(self.work)) or newton_stored
        numbers = np.array([self.floor, l1, l2, self.tiny, push], self.dtype)
        near, far = near.copy(), np.empty_like(F)
        cells = (X.indptr, X.indices, X.data)  # type: ignore[attr-defined]
        fixed = (*cells, self.unstored, F, other, sums(other.T), near, far, numbers)
        threads.run(kernel, [(*fixed, *part) for part in parts_of(len(F))])
        return far, near

    def sweep(self, point: Point, push: float, gentle: bool) -> Point:
        """Return the point after one update of W over the rows of X, then one of H over its columns."""
        self._gentle = gentle
        return super().sweep(point, push, gentle)
