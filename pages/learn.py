"""Learn: non-negative matrix factorization in ten minutes, to read alone or to present."""

from __future__ import annotations

import streamlit as st

from pages.learn_sections import algorithm, geometry, idea, network, starts, uses
from pages.ui import widgets
from pages.ui.state import pick, seed, switch

CHAPTERS = {
    "idea": ("1 · The idea", idea.show),
    "algorithm": ("2 · The algorithm", algorithm.show),
    "network": ("3 · As a neural network", network.show),
    "geometry": ("4 · The geometry", geometry.show),
    "starts": ("5 · Start and stop", starts.show),
    "uses": ("6 · Where it is used, where it fails", uses.show),
}
NAMES = list(CHAPTERS)
# Presenting: one rem is larger, so everything is; the menu gives its room to the page.
LARGE = "<style>html {font-size: 21px} [data-testid='stSidebar'] {display: none}</style>"


def turn(by: int) -> None:
    """Go to another chapter; a callback, so that the choice is not drawn yet."""
    at = NAMES.index(st.session_state.get("chapter", NAMES[0]))
    st.session_state["chapter"] = NAMES[min(max(at + by, 0), len(NAMES) - 1)]


with st.sidebar:
    presenting = switch("Presenter view", "present", help="Large type, no menu; PageDown and PageUp turn the pages.")
if presenting:
    st.html(LARGE)
seed("chapter", NAMES[0], lambda text: NAMES[NAMES.index(text)])
with st.container(horizontal=True, vertical_alignment="bottom"):
    back = st.session_state["chapter"] == NAMES[0]
    keys = ("PageUp", "PageDown") if presenting else ("Shift+Left", "Shift+Right")
    st.button(
        "Back", icon=":material/arrow_back:", on_click=turn, args=(-1,), shortcut=keys[0], disabled=back, key="back"
    )
    chapter = pick("Chapter", NAMES, "chapter", names={key: title for key, (title, _) in CHAPTERS.items()})
    last = chapter == NAMES[-1]
    st.button(
        "Next", icon=":material/arrow_forward:", on_click=turn, args=(1,), shortcut=keys[1], disabled=last, key="next"
    )
    if presenting:

        def leave() -> None:
            st.session_state["present"] = False

        st.button("End presentation", icon=":material/close_fullscreen:", on_click=leave, key="leave")
title, show = CHAPTERS[chapter]
st.title(title, anchor=False)
show()
with st.expander("Bring everybody here", icon=":material/group:"):
    st.markdown("Whoever opens this address sees exactly this chapter, step and numbers:")
    st.code(widgets.link(), language=None, wrap_lines=True)
