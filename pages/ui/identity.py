"""Names, colours, order of the components: what a visitor decides follows the components to every other result."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from nmf_core import Dataset, FitResult
from nmf_core.components import Identity, Parts, carry, present, present_matrices
from nmf_core.types import Array
from pages.ui.state import announce, news, remember
from pages.ui.widgets import md

PARAMETER = "parts"  # in the address
_KEPT = "_identity"  # digest of the features -> Kept, the latest last
MOST = 12  # sets of features remembered


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """An identity, and the components it was decided on.

    Attributes
    ----------
    request : str
        Key of the request of the result.
    identity : Identity
    parts : Parts
        As shown, without W.
    H : ndarray
        As fitted.
    said : str
        How names came over from another result.
    source : Kept or None
        The result on which the visitor decided, if this is another one: all others are matched with that, so that a name
        lost at a small rank is there again at a large one, and matching from result to result does not wander off.
    """

    request: str
    identity: Identity
    parts: Parts
    H: Array
    said: str = ""
    source: Kept | None = None


def of(dataset: Dataset, result: FitResult) -> Identity:
    """Return what holds for a result: decided on it, in the address, or carried over from where it was decided."""
    request = result.request.key
    kept = _kept(dataset)
    text = news(PARAMETER)
    if text is not None:
        try:
            return _keep(dataset, result, Identity.from_json(json.loads(text)))
        except (ValueError, RecursionError):  # not ours: the components keep their own names
            pass
    if kept is None or not (kept.source or kept).identity.to_json():
        return _keep(dataset, result, Identity())
    if kept.request == request:
        return _keep(dataset, result, kept.identity, kept.said, kept.source)
    source = kept.source or kept
    if source.request == request:
        return _keep(dataset, result, source.identity)
    carried = carry(source.identity, source.parts, present(dataset, result), old_H=source.H)
    same = [f"{md(name)} {similarity:.2f}" for name, _, similarity in carried.pairs]
    gone = [f"{md(name)} (best candidate {similarity:.2f})" for name, similarity in carried.lost]
    said = f"Names carried over by cosine similarity: {', '.join(same) or 'none'}."
    said += f" Not found again: {', '.join(gone)}." if gone else ""
    return _keep(dataset, result, carried.identity, said, source)


def peek(dataset: Dataset, W: Array, H: Array) -> Identity:
    """Return names, colours and order for a factorization that another page shows, without deciding or keeping anything.

    Nothing is hidden or merged there: such a page speaks of every component as fitted.

    Parameters
    ----------
    W, H : ndarray of shape (n_samples, rank), (rank, n_features)
    """
    kept = _kept(dataset)
    source = (kept.source or kept) if kept else None
    if kept is None or source is None or not source.identity.to_json():
        return Identity()
    same = next((known.identity for known in (kept, source) if np.array_equal(known.H, H)), None)
    if same is None:
        same = carry(source.identity, source.parts, present_matrices(dataset, W, H), old_H=source.H).identity
    joined = {group[0] for group in same.merged}  # the name of a sum is that of none of its members
    names = tuple((i, name) for i, name in same.names if i not in joined)
    return replace(same, names=names, hidden=(), merged=(), dropped=())


def said(dataset: Dataset) -> str:
    """Return how the names of the result on the screen came over from another one; empty if they did not."""
    kept = _kept(dataset)
    return kept.said if kept else ""


def restore(dataset: Dataset, identity: Identity) -> None:
    """Let an identity from a bundle hold for the next result of these data; a callback."""
    st.session_state.setdefault(_KEPT, {}).pop(_features(dataset), None)
    values = identity.to_json()
    announce(PARAMETER, _text(values) if values else None)


def decide(dataset: Dataset, make: Callable[[], Identity]) -> None:
    """Let a new identity hold for the result on the screen; a callback."""
    kept = _kept(dataset)
    if kept is not None:
        st.session_state[_KEPT][_features(dataset)] = replace(kept, identity=make(), said="", source=None)


def leave_out(dataset: Dataset, result: FitResult, identity: Identity, dropped: Iterable[int]) -> None:
    """Hand on to the next result the names and colours of all but some components of this one; a callback.

    The refit without a part often moves another one towards it, which must not take its name.
    """
    kept, rest = _kept(dataset), identity
    for index in dropped:
        rest = rest.drop(index)
    if kept is not None:
        parts = present(dataset, result, identity=rest)
        slim = replace(parts, W=np.zeros((0, parts.rank)))
        st.session_state[_KEPT][_features(dataset)] = replace(kept, parts=slim, H=result.H, said="", source=None)


def _features(dataset: Dataset) -> str:
    """Return a digest of the features' names: other features have other parts."""
    return str(hash(dataset.cols.tobytes()))


def _kept(dataset: Dataset) -> Kept | None:
    found: dict[str, Kept] = st.session_state.setdefault(_KEPT, {})
    return found.get(_features(dataset))


def _keep(
    dataset: Dataset, result: FitResult, identity: Identity, said: str = "", source: Kept | None = None
) -> Identity:
    try:
        parts = present(dataset, result, identity=identity)
    except ValueError:  # an address may drop every component
        identity = Identity()
        parts = present(dataset, result)
    slim = replace(parts, W=np.zeros((0, parts.rank)))
    kept: dict[str, Kept] = st.session_state.setdefault(_KEPT, {})
    kept.pop(_features(dataset), None)
    kept[_features(dataset)] = Kept(result.request.key, identity, slim, result.H, said, source)
    while len(kept) > MOST:
        del kept[next(iter(kept))]
    _address(identity)
    return identity


def _address(identity: Identity) -> None:
    values = identity.to_json()
    remember(PARAMETER, _text(values) if values else None, None)


def _text(values: dict[str, object]) -> str:
    return json.dumps(values, separators=(",", ":"), ensure_ascii=False)
