"""Chapter 2: other starts, other minima; and the same product in disguise."""

from __future__ import annotations

import numpy as np
import streamlit as st

from nmf_core.figures.learn_curves import LossCurves
from nmf_core.figures.learn_factors import FactorNumbers, FactorVersions
from nmf_core.lessons.stepping import disguised
from pages.learn_sections.common import PARTS, draw, example, matrix, question, valleys_of
from pages.learn_sections.setting import COUNT, setting, stepper
from pages.ui.state import slide, switch


def show_minima() -> None:
    """Draw ten starts and where they end."""
    st.markdown(
        "The algorithm goes downhill from its start, so it ends in the valley it starts above. Ten seeds on one table: do "
        "they end at the same place?"
    )
    e = example()
    X = matrix("x", e.X)
    found = valleys_of(X)
    runs = {
        f"seed {seed}": 2 * trace[: COUNT + 1]
        for valley in found
        for seed, trace in sorted(zip(valley.seeds, valley.traces, strict=True), key=lambda pair: pair[0])
    }
    draw(LossCurves(runs, loss="Σ (X − WH)²", step="iteration"), "seed_curves")
    if len(found) == 1:
        st.markdown(
            f"All ten end at **{2 * found[0].loss:.4g}**: small tables with two parts often have a single valley. Choose "
            "*Two valleys* to see that this is luck, not law."
        )
    else:
        told = "; ".join(
            f"**{len(v.seeds)}** at {2 * v.loss:.4g} (seed{'s' if len(v.seeds) > 1 else ''} {', '.join(map(str, sorted(v.seeds)))})"
            for v in found
        )
        st.markdown(
            f"There are **{len(found)} valleys**: {told}. In the higher one no small change helps either, so the algorithm cannot "
            "know. People therefore run several starts and keep the lowest; the page *Rank* shows how far starts agree."
        )
        versions = [(f"H at loss {2 * v.loss:.4g}", v.H) for v in found[:3]]
        draw(
            FactorVersions(
                tuple(versions), PARTS, e.cols, "The parts at the bottom of each valley", cell_shape=e.cell_shape
            ),
            "valley_parts",
        )
    reach = len(found[0].seeds)
    question(
        "q_minima",
        f"{found[0].loss:.6g}_{len(found)}",
        "How many of these ten seeds must you try, in an unlucky order, to be sure of the lowest valley?",
        tuple(str(i) for i in sorted({1, 2, reach, 11 - reach, 10})),
        str(11 - reach),
        f"{10 - reach} of them end elsewhere, so the next one after those must reach it.",
    )


def show_disguise() -> None:
    """Draw W and H changed, with WH as it was."""
    st.markdown(
        "Make one column of **W** larger and its row of **H** smaller by the same number, or swap the parts: **W** and **H** "
        "change, **WH** does not. Scale and order of the parts are a choice, not a finding."
    )
    s = setting(zero=False)
    at = stepper(s)
    now = s.path()[at]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        scale = slide(
            "Multiply part 1's column of W, and divide its row of H, by", 0.1, 10.0, "disguise", 1.0, step=0.1
        )
        swap = switch("Swap the two parts", "swap")
    W, H = disguised(now.W, now.H, scale, swap)
    names = PARTS[::-1] if swap else PARTS
    draw(FactorNumbers(s.X, W, H, s.e.rows, s.e.cols, names, cell_shape=s.e.cell_shape), "disguise_numbers")
    gap = float(np.abs(W @ H - now.W @ now.H).max())
    moved = max(float(np.abs(W - now.W).max()), float(np.abs(H - now.H).max()))
    st.markdown(
        f"Largest change in W and H: **{moved:.3g}**. Largest change in WH: **{gap:.1g}**"
        f"{' (rounding of the machine)' if 0 < gap < 1e-9 else ''}. The choice *Scale* on the page Explore fixes the scale, "
        "and parts are ordered there by how much they explain."
    )
    question(
        "q_disguise",
        f"{s.key}_{at}_{scale}_{swap}",
        "If part 1's column of W were doubled, what would its row of H have to become for WH to stay?",
        ("doubled too", "halved", "left alone"),
        "halved",
        f"H[1,1] would go from {now.H[0, 0]:.4g} to {now.H[0, 0] / 2:.4g}: each product W[i,1] · H[1,j] must stay.",
    )
