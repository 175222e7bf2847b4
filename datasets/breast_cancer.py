"""Cell nuclei of breast tumours (Wisconsin, diagnostic)."""

from __future__ import annotations

from nmf_core.catalog import DatasetInfo
from nmf_core.types import Dataset

INFO = DatasetInfo(
    title="Breast cancer",
    kind="table",
    shape=(569, 30),
    story="Thirty shape and texture measurements of cell nuclei; size, texture and irregularity come out as parts.",
    rows_are="tumours",
    cols_are="measurements",
    source="scikit-learn (UCI Machine Learning Repository)",
    licence="CC BY 4.0 (UCI)",
    citation="W. Wolberg et al. (1993), Breast Cancer Wisconsin (Diagnostic), UCI, doi:10.24432/C5DW2B",
    rank=3,
    order=20,
)


def load() -> Dataset:
    """Return 569 tumours × 30 measurements, each divided by its largest value, with the diagnosis as label."""
    from sklearn.datasets import load_breast_cancer

    raw = load_breast_cancer()
    return Dataset.of(
        raw.data / raw.data.max(axis=0),
        INFO.title,
        rows=[f"tumour {i + 1}" for i in range(len(raw.data))],
        cols=list(raw.feature_names),
        labels={"diagnosis": raw.target_names[raw.target]},
        notes=("Each column was divided by its largest value: areas, in thousands, would hide all others.",),
    )
