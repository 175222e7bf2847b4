"""Coordinate descent on one factor: the sweep that HALS and its kin share, in plain NumPy."""

from __future__ import annotations

import numpy as np

from nmf_core.problem import Problem
from nmf_core.types import Array


def sweep(F: Array, gram: Array, product: Array, l1: float, l2: float, passes: int = 1) -> Array:
    """Return F after cyclic exact minimization over its rows, each held non-negative.

    Minimizes ½⟨FᵀF, gram⟩ − ⟨product, F⟩ + l1 ΣF + l2/2 ΣF² over one row of F after another (Cichocki & Phan 2009).

    Parameters
    ----------
    F, product : ndarray of shape (rank, n)
        One row per component: H with WᵀX, or Wᵀ with HXᵀ.
    gram : ndarray of shape (rank, rank)
        WᵀW, or HHᵀ.
    passes : int

    Notes
    -----
    A component whose Gram diagonal is 0 is left as it is: set to 0 it could never come back.
    """
    F = np.array(F, order="C")
    pull = product - l1 if l1 else product
    diagonal = gram.diagonal() + l2
    for _ in range(passes):
        for j in np.flatnonzero(diagonal > 0):
            change = pull[j] - gram[j] @ F
            if l2:
                change -= l2 * F[j]
            change /= diagonal[j]
            change += F[j]
            np.maximum(change, 0, out=F[j])
    return F


def sweep_W(problem: Problem, W: Array, H: Array, passes: int, XHt: Array, HHt: Array) -> Array:
    """Return W after `passes` sweeps, given X Hᵀ and H Hᵀ."""
    return sweep(W.T, HHt, XHt.T, problem.l1_W, problem.l2_W, passes).T
