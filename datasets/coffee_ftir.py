"""Infrared spectra of roasted coffee."""

from __future__ import annotations

import numpy as np

from datasets._files import arrays
from nmf_core.catalog import DatasetInfo
from nmf_core.types import Dataset

INFO = DatasetInfo(
    title="Coffee spectra",
    kind="spectra",
    shape=(60, 921),
    story="Infrared spectra of coffees from three countries; the parts are spectra of groups of substances.",
    rows_are="coffees",
    cols_are="channels",
    source="chemotools",
    licence="MIT (package)",
    citation="P. López Fernández (chemotools), coffee data set of ATR-FTIR spectra",
    rank=3,
    order=80,
)


def load() -> Dataset:
    """Return 60 spectra × 921 channels (every second of 1841), with the origin as label."""
    raw = arrays("coffee_ftir", "coffee.npz")
    X = raw["X"].astype(float)
    return Dataset.of(
        np.maximum(X, 0.0),
        INFO.title,
        kind=INFO.kind,
        rows=[f"{origin} {i + 1}" for i, origin in enumerate(raw["label"])],
        cols=[f"channel {2 * j + 1}" for j in range(X.shape[1])],
        labels={"origin": raw["label"]},
        notes=(f"{int((X < 0).sum())} values slightly below zero (smallest {X.min():.4f}) were set to zero.",),
    )
