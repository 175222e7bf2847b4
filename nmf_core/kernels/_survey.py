# mypy: ignore-errors
# (compiled by Numba, whose types are not those of Python)
"""One look at all of X (Numba); the NumPy twin is `survey` of :mod:`nmf_core.kernels.twins`."""

from __future__ import annotations

import numpy as np
from numba import njit, types

from nmf_core.kernels.abreast import SURVEYED


@njit(nogil=True, cache=True, error_model="numpy")
def survey(x):
    """Return the smallest and the largest of some numbers, their sum and that of their squares in double precision.

    Sums run side by side, SURVEYED of them, and are added up in their order. NaN shows in the sums alone.
    """
    sums, squares = np.zeros(SURVEYED), np.zeros(SURVEYED)
    low, high = np.full(SURVEYED, x[0]), np.full(SURVEYED, x[0])
    for start in range(0, x.size, SURVEYED):
        part = x[start : start + SURVEYED]
        for i in range(part.size):
            v = part[i]
            w = np.float64(v)
            sums[i] += w
            squares[i] += w * w
            low[i] = v if v < low[i] else low[i]
            high[i] = v if v > high[i] else high[i]
    total, square = 0.0, 0.0
    for i in range(SURVEYED):
        total += sums[i]
        square += squares[i]
    return np.float64(low.min()), np.float64(high.max()), total, square


def signatures(dtype) -> dict[str, tuple]:
    """Return the one signature each function is compiled for."""
    t = types.float64 if dtype == np.float64 else types.float32
    return {"survey": (types.Array(t, 1, "C", readonly=True),)}
