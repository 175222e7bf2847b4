"""Explore: choose data, factorize, see the parts."""

from __future__ import annotations

import streamlit as st

from nmf_core.components import SCALE_HELP, SCALES, feature_axis, present
from nmf_core.figures.component_bars import ComponentBars, GroupedBars
from nmf_core.figures.component_lines import ComponentLines
from nmf_core.figures.component_tiles import ComponentTiles
from nmf_core.figures.error_curve import ErrorCurve
from nmf_core.figures.heatmaps import FeatureHeatmap, SampleHeatmap
from pages.ui import data, fitting, model, widgets
from pages.ui.widgets import md

dataset = data.chosen()
info = data.info_of(dataset)
request = model.request(dataset)
rows, cols = (info.rows_are, info.cols_are) if info else ("rows", "columns")
widgets.story(
    "Explore",
    f"**{md(dataset.name)}**: each of {dataset.shape[0]:,} {rows} is shown as a sum of **{request.rank}** "
    f"part{'s' if request.rank > 1 else ''}. A part (a row of H) says which {cols} go together; "
    f"the recipe (a row of W) says how much of each part one of the {rows} holds.",
)
result = fitting.fit(dataset, request)
if result is None:
    st.stop()
fitting.outcome(result)
scale = st.segmented_control("Scale", SCALES, default=SCALES[0], key="scale", required=True, bind="query-params")
parts = present(dataset, result, scale=scale or SCALES[0])
st.caption(SCALE_HELP[parts.scale])
left, right = st.columns(2)
with left:
    if dataset.cell_shape:
        widgets.picture(ComponentTiles(dataset, parts), key="tiles")
    elif feature_axis(dataset) is not None:
        widgets.picture(ComponentLines(dataset, parts), key="lines")
    else:
        widgets.picture(ComponentBars(dataset, parts), key="bars")
with right:
    widgets.picture(SampleHeatmap(dataset, parts), key="w")
widgets.picture(FeatureHeatmap(dataset, parts), key="h")
widgets.picture(ErrorCurve(dataset, result), key="error")
widgets.picture(GroupedBars(dataset, parts), key="grouped")
