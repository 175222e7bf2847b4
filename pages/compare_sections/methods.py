"""NMF beside SVD, PCA, vector quantization, ICA and LDA."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from nmf_core import Dataset, FitResult
from nmf_core.comparison.likeness import likeness
from nmf_core.comparison.rivals import TITLES, RivalsWork, negatives, nmf, offered, signs
from nmf_core.comparison.standings import loss_title
from nmf_core.components import present
from nmf_core.figures.compare_codes import MethodCodes
from nmf_core.figures.compare_methods import MethodParts
from nmf_core.figures.compare_sample import MethodSample
from nmf_core.figures.palette import component_color
from nmf_core.types import is_sparse
from nmf_core.wording import count, percent
from pages.compare_sections import methods_more, pictures
from pages.ui import identity, jobs
from pages.ui.bound import svd_bound
from pages.ui.sample import sample
from pages.ui.several import several
from pages.ui.state import slide
from pages.ui.widgets import picture

FIRST = ("PCA", "VQ")  # Lee & Seung (1999) set NMF against these two
MOST_CELLS = 20_000_000


@dataclass(frozen=True)
class Side:
    """All methods with the names and colours of their components."""

    methods: tuple[Any, ...]
    names: dict[str, tuple[str, ...]]
    colors: dict[str, tuple[str, ...]]
    shown: tuple[Any, ...]  # without the parts a visitor has hidden, and their names and colours
    shown_names: dict[str, tuple[str, ...]]
    shown_colors: dict[str, tuple[str, ...]]


def show(dataset: Dataset, result: FitResult) -> None:
    """Draw the tab."""
    st.markdown(
        "All methods write a sample as amounts of components, some with an offset. NMF only adds, so its components tend "
        "to be **parts**; PCA and SVD add and take away, so theirs are **contrasts**; vector quantization picks one "
        "**whole** for each sample (Lee & Seung 1999)."
    )
    if dataset.shape[0] * dataset.shape[1] > MOST_CELLS:
        st.info(
            "The other methods need the whole table in memory at once; these data are too large for that. Take fewer rows "
            "or columns on the page Data."
        )
        return
    everything = offered(dataset)
    names = several("Beside NMF", everything, "rivals", FIRST, names=lambda n: n, pills=True)
    if not names:
        st.info("Choose at least one method to compare with.")
        return
    rank, seed = result.request.rank, result.request.seed
    work = RivalsWork(dataset.id, rank=rank, names=tuple(names), seed=seed)
    rivals = jobs.run(work, dataset, label="Decomposing by other methods", key="rivals_run", growing=True)
    if not rivals:
        return
    side = _side(dataset, result, rivals)
    row, steps = _sample(dataset, max(len(m.parts) for m in side.methods))
    if dataset.cell_shape and len(dataset.cell_shape) in (2, 3):
        pictures.blocks(dataset, side.shown, side.shown_names, side.shown_colors, row)
        pictures.rebuilt(dataset, side.methods, row, steps)
        _summary(dataset, result, side.methods)
    else:
        picture(MethodParts(dataset, side.shown, TITLES, side.shown_names), key="method_parts")
        _summary(dataset, result, side.methods)
        st.subheader("The sample, rebuilt by each", anchor=False)
        picture(MethodSample(dataset, side.methods, row, steps, side.names, side.colors), key="method_sample")
        st.caption(
            "Bars add up from the left, the largest contribution first; what stands left of 0 is taken away; grey is the "
            "offset (the mean). The black mark is the sample itself."
        )
    with st.expander("Codes of all samples", key="codes_open", on_change="rerun") as more:
        if more.open:
            picture(MethodCodes(side.methods, dataset.rows, side.names), key="method_codes")
    with st.expander("Which components say the same", key="alike_open", on_change="rerun") as more:
        if more.open:
            methods_more.alike(side.methods, side.names["NMF"])
    with st.expander("Error at each rank", key="ranks_open", on_change="rerun") as more:
        if more.open:
            methods_more.ranks(dataset, result, tuple(names))


def _side(dataset: Dataset, result: FitResult, rivals: tuple[Any, ...]) -> Side:
    """Put NMF, named and coloured as the visitor likes, beside its rivals, coloured like the parts they are like."""
    parts = present(dataset, result, identity=identity.of(dataset, result))
    own = nmf(dataset, parts)
    names, colors = {"NMF": parts.names}, {"NMF": parts.colors}
    for rival in rivals:
        found = likeness(own.parts, rival.parts)
        names[rival.name] = tuple(
            f"{k + 1} ≈ {parts.names[p]}" if p >= 0 else str(k + 1) for k, p in enumerate(found.partner)
        )
        colors[rival.name] = tuple(
            parts.colors[p] if p >= 0 else component_color(parts.rank + k) for k, p in enumerate(found.partner)
        )
    shown, visible = own, parts.visible()
    if parts.hidden.any() and not parts.hidden.all():
        at = np.flatnonzero(~parts.hidden)
        shown = replace(own, parts=own.parts[at], codes=own.codes[:, at], sparseness_parts=own.sparseness_parts[at])
        st.caption("Parts you have hidden are left out of the pictures of components; sums and errors count them.")
    if any(len(group) > 1 for group in parts.members):
        st.caption("Parts you have merged count as one here: NMF has fewer components than its rivals, and more error.")
    few_names, few_colors = names | {"NMF": visible.names}, colors | {"NMF": visible.colors}
    return Side((own, *rivals), names, colors, (shown, *rivals), few_names, few_colors)


def _sample(dataset: Dataset, rank: int) -> tuple[int, int]:
    left, right = st.columns(2, gap="large")
    with left:
        row = sample(dataset)
    with right:
        steps = (
            slide("Components added", 1, rank, "compare_steps", rank, help="The largest contribution comes first.")
            if rank > 1
            else 1
        )
    return row, steps


def _summary(dataset: Dataset, result: FitResult, methods: tuple[Any, ...]) -> None:
    rows = []
    for m in methods:
        in_parts, in_codes = signs(m)
        codes = m.sparseness_codes[np.isfinite(m.sparseness_codes)]
        sparse = m.sparseness_parts[np.isfinite(m.sparseness_parts)]
        rows.append(
            {
                "method": m.name,
                "components": len(m.parts),
                "relative error": m.error,
                "negative in components": in_parts,
                "negative in codes": in_codes,
                "sparseness of components": float(sparse.mean()) if sparse.size else math.nan,
                "sparseness of codes": float(codes.mean()) if codes.size else math.nan,
            }
        )
    share = {
        "relative error": "‖X − rebuilt‖ / ‖X‖ over all samples, whatever loss NMF was fitted with.",
        "negative in components": "Share of entries below 0.",
        "negative in codes": "Share of amounts below 0.",
    }
    hoyer = {
        "sparseness of components": "Hoyer: 0 all entries alike, 1 a single one.",
        "sparseness of codes": "Hoyer's, of the amounts of each sample, on average.",
    }
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={n: st.column_config.NumberColumn(format="percent", help=h) for n, h in share.items()}
        | {n: st.column_config.NumberColumn(format="%.3f", help=h) for n, h in hoyer.items()},
        alt="Error, signs and sparseness of each method.",
    )
    st.markdown(_measured(dataset, result, methods))
    if dataset.mask is not None:
        st.caption(
            "NMF leaves unknown cells out of the fit; the other methods know no unknown cells and get the means of their "
            "columns there. Errors count known cells alone."
        )


def _measured(dataset: Dataset, result: FitResult, methods: tuple[Any, ...]) -> str:
    own = methods[0]
    said = ["**Measured here:** "]
    least = min(methods, key=lambda m: m.error)
    if least is own:
        said.append(f"NMF has the smallest error, {_share(own.error)}.")
    else:
        said.append(f"the smallest error is {least.name}’s, {_share(least.error)}; NMF’s is {_share(own.error)}.")
    limit = _least_error(dataset.id, len(own.parts), dataset)
    if limit is not None:
        many = count(len(own.parts), "component")
        said.append(
            f" No {many} of any sign can get below {_share(limit)} (truncated SVD; PCA has the mean besides)."
            if limit > 1e-7
            else f" With {many} of any sign nothing need be left over (truncated SVD)."
        )
    short = [m for m in methods[1:] if m.name in ("SVD", "PCA", "ICA") and len(m.parts) < result.request.rank]
    if short:
        told = " and ".join(f"{m.name} {len(m.parts)}" for m in short)
        said.append(f" Fewer than {result.request.rank} hold anything at all: {told}; the others would be rounding.")
    signed = [m for m in methods[1:] if negatives(m) > 0]
    if signed:
        told = [f"{percent(negatives(m), 2)} of the numbers of {m.name}" for m in signed]
        said.append(f" Negative are {' and '.join(told)}; none of NMF’s.")
    if result.request.loss != "frobenius":
        said.append(f" NMF was fitted by the loss {loss_title(result.request.loss)}, not by this error.")
    return "".join(said)


def _share(error: float) -> str:
    return "0 % (exact)" if error < 1e-9 else percent(error)


@st.cache_data(max_entries=2000, show_spinner=False)
def _least_error(dataset_id: str, rank: int, _dataset: Dataset) -> float | None:
    """Return the smallest relative error of any components of any sign; None where it is not known."""
    bound = svd_bound(_dataset, rank)
    values = _dataset.X.data if is_sparse(_dataset.X) else _dataset.X
    total = float(np.square(values, dtype=np.float64).sum())
    return math.sqrt(bound / total) if bound is not None and total > 0 else None
