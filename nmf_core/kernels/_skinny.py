# mypy: ignore-errors
# (compiled by Numba, whose types are not those of Python)
"""Products of X with few components, by vector instructions with a fixed order of additions (Numba).

Libraries pack both matrices before they multiply, which pays where both are large. With few components nearly all time goes
into packing and into the edges of their tiles. Here a panel of X is read as it lies, once for all components, and
tiles of the result stay in registers. NumPy twins: `skinny_product` and `collected` of :mod:`nmf_core.kernels.twins`.
"""

from __future__ import annotations

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from nmf_core.kernels._lanes import REGISTER, _Code, _sums_of, _transposed


def _each_height(builder, left, emit):
    """Emit tiles of four components, and of three, two and one for those that are left over."""
    for height in (4, 3, 2, 1):
        fits = builder.icmp_signed(">=" if height == 4 else "==", left, left.type(height))
        with builder.if_then(fits):
            emit([left.type(i) for i in range(height)])


def _times(vectors, B, panel, P):
    """Return an intrinsic that writes a tile of P = B · panel, or adds it to P; arguments as for `times4`."""
    real = B.dtype
    lanes = REGISTER // (4 if real == types.float32 else 8)
    signature = types.void(B, panel, P, *(types.intp,) * 4, types.boolean)

    def generate(context, builder, signature, values):
        code = _Code(context, builder, signature, values, real, lanes)
        b, x, p = (code.data(i) for i in range(3))
        k, column, place, count, fresh = values[3:]
        (rank, long_B), (_, long), (_, long_P) = (code.shape(i) for i in range(3))
        zero, steps = ir.Constant(code.vector, None), [k.type(lanes * i) for i in range(vectors)]

        def emit(rows):
            targets = [
                (builder.add(builder.mul(builder.add(k, row), long_P), place), step) for row in rows for step in steps
            ]
            starts = [builder.select(fresh, zero, code.load(p, *target)) for target in targets]
            totals = [cgutils.alloca_once_value(builder, start) for start in starts]
            with cgutils.for_range_slice(builder, k.type(0), count, k.type(1), k.type) as (m, _):
                base = builder.add(builder.mul(m, long), column)
                cells = [code.load(x, base, step) for step in steps]
                for i, row in enumerate(rows):
                    factor = code.number(b, builder.add(builder.mul(builder.add(k, row), long_B), m))
                    for cell, total in zip(cells, totals[i * vectors : (i + 1) * vectors], strict=True):
                        code.add(builder.fmul(factor, cell), total)
            for target, total in zip(targets, totals, strict=True):
                code.store(builder.load(total), p, *target)

        _each_height(builder, builder.sub(rank, k), emit)
        return context.get_dummy_value()

    return signature, generate


def _dots(lines, L, panel, P):
    """Return an intrinsic that adds a tile of L · panelᵀ to P, summed in lanes; arguments as for `dots4`."""
    real = L.dtype
    lanes = REGISTER // (4 if real == types.float32 else 8)
    signature = types.void(L, panel, P, *(types.intp,) * 4)

    def generate(context, builder, signature, values):
        code = _Code(context, builder, signature, values, real, lanes)
        short = _Code(context, builder, signature, values, real, lines)
        left, x, p = (code.data(i) for i in range(3))
        k, first, column, count = values[3:]
        (rank, long_L), (_, long), (_, long_P) = (code.shape(i) for i in range(3))
        cells = [builder.add(builder.mul(builder.add(first, k.type(i)), long), column) for i in range(lines)]

        def emit(rows):
            places = [builder.mul(builder.add(k, row), long_L) for row in rows]
            totals = [[code.sum() for _ in cells] for _ in rows]
            with cgutils.for_range_slice(builder, k.type(0), count, k.type(lanes), k.type) as (i, _):
                ours, theirs = (
                    [code.load(left, place, i) for place in places],
                    [code.load(x, cell, i) for cell in cells],
                )
                for a, line in zip(ours, totals, strict=True):
                    for b, total in zip(theirs, line, strict=True):
                        code.add(builder.fmul(a, b), total)
            for row, line in zip(rows, totals, strict=True):
                sums = _sums_of(builder, [builder.load(total) for total in line])
                target = builder.add(builder.mul(builder.add(k, row), long_P), first)
                short.store(builder.fadd(short.load(p, target), sums), p, target)

        _each_height(builder, builder.sub(rank, k), emit)
        return context.get_dummy_value()

    return signature, generate


# Four components by four vectors (or lines) fill half of 32 registers; what is left over takes smaller tiles.
@intrinsic
def times4(typing_context, B, panel, P, k, column, place, count, fresh):
    """Write four vectors of up to four components from k on; arguments as for `times`."""
    return _times(4, B, panel, P)


@intrinsic
def times1(typing_context, B, panel, P, k, column, place, count, fresh):
    """Write one vector."""
    return _times(1, B, panel, P)


@intrinsic
def dots4(typing_context, L, panel, P, k, line, column, count):
    """Add four lines for up to four components from k on; arguments as for `dots`."""
    return _dots(4, L, panel, P)


@intrinsic
def dots1(typing_context, L, panel, P, k, line, column, count):
    """Add one line."""
    return _dots(1, L, panel, P)


@njit(nogil=True, cache=True, error_model="numpy")
def times(B, panel, P, column, place, width, count, fresh):
    """Write B[:, :count] · panel[:count, column : column + width] to P from `place` on, or add it unless `fresh`.

    Each sum runs in the order of the rows of the panel. Whole vectors are taken: up to a vector more is read and written.
    """
    lanes = REGISTER // B.itemsize
    i = 0
    while i + 4 * lanes <= width:
        for k in range(0, B.shape[0], 4):
            times4(B, panel, P, k, column + i, place + i, count, fresh)
        i += 4 * lanes
    while i < width:
        for k in range(0, B.shape[0], 4):
            times1(B, panel, P, k, column + i, place + i, count, fresh)
        i += lanes


@njit(nogil=True, cache=True, error_model="numpy")
def dots(L, panel, P, lines, column, count, below):
    """Add L[:, :count] · panel[:lines, column : column + count]ᵀ to P[:, :lines], each sum in lanes that take their partners.

    Whole vectors are taken: L must hold 0 in places beyond `count`, and the panel numbers. With `below`, L is the panel,
    and only what lies below the diagonal is wanted.
    """
    j = 0
    while j + 4 <= lines:
        for k in range(j if below else 0, L.shape[0], 4):
            dots4(L, panel, P, k, j, column, count)
        j += 4
    while j < lines:
        for k in range(j // 4 * 4 if below else 0, L.shape[0], 4):
            dots1(L, panel, P, k, j, column, count)
        j += 1


@njit(nogil=True, cache=True, error_model="numpy")
def mirror(G):
    """Copy what lies below the diagonal to above it."""
    for k in range(G.shape[0]):
        for j in range(k):
            G[j, k] = G[k, j]


@intrinsic
def turn_tile(typing_context, X, row, column, out, line, place):
    """Copy columns column … column + 7 of rows row … row + 7 of X to rows line … of `out`, from `place` on."""
    real = X.dtype
    signature = types.void(X, types.intp, types.intp, out, types.intp, types.intp)

    def generate(context, builder, signature, values):
        code = _Code(context, builder, signature, values, real, 8)
        source, into = code.data(0), code.data(3)
        (_, ld), (_, long) = code.shape(0), code.shape(3)
        row, column, line_of, place = values[1], values[2], values[4], values[5]
        steps = [row.type(i) for i in range(8)]
        lines = [code.load(source, builder.add(builder.mul(builder.add(row, step), ld), column)) for step in steps]
        for step, line in zip(steps, _transposed(builder, lines), strict=True):
            code.store(line, into, builder.mul(builder.add(line_of, step), long), place)
        return context.get_dummy_value()

    return signature, generate


@njit(nogil=True, cache=True, error_model="numpy")
def lay(X, turned, first, lines, start, count, panel, place):
    """Copy rows first … and columns start … of X, or the other way round if `turned`, to rows of a panel, then zeros.

    ``lines`` rows of `count` places are written from `place` on; zeros fill up the last vector.
    """
    lanes = REGISTER // X.itemsize
    if not turned:
        for m in range(lines):
            x, line = X[first + m, start : start + count], panel[m, place : place + count]
            for i in range(count):
                line[i] = x[i]
    else:
        rows, columns = count // 8 * 8, lines // 8 * 8
        for i in range(0, rows, 8):
            for m in range(0, columns, 8):
                turn_tile(X, start + i, first + m, panel, m, place + i)
            for m in range(columns, lines):
                for j in range(i, i + 8):
                    panel[m, place + j] = X[start + j, first + m]
        for i in range(rows, count):
            for m in range(lines):
                panel[m, place + i] = X[start + i, first + m]
    for m in range(lines):
        for i in range(count, (count + lanes - 1) // lanes * lanes):
            panel[m, place + i] = 0
