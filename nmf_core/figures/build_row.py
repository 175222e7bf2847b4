"""One sample, built from its components one by one: what each adds, what they make together, what is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.components import Parts, feature_axis
from nmf_core.figures.component_lines import thin
from nmf_core.figures.component_tiles import cells, light
from nmf_core.figures.palette import OTHER_COLOR, with_alpha
from nmf_core.figures.png import sheet
from nmf_core.figures.rounding import residual_range
from nmf_core.figures.template import LINE, MUTED, SMALL, figure, titled
from nmf_core.figures.text import label, number, percent
from nmf_core.types import Array, Dataset, is_sparse

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

#: Features drawn as bars at most, components told apart at most (the rest is one step), pictures side by side.
BARS, SHOWN, STEPS = 24, 12, 8
_REST = "all others"


@dataclass(frozen=True, slots=True, eq=False)
class BuiltRow:
    """A sample as the running sum of its components, the largest first.

    Bars, lines or pictures, as the features ask for.

    Attributes
    ----------
    dataset : Dataset
    parts : Parts
    row : int
        Row of the file.
    steps : int, optional
        Components added so far; all when left out.
    """

    dataset: Dataset
    parts: Parts
    row: int = 0
    steps: int | None = None

    def build(self) -> go.Figure:
        """Return the figure."""
        shape = self.dataset.cell_shape
        if shape is not None and len(shape) in (2, 3):
            return self._pictures()
        return self._lines() if feature_axis(self.dataset) is not None else self._bars()

    def describe(self) -> str:
        """Say what the sample consists of and what is left."""
        x, order, pieces = self._pieces()
        if self._empty():
            return f"Sample {self.dataset.rows[self._row()]} holds nothing but zeros: there is nothing to add up."
        total = float(pieces.sum())
        said = [
            f"{percent(pieces[s].sum() / total if total else 0.0)} {self.parts.names[k]}"
            for s, k in enumerate(order[:6])
        ]
        left = x - pieces.sum(axis=0)
        size = float(np.sqrt(np.nansum(np.square(x))))
        error = percent(float(np.sqrt(np.nansum(np.square(left)))) / size) if size > 0 else "not defined"
        taken = self._taken(len(order))
        now = "" if taken == len(order) else f" The picture shows the first {taken} of {len(order)}."
        return (
            f"Sample {self.dataset.rows[self._row()]} is modelled as {', '.join(said)}; "
            f"the relative error of the whole sum is {error}.{now}"
        )

    def table(self) -> pd.DataFrame:
        """Return one row per feature: the value in X, what each component adds, their sum, the residual."""
        import pandas as pd

        x, order, pieces = self._pieces()
        frame = pd.DataFrame({"feature": self.dataset.cols, "X": x})
        added = pd.DataFrame(pieces.T, columns=[self.parts.names[k] for k in order])
        total = pieces.sum(axis=0)
        return pd.concat([frame, added, pd.DataFrame({"WH": total, "X − WH": x - total})], axis=1)

    def _row(self) -> int:
        return min(max(int(self.row), 0), self.dataset.shape[0] - 1)

    def _taken(self, rank: int) -> int:
        return rank if self.steps is None else min(max(int(self.steps), 0), rank)

    def _pieces(self) -> tuple[Array, Array, Array]:
        """Return the sample, its components largest first, and what each adds, of shape (rank, n_features)."""
        i, X = self._row(), self.dataset.X
        x = np.asarray(X[[i]].toarray()[0] if is_sparse(X) else X[i], dtype=np.float64)
        recipe = np.asarray(self.parts.W[i] * self.parts.weights, dtype=np.float64)
        pieces = recipe[:, None] * self.parts.H
        order = np.argsort(-pieces.sum(axis=1), kind="stable")
        return x, order, pieces[order]

    def _drawn(self) -> tuple[Array, list[str], list[str], Array, int]:
        """Return x, names, colours and values of the pieces, few enough to be told apart, and how many are added."""
        x, order, pieces = self._pieces()
        taken = self._taken(len(order))
        names = [self.parts.names[k] for k in order]
        colors = [self.parts.colors[k] for k in order]
        if len(order) > SHOWN:
            rest = pieces[SHOWN - 1 : taken].sum(axis=0) if taken >= SHOWN else np.zeros_like(x)
            pieces = np.vstack([pieces[: SHOWN - 1], rest])
            names, colors = [*names[: SHOWN - 1], _REST], [*colors[: SHOWN - 1], OTHER_COLOR]
            taken = min(taken, SHOWN)
        return x, names, colors, pieces, taken

    def _empty(self) -> bool:
        x, _, pieces = self._pieces()
        return not np.nan_to_num(x).any() and not pieces.any()

    def _title(self) -> str:
        if self._empty():
            return f"{label(self.dataset.rows[self._row()])} holds nothing but zeros"
        _, order, _ = self._pieces()
        taken = self._taken(len(order))
        so_far = "" if taken == len(order) else f" · {taken} of {len(order)} components added"
        return f"{label(self.dataset.rows[self._row()])} as a sum of components{so_far}"

    def _bars(self) -> go.Figure:
        x, names, colors, pieces, taken = self._drawn()
        total = pieces[:taken].sum(axis=0)
        size = np.maximum(np.nan_to_num(x), pieces.sum(axis=0))
        at = np.arange(len(x)) if len(x) <= BARS else np.sort(np.argsort(-size, kind="stable")[:BARS])
        ticks = [label(self.dataset.cols[j], 40) for j in at]
        y = np.arange(len(at))
        data: list[dict[str, Any]] = [
            {
                "type": "bar",
                "orientation": "h",
                "x": pieces[s, at].astype(np.float32),
                "y": y,
                "marker": {"color": with_alpha(colors[s], 0.85)},
                "name": label(names[s], 30),
                "customdata": ticks,
                "hovertemplate": f"%{{customdata}}<br>{label(names[s], 30)} adds %{{x:.4g}}<extra></extra>",
            }
            for s in range(taken)
        ]
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": x[at].astype(np.float32),
                "y": y,
                "marker": {"symbol": "line-ns", "size": 16, "line": {"width": 3, "color": MUTED}},
                "name": "X: the sample",
                "customdata": ticks,
                "hovertemplate": "%{customdata}<br>X %{x:.4g}<extra></extra>",
            }
        )
        left = (x - total)[at]
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "x": left.astype(np.float32),
                "y": y,
                "xaxis": "x2",
                "marker": {"color": [_UNDER if v >= 0 else _OVER for v in np.nan_to_num(left)]},
                "name": "left over",
                "showlegend": False,
                "customdata": ticks,
                "hovertemplate": "%{customdata}<br>X − sum %{x:.3g}<extra></extra>",
            }
        )
        fewer = f"the {len(at)} largest of {len(x):,} features"
        layout = {
            "height": 150 + 24 * max(len(at), 4),
            "barmode": "stack",
            "bargap": 0.25,
            **titled(self._title(), [fewer] if len(at) < len(x) else ()),
            "xaxis": {"domain": [0, 0.72], "rangemode": "tozero"},
            "xaxis2": {
                "domain": [0.76, 1],
                "title": {"text": "X − sum"},
                "nticks": 4,
                "anchor": "y",
                **residual_range(left, float(size.max(initial=0.0))),
            },
            "yaxis": {
                "range": [len(at) - 0.4, -0.6],
                "tickmode": "array",
                "tickvals": y.tolist(),
                "ticktext": ticks,
                "showgrid": False,
            },
            "legend": {"y": -0.16 if len(at) > 10 else -0.32, "traceorder": "normal"},
        }
        return figure(data, layout)

    def _lines(self) -> go.Figure:
        x, names, colors, pieces, taken = self._drawn()
        axis = feature_axis(self.dataset)
        assert axis is not None
        at = thin(np.vstack([np.nan_to_num(x), pieces]), 800)
        where = axis[at].astype(np.float32)
        data: list[dict[str, Any]] = []
        running = np.zeros(len(at))
        for s in range(taken):
            running = running + pieces[s, at]
            data.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": where,
                    "y": running.astype(np.float32),
                    "fill": "tonexty" if s else "tozeroy",
                    "fillcolor": with_alpha(colors[s], 0.5),
                    "line": {"color": colors[s], "width": 0.5},
                    "name": label(names[s], 30),
                    "customdata": pieces[s, at].astype(np.float32),
                    "hovertemplate": f"{label(names[s], 30)} adds %{{customdata:.4g}}<extra></extra>",
                }
            )
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": where,
                "y": x[at].astype(np.float32),
                "line": {"color": MUTED, "width": 2, "dash": "dot"},
                "name": "X: the sample",
                "hovertemplate": "X %{y:.4g}<extra></extra>",
            }
        )
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": where,
                "y": (x[at] - running).astype(np.float32),
                "yaxis": "y2",
                "line": {"color": _UNDER, "width": 1.5},
                "fill": "tozeroy",
                "fillcolor": with_alpha(_UNDER, 0.25),
                "name": "left over",
                "showlegend": False,
                "hovertemplate": "X − sum %{y:.3g}<extra></extra>",
            }
        )
        layout = {
            "height": 460,
            "title": {"text": self._title()},
            "hovermode": "x",
            "margin": {"l": 10, "r": 10, "t": 44, "b": 10},
            "xaxis": {"autorange": "reversed" if axis[0] > axis[-1] else True, "anchor": "y2"},
            "yaxis": {"domain": [0.3, 1], "rangemode": "tozero"},
            "yaxis2": {
                "domain": [0, 0.22],
                "title": {"text": "X − sum"},
                "nticks": 3,
                **residual_range(x - pieces[:taken].sum(axis=0), float(np.nanmax(x, initial=0.0))),
            },
            "legend": {"y": -0.12},
        }
        return figure(data, layout)

    def _pictures(self) -> go.Figure:
        x, order, pieces = self._pieces()
        taken = self._taken(len(order))
        # Pictures of what adds next to nothing would be empty: they count among "more".
        visible = int((pieces.sum(axis=1) >= 1e-3 * (pieces.sum() or 1.0)).sum())
        shown = min(taken, STEPS, max(visible, 1))
        running = np.cumsum(pieces[:taken], axis=0) if taken else np.zeros((1, len(x)))
        added, sums = list(pieces[:shown]), list(running[:shown])
        names = [label(self.parts.names[k], 14) for k in order[:shown]]
        colors = [self.parts.colors[k] for k in order[:shown]]
        upper = [f'<span style="color:{c}">■</span> {n}' for c, n in zip(colors, names, strict=True)]
        lower = ["first part" if s == 0 else f"sum of {s + 1}" for s in range(shown)]
        if taken > shown:
            added.append(pieces[shown:taken].sum(axis=0))
            sums.append(running[-1])
            upper.append(f"{taken - shown} more")
            lower.append(f"sum of {taken}")
        total = running[-1]
        top, bottom = [*added, x], [*sums, np.abs(x - total)]
        upper.append("<b>the sample</b>")
        lower.append("<b>|difference|</b>")
        tiles, coarser = light(cells(np.array(top + bottom), self.dataset.cell_shape))
        high = float(np.nanmax([np.nanmax(x), total.max(), 0])) or 1.0
        if tiles.ndim == 4:
            tiles = np.clip(tiles / high, 0, 1)
        columns = len(top)
        drawn = sheet(tiles, columns, colormap="ink", limits=(0.0, high), gap=10, caption=28, min_pixels=96)
        centers = drawn.centers(2 * columns)
        under = centers[:, 1] + 0.54 * drawn.cell[0]
        shares = self._shares(pieces, shown, taken)
        worst = f"largest difference {number(float(np.nanmax(bottom[-1])), 3)}"
        data: list[dict[str, Any]] = [
            {
                "type": "scatter",
                "mode": "text",
                "x": centers[:, 0].astype(np.float32),
                "y": under.astype(np.float32),
                "text": upper + lower,
                "textposition": "bottom center",
                "textfont": {"size": SMALL},
                "cliponaxis": False,
                "hoverinfo": "skip",
                "name": "captions",
            },
            {
                "type": "scatter",
                "mode": "markers",
                "x": centers[:, 0].astype(np.float32),
                "y": centers[:, 1].astype(np.float32),
                "marker": {"symbol": "square", "size": 40, "opacity": 0},
                "text": [
                    *shares,
                    "X: the sample",
                    *lower[:-1],
                    worst,
                ],
                "hovertemplate": "%{text}<extra></extra>",
                "name": "tiles",
            },
        ]
        width, height = drawn.width, drawn.rows * drawn.pitch[0]
        # A line between what is added up and what it is compared with.
        edge = centers[columns - 1, 0] - drawn.pitch[1] / 2
        layout = {
            "height": int(min(620, max(260, 60 + height * min(1.0, 1000 / width)))),
            **titled(self._title(), [coarser]),
            "showlegend": False,
            "margin": {"l": 0, "r": 0, "t": 58 if coarser else 44, "b": 4},
            "xaxis": {"visible": False, "range": [0, width], "fixedrange": True},
            "yaxis": {
                "visible": False,
                "range": [height, 0],
                "scaleanchor": "x",
                "constrain": "domain",
                "fixedrange": True,
            },
            "shapes": [
                {"type": "line", "x0": edge, "x1": edge, "y0": 0, "y1": height, "line": {"color": LINE, "width": 1}}
            ]
            if columns > 1
            else [],
            "images": [
                {
                    "source": drawn.uri,
                    "xref": "x",
                    "yref": "y",
                    "x": 0,
                    "y": 0,
                    "sizex": width,
                    "sizey": drawn.height,
                    "sizing": "stretch",
                    "layer": "below",
                }
            ],
        }
        return figure(data, layout)

    def _shares(self, pieces: Array, shown: int, taken: int) -> list[str]:
        total = float(pieces.sum()) or 1.0
        said = [f"adds {percent(pieces[s].sum() / total)} of the sum" for s in range(shown)]
        if taken > shown:
            said.append(f"add {percent(pieces[shown:taken].sum() / total)} of the sum")
        return said


_UNDER, _OVER = "#2166ac", "#b2182b"
