"""A start of the visitor's own: W and H from an NPZ file, for init="custom"."""

from __future__ import annotations

import numpy as np
import streamlit as st

from nmf_core import Dataset
from nmf_core.export.npy import ArchiveError, array_from, unpack
from nmf_core.types import Array
from pages.ui.widgets import md

GIVEN = "_given_start"  # (file id, W, H)


def given(dataset: Dataset) -> tuple[Array, Array] | None:
    """Draw the field for the file and return W and H that fit the data, or None with a sentence drawn."""
    file = st.file_uploader(
        "W and H (.npz)",
        type="npz",
        key="start_file",
        help="As “All as NPZ” of the tab Take along, or any NPZ with W and H.",
    )
    if file is not None and st.session_state.get(GIVEN, (None,))[0] != file.file_id:
        try:
            st.session_state[GIVEN] = (file.file_id, *read(file.getvalue()))
        except ArchiveError as refusal:
            st.error(md(refusal, 400), icon=":material/error:")
    if (kept := st.session_state.get(GIVEN)) is None:
        st.info("Open a file with W and H; until then the start is NNDSVDa.")
        return None
    _, W, H = kept
    n, m = dataset.shape
    if W.shape[0] != n or H.shape[1] != m:
        st.warning(f"W {W.shape} and H {H.shape} do not fit X ({n} × {m}); the start is NNDSVDa.")
        return None
    st.caption(f"Starts from the W and H of the file; their rank is {W.shape[1]}.")
    return W.astype(dataset.X.dtype), H.astype(dataset.X.dtype)


def read(data: bytes) -> tuple[Array, Array]:
    """Return W and H of an NPZ file.

    Raises
    ------
    ArchiveError
        In a sentence, if they are not there or cannot be used.
    """
    members = unpack(data, None, "start")
    arrays = {name.removesuffix(".npy"): member for name, member in members.items()}
    found = []
    for letter in "WH":
        name = next((n for n in (f"{letter}_fitted", letter) if n in arrays), None)
        if name is None:
            raise ArchiveError(
                f"start: the file holds no {letter}; it holds {', '.join(sorted(arrays)[:8]) or 'nothing'}"
            )
        array = array_from(arrays[name], f"start: {name}")
        if array.ndim != 2 or array.dtype.kind not in "fiu" or not np.isfinite(array).all() or (array < 0).any():
            raise ArchiveError(f"start: {letter} must be a matrix of finite numbers ≥ 0")
        found.append(array.astype(np.float64))
    W, H = found
    if W.shape[1] != H.shape[0] or W.shape[1] < 1:
        raise ArchiveError(f"start: W {W.shape} and H {H.shape} do not belong together")
    return W, H
