"""Chapter 2: why nothing becomes negative, why zeros stay, why it stops."""

from __future__ import annotations

import itertools

import numpy as np
import streamlit as st

from nmf_core.figures.learn_factors import FactorVersions
from nmf_core.lessons.standstill import standstill
from nmf_core.lessons.stepping import METHODS, SHORT, Moment
from pages.learn_sections.common import PARTS, draw, path_of, question
from pages.learn_sections.setting import COUNT, Setting, setting, stepper
from pages.ui.state import pick
from pages.ui.widgets import cards

LONG = 3000
WHY = {"negative": "never negative", "zero": "zeros stay", "stop": "it stops"}


def show() -> None:
    """Draw the section."""
    why = pick("Why …", list(WHY), "why", names=WHY, segmented=True)
    {"negative": _negative, "zero": _zero, "stop": _stop}[why]()


def _negative() -> None:
    st.markdown(
        "The multiplicative update has no minus sign: every entry is multiplied by a quotient of two sums of products of "
        "numbers ≥ 0. Above 1, the entry grows; below 1, it shrinks **towards** zero and never through it."
    )
    s = setting(method=False, zero=False)
    at = stepper(s)
    now, coming = s.path("mu", COUNT + 1)[at : at + 2]
    still = standstill(s.X, now.W, now.H)
    factor = coming.updated
    F, ratio, after = (now.H, still.factor_H, coming.H) if factor == "H" else (now.W, still.factor_W, coming.W)
    rows, cols = (PARTS, s.e.cols) if factor == "H" else (s.e.rows, PARTS)
    draw(
        FactorVersions(
            ((f"{factor} now", F), ("factor of each entry", ratio), (f"{factor} next", after)),
            rows,
            cols,
            f"{factor}, the factor of each of its entries, and their products entry by entry",
            between=("×", "=", ""),
            cell_shape=s.e.cell_shape,
        ),
        "factor_numbers",
    )
    gradient = s.path("pg", COUNT)
    cut = sum(_cut(s, a, b) for a, b in itertools.pairwise(gradient))
    st.markdown(
        f"A **gradient step** subtracts, so it has to cut: on this table it would have led below zero, and was put back to "
        f"zero, **{cut}** times in {COUNT} updates. HALS cuts in the same way."
    )
    grows = int((ratio > 1).sum())
    question(
        "q_negative",
        f"{s.key}_{at}_{now.loss:.6g}",
        f"How many of the {F.size} entries of {factor} will grow at the next update?",
        tuple(str(i) for i in sorted({0, grows, F.size - grows, F.size})),
        str(grows),
        "Count the factors above 1 in the middle.",
    )


def _cut(s: Setting, before: Moment, after: Moment) -> int:
    """Return how many entries a gradient step had to put back to zero."""
    still = standstill(s.X, before.W, before.H)
    F, slope = (before.H, still.slope_H) if after.updated == "H" else (before.W, still.slope_W)
    return int((F - after.size * slope < 0).sum())


def _zero() -> None:
    st.markdown(
        "**H[1,1] is set to zero** at the start. Zero times anything is zero, so under multiplicative updates it stays for "
        "ever, right or wrong. A gradient step and HALS add before they cut: there it can come back."
    )
    s = setting(method=False, zero=False)
    H = s.H.copy()
    H[0, 0] = 0.0
    ends = {key: path_of(s.X, s.W, H, key, "frobenius", COUNT)[-1] for key in METHODS}
    versions = [("H at the start", H)] + [(f"{SHORT[k]} · loss {2 * m.loss:.4g}", m.H) for k, m in ends.items()]
    draw(
        FactorVersions(
            tuple(versions),
            PARTS,
            s.e.cols,
            f"H with a zero, and after {COUNT} updates by three methods",
            cell_shape=s.e.cell_shape,
        ),
        "zeros",
    )
    st.markdown(
        "So a start for multiplicative updates must hold no zeros: NNDSVD**a** fills its zeros with the mean of X before it "
        "begins, and random starts have none."
    )
    back = ends["hals"].H[0, 0]
    question(
        "q_zero",
        f"{s.key}_{back:.4g}",
        f"Which methods have made H[1,1] positive after {COUNT} updates?",
        ("none", "gradient step and HALS", "only the gradient step", "only HALS", "all three"),
        {
            (True, True): "gradient step and HALS",
            (True, False): "only the gradient step",
            (False, True): "only HALS",
        }.get((ends["pg"].H[0, 0] > 0, back > 0), "none"),
        ", ".join(f"{METHODS[k]}: {m.H[0, 0]:.4g}" for k, m in ends.items()) + ".",
    )


def _stop() -> None:
    st.markdown(
        "An entry stays when its factor is **1**: then its slope is zero. An entry at **zero** may stay with a slope above "
        "zero: only below zero would be better, and that is not allowed. Where this holds for all entries, no small change "
        "helps, and all three methods stand still."
    )
    s = setting(method=False, zero=False)
    at = stepper(s)
    path = s.path("mu", LONG)
    end = path[-1]
    here, there, first = (standstill(s.X, m.W, m.H) for m in (path[at], end, path[0]))
    draw(
        FactorVersions(
            (
                (f"factors of H after {at}", here.factor_H),
                (f"after {LONG}", there.factor_H),
                (f"H after {LONG}", end.H),
            ),
            PARTS,
            s.e.cols,
            f"The factors by which H is multiplied after {at} and after {LONG} updates, and H after {LONG}",
            cell_shape=s.e.cell_shape,
        ),
        "standstill_H",
    )
    cards(
        [
            (
                "Slopes at the start",
                f"{first.norm:.3g}",
                "Norm of the slopes that still lead anywhere (projected gradient).",
            ),
            (f"Slopes after {at}", f"{here.norm:.3g}", "The stop rule *kkt* of the engine looks at this number."),
            (f"Slopes after {LONG}", f"{there.norm:.3g}", "Nothing left to gain nearby."),
        ]
    )
    zero = end.H < 1e-6
    pressed = (
        f"; {int(zero.sum())} are zero (below 0.000001), with factors of {there.factor_H[zero].max():.3g} or less: they are "
        "pressed against the wall"
        if zero.any()
        else ""
    )
    st.markdown(
        f"At the end, the factors of the {int((~zero).sum())} positive entries of H lie between {there.factor_H[~zero].min():.4f} "
        f"and {there.factor_H[~zero].max():.4f}{pressed}. In practice one stops earlier: when the loss hardly falls any more "
        "(chapter 5)."
    )
    furthest = np.unravel_index(int(np.abs(here.factor_H - 1).argmax()), here.factor_H.shape)
    options = {f"H[{r + 1},{c + 1}]" for r in range(2) for c in range(min(end.H.shape[1], 5))}
    right = f"H[{furthest[0] + 1},{furthest[1] + 1}]"
    question(
        "q_stop",
        f"{s.key}_{at}_{here.norm:.5g}",
        f"Which entry of H is furthest from standing still after {at} updates?",
        tuple(sorted(options | {right})),
        right,
        f"Its factor, {here.factor_H[furthest]:.4g}, is furthest from 1.",
    )
