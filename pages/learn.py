"""Learn: non-negative matrix factorization in ten minutes, to read alone or to present."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import streamlit as st

from pages.learn_sections import algorithm, geometry, idea, network, starts, uses
from pages.learn_sections.common import Section
from pages.ui import widgets
from pages.ui.state import pick, remember, seed, switch

CHAPTERS: dict[str, tuple[str, dict[str, Section]]] = {
    "idea": ("1 · The idea", idea.SECTIONS),
    "algorithm": ("2 · The algorithm", algorithm.SECTIONS),
    "network": ("3 · As a neural network", network.SECTIONS),
    "geometry": ("4 · The geometry", geometry.SECTIONS),
    "starts": ("5 · Start and stop", starts.SECTIONS),
    "uses": ("6 · Uses and limits", uses.SECTIONS),
}
#: Every stop of the tour: chapter, section, and what *Next* sets there.
STOPS = [
    (chapter, key, dict(values))
    for chapter, (_, sections) in CHAPTERS.items()
    for key, section in sections.items()
    for values in section.stops
]
# Long formulas are scrolled rather than cut.
ALWAYS = "<style>[data-testid='stLatex'], .katex-display {overflow-x: auto; overflow-y: hidden}</style>"
# Presenting: one rem is larger, so everything is; the menu, the header and the margins give their room to the page.
LARGE = """<style>
html {font-size: 20px}
[data-testid='stSidebar'], [data-testid='stExpandSidebarButton'], [data-testid='stHeader'] {display: none}
[data-testid='stMainBlockContainer'] {padding: 0.8rem 2.5rem 3rem}
[data-testid='stMainBlockContainer'] [data-testid='stVerticalBlock'] {gap: 0.6rem}
[data-testid='stMainBlockContainer'] h1 {font-size: 1.8rem; padding: 0.4rem 0 0.6rem}
</style>"""


def place() -> int:
    """Return the stop at which the page stands.

    Of this section, the one whose first value is set, for it tells the stops apart; then the one of whose other values
    most are: people may have stepped or dragged meanwhile.
    """
    state = st.session_state
    own = [i for i, (chapter, key, _) in enumerate(STOPS) if chapter == state["chapter"] and key == state["part"]]

    def fits(i: int) -> tuple[bool, int]:
        set_now = [state.get(key) == value for key, value in STOPS[i][2].items()]
        return bool(set_now and set_now[0]), sum(set_now)

    return max(own, key=fits)  # the first of equals


def turn(by: int) -> None:
    """Go to another stop; a callback, so that the choices are not drawn yet."""
    chapter, key, values = STOPS[min(max(place() + by, 0), len(STOPS) - 1)]
    for name in values:  # the address may hold another value of a widget that was not drawn yet
        remember(name, None, None)
    st.session_state.update({"chapter": chapter, "part": key, **values})


def open_chapter() -> None:
    """Begin another chapter at its first section; a callback."""
    first = next(stop for stop in STOPS if stop[0] == st.session_state["chapter"])
    st.session_state["part"] = first[1]


def leave() -> None:
    """End the presentation; a callback."""
    st.session_state["present"] = False


def choices() -> Section:
    """Seed chapter and section and return the section; what the address asks for, if there is such a thing."""

    def one_of(options: Any) -> Any:
        def parse(text: str) -> str:
            if text not in options:
                raise ValueError(text)
            return text

        return parse

    seed("chapter", "idea", one_of(CHAPTERS))
    sections = CHAPTERS[st.session_state["chapter"]][1]
    seed("part", next(iter(sections)), one_of(sections))
    if st.session_state["part"] not in sections:
        st.session_state["part"] = next(iter(sections))
    return sections[st.session_state["part"]]


def controls(presenting: bool) -> None:
    """Draw where the page stands and the buttons that turn it."""
    at = place()
    keys = ("PageUp", "PageDown") if presenting else ("Shift+Left", "Shift+Right")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            "Back",
            icon=":material/arrow_back:",
            on_click=turn,
            args=(-1,),
            shortcut=keys[0],
            disabled=at == 0,
            key="back",
        )
        pick(
            "Chapter",
            list(CHAPTERS),
            "chapter",
            names={key: title for key, (title, _) in CHAPTERS.items()},
            on_change=open_chapter,
            label_visibility="collapsed" if presenting else "visible",
        )
        sections = CHAPTERS[st.session_state["chapter"]][1]
        pick(
            "Section",
            list(sections),
            "part",
            names={key: section.title for key, section in sections.items()},
            label_visibility="collapsed" if presenting else "visible",
        )
        st.button(
            "Next",
            icon=":material/arrow_forward:",
            on_click=turn,
            args=(1,),
            shortcut=keys[1],
            disabled=at == len(STOPS) - 1,
            key="next",
        )
        if presenting:
            st.button(
                "End", icon=":material/close_fullscreen:", on_click=leave, key="leave", help="End the presentation"
            )


def invitation() -> None:
    """Draw the address that opens every browser at this state."""
    with st.expander("Bring everybody here", icon=":material/group:"):
        parts = urlsplit(widgets.link())
        query = [(key, value) for key, value in parse_qsl(parts.query) if key != "present"]  # others want the menu
        address = urlunsplit(parts._replace(query=urlencode(query)))
        st.markdown("Whoever opens this address sees exactly this section, step and numbers:")
        st.code(address, language=None, wrap_lines=True)
        if (parts.hostname or "") in ("localhost", "127.0.0.1", "::1"):
            st.caption(
                "It begins with the name every computer has for itself. For others, open the app under the address of this "
                "computer in your network; the link is then right."
            )


with st.sidebar:
    presenting = switch("Presenter view", "present", help="Large type, no menu; PageDown and PageUp turn the pages.")
st.html(ALWAYS + (LARGE if presenting else ""))
section = choices()
controls(presenting)
st.title(section.title, anchor=False)
section.show()
st.caption(f"Stop {place() + 1} of {len(STOPS)} · {'PageDown' if presenting else 'Shift + →'} goes on")
invitation()
