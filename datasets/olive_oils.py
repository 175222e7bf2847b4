"""Italian olive oils."""

from __future__ import annotations

from datasets._files import frame
from nmf_core.catalog import DatasetInfo
from nmf_core.types import Dataset

INFO = DatasetInfo(
    title="Olive oils",
    kind="table",
    shape=(572, 8),
    story="Eight fatty acids in oils from nine areas of Italy: oleic acid is nearly all, the rest tells regions apart.",
    rows_are="oils",
    cols_are="fatty acids",
    source="R package dslabs",
    licence="Artistic-2.0 (package)",
    citation="M. Forina, C. Armanino, S. Lanteri & E. Tiscornia (1983), Classification of olive oils from their fatty "
    "acid composition",
    rank=3,
    order=60,
)


def load() -> Dataset:
    """Return 572 oils × 8 fatty acids, each divided by its largest value, with region and area as labels."""
    table = frame("olive_oils", "olive.csv.gz")
    acids = table.drop(columns=["region", "area"])
    X = acids.to_numpy(float)
    return Dataset.of(
        X / X.max(axis=0),
        INFO.title,
        rows=[f"{area} {i + 1}" for i, area in enumerate(table["area"])],
        cols=list(acids.columns),
        labels={"region": table["region"].to_numpy(str), "area": table["area"].to_numpy(str)},
        notes=("Each acid was divided by its largest value: oleic acid, 55 to 84 %, would hide all others.",),
    )
