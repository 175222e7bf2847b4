"""Chapter 6: the applications in one picture each, and where NMF fails."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from nmf_core import Dataset, FitRequest, fit, list_datasets, load_dataset
from nmf_core.components import feature_axis, match, present
from nmf_core.figures.component_bars import ComponentBars
from nmf_core.figures.component_lines import ComponentLines
from nmf_core.figures.component_tiles import ComponentTiles
from nmf_core.figures.heatmaps import SampleHeatmap
from nmf_core.figures.learn_factors import FactorNumbers
from nmf_core.fit import FitWork
from pages.learn_sections.common import question
from pages.ui import jobs
from pages.ui.state import pick
from pages.ui.widgets import picture

PAGES = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Use:
    """An application: its data, rank, loss and what the picture says."""

    title: str
    data: str
    rank: int
    says: str
    page: str = "explore"
    loss: str = "frobenius"


USES = (
    Use("Images", "faces_lfw", 9, "Parts of faces; add them up and a face appears.", "images"),
    Use("Text", "text_commons", 6, "Topics: words that go together in speeches.", "text"),
    Use("Genes", "genes_leukemia", 3, "Groups of patients, found without being told the diagnosis."),
    Use("Ratings", "movielens_small", 4, "Tastes, from the 2 % of cells that are known; the rest can be predicted."),
    Use(
        "Compression", "digits", 16, "1797 pictures of 64 pixels become 16 parts and 16 numbers per picture.", "images"
    ),
    Use(
        "Sound",
        "audio_piano_notes",
        3,
        "Each part is the spectrum of one note; its recipe says when it sounds.",
        loss="kullback-leibler",
    ),
    Use("Networks", "net_airlines", 4, "Communities: each part is a hub system of airports."),
)


def show() -> None:
    """Draw the chapter."""
    st.markdown(
        "The same sum of parts, on seven kinds of data. Pick one; the link leads to where it can be explored in full."
    )
    titles = [use.title for use in USES]
    use = USES[titles.index(pick("Application", titles, "use", segmented=True))]
    _use(use)
    st.subheader("Where it fails", anchor=False)
    fails = {"rank": _too_many, "negative": _negative, "outlier": _outlier, "unique": _not_unique}
    names = {
        "rank": "Too high a rank",
        "negative": "Negative data",
        "outlier": "Outliers",
        "unique": "No unique answer",
    }
    fails[pick("Trouble", list(fails), "trouble", names=names, segmented=True)]()


def _use(use: Use) -> None:
    dataset, info = load_dataset(use.data), list_datasets()[use.data]
    st.markdown(f"**{info.title}.** {use.says}")
    request = FitRequest(dataset.id, rank=use.rank, loss=use.loss, max_iter=200)
    result = jobs.run(FitWork(request), dataset, label=f"Factorizing {dataset.name}", key="use_fit")
    if result is None:
        return
    parts = present(dataset, result, "max 1")
    if use.title == "Genes":
        picture(SampleHeatmap(dataset, parts, order="label"), key="use_picture")
    elif dataset.cell_shape:
        picture(ComponentTiles(dataset, parts), key="use_picture")
    elif feature_axis(dataset) is not None:
        picture(ComponentLines(dataset, parts), key="use_picture")
    else:
        picture(ComponentBars(dataset, parts, n=6), key="use_picture")
    page = PAGES / f"{use.page}.py"
    if page.exists():
        query = {"data": use.data} if use.page == "explore" else None
        st.page_link(page, label=f"Explore {info.title}", icon=":material/arrow_forward:", query_params=query)


def _too_many() -> None:
    dataset = load_dataset("synthetic", rank=3, noise=0.2, n_samples=100, n_features=10, sparsity=0.6)
    rank = pick("Rank (three parts are really there)", [3, 4, 6, 8], "too_many", segmented=True)
    result = fit(dataset, rank=rank)
    truth = dataset.extra["true_H"]
    found = result.H / np.maximum(np.linalg.norm(result.H, axis=1, keepdims=True), 1e-300)
    likeness = (found @ (truth / np.linalg.norm(truth, axis=1, keepdims=True)).T).max(axis=1)
    picture(ComponentBars(dataset, present(dataset, result, "max 1"), n=10, same_features=True), key="too_many_bars")
    good = int((likeness > 0.95).sum())
    st.markdown(
        f"At rank {rank}, {good} of {rank} parts look like a true one (cosine above 0.95). The error always falls with the "
        "rank, so the error alone cannot tell; the page *Rank* asks other witnesses."
    )
    question(
        "q_rank",
        "Does the error tell that three parts are right?",
        ("yes", "no"),
        "no",
        "It falls on and on with the rank, also by fitting noise.",
    )


def _negative() -> None:
    X = np.array([[2.0, -1.0, 0.5], [-0.5, 1.5, 1.0], [1.0, 1.0, -2.0]])
    result = fit(np.maximum(X, 0), rank=2)
    names = ("row 1", "row 2", "row 3"), ("a", "b", "c"), ("Part 1", "Part 2")
    picture(FactorNumbers(X, result.W, result.H, *names), key="negative_numbers")
    st.markdown(
        "Sums of parts that are ≥ 0 cannot be negative: the best WH can do for an entry below zero is 0. Centred data lose "
        "half of what they say. Ask first what zero means in your data; the page *Data* offers shifting, clipping or "
        "splitting into a positive and a negative half, each with what it costs."
    )


def _outlier() -> None:
    dataset = load_dataset("iris")
    X = dataset.X.copy()
    size = pick(
        "One flower's petal width is mistyped as",
        [0.2, 20.0, 200.0],
        "outlier",
        names=lambda v: f"{v:g} cm",
        segmented=True,
    )
    X[0, 3] = size
    clean, dirty = fit(dataset, rank=2), fit(X, rank=2)
    cosine = _likeness(clean.H, dirty.H)
    picture(ComponentBars(dataset, present(Dataset.of(X, cols=dataset.cols), dirty, "max 1")), key="outlier_bars")
    st.markdown(
        f"The least kept of the two parts has a cosine of **{cosine:.3f}** with its clean self. The squared error obeys the "
        "largest number: one bad cell can take a part for itself. NMF is *not* robust to gross outliers with this loss."
    )


def _likeness(A: np.ndarray, B: np.ndarray) -> float:
    return float(np.min(match(A, B).similarity))


def _not_unique() -> None:
    X = np.array([[2.0, 1, 1], [1, 2, 1], [3, 3, 2]])
    W = np.array([[1.0, 0.2], [0.2, 1.0], [1.2, 1.2]])
    H = np.linalg.lstsq(W, X, rcond=None)[0]
    mix = pick("Mix some of part 1 into part 2", [0.0, 0.1, 0.2], "mix_share", segmented=True)
    T = np.array([[1.0, 0.0], [mix, 1.0]])
    H2, W2 = T @ H, W @ np.linalg.inv(T)
    ok = bool((W2 >= -1e-12).all() and (H2 >= -1e-12).all())
    names = ("row 1", "row 2", "row 3"), ("a", "b", "c"), ("Part 1", "Part 2")
    picture(FactorNumbers(X, W2, H2, *names), key="unique_numbers")
    same = float(np.abs(W2 @ H2 - W @ H).max())
    st.markdown(
        f"Other parts, same product (largest difference {same:.0e}), {'nothing negative' if ok else 'but now something is negative'}. "
        "Where every part is present everywhere, many answers are equally good; zeros in the data, or a sparsity penalty, pin them down."
    )
