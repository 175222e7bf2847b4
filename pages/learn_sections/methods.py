"""Chapter 2: the multiplicative update beside a gradient step and HALS, from the same numbers."""

from __future__ import annotations

import numpy as np
import streamlit as st

from nmf_core.figures.learn_curves import LossCurves
from nmf_core.figures.learn_factors import FactorVersions
from nmf_core.lessons.spelled import spelled
from nmf_core.lessons.stepping import METHODS, SHORT, Moment
from pages.learn_sections.common import PARTS, draw, path_of, question
from pages.learn_sections.setting import COUNT, entry, setting, stepper

SAYS = {
    "mu": "multiplies every entry by a number ≥ 0 of its own",
    "pg": "goes downhill with one step length for all entries, and cuts at zero",
    "hals": "(hierarchical alternating least squares) puts one part after the other exactly where it is best",
}


def show() -> None:
    """Draw the section."""
    st.markdown(
        "Three ways to improve a factor, each with the solver's own step: the **multiplicative update** "
        f"{SAYS['mu']}; the **gradient step** {SAYS['pg']}; **HALS** {SAYS['hals']}."
    )
    s = setting(method=False)
    at = stepper(s)
    now = s.path("mu", COUNT + 1)[at]
    # From where the multiplicative updates have got to, all three make the same next update.
    flip = at % 2 == 1
    X, A, B = (s.X.T, now.H.T, now.W.T) if flip else (s.X, now.W, now.H)
    nexts = {key: path_of(X, A, B, key, "frobenius", 1)[1] for key in METHODS}
    factor = "W" if flip else "H"
    before = now.W if flip else now.H
    versions = [(f"{factor} now · loss {2 * now.loss:.4g}", before)] + [
        (f"{SHORT[key]} · loss {2 * m.loss:.4g}", m.H.T if flip else m.H) for key, m in nexts.items()
    ]
    rows, cols = (s.e.rows, PARTS) if flip else (PARTS, s.e.cols)
    draw(
        FactorVersions(
            tuple(versions),
            rows,
            cols,
            f"{factor} now and after one update by each of three methods",
            cell_shape=s.e.cell_shape,
        ),
        "versions",
    )
    with s.line:
        marked = entry(factor, before)
    for tab, key in zip(st.tabs(list(METHODS.values())), METHODS, strict=True):
        with tab:
            m = nexts[key]
            after = Moment(m.H.T, m.W.T, m.loss, "W", m.size) if flip else m
            made = spelled(s.X, now, after, key, *marked)
            st.latex(made.latex)
            st.caption(made.note)
    runs = {METHODS[key]: np.array([2 * m.loss for m in s.path(key)]) for key in METHODS}
    draw(LossCurves(runs, at=at, chosen=METHODS["mu"], loss="Σ (X − WH)²"), "three_curves")
    lowest = min(nexts, key=lambda key: nexts[key].loss)
    question(
        "q_methods",
        f"{s.key}_{at}_{now.loss:.6g}",
        "Which of the three lowers the loss most with this one update?",
        tuple(METHODS.values()),
        METHODS[lowest],
        "The losses stand above the tables: "
        + ", ".join(f"{METHODS[k]} {2 * m.loss:.5g}" for k, m in nexts.items())
        + ".",
    )
