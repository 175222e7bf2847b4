"""Dense X for E-A-HALS: one pass over X per iteration.

Per block of rows (columns, if X is wide): the product with the kept factor, coordinate passes on the block of the
streamed factor, its push, and both sums that the other factor needs, all while the block is in the cache. The streamed
factor A is the one along the longer side of X: Wᵀ for tall X, H for wide X.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nmf_core import kernels
from nmf_core.kernels import threads, twins
from nmf_core.kernels.abreast import LAID, LIBRARY, REGISTER, ROWS
from nmf_core.kernels.hals import Point, Rule, Settings
from nmf_core.types import Array

# Below this number of multiplications per product an iteration runs in one part, whole loop compiled.
SMALL_WORK = 8e6
# Up to this many cells X is kept in a second form for our own products; above, each block is brought into it anew.
HELD_CELLS = 1_000_000
# Rows and columns together up to which many fits are started on one thread, and only their loops run on several.
TINY_SIDES = 1000
# Parts of the longer side are cut at multiples of this.
LINES = 16
# Bytes of a block of X and its factors: they stay in the second-level cache between their uses.
BLOCK_BYTES = 1 << 19


def is_wide(shape: tuple[int, int]) -> bool:
    """Tell whether the columns are streamed instead of the rows."""
    return shape[0] < shape[1]


def is_small(shape: tuple[int, int], rank: int) -> bool:
    """Tell whether an iteration runs in one part, the whole loop compiled."""
    return float(shape[0]) * shape[1] * rank < SMALL_WORK


def is_tiny(shape: tuple[int, int]) -> bool:
    """Tell whether the interpreter takes longer to start a fit than to draw its start: threads would fight over its lock."""
    return sum(shape) <= TINY_SIDES


def holds(shape: tuple[int, int], rank: int) -> bool:
    """Tell whether X is kept in a second form, laid out once for all iterations."""
    return shape[0] * shape[1] <= HELD_CELLS and is_small(shape, rank)


def form_of(shape: tuple[int, int], rank: int, itemsize: int) -> int:
    """Return how X is multiplied: LIBRARY, LAID or ROWS."""
    if not kernels.enabled() and not is_small(shape, rank):
        return LIBRARY
    short = shape[1] * itemsize < 4 * REGISTER  # so few vectors in a row that adding up their lanes would cost more
    return LAID if is_wide(shape) or holds(shape, rank) or short else ROWS


def block_of(shape: tuple[int, int], rank: int, itemsize: int) -> int:
    """Return how many columns of the streamed factor are updated at a time."""
    least = 4 * REGISTER // itemsize
    return max(least, min(512, BLOCK_BYTES // ((min(shape) + 2 * rank) * itemsize) // least * least))


def parts_of(shape: tuple[int, int], rank: int) -> list[tuple[int, int]]:
    """Cut the longer side for threads. Depends on the shape alone, so that the bits do, too."""
    N = max(shape)
    if is_small(shape, rank):
        return [(0, N)]
    count = max(2, min(8, N // max(512, 32 * rank)))
    step = -(-N // count // LINES) * LINES
    return [(s, min(s + step, N)) for s in range(0, N, step)]


class DenseSystem:
    """X of shape (n_samples, n_features), C order, float32 or float64; `held` is it in one panel, or an empty array."""

    def __init__(self, X: Array, rank: int, squares: float, held: Array) -> None:
        self.X, self.squares, self.dtype, self.held = X, squares, X.dtype, held
        self.wide, self.form = is_wide(X.shape), form_of(X.shape, rank, X.itemsize)
        self.block = block_of(X.shape, rank, X.itemsize)
        self.parts = parts_of(X.shape, rank)
        self.work = float(X.size) * rank
        self._free: list[Array] = []  # room to work in that no thread uses now, kept from iteration to iteration

    def stream(
        self, point: Point, far: Array, G: Array, settings: Settings, patience: float
    ) -> tuple[Array, Array, Array]:
        """Update A in one pass over X, parts in parallel, and add up what they gathered in their order."""
        rank, M = point.B.shape
        stream: Callable[..., None] = kernels.get("dense", "stream", self.dtype, patience) or twins.stream
        l1, l2, push = (np.full(1, value, self.dtype) for value in (settings.l1_A, settings.l2_A, point.used))
        products = [np.empty((rank, M), self.dtype) for _ in self.parts]
        grams = [np.empty((rank, rank), self.dtype) for _ in self.parts]
        sums = [np.empty(rank) for _ in self.parts]
        fixed = (
            self.X, self.wide, self.form, self.block, self.held, point.A, point.near, far, point.B_far, G, l1, l2, push,
            settings.passes,
        )  # fmt: skip
        out = zip(self.parts, products, grams, sums, strict=True)
        new = kernels.get("dense", "space_for", self.dtype)

        def update(*arguments: Any) -> None:
            if self._free:
                space = self._free.pop()
            elif new is None:
                space = np.empty(0, self.dtype)
            else:
                space = new(rank, M, self.block, self.form, self.held)
            stream(*arguments, space)
            if space.size:
                self._free.append(space)

        threads.run(update, [(*fixed, *part, *into) for part, *into in out])
        for i in range(1, len(self.parts)):
            products[0] += products[i]
            grams[0] += grams[i]
            sums[0] += sums[i]
        return products[0], grams[0], sums[0]

    def terms(self, A: Array, B: Array) -> tuple[float, float]:
        """Return ⟨X, WH⟩ and ‖WH‖²: an iteration without passes leaves what they are made of."""
        G, point = np.empty((len(B), len(B)), B.dtype), Point(A, A.copy(), B, B, 0.0, 0.0, 0.0, 0.0)
        outer_gram, inner = (
            kernels.get("dense", name, B.dtype) or getattr(twins, name) for name in ("outer_gram", "inner")
        )
        outer_gram(B, G)
        product, gram, _ = self.stream(point, np.empty_like(A), G, Settings(passes=0), 0.0)
        return float(inner(product, B)), float(inner(gram, G))

    def residual(self, A: Array, B: Array) -> float:
        """Return Σ(X − WH)², parts in parallel."""
        residual = kernels.get("dense", "residual", self.dtype) or twins.residual
        return float(sum(threads.run(residual, [(self.X, self.wide, A, B, *part) for part in self.parts])))

    def whole(
        self, point: Point, settings: Settings, count: int, patience: float, rule: Rule | None = None
    ) -> list[float] | None:
        """Make all iterations of a small problem in one compiled call; with a rule, only until that ends them."""
        whole = kernels.get("dense", "whole_loop", self.dtype, patience) if len(self.parts) == 1 else None
        if whole is None:
            return None
        numbers = np.array([point.momentum, point.limit, point.used, point.loss])
        losses = np.empty(count + 1)
        losses[0] = point.loss
        stop = (0, 0.0, 0.0, False, -1.0) if rule is None else (rule.every, rule.tol, *rule.levels)
        point.A, done = whole(
            self.X, self.wide, self.form, self.block, self.held, point.A, point.near, point.B, point.B_far,
            numbers, penalties(settings), limits(settings), settings.passes, settings.passes_B, count, losses,
            self.squares, *stop,
        )  # fmt: skip
        point.momentum, point.limit, point.used, point.loss = numbers.tolist()
        return losses[1 : done + 1].tolist()

    def whole_many(
        self, points: Sequence[Point], settings: Settings, count: int, rules: Sequence[Rule]
    ) -> list[list[float]]:
        """Do for many fits of one rank what `whole` does for one, with kernels loaded; rules differ in `first` alone."""
        whole = kernels.get("dense", "whole_many", self.dtype)
        assert whole is not None
        A, near, B, B_far = (
            np.array([getattr(point, name) for point in points]) for name in ("A", "near", "B", "B_far")
        )
        numbers = np.array([[point.momentum, point.limit, point.used, point.loss] for point in points])
        losses, done, rule = np.empty((len(points), count + 1)), np.empty(len(points), np.intp), rules[0]
        losses[:, 0] = numbers[:, 3]
        fixed = (
            self.X, self.wide, self.form, self.block, self.held, A, near, B, B_far, numbers, penalties(settings), limits(settings),
            settings.passes, settings.passes_B, count, losses, self.squares, rule.every, rule.tol,
            np.array([rule.first for rule in rules]), rule.open_first, rule.exact, done,
        )  # fmt: skip
        step = -(-len(points) // (4 * threads.limit())) if is_tiny(self.X.shape) else len(points)
        threads.run(whole, [(*fixed, i, min(i + step, len(points))) for i in range(0, len(points), step)])
        for i, point in enumerate(points):
            point.A, point.near, point.B, point.B_far = A[i].copy(), near[i].copy(), B[i].copy(), B_far[i].copy()
            point.momentum, point.limit, point.used, point.loss = numbers[i].tolist()
        return [row[1 : n + 1].tolist() for row, n in zip(losses, done.tolist(), strict=True)]


def laid_out(X: Array) -> Array:
    """Return X in one panel for products of our own: its longer side along rows that begin and end with a vector.

    Where kernels are not loaded it is an empty array: their twins take X as it lies.
    """
    kernel = kernels.get("dense", "laid_out", X.dtype)
    return np.empty((0, 0), X.dtype) if kernel is None else kernel(X, is_wide(X.shape))


def penalties(settings: Settings) -> Array:
    """Return the penalties as the compiled loop takes them."""
    return np.array([settings.l1_A, settings.l2_A, settings.l1_B, settings.l2_B])


def limits(settings: Settings) -> Array:
    """Return growth, its limit, cut and share of ΣX² as the compiled loop takes them."""
    return np.array([settings.grow, settings.grow_limit, settings.cut, settings.gram_share])
