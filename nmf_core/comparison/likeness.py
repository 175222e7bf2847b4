"""Which component of another method says the same as which part of NMF."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from nmf_core.selection.matching import cosine
from nmf_core.types import Array

#: Smallest |cosine| at which a component is called like a part.
LIKE = 0.6


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """Partners of components.

    Attributes
    ----------
    partner : ndarray of int of shape (n_components,)
        Position of the part that a component is like; −1: of none.
    cosine : ndarray of shape (n_components,)
        With the matched part, its sign ignored: that of an axis is arbitrary. 0 without one.
    """

    partner: Array
    cosine: Array


def likeness(parts: Array, components: Array) -> Likeness:
    """Match components one to one with parts so that their |cosines| are largest in sum.

    Parameters
    ----------
    parts : ndarray of shape (rank, n_features)
        Of NMF.
    components : ndarray of shape (n_components, n_features)
    """
    size = np.abs(cosine(components, parts))
    rows, cols = linear_sum_assignment(size, maximize=True)
    partner, matched = np.full(len(components), -1), np.zeros(len(components))
    partner[rows], matched[rows] = cols, size[rows, cols]
    partner[matched < LIKE] = -1
    return Likeness(partner, matched)
