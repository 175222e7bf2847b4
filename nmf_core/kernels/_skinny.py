# mypy: ignore-errors
# (compiled by Numba, whose types are not those of Python)
"""Products of X with few components, by vector instructions with a fixed order of additions (Numba).

Libraries pack both matrices before they multiply, which pays where both are large. With few components nearly all time goes
into packing and into the edges of their tiles. Here a panel of X, its longer side along the vectors, is read as it lies;
tiles of the result stay in registers. NumPy twins: `skinny`, `collected` and `folded` of :mod:`nmf_core.kernels.twins`.
"""

from __future__ import annotations

from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from nmf_core.kernels._lanes import REGISTER, _Code, _halved, _transposed


def _times(components, vectors, B, panel, P):
    """Return an intrinsic that writes a tile of P = B · panel; arguments as for `times44`."""
    real = B.dtype
    lanes = REGISTER // (4 if real == types.float32 else 8)
    signature = types.void(B, panel, P, *(types.intp,) * 3)

    def generate(context, builder, signature, values):
        code = _Code(context, builder, signature, values, real, lanes)
        b, x, p = (code.data(i) for i in range(3))
        k, column, place = values[3:]
        (_, M), (_, long), (_, long_P) = (code.shape(i) for i in range(3))
        rows, steps = [k.type(i) for i in range(components)], [k.type(lanes * i) for i in range(vectors)]
        totals = [[code.sum() for _ in steps] for _ in rows]
        with cgutils.for_range_slice(builder, k.type(0), M, k.type(1), k.type) as (m, _):
            base = builder.add(builder.mul(m, long), column)
            cells = [code.load(x, base, step) for step in steps]
            for row, line in zip(rows, totals, strict=True):
                factor = code.number(b, builder.add(builder.mul(builder.add(k, row), M), m))
                for cell, total in zip(cells, line, strict=True):
                    code.add(builder.fmul(factor, cell), total)
        for row, line in zip(rows, totals, strict=True):
            base = builder.add(builder.mul(builder.add(k, row), long_P), place)
            for step, total in zip(steps, line, strict=True):
                code.store(builder.load(total), p, base, step)
        return context.get_dummy_value()

    return signature, generate


def _collect(components, features, V, panel, sums):
    """Return an intrinsic that adds a tile of V · panelᵀ to running sums; arguments as for `collect44`."""
    real = V.dtype
    lanes = REGISTER // (4 if real == types.float32 else 8)
    signature = types.void(V, panel, sums, *(types.intp,) * 4)

    def generate(context, builder, signature, values):
        code = _Code(context, builder, signature, values, real, lanes)
        v, x, into = (code.data(i) for i in range(3))
        k, m, column, count = values[3:]
        (_, long_V), (_, long), (_, M, _) = (code.shape(i) for i in range(3))
        zero, lane = k.type(0), k.type(lanes)

        def at(base, i, width):
            return builder.mul(builder.add(base, k.type(i)), width)

        places = [
            builder.mul(builder.add(at(k, i, M), builder.add(m, k.type(j))), lane)
            for i in range(components)
            for j in range(features)
        ]
        totals = [cgutils.alloca_once_value(builder, code.load(into, place)) for place in places]
        lines = [at(k, i, long_V) for i in range(components)]
        cells = [builder.add(at(m, j, long), column) for j in range(features)]
        with cgutils.for_range_slice(builder, zero, count, lane, k.type) as (i, _):
            left, right = [code.load(v, line, i) for line in lines], [code.load(x, cell, i) for cell in cells]
            terms = [builder.fmul(a, b) for a in left for b in right]
            for term, total in zip(terms, totals, strict=True):
                code.add(term, total)
        for place, total in zip(places, totals, strict=True):
            code.store(builder.load(total), into, place)
        return context.get_dummy_value()

    return signature, generate


def _tile(of, high, wide, numbers):
    """Return an intrinsic for tiles of one size."""
    if numbers == 3:

        @intrinsic
        def tile(typing_context, left, panel, out, k, column, place):
            return of(high, wide, left, panel, out)

    else:

        @intrinsic
        def tile(typing_context, left, panel, out, k, m, column, count):
            return of(high, wide, left, panel, out)

    return tile


# Four components by four vectors (or features) fill half of 32 registers; what is left over takes smaller tiles.
times11, times21, times31, times41 = (_tile(_times, i, 1, 3) for i in (1, 2, 3, 4))
times14, times24, times34, times44 = (_tile(_times, i, 4, 3) for i in (1, 2, 3, 4))
collect11, collect21, collect31, collect41 = (_tile(_collect, i, 1, 4) for i in (1, 2, 3, 4))
collect14, collect24, collect34, collect44 = (_tile(_collect, i, 4, 4) for i in (1, 2, 3, 4))


@njit(nogil=True, cache=True, error_model="numpy")
def times(B, panel, P, column, place, count):
    """Write B · panel[:, column : column + count] to P from `place` on; each sum in the order of the rows of the panel.

    Whole vectors are taken: up to a vector more is read and written.
    """
    lanes = REGISTER // B.itemsize
    rank = B.shape[0]
    for k in range(0, rank, 4):
        left = rank - k
        i = 0
        while i + 4 * lanes <= count:
            if left >= 4:
                times44(B, panel, P, k, column + i, place + i)
            elif left == 3:
                times34(B, panel, P, k, column + i, place + i)
            elif left == 2:
                times24(B, panel, P, k, column + i, place + i)
            else:
                times14(B, panel, P, k, column + i, place + i)
            i += 4 * lanes
        while i < count:
            if left >= 4:
                times41(B, panel, P, k, column + i, place + i)
            elif left == 3:
                times31(B, panel, P, k, column + i, place + i)
            elif left == 2:
                times21(B, panel, P, k, column + i, place + i)
            else:
                times11(B, panel, P, k, column + i, place + i)
            i += lanes


@njit(nogil=True, cache=True, error_model="numpy")
def collect(V, panel, sums, column, count, below):
    """Add V · panel[:, column : column + count]ᵀ to `sums` (components × features × lanes), vector after vector.

    Lane l sums every lanes-th place from l on, so it does not matter how a row is cut into panels. Whole vectors are taken;
    V must hold 0 in places beyond `count`. With `below`, only features up to the components are needed: V is the panel.
    """
    rank, M = V.shape[0], panel.shape[0]
    for k in range(0, rank, 4):
        left = rank - k
        end = min(M, k + 4) if below else M
        m = 0
        while m + 4 <= end:
            if left >= 4:
                collect44(V, panel, sums, k, m, column, count)
            elif left == 3:
                collect34(V, panel, sums, k, m, column, count)
            elif left == 2:
                collect24(V, panel, sums, k, m, column, count)
            else:
                collect14(V, panel, sums, k, m, column, count)
            m += 4
        while m < end:
            if left >= 4:
                collect41(V, panel, sums, k, m, column, count)
            elif left == 3:
                collect31(V, panel, sums, k, m, column, count)
            elif left == 2:
                collect21(V, panel, sums, k, m, column, count)
            else:
                collect11(V, panel, sums, k, m, column, count)
            m += 1


@intrinsic
def lane_sum(typing_context, sums, k, m):
    """Return the sum over the lanes of sums[k, m]."""
    real = sums.dtype
    lanes = REGISTER // (4 if real == types.float32 else 8)
    signature = real(sums, types.intp, types.intp)

    def generate(context, builder, signature, values):
        code = _Code(context, builder, signature, values, real, lanes)
        place = builder.add(builder.mul(values[1], code.shape(0)[1]), values[2])
        return _halved(builder, code.load(code.data(0), builder.mul(place, place.type(lanes))))

    return signature, generate


@njit(nogil=True, cache=True, error_model="numpy")
def fold(sums, out, below):
    """Write the sums over lanes."""
    for k in range(out.shape[0]):
        for m in range(k + 1 if below else out.shape[1]):
            total = lane_sum(sums, k, m)
            out[k, m] = total
            if below:
                out[m, k] = total


@intrinsic
def turn_tile(typing_context, X, row, column, out, place):
    """Copy columns column … column + 7 of rows row … row + 7 of X to eight rows of `out`, from `place` on."""
    real = X.dtype
    signature = types.void(X, types.intp, types.intp, out, types.intp)

    def generate(context, builder, signature, values):
        code = _Code(context, builder, signature, values, real, 8)
        source, into = code.data(0), code.data(3)
        (_, ld), (_, long) = code.shape(0), code.shape(3)
        row, column, place = values[1], values[2], values[4]
        steps = [row.type(i) for i in range(8)]
        lines = [code.load(source, builder.add(builder.mul(builder.add(row, step), ld), column)) for step in steps]
        for step, line in zip(steps, _transposed(builder, lines), strict=True):
            code.store(line, into, builder.mul(builder.add(column, step), long), place)
        return context.get_dummy_value()

    return signature, generate


@njit(nogil=True, cache=True, error_model="numpy")
def lay(X, wide, start, count, panel, place):
    """Write lines start … start + count − 1 of X (its columns, if wide, else its rows) as columns of `panel`, then zeros.

    Zeros fill up the last vector.
    """
    lanes = REGISTER // X.itemsize
    M = panel.shape[0]
    if wide:
        for m in range(M):
            x, line = X[m, start : start + count], panel[m, place : place + count]
            for i in range(count):
                line[i] = x[i]
    else:
        rows, columns = count // 8 * 8, M // 8 * 8
        for i in range(0, rows, 8):
            for m in range(0, columns, 8):
                turn_tile(X, start + i, m, panel, place + i)
            for m in range(columns, M):
                for j in range(i, i + 8):
                    panel[m, place + j] = X[start + j, m]
        for i in range(rows, count):
            for m in range(M):
                panel[m, place + i] = X[start + i, m]
    for m in range(M):
        for i in range(count, (count + lanes - 1) // lanes * lanes):
            panel[m, place + i] = 0
