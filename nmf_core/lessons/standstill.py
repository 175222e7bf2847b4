"""Why the updates stop: the factors of the multiplicative update, and the slopes where an entry is zero."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmf_core.gradient import kkt_norm, terms_H, terms_W
from nmf_core.problem import prepare
from nmf_core.types import Array, beta_of


@dataclass(frozen=True, slots=True, eq=False)
class Standstill:
    """How near W and H are to where no small change helps.

    Attributes
    ----------
    factor_W, factor_H : ndarray
        What the multiplicative update would multiply each entry by; 1: the entry stays.
    slope_W, slope_H : ndarray
        Derivatives of the loss. At a minimum: 0 where the entry is positive, ≥ 0 where it is zero.
    norm : float
        Norm of the projected gradient: of the slopes that still lead anywhere (Lin 2007, eq. 17).
    """

    factor_W: Array
    factor_H: Array
    slope_W: Array
    slope_H: Array
    norm: float


def standstill(X: Array, W: Array, H: Array, loss: str = "frobenius") -> Standstill:
    """Measure it with the engine's own gradient.

    Parameters
    ----------
    X, W, H : ndarray
    loss : str
    """
    problem = prepare(np.asarray(X, float), beta=beta_of(loss))
    W, H = np.ascontiguousarray(W), np.ascontiguousarray(H)
    down_W, up_W = terms_W(problem, W, H)
    down_H, up_H = terms_H(problem, W, H)
    return Standstill(_ratio(down_W, up_W), _ratio(down_H, up_H), up_W - down_W, up_H - down_H, kkt_norm(problem, W, H))


def _ratio(top: Array, bottom: Array) -> Array:
    return np.divide(top, bottom, out=np.ones_like(top), where=bottom > 0)
