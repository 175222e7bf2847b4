"""The components of several methods on one screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nmf_core.comparison.rivals import below
from nmf_core.figures.palette import DIVERGING
from nmf_core.figures.template import axis_id, axis_key, figure
from nmf_core.figures.text import label, labels, plain
from nmf_core.types import Array, Dataset

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

#: Features drawn: beyond, the ones that matter most in any method.
MOST = 60


class Coded(Protocol):
    """X ≈ offset + codes · parts, by some method."""

    name: str
    parts: Array
    codes: Array
    offset: Array
    error: float


def _features(methods: tuple[Coded, ...], m: int, most: int) -> Array:
    weight = np.zeros(m)
    for method in methods:
        scaled = np.abs(method.parts) / np.maximum(np.abs(method.parts).max(axis=1, keepdims=True), 1e-300)
        weight = np.maximum(weight, scaled.max(axis=0))
    return np.sort(np.argsort(-weight, kind="stable")[:most])


@dataclass(frozen=True, slots=True, eq=False)
class MethodParts:
    """Components of every method as rows of a heatmap, each divided by its largest size; both signs in one scale.

    Attributes
    ----------
    dataset : Dataset
    methods : tuple of methods
    titles : mapping of method name to what people read
    names : mapping of method name to the names of its components, optional
        Numbers where left out.
    """

    dataset: Dataset
    methods: tuple[Any, ...]
    titles: dict[str, str]
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def build(self) -> go.Figure:
        """Return the figure."""
        at = _features(self.methods, self.dataset.shape[1], MOST)
        names = labels(self.dataset.cols[at], 18)
        traces: list[dict[str, Any]] = []
        layout: dict[str, Any] = {"annotations": []}
        heights = np.array([len(method.parts) for method in self.methods], dtype=float)
        gap = 1.15
        total = heights.sum() + gap * len(heights)
        top = 1.0
        for i, method in enumerate(self.methods):
            z = method.parts[:, at] / np.maximum(np.abs(method.parts).max(axis=1, keepdims=True), 1e-300)
            low = top - gap / total - heights[i] / total
            high = top - gap / total
            traces.append(
                {
                    "type": "heatmap",
                    "z": z.astype(np.float32),
                    "xaxis": axis_id("x", i),
                    "yaxis": axis_id("y", i),
                    "colorscale": [list(stop) for stop in DIVERGING],
                    "zmin": -1,
                    "zmax": 1,
                    "xgap": 1,
                    "ygap": 1,
                    "showscale": i == 0,
                    "colorbar": {"title": {"text": "share of<br>largest"}, "thickness": 12, "len": 0.5, "y": 0.75},
                    "hovertemplate": "%{x}: %{z:.3f}<extra>" + label(method.name) + " %{y}</extra>",
                }
            )
            layout[axis_key("x", i)] = {
                "anchor": axis_id("y", i),
                "tickvals": list(range(len(at))),
                "ticktext": names,
                "showticklabels": i == len(self.methods) - 1,
                "showgrid": False,
                # Many names stand upright: each has a few pixels of width.
                **({"tickangle": -90, "tickfont": {"size": 10}} if len(at) > 16 else {}),
            }
            layout[axis_key("y", i)] = {
                "anchor": axis_id("x", i),
                "domain": [max(low, 0.0), high],
                "autorange": "reversed",
                "tickvals": list(range(len(method.parts))),
                "ticktext": labels(names_of(self.names, method), 22),
                "showgrid": False,
            }
            layout["annotations"].append(
                {
                    "text": f"<b>{label(self.titles.get(method.name, method.name), 70)}</b>  · relative error {100 * method.error:.3g} %",
                    "x": 0,
                    "y": high,
                    "xref": "paper",
                    "yref": "paper",
                    "xanchor": "left",
                    "yanchor": "bottom",
                    "showarrow": False,
                }
            )
            top = low
        layout["height"] = int(110 + 26 * total + (90 if len(at) > 16 else 0))
        layout["margin"] = {"t": 34 if len(at) < self.dataset.shape[1] else 10}
        if len(at) < self.dataset.shape[1]:
            told = f"The {len(at)} of {self.dataset.shape[1]:,} features that weigh most in any component"
            layout["title"] = {"text": f"<sup>{told}</sup>"}
        return figure(traces, layout)

    def describe(self) -> str:
        """Return what the picture shows, in words."""
        told = [f"{plain(m.name)}: {100 * below(m.parts):.0f} % of its entries are negative" for m in self.methods]
        return f"Components of {len(self.methods)} methods at the same rank, one row each. {'; '.join(told)}."

    def table(self) -> pd.DataFrame:
        """Return all components of all methods."""
        import pandas as pd

        frames = [
            pd.DataFrame(method.parts, columns=list(self.dataset.cols)).assign(
                method=method.name, component=names_of(self.names, method)
            )
            for method in self.methods
        ]
        return pd.concat(frames, ignore_index=True).set_index(["method", "component"])


def panel(i: int, n: int, title: str) -> tuple[list[float], dict[str, Any]]:
    """Return where the i-th of n panels side by side lies, and the title above it."""
    left, right = i / n + 0.012, (i + 1) / n - 0.012
    place = {"x": (left + right) / 2, "y": 1.0, "yanchor": "bottom", "xref": "paper", "yref": "paper"}
    return [left, right], {"text": title, "showarrow": False, **place}


def names_of(names: Mapping[str, tuple[str, ...]], method: Any) -> list[str]:
    """Return the names of a method's components: given ones, or numbers."""
    return list(names.get(method.name) or (str(k + 1) for k in range(len(method.parts))))
