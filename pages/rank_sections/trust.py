"""Trust: do the components of the chosen rank hold?"""

from __future__ import annotations

import streamlit as st

from nmf_core.figures.rank_curves import RestartLosses
from nmf_core.selection.stability import distinct_solutions
from pages.rank_sections.context import View
from pages.ui import widgets


def show(view: View) -> None:
    """Draw restarts of the rank looked at."""
    e = view.sweep.at(view.rank)
    st.markdown(f"#### Restarts at rank {view.rank}")
    group = distinct_solutions(e.losses, view.sweep.components(view.rank))
    widgets.picture(RestartLosses(e.losses, group), key="restart_losses", download="restarts")
