"""Chapter 2, first part: one update at a time, the formula filled in with the numbers on the screen."""

from __future__ import annotations

import numpy as np
import streamlit as st

from nmf_core.figures.learn_curves import LossCurves
from nmf_core.figures.learn_factors import FactorNumbers
from nmf_core.lessons.spelled import spelled
from nmf_core.lessons.stepping import METHODS, Moment
from pages.learn_sections.common import PARTS, draw, question
from pages.learn_sections.setting import COUNT, Setting, entry, setting, stepper
from pages.ui.widgets import cards


def show() -> None:
    """Draw the section."""
    st.markdown(
        "Start with any **W** and **H**, then improve **H** with **W** held still, then **W** with **H** held still, and so "
        "on. Each update is the solver's own; press **N** for the next one and **B** to take it back."
    )
    s = setting()
    at = stepper(s)
    path = s.path(count=COUNT + 1)
    now, coming = path[at], path[at + 1]
    factor = coming.updated
    with s.line:
        marked = entry(factor, now.H if factor == "H" else now.W)
    draw(
        FactorNumbers(
            s.X,
            now.W,
            now.H,
            s.e.rows,
            s.e.cols,
            PARTS,
            "" if now.updated == "start" else now.updated,
            marked,
            s.e.cell_shape,
        ),
        "step_numbers",
    )
    made = spelled(s.X, now, coming, s.method, *marked, s.loss)
    head = "This is the start. " if at == 0 else ""
    st.markdown(f"{head}The next update changes **{factor}**; the framed entry becomes **{made.solver:.4g}**:")
    st.latex(made.latex)
    st.caption(
        f"{made.note} Dashed: the numbers it is made of. Cells and terms are rounded to three digits, the arithmetic is not."
    )
    _numbers(s, path, at)
    draw(
        LossCurves(
            {METHODS[s.method]: np.array([s.shown(m.loss) for m in path[: COUNT + 1]])},
            at=at,
            loss=s.loss_name,
            height=220,
        ),
        "step_curve",
    )
    _question(s, path, at)


def _numbers(s: Setting, path: list[Moment], at: int) -> None:
    now = path[at]
    change = s.shown(now.loss - path[at - 1].loss) if at else 0.0
    explained = (
        "What the squares of X − WH add up to. The solver minimizes half of it."
        if s.squared
        else "The Kullback-Leibler divergence of WH from X, summed over all cells."
    )
    cards(
        [
            (s.loss_name, f"{s.shown(now.loss):.6g}", explained),
            (
                "Change by this update",
                f"{change:+.3g}".replace("-", "−") if at else "–",
                "Never above zero: each of the methods only descends.",
            ),
            ("Smallest entry of W and H", f"{min(now.W.min(), now.H.min()):.3g}", "Never below zero."),
        ]
    )


def _question(s: Setting, path: list[Moment], at: int) -> None:
    now, coming = s.shown(path[at].loss), s.shown(path[at + 1].loss)
    drop = (now - coming) / now if now > 0 else 0.0
    options = ("by more than half", "by a tenth to a half", "by less than a tenth")
    right = options[0] if drop > 0.5 else options[1] if drop >= 0.1 else options[2]
    question(
        "q_next",
        f"{s.key}_{at}_{now:.6g}",
        f"The loss is {now:.5g}. By how much will the next update lower it?",
        options,
        right,
        f"It goes from {now:.5g} to {coming:.5g}, {100 * drop:.3g} % less.",
    )
