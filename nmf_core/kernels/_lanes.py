# mypy: ignore-errors
# (compiled by Numba, whose types are not those of Python)
"""Sums of products in lanes: vector instructions with a fixed order of additions, so that twins get the same bits.

A compiler may not reorder a sum of floating-point numbers, hence never vectorizes it; letting it would make results
depend on the processor. Here the order is ours: `lanes` running sums side by side, halved at the end (lane l takes lane
l + half), each product and each sum rounded on its own. Lengths are multiples of `lanes`.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
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
