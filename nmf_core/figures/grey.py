"""Rows of a matrix as grey pictures that can be compared."""

from __future__ import annotations

import numpy as np

from nmf_core.types import Array

#: A block that varies by less than this share of its largest value is flat.
FLAT = 1e-6
#: Smaller values than this share of a block's largest count as empty.
EMPTY = 0.05


def grey(rows: Array, shape: tuple[int, ...]) -> Array:
    """Return rows as pictures of shape (n, height, width); channels are averaged."""
    out = np.asarray(rows, dtype=float).reshape(len(rows), *shape)
    return out.mean(axis=3) if out.ndim == 4 else out


def evened(blocks: Array, signed: bool) -> tuple[Array, Array]:
    """Bring each block to its own range, and say which are flat.

    A flat block would fill its tile with the end of the scale, as if it were full: it gets the middle.
    """
    peak = np.abs(blocks).max(axis=(1, 2), keepdims=True)
    scaled = blocks / np.where(peak > 0, peak, 1)
    flat = np.ptp(blocks, axis=(1, 2)) <= FLAT * peak[:, 0, 0]
    scaled[flat] = np.sign(scaled[flat]) * (0.25 if signed else 0.5)
    return scaled, flat


def emptiness(blocks: Array) -> float:
    """Return the share of pixels that are as good as empty, on average over the blocks."""
    size = np.maximum(np.abs(blocks).max(axis=(1, 2), keepdims=True), 1e-300)
    return float(np.mean(np.abs(blocks) < EMPTY * size))
