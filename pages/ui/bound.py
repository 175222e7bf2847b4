"""The smallest error any factorization could have, worked out once for all pages: on a large table it costs seconds."""

from __future__ import annotations

import streamlit as st

from nmf_core import Dataset, quality


def svd_bound(dataset: Dataset, rank: int) -> float | None:
    """Return `nmf_core.quality.svd_bound`, remembered."""
    return _bound(dataset.id, rank, dataset)


@st.cache_data(max_entries=2000, show_spinner=False)
def _bound(dataset_id: str, rank: int, _dataset: Dataset) -> float | None:
    return quality.svd_bound(_dataset, rank)
