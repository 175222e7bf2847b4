"""Chapter 6: the applications in one picture each, and where NMF fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from nmf_core import Dataset, FitRequest, list_datasets, load_dataset
from nmf_core.components import Parts, dominant, feature_axis, present
from nmf_core.defaults import suggested_penalty
from nmf_core.figures.component_bars import ComponentBars
from nmf_core.figures.component_lines import ComponentLines
from nmf_core.figures.component_tiles import ComponentTiles
from nmf_core.figures.heatmaps import SampleHeatmap
from nmf_core.fit import FitWork
from nmf_core.quality import errors
from nmf_core.wording import percent
from pages.learn_sections import fails
from pages.learn_sections.common import Section, draw, question
from pages.ui import jobs
from pages.ui.state import pick
from pages.ui.widgets import md

PAGES = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Use:
    """An application: its data, rank, loss and what the picture says.

    Attributes
    ----------
    measured : callable
        From the data and the parts to one sentence with numbers.
    pages : tuple of str
        Where to go on: the first of these that there is.
    more : tuple of (key, value)
        Of the address of a lens.
    loss : str
    """

    title: str
    data: str
    rank: int
    says: str
    measured: Callable[[Dataset, Parts], str]
    pages: tuple[str, ...] = ("explore",)
    more: tuple[tuple[str, str], ...] = ()
    loss: str = "frobenius"


def _explained(dataset: Dataset, parts: Parts) -> str:
    return f"The strongest part alone explains {percent(parts.share.max(), 2)} of the total variation."


def _agreement(dataset: Dataset, parts: Parts) -> str:
    label = next(iter(dataset.labels.values()))
    own = dominant(parts)
    right = sum(int(np.unique(label[own == k], return_counts=True)[1].max()) for k in np.unique(own))
    return (
        f"Put each patient with their strongest part and call each group by its most frequent diagnosis: {right} of "
        f"{len(label)} are right, though no diagnosis was given."
    )


def _known(dataset: Dataset, parts: Parts) -> str:
    n, m = dataset.shape
    return (
        f"Only {dataset.X.nnz:,} of {n * m:,} cells ({percent(dataset.X.nnz / (n * m), 2)}) are known; W · H fills in the others. A "
        "penalty keeps films small that hardly anybody rated: a part could fit those at no cost."
    )


def _smaller(dataset: Dataset, parts: Parts) -> str:
    n, m = dataset.shape
    kept = parts.rank * (n + m)
    error = errors(dataset, parts.recipe, parts.H).relative
    return f"{n * m:,} numbers become {kept:,}, {percent(kept / (n * m), 2)} of them, with a relative error of {percent(error, 2)}."


def _words(dataset: Dataset, parts: Parts) -> str:
    return f"{dataset.shape[0]:,} speeches, {dataset.shape[1]:,} words, {parts.rank} topics; nobody told it what belongs together."


def _notes(dataset: Dataset, parts: Parts) -> str:
    axis = feature_axis(dataset)
    peaks = sorted(axis[np.argmax(parts.H, axis=1)]) if axis is not None else []
    return f"The parts peak at {', '.join(f'{p:.0f}' for p in peaks)} Hz." if peaks else ""


def _airports(dataset: Dataset, parts: Parts) -> str:
    heads = ", ".join(md(dataset.cols[k]) for k in np.argmax(parts.H, axis=1))
    return f"The strongest airport of each part: {heads}."


def _request(use: Use, dataset: Dataset) -> FitRequest:
    """Return what Explore runs at `_asked`: the link leads to the very picture it stands under."""
    pull = suggested_penalty(dataset, use.loss)
    penalty = {} if pull is None else {"alpha_W": pull.alpha_W, "alpha_H": pull.alpha_H, "l1_ratio": pull.l1_ratio}
    return FitRequest(dataset.id, rank=use.rank, loss=use.loss, **penalty)


def _asked(use: Use, page: str) -> dict[str, str]:
    """Return the address's parameters on another page, what is the default there among them: it may be set otherwise."""
    if page != "explore":
        return {f"{page}_data": use.data, **dict(use.more)}
    model = {"loss": use.loss, "penalties": "auto", "solver": "auto", "init": "nndsvda", "restarts": "1"}
    stop = {"max_iter": "500", "tol": "1e-05", "stop_rule": "loss"}
    return {"data": use.data, "rank": str(use.rank), **model, **stop, "scale": "max 1"}


USES = (
    Use("Images", "faces_lfw", 9, "Parts of faces; add some up and a face appears.", _explained, ("images",)),
    Use("Text", "text_commons", 6, "Topics: words that go together in speeches.", _words, ("text",)),
    Use(
        "Genes",
        "genes_leukemia",
        3,
        "Groups of patients by which genes are active.",
        _agreement,
        ("expression", "explore"),
    ),
    Use(
        "Ratings",
        "movielens_small",
        4,
        "Tastes: films that the same people like.",
        _known,
        ("ratings", "explore"),
    ),
    Use(
        "Compression",
        "digits",
        16,
        "Few parts and a short recipe per picture take the place of the pixels.",
        _smaller,
        ("images",),
        (("images_view", "Compression"),),
    ),
    Use(
        "Sound",
        "audio_piano_notes",
        3,
        "Each part is a spectrum; its recipe says when it sounds.",
        _notes,
        ("audio", "explore"),
        loss="kullback-leibler",
    ),
    Use(
        "Networks",
        "net_airlines",
        4,
        "Communities: airports that share their destinations.",
        _airports,
        ("networks", "explore"),
    ),
)
TITLES = [use.title for use in USES]


def show() -> None:
    """Draw the section."""
    st.markdown(
        "The same sum of parts, on seven kinds of data. Pick one; the link leads to where it can be explored in full."
    )
    use = USES[TITLES.index(pick("Application", TITLES, "use", segmented=True))]
    dataset, info = load_dataset(use.data), list_datasets()[use.data]
    request = _request(use, dataset)
    result = jobs.run(FitWork(request), dataset, label=f"Factorizing {dataset.name}", key="use_fit")
    if result is None:
        return
    parts = present(dataset, result, "max 1")
    st.markdown(f"**{info.title}.** {use.says} {use.measured(dataset, parts)}")
    if use.title == "Genes":
        draw(SampleHeatmap(dataset, parts, order="label"), "use_picture")
    elif dataset.cell_shape:
        draw(ComponentTiles(dataset, parts), "use_picture")
    elif feature_axis(dataset) is not None:
        draw(ComponentLines(dataset, parts, panels=True), "use_picture")  # told apart without their colours
    else:
        draw(ComponentBars(dataset, parts, n=6), "use_picture")
    name = next(page for page in (*use.pages, "explore") if (PAGES / f"{page}.py").exists())
    st.page_link(
        PAGES / f"{name}.py",
        label=f"Explore {info.title}",
        icon=":material/arrow_forward:",
        query_params=_asked(use, name),
    )
    n, m = dataset.shape
    right = f"{n:,} × {use.rank}"
    question(
        "q_use",
        use.title,
        f"X has {n:,} rows and {m:,} columns, and there are {use.rank} parts. Which size has W?",
        (right, f"{use.rank} × {m:,}", f"{n:,} × {m:,}"),
        right,
        f"A recipe of {use.rank} amounts for each of the {n:,} rows; H is {use.rank} × {m:,}.",
    )


SECTIONS = {
    "used": Section("Where it is used", show, tuple({"use": title} for title in TITLES)),
    "fails": Section("Where it fails", fails.show, tuple({"trouble": key} for key in fails.TROUBLES)),
}
