"""Results a visitor has pinned, to be compared with others."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import streamlit as st

from nmf_core import Dataset, FitResult
from nmf_core.components import Identity

KEY, MOST = "_pins", 12


@dataclass(frozen=True, slots=True, eq=False)
class Pin:
    """A result with its data and the names of its parts."""

    title: str
    dataset: Dataset
    result: FitResult
    identity: Identity

    @property
    def key(self) -> str:
        """Tells pins apart; fits from starts of one's own may have one request and several results."""
        return f"{self.result.request.key}-{hashlib.blake2b(self.result.H.tobytes(), digest_size=6).hexdigest()}"


def pins() -> list[Pin]:
    """Return the pinned results, oldest first."""
    return list(st.session_state.get(KEY, []))


def button(dataset: Dataset, result: FitResult, identity: Identity) -> None:
    """Draw the button that pins a result."""
    pinned = any(pin.key == Pin("", dataset, result, identity).key for pin in pins())
    st.button(
        "Pinned" if pinned else "Pin to compare",
        icon=":material/keep:",
        key="pin",
        disabled=pinned,
        help="Keeps this result for the page Compare, tab Runs, until the page is reloaded or closed.",
        on_click=add,
        args=(dataset, result, identity),
    )


def add(dataset: Dataset, result: FitResult, identity: Identity) -> None:
    """Pin a result; the oldest beyond a dozen goes."""
    request = result.request
    title = (
        f"{dataset.name}, rank {request.rank}, {request.solver}, {request.loss}, {request.init}, seed {request.seed}"
    )
    pin = Pin(title, dataset, replace(result, state=None), identity)
    st.session_state[KEY] = [*(p for p in pins() if p.key != pin.key), pin][-MOST:]


def remove(key: str) -> None:
    """Take a pin away."""
    st.session_state[KEY] = [pin for pin in pins() if pin.key != key]
