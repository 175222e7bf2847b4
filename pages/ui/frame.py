"""Navigation and footer. To add a page, add its file and one line here."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

import nmf_core

FOLDER = Path(__file__).resolve().parents[1]
# (section, file, title, icon): the address of a page is its file's name; the first is also the home page.
_ENTRIES = (
    ("Factorize", "explore", "Explore", ":material/stacked_bar_chart:"),
    ("Factorize", "data", "Data", ":material/table_view:"),
    ("Factorize", "rank", "Rank", ":material/query_stats:"),
    ("Factorize", "compare", "Compare", ":material/compare_arrows:"),
    ("Lenses", "images", "Images", ":material/image:"),
    ("Lenses", "text", "Text", ":material/article:"),
    ("Understand", "learn", "Learn", ":material/school:"),
)


def pages() -> dict[str, list[st.Page]]:
    """Return the pages by section, as `st.navigation` takes them."""
    sections: dict[str, list[st.Page]] = {}
    for section, name, title, icon in _ENTRIES:
        file = FOLDER / f"{name}.py"
        if file.exists():
            page = st.Page(file, title=title, icon=icon, url_path=name, default=name == "explore")
            sections.setdefault(section, []).append(page)
    return sections


def footer() -> None:
    """Draw the line at the foot of each page."""
    st.divider()
    st.caption(
        f"NMF Explorer {nmf_core.__version__} · X ≈ W · H with nothing negative: every component is a part that adds up · "
        "BSD-3-Clause; data sets keep their own licences"
    )
