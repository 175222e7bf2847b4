"""Convergence as a film: snapshots of the parts, small enough to be sent at once and played in the browser."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.figures.text import plain
from nmf_core.types import Array
from nmf_core.wording import percent

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class PartsFilm:
    """H after more and more iterations.

    Attributes
    ----------
    snapshots : sequence of ndarray of shape (rank, m)
    iterations : sequence of int
    errors : sequence of float
        Relative error at each snapshot.
    cell_shape : (height, width), optional
        Each part is a picture of this shape; else a row of bars, one per feature.
    cols : tuple of str
        Names of features, for bars.
    name : str
        Of the data.
    """

    snapshots: tuple[Array, ...]
    iterations: tuple[int, ...]
    errors: tuple[float, ...]
    cell_shape: tuple[int, int] | None = None
    cols: tuple[str, ...] = ()
    name: str = "the data"

    def payload(self) -> dict[str, Any]:
        """Return what the player needs: one byte per entry, every part to its own maximum in every frame.

        Bytes are a quarter of float32, and the player blends from one frame to the next, so the eye misses nothing.
        """
        frames = np.stack([H / np.maximum(H.max(axis=1, keepdims=True), 1e-300) for H in self.snapshots])
        height, width = self.cell_shape or (1, self.snapshots[0].shape[1])
        return {
            "bytes": base64.b64encode(np.round(255 * frames).astype(np.uint8).tobytes()).decode(),
            "rank": len(self.snapshots[0]),
            "height": height,
            "width": width,
            "bars": self.cell_shape is None,
            "cols": [plain(c) for c in self.cols],
            "iterations": list(self.iterations),
            "heads": [
                f"iteration {i:,} · relative error {100 * e:.3g} %"
                for i, e in zip(self.iterations, self.errors, strict=True)
            ],
            "alt": self.describe(),
        }

    def describe(self) -> str:
        """Return what the film shows, in words."""
        first, last = self.snapshots[0], self.snapshots[-1]
        shape = "pictures" if self.cell_shape else "bars"
        return (
            f"A film of the {len(first)} parts of {plain(self.name)} as {shape}, from iteration {self.iterations[0]} to "
            f"{self.iterations[-1]:,} in {len(self.snapshots)} frames. The relative error falls from "
            f"{100 * self.errors[0]:.3g} % to {100 * self.errors[-1]:.3g} %; the share of entries below a tenth of their "
            f"part's maximum goes from {percent(_empty(first), 2)} to {percent(_empty(last), 2)}."
        )

    def table(self) -> pd.DataFrame:
        """Return iterations and errors of the frames."""
        import pandas as pd

        return pd.DataFrame(
            {
                "iteration": self.iterations,
                "relative error": self.errors,
                "entries below a tenth": [_empty(H) for H in self.snapshots],
            }
        )


def _empty(H: Array) -> float:
    return float(np.mean(0.1 * np.maximum(H.max(axis=1, keepdims=True), 1e-300) > H))
