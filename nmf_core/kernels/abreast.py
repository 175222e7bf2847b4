"""Numbers side by side in lanes: how NumPy twins repeat sums that kernels make there, and CSR rows padded to lanes."""

from __future__ import annotations

import numpy as np

from nmf_core.types import Array

LANES = 16
REGISTER = 64  # bytes of one vector in dense kernels; where the processor's are shorter, the compiler takes several
SURVEYED = 64  # running sums side by side where all of X is looked at once
# How X is multiplied: by the library where kernels cannot be had and their twins would be slow; by our own kernels with the
# longer side of X along the vectors, or with the shorter one.
LIBRARY, LAID, ROWS = 0, 1, 2


class Abreast:
    """The stored cells of some rows, each row padded to a multiple of LANES.

    Attributes
    ----------
    row : ndarray of int
        Row of each padded place.
    place : ndarray of int
        Padded place of each stored cell.
    size : int
        Number of padded places.
    """

    def __init__(self, indptr: Array, dtype: np.dtype) -> None:
        import scipy.sparse as sp

        at = (indptr - indptr[0]).astype(np.int64)
        stored = np.diff(at)
        padded = -(-stored // LANES) * LANES
        begin = np.concatenate([[0], np.cumsum(padded)])
        self.rows, self.size, self.at = len(stored), int(begin[-1]), at
        self.row = np.repeat(np.arange(self.rows), padded)
        self.place = np.repeat(begin[:-1] - at[:-1], stored) + np.arange(at[-1])
        # One row per row, one column per chunk of cells: SciPy adds chunks one after another.
        ones = np.ones(self.size // LANES, dtype)
        self._chunks = sp.csr_array((ones, np.arange(self.size // LANES), begin // LANES))
        self._chunks.resize((self.rows, max(self.size // LANES, 1)))

    def spread(self, values: Array, fill: float = 0.0) -> Array:
        """Return values of stored cells at their padded places."""
        out = np.full(self.size, fill, values.dtype)
        out[self.place] = values
        return out

    def sums(self, values: Array) -> Array:
        """Return the sum of each row, as the kernels' lanes give it."""
        chunks = self._chunks if self._chunks.dtype == values.dtype else self._chunks.astype(values.dtype)
        lanes = (chunks @ values.reshape(-1, LANES)).T if self.size else np.zeros((LANES, self.rows), values.dtype)
        return halved(lanes)


def halved(lanes: Array) -> Array:
    """Add up lanes along the first axis: each of the first half takes its partner of the second, and so on."""
    while len(lanes) > 1:
        lanes = lanes[: len(lanes) // 2] + lanes[len(lanes) // 2 :]
    return lanes[0]
