"""Blocks of several methods side by side, and under each how much of it one picture holds (Lee & Seung 1999, Figure 1)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.comparison.rivals import below
from nmf_core.figures.compare_methods import names_of
from nmf_core.figures.grey import EMPTY, emptiness, evened, grey
from nmf_core.figures.images_panels import webp_of_png
from nmf_core.figures.images_tiles import lighter
from nmf_core.figures.png import sheet, uri
from nmf_core.figures.template import LINE, figure
from nmf_core.figures.text import label, plain
from nmf_core.types import Array
from nmf_core.wording import percent

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

#: Blocks drawn of each method, and up to how many each has its name below it.
MOST, CAPTIONED = 81, 12
#: Pixels of page a figure is planned for, and bytes beyond which a sheet goes as WebP.
WIDE, HEAVY = 940, 160_000


@dataclass(frozen=True, slots=True, eq=False)
class MethodBlocks:
    """One figure for all methods, so that all blocks have one size.

    Attributes
    ----------
    methods : tuple of methods
    cell_shape : tuple of int
        Channels beyond height and width are averaged.
    row : int
        The picture whose codes stand below the blocks.
    titles : mapping of method name to what people read
    names, colors : mapping of method name to the names and colours of its components, optional
    slots : int
        Methods there is room for: figures below each other have blocks of one size.
    """

    methods: tuple[Any, ...]
    cell_shape: tuple[int, ...]
    row: int
    titles: Mapping[str, str]
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    colors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    slots: int = 0

    def build(self) -> go.Figure:
        """Return the figure."""
        most = max(min(len(m.parts), MOST) for m in self.methods)
        columns, few = math.ceil(math.sqrt(most)), most <= CAPTIONED
        images: list[dict[str, Any]] = []
        texts: list[dict[str, Any]] = []
        points: list[dict[str, Any]] = []
        shapes: list[dict[str, Any]] = []
        left = height = 0.0
        for method in self.methods:
            blocks = lighter(grey(method.parts[:MOST], self.cell_shape))
            signed = bool((blocks < -1e-9 * np.abs(blocks).max()).any())  # beyond the rounding of k-means
            scaled, flat = evened(blocks, signed)
            side = 44
            caption = round(0.34 * max(side, *blocks.shape[1:])) if few else 0
            drawn = sheet(
                scaled,
                columns,
                colormap="signed" if signed else "gray",
                limits=(-1.0, 1.0) if signed else (0.0, 1.0),
                gap=max(2, round(0.05 * max(side, *blocks.shape[1:]))),
                caption=caption,
                min_pixels=side,
            )
            if not images:  # all sheets are alike: the first one gives the measures
                wide = columns * drawn.pitch[1]
                gap = 0.08 * wide
                tall = math.ceil(most / columns) * drawn.pitch[0]
                slots = max(self.slots, len(self.methods))
                per_pixel = (slots * (wide + gap) - gap) / WIDE
                head, between = 44 * per_pixel, 40 * per_pixel
                squares = 0.5  # codes are drawn half as large as blocks
                height = head + tall + between + squares * tall
            code = self._code(method)[: len(blocks)]
            top = float(np.abs(code).max()) or 1.0
            # What the picture does not hold is left open: white would shine on a dark page.
            held = np.where(np.abs(code) > EMPTY * top, code / top, np.nan)
            flat_tiles = np.broadcast_to(held[:, None, None], (len(code), 2, 2))
            small = sheet(flat_tiles, columns, colormap="signed", limits=(-1.0, 1.0), gap=1, min_pixels=8)
            images.append(_image(drawn.png, left, head, drawn.width, drawn.height))
            under = head + tall + between
            pitch = squares * wide / columns
            images.append(
                _image(
                    small.png, left, under, small.width / small.pitch[1] * pitch, small.height / small.pitch[0] * pitch
                )
            )
            rows = math.ceil(len(code) / columns)
            frame = {"x0": left, "x1": left + columns * pitch, "y0": under, "y1": under + rows * pitch}
            shapes.append({"type": "rect", "line": {"color": LINE, "width": 1}, **frame})
            height = max(height, under + rows * pitch)
            texts.append(
                _text(f"<b>{label(self.titles.get(method.name, method.name), 48)}</b>", left, head - 24 * per_pixel)
            )
            texts.append(
                _text(
                    f"{percent(emptiness(blocks), 2)} empty · error {percent(method.error)}",
                    left,
                    head - 6 * per_pixel,
                    12,
                )
            )
            texts.append(
                _text(f"the picture uses {self._used(method)} of {len(method.parts)}", left, under - 6 * per_pixel, 12)
            )
            names = names_of(self.names, method)[: len(blocks)]
            points += self._points(method, drawn, left, head, names, code, flat)
            if few:
                chars = max(4, int(drawn.pitch[1] / per_pixel / 6.2) - 2)
                texts += self._captions(method, drawn, left, head, names, chars)
            left += wide + gap
        total = slots * (wide + gap) - gap
        return figure(
            points,
            {
                "height": int(height / per_pixel) + 10,
                "showlegend": False,
                "margin": {"l": 0, "r": 0, "t": 2, "b": 4},
                "images": images,
                "annotations": texts,
                "shapes": shapes,
                "xaxis": {
                    "visible": False,
                    "range": [0, total],
                    "constrain": "domain",
                    "constraintoward": "left",
                    "fixedrange": True,
                },
                "yaxis": {
                    "visible": False,
                    "range": [height, 0],
                    "scaleanchor": "x",
                    "constrain": "domain",
                    "constraintoward": "top",
                    "fixedrange": True,
                },
            },
        )

    def describe(self) -> str:
        """Return what the picture shows, in words."""
        told = []
        for method in self.methods:
            blocks = grey(method.parts, self.cell_shape)
            negative = below(method.parts)
            sign = f"{percent(negative, 2)} of their pixels are negative" if negative else "nothing in them is negative"
            told.append(
                f"{plain(method.name)}: {len(blocks)} blocks, {percent(emptiness(blocks), 2)} of their pixels empty, {sign}; "
                f"the picture holds {self._used(method)} of them"
            )
        return f"Blocks that each method builds pictures from. {'. '.join(told)}."

    def table(self) -> pd.DataFrame:
        """Return one row per block: how much of it is empty or negative, and how much of it the picture holds."""
        import pandas as pd

        frames = []
        for method in self.methods:
            blocks = grey(method.parts, self.cell_shape)
            size = np.maximum(np.abs(blocks).max(axis=(1, 2), keepdims=True), 1e-300)
            frames.append(
                pd.DataFrame(
                    {
                        "method": method.name,
                        "block": names_of(self.names, method),
                        "empty pixels": (np.abs(blocks) < EMPTY * size).mean(axis=(1, 2)),
                        "negative pixels": (method.parts < -1e-9 * np.abs(method.parts).max()).mean(axis=1),
                        "amount in the picture": self._code(method),
                    }
                )
            )
        return pd.concat(frames, ignore_index=True)

    def _code(self, method: Any) -> Array:
        """Return how much of each block the picture holds: amount × length of the block."""
        return np.asarray(method.codes[self.row] * np.linalg.norm(method.parts, axis=1), dtype=float)

    def _used(self, method: Any) -> int:
        """Return how many blocks the picture holds, those that are not drawn included."""
        code = np.abs(self._code(method))
        return int((code > EMPTY * (float(code.max()) or 1.0)).sum())

    def _points(
        self, method: Any, drawn: Any, left: float, head: float, names: list[str], code: Array, flat: Array
    ) -> list[dict[str, Any]]:
        centers = drawn.centers(len(names))
        told = [
            f"{label(method.name)} {label(name, 60)}{': the same everywhere' if f else ''}<br>the picture holds {c:.4g}"
            for name, c, f in zip(names, code, flat, strict=True)
        ]
        return [
            {
                "type": "scatter",
                "mode": "markers",
                "x": (left + centers[:, 0]).astype(np.float32),
                "y": (head + centers[:, 1]).astype(np.float32),
                "marker": {"symbol": "square", "size": 30, "opacity": 0},
                "text": told,
                "hovertemplate": "%{text}<extra></extra>",
                "name": label(method.name),
            }
        ]

    def _captions(
        self, method: Any, drawn: Any, left: float, head: float, names: list[str], chars: int
    ) -> list[dict[str, Any]]:
        colors = self.colors.get(method.name)
        out = []
        for k, name in enumerate(names):
            x, y = drawn.center(k)
            name = name.split(" ≈ ")[0] if method is not self.methods[0] else name  # its colour says what it is like
            square = f'<span style="color:{colors[k]}">■</span> ' if colors else ""
            text = _text(square + label(name, chars), left + x, head + y + drawn.cell[0] / 2, 10)
            out.append(text | {"xanchor": "center", "yanchor": "top"})
        return out


def _image(png: bytes, x: float, y: float, width: float, height: float) -> dict[str, Any]:
    source = webp_of_png(png) if len(png) > HEAVY else uri(png)
    where = {"x": x, "y": y, "sizex": width, "sizey": height}
    return {"source": source, "xref": "x", "yref": "y", "sizing": "stretch", "layer": "below", **where}


def _text(text: str, x: float, y: float, size: int = 14) -> dict[str, Any]:
    anchors = {"xanchor": "left", "yanchor": "bottom", "showarrow": False}
    return {"text": text, "x": x, "y": y, "font": {"size": size}, **anchors}
