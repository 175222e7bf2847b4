"""Elements that every page shows in the same way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from nmf_core.export import frame_csv
from nmf_core.figures.base import Picture
from nmf_core.figures.template import inked
from nmf_core.figures.text import plain, shorten

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
# Bare addresses become links even with their punctuation escaped: an unseen joiner takes that meaning away.
_ADDRESS = re.compile(r"\b(?:https?|ftp)(?=:)|\bwww(?=\.)|(?<=\S)(?=@\S)", re.I)
CHART = {"displaylogo": False, "modeBarButtonsToRemove": ["lasso2d", "select2d", "autoScale2d"]}


def md(text: Any, limit: int = 200) -> str:
    """Return text (from a file, say) so that Markdown shows it literally, on one line.

    Parameters
    ----------
    text : object
        Turned into a string.
    limit : int
        Longest length shown; the middle of a longer text becomes "…".
    """
    literal = _ADDRESS.sub(lambda found: found[0] + "\u2060", shorten(plain(text), limit))
    return _PUNCTUATION.sub(r"\\\1", literal)


def story(title: str, text: str) -> None:
    """Draw the head of a page: its name and two sentences on what to look for."""
    st.title(title, anchor=False)
    st.markdown(text)


def cards(items: Iterable[tuple[str, str, str]]) -> None:
    """Draw numbers as cards that wrap on narrow screens.

    Parameters
    ----------
    items : iterable of (label, value, help)
    """
    with st.container(horizontal=True, gap="small"):
        for label, value, explanation in items:
            st.metric(label, value, help=explanation, border=True, width="stretch")


def picture(
    p: Picture,
    *,
    key: str,
    on_select: Callable[[], None] | None = None,
    selectable: bool = False,
    download: str | None = None,
) -> Any:
    """Draw a chart with its alt text, and the numbers behind it one click away.

    Parameters
    ----------
    p : Picture
    key : str
        Of the chart; unique on the page.
    on_select : callable, optional
        Called when points are chosen.
    selectable : bool
        Rerun on a choice and return it.
    download : str, optional
        File name of the table, without ending; the key if left out.

    Returns
    -------
    list of mappings
        The chosen points (empty when nothing is chosen or choosing is off).
    """
    event = st.plotly_chart(
        inked(p.build(), ink()),
        key=key,
        theme="streamlit",
        alt=p.describe(),
        config=CHART,
        on_select=on_select or ("rerun" if selectable else "ignore"),
        selection_mode="points",
    )
    _numbers(p, key, download or key)
    return event["selection"]["points"] if selectable or on_select else []


def ink() -> str:
    """Return the text colour of the visitor's theme: Streamlit's own for charts is too faint on tinted bars."""
    kind = "dark" if st.context.theme.type == "dark" else "light"
    return str(st.get_option(f"theme.{kind}.textColor") or ("#fafafa" if kind == "dark" else "#31333f"))


@st.fragment
def _numbers(p: Picture, key: str, file_name: str) -> None:
    with st.popover("Table", icon=":material/table:", type="tertiary", key=f"{key}_table", on_change="rerun") as panel:
        if panel.open:
            table = p.table()
            st.caption(p.describe())
            st.dataframe(table.head(2000), hide_index=False, height=min(420, 38 + 35 * max(len(table), 1)))
            if len(table) > 2000:
                st.caption(f"The first 2,000 of {len(table):,} rows; the download holds all.")
            st.download_button(
                "CSV",
                data=lambda: frame_csv(table),
                file_name=f"{file_name}.csv",
                mime="text/csv",
                icon=":material/download:",
                key=f"{key}_csv",
                on_click="ignore",
            )


def link() -> str:
    """Return the address that opens any browser at this state."""
    query = urlencode(st.query_params.to_dict())
    return f"{(st.context.url or '').split('?')[0]}{'?' + query if query else ''}"
