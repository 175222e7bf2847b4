"""Handwritten digits, 8 × 8 pixels."""

from __future__ import annotations

from nmf_core.catalog import DatasetInfo
from nmf_core.types import Dataset

INFO = DatasetInfo(
    title="Digits",
    kind="images",
    shape=(1797, 64),
    story="Handwritten digits of 8 × 8 pixels; the parts are strokes that several digits share.",
    rows_are="digits",
    cols_are="pixels",
    source="scikit-learn (UCI Machine Learning Repository)",
    licence="CC BY 4.0 (UCI)",
    citation="E. Alpaydin & C. Kaynak (1998), Optical Recognition of Handwritten Digits, UCI, doi:10.24432/C50P49",
    rank=10,
    order=30,
)


def load() -> Dataset:
    """Return 1797 pictures × 64 pixels (0 to 16), with the digit as label."""
    from sklearn.datasets import load_digits

    raw = load_digits()
    return Dataset.of(
        raw.data,
        INFO.title,
        kind=INFO.kind,
        rows=[f"{digit} ({i + 1})" for i, digit in enumerate(raw.target)],
        cols=[f"row {r + 1}, column {c + 1}" for r in range(8) for c in range(8)],
        labels={"digit": raw.target.astype(str)},
        cell_shape=(8, 8),
    )
