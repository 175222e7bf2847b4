# mypy: ignore-errors
# (compiled by Numba, whose types are not those of Python)
"""Compiled products and E-A-HALS passes on sparse X (Numba). Twins: :mod:`nmf_core.kernels.twins`.

Factors come as rows of length `width`: the rank rounded up to a multiple of 8, so that rows fill vector registers.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types

from nmf_core.kernels._dense import BLOCK, columns_of, room, split_gram
from nmf_core.kernels._gemm import apart, gemm
from nmf_core.kernels._lanes import mix, relax


@njit(nogil=True, cache=True, error_model="numpy")
def gather(indptr, indices, data, rows, out, start, stop):
    """Write out[:, i] = Σ_j x_ij rows[j] for rows start…stop of CSR X; `out` has one row per component."""
    apart()
    rank = out.shape[0]
    width = rows.shape[1]
    flat = rows.reshape(-1)
    acc = np.empty(width, rows.dtype)
    for i in range(start, stop):
        lo = np.intp(indptr[i])
        mix(indices, data, flat, width, lo, np.intp(indptr[i + 1]), lo, acc)
        for k in range(rank):
            out[k, i] = acc[k]


@njit(nogil=True, cache=True, error_model="numpy")
def stream_rows(indptr, indices, data, A, near, far, far_rows, rows, G, l1, l2, push, passes, start, stop, gram, sums):
    """Update columns start…stop of A block by block; like ``_dense.stream``, without the product with X."""
    rank = A.shape[0]
    zero = A.dtype.type(0)
    P, V = room(rank, min(BLOCK, stop - start), A), room(rank, min(BLOCK, stop - start), A)
    long = V.shape[1]
    chunk = columns_of(rank, A.itemsize)
    off = np.empty((rank, rank), A.dtype)
    inverse = np.empty(rank, A.dtype)
    split_gram(G, l2, off, inverse)
    s1, u = l1[0], push[0]
    beta = 0.0
    for k in range(rank):
        sums[k] = 0.0
    for s in range(start, stop, BLOCK):
        b = min(BLOCK, stop - s)
        gather(indptr[s : s + b + 1], indices, data, rows, P, 0, b)
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
        for i in range(b):
            for k in range(rank):
                far_rows[s + i, k] = V[k, i]
        if s1 > 0:
            for k in range(rank):
                total = 0.0
                for i in range(b):
                    total += V[k, i]
                sums[k] += total
        gemm(True, False, rank, rank, b, V, long, V, long, beta, gram, rank)
        beta = 1.0


def signatures(dtype) -> dict[str, tuple]:
    """Return the one signature each function is compiled for."""
    t = types.float64 if dtype == np.float64 else types.float32
    m, v = types.Array(t, 2, "C"), types.Array(t, 1, "C")
    data = types.Array(t, 1, "C", readonly=True)
    index = types.Array(types.int32, 1, "C", readonly=True)
    d, i = types.Array(types.float64, 1, "C"), types.intp
    return {
        "gather": (index, index, data, m, m, i, i),
        "stream_rows": (index, index, data, m, m, m, m, m, m, v, v, v, i, i, i, m, d),
    }
