# mypy: ignore-errors
# (compiled by Numba, whose types are not those of Python)
"""Compiled updates for β = 1 that touch the stored cells of sparse X alone: multiplicative ones and coordinate descent.

Factors are rows of components, padded (n × width and m × width). The NumPy twins are in
:mod:`nmf_core.kernels.divergence_twins` and :mod:`nmf_core.kernels.newton`.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types
from numba.extending import overload

from nmf_core.kernels._cells import log_of
from nmf_core.kernels._divergence import advance, column_sums, divergence_at, loop_signature, update, whole_loop
from nmf_core.kernels._gemm import apart
from nmf_core.kernels._lanes import bend16, dot8, dot16, mix, turn

__all__ = ["divergence_stored", "newton_stored", "signatures", "sweep_stored", "whole_loop"]


@njit(nogil=True, cache=True, error_model="numpy")
def sweep_stored(indptr, indices, data, unstored, F, other, sums, near, far, numbers, gamma, start, stop):
    """Update rows start…stop of a factor, touching stored cells only. Factors are padded rows.

    ``numbers``: floor, l1, l2, tiny, push; ``sums``: of the other factor by component.
    """
    width = F.shape[1]
    flat = other.reshape(-1)
    floor, l1, l2, tiny, push = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    up, down, room = np.empty(width, F.dtype), np.empty(width, F.dtype), np.empty((width + 15) // 16 * 16, F.dtype)
    longest = 1
    for i in range(start, stop):
        longest = max(longest, np.intp(indptr[i + 1] - indptr[i]))
    q, ones = np.empty(longest, F.dtype), np.ones(longest if unstored else 1, F.dtype)
    for i in range(start, stop):
        f, old, out = F[i], near[i], far[i]
        lo, hi = np.intp(indptr[i]), np.intp(indptr[i + 1])
        for p in range(lo, hi):
            y = dot8(f, flat, 0, np.intp(indices[p]) * width, width)
            q[p - lo] = data[p] / (floor if y < floor else y)
        mix(indices, q, flat, width, lo, hi, 0, up)
        if unstored:
            mix(indices, ones, flat, width, lo, hi, 0, down)
        else:
            for k in range(width):
                down[k] = sums[k]
        update(f, up, down, l1, l2, gamma, tiny, push, old, out, room)


@njit(nogil=True, cache=True, error_model="numpy")
def divergence_stored(indptr, indices, data, F, other, floor, start, stop, out):
    """Write Σ x log(x/y) − x + y over the stored cells of rows start…stop to out[0] and Σ y over them to out[1]."""
    width = F.shape[1]
    flat = other.reshape(-1)
    limit = floor[0]
    longest = 1
    for i in range(start, stop):
        longest = max(longest, np.intp(indptr[i + 1] - indptr[i]))
    longest = (longest + 15) // 16 * 16
    y, q, logs = np.empty(longest, F.dtype), np.ones(longest, F.dtype), np.empty(longest, F.dtype)
    one, zero = F.dtype.type(1), F.dtype.type(0)
    first, second = 0.0, 0.0
    for i in range(start, stop):
        f = F[i]
        lo = np.intp(indptr[i])
        count = np.intp(indptr[i + 1]) - lo
        for p in range(count):
            v = dot8(f, flat, 0, np.intp(indices[lo + p]) * width, width)
            v = limit if v < limit else v
            y[p] = v
            r = data[lo + p] / v
            q[p] = r if r > zero else one
        log_of(q, logs, count)
        a, b = 0.0, 0.0
        for p in range(count):
            x = data[lo + p]
            a += np.float64(x * logs[p] + (y[p] - x))
            b += np.float64(y[p])
        first += a
        second += b
    out[0] = first
    out[1] = second


@njit(nogil=True, cache=True, error_model="numpy")
def newton_stored(indptr, indices, data, unstored, F, other, sums, near, far, numbers, start, stop):
    """Update rows start…stop of a factor coordinate by coordinate; arguments as for :func:`sweep_stored`."""
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


@njit(nogil=True, cache=True, error_model="numpy")
def half(indptr, indices, data, unstored, newton, F, other, near, far, numbers, gamma, least):
    """Update one factor, the other fixed: by coordinate descent, which divides by no less than `least`, or else not."""
    apart()
    width = F.shape[1]
    total, sums = column_sums(other), np.empty(width, F.dtype)
    for k in range(width):
        sums[k] = total[k]
    floor = numbers[0]
    if newton:
        numbers[0] = max(floor, least)
        newton_stored(indptr, indices, data, unstored, F, other, sums, near, far, numbers, 0, F.shape[0])
        numbers[0] = floor
    else:
        sweep_stored(indptr, indices, data, unstored, F, other, sums, near, far, numbers, gamma, 0, F.shape[0])


@njit(nogil=True, cache=True, error_model="numpy")
def divergence_of(indptr, indices, data, unstored, W, H, floor, step):
    """Return the divergence; a cell holding zero costs its WH."""
    apart()
    out = np.empty(2)
    value, stored = 0.0, 0.0
    for s in range(0, W.shape[0], step):
        divergence_stored(indptr, indices, data, W, H, floor, s, min(s + step, W.shape[0]), out)
        value += out[0]
        stored += out[1]
    if not unstored:
        sums_W, sums_H = column_sums(W), column_sums(H)
        everywhere = 0.0
        for k in range(sums_W.size):
            everywhere += sums_W[k] * sums_H[k]
        value += max(everywhere - stored, 0.0)
    return value


@overload(divergence_at)
def _divergence_stored(system, W, H, limits):
    if system[0].ndim != 1:
        return None

    def stored(system, W, H, limits):
        indptr, indices, data, _, _, _, unstored, _, step = system
        return divergence_of(indptr, indices, data, unstored, W, H, limits[:1], step)

    return stored


@overload(advance)
def _advance_stored(system, p, q, now, next_, push, limits, penalties, gammas, gentle, moves_H, told):
    if system[0].ndim != 1:
        return None

    def stored(system, p, q, now, next_, push, limits, penalties, gammas, gentle, moves_H, told):
        indptr, indices, data, indptr_t, indices_t, data_t, unstored, newton, step = system
        W, H, W_far, H_far, W_near, H_near = p[0, now], q[0, now], p[0, next_], q[0, next_], p[1, next_], q[1, next_]
        W_near[:], H_near[:] = p[1, now], q[1, now]
        value = divergence_of(indptr, indices, data, unstored, W, H, limits[:1], step) if told else 0.0
        bold, least = newton and not gentle, limits[2]
        row = np.empty(5, H.dtype)
        row[0], row[1], row[2], row[3], row[4] = limits[0], penalties[0], penalties[1], limits[1], push
        gamma = gammas[2 * gentle]
        half(indptr, indices, data, unstored, bold, W, H, W_near, W_far, row, gamma, least)
        if moves_H:
            row[1], row[2] = penalties[2], penalties[3]
            gamma = gammas[2 * gentle + 1]
            half(indptr_t, indices_t, data_t, unstored, bold, H, W_far, H_near, H_far, row, gamma, least)
        else:
            H_far[:] = H
        return value

    return stored


def signatures(dtype) -> dict[str, tuple]:
    """Return the one signature each function is compiled for."""
    t = types.float64 if dtype == np.float64 else types.float32
    m, v = types.Array(t, 2, "C"), types.Array(t, 1, "C")
    data, d = types.Array(t, 1, "C", readonly=True), types.Array(types.float64, 1, "C")
    index = types.Array(types.int32, 1, "C", readonly=True)
    i, flag, f = types.intp, types.boolean, types.float64
    cells = (index, index, data)
    return {
        "sweep_stored": (*cells, flag, m, m, v, m, m, v, f, i, i),
        "newton_stored": (*cells, flag, m, m, v, m, m, v, i, i),
        "divergence_stored": (*cells, m, m, v, i, i, d),
        "whole_loop": loop_signature((*cells, *cells, flag, flag, i), t),
    }
