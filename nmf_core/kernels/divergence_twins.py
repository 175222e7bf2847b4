"""Plain NumPy twins of the multiplicative updates for β = 1 and β = 0: same order of operations, same bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from nmf_core.kernels.abreast import halved
from nmf_core.kernels.blas import product
from nmf_core.kernels.twins import total
from nmf_core.types import Array


def log_of(x: Array) -> Array:
    """Return the logarithms of positive normal numbers: exponent · log 2 + the atanh series of the mantissa."""
    double = x.dtype == np.float64
    whole: Any = np.int64 if double else np.int32
    shift = 52 if double else 23
    bits = np.ascontiguousarray(x).view(whole)
    e = (bits - whole(0x3FE6A09E667F3BCD if double else 0x3F3504F3)) >> whole(shift)
    m = (bits - (e << whole(shift))).view(x.dtype)
    real = x.dtype.type
    s = (m - real(1)) / (m + real(1))
    z = s * s
    odd = range(21, 1, -2) if double else range(9, 1, -2)
    p = np.full_like(z, real(1.0 / odd[0]))
    for n in odd[1:]:
        p = p * z + real(1.0 / n)
    return e.astype(x.dtype) * real(0.6931471805599453) + (s + s) * (p * z + real(1))


def _pulls(X: Array, Y: Array, weights: Array | None, is_zero: bool, floor: Any) -> tuple[Array, Array | None]:
    """Return w x y^(β−2) and w y^(β−1); None for the second where it is 1 everywhere."""
    Y = np.maximum(Y, floor)
    if is_zero:
        down = 1 / Y
        up = X / Y * down
    else:
        up, down = X / Y, None
    if weights is not None:
        up = up * weights
        down = weights if down is None else down * weights
    return up, down


def _cells(x: Array, y: Array, is_zero: bool, floor: Any) -> Array:
    y = np.maximum(y, floor)
    q = x / y
    q = np.where(q > 0, q, x.dtype.type(1))
    logs = log_of(q)
    return (q - logs) - x.dtype.type(1) if is_zero else x * logs + (y - x)


def divergence(
    X: Array, weights: Array, masked: bool, is_zero: bool, W: Array, H: Array, floor: Array,
    start: int, stop: int, block: int,
) -> float:  # fmt: skip
    """Return the divergence over rows start…stop."""
    acc = np.zeros(H.shape[1])
    for s in range(start, stop, block):
        rows = slice(s, min(s + block, stop))
        d = _cells(X[rows], product(W[rows], H), is_zero, floor[0])
        if masked:
            d = d * weights[rows]
        acc = np.cumsum(np.vstack([acc[None], d]), axis=0, dtype=np.float64)[-1]
    return total(acc)


def _updated(
    F: Array, up: Array, down: Array, l1: Any, l2: Any, root: bool, tiny: Any, push: Any, near: Array, far: Array
) -> None:
    d = down + l1
    d = d + l2 * F
    ratio = np.divide(up, d, out=np.ones_like(F), where=d > 0)
    if root:
        ratio = np.sqrt(ratio)
    new = F * ratio
    new[new < tiny] = 0
    growth = np.maximum(new - near, 0)
    near[:] = new
    far[:] = new + push * growth


def update_rows(
    F: Array, numerator: Array, denominator: Array, varies: bool, sums: Array, l1: Any, l2: Any, root: bool,
    tiny: Any, push: Any, near: Array, far: Array,
) -> None:  # fmt: skip
    """Write F · (numerator / denominator)^γ to `near` and, pushed on along its growth since the last one, to `far`."""
    down = denominator if varies else np.broadcast_to(sums, F.shape)
    _updated(F, numerator, down, l1, l2, root, tiny, push, near, far)


def sweep_rows(
    X: Array, weights: Array, masked: bool, is_zero: bool, root: bool, W: Array, H: Array, H_sums: Array,
    near: Array, far: Array, numbers: Array, start: int, stop: int, block: int, up_H: Array, down_H: Array,
) -> None:  # fmt: skip
    """Update rows start…stop of W and gather numerator and denominator for H at the new, pushed W."""
    floor, l1, l2, tiny, push = numbers
    varies = masked or is_zero
    gathered: Array | None = None
    gathered_down: Array | None = None
    for s in range(start, stop, block):
        rows = slice(s, min(s + block, stop))
        w = weights[rows] if masked else None
        up, down = _pulls(X[rows], product(W[rows], H), w, is_zero, floor)
        down_W = np.broadcast_to(H_sums, W[rows].shape) if down is None else product(down, H.T)
        _updated(W[rows], product(up, H.T), down_W, l1, l2, root, tiny, push, near[rows], far[rows])
        up, down = _pulls(X[rows], product(far[rows], H), w, is_zero, floor)
        gathered = product(far[rows].T, up, gathered)
        if varies:
            assert down is not None
            gathered_down = product(far[rows].T, down, gathered_down)
    up_H[:] = gathered
    if varies:
        down_H[:] = gathered_down


def _at_stored(indptr: Array, indices: Array, F: Array, other: Array, start: int, stop: int) -> Array:
    """Return ⟨F[i], other[j]⟩ at the stored cells of rows start…stop, in eight lanes added up pairwise."""
    rows = np.repeat(np.arange(start, stop), np.diff(indptr[start : stop + 1]))
    cells = (F[rows] * other[indices[indptr[start] : indptr[stop]]]).reshape(len(rows), F.shape[1] // 8, 8)
    lanes = cells[:, 0]
    for q in range(1, cells.shape[1]):
        lanes = lanes + cells[:, q]
    return halved(lanes.T)


def _by_row(indptr: Array, indices: Array, data: Array, other: Array, start: int, stop: int) -> Array:
    import scipy.sparse as sp

    part = (data, indices[indptr[start] : indptr[stop]], indptr[start : stop + 1] - indptr[start])
    return sp.csr_array(part, shape=(stop - start, len(other))) @ other


def sweep_stored(
    indptr: Array, indices: Array, data: Array, unstored: bool, F: Array, other: Array, sums: Array,
    near: Array, far: Array, numbers: Array, start: int, stop: int,
) -> None:  # fmt: skip
    """Update rows start…stop of a factor for β = 1, touching stored cells only."""
    floor, l1, l2, tiny, push = numbers
    y = np.maximum(_at_stored(indptr, indices, F, other, start, stop), floor)
    q = data[indptr[start] : indptr[stop]] / y
    up = _by_row(indptr, indices, q, other, start, stop)
    if unstored:
        down = _by_row(indptr, indices, np.ones_like(q), other, start, stop)
    else:
        down = np.broadcast_to(sums, up.shape)
    rows = slice(start, stop)
    _updated(F[rows], up, down, l1, l2, False, tiny, push, near[rows], far[rows])


def divergence_stored(
    indptr: Array, indices: Array, data: Array, F: Array, other: Array, floor: Array, start: int, stop: int, out: Array
) -> None:
    """Write Σ x log(x/y) − x + y over the stored cells of rows start…stop to out[0] and Σ y over them to out[1]."""
    y = np.maximum(_at_stored(indptr, indices, F, other, start, stop), floor[0])
    d = _cells(data[indptr[start] : indptr[stop]], y, False, floor[0])
    at = indptr[start : stop + 1] - indptr[start]
    for i, values in enumerate((d, y)):
        sums = np.zeros(stop - start)
        for row in np.flatnonzero(np.diff(at)):
            sums[row] = np.cumsum(values[at[row] : at[row + 1]], dtype=np.float64)[-1]
        out[i] = total(sums)
