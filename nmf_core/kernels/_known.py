# mypy: ignore-errors
# (compiled by Numba, whose types are not those of Python)
"""Compiled coordinate passes for β = 2 on known, possibly weighted cells (Numba). Twin: :mod:`nmf_core.kernels.known`."""

from __future__ import annotations

import numpy as np
from numba import njit, types

from nmf_core.kernels._gemm import apart
from nmf_core.kernels._lanes import dot16, turn


@njit(nogil=True, cache=True, error_model="numpy")
def descend(indptr, indices, data, roots, weighted, rank, F, other, near, far, numbers, passes, start, stop, squares):
    """Minimize Σ ω (x − ⟨f, other⟩)² over each row f of F from start to stop by coordinate passes over its known cells.

    ``roots``: √ω per cell, by which both sides are multiplied; ``numbers``: l1, l2, push. Writes the new row to `near`,
    the row pushed on from the last one to `far`, and the sum of squares at the new row to `squares`. Rows of factors are
    padded to a multiple of 8; only the first `rank` entries count.
    """
    apart()
    width = F.shape[1]
    flat = other.reshape(-1)
    zero = F.dtype.type(0)
    l1, l2, push = numbers[0], numbers[1], numbers[2]
    longest = 16
    for i in range(start, stop):
        longest = max(longest, np.intp(indptr[i + 1] - indptr[i]) + 16)
    H = np.empty((width, longest), F.dtype)
    H_flat = H.reshape(-1)
    r = np.empty(longest, F.dtype)
    left = np.empty(longest)
    w, bend = np.empty(rank, F.dtype), np.empty(rank, F.dtype)
    for i in range(start, stop):
        lo = np.intp(indptr[i])
        stored = np.intp(indptr[i + 1]) - lo
        count = (stored + 15) // 16 * 16
        turn(indices, flat, width, lo, stored, H_flat, longest)
        for p in range(stored):
            r[p] = data[lo + p]
        if weighted:
            root = roots[lo : lo + stored]
            for p in range(stored):
                r[p] = r[p] * root[p]
            for k in range(rank):
                h = H[k]
                for p in range(stored):
                    h[p] = h[p] * root[p]
        for p in range(stored, count):
            for k in range(rank):
                H[k, p] = zero
            r[p] = zero
        for k in range(rank):
            h, f = H[k], F[i, k]
            w[k] = f
            bend[k] = dot16(h, h, 0, 0, count)
            for p in range(count):
                r[p] = r[p] - f * h[p]
        for _ in range(passes):
            for k in range(rank):
                h = H[k]
                c = bend[k] + l2
                if not c > zero:
                    if l1 > zero:
                        w[k] = zero
                    continue
                slope = dot16(r, h, 0, 0, count) - l1
                slope = slope - l2 * w[k]
                new = w[k] + slope / c
                new = zero if new < zero else new
                step = new - w[k]
                w[k] = new
                if step != zero:
                    for p in range(count):
                        r[p] = r[p] - step * h[p]
        for k in range(rank):
            z = w[k] + (w[k] - near[i, k]) * push
            near[i, k] = w[k]
            far[i, k] = zero if z < zero else z
        for p in range(count):
            left[p] = r[p]
        squares[i] = dot16(left, left, 0, 0, count)


def signatures(dtype) -> dict[str, tuple]:
    """Return the one signature each function is compiled for."""
    t = types.float64 if dtype == np.float64 else types.float32
    m, v = types.Array(t, 2, "C"), types.Array(t, 1, "C")
    data = types.Array(t, 1, "C", readonly=True)
    index = types.Array(types.int32, 1, "C", readonly=True)
    d, i, flag = types.Array(types.float64, 1, "C"), types.intp, types.boolean
    return {"descend": (index, index, data, data, flag, i, m, m, m, m, v, i, i, i, d)}
