"""Section Methods: NMF, PCA and vector quantization side by side."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import streamlit as st

from nmf_core import Dataset
from nmf_core.figures.images_code import CodeMatrix
from nmf_core.figures.images_curves import MethodLines
from nmf_core.figures.images_panels import Panel, Panels
from nmf_core.figures.images_tiles import PictureTiles
from nmf_core.lenses.images.claims import parts_claim
from nmf_core.lenses.images.methods import LONG, Comparison, ErrorsWork, RivalsWork, compare, comparison_table
from nmf_core.lenses.images.pictures import tiles
from nmf_core.wording import percent
from pages.image_sections.common import claim, collection, controls, factorize, lead, one_row
from pages.ui import jobs
from pages.ui.state import switch
from pages.ui.widgets import picture

RANKS = (4, 9, 16, 25, 36, 49, 64, 81, 100)
AUTOMATIC = 3_000_000  # cells up to which the error at every rank is computed unasked


def show() -> None:
    """Draw the section."""
    dataset = collection()
    lead(
        "Three ways to write the same pictures with equally many building blocks (after Lee & Seung 1999, Figure 1). Look at "
        "the white space: NMF's blocks are parts, PCA's are whole faces with plus (orange) and minus (blue), k-means' are "
        "whole faces."
    )
    rank, sparseness, seed = controls(dataset)
    result = factorize(dataset, rank, sparseness, seed)
    if result is None:
        return
    rivals = jobs.run(
        RivalsWork(dataset.id, rank), dataset, label=f"PCA and vector quantization at rank {rank}", key="images_rivals"
    )
    if rivals is None:
        return
    comparison = compare(dataset, result, rivals)
    if comparison.note:
        st.caption(comparison.note)
    _blocks(dataset, comparison)
    row = one_row(dataset, "images_row")
    st.markdown("**How much of each block the picture holds** (orange adds, blue takes away)")
    columns = math.ceil(math.sqrt(comparison.rank))
    picture(
        CodeMatrix(
            tuple(m.codes[row] * np.linalg.norm(m.parts, axis=1) for m in comparison.methods),
            tuple(m.name for m in comparison.methods),
            columns,
        ),
        key="images_codes",
    )
    _rebuilt(dataset, comparison, row)
    st.markdown("**Measured over all pictures**")
    shares = ["relative error", "negative values in parts"]
    st.dataframe(
        comparison_table(comparison),
        hide_index=True,
        column_config={
            **{c: st.column_config.NumberColumn(c, format="percent") for c in shares},
            "sparseness of parts": st.column_config.NumberColumn("sparseness of parts", format="%.2f"),
            "sparseness of codes": st.column_config.NumberColumn("sparseness of codes", format="%.2f"),
            "parts used for a picture": st.column_config.NumberColumn("parts used for a picture", format="%.1f"),
        },
    )
    st.caption(
        "Sparseness is Hoyer's: 0 all entries equal, 1 a single one. Codes of VQ are sparsest of all (one block a picture), "
        "and its error is the largest: one whole cannot be varied."
    )
    _errors(dataset, comparison.rank, sparseness, seed)
    claim(parts_claim(comparison))


def _blocks(dataset: Dataset, comparison: Comparison) -> None:
    columns = math.ceil(math.sqrt(comparison.rank))
    for place, method in zip(st.columns(3, gap="medium"), comparison.methods, strict=False):
        with place:
            st.markdown(f"**{LONG[method.name]}**")
            sparse = method.sparseness_parts[np.isfinite(method.sparseness_parts)]
            mean = float(sparse.mean()) if sparse.size else float("nan")
            picture(
                PictureTiles(
                    tiles(method.parts, dataset.cell_shape or ()),
                    (),
                    told=f"{len(method.parts)} building blocks of {method.name}. Mean sparseness {mean:.2f}; "
                    f"{percent((method.parts < 0).mean(), 2)} of their pixels are negative.",
                    frame=pd.DataFrame(
                        {"block": np.arange(1, len(method.parts) + 1), "sparseness": method.sparseness_parts}
                    ),
                    hover=[f"block {k + 1}: sparseness {s:.2f}" for k, s in enumerate(method.sparseness_parts)],
                    columns=columns,
                    colormap="signed" if (method.parts < 0).any() else "ink",
                    side=46,
                ),
                key=f"images_blocks_{method.name}",
            )
            st.caption(f"Sparseness {mean:.2f} · relative error {percent(method.error)}")


def _rebuilt(dataset: Dataset, comparison: Comparison, row: int) -> None:
    shape = dataset.cell_shape or ()
    raw = dataset.X[[row]]
    original = np.asarray(raw.toarray() if hasattr(raw, "toarray") else raw, dtype=np.float64).ravel()
    high = float(np.nanmax(original)) or 1.0
    size = float(np.sqrt(np.nansum(original**2))) or 1.0
    panels, errors = [Panel("Original", _one(original, shape, high), "gray", (0.0, high), str(dataset.rows[row]))], {}
    for method in comparison.methods:
        back = method.rebuilt(row)
        errors[method.name] = float(np.sqrt(np.nansum((original - back) ** 2))) / size
        title = f"error {percent(errors[method.name])}"
        panels.append(Panel(method.name, _one(back, shape, high), "gray", (0.0, high), title))
    told = ", ".join(f"{name} {percent(error)}" for name, error in errors.items())
    picture(
        Panels(
            tuple(panels),
            told=f"{dataset.rows[row]} and what each method makes of it; relative error: {told}.",
            frame=pd.DataFrame({"method": errors.keys(), "relative error": errors.values()}),
            most=320,
        ),
        key="images_methods_rebuilt",
    )


def _one(values: np.ndarray, shape: tuple[int, ...], high: float) -> np.ndarray:
    out = tiles(values[None], shape)[0]
    return np.clip(out / high, 0, 1) if out.ndim == 3 else out


def _errors(dataset: Dataset, rank: int, sparseness: float, seed: int) -> None:
    ranks = tuple(sorted({r for r in RANKS if r <= max(49, rank) and r <= dataset.max_rank}))
    st.markdown("**Error at each rank**")
    n, m = dataset.shape
    if n * m > AUTOMATIC and not switch("Compute it (may take a minute)", "images_errors"):
        return
    work = ErrorsWork(dataset.id, ranks, sparseness, seed)
    wide = jobs.run(work, dataset, label="Errors at several ranks", key="images_errors_run", growing=True)
    if wide is None:
        return
    frame = wide.melt("rank", var_name="method", value_name="relative error")
    picture(
        MethodLines(frame, "rank", "relative error", "rank", "relative error", percent=True, mark=float(rank)),
        key="images_errors_chart",
    )
