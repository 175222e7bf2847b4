"""Codes of all samples by several methods: who holds how much of what, and who takes away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.comparison.rivals import below
from nmf_core.figures.aggregate import block_starts, mean_rows
from nmf_core.figures.compare_methods import names_of, panel
from nmf_core.figures.palette import DIVERGING
from nmf_core.figures.template import axis_id, axis_key, figure
from nmf_core.figures.text import label, labels, plain
from nmf_core.types import Array

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

#: Rows drawn at most; more are averaged.
MOST = 240


@dataclass(frozen=True, slots=True, eq=False)
class MethodCodes:
    """Codes as heatmaps side by side, each in units of what it contributes (amount × length of the component).

    Attributes
    ----------
    methods : tuple of methods
    rows : ndarray of str
        Names of the samples.
    names : mapping of method name to the names of its components, optional

    Notes
    -----
    Samples stand in the order of the component that the first method gives most of, the same for all methods.
    """

    methods: tuple[Any, ...]
    rows: Array
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def _order(self) -> Array:
        first = _scaled(self.methods[0])
        top = first.argmax(axis=1)
        return np.lexsort((-first[np.arange(len(first)), top], top))

    def build(self) -> go.Figure:
        """Return the figure."""
        order = self._order()
        starts = block_starts(len(order), MOST)
        traces: list[dict[str, Any]] = []
        layout: dict[str, Any] = {"annotations": [], "height": 460, "margin": {"t": 40}}
        n = len(self.methods)
        for i, method in enumerate(self.methods):
            z = mean_rows(_scaled(method), order, starts)
            top = float(np.abs(z).max()) or 1.0
            domain, title = panel(i, n, f"<b>{label(method.name)}</b>")
            traces.append(
                {
                    "type": "heatmap",
                    "z": (z / top).astype(np.float32),
                    "xaxis": axis_id("x", i),
                    "yaxis": axis_id("y", i),
                    "colorscale": [list(stop) for stop in DIVERGING],
                    "zmin": -1,
                    "zmax": 1,
                    "showscale": i == n - 1,
                    "colorbar": {"title": {"text": "share of<br>largest"}, "thickness": 12, "len": 0.6},
                    "hovertemplate": f"{label(method.name)} %{{x}}: %{{z:.3f}} of its largest<extra></extra>",
                }
            )
            named = names_of(self.names, method)
            layout[axis_key("x", i)] = {
                "domain": domain,
                "anchor": axis_id("y", i),
                "tickvals": list(range(len(named))),
                "ticktext": labels(named, 16),
                "showgrid": False,
                "showticklabels": len(named) * n <= 60,
                "tickangle": -90 if len(named) * n > 12 else 0,
                "tickfont": {"size": 10},
            }
            layout[axis_key("y", i)] = {
                "anchor": axis_id("x", i),
                "autorange": "reversed",
                "showticklabels": False,
                "showgrid": False,
                "title": {"text": "samples" if i == 0 else ""},
            }
            layout["annotations"].append(title)
        return figure(traces, layout)

    def describe(self) -> str:
        """Return what the picture shows, in words."""
        told = []
        for method in self.methods:
            size = np.abs(_scaled(method))
            used = float((size > 0.05 * np.maximum(size.max(axis=1, keepdims=True), 1e-300)).sum(axis=1).mean())
            negative = below(method.codes)
            told.append(
                f"{plain(method.name)} uses {used:.1f} of {len(method.parts)} components for a sample on average"
                + (f", {100 * negative:.0f} % of its codes are negative" if negative else "")
            )
        return f"Codes of {len(self.rows):,} samples. {'; '.join(told)}."

    def table(self) -> pd.DataFrame:
        """Return the codes as they are, one row per sample."""
        import pandas as pd

        frames = [
            pd.DataFrame(method.codes, columns=[f"{method.name} {name}" for name in names_of(self.names, method)])
            for method in self.methods
        ]
        return pd.concat(frames, axis=1).set_axis(list(self.rows)).rename_axis("sample")


def _scaled(method: Any) -> Array:
    return np.asarray(method.codes, dtype=float) * np.linalg.norm(method.parts, axis=1)
