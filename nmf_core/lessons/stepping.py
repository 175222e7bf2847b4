"""One update at a time, forward and back, with the formula filled in.

A moment is made by the solver's own ``step``: half a step is a step of the problem in which the other factor is given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmf_core import solvers
from nmf_core.loss import objective
from nmf_core.problem import Problem, prepare
from nmf_core.types import Array, State, beta_of

METHODS = {
    "mu": "Multiplicative update",
    "pg": "Projected gradient step",
    "hals": "HALS",
}


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
    """

    W: Array
    H: Array
    loss: float
    updated: str


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
            H = _half(method, problem.X.T, H.T, W.T, beta).T
        else:
            W = _half(method, problem.X, W, H, beta)
        out.append(Moment(W, H, objective(problem, W, H), "H" if i % 2 == 0 else "W"))
    return out


def _half(method: str, X: Array, W: Array, H: Array, beta: float) -> Array:
    """Return W after one update with H given, by the solver's own step."""
    options = (("inner", 1),) if method == "pg" else ()
    solver = solvers.build(method, options, beta=beta, masked=False, sparse=False, penalised=False)
    problem = prepare(np.ascontiguousarray(X), beta=beta, update_H=False)
    state = solver.init(problem, (np.ascontiguousarray(W), np.ascontiguousarray(H)), None)
    if method == "pg":  # one step whatever the gradient: the tolerance is for whole subproblems
        state = State(state.W, state.H, 0, state.loss, None, {**state.aux, "tol_W": 0.0})
    return solver.step(problem, state).W


def formula(X: Array, before: Moment, factor: str, row: int, col: int, loss: str = "frobenius") -> str:
    """Return the multiplicative update of one entry with the numbers filled in, as LaTeX.

    Parameters
    ----------
    X : ndarray
    before : Moment
        W and H that the update starts from.
    factor : {"W", "H"}
    row, col : int
        The entry, from 0.
    loss : {"frobenius", "kullback-leibler"}

    Notes
    -----
    Frobenius: Lee & Seung (2001), eq. 4; Kullback–Leibler: eq. 5.
    """
    numerator, denominator = update_terms(prepare(np.asarray(X, float), beta=beta_of(loss)), before, factor)
    value = (before.H if factor == "H" else before.W)[row, col]
    top, bottom = numerator[row, col], denominator[row, col]
    new = value * top / bottom if bottom > 0 else value
    symbol = rf"{factor}_{{{row + 1},{col + 1}}}"
    if beta_of(loss) == 2.0:
        general = r"\frac{(W^\top X)}{(W^\top W H)}" if factor == "H" else r"\frac{(X H^\top)}{(W H H^\top)}"
    else:
        general = (
            r"\frac{W^\top (X / WH)}{W^\top \mathbf{1}}"
            if factor == "H"
            else r"\frac{(X / WH) H^\top}{\mathbf{1} H^\top}"
        )
    return (
        rf"{symbol} \leftarrow {symbol} \cdot {general}_{{{row + 1},{col + 1}}}"
        rf" = {value:.4g} \cdot \frac{{{top:.4g}}}{{{bottom:.4g}}} = \mathbf{{{new:.4g}}}"
    )


def update_terms(problem: Problem, at: Moment, factor: str) -> tuple[Array, Array]:
    """Return numerator and denominator of the multiplicative update of a factor, as the solver uses them."""
    from nmf_core.gradient import terms_H, terms_W

    return (terms_H if factor == "H" else terms_W)(problem, at.W, at.H)


def disguised(W: Array, H: Array, scale: float, swap: bool) -> tuple[Array, Array]:
    """Return another W and H with the same product: the first component scaled, and perhaps both swapped."""
    D = np.ones(len(H))
    D[0] = scale
    order = np.arange(len(H))[::-1] if swap else np.arange(len(H))
    return (W * D)[:, order], (H / D[:, None])[order]
