"""A matrix as a table to type in, which stays in step with what is dragged or set elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from nmf_core.types import Array
from pages.learn_sections.common import keep, key_of, text


def editor(label: str, name: str, value: Array, default: Array, rows: Sequence[str], cols: Sequence[str]) -> Array:
    """Draw a matrix as a table to type in and return what stands there, negatives and blanks as 0.

    Parameters
    ----------
    name : str
        Of the matrix in the session and in the address.
    value, default : ndarray
        As it is now, and as it is unless somebody changes it.

    Notes
    -----
    The table keeps what is typed as changes to what it was given. So it is given the same numbers on every run, until
    the matrix is changed from elsewhere (a slider, a button, a link): then it starts anew from those.
    """
    which = key_of(name)
    base = st.session_state.get(f"_table_{which}")
    if base is None or base["last"] != text(value) or f"edit_{which}_{base['version']}" not in st.session_state:
        base = {"values": value, "version": (base["version"] if base else 0) + 1, "last": text(value)}
        st.session_state[f"_table_{which}"] = base
    st.markdown(f"**{label}**")
    changed = st.data_editor(
        pd.DataFrame(base["values"], index=list(rows), columns=list(cols)),
        key=f"edit_{which}_{base['version']}",
        column_config={c: st.column_config.NumberColumn(min_value=0.0, max_value=1e6) for c in cols},
        width="stretch",
    )
    numbers = np.nan_to_num(changed.to_numpy(float), nan=0.0).clip(0, 1e6)
    base["last"] = text(numbers)
    keep(name, numbers, default)
    return numbers
