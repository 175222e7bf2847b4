"""Names, colours, order of the components: what a visitor decides follows the components to every other result."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from nmf_core import Dataset, FitResult
from nmf_core.components import Identity, Parts, carry, drop_start, present, suggest_names
from nmf_core.types import Array
from pages.ui.start import GIVEN
from pages.ui.widgets import md

PARAMETER = "parts"  # in the address
_KEPT = "_identity"
_SEEN = "_identity_seen"  # text of the address that was taken over


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """An identity, and the components it was decided on.

    Attributes
    ----------
    request : str
        Key of the request of the result.
    features : str
        Digest of the features' names: other features have other parts.
    identity : Identity
    parts : Parts
        As shown, without W.
    H : ndarray
        As fitted.
    said : str
        How names came over from another result.
    """

    request: str
    features: str
    identity: Identity
    parts: Parts
    H: Array
    said: str = ""


def of(dataset: Dataset, result: FitResult) -> Identity:
    """Return what holds for a result: decided on it, in the address, or carried over from the one before."""
    request, features = result.request.key, str(hash(dataset.cols.tobytes()))
    kept: Kept | None = st.session_state.get(_KEPT)
    text = st.query_params.get(PARAMETER)
    if text is not None and text != st.session_state.get(_SEEN):
        st.session_state[_SEEN] = text
        try:
            return _keep(dataset, result, Identity.from_json(json.loads(text)), features)
        except (ValueError, RecursionError):  # not ours: the components keep their own names
            pass
    if kept is None or kept.features != features or not kept.identity.to_json():
        return _keep(dataset, result, Identity(), features)
    if kept.request == request:
        return _keep(dataset, result, kept.identity, features, kept.said)
    carried = carry(kept.identity, kept.parts, present(dataset, result), old_H=kept.H)
    same = [f"{md(name)} {similarity:.2f}" for name, _, similarity in carried.pairs]
    gone = [f"{md(name)} (best candidate {similarity:.2f})" for name, similarity in carried.lost]
    said = f"Names carried over by cosine similarity: {', '.join(same) or 'none'}."
    said += f" Not found again: {', '.join(gone)}." if gone else ""
    return _keep(dataset, result, carried.identity, features, said)


def _keep(dataset: Dataset, result: FitResult, identity: Identity, features: str, said: str = "") -> Identity:
    try:
        parts = present(dataset, result, identity=identity)
    except ValueError:  # an address may drop every component
        identity = Identity()
        parts = present(dataset, result)
    slim = replace(parts, W=np.zeros((0, parts.rank)))
    st.session_state[_KEPT] = Kept(result.request.key, features, identity, slim, result.H, said)
    _address(identity)
    return identity


def _address(identity: Identity) -> None:
    values = identity.to_json()
    if not values:
        st.session_state.pop(_SEEN, None)
        if PARAMETER in st.query_params:
            del st.query_params[PARAMETER]
        return
    text = json.dumps(values, separators=(",", ":"), ensure_ascii=False)
    if st.query_params.get(PARAMETER) != text:
        st.session_state[_SEEN] = text
        st.query_params[PARAMETER] = text


def editor(dataset: Dataset, result: FitResult, parts: Parts, identity: Identity) -> None:
    """Draw the table of components to rename, recolour, reorder, hide, merge and drop."""
    kept: Kept | None = st.session_state.get(_KEPT)
    if kept is not None and kept.said:
        st.caption(kept.said)
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
            _act("Up", ":material/arrow_upward:", key, lambda p=place: _move(parts, identity, p, -1), place == 0)
            _act(
                "Down",
                ":material/arrow_downward:",
                key,
                lambda p=place: _move(parts, identity, p, 1),
                place == parts.rank - 1,
            )
            hidden = bool(parts.hidden[place]) if len(parts.hidden) else False
            icon = ":material/visibility_off:" if hidden else ":material/visibility:"
            _act("Show" if hidden else "Hide", icon, key, lambda i=index, h=hidden: identity.hide(i, not h))
        changed = identity
        if name.strip() and name != parts.names[place]:
            changed = changed.rename(index, name.strip())
        if color != parts.colors[place]:
            changed = changed.recolor(index, color)
        if changed != identity:
            _decide(lambda decided=changed: decided)
            st.rerun()
    with st.container(horizontal=True):
        _act(
            "Use suggested names",
            ":material/auto_awesome:",
            base,
            lambda: _rename_all(parts, identity, suggested),
            text=True,
        )
        _act("Merge the chosen", ":material/merge:", base, lambda: identity.merge(chosen), len(chosen) < 2, text=True)
        joined = [i for i in chosen if any(i in group for group in identity.merged)]
        _act("Take apart", ":material/call_split:", base, lambda: identity.split(joined[0]), not joined, text=True)
        st.button(
            "Drop the chosen and refit",
            icon=":material/delete:",
            key=f"drop_{base}",
            disabled=not chosen or len(chosen) >= parts.rank,
            on_click=_drop,
            args=(result, identity, tuple(chosen), parts),
        )
        _act("Start over", ":material/restart_alt:", base, Identity, identity == Identity(), text=True)


def _act(
    label: str, icon: str, key: str, make: Callable[[], Identity], disabled: bool = False, *, text: bool = False
) -> None:
    st.button(
        label if text else "",
        icon=icon,
        key=f"{label}_{key}",
        help=None if text else label,
        disabled=disabled,
        on_click=_decide,
        args=(make,),
        type="secondary" if text else "tertiary",
    )


def _decide(make: Callable[[], Identity]) -> None:
    kept: Kept = st.session_state[_KEPT]
    st.session_state[_KEPT] = replace(kept, identity=make(), said="")


def _move(parts: Parts, identity: Identity, place: int, by: int) -> Identity:
    order = [int(i) for i in parts.index]
    order[place], order[place + by] = order[place + by], order[place]
    return identity.reorder(order)


def _rename_all(parts: Parts, identity: Identity, names: tuple[str, ...]) -> Identity:
    for index, name in zip(parts.index, names, strict=True):
        identity = identity.rename(int(index), name)
    return identity


def _drop(result: FitResult, identity: Identity, chosen: tuple[int, ...], parts: Parts) -> None:
    """Start a fit without the chosen components from where the others stand; a callback."""
    members = [m for group in parts.members for m in group if group[0] in chosen] if parts.members else list(chosen)
    _, W, H = drop_start(result, members or chosen)
    st.session_state[GIVEN] = ("dropped", W, H)
    st.session_state["init"] = "custom"
