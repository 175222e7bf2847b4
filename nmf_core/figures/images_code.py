"""The code of one picture as a matrix of squares, as in Lee & Seung (1999), Figure 1."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.figures.png import colorscale
from nmf_core.figures.template import LINE, SMALL, figure
from nmf_core.figures.text import label
from nmf_core.types import Array

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


@dataclass(frozen=True, slots=True, eq=False)
class CodeMatrix:
    """How much of each part one picture holds, for one or more methods, laid out like the tiles of parts.

    Attributes
    ----------
    codes : tuple of ndarray of shape (rank,)
        One per method, each in units of the contributed length (amount × length of the part).
    names : tuple of str
        Of the methods.
    columns : int
        Of each matrix: as many as the tiles have.
    """

    codes: tuple[Array, ...]
    names: tuple[str, ...]
    columns: int

    def build(self) -> go.Figure:
        """Return the figure: one heatmap per method."""
        data: list[dict[str, Any]] = []
        layout: dict[str, Any] = {"height": 0, "margin": {"l": 0, "r": 0, "t": 34, "b": 4}}
        annotations: list[dict[str, Any]] = []
        shapes: list[dict[str, Any]] = []
        n = len(self.codes)
        columns = max(1, self.columns)
        rows = max(math.ceil(len(code) / columns) for code in self.codes)
        gap = 0.04
        width = (1 - gap * (n - 1)) / n
        for i, (code, name) in enumerate(zip(self.codes, self.names, strict=True)):
            z = np.full(rows * columns, np.nan, dtype=np.float32)
            z[: len(code)] = code
            top = float(np.abs(code).max()) or 1.0
            number = "" if i == 0 else str(i + 1)
            data.append(
                {
                    "type": "heatmap",
                    "z": z.reshape(rows, columns),
                    "zmin": -top,
                    "zmax": top,
                    "colorscale": colorscale("signed"),
                    "showscale": False,
                    "xgap": 2,
                    "ygap": 2,
                    "xaxis": f"x{number}",
                    "yaxis": f"y{number}",
                    "customdata": np.arange(1, rows * columns + 1).reshape(rows, columns),
                    "hovertemplate": "part %{customdata}: %{z:.3g}<extra></extra>",
                    "hoverongaps": False,
                    "name": label(name, 20),
                }
            )
            x0 = i * (width + gap)
            layout[f"xaxis{number}"] = {
                "visible": False,
                "domain": [x0, x0 + width],
                "constrain": "domain",
                "constraintoward": "left",
                "anchor": f"y{number}",
            }
            layout[f"yaxis{number}"] = {
                "visible": False,
                "range": [rows - 0.5, -0.5],
                "scaleanchor": f"x{number}",
                "constrain": "domain",
                "constraintoward": "top",
                "anchor": f"x{number}",
            }
            used = int((np.abs(code) > 0.05 * top).sum())
            # Zeros are white on a white page: a frame says where the matrix is.
            shapes.append(
                {
                    "type": "rect",
                    "xref": f"x{number}",
                    "yref": f"y{number}",
                    "x0": -0.5,
                    "x1": columns - 0.5,
                    "y0": -0.5,
                    "y1": rows - 0.5,
                    "line": {"color": LINE, "width": 1},
                }
            )
            annotations.append(
                {
                    "text": f"<b>{label(name, 30)}</b>: {used} of {len(code)} used",
                    "x": x0,
                    "y": 1.0,
                    "xref": "paper",
                    "yref": "paper",
                    "xanchor": "left",
                    "yanchor": "bottom",
                    "showarrow": False,
                    "font": {"size": SMALL + 1},
                }
            )
        layout["height"] = int(min(460, max(150, 40 + rows * 1000 * width / columns * 0.8)))
        layout |= {"annotations": annotations, "shapes": shapes}
        return figure(data, layout)

    def describe(self) -> str:
        """Say how many parts each method uses for this picture, and whether it subtracts."""
        said = []
        for code, name in zip(self.codes, self.names, strict=True):
            top = float(np.abs(code).max()) or 1.0
            used, negative = int((np.abs(code) > 0.05 * top).sum()), int((code < -0.05 * top).sum())
            said.append(
                f"{name} uses {used} of {len(code)} parts" + (f", {negative} of them negative" if negative else "")
            )
        return f"Codes of one picture as matrices of squares: {'; '.join(said)}."

    def table(self) -> pd.DataFrame:
        """Return one row per part and one column per method."""
        import pandas as pd

        return pd.DataFrame(
            {name: pd.Series(code) for code, name in zip(self.codes, self.names, strict=True)}
        ).rename_axis("part")
