"""Chapter 6: where NMF fails, each trouble with a picture of it."""

from __future__ import annotations

import numpy as np
import streamlit as st

from nmf_core import Dataset, FitResult, fit, load_dataset
from nmf_core.components import match, present
from nmf_core.figures.component_bars import ComponentBars
from nmf_core.figures.learn_factors import FactorNumbers, FactorVersions
from nmf_core.selection.matching import cosine
from nmf_core.wording import percent
from pages.learn_sections.common import PARTS, draw, question, relative_error
from pages.ui.state import pick

RANKS = (2, 3, 4, 6, 8)
ROWS, COLS = ("row 1", "row 2", "row 3"), ("a", "b", "c")


def show() -> None:
    """Draw the section."""
    names = {key: name for key, (name, _) in TROUBLES.items()}
    TROUBLES[pick("Trouble", list(TROUBLES), "trouble", names=names, segmented=True)][1]()


def _planted() -> Dataset:
    return load_dataset("synthetic", rank=3, noise=0.2, n_samples=100, n_features=10, sparsity=0.6)


@st.cache_data(max_entries=20, show_spinner=False)
def _found(rank: int) -> FitResult:
    return fit(_planted(), rank=rank)


def _too_many() -> None:
    st.markdown(
        "These data were made of **three** parts, with noise. With more, the parts split or fit the noise, and the error falls "
        "all the same."
    )
    rank = pick("Rank (three parts are really there)", RANKS, "too_many", 3, segmented=True)
    dataset, result = _planted(), _found(rank)
    likeness = cosine(result.H, dataset.extra["true_H"]).max(axis=1)
    draw(ComponentBars(dataset, present(dataset, result, "max 1"), n=10, same_features=True), "too_many_bars")
    good = int((likeness > 0.95).sum())
    errors = {r: relative_error(dataset, _found(r)) for r in RANKS}
    st.markdown(
        f"At rank {rank}, **{good} of {rank}** parts look like a true one (cosine above 0.95). Relative error by rank: "
        + ", ".join(f"{r}: {percent(e)}" for r, e in errors.items())
        + ". It alone cannot tell; the page *Rank* asks other witnesses."
    )
    lowest = min(errors, key=lambda r: errors[r])
    question(
        "q_rank",
        rank,
        "Which of these ranks has the lowest error?",
        tuple(str(r) for r in RANKS),
        str(lowest),
        f"{percent(errors[lowest])}, though three parts are really there: the error rewards fitting noise.",
    )


def _negative() -> None:
    st.markdown(
        "Sums of parts that are ≥ 0 cannot be negative: the best WH can do for an entry **below zero** is 0. Centred or "
        "z-scored data lose half of what they say."
    )
    X = np.array([[2.0, -1.0, 0.5], [-0.5, 1.5, 1.0], [1.0, 1.0, -2.0]])
    result = fit(np.maximum(X, 0), rank=2)
    draw(FactorNumbers(X, result.W, result.H, ROWS, COLS, PARTS), "negative_numbers")
    least = float((np.minimum(X, 0) ** 2).sum())
    st.markdown(
        f"The negative entries alone leave Σ (X − WH)² at **{least:.4g}** or more, whatever W and H are; here it is "
        f"{float(((X - result.W @ result.H) ** 2).sum()):.4g}. Ask first what zero means in your data; the page *Data* offers "
        "shifting, clipping, or splitting into a positive and a negative half, each with what it costs."
    )
    question(
        "q_negative_data",
        "",
        "How small can the squared residual of the entry −2 become?",
        ("0", "1", "4"),
        "4",
        "WH there is at best 0, and (−2 − 0)² = 4.",
    )


def _outlier() -> None:
    st.markdown(
        "The squared error obeys the largest number: **one bad cell** can take a part for itself. NMF with this loss is not "
        "robust to gross outliers."
    )
    dataset = load_dataset("iris")
    sizes = (0.2, 20.0, 200.0)
    size = pick(
        "The petal width of one flower of 150 is typed as",
        sizes,
        "outlier",
        20.0,
        names=lambda v: f"{v:g} cm",
        segmented=True,
    )
    clean, dirty = _typed(0.2), _typed(size)
    found = match(clean.H, dirty.H)
    kept = float(np.min(found.similarity))
    versions = (("H, clean", _scaled(clean.H)), (f"H with {size:g} cm", _scaled(dirty.H)))
    draw(
        FactorVersions(
            versions, PARTS, tuple(map(str, dataset.cols)), "The parts of Iris without and with the bad cell"
        ),
        "outlier_parts",
    )
    share = float((dirty.W[0] @ dirty.H)[3] / size)
    st.markdown(
        f"The less well kept of the two parts has a cosine of **{kept:.3f}** with its clean self. The bad cell is fitted to "
        f"{percent(share)} of its value."
    )
    given = dirty.W[0] * dirty.H[:, 3]
    taken = int(given.argmax())
    options = (*PARTS, "neither")
    question(
        "q_outlier",
        size,
        "Which part has the bad cell taken for itself?",
        options,
        "neither" if size < 1 else PARTS[taken],
        f"{PARTS[taken]} gives {given[taken]:.3g} of the {size:g} cm"
        + (", but nothing is wrong with 0.2 cm." if size < 1 else ", and petal width is its strongest feature."),
    )


@st.cache_data(max_entries=10, show_spinner=False)
def _typed(size: float) -> FitResult:
    """Return the fit of Iris with that petal width of the first flower; 0.2 cm is the true one."""
    X = load_dataset("iris").X.copy()
    X[0, 3] = size
    return fit(X, rank=2)


def _scaled(H: np.ndarray) -> np.ndarray:
    return H / np.maximum(H.max(axis=1, keepdims=True), 1e-300)


def _not_unique() -> None:
    st.markdown(
        "Beyond scale and order there can be **truly different parts** with the same product: mix some of part 1 into part 2, "
        "and take it back in W. As long as nothing becomes negative, it is another answer, equally good."
    )
    X = np.array([[2.0, 1, 1], [1, 2, 1], [3, 3, 2]])
    W = np.array([[1.0, 0.2], [0.2, 1.0], [1.2, 1.2]])
    H = np.linalg.lstsq(W, X, rcond=None)[0]
    mix = pick("How much of part 1 goes into part 2", [0.0, 0.1, 0.2, 0.3], "mix_share", 0.1, segmented=True)
    T = np.array([[1.0, 0.0], [mix, 1.0]])
    H2, W2 = T @ H, W @ np.linalg.inv(T)
    W2[np.abs(W2) < 1e-12] = 0.0
    ok = bool((W2 >= 0).all() and (H2 >= 0).all())
    draw(FactorNumbers(X, W2, H2, ROWS, COLS, PARTS), "unique_numbers")
    same = float(np.abs(W2 @ H2 - W @ H).max())
    st.markdown(
        f"WH is the same as without mixing (largest difference {same:.0e}); "
        f"{'nothing is negative: **another valid answer**' if ok else '**now W holds a negative number**: too much was mixed'}. Zeros in "
        "the data, or a sparsity penalty, narrow the choice."
    )
    question(
        "q_unique",
        mix,
        "Is this W and H a valid factorization?",
        ("yes", "no"),
        "yes" if ok else "no",
        f"The smallest entry of W is {W2.min():.3g}, of H {H2.min():.3g}.",
    )


TROUBLES = {
    "rank": ("Too high a rank", _too_many),
    "negative": ("Negative data", _negative),
    "outlier": ("Outliers", _outlier),
    "unique": ("No unique answer", _not_unique),
}
