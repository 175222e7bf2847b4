"""One update at a time, forward and back.

A moment is made by the solver's own ``step``: half a step is a step of the problem in which the other factor is given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmf_core import solvers
from nmf_core.loss import objective
from nmf_core.problem import prepare
from nmf_core.types import Array, State, beta_of

METHODS = {
    "mu": "Multiplicative update",
    "pg": "Projected gradient step",
    "hals": "HALS",
}
#: The same where there is little room.
SHORT = {"mu": "Multiplicative", "pg": "Gradient", "hals": "HALS"}


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """W and H after some updates.

    Attributes
    ----------
    W, H : ndarray of shape (n, rank), (rank, m)
    loss : float
        D_β(X | WH); ½‖X − WH‖² for Frobenius.
    updated : {"start", "H", "W"}
        What the latest update changed.
    size : float
        Length of the gradient step that was taken; 0 for other methods, and where no step helped.
    """

    W: Array
    H: Array
    loss: float
    updated: str
    size: float = 0.0


def moments(X: Array, W: Array, H: Array, method: str = "mu", loss: str = "frobenius", count: int = 40) -> list[Moment]:
    """Return the start and `count` updates: H, then W, then H …

    Parameters
    ----------
    X, W, H : ndarray
    method : str
        One of `METHODS`; a gradient step is one Armijo step on one factor.
    loss : str
        ``"mu"`` takes each; the others Frobenius alone.
    count : int

    Returns
    -------
    list of Moment
        ``count + 1`` of them; each from the one before, so that ``moments(…)[i]`` does not depend on `count`.

    Raises
    ------
    ValueError
        For an unknown method, or a loss it does not take.
    """
    if method not in METHODS:
        raise ValueError(f"method: unknown {method!r}; use one of {', '.join(METHODS)}")
    beta = beta_of(loss)
    if not solvers.get(method).handles(beta):
        raise ValueError(f"method: {METHODS[method]} takes the Frobenius loss alone, not {loss}")
    problem = prepare(np.asarray(X, float), beta=beta)
    W, H = np.array(W, float), np.array(H, float)
    out = [Moment(W, H, objective(problem, W, H), "start")]
    for i in range(count):
        if i % 2 == 0:
            Ht, size = _half(method, problem.X.T, H.T, W.T, beta)
            H = Ht.T
        else:
            W, size = _half(method, problem.X, W, H, beta)
        out.append(Moment(W, H, objective(problem, W, H), "H" if i % 2 == 0 else "W", size))
    return out


def _half(method: str, X: Array, W: Array, H: Array, beta: float) -> tuple[Array, float]:
    """Return W after one update with H given, by the solver's own step, and the length of a gradient step."""
    options = (("inner", 1),) if method == "pg" else ()
    solver = solvers.build(method, options, beta=beta, masked=False, sparse=False, penalised=False)
    problem = prepare(np.ascontiguousarray(X), beta=beta, update_H=False)
    state = solver.init(problem, (np.ascontiguousarray(W), np.ascontiguousarray(H)), None)
    if method == "pg":  # one step whatever the gradient: the tolerance is for whole subproblems
        state = State(state.W, state.H, 0, state.loss, None, {**state.aux, "tol_W": 0.0})
    after = solver.step(problem, state)
    moved = method == "pg" and not np.array_equal(after.W, W)
    return after.W, float(after.aux["size_W"]) if moved else 0.0


def disguised(W: Array, H: Array, scale: float, swap: bool) -> tuple[Array, Array]:
    """Return another W and H with the same product: the first component scaled, and perhaps both swapped."""
    D = np.ones(len(H))
    D[0] = scale
    order = np.arange(len(H))[::-1] if swap else np.arange(len(H))
    return (W * D)[:, order], (H / D[:, None])[order]
