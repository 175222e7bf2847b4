"""A choice of several options that lives in the session and in the address."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from pages.ui.state import put, remember, seed


def several(
    label: str,
    options: Sequence[Any],
    key: str,
    default: Sequence[Any] = (),
    *,
    names: Mapping[Any, str] | Callable[[Any], str] | None = None,
    help: str | None = None,
    pills: bool = False,
) -> list[Any]:
    """Draw a choice of any number of options and return them in the options' order.

    Parameters
    ----------
    options : sequence
        Plain values; their text, joined by commas, stands in the address.
    default : sequence
        Chosen at first; what is not offered is left out.
    names : mapping or callable, optional
        How people read the options.
    pills : bool
        Draw all options as pills (few and short ones) instead of a field with a menu.
    """
    texts = {str(option): option for option in options}
    default = [option for option in options if option in default]

    def parse(text: str) -> list[Any]:
        # What these data do not offer is left out of a link; a text with nothing known in it is no link of ours.
        found = [texts[part] for part in text.split(",") if part in texts]
        if text and not found:
            raise ValueError(text)
        return found

    seed(key, default, parse)
    kept = st.session_state[key] or []
    known = [option for option in options if option in kept]
    # The options change with the data: what is no longer offered goes, and the default comes if nothing is left.
    put(key, default if kept and not known else known)
    read = names if callable(names) else (lambda option: (names or {}).get(option, str(option)))
    if pills:
        chosen = st.pills(
            label, options, selection_mode="multi", format_func=read, key=key, help=help, persist_state="session"
        )
    else:
        chosen = st.multiselect(label, options, format_func=read, key=key, help=help, persist_state="session")
    value = [option for option in options if option in (chosen or [])]
    remember(key, ",".join(map(str, value)), ",".join(map(str, default)))
    return value
