"""Alternating non-negative least squares, each solved exactly by block principal pivoting."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from nmf_core.loss import dot, from_gram
from nmf_core.problem import Problem
from nmf_core.solvers.base import Solver
from nmf_core.solvers.coordinate import sweep
from nmf_core.types import Array, State


@dataclass(frozen=True)
class BlockPivoting(Solver):
    """W is the exact non-negative least squares solution for H, then H that for W (ANLS/BPP)."""

    name: ClassVar[str] = "bpp"
    label: ClassVar[str] = "Block principal pivoting"
    help: ClassVar[str] = "Few, costly, exact steps; good for few components and well-conditioned factors."
    order: ClassVar[int] = 30
    REFERENCE: ClassVar[str] = (
        "J. Kim and H. Park (2011), Fast nonnegative matrix factorization: an active-set-like method and comparisons, "
        "SIAM Journal on Scientific Computing 33(6)"
    )

    def step(self, problem: Problem, state: State) -> State:
        """Return the state after solving for W, then for H."""
        H = state.H
        HHt, XHt = H @ H.T, problem.times_Ht(H)
        W = _best(state.W.T, HHt, XHt.T, problem.l1_W, problem.l2_W).T
        WtW = W.T @ W
        if problem.update_H:
            WtX = problem.Wt_times(W)
            H = _best(H, WtW, WtX, problem.l1_H, problem.l2_H)
            loss = from_gram(problem, W, H, WtX, WtW, H @ H.T, H)
        else:
            loss = from_gram(problem, W, H, XHt, WtW, HHt, W)
        return replace(state, W=W, H=H, n_iter=state.n_iter + 1, loss=loss)


def _best(F: Array, gram: Array, product: Array, l1: float, l2: float) -> Array:
    """Return the exact solution, or one coordinate pass where the Gram matrix is too near singular for it."""
    full = gram + l2 * np.eye(len(gram), dtype=gram.dtype) if l2 else gram
    pull = product - l1 if l1 else product
    solved = solve(full, pull, F > 0)
    # A component that is zero everywhere in the other factor has no equation: it stays as it is, free to come back.
    unused = full.diagonal() <= 0
    solved[unused] = F[unused]
    if np.isfinite(solved).all() and _value(solved, full, pull) <= _value(F, full, pull):
        return solved
    return sweep(F, gram, product, l1, l2)


def _value(F: Array, gram: Array, pull: Array) -> float:
    return 0.5 * dot(gram @ F, F) - dot(pull, F)


def solve(gram: Array, product: Array, passive: Array) -> Array:
    """Return argmin over F ≥ 0 of ½⟨FᵀF, gram⟩ − ⟨product, F⟩, every column on its own (Kim & Park 2011, Algorithm 2).

    Parameters
    ----------
    gram : ndarray of shape (rank, rank)
    product : ndarray of shape (rank, n)
    passive : ndarray of bool of shape (rank, n)
        First guess of the entries that are positive.

    Notes
    -----
    All wrong entries of a column change sides at once; if that does not reduce their number three times in a row, only
    the last one does, which cannot cycle.
    """
    rank, n = product.shape
    passive = passive.copy()
    F = np.zeros_like(product, order="C")
    slack = np.zeros_like(F)
    # Rounding must not keep an entry changing sides for ever.
    tiny = 10 * np.finfo(product.dtype).eps * max(float(np.abs(product).max(initial=0)), np.finfo(product.dtype).tiny)
    fewest = np.full(n, rank + 1)
    chances = np.full(n, 3)
    todo = np.arange(n)
    for _ in range(5 * rank + 20):
        _solve_passive(gram, product, passive, todo, F)
        slack[:, todo] = gram @ F[:, todo] - product[:, todo]
        wrong = np.where(passive[:, todo], F[:, todo] < 0, slack[:, todo] < -tiny)
        count = wrong.sum(axis=0)
        bad = count > 0
        todo, wrong, count = todo[bad], wrong[:, bad], count[bad]
        if not todo.size:
            return F
        fewer = count < fewest[todo]
        fewest[todo[fewer]], chances[todo[fewer]] = count[fewer], 3
        patient = ~fewer & (chances[todo] > 0)
        chances[todo[patient]] -= 1
        single = np.flatnonzero(~fewer & ~patient)
        last = rank - 1 - np.argmax(wrong[::-1, single], axis=0)
        wrong[:, single] = False
        wrong[last, single] = True
        passive[:, todo] ^= wrong
    return np.maximum(F, 0)


def _solve_passive(gram: Array, product: Array, passive: Array, columns: Array, F: Array) -> None:
    """Write into F the least squares solution of each column on its passive entries.

    Columns with equal sets share one factorization; where nearly all sets differ, one batched call is quicker.
    """
    sets, group = np.unique(np.packbits(passive[:, columns], axis=0), axis=1, return_inverse=True)
    if sets.shape[1] > 0.3 * columns.size and _solve_batched(gram, product, passive, columns, F):
        return
    order = np.argsort(group.ravel(), kind="stable")
    edges = np.searchsorted(group.ravel()[order], np.arange(sets.shape[1] + 1))
    for i in range(sets.shape[1]):
        members = columns[order[edges[i] : edges[i + 1]]]
        on = np.flatnonzero(passive[:, members[0]])
        F[:, members] = 0
        if on.size:
            F[np.ix_(on, members)] = _solve_one(gram[np.ix_(on, on)], product[np.ix_(on, members)])


def _solve_batched(gram: Array, product: Array, passive: Array, columns: Array, F: Array) -> bool:
    """Solve every column by itself, the equations of its other entries replaced by F = 0; False if one is singular."""
    rank = len(gram)
    step = max(1, (1 << 20) // (rank * rank))
    identity = np.eye(rank, dtype=bool)
    for i in range(0, columns.size, step):
        some = columns[i : i + step]
        on = passive[:, some].T
        matrices = np.where(on[:, :, None] & on[:, None, :], gram, 0) + (identity & ~on[:, :, None])
        try:
            solved = np.linalg.solve(matrices, np.where(on, product[:, some].T, 0)[:, :, None])
        except np.linalg.LinAlgError:
            return False
        F[:, some] = np.where(on, solved[:, :, 0], 0).T
    return True


def _solve_one(gram: Array, product: Array) -> Array:
    try:
        return np.linalg.solve(gram, product)
    except np.linalg.LinAlgError:  # two components point the same way: any split between them is as good
        return np.linalg.lstsq(gram, product, rcond=None)[0]
