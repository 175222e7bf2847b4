"""Section Recognition: who is it, by nearest neighbour on W, PCA, VQ and raw pixels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from nmf_core import Dataset
from nmf_core.figures.images_curves import MethodLines
from nmf_core.figures.images_tiles import PictureTiles, pairs
from nmf_core.lenses.images.claims import recognition_claim
from nmf_core.lenses.images.pictures import tiles
from nmf_core.lenses.images.recognition import FEATURES, MAX_ROWS, RAW, Recognition, RecognitionWork, usable_labels
from nmf_core.wording import percent
from pages.image_sections.common import claim, collection, lead
from pages.ui import jobs
from pages.ui.state import number, pick, switch
from pages.ui.widgets import cards, md, picture

RANKS = (10, 20, 40, 60, 80)
AUTOMATIC = 1_200_000  # cells up to which it starts unasked
SHOWN = 36


def show() -> None:
    """Draw the section."""
    dataset = collection()
    lead(
        "Every picture is held out once; it is written in the parts learned from the others, and takes the name of the "
        "picture whose recipe is most like its own. Look at the pairs that are taken for each other: same light and pose, "
        "other person."
    )
    labels = usable_labels(dataset)
    if not labels:
        st.info(
            "Recognition needs labels that name classes with several pictures each; these data have none. Put the pictures of "
            "each class into a folder of its own and open that.",
            icon=":material/label_off:",
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = pick("Recognise", labels, "recognition_label", labels[0])
        folds = int(number("Folds", 2, 10, "recognition_folds", 5, step=1, help="Parts of the data held out in turn."))
        seed = int(number("Seed", 0, 9999, "recognition_seed", 0, step=1, help="Of the split into folds."))
    n, m = dataset.shape
    if n > MAX_ROWS:
        st.caption(f"{MAX_ROWS:,} of the {n:,} pictures, drawn at random, take part.")
    if min(n, MAX_ROWS) * m > AUTOMATIC and not switch("Start (may take minutes)", "recognition_start"):
        return
    work = RecognitionWork(dataset.id, label, RANKS, folds, seed)
    found = jobs.run(
        work, dataset, label="Recognising held-out pictures, rank by rank", key="recognition", growing=True
    )
    if found is None:
        return
    if not found.ranks:
        st.caption("The first rank is being computed …")
        return
    _numbers(found)
    frame = found.table()
    methods = [name for name in FEATURES if name in set(frame["method"])]
    frame = frame.set_index("method").loc[methods].reset_index()
    picture(
        MethodLines(
            frame, "rank", "accuracy", "rank", "pictures recognised", error="standard error", percent=True, up=True
        ),
        key="recognition_chart",
    )
    st.caption("What is compared: " + "; ".join(f"**{name}**: {text}" for name, text in FEATURES.items()) + ".")
    _confusions(dataset, found)
    claim(recognition_claim(found))


def _numbers(found: Recognition) -> None:
    at, nmf = found.best("NMF")
    rank, pca = found.best("PCA")
    cards(
        [
            ("NMF, best rank", percent(nmf), f"At rank {at}; nearest neighbour on W by cosine."),
            ("PCA, best rank", percent(pca), f"At rank {rank}."),
            ("Raw pixels", percent(found.accuracy(RAW, 0)[0]), "Nearest neighbour on all pixels."),
            (
                "Pictures, classes",
                f"{len(found.classes)}, {len(np.unique(found.classes))}",
                f"In {found.folds} folds; each class is spread over all of them.",
            ),
        ]
    )


def _confusions(dataset: Dataset, found: Recognition) -> None:
    st.markdown("**Taken for someone else**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        methods = [name for name in FEATURES if any(name == m for m, _ in found.nearest)]
        method = pick("Method", methods, "confusion_method", "NMF", segmented=True)
        rank = 0
        if method != RAW:
            best = found.best(method)[0]
            # Until the last rank is done the best one may change, and the choice follows it.
            rank = pick("Rank", list(found.ranks), f"confusion_rank_{len(found.ranks)}_{method}", best)
    wrong, taken = found.confusions(method, rank)
    right, error = found.accuracy(method, rank)
    if not len(wrong):
        st.success("No picture was taken for another class.")
        return
    rows, others = found.rows[wrong[:SHOWN]], found.rows[taken[:SHOWN]]
    shape = dataset.cell_shape or ()
    X = dataset.X.toarray() if hasattr(dataset.X, "toarray") else dataset.X
    high = float(np.nanmax(X)) or 1.0
    left, right_tiles = (tiles(np.nan_to_num(X[r]) / high, shape) for r in (rows, others))
    names = [f"{a} → {b}" for a, b in zip(found.classes[wrong], found.classes[taken], strict=True)]
    picture(
        PictureTiles(
            pairs(left, right_tiles),
            names[:SHOWN],
            told=f"{len(wrong)} of {len(found.classes)} pictures ({percent(1 - right)}) are taken for another class by {method}: each "
            "pair shows the held-out picture and the training picture nearest to it.",
            frame=pd.DataFrame(
                {
                    "picture": dataset.rows[found.rows[wrong]],
                    "is": found.classes[wrong],
                    "taken for": found.classes[taken],
                    "nearest picture": dataset.rows[found.rows[taken]],
                }
            ),
            hover=[f"{dataset.rows[a]} taken for {dataset.rows[b]}" for a, b in zip(rows, others, strict=True)],
            limits=(0.0, 1.0),
            columns=6,
            side=100,
        ),
        key="recognition_pairs",
    )
    told = f"{len(wrong)} pictures, {percent(right)} ± {percent(error, 2)} recognised. Left the held-out picture, right its neighbour; below "
    st.caption(told + f"the {md(found_label(dataset))} they belong to.")


def found_label(dataset: Dataset) -> str:
    """Return the name of the label column that is recognised."""
    return str(st.session_state.get("recognition_label", "class"))
