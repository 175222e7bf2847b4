"""Convergence as a film: snapshots of the parts with a scrubber."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.figures.template import figure
from nmf_core.types import Array

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go


@dataclass(frozen=True, slots=True, eq=False)
class PartsFilm:
    """H after more and more iterations, as tiles or as rows of a heatmap.

    Attributes
    ----------
    snapshots : sequence of ndarray of shape (rank, m)
    iterations : sequence of int
    errors : sequence of float
        Relative error at each snapshot.
    cell_shape : (height, width), optional
        Draw each part as a picture of this shape; else H is drawn as it is.
    cols : tuple of str
        Names of features, for H as a heatmap.
    """

    snapshots: tuple[Array, ...]
    iterations: tuple[int, ...]
    errors: tuple[float, ...]
    cell_shape: tuple[int, int] | None = None
    cols: tuple[str, ...] = ()

    def _frame(self, H: Array) -> Array:
        """Return one frame as bytes 0 to 255: a quarter of the size of float32, and smooth enough for the eye."""
        scaled = H / np.maximum(H.max(axis=1, keepdims=True), 1e-300)
        if self.cell_shape is not None:
            scaled = tiles(scaled, self.cell_shape)
        return np.round(255 * scaled).astype(np.uint8)

    def build(self) -> go.Figure:
        """Return the figure."""
        import plotly.graph_objects as go

        pictures = [self._frame(H) for H in self.snapshots]
        heads = [
            f"iteration {i:,} · relative error {100 * e:.3g} %"
            for i, e in zip(self.iterations, self.errors, strict=True)
        ]
        heat: dict[str, Any] = {
            "type": "heatmap",
            "z": pictures[0],
            "zmin": 0,
            "zmax": 255,
            "showscale": False,
            "hoverinfo": "skip",
        }
        tiled = self.cell_shape is not None
        heat["colorscale"] = [[0, "white"], [1, "#0c1226"]] if tiled else "Viridis"
        height, width = pictures[0].shape
        axis: dict[str, Any] = {"visible": not tiled, "fixedrange": True, "showgrid": False, "zeroline": False}
        layout: dict[str, Any] = {
            "height": 470,
            "title": {"text": heads[0]},
            "xaxis": {**axis, **({} if tiled else {"tickvals": list(range(width)), "ticktext": list(self.cols)})},
            "yaxis": {
                **axis,
                "autorange": "reversed",
                **(
                    {"scaleanchor": "x"}
                    if tiled
                    else {"tickvals": list(range(height)), "ticktext": [f"Part {k + 1}" for k in range(height)]}
                ),
            },
            "sliders": [
                {
                    "currentvalue": {"prefix": "iteration "},
                    "pad": {"t": 30},
                    "steps": [
                        {
                            "label": f"{i:,}",
                            "method": "animate",
                            "args": [
                                [str(f)],
                                {
                                    "mode": "immediate",
                                    "frame": {"duration": 0, "redraw": True},
                                    "transition": {"duration": 0},
                                },
                            ],
                        }
                        for f, i in enumerate(self.iterations)
                    ],
                }
            ],
            "updatemenus": [
                {
                    "type": "buttons",
                    "direction": "left",
                    "x": 1,
                    "xanchor": "right",
                    "y": 1.02,
                    "yanchor": "bottom",
                    "showactive": False,
                    "buttons": [
                        {
                            "label": "▶ Play",
                            "method": "animate",
                            "args": [
                                None,
                                {
                                    "fromcurrent": True,
                                    "frame": {"duration": 350, "redraw": True},
                                    "transition": {"duration": 0},
                                },
                            ],
                        },
                        {
                            "label": "❚❚ Pause",
                            "method": "animate",
                            "args": [[None], {"mode": "immediate", "frame": {"duration": 0, "redraw": False}}],
                        },
                    ],
                }
            ],
        }
        drawn = figure([heat], layout)
        drawn.frames = [
            go.Frame(name=str(i), data=[{"type": "heatmap", "z": z}], layout={"title": {"text": head}})
            for i, (z, head) in enumerate(zip(pictures, heads, strict=True))
        ]
        return drawn

    def describe(self) -> str:
        """Return what the picture shows, in words."""
        return (
            f"A film of {len(self.snapshots[0])} parts from iteration {self.iterations[0]} to {self.iterations[-1]:,}, "
            f"{len(self.snapshots)} frames; the relative error falls from {100 * self.errors[0]:.3g} % to "
            f"{100 * self.errors[-1]:.3g} %."
        )

    def table(self) -> pd.DataFrame:
        """Return iterations and errors of the frames."""
        import pandas as pd

        return pd.DataFrame({"iteration": self.iterations, "relative error": self.errors})


def tiles(H: Array, cell_shape: tuple[int, int]) -> Array:
    """Return parts side by side as one matrix, with a gap of one pixel between them."""
    height, width = cell_shape
    columns = int(np.ceil(np.sqrt(len(H) * height / width)))
    rows = -(-len(H) // columns)
    out = np.zeros((rows * (height + 1) - 1, columns * (width + 1) - 1))
    for k, part in enumerate(H):
        r, c = divmod(k, columns)
        out[r * (height + 1) : r * (height + 1) + height, c * (width + 1) : c * (width + 1) + width] = part.reshape(
            height, width
        )
    return out
