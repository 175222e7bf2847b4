"""A few pictures at full size, side by side under headings."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.figures.png import Limits, sheet, to_rgb, uri
from nmf_core.figures.template import GRID, figure
from nmf_core.figures.text import label
from nmf_core.types import Array

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

#: PNG bytes beyond which a photograph is sent as WebP of high quality instead; numbers never come from that.
HEAVY = 120_000
#: Pixels of page that a figure is planned for, and those of a narrow page.
WIDE, NARROW = 920, 660
#: Pixels of a picture's width at least, where there is room.
LEAST = 150


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One picture.

    Attributes
    ----------
    title, subtitle : str
        Above the picture; escaped when drawn.
    picture : ndarray of shape (height, width) or (height, width, 3)
        All panels of a figure have the same height and width.
    colormap : str
    limits : see `nmf_core.figures.png.sheet`
    """

    title: str
    picture: Array
    colormap: str = "gray"
    limits: Limits = (0.0, 1.0)
    subtitle: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Panels:
    """Pictures of the same size side by side.

    Attributes
    ----------
    panels : tuple of Panel
    told : str
        What they show, for `describe`.
    frame : DataFrame
        The numbers behind them.
    columns : int, optional
    most : int
        Height of the figure in pixels at most.
    """

    panels: tuple[Panel, ...]
    told: str
    frame: pd.DataFrame
    columns: int | None = None
    most: int = 720

    def build(self) -> go.Figure:
        """Return the figure."""
        n = len(self.panels)
        height, width = self.panels[0].picture.shape[:2]
        columns = min(n, self.columns or n)
        rows = -(-n // columns)
        gap = 0.05 * width
        # Room for two lines of text above each picture, in units of the picture: also where the page is half as wide.
        total = columns * (width + gap) - gap
        # Small pictures are drawn large enough for the headings above them to stand side by side.
        scale = min(WIDE / total, self.most / (rows * height * 1.15), max(6.0, LEAST / width))
        head = 42 / (scale if rows == 1 else min(scale, NARROW / total))
        images, texts, frames = [], [], []
        for i, panel in enumerate(self.panels):
            row, column = divmod(i, columns)
            x, y = column * (width + gap), row * (height + head) + head
            images.append(
                {
                    "source": source(panel),
                    "xref": "x",
                    "yref": "y",
                    "x": x,
                    "y": y,
                    "sizex": width,
                    "sizey": height,
                    "sizing": "stretch",
                    "layer": "below",
                }
            )
            # White pictures on a white page, black ones on a dark page: a thin frame says where they end.
            frames.append(
                {
                    "type": "rect",
                    "x0": x,
                    "x1": x + width,
                    "y0": y,
                    "y1": y + height,
                    "line": {"color": GRID, "width": 1},
                    "layer": "above",
                }
            )
            second = f'<br><span style="font-size:12px">{label(panel.subtitle, 60)}</span>' if panel.subtitle else ""
            texts.append(
                {
                    "text": f"<b>{label(panel.title, 50)}</b>{second}",
                    "x": x,
                    "y": y - 4 / scale,
                    "xanchor": "left",
                    "yanchor": "bottom",
                    "align": "left",
                    "showarrow": False,
                    "font": {"size": 13},
                }
            )
        layout: dict[str, Any] = {
            "height": int(rows * (height + head) * scale + 12),
            "margin": {"l": 0, "r": 0, "t": 4, "b": 4},
            "showlegend": False,
            "xaxis": {"visible": False, "range": [0, total], "constrain": "domain", "constraintoward": "left"},
            "yaxis": {
                "visible": False,
                "range": [rows * (height + head), 0],
                "scaleanchor": "x",
                "constrain": "domain",
                "constraintoward": "top",
            },
            "images": images,
            "shapes": frames,
            "annotations": texts,
        }
        return figure([], layout)

    def describe(self) -> str:
        """Return what the pictures show."""
        return self.told

    def table(self) -> pd.DataFrame:
        """Return the numbers behind the pictures."""
        return self.frame


def source(panel: Panel) -> str:
    """Return a panel's picture as a data URI: PNG, or WebP where that would be heavy."""
    picture = np.asarray(panel.picture)
    if picture.ndim == 3 and picture.size > HEAVY:
        return webp(to_rgb(picture))
    small = max(picture.shape[:2]) <= 34
    png = sheet(
        picture[None],
        1,
        colormap=panel.colormap,
        limits=panel.limits,
        min_pixels=240 if small else 0,  # small pictures keep their square pixels instead of a blur
    ).png
    return uri(png) if len(png) <= HEAVY else webp_of_png(png)


def webp_of_png(png: bytes) -> str:
    """Return a PNG as a WebP data URI, transparency kept; of the highest quality that is not heavy."""
    from PIL import Image

    return webp(np.asarray(Image.open(io.BytesIO(png)).convert("RGBA")))


def webp(picture: Array) -> str:
    """Return a colour picture (uint8, with or without transparency) as a WebP data URI."""
    from PIL import Image

    image = Image.fromarray(picture)
    buffer = io.BytesIO()
    for quality in (94, 80, 50, 20):
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=quality, method=2)
        if buffer.tell() <= 2 * HEAVY or (quality < 94 and buffer.tell() <= 4 * HEAVY):
            break
    return uri(buffer.getvalue(), "image/webp")
