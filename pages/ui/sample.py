"""The sample looked at: one choice on every page and in the address."""

from __future__ import annotations

import streamlit as st

from nmf_core import Dataset
from pages.ui.state import number, pick
from pages.ui.widgets import md

ROW = "row"  # key of the choice, which a click in a chart may set
NAMED = 2000  # up to so many samples are chosen by name


def sample(dataset: Dataset) -> int:
    """Draw the choice of a sample, by name or among many by number, and return its row."""
    n = dataset.shape[0]
    if n <= NAMED:
        return int(pick("Sample", range(n), ROW, names=lambda i: str(dataset.rows[i])))
    row = int(number(f"Sample (row 0 to {n - 1:,})", 0, n - 1, ROW, 0))
    st.caption(md(dataset.rows[row]))
    return row
