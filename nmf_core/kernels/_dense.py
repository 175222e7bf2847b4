# mypy: ignore-errors
# (compiled by Numba, whose types are not those of Python)
"""Compiled E-A-HALS on dense X (Numba). The NumPy twins are in :mod:`nmf_core.kernels.twins`, step for step.

Every sum runs in the order of the twin and no operation is contracted or reassociated, so both give the same bits.
Factors are kept as rows of components: the streamed factor A (rank × N, N the longer side of X), the kept B (rank × M).
"""

from __future__ import annotations

import numpy as np
from numba import njit, types

from nmf_core.kernels._gemm import apart, gemm
from nmf_core.kernels._lanes import relax
from nmf_core.kernels._skinny import dots, lay, mirror, times
from nmf_core.kernels.abreast import REGISTER, ROWS

BLOCK = 256


@njit(nogil=True, cache=True, error_model="numpy")
def columns_of(rank, itemsize):
    """Return how many columns of a factor to sweep at a time, so that they stay in the first-level cache."""
    least = 4 * REGISTER // itemsize
    return max(least, min(BLOCK, 32_768 // (rank * itemsize) // least * least))


@njit(nogil=True, cache=True, error_model="numpy")
def long_of(columns):
    """Return how long rows in a room are for so many columns: up to a vector more, and no power of two.

    Rows a power of two apart would fall on the same lines of the cache.
    """
    return (columns + 15) // 16 * 16 + 16


@njit(nogil=True, cache=True, error_model="numpy")
def space_of(count, like):
    """Return a vector that begins with a cache line."""
    line = REGISTER // like.itemsize
    whole = np.empty(count + line, like.dtype)
    first = line - (whole.ctypes.data // like.itemsize) % line
    return whole[first : first + count]


@njit(nogil=True, cache=True, error_model="numpy")
def room(rank, columns, like):
    """Return an array of `rank` rows for so many columns, every row at the start of a cache line.

    Vectors across two lines take `relax` twice the time.
    """
    return space_of(rank * long_of(columns), like).reshape(rank, long_of(columns))


@njit(nogil=True, cache=True, error_model="numpy")
def sweep_part(F, P, less, off, inverse, passes, out, lo, hi, f, p):
    """Do what `sweep` does with few columns, in rooms for them."""
    apart()
    rank, width = F.shape[0], hi - lo
    for k in range(rank):
        a, b, c, d = F[k, lo:hi], P[k, lo:hi], f[k], p[k]
        for i in range(width):
            c[i] = a[i]
        for i in range(width):
            d[i] = b[i] - less[0]
    relax(f, p, off, inverse, passes, 0, width)
    for k in range(rank):
        a, c = out[k, lo:hi], f[k]
        for i in range(width):
            a[i] = c[i]


@njit(nogil=True, cache=True, error_model="numpy")
def sweep(F, P, less, off, inverse, passes, out, lo, hi):
    """Write F after coordinate passes over columns lo…hi: F[k] ← max(0, (P[k] − less − Σ_{l≠k} G[k,l] F[l]) / G[k,k])."""
    apart()
    rank = F.shape[0]
    chunk = columns_of(rank, F.itemsize)
    f, p = room(rank, min(chunk, hi - lo), F), room(rank, min(chunk, hi - lo), F)
    for s in range(lo, hi, chunk):
        sweep_part(F, P, less, off, inverse, passes, out, s, min(s + chunk, hi), f, p)


@njit(nogil=True, cache=True, error_model="numpy")
def split_gram(G, l2, off, inverse):
    """Write G with a zero diagonal to `off` and 1 / (diagonal + l2) to `inverse`, 0 where that sum is not positive."""
    apart()
    rank = G.shape[0]
    for k in range(rank):
        for j in range(rank):
            off[k, j] = G[k, j]
        off[k, k] = 0
        d = G[k, k] + l2[0]
        inverse[k] = 1 / d if d > 0 else 0


@njit(nogil=True, cache=True, error_model="numpy")
def stream(
    X, wide, form, block, held, A, near, far, B, G, l1, l2, push, passes, start, stop, product, gram, sums,
    space
):  # fmt: skip
    """Update columns start…stop of A in blocks and gather what the update of B needs, in one pass over X.

    Reads A and `near`; writes the new point to `near` and the pushed one to `far`; sets `product` = far · X, `gram` =
    far · farᵀ and, if l1 is positive, `sums` = Σ far.

    ``form`` says how a block of X is multiplied: LAID with its longer side along the vectors, the way ``held``, unless it
    is empty, holds all of X; ROWS with its shorter side along them. ``space``: see `space_for`.
    """
    apart()
    scratch = workspace(B.shape[0], B.shape[1], block, form, held, space)
    stream_in(
        X, wide, form, block, held, A, near, far, B, G, l1, l2, push, passes, start, stop, product, gram, sums, scratch
    )  # fmt: skip


@njit(nogil=True, cache=True, error_model="numpy")
def space_for(rank, M, size, form, held):
    """Return a vector that `workspace` cuts up. To ask the system for it in every iteration takes longer than a product."""
    rows, lays = form == ROWS, held.shape[1] == 0
    factors = 2 * rank * long_of(size) + (2 * rank if rows else 0) * long_of(M)
    panel = size * long_of(M) if rows else (M * long_of(size) if lays else 0)
    return space_of(factors + panel + 3 * long_of(1) + rank * (rank + 1), held)


@njit(nogil=True, cache=True, error_model="numpy")
def workspace(rank, M, size, form, held, space):
    """Return the arrays that `stream_in` works in: for two products, a block of X, and B and `product` in whole vectors."""
    rows, lays = form == ROWS, held.shape[1] == 0
    heights = (rank, rank, size if rows else M if lays else 1, rank if rows else 1, rank if rows else 1)
    widths = (size, size, M if rows else size if lays else 1, M if rows else 1, M if rows else 1)
    ends = np.zeros(6, np.intp)
    for i in range(5):
        ends[i + 1] = ends[i] + heights[i] * long_of(widths[i])
    P, V, panel, B_room, product_room = (
        space[ends[0] : ends[1]].reshape(rank, long_of(size)),
        space[ends[1] : ends[2]].reshape(rank, long_of(size)),
        space[ends[2] : ends[3]].reshape(heights[2], long_of(widths[2])),
        space[ends[3] : ends[4]].reshape(heights[3], long_of(widths[3])),
        space[ends[4] : ends[5]].reshape(heights[4], long_of(widths[4])),
    )
    off = space[ends[5] : ends[5] + rank * rank].reshape(rank, rank)
    return P, V, off, space[ends[5] + rank * rank : ends[5] + rank * (rank + 1)], panel, B_room, product_room


@njit(nogil=True, cache=True, error_model="numpy")
def stream_in(
    X, wide, form, block, held, A, near, far, B, G, l1, l2, push, passes, start, stop, product, gram, sums, scratch
):  # fmt: skip
    """Do what `stream` does in a given workspace."""
    apart()
    P, V, off, inverse, panel, B_room, product_room = scratch
    rank, M = B.shape
    zero = B.dtype.type(0)
    chunk = columns_of(rank, B.itemsize)
    lanes = REGISTER // B.itemsize
    split_gram(G, l2, off, inverse)
    s1, u = l1[0], push[0]
    for k in range(rank):
        sums[k] = 0.0
    gram[:] = 0
    if form == ROWS:
        lay(B, False, 0, rank, 0, M, B_room, 0)
        product_room[:] = 0
    else:
        product[:] = 0
    for s in range(start, stop, block):
        b = min(block, stop - s)
        if form == ROWS:
            lay(X, wide, s, b, 0, M, panel, 0)
            P[:] = 0
            dots(B_room, panel, P, b, 0, M, False)
        elif held.shape[1] == 0:
            lay(X, not wide, 0, M, s, b, panel, 0)
            times(B, panel, P, 0, 0, b, M, True)
        else:
            times(B, held, P, s, 0, b, M, True)
        for k in range(rank):
            a, v = A[k, s : s + b], V[k, :b]
            for i in range(b):
                v[i] = a[i]
        if s1 > 0:
            for k in range(rank):
                p = P[k, :b]
                for i in range(b):
                    p[i] = p[i] - s1
        for c in range(0, b, chunk):
            relax(V, P, off, inverse, passes, c, min(c + chunk, b))
        for k in range(rank):
            v, old, out = V[k, :b], near[k, s : s + b], far[k, s : s + b]
            for i in range(b):
                new = v[i]
                z = (new - old[i]) * u + new
                old[i] = new
                z = zero if z <= zero else z
                out[i] = z
                v[i] = z
        if s1 > 0:
            for k in range(rank):
                total = sums[k]
                for i in range(b):
                    total += V[k, i]
                sums[k] = total
        for k in range(rank):
            for i in range(b, (b + lanes - 1) // lanes * lanes):
                V[k, i] = zero
        if form == ROWS:
            times(V, panel, product_room, 0, 0, M, b, False)
        elif held.shape[1] == 0:
            dots(V, panel, product, M, 0, b, False)
        else:
            dots(V, held, product, M, s, b, False)
        dots(V, V, gram, rank, 0, b, True)
    mirror(gram)
    if form == ROWS:
        for k in range(rank):
            a, c = product[k], product_room[k]
            for m in range(M):
                a[m] = c[m]


@njit(nogil=True, cache=True, error_model="numpy")
def outer_gram(B, out):
    """Write B Bᵀ."""
    apart()
    gram_in(B, room(B.shape[0], B.shape[1], B), out)


@njit(nogil=True, cache=True, error_model="numpy")
def gram_in(B, panel, out):
    """Write B Bᵀ in a given room for B."""
    apart()
    rank, M = B.shape
    lay(B, False, 0, rank, 0, M, panel, 0)
    out[:] = 0
    dots(panel, panel, out, rank, 0, M, True)
    mirror(out)


@njit(nogil=True, cache=True, error_model="numpy")
def laid_out(X, wide):
    """Return X as one panel: its longer side along the rows."""
    apart()
    panel = room(min(X.shape), max(X.shape), X)
    lay(X, not wide, 0, min(X.shape), 0, max(X.shape), panel, 0)
    return panel


@njit(nogil=True, cache=True, error_model="numpy")
def inner(A, B):
    """Return Σ AB in double precision: over rows within each column first, then over columns."""
    apart()
    rows, columns = A.shape
    acc = np.zeros(columns)
    for k in range(rows):
        a, b = A[k], B[k]
        for j in range(columns):
            acc[j] += np.float64(a[j]) * np.float64(b[j])
    total = 0.0
    for j in range(columns):
        total += acc[j]
    return total


@njit(nogil=True, cache=True, error_model="numpy")
def residual(X, wide, A, B, start, stop):
    """Return Σ(X − WH)² over columns start…stop of A, from the residual itself."""
    apart()
    rank, M = B.shape
    N = A.shape[1]
    ld = X.shape[1]
    flat = X.reshape(-1)
    lines = M if wide else BLOCK
    R = np.empty((lines, BLOCK if wide else M), B.dtype)
    acc = np.zeros(BLOCK if wide else M)
    a_flat = A.reshape(-1)
    for s in range(start, stop, BLOCK):
        b = min(BLOCK, stop - s)
        if wide:
            gemm(False, True, b, M, rank, a_flat[s:], N, B, M, 0.0, R, BLOCK)
            rows, width, base = M, b, s
        else:
            gemm(False, True, M, b, rank, B, M, a_flat[s:], N, 0.0, R, M)
            rows, width, base = b, M, s * ld
        for i in range(rows):
            x = flat[base + i * ld : base + i * ld + width]
            r = R[i]
            for j in range(width):
                d = np.float64(r[j] - x[j])
                acc[j] += d * d
    total = 0.0
    for j in range(acc.size):
        total += acc[j]
    return total


@njit(nogil=True, cache=True, error_model="numpy")
def copy(source, target):
    """Write source."""
    apart()
    for k in range(source.shape[0]):
        a, b = source[k], target[k]
        for j in range(a.size):
            b[j] = a[j]


@njit(nogil=True, cache=True, error_model="numpy")
def push_on(new, old, far, u):
    """Write max(0, new + u · (new − old)) to `far` and new to `old`."""
    apart()
    zero = new.dtype.type(0)
    for k in range(new.shape[0]):
        a, b, c = new[k], old[k], far[k]
        for j in range(a.size):
            z = (a[j] - b[j]) * u + a[j]
            c[j] = zero if z <= zero else z
            b[j] = a[j]


@njit(nogil=True, cache=True, error_model="numpy")
def penalty(penalties, sums, gram_A, B, gram_B):
    """Return the penalties at (A, B) from sums and Gram matrices."""
    apart()
    rank = B.shape[0]
    value = 0.0
    if penalties[0] > 0:
        total = 0.0
        for k in range(rank):
            total += sums[k]
        value += penalties[0] * total
    if penalties[1] > 0:
        total = 0.0
        for k in range(rank):
            total += np.float64(gram_A[k, k])
        value += 0.5 * penalties[1] * total
    if penalties[2] > 0:
        total = 0.0
        for k in range(rank):
            row = 0.0
            for j in range(B.shape[1]):
                row += B[k, j]
            total += row
        value += penalties[2] * total
    if penalties[3] > 0:
        total = 0.0
        for k in range(rank):
            total += np.float64(gram_B[k, k])
        value += 0.5 * penalties[3] * total
    return value


@njit(nogil=True, cache=True, error_model="numpy")
def whole_loop(
    X,
    wide,
    form,
    block,
    held,
    A,
    near,
    B,
    B_far,
    numbers,
    penalties,
    limits,
    passes,
    passes_B,
    count,
    losses,
    squares,
    check_every,
    tol,
    first,
    open_first,
    exact,
):
    """Make up to `count` iterations of E-A-HALS in place (one part); the whole of `hals.run` in one call.

    ``numbers``: momentum, its limit, the push in use, the loss; ``penalties``: l1_A, l2_A, l1_B, l2_B; ``limits``:
    growth, growth of the limit, cut, share of ΣX² below which the residual is formed. With ``check_every > 0`` it looks
    that often and ends where the error √(2·loss) fell by less than ``tol`` times ``first`` since the last look or is at
    most ``exact``; ``open_first`` lowers ``first`` to the error at the first look. ``losses[0]`` is the start.

    Returns the latest A (this or another array) and the number of iterations.
    """
    rank, M = B.shape
    N = A.shape[1]
    one = np.ones(1, B.dtype)
    l1A, l2A, l1B, l2B, push = one * 0, one * 0, one * 0, one * 0, one * 0
    l1A[0], l2A[0], l1B[0], l2B[0] = penalties[0], penalties[1], penalties[2], penalties[3]
    G = np.empty((rank, rank), B.dtype)
    gram = np.empty((rank, rank), B.dtype)
    product = np.empty((rank, M), B.dtype)
    off = np.empty((rank, rank), B.dtype)
    inverse = np.empty(rank, B.dtype)
    chunk = columns_of(rank, B.itemsize)
    f, p = room(rank, min(chunk, M), B), room(rank, min(chunk, M), B)
    size = min(block, N)
    scratch = workspace(rank, M, size, form, held, space_for(rank, M, size, form, held))
    gram_room = room(rank, M, B)
    far = np.empty((rank, N), B.dtype)
    B_new = np.empty((rank, M), B.dtype)
    sums = np.empty(rank)
    momentum, limit, used, loss = numbers[0], numbers[1], numbers[2], numbers[3]
    done = 0
    for it in range(count):
        gram_in(B_far, gram_room, G)
        push[0] = used
        stream_in(
            X, wide, form, block, held, A, near, far, B_far, G, l1A, l2A, push, passes, 0, N, product, gram, sums, scratch
        )  # fmt: skip
        split_gram(gram, l2B, off, inverse)
        for s in range(0, M, chunk):
            sweep_part(B_far, product, l1B, off, inverse, passes_B, B_new, s, min(s + chunk, M), f, p)
        gram_in(B_new, gram_room, G)
        value = 0.5 * ((squares - 2.0 * inner(product, B_new)) + inner(gram, G))
        if not value > 0.5 * limits[3] * squares and np.isfinite(value):
            value = 0.5 * residual(X, wide, far, B_new, 0, N)
        value += penalty(penalties, sums, gram, B_new, G)
        if not value <= loss and used > 0:
            copy(A, near)
            copy(B, B_far)
            limit = momentum
            momentum = momentum / limits[2]
            used = 0.0
        else:
            if used > 0:
                momentum, limit = min(limit, limits[0] * momentum), min(1.0, limits[1] * limit)
            used = momentum
            push[0] = momentum
            push_on(B_new, B, B_far, push[0])
            A, far = far, A
            loss = value
        done = it + 1
        losses[done] = loss
        if check_every > 0:
            if done % check_every != 0:
                continue
            if loss == 0:
                break
            if tol > 0:
                before = np.sqrt(2.0 * max(losses[done - check_every], 0.0))
                now = np.sqrt(2.0 * max(loss, 0.0))
                if open_first and done == check_every:
                    first = min(first, now)
                if now <= exact or before - now < tol * first or not np.isfinite(loss):
                    break
    numbers[0], numbers[1], numbers[2], numbers[3] = momentum, limit, used, loss
    return A, done


@njit(nogil=True, cache=True, error_model="numpy")
def whole_many(
    X, wide, form, block, held, A, near, B, B_far, numbers, penalties, limits, passes, passes_B, count, losses, squares,
    check_every, tol, first, open_first, exact, done, lo, hi
):  # fmt: skip
    """Run `whole_loop` for fits lo…hi, whose arrays are stacked along the first axis; `done` tells their iterations."""
    for i in range(lo, hi):
        last, done[i] = whole_loop(
            X, wide, form, block, held, A[i], near[i], B[i], B_far[i], numbers[i], penalties, limits, passes, passes_B,
            count, losses[i], squares, check_every, tol, first[i], open_first, exact,
        )  # fmt: skip
        copy(last, A[i])


def signatures(dtype) -> dict[str, tuple]:
    """Return the one signature each function is compiled for."""
    t = types.float64 if dtype == np.float64 else types.float32
    m, v = types.Array(t, 2, "C"), types.Array(t, 1, "C")
    x, d = types.Array(t, 2, "C", readonly=True), types.Array(types.float64, 1, "C")
    s, dd, n = types.Array(t, 3, "C"), types.Array(types.float64, 2, "C"), types.Array(types.intp, 1, "C")
    i, flag, f = types.intp, types.boolean, types.float64
    return {
        "sweep": (m, m, v, m, v, i, m, i, i),
        "outer_gram": (m, m),
        "laid_out": (x, flag),
        "inner": (m, m),
        "residual": (x, flag, m, m, i, i),
        "space_for": (i, i, i, i, m),
        "stream": (x, flag, i, i, m, m, m, m, m, m, v, v, v, i, i, i, m, m, d, v),
        "whole_loop": (x, flag, i, i, m, m, m, m, m, d, d, d, i, i, i, d, f, i, f, f, flag, f),
        "whole_many": (x, flag, i, i, m, s, s, s, s, dd, d, d, i, i, i, dd, f, i, f, d, flag, f, n, i, i),
    }
