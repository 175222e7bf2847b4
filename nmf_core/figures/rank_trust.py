"""Error bars: weights of chosen samples, and how far single entries of a component can move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.figures.template import MUTED, axis_id, axis_key, figure, grid_domains
from nmf_core.figures.text import label, number, plain
from nmf_core.types import Array

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

PANELS = 24


@dataclass(frozen=True, slots=True, eq=False)
class Intervals:
    """Values with intervals, one panel per component.

    Attributes
    ----------
    items : tuple of tuple of str
        Per component: names of features or samples, as found in the file.
    values, low, high : tuple of ndarray
        Per component, of the length of its items.
    names, colors : tuple of str
        Of the components.
    what : str
        Ends "intervals of …" in the description.
    flagged : tuple of ndarray of bool, optional
        Items drawn as open diamonds.
    flag_words : str
        What a flag means.
    """

    items: tuple[tuple[str, ...], ...]
    values: tuple[Array, ...]
    low: tuple[Array, ...]
    high: tuple[Array, ...]
    names: tuple[str, ...]
    colors: tuple[str, ...]
    what: str = "values"
    flagged: tuple[Array, ...] = ()
    flag_words: str = ""

    def build(self) -> go.Figure:
        """Return the figure."""
        count = min(len(self.items), PANELS)
        tall = max((len(row) for row in self.items), default=1)
        columns = max(1, min(4, count))
        domains = grid_domains(max(count, 1), columns, gap_x=0.32, gap_y=0.22)
        data: list[dict[str, Any]] = []
        layout: dict[str, Any] = {
            "height": 40 + -(-count // columns) * (60 + 26 * tall),
            "showlegend": False,
            "annotations": [],
            "margin": {"l": 10, "r": 10, "t": 30, "b": 10},
        }
        for k in range(count):
            flagged = self.flagged[k] if self.flagged else np.zeros(len(self.items[k]), dtype=bool)
            place = np.arange(len(self.items[k]))
            texts = [label(item, 60) for item in self.items[k]]
            data.append(
                {
                    "type": "scatter",
                    "x": self.values[k].astype(np.float32),
                    "y": place,
                    "xaxis": axis_id("x", k),
                    "yaxis": axis_id("y", k),
                    "mode": "markers",
                    "marker": {
                        "size": 8,
                        "color": self.colors[k],
                        "symbol": ["diamond-open" if f else "circle" for f in flagged],
                    },
                    "error_x": {
                        "type": "data",
                        "symmetric": False,
                        "array": np.maximum(self.high[k] - self.values[k], 0).astype(np.float32),
                        "arrayminus": np.maximum(self.values[k] - self.low[k], 0).astype(np.float32),
                        "color": self.colors[k],
                        "thickness": 2,
                        "width": 4,
                    },
                    "customdata": [
                        f"{text}<br>{number(v)} ({number(a)} to {number(b)}){'<br>' + self.flag_words if f else ''}"
                        for text, v, a, b, f in zip(
                            texts, self.values[k], self.low[k], self.high[k], flagged, strict=True
                        )
                    ],
                    "hovertemplate": "%{customdata}<extra></extra>",
                }
            )
            (x0, x1), (y0, y1) = domains[k]
            layout[axis_key("x", k)] = {
                "domain": [x0, x1], "anchor": axis_id("y", k), "rangemode": "tozero", "nticks": 4,
            }  # fmt: skip
            layout[axis_key("y", k)] = {
                "domain": [y0, y1],
                "anchor": axis_id("x", k),
                "tickvals": place,
                "ticktext": [label(item, 16) for item in self.items[k]],
                "range": [len(place) - 0.5, -0.5],
                "showgrid": False,
                "tickfont": {"size": 11},
            }
            layout["annotations"].append(
                {
                    "text": f"<b>{label(self.names[k], 28)}</b>", "x": x0, "y": y1, "xref": "paper", "yref": "paper",
                    "xanchor": "left", "yanchor": "bottom", "showarrow": False, "font": {"color": MUTED},
                }
            )  # fmt: skip
        return figure(data, layout)

    def describe(self) -> str:
        """Say how wide the intervals are."""
        widths = np.array(
            [
                float(np.sum(h - a) / max(float(np.sum(np.abs(v))), 1e-300)) if len(v) else np.nan
                for v, a, h in zip(self.values, self.low, self.high, strict=True)
            ]
        )
        if not len(widths) or not np.isfinite(widths).any():
            return f"No intervals of {self.what} yet."
        worst = int(np.nanargmax(widths))
        text = (
            f"Intervals of {self.what} for {len(self.items)} components. They are widest for {plain(self.names[worst])}: "
            f"{number(100 * float(widths[worst]), 3)} % of the values, summed."
        )
        flags = sum(int(f.sum()) for f in self.flagged)
        return text + (f" {flags} marked: {self.flag_words}." if flags else "")

    def table(self) -> pd.DataFrame:
        """Return every value with its interval."""
        import pandas as pd

        rows = []
        for k, items in enumerate(self.items):
            for i, item in enumerate(items):
                row = {
                    "component": plain(self.names[k]),
                    "item": plain(item),
                    "value": self.values[k][i],
                    "low": self.low[k][i],
                    "high": self.high[k][i],
                }
                if self.flagged:
                    row["marked"] = bool(self.flagged[k][i])
                rows.append(row)
        return pd.DataFrame(rows)
