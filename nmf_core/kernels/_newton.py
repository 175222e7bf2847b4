# mypy: ignore-errors
# (compiled by Numba, whose types are not those of Python)
"""Compiled coordinate descent for β = 1 on stored cells (Numba). Twin: :mod:`nmf_core.kernels.newton`."""

from __future__ import annotations

import numpy as np
from numba import njit, types

from nmf_core.kernels._divergence import at_stored
from nmf_core.kernels._gemm import apart


@njit(nogil=True, cache=True, error_model="numpy")
def slopes(q, inverse, h, count, out):
    """Write Σ q h and Σ q h² / y to `out`, each in eight lanes added up pairwise; count is a multiple of 8."""
    apart()
    z = q.dtype.type(0)
    a0, a1, a2, a3, a4, a5, a6, a7 = z, z, z, z, z, z, z, z
    b0, b1, b2, b3, b4, b5, b6, b7 = z, z, z, z, z, z, z, z
    for p in range(0, count, 8):
        u0, u1, u2, u3 = q[p] * h[p], q[p + 1] * h[p + 1], q[p + 2] * h[p + 2], q[p + 3] * h[p + 3]
        u4, u5, u6, u7 = q[p + 4] * h[p + 4], q[p + 5] * h[p + 5], q[p + 6] * h[p + 6], q[p + 7] * h[p + 7]
        a0, a1, a2, a3, a4, a5, a6, a7 = a0 + u0, a1 + u1, a2 + u2, a3 + u3, a4 + u4, a5 + u5, a6 + u6, a7 + u7
        b0 += u0 * (inverse[p] * h[p])
        b1 += u1 * (inverse[p + 1] * h[p + 1])
        b2 += u2 * (inverse[p + 2] * h[p + 2])
        b3 += u3 * (inverse[p + 3] * h[p + 3])
        b4 += u4 * (inverse[p + 4] * h[p + 4])
        b5 += u5 * (inverse[p + 5] * h[p + 5])
        b6 += u6 * (inverse[p + 6] * h[p + 6])
        b7 += u7 * (inverse[p + 7] * h[p + 7])
    out[0] = ((a0 + a4) + (a2 + a6)) + ((a1 + a5) + (a3 + a7))
    out[1] = ((b0 + b4) + (b2 + b6)) + ((b1 + b5) + (b3 + b7))


@njit(nogil=True, cache=True, error_model="numpy")
def newton_stored(indptr, indices, data, unstored, F, other, sums, near, far, numbers, start, stop):
    """Update rows start…stop of a factor coordinate by coordinate; arguments as for ``_divergence.sweep_stored``."""
    width = F.shape[1]
    flat = other.reshape(-1)
    zero, one = F.dtype.type(0), F.dtype.type(1)
    floor, l1, l2, push = numbers[0], numbers[1], numbers[2], numbers[4]
    longest = 8
    for i in range(start, stop):
        longest = max(longest, np.intp(indptr[i + 1] - indptr[i]) + 8)
    H = np.empty((width, longest), F.dtype)
    x, y, inverse, q = (
        np.empty(longest, F.dtype),
        np.empty(longest, F.dtype),
        np.empty(longest, F.dtype),
        np.empty(longest, F.dtype),
    )
    down, w, out = np.empty(width, F.dtype), np.empty(width, F.dtype), np.empty(2, F.dtype)
    for i in range(start, stop):
        lo = np.intp(indptr[i])
        stored = np.intp(indptr[i + 1]) - lo
        count = (stored + 7) // 8 * 8
        f = F[i]
        for k in range(width):
            w[k] = f[k]
            down[k] = zero if unstored else sums[k]
        for p in range(stored):
            base = np.intp(indices[lo + p]) * width
            for k in range(width):
                H[k, p] = flat[base + k]
            if unstored:
                for k in range(width):
                    down[k] += flat[base + k]
            x[p] = data[lo + p]
            y[p] = at_stored(f, flat, base, width)
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
            slopes(q, inverse, h, count, out)
            d = down[k] + l1
            d = d + l2 * w[k]
            if not (d > zero and out[1] > zero):
                if d > zero:
                    new = zero
                else:
                    continue
            else:
                new = w[k] + (out[0] / d - one) * (out[0] / out[1])
                new = zero if new < zero else new
            step = new - w[k]
            w[k] = new
            if step != zero:
                for p in range(count):
                    v = y[p] + step * h[p]
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
