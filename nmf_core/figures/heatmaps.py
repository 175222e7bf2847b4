"""W and H as heatmaps: ordered, clickable, aggregated where there are more rows than pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.components import Parts, dominant, feature_axis, feature_axis_words, top_features, well_known
from nmf_core.figures.aggregate import SIDE, block_modes, block_sizes, block_starts, mean_rows
from nmf_core.figures.ordering import Ordering, label_codes, order_features, order_samples
from nmf_core.figures.palette import SEQUENTIAL, label_color, stepped_scale
from nmf_core.figures.template import SMALL, figure, titled
from nmf_core.figures.text import count, label, number
from nmf_core.types import Array, Dataset

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

#: Cells drawn at most, and points that can be clicked at most: together under 1 MB on the wire.
CELLS, POINTS, NAMED_CHARACTERS = 75_000, 12_000, 150_000
#: Components drawn at most; nobody reads more columns than this.
COMPONENTS = 300
LABELS = 12
#: Up to so many columns H shows its numbers; in narrower cells nobody could read them.
NUMBERED = 8
#: Names along the columns of H at most: turned upright, more would overlap where H has half of a narrow page.
NAMED = 24


@dataclass(frozen=True, slots=True, eq=False)
class SampleHeatmap:
    """W: how much of each component every sample holds, one row per sample (or block of samples).

    Attributes
    ----------
    dataset : Dataset
    parts : Parts
    order : str
        One of `nmf_core.figures.ordering.SAMPLE_ORDERS`.
    label : str, optional
        Key of ``dataset.labels`` for the coloured track beside the rows; the first one when left out.
    height : int
        Pixels.

    Notes
    -----
    A click gives ``customdata = [row of the file, fitted position of the component, value]``; for a block of rows, its
    first row and its mean.
    """

    dataset: Dataset
    parts: Parts
    order: str = "file"
    label: str | None = None
    height: int = 520

    def build(self) -> go.Figure:
        """Return the figure: the heatmap, a transparent layer of points to click, and the track of labels."""
        parts, shown = self._parts(), self._shown()
        order, starts, sizes, values = shown
        rank, blocks = parts.rank, len(starts)
        heads = starts if order.order is None else order.order[starts]
        names = _block_names(self.dataset.rows, order.order, starts, sizes)
        track = self._label()
        x0 = 0.045 if track else 0.0
        data: list[dict[str, Any]] = [_heat(values, "W")]
        data.append(_points(values, heads, parts, names, flip=False))
        layout: dict[str, Any] = {
            "height": self.height,
            **titled("W: the recipe of each sample", self._notes(order, blocks)),
            "xaxis": {
                "domain": [x0, 1],
                **_component_ticks(parts, limit=18 if rank > 6 else 40),
                "showgrid": False,
                "zeroline": False,
                "range": [-0.5, rank - 0.5],
            },
            "yaxis": {
                "range": [blocks - 0.5, -0.5],
                "showgrid": False,
                "zeroline": False,
                **(
                    _thin_ticks(names, max(5, self.height // 22), limit=26)
                    if blocks == len(parts.W)
                    else _position_ticks(starts, len(parts.W), order)
                ),
            },
        }
        if track:
            codes, groups = label_codes(self.dataset.labels[track], LABELS)
            modes = block_modes(codes, order.order, starts, len(groups))
            data.append(_track(modes, groups))
            layout["yaxis"]["anchor"] = "x2"  # names stand left of the track, not on it
            layout["xaxis2"] = {"domain": [0, 0.03], "visible": False, "range": [-0.5, 0.5], "fixedrange": True}
            data.extend(_legend(groups, track))
            # At the foot of the figure, not at a distance from the axis: turned names of components take their room first.
            layout["legend"] = {
                "title": {"text": label(track) + " ", "font": {"size": 13}},
                "yref": "container",
                "y": 0,
                "yanchor": "bottom",
            }
        return figure(data, layout)

    def describe(self) -> str:
        """Say what the rows and columns are, in which order, and which component leads."""
        parts, (order, starts, _, _) = self._parts(), self._shown()
        top = dominant(parts)
        counts = np.bincount(top[top >= 0], minlength=parts.rank)
        lead = int(counts.argmax())
        blocks = (
            ""
            if len(starts) == len(top)
            else f" Rows are averages of about {number(len(top) / len(starts), 2)} samples."
        )
        return (
            f"Heatmap of W: {count(len(top), 'sample')} by {count(parts.rank, 'component')}, {order.words}.{blocks} "
            f"{parts.names[lead]} is the largest part of {count(int(counts[lead]), 'sample')}; "
            f"values reach {number(parts.W.max())}."
        )

    def table(self) -> pd.DataFrame:
        """Return W in the order shown, with names and labels; never aggregated."""
        import pandas as pd

        order = self._order().order
        at = np.arange(len(self.dataset.rows)) if order is None else order
        frame: dict[str, Any] = {"sample": self.dataset.rows[at]}
        for name, values in self.dataset.labels.items():
            frame[name] = values[at]
        out = pd.DataFrame(frame)
        top = dominant(self.parts)[at]
        out["dominant component"] = np.array([*self.parts.names, "(none)"], dtype=object)[top]
        weights = pd.DataFrame(self.parts.W[at], columns=_unique_columns(self.parts.names, out.columns))
        return pd.concat([out, weights], axis=1)

    def _parts(self) -> Parts:
        return _first(self.parts.visible())

    def _label(self) -> str | None:
        if not self.dataset.labels:
            return None
        return self.label if self.label in self.dataset.labels else next(iter(self.dataset.labels))

    def _order(self) -> Ordering:
        return order_samples(self.dataset, self.parts.visible(), self.order, self._label())

    def _shown(self) -> tuple[Ordering, Array, Array, Array]:
        parts, order = self._parts(), self._order()
        n = len(parts.W)
        starts = block_starts(n, min(SIDE, max(50, CELLS // parts.rank)))
        return order, starts, block_sizes(starts, n), mean_rows(parts.W, order.order, starts).astype(np.float32)

    def _notes(self, order: Ordering, blocks: int) -> list[str]:
        n = self.dataset.shape[0]
        return _notes("samples", n, blocks, self.parts.visible().rank, order)


@dataclass(frozen=True, slots=True, eq=False)
class FeatureHeatmap:
    """H: how strongly each component uses every feature, one row per component.

    Attributes
    ----------
    dataset : Dataset
    parts : Parts
    order : str
        One of `nmf_core.figures.ordering.FEATURE_ORDERS`.
    height : int, optional
        Pixels; grows with the number of components when left out.

    Notes
    -----
    A click gives ``customdata = [column of the file, fitted position of the component, value]``; for a block of
    columns, its first column and its mean.
    """

    dataset: Dataset
    parts: Parts
    order: str = "file"
    height: int | None = None

    def build(self) -> go.Figure:
        """Return the figure: the heatmap and a transparent layer of points to click."""
        parts = _first(self.parts.visible())
        order, starts, sizes, values = self._shown()
        heads = starts if order.order is None else order.order[starts]
        names = _block_names(self.dataset.cols, order.order, starts, sizes)
        rank, blocks, visible = parts.rank, len(starts), self.parts.visible().rank
        m = self.dataset.shape[1]
        axis = feature_axis(self.dataset) if order.order is None else None
        if axis is not None:
            ticks = _axis_ticks(starts, axis, feature_axis_words(self.dataset))
        else:
            ticks = _thin_ticks(names, NAMED, limit=24) if blocks == m else _position_ticks(starts, m, order, most=5)
        layout = {
            "height": self.height or int(min(900, 170 + max(22 * min(rank, 30), 110) + (80 if blocks > 12 else 20))),
            **titled("H: the components, feature by feature", _notes("features", m, blocks, visible, order)),
            "xaxis": {"range": [-0.5, blocks - 0.5], "showgrid": False, "zeroline": False, **ticks},
            "yaxis": {
                "range": [rank - 0.5, -0.5],
                "showgrid": False,
                "zeroline": False,
                **_component_ticks(parts, limit=28),
            },
        }
        heat = _heat(values.T, "H")
        if blocks <= NUMBERED and rank <= 30:
            heat["texttemplate"] = f"%{{z:{_decimals(float(values.max()))}}}"
        return figure([heat, _points(values, heads, parts, names, flip=True)], layout)

    def describe(self) -> str:
        """Say what is shown and each component's strongest feature."""
        parts = self.parts.visible()
        order, starts, _, _ = self._shown()
        m = self.dataset.shape[1]
        blocks = "" if len(starts) == m else f" Columns are averages of about {number(m / len(starts), 2)} features."
        picked, _ = top_features(parts, 1, among=well_known(self.dataset, parts.rank))
        strongest = [
            f"{parts.names[k]} is strongest in {self.dataset.cols[picked[k, 0]]}" for k in range(min(parts.rank, 6))
        ]
        return (
            f"Heatmap of H: {count(parts.rank, 'component')} by {count(m, 'feature')}, {order.words}.{blocks} "
            f"{'; '.join(strongest)}."
        )

    def table(self) -> pd.DataFrame:
        """Return H transposed (one row per feature) in the order shown; never aggregated."""
        import pandas as pd

        order = order_features(self.dataset, self.parts.visible(), self.order).order
        at = np.arange(self.dataset.shape[1]) if order is None else order
        frame = pd.DataFrame({"feature": self.dataset.cols[at]})
        weights = pd.DataFrame(self.parts.H[:, at].T, columns=_unique_columns(self.parts.names, frame.columns))
        return pd.concat([frame, weights], axis=1)

    def _shown(self) -> tuple[Ordering, Array, Array, Array]:
        visible = self.parts.visible()
        order = order_features(self.dataset, visible, self.order)
        parts = _first(visible)
        m = parts.H.shape[1]
        starts = block_starts(m, min(SIDE, max(50, CELLS // parts.rank)))
        values = mean_rows(parts.H.T, order.order, starts).astype(np.float32)
        return order, starts, block_sizes(starts, m), values


def _notes(what: str, n: int, blocks: int, rank: int, order: Ordering) -> list[str]:
    """Say what the picture leaves out or puts together."""
    return [
        f"{n:,} {what} as {blocks} averages" if blocks < n else "",
        f"first {COMPONENTS} of {rank:,} components" if rank > COMPONENTS else "",
        order.words if "only" in order.words else "",
    ]


def _first(parts: Parts) -> Parts:
    return parts if parts.rank <= COMPONENTS else parts.take(range(COMPONENTS))


def _heat(z: Array, title: str) -> dict[str, Any]:
    return {
        "type": "heatmap",
        "z": z,
        "zmin": 0,
        "zmax": float(z.max()) or 1.0,
        "colorscale": SEQUENTIAL,
        "hoverinfo": "skip",  # heatmaps send no clicks: the layer of points above answers for both
        "colorbar": {"thickness": 10, "outlinewidth": 0, "len": 1, "title": {"text": title, "font": {"size": SMALL}}},
    }


def _decimals(largest: float) -> str:
    """Return the format of numbers up to `largest` with the same decimals for all, so that they can be compared."""
    if largest <= 0:
        return ".0f"
    size = int(np.floor(np.log10(largest)))
    return f".{max(0, 1 - size)}f" if -3 <= size < 5 else ".1e"


def _points(values: Array, heads: Array, parts: Parts, names: list[str], *, flip: bool) -> dict[str, Any]:
    """Return one invisible point per cell (or per few cells), which carries the hover text and can be selected.

    `values` has shape (blocks, rank); the block axis is y, or x if `flip`.
    """
    blocks, rank = values.shape
    stride = max(1, -(-blocks * rank // POINTS))
    along = np.arange(0, blocks, stride)
    block, component = np.repeat(along, rank), np.tile(np.arange(rank), len(along))
    text = [label(names[b], 40) for b in along]
    if sum(map(len, text)) * rank > NAMED_CHARACTERS:
        text = [f"{'column' if flip else 'row'} {i + 1:,}" for i in heads[along].tolist()]
    x, y = (block, component) if flip else (component, block)
    return {
        "type": "scattergl" if len(block) > 1000 else "scatter",
        "x": x.astype(np.uint16),
        "y": y.astype(np.uint16),
        "mode": "markers",
        "marker": {"size": 9, "opacity": 0, "color": "#888888"},
        # Position in the file, fitted component, value: all float32, which holds whole numbers up to 16 million.
        "customdata": np.stack([heads[block], parts.index[component], values[block, component]], axis=1).astype(
            np.float32
        ),
        "text": np.repeat(np.array(text, dtype=object), rank),
        # %{x} or %{y} shows the tick's text: the name of the component beside its colour.
        "hovertemplate": "%{text}<br>%{" + ("y" if flip else "x") + "} %{customdata[2]:.4g}<extra></extra>",
        "selected": {"marker": {"opacity": 0}},
        "unselected": {"marker": {"opacity": 0}},
        "showlegend": False,
        "name": "cells",
    }


def _component_ticks(parts: Parts, limit: int) -> dict[str, Any]:
    """Return ticks with the components' names, each with a square in its identity colour; thinned beyond 40."""
    step = max(1, -(-parts.rank // 40))
    at = range(0, parts.rank, step)
    text = [f'<span style="color:{parts.colors[k]}">■</span> {label(parts.names[k], limit)}' for k in at]
    return {"tickmode": "array", "tickvals": list(at), "ticktext": text, "tickfont": {"size": 12}}


def _thin_ticks(names: list[str], most: int, limit: int) -> dict[str, Any]:
    step = max(1, -(-len(names) // most))
    at = list(range(0, len(names), step))
    return {
        "tickmode": "array",
        "tickvals": at,
        "ticktext": [label(names[i], limit) for i in at],
        "tickfont": {"size": SMALL},
    }


def _axis_ticks(starts: Array, axis: Array, words: str) -> dict[str, Any]:
    """Return ticks at round values of an axis of numbers (wavelengths, times, …) under blocks of its points."""
    low, high = float(min(axis[0], axis[-1])), float(max(axis[0], axis[-1]))
    step = 10.0 ** np.floor(np.log10((high - low) / 4))
    step *= next(f for f in (1, 2, 5, 10) if (high - low) / (step * f) <= 10)
    values = np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step
    rising = axis if axis[0] < axis[-1] else axis[::-1]
    place = np.interp(values, rising, np.arange(len(axis)) if axis[0] < axis[-1] else np.arange(len(axis))[::-1])
    blocks = np.interp(place, starts, np.arange(len(starts)))
    return {
        "tickmode": "array",
        "tickvals": blocks.tolist(),
        "ticktext": [f"{value:,.6g}" for value in values.tolist()],
        "tickfont": {"size": SMALL},
        "title": {"text": label(words, 40), "font": {"size": SMALL}},
    }


def _position_ticks(starts: Array, n: int, order: Ordering, most: int = 10) -> dict[str, Any]:
    """Return ticks that count rows or columns, for axes of averages, where a single name would say nothing."""
    step = next(f * 10**e for e in range(9) for f in (1, 2, 5) if f * 10**e * most >= n)
    wanted = np.arange(0, n, step)
    at = np.searchsorted(starts, wanted, side="right") - 1
    return {
        "tickmode": "array",
        "tickvals": at.tolist(),
        "ticktext": [f"{i + 1:,}" for i in wanted.tolist()],
        "tickfont": {"size": SMALL},
        "title": {"text": f"number, {order.words.split(' (')[0]}", "font": {"size": SMALL}},
    }


def _block_names(names: Array, order: Array | None, starts: Array, sizes: Array) -> list[str]:
    ends = starts + sizes - 1
    first = names[starts if order is None else order[starts]].tolist()
    if (sizes == 1).all():
        return first
    last = names[ends if order is None else order[ends]].tolist()
    return [a if n == 1 else f"{a} … {b}" for a, b, n in zip(first, last, sizes.tolist(), strict=True)]


def _track(codes: Array, groups: list[str]) -> dict[str, Any]:
    return {
        "type": "heatmap",
        "z": codes.astype(np.uint8)[:, None],
        "xaxis": "x2",
        "yaxis": "y",
        "zmin": -0.5,
        "zmax": len(groups) - 0.5,
        "colorscale": stepped_scale(tuple(label_color(i) for i in range(len(groups)))),
        "showscale": False,
        "hoverinfo": "skip",
        "name": "labels",
    }


def _legend(groups: list[str], title: str) -> list[dict[str, Any]]:
    return [
        {
            "type": "scatter",
            "x": [None],
            "y": [None],
            "mode": "markers",
            "marker": {"symbol": "square", "size": 10, "color": label_color(i)},
            "name": label(name, 30),
            "hoverinfo": "skip",
        }
        for i, name in enumerate(groups)
    ]


def _unique_columns(names: tuple[str, ...], taken: Any) -> list[str]:
    seen = set(taken)
    out = []
    for name in names:
        column, n = name, 2
        while column in seen:
            column, n = f"{name} ({n})", n + 1
        seen.add(column)
        out.append(column)
    return out
