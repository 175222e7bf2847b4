"""What stands behind the methods: which components say the same, and the error at every rank."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from nmf_core import Dataset, FitResult
from nmf_core.comparison.likeness import LIKE, likeness
from nmf_core.comparison.ranks import RanksWork
from nmf_core.figures.compare_lines import Lines
from pages.ui import jobs
from pages.ui.widgets import picture

RANKS = (1, 2, 3, 4, 6, 9, 14, 20, 30, 40)
QUICK_CELLS = 1_500_000  # the error at every rank is computed unasked up to here, once its panel is open


def alike(methods: tuple[Any, ...], names: tuple[str, ...]) -> None:
    """Draw the table of components that are like a part; `names` are those of the parts of NMF, the first method."""
    own = methods[0]
    rows = []
    for rival in methods[1:]:
        found = likeness(own.parts, rival.parts)
        rows += [
            (rival.name, k + 1, names[p] if p >= 0 else "none", float(cosine))
            for k, (p, cosine) in enumerate(zip(found.partner, found.cosine, strict=True))
        ]
    st.dataframe(
        pd.DataFrame(rows, columns=["method", "component", "like the part", "|cosine|"]),
        hide_index=True,
        column_config={"|cosine|": st.column_config.ProgressColumn(min_value=0, max_value=1, format="%.3f")},
        alt="Components of the other methods and the parts of NMF they are like.",
    )
    st.caption(
        f"Matched one to one so that the |cosines| are largest in sum; below {LIKE:g} a component is called like none. A "
        "component that is like a part has its colour in the charts."
    )


def ranks(dataset: Dataset, result: FitResult, rivals: tuple[str, ...]) -> None:
    """Draw the relative error of all methods at every rank."""
    if dataset.shape[0] * dataset.shape[1] > QUICK_CELLS and not st.toggle(
        "Compute it (may take minutes)", key="all_ranks"
    ):
        return
    top = min(dataset.max_rank, RANKS[-1])
    wanted = tuple(sorted({min(r, top) for r in (*RANKS, result.request.rank)}))
    work = RanksWork(
        dataset.id, ranks=wanted, names=("NMF", *rivals), loss=result.request.loss, seed=result.request.seed
    )
    frame = jobs.run(work, dataset, label="Fitting every rank", key="ranks_run", growing=True)
    if frame is not None:
        order = {name: i for i, name in enumerate(("NMF", *rivals))}
        frame = frame.sort_values(["method", "rank"], key=lambda c: c.map(order) if c.name == "method" else c)
        mark = float(result.request.rank)
        picture(Lines(frame, "rank", "relative error", "method", percent=True, mark=mark), key="rank_errors")
        if "ICA" in rivals:
            st.caption("ICA turns PCA’s axes without leaving what they span: its error is PCA’s at every rank.")
    st.caption("Offset aside, each method has as many components as the rank says. Dotted: the rank of the sidebar.")
