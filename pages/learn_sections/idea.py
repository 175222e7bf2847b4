"""Chapter 1: a table as a sum of parts, by hand."""

from __future__ import annotations

import numpy as np
import streamlit as st

from nmf_core import fit
from nmf_core.figures.learn_factors import FactorNumbers
from nmf_core.figures.png import sheet
from pages.learn_sections.common import editor, example, matrix, question
from pages.ui.state import pick
from pages.ui.widgets import md, picture


def show() -> None:
    """Draw the chapter."""
    st.markdown(
        "Each row of **X** is to be a sum of the same two **parts** (the rows of **H**), in amounts of its own (its row of "
        "**W**). Nothing may be negative, so parts only add. Move the amounts and watch **X − WH** fade."
    )
    e = example()
    parts = ("Part 1", "Part 2")
    X, W, H = matrix("x", e.X), matrix("w", e.W), matrix("h", e.H)
    with st.expander("Type other numbers", icon=":material/edit:"):
        X = editor("X: your table", "x", X, e.X, e.rows, e.cols)
        H = editor("H: the parts", "h", H, e.H, parts, e.cols)
        st.caption("Everything is kept in the address of this page.")
    W = _drag(e.rows, W, e.W, X)
    picture(FactorNumbers(X, W, H, e.rows, e.cols, parts), key="idea_numbers")
    if e.cell_shape:
        _pictures(X, W, H, e.cell_shape)
    yours = float(((X - W @ H) ** 2).sum())
    best = _best(X)
    left, right = st.columns(2)
    left.metric("Your Σ (X − WH)²", f"{yours:.4g}", border=True)
    right.metric("The algorithm's, from its own start", f"{best:.4g}", border=True)
    if yours <= best * 1.02 + 1e-9:
        st.success("As good as the algorithm. Well done.", icon=":material/trophy:")
    else:
        st.caption("Can you beat it? Chapter 2 shows how it goes about it.")
    worst = int(((X - W @ H) ** 2).sum(axis=1).argmax())
    question(
        "q_idea",
        "Which row of X is explained worst by your W and H right now?",
        e.rows,
        e.rows[worst],
        f"Its squared residuals add up to {float(((X - W @ H) ** 2)[worst].sum()):.4g}, more than those of any other row.",
    )


def _drag(rows: tuple[str, ...], W: np.ndarray, default: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Draw two sliders for the amounts of one row and return W with them."""
    from pages.learn_sections.common import keep

    row = pick("Row to mix", list(range(len(rows))), "mix", names=lambda i: rows[i], segmented=len(rows) <= 6)
    top = float(np.ceil(max(W.max() * 1.5, 2.0)))
    W = W.copy()
    for k, column in enumerate(st.columns(2)):
        with column:
            W[row, k] = st.slider(
                f"Amount of part {k + 1} in {md(rows[row])}",
                0.0,
                top,
                min(float(W[row, k]), top),
                0.01,
                key=f"amount_{st.session_state['_example']}_{row}_{k}",
            )
    keep("w", W, default)
    return W


def _pictures(X: np.ndarray, W: np.ndarray, H: np.ndarray, shape: tuple[int, int]) -> None:
    """Draw X, WH and the parts as pictures."""
    for column, (name, rows) in zip(st.columns(3), (("X", X), ("WH", W @ H), ("H", H)), strict=True):
        tiles = rows.reshape(-1, *shape)
        made = sheet(tiles, columns=len(tiles), colormap="ink", min_pixels=60)
        column.image(made.png, caption=name, alt=f"{name} as {len(tiles)} pictures of {shape[0]} by {shape[1]} pixels")


def _best(X: np.ndarray) -> float:
    """Return the squared error of the engine's own fit of rank 2."""
    if not X.any():
        return 0.0
    result = fit(X, rank=2, max_iter=500, tol=1e-8, init="nndsvda")
    return float(((X - result.W @ result.H) ** 2).sum())
