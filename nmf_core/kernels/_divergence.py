# mypy: ignore-errors
# (compiled by Numba, whose types are not those of Python)
"""Compiled multiplicative updates with extrapolation for β = 1 and β = 0 (Numba).

The NumPy twins are in :mod:`nmf_core.kernels.divergence_twins`, operation for operation.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types
from numba.extending import overload

from nmf_core.kernels._gemm import apart, gemm
from nmf_core.kernels._lanes import dot8, mix

# log(m) = 2 s (1 + s²/3 + s⁴/5 + …) with s = (m − 1)/(m + 1), |s| < 0.172.
TERMS_DOUBLE, TERMS_SINGLE = 10, 5


@njit(nogil=True, cache=True, error_model="numpy")
def log_double(bits, out, mantissa, mantissa_bits, exponent):
    """Write the logarithms of positive normal numbers, given as int64, to `out`; the rest is room to work in."""
    apart()
    for i in range(out.size):
        b = bits[i]
        e = (b - 0x3FE6A09E667F3BCD) >> 52  # so that the mantissa left over lies in [√½, √2)
        mantissa_bits[i] = b - (e << 52)
        exponent[i] = np.float64(np.int32(e))
    for i in range(out.size):
        m = mantissa[i]
        s = (m - 1.0) / (m + 1.0)
        z = s * s
        p = 1.0 / 21.0
        p = p * z + 1.0 / 19.0
        p = p * z + 1.0 / 17.0
        p = p * z + 1.0 / 15.0
        p = p * z + 1.0 / 13.0
        p = p * z + 1.0 / 11.0
        p = p * z + 1.0 / 9.0
        p = p * z + 1.0 / 7.0
        p = p * z + 1.0 / 5.0
        p = p * z + 1.0 / 3.0
        out[i] = exponent[i] * 0.6931471805599453 + (s + s) * (p * z + 1.0)


@njit(nogil=True, cache=True, error_model="numpy")
def log_single(bits, out, mantissa, mantissa_bits, exponent):
    """The same in single precision, from int32."""
    apart()
    one, two = np.float32(1), np.float32(0.6931471805599453)
    c9, c7, c5, c3 = np.float32(1.0 / 9.0), np.float32(1.0 / 7.0), np.float32(1.0 / 5.0), np.float32(1.0 / 3.0)
    for i in range(out.size):
        b = bits[i]
        e = np.int32(b - np.int32(0x3F3504F3)) >> np.int32(23)
        mantissa_bits[i] = b - (e << np.int32(23))
        exponent[i] = np.float32(np.int32(e))
    for i in range(out.size):
        m = mantissa[i]
        s = (m - one) / (m + one)
        z = s * s
        p = c9 * z + c7
        p = p * z + c5
        p = p * z + c3
        out[i] = exponent[i] * two + (s + s) * (p * z + one)


def log_of(x, out, mantissa, exponent):
    """Write the logarithms of positive normal numbers to `out`."""
    raise NotImplementedError("compiled code only")


@overload(log_of)
def _log_of(x, out, mantissa, exponent):
    if x.dtype == types.float32:
        return lambda x, out, mantissa, exponent: log_single(
            x.view(np.int32), out, mantissa, mantissa.view(np.int32), exponent
        )
    return lambda x, out, mantissa, exponent: log_double(
        x.view(np.int64), out, mantissa, mantissa.view(np.int64), exponent
    )


@njit(nogil=True, cache=True, error_model="numpy")
def weigh(x, y, w, masked, is_zero, floor, down):
    """For one row of cells turn y = (WH) into what pulls up, w x y^(β−2), and write w y^(β−1) to `down` if it varies."""
    apart()
    m = x.size
    one = y.dtype.type(1)
    if is_zero:
        for j in range(m):
            v = floor if y[j] < floor else y[j]
            d = one / v
            down[j] = d
            y[j] = (x[j] / v) * d
    else:
        for j in range(m):
            v = floor if y[j] < floor else y[j]
            y[j] = x[j] / v
    if masked:
        for j in range(m):
            y[j] = y[j] * w[j]
        if is_zero:
            for j in range(m):
                down[j] = down[j] * w[j]
        else:
            for j in range(m):
                down[j] = w[j]


@njit(nogil=True, cache=True, error_model="numpy")
def divergence_row(x, y, w, masked, is_zero, floor, acc, q, logs, mantissa, exponent):
    """Add w d_β(x | y) of one row of cells to `acc`."""
    apart()
    m = x.size
    one = x.dtype.type(1)
    zero = x.dtype.type(0)
    for j in range(m):
        v = floor if y[j] < floor else y[j]
        r = x[j] / v
        q[j] = r if r > zero else one
    log_of(q, logs, mantissa, exponent)
    if is_zero:
        for j in range(m):
            q[j] = (q[j] - logs[j]) - one
    else:
        for j in range(m):
            v = floor if y[j] < floor else y[j]
            q[j] = x[j] * logs[j] + (v - x[j])
    if masked:
        for j in range(m):
            q[j] = q[j] * w[j]
    for j in range(m):
        acc[j] += np.float64(q[j])


@njit(nogil=True, cache=True, error_model="numpy")
def divergence(X, weights, masked, is_zero, W, H, floor, start, stop, block):
    """Return the divergence over rows start…stop."""
    apart()
    rank, m = H.shape
    Y = np.empty((block, m), H.dtype)
    acc = np.zeros(m)
    q, logs, mantissa, exponent = np.empty(m, H.dtype), np.empty(m, H.dtype), np.empty(m, H.dtype), np.empty(m, H.dtype)
    for s in range(start, stop, block):
        b = min(block, stop - s)
        gemm(False, False, m, b, rank, H, m, W[s:], rank, 0.0, Y, m)
        for i in range(b):
            w = weights[s + i] if masked else X[s + i]
            divergence_row(X[s + i], Y[i], w, masked, is_zero, floor[0], acc, q, logs, mantissa, exponent)
    total = 0.0
    for j in range(m):
        total += acc[j]
    return total


@njit(nogil=True, cache=True, error_model="numpy")
def update_rows(F, numerator, denominator, varies, sums, l1, l2, root, tiny, push, near, far):
    """Write F · (numerator / denominator)^γ to `near` and, pushed on along its growth since the last one, to `far`."""
    apart()
    rows, rank = F.shape
    zero, one = F.dtype.type(0), F.dtype.type(1)
    for i in range(rows):
        f, old, out, up = F[i], near[i], far[i], numerator[i]
        for k in range(rank):
            d = (denominator[i, k] if varies else sums[k]) + l1
            d = d + l2 * f[k]
            r = up[k] / d if d > zero else one
            r = np.sqrt(r) if root else r
            v = f[k] * r
            v = zero if v < tiny else v
            g = v - old[k]
            g = zero if g < zero else g
            old[k] = v
            out[k] = v + push * g


@njit(nogil=True, cache=True, error_model="numpy")
def sweep_rows(
    X, weights, masked, is_zero, root, W, H, H_sums, near, far, numbers, start, stop, block, numerator_H, denominator_H
):
    """Update rows start…stop of W and gather numerator and denominator for H at the new, pushed W: one pass over X.

    ``numbers``: floor, l1, l2, tiny, push, all in X's precision.
    """
    rank, m = H.shape
    varies = masked or is_zero
    Y, D = np.empty((block, m), H.dtype), np.empty((block if varies else 1, m), H.dtype)
    up, down = np.empty((block, rank), H.dtype), np.empty((block, rank), H.dtype)
    floor, l1, l2, tiny, push = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    beta = 0.0
    for s in range(start, stop, block):
        b = min(block, stop - s)
        gemm(False, False, m, b, rank, H, m, W[s:], rank, 0.0, Y, m)
        for i in range(b):
            w = weights[s + i] if masked else X[s + i]
            weigh(X[s + i], Y[i], w, masked, is_zero, floor, D[i if varies else 0])
        gemm(True, False, rank, b, m, H, m, Y, m, 0.0, up, rank)
        if varies:
            gemm(True, False, rank, b, m, H, m, D, m, 0.0, down, rank)
        update_rows(
            W[s : s + b], up[:b], down[:b], varies, H_sums, l1, l2, root, tiny, push, near[s : s + b], far[s : s + b]
        )
        gemm(False, False, m, b, rank, H, m, far[s:], rank, 0.0, Y, m)
        for i in range(b):
            w = weights[s + i] if masked else X[s + i]
            weigh(X[s + i], Y[i], w, masked, is_zero, floor, D[i if varies else 0])
        gemm(False, True, m, rank, b, Y, m, far[s:], rank, beta, numerator_H, m)
        if varies:
            gemm(False, True, m, rank, b, D, m, far[s:], rank, beta, denominator_H, m)
        beta = 1.0


@njit(nogil=True, cache=True, error_model="numpy")
def sweep_stored(indptr, indices, data, unstored, F, other, sums, near, far, numbers, start, stop):
    """Update rows start…stop of a factor for β = 1, touching stored cells only. Factors are padded rows.

    ``numbers``: floor, l1, l2, tiny, push; ``sums``: of the other factor by component.
    """
    width = F.shape[1]
    flat = other.reshape(-1)
    zero, one = F.dtype.type(0), F.dtype.type(1)
    floor, l1, l2, tiny, push = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    up, down = np.empty(width, F.dtype), np.empty(width, F.dtype)
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
        for k in range(width):
            d = down[k] + l1
            d = d + l2 * f[k]
            r = up[k] / d if d > zero else one
            v = f[k] * r
            v = zero if v < tiny else v
            g = v - old[k]
            g = zero if g < zero else g
            old[k] = v
            out[k] = v + push * g


@njit(nogil=True, cache=True, error_model="numpy")
def divergence_stored(indptr, indices, data, F, other, floor, start, stop, out):
    """Write Σ x log(x/y) − x + y over the stored cells of rows start…stop to out[0] and Σ y over them to out[1]."""
    width = F.shape[1]
    flat = other.reshape(-1)
    limit = floor[0]
    longest = 1
    for i in range(start, stop):
        longest = max(longest, np.intp(indptr[i + 1] - indptr[i]))
    y, q, logs = np.empty(longest, F.dtype), np.empty(longest, F.dtype), np.empty(longest, F.dtype)
    mantissa, exponent = np.empty(longest, F.dtype), np.empty(longest, F.dtype)
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
        log_of(q[:count], logs[:count], mantissa[:count], exponent[:count])
        a, b = 0.0, 0.0
        for p in range(count):
            x = data[lo + p]
            a += np.float64(x * logs[p] + (y[p] - x))
            b += np.float64(y[p])
        first += a
        second += b
    out[0] = first
    out[1] = second


def signatures(dtype) -> dict[str, tuple]:
    """Return the one signature each function is compiled for."""
    t = types.float64 if dtype == np.float64 else types.float32
    m, v = types.Array(t, 2, "C"), types.Array(t, 1, "C")
    x, data = types.Array(t, 2, "C", readonly=True), types.Array(t, 1, "C", readonly=True)
    index = types.Array(types.int32, 1, "C", readonly=True)
    d, i, flag = types.Array(types.float64, 1, "C"), types.intp, types.boolean
    return {
        "divergence": (x, x, flag, flag, m, m, v, i, i, i),
        "sweep_rows": (x, x, flag, flag, flag, m, m, v, m, m, v, i, i, i, m, m),
        "sweep_stored": (index, index, data, flag, m, m, v, m, m, v, i, i),
        "divergence_stored": (index, index, data, m, m, v, i, i, d),
    }
