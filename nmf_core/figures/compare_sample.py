"""One sample rebuilt by several methods: what each adds and takes away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.comparison.rivals import running_sum
from nmf_core.figures.compare_methods import names_of, panel
from nmf_core.figures.palette import component_color
from nmf_core.figures.template import axis_id, axis_key, figure
from nmf_core.figures.text import label, labels, plain
from nmf_core.types import Array, Dataset

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


@dataclass(frozen=True, slots=True, eq=False)
class MethodSample:
    """One sample as the sum of each method's contributions: to the right what adds, to the left what is taken away.

    Attributes
    ----------
    dataset : Dataset
    methods : tuple of methods
    row : int
    steps : int, optional
        Contributions added so far, the largest first; all when left out.
    names, colors : mapping of method name to the names and the colours of its components, optional
    """

    dataset: Dataset
    methods: tuple[Any, ...]
    row: int = 0
    steps: int | None = None
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    colors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def _pieces(self, method: Any) -> tuple[Array, Array]:
        order, pieces = running_sum(method, self.row)
        return order[: self.steps], pieces[: self.steps]

    def build(self) -> go.Figure:
        """Return the figure."""
        x = self._values()
        at = np.sort(np.argsort(-np.abs(x), kind="stable")[:20])
        names = labels(self.dataset.cols[at], 18)
        traces: list[dict[str, Any]] = []
        layout: dict[str, Any] = {"barmode": "relative", "annotations": [], "showlegend": False}
        n = len(self.methods)
        for i, method in enumerate(self.methods):
            axes = {"xaxis": axis_id("x", i), "yaxis": axis_id("y", i)}
            if np.any(method.offset):
                traces.append(_bar(names, method.offset[at], "rgb(128,128,128)", "mean", axes))
            for k, piece in zip(*self._pieces(method), strict=True):
                color = self.colors[method.name][k] if method.name in self.colors else component_color(int(k))
                traces.append(_bar(names, piece[at], color, label(names_of(self.names, method)[k], 40), axes))
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": x[at],
                    "y": names,
                    "marker": {"symbol": "line-ns", "size": 16, "line": {"width": 2, "color": "rgb(90,90,90)"}},
                    "hovertemplate": "X: %{x:.4g}<extra></extra>",
                    **axes,
                }
            )
            model = method.offset + self._pieces(method)[1].sum(axis=0)
            rest = float(np.linalg.norm(x - model)) / (float(np.linalg.norm(x)) or 1.0)
            domain, title = panel(i, n, f"<b>{label(method.name)}</b><br>{100 * rest:.3g} % left")
            layout["annotations"].append(title)
            layout[axis_key("x", i)] = {"domain": domain, "anchor": axis_id("y", i), "nticks": 4}
            layout[axis_key("y", i)] = {"anchor": axis_id("x", i), "autorange": "reversed", "showticklabels": i == 0}
        layout["height"] = 120 + 24 * max(len(at), 4)
        return figure(traces, layout)

    def _values(self) -> Array:
        X = self.dataset.X
        return np.nan_to_num(
            np.asarray(X[[self.row]].todense() if hasattr(X, "indptr") else X[self.row], dtype=float).ravel()
        )

    def describe(self) -> str:
        """Return what the picture shows, in words."""
        told = []
        for method in self.methods:
            pieces = self._pieces(method)[1]
            taken = float(-pieces[pieces < 0].sum())
            told.append(
                f"{plain(method.name)} takes away {taken:.3g}" if taken > 1e-9 else f"{plain(method.name)} only adds"
            )
        return f"{plain(self.dataset.rows[self.row])} rebuilt by {len(self.methods)} methods: {'; '.join(told)}."

    def table(self) -> pd.DataFrame:
        """Return the sample and what each method makes of it."""
        import pandas as pd

        frame = pd.DataFrame({"X": self._values()}, index=list(self.dataset.cols))
        for method in self.methods:
            frame[method.name] = method.offset + self._pieces(method)[1].sum(axis=0)
        return frame.rename_axis("feature")


def _bar(names: list[str], values: Array, color: str, name: str, axes: dict[str, str]) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "x": values,
        "y": names,
        "name": name,
        "marker": {"color": color},
        "hovertemplate": f"{name}: %{{x:.4g}}<extra></extra>",
        **axes,
    }
