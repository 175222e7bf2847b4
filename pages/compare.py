"""Compare: would another method, solver, start or a worse table have said something else?"""

from __future__ import annotations

import streamlit as st

from pages.compare_sections import methods, robustness, runs, solvers
from pages.ui import data, fitting, model, widgets

SECTIONS = {"Methods": methods.show, "Solvers": solvers.show, "Runs": runs.show, "Robustness": robustness.show}

dataset = data.chosen()
work = model.work(dataset)
widgets.story(
    "Compare",
    f"Would another method, another solver or another start tell another story about **{widgets.md(dataset.name)}**? "
    "Look for what all of them agree on: that is in the data; the rest is in the method.",
)
result = fitting.fit(dataset, work)
if result is not None:
    tabs = st.tabs(list(SECTIONS), key="section", on_change="rerun", bind="query-params")
    for tab, show in zip(tabs, SECTIONS.values(), strict=True):
        if tab.open:
            with tab:
                show(dataset, result)
