"""Widgets whose values live in the session and in the address: a link opens every browser at the same state.

Streamlit's own ``bind="query-params"`` puts the *labels* people read into the address and keeps an address's old value when
the options change with the data. Here the address holds the plain values, checked again on every run; a value that is the
default stays out of it.

People are quicker than a busy server: a key is pressed again while the last one is still being worked on. Two things would
then throw the newer value away, and are kept from it here: assigning to a widget, even what it holds, sends the older value
back to the browser (`put`); and a browser that has not heard of the new address yet sends the old one along (`_STALE`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

_SEEN = "_address"  # key -> text last read from or written to the address
_STALE = "_address_before"  # key -> texts that this page's address held before and that may come back late
_DRAWN = "_drawn"  # key -> page and shape with which a widget was drawn last


def seed(key: str, default: Any, parse: Callable[[str], Any]) -> None:
    """Give a widget its value before it is drawn: from the address if that is new, else the kept one, else the default.

    Parameters
    ----------
    key : str
        Of the widget and in the address.
    default : object
    parse : callable
        From the address's text to a value; raises ValueError for a value that is not allowed (the default is taken).
    """
    text = news(key)
    if text is not None:
        try:
            st.session_state[key] = parse(text)
        except ValueError:
            st.session_state[key] = default
    elif key not in st.session_state:
        st.session_state[key] = default


def news(key: str) -> str | None:
    """Return what the address says of a key, and note it; None if it says nothing that was not known before."""
    text = st.query_params.get(key)
    if text is None or text == st.session_state.setdefault(_SEEN, {}).get(key) or _late(key, text):
        return None
    _replace(key, text)
    return text


def announce(key: str, text: str | None) -> None:
    """Write into the address what the next run is to take for news; a callback."""
    for known in (_SEEN, _STALE):
        st.session_state.setdefault(known, {}).pop(key, None)
    if text is not None:
        st.query_params[key] = text
    elif key in st.query_params:
        del st.query_params[key]


def put(key: str, value: Any, *shape: Any) -> None:
    """Give a widget its value before it is drawn, unless the browser shows it already.

    Parameters
    ----------
    key : str
    value : object
    *shape : object
        What makes it another widget when it changes, such as the limits of a slider: that would start from its own
        default, as a widget on another page does.
    """
    drawn = st.session_state.setdefault(_DRAWN, {})
    here = (_page(), *shape)
    kept = st.session_state.get(key)
    if key not in st.session_state or drawn.get(key) != here or type(kept) is not type(value) or kept != value:
        st.session_state[key] = value
    drawn[key] = here


def remember(key: str, value: Any, default: Any) -> None:
    """Write a value into the address, or take it out if it is the default."""
    if value == default:
        _replace(key, None)
        if key in st.query_params:
            del st.query_params[key]
    else:
        _replace(key, text := _text(value))
        if st.query_params.get(key) != text:
            st.query_params[key] = text


def pick(
    label: str,
    options: Sequence[Any],
    key: str,
    default: Any = None,
    *,
    names: Mapping[Any, str] | Callable[[Any], str] | None = None,
    help: str | None = None,
    segmented: bool = False,
    on_change: Callable[[], None] | None = None,
    **more: Any,
) -> Any:
    """Draw a choice of one option (a select box, or segments) and return it.

    Parameters
    ----------
    options : sequence
        Plain values; their text stands in the address.
    default : object, optional
        The first option if left out or not offered.
    names : mapping or callable, optional
        How people read the options.
    """
    default = default if default in options else options[0]
    texts = {_text(option): option for option in options}

    def parse(text: str) -> Any:
        if text not in texts:
            raise ValueError(text)
        return texts[text]

    seed(key, default, parse)
    if st.session_state[key] not in options:  # the options change with the data; None: a segment was clicked off
        st.session_state[key] = default
    put(key, st.session_state[key])
    read = names if callable(names) else (lambda option: (names or {}).get(option, str(option)))
    draw: Any = st.segmented_control if segmented else st.selectbox
    if segmented:
        more |= {"required": True}
    value = draw(
        label, options, format_func=read, key=key, help=help, on_change=on_change, persist_state="session", **more
    )
    value = default if value is None else value
    remember(key, value, default)
    return value


def slide(
    label: str, low: Any, high: Any, key: str, default: Any, *, step: Any = None, help: str | None = None, **more: Any
) -> Any:
    """Draw a slider and return its value; the kept value is brought into the limits."""
    return _limited(st.slider, label, low, high, key, default, step=step, help=help, **more)


def number(
    label: str, low: Any, high: Any, key: str, default: Any, *, step: Any = None, help: str | None = None, **more: Any
) -> Any:
    """Draw a number field and return its value; the kept value is brought into the limits."""
    return _limited(st.number_input, label, low, high, key, default, step=step, help=help, **more)


def switch(label: str, key: str, default: bool = False, *, help: str | None = None) -> bool:
    """Draw a toggle and return whether it is on."""

    def parse(text: str) -> bool:
        if text not in ("on", "off"):
            raise ValueError(text)
        return text == "on"

    seed(key, default, parse)
    put(key, st.session_state[key])
    value = st.toggle(label, key=key, help=help, persist_state="session")
    remember(key, value, default)
    return bool(value)


def _limited(draw: Any, label: str, low: Any, high: Any, key: str, default: Any, **more: Any) -> Any:
    kind = type(low)
    seed(key, default, kind)
    kept = st.session_state[key]
    put(key, min(max(kind(kept), low), high) if kept == kept and kept is not None else default, low, high)
    value = draw(label, low, high, key=key, persist_state="session", **more)
    remember(key, value, default)
    return value


def _page() -> str:
    context = get_script_run_ctx()
    return context.page_script_hash if context else ""


def _late(key: str, text: str) -> bool:
    """Tell whether a text in the address is one that this page has replaced: the browser sent it before it knew.

    Going back in the browser's history is meant, and so is what a link to another page says.
    """
    stale = st.session_state.setdefault(_STALE, {})
    if stale.get(None) != _page():
        stale.clear()
        stale[None] = _page()
    context = get_script_run_ctx()
    return text in stale.get(key, ()) and not (context and context.is_history_navigation)


def _replace(key: str, text: str | None) -> None:
    """Note what the address holds for a key from now on."""
    seen = st.session_state.setdefault(_SEEN, {})
    before = seen.pop(key, None)
    if text is not None:
        seen[key] = text
    if before is not None and before != text:
        st.session_state.setdefault(_STALE, {}).setdefault(key, set()).add(before)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)
