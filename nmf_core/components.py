"""Components as people see them: scaled, ordered, named, coloured, matched."""

from __future__ import annotations

from dataclasses import dataclass

from nmf_core.types import Array


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """W and H as every chart, table and export shows them. Build with `present`.

    Attributes
    ----------
    W : ndarray of shape (n_samples, rank)
    H : ndarray of shape (rank, n_features)
        With ``W @ diag(weights) @ H`` equal to the fitted WH under every scale (weights are 1 except under W·D·H).
    weights : ndarray of shape (rank,)
    names : tuple of str
        One per component ("Part 1", a suggested or a user's own name); may hold text from a file: escape when shown.
    colors : tuple of str
        ``#rrggbb`` per component, the same in every chart.
    share : ndarray of shape (rank,)
        Share of ‖X‖² explained by each component alone, in display order (largest first unless reordered).
    index : ndarray of int of shape (rank,)
        Position of each component in the fitted result.
    scale : str
        One of ``SCALES``.
    """

    W: Array
    H: Array
    weights: Array
    names: tuple[str, ...]
    colors: tuple[str, ...]
    share: Array
    index: Array
    scale: str
