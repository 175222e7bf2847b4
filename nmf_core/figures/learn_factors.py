"""X ≈ W · H with every number in its cell: for matrices that can be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.figures.palette import DIVERGING, SEQUENTIAL
from nmf_core.figures.template import MUTED, axis_id, axis_key, figure
from nmf_core.figures.text import label, plain
from nmf_core.types import Array

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


@dataclass(frozen=True, slots=True, eq=False)
class FactorNumbers:
    """X, W, H, WH and X − WH side by side, the entries that just changed framed.

    Attributes
    ----------
    X, W, H : ndarray of shape (n, m), (n, rank), (rank, m)
        At most about 12 × 30 in all to be readable.
    rows, cols, parts : sequence of str
        Names of samples, features, components.
    updated : {"", "W", "H"}
        The factor to frame.
    entry : (factor, row, col), optional
        One entry to mark, of which the page spells out the formula.
    digits : int
        Significant digits in the cells.
    """

    X: Array
    W: Array
    H: Array
    rows: tuple[str, ...]
    cols: tuple[str, ...]
    parts: tuple[str, ...]
    updated: str = ""
    entry: tuple[str, int, int] | None = None
    digits: int = 3

    def _blocks(self) -> list[tuple[str, Array, tuple[str, ...], tuple[str, ...]]]:
        WH = self.W @ self.H
        return [
            ("X", self.X, self.rows, self.cols),
            ("W", self.W, self.rows, self.parts),
            ("H", self.H, self.parts, self.cols),
            ("WH", WH, self.rows, self.cols),
            ("X − WH", self.X - WH, self.rows, self.cols),
        ]

    def build(self) -> go.Figure:
        """Return the figure."""
        blocks = self._blocks()
        n, m = self.X.shape
        widths = np.array([m, len(self.H), m, m, m], dtype=float) + 1.4  # the rest is room for names and signs
        edges = np.concatenate([[0.0], np.cumsum(widths)]) / widths.sum()
        readable = m <= 12
        top = float(max(self.X.max(), 1e-12))
        traces: list[dict[str, Any]] = []
        layout: dict[str, Any] = {"height": 110 + 34 * max(n, 3), "annotations": [], "shapes": [], "showlegend": False}
        for i, (name, values, rows, cols) in enumerate(blocks):
            low = 1.1 / widths.sum() if i in (0, 2) else 0.5 / widths.sum()
            x = [edges[i] + low, edges[i + 1] - 0.3 / widths.sum()]
            tall = len(values) / n if name == "H" else 1.0
            y = [0.5 - tall / 2, 0.5 + tall / 2]
            signed = name.startswith("X −")
            reach = float(max(np.abs(values).max(), 1e-12))
            limits = (-reach, reach) if signed else (0.0, top if name in ("X", "WH") else reach)
            traces.append(
                {
                    "type": "heatmap",
                    "z": values.astype(np.float32),
                    "xaxis": axis_id("x", i),
                    "yaxis": axis_id("y", i),
                    "colorscale": [list(stop) for stop in DIVERGING] if signed else SEQUENTIAL,
                    "zmin": limits[0],
                    "zmax": limits[1],
                    "showscale": False,
                    "xgap": 1,
                    "ygap": 1,
                    "hovertemplate": f"{name}[%{{y}}, %{{x}}] = %{{z:.5g}}<extra></extra>",
                    **({"texttemplate": f"%{{z:.{self.digits}~g}}", "textfont": {"size": 13}} if readable else {}),
                }
            )
            ticks = {"tickfont": {"size": 11}, "showgrid": False, "zeroline": False}
            layout[axis_key("x", i)] = {
                "domain": x,
                "anchor": axis_id("y", i),
                "tickvals": list(range(len(cols))),
                "ticktext": [label(c, 12) for c in cols],
                "showticklabels": readable or name == "W",
                **ticks,
            }
            layout[axis_key("y", i)] = {
                "domain": y,
                "anchor": axis_id("x", i),
                "autorange": "reversed",
                "tickvals": list(range(len(rows))),
                "ticktext": [label(r, 12) for r in rows],
                "showticklabels": name in ("X", "H"),
                **ticks,
            }
            head = name + (" (just updated)" if name == self.updated else "")
            layout["annotations"].append(
                _text(f"<b>{head}</b>", sum(x) / 2, 1.0 if name != "H" else y[1], yshift=4, yanchor="bottom")
            )
            if i < 3:
                layout["annotations"].append(
                    _text(("≈", "·", "=")[i], edges[i + 1] + 0.05 / widths.sum(), 0.5, size=22)
                )
            if self.entry is not None and self.entry[0] == name:
                _, r, c = self.entry
                layout["shapes"].append(
                    {
                        "type": "rect",
                        "xref": axis_id("x", i),
                        "yref": axis_id("y", i),
                        "x0": c - 0.5,
                        "x1": c + 0.5,
                        "y0": r - 0.5,
                        "y1": r + 0.5,
                        "line": {"color": "#d55e00", "width": 4},
                    }
                )
        return figure(traces, layout)

    def describe(self) -> str:
        """Return what the picture shows, in words."""
        residual = self.X - self.W @ self.H
        changed = f" {self.updated} was just updated." if self.updated in ("W", "H") else ""
        return (
            f"X ({self.X.shape[0]} × {self.X.shape[1]}) beside W, H, their product WH and the residual X − WH. "
            f"The residual's squares add up to {float((residual**2).sum()):.5g}; its largest entry is "
            f"{float(np.abs(residual).max()):.4g}.{changed}"
        )

    def table(self) -> pd.DataFrame:
        """Return all entries in long form: matrix, row, column, value."""
        import pandas as pd

        return pd.DataFrame(
            [
                (name, plain(r), plain(c), float(values[i, j]))
                for name, values, rows, cols in self._blocks()
                for i, r in enumerate(rows)
                for j, c in enumerate(cols)
            ],
            columns=["matrix", "row", "column", "value"],
        )


def _text(text: str, x: float, y: float, *, yshift: int = 0, size: int = 13, yanchor: str = "middle") -> dict[str, Any]:
    return {
        "text": text,
        "x": x,
        "y": y,
        "xref": "paper",
        "yref": "paper",
        "showarrow": False,
        "yshift": yshift,
        "yanchor": yanchor,
        "font": {"size": size, **({"color": MUTED} if size > 13 else {})},
    }
