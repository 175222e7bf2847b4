"""Which solvers, losses and starts are to race."""

from __future__ import annotations

import numpy as np
import streamlit as st

from nmf_core import Dataset, FitRequest, solvers
from nmf_core.comparison.standings import loss_title
from nmf_core.types import LOSSES, is_sparse
from pages.ui.several import several
from pages.ui.state import pick

STARTS = {"nndsvda": "NNDSVDa", "nndsvd": "NNDSVD", "nndsvdar": "NNDSVDar", "random": "random", "kmeans": "k-means"}
DRAWN = ("random", "nndsvdar", "kmeans")  # another seed, another start


def losses(dataset: Dataset, request: FitRequest) -> list[str | float]:
    """Draw the choice of losses and return them, that of the sidebar first."""
    zeros = is_sparse(dataset.X) or bool(np.any(dataset.X == 0))
    offered = [loss for loss in (*LOSSES, 0.5, 1.5) if loss != request.loss]
    offered = [loss for loss in offered if not (zeros and loss == "itakura-saito")]
    more = several(
        f"Losses beside {loss_title(request.loss)}",
        offered,
        "race_losses",
        names=loss_title,
        pills=True,
        help="Each loss is a race of its own. Their values have different units and must not be ranked against each other; "
        "the two yardsticks in the table can be compared.",
    )
    return [request.loss, *more]


def requests(dataset: Dataset, request: FitRequest, wanted: list[str | float]) -> tuple[list[FitRequest], list[str]]:
    """Draw the other choices; return the runs to make, and what is left out because a solver does not take a loss."""
    needs = {
        "masked": dataset.mask is not None,
        "sparse": is_sparse(dataset.X),
        "penalised": request.penalised,
    }
    offered = {loss: [s.name for s in solvers.available(loss, **needs)] for loss in wanted}
    names = {s.name: s.label for s in solvers.available(**needs) if any(s.name in o for o in offered.values())}
    first = [request.solver, *(o[0] for o in offered.values()), "cd", "mu", "hals"]
    chosen = several("Solvers", list(names), "race_solvers", [n for n in names if n in first], names=names)
    left, right = st.columns([3, 2])
    with left:
        starts = several("Starts", list(STARTS), "race_starts", ["nndsvda", "random"], names=STARTS, pills=True)
    with right:
        count = pick("Seeds of each random start", [1, 3, 5, 10], "race_seeds", 3, segmented=True)
    runs: list[FitRequest] = []
    left_out: list[str] = []
    for loss in wanted:
        left_out += [f"{solver} ({loss_title(loss)})" for solver in chosen if solver not in offered[loss]]
        runs += [
            request.with_(
                loss=loss,
                solver=solver,
                init=start,
                seed=seed,
                n_restarts=1,
                options=request.options if solver == request.solver else (),
            )
            for solver in chosen
            if solver in offered[loss]
            for start in starts
            for seed in range(count if start in DRAWN else 1)
        ]
    return runs, left_out
