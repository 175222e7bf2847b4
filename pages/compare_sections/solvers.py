"""Solvers and starts on one problem."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from nmf_core import Dataset, FitResult, solvers
from nmf_core.comparison.race import RaceWork, standings
from nmf_core.figures.compare_lines import Lines
from nmf_core.types import is_sparse
from pages.ui import jobs
from pages.ui.state import pick
from pages.ui.widgets import cards, picture

MOST_RUNS = 60
STARTS = {"nndsvda": "NNDSVDa", "nndsvd": "NNDSVD", "nndsvdar": "NNDSVDar", "random": "random", "kmeans": "k-means"}


def show(dataset: Dataset, result: FitResult) -> None:
    """Draw the tab."""
    request = result.request
    st.markdown(
        "The same loss from the same data: how fast does each solver fall, where does it end, and how many different answers "
        "do different starts give? Change loss, rank and limits in the sidebar."
    )
    offered = solvers.available(
        request.loss,
        masked=dataset.mask is not None,
        sparse=is_sparse(dataset.X),
        penalised=bool(request.alpha_W or request.alpha_H not in ("same", 0.0)),
    )
    names = {s.name: s.label for s in offered}
    first = [n for n in (request.solver, "cd", "mu", "hals") if n in names]
    left, right = st.columns(2)
    with left:
        chosen = st.pills(
            "Solvers",
            list(names),
            selection_mode="multi",
            default=list(dict.fromkeys(first)),
            format_func=names.get,
            key="race_solvers",
        )
    with right:
        starts = st.pills(
            "Starts",
            list(STARTS),
            selection_mode="multi",
            default=["nndsvda", "random"],
            format_func=STARTS.get,
            key="race_starts",
        )
        seeds = pick("Seeds of each random start", [1, 3, 5, 10], "race_seeds", 3, segmented=True)
    runs = []
    for solver in chosen or []:
        for start in starts or []:
            for seed in range(seeds if start in ("random", "nndsvdar", "kmeans") else 1):
                options = request.options if solver == request.solver else ()
                runs.append(request.with_(solver=solver, init=start, seed=seed, n_restarts=1, options=options))
    if not runs:
        st.info("Choose at least one solver and one start.")
        return
    if len(runs) > MOST_RUNS:
        st.warning(f"That would be {len(runs)} runs; the limit is {MOST_RUNS}. Choose fewer solvers, starts or seeds.")
        return
    work = RaceWork(dataset.id, tuple(runs))
    results = jobs.run(work, dataset, label=f"{len(runs)} runs, one after the other", key="race_run", growing=True)
    if not results:
        return
    table = standings(results)
    best = table.loc[table["final loss"].idxmin()]
    quick = table.loc[table["seconds"].idxmin()]
    cards(
        [
            (
                "Best loss",
                f"{best['final loss']:.6g}",
                f"By {best['solver']} from {best['start']}, seed {best['seed']}.",
            ),
            (
                "Solutions found",
                str(int(table["solution"].max())),
                f"From {len(results)} runs; equal when every matched pair of components has a cosine of 0.99 or more.",
            ),
            (
                "Soonest done",
                f"{1000 * quick['seconds']:.3g} ms",
                f"{quick['solver']} from {quick['start']}; {100 * quick['above the best']:.3g} % above the best.",
            ),
        ]
    )
    against = pick("Loss against", ["iteration", "seconds"], "race_axis", segmented=True)
    picture(Lines(_curves(results), against, "loss", "run", log=True, markers=False), key="race_curves")
    st.dataframe(
        table,
        hide_index=True,
        column_config={"above the best": st.column_config.NumberColumn(format="percent")},
        alt="Final loss, time and solution of every run.",
    )
    st.caption(
        "Runs are made one after the other in one process with one thread of linear algebra, each solver warmed by two "
        "iterations before; seconds count computing only. “cd” is scikit-learn's own coordinate descent, the reference. "
        "Other visitors of the server can slow all of them down: compare within one table only."
    )


def _curves(results: tuple[FitResult, ...]) -> pd.DataFrame:
    frames = []
    for r in results:
        name = f"{r.request.solver}, {STARTS.get(r.request.init, r.request.init)}"
        if r.request.init in ("random", "nndsvdar", "kmeans"):
            name += f" {r.request.seed}"
        every = max(1, len(r.trace.loss) // 150)
        frame = pd.DataFrame(
            {"iteration": range(len(r.trace.loss)), "seconds": r.trace.seconds, "loss": r.trace.loss, "run": name}
        )
        frames.append(frame[(frame.index % every == 0) | (frame.index == len(frame) - 1)])
    return pd.concat(frames)
