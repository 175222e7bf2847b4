"""Chapter 4: samples inside the cone of the components, PCA's axes beside it."""

from __future__ import annotations

import numpy as np
import streamlit as st

from nmf_core import FitRequest, FitResult, load_dataset
from nmf_core.figures.learn_cone import Cone
from nmf_core.figures.learn_grids import number
from nmf_core.figures.learn_triangle import Triangle
from nmf_core.fit import FitWork, fit
from nmf_core.types import Array
from nmf_core.wording import percent
from pages.learn_sections.common import Section, draw, question
from pages.ui import jobs
from pages.ui.state import pick, slide
from pages.ui.widgets import md


def show_two() -> None:
    """Draw two features and two parts."""
    st.markdown(
        "A part is a **direction**. Sums of parts with weights ≥ 0 fill the **cone** between them: NMF looks for the cone, of "
        "as many edges as there are parts, that holds the samples best. Move the weights; then make one **negative**."
    )
    dataset = load_dataset("iris")
    names = [str(name) for name in dataset.cols]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        x = pick("Across", names, "cone_x", names[1])
        y = pick("Up", [n for n in names if n != x], "cone_y", "petal length")
        w1 = slide("Weight of part 1", -4.0, 8.0, "cone_w1", 3.0, step=0.1)
        w2 = slide("Weight of part 2", -4.0, 8.0, "cone_w2", 3.0, step=0.1)
    X, result = _fitted(x, y)
    H = result.H / np.maximum(np.linalg.norm(result.H, axis=1, keepdims=True), 1e-300)
    mean = X.mean(axis=0)
    axes = (mean, np.linalg.svd(X - mean, full_matrices=False)[2])
    cone = Cone(X, H, (x, y), dataset.labels["species"], (w1, w2), axes)
    draw(cone, "cone_picture")
    end = np.array([w1, w2]) @ H
    if min(w1, w2) < 0:
        shown = f"{md(x)} {number(end[0])}, {md(y)} {number(end[1])}"
        cannot = (
            "a negative length, so no flower"
            if end.min() < 0
            else "outside the cone: one part has to be taken away from the other"
        )
        st.warning(f"**A negative weight leads out of the cone**: to {shown}, {cannot}.", icon=":material/warning:")
    score = float((X[0] - mean) @ axes[1][0])
    st.markdown(
        "**PCA** (principal component analysis) starts at the mean, and its axes cross at a right angle. It may use both directions of an axis, so its "
        f"scores have signs ({md(dataset.rows[0])}: {number(score)} on axis 1) and an axis is nothing a flower could consist of."
    )
    question(
        "q_cone",
        f"{x}_{y}",
        f"{cone.inside()} of {len(X)} flowers lie in this cone of two parts. How large is the error Σ (X − WH)²?",
        ("about 0", "about 150", "it depends on the species"),
        "about 0" if 2 * result.loss < 0.5 else "about 150",
        f"Whatever lies inside the cone is a sum of its edges, exactly; here the error is {2 * result.loss:.2g}.",
    )


@st.cache_data(max_entries=20, show_spinner=False)
def _fitted(x: str, y: str) -> tuple[Array, FitResult]:
    """Return two features of Iris and their fit."""
    dataset = load_dataset("iris")
    names = [str(name) for name in dataset.cols]
    X = np.ascontiguousarray(dataset.X[:, [names.index(x), names.index(y)]])
    return X, fit(X, rank=2, max_iter=2000, tol=1e-10)


def show_three() -> None:
    """Draw three parts as a triangle."""
    st.markdown(
        "Three parts span a cone with three edges. Divide each sample by its total, so that only the **mixture** is left, "
        "and the cone becomes a triangle: a corner is one part alone, the middle a third of each."
    )
    data = {"iris": "Iris", "wine": "Wine", "olive_oils": "Olive oils", "mutations_brca21": "Mutations"}
    name = pick("Data", list(data), "tri_data", names=data, segmented=True)
    dataset = load_dataset(name)
    request = FitRequest(dataset.id, rank=3, max_iter=1000)
    result = jobs.run(FitWork(request), dataset, label=f"Factorizing {dataset.name}", key="tri_fit")
    if result is None:
        return
    groups = next(iter(dataset.labels.values())) if dataset.labels else np.full(dataset.shape[0], "samples")
    triangle = Triangle(dataset.X, result.H, tuple(dataset.rows), groups)
    draw(triangle, "triangle")
    share = (result.W * result.H.sum(axis=1)) / np.maximum((result.W @ result.H).sum(axis=1, keepdims=True), 1e-300)
    purest = int(share.max(axis=1).argmax())
    outside, n = triangle.outside(), dataset.shape[0]
    why = "mixing them exactly would take a **negative** weight, so NMF gives them the nearest mixture it may use, with an error"
    st.markdown(
        f"**{outside}** of {n} samples lie outside the triangle{f': {why}' if outside else ''}. PCA, beside it, has no corners: its zero is the mean, so "
        f"{int((triangle.scores()[:, 0] < 0).sum())} of {n} scores on its first axis are negative."
    )
    corner = int(share[purest].argmax())
    options = [f"Part {k + 1}" for k in range(3)]
    question(
        "q_triangle",
        name,
        f"The purest sample is {md(dataset.rows[purest])}. Of which part does it consist almost alone?",
        options,
        options[corner],
        f"It is {percent(share[purest, corner])} {options[corner]}: the sample nearest to a corner.",
    )


SECTIONS = {
    "two": Section("Two parts, two features", show_two, ({"cone_w2": 3.0}, {"cone_w2": -1.5})),
    "three": Section("Three parts", show_three, ({"tri_data": "iris"}, {"tri_data": "olive_oils"})),
}
