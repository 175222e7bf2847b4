"""Section Denoising: a picture damaged on purpose and restored from patches."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from nmf_core.figures.images_panels import Panel, Panels
from nmf_core.figures.images_tiles import PictureTiles
from nmf_core.lenses.images import pictures
from nmf_core.lenses.images.claims import denoising_claim
from nmf_core.lenses.images.denoising import Denoising, DenoisingWork
from nmf_core.lenses.images.noise import KINDS
from nmf_core.lenses.images.quality import error_map
from pages.image_sections.common import claim, lead, one_picture
from pages.ui import jobs
from pages.ui.state import number, pick, slide, switch
from pages.ui.widgets import cards, picture

SIDE = 320
#: Few parts cannot draw noise, many can: what has proved itself for each kind.
RANKS = {"missing": 24, "salt-and-pepper": 32, "gaussian": 24, "speckle": 16}


def show() -> None:
    """Draw the section."""
    lead(
        "A grey picture is damaged, cut into overlapping patches, and rebuilt from a few patches that it has in common. Look "
        "whether edges and texture come back where a filter would smear them, and where noise is mistaken for structure."
    )
    colour, name = one_picture("denoising", most=SIDE)
    kind = pick(
        "Damage", list(KINDS), "damage", "missing", names={k: title for k, (title, *_) in KINDS.items()}, segmented=True
    )
    _, meaning, low, high, default = KINDS[kind]
    left, middle, right = st.columns(3, vertical_alignment="bottom")
    with left:
        strength = slide(
            f"Strength: {meaning}", low, high, f"damage_{kind}", default, step=0.01, help="Drawn anew for every seed."
        )
    with middle:
        rank = slide("Parts", 2, 64, f"denoising_rank_{kind}", RANKS[kind], help="Fewer parts smooth more.")
    with right:
        side = pick("Patches", [6, 8, 10, 12], "denoising_side", 8, names=lambda n: f"{n} × {n} pixels")
    trust = False
    with st.expander("More settings", icon=":material/tune:"):
        seed = int(number("Seed of the damage", 0, 9999, "denoising_seed", 0, step=1))
        if kind == "salt-and-pepper":
            trust = switch(
                "Trust black and white pixels",
                "denoising_trust",
                help="Off: pixels at the very ends of the scale are treated as missing. On: every pixel counts.",
            )
    picture_ = pictures.gray(colour)
    dataset = pictures.as_dataset(picture_, name)
    step = side // 2 if kind in ("missing", "salt-and-pepper") else max(2, side // 4)
    work = DenoisingWork(
        dataset.id, kind, strength, seed, rank, side, step, trust, 30 if kind in ("missing", "salt-and-pepper") else 60
    )
    found = jobs.run(work, dataset, label=f"Restoring the picture from {rank} parts", key="denoising_run")
    if found is None:
        return
    _numbers(found)
    _pictures(found)
    with st.expander("The parts: patches the picture was rebuilt from", icon=":material/grid_view:"):
        picture(
            PictureTiles(
                pictures.tiles(found.H, (found.side, found.side)),
                (),
                told=f"{len(found.H)} patches of {found.side} × {found.side} pixels, learned from the damaged picture alone.",
                frame=pd.DataFrame(found.H).rename_axis("patch"),
                side=56,
            ),
            key="denoising_parts",
        )
    claim(denoising_claim(found))
    st.caption(
        "The filters' settings were picked for the best PSNR with the undamaged picture at hand, which flatters them."
    )


def _numbers(found: Denoising) -> None:
    nmf, start = found.of("NMF on patches"), found.restored[0]
    if nmf is None:
        return
    cards(
        [
            (start.method, f"{start.psnr:.1f} dB", f"PSNR to begin with: {start.detail}."),
            ("NMF on patches", f"{nmf.psnr:.1f} dB", nmf.detail),
            ("Gain", f"{nmf.psnr - start.psnr:+.1f} dB", "PSNR of NMF less that of the start."),
            ("SSIM", f"{nmf.ssim:.3f}", f"Structural similarity of NMF's picture; {start.ssim:.3f} to begin with."),
        ]
    )


def _pictures(found: Denoising) -> None:
    frame = pd.DataFrame(
        [{"method": r.method, "setting": r.detail, "PSNR (dB)": r.psnr, "SSIM": r.ssim} for r in found.restored]
    )
    errors = switch("Show where the errors are", "denoising_errors")
    panels = [Panel("Undamaged", found.truth), Panel("Damaged", found.damaged.picture)]
    shown = found.restored if np.isnan(found.damaged.picture).any() else found.restored[1:]
    if errors:
        maps = [error_map(found.truth, r.picture) for r in shown]
        top = float(np.percentile(np.stack(maps), 99.5)) or 1.0
        panels += [
            Panel(r.method, m, "error", (0.0, top), f"mean error {m.mean():.3f}")
            for r, m in zip(shown, maps, strict=True)
        ]
    else:
        panels += [Panel(r.method, r.picture, subtitle=f"{r.psnr:.1f} dB · SSIM {r.ssim:.3f}") for r in shown]
    told = "; ".join(f"{r.method} {r.psnr:.1f} dB, SSIM {r.ssim:.3f}" for r in found.restored)
    picture(
        Panels(
            tuple(panels), f"The damaged picture and what each method makes of it: {told}.", frame, columns=3, most=760
        ),
        key="denoising_panels",
    )
    st.dataframe(
        frame,
        hide_index=True,
        column_config={
            "PSNR (dB)": st.column_config.NumberColumn("PSNR (dB)", format="%.2f"),
            "SSIM": st.column_config.NumberColumn("SSIM", format="%.3f"),
        },
    )
