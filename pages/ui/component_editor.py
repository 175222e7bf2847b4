"""The table in which a visitor names, colours, orders, hides, merges and drops components."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from nmf_core import Dataset, FitResult
from nmf_core.components import Identity, Parts, drop_start, present, suggest_names
from pages.ui import identity as identities
from pages.ui.start import GIVEN
from pages.ui.widgets import md


def draw(dataset: Dataset, result: FitResult, parts: Parts, identity: Identity) -> None:
    """Draw the table of components to rename, recolour, reorder, hide, merge and drop."""
    if said := identities.said(dataset):
        st.caption(said)
    suggested = suggest_names(present(dataset, result, identity=replace(identity, names=())), dataset)
    chosen: list[int] = []
    base = f"{result.request.key}"
    for place, index in enumerate(int(i) for i in parts.index):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            key = f"{base}_{index}"
            if st.checkbox(
                f"Choose {md(parts.names[place])}", key=f"choose_{key}", label_visibility="collapsed", width=28
            ):
                chosen.append(index)
            name = st.text_input(
                f"Name of {md(parts.names[place])}",
                parts.names[place],
                key=f"name_{key}_{parts.names[place]}",
                max_chars=80,
                label_visibility="collapsed",
                help=f"Suggested from its top features: {md(suggested[place])}",
            )
            color = st.color_picker(
                f"Colour of {md(parts.names[place])}",
                parts.colors[place],
                key=f"color_{key}_{parts.colors[place]}",
                label_visibility="collapsed",
                width=48,
            )
            _act(
                dataset, "Up", ":material/arrow_upward:", key, lambda p=place: _move(parts, identity, p, -1), place == 0
            )
            _act(
                dataset,
                "Down",
                ":material/arrow_downward:",
                key,
                lambda p=place: _move(parts, identity, p, 1),
                place == parts.rank - 1,
            )
            hidden = bool(parts.hidden[place]) if len(parts.hidden) else False
            icon = ":material/visibility_off:" if hidden else ":material/visibility:"
            _act(dataset, "Show" if hidden else "Hide", icon, key, lambda i=index, h=hidden: identity.hide(i, not h))
        changed = identity
        if name.strip() and name != parts.names[place]:
            changed = changed.rename(index, name.strip())
        if color != parts.colors[place]:
            changed = changed.recolor(index, color)
        if changed != identity:
            identities.decide(dataset, lambda decided=changed: decided)
            st.rerun()
    with st.container(horizontal=True):
        _act(
            dataset,
            "Use suggested names",
            ":material/auto_awesome:",
            base,
            lambda: _rename_all(parts, identity, suggested),
            text=True,
        )
        _act(
            dataset,
            "Merge the chosen",
            ":material/merge:",
            base,
            lambda: identity.merge(chosen),
            len(chosen) < 2,
            text=True,
        )
        joined = [i for i in chosen if any(i in group for group in identity.merged)]
        _act(
            dataset,
            "Take apart",
            ":material/call_split:",
            base,
            lambda: identity.split(joined[0]),
            not joined,
            text=True,
        )
        st.button(
            "Drop the chosen and refit",
            icon=":material/delete:",
            key=f"drop_{base}",
            disabled=not chosen or len(chosen) >= parts.rank,
            on_click=_drop,
            args=(dataset, result, identity, tuple(chosen), parts),
        )
        _act(dataset, "Start over", ":material/restart_alt:", base, Identity, identity == Identity(), text=True)


def _act(
    dataset: Dataset,
    label: str,
    icon: str,
    key: str,
    make: Callable[[], Identity],
    disabled: bool = False,
    *,
    text: bool = False,
) -> None:
    st.button(
        label if text else "",
        icon=icon,
        key=f"{label}_{key}",
        help=None if text else label,
        disabled=disabled,
        on_click=identities.decide,
        args=(dataset, make),
        type="secondary" if text else "tertiary",
    )


def _move(parts: Parts, identity: Identity, place: int, by: int) -> Identity:
    order = [int(i) for i in parts.index]
    order[place], order[place + by] = order[place + by], order[place]
    return identity.reorder(order)


def _rename_all(parts: Parts, identity: Identity, names: tuple[str, ...]) -> Identity:
    for index, name in zip(parts.index, names, strict=True):
        identity = identity.rename(int(index), name)
    return identity


def _drop(dataset: Dataset, result: FitResult, identity: Identity, chosen: tuple[int, ...], parts: Parts) -> None:
    """Start a fit without the chosen components from where the others stand; a callback."""
    members = [m for group in parts.members for m in group if group[0] in chosen] if parts.members else list(chosen)
    _, W, H = drop_start(result, members or chosen)
    identities.leave_out(dataset, result, identity, members or chosen)
    st.session_state[GIVEN] = ("dropped", W, H)
    st.session_state["init"] = "custom"
