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

from nmf_core.kernels._lanes import REGISTER, _Code, _numbers, _transposed


def _times(components, vectors, B, panel, P):
    """Return an intrinsic that writes a tile of P = B · panel, or adds it to P; arguments as for `times44`."""
    real = B.dtype
    lanes = REGISTER // (4 if real == types.float32 else 8)
    signature = types.void(B, panel, P, *(types.intp,) * 4, types.boolean)

    def generate(context, builder, signature, values):
        code = _Code(context, builder, signature, values, real, lanes)
        b, x, p = (code.data(i) for i in range(3))
        k, column, place, count, fresh = values[3:]
        (_, long_B), (_, long), (_, long_P) = (code.shape(i) for i in range(3))
        zero = ir.Constant(code.vector, None)
        rows, steps = [k.type(i) for i in range(components)], [k.type(lanes * i) for i in range(vectors)]
        targets = [
            (builder.add(builder.mul(builder.add(k, row), long_P), place), step) for row in rows for step in steps
        ]
        fresh = context.cast(builder, fresh, types.boolean, types.boolean)
        fresh = builder.icmp_unsigned("!=", fresh, fresh.type(0))
        totals = [
            cgutils.alloca_once_value(builder, builder.select(fresh, zero, code.load(p, *target))) for target in targets
        ]
        with cgutils.for_range_slice(builder, k.type(0), count, k.type(1), k.type) as (m, _):
            base = builder.add(builder.mul(m, long), column)
            cells = [code.load(x, base, step) for step in steps]
            for i, row in enumerate(rows):
                factor = code.number(b, builder.add(builder.mul(builder.add(k, row), long_B), m))
                for cell, total in zip(cells, totals[i * vectors :], strict=False):
                    code.add(builder.fmul(factor, cell), total)
        for target, total in zip(targets, totals, strict=True):
            code.store(builder.load(total), p, *target)
        return context.get_dummy_value()

    return signature, generate


def _dots(components, lines, L, panel, P):
    """Return an intrinsic that adds a tile of L · panelᵀ to P, summed in lanes; arguments as for `dots44`."""
    real = L.dtype
    lanes = REGISTER // (4 if real == types.float32 else 8)
    signature = types.void(L, panel, P, *(types.intp,) * 4)

    def generate(context, builder, signature, values):
        code = _Code(context, builder, signature, values, real, lanes)
        left, x, p = (code.data(i) for i in range(3))
        k, first, column, count = values[3:]
        (_, long_L), (_, long), (_, long_P) = (code.shape(i) for i in range(3))
        rows = [builder.mul(builder.add(k, k.type(i)), long_L) for i in range(components)]
        cells = [builder.add(builder.mul(builder.add(first, k.type(i)), long), column) for i in range(lines)]
        totals = [[code.sum() for _ in cells] for _ in rows]
        with cgutils.for_range_slice(builder, k.type(0), count, k.type(lanes), k.type) as (i, _):
            ours, theirs = [code.load(left, row, i) for row in rows], [code.load(x, cell, i) for cell in cells]
            for a, line in zip(ours, totals, strict=True):
                for b, total in zip(theirs, line, strict=True):
                    code.add(builder.fmul(a, b), total)
        short = _Code(context, builder, signature, values, real, lines)
        for i, total in enumerate(totals):
            sums = _sums_of(builder, [builder.load(each) for each in total])
            target = builder.add(builder.mul(builder.add(k, k.type(i)), long_P), first)
            short.store(builder.fadd(short.load(p, target), sums), p, target)
        return context.get_dummy_value()

    return signature, generate


def _sums_of(builder, vectors):
    """Return the sums over the lanes of one, two or four vectors as a vector, each halved as by `_halved`."""
    groups = 1
    while True:
        lanes = vectors[0].type.count
        size = lanes // groups
        if size == 1:
            return vectors[0]
        firsts = [g * size + i for g in range(groups) for i in range(size // 2)]
        if len(vectors) > 1:  # two vectors of groups become one of twice as many groups, half as long
            firsts += [lanes + place for place in firsts]
            pairs = list(zip(vectors[::2], vectors[1::2], strict=True))
            groups *= 2
        else:
            pairs = [(vectors[0], vectors[0])]
        seconds = [place + size // 2 for place in firsts]
        vectors = [
            builder.fadd(*(builder.shuffle_vector(*pair, _numbers(*places)) for places in (firsts, seconds)))
            for pair in pairs
        ]


def _time_tile(high, wide):
    """Return an intrinsic for tiles of `times` of one size."""

    @intrinsic
    def tile(typing_context, B, panel, P, k, column, place, count, fresh):
        return _times(high, wide, B, panel, P)

    return tile


def _dot_tile(high, wide):
    """Return an intrinsic for tiles of `dots` of one size."""

    @intrinsic
    def tile(typing_context, L, panel, P, k, line, column, count):
        return _dots(high, wide, L, panel, P)

    return tile


# Four components by four vectors (or features) fill half of 32 registers; what is left over takes smaller tiles.
times11, times21, times31, times41 = (_time_tile(i, 1) for i in (1, 2, 3, 4))
times14, times24, times34, times44 = (_time_tile(i, 4) for i in (1, 2, 3, 4))
dots11, dots21, dots31, dots41 = (_dot_tile(i, 1) for i in (1, 2, 3, 4))
dots14, dots24, dots34, dots44 = (_dot_tile(i, 4) for i in (1, 2, 3, 4))


@njit(nogil=True, cache=True, error_model="numpy")
def times(B, panel, P, column, place, width, count, fresh):
    """Write B[:, :count] · panel[:count, column : column + width] to P from `place` on, or add it unless `fresh`.

    Each sum runs in the order of the rows of the panel. Whole vectors are taken: up to a vector more is read and written.
    """
    lanes = REGISTER // B.itemsize
    rank = B.shape[0]
    i = 0
    while i + 4 * lanes <= width:
        for k in range(0, rank - 3, 4):
            times44(B, panel, P, k, column + i, place + i, count, fresh)
        k = rank // 4 * 4
        if rank - k == 3:
            times34(B, panel, P, k, column + i, place + i, count, fresh)
        elif rank - k == 2:
            times24(B, panel, P, k, column + i, place + i, count, fresh)
        elif rank - k == 1:
            times14(B, panel, P, k, column + i, place + i, count, fresh)
        i += 4 * lanes
    while i < width:
        for k in range(0, rank - 3, 4):
            times41(B, panel, P, k, column + i, place + i, count, fresh)
        k = rank // 4 * 4
        if rank - k == 3:
            times31(B, panel, P, k, column + i, place + i, count, fresh)
        elif rank - k == 2:
            times21(B, panel, P, k, column + i, place + i, count, fresh)
        elif rank - k == 1:
            times11(B, panel, P, k, column + i, place + i, count, fresh)
        i += lanes


@njit(nogil=True, cache=True, error_model="numpy")
def dots(L, panel, P, lines, column, count, below):
    """Add L[:, :count] · panel[:lines, column : column + count]ᵀ to P[:, :lines], each sum in lanes that take their partners.

    Whole vectors are taken: L must hold 0 in places beyond `count`, and the panel numbers. With `below`, L is the panel,
    and only what lies below the diagonal is wanted.
    """
    rank = L.shape[0]
    whole = rank // 4 * 4
    j = 0
    while j < lines:
        first = j // 4 * 4 if below else 0
        if j + 4 <= lines:
            for k in range(first, whole, 4):
                dots44(L, panel, P, k, j, column, count)
            if rank - whole == 3:
                dots34(L, panel, P, whole, j, column, count)
            elif rank - whole == 2:
                dots24(L, panel, P, whole, j, column, count)
            elif rank - whole == 1:
                dots14(L, panel, P, whole, j, column, count)
            j += 4
        else:
            for k in range(first, whole, 4):
                dots41(L, panel, P, k, j, column, count)
            if rank - whole == 3:
                dots31(L, panel, P, whole, j, column, count)
            elif rank - whole == 2:
                dots21(L, panel, P, whole, j, column, count)
            elif rank - whole == 1:
                dots11(L, panel, P, whole, j, column, count)
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
