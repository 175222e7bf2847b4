"""Plain NumPy twins of the compiled kernels: same signatures, same order of operations, same bits.

They are the oracle in the tests and the answer while kernels are not loaded. Sums that a kernel makes one after another
are made with `cumsum`, which does the same; matrix products go through the BLAS call that the kernel makes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nmf_core.kernels.abreast import LAID, LIBRARY, REGISTER, ROWS, SURVEYED, halved
from nmf_core.kernels.blas import product
from nmf_core.types import Array

BLOCK = 256
# Numbers of a running sum that stay in the cache while one product after another is added to it.
CACHED = 1 << 15


def total(values: Array) -> float:
    """Return the sum of a vector, one entry after another."""
    return float(np.cumsum(values)[-1])


def survey(x: Array) -> tuple[float, float, float, float]:
    """Return the smallest and the largest of some numbers, their sum and that of their squares in double precision."""
    sums, step = np.zeros((2, SURVEYED)), SURVEYED * (CACHED // SURVEYED)
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, x.size, step):
            part = x[start : start + step].astype(np.float64)
            rows = np.zeros((1 + -(-part.size // SURVEYED), SURVEYED))
            for kind in range(2):
                rows[0] = sums[kind]
                rows[1:].reshape(-1)[: part.size] = part
                rows.sum(axis=0, out=sums[kind])  # row after row
                part *= part
        return float(x.min()), float(x.max()), total(sums[0]), total(sums[1])


def split_gram(G: Array, l2: Any) -> tuple[Array, Array]:
    """Return G with a zero diagonal, and 1 / (diagonal + l2), 0 where that sum is not positive."""
    off = G.copy()
    np.fill_diagonal(off, 0)
    diagonal = G.diagonal() + l2
    inverse = np.divide(G.dtype.type(1), diagonal, out=np.zeros_like(diagonal), where=diagonal > 0)
    return off, inverse


def sweep(
    F: Array, P: Array, less: Array, off: Array, inverse: Array, passes: int, out: Array, lo: int, hi: int
) -> None:
    """Write F after coordinate passes over columns lo…hi: F[k] ← max(0, (P[k] − less − Σ_{l≠k} G[k,l] F[l]) / G[k,k]).

    A component whose Gram diagonal is 0 is left as it is: set to 0 it could never come back.
    """
    f = out[:, lo:hi]
    f[:] = F[:, lo:hi]
    t, step = np.empty_like(f[0]), np.empty_like(f[0])
    for _ in range(passes):
        for k in np.flatnonzero(inverse > 0):
            np.subtract(P[k, lo:hi], less[0], out=t)
            for j, g in enumerate(off[k]):
                np.multiply(f[j], g, out=step)
                t -= step
            np.multiply(t, inverse[k], out=t)
            np.maximum(t, 0, out=f[k])


def skinny_product(B: Array, panel: Array) -> Array:
    """Return B · panel, each sum in the order of the rows of the panel."""
    out = np.zeros((len(B), panel.shape[1]), B.dtype)
    wide = max(64, CACHED // len(B))
    for first in range(0, panel.shape[1], wide):
        part = np.ascontiguousarray(panel[:, first : first + wide])
        total = np.zeros((len(B), part.shape[1]), B.dtype)
        step = np.empty_like(total)
        for b, x in zip(B.T, part, strict=True):
            np.multiply(b[:, None], x, out=step)
            total += step
        out[:, first : first + wide] = total
    return out


def collected(V: Array, panel: Array) -> Array:
    """Return V · panelᵀ, summed in lanes along the rows, which then take their partners."""
    lanes = REGISTER // V.itemsize
    out = np.empty((len(V), len(panel)), V.dtype)
    high = max(1, CACHED // (len(V) * lanes))
    for first in range(0, len(panel), high):
        part = np.ascontiguousarray(panel[first : first + high].T)
        total = np.zeros((lanes, len(V), part.shape[1]), V.dtype)
        step = np.empty_like(total)
        for i in range(0, len(part), lanes):
            width = min(lanes, len(part) - i)
            np.multiply(V.T[i : i + width, :, None], part[i : i + width, None, :], out=step[:width])
            total[:width] += step[:width]
        out[:, first : first + high] = halved(total)
    return out


def stream(
    X: Array, wide: bool, form: int, block: int, held: Array, A: Array, near: Array, far: Array, B: Array, G: Array,
    l1: Array, l2: Array, push: Array, passes: int, start: int, stop: int, product_out: Array, gram_out: Array,
    sums: Array, space: Array,
) -> None:  # fmt: skip
    """Update columns start…stop of A in blocks and gather what the update of B needs, in one pass over X."""
    off, inverse = split_gram(G, l2[0])
    sums[:] = 0
    panel = X[:, start:stop] if wide else X[start:stop].T
    blocks = [slice(s, s + block) for s in range(0, stop - start, block)]
    # Columns do not depend on each other in the passes: all at once is the same as block by block, and quicker here.
    if form == LIBRARY:
        P = product(B, panel)
    else:
        P = skinny_product(B, panel) if form == LAID else collected(B, panel.T)
    V = np.empty((len(A), stop - start), A.dtype)
    sweep(A[:, start:stop], P, l1, off, inverse, passes, V, 0, stop - start)
    F = V - near[:, start:stop]
    F *= push[0]
    F += V
    near[:, start:stop] = V
    np.maximum(F, 0, out=F)
    far[:, start:stop] = F
    if l1[0] > 0:
        sums[:] = np.cumsum(F, axis=1, dtype=np.float64)[:, -1]
    if form == LIBRARY:
        product_out[:], gram_out[:] = product(F, panel.T), product(F, F.T)
        return
    if form == ROWS:
        product_out[:] = skinny_product(F, panel.T)
    else:
        product_out[:] = 0
    gram_out[:] = 0
    for part in blocks:
        gram_out += collected(F[:, part], F[:, part])
        if form == LAID:
            product_out += collected(F[:, part], panel[:, part])


def outer_gram(B: Array, out: Array) -> None:
    """Write B Bᵀ."""
    out[:] = collected(B, B)


def inner(A: Array, B: Array) -> float:
    """Return Σ AB in double precision: over rows within each column first, then over columns."""
    acc = np.zeros(A.shape[1])
    for a, b in zip(A, B, strict=True):
        acc += np.multiply(a, b, dtype=np.float64)
    return total(acc)


def residual(X: Array, wide: bool, A: Array, B: Array, start: int, stop: int) -> float:
    """Return Σ(X − WH)² over columns start…stop of A, from the residual itself."""
    acc = np.zeros(BLOCK if wide else B.shape[1])
    for s in range(start, stop, BLOCK):
        e = min(s + BLOCK, stop)
        a = np.ascontiguousarray(A[:, s:e])
        R = product(B.T, a) if wide else product(a.T, B)
        R -= X[:, s:e] if wide else X[s:e]
        squares = np.square(R, dtype=np.float64)
        width = squares.shape[1]
        acc[:width] = np.cumsum(np.vstack([acc[None, :width], squares]), axis=0)[-1]
    return total(acc)


def gather(indptr: Array, indices: Array, data: Array, rows: Array, out: Array, start: int, stop: int) -> None:
    """Write out[:, i] = Σ_j x_ij rows[j] for rows start…stop of CSR X."""
    import scipy.sparse as sp

    a, b = int(indptr[start]), int(indptr[stop])
    part = (data[a:b], indices[a:b], indptr[start : stop + 1] - a)
    X = sp.csr_array(part, shape=(stop - start, len(rows)))
    out[:, start:stop] = (X @ rows)[:, : len(out)].T


def stream_rows(
    indptr: Array, indices: Array, data: Array, A: Array, near: Array, far: Array, far_rows: Array, rows: Array,
    G: Array, l1: Array, l2: Array, push: Array, passes: int, start: int, stop: int, gram_out: Array, sums: Array,
) -> None:  # fmt: skip
    """Update columns start…stop of A; like `stream`, without the product with X."""
    off, inverse = split_gram(G, l2[0])
    rank = len(A)
    P = np.empty((rank, stop - start), A.dtype)
    gather(indptr[start : stop + 1], indices, data, rows, P, 0, stop - start)
    V = np.empty_like(P)
    sweep(A[:, start:stop], P, l1, off, inverse, passes, V, 0, stop - start)
    F = V - near[:, start:stop]
    F *= push[0]
    F += V
    near[:, start:stop] = V
    np.maximum(F, 0, out=F)
    far[:, start:stop] = F
    far_rows[start:stop, :rank] = F.T
    sums[:] = 0
    gram = None
    for s in range(0, stop - start, BLOCK):
        v = np.ascontiguousarray(F[:, s : s + BLOCK])
        if l1[0] > 0:
            sums += np.cumsum(v, axis=1, dtype=np.float64)[:, -1]
        gram = product(v, v.T, gram)
    gram_out[:] = gram
