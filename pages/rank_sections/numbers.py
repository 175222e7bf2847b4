"""Every number of the sweep."""

from __future__ import annotations

import streamlit as st

from pages.rank_sections.context import View


def show(view: View) -> None:
    """Draw one row per rank, one column per criterion."""
    table = view.sweep.table()
    st.dataframe(table, hide_index=True)
    st.download_button(
        "CSV, one row per rank and criterion",
        data=lambda: view.sweep.long().to_csv(index=False),
        file_name=f"ranks-{view.dataset.id[:6]}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    st.caption(
        "Relative error: ‖X − WH‖/‖X‖. Share of total variation: 1 − RSS/ΣX², uncentred. AIC and BIC assume independent errors "
        "of one size (Poisson counts for Kullback-Leibler) and count every entry of W and H as free: hints only."
    )
