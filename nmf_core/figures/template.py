"""The Plotly template "nmf", and the one function through which every figure is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from nmf_core.figures.palette import COMPONENT_COLORS, DIVERGING, SEQUENTIAL

if TYPE_CHECKING:
    import plotly.graph_objects as go

NAME = "nmf"
CLEAR = "rgba(0,0,0,0)"
#: Greys that are seen on white and on a dark page alike.
GRID, LINE, MUTED = "rgba(128,128,128,0.22)", "rgba(128,128,128,0.55)", "rgb(128,128,128)"
SMALL = 11
FONT = "Source Sans, Source Sans Pro, Segoe UI, Helvetica, Arial, sans-serif"


@lru_cache(maxsize=1)
def template() -> go.layout.Template:
    """Return the template, registered with Plotly as ``"nmf"`` on first use.

    Papers and plots are transparent, grids are grey with an opacity: the same figure works on a light and on a dark
    page. Only the default text colour is fixed, for exports; a page's theme replaces it.
    """
    import plotly.graph_objects as go
    import plotly.io as pio

    axis = {
        "gridcolor": GRID,
        "linecolor": LINE,
        "zerolinecolor": LINE,
        "zerolinewidth": 1,
        "ticks": "",
        "automargin": True,
        "title": {"standoff": 8},
    }
    pio.templates[NAME] = go.layout.Template(
        layout={
            "paper_bgcolor": CLEAR,
            "plot_bgcolor": CLEAR,
            "colorway": list(COMPONENT_COLORS),
            "colorscale": {"sequential": SEQUENTIAL, "diverging": [list(stop) for stop in DIVERGING]},
            "font": {"family": FONT, "size": 13, "color": "#31333f"},
            "title": {"x": 0, "xanchor": "left", "xref": "paper", "font": {"size": 15}},
            "margin": {"l": 10, "r": 10, "t": 44, "b": 10},
            "hovermode": "closest",
            "hoverlabel": {"align": "left"},
            "legend": {
                "orientation": "h",
                "x": 0,
                "xanchor": "left",
                "y": -0.12,
                "yanchor": "top",
                "title": {"text": ""},
            },
            # Plotly turns crowded names to run down to the right and then drops those that leave the figure: ours run
            # up to their tick from the left, and the margin makes room for whatever stands over an edge.
            "xaxis": {**axis, "autotickangles": [0, -35, -90], "ticklabeloverflow": "allow"},
            "yaxis": {**axis, "ticklabeloverflow": "allow"},
        }
    )
    return pio.templates[NAME]


def figure(data: Iterable[Mapping[str, Any]], layout: Mapping[str, Any]) -> go.Figure:
    """Build a figure from plain dictionaries, with our template whatever Plotly's default has become.

    Importing Streamlit swaps Plotly's default template for placeholder colours that only its front end understands; the
    template is therefore put into every figure. Dictionaries in one call are several times quicker than the
    ``update_*`` methods and ``make_subplots``, and without Plotly's validation of every field ten times quicker again;
    the tests validate all figures instead.
    """
    import plotly.graph_objects as go

    return go.Figure(data=list(data), layout={**layout, "template": template()}, _validate=False)


def titled(title: str, notes: Iterable[str] = ()) -> dict[str, Any]:
    """Return the layout of a title with notes in small type on a line of their own, and the margin it needs.

    A note on the same line would be cut off where a chart fills half a page.
    """
    said = [text for text in notes if text]
    if not said:
        return {"title": {"text": title}}
    return {"title": {"text": f"{title}<br><sup>{' · '.join(said)}</sup>"}, "margin": {"t": 58}}


def inked(made: go.Figure, color: str) -> go.Figure:
    """Set the colour of all text of a figure that has none of its own, and return the figure.

    Streamlit's theme writes text in a pale grey that is too faint on tinted bars; a page that knows whether it is light
    or dark gives its own text colour here.
    """
    # The raw layout: update_layout would take longer than building the whole figure.
    layout = made._layout
    _set(layout, ("font",), color)
    _set(layout, ("legend", "font"), color)
    _set(layout, ("legend", "title", "font"), color)
    for key, axis in layout.items():
        if key[:5] in ("xaxis", "yaxis") and axis.get("visible", True) and axis.get("showticklabels", True):
            _set(axis, ("tickfont",), color)
            _set(axis, ("title", "font"), color)
    return made


def _set(node: dict[str, Any], path: tuple[str, ...], color: str) -> None:
    for name in path:
        node = node.setdefault(name, {})
    node.setdefault("color", color)


def grid_domains(
    n: int, columns: int, *, gap_x: float = 0.04, gap_y: float = 0.1
) -> list[tuple[list[float], list[float]]]:
    """Return the (x, y) domains of n small multiples, row by row from the top left.

    `gap_x` and `gap_y` are shares of the width of one column and of the height of one row.
    """
    columns = max(1, min(columns, n))
    rows = -(-n // columns)
    width, height = 1 / columns, 1 / rows
    domains = []
    for i in range(n):
        r, c = divmod(i, columns)
        x0 = c * width + (gap_x * width / 2 if columns > 1 else 0)
        x1 = (c + 1) * width - (gap_x * width / 2 if columns > 1 else 0)
        domains.append(([x0, x1], [max(0.0, 1 - (r + 1) * height), 1 - r * height - gap_y * height]))
    return domains


def axis_id(letter: str, i: int) -> str:
    """Return ``x``, ``x2``, ``x3`` … for i = 0, 1, 2 …"""
    return letter if i == 0 else f"{letter}{i + 1}"


def axis_key(letter: str, i: int) -> str:
    """Return the layout key ``xaxis``, ``xaxis2`` … for i = 0, 1, 2 …"""
    return f"{letter}axis" if i == 0 else f"{letter}axis{i + 1}"


def note(text: str, *, height: int = 160) -> go.Figure:
    """Return an empty figure that says, in its middle, why there is nothing to draw."""
    hidden = {"visible": False}
    return figure(
        [],
        {
            "height": height,
            "xaxis": hidden,
            "yaxis": hidden,
            "annotations": [{"text": text, "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper", "showarrow": False}],
        },
    )
