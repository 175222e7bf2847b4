"""Lines of several methods over one quantity: rank, time, level of corruption."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nmf_core.figures.palette import component_color
from nmf_core.figures.template import figure
from nmf_core.figures.text import label, plain

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
_SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "x", "star")


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """A value against another, one line per group; told apart by colour, dash and symbol.

    Attributes
    ----------
    frame : DataFrame
        In long form.
    x, y, group : str
        Columns of it.
    percent : bool
        y is a share.
    log : bool
        Logarithmic y.
    markers : bool
    """

    frame: pd.DataFrame
    x: str
    y: str
    group: str
    percent: bool = False
    log: bool = False
    markers: bool = True

    def build(self) -> go.Figure:
        """Return the figure."""
        traces = []
        for i, (name, part) in enumerate(self.frame.groupby(self.group, sort=False)):
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines+markers" if self.markers else "lines",
                    "name": label(name, 40),
                    "x": part[self.x].to_numpy(float),
                    "y": part[self.y].to_numpy(float),
                    "line": {"color": component_color(i), "dash": _DASHES[i % len(_DASHES)], "width": 2.2},
                    "marker": {"symbol": _SYMBOLS[i % len(_SYMBOLS)], "size": 8},
                }
            )
        return figure(
            traces,
            {
                "height": 380,
                "xaxis": {"title": {"text": label(self.x)}},
                "yaxis": {
                    "title": {"text": label(self.y)},
                    "type": "log" if self.log else "linear",
                    "rangemode": "normal" if self.log else "tozero",
                    **({"tickformat": ".3~%"} if self.percent else {}),
                },
                "legend": {"y": 1.02, "yanchor": "bottom"},
            },
        )

    def describe(self) -> str:
        """Return what the picture shows, in words."""
        ends = []
        for name, part in self.frame.groupby(self.group, sort=False):
            value = float(part[self.y].iloc[-1])
            ends.append(f"{plain(name)} {100 * value:.3g} %" if self.percent else f"{plain(name)} {value:.4g}")
        return f"{plain(self.y)} against {plain(self.x)}. At the end: {', '.join(ends)}."

    def table(self) -> pd.DataFrame:
        """Return the values."""
        return self.frame.reset_index(drop=True)
