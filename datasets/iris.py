"""Fisher's iris flowers."""

from __future__ import annotations

from nmf_core.catalog import DatasetInfo
from nmf_core.types import Dataset

INFO = DatasetInfo(
    title="Iris",
    kind="table",
    shape=(150, 4),
    story="Four lengths of 150 flowers from three species; one part is petals, which setosa lacks almost wholly.",
    rows_are="flowers",
    cols_are="measurements",
    source="scikit-learn",
    licence="BSD-3-Clause (scikit-learn); public domain in many collections",
    citation="R. A. Fisher (1936), The use of multiple measurements in taxonomic problems, Annals of Eugenics 7",
    rank=3,
    order=0,
)


def load() -> Dataset:
    """Return 150 flowers × 4 measurements in cm, with the species as label."""
    from sklearn.datasets import load_iris

    raw = load_iris()
    species = raw.target_names[raw.target]
    return Dataset.of(
        raw.data,
        INFO.title,
        rows=[f"{name} {i + 1}" for i, name in enumerate(species)],
        cols=[name.removesuffix(" (cm)") for name in raw.feature_names],
        labels={"species": species},
    )
