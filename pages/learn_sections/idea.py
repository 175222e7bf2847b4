"""Chapter 1: a table as a sum of parts, by hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import streamlit as st

from nmf_core import load_dataset
from nmf_core.figures.learn_factors import FactorNumbers
from nmf_core.lessons.examples import SIX_FLOWERS, Example, own
from nmf_core.types import Array
from pages.learn_sections.common import (
    PARTS,
    Section,
    draw,
    example,
    forget,
    keep,
    matrix,
    parsed,
    path_of,
    presenting,
    question,
    squares,
    text,
    valleys_of,
)
from pages.learn_sections.table import editor
from pages.ui.state import pick, put, remember
from pages.ui.widgets import md


def show() -> None:
    """Draw the section."""
    st.markdown(
        "Each row of **X** is to be a sum of the same two **parts** (the rows of **H**), in amounts of its own (its row of "
        "**W**). Nothing may be negative, so parts only add. Drag amounts and parts and watch **X − WH** fade."
    )
    place = st.popover("Example, numbers, what to drag", icon=":material/tune:") if presenting() else st.container()
    with place:
        e = example()
        st.caption(e.story)
        _choose()
        X, W, H = _typed(e)
        row, cells = _dragged(e)
    _sliders(*cells, W, H, e)
    draw(FactorNumbers(X, W, H, e.rows, e.cols, PARTS, cell_shape=e.cell_shape), "idea_numbers")
    _in_words(X, W, H, row, e)
    _contest(X, W, H, e)
    residual = (X - W @ H) ** 2
    worst = int(residual.sum(axis=1).argmax())
    question(
        "q_idea",
        text(residual),
        "Which row of X is explained worst by your W and H right now?",
        e.rows,
        e.rows[worst],
        f"Its squared residuals add up to {residual[worst].sum():.4g}, more than those of any other row.",
    )


def _choose() -> None:
    """Draw the choice of flowers, or of the size of one's own table."""
    if st.session_state["_example"] == "flowers":
        names = load_dataset("iris").rows
        st.multiselect(
            "Flowers (two to eight)",
            range(len(names)),
            format_func=lambda i: str(names[i]),
            key="flowers",
            max_selections=8,
            persist_state="session",
            on_change=partial(forget, "x", "w", "h"),
        )
        chosen = st.session_state["flowers"]
        remember("flowers", ",".join(map(str, chosen)), ",".join(map(str, SIX_FLOWERS)))
        if len(chosen) < 2:
            st.caption("With fewer than two chosen, the six from before are shown.")
    elif st.session_state["_example"] == "own":
        n, m = st.session_state["own"]
        with st.container(horizontal=True):
            for label, value, place in (("Rows", n, 0), ("Columns", m, 1)):
                put(f"own_{place}", value)
                st.number_input(label, 2, 8, key=f"own_{place}", on_change=_resize, width=140)
        remember("own", f"{n}x{m}", "3x3")


def _resize() -> None:
    """Give one's own table another size; numbers that have a place in both stay."""
    old, new = st.session_state["own"], (int(st.session_state["own_0"]), int(st.session_state["own_1"]))
    X = own(new).X
    kept = parsed(st.session_state["x_own"], old) if "x_own" in st.session_state else own(old).X
    n, m = min(old[0], new[0]), min(old[1], new[1])
    X[:n, :m] = kept[:n, :m]
    forget("w", "h")
    st.session_state["own"] = new
    keep("x", X, own(new).X)


def _typed(e: Example) -> tuple[Array, Array, Array]:
    """Draw the tables to type in and return X, W and H."""
    X, W, H = matrix("x", e.X), matrix("w", e.W), matrix("h", e.H)
    with st.expander("Type the numbers", icon=":material/edit:"):
        X = editor("X: your table", "x", X, e.X, e.rows, e.cols)
        left, right = st.columns(2)
        with left:
            W = editor("W: the amounts", "w", W, e.W, e.rows, PARTS)
        with right:
            H = editor("H: the parts", "h", H, e.H, PARTS, e.cols)
        st.caption(
            "Everything is kept in the address of this page. Blank cells count as 0; numbers below 0 are refused."
        )
    return X, W, H


def _dragged(e: Example) -> tuple[int, tuple[str, list[tuple[int, int, str]]]]:
    """Draw the choice of what to drag; return the row spelled out below, and factor and cells that get sliders."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        what = pick("Drag", ["w", "h"], "drag", names={"w": "Amounts", "h": "Parts"}, segmented=True)
        row = 0
        if what == "w" or not e.cell_shape:
            few = what == "w" and len(e.rows) <= 6
            row = pick(
                "Row" if what == "w" else "Row spelled out below",
                list(range(len(e.rows))),
                "mix",
                names=lambda i: e.rows[i],
                segmented=few,
                width="content" if few else 200,
            )
        if what == "h":
            part = pick("Part to shape", [0, 1], "shaped", names=lambda k: PARTS[k], segmented=True)
            line = 0
            if e.cell_shape:
                lines = list(range(e.cell_shape[0]))
                line = pick("Line of pixels", lines, "line", names=lambda i: str(i + 1), segmented=True)
    if what == "w":
        cells = [(row, k, f"Amount of part {k + 1} in {md(e.rows[row])}") for k in range(len(PARTS))]
    else:
        width = e.cell_shape[1] if e.cell_shape else len(e.cols)
        cells = [(part, line * width + j, f"{md(e.cols[line * width + j])} in part {part + 1}") for j in range(width)]
    return row, (what, cells)


def _sliders(name: str, cells: list[tuple[int, int, str]], W: Array, H: Array, e: Example) -> None:
    """Draw one slider per cell; each writes its value into the matrix, which is all that is kept."""
    F, default = (W, e.W) if name == "w" else (H, e.H)
    top = float(np.ceil(max(2.0 * default.max(), 2.0)))

    def moved(key: str, r: int, c: int) -> Callable[[], None]:
        def write() -> None:
            changed = F.copy()
            changed[r, c] = st.session_state[key]
            keep(name, changed, default)

        return write

    for column, (r, c, label) in zip(st.columns(len(cells)), cells, strict=True):
        with column:
            key = f"drag_{name}_{st.session_state['_example']}_{r}_{c}"
            high = max(top, float(F[r, c]))
            put(key, float(F[r, c]), high)
            st.slider(label, 0.0, high, step=0.01, key=key, on_change=moved(key, r, c))


def _in_words(X: Array, W: Array, H: Array, row: int, e: Example) -> None:
    """Spell the chosen row out as a sum; a picture of 25 pixels is left to the eye."""
    if e.cell_shape:
        st.caption(
            "Darker cells of X, W, H and WH hold less; in X − WH, + marks pixels where WH is too small, − too large."
        )
        return
    vectors = [", ".join(f"{v:.3g}" for v in h) for h in (*H, W[row] @ H, X[row])]
    st.markdown(
        f"**{md(e.rows[row])}**: {W[row, 0]:.3g} × ({vectors[0]}) + {W[row, 1]:.3g} × ({vectors[1]}) = ({vectors[2]}), "
        f"and should be ({vectors[3]})."
    )


def _contest(X: Array, W: Array, H: Array, e: Example) -> None:
    """Compare what was dragged with what the engine finds."""
    yours = 0.5 * float(((X - W @ H) ** 2).sum())
    best = valleys_of(X)[0].loss if X.any() else 0.0
    path = path_of(X, e.W, e.H, "mu", "frobenius", 200) if X.any() else []
    needed = next((i for i, moment in enumerate(path) if moment.loss <= yours * (1 + 1e-9)), None)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.metric("Your Σ (X − WH)²", squares(yours, X), border=True, width="stretch")
        st.metric("The algorithm's best of ten starts", squares(best, X), border=True, width="stretch")
        st.metric(
            "Updates it needs to be as good as you",
            "over 200" if needed is None else str(needed),
            help="Multiplicative updates from the W and H given at first, one factor at a time (chapter 2).",
            border=True,
            width="stretch",
        )
    reached = yours <= 1.02 * best + 1e-9 * float((X**2).sum())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "The given numbers", icon=":material/restart_alt:", on_click=forget, args=("x", "w", "h"), key="given"
        )
        st.button(
            "Two updates by the algorithm",
            icon=":material/auto_fix_high:",
            on_click=_helped,
            args=(X, W, H, e),
            key="helped",
            disabled=not X.any(),
        )
        if reached:
            st.success("As good as the algorithm's best.", icon=":material/trophy:")
        else:
            st.markdown("Can you get as low by hand? Small steps: one amount, then one part.")


def _helped(X: Array, W: Array, H: Array, e: Example) -> None:
    """Let the solver update H, then W, from where the hand has got to; a callback."""
    after = path_of(X, W, H, "mu", "frobenius", 2)[-1]
    keep("w", after.W, e.W)
    keep("h", after.H, e.H)


SECTIONS = {
    "sum": Section(
        "A table as a sum of parts",
        show,
        ({"example": "small", "drag": "w", "mix": 0}, {"example": "picture", "drag": "w", "mix": 0}),
    )
}
