"""Two results: which component is which, and what changed between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.components import Parts, match
from nmf_core.types import Array, FitRequest

if TYPE_CHECKING:
    import pandas as pd


def changes(a: FitRequest, b: FitRequest) -> list[tuple[str, Any, Any]]:
    """Return the settings that differ: (name, value in a, value in b)."""
    one, two = a.to_json(), b.to_json()
    return [(name, one[name], two[name]) for name in one if one[name] != two[name]]


def matched(a: Parts, b: Parts, cols: Array, n: int = 3) -> pd.DataFrame:
    """Return the pairs of components, the most similar first, with the features that differ most.

    Parameters
    ----------
    a, b : Parts
        With the same features.
    cols : ndarray of str
    n : int
        Features named per pair.

    Raises
    ------
    ValueError
        If the numbers of features differ.
    """
    import pandas as pd

    found = match(a.H, b.H)
    rows = []
    for i, j, similarity in zip(found.a, found.b, found.similarity, strict=True):
        gap = _shares(b.H[j]) - _shares(a.H[i])
        most = np.argsort(-np.abs(gap), kind="stable")[:n]
        told = [f"{cols[m]} {100 * gap[m]:+.1f}" for m in most if abs(gap[m]) >= 5e-4]
        rows.append((a.names[i], b.names[j], float(similarity), ", ".join(told)))
    rows.sort(key=lambda row: -row[2])
    partner_a, partner_b = set(found.a.tolist()), set(found.b.tolist())
    rows += [(a.names[i], "", np.nan, "no counterpart") for i in range(a.rank) if i not in partner_a]
    rows += [("", b.names[j], np.nan, "no counterpart") for j in range(b.rank) if j not in partner_b]
    return pd.DataFrame(rows, columns=["first", "second", "cosine", "largest differences (points of share)"])


def _shares(h: Array) -> Array:
    return h / max(float(h.sum()), 1e-300)
