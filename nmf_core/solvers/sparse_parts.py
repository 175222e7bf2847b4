"""HALS with components that are at least so sparse: more local parts, without a penalty to tune."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from nmf_core.loss import from_gram, objective
from nmf_core.problem import Problem
from nmf_core.solvers.base import Solver, option
from nmf_core.solvers.coordinate import sweep
from nmf_core.types import Array, State


@dataclass(frozen=True)
class SparseParts(Solver):
    """Passes over W, then over the rows of H, each held to a smallest sparseness (Hoyer's measure).

    Every update is the exact minimum for one row with the others fixed, so the loss never rises. An L1 penalty alone
    does not do this: what it takes from H, a larger W gives back.
    """

    name: ClassVar[str] = "sparse_parts"
    label: ClassVar[str] = "HALS with sparse parts"
    help: ClassVar[str] = "Holds each component to a smallest sparseness, for more local parts; at 0 it is HALS."
    supports_penalty: ClassVar[bool] = False
    order: ClassVar[int] = 90
    REFERENCE: ClassVar[str] = (
        "P. O. Hoyer (2004), Non-negative matrix factorization with sparseness constraints, JMLR 5; with the exact "
        "projection of one row, after V. K. Potluru et al. (2013), Block coordinate descent for sparse NMF, ICLR"
    )

    sparseness: float = option(
        0.0, label="Sparseness", low=0.0, high=0.99, help="Of each component at least: 0 even grey, 1 a single pixel."
    )
    inner: int = option(2, label="Passes", low=1, high=100, help="Passes over a factor per product with X.")

    def init(self, problem: Problem, start: tuple[Array, Array], rng: Any) -> State:
        """Return the start with its components made sparse enough."""
        W, H = start
        if problem.update_H and self.sparseness > 0:
            H = np.stack([sparse_enough(h, self.sparseness) for h in H])
        return State(W, H, 0, objective(problem, W, H), rng)

    def step(self, problem: Problem, state: State) -> State:
        """Return the state after some passes over W and over H."""
        H = state.H
        XHt, HHt = problem.times_Ht(H), H @ H.T
        W = sweep(state.W.T, HHt, XHt.T, 0.0, 0.0, self.inner).T
        WtW = W.T @ W
        if not problem.update_H:
            loss = from_gram(problem, W, H, XHt, WtW, HHt, W)
            return replace(state, W=W, n_iter=state.n_iter + 1, loss=loss)
        WtX = problem.Wt_times(W)
        H = self._sweep_H(H, WtW, WtX)
        loss = from_gram(problem, W, H, WtX, WtW, H @ H.T, H)
        return replace(state, W=W, H=H, n_iter=state.n_iter + 1, loss=loss)

    def _sweep_H(self, H: Array, WtW: Array, WtX: Array) -> Array:
        if self.sparseness == 0:
            return sweep(H, WtW, WtX, 0.0, 0.0, self.inner)
        H = np.array(H, order="C")
        for _ in range(self.inner):
            for j in np.flatnonzero(WtW.diagonal() > 0):
                free = H[j] + (WtX[j] - WtW[j] @ H) / WtW[j, j]
                if free.max() > 0:
                    H[j] = sparse_enough(free, self.sparseness)
                else:
                    H[j] = 0
        return H


def sparse_enough(row: Array, sparseness: float) -> Array:
    """Return the nearest vector ≥ 0 whose Hoyer sparseness is at least the given one.

    With n entries, sparseness s means ‖h‖₁ / ‖h‖₂ ≤ k = √n − s(√n − 1). The nearest such vector is the positive part of
    the row less a constant, scaled: the constant follows from the sums of its largest entries.

    Parameters
    ----------
    row : ndarray of shape (n,)
        Any sign.
    sparseness : float
        From 0 to below 1.
    """
    h = np.maximum(row, 0)
    n = len(h)
    k = float(np.sqrt(n) - sparseness * (np.sqrt(n) - 1))
    exact = h.astype(np.float64)
    length = float(np.linalg.norm(exact))
    if length == 0 or exact.sum() <= k * length:
        return h
    v = np.sort(exact)[::-1]
    v = v[v > 0]
    count = np.arange(1, len(v) + 1)
    sums, squares = np.cumsum(v), np.cumsum(v * v)
    # With the threshold at the next entry, the ratio ‖h‖₁ / ‖h‖₂ of the first j entries; it grows with j.
    level = np.append(v[1:], 0.0)
    norms = np.sqrt(np.maximum(squares - 2 * level * sums + count * level * level, 0.0))
    ratio = np.divide(sums - count * level, norms, out=np.zeros_like(norms), where=norms > 1e-12 * length)
    enough = np.flatnonzero(ratio >= k)
    j = int(count[enough[0]]) if len(enough) else len(v)
    spread = max(squares[j - 1] - sums[j - 1] ** 2 / j, 0.0)
    excess = k * np.sqrt(spread / (j * (j - k * k))) if j > k * k else 0.0
    out = np.maximum(exact - (sums[j - 1] / j - excess), 0.0)
    size = float(out @ out)
    if size <= 1e-24 * length * length:  # ties that no threshold separates: keep as many as may stand together
        out = np.zeros(n)
        kept = np.argsort(-exact, kind="stable")[: max(1, int(k * k))]
        out[kept] = exact[kept]
        return out.astype(h.dtype)
    return (out * (float(exact @ out) / size)).astype(h.dtype)
