"""What the chapters share: the tiny example, matrices in the address, self-check questions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from nmf_core.lessons.examples import EXAMPLES, Example
from nmf_core.types import Array
from pages.ui.state import pick, remember, seed


def example() -> Example:
    """Draw the choice of the tiny example and return it; changed numbers of it stay as they are."""
    made = {key: make() for key, make in EXAMPLES.items()}
    key = pick("Example", list(made), "example", names={key: e.title for key, e in made.items()}, segmented=True)
    st.session_state["_example"] = key
    return made[key]


def matrix(name: str, default: Array) -> Array:
    """Return a matrix that people may have changed: from the session, the address, or as it is by default."""
    key = f"{name}_{st.session_state.get('_example', '')}"
    seed(key, text(default), lambda t: text(parsed(t, default.shape)))
    return parsed(st.session_state[key], default.shape)


def keep(name: str, value: Array, default: Array) -> None:
    """Keep a changed matrix in the session and in the address."""
    key = f"{name}_{st.session_state.get('_example', '')}"
    st.session_state[key] = text(value)
    remember(key, text(value), text(default))


def text(value: Array) -> str:
    """Return a matrix as ``1,2;3,4``."""
    return ";".join(",".join(f"{v:.4g}" for v in row) for row in value)


def parsed(content: str, shape: tuple[int, ...]) -> Array:
    """Return the matrix written in a text.

    Raises
    ------
    ValueError
        If it has another shape, or entries that are not numbers from 0 to a million.
    """
    rows = [[float(v) for v in row.split(",")] for row in content.split(";")]
    if len(rows) != shape[0] or any(len(row) != shape[1] for row in rows):
        raise ValueError("another shape")
    if any(not (math.isfinite(v) and 0 <= v <= 1e6) for row in rows for v in row):
        raise ValueError("out of range")
    return np.array(rows)


def editor(label: str, name: str, value: Array, default: Array, rows: Sequence[str], cols: Sequence[str]) -> Array:
    """Draw a matrix as a table to type in and return what stands there, negatives and blanks as 0."""
    st.markdown(f"**{label}**")
    frame = pd.DataFrame(value, index=list(rows), columns=list(cols))
    key = f"edit_{name}_{st.session_state.get('_example', '')}_{text(default)}"
    config = {c: st.column_config.NumberColumn(min_value=0.0, max_value=1e6, step=0.05) for c in frame.columns}
    changed = st.data_editor(frame, key=key, column_config=config, width="stretch")
    numbers = np.nan_to_num(changed.to_numpy(float), nan=0.0).clip(0, 1e6)
    keep(name, numbers, default)
    return numbers


def question(key: str, ask: str, options: Sequence[str], right: str, because: str) -> None:
    """Draw a question with its answer behind a choice; the right one comes from the numbers on the screen."""
    with st.container(border=True):
        answer = st.radio(f"**Check yourself.** {ask}", list(options), index=None, key=key)
        if answer is None:
            return
        if answer == right:
            st.success(f"Yes. {because}", icon=":material/check_circle:")
        else:
            st.warning(f"Not quite: {right}. {because}", icon=":material/lightbulb:")
