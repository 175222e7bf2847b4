"""What all sections on the algorithm share: example, method, loss, start, and how many updates were made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from nmf_core.lessons.examples import Example, start
from nmf_core.lessons.stepping import METHODS, Moment
from nmf_core.types import Array
from pages.learn_sections.common import example, matrix, path_of, presenting
from pages.ui.state import pick, slide, switch

COUNT = 60
LOSSES = {"frobenius": "Frobenius", "kullback-leibler": "Kullback-Leibler"}


@dataclass(frozen=True)
class Setting:
    """Example, start and choices; `line` is where the number of updates is drawn."""

    e: Example
    X: Array
    W: Array
    H: Array
    method: str
    loss: str
    key: str
    line: DeltaGenerator

    @property
    def squared(self) -> bool:
        """Tell whether the loss is that of squares."""
        return self.loss == "frobenius"

    @property
    def loss_name(self) -> str:
        """What is minimized, as it stands on axes and cards."""
        return "Σ (X − WH)²" if self.squared else "Σ X log(X/WH) − X + WH"

    def shown(self, loss: float) -> float:
        """Return the loss as it is shown: the solver minimizes half the sum of squares."""
        return 2 * loss if self.squared else loss

    def path(self, method: str | None = None, count: int = COUNT) -> list[Moment]:
        """Return the moments of a method from this start."""
        return path_of(self.X, self.W, self.H, method or self.method, self.loss, count)


def setting(*, method: bool = True, zero: bool = True) -> Setting:
    """Draw the choices and return them.

    Parameters
    ----------
    method, zero : bool
        Draw the choice of the method and its loss, and the switch that sets an entry to zero.
    """
    choices, line = st.container(), st.container(horizontal=True, vertical_alignment="bottom")
    with line.popover("Example, start", icon=":material/tune:") if presenting() else choices:
        e = example()
        X = matrix("x", e.X)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            chosen = pick("Update", list(METHODS), "method", names=METHODS) if method else "mu"
            loss = "frobenius"
            if method:
                loss = pick("Loss", list(LOSSES) if chosen == "mu" else ["frobenius"], "learn_loss", names=LOSSES)
            room = {} if method else {"width": 200}
            seeds = ["as given", *(str(s) for s in range(10))]
            seed = pick("Start", seeds, "learn_start", names=lambda s: s if s == "as given" else f"seed {s}", **room)
            cleared = (
                switch("Set H[1,1] to zero", "zero", help="Multiplication cannot bring a zero back.") if zero else False
            )
    W, H = (matrix("w", e.W), matrix("h", e.H)) if seed == "as given" else start(X, 2, int(seed))
    if cleared:
        H = H.copy()
        H[0, 0] = 0.0
    return Setting(e, X, W, H, chosen, loss, f"{st.session_state['_example']}_{chosen}_{loss}_{seed}_{cleared}", line)


def stepper(s: Setting) -> int:
    """Draw how many updates were made and the two buttons that move it; return the number."""
    st.session_state.setdefault("step", 0)
    with s.line:
        st.button("Back one", icon=":material/undo:", on_click=partial(_move, -1), shortcut="B", key="step_back")
        st.button(
            "Next update",
            icon=":material/redo:",
            on_click=partial(_move, 1),
            shortcut="N",
            type="primary",
            key="step_next",
        )
        return int(slide("Updates made", 0, COUNT, "step", 0))


def _move(by: int) -> None:
    st.session_state["step"] = min(max(int(st.session_state.get("step", 0)) + by, 0), COUNT)


def entry(factor: str, F: Array) -> tuple[str, int, int]:
    """Draw the choice of one entry of a factor and return it; the choices in W and in H are kept apart."""
    options = [f"{factor}[{r + 1},{c + 1}]" for r in range(F.shape[0]) for c in range(F.shape[1])]
    name = pick("Entry spelled out", options, f"entry_{factor.lower()}", width=180)
    return factor, *divmod(options.index(name), F.shape[1])
