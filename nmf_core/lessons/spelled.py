"""The update of one entry with the numbers on the screen filled in, for all three methods."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmf_core.gradient import terms_H
from nmf_core.lessons.stepping import Moment
from nmf_core.problem import prepare
from nmf_core.types import Array, beta_of

#: A sum of more terms than these is cut short.
MOST_TERMS = 6


@dataclass(frozen=True, slots=True)
class Spelled:
    """An update of one entry, spelled out.

    Attributes
    ----------
    latex : str
    value : float
        What the arithmetic on the screen gives.
    solver : float
        What the solver's own step made of the entry.
    note : str
        Why it comes out as it does, one sentence about these numbers.
    """

    latex: str
    value: float
    solver: float
    note: str


def spelled(
    X: Array, before: Moment, after: Moment, method: str, factor: str, row: int, col: int, loss: str = "frobenius"
) -> Spelled:
    """Spell out how one entry gets from one moment to the next.

    Parameters
    ----------
    X : ndarray
    before, after : Moment
        Two neighbours of `moments`; `factor` is what changed between them.
    method : {"mu", "pg", "hals"}
    factor : {"W", "H"}
    row, col : int
        The entry, from 0.
    loss : {"frobenius", "kullback-leibler"}

    Notes
    -----
    Multiplicative: Lee & Seung (2001), eq. 4 (Frobenius) and 5 (Kullback–Leibler). Gradient: Lin (2007), eq. 8. HALS:
    Cichocki & Phan (2009), Algorithm 2.
    """
    if factor == "W":  # Xᵀ ≈ HᵀWᵀ: the same formulas, read the other way round
        side = _Side(
            X.T, before.H.T, before.W.T, after.W.T, "XH^\\top", "WHH^\\top", "HH^\\top", f"W_{{{row + 1},{col + 1}}}"
        )
        k, j = col, row
    else:
        side = _Side(
            X, before.W, before.H, after.H, "W^\\top X", "W^\\top WH", "W^\\top W", f"H_{{{row + 1},{col + 1}}}"
        )
        k, j = row, col
    if method == "mu":
        return _multiplied(side, k, j, beta_of(loss), row, col, factor)
    if method == "pg":
        return _stepped(side, k, j, after.size, row, col)
    return _solved(side, k, j, row, col)


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """X ≈ A F with F about to change; names of the products as they are written for F = H or F = Wᵀ."""

    X: Array
    A: Array
    F: Array
    new: Array
    pull: str
    push: str
    gram: str
    symbol: str


def _multiplied(s: _Side, k: int, j: int, beta: float, row: int, col: int, factor: str) -> Spelled:
    problem = prepare(np.ascontiguousarray(s.X), beta=beta)
    top, bottom = (terms[k, j] for terms in terms_H(problem, np.ascontiguousarray(s.A), np.ascontiguousarray(s.F)))
    old = s.F[k, j]
    times = top / bottom if bottom > 0 else 1.0
    value = old * times
    product = s.A @ s.F
    a, at = s.A[:, k], f"_{{{row + 1},{col + 1}}}"
    if beta == 2.0:
        general = rf"\frac{{({s.pull}){at}}}{{({s.push}){at}}}"
        above, below = _sum(a, s.X[:, j]), _sum(a, product[:, j])
    else:
        ratio = r"(X/WH)"
        ones = r"\mathbf{1}"
        general = (
            rf"\frac{{(W^\top {ratio}){at}}}{{(W^\top {ones}){at}}}"
            if factor == "H"
            else rf"\frac{{({ratio}H^\top){at}}}{{({ones}H^\top){at}}}"
        )
        above, below = _ratios(a, s.X[:, j], product[:, j]), _sum(a)
    latex = _lines(
        rf"{s.symbol} &\leftarrow {s.symbol}\cdot{general}",
        rf"{_n(old)}\cdot\frac{{{above}}}{{{below}}}",
        rf"{_n(old)}\cdot\frac{{{top:.4g}}}{{{bottom:.4g}}} = {_n(old)}\cdot {times:.4g} = \mathbf{{{value:.4g}}}",
    )
    if old == 0:
        note = "The entry is 0, and 0 times anything is 0: it can never come back."
    elif abs(times - 1) < 5e-4:
        note = "The factor is 1: above and below the line stands the same, so this entry stays."
    else:
        side = "small" if times > 1 else "large"
        verb = "grows" if times > 1 else "shrinks"
        note = (
            f"The factor is {times:.4g}: over the dashed cells WH is too {side} on the whole, so the entry {verb}. "
            "Both numbers of the fraction are sums of products that are ≥ 0, so the entry cannot become negative."
        )
    return Spelled(latex, float(value), float(s.new[k, j]), note)


def _stepped(s: _Side, k: int, j: int, size: float, row: int, col: int) -> Spelled:
    at = f"_{{{row + 1},{col + 1}}}"
    old = s.F[k, j]
    pull, push = s.A[:, k] @ s.X[:, j], (s.A.T @ s.A @ s.F)[k, j]
    free = old - size * (push - pull)
    value = max(0.0, free)
    general = rf"\max\bigl(0,\;{s.symbol} - \eta\,[({s.push}){at} - ({s.pull}){at}]\bigr)"
    filled = rf"\max\bigl(0,\;{_n(old)} - {size:.3g}\cdot[{push:.4g} - {pull:.4g}]\bigr)"
    latex = _steps(
        rf"{s.symbol} &\leftarrow {general}",
        rf"({s.push}){at} &= {_sum(s.A[:, k], (s.A @ s.F)[:, j])} = {push:.4g}",
        rf"({s.pull}){at} &= {_sum(s.A[:, k], s.X[:, j])} = {pull:.4g}",
        rf"{s.symbol} &\leftarrow {filled} = \max(0,\;{free:.4g}) = \mathbf{{{value:.4g}}}",
    )
    note = (
        "The step would lead below zero, so the entry is put back to zero."
        if free < 0
        else "The bracket is the slope of the loss: the entry moves against it."
    )
    return Spelled(
        latex,
        float(value),
        float(s.new[k, j]),
        f"{note} One step length, {size:.3g}, serves all entries: of 1, 10, 100 … or 0.1, 0.01 …, the longest whose fall in "
        "loss is worth it (Armijo's rule).",
    )


def _solved(s: _Side, k: int, j: int, row: int, col: int) -> Spelled:
    at = f"_{{{row + 1},{col + 1}}}"
    here = s.F.copy()
    here[:k] = s.new[:k]  # the parts before it have had their turn
    old = s.F[k, j]
    gram = s.A.T @ s.A
    pull, push, bend = s.A[:, k] @ s.X[:, j], (gram @ here)[k, j], gram[k, k]
    free = old + (pull - push) / bend if bend > 0 else old
    value = max(0.0, free)
    own = f"_{{{k + 1},{k + 1}}}"
    general = rf"\max\Bigl(0,\;{s.symbol} + \frac{{({s.pull}){at} - ({s.push}){at}}}{{({s.gram}){own}}}\Bigr)"
    filled = rf"\max\Bigl(0,\;{_n(old)} + \frac{{{pull:.4g} - {push:.4g}}}{{{bend:.4g}}}\Bigr)"
    latex = _steps(
        rf"{s.symbol} &\leftarrow {general}",
        rf"({s.pull}){at} &= {_sum(s.A[:, k], s.X[:, j])} = {pull:.4g}",
        rf"({s.push}){at} &= {_sum(s.A[:, k], (s.A @ here)[:, j])} = {push:.4g}",
        rf"({s.gram}){own} &= {_sum(s.A[:, k], s.A[:, k])} = {bend:.4g}",
        rf"{s.symbol} &\leftarrow {filled} = \max(0,\;{free:.4g}) = \mathbf{{{value:.4g}}}",
    )
    note = (
        "The best value would lie below zero, so zero is the best that is allowed."
        if free < 0
        else "This is the very best value of the entry while all others stand still."
    )
    if k > 0:
        note += f" Part {k + 1} has its turn after part {k}, so WH in this formula already holds the new part {k}."
    return Spelled(latex, float(value), float(s.new[k, j]), note)


def _steps(*lines: str) -> str:
    return r"\begin{aligned}" + r"\\[3pt] ".join(lines) + r"\end{aligned}"


def _lines(first: str, *rest: str) -> str:
    return r"\begin{aligned}" + first + "".join(rf"\\[6pt] &= {line}" for line in rest) + r"\end{aligned}"


def _n(value: float) -> str:
    return f"{value:.3g}"


def _sum(a: Array, b: Array | None = None) -> str:
    """Return a·b term by term, or the sum of a; of long sums only terms that are not zero, and not all of those."""
    terms = [_n(v) if b is None else rf"{_n(v)}\cdot {_n(b[i])}" for i, v in enumerate(a)]
    return _cut(terms, a if b is None else a * b)


def _ratios(a: Array, x: Array, y: Array) -> str:
    terms = [rf"{_n(v)}\cdot \tfrac{{{_n(x[i])}}}{{{_n(y[i])}}}" for i, v in enumerate(a)]
    return _cut(terms, a * x)


def _cut(terms: list[str], values: Array) -> str:
    if len(terms) <= MOST_TERMS:
        return " + ".join(terms)
    kept = [t for t, v in zip(terms, values, strict=True) if v > 0]
    return " + ".join(kept[:4]) + (r" + \dots" if len(kept) > 4 else "") if kept else "0"
