"""Section Compression: a picture stored by NMF, truncated SVD and JPEG in the same number of bytes."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import streamlit as st

from nmf_core import Dataset
from nmf_core.figures.images_curves import MethodLines
from nmf_core.figures.images_panels import Panel, Panels
from nmf_core.figures.images_tiles import PictureTiles
from nmf_core.figures.png import to_rgb
from nmf_core.lenses.images import blocks, codec, pictures
from nmf_core.lenses.images.claims import compression_claim
from nmf_core.lenses.images.compression import Coded, Compression, CompressionWork, RateWork
from nmf_core.lenses.images.quality import error_map
from nmf_core.types import Array
from pages.image_sections.common import claim, lead, one_picture
from pages.ui import jobs
from pages.ui.state import pick, slide, switch
from pages.ui.widgets import cards, picture

SIDE = 480
BLOCKS = {8: "8 × 8 blocks", 16: "16 × 16 blocks", 32: "32 × 32 blocks", 0: "lines of the picture"}


def show() -> None:
    """Draw the section."""
    lead(
        "A picture cut into blocks is a matrix; NMF stores a few building blocks and how much of each every block takes. Move "
        "the rank and the curtain: look for edges that lose their sharpness and flat areas that turn blocky."
    )
    colour, name = one_picture("compression", most=SIDE)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        grey = switch("Grey", "compression_grey")
        block = pick("Cut into", list(BLOCKS), "compression_block", 8, names=BLOCKS)
    shown = pictures.gray(colour) if grey else colour
    layout = blocks.Layout(shown.shape, block)
    top = max(2, min(96, *layout.matrix_shape))
    rank = slide("Rank (number of building blocks)", 1, top, "compression_rank", min(24, top))
    dataset = pictures.as_dataset(shown, name)
    work = CompressionWork(dataset.id, rank, block)
    found = jobs.run(work, dataset, label=f"Storing the picture with {rank} building blocks", key="compression_run")
    if found is None:
        return
    by_name = {c.method: c for c in found.coded}
    nmf = by_name["NMF"]
    cards(
        [
            ("Stored", f"{nmf.n_bytes / 1000:.1f} kB", codec.RULE),
            (
                "Smaller by",
                f"{found.raw_bytes / nmf.n_bytes:.1f} ×",
                f"The raw pixels take {found.raw_bytes / 1000:.0f} kB.",
            ),
            (
                "PSNR",
                f"{nmf.psnr:.1f} dB",
                "Peak signal-to-noise ratio: 40 dB looks the same, 30 dB good, 20 dB rough.",
            ),
            ("SSIM", f"{nmf.ssim:.3f}", "Structural similarity: 1 is equal."),
        ]
    )
    st.caption(f"The rule: {codec.RULE}")
    _curtain(found)
    _side_by_side(found)
    _building_blocks(found)
    _curve(dataset, work, found)
    claim(compression_claim(found))


@st.fragment
def _curtain(found: Compression) -> None:
    """Draw two pictures under a curtain that the slider moves."""
    names = {"Original": found.original, **{c.method: c.picture for c in found.coded}}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        left = pick("Left of the curtain", list(names), "curtain_left", "Original")
        right = pick("Right of the curtain", list(names), "curtain_right", "NMF")
    at = slide("Curtain", 0, 100, "curtain", 50, help="0: only the right picture, 100: only the left one.")
    st.image(
        curtain(names[left], names[right], at / 100),
        width="stretch",
        caption=f"{left} | {right}",
        alt=f"The picture, {left} in the left {at} % and {right} in the rest.",
    )


def curtain(left: Array, right: Array, share: float) -> bytes:
    """Return a WebP of `left` up to a share of the width and `right` beyond, with a line between, enlarged twice."""
    from PIL import Image

    width = left.shape[1]
    edge = round(share * width)
    joined = to_rgb(np.concatenate([left[:, :edge], right[:, edge:]], axis=1))
    joined = joined.repeat(2, axis=0).repeat(2, axis=1)
    if 0 < edge < width:
        joined[:, max(0, 2 * edge - 1) : 2 * edge + 1] = np.uint8(230) if joined.ndim == 2 else (230, 159, 0)
    buffer = io.BytesIO()
    Image.fromarray(joined).save(buffer, "WEBP", quality=92, method=2)
    return buffer.getvalue()


def _side_by_side(found: Compression) -> None:
    errors = switch("Show where the errors are", "compression_errors")
    frame = _table(found.coded)
    if errors:
        maps = [error_map(found.original, c.picture) for c in found.coded]
        top = max(float(m.max()) for m in maps) or 1.0
        panels = [Panel("Original", found.original)]
        panels += [
            Panel(f"{c.method}: error", m, "error", (0.0, top), f"largest {m.max():.2f} of 1")
            for c, m in zip(found.coded, maps, strict=True)
        ]
        told = "Absolute error per pixel, the same scale for all: " + ", ".join(
            f"{c.method} mean {m.mean():.3f}" for c, m in zip(found.coded, maps, strict=True)
        )
    else:
        panels = [Panel("Original", found.original, subtitle=f"{found.raw_bytes / 1000:.0f} kB raw")]
        panels += [
            Panel(c.method, c.picture, subtitle=f"{c.detail} · {c.n_bytes / 1000:.1f} kB · {c.psnr:.1f} dB")
            for c in found.coded
        ]
        told = "The picture as stored by each method: " + "; ".join(
            f"{c.method} ({c.detail}) {c.n_bytes:,} bytes, {c.psnr:.1f} dB, SSIM {c.ssim:.3f}" for c in found.coded
        )
    wide = found.original.shape[1] >= found.original.shape[0]
    picture(Panels(tuple(panels), told + ".", frame, columns=2 if wide else 4, most=760), key="compression_panels")
    st.dataframe(
        frame,
        hide_index=True,
        column_config={
            "PSNR (dB)": st.column_config.NumberColumn("PSNR (dB)", format="%.2f"),
            "SSIM": st.column_config.NumberColumn("SSIM", format="%.3f"),
            "bytes": st.column_config.NumberColumn("bytes", format="localized"),
        },
    )


def _table(coded: tuple[Coded, ...]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"method": c.method, "setting": c.detail, "bytes": c.n_bytes, "PSNR (dB)": c.psnr, "SSIM": c.ssim}
            for c in coded
        ]
    )


def _building_blocks(found: Compression) -> None:
    if found.layout.block == 0:
        return
    with st.expander("The building blocks", icon=":material/grid_view:"):
        H = found.H
        shape = blocks.tile_shape(found.layout)
        picture(
            PictureTiles(
                pictures.tiles(H, shape),
                (),
                told=f"{len(H)} building blocks of {found.layout.block} × {found.layout.block} pixels. Every block of the picture "
                "is a sum of these, each taken with a weight of at least zero.",
                frame=pd.DataFrame(H).rename_axis("building block"),
                side=56,
            ),
            key="compression_blocks",
        )


def _curve(dataset: Dataset, work: CompressionWork, found: Compression) -> None:
    st.markdown("**Quality over bytes**")
    if not switch("Compute the curve for this picture", "compression_curve"):
        return
    top = min(found.layout.matrix_shape)
    ranks = tuple(sorted({min(r, top) for r in (2, 4, 8, 16, 24, 32, 48)}))
    curve = jobs.run(
        RateWork(dataset.id, ranks, work.block),
        dataset,
        label="Storing the picture at several ranks",
        key="compression_rate",
        growing=True,
    )
    if curve is None:
        return
    mark = next(c.n_bytes for c in found.coded if c.method == "NMF") / 1000
    picture(
        MethodLines(curve, "kB", "PSNR", "size (kB)", "PSNR (dB)", up=True, log_x=True, mark=mark),
        key="compression_rate_chart",
    )
