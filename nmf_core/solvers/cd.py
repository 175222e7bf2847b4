"""scikit-learn's coordinate descent, step by step: the reference."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from nmf_core.loss import from_gram
from nmf_core.problem import Problem
from nmf_core.solvers.base import Solver, option
from nmf_core.types import Array, State


@dataclass(frozen=True)
class CoordinateDescent(Solver):
    """One outer iteration of ``sklearn.decomposition.NMF(solver="cd")``, with its compiled inner loop."""

    name: ClassVar[str] = "cd"
    label: ClassVar[str] = "Coordinate descent (scikit-learn)"
    help: ClassVar[str] = "The reference: the same numbers as scikit-learn's own solver."
    draws: ClassVar[bool] = True
    order: ClassVar[int] = 40
    look_every: ClassVar[int] = 1  # its violation costs nothing, and scikit-learn looks at it every time
    REFERENCE: ClassVar[str] = (
        "A. Cichocki and A.-H. Phan (2009), Fast local algorithms for large scale nonnegative matrix and tensor "
        "factorizations, IEICE Transactions E92-A(3); scikit-learn, sklearn.decomposition.NMF"
    )

    shuffle: bool = option(False, label="Shuffle", help="Visit the components in a random order each time.")

    def step(self, problem: Problem, state: State) -> State:
        """Return the state after one pass over W and one over H; ``aux["violation"]`` is scikit-learn's measure."""
        rng = copy.deepcopy(state.rng) if self.shuffle else state.rng
        H = state.H
        XHt, HHt = problem.times_Ht(H), H @ H.T
        W = np.array(state.W, order="C")
        violation = self._pass(W, HHt, XHt, problem.l1_W, problem.l2_W, rng)
        WtW = W.T @ W
        if problem.update_H:
            WtX = problem.Wt_times(W)
            Ht = np.array(H.T, order="C")
            violation += self._pass(Ht, WtW, WtX.T, problem.l1_H, problem.l2_H, rng)
            H = Ht.T
            loss = from_gram(problem, W, H, WtX, WtW, Ht.T @ Ht, H)
        else:
            loss = from_gram(problem, W, H, XHt, WtW, HHt, W)
        aux = {**state.aux, "violation": violation}
        aux.setdefault("first_violation", violation)
        return replace(state, W=W, H=H, n_iter=state.n_iter + 1, loss=loss, rng=rng, aux=aux)

    def _pass(self, F: Array, gram: Array, product: Array, l1: float, l2: float, rng: Any) -> float:
        """Update F in place as scikit-learn's ``_update_coordinate_descent`` does and return the violation."""
        from sklearn.decomposition._cdnmf_fast import _update_cdnmf_fast

        rank = F.shape[1]
        if l2:
            gram = gram + l2 * np.eye(rank, dtype=gram.dtype)
        if l1:
            product = product - l1
        order = rng.permutation(rank) if self.shuffle else np.arange(rank)
        return float(_update_cdnmf_fast(F, gram, np.ascontiguousarray(product), np.asarray(order, dtype=np.intp)))
