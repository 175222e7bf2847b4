"""Chapter 2: one update at a time, the formula filled in."""

from __future__ import annotations

import numpy as np
import streamlit as st

from nmf_core.figures.learn_curves import LossCurves
from nmf_core.figures.learn_factors import FactorNumbers
from nmf_core.lessons.examples import start
from nmf_core.lessons.stepping import METHODS, Moment, disguised, formula, moments
from pages.learn_sections.common import example, matrix, question
from pages.ui.state import pick, slide, switch
from pages.ui.widgets import cards, picture

COUNT = 60


def show() -> None:
    """Draw the chapter."""
    st.markdown(
        "Start with any **W** and **H**, then improve **H** with **W** held still, then **W** with **H** held still, and so "
        "on. Each update is the solver's own; press **N** for the next and **B** for the one before."
    )
    e = example()
    X = matrix("x", e.X)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        method = pick("Update", list(METHODS), "method", names=METHODS)
        losses = {"frobenius": "Frobenius", "kullback-leibler": "Kullback-Leibler"}
        loss = pick("Loss", list(losses) if method == "mu" else ["frobenius"], "learn_loss", names=losses)
        seeds = ["as given", *(str(s) for s in range(10))]
        seed = pick("Start", seeds, "learn_start", names=lambda s: s if s == "as given" else f"seed {s}")
        zero = switch("Set one entry of H to zero", "zero", help="Multiplication cannot bring a zero back; HALS can.")
    W, H = (matrix("w", e.W), matrix("h", e.H)) if seed == "as given" else start(X, 2, int(seed))
    if zero:
        H = H.copy()
        H[0, 0] = 0.0
    path = moments(X, W, H, method, loss, COUNT)
    at = _stepper()
    now = path[at]
    updated = "" if now.updated == "start" else now.updated
    factor, row, col = _entry(now, path, at)
    picture(
        FactorNumbers(X, now.W, now.H, e.rows, e.cols, ("Part 1", "Part 2"), updated, (factor, row, col)),
        key="step_numbers",
    )
    _explain(X, path, at, method, loss, (factor, row, col))
    before = path[at - 1].loss if at else now.loss
    cards(
        [
            ("Loss", f"{now.loss:.6g}", "½ Σ (X − WH)² for Frobenius; Σ X log(X/WH) − X + WH for Kullback-Leibler."),
            ("Change", f"{now.loss - before:+.3g}", "Against the update before: never above zero for these methods."),
            ("Smallest entry", f"{min(now.W.min(), now.H.min()):.3g}", "Of W and H: never below zero."),
        ]
    )
    _three(X, W, H, method, loss, at)
    _questions(path, at, method, zero)
    with st.expander(
        "Other starts, other minima", icon=":material/shuffle:", key="seeds_open", on_change="rerun"
    ) as more:
        if more.open:
            _seeds(X, method, loss)
    with st.expander(
        "The same product in disguise", icon=":material/masks:", key="disguise_open", on_change="rerun"
    ) as more:
        if more.open:
            _disguise(X, now, e.rows, e.cols)


def _stepper() -> int:
    """Draw the step and the two buttons that move it."""

    def move(by: int) -> None:
        st.session_state["step"] = min(max(int(st.session_state.get("step", 0)) + by, 0), COUNT)

    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button("Back one update", icon=":material/undo:", on_click=move, args=(-1,), shortcut="B", key="step_back")
        st.button(
            "Next update",
            icon=":material/redo:",
            on_click=move,
            args=(1,),
            shortcut="N",
            type="primary",
            key="step_next",
        )
        return int(slide("Updates made", 0, COUNT, "step", 0))


def _entry(now: Moment, path: list[Moment], at: int) -> tuple[str, int, int]:
    """Draw the choice of one entry of the factor just updated (at the start: of the one to be updated)."""
    factor = now.updated if now.updated != "start" else "H"
    F = now.H if factor == "H" else now.W
    options = [f"{factor}[{r + 1},{c + 1}]" for r in range(F.shape[0]) for c in range(F.shape[1])]
    name = pick("Entry whose formula is spelled out", options[:60], "entry", width=240)
    place = options.index(name)
    return factor, place // F.shape[1], place % F.shape[1]


def _explain(X: np.ndarray, path: list[Moment], at: int, method: str, loss: str, entry: tuple[str, int, int]) -> None:
    factor, row, col = entry
    if at == 0:
        st.caption("This is the start. The next update changes H; the formula below is what it will do.")
    before = path[max(at - 1, 0)]
    if method == "mu":
        st.latex(formula(X, before, factor, row, col, loss))
        st.caption(
            "The factor is a quotient of two numbers that cannot be negative, so the entry stays ≥ 0 without being told to. "
            "It is above 1 where WH is too small, below 1 where it is too large, and 1 where nothing is left to gain."
        )
    elif method == "pg":
        st.latex(r"F \leftarrow \max\left(0,\; F - \eta\, \nabla\right) \qquad \nabla_H = W^\top W H - W^\top X")
        st.caption(
            "A step downhill, as long as it still lowers the loss enough (Armijo's rule), then whatever fell below zero is "
            "put back to zero. One step size serves all entries."
        )
    else:
        st.latex(
            r"H_{k\cdot} \leftarrow \max\left(0,\; H_{k\cdot} + "
            r"\frac{(W^\top X)_{k\cdot} - (W^\top W)_{k\cdot} H}{(W^\top W)_{kk}}\right)"
        )
        st.caption(
            "One part after the other is put exactly where it is best while the others stand still; below zero means zero."
        )


def _three(X: np.ndarray, W: np.ndarray, H: np.ndarray, method: str, loss: str, at: int) -> None:
    """Draw the three methods from the same start."""
    methods = METHODS if loss == "frobenius" else {"mu": METHODS["mu"]}
    runs = {title: np.array([m.loss for m in moments(X, W, H, key, loss, COUNT)]) for key, title in methods.items()}
    picture(LossCurves(runs, at=at, chosen=METHODS[method]), key="three_curves")


def _questions(path: list[Moment], at: int, method: str, zero: bool) -> None:
    following = path[min(at + 1, COUNT)]
    falls = following.loss < path[at].loss * (1 - 1e-12)
    question(
        "q_next",
        "What will the loss do at the next update?",
        ("rise", "stay", "fall"),
        "fall" if falls else "stay",
        f"It goes from {path[at].loss:.6g} to {following.loss:.6g}.",
    )
    if zero:
        later = path[-1].H[0, 0]
        question(
            "q_zero",
            f"H[1,1] was set to zero. Is it still zero after {COUNT} updates?",
            ("yes", "no"),
            "yes" if later == 0 else "no",
            "Zero times anything is zero."
            if method == "mu"
            else f"It is {later:.4g}: this update adds before it cuts at zero, so a zero can come back.",
        )


def _seeds(X: np.ndarray, method: str, loss: str) -> None:
    """Draw where ten starts end."""
    ends = {
        f"seed {s}": np.array([m.loss for m in moments(X, *start(X, 2, s), method, loss, COUNT)]) for s in range(10)
    }
    picture(LossCurves(ends), key="seed_curves")
    last = sorted(float(y[-1]) for y in ends.values())
    st.markdown(
        f"Ten random starts end between **{last[0]:.4g}** and **{last[-1]:.4g}** after {COUNT} updates. The problem has more "
        "than one valley, so people run several starts and keep the best; the page *Rank* shows how far they agree."
    )


def _disguise(X: np.ndarray, now: Moment, rows: tuple[str, ...], cols: tuple[str, ...]) -> None:
    scale = slide("Multiply part 1's column of W, and divide its row of H, by", 0.1, 10.0, "disguise", 1.0, step=0.1)
    swap = switch("Swap the two parts", "swap")
    W, H = disguised(now.W, now.H, scale, swap)
    picture(
        FactorNumbers(X, W, H, rows, cols, ("Part 2", "Part 1") if swap else ("Part 1", "Part 2")),
        key="disguise_numbers",
    )
    gap = float(np.abs(W @ H - now.W @ now.H).max())
    st.markdown(
        f"W and H changed, WH did not (largest difference {gap:.1e}). Scale and order of the parts are a choice, not a "
        "finding; the switch *Scale* of the page Explore makes it."
    )
