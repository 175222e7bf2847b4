"""The matrix product of NumPy's own BLAS library, called directly: blocks of matrices, sums on top of a result.

Compiled kernels and their NumPy twins make the very same calls, so they give the same bits. NumPy's library is taken
because it is loaded anyway, and because the one in SciPy is often older. Where NumPy was not built with a 64-bit CBLAS
(then :func:`addresses` is None), both go through SciPy instead.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np

from nmf_core.types import Array

ROW_MAJOR, COLUMN_MAJOR, PLAIN, TRANSPOSED = 101, 102, 111, 112
_NAMES = ("scipy_cblas_{}gemm64_", "cblas_{}gemm64_")


@cache
def addresses() -> tuple[int, int] | None:
    """Return where ``cblas_sgemm`` and ``cblas_dgemm`` with 64-bit integers lie in NumPy's BLAS, or None."""
    try:
        from numpy._core import _multiarray_umath  # type: ignore[attr-defined]

        library = ctypes.CDLL(_multiarray_umath.__file__)
    except (ImportError, OSError):
        return None
    for name in _NAMES:
        try:
            s, d = (getattr(library, name.format(kind)) for kind in "sd")
        except AttributeError:
            continue
        return ctypes.cast(s, ctypes.c_void_p).value or 0, ctypes.cast(d, ctypes.c_void_p).value or 0
    return None


@cache
def _gemm(double: bool) -> Any:
    found = addresses()
    if found is None:
        return None
    real = ctypes.c_double if double else ctypes.c_float
    i, n, p = ctypes.c_int, ctypes.c_int64, ctypes.c_void_p
    return ctypes.CFUNCTYPE(None, i, i, i, n, n, n, real, p, n, p, n, real, p, n)(found[1 if double else 0])


def product(A: Array, B: Array, C: Array | None = None) -> Array:
    """Return AB, or C + AB with C overwritten.

    Parameters
    ----------
    A, B : ndarray
        Of one dtype, float32 or float64; rows or columns contiguous (slices and transposes of C-ordered arrays are).
    C : ndarray, optional
        C order.
    """
    m, k = A.shape
    n = B.shape[1]
    out = np.empty((m, n), A.dtype) if C is None else C
    beta = 0.0 if C is None else 1.0
    gemm = _gemm(A.dtype == np.float64)
    (left, ta, lda), (right, tb, ldb) = _operand(A), _operand(B)
    if gemm is None:
        from scipy.linalg.blas import dgemm, sgemm

        call = dgemm if A.dtype == np.float64 else sgemm
        out[...] = call(1.0, right.T, left.T, beta=beta, c=out.T, trans_a=tb, trans_b=ta).T
        return out
    # Row-major C = AB is column-major Cᵀ = BᵀAᵀ: the form the compiled kernels use.
    gemm(
        COLUMN_MAJOR, TRANSPOSED if tb else PLAIN, TRANSPOSED if ta else PLAIN, n, m, k,
        1.0, right.ctypes.data, ldb, left.ctypes.data, lda, beta, out.ctypes.data, max(n, 1),
    )  # fmt: skip
    return out


def _operand(A: Array) -> tuple[Array, int, int]:
    """Return an array with contiguous rows, whether A is its transpose, and the length of its rows in memory."""
    size = A.itemsize
    if A.strides[1] == size and (A.strides[0] % size == 0 and A.strides[0] >= A.shape[1] * size):
        return A, 0, A.strides[0] // size
    if A.strides[0] == size and (A.strides[1] % size == 0 and A.strides[1] >= A.shape[0] * size):
        return A.T, 1, A.strides[1] // size
    A = np.ascontiguousarray(A)
    return A, 0, max(A.shape[1], 1)
