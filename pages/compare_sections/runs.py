"""Pinned results beside the one on the screen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from nmf_core import Dataset, FitResult
from nmf_core.comparison.runs import changes, matched
from nmf_core.components import match, present
from pages.ui import identity, pins
from pages.ui.state import pick
from pages.ui.widgets import cards, md


def show(dataset: Dataset, result: FitResult) -> None:
    """Draw the tab."""
    st.markdown(
        "Pin a result, change anything, and see which part is which: parts are matched one to one so that their cosine "
        "similarities are largest in sum (Hungarian method)."
    )
    names = identity.of(dataset, result)
    pins.button(dataset, result, names)
    kept = [pin for pin in pins.pins() if np.array_equal(pin.dataset.cols, dataset.cols)]
    other = len(pins.pins()) - len(kept)
    if other:
        st.caption(f"{other} pinned result(s) have other features and cannot be compared with this one.")
    if not kept:
        st.info("Nothing pinned for these features yet. Pin this result, then change the rank, the seed or the solver.")
        return
    titles = {pin.key: pin.title for pin in kept}
    key = pick("Pinned result", list(titles), "pinned", list(titles)[-1], names=titles)
    pin = next(p for p in kept if p.key == key)
    st.button("Take the pin away", icon=":material/keep_off:", on_click=pins.remove, args=(key,), key="unpin")
    first = present(pin.dataset, pin.result, "component sums 1", pin.identity)
    second = present(dataset, result, "component sums 1", names)
    if key == result.request.key:
        st.info("This is the result on the screen. Change something in the sidebar to compare.")
        return
    table = matched(first, second, dataset.cols)
    found = match(first.H, second.H)
    cards(
        [
            ("Mean cosine", f"{found.similarity.mean():.3f}", "Of matched parts: 1 the same, 0 nothing in common."),
            ("Least alike", f"{found.similarity.min():.3f}", "The pair that differs most."),
            (
                "Loss",
                f"{pin.result.loss:.5g} → {result.loss:.5g}",
                "Pinned, then this one; comparable for equal data and loss alone.",
            ),
        ]
    )
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.markdown("**Parts, matched**")
        st.dataframe(
            table.rename(columns={"first": "pinned", "second": "this one"}),
            hide_index=True,
            column_config={"cosine": st.column_config.ProgressColumn(min_value=0, max_value=1, format="%.3f")},
            alt="Matched parts with their cosine similarity.",
        )
    with right:
        st.markdown("**What changed in the settings**")
        differ = [(n, a, b) for n, a, b in changes(pin.result.request, result.request) if n != "dataset_id"]
        if pin.dataset.id != dataset.id:
            differ.insert(0, ("data", pin.dataset.name, dataset.name))
        frame = pd.DataFrame([(n, str(a), str(b)) for n, a, b in differ], columns=["setting", "pinned", "this one"])
        st.dataframe(frame, hide_index=True, alt="Settings that differ.")
    st.caption(f"Pinned: {md(pin.title)}. Differences are in points of each part's own sum.")
