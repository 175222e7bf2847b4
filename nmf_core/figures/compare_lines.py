"""Lines of several methods over one quantity: rank, level of corruption."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.figures.palette import label_color
from nmf_core.figures.template import LINE, MUTED, figure
from nmf_core.figures.text import label, plain
from nmf_core.types import Array
from nmf_core.wording import percent

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
    levels : bool
        x is a share whose values crowd near 0: drawn at their square roots, ticks at the values.
    limits : tuple of (low, high), optional
        y is drawn on a logarithmic axis and brought into these limits; the table holds the true values.
    spread : tuple of (column, column), optional
        Smallest and largest value at each point, drawn as a thin bar.
    mark : float, optional
        A value of x with a line of its own.
    grey : str
        A group that is a yardstick, not a method.
    """

    frame: pd.DataFrame
    x: str
    y: str
    group: str
    percent: bool = False
    levels: bool = False
    limits: tuple[float, float] | None = None
    spread: tuple[str, str] | None = None
    mark: float | None = None
    grey: str = ""

    def build(self) -> go.Figure:
        """Return the figure."""
        traces: list[dict[str, Any]] = []
        color = 0
        for name, part in self.frame.groupby(self.group, sort=False):
            part = part[part[self.y].notna()].sort_values(self.x)
            if part.empty:
                continue
            y = part[self.y].to_numpy(float)
            yardstick = name == self.grey
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines+markers",
                    "name": label(name, 40),
                    "x": self._across(part[self.x].to_numpy(float)),
                    "y": self._limited(y),
                    "customdata": np.stack([part[self.x].to_numpy(float), y], axis=1),
                    "line": {
                        "color": MUTED if yardstick else label_color(color),
                        "dash": "dot" if yardstick else _DASHES[color % len(_DASHES)],
                        "width": 2.2,
                    },
                    "marker": {"symbol": "line-ew" if yardstick else _SYMBOLS[color % len(_SYMBOLS)], "size": 8},
                    "hovertemplate": f"{label(name, 40)}<br>{label(self.x)} %{{customdata[0]:{self._format(self.levels)}}}: "
                    f"%{{customdata[1]:{self._format(self.percent)}}}<extra></extra>",
                    **({} if yardstick else self._bars(part, y)),
                }
            )
            color += not yardstick
        layout: dict[str, Any] = {
            "height": 400,
            "xaxis": {"title": {"text": label(self.x)}, **self._ticks()},
            "yaxis": {"title": {"text": label(self.y)}, **self._axis()},
            "legend": {"y": 1.02, "yanchor": "bottom"},
            "margin": {"t": 10},
        }
        if self.mark is not None:
            at = float(self._across(np.array([self.mark]))[0])
            line = {"color": LINE, "width": 1, "dash": "dot"}
            layout["shapes"] = [
                {"type": "line", "x0": at, "x1": at, "yref": "paper", "y0": 0, "y1": 1, "line": line, "layer": "below"}
            ]
            told = f"{100 * self.mark:.3g} %" if self.levels else f"{self.mark:g}"
            layout["annotations"] = [
                {
                    "text": told,
                    "x": at,
                    "y": 1,
                    "yref": "paper",
                    "xanchor": "left",
                    "yanchor": "top",
                    "showarrow": False,
                }
            ]
        return figure(traces, layout)

    def describe(self) -> str:
        """Return what the picture shows, in words."""
        ends = []
        for name, part in self.frame.groupby(self.group, sort=False):
            part = part[part[self.y].notna()].sort_values(self.x)
            if len(part):
                value = float(part[self.y].iloc[-1])
                ends.append(f"{plain(name)} {percent(value) if self.percent else format(value, '.4g')}")
        return f"{plain(self.y)} against {plain(self.x)}. At the end: {', '.join(ends)}."

    def table(self) -> pd.DataFrame:
        """Return the values."""
        return self.frame.reset_index(drop=True)

    def _across(self, x: Array) -> Array:
        return np.sqrt(x) if self.levels else x

    def _limited(self, y: Array) -> Array:
        return y if self.limits is None else np.clip(y, *self.limits)

    def _bars(self, part: pd.DataFrame, y: Array) -> dict[str, Any]:
        if self.spread is None:
            return {}
        drawn = self._limited(y)
        low, high = (self._limited(part[column].to_numpy(float)) for column in self.spread)
        if np.allclose(low, high, equal_nan=True):
            return {}
        bars = {"type": "data", "symmetric": False, "thickness": 1, "width": 3}
        return {"error_y": bars | {"array": np.maximum(high - drawn, 0), "arrayminus": np.maximum(drawn - low, 0)}}

    def _ticks(self) -> dict[str, Any]:
        if not self.levels:
            whole = np.unique(self.frame[self.x].to_numpy(float))
            few = len(whole) <= 20 and bool((whole == np.round(whole)).all())
            return {"tickvals": whole, "ticktext": [f"{v:g}" for v in whole]} if few else {}
        values = sorted(float(v) for v in self.frame[self.x].unique() if v != self.mark)
        kept: list[float] = []
        for value in values:  # labels that would run into each other are left out; the marked level has its own
            if all(abs(np.sqrt(value) - np.sqrt(other)) > 0.11 * np.sqrt(values[-1]) for other in kept):
                kept.append(value)
        texts = [f"{100 * v:.3g} %" for v in kept]
        return {"tickvals": list(np.sqrt(kept)), "ticktext": texts, "tickangle": 0}

    def _axis(self) -> dict[str, Any]:
        if self.limits is None:
            return {"rangemode": "tozero", **({"tickformat": ".3~%"} if self.percent else {})}
        low, high = self.limits
        drawn = self._limited(self.frame[self.y].dropna().to_numpy(float))
        bottom, top = (drawn.min(), drawn.max()) if drawn.size else (low, high)
        steps = [m * 10.0**e for e in range(-6, 4) for m in (1, 2, 5)]
        values = [v for v in steps if bottom / 2.1 <= v <= top * 2.1]
        if len(values) > 9:
            values = [v for v in values if f"{v:e}"[0] == "1"]
        texts = [f"{'≥ ' if v >= high else '≤ ' if v <= low else ''}{100 * v:,.6g} %" for v in values]
        return {
            "type": "log",
            "range": [float(np.log10(bottom * 0.85)), float(np.log10(top * 1.15))],
            "tickvals": values,
            "ticktext": texts,
        }

    @staticmethod
    def _format(share: bool) -> str:
        return ".3~%" if share else ".4~g"
