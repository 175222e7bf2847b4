"""The picture of the data before any fit."""

from __future__ import annotations

import numpy as np
import streamlit as st

from nmf_core.figures.base import Picture
from nmf_core.figures.ingest_matrix import DataHeatmap, MissingMap
from nmf_core.figures.ingest_spectrum import SingularValues
from nmf_core.figures.ingest_values import ColumnDistributions
from nmf_core.ingest import Raw
from nmf_core.ingest.spectrum import spectrum
from pages.data_sections.cache import once
from pages.ui import widgets

VIEWS = {
    "Heatmap": "Rows are samples, columns are features; blocks that light up together may become parts.",
    "Columns": "How the values of each column are spread: columns far above the rest will rule the fit.",
    "Missing cells": "Where cells are missing: scattered ones can stay, whole rows or columns are better left out.",
    "Singular values": "How much structure there is: the bend is a first guess at the number of parts.",
}


def show(raw: Raw, source: str) -> None:
    """Draw one picture, chosen by the visitor."""
    names = [name for name in VIEWS if name != "Missing cells" or _has_missing(raw, source)]
    name = st.segmented_control("Picture", names, default=names[0], key="data_picture", required=True) or names[0]
    st.caption(VIEWS[name])
    log = name == "Columns" and st.toggle("Logarithmic", key="data_log")
    picture: Picture = once(f"picture {name} {log} {source}", lambda: _picture(name, raw, log))
    widgets.picture(picture, key=f"data_{name.replace(' ', '_').lower()}")


def _picture(name: str, raw: Raw, log: bool) -> Picture:
    if name == "Columns":
        return ColumnDistributions(raw.X, raw.cols, log=log)
    if name == "Missing cells":
        return MissingMap(raw.X, raw.rows, raw.cols)
    if name == "Singular values":
        found = spectrum(raw)
        return SingularValues(found.values, found.total, found.elbow, found.sampled)
    return DataHeatmap(raw.X, raw.rows, raw.cols)


def _has_missing(raw: Raw, source: str) -> bool:
    return not raw.sparse and once(f"missing {source}", lambda: bool(np.isnan(raw.X).any()))
