"""NMF as a neural network: hidden units that only excite, synapses that never change sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.components import Parts
from nmf_core.figures.palette import with_alpha
from nmf_core.figures.template import MUTED, figure
from nmf_core.figures.text import label, labels, plain
from nmf_core.types import Array, Dataset

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

#: More visible units than these would be a grey block; the largest are drawn.
MOST_FEATURES = 16


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Components above (firing at the rates W of one sample), features below; a line as wide as its weight in H.

    Attributes
    ----------
    dataset : Dataset
    parts : Parts
    row : int
        The sample whose activity flows.
    flow : bool
        Width is the weight times the firing rate, what really arrives; else the weight alone.
    """

    dataset: Dataset
    parts: Parts
    row: int = 0
    flow: bool = True

    def shown(self) -> tuple[Array, Array, Array]:
        """Return the firing rates, what arrives at every feature, and which features are drawn."""
        rates = self.parts.recipe[self.row]
        sums = rates @ self.parts.H
        size = np.maximum(self.parts.H.max(axis=0), 0)
        features = np.sort(np.argsort(-size, kind="stable")[:MOST_FEATURES])
        return rates, sums, features

    def build(self) -> go.Figure:
        """Return the figure."""
        rates, sums, features = self.shown()
        H = self.parts.H[:, features]
        carried = H * rates[:, None] if self.flow else H
        top = float(carried.max()) or 1.0
        hidden = _spread(len(H))
        visible = _spread(len(features))
        crowded = len(features) > 6
        traces: list[dict[str, Any]] = []
        for k in range(len(H)):
            for j in range(len(features)):
                width = 12 * float(carried[k, j]) / top
                if width < 0.15:
                    continue
                traces.append(
                    {
                        "type": "scatter",
                        "mode": "lines",
                        "x": [hidden[k], visible[j]],
                        "y": [1, 0],
                        "line": {"width": width, "color": with_alpha(self.parts.colors[k], 0.6)},
                        "hoverinfo": "skip",
                        "showlegend": False,
                    }
                )
        most = float(rates.max()) or 1.0
        traces.append(
            _units(
                hidden,
                1.0,
                [f"{label(n, 24)}<br>rate {r:.3g}" for n, r in zip(self.parts.names, rates, strict=True)],
                list(self.parts.colors),
                18 + 34 * rates / most,
                "top center",
            )
        )
        reach = float(sums[features].max()) or 1.0
        measured = self._measured()[features]
        texts = [
            f"{name}<br>{s:.3g} ({x:.3g})"
            for name, s, x in zip(labels(self.dataset.cols[features], 14), sums[features], measured, strict=True)
        ]
        if crowded:  # every second name one line pair lower, so that neighbours do not overlap
            texts = [text if i % 2 == 0 else f"<br><br>{text}" for i, text in enumerate(texts)]
        traces.append(_units(visible, 0.0, texts, MUTED, 12 + 26 * sums[features] / reach, "bottom center"))
        hide = {"visible": False, "fixedrange": True}
        return figure(
            traces,
            {
                "height": 460,
                "showlegend": False,
                "xaxis": {**hide, "range": [-0.02, 1.02]},
                "yaxis": {**hide, "range": [-0.5 if crowded else -0.35, 1.35]},
                "annotations": [
                    _side("hidden units:<br>the components", 1.0),
                    _side("visible units:<br>the features", 0.0),
                ],
            },
        )

    def _measured(self) -> Array:
        """Return the sample as it was measured."""
        x = self.dataset.X[self.row]
        return np.asarray(x.todense() if hasattr(x, "todense") else x, dtype=float).ravel()

    def describe(self) -> str:
        """Return what the picture shows, in words."""
        rates, _, features = self.shown()
        k = int(np.argmax(rates))
        return (
            f"A network of two layers: {len(rates)} hidden units, one per component, send non-negative activity down to "
            f"{len(features)} features. For {plain(self.dataset.rows[self.row])} the strongest hidden unit is "
            f"{plain(self.parts.names[k])} with rate {rates[k]:.3g}. No line can be negative."
        )

    def table(self) -> pd.DataFrame:
        """Return rates and weights: one row per hidden unit."""
        import pandas as pd

        rates, _, features = self.shown()
        frame = pd.DataFrame(
            self.parts.H[:, features], index=list(self.parts.names), columns=list(self.dataset.cols[features])
        )
        frame.insert(0, "rate", rates)
        frame.loc["arrives"] = [np.nan, *(rates @ self.parts.H)[features]]
        frame.loc["measured"] = [np.nan, *self._measured()[features]]
        return frame.rename_axis("hidden unit")


def _spread(count: int) -> Array:
    """Return places from left to right; the left edge is kept for the names of the layers."""
    return 0.16 + 0.84 * (np.arange(count) + 0.5) / count


def _units(x: Array, y: float, texts: list[str], color: Any, size: Array, place: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": x,
        "y": np.full(len(x), y),
        "text": texts,
        "textposition": place,
        "marker": {"color": color, "size": size, "line": {"width": 1, "color": MUTED}},
        "hoverinfo": "text",
    }


def _side(text: str, y: float) -> dict[str, Any]:
    return {
        "text": text,
        "x": 0,
        "y": y,
        "xref": "paper",
        "yref": "y",
        "showarrow": False,
        "xanchor": "left",
        "font": {"color": MUTED},
    }
