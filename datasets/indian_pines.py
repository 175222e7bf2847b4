"""Indian Pines: a field seen in 100 infrared bands."""

from __future__ import annotations

import numpy as np

from datasets._files import arrays
from nmf_core.catalog import DatasetInfo
from nmf_core.types import Dataset

INFO = DatasetInfo(
    title="Indian Pines (hyperspectral)",
    kind="cube",
    shape=(4900, 100),
    story="Every pixel of a landscape is a spectrum of 100 bands; the parts are materials such as soil and vegetation.",
    rows_are="pixels",
    cols_are="bands",
    source="tensorly (AVIRIS, 70 × 70 crop, every second band)",
    licence="BSD-3-Clause (package); cite Purdue University",
    citation="M. Baumgardner, L. Biehl & D. Landgrebe (2015), 220 band AVIRIS hyperspectral image data set, "
    "doi:10.4231/R7RX991C",
    rank=5,
    order=170,
)
GROUND = (
    "unlabelled",
    "alfalfa",
    "corn, no till",
    "corn, min till",
    "corn",
    "grass, pasture",
    "grass, trees",
    "grass, mown pasture",
    "hay, windrowed",
    "oats",
    "soybean, no till",
    "soybean, min till",
    "soybean, clean",
    "wheat",
    "woods",
    "buildings, grass, trees, drives",
    "stone, steel, towers",
)


def load() -> Dataset:
    """Return 4900 pixels × 100 bands (over 10,000), with the ground truth; ``extra["image_shape"]`` is (70, 70)."""
    raw = arrays("indian_pines", "indian_pines_70x70.npz")
    height, width, bands = raw["cube"].shape
    return Dataset.of(
        raw["cube"].reshape(-1, bands) / 10_000.0,
        INFO.title,
        kind=INFO.kind,
        rows=[f"row {r + 1}, column {c + 1}" for r in range(height) for c in range(width)],
        cols=[f"band {2 * b + 1}" for b in range(bands)],
        labels={"ground truth": np.array(GROUND)[raw["label"].ravel()]},
        notes=("Values were divided by 10,000.",),
        extra={"image_shape": (height, width)},
    )
