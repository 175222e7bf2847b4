"""Many small pictures as one PNG: tile sheets, colour maps and data URIs.

A page with fifty components sends one compressed picture instead of fifty subplots.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from nmf_core.types import Array

Limits: TypeAlias = Literal["each", "shared"] | tuple[float, float]

# Control points (position, red, green, blue). Light means little in "ink" and "signed", so that a part full of zeros
# looks empty; "signed" is blue for negative and orange-brown for positive values, safe for colour-blind eyes.
COLORMAPS: dict[str, tuple[tuple[float, int, int, int], ...]] = {
    "gray": ((0.0, 0, 0, 0), (1.0, 255, 255, 255)),
    "ink": ((0.0, 255, 255, 255), (0.35, 176, 184, 200), (0.7, 78, 90, 120), (1.0, 12, 18, 38)),
    "signed": (
        (0.0, 8, 48, 107),
        (0.25, 66, 146, 198),
        (0.5, 255, 255, 255),
        (0.75, 241, 138, 60),
        (1.0, 127, 39, 4),
    ),
    "error": ((0.0, 255, 255, 255), (0.3, 253, 204, 138), (0.65, 227, 74, 51), (1.0, 90, 0, 0)),
    "viridis": (
        (0.0, 68, 1, 84),
        (0.25, 59, 82, 139),
        (0.5, 33, 145, 140),
        (0.75, 94, 201, 98),
        (1.0, 253, 231, 37),
    ),
}
_LEVELS = 255  # palette entries for values; the 256th is the transparent gap between tiles


def palette(colormap: str) -> Array:
    """Return a colour map as an array of shape (255, 3), uint8.

    Raises
    ------
    ValueError
        For an unknown name.
    """
    if colormap not in COLORMAPS:
        raise ValueError(f"colormap: unknown {colormap!r}; use one of {', '.join(COLORMAPS)}")
    points = np.array(COLORMAPS[colormap], dtype=float)
    at = np.linspace(0.0, 1.0, _LEVELS)
    return np.stack([np.interp(at, points[:, 0], points[:, c]) for c in (1, 2, 3)], axis=1).round().astype(np.uint8)


def colorscale(colormap: str) -> list[tuple[float, str]]:
    """Return the same colour map in Plotly's form, for a colour bar beside a sheet."""
    return [(p, f"rgb({r},{g},{b})") for p, r, g, b in COLORMAPS[colormap]]


def uri(png: bytes, mime: str = "image/png") -> str:
    """Return bytes of a picture as a data URI."""
    return f"data:{mime};base64,{base64.b64encode(png).decode('ascii')}"


@dataclass(frozen=True, slots=True)
class Sheet:
    """Tiles on a grid, as one PNG.

    Attributes
    ----------
    png : bytes
    width, height : int
        Pixels of the whole sheet.
    rows, columns : int
        Of the grid; tile i sits in row ``i // columns``, column ``i % columns``.
    pitch : tuple of float
        (vertical, horizontal) distance between neighbouring tiles, in pixels.
    cell : tuple of int
        (height, width) of one tile, in pixels.
    """

    png: bytes
    width: int
    height: int
    rows: int
    columns: int
    pitch: tuple[float, float]
    cell: tuple[int, int]

    @property
    def uri(self) -> str:
        """The sheet as a data URI."""
        return uri(self.png)

    def center(self, index: int) -> tuple[float, float]:
        """Return (x, y) of the middle of a tile in pixels; y runs downwards."""
        row, column = divmod(index, self.columns)
        return (column * self.pitch[1] + (self.cell[1] - 1) / 2, row * self.pitch[0] + (self.cell[0] - 1) / 2)

    def centers(self, n: int) -> Array:
        """Return the middles of the first n tiles, of shape (n, 2)."""
        return np.array([self.center(i) for i in range(n)], dtype=float).reshape(n, 2)


def sheet(
    tiles: Array,
    columns: int | None = None,
    *,
    colormap: str = "gray",
    limits: Limits = "each",
    gap: int = 2,
    caption: int = 0,
    sizes: Sequence[float] | Array | None = None,
    min_pixels: int = 0,
) -> Sheet:
    """Lay tiles out on a grid and encode them as one PNG.

    Parameters
    ----------
    tiles : ndarray of shape (n, height, width) or (n, height, width, 3)
        Values to be mapped to colours, or colours (numbers from 0 to 1, or uint8). NaN is left transparent.
    columns : int, optional
        Of the grid; chosen for a sheet about 16:9 when left out.
    colormap : str
        A name in :data:`COLORMAPS`. ``"signed"`` centres zero: limits become symmetric.
    limits : {"each", "shared"} or (low, high)
        Range of values per tile, over all tiles, or given. The range always reaches down to zero for data ≥ 0, so that
        zero has the same colour in every tile.
    gap : int
        Transparent pixels between tiles.
    caption : int
        More transparent pixels under every tile, for labels drawn there.
    sizes : sequence of float in [0, 1], optional
        Side of each tile relative to its cell (the tile is shrunk and centred).
    min_pixels : int
        Enlarge tiles by a whole number (each pixel a block) until the longer side has this many pixels.

    Raises
    ------
    ValueError
        If the tiles have the wrong shape or there are none.
    """
    from PIL import Image

    tiles = np.asarray(tiles)
    if tiles.ndim not in (3, 4) or (tiles.ndim == 4 and tiles.shape[3] != 3) or 0 in tiles.shape:
        raise ValueError(f"tiles: shape must be (n, height, width) or (n, height, width, 3), not {tiles.shape}")
    n, h, w = tiles.shape[:3]
    columns = columns or max(1, min(n, round(math.sqrt(n * 16 / 9 * (h + gap + caption) / (w + gap)))))
    columns = min(int(columns), n)
    rows = math.ceil(n / columns)
    times = max(1, math.ceil(min_pixels / max(h, w)))
    blocks = to_rgb(tiles) if tiles.ndim == 4 else to_index(tiles, signed=colormap == "signed", limits=limits)
    if times > 1:
        blocks = blocks.repeat(times, axis=1).repeat(times, axis=2)
    h, w = h * times, w * times
    step_y, step_x = h + gap + caption, w + gap
    height, width = rows * step_y - gap, columns * step_x - gap
    colour = blocks.ndim == 4
    canvas = np.full((height, width, 4) if colour else (height, width), 0 if colour else _LEVELS, dtype=np.uint8)
    for i, block in enumerate(blocks):
        if sizes is not None:
            block = _shrunk(block, float(np.clip(sizes[i], 0.0, 1.0)))
        top, left = (i // columns) * step_y, (i % columns) * step_x
        dy, dx = (h - block.shape[0]) // 2, (w - block.shape[1]) // 2
        target = canvas[top + dy : top + dy + block.shape[0], left + dx : left + dx + block.shape[1]]
        if colour:
            target[..., :3], target[..., 3] = block, 255
        else:
            target[...] = block
    buffer = io.BytesIO()
    if colour:
        Image.fromarray(canvas, "RGBA").save(buffer, "PNG", optimize=False, compress_level=6)
    else:
        picture = Image.fromarray(canvas, "P")
        picture.putpalette([*palette(colormap).reshape(-1).tolist(), 255, 255, 255])
        picture.save(buffer, "PNG", transparency=_LEVELS, compress_level=6)
    return Sheet(buffer.getvalue(), width, height, rows, columns, (float(step_y), float(step_x)), (h, w))


def to_index(tiles: Array, *, signed: bool, limits: Limits) -> Array:
    """Return palette positions 0…254 for values, 255 for NaN; see `sheet` for the limits."""
    values = np.asarray(tiles, dtype=float)
    axes = (1, 2) if limits == "each" else None
    if isinstance(limits, tuple):
        low, high = np.array(limits[0], dtype=float), np.array(limits[1], dtype=float)
    else:
        known = np.where(np.isfinite(values), values, 0.0)
        low = np.minimum(known.min(axis=axes, keepdims=axes is not None), 0.0)
        high = np.maximum(known.max(axis=axes, keepdims=axes is not None), 0.0)
    if signed:
        high = np.maximum(np.abs(low), np.abs(high))
        low = -high
    span = high - low
    safe = np.where(span > 0, span, 1.0)
    # A tile without contrast (a dead component) shows the colour of zero, not a random end of the scale.
    level = np.where(span > 0, (values - low) / safe, 0.5 if signed else 0.0)
    index = np.clip(np.nan_to_num(level, nan=0.0) * (_LEVELS - 1), 0, _LEVELS - 1).round().astype(np.uint8)
    index[~np.isfinite(values)] = _LEVELS
    return index


def to_rgb(tiles: Array) -> Array:
    """Return colours as uint8, from uint8 or from numbers between 0 and 1."""
    if tiles.dtype == np.uint8:
        return tiles
    return np.clip(np.nan_to_num(np.asarray(tiles, dtype=float)) * 255, 0, 255).round().astype(np.uint8)


def _shrunk(block: Array, size: float) -> Array:
    # Nearest neighbour: palette positions must not be mixed, and a part keeps its own pixels.
    h, w = max(1, round(block.shape[0] * size)), max(1, round(block.shape[1] * size))
    at_y = np.minimum((np.arange(h) + 0.5) * block.shape[0] / h, block.shape[0] - 1).astype(int)
    at_x = np.minimum((np.arange(w) + 0.5) * block.shape[1] / w, block.shape[1] - 1).astype(int)
    return block[np.ix_(at_y, at_x)]


def encode(picture: Array, *, colormap: str = "gray", limits: Limits = (0.0, 1.0)) -> bytes:
    """Return one picture (height × width values, or height × width × 3 colours) as PNG bytes."""
    return sheet(np.asarray(picture)[None], 1, colormap=colormap, limits=limits).png
