"""Topics over time, and topics by label, each with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.figures.palette import symbol, with_alpha
from nmf_core.figures.template import figure
from nmf_core.figures.text import count, label, percent
from nmf_core.lenses.text.prevalence import Prevalence

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


def _value_title(found: Prevalence) -> str:
    return "mean share of the topic" if found.measure == "share" else "documents led by the topic"


@dataclass(frozen=True, slots=True, eq=False)
class TopicsOverTime:
    """One line per topic over the periods, with a band for its interval.

    Attributes
    ----------
    found : Prevalence
        Groups are periods in order.
    names, colors : tuple of str
        Of all topics.
    shown : tuple of int
        Topics drawn.
    """

    found: Prevalence
    names: tuple[str, ...]
    colors: tuple[str, ...]
    shown: tuple[int, ...]

    def build(self) -> go.Figure:
        """Return the figure."""
        x = np.arange(len(self.found.groups))
        data: list[dict[str, Any]] = []
        for position, t in enumerate(self.shown):
            value, low, high = self.found.value[:, t], self.found.low[:, t], self.found.high[:, t]
            # A band across a period without an interval would claim too much: one band per stretch.
            data.extend(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": np.concatenate([x[run], x[run][::-1]]),
                    "y": np.concatenate([high[run], low[run][::-1]]).astype(np.float32),
                    "fill": "toself",
                    "fillcolor": with_alpha(self.colors[t], 0.16),
                    "line": {"width": 0},
                    "hoverinfo": "skip",
                    "showlegend": False,
                    "legendgroup": str(t),
                }
                for run in _runs(~np.isnan(low))
                if len(run) > 1
            )
            told = [
                f"{label(group)}: {percent(v)}" + (f" ({percent(a)} to {percent(b)})" if a == a else "") + f", n = {n}"
                for group, v, a, b, n in zip(self.found.groups, value, low, high, self.found.n, strict=True)
            ]
            data.append(
                {
                    "type": "scatter",
                    "mode": "lines+markers",
                    "x": x,
                    "y": value.astype(np.float32),
                    "line": {"color": self.colors[t], "width": 2},
                    "marker": {"symbol": symbol(position), "size": 7},
                    "name": f"{t + 1} {label(self.names[t], 34)}",
                    "legendgroup": str(t),
                    "hovertext": told,
                    "hovertemplate": "%{hovertext}<extra>%{fullData.name}</extra>",
                }
            )
        every = max(1, -(-len(x) // 24))
        layout = {
            "height": 430,
            "xaxis": {
                "tickmode": "array",
                "tickvals": x[::every].tolist(),
                "ticktext": [label(group, 20) for group in self.found.groups[::every]],
                "showgrid": False,
            },
            "yaxis": {"tickformat": ".0%", "rangemode": "tozero", "title": {"text": _value_title(self.found)}},
            "margin": {"l": 10, "r": 10, "t": 10, "b": 10},
        }
        return figure(data, layout)

    def describe(self) -> str:
        """Say where each topic drawn was largest and smallest."""
        said = []
        for t in self.shown[:5]:
            value = self.found.value[:, t]
            if not np.isnan(value).all():
                a, b = int(np.nanargmin(value)), int(np.nanargmax(value))
                said.append(
                    f"{self.names[t]} is largest in {self.found.groups[b]} ({percent(value[b], 2)}), "
                    f"smallest in {self.found.groups[a]} ({percent(value[a], 2)})"
                )
        size = f"{count(len(self.shown), 'topic')} over {count(len(self.found.groups), 'period')}"
        return f"Lines of {size}. {'; '.join(said)}."

    def table(self) -> pd.DataFrame:
        """Return all topics in all periods with their intervals."""
        return self.found.table(self.names)


def _runs(good: np.ndarray) -> list[np.ndarray]:
    """Return the stretches of true entries as index arrays."""
    at = np.flatnonzero(good)
    return [run for run in np.split(at, np.flatnonzero(np.diff(at) > 1) + 1) if len(run)]


@dataclass(frozen=True, slots=True, eq=False)
class TopicsByLabel:
    """Small multiples of one topic each: a dot with its interval per group.

    Attributes
    ----------
    found : Prevalence
    names, colors : tuple of str
    shown : tuple of int
    """

    found: Prevalence
    names: tuple[str, ...]
    colors: tuple[str, ...]
    shown: tuple[int, ...]

    def build(self) -> go.Figure:
        """Return the figure."""
        n = len(self.found.groups)
        gap = 0.72 / max(len(self.shown), 1)
        data: list[dict[str, Any]] = []
        for position, t in enumerate(self.shown):
            value, low, high = self.found.value[:, t], self.found.low[:, t], self.found.high[:, t]
            told = [
                f"{label(group)}: {percent(v)}" + (f" ({percent(a)} to {percent(b)})" if a == a else "") + f", n = {m}"
                for group, v, a, b, m in zip(self.found.groups, value, low, high, self.found.n, strict=True)
            ]
            data.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": value.astype(np.float32),
                    "y": np.arange(n) + (position - (len(self.shown) - 1) / 2) * gap,
                    "error_x": {
                        "type": "data",
                        "symmetric": False,
                        "array": np.nan_to_num(high - value).clip(0).astype(np.float32),
                        "arrayminus": np.nan_to_num(value - low).clip(0).astype(np.float32),
                        "thickness": 1.5,
                        "width": 3,
                    },
                    "marker": {"color": self.colors[t], "size": 9, "symbol": symbol(position)},
                    "name": f"{t + 1} {label(self.names[t], 34)}",
                    "hovertext": told,
                    "hovertemplate": "%{hovertext}<extra>%{fullData.name}</extra>",
                }
            )
        groups = [f"{label(g, 26)} ({m})" for g, m in zip(self.found.groups, self.found.n, strict=True)]
        layout = {
            "height": 130 + n * max(30, 16 * len(self.shown)),
            "xaxis": {"tickformat": ".0%", "rangemode": "tozero", "title": {"text": _value_title(self.found)}},
            "yaxis": {
                "range": [n - 0.5, -0.5],
                "tickmode": "array",
                "tickvals": list(range(n)),
                "ticktext": groups,
                "showgrid": True,
            },
            "legend": {"y": 1.0, "yanchor": "bottom"},
        }
        return figure(data, layout)

    def describe(self) -> str:
        """Say which group has most of each topic drawn."""
        said = []
        for t in self.shown[:5]:
            value = self.found.value[:, t]
            if not np.isnan(value).all():
                g = int(np.nanargmax(value))
                low, high = self.found.low[g, t], self.found.high[g, t]
                sure = f", interval {percent(low, 2)} to {percent(high, 2)}" if low == low else ""
                said.append(f"{self.names[t]}: most in {self.found.groups[g]} ({percent(value[g], 2)}{sure})")
        return (
            f"Dots of {count(len(self.shown), 'topic')} in {count(len(self.found.groups), 'group')}. {'; '.join(said)}."
        )

    def table(self) -> pd.DataFrame:
        """Return all topics in all groups with their intervals."""
        return self.found.table(self.names)
