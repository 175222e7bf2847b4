"""A picture cut into blocks, rows or overlapping patches, and put together again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmf_core.types import Array


@dataclass(frozen=True, slots=True)
class Layout:
    """How a picture lies in a matrix.

    Attributes
    ----------
    shape : tuple of int
        Of the picture: height, width and, for colour, 3.
    block : int
        Side of a block in pixels; 0: each line of the picture (of each colour) is a row.
    """

    shape: tuple[int, ...]
    block: int = 8

    @property
    def channels(self) -> int:
        """1 for grey, 3 for colour."""
        return 1 if len(self.shape) == 2 else self.shape[2]

    @property
    def grid(self) -> tuple[int, int]:
        """Number of blocks down and across; the last ones may hang over the edge."""
        return (-(-self.shape[0] // self.block), -(-self.shape[1] // self.block))

    @property
    def matrix_shape(self) -> tuple[int, int]:
        """Shape of the matrix."""
        if self.block == 0:
            return (self.shape[0] * self.channels, self.shape[1])
        down, across = self.grid
        return (down * across, self.block * self.block * self.channels)


def cut(picture: Array, layout: Layout) -> Array:
    """Return the matrix: one row per block (row by row from the top left), or per line and colour.

    A block that hangs over the edge is filled with the nearest pixels.
    """
    planes = picture[..., None] if picture.ndim == 2 else picture
    if layout.block == 0:
        return np.ascontiguousarray(planes.transpose(2, 0, 1)).reshape(layout.matrix_shape)
    b, (down, across) = layout.block, layout.grid
    height, width, channels = planes.shape
    padded = np.pad(planes, ((0, down * b - height), (0, across * b - width), (0, 0)), mode="edge")
    return padded.reshape(down, b, across, b, channels).transpose(0, 2, 1, 3, 4).reshape(layout.matrix_shape)


def paste(matrix: Array, layout: Layout) -> Array:
    """Return the picture of a matrix that `cut` made."""
    height, width = layout.shape[:2]
    if layout.block == 0:
        planes = matrix.reshape(layout.channels, height, width).transpose(1, 2, 0)
    else:
        b, (down, across) = layout.block, layout.grid
        planes = matrix.reshape(down, across, b, b, layout.channels).transpose(0, 2, 1, 3, 4)
        planes = planes.reshape(down * b, across * b, layout.channels)[:height, :width]
    return planes[..., 0] if len(layout.shape) == 2 else planes


def tile_shape(layout: Layout) -> tuple[int, ...]:
    """Return the shape of one row of the matrix as a picture."""
    if layout.block == 0:
        return (1, layout.shape[1])
    return (layout.block, layout.block) if layout.channels == 1 else (layout.block, layout.block, layout.channels)


def offsets(length: int, side: int, step: int) -> Array:
    """Return where patches start along one axis, so that the last one ends at the edge."""
    last = max(0, length - side)
    return np.unique(np.append(np.arange(0, last, step), last))


def patches(picture: Array, side: int, step: int) -> Array:
    """Return overlapping square patches of a grey picture, one per row: (n, side²)."""
    ys, xs = offsets(picture.shape[0], side, step), offsets(picture.shape[1], side, step)
    windows = np.lib.stride_tricks.sliding_window_view(picture, (side, side))
    return windows[np.ix_(ys, xs)].reshape(-1, side * side)


def blend(rows: Array, shape: tuple[int, int], side: int, step: int) -> Array:
    """Return the picture whose pixels are the means of all patches that cover them."""
    ys, xs = offsets(shape[0], side, step), offsets(shape[1], side, step)
    cells = rows.reshape(len(ys), len(xs), side, side)
    total, count = np.zeros(shape), np.zeros(shape)
    for i in range(side):
        for j in range(side):
            at = np.ix_(ys + i, xs + j)  # offsets are distinct: no pixel is met twice in one go
            total[at] += cells[:, :, i, j]
            count[at] += 1
    return total / count
