"""A picture in large type, for a screen that many people look at from far away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nmf_core.figures.base import Picture

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


@dataclass(frozen=True, slots=True)
class Large:
    """Another picture with larger letters, and a little higher so that they find room.

    Attributes
    ----------
    picture : Picture
    factor : float
        How much larger its letters are.
    """

    picture: Picture
    factor: float = 1.5

    def build(self) -> go.Figure:
        """Return the figure."""
        made = self.picture.build()
        layout = made._layout
        for trace in made._data:
            _grow(trace, self.factor)
        _grow(layout, self.factor)
        layout.setdefault("font", {}).setdefault("size", 13 * self.factor)
        layout.setdefault("legend", {}).setdefault("font", {}).setdefault("size", 13 * self.factor)
        for key, axis in layout.items():
            if key[:5] in ("xaxis", "yaxis"):
                axis.setdefault("tickfont", {}).setdefault("size", 12 * self.factor)
                title = axis.get("title")
                if isinstance(title, dict):
                    title.setdefault("font", {}).setdefault("size", 13 * self.factor)
        for note in layout.get("annotations", ()):
            note.setdefault("font", {}).setdefault("size", 13 * self.factor)
        if "height" in layout:
            layout["height"] = round(layout["height"] * (1 + (self.factor - 1) / 4))
        margin = layout.setdefault("margin", {})
        margin["t"] = round(margin.get("t", 44) * self.factor)
        return made

    def describe(self) -> str:
        """Return what the picture shows, in words."""
        return self.picture.describe()

    def table(self) -> pd.DataFrame:
        """Return the numbers behind the picture."""
        return self.picture.table()


def _grow(node: Any, factor: float) -> None:
    """Enlarge every font that states a size."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "template":
                continue
            if key.endswith("font") and isinstance(value, dict) and isinstance(value.get("size"), (int, float)):
                value["size"] = value["size"] * factor
            else:
                _grow(value, factor)
    elif isinstance(node, (list, tuple)):
        for value in node:
            _grow(value, factor)
