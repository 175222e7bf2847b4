"""Spoiled data drawn: one picture clean, spoiled and rebuilt, and the curves from clean to ruined."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from nmf_core import Dataset
from nmf_core.comparison.corruption import LEVELS, clean, corrupted
from nmf_core.comparison.robustness import DRIFT, ERROR, METHODS, SPOILED, Outcome, RobustnessWork, frame
from nmf_core.figures.compare_lines import Lines
from nmf_core.figures.images_tiles import PictureTiles
from pages.compare_sections.words import share
from pages.ui import jobs
from pages.ui.state import switch
from pages.ui.widgets import picture

QUICK_CELLS = 60_000  # up to which every level is fitted unasked, three spoiled copies each
#: Errors beyond are drawn at the edge: nothing holds a model where it sees no cell.
LIMITS = (0.001, 10.0)


def pictures(dataset: Dataset, outcomes: tuple[Outcome, ...], work: RobustnessWork, row: int) -> None:
    """Draw a sample clean, spoiled, and as each method rebuilds it."""
    level = work.levels[-1]
    last = [o for o in outcomes if o.level == level and o.draw == 0]
    if not last:
        return
    X = clean(dataset)
    x, bad = X[row], corrupted(X, work.kind, level, work.seed, work.strength)[row]
    rows = [x, bad, *(o.rebuilt[0] for o in last)]
    captions = ["clean", "spoiled", *(o.method for o in last)]
    size = float(np.sqrt(np.nansum(x**2))) or 1.0
    errors = [float(np.sqrt(np.nansum((x - r) ** 2))) / size for r in rows]
    numbers = pd.DataFrame({"picture": captions, "off the clean one": errors})
    told = f"{dataset.rows[row]}: clean, spoiled, and what {len(last)} methods make of the spoiled data."
    limits = (0.0, float(np.nanmax(x)) or 1.0)
    hover = [f"{caption}: {share(error)} off" for caption, error in zip(captions, errors, strict=True)]
    picture(
        PictureTiles(
            np.stack(rows).reshape(-1, *(dataset.cell_shape or ())),
            tuple(captions),
            told,
            numbers,
            hover=hover,
            colormap="gray",
            limits=limits,
            columns=4,
            side=120,
        ),
        key="robust_pictures",
    )


def curves(dataset: Dataset, work: RobustnessWork, level: float, outcomes: tuple[Outcome, ...] | None) -> None:
    """Draw error and drift at every level, the chosen one among them."""
    st.subheader("From clean to ruined", anchor=False)
    quick = dataset.shape[0] * dataset.shape[1] <= QUICK_CELLS
    if not quick and not switch("Fit every level (may take minutes)", "robust_curves"):
        return
    whole = replace(work, levels=LEVELS[work.kind], rows=())
    found = jobs.run(whole, dataset, label="Fitting every level", key="robust_curve_run", growing=True)
    if not found or len({outcome.level for outcome in found}) < 2:
        return
    table = frame(found)
    if outcomes and level not in LEVELS[work.kind]:
        here = frame(outcomes)
        table = pd.concat([table, here[here["level"] == level]])
    # Methods first, the yardstick last, in the legend as in the table.
    order = {name: i for i, name in enumerate((*METHODS, SPOILED))}
    table = table.sort_values(["method", "level"], key=lambda c: c.map(order) if c.name == "method" else c)
    for y, key, limits in ((ERROR, "robust_error", LIMITS), (DRIFT, "robust_drift", None)):
        picture(
            Lines(
                table,
                "level",
                y,
                "method",
                percent=y == ERROR,
                levels=True,
                limits=limits,
                spread=(f"{y}, least", f"{y}, most"),
                mark=level or None,
                grey=SPOILED,
            ),
            key=key,
        )
