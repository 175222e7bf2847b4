"""E-A-HALS, one iteration after another: the loop around the compiled passes, for dense and for sparse X.

Per iteration: products with X and coordinate passes on the streamed factor A with its push (:mod:`.dense` or
:mod:`.sparse`), passes on the kept factor B, the loss from Gram matrices, and the verdict on the push
(Gillis & Glineur 2012; Ang & Gillis 2019). Both factors are held as rows of components.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from nmf_core import kernels
from nmf_core.kernels import threads, twins
from nmf_core.types import Array

# Above this many multiplications in one call it pays to wait for kernels that only need loading from the cache.
PATIENT_WORK = 3e8
# Below this, no BLAS library starts threads anyway.
LIGHT_WORK = 2e5


@dataclass(slots=True)
class Point:
    """Where E-A-HALS stands between two iterations; arrays are overwritten by :func:`run`.

    Attributes
    ----------
    A, near : ndarray of shape (rank, N)
        The pushed point and the one it was pushed from.
    B, B_far : ndarray of shape (rank, M)
        The last point and where the next iteration takes off.
    momentum, limit, used, loss : float
        Push to use next, its present limit, the push in use, and the objective at (A, B).
    """

    A: Array
    near: Array
    B: Array
    B_far: Array
    momentum: float
    limit: float
    used: float
    loss: float


@dataclass(frozen=True, slots=True)
class Settings:
    """What stays the same over a run: penalties on A and B, passes over each, growth of the push, where the Gram form ends."""

    l1_A: float = 0.0
    l2_A: float = 0.0
    l1_B: float = 0.0
    l2_B: float = 0.0
    passes: int = 3
    passes_B: int = 3
    grow: float = 1.01
    grow_limit: float = 1.005
    cut: float = 1.5
    gram_share: float = 1e-9


@dataclass(frozen=True, slots=True)
class Rule:
    """When a compiled whole loop ends by itself.

    Attributes
    ----------
    every : int
        Iterations between looks.
    tol, first : float
        It ends where the error √(2·loss) fell by less than tol · first since the last look.
    open_first : bool
        Lower `first` to the error at the first look, if that is smaller.
    exact : float
        Error at which a fit counts as exact; negative: none.
    """

    every: int
    tol: float
    first: float
    open_first: bool
    exact: float

    @property
    def levels(self) -> tuple[float, bool, float]:
        """The last three."""
        return self.first, self.open_first, self.exact


class System(Protocol):
    """X as the loop sees it."""

    work: float  # multiplications per iteration
    squares: float  # ΣX²
    dtype: np.dtype

    def stream(
        self, point: Point, far: Array, G: Array, settings: Settings, patience: float
    ) -> tuple[Array, Array, Array]:
        """Update A: write the new point to ``point.near`` and the pushed one to `far`.

        Returns far · X (rank × M), far · farᵀ and, if l1_A is positive, the sums of far by component.
        """

    def residual(self, A: Array, B: Array) -> float:
        """Return Σ(X − WH)² from the residual itself."""

    def whole(
        self, point: Point, settings: Settings, count: int, patience: float, rule: Rule | None = None
    ) -> list[float] | None:
        """Make all iterations in one compiled call, if there is one for this problem; a rule may end them early."""


def run(system: System, point: Point, settings: Settings, count: int, rule: Rule | None = None) -> list[float]:
    """Make `count` iterations in place and return the objective after each.

    An iteration that would have raised the objective repeats the value before: it is taken back. With a rule, a compiled
    whole loop may end earlier, and where there is none, no more than ``rule.every`` iterations are made.

    Parameters
    ----------
    system : System
    point : Point
        Overwritten.
    settings : Settings
    count : int
    """
    work = system.work * count
    patience = 3.0 if work > PATIENT_WORK else 0.0
    with threads.one_blas_thread() if work > LIGHT_WORK else nullcontext():
        losses = system.whole(point, settings, count, patience, rule)
        if losses is not None:
            return losses
        spare = np.empty_like(point.A)
        losses = []
        for _ in range(count if rule is None else min(count, rule.every)):
            spare = _iterate(system, point, settings, spare, patience)
            losses.append(point.loss)
    return losses


def _iterate(system: System, point: Point, settings: Settings, far: Array, patience: float) -> Array:
    """Make one iteration; the new A is written into `far` and an array free for the next one is returned."""
    dtype = point.B.dtype
    rank = len(point.B)
    outer_gram = kernels.get("dense", "outer_gram", dtype, patience) or twins.outer_gram
    inner = kernels.get("dense", "inner", dtype, patience) or twins.inner
    G = np.empty((rank, rank), dtype)
    outer_gram(point.B_far, G)
    product, gram, sums = system.stream(point, far, G, settings, patience)
    B = swept(point.B_far, product, gram, settings, patience)
    outer_gram(B, G)
    value = 0.5 * ((system.squares - 2.0 * inner(product, B)) + inner(gram, G))
    if not value > 0.5 * settings.gram_share * system.squares and np.isfinite(value):
        value = 0.5 * system.residual(far, B)
    value += _penalty(settings, sums, gram, B, G)
    return settle(point, settings, far, B, value)


def settle(point: Point, settings: Settings, far: Array, B: Array, value: float) -> Array:
    """Take the new pair (far, B) with its objective and push B on, or go back to the last one if the objective rose.

    Returns the array that the next A may be written into.
    """
    if not value <= point.loss and point.used > 0:
        point.near[:] = point.A
        point.B_far[:] = point.B
        point.limit, point.momentum, point.used = point.momentum, point.momentum / settings.cut, 0.0
        return far
    if point.used > 0:
        point.momentum, point.limit = (
            min(point.limit, settings.grow * point.momentum),
            min(1.0, settings.grow_limit * point.limit),
        )
    point.used = point.momentum
    np.subtract(B, point.B, out=point.B_far)
    point.B_far *= B.dtype.type(point.momentum)
    point.B_far += B
    np.maximum(point.B_far, 0, out=point.B_far)
    point.B = B
    point.A, far = far, point.A
    point.loss = value
    return far


def swept(B_far: Array, product: Array, gram: Array, settings: Settings, patience: float) -> Array:
    """Return B after its passes; columns are independent of each other, so threads may share them in any way."""
    dtype = B_far.dtype
    rank, M = B_far.shape
    sweep = kernels.get("dense", "sweep", dtype, patience) or twins.sweep
    B = np.empty_like(B_far)
    off, inverse = twins.split_gram(gram, dtype.type(settings.l2_B))
    fixed = (B_far, product, np.full(1, settings.l1_B, dtype), off, inverse, settings.passes_B, B)
    parts = threads.limit() if rank * rank * M * settings.passes_B > 2e6 else 1
    step = -(-M // parts // 16) * 16 if parts > 1 else M
    threads.run(sweep, [(*fixed, s, min(s + step, M)) for s in range(0, M, step)])
    return B


def _penalty(settings: Settings, sums_A: Array, gram_A: Array, B: Array, gram_B: Array) -> float:
    value = 0.0
    if settings.l1_A > 0:
        value += settings.l1_A * twins.total(sums_A)
    if settings.l2_A > 0:
        value += 0.5 * settings.l2_A * twins.total(gram_A.diagonal().astype(np.float64))
    if settings.l1_B > 0:
        value += settings.l1_B * twins.total(np.cumsum(B, axis=1, dtype=np.float64)[:, -1])
    if settings.l2_B > 0:
        value += 0.5 * settings.l2_B * twins.total(gram_B.diagonal().astype(np.float64))
    return value
