"""Noise of chosen kind and strength on a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmf_core.types import Array

#: Name → (title, what the strength means, smallest, largest, default).
KINDS: dict[str, tuple[str, str, float, float, float]] = {
    "missing": ("Missing pixels", "share of pixels that are lost", 0.05, 0.9, 0.3),
    "salt-and-pepper": ("Salt and pepper", "share of pixels set to black or white", 0.02, 0.6, 0.15),
    "gaussian": ("Gaussian noise", "standard deviation, as a share of white", 0.02, 0.4, 0.1),
    "speckle": ("Speckle", "standard deviation, as a share of each pixel's own value", 0.05, 0.8, 0.25),
}


@dataclass(frozen=True, slots=True, eq=False)
class Damaged:
    """A damaged picture.

    Attributes
    ----------
    picture : ndarray of shape (height, width)
        Values from 0 to 1; NaN where a pixel is missing.
    doubtful : ndarray of bool or None
        Pixels that a viewer of the damaged picture alone would distrust: missing ones, and for salt and pepper those
        at the very ends of the scale. None: all pixels are equally noisy.
    """

    picture: Array
    doubtful: Array | None


def damage(picture: Array, kind: str, strength: float, seed: int = 0) -> Damaged:
    """Return the picture with noise.

    Parameters
    ----------
    picture : ndarray of shape (height, width)
        Values from 0 to 1.
    kind : str
        One of `KINDS`.
    strength : float
        See `KINDS`.
    seed : int

    Raises
    ------
    ValueError
        For an unknown kind or a strength outside 0 … 1.
    """
    if kind not in KINDS:
        raise ValueError(f"kind: unknown noise {kind!r}; use one of {', '.join(KINDS)}")
    if not 0 <= strength <= 1:
        raise ValueError(f"strength: must lie from 0 to 1, not {strength!r}")
    rng = np.random.default_rng(seed)
    if kind == "gaussian":
        return Damaged(np.clip(picture + rng.normal(0, strength, picture.shape), 0, 1), None)
    if kind == "speckle":
        return Damaged(np.clip(picture * (1 + rng.normal(0, strength, picture.shape)), 0, 1), None)
    hit = rng.random(picture.shape) < strength
    if kind == "missing":
        return Damaged(np.where(hit, np.nan, picture), hit)
    noisy = np.where(hit, rng.integers(0, 2, picture.shape).astype(float), picture)
    return Damaged(noisy, (noisy <= 0) | (noisy >= 1))
