"""Solvers, losses and starts on one problem."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from nmf_core import Dataset, FitResult, kernels
from nmf_core.comparison.race import RaceWork
from nmf_core.comparison.reference import MOST_SECONDS, obstacle
from nmf_core.comparison.run import Run
from nmf_core.comparison.standings import SAME, best_known, exact, loss_title, seeds, standings, summary
from nmf_core.figures.compare_race import AGAINST, RaceCurves
from nmf_core.wording import duration
from pages.compare_sections import race_choice
from pages.compare_sections.words import share
from pages.ui import jobs
from pages.ui.state import pick
from pages.ui.widgets import cards, picture

MOST_RUNS = 60
_KNOWN = "_best_known"  # (data, rank, penalties, loss) -> smallest loss this visitor has seen


def show(dataset: Dataset, result: FitResult) -> None:
    """Draw the tab."""
    st.markdown(
        "How fast does each solver fall, where does it end, and how many different answers do different starts give? "
        "Rank, penalties, limits and the first loss are those of the sidebar."
    )
    losses = race_choice.losses(dataset, result.request)
    runs, left_out = race_choice.requests(dataset, result.request, losses)
    if left_out:
        st.caption("Left out, as they do not take the loss: " + ", ".join(left_out) + ".")
    if not runs:
        st.info("Choose at least one solver and one start.")
        return
    if len(runs) > MOST_RUNS:
        st.warning(
            f"That would be {len(runs)} runs; the limit is {MOST_RUNS}. Choose fewer losses, solvers, starts or seeds."
        )
        return
    work = RaceWork(dataset.id, tuple(runs))
    done = jobs.run(work, dataset, label=f"{len(runs)} runs, one after the other", key="race_run", growing=True)
    if done:
        _draw(dataset, result, done, len(runs))


def _draw(dataset: Dataset, result: FitResult, runs: tuple[Run, ...], wanted: int) -> None:
    best = _remembered(dataset, result, runs)
    head = st.container()
    with st.container(horizontal=True):
        against = pick("Against", list(AGAINST), "race_axis", segmented=True)
        drawn = pick("Drawn", ["above the best known", "loss"], "race_drawn", segmented=True)
        same = pick(
            "The same solution from a cosine of",
            [0.9, 0.95, SAME, 0.999],
            "race_same",
            SAME,
            segmented=True,
            help="Two runs found the same solution when every matched pair of their components is at least so similar.",
        )
    table = standings(runs, best, same)
    told = summary(table)
    if told.empty:
        return
    with head:
        if len(told) == 1:
            _cards(told.iloc[0])
        else:
            _per_loss(told)
    titles = {loss: loss_title(loss) for loss in dict.fromkeys(run.request.loss for run in runs)}
    curves = RaceCurves(runs, titles, best, against=against, raw=drawn == "loss", starts=race_choice.STARTS)
    picture(curves, key="race_curves")
    _measured(told)
    if met := exact(runs, best):
        st.caption(
            f"{' and '.join(met)}: X is met exactly, what is left is rounding. Distances to the best known are therefore "
            "shares of a millionth of the loss at the start, and runs below that count as equally good."
        )
    _table(table)
    if not (several_seeds := seeds(table)).empty:
        st.markdown("**How many different solutions from how many seeds**")
        st.dataframe(
            several_seeds,
            hide_index=True,
            column_config=_config("best above the best known", "worst above the best known"),
            alt="Different solutions of each solver and random start.",
        )
        st.caption("Runs that stopped at the limit of iterations may differ only because they had not arrived yet.")
    _how_measured(dataset, len(runs) - sum(run.own for run in runs), wanted)


def _remembered(dataset: Dataset, result: FitResult, runs: tuple[Run, ...]) -> dict[str, float]:
    """Return the best known loss of each kind: of these runs, the result on the screen, and earlier races."""
    request = result.request
    where = (dataset.id, request.rank, request.alpha_W, request.alpha_H, request.l1_ratio)
    known = st.session_state.setdefault(_KNOWN, {})
    mine = known.setdefault(where, {})
    title = loss_title(request.loss)
    mine[title] = min(result.loss, mine.get(title, np.inf))
    present = {loss_title(run.request.loss) for run in runs}
    best = best_known(runs, {name: value for name, value in mine.items() if name in present})
    mine.update(best)
    return best


def _cards(row: pd.Series) -> None:
    cards(
        [
            ("Best loss of these runs", f"{row['best loss']:.6g}", f"{row['loss']}, by {row['by']}. {_beyond(row)}"),
            (
                "Different solutions",
                f"{row['different solutions']} of {row['runs']} runs",
                f"{row['of them within 1 %']} of them among the {row['within 1 % of the best']} runs that came within 1 % "
                "of the best known loss: so many answers are as good as equal.",
            ),
            (
                "Quickest to within 1 %",
                duration(row["quickest to within 1 %"]) if row["by the solver"] else "nobody",
                f"Of the best known loss; by {row['by the solver'] or 'none of these runs'}.",
            ),
            (
                "scikit-learn’s own",
                "none" if pd.isna(row["scikit-learn above the best"]) else share(row["scikit-learn above the best"]),
                "Above the best known loss at its end; from the first of the starts.",
            ),
        ]
    )


def _beyond(row: pd.Series) -> str:
    """Say how far the best of these runs is above what is known from elsewhere."""
    if row["above the best known"] <= 0:
        return "Nothing better is known here."
    return f"The result on the screen or an earlier race was better: it is {share(row['above the best known'])} above that."


def _per_loss(told: pd.DataFrame) -> None:
    st.dataframe(
        told,
        hide_index=True,
        column_config={
            **_config("scikit-learn above the best", "above the best known"),
            "quickest to within 1 %": st.column_config.NumberColumn("quickest to within 1 % (s)", format="%.3g"),
        },
        alt="For each loss the best value, the number of different solutions and the quickest solver.",
    )
    st.warning(
        "Losses are measured in different units: a Frobenius value and a Kullback-Leibler value must not be ranked against "
        "each other. Each loss has its own best, and curves show the distance to it. To set runs of different losses "
        "side by side, take the yardsticks *relative error* and *KL divergence* in the table: every loss wins on its own.",
        icon=":material/straighten:",
    )


def _measured(told: pd.DataFrame) -> None:
    said = []
    for _, row in told.iterrows():
        line = f"{row['loss']}: the lowest loss of these runs is {row['best loss']:.6g}"
        if row["above the best known"] > 5e-7:
            line += f", {share(row['above the best known'])} above the best known"
        own = row["scikit-learn above the best"]
        if not pd.isna(own):
            line += (
                f"; scikit-learn’s own ends {share(own)} above it" if own >= 5e-7 else "; scikit-learn’s own reaches it"
            )
        line += (
            f"; {row['within 1 % of the best']} of {row['runs']} runs {'comes' if row['within 1 % of the best'] == 1 else 'come'} within 1 %, with "
            f"{row['of them within 1 %']} different solution{'s' if row['of them within 1 %'] != 1 else ''}"
        )
        said.append(line)
    st.markdown("**Measured here.** " + ". ".join(said) + ".")


def _table(table: pd.DataFrame) -> None:
    config = _config("above the best", "relative error") | {
        "seconds to within 1 %": _milliseconds("to within 1 %"),
        "seconds": _milliseconds("time"),
        "final loss": st.column_config.NumberColumn(format="%.6g"),
        "KL divergence": st.column_config.NumberColumn(
            format="%.5g", help="D(X | WH), whatever loss was minimized: a common yardstick."
        ),
        "solution": st.column_config.NumberColumn(help="Equal numbers within a loss: the same components."),
    }
    shown = table.assign(
        **{"seconds to within 1 %": 1000 * table["seconds to within 1 %"], "seconds": 1000 * table["seconds"]}
    )
    shown["start"] = shown["start"].map(lambda start: race_choice.STARTS.get(start, start))
    shown["ended"] = shown["ended"].str.split("[:;.]").str[0]
    st.dataframe(
        shown if table["loss"].nunique() > 1 else shown.drop(columns="loss"),
        hide_index=True,
        column_config=config,
        alt="Final loss, distance to the best, time and solution of every run.",
    )


def _config(*shares: str) -> dict[str, object]:
    return {name: st.column_config.NumberColumn(format="percent") for name in shares}


def _milliseconds(label: str) -> object:
    return st.column_config.NumberColumn(f"{label} (ms)", format="%.3g")


def _how_measured(dataset: Dataset, done: int, wanted: int) -> None:
    compiled = (
        "compiled code loaded and warm before" if kernels.enabled() else "compiled code switched off on this server"
    )
    more = f" {done} of {wanted} runs are done." if done < wanted else ""
    own = obstacle(dataset) or (
        "scikit-learn’s own line is `non_negative_factorization` itself from the first of the starts (cd for Frobenius, mu "
        "for other losses), called anew with 1, 2, 5, 10 … iterations: each square is one whole call, its checks of the "
        f"input included, the quickest of three where it is short. It ends where its own rule does, or before a call would take {MOST_SECONDS:g} s. The solver “cd” is "
        "the same algorithm inside this engine."
    )
    st.caption(
        f"How times are measured: runs one after the other in one process, on one thread, {compiled}; seconds count "
        "computing after the start, which is the same for all. Other visitors of the server can slow all of them down: "
        f"compare within one table only. {own}{more}"
    )
