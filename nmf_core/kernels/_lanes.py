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


def _lane_sum(lanes, arrays, term):
    """Return an intrinsic ``f(*arrays, *starts, count)``: the sum of ``term(builder, vectors)`` over count places."""

    def build(typing_context, *arguments):
        real = arguments[0].dtype
        signature = real(*arguments[:arrays], *(types.intp,) * (arrays + 1))

        def code(context, builder, signature, values):
            element = ir.FloatType() if real == types.float32 else ir.DoubleType()
            vector = ir.VectorType(element, lanes)
            align = 4 if real == types.float32 else 8
            pointers = []
            for kind, value, start in zip(signature.args, values[:arrays], values[arrays:-1], strict=False):
                data = cgutils.create_struct_proxy(kind)(context, builder, value=value).data
                pointers.append(builder.gep(data, [start]))
            count = values[-1]
            total = cgutils.alloca_once_value(builder, ir.Constant(vector, None))
            with cgutils.for_range_slice(builder, count.type(0), count, count.type(lanes), count.type) as (place, _):
                vectors = [
                    builder.load(builder.bitcast(builder.gep(pointer, [place]), vector.as_pointer()), align=align)
                    for pointer in pointers
                ]
                builder.store(builder.fadd(builder.load(total), term(builder, vectors)), total)
            lane = builder.load(total)
            width = lanes
            while width > 1:
                width //= 2
                halves = [
                    builder.shuffle_vector(lane, lane, ir.Constant(ir.VectorType(ir.IntType(32), width), list(at)))
                    for at in (range(width), range(width, 2 * width))
                ]
                lane = builder.fadd(*halves)
            return builder.extract_element(lane, ir.IntType(32)(0))

        return signature, code

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

    def code(context, builder, signature, values):
        element = ir.FloatType() if real == types.float32 else ir.DoubleType()
        vector = ir.VectorType(element, 8)
        align = 4 if real == types.float32 else 8

        def pointer(i):
            return cgutils.create_struct_proxy(signature.args[i])(context, builder, value=values[i]).data

        at, numbers, flat, into = pointer(0), pointer(1), pointer(2), pointer(8)
        width, column, start, stop, first = values[3:8]
        totals = [cgutils.alloca_once_value(builder, ir.Constant(vector, None)) for _ in range(groups)]
        with cgutils.for_range_slice(builder, start, stop, start.type(1), start.type) as (p, _):
            base = builder.add(builder.mul(builder.sext(builder.load(builder.gep(at, [p])), start.type), width), column)
            number = builder.load(builder.gep(numbers, [builder.add(builder.sub(p, start), first)]))
            one = builder.insert_element(ir.Constant(vector, ir.Undefined), number, ir.IntType(32)(0))
            zeros = ir.Constant(ir.VectorType(ir.IntType(32), 8), [0] * 8)
            factor = builder.shuffle_vector(one, one, zeros)
            for g, total in enumerate(totals):
                source = builder.gep(flat, [builder.add(base, start.type(8 * g))])
                row = builder.load(builder.bitcast(source, vector.as_pointer()), align=align)
                builder.store(builder.fadd(builder.load(total), builder.fmul(factor, row)), total)
        for g, total in enumerate(totals):
            target = builder.gep(into, [builder.add(column, start.type(8 * g))])
            builder.store(builder.load(total), builder.bitcast(target, vector.as_pointer()), align=align)
        return context.get_dummy_value()

    return signature, code


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
def turn8(typing_context, indices, rows, width, column, start, out, long, place):
    """Copy columns column … column + 7 of eight rows to eight rows of `out`; arguments as for `turn`."""
    real = rows.dtype
    signature = types.void(indices, rows, *(types.intp,) * 3, out, *(types.intp,) * 2)

    def code(context, builder, signature, values):
        element = ir.FloatType() if real == types.float32 else ir.DoubleType()
        vector = ir.VectorType(element, 8)
        align = 4 if real == types.float32 else 8

        def pointer(i):
            return cgutils.create_struct_proxy(signature.args[i])(context, builder, value=values[i]).data

        at, flat, into = pointer(0), pointer(1), pointer(5)
        width, column, start, long, place = *values[2:5], *values[6:8]
        lines = []
        for i in range(8):
            index = builder.load(builder.gep(at, [builder.add(start, start.type(i))]))
            base = builder.add(builder.mul(builder.sext(index, start.type), width), column)
            lines.append(builder.load(builder.bitcast(builder.gep(flat, [base]), vector.as_pointer()), align=align))
        number = ir.VectorType(ir.IntType(32), 8)
        low = ir.Constant(number, [0, 8, 1, 9, 2, 10, 3, 11])
        high = ir.Constant(number, [4, 12, 5, 13, 6, 14, 7, 15])
        for _ in range(3):  # three rounds of interleaving line i with line i + 4 transpose
            pairs = [(lines[i], lines[i + 4]) for i in range(4)]
            lines = [builder.shuffle_vector(*pair, half) for pair in pairs for half in (low, high)]
        for i, line in enumerate(lines):
            row = builder.mul(builder.add(column, start.type(i)), long)
            target = builder.gep(into, [builder.add(row, place)])
            builder.store(line, builder.bitcast(target, vector.as_pointer()), align=align)
        return context.get_dummy_value()

    return signature, code


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
