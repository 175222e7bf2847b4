# mypy: ignore-errors
# (compiled by Numba, whose types are not those of Python)
"""Sums of products by vector instructions with a fixed order of additions, so that twins get the same bits.

A compiler may not reorder a sum of floating-point numbers, hence never vectorizes it; letting it would make results
depend on the processor. Here the order is ours: `lanes` running sums side by side, halved at the end (lane l takes lane
l + half), each product and each sum rounded on its own. Lengths are multiples of `lanes`.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from nmf_core.kernels.abreast import REGISTER


class _Code:
    """Loads and stores of whole vectors inside an intrinsic.

    Parameters
    ----------
    context, builder, signature, values : see :func:`numba.extending.intrinsic`
    real : numba type
        float32 or float64, the kind of number in a vector.
    lanes : int
        Numbers in a vector.
    """

    def __init__(self, context, builder, signature, values, real, lanes):
        self.context, self.builder, self.signature, self.values = context, builder, signature, values
        self.vector = ir.VectorType(ir.FloatType() if real == types.float32 else ir.DoubleType(), lanes)
        self.align = 4 if real == types.float32 else 8

    def data(self, i):
        """Return where the numbers of array argument i begin."""
        kind, value = self.signature.args[i], self.values[i]
        return cgutils.create_struct_proxy(kind)(self.context, self.builder, value=value).data

    def load(self, pointer, *places):
        """Return the vector that begins so many places further on."""
        return self.builder.load(self._at(pointer, places), align=self.align)

    def store(self, vector, pointer, *places):
        """Write a vector there."""
        self.builder.store(vector, self._at(pointer, places), align=self.align)

    def _at(self, pointer, places):
        for place in places:
            pointer = self.builder.gep(pointer, [place])
        return self.builder.bitcast(pointer, self.vector.as_pointer())

    def shape(self, i):
        """Return the lengths of the axes of array argument i."""
        kind, value = self.signature.args[i], self.values[i]
        array = cgutils.create_struct_proxy(kind)(self.context, self.builder, value=value)
        return cgutils.unpack_tuple(self.builder, array.shape)

    def number(self, pointer, place):
        """Return a vector full of the one number at that place."""
        builder, lanes = self.builder, self.vector.count
        number = builder.load(builder.gep(pointer, [place]))
        one = builder.insert_element(ir.Constant(self.vector, ir.Undefined), number, ir.IntType(32)(0))
        return builder.shuffle_vector(one, one, _numbers(*[0] * lanes))

    def sum(self):
        """Return room for a running sum, 0 at first."""
        return cgutils.alloca_once_value(self.builder, ir.Constant(self.vector, None))

    def add(self, term, total):
        """Add a vector to a running sum."""
        self.builder.store(self.builder.fadd(self.builder.load(total), term), total)

    def row(self, indices, place, width, column):
        """Return where `column` of row ``indices[place]`` begins, rows being `width` long."""
        builder = self.builder
        index = builder.sext(builder.load(builder.gep(indices, [place])), width.type)
        return builder.add(builder.mul(index, width), column)


def _numbers(*values):
    return ir.Constant(ir.VectorType(ir.IntType(32), len(values)), list(values))


def _sums_of(builder, vectors):
    """Return the sums over the lanes of one, two or four vectors as a vector.

    Lanes are halved again and again: each of the first half takes its partner of the second.
    """
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


def _lane_sum(lanes, arrays, term):
    """Return an intrinsic ``f(*arrays, *starts, count)``: the sum of ``term(builder, vectors)`` over count places."""

    def build(typing_context, *arguments):
        real = arguments[0].dtype
        signature = real(*arguments[:arrays], *(types.intp,) * (arrays + 1))

        def generate(context, builder, signature, values):
            code = _Code(context, builder, signature, values, real, lanes)
            starts, count = values[arrays:-1], values[-1]
            pointers = [builder.gep(code.data(i), [start]) for i, start in enumerate(starts)]
            total = code.sum()
            with cgutils.for_range_slice(builder, count.type(0), count, count.type(lanes), count.type) as (place, _):
                code.add(term(builder, [code.load(pointer, place) for pointer in pointers]), total)
            return builder.extract_element(_sums_of(builder, [builder.load(total)]), ir.IntType(32)(0))

        return signature, generate

    return build


@intrinsic
def dot8(typing_context, a, b, start_a, start_b, count):
    """Return Σ a b in 8 lanes."""
    return _DOT8(typing_context, a, b)


@intrinsic
def dot16(typing_context, a, b, start_a, start_b, count):
    """Return Σ a b in 16 lanes."""
    return _DOT16(typing_context, a, b)


@intrinsic
def bend16(typing_context, q, h, r, start_q, start_h, start_r, count):
    """Return Σ (q h) (r h) in 16 lanes."""
    return _BEND16(typing_context, q, h, r)


_DOT8 = _lane_sum(8, 2, lambda builder, v: builder.fmul(v[0], v[1]))
_DOT16 = _lane_sum(16, 2, lambda builder, v: builder.fmul(v[0], v[1]))
_BEND16 = _lane_sum(16, 3, lambda builder, v: builder.fmul(builder.fmul(v[0], v[1]), builder.fmul(v[2], v[1])))


@intrinsic
def mix32(typing_context, indices, data, rows, width, column, start, stop, first, out):
    """Write 32 columns of a mixed row to `out`, from `column` on; arguments as for `mix`."""
    return _mix(4, indices, data, rows, out)


@intrinsic
def mix8(typing_context, indices, data, rows, width, column, start, stop, first, out):
    """Write 8 columns."""
    return _mix(1, indices, data, rows, out)


def _mix(groups, indices, data, rows, out):
    real = data.dtype
    signature = types.void(indices, data, rows, *(types.intp,) * 5, out)

    def generate(context, builder, signature, values):
        code = _Code(context, builder, signature, values, real, 8)
        at, numbers, flat, into = code.data(0), code.data(1), code.data(2), code.data(8)
        width, column, start, stop, first = values[3:8]
        steps = [start.type(8 * g) for g in range(groups)]
        totals = [code.sum() for _ in steps]
        with cgutils.for_range_slice(builder, start, stop, start.type(1), start.type) as (p, _):
            base = code.row(at, p, width, column)
            factor = code.number(numbers, builder.add(builder.sub(p, start), first))
            for step, total in zip(steps, totals, strict=True):
                code.add(builder.fmul(factor, code.load(flat, base, step)), total)
        for step, total in zip(steps, totals, strict=True):
            code.store(builder.load(total), into, column, step)
        return context.get_dummy_value()

    return signature, generate


@njit(nogil=True, cache=True, error_model="numpy")
def mix(indices, data, rows, width, start, stop, first, out):
    """Write Σ data[first + p − start] · row indices[p] over start ≤ p < stop to `out`, one cell after another.

    ``rows`` is flat, each row `width` long, a multiple of 8. The running sums stay in registers: a plain loop has to
    assume that `out` and `rows` overlap, and takes ten times as long.
    """
    column = 0
    while column + 32 <= width:
        mix32(indices, data, rows, width, column, start, stop, first, out)
        column += 32
    while column < width:
        mix8(indices, data, rows, width, column, start, stop, first, out)
        column += 8


@intrinsic
def relax4(typing_context, F, P, off, inverse, k, column):
    """Update four vectors of row k of F, from `column` on; arguments as for `relax`."""
    return _relax(4, F, P, off, inverse)


@intrinsic
def relax1(typing_context, F, P, off, inverse, k, column):
    """Update one vector."""
    return _relax(1, F, P, off, inverse)


def _relax(groups, F, P, off, inverse):
    real = F.dtype
    lanes = REGISTER // (4 if real == types.float32 else 8)
    signature = types.void(F, P, off, inverse, types.intp, types.intp)

    def generate(context, builder, signature, values):
        code = _Code(context, builder, signature, values, real, lanes)
        f, p, g, scale = (code.data(i) for i in range(4))
        (rank, width), (_, width_P), (k, column) = code.shape(0), code.shape(1), values[4:]
        steps = [k.type(lanes * i) for i in range(groups)]

        def place(row, width):
            return builder.add(builder.mul(row, width), column)

        rests = [cgutils.alloca_once_value(builder, code.load(p, place(k, width_P), step)) for step in steps]
        with cgutils.for_range_slice(builder, k.type(0), rank, k.type(1), k.type) as (j, _):
            factor = code.number(g, builder.add(builder.mul(k, rank), j))
            for step, rest in zip(steps, rests, strict=True):
                term = builder.fmul(factor, code.load(f, place(j, width), step))
                builder.store(builder.fsub(builder.load(rest), term), rest)
        factor, zero = code.number(scale, k), ir.Constant(code.vector, None)
        for step, rest in zip(steps, rests, strict=True):
            value = builder.fmul(builder.load(rest), factor)
            value = builder.select(builder.fcmp_ordered("<=", value, zero), zero, value)
            code.store(value, f, place(k, width), step)
        return context.get_dummy_value()

    return signature, generate


@njit(nogil=True, cache=True, error_model="numpy")
def relax(F, P, off, inverse, passes, lo, hi):
    """Make coordinate passes over columns lo…hi of F in place: F[k] ← max(0, (P[k] − Σ_l off[k,l] F[l]) · inverse[k]).

    Each running difference stays in registers, in the order of l. Rows with ``inverse`` 0 stay. Whole vectors are taken:
    columns up to the next multiple of a vector's length beyond `hi` must exist in F and P, and are overwritten in F.
    """
    lanes = REGISTER // F.itemsize
    for _ in range(passes):
        for k in range(F.shape[0]):
            if not inverse[k] > 0:
                continue
            column = lo
            while column + 4 * lanes <= hi:
                relax4(F, P, off, inverse, k, column)
                column += 4 * lanes
            while column < hi:
                relax1(F, P, off, inverse, k, column)
                column += lanes


def _transposed(builder, lines):
    """Return the columns of eight vectors of eight."""
    low, high = _numbers(0, 8, 1, 9, 2, 10, 3, 11), _numbers(4, 12, 5, 13, 6, 14, 7, 15)
    for _ in range(3):  # three rounds of interleaving line i with line i + 4 transpose
        pairs = [(lines[i], lines[i + 4]) for i in range(4)]
        lines = [builder.shuffle_vector(*pair, half) for pair in pairs for half in (low, high)]
    return lines


@intrinsic
def turn8(typing_context, indices, rows, width, column, start, out, long, place):
    """Copy columns column … column + 7 of eight rows to eight rows of `out`; arguments as for `turn`."""
    real = rows.dtype
    signature = types.void(indices, rows, *(types.intp,) * 3, out, *(types.intp,) * 2)

    def generate(context, builder, signature, values):
        code = _Code(context, builder, signature, values, real, 8)
        at, flat, into = code.data(0), code.data(1), code.data(5)
        width, column, start, long, place = *values[2:5], *values[6:8]
        steps = [start.type(i) for i in range(8)]
        lines = [code.load(flat, code.row(at, builder.add(start, step), width, column)) for step in steps]
        lines = _transposed(builder, lines)
        for step, line in zip(steps, lines, strict=True):
            code.store(line, into, builder.mul(builder.add(column, step), long), place)
        return context.get_dummy_value()

    return signature, generate


@njit(nogil=True, cache=True, error_model="numpy")
def turn(indices, rows, width, start, count, out, long):
    """Write rows indices[start] … of `rows` as columns 0 … count − 1 of `out`.

    ``rows`` and ``out`` are flat; a row of the first is `width` long, a multiple of 8, one of the second `long`.
    """
    whole = count // 8 * 8
    for column in range(0, width, 8):
        for p in range(0, whole, 8):
            turn8(indices, rows, width, column, start + p, out, long, p)
    for p in range(whole, count):
        base = np.intp(indices[start + p]) * width
        for k in range(width):
            out[k * long + p] = rows[base + k]
