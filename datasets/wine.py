"""Chemical analyses of Italian wines."""

from __future__ import annotations

from nmf_core.catalog import DatasetInfo
from nmf_core.types import Dataset

INFO = DatasetInfo(
    title="Wine",
    kind="table",
    shape=(178, 13),
    story="Thirteen chemical measurements of wines from three growers; the parts are substances that go together.",
    rows_are="wines",
    cols_are="measurements",
    source="scikit-learn (UCI Machine Learning Repository)",
    licence="CC BY 4.0 (UCI)",
    citation="S. Aeberhard & M. Forina (1992), Wine, UCI Machine Learning Repository, doi:10.24432/C5PC7J",
    rank=3,
    order=10,
)


def load() -> Dataset:
    """Return 178 wines × 13 measurements, each divided by its largest value, with the grower as label."""
    from sklearn.datasets import load_wine

    raw = load_wine()
    return Dataset.of(
        raw.data / raw.data.max(axis=0),
        INFO.title,
        rows=[f"wine {i + 1}" for i in range(len(raw.data))],
        cols=[name.replace("_", " ") for name in raw.feature_names],
        labels={"grower": raw.target_names[raw.target]},
        notes=("Each column was divided by its largest value: proline, in hundreds, would hide all others.",),
    )
