"""Parts found beside parts known: matched cosines, and the torso's ghost in Swimmer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmf_core.types import Array

FOUND = 0.98


@dataclass(frozen=True, slots=True, eq=False)
class Recovery:
    """How well known parts were found again.

    Attributes
    ----------
    component : ndarray of int of shape (n_true,)
        The component matched to each true part (one to one, best total cosine); −1 where components ran out.
    cosine : ndarray of shape (n_true,)
        Of each match; absolute, so that signed components get their chance. 0 where nothing was matched.
    cosine_without : ndarray of shape (n_true,)
        The same after the pixels of the shared part were blanked in the component; NaN without a shared part.
    ghost : ndarray of shape (n_true,)
        Share of the matched component's squares that lies on the shared part; NaN without one.
    """

    component: Array
    cosine: Array
    cosine_without: Array
    ghost: Array

    @property
    def found(self) -> int:
        """True parts whose cosine is at least `FOUND`."""
        return int((self.cosine >= FOUND).sum())

    @property
    def found_without(self) -> int:
        """The same with the shared part blanked."""
        return int((np.nan_to_num(self.cosine_without) >= FOUND).sum())


def recover(H: Array, true_parts: Array, shared: Array | None = None) -> Recovery:
    """Match components with true parts, one to one.

    Parameters
    ----------
    H : ndarray of shape (rank, n_features)
    true_parts : ndarray of shape (n_true, n_features)
    shared : ndarray of shape (n_features,), optional
        A part that every picture holds (Swimmer's torso): its share of each match is reported as the ghost. No
        factorization error can tell to which of the parts it belongs: moving it from the torso's component into the
        four positions of one limb, of which every picture has exactly one, changes no picture.
    """
    from scipy.optimize import linear_sum_assignment

    H = np.asarray(H, dtype=np.float64)
    table = np.abs(cosine(H, true_parts))
    rows, cols = linear_sum_assignment(-table)
    component = np.full(len(true_parts), -1)
    component[cols] = rows
    value = np.zeros(len(true_parts))
    value[cols] = table[rows, cols]
    without, ghost = np.full(len(true_parts), np.nan), np.full(len(true_parts), np.nan)
    if shared is not None:
        on = np.asarray(shared) > 0
        blanked = np.where(on, 0.0, H)
        clean = np.abs(cosine(blanked, true_parts))
        squares = (H**2).sum(axis=1)
        share = np.divide((H[:, on] ** 2).sum(axis=1), squares, out=np.zeros(len(H)), where=squares > 0)
        matched = component >= 0
        without[matched] = clean[component[matched], np.flatnonzero(matched)]
        ghost[matched] = share[component[matched]]
    return Recovery(component, value, without, ghost)


def cosine(A: Array, B: Array) -> Array:
    """Return the cosines between the rows of A and of B; 0 where a row is empty."""
    unit_A, unit_B = (_unit(np.asarray(F, dtype=np.float64)) for F in (A, B))
    return unit_A @ unit_B.T


def _unit(F: Array) -> Array:
    length = np.linalg.norm(F, axis=1, keepdims=True)
    return np.divide(F, length, out=np.zeros_like(F), where=length > 0)
