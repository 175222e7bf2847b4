"""Trust: do the components of the chosen rank hold?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from nmf_core.components import Parts, present_matrices
from nmf_core.figures.component_bars import ComponentBars
from nmf_core.figures.rank_trust import Intervals
from nmf_core.figures.text import plain, shorten
from nmf_core.selection.ambiguity import OBJECTIVES, AmbiguityWork, strongest_entries
from nmf_core.selection.bootstrap import Bootstrap, BootstrapWork
from nmf_core.selection.sample import evenly
from nmf_core.selection.stability import SHAKY
from nmf_core.selection.uniqueness import uniqueness
from nmf_core.types import Array
from pages.rank_sections import restarts
from pages.rank_sections.context import View
from pages.ui import identity, jobs, widgets
from pages.ui.state import number, pick, switch

SCALE = "component sums 1"
OFFERED = 2000  # names in one list, at most


def show(view: View) -> None:
    """Draw everything that says how far to trust the best fit of the rank looked at."""
    W, H = view.sweep.factors(view.rank)
    parts = present_matrices(view.dataset, W, H, scale=SCALE, identity=identity.peek(view.dataset, W, H))
    st.caption(
        f"All of this is about rank {view.rank}, the best of {len(view.sweep.at(view.rank).losses)} restarts. Move the rank in "
        "the sidebar, or click a point above, to look at another."
    )
    restarts.show(view, parts)
    _bootstrap(view, parts)
    _unique(view)
    _ambiguity(view, parts)
    _missing(view)


def _is_small(view: View) -> bool:
    """Whether error bars take moments, so that they are drawn without being asked for."""
    return view.dataset.shape[0] * view.dataset.shape[1] * view.rank <= 10_000


def _bootstrap(view: View, parts: Parts) -> None:
    st.markdown("#### Other samples: bootstrap")
    dataset = view.dataset
    with st.container(horizontal=True, vertical_alignment="bottom"):
        n = int(number("Replicates", 10, 500, "boot_n", 50, step=10, help="Fits on samples drawn with replacement."))
        block = int(
            number(
                "Neighbouring rows drawn together", 1, max(1, dataset.shape[0] // 2), "boot_block", 1,
                help="1 for samples in no order; longer runs for time series and maps, where neighbours are alike.",
            )
        )  # fmt: skip
        wanted = switch(
            "Draw the error bars", "boot_on", _is_small(view), help=f"Fits rank {view.rank} again {n} times."
        )
    if not wanted:
        st.caption("Shows how far every bar moves when the samples are drawn again, and which components survive that.")
        return
    rows = _several("Samples whose recipes get intervals too", dataset.rows, 24, f"boot_rows_{dataset.id}", first=3)
    work = BootstrapWork(view.sweep.best_request(view.rank), view.sweep.factors(view.rank)[1], n, block, rows)
    found = jobs.run(work, dataset, label=f"Bootstrap of rank {view.rank}", key="boot", growing=True)
    if found is None or found.n < 2:
        return
    factor = 1 / np.maximum(found.H.sum(axis=1), 1e-300)[parts.index]
    low, high = (a[parts.index] * factor[:, None] for a in (found.low_H, found.high_H))
    left, right = st.columns([3, 1])
    with left:
        widgets.picture(
            ComponentBars(dataset, parts, n=8, low=low, high=high), key="boot_bars", download=f"bootstrap-{view.rank}"
        )
    with right:
        restarts.badge_list(parts, found.similarity, "other draws of the samples")
    st.caption(
        f"Bars: components whose values sum to 1. Error bars: {100 * found.level:.0f} % of {found.n} bootstrap fits, matched to "
        "these components and brought to the length that fits best."
    )
    if len(rows):
        _weights(view, parts, found)


def _several(label: str, names: Array, most: int, key: str, first: int = 0) -> tuple[int, ...]:
    """Let up to `most` samples or features be chosen by name; of very many, evenly spread ones are offered."""
    options = evenly(len(names), OFFERED).tolist()
    return tuple(
        st.multiselect(
            label,
            options,
            default=options[:first],
            max_selections=most,
            format_func=lambda i: shorten(plain(names[i]), 60),
            key=key,
        )
    )


def _weights(view: View, parts: Parts, found: Bootstrap) -> None:
    size = found.H.sum(axis=1)[parts.index]
    names = tuple(str(view.dataset.rows[i]) for i in found.rows)
    values, low, high = (a[:, parts.index] * size for a in (found.W, found.low_W, found.high_W))
    picture = Intervals(
        tuple(parts.names for _ in names),
        tuple(values),
        tuple(low),
        tuple(high),
        names,
        tuple("#808080" for _ in names),
        what="recipes (rows of W)",
    )
    widgets.picture(picture, key="boot_weights", download="bootstrap-recipes")


def _unique(view: View) -> None:
    st.markdown("#### Is it the only factorization?")
    W, H = view.sweep.factors(view.rank)
    found = uniqueness(W, H)
    sentences = list(found.sentences)
    if view.dataset.mask is not None:
        sentences.append(
            "All this supposes that W·H is known; where cells are missing, it is known there only in part."
        )
    if found.verdict != "not unique" and view.sweep.at(view.rank).weakest < SHAKY:
        sentences.append("Yet other starts end in other components (above): trust those first.")
    st.markdown(f"**{found.verdict.capitalize()}.** " + " ".join(widgets.md(s, 600) for s in sentences))


def _ambiguity(view: View, parts: Parts) -> None:
    st.markdown("#### How far can one value move?")
    dataset = view.dataset
    if view.request.beta not in OBJECTIVES:
        st.caption("These ranges are defined here for the Frobenius and the Kullback-Leibler loss alone.")
        return
    large = dataset.shape[0] * dataset.shape[1] > OBJECTIVES[view.request.beta].cells
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rise = float(
            pick(
                "The loss may rise by", (0.001, 0.01, 0.05, 0.1), "disp_rise", 0.01,
                names=lambda value: f"{100 * value:g} %",
            )
        )  # fmt: skip
        top = min(10, dataset.shape[1])
        count = int(
            number(
                "Values per component", 1, top, "disp_n", min(2 if large else 5, top),
                help="The strongest ones. Each takes dozens of refits.",
            )
        )  # fmt: skip
        wanted = switch(
            "Find the ranges",
            "disp_on",
            _is_small(view),
            help="As EPA PMF's displacement (DISP): one value is pulled, the rest refitted.",
        )
    if not wanted:
        st.caption("Shows which values the data pin down, and which could as well be others.")
        return
    W, H = view.sweep.factors(view.rank)
    entries = strongest_entries(H, count)
    asked = _several("Further features, in every component", dataset.cols, 6, f"disp_cols_{dataset.id}")
    entries += tuple((k, j) for j in asked for k in range(len(H)) if (k, j) not in entries)
    work = AmbiguityWork(view.sweep.best_request(view.rank), W, H, entries, rise)
    found = jobs.run(work, dataset, label=f"Moving single values of rank {view.rank}", key="disp", growing=True)
    if found is None or not len(found.entries):
        return
    scale = 1 / np.maximum(H.sum(axis=1), 1e-300)
    at = [np.flatnonzero(found.entries[:, 0] == k) for k in parts.index]
    kept = [i for i, rows in enumerate(at) if len(rows)]
    at = [at[i] for i in kept]
    index = [int(parts.index[i]) for i in kept]
    picture = Intervals(
        tuple(tuple(str(dataset.cols[j]) for j in found.entries[rows, 1]) for rows in at),
        tuple(found.value[rows] * scale[k] for k, rows in zip(index, at, strict=True)),
        tuple(found.low[rows] * scale[k] for k, rows in zip(index, at, strict=True)),
        tuple(found.high[rows] * scale[k] for k, rows in zip(index, at, strict=True)),
        tuple(parts.names[i] for i in kept),
        tuple(parts.colors[i] for i in kept),
        what="the strongest values of H",
        flagged=tuple(found.swapped[rows] for rows in at),
        flag_words="components traded places on the way",
    )
    widgets.picture(picture, key="disp_ranges", download=f"ambiguity-{view.rank}")
    notes = [found.note] if found.note else []
    if view.request.penalised:
        notes.append("The refits leave the model's penalties out, so these ranges are rather too wide.")
    if notes:
        st.caption(" ".join(notes))


def _missing(view: View) -> None:
    e = view.sweep.at(view.rank)
    if not np.isfinite(e.heldout).any():
        return
    st.markdown("#### Cells it has not seen")
    error = float(np.nanmean(view.sweep.state.numbers("speckle", view.rank, view.sweep.request.n_folds)))
    frame = {"held-out error, share of that of rank 1": float(np.nanmean(e.heldout))}
    if view.request.beta == 2.0:
        frame["held-out RMSE, in the units of X"] = float(np.sqrt(error))
        frame["RMSE on the cells that were fitted"] = float(e.errors[e.best]) * np.sqrt(
            view.sweep.total / view.sweep.known
        )
    else:
        frame["held-out loss per cell"] = error
    st.dataframe(pd.DataFrame({"value": frame}))
    st.caption("A held-out error far above the fitted one: the parts describe noise as well.")
