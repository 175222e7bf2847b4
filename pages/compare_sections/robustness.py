"""The data made worse, step by step."""

from __future__ import annotations

import streamlit as st

from nmf_core import Dataset, FitResult
from nmf_core.comparison.corruption import KINDS, LEVELS, RobustnessWork
from nmf_core.figures.compare_lines import Lines
from pages.ui import jobs
from pages.ui.state import pick
from pages.ui.widgets import picture

MOST_CELLS = 3_000_000


def show(dataset: Dataset, result: FitResult) -> None:
    """Draw the tab."""
    st.markdown(
        "It is often said that NMF is robust to noise and outliers. Here the data are spoiled on purpose, and what each method "
        "makes of them is held against the **clean** data."
    )
    if dataset.shape[0] * dataset.shape[1] > MOST_CELLS:
        st.info(
            "These data are too large to be fitted twenty-five times on a page. Take fewer rows or columns on the page Data."
        )
        return
    kind = pick("What is done to the data", list(KINDS), "corruption", names=KINDS)
    rank, seed = min(result.request.rank, dataset.max_rank), result.request.seed
    work = RobustnessWork(dataset.id, rank=rank, kind=kind, seed=seed)
    frame = jobs.run(work, dataset, label="Fitting spoiled data", key="robust_run", growing=True)
    if frame is None:
        return
    left, right = st.columns(2, gap="large")
    with left:
        picture(Lines(frame, "level", "error against the clean data", "method", percent=True), key="robust_error")
    with right:
        picture(Lines(frame, "level", "drift of the components", "method"), key="robust_drift")
    levels = sorted(frame["level"].unique())
    complete = [level for level in levels if (frame["level"] == level).sum() == frame["method"].nunique()]
    if len(complete) < 2:
        return
    level = pick("Read off at", complete[1:], "robust_level", complete[-1], names=lambda v: f"{v:g}", segmented=True)
    at = frame[frame["level"] == level].set_index("method")
    clean = frame[frame["level"] == LEVELS[kind][0]].set_index("method")
    error = "error against the clean data"
    best, worst = at[error].idxmin(), at[error].idxmax()
    own = "NMF, Frobenius"
    st.markdown(
        f"**Measured here**, at level {level:g}: NMF with the Frobenius loss is {100 * at.loc[own, error]:.3g} % off the clean "
        f"data (from {100 * clean.loc[own, error]:.3g} % without corruption), and its components drifted by "
        f"{at.loc[own, 'drift of the components']:.2f}. Best of all is **{best}** ({100 * at.loc[best, error]:.3g} %), worst "
        f"**{worst}** ({100 * at.loc[worst, error]:.3g} %)."
    )
    verdict = at.loc[own, error] > 2 * clean.loc[own, error] + 0.05
    st.caption(
        "So here it is not robust: a squared error follows the largest numbers."
        if verdict
        else "So here it holds up. Try outliers: squared errors follow the largest numbers."
    )
    st.caption(
        "PCA and vector quantization know no missing cells and get column means instead; NMF leaves missing cells out of the "
        "fit. Drift is 1 − mean |cosine| of components matched with those from the clean data. β = 0.5 weighs large values "
        "less than Frobenius does; a loss on absolute errors (L1) is not among the engine's."
    )
