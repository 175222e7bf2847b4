"""Pictures as a sheet of tiles that can be chosen: parts, samples, pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.figures.component_tiles import tile_figure
from nmf_core.figures.images_panels import webp_of_png
from nmf_core.figures.png import Limits, sheet
from nmf_core.figures.template import note
from nmf_core.figures.text import label
from nmf_core.types import Array

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

#: Tiles drawn at most; more would send too much and show too little.
MOST = 144
ACCENT = "#e69f00"
#: Pixels that a chart across the whole page has at most.
WIDE = 920
#: Pixels that all tiles together may have (larger ones are averaged), and bytes beyond which a sheet goes as WebP.
PIXELS, HEAVY = 700_000, 300_000


@dataclass(frozen=True, slots=True, eq=False)
class PictureTiles:
    """Pictures side by side, a caption under each.

    Attributes
    ----------
    pictures : ndarray of shape (n, height, width) or (n, height, width, 3)
    captions, hover : sequence of str
        One per picture; from a file perhaps, they are escaped here. Empty: none.
    told : str
        What the picture shows, for `describe`.
    frame : DataFrame
        The numbers behind it, for `table`.
    colors : sequence of str
        A coloured square before each caption; empty: none.
    columns : int, optional
    colormap : str
        See `nmf_core.figures.png.COLORMAPS`.
    limits : see `nmf_core.figures.png.sheet`
    sizes : sequence of float in [0, 1]
        Side of each tile relative to its cell; empty: all full.
    chosen : tuple of int
        Tiles with a frame.
    title : str
    side : int
        Pixels of a tile's longer side at least.

    Notes
    -----
    A click gives ``customdata = position of the tile``.
    """

    pictures: Array
    captions: Sequence[str]
    told: str
    frame: pd.DataFrame
    hover: Sequence[str] = ()
    colors: Sequence[str] = ()
    columns: int | None = None
    colormap: str = "gray"
    limits: Limits = "each"
    sizes: Sequence[float] | Array = ()
    chosen: tuple[int, ...] = field(default=())
    title: str = ""
    side: int = 72

    def build(self) -> go.Figure:
        """Return the figure."""
        pictures = self.pictures[:MOST]
        n = len(pictures)
        if n == 0:
            return note(self.told)
        pictures = lighter(pictures)
        if pictures.ndim == 4 and pictures.dtype != np.uint8:
            # Colours above 1 (parts, say) are brought into range together, or one by one.
            axes = (1, 2, 3) if self.limits == "each" else None
            peak = np.nanmax(pictures, axis=axes, keepdims=axes is not None)
            pictures = pictures / np.maximum(peak, 1.0 if self.limits != "each" else 1e-12)
        columns = min(n, self.columns or _columns(n, pictures.shape[2] / pictures.shape[1]))
        drawn = sheet(
            pictures,
            columns,
            colormap=self.colormap,
            limits=self.limits,
            gap=8,
            caption=self._caption_height(pictures),
            sizes=self.sizes if len(self.sizes) else None,
            min_pixels=self.side,
        )
        width = max(8, 100 // columns)
        texts = [label(text, width) if text else "" for text in self.captions[:n]] or [""] * n
        if self.colors:
            texts = [f'<span style="color:{c}">■</span> {t}' for c, t in zip(self.colors, texts, strict=False)]
        hover = [label(text, 120) for text in (self.hover or self.captions)[:n]] or [""] * n
        built = tile_figure(drawn, texts, hover, np.arange(n), columns, title=self._title())
        built.layout.height = int(
            24 + 40 * bool(self._title()) + drawn.rows * drawn.pitch[0] * min(1.0, WIDE / drawn.width)
        )
        built.layout.xaxis.update(range=[-4, drawn.width + 4], constrain="domain", constraintoward="left")
        built.layout.yaxis.update(range=[drawn.rows * drawn.pitch[0], -4], constraintoward="top")
        if len(drawn.png) > HEAVY:
            built.layout.images[0].source = webp_of_png(drawn.png)
        height, width_px = drawn.cell
        shapes: list[dict[str, Any]] = []
        for i in self.chosen:
            if i < n:
                x, y = drawn.center(i)
                shapes.append(
                    {
                        "type": "rect",
                        "x0": x - width_px / 2 - 3,
                        "x1": x + width_px / 2 + 3,
                        "y0": y - height / 2 - 3,
                        "y1": y + height / 2 + 3,
                        "line": {"color": ACCENT, "width": 3},
                    }
                )
        if shapes:
            built.layout.shapes = shapes
        return built

    def describe(self) -> str:
        """Return what the tiles show."""
        return self.told

    def table(self) -> pd.DataFrame:
        """Return the numbers behind the tiles."""
        return self.frame

    def _caption_height(self, pictures: Array) -> int:
        if not len(self.captions):
            return 2
        longest = max(self.side, *pictures.shape[1:3])
        return max(4, round(0.24 * longest))

    def _title(self) -> str:
        if len(self.pictures) > MOST:
            return f"{self.title} · the first {MOST} of {len(self.pictures):,}".lstrip(" ·")
        return self.title


def _columns(n: int, aspect: float) -> int:
    if n <= 6:
        return n
    return min(n, max(6, min(16, round((n * 2.4 / aspect) ** 0.5))))


def lighter(pictures: Array) -> Array:
    """Return the pictures with square blocks of pixels averaged, if they are larger than a sheet of tiles can show."""
    n, height, width = pictures.shape[:3]
    times = math.ceil(math.sqrt(n * height * width / PIXELS))
    if times <= 1:
        return pictures
    high, wide = max(1, height // times), max(1, width // times)
    tall, broad = min(times, height), min(times, width)
    cut = np.asarray(pictures, dtype=np.float64)[:, : high * tall, : wide * broad]
    blocks = cut.reshape(n, high, tall, wide, broad, *pictures.shape[3:]).mean(axis=(2, 4))
    return blocks.round().astype(np.uint8) if pictures.dtype == np.uint8 else blocks


def pairs(left: Array, right: Array, gap: int = 1) -> Array:
    """Return pictures put side by side two by two, with a white line between: (n, height, 2·width + gap)."""
    high = 1.0 if left.dtype != np.uint8 else 255
    shape = (*left.shape[:2], gap, *left.shape[3:])
    return np.concatenate([left, np.full(shape, high, dtype=left.dtype), right], axis=2)
