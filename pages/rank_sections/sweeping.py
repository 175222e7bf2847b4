"""Controls of the sweep, and its run: live, extendable, every point a door to its fit."""

from __future__ import annotations

import streamlit as st

from nmf_core import Dataset, FitRequest
from nmf_core.jobs import manager
from nmf_core.selection import Sweep, SweepRequest, SweepWork
from pages.ui import jobs, model
from pages.ui.data import recommended_rank
from pages.ui.state import number, switch

OPENED = "_opened_from_sweep"  # (seed of the fit opened last, seed of its sweep)
LAST = "_last_sweep"  # (model key, work key) of the latest sweep: a larger one goes on from it
MANY = 24  # ranks in one sweep, at most
TOP = 100  # the highest rank offered


def controls(dataset: Dataset, request: FitRequest) -> SweepWork:
    """Draw the controls and return the sweep they ask for."""
    top = min(dataset.max_rank, TOP)
    low, high = _default_range(dataset, top)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        first = int(number("Ranks from", 1, top, "rank_from", low, help="Rank 1 is the average profile."))
        last = int(number("to", 1, top, "rank_to", high, help="A wider range reuses everything computed so far."))
        restarts = int(
            number(
                "Restarts per rank", 1, 100, "rank_restarts", _default_restarts(dataset), step=5,
                help="Random starts. More of them are added to those already there.",
            )
        )  # fmt: skip
        shuffles = switch(
            "Compare with shuffled columns", "rank_shuffled", True,
            help="The same fits on data in which nothing links one column to another.",
        )  # fmt: skip
    first, last = min(first, last), max(first, last)
    ranks = tuple(range(first, last + 1, -(-(last - first + 1) // MANY)))
    # Ten times looser than a single fit is asked for: a hundred fits need not agree in the fifth digit to be compared.
    base = request.with_(tol=max(request.tol, 1e-4), seed=_seed(request))
    cells = dataset.shape[0] * dataset.shape[1]
    return SweepWork(
        SweepRequest(ranks, restarts, base, n_folds=10 if cells <= 200_000 else 5, n_shuffles=2 if shuffles else 0)
    )


def run(work: SweepWork, dataset: Dataset) -> Sweep | None:
    """Return the sweep, finished or as far as it is."""
    start = None
    model_key, key = st.session_state.get(LAST, (None, None))
    if model_key == work.request.model_key and key != work.key:
        earlier = manager().partial(key)
        start = None if earlier is None else earlier.state
    result = jobs.run(
        work,
        dataset,
        label=f"Fitting ranks {work.request.ranks[0]} to {work.request.ranks[-1]} of {dataset.name}",
        key="sweep",
        start=start,
        growing=True,
    )
    if result is not None:
        st.session_state[LAST] = (work.request.model_key, work.key)
    return result


def choose() -> None:
    """Take the rank of the clicked point as the model's rank."""
    for key in ("rank_curves", "rank_tree"):
        event = st.session_state.get(key)
        points = [] if event is None else event["selection"]["points"]
        for point in points:
            value = point.get("customdata")
            value = value[0] if isinstance(value, (list, tuple)) and value else value
            if isinstance(value, (int, float)):
                st.session_state[model.NEXT_RANK] = int(value)
                return


def look_at(rank: int) -> None:
    """Make a rank the model's."""
    st.session_state[model.NEXT_RANK] = rank


def extend(last: int) -> None:
    """Widen the range of ranks; what is computed stays."""
    st.session_state["rank_to"] = last


def open_fit(request: FitRequest, sweep_seed: int) -> None:
    """Set the model's controls to one fit of the sweep."""
    st.session_state[OPENED] = (request.seed, sweep_seed)
    model.apply(request)


def choose_restart(chart: str, key: str) -> None:
    """Take the restart of the clicked point."""
    event = st.session_state.get(chart)
    for point in [] if event is None else event["selection"]["points"]:
        value = point.get("customdata")
        value = value[0] if isinstance(value, (list, tuple)) and value else value
        if isinstance(value, (int, float)):
            st.session_state[key] = int(value) + 1
            return


def _seed(request: FitRequest) -> int:
    """Return the seed of the sweep: who opened restart 7 and comes back finds the sweep it came from, not another one."""
    opened, seed = st.session_state.get(OPENED, (None, 0))
    return int(seed) if opened == request.seed else request.seed


def _default_range(dataset: Dataset, top: int) -> tuple[int, int]:
    wanted = max(8, round(1.35 * recommended_rank(dataset)))
    return 1, min(top, wanted)


def _default_restarts(dataset: Dataset) -> int:
    cells = dataset.X.nnz if hasattr(dataset.X, "nnz") else dataset.shape[0] * dataset.shape[1]
    return 20 if cells <= 20_000 else 10 if cells <= 300_000 else 5
