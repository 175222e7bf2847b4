"""Pinned results beside the one on the screen, or beside each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from nmf_core import Dataset, FitResult
from nmf_core.comparison.run import yardsticks
from nmf_core.comparison.runs import SETTINGS, Pair, changes, data_changes, matched, pair, same_main_part, told_apart
from nmf_core.components import feature_axis, present
from nmf_core.figures.compare_pairs import PairDifference, Similarity
from nmf_core.figures.grey import grey
from nmf_core.figures.images_panels import Panel, Panels
from nmf_core.figures.text import plain
from nmf_core.wording import percent
from pages.compare_sections.words import share
from pages.ui import identity, pins
from pages.ui.pins import Pin
from pages.ui.state import pick
from pages.ui.widgets import cards, picture

SCREEN = "screen"


def show(dataset: Dataset, result: FitResult) -> None:
    """Draw the tab."""
    st.markdown(
        "Pin a result, change anything (rank, seed, solver, loss, the preparation, even the data), and see which part is "
        "which: parts are matched one to one so that their cosine similarities are largest in sum (Hungarian method)."
    )
    names = identity.of(dataset, result)
    pins.button(dataset, result, names)
    here = Pin("the result on the screen", dataset, result, names)
    pinned = pins.pins()
    titles = told_apart(
        [pin.title for pin in pinned], [pin.dataset for pin in pinned], [pin.result.request for pin in pinned]
    )
    kept = {pin.key: replace(pin, title=title) for pin, title in zip(pinned, titles, strict=True)}
    if not kept:
        st.info(
            "Nothing is pinned yet. Pin this result, then change the rank, the seed or the solver. Pins stay as long as "
            "this page is open; a reload or a link does not bring them back."
        )
        return
    _overview(here, list(kept.values()))
    left, right = st.columns(2)
    names_of = {key: pin.title for key, pin in kept.items()}
    with left:
        key = pick("Pinned result (first)", list(kept), "pinned", list(kept)[-1], names=names_of)
        st.button("Take the pin away", icon=":material/keep_off:", on_click=pins.remove, args=(key,), key="unpin")
    with right:
        others = [SCREEN, *(k for k in kept if k != key)]
        against = pick("Compared with (second)", others, "against_pin", names=names_of | {SCREEN: here.title})
    first, second = kept[key], here if against == SCREEN else kept[against]
    if first.key == second.key:
        st.info("This is the very result on the screen. Change something in the sidebar to compare.")
        return
    found = _pair(first, second)
    if found is None:
        st.warning(
            "These two results have fewer than two features in common whose names tell them apart, so their parts "
            "cannot be compared."
        )
        return
    _compare(first, second, found)


def _pair(first: Pin, second: Pin) -> Pair | None:
    a, b = (present(pin.dataset, pin.result, "component sums 1", pin.identity) for pin in (first, second))
    return pair(a, first.dataset.cols, b, second.dataset.cols)


def _overview(here: Pin, kept: list[Pin]) -> None:
    if len(kept) < 2:
        return
    rows = []
    for pin in kept:
        found = _pair(pin, here)
        rows.append(
            {
                "pinned": pin.title,
                "mean cosine": float(found.matching.similarity.mean()) if found else np.nan,
                "least alike": float(found.matching.similarity.min()) if found else np.nan,
            }
        )
    st.markdown("**All pins against the result on the screen**")
    bar = {"min_value": 0, "max_value": 1, "format": "%.3f"}
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={
            "mean cosine": st.column_config.ProgressColumn(**bar),
            "least alike": st.column_config.ProgressColumn(**bar),
        },
        alt="Similarity of every pinned result with the one on the screen.",
    )


def _compare(first: Pin, second: Pin, found: Pair) -> None:
    _cards(first, second, found)
    if any(found.left_out):
        st.caption(
            f"Compared on the {len(found.cols):,} features both have; {found.left_out[0]:,} of the first and "
            f"{found.left_out[1]:,} of the second are left out."
        )
    left, right = st.columns([5, 2], gap="large")
    with left:
        st.markdown("**Parts, matched**")
        st.dataframe(
            matched(found)
            if not second.dataset.cell_shape
            else matched(found).iloc[:, :3],  # pixels have no telling names
            hide_index=True,
            column_config={"cosine": st.column_config.ProgressColumn(min_value=0, max_value=1, format="%.3f")},
            alt="Matched parts with their cosine similarity.",
        )
    with right:
        st.markdown("**What changed**")
        differ = [
            (SETTINGS.get(n, n), a, b)
            for n, a, b in changes(first.result.request, second.result.request)
            if n != "dataset_id"
        ]
        table = [(n, str(a), str(b)) for n, a, b in [*data_changes(first.dataset, second.dataset), *differ]]
        frame = pd.DataFrame(table, columns=["setting", "first", "second"])
        st.dataframe(frame, hide_index=True, alt="Settings that differ.")
    m = found.matching
    pairs = tuple(zip(m.a.tolist(), m.b.tolist(), strict=True))
    with st.expander("Similarity of every part with every other", key="similarity_open", on_change="rerun") as more:
        if more.open:
            picture(Similarity(m.cosine, found.a.names, found.b.names, pairs), key="similarity")
    st.subheader("What differs in a pair", anchor=False)
    order = np.argsort(m.similarity, kind="stable")
    told = {int(k): f"{found.a.names[m.a[k]]} → {found.b.names[m.b[k]]} (cosine {m.similarity[k]:.3f})" for k in order}
    k = pick("Pair (the least alike first)", list(told), "pair", names=told)
    _difference(second.dataset, found, int(m.a[k]), int(m.b[k]))


def _cards(first: Pin, second: Pin, found: Pair) -> None:
    m = found.matching
    errors = [yardsticks(pin.dataset, pin.result.W, pin.result.H)[0] for pin in (first, second)]
    items = [
        ("Mean cosine", f"{m.similarity.mean():.3f}", "Of matched parts: 1 the same, 0 nothing in common."),
        ("Least alike", f"{m.similarity.min():.3f}", "The matched pair that differs most."),
        (
            "Relative error",
            f"{share(errors[0])} → {share(errors[1])}",
            "‖X − WH‖ / ‖X‖, each on its own data; to be compared where the data are the same.",
        ),
    ]
    same = same_main_part(found) if np.array_equal(first.dataset.rows, second.dataset.rows) else None
    if same is not None:
        items.append(("Same main part", percent(same), "Samples whose main part is the same in both, by the matching."))
    cards(items)


def _difference(dataset: Dataset, found: Pair, i: int, j: int) -> None:
    a, b = found.a.H[i], found.b.H[j]
    names = (found.a.names[i], found.b.names[j])
    whole = len(found.cols) == dataset.shape[1]
    shape = dataset.cell_shape
    if shape and len(shape) in (2, 3) and whole:
        one, two = grey(np.stack([a, b]), shape)
        gap = two - one
        top, most = max(float(one.max()), float(two.max())) or 1.0, float(np.abs(gap).max()) or 1.0
        panels = (
            Panel(f"first: {names[0]}", one, "gray", (0.0, top)),
            Panel(f"second: {names[1]}", two, "gray", (0.0, top)),
            Panel("second − first", gap, "signed", (-most, most), "orange: more in the second, blue: less"),
        )
        told = f"{plain(names[0])} of the first result, {plain(names[1])} of the second, and their difference."
        frame = pd.DataFrame({"pixel": found.cols, "first": a, "second": b, "difference": b - a})
        picture(Panels(panels, told, frame, most=320), key="pair_pictures")
        return
    axis = feature_axis(dataset) if whole else None
    colors = (found.a.colors[i], found.b.colors[j])
    picture(PairDifference(a, b, names, colors, found.cols, axis), key="pair_difference")
    st.caption(
        "Each part is divided by its own sum, so that sizes do not matter."
        + ("" if axis is not None else " The features that differ most stand on top.")
    )
