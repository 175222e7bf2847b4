"""Small results of the page, kept for the visitor: the same steps on the same data are not run on every click."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st

KEY, KEPT = "_data_page", 12
T = TypeVar("T")


def once(key: str, compute: Callable[[], T]) -> T:
    """Return what was computed under this key before, or compute it now."""
    kept: OrderedDict[str, Any] = st.session_state.setdefault(KEY, OrderedDict())
    if key not in kept:
        with st.spinner("Looking at the data …"):  # seen only where it takes a while
            kept[key] = compute()
        while len(kept) > KEPT:
            kept.popitem(last=False)
    kept.move_to_end(key)
    value: T = kept[key]
    return value
