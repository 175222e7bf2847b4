# mypy: ignore-errors
# (compiled by Numba, whose types are not those of Python)
"""Compiled multiplicative updates with extrapolation for dense X and every β (Numba).

The NumPy twins are in :mod:`nmf_core.kernels.divergence_twins`, operation for operation.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types
from numba.extending import overload

from nmf_core.kernels._cells import raised, weigh
from nmf_core.kernels._dense import long_of, space_of
from nmf_core.kernels._gemm import apart
from nmf_core.kernels._skinny import dots, lay, times
from nmf_core.kernels.abreast import REGISTER

# Entries of a factor handled at a time, so that what is worked out for them stays in the nearest cache.
CHUNK = 1024


@njit(nogil=True, cache=True, error_model="numpy")
def update(f, up, down, l1, l2, gamma, tiny, push, near, far, q):
    """Write f · (up / down)^γ to `near` and, pushed on along its growth since the last one, to `far`.

    ``q`` is room for as many numbers, in whole vectors.
    """
    apart()
    m = f.size
    zero, one = f.dtype.type(0), f.dtype.type(1)
    for k in range(m):
        d = down[k] + l1
        d = d + l2 * f[k]
        r = up[k] / d
        q[k] = r if d > zero else one
    if gamma != 1.0:
        raised(q, gamma, m)
    for k in range(m):
        v = f[k] * q[k]
        v = zero if v < tiny else v
        g = v - near[k]
        g = zero if g < zero else g
        near[k] = v
        far[k] = v + push * g


@njit(nogil=True, cache=True, error_model="numpy")
def update_rows(F, up, down, l1, l2, gamma, tiny, push, near, far):
    """Update a factor; rows of `up` and `down` may be longer than its own."""
    apart()
    m = F.shape[1]
    size = min(CHUNK, m)
    q = space_of(long_of(size), F)
    for i in range(F.shape[0]):
        f, u, d, old, new = F[i], up[i], down[i], near[i], far[i]
        for lo in range(0, m, size):
            hi = min(lo + size, m)
            update(f[lo:hi], u[lo:hi], d[lo:hi], l1, l2, gamma, tiny, push, old[lo:hi], new[lo:hi], q)


@njit(nogil=True, cache=True, error_model="numpy")
def sweep_rows(
    X, weights, masked, beta, gamma, W, H, H_sums, near, far, numbers, start, stop, block, wide, halves, told, up_H,
    down_H,
):  # fmt: skip
    """Update rows start…stop of W, gather numerator and denominator for H at the new W, and return the divergence before.

    The rows go through the cache in blocks, `wide` columns at a time, a multiple of a vector. ``H``, ``up_H`` and
    ``down_H`` have rows of whole vectors, those of H with zeros at the end. ``numbers``: floor, l1, l2, tiny, push, all
    in X's precision. ``halves``: 2, or 1 where H is fixed, or 0 for the divergence alone. That lacks a constant (see
    :func:`weigh`), and is 0 unless it shall be `told`.
    """
    rank, m = H.shape[0], X.shape[1]
    varies = masked or beta != 1.0
    wide = min(wide, m)
    Y = space_of(block * long_of(wide), H).reshape(block, long_of(wide))
    D = space_of(block * long_of(wide), H).reshape(block, long_of(wide)) if varies else Y
    up, down = np.empty((block, rank), H.dtype), np.empty((block, rank), H.dtype)
    turned, q = np.empty((rank, block), H.dtype), space_of(long_of(block * rank), H)
    f, old, new, u, d = W.reshape(-1), near.reshape(-1), far.reshape(-1), up.reshape(-1), down.reshape(-1)
    l1, l2, tiny, push = numbers[1], numbers[2], numbers[3], numbers[4]
    terms = np.zeros(4, H.dtype)
    terms[0], terms[1] = numbers[0], beta - 2.0
    if beta != 0.0 and beta != 1.0:
        terms[2], terms[3] = 1.0 / beta, 1.0 / (beta - 1.0)
    acc = np.zeros(REGISTER // H.itemsize)
    if not varies:
        for i in range(block):
            for k in range(rank):
                down[i, k] = H_sums[k]
    if halves == 2:
        up_H[:] = 0
        if varies:
            down_H[:] = 0
    for s in range(start, stop, block):
        b = min(block, stop - s)
        up[:] = 0
        if varies:
            down[:] = 0
        for c in range(0, m, wide):
            width = min(wide, m - c)
            times(W[s : s + b], H, Y, c, 0, width, rank, True)
            weigh(Y, D, X, weights, masked, beta, terms, s, b, c, width, acc, told)
            if halves > 0:
                dots(Y[:b], H, up, rank, c, width, False)
                if varies:
                    dots(D[:b], H, down, rank, c, width, False)
        if halves == 0:
            continue
        at, to, size = s * rank, (s + b) * rank, b * rank
        update(f[at:to], u[:size], d[:size], l1, l2, gamma, tiny, push, old[at:to], new[at:to], q)
        if halves == 1:
            continue
        for i in range(b):
            for k in range(rank):
                turned[k, i] = far[s + i, k]
        for c in range(0, m, wide):
            width = min(wide, m - c)
            times(far[s : s + b], H, Y, c, 0, width, rank, True)
            weigh(Y, D, X, weights, masked, beta, terms, s, b, c, width, acc, False)
            times(turned, Y, up_H, 0, c, width, b, False)
            if varies:
                times(turned, D, down_H, 0, c, width, b, False)
    total = 0.0
    for j in range(acc.size):
        total += acc[j]
    return total


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


def advance(system, p, q, now, next_, push, limits, penalties, gammas, gentle, moves_H, told):
    """Make one step from point `now` to point `next_` and return the divergence at the first, if it shall be `told`.

    ``system``: X and its loss as plain values; the compiled code goes by their types (dense below, stored cells in
    ``_counts``). ``p``: W and, near it, the one it was pushed from, of every point; ``q``: the same of H. ``gentle``: with
    the exponents that are proven monotone.
    """
    raise NotImplementedError("compiled code only")


def divergence_at(system, W, H, limits):
    """Return the divergence at a pair."""
    raise NotImplementedError("compiled code only")


@njit(nogil=True, cache=True, error_model="numpy")
def laid(H):
    """Return a copy with rows of whole vectors, zeros at the end."""
    apart()
    panel = space_of(H.shape[0] * long_of(H.shape[1]), H).reshape(H.shape[0], long_of(H.shape[1]))
    lay(H, False, 0, H.shape[0], 0, H.shape[1], panel, 0)
    return panel


@overload(divergence_at)
def _divergence_dense(system, W, H, limits):
    if system[0].ndim != 2:
        return None

    def dense(system, W, H, limits):
        X, weights, masked, beta, constant, block, wide = system
        row, none = np.zeros(5, H.dtype), np.empty((1, 1), H.dtype)
        row[0] = limits[0]
        return constant + sweep_rows(
            X, weights, masked, beta, 1.0, W, laid(H), row, W, W, row, 0, W.shape[0], block, wide, 0, True, none, none
        )  # fmt: skip

    return dense


@overload(advance)
def _advance_dense(system, p, q, now, next_, push, limits, penalties, gammas, gentle, moves_H, told):
    if system[0].ndim != 2:
        return None

    def dense(system, p, q, now, next_, push, limits, penalties, gammas, gentle, moves_H, told):
        X, weights, masked, beta, constant, block, wide = system
        W, H, W_far, H_far, W_near, H_near = p[0, now], q[0, now], p[0, next_], q[0, next_], p[1, next_], q[1, next_]
        n, rank = W.shape[0], H.shape[0]
        W_near[:], H_near[:] = p[1, now], q[1, now]
        panel, sums, total = laid(H), np.empty(rank, H.dtype), row_sums(H)
        for k in range(rank):
            sums[k] = total[k]
        up, down = np.empty_like(panel), np.empty_like(panel)
        row = np.empty(5, H.dtype)
        row[0], row[1], row[2], row[3], row[4] = limits[0], penalties[0], penalties[1], limits[1], push
        value = constant + sweep_rows(
            X, weights, masked, beta, gammas[2 * gentle], W, panel, sums, W_near, W_far, row, 0, n, block, wide,
            2 if moves_H else 1, told, up, down,
        )  # fmt: skip
        if moves_H:
            if beta == 1.0 and not masked:
                total = column_sums(W_far)
                for k in range(rank):
                    down[k, :] = total[k]
            l1, l2 = H.dtype.type(penalties[2]), H.dtype.type(penalties[3])
            update_rows(H, up, down, l1, l2, gammas[2 * gentle + 1], row[3], row[4], H_near, H_far)
        else:
            H_far[:] = H
        return value

    return dense


@njit(nogil=True, cache=True, error_model="numpy")
def whole_loop(
    system, W, H, W_near, H_near, numbers, limits, penalties, gammas, scale, moves_H, count, losses, check_every, tol,
    first, open_first,
):  # fmt: skip
    """Make up to `count` steps on an X in one part; the whole of `multiplicative.run` in one call.

    Overwrites the factors and ``numbers``, Nesterov's time and the objective. ``limits``: floor, tiny (for stored cells
    also the floor of coordinate descent); ``penalties``: l1_W, l2_W, l1_H, l2_H; ``gammas``: exponents for W and H, then
    those proven monotone. ``losses[0]`` is the start. It ends early where the stop rule says so, and before a step whose
    divergence is below `scale`. Returns the number of steps.
    """
    charged = penalties[0] != 0 or penalties[1] != 0 or penalties[2] != 0 or penalties[3] != 0
    # Three points: the one with a known objective, the next, whose objective a step from there tells, and that step's.
    p, q, times_ = np.empty((2, 3, *W.shape), W.dtype), np.empty((2, 3, *H.shape), H.dtype), np.empty(3)
    now, next_, spare = 0, 1, 2
    p[0, 0], p[1, 0], q[0, 0], q[1, 0] = W, W_near, H, H_near
    times_[0], loss = numbers[0], numbers[1]
    done, again = 0, False
    later = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * (times_[now] * times_[now])))
    push = (times_[now] - 1.0) / later
    advance(system, p, q, now, next_, push, limits, penalties, gammas, False, moves_H, False)
    times_[next_] = later
    while done < count:
        if done + 1 < count:
            later = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * (times_[next_] * times_[next_])))
            push = (times_[next_] - 1.0) / later
            value = advance(system, p, q, next_, spare, push, limits, penalties, gammas, False, moves_H, True)
        else:
            value = divergence_at(system, p[0, next_], q[0, next_], limits)
        if abs(value) < scale:
            break
        if charged:
            value += charge(p[0, next_], penalties[0], penalties[1]) + charge(q[0, next_], penalties[2], penalties[3])
        if not value <= loss and not again:
            advance(system, p, q, now, next_, 0.0, limits, penalties, gammas, True, moves_H, False)
            times_[next_], again = 1.0, True
            continue
        times_[spare], again = later, False
        now, next_, spare = next_, spare, now
        loss = value
        done += 1
        losses[done] = loss
        over, first = ends(losses, done, check_every, tol, first, open_first)
        if over:
            break
    W[:], W_near[:], H[:], H_near[:] = p[0, now], p[1, now], q[0, now], q[1, now]
    numbers[0], numbers[1] = times_[now], loss
    return done


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
        "sweep_rows": (x, x, flag, f, f, m, m, v, m, m, v, i, i, i, i, i, flag, m, m),
        "update_rows": (m, m, m, t, t, f, t, t, m, m),
        "column_sums": (m,),
        "row_sums": (m,),
        "charge": (m, f, f),
        "whole_loop": loop_signature((x, x, flag, f, f, i, i), t),
    }
