"""Lines of several methods over one quantity: error per rank, accuracy per rank, quality per byte."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.figures.template import figure, note
from nmf_core.figures.text import label, number, percent

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

#: The same method looks the same in every chart of the page: colour, dash and symbol.
STYLES: dict[str, tuple[str, str, str]] = {
    "NMF": ("#0072b2", "solid", "circle"),
    "NMF, rebuilt": ("#56b4e9", "dash", "circle-open"),
    "PCA": ("#d55e00", "solid", "diamond"),
    "SVD": ("#d55e00", "solid", "diamond"),
    "VQ": ("#009e73", "solid", "square"),
    "VQ, distances": ("#009e73", "dash", "square-open"),
    "JPEG": ("#8173f0", "dot", "x"),
    "raw pixels": ("#8c8c8c", "dash", "cross"),
}
_OTHER = ("#803b53", "solid", "star")


@dataclass(frozen=True, slots=True, eq=False)
class MethodLines:
    """One line per method.

    Attributes
    ----------
    frame : DataFrame
        In long form: columns ``method``, `x`, `y` and, if any, `error`. A row without x is a level across the chart.
    x, y : str
        Names of columns.
    x_title, y_title, title : str
    error : str
        Column of standard errors; empty: none.
    percent : bool
        y is a share.
    up : bool
        More is better (for `describe`).
    log_x : bool
    mark : float, optional
        A dotted line at the value of x that the page shows.
    """

    frame: pd.DataFrame
    x: str
    y: str
    x_title: str
    y_title: str
    title: str = ""
    error: str = ""
    percent: bool = False
    up: bool = False
    log_x: bool = False
    mark: float | None = None

    def build(self) -> go.Figure:
        """Return the figure."""
        known = self.frame.dropna(subset=[self.y])
        if known.empty:
            return note("Nothing has been computed yet.")
        data: list[dict[str, Any]] = []
        level_range = (
            [float(known[self.x].min()), float(known[self.x].max())] if known[self.x].notna().any() else [0.0, 1.0]
        )
        for method, rows in known.groupby("method", sort=False):
            color, dash, symbol = STYLES.get(str(method), _OTHER)
            level = bool(rows[self.x].isna().all())
            x = level_range if level else rows[self.x].to_numpy(dtype=np.float64)
            y = [float(rows[self.y].iloc[0])] * 2 if level else rows[self.y].to_numpy(dtype=np.float64)
            trace: dict[str, Any] = {
                "type": "scatter",
                "x": np.asarray(x, dtype=np.float64),
                "y": np.asarray(y, dtype=np.float64),
                "mode": "lines" if level else "lines+markers",
                "line": {"color": color, "dash": dash, "width": 2},
                "marker": {"symbol": symbol, "size": 9, "color": color},
                "name": label(method, 30),
                "hovertemplate": f"{label(method, 30)}<br>{label(self.x_title)} %{{x}}<br>{label(self.y_title)} "
                + ("%{customdata}" if self.percent else "%{y:.4g}")
                + "<extra></extra>",
            }
            if self.percent:
                trace["customdata"] = [percent(value) for value in y]
            if self.error and not level:
                trace["error_y"] = {
                    "type": "data",
                    "array": rows[self.error].to_numpy(dtype=np.float64),
                    "thickness": 1,
                }
            data.append(trace)
        layout: dict[str, Any] = {
            "height": 380,
            "title": {"text": label(self.title, 0) if self.title else ""},
            "margin": {"l": 10, "r": 10, "t": 44 if self.title else 10, "b": 10},
            "xaxis": {"title": {"text": label(self.x_title)}, "type": "log" if self.log_x else "linear"},
            "yaxis": {"title": {"text": label(self.y_title)}, "tickformat": ".0%" if self.percent else ""},
            "legend": {"y": -0.22},
        }
        if self.mark is not None:
            layout["shapes"] = [
                {
                    "type": "line",
                    "x0": self.mark,
                    "x1": self.mark,
                    "y0": 0,
                    "y1": 1,
                    "yref": "paper",
                    "line": {"color": "rgb(128,128,128)", "dash": "dot", "width": 1},
                }
            ]
        return figure(data, layout)

    def describe(self) -> str:
        """Say for each method where it does best."""
        said = []
        for method, rows in self.frame.dropna(subset=[self.y]).groupby("method", sort=False):
            values, places = rows[self.y].to_numpy(dtype=np.float64), rows[self.x].to_numpy(dtype=np.float64)
            at = int(values.argmax() if self.up else values.argmin())
            shown = f"{100 * values[at]:.1f} %" if self.percent else number(float(values[at]))
            where = "" if np.isnan(places[at]) else f" at {self.x_title} {number(float(places[at]))}"
            said.append(f"{method} {shown}{where}")
        return f"{self.y_title} over {self.x_title}, the best of each method: {'; '.join(said)}."

    def table(self) -> pd.DataFrame:
        """Return the values in long form."""
        return self.frame
