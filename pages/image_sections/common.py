"""What the sections of the page Images share: data, controls, claims, single pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from nmf_core import Dataset, FitResult
from nmf_core.fit import FitWork
from nmf_core.lenses.images import pictures
from nmf_core.lenses.images.claims import Claim
from nmf_core.lenses.images.methods import nmf_request
from nmf_core.lenses.images.prepare import single
from nmf_core.types import Array
from pages.ui import data, jobs, uploads
from pages.ui.state import number, pick, slide
from pages.ui.widgets import md

UPLOAD = "upload"
_UPLOADED = "_own_picture"  # (file id, name, picture): decoded once, not on every rerun


def collection() -> Dataset:
    """Draw the picker for sets of pictures and return the chosen set; stops the page if its rows are no pictures."""
    dataset = data.chosen({"images"}, key="images_data", default="faces_orl")
    with st.sidebar, st.expander("Open a folder of pictures", icon=":material/photo_library:"):
        _folder()
    shape = dataset.cell_shape
    if shape is None or int(np.prod(shape)) != dataset.shape[1]:
        st.info(
            "The rows of these data are not known to be pictures of one size. Open pictures (several files, a folder, a zip), "
            "or an array of pictures × height × width.",
            icon=":material/image_not_supported:",
        )
        st.stop()
    return dataset


def _folder() -> None:
    files: Any = st.file_uploader(
        "Pictures are brought to one size, in grey",
        type=[e.lstrip(".") for e in (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp")],
        accept_multiple_files="directory",
        key="images_folder",
        help="Folders inside become labels, so that recognition can be tried.",
    )
    if not files:
        return
    upload, new = uploads.take(files)
    reading = upload.reading
    if reading.dataset is None:
        told = reading.message or "These pictures need a decision of yours, on the page Data."
        st.error(md(told, 600), icon=":material/error:")
    elif new:
        data.use(reading.dataset)
        st.rerun()


def controls(dataset: Dataset, *, most: int = 100) -> tuple[int, float, int]:
    """Draw the controls of a factorization in the sidebar: rank, sparseness of the parts, seed."""
    top = max(1, min(dataset.max_rank, most))
    with st.sidebar:
        rank = 1
        if top > 1:
            rank = slide(
                "Rank (number of parts)",
                1,
                top,
                f"images_rank_{dataset.id[:6]}",
                min(data.recommended_rank(dataset), top),
                help="Lee & Seung (1999) used 49 for faces.",
            )
        sparseness = slide(
            "Sparseness of the parts, at least",
            0.0,
            0.85,
            "images_sparseness",
            0.0,
            step=0.05,
            help="0 is plain NMF. Higher values hold every part to Hoyer's sparseness of that much (0: even grey, 1: one "
            "pixel), which makes parts smaller and more local, at some price in error.",
        )
        seed = slide(
            "Start", 0, 20, "images_seed", 0, help="0 starts from the SVD; every other number is a random start."
        )
    return int(rank), float(sparseness), int(seed)


def factorize(dataset: Dataset, rank: int, sparseness: float, seed: int, *, growing: bool = False) -> FitResult | None:
    """Return NMF of the pictures in single precision, or draw how far it is (and return the parts so far if growing)."""
    light = single(dataset)
    request = nmf_request(rank, sparseness, seed).with_(dataset_id=light.id)
    label = f"Finding {rank} parts in {dataset.name}"
    return jobs.run(FitWork(request), light, label=label, key="images_fit", growing=growing)


def one_picture(key: str, *, most: int) -> tuple[Array, str]:
    """Draw the choice of a single picture, a sample or an upload, and return it in colour with its name."""
    source = pick(
        "Picture",
        [*pictures.SAMPLES, UPLOAD],
        f"{key}_picture",
        "china",
        names={**pictures.SAMPLES, UPLOAD: "Your own …"},
        segmented=True,
    )
    if source != UPLOAD:
        return _sample(source, most), pictures.SAMPLES[source]
    file = st.file_uploader(
        "A picture of your own",
        type=[f.lower() for f in (*pictures.FORMATS, "jpg", "tif")],
        key=f"{key}_file",
        help=f"It is scaled down to {most} pixels on its longer side and kept in this session only.",
    )
    if file is not None:
        kept = st.session_state.get(_UPLOADED)
        if kept is None or kept[0] != (file.file_id, most):
            try:
                st.session_state[_UPLOADED] = ((file.file_id, most), file.name, pictures.decode(file.getvalue(), most))
            except pictures.UnreadablePicture as refusal:
                st.error(str(refusal), icon=":material/error:")
                st.stop()
        _, name, picture = st.session_state[_UPLOADED]
        if min(picture.shape[:2]) < 16:
            st.error("The picture is smaller than 16 pixels on a side; take a larger one.", icon=":material/error:")
            st.stop()
        return picture, name
    st.info("Choose a file above.", icon=":material/upload_file:")
    st.stop()
    raise AssertionError  # st.stop does not return


@st.cache_resource(max_entries=8, show_spinner=False)
def _sample(name: str, most: int) -> Array:
    picture = pictures.shrink(pictures.sample(name), most)
    picture.flags.writeable = False
    return picture


def lead(text: str) -> None:
    """Draw the two sentences that open a section."""
    st.markdown(text)


def claim(found: Claim) -> None:
    """Draw a measured claim: what held, what did not."""
    icon = {True: ":material/check_circle:", False: ":material/cancel:", None: ":material/balance:"}[found.holds]
    st.markdown("**Measured here**")
    with st.container(border=True):
        st.markdown(f"{icon} {md(found.text, 1500)}")


def one_row(dataset: Dataset, key: str) -> int:
    """Draw the choice of one picture of the set: by name, or by number where names would be too many for a list."""
    n = dataset.shape[0]
    if n <= 1500:
        return int(pick("Picture", range(n), key, 0, names=lambda i: str(dataset.rows[i])[:80]))
    return int(number(f"Picture (1 to {n:,})", 1, n, f"{key}_number", 1, step=1)) - 1
