"""Somatic mutations of 21 breast cancers."""

from __future__ import annotations

from datasets._files import frame
from nmf_core.catalog import DatasetInfo
from nmf_core.types import Dataset

INFO = DatasetInfo(
    title="Mutations, 21 breast cancers",
    kind="counts",
    shape=(21, 96),
    story="Counts of 96 mutation types in 21 tumour genomes; the parts are mutational signatures such as APOBEC.",
    rows_are="genomes",
    cols_are="mutation types",
    source="SigProfilerExtractor",
    licence="BSD-2-Clause (package)",
    citation="S. Nik-Zainal et al. (2012), Mutational processes molding the genomes of 21 breast cancers, Cell 149; "
    "L. Alexandrov et al. (2013), Cell Reports 3",
    rank=4,
    order=70,
)


def load() -> Dataset:
    """Return 21 genomes × 96 mutation types as shares of each genome; the totals are in ``extra``."""
    table = frame("mutations_brca21", "brca21_sbs96.csv")
    counts = table.iloc[:, 1:].to_numpy(float).T
    return Dataset.of(
        counts / counts.sum(axis=1, keepdims=True),
        INFO.title,
        kind=INFO.kind,
        rows=list(table.columns[1:]),
        cols=table.iloc[:, 0].to_list(),
        notes=("Counts were divided by the genome's total: one genome holds 70,690 of all 183,916 mutations.",),
        extra={"totals": counts.sum(axis=1)},
    )
