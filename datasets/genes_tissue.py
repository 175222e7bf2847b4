"""Gene expression of seven human tissues."""

from __future__ import annotations

from datasets._files import arrays
from nmf_core.catalog import DatasetInfo
from nmf_core.types import Dataset

INFO = DatasetInfo(
    title="Tissue gene expression",
    kind="expression",
    shape=(189, 500),
    story="500 genes in samples of seven tissues; the parts are the programmes of brain, liver, kidney and others.",
    rows_are="samples",
    cols_are="genes",
    source="R package dslabs",
    licence="Artistic-2.0 (package)",
    citation="R. Irizarry (dslabs), subset of genomicsclass/tissuesGeneExpression",
    rank=7,
    order=100,
)


def load() -> Dataset:
    """Return 189 samples × 500 genes of log2 expression above each gene's smallest, with the tissue as label."""
    raw = arrays("genes_tissue", "tissue.npz")
    X = raw["X"].astype(float)
    return Dataset.of(
        X - X.min(axis=0),
        INFO.title,
        kind=INFO.kind,
        rows=[f"{tissue} {i + 1}" for i, tissue in enumerate(raw["label"])],
        cols=raw["gene"],
        labels={"tissue": raw["label"]},
        notes=("Each gene's smallest log2 value was taken as its zero: all arrays share a background of about 4.",),
    )
