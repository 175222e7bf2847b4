"""Faces and background patches."""

from __future__ import annotations

import numpy as np

from datasets._files import arrays
from nmf_core.catalog import DatasetInfo
from nmf_core.types import Dataset

INFO = DatasetInfo(
    title="Face and background patches",
    kind="images",
    shape=(200, 625),
    story="A hundred small faces and a hundred patches without one: parts of faces are used by faces only.",
    rows_are="patches",
    cols_are="pixels",
    source="scikit-image (Labeled Faces in the Wild)",
    licence="BSD-3-Clause (package)",
    citation="G. Huang, M. Ramesh, T. Berg & E. Learned-Miller (2007), Labeled Faces in the Wild",
    rank=16,
    order=130,
)


def load() -> Dataset:
    """Return 200 patches × 625 pixels (0 to 1), with face or background as label."""
    raw = arrays("faces_lfw", "faces_lfw.npz")
    images, content = raw["images"], np.where(raw["is_face"], "face", "background")
    n, height, width = images.shape
    return Dataset.of(
        images.reshape(n, -1) / 255.0,
        INFO.title,
        kind=INFO.kind,
        rows=[f"{name} {i + 1}" for i, name in enumerate(content)],
        cols=[f"row {r + 1}, column {c + 1}" for r in range(height) for c in range(width)],
        labels={"content": content},
        cell_shape=(height, width),
        notes=("Grey values were divided by 255.",),
    )
