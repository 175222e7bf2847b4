"""Chapter 4: samples inside the cone of the components."""

from __future__ import annotations

import numpy as np
import streamlit as st

from nmf_core import FitRequest, load_dataset
from nmf_core.figures.learn_cone import Cone, Triangle
from nmf_core.fit import FitWork, fit
from pages.learn_sections.common import question
from pages.ui import jobs
from pages.ui.state import pick, slide, switch
from pages.ui.widgets import picture


def show() -> None:
    """Draw the chapter."""
    st.markdown(
        "A part is a **direction**. Sums of parts with weights ≥ 0 fill the **cone** between them: NMF looks for the cone, of "
        "as many edges as there are parts, that holds the samples best."
    )
    view = pick(
        "View",
        ["two", "three"],
        "cone",
        names={"two": "Two parts, two features", "three": "Three parts"},
        segmented=True,
    )
    if view == "two":
        _two()
    else:
        _three()


def _two() -> None:
    dataset = load_dataset("iris")
    names = list(dataset.cols)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        x = pick("Across", names, "cone_x", names[1])
        y = pick("Up", [n for n in names if n != x], "cone_y", "petal length")
        pca = switch(
            "PCA's axes", "cone_pca", help="Through the mean, at right angles; weights along them may be negative."
        )
        add = switch("Add two parts by hand", "cone_add", True)
    X = dataset.X[:, [names.index(x), names.index(y)]]
    result = fit(np.ascontiguousarray(X), rank=2, max_iter=2000, tol=1e-10)
    H = result.H / np.maximum(np.linalg.norm(result.H, axis=1, keepdims=True), 1e-300)
    weights = None
    if add:
        left, right = st.columns(2)
        with left:
            first = slide("Weight of part 1", -4.0, 8.0, "cone_w1", 3.0, step=0.1)
        with right:
            second = slide("Weight of part 2", -4.0, 8.0, "cone_w2", 3.0, step=0.1)
        weights = (first, second)
    axes = None
    if pca:
        mean = X.mean(axis=0)
        axes = (mean, np.linalg.svd(X - mean, full_matrices=False)[2])
    picture(Cone(X, H, (x, y), dataset.labels["species"], weights, axes), key="cone_picture")
    if weights is not None and min(weights) < 0:
        st.warning(
            "A negative weight leads out of the cone, to flowers that cannot be: parts would have to be taken away.",
            icon=":material/warning:",
        )
    if pca:
        st.caption(
            "PCA's axes start at the mean and cross at a right angle, so they fit best with signs, but neither is something a "
            "flower could consist of."
        )
    question(
        "q_cone",
        "Two features, two parts: how large is the error once the cone holds all samples?",
        ("zero", "the distance to the cone"),
        "zero",
        f"Every sample inside the cone is a sum of the two; here ‖X − WH‖² is {2 * result.loss:.2g}.",
    )


def _three() -> None:
    data = {"iris": "Iris", "wine": "Wine", "olive_oils": "Olive oils", "mutations_brca21": "Mutations"}
    name = pick("Data", list(data), "tri_data", names=data)
    dataset = load_dataset(name)
    request = FitRequest(dataset.id, rank=3, max_iter=1000)
    result = jobs.run(FitWork(request), dataset, label=f"Factorizing {dataset.name}", key="tri_fit")
    if result is None:
        return
    groups = next(iter(dataset.labels.values())) if dataset.labels else np.full(dataset.shape[0], "samples")
    triangle = Triangle(dataset.X, result.H, tuple(dataset.rows), groups)
    picture(triangle, key="triangle")
    share = (result.W * result.H.sum(axis=1)).max(axis=1) / np.maximum((result.W @ result.H).sum(axis=1), 1e-300)
    st.markdown(
        f"Each sample is divided by its total, so only the **mixture** is left, and the cone becomes a triangle. The purest "
        f"sample, **{dataset.rows[int(share.argmax())]}**, is {share.max():.0%} one part."
    )
