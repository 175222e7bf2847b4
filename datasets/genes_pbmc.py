"""Single cells of human blood."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from datasets._files import arrays
from nmf_core.catalog import DatasetInfo
from nmf_core.types import Dataset

INFO = DatasetInfo(
    title="Blood cells (single-cell RNA)",
    kind="expression",
    shape=(700, 765),
    story="765 genes in 700 single blood cells, two thirds zeros; the parts are programmes of cell types.",
    rows_are="cells",
    cols_are="genes",
    source="scanpy (10x Genomics)",
    licence="CC BY 4.0",
    citation="G. Zheng et al. (2017), Massively parallel digital transcriptional profiling of single cells, "
    "Nature Communications 8",
    rank=8,
    order=110,
)


def load() -> Dataset:
    """Return 700 cells × 765 genes of log1p-normalised expression (sparse), with cell type and UMAP."""
    raw = arrays("genes_pbmc", "pbmc700.npz")
    X = sp.csr_array(
        (raw["data"].astype(float), raw["indices"].astype(np.int32), raw["indptr"].astype(np.int32)),
        shape=tuple(int(s) for s in raw["shape"]),
    )
    return Dataset.of(
        X,
        INFO.title,
        kind=INFO.kind,
        rows=[f"{cell} {i + 1}" for i, cell in enumerate(raw["label"])],
        cols=raw["gene"],
        labels={"cell type": raw["label"]},
        extra={"umap": raw["umap"]},
    )
