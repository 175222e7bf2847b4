"""NMF beside SVD, PCA, vector quantization, ICA and LDA."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from nmf_core import Dataset, FitResult
from nmf_core.comparison.rivals import TITLES, RivalsWork, negatives, nmf, offered
from nmf_core.figures.compare_lines import Lines
from nmf_core.figures.compare_methods import MethodParts, MethodSample
from nmf_core.figures.images_tiles import PictureTiles
from nmf_core.lenses.images.methods import ErrorsWork
from pages.ui import jobs
from pages.ui.state import pick, slide
from pages.ui.widgets import picture

FIRST = ("PCA", "VQ")  # Lee & Seung (1999) set NMF against these two
MOST_CELLS = 20_000_000


def show(dataset: Dataset, result: FitResult) -> None:
    """Draw the tab."""
    st.markdown(
        "All methods write a sample as an offset plus amounts of components. NMF only adds, so components come out as "
        "**parts**; PCA and SVD add and take away, so theirs are **contrasts**; vector quantization picks one **whole**."
    )
    if dataset.shape[0] * dataset.shape[1] > MOST_CELLS:
        st.info(
            "The other methods need the whole table in memory at once; these data are too large for that. Take fewer rows or columns on the page Data."
        )
        return
    everything = offered(dataset)
    names = st.pills(
        "Beside NMF", everything, selection_mode="multi", default=[n for n in FIRST if n in everything], key="rivals"
    )
    if not names:
        st.info("Choose at least one method to compare with.")
        return
    rank = result.request.rank
    work = RivalsWork(dataset.id, rank=rank, names=tuple(n for n in everything if n in names), seed=result.request.seed)
    rivals = jobs.run(work, dataset, label="Decomposing by other methods", key="rivals_run", growing=True)
    if not rivals:
        return
    methods = (nmf(dataset, result), *rivals)
    if dataset.cell_shape and len(dataset.cell_shape) == 2:
        _tiles(dataset, methods)
    else:
        picture(MethodParts(dataset, methods, TITLES), key="method_parts")
    _summary(methods)
    st.subheader("One sample, rebuilt by each", anchor=False)
    n = dataset.shape[0]
    if n <= 2000:
        row = pick("Sample", range(n), "row", names=lambda i: str(dataset.rows[i]))
    else:
        row = int(st.number_input(f"Sample (0 to {n - 1:,})", 0, n - 1, 0, key="compare_row"))
    steps = (
        slide("Components added", 1, rank, "compare_steps", rank, help="The largest contribution first.")
        if rank > 1
        else 1
    )
    if dataset.cell_shape and len(dataset.cell_shape) == 2:
        _rebuilt(dataset, methods, row, steps)
    else:
        picture(MethodSample(dataset, methods, row, steps), key="method_sample")
    with st.expander("Error at each rank", key="ranks_open", on_change="rerun") as more:
        if more.open:
            _ranks(dataset)


def _tiles(dataset: Dataset, methods: tuple) -> None:
    for method in methods:
        st.markdown(f"**{TITLES[method.name]}** · relative error {100 * method.error:.3g} %")
        shape = dataset.cell_shape
        signed = bool(negatives(method))
        tiles = method.parts.reshape(-1, *shape)[:48]
        told = f"{len(tiles)} components of {method.name}, {'both signs' if signed else 'nothing negative'}."
        frame = pd.DataFrame(
            {"component": np.arange(1, len(tiles) + 1), "negative entries": (tiles < 0).mean(axis=(1, 2))}
        )
        picture(
            PictureTiles(tiles, (), told, frame, colormap="signed" if signed else "ink"), key=f"tiles_{method.name}"
        )


def _rebuilt(dataset: Dataset, methods: tuple, row: int, steps: int) -> None:
    x = np.nan_to_num(np.asarray(dataset.X[row], dtype=float))
    tiles, captions = [x], ["original"]
    for method in methods:
        pieces = method.codes[row][:, None] * method.parts
        order = np.argsort(-np.abs(pieces).sum(axis=1), kind="stable")[:steps]
        tiles.append(np.clip(method.offset + pieces[order].sum(axis=0), 0, x.max() or 1))
        captions.append(method.name)
    errors = [float(np.linalg.norm(x - t)) / (float(np.linalg.norm(x)) or 1.0) for t in tiles]
    frame = pd.DataFrame({"method": captions, "left over": errors})
    told = f"The sample and its sum of {steps} components by {', '.join(captions[1:])}."
    stacked = np.stack(tiles).reshape(-1, *dataset.cell_shape)
    limits = (0.0, float(x.max()) or 1.0)
    picture(PictureTiles(stacked, tuple(captions), told, frame, colormap="gray", limits=limits), key="method_pictures")


def _summary(methods: tuple) -> None:
    rows = [
        {
            "method": m.name,
            "relative error": m.error,
            "negative entries": negatives(m),
            "sparseness of components": float(np.nanmean(m.sparseness_parts)),
            "sparseness of codes": float(np.nanmean(m.sparseness_codes))
            if np.isfinite(m.sparseness_codes).any()
            else np.nan,
        }
        for m in methods
    ]
    config = {
        "relative error": st.column_config.NumberColumn(format="percent", help="‖X − rebuilt‖ / ‖X‖"),
        "negative entries": st.column_config.NumberColumn(
            format="percent", help="Share of entries of components and codes."
        ),
        "sparseness of components": st.column_config.NumberColumn(
            format="%.3f", help="Hoyer: 0 all alike, 1 one entry alone."
        ),
        "sparseness of codes": st.column_config.NumberColumn(
            format="%.3f", help="Hoyer's, of the amounts of each sample."
        ),
    }
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, column_config=config, alt="Error, signs and sparseness of each method."
    )
    least = min(rows, key=lambda r: r["relative error"])
    own = rows[0]
    signed = [r for r in rows if r["negative entries"] > 0]
    bought = (
        f"{' and '.join(r['method'] for r in signed)} need negative entries ({', '.join(format(r['negative entries'], '.0%') for r in signed)})"
        if signed
        else "none of these methods needs negative entries"
    )
    st.markdown(
        f"**Measured here:** the smallest error is {least['method']}'s ({100 * least['relative error']:.3g} %); NMF's is "
        f"{100 * own['relative error']:.3g} %. Any difference is the price of a sum without minus signs: {bought}, NMF none."
    )


def _ranks(dataset: Dataset) -> None:
    top = min(dataset.max_rank, 40)
    ranks = tuple(sorted({min(r, top) for r in (1, 2, 3, 4, 6, 9, 14, 20, 30, 40)}))
    frame = jobs.run(
        ErrorsWork(dataset.id, ranks=ranks), dataset, label="Fitting every rank", key="ranks_run", growing=True
    )
    if frame is not None:
        long = frame.melt("rank", var_name="method", value_name="relative error").dropna()
        picture(Lines(long, "rank", "relative error", "method", percent=True), key="rank_errors")
