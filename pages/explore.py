"""Explore: choose data, factorize, see the parts."""

from __future__ import annotations

import streamlit as st

from nmf_core.components import SCALE_HELP, SCALES, present
from nmf_core.defaults import suggested_scale
from pages.explore_sections import views
from pages.explore_sections.new_rows import new_rows
from pages.explore_sections.take_along import take_along
from pages.explore_sections.views import View
from pages.ui import component_editor, data, fitting, identity, model, pins, widgets
from pages.ui.state import pick

VIEWS = {
    "Parts": views.parts,
    "Samples": views.samples,
    "Fit": views.quality,
    "New rows": new_rows,
    "Take along": take_along,
}

dataset = data.chosen()
info = data.info_of(dataset)
work = model.work(dataset)
rows, cols = (info.rows_are, info.cols_are) if info else ("rows", "columns")
widgets.story(
    "Explore",
    f"**{widgets.md(dataset.name)}**: each of {dataset.shape[0]:,} {rows} is shown as a sum of **{work.request.rank}** "
    f"part{'s' if work.request.rank > 1 else ''}. A part (a row of H) says which {cols} go together; "
    f"the recipe (a row of W) says how much of each part one of the {rows} holds.",
)
result = fitting.fit(dataset, work)
if result is not None:
    head = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        scale = pick(
            "Scale of W and H (WH stays the same)",
            SCALES,
            data.SCALE,
            suggested_scale(dataset),
            segmented=True,
            help="\n".join(f"- **{name}**: {text}" for name, text in SCALE_HELP.items()),
        )
        fitting.go_on(result)
        names = identity.of(dataset, result)
        pins.button(dataset, result, names)
    view = View(dataset, info, result, present(dataset, result, scale, names), names)
    with head:
        widgets.cards(views.numbers(view)[: views.FIRST_CARDS])
        fitting.outcome(dataset, result)
    with st.expander(
        "Names and colours of the parts", icon=":material/palette:", key="names", on_change="rerun"
    ) as more:
        if more.open:
            component_editor.draw(dataset, result, view.parts, names)
    tabs = st.tabs(list(VIEWS), key="view", on_change="rerun", bind="query-params")
    for tab, draw in zip(tabs, VIEWS.values(), strict=True):
        if tab.open:
            with tab:
                draw(view)
