"""From the controls to a result: run the fit, say how it ended, let it go on."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from nmf_core import Dataset, FitResult, Stop, solvers
from nmf_core.defaults import suggested_penalty
from nmf_core.fit import FitWork
from nmf_core.jobs import manager
from pages.ui import jobs
from pages.ui.model import TOLERANCES
from pages.ui.widgets import md

LAST = "_last_fit"  # (request, work key) of the latest result shown: more iterations go on from it


def fit(dataset: Dataset, work: FitWork, key: str = "fit") -> FitResult | None:
    """Return the result of a fit: at once, from memory, or after the run drawn here."""
    request = work.request
    result = jobs.run(
        work,
        dataset,
        label=f"Factorizing {dataset.name} into {request.rank} part{'s' if request.rank > 1 else ''}",
        key=key,
        start=_start(work),
        live=_live,
    )
    if result is not None:
        st.session_state[LAST] = (request, work.key)
    return result


def _start(work: FitWork) -> Any:
    """Return the state to go on from, if the request is the latest one with wider limits alone."""
    request = work.request
    last, key = st.session_state.get(LAST, (None, None))
    if last is None or last == request:
        return None
    same = last.with_(max_iter=request.max_iter, tol=request.tol, time_limit=request.time_limit) == request
    wider = request.max_iter >= last.max_iter and request.tol <= last.tol and request.n_restarts == 1
    if not (same and wider) or work.W is not None:
        return None
    result = manager().partial(key)
    return None if result is None else result.state


def _live(news: dict[str, Any]) -> None:
    """Draw the loss so far. A plain line chart: a Plotly figure would be rebuilt twice a second."""
    # The first steps from a rough start would press everything after them flat on the axis.
    after = 1 if len(news["loss"]) > 2 else 0
    after = max(after, int((news["loss"] > 20 * news["loss"][-1]).sum()))
    frame = pd.DataFrame({"iteration": news["iteration"][after:], "loss": news["loss"][after:]})
    st.line_chart(frame, x="iteration", y="loss", height=220, alt="The loss so far, falling with the iterations.")


def outcome(dataset: Dataset, result: FitResult) -> None:
    """Say how the run ended and, if it was penalised because of what the data are, why."""
    request = result.request
    if (penalty := suggested_penalty(dataset, request.loss)) is not None:
        asked = (request.alpha_W, request.alpha_H, request.l1_ratio)
        if asked == (penalty.alpha_W, penalty.alpha_H, penalty.l1_ratio):
            st.caption(f"{penalty.reason} Change it under Model → Penalties.")
    seconds = float(result.trace.seconds[-1])
    solver = solvers.get(result.request.solver).label
    restarts = f", best of {len(result.restarts)} restarts" if len(result.restarts) > 1 else ""
    chosen = f" {md(result.solver_reason, 400)}" if result.solver_reason else f" Solver: {md(solver)}."
    st.caption(f"{result.stop} {result.n_iter:,} iterations in {duration(seconds)}{restarts}.{chosen}")


def go_on(result: FitResult) -> None:
    """Offer to continue from here: with more iterations, or to a smaller tolerance."""
    request = result.request
    if result.stop is Stop.MAX_ITER and request.max_iter < 100_000:
        more = min(2 * request.max_iter, 100_000)
        st.button(
            f"Continue to {more:,} iterations",
            key="continue_more",
            icon=":material/play_arrow:",
            on_click=lambda: st.session_state.update(max_iter=more),
        )
    elif result.stop is Stop.CONVERGED and request.tol > 1e-10:
        tighter = next(t for t in TOLERANCES if t < request.tol)
        st.button(
            "Continue, more exactly",
            key="continue_exact",
            icon=":material/play_arrow:",
            help=f"Goes on from here until the tolerance {tighter:.0e}.",
            on_click=lambda: st.session_state.update(tol=tighter),
        )


def duration(seconds: float) -> str:
    """Return a time for people: milliseconds below a second."""
    return f"{1000 * seconds:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
