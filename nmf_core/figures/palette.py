"""Colours: one per component in every chart, told apart by colour-blind readers and on light and dark pages."""

from __future__ import annotations

from nmf_core.types import Array

#: The first six are Okabe & Ito's (2008); the others were searched for as far as possible from all before them under
#: normal sight, protanopia and deuteranopia, with a contrast of at least 1.9 to white and to a dark page.
COMPONENT_COLORS = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#d55e00",
    "#cc79a7",
    "#56b4e9",
    "#803b53",
    "#be1506",
    "#8173f0",
    "#b82989",
    "#3245b7",
    "#92c88d",
)
#: Groups that come with the data (species, party …) must not look like components: other, paler hues (after Tol, 2021).
LABEL_COLORS = (
    "#cc6677",
    "#44aa99",
    "#ddaa33",
    "#6b5fd0",
    "#88ccee",
    "#8a8f2a",
    "#aa4499",
    "#2f8f4e",
    "#c8a07a",
    "#5b86a6",
)
OTHER_COLOR = "#8c8c8c"
#: Marker symbols beside the colours, so that groups are told apart without colour.
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "x", "star", "pentagon", "hexagon", "triangle-down")

#: Values from 0 upwards: readable in grey, for all kinds of sight, on light and dark pages.
SEQUENTIAL = "Viridis"
#: Residuals: blue where WH is too small (X − WH > 0), red where it is too large, the page itself where nothing is left.
DIVERGING = (
    (0.0, "rgb(178, 24, 43)"),
    (0.25, "rgba(214, 96, 77, 0.9)"),
    (0.5, "rgba(150, 150, 150, 0.06)"),
    (0.75, "rgba(67, 147, 195, 0.9)"),
    (1.0, "rgb(33, 102, 172)"),
)


def component_color(index: int) -> str:
    """Return the ``#rrggbb`` identity colour of the component at a position, for any number of components.

    The twelve base colours come first; every further dozen repeats them lighter or darker by another amount. All of the
    first 300 differ.
    """
    return _cycled(COMPONENT_COLORS, index)


def component_colors(rank: int) -> tuple[str, ...]:
    """Return `rank` different identity colours."""
    return tuple(component_color(i) for i in range(rank))


def label_color(index: int) -> str:
    """Return the colour of the group at a position (groups are labels of the data, not components)."""
    return _cycled(LABEL_COLORS, index)


def symbol(index: int) -> str:
    """Return the marker symbol of the group at a position."""
    return SYMBOLS[index % len(SYMBOLS)]


def with_alpha(color: str, alpha: float) -> str:
    """Return ``#rrggbb`` as ``rgba(…)`` with an opacity from 0 to 1."""
    r, g, b = _rgb(color)
    return f"rgba({r}, {g}, {b}, {alpha:g})"


def stepped_scale(colors: tuple[str, ...]) -> list[list[object]]:
    """Return a Plotly colour scale that shows the whole numbers 0 … n−1 in the given n flat colours."""
    n = len(colors)
    return [[edge, color] for i, color in enumerate(colors) for edge in (i / n, (i + 1) / n)]


def rgb_array(colors: tuple[str, ...]) -> Array:
    """Return ``#rrggbb`` colours as a uint8 array of shape (n, 3)."""
    import numpy as np

    return np.array([_rgb(color) for color in colors], dtype=np.uint8).reshape(-1, 3)


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _cycled(base: tuple[str, ...], index: int) -> str:
    cycle, position = divmod(int(index), len(base))
    if cycle == 0:
        return base[position]
    # Amounts spread evenly over (0, 1) however many are taken (golden ratio); odd cycles lighter, even ones darker.
    amount = 0.18 + 0.42 * ((cycle * 0.6180339887) % 1.0)
    target = 255 if cycle % 2 else 0
    return "#" + "".join(f"{round(value + (target - value) * amount):02x}" for value in _rgb(base[position]))
