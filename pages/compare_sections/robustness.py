"""The data made worse, as far as one likes."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from nmf_core import Dataset, FitResult
from nmf_core.comparison.corruption import KINDS, MEANING
from nmf_core.comparison.robustness import DRIFT, ERROR, METHODS, SPOILED, RobustnessWork, damage, frame
from pages.compare_sections import spoiled
from pages.compare_sections.words import share
from pages.ui import jobs
from pages.ui.sample import sample
from pages.ui.several import several
from pages.ui.state import pick, slide
from pages.ui.widgets import md

MOST_CELLS = 3_000_000
#: Slider of each kind, in per cent: highest, step, first.
SLIDERS = {"noise": (200.0, 1.0, 50.0), "outliers": (20.0, 0.1, 1.0), "missing": (90.0, 1.0, 40.0)}
OWN = METHODS[0]


def show(dataset: Dataset, result: FitResult) -> None:
    """Draw the tab."""
    st.markdown(
        "It is often said that NMF is *relatively robust to outliers and noise*. Spoil the data and see: what each method "
        "makes of the spoiled data is held against the **clean** data it has not seen."
    )
    cells = dataset.shape[0] * dataset.shape[1]
    if cells > MOST_CELLS:
        st.info(
            "These data are too large to be fitted again and again on a page. Take fewer rows or columns on the page Data."
        )
        return
    kind = pick("What is done to the data", list(KINDS), "corruption", names=KINDS, segmented=True)
    top, step, first = SLIDERS[kind]
    left, right = st.columns([3, 2], gap="large")
    with left:
        level = slide(f"How much: {MEANING[kind]}", 0.0, top, f"level_{kind}", first, step=step, format="%g %%")
    with right:
        strength = 10.0
        if kind == "outliers":
            strength = slide(
                "Outliers are so many times the largest value", 1.0, 20.0, "strength", 10.0, step=0.5, format="%g ×"
            )
        draws = pick(
            "Spoiled copies at each level",
            [1, 3, 5],
            "draws",
            3 if cells <= spoiled.QUICK_CELLS else 1,
            segmented=True,
            help="Each spoils other cells; values are their median, thin bars their smallest and largest.",
        )
    methods = several("Methods", METHODS, "robust_methods", METHODS, pills=True)
    if not methods:
        st.info("Choose at least one method.")
        return
    # Only pictures are shown clean, spoiled and rebuilt.
    row = sample(dataset) if dataset.cell_shape and len(dataset.cell_shape) == 2 else None
    request = result.request
    work = RobustnessWork(
        dataset.id,
        rank=min(request.rank, dataset.max_rank),
        kind=kind,
        levels=(0.0, level / 100) if level > 0 else (0.0,),
        methods=tuple(methods),
        draws=draws,
        strength=strength,
        seed=request.seed,
        rows=(row,) if row is not None else (),
        alpha_W=request.alpha_W,
        alpha_H=request.alpha_H,
        l1_ratio=request.l1_ratio,
    )
    outcomes = jobs.run(work, dataset, label="Fitting spoiled data", key="robust_run", growing=True)
    if outcomes:
        _measured(frame(outcomes), kind, level / 100, strength)
        if row is not None:
            spoiled.pictures(dataset, outcomes, work, row)
    spoiled.curves(dataset, work, level / 100, outcomes)
    _notes(kind)


def _measured(table: pd.DataFrame, kind: str, level: float, strength: float) -> None:
    methods = table[table["method"] != SPOILED]
    before = methods[methods["level"] == 0].set_index("method")
    at = methods[methods["level"] == level].set_index("method")
    if at.empty:
        return
    damaged = float(table.loc[(table["method"] == SPOILED) & (table["level"] == level), ERROR].iloc[0])
    shown = pd.DataFrame(
        {
            "method": at.index,
            "clean data": before[ERROR].reindex(at.index).to_numpy(),
            "spoiled data": at[ERROR].to_numpy(),
            "drift": at[DRIFT].to_numpy(),
        }
    )
    if int(at["draws"].max()) > 1:
        shown["least to most"] = [
            f"{share(low)} to {share(high)}"
            for low, high in zip(at[f"{ERROR}, least"], at[f"{ERROR}, most"], strict=True)
        ]
    st.dataframe(
        shown,
        hide_index=True,
        column_config={
            "clean data": st.column_config.NumberColumn(
                "error, from clean data", format="percent", help="‖clean − model‖ / ‖clean‖, from the clean data."
            ),
            "spoiled data": st.column_config.NumberColumn(
                "error, from spoiled data", format="percent", help="The same model error, from the spoiled data."
            ),
            "drift": st.column_config.NumberColumn(
                "drift of components",
                format="%.3f",
                help="1 − mean |cosine| of components matched with those from the clean data: 0 the same.",
            ),
            "least to most": "from copy to copy",
        },
        alt="Error against the clean data and drift of the components, by method.",
    )
    if level > 0:
        st.markdown(_verdict(kind, level, strength, damaged, before, at))


def _verdict(kind: str, level: float, strength: float, damaged: float, before: pd.DataFrame, at: pd.DataFrame) -> str:
    what = {
        "noise": f"noise of {share(level)} of the standard deviation",
        "outliers": f"{share(level)} of the cells at {strength:g} times the largest value",
        "missing": f"{share(level)} of the cells missing",
    }[kind]
    data = "column means in their place are" if kind == "missing" else "the spoiled data themselves are"
    best, calm = str(at[ERROR].idxmin()), str(at[DRIFT].idxmin())
    said = [f"**Measured here**, with {what}: {data} {share(damaged)} off the clean data."]
    if OWN in at.index:
        own, first = float(at.loc[OWN, ERROR]), float(before.loc[OWN, ERROR])
        said.append(
            f"{OWN} is {share(own)} off ({share(first)} when fitted to clean data), its components drifted by "
            f"{at.loc[OWN, DRIFT]:.2f}."
        )
        through = damage(first, own, damaged)
        if own > spoiled.LIMITS[1]:
            said.append("That is no model any more.")
        else:
            amount = "more than the damage itself" if through > 1 else f"{share(through)} of the damage"
            words = ((0.75, "it is not robust here"), (0.25, "it is robust in part here"), (-1.0, "it holds up here"))
            said.append(f"So {amount} got through: {next(word for least, word in words if through > least)}.")
        if "PCA" in at.index:
            ratio = own / max(float(at.loc["PCA", ERROR]), 1e-12)
            word = (
                "about as far off as" if 0.9 <= ratio <= 1.1 else "nearer than" if ratio < 0.9 else "further off than"
            )
            said.append(f"It is {word} PCA ({share(float(at.loc['PCA', ERROR]))}).")
    if len(at) > 1:
        said.append(
            f"Nearest to the clean data is **{md(best)}** ({share(float(at.loc[best, ERROR]))}); the components that "
            f"drifted least are those of **{md(calm)}** ({at.loc[calm, DRIFT]:.2f})."
        )
    return " ".join(said)


def _notes(kind: str) -> None:
    told = {
        "noise": "What noise pushes below 0 is set to 0 (NMF needs that), so strong noise also shifts the data upwards.",
        "outliers": "A squared error follows the largest numbers, whoever minimizes it, NMF or PCA.",
        "missing": "NMF leaves missing cells out of the fit; PCA and vector quantization know no missing cells and get "
        "column means. Where a row or column keeps few cells nothing holds NMF's model in the others, and it may go "
        "astray altogether: a small L2 penalty (sidebar, Model: alphas of 0.001, l1_ratio 0) holds it.",
    }[kind]
    st.caption(
        f"{told} “Absolute errors” minimizes Σ √((X − WH)² + ε²), an L1-type loss, by squared errors reweighted again and "
        "again (half-quadratic; Du, Li & Shen 2012), from a start without the largest values; it aims at medians, which are "
        "0 where most values are 0. β = 0.5 weighs large values less than Frobenius does. All NMF variants start from "
        "NNDSVDa. The damage that got through is √(e² − e₀²) / "
        "s: e and e₀ the errors of the model of spoiled and of clean data, s that of the spoiled data themselves. Levels are drawn at their "
        "square roots, errors logarithmically."
    )
