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

#: Ten, so that ten runs are told apart without colour.
_DASHES = (
    "solid",
    "dash",
    "dot",
    "dashdot",
    "longdash",
    "longdashdot",
    "2px,6px",
    "12px,3px",
    "12px,3px,2px,3px,2px,3px",
    "5px,2px",
)


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
    loss : str
        What is on the vertical axis.
    height : int
        In pixels.
    """

    runs: Mapping[str, Array]
    at: int | None = None
    chosen: str | None = None
    step: str = "update"
    marks: Mapping[str, int] | None = None
    log: bool = True
    loss: str = "loss"
    height: int = 300

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
        last = max(max(len(run) for run in self.runs.values()) - 1, 1)
        if self.at is not None:
            at = min(self.at, len(losses) - 1)
            traces.append(_dots([at], [losses[at]], ["you are here"], "circle", 13, len(losses)))
        if self.marks:
            steps = [min(s, len(losses) - 1) for s in self.marks.values()]
            traces.append(_dots(steps, [losses[s] for s in steps], list(self.marks), "triangle-down", 12, len(losses)))
        return figure(
            traces,
            {
                "height": self.height,
                "xaxis": {"title": {"text": self.step}, "range": [-0.02 * last, 1.03 * last]},
                "yaxis": {"title": {"text": label(self.loss)}, **self._scale()},
                "legend": {"y": 1.02, "yanchor": "bottom"},
            },
        )

    def _scale(self) -> dict[str, Any]:
        """Return the vertical axis; on a logarithmic one with few, round numbers: Plotly's own crowd each other."""
        if not self.log:
            return {"type": "linear"}
        values = np.concatenate([np.asarray(run, float) for run in self.runs.values()])
        values = values[values > 0]
        if not values.size:
            return {"type": "linear"}
        low, high = max(float(values.min()), 1e-9 * float(values.max())), float(values.max())
        decades = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
        steps = (1, 2, 5) if len(decades) <= 4 else (1,)
        ticks = [step * 10.0**d for d in decades for step in steps]
        ticks = ticks if len(ticks) < 12 else ticks[:: -(-len(ticks) // 12)]
        room = 0.06 * max(np.log10(high / low), 0.5)
        above = (26 / max(self.height - 110, 40)) * max(np.log10(high / low), 0.5)  # for "you are here"
        return {
            "type": "log",
            "tickvals": ticks,
            "ticktext": [_tick(t) for t in ticks],
            "range": [np.log10(low) - room, np.log10(high) + max(above, room)],
        }

    def describe(self) -> str:
        """Return what the picture shows, in words."""
        ends = ", ".join(f"{plain(name)} {float(y[-1]):.4g}" for name, y in self.runs.items())
        text = f"{plain(self.loss)} of {len(self.runs)} run{'s' if len(self.runs) > 1 else ''} against the {self.step}"
        text = text[0].upper() + text[1:]
        if self.at is not None:
            here = self.runs.get(self.chosen or "", next(iter(self.runs.values())))
            at = min(self.at, len(here) - 1)
            text += f"; you are at {self.step} {at}, where it is {float(here[at]):.4g}"
        marked = "".join(f" {plain(name)}: at {self.step} {at}." for name, at in (self.marks or {}).items())
        return f"{text}. At the end: {ends}.{marked}"

    def table(self) -> pd.DataFrame:
        """Return the losses, one column per run."""
        import pandas as pd

        return pd.DataFrame({name: pd.Series(np.asarray(y, float)) for name, y in self.runs.items()}).rename_axis(
            self.step
        )


def _tick(value: float) -> str:
    """Return a tick of a logarithmic axis: 500,000, 0.02, 10⁻⁵."""
    if value >= 1:
        return f"{value:,.0f}"
    power = round(np.log10(value), 9)
    if value < 1e-3 and power == int(power):
        return "10" + str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{value:.10f}".rstrip("0")


def _dots(x: list[int], y: list[float], texts: list[str], symbol: str, size: int, last: int) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": x,
        "y": y,
        "text": [label(t, 40) for t in texts],
        "textposition": ["top left" if step > 0.7 * last else "top right" for step in x],
        "marker": {"color": "#d55e00", "size": size, "symbol": symbol},
        "cliponaxis": False,
        "showlegend": False,
        "hoverinfo": "text",
    }
