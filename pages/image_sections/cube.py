"""Section Spectral cubes: materials of a scene, where they lie and what their spectra are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from nmf_core import Dataset, FitRequest, FitResult
from nmf_core.components import Parts, present
from nmf_core.figures.images_cube import ClassMap, EndMembers
from nmf_core.figures.images_panels import Panel, Panels
from nmf_core.figures.images_tiles import PictureTiles
from nmf_core.figures.text import percent
from nmf_core.fit import FitWork
from nmf_core.lenses.images import cube
from nmf_core.lenses.images.claims import cube_claim
from nmf_core.lenses.images.prepare import dense, single
from nmf_core.types import Array
from pages.image_sections.common import claim, lead
from pages.ui import data, jobs
from pages.ui.state import pick, slide, switch
from pages.ui.widgets import cards, md, picture


def show() -> None:
    """Draw the section."""
    dataset = data.chosen({"cube"}, key="cube_data", default="indian_pines")
    lead(
        "Every pixel of the scene is a spectrum, and every spectrum a mixture of a few materials: H holds their spectra, W says "
        "how much of each lies where. Look for maps with sharp borders that follow fields, roads and woods."
    )
    try:
        shape = cube.image_shape(dataset)
    except ValueError as refusal:
        st.info(md(str(refusal), 600), icon=":material/image_not_supported:")
        return
    with st.sidebar:
        top = max(1, min(dataset.max_rank, 20))
        rank = slide(
            "Rank (number of materials)",
            1,
            max(top, 2),
            f"cube_rank_{dataset.id[:6]}",
            min(data.recommended_rank(dataset), top),
        )
        penalty = slide(
            "Sparser mixtures (L1 on W)", 0.0, 0.2, "cube_penalty", 0.0, step=0.01, help="Fewer materials a pixel."
        )
    light = single(dataset)
    request = FitRequest(
        dataset_id=light.id,
        rank=min(int(rank), top),
        init="nndsvd",
        max_iter=400,
        tol=1e-5,
        alpha_W=penalty,
        alpha_H=penalty / 100,
        l1_ratio=1.0 if penalty else 0.0,
    )
    result = jobs.run(FitWork(request), light, label=f"Finding {rank} materials in {dataset.name}", key="cube_fit")
    if result is None:
        return
    parts = present(dataset, result, scale="unit L2")
    shares = cube.abundances(parts)
    X, _ = dense(dataset)
    rest = float(np.linalg.norm(X - result.W @ result.H)) / (float(np.linalg.norm(X)) or 1.0)
    cards(
        [
            ("Pixels", f"{dataset.shape[0]:,}", f"{shape[0]} × {shape[1]}."),
            ("Bands", f"{dataset.shape[1]:,}", "Values of each spectrum."),
            ("Relative error", percent(rest), "‖X − WH‖ / ‖X‖."),
            ("Materials a pixel", f"{(shares > 0.05).sum(axis=1).mean():.1f}", "Parts that make up over 5 %, mean."),
        ]
    )
    label = _truth_label(dataset)
    _scene(dataset, shape, label)
    _maps(parts, shares, shape)
    _spectra(dataset, parts, label, X)
    if label:
        _beside_truth(dataset, parts, shares, label)
        _claim(dataset, result, label)


def _truth_label(dataset: Dataset) -> str:
    """Return the label column to compare with, chosen if there are several; empty if there is none."""
    usable = [
        name
        for name, values in dataset.labels.items()
        if 2 <= len(np.unique(np.asarray(values).astype(str)[cube.is_labelled(values)])) <= 200
    ]
    if not usable:
        st.caption("These data bring no ground truth; open a cube with a map of classes to compare.")
        return ""
    return usable[0] if len(usable) == 1 else str(pick("Ground truth", usable, "cube_truth", usable[0]))


def _scene(dataset: Dataset, shape: tuple[int, int], label: str) -> None:
    left, right = st.columns(2, gap="large") if label else (st.container(), None)
    with left:
        colour = cube.false_color(dataset, shape)
        picture(
            Panels(
                (Panel("The scene in false colours", colour.repeat(4, axis=0).repeat(4, axis=1)),),
                told=f"The scene of {shape[0]} × {shape[1]} pixels; red, green and blue are a late, a middle and an early band.",
                frame=pd.DataFrame(colour.reshape(-1, 3), columns=["late band", "middle band", "early band"]),
                most=360,
            ),
            key="cube_scene",
        )
    if right is not None:
        with right:
            classes = np.asarray(dataset.labels[label]).astype(str)
            picture(ClassMap(classes, shape, "Ground truth", ~cube.is_labelled(classes)), key="cube_truth_map")


def _maps(parts: Parts, shares: Array, shape: tuple[int, int]) -> None:
    st.markdown("**Abundance maps**: the share of each material in every pixel")
    shared = switch("One scale for all maps", "cube_shared", help="Off: every map uses its own range.")
    pictures = cube.maps(shares, shape)
    side = max(96, min(220, 900 // min(parts.rank, 5)))
    picture(
        PictureTiles(
            pictures,
            [f"{name} · mean {percent(s, 2)}" for name, s in zip(parts.names, shares.mean(axis=0), strict=True)],
            told="Abundance maps, bright where a material makes up much of a pixel: "
            + ", ".join(
                f"{n} {percent(s, 2)} on average" for n, s in zip(parts.names, shares.mean(axis=0), strict=True)
            )
            + ".",
            frame=pd.DataFrame(shares, columns=list(parts.names)).rename_axis("pixel"),
            colors=parts.colors,
            columns=min(parts.rank, 5),
            colormap="viridis",
            limits=(0.0, 1.0) if shared else "each",
            side=side,
        ),
        key="cube_maps",
    )


def _spectra(dataset: Dataset, parts: Parts, label: str, X: Array) -> None:
    st.markdown("**End members**: the spectrum of each material")
    others, names = np.zeros((0, X.shape[1])), ()
    if label:
        classes = np.asarray(dataset.labels[label]).astype(str)
        known = [c for c in np.unique(classes) if cube.is_labelled(np.array([c]))[0]]
        with st.container(horizontal=True, vertical_alignment="bottom"):
            picked = st.multiselect("Mean spectra of classes beside them (dotted)", known, key="cube_classes")
        if picked:
            others = np.stack([X[classes == c].mean(axis=0) for c in picked])
            names = tuple(picked)
    picture(EndMembers(dataset, parts, others, names), key="cube_spectra")


def _beside_truth(dataset: Dataset, parts: Parts, shares: Array, label: str) -> None:
    classes = np.asarray(dataset.labels[label])
    st.markdown("**Which material tells which class**")
    table = cube.telling(shares, classes)
    table["part"] = [parts.names[k] for k in table["part"]]
    st.dataframe(
        table.rename(columns={"part": "material"}),
        hide_index=True,
        column_config={
            "AUC": st.column_config.ProgressColumn(
                "AUC",
                help="Chance that a pixel of the class holds more of the material than another labelled pixel; 0.5 is a coin.",
                min_value=0.5,
                max_value=1.0,
                format="%.2f",
            ),
        },
    )


def _claim(dataset: Dataset, result: FitResult, label: str) -> None:
    light = single(dataset)
    work = cube.AgreementWork(light.id, result.request, label)
    found = jobs.run(work, light, label="k-means beside it", key="cube_agreement")
    if found is not None:
        claim(cube_claim(found))
