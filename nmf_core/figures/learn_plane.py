"""What the pictures of the geometry share: panels with equal units, lines, groups of samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from nmf_core.figures.palette import label_color, symbol, with_alpha
from nmf_core.figures.template import axis_id, axis_key
from nmf_core.figures.text import label, labels
from nmf_core.types import Array


def line(x: Any, y: Any, name: str, color: str, width: float, dash: str = "solid") -> dict[str, Any]:
    """Return a line through some points."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.asarray(x, float),
        "y": np.asarray(y, float),
        "name": name,
        "line": {"color": color, "width": width, "dash": dash},
        "hoverinfo": "name",
    }


def plane(i: int, domain: list[float], limits: list[float], cols: tuple[str, str]) -> dict[str, Any]:
    """Return the axes of a square panel with equal units, so that a right angle looks like one."""
    shared = {"range": limits, "constrain": "domain"}
    return {
        axis_key("x", i): {"title": {"text": label(cols[0])}, "domain": domain, "anchor": axis_id("y", i), **shared},
        axis_key("y", i): {
            "title": {"text": label(cols[1])},
            "anchor": axis_id("x", i),
            "scaleanchor": axis_id("x", i),
            **shared,
        },
    }


def over(text: str, x: float) -> dict[str, Any]:
    """Return the head of a panel."""
    return {
        "text": f"<b>{text}</b>",
        "x": x,
        "y": 1.0,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "center",
        "yanchor": "bottom",
        "yshift": 6,
        "showarrow": False,
    }


def points(x: Array, y: Array, groups: Array, rows: tuple[str, ...] | None = None) -> list[dict[str, Any]]:
    """Return the samples, every group with a colour and a symbol of its own; `rows` are their names on hover."""
    out = []
    for i, group in enumerate(dict.fromkeys(groups.tolist())):
        at = groups == group
        out.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": x[at],
                "y": y[at],
                "name": label(group, 24),
                "marker": {"color": with_alpha(label_color(i), 0.75), "symbol": symbol(i), "size": 8},
                **({"text": labels(np.asarray(rows)[at]), "hoverinfo": "text"} if rows is not None else {}),
            }
        )
    return out
