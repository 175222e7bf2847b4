"""Plain NumPy twins of the multiplicative updates for every β: same order of operations, same bits."""

from __future__ import annotations

from math import factorial
from typing import Any

import numpy as np

from nmf_core.kernels.abreast import REGISTER, halved
from nmf_core.kernels.twins import collected, skinny_product, total
from nmf_core.types import Array

# log((1 + s)/(1 − s)) = 2 s (1 + s² p(s²)): p's coefficients, the highest first. In double precision they are those of
# fdlibm (Sun Microsystems 1993), fitted to |s| < 0.172; in single precision those of the series do.
LOG_DOUBLE = (
    0.07399099307553293, 0.07656919188496866, 0.09091786080810899, 0.1111109921607489, 0.14285714371831196,
    0.19999999999704704, 0.33333333333333676,
)  # fmt: skip
LOG_TWO = 0.6931471805599453
LOG_SINGLE = (1.0 / 9.0, 1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0)


def _split(x: Array) -> tuple[Array, Array]:
    """Return mantissas in [√½, √2) of positive normal numbers, and their exponents."""
    double = x.dtype == np.float64
    whole: Any = np.int64 if double else np.int32
    shift = whole(52 if double else 23)
    bits = np.ascontiguousarray(x).view(whole)
    e = (bits - whole(0x3FE6A09E667F3BCD if double else 0x3F3504F3)) >> shift
    return (bits - (e << shift)).view(x.dtype), e


def log_of(x: Array) -> Array:
    """Return the logarithms of positive normal numbers: exponent · log 2 + the atanh series of the mantissa."""
    real = x.dtype.type
    m, e = _split(x)
    s = (m - real(1)) / (m + real(1))
    z = s * s
    first, *others = LOG_DOUBLE if x.dtype == np.float64 else LOG_SINGLE
    p = np.full_like(z, real(first))
    for number in others:
        p = p * z + real(number)
    return e.astype(x.dtype) * real(LOG_TWO) + (s + s) * (p * z + real(1))


def exp_of(x: Array) -> Array:
    """Return e^x, x held to where that is a normal number: 2^n · the Taylor series of what is left."""
    double, real = x.dtype == np.float64, x.dtype.type
    least, most, high, low = (-708, 709, 0.6931471803691238, 1.9082149292705877e-10)
    if not double:
        least, most, high, low = (-87, 88, 0.693359375, -2.12194440e-4)
    v = np.minimum(np.maximum(x, real(least)), real(most))
    n = np.floor(v * real(1.4426950408889634) + real(0.5))
    z = (v - n * real(high)) - n * real(low)
    factorials = [real(1.0 / factorial(k)) for k in range(13 if double else 7, -1, -1)]
    p = np.full_like(z, factorials[0])
    for c in factorials[1:]:
        p = p * z + c
    whole: Any = np.int64 if double else np.int32
    bits = (n.astype(whole) + whole(1023 if double else 127)) << whole(52 if double else 23)
    return p * bits.view(x.dtype)


def power_of(x: Array, exponent: float) -> Array:
    """Return x to the power of a number, for positive normal x; halves up to ±2 by a root and products."""
    halves, one = abs(2.0 * exponent), x.dtype.type(1)
    if halves <= 4.0 and halves == int(halves):
        v = np.sqrt(x) if halves % 2 else np.full_like(x, one)
        for _ in range(int(halves) // 2):
            v = v * x
        return one / v if exponent < 0 else v
    return exp_of(log_of(x) * x.dtype.type(exponent))


def _pulls(X: Array, Y: Array, weights: Array | None, beta: float) -> tuple[Array, Array | None]:
    """Return w x y^(β−2) and w y^(β−1); None for the second where it is 1 everywhere."""
    down: Array | None
    if beta == 1.0:
        up, down = X / Y, None
    elif beta == 0.0:
        down = 1 / Y
        up = X * down * down
    else:
        power = power_of(Y, beta - 2.0)
        up, down = X * power, Y * power
    if weights is not None:
        up = up * weights
        down = weights if down is None else down * weights
    return up, down


def _cells(x: Array, y: Array, beta: float) -> Array:
    """Return d_β(x | y), for β other than 0 and 1 without x^β / (β (β − 1))."""
    real = x.dtype.type
    if beta not in (0.0, 1.0):
        return power_of(y, beta - 2.0) * y * (y * real(1.0 / beta) - x * real(1.0 / (beta - 1.0)))
    q = x / y if beta == 1.0 else x * (1 / y)
    q = np.where(q > 0, q, real(1))
    logs = log_of(q)
    return (q - logs) - real(1) if beta == 0.0 else x * logs + (y - x)


def _summed(d: Array, ratios: Array | None, block: int, panels: list[slice]) -> float:
    """Return the sum of all cells: in lanes along each row of a panel, then in double precision block after block.

    The logarithms of ratios, if there are any, are taken off: of their product in each lane.
    """
    sums = []
    for part in panels:
        lanes = np.cumsum(_in_lanes(d[:, part], 0), axis=1)[:, -1]
        if ratios is not None:
            m, e = _split(_in_lanes(ratios[:, part], 1))
            exponents = e.sum(axis=1).astype(d.dtype) * d.dtype.type(LOG_TWO)
            lanes = lanes - (exponents + log_of(np.cumprod(m, axis=1)[:, -1]))
        sums.append(lanes.astype(np.float64))
    in_order = [s[first : first + block] for first in range(0, len(d), block) for s in sums]
    return total(np.cumsum(np.concatenate(in_order), axis=0)[-1])


def _in_lanes(cells: Array, fill: float) -> Array:
    lanes = REGISTER // cells.itemsize
    short = -cells.shape[1] % lanes
    return np.pad(cells, ((0, 0), (0, short)), constant_values=fill).reshape(len(cells), -1, lanes)


def _raised(ratio: Array, gamma: float) -> Array:
    if gamma == 1.0:
        return ratio
    normal = ratio >= np.finfo(ratio.dtype).tiny
    power = power_of(np.where(normal, ratio, ratio.dtype.type(1)), gamma)
    return np.where(normal, power, ratio.dtype.type(0))


def update_rows(
    F: Array, numerator: Array, denominator: Array, l1: Any, l2: Any, gamma: float, tiny: Any, push: Any,
    near: Array, far: Array,
) -> None:  # fmt: skip
    """Write F · (numerator / denominator)^γ to `near` and, pushed on along its growth since the last one, to `far`.

    Rows of numerator and denominator may be longer than those of F.
    """
    columns = slice(F.shape[1])
    numerator, denominator = numerator[:, columns], denominator[:, columns]
    d = denominator + l1
    d = d + l2 * F
    ratio = _raised(np.divide(numerator, d, out=np.ones_like(F), where=d > 0), gamma)
    new = F * ratio
    new[new < tiny] = 0
    growth = np.maximum(new - near, 0)
    near[:] = new
    far[:] = new + push * growth


def sweep_rows(
    X: Array, weights: Array, masked: bool, beta: float, gamma: float, W: Array, H: Array, H_sums: Array,
    near: Array, far: Array, numbers: Array, start: int, stop: int, block: int, wide: int, halves: int, told: bool,
    up_H: Array, down_H: Array,
) -> float:  # fmt: skip
    """Update rows start…stop of W, gather numerator and denominator for H at the new W, and return the divergence before.

    ``halves``: 2, or 1 where H is fixed, or 0 for the divergence alone. That lacks a constant (see :func:`_cells`), and is
    0 unless it shall be `told`.
    """
    floor, l1, l2, tiny, push = numbers
    m = X.shape[1]
    rows, H = slice(start, stop), H[:, :m]
    panels = [slice(c, min(c + wide, m)) for c in range(0, m, wide)]
    X, w = X[rows], weights[rows] if masked else None
    Y = np.maximum(skinny_product(W[rows], H), floor)
    value = 0.0
    if told:
        if beta == 0.0 and w is None:
            ratios = X * (1 / Y)
            ratios = np.where(ratios > 0, ratios, ratios.dtype.type(1))
            value = _summed(ratios - ratios.dtype.type(1), ratios, block, panels)
        else:
            d = _cells(X, Y, beta)
            value = _summed(d if w is None else d * w, None, block, panels)
    if halves == 0:
        return value

    def dots(cells: Array) -> Array:
        out = np.zeros_like(W[rows])
        for part in panels:
            out += collected(cells[:, part], H[:, part])
        return out

    up, down = _pulls(X, Y, w, beta)
    down_W = np.broadcast_to(H_sums, W[rows].shape) if down is None else dots(down)
    update_rows(W[rows], dots(up), down_W, l1, l2, gamma, tiny, push, near[rows], far[rows])
    if halves == 2:
        F = far[rows]
        up, down = _pulls(X, np.maximum(skinny_product(F, H), floor), w, beta)
        up_H[:, :m] = skinny_product(F.T, up)
        if down is not None:
            down_H[:, :m] = skinny_product(F.T, down)
    return value


def column_sums(F: Array) -> Array:
    """Return the sums over rows in double precision, row after row."""
    return np.cumsum(F, axis=0, dtype=np.float64)[-1]


def row_sums(F: Array) -> Array:
    """Return the sums over columns in double precision, one entry after another."""
    return np.cumsum(F, axis=1, dtype=np.float64)[:, -1]


def charge(F: Array, l1: float, l2: float) -> float:
    """Return l1 ΣF + ½ l2 ΣF² in double precision, one entry after another."""
    f = F.ravel().astype(np.float64)
    return l1 * total(f) + (0.5 * l2) * total(f * f)


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
    near: Array, far: Array, numbers: Array, gamma: float, start: int, stop: int,
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
    update_rows(F[rows], up, down, l1, l2, gamma, tiny, push, near[rows], far[rows])


def divergence_stored(
    indptr: Array, indices: Array, data: Array, F: Array, other: Array, floor: Array, start: int, stop: int, out: Array
) -> None:
    """Write Σ x log(x/y) − x + y over the stored cells of rows start…stop to out[0] and Σ y over them to out[1]."""
    y = np.maximum(_at_stored(indptr, indices, F, other, start, stop), floor[0])
    d = _cells(data[indptr[start] : indptr[stop]], y, 1.0)
    at = indptr[start : stop + 1] - indptr[start]
    for i, values in enumerate((d, y)):
        sums = np.zeros(stop - start)
        for row in np.flatnonzero(np.diff(at)):
            sums[row] = np.cumsum(values[at[row] : at[row + 1]], dtype=np.float64)[-1]
        out[i] = total(sums)
