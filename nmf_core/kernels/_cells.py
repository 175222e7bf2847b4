# mypy: ignore-errors
# (compiled by Numba, whose types are not those of Python)
"""What multiplicative updates work out cell by cell, whole vectors at a time: quotients, powers, divergences (Numba).

A cell goes once through the cache for all of it. Every operation is rounded on its own, so the NumPy twins of
:mod:`nmf_core.kernels.divergence_twins` get the same bits.
"""

from __future__ import annotations

from math import factorial

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from nmf_core.kernels._lanes import REGISTER, _Code, _numbers
from nmf_core.kernels.divergence_twins import LOG_DOUBLE, LOG_SINGLE, LOG_TWO


class _Cells(_Code):
    """Loads of what may end in the middle of a vector."""

    def filled(self, number):
        """Return a vector full of a number."""
        lanes = self.vector.count
        one = self.builder.insert_element(
            ir.Constant(ir.VectorType(number.type, lanes), ir.Undefined), number, ir.IntType(32)(0)
        )
        return self.builder.shuffle_vector(one, one, _numbers(*[0] * lanes))

    def load_known(self, pointer, known, *places):
        """Return the vector that begins so many places further on, 0 where `known` is false: nothing is read there."""
        if known is None:
            return self.load(pointer, *places)
        vector, at, real = self.vector, self._at(pointer, places), "f32" if self.align == 4 else "f64"
        kind = ir.FunctionType(vector, [at.type, ir.IntType(32), known.type, vector])
        name = f"llvm.masked.load.v{vector.count}{real}.p0"
        function = cgutils.get_or_insert_function(self.builder.module, kind, name)
        return self.builder.call(function, [at, ir.IntType(32)(self.align), known, ir.Constant(vector, None)])


class _Vector:
    """A vector in a formula, with the operators of Python; numbers stand for vectors full of them."""

    def __init__(self, builder, value):
        self.builder, self.value, self.type = builder, value, value.type

    def full(self, number):
        """Return a vector of this kind full of one number."""
        return self._with(ir.Constant(self.type, [number] * self.type.count))

    def _with(self, value):
        return _Vector(self.builder, value)

    def _other(self, other):
        return (other if isinstance(other, _Vector) else self.full(other)).value

    def __add__(self, other):
        return self._with(self.builder.fadd(self.value, self._other(other)))

    def __sub__(self, other):
        return self._with(self.builder.fsub(self.value, self._other(other)))

    def __mul__(self, other):
        return self._with(self.builder.fmul(self.value, self._other(other)))

    def __truediv__(self, other):
        return self._with(self.builder.fdiv(self.value, self._other(other)))

    def where(self, relation, bound, other):
        """Return these numbers where they compare so to the bound, the others elsewhere."""
        holds = self.builder.fcmp_ordered(relation, self.value, self._other(bound))
        return self.chosen(holds, other)

    def chosen(self, holds, other):
        """Return these numbers where (or if) something holds, others elsewhere."""
        return self._with(self.builder.select(holds, self.value, self._other(other)))

    def called(self, name):
        """Return what an operation of LLVM gives, such as ``sqrt``."""
        real = "f64" if self.double else "f32"
        kind = ir.FunctionType(self.type, [self.type])
        function = cgutils.get_or_insert_function(self.builder.module, kind, f"llvm.{name}.v{self.type.count}{real}")
        return self._with(self.builder.call(function, [self.value]))

    @property
    def double(self):
        """Whether these are float64."""
        return isinstance(self.type.element, ir.DoubleType)

    def of_integers(self, value):
        """Return integers as numbers of this kind."""
        return self._with(self.builder.sitofp(value, self.type))

    def integers(self, bits):
        """Return the type of as many integers, and a vector full of one of them by number."""
        kind = ir.VectorType(ir.IntType(bits), self.type.count)
        return kind, lambda number: ir.Constant(kind, [number] * self.type.count)


def _polynomial(z, first, *others):
    p = z.full(first)
    for number in others:
        p = p * z + number
    return p


def _split(x):
    """Return mantissas in [√½, √2) of positive normal numbers, and their exponents as integers of 32 bits."""
    builder = x.builder
    shift, least = (52, 0x3FE6A09E667F3BCD) if x.double else (23, 0x3F3504F3)
    kind, full = x.integers(64 if x.double else 32)
    bits = builder.bitcast(x.value, kind)
    e = builder.ashr(builder.sub(bits, full(least)), full(shift))
    m = x._with(builder.bitcast(builder.sub(bits, builder.shl(e, full(shift))), x.type))
    if x.double:
        e = builder.trunc(e, x.integers(32)[0])  # more processors can convert vectors of these
    return m, e


def _log(x):
    """Return logarithms of positive normal numbers: log(m) = 2 s (1 + s² p(s²)) with s = (m − 1)/(m + 1), |s| < 0.172."""
    m, e = _split(x)
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    p = _polynomial(z, *(LOG_DOUBLE if x.double else LOG_SINGLE))
    return x.of_integers(e) * LOG_TWO + (s + s) * (p * z + 1.0)


class _Product:
    """Logarithms of many numbers at the price of one: their mantissas are multiplied, their exponents added.

    Up to 250 mantissas cannot leave the range of float32, being at most a factor √2 from 1.
    """

    def __init__(self, like):
        self.like, self.builder = like, like.builder
        full = like.integers(32)[1]
        self.mantissa = cgutils.alloca_once_value(self.builder, like.full(1.0).value)
        self.exponent = cgutils.alloca_once_value(self.builder, full(0))

    def times(self, x):
        """Take positive normal numbers along."""
        m, e = _split(x)
        self.builder.store((self._mantissa() * m).value, self.mantissa)
        self.builder.store(self.builder.add(self.builder.load(self.exponent), e), self.exponent)

    def log(self):
        """Return the sum of the logarithms."""
        return self.like.of_integers(self.builder.load(self.exponent)) * LOG_TWO + _log(self._mantissa())

    def _mantissa(self):
        return self.like._with(self.builder.load(self.mantissa))


def _exp(x):
    """Return e^x, x held to where the result is a normal number."""
    builder = x.builder
    least, most, high, low = (-708.0, 709.0, 0.6931471803691238, 1.9082149292705877e-10)
    if not x.double:
        least, most, high, low = (-87.0, 88.0, 0.693359375, -2.12194440e-4)
    v = x.where(">", least, least)
    v = v.where("<", most, most)
    n = (v * 1.4426950408889634 + 0.5).called("floor")
    z = (v - n * high) - n * low
    p = _polynomial(z, *(1.0 / factorial(k) for k in range(13 if x.double else 7, -1, -1)))
    kind, full = x.integers(32)
    whole = builder.fptosi(n.value, kind)
    if x.double:
        kind, full = x.integers(64)
        whole = builder.sext(whole, kind)
    scale = builder.shl(builder.add(whole, full(1023 if x.double else 127)), full(52 if x.double else 23))
    return p * x._with(builder.bitcast(scale, x.type))


def _by_exp(x, exponent, number):
    """Return powers of positive normal numbers."""
    return _exp(_log(x) * number)


def _by_root(x, exponent, number):
    """Return powers by a root and products, the exponent being a multiple of ½ from −2 to 2."""
    builder, one = x.builder, x.full(1.0)
    at = lambda value: ir.Constant(exponent.type, value)  # noqa: E731
    negative = builder.fcmp_ordered("<", exponent, at(0.0))
    size = builder.select(negative, builder.fsub(at(0.0), exponent), exponent)
    whole = builder.fptosi(size, ir.IntType(32))
    odd = builder.fcmp_ordered("!=", builder.sitofp(whole, exponent.type), size)
    v = x.called("sqrt").chosen(odd, one)
    v = (v * x).chosen(builder.icmp_signed(">=", whole, whole.type(1)), v)
    v = (v * x).chosen(builder.icmp_signed("==", whole, whole.type(2)), v)
    return (one / v).chosen(negative, v)


@njit(nogil=True, cache=True, error_model="numpy")
def has_root(exponent):
    """Tell whether a power is a multiple of ½ from −2 to 2."""
    halves = abs(2.0 * exponent)
    return halves <= 4.0 and halves == np.floor(halves)


def _quotients(x, v, powers):
    """Return, for β = 1, x/y, what pulls down, how to get the divergence, and nothing."""
    q = x / v
    return q, None, lambda: x * _log(q.where(">", 0.0, 1.0)) + (v - x), None


def _double_quotients(x, v, powers):
    """The same for β = 0, and the ratio whose logarithm is in the divergence."""
    down = v.full(1.0) / v
    q = x * down
    r = q.where(">", 0.0, 1.0)
    return q * down, down, lambda: (r - _log(r)) - 1.0, r


def _powers(power):
    def pulls(x, v, powers):
        """The same for other β; x^β / (β (β − 1)) is left out."""
        exponent, own, cross = powers
        p = power(v, *exponent)
        down = v * p
        return x * p, down, lambda: down * (v * own - x * cross), None

    return pulls


def _loop(builder, start, stop, step):
    return cgutils.for_range_slice(builder, start, stop, step, start.type)


def _cells(pulls, Y, D, X, weights, acc, numbers):
    """Return an intrinsic for a row of cells; arguments as for `row_of_quotients`."""
    real = Y.dtype
    lanes = REGISTER // (4 if real == types.float32 else 8)
    signature = types.void(Y, D, X, weights, acc, numbers, types.boolean, types.boolean, *(types.intp,) * 4)

    def generate(context, builder, signature, values):
        code = _Cells(context, builder, signature, values, real, lanes)
        wide = _Code(context, builder, signature, values, types.float64, lanes)
        y, d, x, w, a, given = (code.data(i) for i in range(6))
        masked, counts, i, row, column, count = values[6:]
        (_, long_Y), (_, long_D), (_, long) = (code.shape(k) for k in range(3))
        y_at, d_at = builder.mul(i, long_Y), builder.mul(i, long_D)
        x_at = builder.add(builder.mul(row, long), column)
        floor, exponent, own, cross = (_Vector(builder, code.number(given, i.type(k))) for k in range(4))
        powers = (builder.load(builder.gep(given, [i.type(1)])), exponent), own, cross
        ones, total = _Vector(builder, floor.full(1.0).value), code.sum()
        weight, logs = cgutils.alloca_once_value(builder, ones.value), _Product(ones)

        def emit(place, known=None):
            v = _Vector(builder, code.load(y, y_at, place))
            v = floor.chosen(builder.fcmp_ordered("<", v.value, floor.value), v)
            cells = _Vector(builder, code.load_known(x, known, x_at, place))
            with builder.if_then(masked):
                builder.store(code.load_known(w, known, x_at, place), weight)
            factor = _Vector(builder, builder.load(weight))
            up, down, divergence, ratio = pulls(cells, v, powers)
            code.store((up * factor).value, y, y_at, place)
            if down is None:
                with builder.if_then(masked):
                    code.store(factor.value, d, d_at, place)
            else:
                code.store((down * factor).value, d, d_at, place)
            apiece = counts
            if ratio is not None:  # without weights, logarithms may wait for the end of the row
                apiece = builder.and_(counts, masked)
                with builder.if_then(builder.and_(counts, builder.not_(masked))):
                    code.add((ratio - 1.0).value, total)
                    logs.times(ratio)
            with builder.if_then(apiece):
                term = divergence() * factor
                code.add((term if known is None else term.chosen(known, 0.0)).value, total)
            return ratio is not None

        step = i.type(lanes)
        whole = builder.mul(builder.sdiv(count, step), step)
        with _loop(builder, i.type(0), whole, step) as (place, _):
            emit(place)
        with builder.if_then(builder.icmp_signed("<", whole, count)):
            left = builder.trunc(builder.sub(count, whole), ir.IntType(32))
            delayed = emit(whole, builder.icmp_signed("<", _numbers(*range(lanes)), code.filled(left)))
        sums = _Vector(builder, builder.load(total))
        sums = (sums - logs.log() if delayed else sums).value
        sums = sums if real == types.float64 else builder.fpext(sums, wide.vector)
        wide.store(builder.fadd(wide.load(a, i.type(0)), sums), a, i.type(0))
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def row_of_quotients(typing_context, Y, D, X, weights, acc, numbers, masked, counts, i, row, column, count):
    """Do what `weigh` does to row i of Y for β = 1."""
    return _cells(_quotients, Y, D, X, weights, acc, numbers)


@intrinsic
def row_of_double_quotients(typing_context, Y, D, X, weights, acc, numbers, masked, counts, i, row, column, count):
    """Do the same for β = 0."""
    return _cells(_double_quotients, Y, D, X, weights, acc, numbers)


@intrinsic
def row_of_roots(typing_context, Y, D, X, weights, acc, numbers, masked, counts, i, row, column, count):
    """Do the same where a root gives the power."""
    return _cells(_powers(_by_root), Y, D, X, weights, acc, numbers)


@intrinsic
def row_of_powers(typing_context, Y, D, X, weights, acc, numbers, masked, counts, i, row, column, count):
    """Do the same for any β."""
    return _cells(_powers(_by_exp), Y, D, X, weights, acc, numbers)


@njit(nogil=True, cache=True, error_model="numpy")
def weigh(Y, D, X, weights, masked, beta, numbers, row, rows, column, count, acc, counts):
    """Turn Y = (WH) of some rows and columns of X into what pulls up, w x y^(β−2), followed by zeros up to a whole vector.

    What pulls down, w y^(β−1), is written to D unless it is 1 everywhere. With ``counts`` the divergences are added to
    `acc`, those of a row in lanes first; for β other than 0 and 1 without w x^β / (β (β − 1)).

    ``numbers``: floor, β − 2, 1/β, 1/(β − 1).
    """
    rooted = has_root(beta - 2.0)
    for i in range(rows):
        if beta == 1.0:
            row_of_quotients(Y, D, X, weights, acc, numbers, masked, counts, i, row + i, column, count)
        elif beta == 0.0:
            row_of_double_quotients(Y, D, X, weights, acc, numbers, masked, counts, i, row + i, column, count)
        elif rooted:
            row_of_roots(Y, D, X, weights, acc, numbers, masked, counts, i, row + i, column, count)
        else:
            row_of_powers(Y, D, X, weights, acc, numbers, masked, counts, i, row + i, column, count)


def _each(formula, x, out):
    """Return an intrinsic ``f(x, out, number, count)`` that writes what a formula gives, whole vectors at a time."""
    real = x.dtype
    lanes = REGISTER // (4 if real == types.float32 else 8)
    signature = types.void(x, out, real, types.intp)

    def generate(context, builder, signature, values):
        code = _Cells(context, builder, signature, values, real, lanes)
        source, into, (number, count) = code.data(0), code.data(1), values[2:]
        full = _Vector(builder, code.filled(number))
        with _loop(builder, count.type(0), count, count.type(lanes)) as (place, _):
            code.store(formula(_Vector(builder, code.load(source, place)), number, full).value, into, place)
        return context.get_dummy_value()

    return signature, generate


def _raised(power):
    def formula(x, exponent, number):
        """Return powers; what is no normal number becomes 0."""
        least = 2.2250738585072014e-308 if x.double else 1.1754943508222875e-38
        return power(x.where(">=", least, 1.0), exponent, number).chosen(
            x.builder.fcmp_ordered(">=", x.value, x.full(least).value), 0.0
        )

    return formula


@intrinsic
def write_logs(typing_context, x, out, number, count):
    """Write logarithms."""
    return _each(lambda x, exponent, number: _log(x), x, out)


@intrinsic
def write_roots(typing_context, x, out, number, count):
    """Write powers by a root."""
    return _each(_raised(_by_root), x, out)


@intrinsic
def write_powers(typing_context, x, out, number, count):
    """Write powers."""
    return _each(_raised(_by_exp), x, out)


@njit(nogil=True, cache=True, error_model="numpy")
def log_of(x, out, count):
    """Write the logarithms of positive normal numbers, whole vectors of them."""
    write_logs(x, out, x.dtype.type(1), count)


@njit(nogil=True, cache=True, error_model="numpy")
def raised(q, gamma, count):
    """Raise ratios to the power γ in place, whole vectors of them."""
    if has_root(gamma):
        write_roots(q, q, q.dtype.type(gamma), count)
    else:
        write_powers(q, q, q.dtype.type(gamma), count)
