"""Compiled fits that leave some cells out (Numba), for cross-validation: thousands of small fits, one call each.

The NumPy twins are in :mod:`nmf_core.selection.heldout_fit`. Sums may run in another order there, so the two agree to
rounding, not to the bit.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types

CHECK_EVERY = 10
_MATH = {"reassoc", "contract", "nsz", "arcp"}


@njit(nogil=True, cache=True, error_model="numpy", fastmath=_MATH)
def passes(P, G, F, count):
    """Make coordinate passes over the rows of F in place: F[i] ← argmin ‖·‖ for P = X Hᵀ and G = H Hᵀ."""
    n, rank = F.shape
    for i in range(n):
        for _ in range(count):
            for j in range(rank):
                if G[j, j] > 1e-300:
                    s = P[i, j]
                    for q in range(rank):
                        s -= F[i, q] * G[j, q]
                    value = F[i, j] + s / G[j, j]
                    F[i, j] = value if value > 0 else 0.0


@njit(nogil=True, cache=True, error_model="numpy", fastmath=_MATH)
def fill(X, rows, cols, W, Ht):
    """Put the model's own values into the held-out cells of X."""
    for t in range(rows.size):
        s = 0.0
        for q in range(W.shape[1]):
            s += W[rows[t], q] * Ht[cols[t], q]
        X[rows[t], cols[t]] = s


@njit(nogil=True, cache=True, error_model="numpy", fastmath=_MATH)
def squares(X, rows, cols, W, Ht):
    """Sum of squared residuals over the cells that are not held out."""
    n, m = X.shape
    R = W @ Ht.T
    total = 0.0
    for i in range(n):
        for j in range(m):
            d = X[i, j] - R[i, j]
            total += d * d
    for t in range(rows.size):
        d = X[rows[t], cols[t]] - R[rows[t], cols[t]]
        total -= d * d
    return max(total, 0.0)


@njit(nogil=True, cache=True, error_model="numpy", fastmath=_MATH)
def masked_hals(X, rows, cols, W, Ht, max_iter, tol, count):
    """Fit the cells that are not held out; X's held-out cells are overwritten. Return (RSS, iterations)."""
    before = -1.0
    now = 0.0
    n_iter = 0
    for n_iter in range(1, max_iter + 1):
        fill(X, rows, cols, W, Ht)
        passes(X @ Ht, Ht.T @ Ht, W, count)
        fill(X, rows, cols, W, Ht)
        passes(X.T @ W, W.T @ W, Ht, count)
        if n_iter % CHECK_EVERY == 0 or n_iter == max_iter:
            now = squares(X, rows, cols, W, Ht)
            if before >= 0 and before - now <= tol * before:
                break
            before = now
    return now, n_iter


@njit(nogil=True, cache=True, error_model="numpy", fastmath=_MATH)
def masked_kl(X, keep, W, H, max_iter, tol, floor):
    """Multiplicative updates for the Kullback–Leibler loss on kept cells (keep 0 or 1). Return (loss, iterations)."""
    n, m = X.shape
    rank = H.shape[0]
    line = np.empty(m)
    ratio = np.empty(m)
    lift = np.empty((rank, m))
    load = np.empty((rank, m))
    before = -1.0
    now = 0.0
    n_iter = 0
    for n_iter in range(1, max_iter + 1):
        look = n_iter % CHECK_EVERY == 0 or n_iter == max_iter
        lift[:] = 0.0
        load[:] = 0.0
        now = 0.0
        for i in range(n):
            for half in range(2):
                line[:] = floor
                for q in range(rank):
                    w = W[i, q]
                    for j in range(m):
                        line[j] += w * H[q, j]
                for j in range(m):
                    ratio[j] = keep[i, j] * X[i, j] / line[j]
                if half == 0:
                    for q in range(rank):
                        up = 0.0
                        down = 0.0
                        for j in range(m):
                            up += ratio[j] * H[q, j]
                            down += keep[i, j] * H[q, j]
                        W[i, q] = W[i, q] * up / down if down > 1e-300 else W[i, q]
                else:
                    for q in range(rank):
                        w = W[i, q]
                        for j in range(m):
                            lift[q, j] += w * ratio[j]
                            load[q, j] += w * keep[i, j]
                    if look:
                        for j in range(m):
                            now += keep[i, j] * (line[j] - X[i, j])
                            if X[i, j] > 0 and keep[i, j] > 0:
                                now += X[i, j] * np.log(X[i, j] / line[j])
        for q in range(rank):
            for j in range(m):
                if load[q, j] > 1e-300:
                    H[q, j] *= lift[q, j] / load[q, j]
        if look:
            if before >= 0 and before - now <= tol * before:
                break
            before = now
    return now, n_iter


def signatures(dtype) -> dict[str, tuple]:
    """Return the one signature each function is compiled for (float64 alone: these fits are small)."""
    m, v = types.Array(types.float64, 2, "C"), types.Array(types.intp, 1, "C")
    i, f = types.intp, types.float64
    return {
        "passes": (m, m, m, i),
        "masked_hals": (m, v, v, m, m, i, f, i),
        "masked_kl": (m, m, m, m, i, f, f),
    }
