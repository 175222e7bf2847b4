# mypy: ignore-errors
# (compiled by Numba, whose types are not those of Python)
"""Compiled multiplicative updates with extrapolation for dense X and every β (Numba).

The NumPy twins are in :mod:`nmf_core.kernels.divergence_twins`, operation for operation.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types
from numba.extending import overload

from nmf_core.kernels._gemm import apart, gemm

# Cells handled at a time, so that what is worked out for them stays in the nearest cache.
CHUNK = 1024


@njit(nogil=True, cache=True, error_model="numpy")
def log_double(bits, out, mantissa, mantissa_bits, exponent):
    """Write the logarithms of positive normal numbers, given as int64, to `out`; the rest is room to work in.

    log(m) = 2 s (1 + s²/3 + s⁴/5 + …) with s = (m − 1)/(m + 1), |s| < 0.172.
    """
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
def exp_double(x, out, scale, scale_bits, r):
    """Write e^x to `out`, x held to where the result is a normal number; the rest is room to work in."""
    apart()
    for i in range(out.size):
        v = min(max(x[i], -708.0), 709.0)
        n = np.floor(v * 1.4426950408889634 + 0.5)
        r[i] = (v - n * 0.6931471803691238) - n * 1.9082149292705877e-10
        scale_bits[i] = (np.int64(np.int32(n)) + 1023) << 52
    for i in range(out.size):
        z = r[i]
        p = 1.0 / 6227020800.0
        p = p * z + 1.0 / 479001600.0
        p = p * z + 1.0 / 39916800.0
        p = p * z + 1.0 / 3628800.0
        p = p * z + 1.0 / 362880.0
        p = p * z + 1.0 / 40320.0
        p = p * z + 1.0 / 5040.0
        p = p * z + 1.0 / 720.0
        p = p * z + 1.0 / 120.0
        p = p * z + 1.0 / 24.0
        p = p * z + 1.0 / 6.0
        p = p * z + 0.5
        p = p * z + 1.0
        out[i] = (p * z + 1.0) * scale[i]


@njit(nogil=True, cache=True, error_model="numpy")
def exp_single(x, out, scale, scale_bits, r):
    """The same in single precision."""
    apart()
    one, half, least, most = np.float32(1), np.float32(0.5), np.float32(-87), np.float32(88)
    turns, high, low = np.float32(1.4426950408889634), np.float32(0.693359375), np.float32(-2.12194440e-4)
    c7, c6, c5 = np.float32(1.0 / 5040.0), np.float32(1.0 / 720.0), np.float32(1.0 / 120.0)
    c4, c3 = np.float32(1.0 / 24.0), np.float32(1.0 / 6.0)
    for i in range(out.size):
        v = min(max(x[i], least), most)
        n = np.floor(v * turns + half)
        r[i] = (v - n * high) - n * low
        scale_bits[i] = (np.int32(n) + np.int32(127)) << np.int32(23)
    for i in range(out.size):
        z = r[i]
        p = c7 * z + c6
        p = p * z + c5
        p = p * z + c4
        p = p * z + c3
        p = p * z + half
        p = p * z + one
        out[i] = (p * z + one) * scale[i]


def power_of(x, exponent, out, logs, mantissa, scale):
    """Write x to the power of a number to `out`, for positive normal x; the rest is room to work in."""
    raise NotImplementedError("compiled code only")


@overload(power_of)
def _power_of(x, exponent, out, logs, mantissa, scale):
    if x.dtype == types.float32:

        def single(x, exponent, out, logs, mantissa, scale):
            if by_root(x, exponent, out):
                return
            log_single(x.view(np.int32), logs, mantissa, mantissa.view(np.int32), scale)
            times = np.float32(exponent)
            for i in range(out.size):
                logs[i] = logs[i] * times
            exp_single(logs, out, scale, scale.view(np.int32), mantissa)

        return single

    def double(x, exponent, out, logs, mantissa, scale):
        if by_root(x, exponent, out):
            return
        log_double(x.view(np.int64), logs, mantissa, mantissa.view(np.int64), scale)
        for i in range(out.size):
            logs[i] = logs[i] * exponent
        exp_double(logs, out, scale, scale.view(np.int64), mantissa)

    return double


@njit(nogil=True, cache=True, error_model="numpy")
def by_root(x, exponent, out):
    """Write x to a power that is a multiple of ½ from −2 to 2 by a root and products, and tell whether it is one."""
    apart()
    halves = abs(2.0 * exponent)
    if halves > 4.0 or halves != np.floor(halves):
        return False
    odd, factors, inverse = halves % 2.0 == 1.0, halves // 2.0, exponent < 0.0
    one = x.dtype.type(1)
    for i in range(out.size):
        v = np.sqrt(x[i]) if odd else one
        v = v * x[i] if factors >= 1.0 else v
        v = v * x[i] if factors == 2.0 else v
        out[i] = one / v if inverse else v
    return True


@njit(nogil=True, cache=True, error_model="numpy")
def weigh(x, y, w, masked, beta, floor, down, room):
    """For up to CHUNK cells turn y = (WH) into what pulls up, w x y^(β−2); write w y^(β−1) to `down` if it varies."""
    apart()
    m = x.size
    one = y.dtype.type(1)
    if beta == 1.0:
        for j in range(m):
            v = floor if y[j] < floor else y[j]
            y[j] = x[j] / v
    elif beta == 0.0:
        for j in range(m):
            v = floor if y[j] < floor else y[j]
            d = one / v
            down[j] = d
            y[j] = (x[j] / v) * d
    else:
        v, p = room[0, :m], room[1, :m]
        for j in range(m):
            v[j] = floor if y[j] < floor else y[j]
        power_of(v, beta - 2.0, p, room[2, :m], room[3, :m], room[4, :m])
        for j in range(m):
            y[j] = x[j] * p[j]
            down[j] = v[j] * p[j]
    if masked:
        for j in range(m):
            y[j] = y[j] * w[j]
        if beta == 1.0:
            for j in range(m):
                down[j] = w[j]
        else:
            for j in range(m):
                down[j] = down[j] * w[j]


@njit(nogil=True, cache=True, error_model="numpy")
def diverge(x, y, w, masked, beta, floor, acc, room):
    """Add w d_β(x | y) of up to CHUNK cells to `acc`; for β other than 0 and 1 without w x^β / (β (β − 1))."""
    apart()
    m = x.size
    one, zero = x.dtype.type(1), x.dtype.type(0)
    q, logs, v = room[0, :m], room[1, :m], room[5, :m]
    for j in range(m):
        v[j] = floor if y[j] < floor else y[j]
    if beta == 1.0 or beta == 0.0:
        for j in range(m):
            r = x[j] / v[j]
            q[j] = r if r > zero else one
        log_of(q, logs, room[2, :m], room[3, :m])
        if beta == 0.0:
            for j in range(m):
                q[j] = (q[j] - logs[j]) - one
        else:
            for j in range(m):
                q[j] = x[j] * logs[j] + (v[j] - x[j])
    else:
        own, cross = x.dtype.type(1.0 / beta), x.dtype.type(1.0 / (beta - 1.0))
        power_of(v, beta - 1.0, logs, room[2, :m], room[3, :m], room[4, :m])
        for j in range(m):
            q[j] = logs[j] * (v[j] * own - x[j] * cross)
    if masked:
        for j in range(m):
            q[j] = q[j] * w[j]
    for j in range(m):
        acc[j] += np.float64(q[j])


@njit(nogil=True, cache=True, error_model="numpy")
def divergence(X, weights, masked, beta, W, H, floor, start, stop, block):
    """Return the divergence over rows start…stop, less a constant (see :func:`diverge`)."""
    apart()
    rank, m = H.shape
    Y = np.empty((block, m), H.dtype)
    x, y, w = X.reshape(-1), Y.reshape(-1), weights.reshape(-1)
    size = min(CHUNK, block * m)
    acc, room = np.zeros(size), np.empty((6, size), H.dtype)
    for s in range(start, stop, block):
        b = min(block, stop - s)
        gemm(False, False, m, b, rank, H, m, W[s:], rank, 0.0, Y, m)
        for lo in range(0, b * m, size):
            hi = min(lo + size, b * m)
            at, to = s * m + lo, s * m + hi
            diverge(x[at:to], y[lo:hi], w[at:to], masked, beta, floor[0], acc, room)
    total = 0.0
    for j in range(size):
        total += acc[j]
    return total


@njit(nogil=True, cache=True, error_model="numpy")
def raised(q, gamma, room):
    """Raise ratios to the power γ, in place."""
    apart()
    zero, one = q.dtype.type(0), q.dtype.type(1)
    m, least = q.size, q.dtype.type(np.finfo(q.dtype).tiny)
    r, p = room[0, :m], room[1, :m]
    for k in range(m):
        r[k] = q[k] if q[k] >= least else one
    power_of(r, gamma, p, room[2, :m], room[3, :m], room[4, :m])
    for k in range(m):
        q[k] = p[k] if q[k] >= least else zero


@njit(nogil=True, cache=True, error_model="numpy")
def update(f, up, down, l1, l2, gamma, tiny, push, near, far, room):
    """Write f · (up / down)^γ to `near` and, pushed on along its growth since the last one, to `far`; CHUNK entries."""
    apart()
    m = f.size
    zero, one = f.dtype.type(0), f.dtype.type(1)
    q = room[5, :m]
    for k in range(m):
        d = down[k] + l1
        d = d + l2 * f[k]
        r = up[k] / d
        q[k] = r if d > zero else one
    if gamma != 1.0:
        raised(q, gamma, room)
    for k in range(m):
        v = f[k] * q[k]
        v = zero if v < tiny else v
        g = v - near[k]
        g = zero if g < zero else g
        near[k] = v
        far[k] = v + push * g


@njit(nogil=True, cache=True, error_model="numpy")
def sweep_rows(
    X, weights, masked, beta, gamma, W, H, H_sums, near, far, numbers, start, stop, block, gathers, numerator_H,
    denominator_H,
):  # fmt: skip
    """Update rows start…stop of W and gather numerator and denominator for H at the new, pushed W: one pass over X.

    ``numbers``: floor, l1, l2, tiny, push, all in X's precision; ``gathers`` is false where H is fixed.
    """
    rank, m = H.shape
    varies = masked or beta != 1.0
    Y, D = np.empty((block, m), H.dtype), np.empty((block, m) if varies else (1, CHUNK), H.dtype)
    up, down = np.empty((block, rank), H.dtype), np.empty((block, rank), H.dtype)
    x, y, w, d = X.reshape(-1), Y.reshape(-1), weights.reshape(-1), D.reshape(-1)
    f, old, new, u, v = W.reshape(-1), near.reshape(-1), far.reshape(-1), up.reshape(-1), down.reshape(-1)
    size = min(CHUNK, block * max(m, rank))
    room = np.empty((6, size), H.dtype)
    floor, l1, l2, tiny, push = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    kept = 0.0
    if not varies:
        for i in range(block):
            for k in range(rank):
                down[i, k] = H_sums[k]
    for s in range(start, stop, block):
        b = min(block, stop - s)
        for half in range(2 if gathers else 1):
            gemm(False, False, m, b, rank, H, m, far[s:] if half else W[s:], rank, 0.0, Y, m)
            for lo in range(0, b * m, size):
                hi = min(lo + size, b * m)
                at, to, other = s * m + lo, s * m + hi, lo if varies else 0
                weigh(x[at:to], y[lo:hi], w[at:to], masked, beta, floor, d[other : other + hi - lo], room)
            if half:
                break
            gemm(True, False, rank, b, m, H, m, Y, m, 0.0, up, rank)
            if varies:
                gemm(True, False, rank, b, m, H, m, D, m, 0.0, down, rank)
            for lo in range(0, b * rank, size):
                hi = min(lo + size, b * rank)
                at, to = s * rank + lo, s * rank + hi
                update(f[at:to], u[lo:hi], v[lo:hi], l1, l2, gamma, tiny, push, old[at:to], new[at:to], room)
        if gathers:
            gemm(False, True, m, rank, b, Y, m, far[s:], rank, kept, numerator_H, m)
            if varies:
                gemm(False, True, m, rank, b, D, m, far[s:], rank, kept, denominator_H, m)
            kept = 1.0


@njit(nogil=True, cache=True, error_model="numpy")
def column_sums(F):
    """Return the sums over rows in double precision, row after row."""
    apart()
    out = np.zeros(F.shape[1])
    for i in range(F.shape[0]):
        f = F[i]
        for k in range(f.size):
            out[k] += np.float64(f[k])
    return out


@njit(nogil=True, cache=True, error_model="numpy")
def row_sums(F):
    """Return the sums over columns in double precision, one entry after another."""
    apart()
    out = np.zeros(F.shape[0])
    for i in range(F.shape[0]):
        f, total = F[i], 0.0
        for k in range(f.size):
            total += np.float64(f[k])
        out[i] = total
    return out


@njit(nogil=True, cache=True, error_model="numpy")
def charge(F, l1, l2):
    """Return l1 ΣF + ½ l2 ΣF² in double precision, one entry after another."""
    apart()
    first, second = 0.0, 0.0
    for i in range(F.shape[0]):
        f = F[i]
        for k in range(f.size):
            v = np.float64(f[k])
            first += v
            second += v * v
    return l1 * first + (0.5 * l2) * second


@njit(nogil=True, cache=True, error_model="numpy")
def ends(losses, done, check_every, tol, first, open_first):
    """Tell whether the stop rule ends a whole loop after `done` steps, and return the first error to go by."""
    if check_every <= 0 or done % check_every != 0:
        return False, first
    loss = losses[done]
    if loss == 0 or not np.isfinite(loss):
        return True, first
    if tol <= 0:
        return False, first
    before = np.sqrt(2.0 * max(losses[done - check_every], 0.0))
    now = np.sqrt(2.0 * max(loss, 0.0))
    if open_first and done == check_every:
        first = min(first, now)
    return before - now < tol * first, first


def attempt(system, W, H, W_near, H_near, W_far, H_far, push, limits, penalties, gammas, again, moves_H):
    """Make one step from W and H into W_far and H_far, overwrite W_near and H_near, and return the divergence there.

    ``system``: X and its loss as plain values; the compiled code goes by their types (dense below, stored cells in
    ``_counts``). ``again``: the step is made once more, with the exponents that are proven monotone.
    """
    raise NotImplementedError("compiled code only")


@overload(attempt)
def _attempt_dense(system, W, H, W_near, H_near, W_far, H_far, push, limits, penalties, gammas, again, moves_H):
    if system[0].ndim != 2:
        return None

    def dense(system, W, H, W_near, H_near, W_far, H_far, push, limits, penalties, gammas, again, moves_H):
        X, weights, masked, beta, constant, block = system
        n, (rank, m) = W.shape[0], H.shape
        up, down, sums = np.empty((rank, m), H.dtype), np.empty((rank, m), H.dtype), np.empty(rank, H.dtype)
        total = row_sums(H)
        for k in range(rank):
            sums[k] = total[k]
        row = np.empty(5, H.dtype)
        row[0], row[1], row[2], row[3], row[4] = limits[0], penalties[0], penalties[1], limits[1], push
        gamma = gammas[2 * again]
        sweep_rows(X, weights, masked, beta, gamma, W, H, sums, W_near, W_far, row, 0, n, block, moves_H, up, down)
        if moves_H:
            if beta == 1.0 and not masked:
                total = column_sums(W_far)
                for k in range(rank):
                    down[k, :] = total[k]
            gamma, l1, l2 = gammas[2 * again + 1], H.dtype.type(penalties[2]), H.dtype.type(penalties[3])
            size = min(CHUNK, rank * m)
            room = np.empty((6, size), H.dtype)
            h, u, d, near, far = H.reshape(-1), up.reshape(-1), down.reshape(-1), H_near.reshape(-1), H_far.reshape(-1)
            for lo in range(0, rank * m, size):
                hi = min(lo + size, rank * m)
                update(h[lo:hi], u[lo:hi], d[lo:hi], l1, l2, gamma, row[3], row[4], near[lo:hi], far[lo:hi], room)
        else:
            H_far[:] = H
        return constant + divergence(X, weights, masked, beta, W_far, H_far, limits[:1], 0, n, block)

    return dense


@njit(nogil=True, cache=True, error_model="numpy")
def whole_loop(
    system, W, H, W_near, H_near, numbers, limits, penalties, gammas, scale, moves_H, count, losses, check_every, tol,
    first, open_first,
):  # fmt: skip
    """Make up to `count` steps on an X in one part; the whole of `multiplicative.run` in one call.

    ``numbers``: Nesterov's time and the objective, overwritten like W_near and H_near; ``limits``: floor, tiny (for stored
    cells also the floor of coordinate descent); ``penalties``: l1_W, l2_W, l1_H, l2_H; ``gammas``: exponents for W and H,
    then those proven monotone. ``losses[0]`` is the start. It ends early where the stop rule says so, and before a step
    whose divergence is below `scale`.

    Returns the latest W and H and the number of steps.
    """
    W_far, H_far, W_kept, H_kept = np.empty_like(W), np.empty_like(H), np.empty_like(W), np.empty_like(H)
    charged = penalties[0] != 0 or penalties[1] != 0 or penalties[2] != 0 or penalties[3] != 0
    time, loss = numbers[0], numbers[1]
    done = 0
    for it in range(count):
        later = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * (time * time)))
        push = (time - 1.0) / later
        # A step may have to be handed back: what it overwrites is kept.
        W_kept[:] = W_near
        H_kept[:] = H_near
        value = 0.0
        for again in range(2):
            value = attempt(system, W, H, W_near, H_near, W_far, H_far, push, limits, penalties, gammas, again, moves_H)
            if abs(value) < scale:
                break
            if charged:
                value += charge(W_far, penalties[0], penalties[1]) + charge(H_far, penalties[2], penalties[3])
            if value <= loss:
                break
            push, later = 0.0, 1.0
        if abs(value) < scale:
            W_near[:] = W_kept
            H_near[:] = H_kept
            break
        W, W_far = W_far, W
        H, H_far = H_far, H
        time, loss = later, value
        done = it + 1
        losses[done] = loss
        over, first = ends(losses, done, check_every, tol, first, open_first)
        if over:
            break
    numbers[0], numbers[1] = time, loss
    return W, H, done


def loop_signature(system, t) -> tuple:
    """Return the signature of :func:`whole_loop` for a system of these types."""
    m, v, d = types.Array(t, 2, "C"), types.Array(t, 1, "C"), types.Array(types.float64, 1, "C")
    i, flag, f = types.intp, types.boolean, types.float64
    return (types.Tuple(system), m, m, m, m, d, v, d, d, f, flag, i, d, i, f, f, flag)


def signatures(dtype) -> dict[str, tuple]:
    """Return the one signature each function is compiled for."""
    t = types.float64 if dtype == np.float64 else types.float32
    m, v = types.Array(t, 2, "C"), types.Array(t, 1, "C")
    x = types.Array(t, 2, "C", readonly=True)
    i, flag, f = types.intp, types.boolean, types.float64
    return {
        "divergence": (x, x, flag, f, m, m, v, i, i, i),
        "sweep_rows": (x, x, flag, f, f, m, m, v, m, m, v, i, i, i, flag, m, m),
        "column_sums": (m,),
        "row_sums": (m,),
        "charge": (m, f, f),
        "whole_loop": loop_signature((x, x, flag, f, f, i), t),
    }
