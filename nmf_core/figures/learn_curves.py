"""Loss curves of several runs on one axis, with a marker where the page stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.figures.palette import component_color
from nmf_core.figures.template import figure
from nmf_core.figures.text import label, plain
from nmf_core.types import Array

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")


@dataclass(frozen=True, slots=True, eq=False)
class LossCurves:
    """How the loss falls in several runs.

    Attributes
    ----------
    runs : mapping of name to ndarray
        Loss after 0, 1, 2 … steps.
    at : int, optional
        Step to mark.
    chosen : str, optional
        Run on which the mark sits; the first if left out.
    step : str
        What one step is called on the axis.
    marks : mapping of name to int
        Named steps of the chosen run ("stops at tolerance 1e-3").
    log : bool
    """

    runs: Mapping[str, Array]
    at: int | None = None
    chosen: str | None = None
    step: str = "update"
    marks: Mapping[str, int] | None = None
    log: bool = True

    def build(self) -> go.Figure:
        """Return the figure."""
        names = list(self.runs)
        chosen = self.chosen if self.chosen is not None and self.chosen in self.runs else names[0]
        traces: list[dict[str, Any]] = []
        for i, (name, losses) in enumerate(self.runs.items()):
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": label(name, 40),
                    "x": np.arange(len(losses)),
                    "y": np.asarray(losses, dtype=np.float64),
                    "line": {
                        "color": component_color(i),
                        "dash": _DASHES[i % len(_DASHES)],
                        "width": 3 if name == chosen else 1.8,
                    },
                    "hovertemplate": f"{label(name)}<br>{self.step} %{{x}}: %{{y:.6g}}<extra></extra>",
                }
            )
        losses = self.runs[chosen]
        if self.at is not None:
            at = min(self.at, len(losses) - 1)
            traces.append(_dots([at], [losses[at]], ["you are here"], "circle", 13, len(losses)))
        if self.marks:
            steps = [min(s, len(losses) - 1) for s in self.marks.values()]
            traces.append(_dots(steps, [losses[s] for s in steps], list(self.marks), "triangle-down", 12, len(losses)))
        return figure(
            traces,
            {
                "height": 300,
                "xaxis": {"title": {"text": self.step}},
                "yaxis": {
                    "title": {"text": "loss"},
                    "type": "log" if self.log else "linear",
                    "exponentformat": "power",
                },
                "legend": {"y": 1.02, "yanchor": "bottom"},
            },
        )

    def describe(self) -> str:
        """Return what the picture shows, in words."""
        ends = ", ".join(f"{plain(name)} {float(y[-1]):.4g}" for name, y in self.runs.items())
        return f"The loss of {len(self.runs)} run(s) against the {self.step}. At the end: {ends}."

    def table(self) -> pd.DataFrame:
        """Return the losses, one column per run."""
        import pandas as pd

        return pd.DataFrame({name: pd.Series(np.asarray(y, float)) for name, y in self.runs.items()}).rename_axis(
            self.step
        )


def _dots(x: list[int], y: list[float], texts: list[str], symbol: str, size: int, last: int) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": x,
        "y": y,
        "text": [label(t, 40) for t in texts],
        "textposition": ["top left" if step > 0.7 * last else "top right" for step in x],
        "marker": {"color": "#d55e00", "size": size, "symbol": symbol},
        "showlegend": False,
        "hoverinfo": "text",
    }
