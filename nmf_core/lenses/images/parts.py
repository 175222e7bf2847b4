"""What a part is used for, and how a picture is put together from parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nmf_core.components import Parts
from nmf_core.quality import hoyer
from nmf_core.types import Array, Dataset

if TYPE_CHECKING:
    import pandas as pd

#: Orders offered for the tiles.
ORDERS = ("usage", "variation", "sparseness", "position")
#: A part counts as used in a picture if it gives at least this share of the picture's brightness.
USED = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Usage:
    """How much each part is used, in the display order of Parts.

    Attributes
    ----------
    share : ndarray of shape (rank,)
        Share of the brightness of all pictures (Σ over pixels of WH) that comes from the part; sums to 1.
    pictures : ndarray of shape (rank,)
        Share of pictures of whose brightness the part gives at least `USED`.
    sparseness : ndarray of shape (rank,)
        Hoyer's, of the part: 0 for an even grey, 1 for a single pixel; NaN for an empty part.
    """

    share: Array
    pictures: Array
    sparseness: Array


def usage(parts: Parts) -> Usage:
    """Measure how much each part is used."""
    amounts = parts.amounts
    total = amounts.sum(axis=1, keepdims=True)
    shares = np.divide(amounts, total, out=np.zeros_like(amounts), where=total > 0)
    whole = amounts.sum()
    share = amounts.sum(axis=0) / whole if whole > 0 else np.zeros(amounts.shape[1])
    return Usage(share, (shares >= USED).mean(axis=0), hoyer(parts.H, axis=1))


def order_of(parts: Parts, by: str) -> Array:
    """Return display positions of parts in one of `ORDERS`; "position" reads the page: by where a part is brightest.

    Raises
    ------
    ValueError
        For an unknown order.
    """
    if by == "variation":
        return np.argsort(-parts.share, kind="stable")
    if by == "usage":
        return np.argsort(-usage(parts).share, kind="stable")
    if by == "sparseness":
        return np.argsort(-np.nan_to_num(usage(parts).sparseness), kind="stable")
    if by == "position":
        return np.argsort(parts.H.argmax(axis=1), kind="stable")
    raise ValueError(f"order: unknown {by!r}; use one of {', '.join(ORDERS)}")


def top_pictures(parts: Parts, component: int, n: int = 12) -> tuple[Array, Array]:
    """Return the rows that use a part most, and the share of their brightness that it gives.

    Parameters
    ----------
    component : int
        Display position.
    n : int
    """
    amounts = parts.amounts
    total = amounts.sum(axis=1)
    share = np.divide(amounts[:, component], total, out=np.zeros(len(total)), where=total > 0)
    rows = np.argsort(-share, kind="stable")[:n]
    return rows, share[rows]


def usage_table(parts: Parts, measured: Usage) -> pd.DataFrame:
    """Return one row per part: share of brightness, share of pictures, share of variation, sparseness."""
    import pandas as pd

    return pd.DataFrame(
        {
            "part": parts.names,
            "share of brightness": measured.share,
            "used in share of pictures": measured.pictures,
            "share of variation": parts.share,
            "sparseness (Hoyer)": measured.sparseness,
        }
    )


@dataclass(frozen=True, slots=True, eq=False)
class Rebuilt:
    """One picture put together part by part.

    Attributes
    ----------
    row : int
        Of X.
    order : ndarray of int
        Display positions of the chosen parts, in the order they are added.
    contributions : ndarray of shape (n, n_features)
        What each adds: amount × part.
    running : ndarray of shape (n + 1, n_features)
        Sums of the first 0, 1, 2, … contributions.
    errors : ndarray of shape (n + 1,)
        ‖x − sum‖ / ‖x‖ after each, over known pixels; NaN for an all-black picture.
    original : ndarray of shape (n_features,)
        NaN where a pixel is missing.
    """

    row: int
    order: Array
    contributions: Array
    running: Array
    errors: Array
    original: Array

    @property
    def residual(self) -> Array:
        """What is left after the last step: original − sum."""
        return self.original - self.running[-1]


def rebuild(dataset: Dataset, parts: Parts, row: int, chosen: Array | None = None, steps: int | None = None) -> Rebuilt:
    """Put a picture together from the parts it uses, the largest first.

    Parameters
    ----------
    row : int
        Of the data set.
    chosen : ndarray of int, optional
        Display positions that may be used; all when left out.
    steps : int, optional
        Only the first so many.

    Raises
    ------
    IndexError
        If there is no such row.
    """
    if not 0 <= row < dataset.shape[0]:
        raise IndexError(f"row: there is no picture {row}; there are {dataset.shape[0]}")
    amounts = parts.recipe[row].astype(np.float64)
    H = parts.H.astype(np.float64)
    sizes = amounts * np.linalg.norm(H, axis=1)
    order = np.argsort(-sizes, kind="stable")
    if chosen is not None:
        order = order[np.isin(order, chosen)]
    if steps is not None:
        order = order[:steps]
    contributions = amounts[order, None] * H[order]
    running = np.vstack([np.zeros(H.shape[1]), np.cumsum(contributions, axis=0)])
    raw = dataset.X[[row]]
    original = np.asarray(raw.todense() if hasattr(raw, "todense") else raw, dtype=np.float64).ravel()
    known = np.isfinite(original)
    size = float(np.linalg.norm(original[known]))
    gaps = np.linalg.norm(running[:, known] - original[known], axis=1)
    errors = gaps / size if size > 0 else np.full(len(gaps), np.nan)
    return Rebuilt(row, order, contributions, running, errors, original)
