# mypy: ignore-errors
# (compiled by Numba, whose types are not those of Python)
"""Compiled coordinate descent for β = 1 on stored cells (Numba). Twin: :mod:`nmf_core.kernels.newton`."""

from __future__ import annotations

import numpy as np
from numba import njit, types

from nmf_core.kernels._lanes import bend16, dot8, dot16, mix, turn


@njit(nogil=True, cache=True, error_model="numpy")
def newton_stored(indptr, indices, data, unstored, F, other, sums, near, far, numbers, start, stop):
    """Update rows start…stop of a factor coordinate by coordinate; arguments as for ``_divergence.sweep_stored``."""
    width = F.shape[1]
    flat = other.reshape(-1)
    zero, one = F.dtype.type(0), F.dtype.type(1)
    floor, l1, l2, push = numbers[0], numbers[1], numbers[2], numbers[4]
    digits = F.dtype.type(np.finfo(F.dtype).eps)
    longest = 16
    for i in range(start, stop):
        longest = max(longest, np.intp(indptr[i + 1] - indptr[i]) + 16)
    H = np.empty((width, longest), F.dtype)
    H_flat, ones = H.reshape(-1), np.ones(longest if unstored else 1, F.dtype)
    x, y, inverse, q = (
        np.empty(longest, F.dtype),
        np.empty(longest, F.dtype),
        np.empty(longest, F.dtype),
        np.empty(longest, F.dtype),
    )
    down, w = np.empty(width, F.dtype), np.empty(width, F.dtype)
    for i in range(start, stop):
        lo = np.intp(indptr[i])
        stored = np.intp(indptr[i + 1]) - lo
        count = (stored + 15) // 16 * 16
        f = F[i]
        for k in range(width):
            w[k] = f[k]
            down[k] = sums[k]
        turn(indices, flat, width, lo, stored, H_flat, longest)
        if unstored:
            mix(indices, ones, flat, width, lo, lo + stored, 0, down)
        for p in range(stored):
            x[p] = data[lo + p]
            y[p] = dot8(f, flat, 0, np.intp(indices[lo + p]) * width, width)
        for p in range(stored, count):
            for k in range(width):
                H[k, p] = zero
            x[p], y[p] = zero, one
        for p in range(count):
            v = y[p]
            inverse[p] = one / (floor if v < floor else v)
            q[p] = x[p] * inverse[p]
        for k in range(width):
            h = H[k]
            pull, bend = dot16(q, h, 0, 0, count), bend16(q, h, inverse, 0, 0, 0, count)
            d = down[k] + l1
            d = d + l2 * w[k]
            if not (d > zero and bend > zero):
                if d > zero:
                    new = zero
                else:
                    continue
            else:
                new = w[k] + (pull / d - one) * (pull / bend)
                new = zero if new < zero else new
            step = new - w[k]
            w[k] = new
            if step != zero:
                for p in range(count):
                    v = y[p] + step * h[p]
                    least = y[p] * digits  # what is left below that is rounding
                    v = least if v < least else v
                    y[p] = v
                    inverse[p] = one / (floor if v < floor else v)
                    q[p] = x[p] * inverse[p]
        old, to = near[i], far[i]
        for k in range(width):
            g = w[k] - old[k]
            g = zero if g < zero else g
            old[k] = w[k]
            to[k] = w[k] + push * g


def signatures(dtype) -> dict[str, tuple]:
    """Return the one signature each function is compiled for."""
    t = types.float64 if dtype == np.float64 else types.float32
    m, v = types.Array(t, 2, "C"), types.Array(t, 1, "C")
    data = types.Array(t, 1, "C", readonly=True)
    index = types.Array(types.int32, 1, "C", readonly=True)
    i, flag = types.intp, types.boolean
    return {"newton_stored": (index, index, data, flag, m, m, v, m, m, v, i, i)}
