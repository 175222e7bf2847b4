"""Matrices with every number in its cell, side by side: the paper and pencil of the page Learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from nmf_core.figures.palette import DIVERGING
from nmf_core.figures.png import palette
from nmf_core.figures.template import CLEAR, MUTED, axis_id, axis_key
from nmf_core.figures.text import label
from nmf_core.types import Array

#: Numbers are written into the cells up to so many columns; wider ones show signs and tones alone.
READABLE = 12
#: The colour of frames; the frame itself, thick or dashed, says the same without colour.
FRAME = "#d55e00"
_DARK, _LIGHT = "#000000", "#ffffff"
#: Text of a light page; a page that knows its theme gives its own.
INK = "#1c2733"


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """One matrix to draw.

    Attributes
    ----------
    name : str
    values : ndarray of shape (n, m)
        NaN leaves a gap.
    rows, cols : sequence of str
        Names beside and below; empty for none.
    top : float, optional
        Value of the brightest colour; the largest value if left out. Grids that are compared share it.
    signed : bool
        Blue above zero, red below, the page itself at zero.
    frames : tuple of (row, col, rows, cols, kind)
        Cells to frame, from 0; kind ``"entry"`` (thick) or ``"used"`` (dashed).
    row_at : sequence of float, optional
        Where the names of the rows stand; row 0, 1, 2 … if left out.
    tall : float, optional
        Height as a share of the picture; rows as high as those of the tallest grid if left out.
    """

    name: str
    values: Array
    rows: Sequence[str] = ()
    cols: Sequence[str] = ()
    top: float | None = None
    signed: bool = False
    frames: tuple[tuple[float, float, float, float, str], ...] = field(default=())
    row_at: Sequence[float] | None = None
    tall: float | None = None


def draw(
    grids: Sequence[Grid],
    between: Sequence[str],
    *,
    digits: int = 3,
    row_height: int = 34,
    first: int | None = None,
    ink: str = INK,
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return traces and layout of grids side by side: first all heatmaps in order, then their numbers.

    Parameters
    ----------
    grids : sequence of Grid
    between : sequence of str
        A sign to the right of each grid ("≈", "·", "="), or "".
    digits : int
        Significant digits in the cells.
    row_height : int
        Pixels per row of the tallest grid.
    first : int, optional
        So many grids stand on a first line and the others on a second one; all on one line if left out.
    ink : str
        Colour of numbers on cells that let the page through.
    """
    n = max(len(g.values) for g in grids)
    unit = max(
        1.0, max(g.values.shape[1] for g in grids) / 10
    )  # names and signs need the same room however narrow a cell is
    room = [(1.25 if g.rows else 0.35) * unit for g in grids]
    cells = [max(g.values.shape[1], 1.2 * unit) for g in grids]
    after = [0.55 * unit if sign else 0.25 * unit for sign in between]
    lines = [range(len(grids))] if first is None else [range(first), range(first, len(grids))]
    total = max(sum(room[i] + cells[i] + after[i] for i in line) for line in lines)
    layout: dict[str, Any] = {
        "height": len(lines) * (84 + row_height * max(n, 3)),
        "annotations": [],
        "shapes": [],
        "showlegend": False,
        "font": {"size": 13},  # and that of numbers, where their cells have room for it
        "margin": {"t": 34},
    }
    heat: list[dict[str, Any]] = []
    text: list[dict[str, Any]] = []
    band = 1.0 if first is None else 0.4
    for number_of_line, line in enumerate(lines):
        middle = 1 - band / 2 - number_of_line * (1 - band)
        left = 0.0
        for i in line:
            g = grids[i]
            x = [(left + room[i]) / total, (left + room[i] + cells[i]) / total]
            half = band / 2 * (len(g.values) / n if g.tall is None else g.tall)
            y = [max(middle - half, 0.0), min(middle + half, 1.0)]
            heat.append(_heatmap(g, i))
            text += _numbers(g, i, digits, ink)
            layout |= _axes(g, i, x, y)
            layout["annotations"].append(_note(f"<b>{g.name}</b>", sum(x) / 2, y[1], yshift=4, yanchor="bottom"))
            if between[i]:
                at = x[1] + after[i] / 2 / total
                layout["annotations"].append(_note(between[i], at, middle, size=22, color=MUTED))
            layout["shapes"] += [_frame(frame, i) for frame in g.frames]
            left += room[i] + cells[i] + after[i]
    return [*heat, *text], layout


def _heatmap(g: Grid, i: int) -> dict[str, Any]:
    reach = _reach(g)
    return {
        "type": "heatmap",
        "z": g.values.astype(np.float32),
        "xaxis": axis_id("x", i),
        "yaxis": axis_id("y", i),
        "colorscale": [list(stop) for stop in DIVERGING] if g.signed else "Viridis",
        "zmin": -reach if g.signed else 0.0,
        "zmax": reach,
        "showscale": False,
        "xgap": 1,
        "ygap": 1,
        "hoverongaps": False,
        "hovertemplate": f"{label(g.name)}[%{{y}}, %{{x}}] = %{{z:.5g}}<extra></extra>"
        if g.values.shape[1] <= READABLE and g.row_at is None
        else f"{label(g.name)}: %{{z:.5g}}<extra></extra>",
    }


def _reach(g: Grid) -> float:
    known = np.abs(g.values[np.isfinite(g.values)])
    return max(float(known.max()) if known.size else 0.0, 1e-12) if g.top is None else max(g.top, 1e-12)


def _numbers(g: Grid, i: int, digits: int, ink: str) -> list[dict[str, Any]]:
    """Return the numbers as text, each in a colour that can be read on its cell on light and dark pages.

    Where there is no room for numbers, a residual shows its signs: red and blue alone would say nothing to some.
    """
    readable = g.values.shape[1] <= READABLE and g.row_at is None
    if not readable and not g.signed:
        return []
    known = np.isfinite(g.values)
    values = np.where(known, g.values, 0.0)
    share = np.clip(values / _reach(g), -1, 1)
    texts = np.full(values.shape, "", dtype=object)
    for at in zip(*np.nonzero(known), strict=True):
        texts[at] = number(values[at], digits) if readable else ("+" if values[at] > 0 else "−")
    if not readable:
        texts[np.abs(share) <= 0.1] = ""
    if g.signed:  # faint cells let the page through, so their numbers take the page's own text colour
        strong = np.abs(share) > 0.7
        return [_texts(g, i, texts, strong, _LIGHT), _texts(g, i, texts, ~strong, ink)]
    bright = _bright()[np.rint(np.clip(share, 0, 1) * (len(_bright()) - 1)).astype(int)]
    return [_texts(g, i, texts, bright, _DARK), _texts(g, i, texts, ~bright, _LIGHT)]


def _texts(g: Grid, i: int, texts: Array, chosen: Array, color: str) -> dict[str, Any]:
    """Return some of the texts of a grid as a heatmap that is clear: it makes them as large as its cells allow.

    The others stay as blanks of the same length, so that all texts of a grid come out in the same size.
    """
    blank = "\u00a0"
    return {
        "type": "heatmap",
        "z": np.zeros(texts.shape, np.float32),
        "text": [
            [t if m else blank * len(t) for t, m in zip(*row, strict=True)] for row in zip(texts, chosen, strict=True)
        ],
        "texttemplate": "%{text}",
        "textfont": {"color": color},
        "colorscale": [[0, CLEAR], [1, CLEAR]],
        "showscale": False,
        "xaxis": axis_id("x", i),
        "yaxis": axis_id("y", i),
        "hoverinfo": "skip",
    }


def number(value: float, digits: int = 3) -> str:
    """Return a number as it stands in a cell: significant digits, three decimals at most, a real minus sign."""
    if value != 0 and abs(value) < 0.0005:
        return "≈0"
    shown = f"{value:.{digits}f}".rstrip("0").rstrip(".") if abs(value) < 0.1 else f"{value:.{digits}g}"
    if "e" in shown and 1 <= abs(value) < 1e6:
        shown = f"{value:.0f}"
    return shown.replace("-", "−")


@lru_cache(maxsize=1)
def _bright() -> Array:
    """Return for each step of the colour scale whether black is read better on it than white (WCAG contrast)."""
    linear = (palette("viridis") / 255.0) ** 2.2
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722])
    return (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05)


def _axes(g: Grid, i: int, x: list[float], y: list[float]) -> dict[str, Any]:
    n, m = g.values.shape
    ticks = {"showgrid": False, "zeroline": False, "fixedrange": True}
    at = list(range(n)) if g.row_at is None else list(g.row_at)
    square = {} if g.row_at is None else {"constrain": "domain"}  # pixels of pictures
    return {
        axis_key("x", i): {
            "domain": x,
            "anchor": axis_id("y", i),
            "range": [-0.5, m - 0.5],
            "tickvals": list(range(m)),
            "ticktext": [label(c, 14) for c in g.cols],
            "showticklabels": bool(g.cols),
            "tickfont": {"size": 11},
            **square,
            **ticks,
        },
        axis_key("y", i): {
            "domain": y,
            "anchor": axis_id("x", i),
            "range": [n - 0.5, -0.5],
            "tickvals": at,
            "ticktext": [label(r, 14) for r in g.rows],
            "showticklabels": bool(g.rows),
            "tickfont": {"size": 11},
            **square,
            **({"scaleanchor": axis_id("x", i)} if square else {}),
            **ticks,
        },
    }


def _frame(frame: tuple[float, float, float, float, str], i: int) -> dict[str, Any]:
    row, col, rows, cols, kind = frame
    line = {"color": FRAME, "width": 4} if kind == "entry" else {"color": FRAME, "width": 2, "dash": "dot"}
    return {
        "type": "rect",
        "xref": axis_id("x", i),
        "yref": axis_id("y", i),
        "x0": col - 0.5,
        "x1": col + cols - 0.5,
        "y0": row - 0.5,
        "y1": row + rows - 0.5,
        "line": line,
    }


def _note(
    text: str, x: float, y: float, *, yshift: int = 0, size: int = 13, yanchor: str = "middle", color: str = ""
) -> dict[str, Any]:
    return {
        "text": text,
        "x": x,
        "y": y,
        "xref": "paper",
        "yref": "paper",
        "showarrow": False,
        "yshift": yshift,
        "xanchor": "center",
        "yanchor": yanchor,
        "font": {"size": size, **({"color": color} if color else {})},
    }
