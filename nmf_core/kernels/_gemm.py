# mypy: ignore-errors
# (compiled by Numba, whose types are not those of Python)
"""BLAS matrix products inside compiled code: ``gemm`` for float32 and float64, without the GIL.

The library call is :mod:`nmf_core.kernels.blas`'s, made known to the compiler under a name of our own, so that compiled
code can be cached. Where NumPy has no such call, a small compiled function of the same name passes it on to the helper
behind Numba's ``np.dot``. Importing this module imports Numba.
"""

from __future__ import annotations

import llvmlite.binding as llvm
import numpy as np
from numba import cfunc, types
from numba.extending import intrinsic, overload

from nmf_core.kernels.blas import COLUMN_MAJOR, PLAIN, TRANSPOSED, addresses

_int, _long = types.int32, types.int64


def _signature(real):
    p = types.CPointer(real)
    return types.void(_int, _int, _int, _long, _long, _long, real, p, _long, p, _long, real, p, _long)


def _through_numba(real):
    """Return a function of CBLAS's signature that calls the helper of ``np.dot``."""
    p = types.CPointer(real)
    index, char = types.intp, types.char
    helper = types.ExternalFunction(
        "numba_xxgemm",
        types.intc(char, char, char, index, index, index, p, p, index, p, index, p, p, index),
    )
    kind = np.uint8(ord("d" if real == types.float64 else "s"))
    dtype = np.float64 if real == types.float64 else np.float32
    t, n_ = np.uint8(ord("t")), np.uint8(ord("n"))

    def call(order, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc):
        numbers = np.empty(2, dtype)
        numbers[0], numbers[1] = alpha, beta
        helper(
            kind, t if ta == TRANSPOSED else n_, t if tb == TRANSPOSED else n_, m, n, k,
            numbers.ctypes, a, lda, b, ldb, numbers[1:].ctypes, c, ldc,
        )  # fmt: skip

    return cfunc(_signature(real))(call)


def _register():
    found = addresses()
    if found is None:
        from numba.np.linalg import ensure_blas

        ensure_blas()
        _kept.extend(_through_numba(real) for real in (types.float32, types.float64))
        found = tuple(shim.address for shim in _kept)
    for name, address in zip(("nmf_explorer_sgemm", "nmf_explorer_dgemm"), found, strict=True):
        llvm.add_symbol(name, address)


_kept: list = []
_register()
_sgemm = types.ExternalFunction("nmf_explorer_sgemm", _signature(types.float32))
_dgemm = types.ExternalFunction("nmf_explorer_dgemm", _signature(types.float64))


def gemm(ta, tb, m, n, k, a, lda, b, ldb, beta, c, ldc):
    """C ← op(A)·op(B) + beta·C in BLAS terms: column-major, ``ta``/``tb`` true for transposed operands.

    ``a``, ``b`` and ``c`` are arrays that start at the first element used.
    """
    raise NotImplementedError("compiled code only")


@overload(gemm)
def _gemm(ta, tb, m, n, k, a, lda, b, ldb, beta, c, ldc):
    if a.dtype == types.float32:

        def single(ta, tb, m, n, k, a, lda, b, ldb, beta, c, ldc):
            _sgemm(
                COLUMN_MAJOR, TRANSPOSED if ta else PLAIN, TRANSPOSED if tb else PLAIN, m, n, k,
                np.float32(1), a.ctypes, lda, b.ctypes, ldb, np.float32(beta), c.ctypes, ldc,
            )  # fmt: skip

        return single

    def double(ta, tb, m, n, k, a, lda, b, ldb, beta, c, ldc):
        _dgemm(
            COLUMN_MAJOR, TRANSPOSED if ta else PLAIN, TRANSPOSED if tb else PLAIN, m, n, k,
            1.0, a.ctypes, lda, b.ctypes, ldb, beta, c.ctypes, ldc,
        )  # fmt: skip

    return double


@intrinsic
def apart(typing_context):
    """Keep the function this is called in from being copied into its callers: compiling them takes half the time."""

    def code(context, builder, signature, arguments):
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.none(), code
