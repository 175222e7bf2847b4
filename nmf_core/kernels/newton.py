"""Coordinate descent for the Kullback–Leibler loss on stored cells, and its NumPy twin.

Each entry w of a row minimizes Σ_p −x_p log(y_p + (s − w) h_p) + d s, the others fixed. With A = Σ x h / y and
C = Σ x h² / y², Newton's step is (A − d) / C (Hsieh & Dhillon 2011). Taken here: (A/d − 1) A / C, Newton's step on the
hyperbola A / (1 + s C / A) instead of its tangent. It is exact where one component explains the cells, never longer than
what convexity allows on the way up, and far less prone to overshoot on the way down.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nmf_core.kernels import threads
from nmf_core.kernels.abreast import Abreast
from nmf_core.kernels.divergence_twins import _at_stored
from nmf_core.kernels.multiplicative import SparseSystem
from nmf_core.kernels.sparse import parts_of
from nmf_core.types import Array


def newton_stored(
    indptr: Array, indices: Array, data: Array, unstored: bool, F: Array, other: Array, sums_: Array,
    near: Array, far: Array, numbers: Array, start: int, stop: int,
) -> None:  # fmt: skip
    """Update rows start…stop of a factor coordinate by coordinate, all rows abreast."""
    import scipy.sparse as sp

    floor, l1, l2, _, push = numbers
    dtype, width = F.dtype, F.shape[1]
    padded, stored = Abreast(indptr[start : stop + 1], dtype), slice(indptr[start], indptr[stop])
    x, y = padded.spread(data[stored]), padded.spread(_at_stored(indptr, indices, F, other, start, stop), 1.0)
    cells = indices[stored]
    if unstored:
        ones = sp.csr_array((np.ones(len(cells), dtype), cells, padded.at), shape=(padded.rows, len(other)))
        down = ones @ other
    else:
        down = np.broadcast_to(sums_, (padded.rows, width))
    inverse = dtype.type(1) / np.maximum(y, floor)
    q = x * inverse
    W = F[start:stop].copy()
    for k in range(width):
        h = padded.spread(other[cells, k])
        pull = q * h
        a, c = padded.sums(pull), padded.sums(pull * (inverse * h))
        w = W[:, k]
        d = down[:, k] + l1
        d = d + l2 * w
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            new = w + (a / d - dtype.type(1)) * (a / c)
        new = np.where(c > 0, np.maximum(new, 0), dtype.type(0))
        new = np.where(d > 0, new, w)
        step = (new - w)[padded.row]
        W[:, k] = new
        moved = step != 0
        least = y * np.finfo(dtype).eps  # what is left below that is rounding
        y = np.where(moved, np.maximum(y + step * h, least), y)
        inverse = np.where(moved, dtype.type(1) / np.maximum(y, floor), inverse)
        q = np.where(moved, x * inverse, q)
    growth = np.maximum(W - near[start:stop], 0)
    near[start:stop] = W
    far[start:stop] = W + push * growth


class NewtonSystem(SparseSystem):
    """CSR X for β = 1, updated coordinate by coordinate; a step that raises the loss is made anew multiplicatively.

    Attributes
    ----------
    least : float
        Smallest WH that a step divides by. A quotient is squared here: with the floor of the loss it would leave the
        range, and the row stay at zero.
    """

    newton = True

    def _half(
        self, X: Any, F: Array, other: Array, near: Array, l1: float, l2: float, push: float, gamma: float, gentle: bool
    ) -> tuple[Array, Array]:
        if gentle:
            return super()._half(X, F, other, near, l1, l2, push, gamma, gentle)
        kernel = self._kernel("newton_stored") or newton_stored
        numbers = np.array([max(self.floor, self.least), l1, l2, self.tiny, push], self.dtype)
        near, far = near.copy(), np.empty_like(F)
        fixed = (X.indptr, X.indices, X.data, self.unstored, F, other, self._sums(other), near, far, numbers)
        threads.run(kernel, [(*fixed, *part) for part in parts_of(len(F))])
        return far, near
