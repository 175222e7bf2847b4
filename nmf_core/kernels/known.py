"""E-A-HALS on known cells: missing cells and weights for the Frobenius loss, and the NumPy twin of its kernel.

Without all cells there is no Gram matrix that rows could share, so each row makes its coordinate passes on the residual
of its own cells, gathered once per half iteration. The residual left at the end is the loss, at no extra pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nmf_core import kernels
from nmf_core.kernels import threads, twins
from nmf_core.kernels.abreast import Abreast
from nmf_core.kernels.hals import Point, Settings, settle
from nmf_core.kernels.sparse import parts_of, short_indices
from nmf_core.types import Array


def descend(
    indptr: Array, indices: Array, data: Array, roots: Array, weighted: bool, rank: int, F: Array, other: Array,
    near: Array, far: Array, numbers: Array, passes: int, start: int, stop: int, squares: Array,
) -> None:  # fmt: skip
    """Minimize Σ ω (x − ⟨f, other⟩)² over each row f of F from start to stop, all rows abreast."""
    l1, l2, push = numbers
    rows, cells = Abreast(indptr[start : stop + 1], F.dtype), slice(indptr[start], indptr[stop])
    root = roots[cells] if weighted else None
    columns = [other[indices[cells], k] for k in range(rank)]
    H = [rows.spread(h if root is None else h * root) for h in columns]
    r = rows.spread(data[cells] if root is None else data[cells] * root)
    W = F[start:stop].copy()
    bend = [rows.sums(h * h) for h in H]
    for k, h in enumerate(H):
        r = r - W[rows.row, k] * h
    for _ in range(passes):
        for k, h in enumerate(H):
            w, c = W[:, k], bend[k] + l2
            slope = rows.sums(r * h) - l1
            slope = slope - l2 * w
            new = w + np.divide(slope, c, out=np.zeros_like(w), where=c > 0)
            new = np.where(c > 0, np.maximum(new, 0), w * (l1 <= 0))
            step = np.where(c > 0, new - w, F.dtype.type(0))
            W[:, k] = new
            r = np.where(step[rows.row] != 0, r - step[rows.row] * h, r)
    pushed = W + (W - near[start:stop]) * push
    near[start:stop] = W
    far[start:stop] = np.maximum(pushed, 0)
    r = r.astype(np.float64)
    squares[start:stop] = rows.sums(r * r)


class KnownCells:
    """The known cells of X by row and by column, with the square roots of their weights.

    Parameters
    ----------
    X, Xt : scipy.sparse.csr_array
        Known cells as stored cells, zeros among them, of shape (n_samples, n_features); and its transpose.
    roots : tuple of ndarray or None
        Square roots of the weights of the stored cells of X and of Xt; None: all 1.
    """

    def __init__(self, X: Any, Xt: Any, roots: tuple[Array, Array] | None) -> None:
        self.halves, self.roots, self.dtype = (short_indices(X), short_indices(Xt)), roots, X.dtype
        self.work = float(X.nnz)

    def half(
        self, side: int, rank: int, F: Array, other: Array, near: Array, l1: float, l2: float, push: float, passes: int
    ) -> tuple[Array, float]:
        """Update W (side 0) or H (side 1), as padded rows; write the new rows to `near`.

        Returns the pushed rows, and the sum of squares at the new ones.
        """
        X = self.halves[side]
        kernel = kernels.get("known", "descend", self.dtype, kernels.patience(self.work * rank)) or descend
        numbers = np.array([l1, l2, push], self.dtype)
        far, squares = np.zeros_like(F), np.empty(len(F))
        roots = X.data if self.roots is None else self.roots[side]
        fixed = (X.indptr, X.indices, X.data, roots, self.roots is not None, rank, F, other, near, far, numbers, passes)
        threads.run(kernel, [(*fixed, *part, squares) for part in parts_of(len(F))])
        return far, twins.total(squares)


def run(
    cells: KnownCells,
    point: Point,
    settings: Settings,
    rank: int,
    count: int,
    penalty: Callable[[Array, Array], float],
    *,
    update_B: bool = True,
) -> list[float]:
    """Make `count` iterations in place and return the objective after each.

    Parameters
    ----------
    cells : KnownCells
    point : Point
        A, near of shape (n_samples, width) and B, B_far of shape (n_features, width), padded; overwritten.
    settings : Settings
    rank, count : int
    penalty : callable
        ``penalty(A, B)``.
    update_B : bool
        False: only A is sought, without a push.
    """
    losses = []
    with threads.one_blas_thread():
        for _ in range(count):
            value, far, B = _iterate(cells, point, settings, rank, update_B)
            value = 0.5 * value + penalty(far, B)
            if update_B:
                settle(point, settings, far, B, value)
            else:
                point.A, point.loss = far, value
            losses.append(point.loss)
    return losses


def _iterate(
    cells: KnownCells, point: Point, settings: Settings, rank: int, update_B: bool
) -> tuple[float, Array, Array]:
    l1, l2, passes = settings.l1_A, settings.l2_A, settings.passes
    if not update_B:
        far, squares = cells.half(0, rank, point.A, point.B, point.near, l1, l2, 0.0, passes)
        return squares, far, point.B
    far, _ = cells.half(0, rank, point.A, point.B_far, point.near, l1, l2, point.used, passes)
    l1, l2 = settings.l1_B, settings.l2_B
    B, squares = cells.half(1, rank, point.B_far, far, np.zeros_like(point.B), l1, l2, 0.0, passes)
    return squares, far, B
