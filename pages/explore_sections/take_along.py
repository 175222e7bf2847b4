"""The tab with everything a visitor can take home, and the way back in."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from nmf_core import export
from nmf_core.export import ArchiveError
from pages.explore_sections.views import View
from pages.ui import data, identity, model
from pages.ui.widgets import link, md

SAID = "_bundle_said"  # what came of the last bundle opened


def take_along(view: View) -> None:
    """Downloads, the link, and opening a bundle."""
    dataset, result, parts = view.dataset, view.result, view.parts
    builtin = data.source_of(dataset)
    stem = "".join(c if c.isascii() and c.isalnum() else "_" for c in dataset.name)[:40].strip("_").lower() or "data"
    stem = f"{stem}_rank{result.request.rank}"
    # Scripts of a visitor's own data read the files that are downloaded beside them.
    source = {**builtin, "saved": f"{stem}.zip"} if builtin else {"bundle": f"{stem}.zip"}
    matrix = builtin or {"matrix": f"{stem}_X.csv"}

    st.subheader("Numbers", anchor=False)
    with st.container(horizontal=True):
        _file(
            "W (recipes)",
            lambda: export.samples_csv(dataset, parts),
            f"{stem}_W.csv",
            "Samples × parts, with names and labels.",
        )
        _file(
            "H (parts)", lambda: export.features_csv(dataset, parts), f"{stem}_H.csv", "Parts × features, with names."
        )
        _file("WH (the model)", lambda: export.model_csv(dataset, parts), f"{stem}_WH.csv", "What the parts add up to.")
        _file("X (the data)", lambda: export.data_csv(dataset), f"{stem}_X.csv", "As it was factorized.")
        _file(
            "Trace",
            lambda: export.trace_csv(result),
            f"{stem}_trace.csv",
            "Loss and seconds of every iteration and restart.",
        )
        _file(
            "All as NPZ",
            lambda: export.result_npz(dataset, result, parts, view.identity),
            f"{stem}.npz",
            "For numpy.load; no pickle inside.",
        )
    st.subheader("The same numbers again", anchor=False)
    with st.container(horizontal=True):

        def script() -> str:
            return export.python_script(dataset, result, source=source, scale=parts.scale, identity=view.identity)

        _file("Python script", script, f"{stem}.py", "Runs with nmf_core and says whether the numbers agree.")
        if not (obstacle := export.sklearn_obstacle(dataset, result)):
            _file(
                "scikit-learn script",
                lambda: export.sklearn_script(dataset, result, source=matrix),
                f"{stem}_sklearn.py",
                "Runs with NumPy and scikit-learn alone.",
            )
        _file(
            "Notebook",
            lambda: export.notebook(dataset, result, source=source, scale=parts.scale, identity=view.identity),
            f"{stem}.ipynb",
            "The script as a Jupyter notebook.",
        )
        _file(
            "HTML report",
            lambda: export.html_report(dataset, result, parts, rows_are=view.rows_are, cols_are=view.cols_are),
            f"{stem}.html",
            "Pictures, tables and settings in one file.",
        )
        _file(
            "Bundle",
            lambda: export.save_bundle(dataset, result, scale=parts.scale, identity=view.identity, source=builtin),
            f"{stem}.zip",
            "Data, settings and result; opens here again.",
        )
    if obstacle:
        st.caption(f"No scikit-learn script: {md(obstacle, 300)}")
    with st.expander("The script", key="script_open", on_change="rerun") as more:
        if more.open:
            st.code(script(), language="python")
    st.subheader("Link", anchor=False)
    st.code(link(), language=None, wrap_lines=True)
    st.caption(
        "Opens any browser at these data, settings and view."
        + ("" if builtin else " Your own data stay on the server for a while only: keep the bundle as well.")
    )
    st.subheader("Open a bundle", anchor=False)
    st.file_uploader(
        "Bundle (.zip)", type="zip", key="bundle", on_change=_open, help="Data and settings as they were saved."
    )
    if said := st.session_state.get(SAID):
        (st.error if said[0] else st.success)(md(said[1], 600))


def _file(label: str, make: Callable[[], str | bytes], name: str, explanation: str) -> None:
    st.download_button(
        label,
        data=make,
        file_name=name,
        icon=":material/download:",
        help=explanation,
        key=f"take_{name.rsplit('_', 1)[-1]}_{label}",
        on_click="ignore",
    )


def _open() -> None:
    file = st.session_state.get("bundle")
    if file is None:
        return
    try:
        bundle = export.load_bundle(file.getvalue())
        if bundle.dataset is None:
            raise ArchiveError("The bundle holds no data; open the data first, its settings are in the bundle's link.")
    except ValueError as refusal:
        st.session_state[SAID] = (True, str(refusal))
        return
    data.use(bundle.dataset)
    identity.restore(bundle.dataset, bundle.identity)
    model.apply(bundle.result.request)
    st.session_state[data.SCALE] = st.query_params[data.SCALE] = bundle.scale  # in the address: the new data keep it
    st.session_state[SAID] = (False, f"Opened: {bundle.dataset_name}, rank {bundle.result.request.rank}.")
