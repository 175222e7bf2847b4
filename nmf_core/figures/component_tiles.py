"""Components that are pictures, as one sheet of tiles."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nmf_core.components import Parts
from nmf_core.figures.aggregate import block_sizes, block_starts
from nmf_core.figures.png import Sheet, sheet
from nmf_core.figures.template import figure
from nmf_core.figures.text import count, label, percent
from nmf_core.types import Array, Dataset

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

#: Tiles drawn at most, and pixels of data in all of them.
TILES, PIXELS = 100, 420_000


@dataclass(frozen=True, slots=True, eq=False)
class ComponentTiles:
    """Every row of H as a picture; zero is empty, dark is much (or the other way round on request).

    Attributes
    ----------
    dataset : Dataset
        With a ``cell_shape`` of (height, width) or (height, width, 3).
    parts : Parts
    columns : int, optional
    colormap : str
        A name in `nmf_core.figures.png.COLORMAPS`: ``"ink"`` (dark on white), ``"gray"`` (bright on black), …
    limits : {"each", "shared"}
        Each picture uses the full range of tones, or all share one range.

    Notes
    -----
    A click gives ``customdata = fitted position of the component``.
    """

    dataset: Dataset
    parts: Parts
    columns: int | None = None
    colormap: str = "ink"
    limits: Literal["each", "shared"] = "each"

    def build(self) -> go.Figure:
        """Return the figure."""
        parts = self._parts()
        tiles, coarser = light(cells(parts.H, self.dataset.cell_shape))
        if tiles.ndim == 4:  # colours: bring the brightest value to 1
            peak = tiles.max(axis=(1, 2, 3), keepdims=True) if self.limits == "each" else tiles.max()
            tiles = tiles / np.where(peak > 0, peak, 1)
        columns = self.columns or _columns(parts.rank, tiles.shape[2] / tiles.shape[1])
        side = 96 if parts.rank <= 30 else 64
        caption = max(4, round(0.24 * max(side, tiles.shape[1])))
        drawn = sheet(
            tiles,
            columns,
            colormap=self.colormap,
            limits=self.limits,
            gap=8,
            caption=caption,
            min_pixels=side,
        )
        texts = [
            f'<span style="color:{parts.colors[k]}">■</span> {label(parts.names[k], max(10, 96 // columns))}'
            for k in range(parts.rank)
        ]
        shares = [percent(max(float(share), 0.0)) for share in parts.share]
        hover = [f"{label(name)}<br>explains {share} alone" for name, share in zip(parts.names, shares, strict=True)]
        return tile_figure(drawn, texts, hover, parts.index, columns, notes=[coarser], title=self._title())

    def describe(self) -> str:
        """Say how many pictures there are, of which size, and how much of them is empty."""
        parts, shape = self.parts.visible(), self.dataset.cell_shape or ()
        peak = parts.H.max(axis=1, keepdims=True)
        empty = float(np.mean(0.01 * np.where(peak > 0, peak, 1) >= parts.H))
        return (
            f"{count(parts.rank, 'component')} as pictures of {' × '.join(map(str, shape))} pixels. On average "
            f"{percent(empty)} of a picture is empty (below a hundredth of its largest value)."
        )

    def table(self) -> pd.DataFrame:
        """Return one row per pixel and one column per component."""
        import pandas as pd

        parts = self.parts.visible()
        frame = pd.DataFrame(parts.H.T, columns=list(parts.names))
        frame.insert(0, "pixel", self.dataset.cols, allow_duplicates=True)
        return frame

    def _parts(self) -> Parts:
        parts = self.parts.visible()
        return parts if parts.rank <= TILES else parts.take(range(TILES))

    def _title(self) -> str:
        rank = self.parts.visible().rank
        return f"The first {TILES} of {rank} components" if rank > TILES else ""


def cells(rows: Array, cell_shape: tuple[int, ...] | None) -> Array:
    """Return rows as pictures of shape (n, height, width) or (n, height, width, 3).

    Raises
    ------
    ValueError
        If the shape is missing or does not fit the number of features.
    """
    shape = tuple(cell_shape or ())
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] not in (1, 3)):
        raise ValueError(f"cell_shape: pictures need (height, width) or (height, width, 3), not {cell_shape}")
    if int(np.prod(shape)) != rows.shape[1]:
        raise ValueError(f"cell_shape: {' × '.join(map(str, shape))} does not make {rows.shape[1]} features")
    if len(shape) == 3 and shape[2] == 1:
        shape = shape[:2]
    return np.asarray(rows).reshape(-1, *shape)


def light(tiles: Array) -> tuple[Array, str]:
    """Average blocks of pixels until a sheet of all tiles stays below the limit of a figure, and say so.

    The worst picture for PNG is noise: about one byte a pixel (three in colour), a third more on the wire.
    """
    n, height, width = tiles.shape[:3]
    most = PIXELS // (3 if tiles.ndim == 4 else 1)
    times = max(1, math.ceil(math.sqrt(n * height * width / most)))
    if times == 1:
        return tiles, ""
    rows, columns = block_starts(height, -(-height // times)), block_starts(width, -(-width // times))
    sums = np.add.reduceat(np.add.reduceat(tiles, rows, axis=1), columns, axis=2)
    count = np.outer(block_sizes(rows, height), block_sizes(columns, width))
    means = sums / (count[None, :, :, None] if tiles.ndim == 4 else count)
    return means, f"{height} × {width} pixels shown as {len(rows)} × {len(columns)} averages"


def tile_figure(
    drawn: Sheet,
    texts: list[str],
    hover: list[str],
    customdata: Any,
    columns: int,
    *,
    title: str = "",
    notes: Iterable[str] = (),
) -> go.Figure:
    """Return a figure of a sheet with a caption under, and a transparent point over, every tile."""
    n = len(texts)
    centers = drawn.centers(n)
    below = centers[:, 1] + 0.53 * drawn.cell[0]
    size = 12 if columns <= 8 else 10
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "x": centers[:, 0].astype(np.float32),
            "y": below.astype(np.float32),
            "mode": "text",
            "text": texts,
            "textposition": "bottom center",
            "textfont": {"size": size},
            "cliponaxis": False,
            "hoverinfo": "skip",
            "name": "captions",
        },
        {
            "type": "scatter",
            "x": centers[:, 0].astype(np.float32),
            "y": centers[:, 1].astype(np.float32),
            "mode": "markers",
            "marker": {"symbol": "square", "size": 40, "opacity": 0},
            "selected": {"marker": {"opacity": 0}},
            "unselected": {"marker": {"opacity": 0}},
            "customdata": np.asarray(customdata),
            "text": hover,
            "hovertemplate": "%{text}<extra></extra>",
            "name": "tiles",
        },
    ]
    height = drawn.rows * drawn.pitch[0]
    layout: dict[str, Any] = {
        "height": int(min(900, max(170, height * min(1.0, 1000 / drawn.width) + 20))),
        "showlegend": False,
        "margin": {"l": 0, "r": 0, "t": 6, "b": 6},
        "xaxis": {"visible": False, "range": [0, drawn.width], "fixedrange": True},
        "yaxis": {
            "visible": False,
            "range": [height, 0],
            "scaleanchor": "x",
            "constrain": "domain",
            "fixedrange": True,
        },
        "images": [
            {
                "source": drawn.uri,
                "xref": "x",
                "yref": "y",
                "x": 0,
                "y": 0,
                "sizex": drawn.width,
                "sizey": drawn.height,
                "sizing": "stretch",
                "layer": "below",
            }
        ],
    }
    said = " · ".join(text for text in (title, *notes) if text)
    if said:
        layout["title"] = {"text": f"<sup>{said}</sup>"}
        layout["margin"]["t"] = 34
        layout["height"] += 28
    return figure(data, layout)


def _columns(n: int, aspect: float) -> int:
    """Return how many tiles stand side by side: few large ones, or a wide sheet for many."""
    if n <= 6:
        return n
    return min(n, max(5, min(12, round((n * 2.2 / aspect) ** 0.5))))
