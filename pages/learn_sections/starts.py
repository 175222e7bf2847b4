"""Chapter 5: where to start, when to stop, and what stopping too early looks like."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import streamlit as st

from nmf_core import FitRequest, Stop, load_dataset
from nmf_core.components import present
from nmf_core.figures.component_tiles import ComponentTiles
from nmf_core.figures.learn_curves import LossCurves
from nmf_core.figures.learn_factors import FactorVersions
from nmf_core.fit import FitWork
from nmf_core.lessons.series import SeriesWork
from nmf_core.selection.matching import cosine
from pages.learn_sections import films
from pages.learn_sections.common import Section, draw, question, relative_error
from pages.ui import jobs
from pages.ui.state import pick, slide

StopRule = Literal["loss", "kkt", "scikit-learn"]
DATA = {"iris": ("Iris", 3), "digits": ("Digits", 16)}
NAMES = {key: title for key, (title, _) in DATA.items()}
LENGTH = 300
LONG = 3000
TOLERANCES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
RULES: dict[StopRule, str] = {
    "loss": "The loss hardly falls",
    "kkt": "The slopes are small",
    "scikit-learn": "scikit-learn's",
}
RULE_SAYS = {
    "loss": "The engine looks every ten iterations and stops when the error √Σ (X − WH)² fell by less than the tolerance times "
    "the first error (or that of the first look, if lower).",
    "kkt": "It stops when the norm of the slopes that still lead anywhere (the projected gradient) is below the tolerance "
    "times that of the start.",
    "scikit-learn": "It stops when the error fell by less than the tolerance times the first error in ten iterations. "
    "Measured against a poor start that is soon reached.",
}


def _request(name: str, init: str, seed: int, max_iter: int, tol: float = 0.0, rule: StopRule = "loss") -> FitRequest:
    return FitRequest(
        load_dataset(name).id,
        rank=DATA[name][1],
        solver="mu",
        init=init,
        seed=seed,
        max_iter=max_iter,
        tol=tol,
        stop_rule=rule,
    )


def show_starts() -> None:
    """Draw NNDSVDa against random starts."""
    st.markdown(
        "**NNDSVD** (non-negative double singular value decomposition) takes the start from the singular vectors of X: no luck in it, the same every time. The variant **a** fills "
        "its zeros with the mean of X, for multiplication would keep them; that makes the first error large and the second "
        "small. A **random** start is another one for every seed; it may end lower or higher."
    )
    name = pick("Data", list(DATA), "start_data", names=NAMES, segmented=True)
    starts = {"NNDSVDa": ("nndsvda", 0)} | {f"random, seed {seed}": ("random", seed) for seed in range(4)}
    work = SeriesWork(tuple(_request(name, *start, LENGTH) for start in starts.values()))
    results = jobs.run(work, load_dataset(name), label=f"{len(starts)} starts on {NAMES[name]}", key="starts_run")
    if results is None or len(results) < len(starts):  # cancelled: Continue stands above
        return
    runs = {key: 2 * r.trace.loss for key, r in zip(starts, results, strict=True)}
    draw(LossCurves(runs, chosen="NNDSVDa", step="iteration", loss="Σ (X − WH)²"), "start_curves")
    ends = {key: float(losses[-1]) for key, losses in runs.items()}
    tenth = {key: float(losses[10]) for key, losses in runs.items()}
    best, first = min(ends, key=lambda key: ends[key]), min(tenth, key=lambda key: tenth[key])
    st.markdown(
        f"After 10 iterations **{first}** is lowest ({_amount(tenth[first])}); after {LENGTH} it is **{best}** ({_amount(ends[best])}), and "
        f"the highest is {_amount(max(ends.values()))}."
    )
    rank = 1 + sum(value < ends["NNDSVDa"] for value in ends.values())
    question(
        "q_starts",
        name,
        f"Of these five starts, which place does NNDSVDa take after {LENGTH} iterations?",
        ("first", "second", "third", "fourth", "fifth"),
        ("first", "second", "third", "fourth", "fifth")[rank - 1],
        f"It ends at {_amount(ends['NNDSVDa'])}; {rank - 1} of the random starts end lower.",
    )


def show_stop() -> None:
    """Draw where each tolerance stops."""
    st.markdown(
        "Multiplicative updates never arrive, they only come nearer: somebody has to say *enough*. A **stop rule** compares "
        "what is still gained with a **tolerance**; the limit of iterations is the last resort."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = pick("Data", list(DATA), "stop_data", names=NAMES, segmented=True)
        rule = pick("Stop when", list(RULES), "rule", names=RULES, segmented=True)
    dataset = load_dataset(name)
    longest = jobs.run(
        FitWork(_request(name, "random", 0, LONG)),
        dataset,
        label=f"{LONG:,} iterations on {NAMES[name]}",
        key="long_run",
    )
    if longest is None or longest.n_iter < LONG:  # cancelled: Continue stands above
        return
    ends = SeriesWork(tuple(_request(name, "random", 0, LONG, tol, rule) for tol in TOLERANCES))
    found = jobs.run(ends, dataset, label="To where each tolerance stops", key="stop_run")
    if found is None or len(found) < len(TOLERANCES):
        return
    stopped = dict(zip(TOLERANCES, found, strict=True))
    marks = {_plainly(tol): r.n_iter for tol, r in stopped.items() if r.stop is Stop.CONVERGED}
    draw(
        LossCurves(
            {"random, seed 0": 2 * longest.trace.loss}, marks=marks, step="iteration", loss="Σ (X − WH)²", height=320
        ),
        "stop_curve",
    )
    where = "Triangles: where each tolerance stops." if marks else f"In {LONG:,} iterations none of these comes so far."
    st.caption(f"{RULE_SAYS[rule]} {where}")
    lowest = longest.loss
    st.table(
        pd.DataFrame(
            [
                (_plainly(tol), f"{r.n_iter:,}", _amount(2 * r.loss), _percent(r.loss / lowest - 1), str(r.stop))
                for tol, r in stopped.items()
            ],
            columns=["tolerance", "iterations", "Σ (X − WH)²", f"above the run of {LONG:,}", "why it stopped"],
        ).set_index("tolerance")
    )
    near = next((tol for tol, r in stopped.items() if r.loss <= 1.01 * lowest), None)
    question(
        "q_stop_rule",
        f"{name}_{rule}",
        f"Which is the first of these tolerances that ends within 1 % of the run of {LONG:,} iterations?",
        (*map(_plainly, TOLERANCES), "none of them"),
        "none of them" if near is None else _plainly(near),
        "See the fourth column of the table.",
    )


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 1e4 else f"{value:.5g}"


def _plainly(tol: float) -> str:
    return f"{tol:.6f}".rstrip("0")


def _percent(share: float) -> str:
    return f"{100 * share:,.0f} %" if share >= 0.1 else f"{100 * share:.2g} %"


def show_few() -> None:
    """Draw the parts after few iterations beside those after many."""
    st.markdown(
        "Stopped too early, parts are still **mixtures**: they look alike, like the mean of the data or like noise, and "
        "nothing warns of it. Compare with what many iterations give from the same start."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = pick("Data", list(DATA), "few_data", names=NAMES, segmented=True)
        count = slide("Iterations", 1, 60, "few", 2)
    dataset = load_dataset(name)
    works = [FitWork(_request(name, "random", 0, n)) for n in (count, 400)]
    few, many = (
        jobs.run(
            work,
            dataset,
            label=f"{work.request.max_iter} iterations on {NAMES[name]}",
            key=f"few_run_{work.request.max_iter}",
        )
        for work in works
    )
    if few is None or many is None:
        return
    heads = [f"After {r.n_iter} · error {100 * relative_error(dataset, r):.3g} %" for r in (few, many)]
    alike = [_alike(r.H) for r in (few, many)]
    if dataset.cell_shape:
        for column, head, result, key in zip(
            st.columns(2, gap="large"), heads, (few, many), ("few", "many"), strict=True
        ):
            with column:
                st.markdown(f"**{head}**")
                draw(ComponentTiles(dataset, present(dataset, result, "max 1"), columns=4), f"parts_{key}")
    else:
        scaled = [r.H / r.H.max(axis=1, keepdims=True) for r in (few, many)]
        parts = tuple(f"Part {k + 1}" for k in range(len(few.H)))
        draw(
            FactorVersions(
                tuple(zip(heads, scaled, strict=True)),
                parts,
                tuple(map(str, dataset.cols)),
                f"H after {few.n_iter} and after {many.n_iter} iterations, each part to its maximum",
            ),
            "parts_few",
        )
    st.markdown(
        f"The two parts most like each other have a cosine of **{alike[0]:.3f}** after {few.n_iter} and **{alike[1]:.3f}** "
        f"after {many.n_iter} iterations; 1 means that they are the same."
    )
    question(
        "q_few",
        f"{name}_{count}",
        f"Do the two most similar parts become more or less alike when the run goes on to {many.n_iter}?",
        ("more alike", "less alike"),
        "less alike" if alike[1] < alike[0] else "more alike",
        f"Their cosine goes from {alike[0]:.3f} to {alike[1]:.3f}.",
    )


def _alike(H: np.ndarray) -> float:
    """Return the largest cosine between two parts."""
    return float(cosine(H, H)[~np.eye(len(H), dtype=bool)].max())


SECTIONS = {
    "film": Section("Parts taking shape", films.show, tuple({"film": name, "frame": 0} for name in films.FILMS)),
    "starts": Section("Random against NNDSVD", show_starts),
    "stop": Section("When to stop", show_stop),
    "few": Section("Too few iterations", show_few, ({"few_data": "digits"},)),
}
