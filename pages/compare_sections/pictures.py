"""Methods on pictures: blocks, codes and sums of all of them on one screen (after Lee & Seung 1999, Figure 1)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from nmf_core import Dataset
from nmf_core.comparison.rivals import SHORT, running_sum
from nmf_core.figures.compare_blocks import MOST, MethodBlocks
from nmf_core.figures.grey import grey
from nmf_core.figures.images_tiles import PictureTiles
from nmf_core.figures.text import plain
from nmf_core.wording import percent
from pages.ui.widgets import picture


def blocks(
    dataset: Dataset,
    methods: tuple[Any, ...],
    names: dict[str, tuple[str, ...]],
    colors: dict[str, tuple[str, ...]],
    row: int,
) -> None:
    """Draw each method's blocks and, below, how much of each the chosen picture holds."""
    across = 3 if len(methods) > 4 else len(methods)
    for first in range(0, len(methods), across):
        some = methods[first : first + across]
        shown = MethodBlocks(some, dataset.cell_shape or (), row, SHORT, names, colors, across)
        picture(shown, key=f"method_blocks_{first}")
        _as_high_as_wide_asks(f"method_blocks_{first}", shown)
    more = max(len(method.parts) for method in methods)
    st.caption(
        "Blocks: bright is much, black is nothing (“empty”: below a twentieth of the block’s largest); where a method takes "
        "away, orange adds and blue takes away. Squares: how much of each block the chosen picture holds."
        + (f" The first {MOST} of {more} blocks are drawn." if more > MOST else "")
    )


def _as_high_as_wide_asks(key: str, shown: MethodBlocks) -> None:
    """Let a chart of blocks take no more room than it fills: Plotly keeps its height where a narrow page makes it small."""
    layout = shown.build().layout
    wide, high, most = layout.xaxis.range[1], layout.yaxis.range[0], layout.height
    st.html(
        f"<style>[class].st-key-{key} {{aspect-ratio: {wide:.4g} / {high:.4g}; max-height: {most}px; height: auto; "
        "flex: 0 0 auto; overflow: hidden}</style>"
    )


def rebuilt(dataset: Dataset, methods: tuple[Any, ...], row: int, steps: int) -> None:
    """Draw the chosen picture and the running sum of each method."""
    raw = dataset.X[[row]]
    x = np.asarray(raw.toarray() if hasattr(raw, "toarray") else raw, dtype=float).ravel()
    top = float(np.nanmax(x)) or 1.0
    size = float(np.sqrt(np.nansum(x**2))) or 1.0
    rows, captions, errors = [x], ["original"], [0.0]
    for method in methods:
        _, pieces = running_sum(method, row)
        rows.append(method.offset + pieces[:steps].sum(axis=0))
        error = float(np.sqrt(np.nansum((x - rows[-1]) ** 2))) / size
        errors.append(error if error > 1e-9 else 0.0)
        captions.append(f"{method.name}: {percent(errors[-1])} left")
    told = (
        f"{plain(dataset.rows[row])} and its sum of {steps} components, the largest first: {', '.join(captions[1:])}."
    )
    numbers = pd.DataFrame({"method": ["original", *(m.name for m in methods)], "left over": errors})
    pictures = np.clip(grey(np.stack(rows), dataset.cell_shape or ()), 0, top)
    st.markdown(f"**The picture as a sum of {steps} component{'s' if steps > 1 else ''}**")
    picture(
        PictureTiles(
            pictures, tuple(captions), told, numbers, columns=len(rows), colormap="gray", limits=(0.0, top), side=150
        ),
        key="method_pictures",
    )
