"""A drawing that says what X, W and H are, in the user's own names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.components import Parts
from nmf_core.figures.aggregate import block_means, block_starts, mean_rows
from nmf_core.figures.png import encode, uri
from nmf_core.figures.reconstruction import _seen
from nmf_core.figures.template import LINE, MUTED, figure
from nmf_core.figures.text import label
from nmf_core.types import Array, Dataset, is_sparse

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_CELLS = 48
_TALL, _WIDE, _THIN = 60.0, 100.0, 12.0


@dataclass(frozen=True, slots=True, eq=False)
class FactorDrawing:
    """X ≈ W · H as three rectangles in proportion, filled with the real numbers, with real names at their sides.

    Attributes
    ----------
    dataset : Dataset
    parts : Parts
    rows_are, cols_are : str
        Plural nouns for samples and features.
    """

    dataset: Dataset
    parts: Parts
    rows_are: str = "samples"
    cols_are: str = "features"

    def build(self) -> go.Figure:
        """Return the figure."""
        n, m = self.dataset.shape
        rank = self.parts.rank
        tall, wide = _sides(n, m)
        thin = min(_THIN, 0.4 * tall, 0.4 * wide) if rank < min(n, m) else min(tall, wide)
        gap, names = 20.0, 30.0
        left = names
        x_w = left + wide + gap
        x_h = x_w + thin + gap
        right = x_h + wide
        images = [
            _image(self._X(), left, 0.0, wide, tall),
            _image(self._W(), x_w, 0.0, thin, tall),
            _image(self._H(), x_h, 0.0, wide, thin),
        ]
        shapes = [_frame(left, wide, tall), _frame(x_w, thin, tall), _frame(x_h, wide, thin)]
        rows, cols = label(self.rows_are, 24), label(self.cols_are, 24)
        middle = tall / 2
        texts = [
            _text(f"<b>X</b> · {n:,} {rows} × {m:,} {cols}", left + wide / 2, -3, "center", "bottom"),
            _text("≈", left + wide + gap / 2, middle, "center", "middle", size=26),
            _text("<b>W</b>", x_w + thin / 2, -3, "center", "bottom"),
            _text("·", x_w + thin + gap / 2, min(middle, thin), "center", "middle", size=30),
            _text(f"<b>H</b> · {rank} components × {m:,} {cols}", x_h + wide / 2, -3, "center", "bottom"),
            _text(
                f"a row of W:<br>the recipe of one<br>of the {rows}",
                x_w + thin / 2,
                tall + 3,
                "center",
                "top",
                muted=True,
            ),
            _text(
                f"a row of H: one component (part),<br>written in {cols}<br><br>"
                f"every row of X is a sum of<br>components, as W prescribes",
                x_h,
                thin + 6,
                "left",
                "top",
                muted=True,
            ),
            _text(_ends(self.dataset.cols), left + wide / 2, tall + 3, "center", "top", muted=True),
        ]
        texts += [
            _text(label(name, 20), left - 2, y, "right", "middle", muted=True)
            for name, y in _beside(self.dataset.rows, tall)
        ]
        layout = {
            "height": int(130 + 3.2 * tall),
            "margin": {"l": 0, "r": 0, "t": 6, "b": 4},
            "xaxis": {"visible": False, "range": [0, right + 2], "fixedrange": True},
            "yaxis": {"visible": False, "range": [tall + 20, -12], "fixedrange": True},
            "images": images,
            "shapes": shapes,
            "annotations": texts,
            "showlegend": False,
        }
        return figure([], layout)

    def describe(self) -> str:
        """Say the shapes and the meaning of the three matrices."""
        n, m = self.dataset.shape
        rank = self.parts.rank
        return (
            f"Drawing of the factorization. X has {n:,} rows ({self.rows_are}) and {m:,} columns ({self.cols_are}). "
            f"It is approximated by W, {n:,} by {rank}, times H, {rank} by {m:,}. Each row of H is a component; "
            f"each row of W says how much of each component one of the {self.rows_are} holds."
        )

    def table(self) -> pd.DataFrame:
        """Return the three matrices with their shapes and meanings."""
        import pandas as pd

        n, m = self.dataset.shape
        rank = self.parts.rank
        return pd.DataFrame(
            {
                "matrix": ["X", "W", "H"],
                "rows": [n, n, rank],
                "columns": [m, rank, m],
                "a row is": [f"one of the {self.rows_are}", f"the recipe of one of the {self.rows_are}", "a component"],
                "a column is": [f"one of the {self.cols_are}", "a component", f"one of the {self.cols_are}"],
            }
        )

    def _X(self) -> Array:
        n, m = self.dataset.shape
        seen = _seen(self.dataset)
        X = self.dataset.X if seen is None or is_sparse(self.dataset.X) else np.where(seen, self.dataset.X, 0)
        return block_means(X, None, block_starts(n, _CELLS), None, block_starts(m, 2 * _CELLS), seen=seen)

    def _W(self) -> Array:
        W = mean_rows(self.parts.W, None, block_starts(len(self.parts.W), _CELLS))
        return W / np.maximum(W.max(axis=0), np.finfo(float).tiny)

    def _H(self) -> Array:
        H = mean_rows(self.parts.H.T, None, block_starts(self.parts.H.shape[1], 2 * _CELLS)).T
        return H / np.maximum(H.max(axis=1, keepdims=True), np.finfo(float).tiny)


def _sides(n: int, m: int) -> tuple[float, float]:
    """Return height and width in proportion (by logarithm: a thousand to one would be a hair)."""
    a, b = np.log1p(n), np.log1p(m)
    longest = max(a, b)
    return max(24.0, _TALL * a / longest), max(28.0, 0.7 * _WIDE * b / longest)


def _image(values: Array, x: float, y: float, width: float, height: float) -> dict[str, Any]:
    top = float(np.nanquantile(values, 0.995)) if np.isfinite(values).any() else 1.0
    limits = (0.0, top if top > 0 else 1.0)
    # Each value becomes a block of pixels, or the browser would blur a few large cells into clouds.
    times = (max(1, -(-240 // values.shape[0])), max(1, -(-240 // values.shape[1])))
    png = encode(values.repeat(times[0], axis=0).repeat(times[1], axis=1), colormap="viridis", limits=limits)
    return {
        "source": uri(png),
        "xref": "x",
        "yref": "y",
        "x": x,
        "y": y,
        "sizex": width,
        "sizey": height,
        "sizing": "stretch",
        "layer": "below",
    }


def _frame(x: float, width: float, height: float) -> dict[str, Any]:
    return {"type": "rect", "x0": x, "x1": x + width, "y0": 0, "y1": height, "line": {"color": LINE, "width": 1}}


def _text(
    text: str, x: float, y: float, xanchor: str, yanchor: str, *, size: int = 13, muted: bool = False
) -> dict[str, Any]:
    font = {"size": 12, "color": MUTED} if muted else {"size": size}
    return {
        "text": text,
        "x": x,
        "y": y,
        "xref": "x",
        "yref": "y",
        "xanchor": xanchor,
        "yanchor": yanchor,
        "showarrow": False,
        "align": "left" if xanchor == "left" else "center",
        "font": font,
    }


def _ends(names: Array) -> str:
    """Return up to three names of features, the last one among them."""
    if len(names) <= 4:
        return ", ".join(label(name, 16) for name in names)
    return f"{label(names[0], 16)}, {label(names[1], 16)}, …, {label(names[-1], 16)}"


def _beside(names: Array, tall: float) -> list[tuple[str, float]]:
    """Return names of the first and last rows with their heights, and dots between."""
    n = len(names)
    if n <= 4:
        return [(str(name), (i + 0.5) * tall / n) for i, name in enumerate(names)]
    return [(str(names[0]), 3.0), (str(names[1]), 9.0), ("⋮", tall / 2), (str(names[-1]), tall - 3.0)]
