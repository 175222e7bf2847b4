"""What the sections share: the tiny example, matrices in the address, self-check questions, pictures in large type."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import streamlit as st

from nmf_core.figures.base import Picture
from nmf_core.figures.learn_factors import FactorNumbers
from nmf_core.figures.learn_large import Large
from nmf_core.lessons.examples import EXAMPLES, SIX_FLOWERS, Example, flowers, own
from nmf_core.lessons.stepping import Moment, moments
from nmf_core.lessons.valleys import Valley, valleys
from nmf_core.quality import errors
from nmf_core.types import Array, Dataset, FitResult
from pages.ui.state import pick, remember, seed
from pages.ui.widgets import ink, picture

PARTS = ("Part 1", "Part 2")


@dataclass(frozen=True)
class Section:
    """One screen of the page: what stands on it, and the states in which *Next* goes through it.

    Attributes
    ----------
    title : str
    show : callable
    stops : tuple of mappings
        Values of widgets (by key) that *Next* sets, one stop after another; the first value tells the stops apart.
        ``({},)``: one stop that sets nothing.
    """

    title: str
    show: Callable[[], None]
    stops: tuple[Mapping[str, Any], ...] = field(default=({},))


def presenting() -> bool:
    """Tell whether the page is shown in large type."""
    return bool(st.session_state.get("present"))


def draw(p: Picture, key: str) -> None:
    """Draw a picture, in large type when presenting."""
    if isinstance(p, FactorNumbers):
        p = replace(p, ink=ink())
    picture(Large(p) if presenting() else p, key=key)


def example(*, only: Sequence[str] | None = None) -> Example:
    """Draw the choice of the tiny example and return it; changed numbers of it stay as they are."""
    made = {key: _made(key) for key in (only or EXAMPLES)}
    key = pick("Example", list(made), "example", names={key: e.title for key, e in made.items()}, segmented=True)
    st.session_state["_example"] = key
    return made[key]


def _made(key: str) -> Example:
    if key == "flowers":
        seed("flowers", list(SIX_FLOWERS), _rows)
        return flowers(st.session_state["flowers"] if len(st.session_state["flowers"]) >= 2 else SIX_FLOWERS)
    if key == "own":
        seed("own", (3, 3), _shape)
        return own(st.session_state["own"])
    return EXAMPLES[key]()


def _rows(content: str) -> list[int]:
    rows = [int(part) for part in content.split(",")]
    if not 2 <= len(set(rows)) <= 8 or any(not 0 <= row < 150 for row in rows):
        raise ValueError("two to eight flowers")
    return list(dict.fromkeys(rows))


def _shape(content: str) -> tuple[int, int]:
    n, m = (int(part) for part in content.split("x"))
    if not (2 <= n <= 8 and 2 <= m <= 8):
        raise ValueError("two to eight")
    return n, m


def matrix(name: str, default: Array) -> Array:
    """Return a matrix that people may have changed: from the session, the address, or as it is by default."""
    key = key_of(name)
    seed(key, text(default), lambda t: text(parsed(t, default.shape)))
    try:
        return parsed(st.session_state[key], default.shape)
    except ValueError:  # kept for another size of the table
        st.session_state[key] = text(default)
        return default


def keep(name: str, value: Array, default: Array) -> None:
    """Keep a changed matrix in the session and in the address."""
    st.session_state[key_of(name)] = text(value)
    remember(key_of(name), text(value), text(default))


def forget(*names: str) -> None:
    """Let matrices be as they are by default again; a callback."""
    for name in names:
        st.session_state.pop(key_of(name), None)
        remember(key_of(name), None, None)


def key_of(name: str) -> str:
    """Return the key of a matrix in the session and in the address: each example has its own."""
    return f"{name}_{st.session_state.get('_example', '')}"


def text(value: Array) -> str:
    """Return a matrix as ``1,2;3,4``."""
    return ";".join(",".join(f"{v:.10g}" for v in row) for row in value)


def parsed(content: str, shape: tuple[int, ...]) -> Array:
    """Return the matrix written in a text.

    Raises
    ------
    ValueError
        If it has another shape, or entries that are not numbers from 0 to a million.
    """
    rows = [[float(v) for v in row.split(",")] for row in content.split(";")]
    if len(rows) != shape[0] or any(len(row) != shape[1] for row in rows):
        raise ValueError("another shape")
    if any(not (math.isfinite(v) and 0 <= v <= 1e6) for row in rows for v in row):
        raise ValueError("out of range")
    return np.array(rows)


def path_of(X: Array, W: Array, H: Array, method: str, loss: str, count: int) -> list[Moment]:
    """Return `moments`, kept: people go back and forth through the same ones."""
    return _path(text(X), X.shape, text(W), text(H), method, loss, count)


@st.cache_data(max_entries=300, show_spinner=False)
def _path(X: str, shape: tuple[int, int], W: str, H: str, method: str, loss: str, count: int) -> list[Moment]:
    n, m = shape
    A, B = parsed(W, (n, W.split(";")[0].count(",") + 1)), parsed(H, (H.count(";") + 1, m))
    return moments(parsed(X, shape), A, B, method, loss, count)


def valleys_of(X: Array, loss: str = "frobenius") -> list[Valley]:
    """Return `valleys` of ten starts, kept."""
    return _valleys(text(X), X.shape, loss)


@st.cache_data(max_entries=300, show_spinner=False)
def _valleys(X: str, shape: tuple[int, int], loss: str) -> list[Valley]:
    return valleys(parsed(X, shape), 2, range(10), loss)


def squares(loss: float, X: Array) -> str:
    """Return Σ (X − WH)² for people, given the solver's ½ Σ (X − WH)²; rounding errors of an exact fit read as 0."""
    return "0" if 2 * loss <= 1e-12 * float((X**2).sum()) else f"{2 * loss:.5g}"


def relative_error(dataset: Dataset, result: FitResult) -> float:
    """Return ‖X − WH‖ / ‖X‖."""
    return errors(dataset, result.W, result.H).relative


def question(key: str, state: object, ask: str, options: Sequence[str], right: str, because: str) -> None:
    """Draw a question with its answer behind a choice; the right one comes from the numbers on the screen.

    When what is on the screen changes (`state`), the question is asked anew: an old answer would give the new one away.
    """
    with st.container(border=True):
        answer = st.radio(
            f"**Check yourself.** {ask}", list(options), index=None, key=f"{key}_{state}", horizontal=True
        )
        if answer is None:
            return
        if answer == right:
            st.success(f"Yes. {because}", icon=":material/check_circle:")
        else:
            st.warning(f"Not quite: {right}. {because}", icon=":material/lightbulb:")
