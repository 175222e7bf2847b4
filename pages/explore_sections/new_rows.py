"""The tab New rows: rows of a file in the parts that were found, prepared as the data were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from nmf_core.export import frame_csv
from nmf_core.export.tables import matrix_csv
from nmf_core.ingest import Reading
from nmf_core.ingest.steps import step_from_json
from nmf_core.new_rows import NewRows, answers_wanted, columns_wanted, place, usual_error
from nmf_core.types import is_sparse
from nmf_core.wording import percent
from pages.explore_sections.views import View
from pages.ui import uploads
from pages.ui.widgets import md

SHOWN, EXAMPLE = 2000, 5
VALUES = ("missing", "negative", "infinite")  # the stored steps decide these
ERROR = "relative error"


def new_rows(view: View) -> None:
    """Ask for a file, and show how much of each part its rows hold."""
    dataset = view.dataset
    wanted = columns_wanted(dataset)
    st.markdown(
        f"Open a file with more {view.rows_are}: the parts stay as they are (H is kept) and every new row gets a recipe of "
        "its own. " + _steps(view)
    )
    left, right = st.columns([3, 2], vertical_alignment="bottom", gap="medium")
    with left:
        file = st.file_uploader(
            f"File with the {len(wanted):,} columns of these data, in any order", key="new_rows_file",
            help="Any format that the page Data reads. Further columns are left out.",
        )  # fmt: skip
    with right:
        st.download_button(
            "An example file", data=lambda: _example(view), file_name="new_rows_example.csv", mime="text/csv",
            icon=":material/download:", key="new_rows_example", on_click="ignore",
            help="The columns that are needed" + ("" if dataset.steps else f", with the first {EXAMPLE} rows of these data."),
        )  # fmt: skip
    if file is None:
        return
    reading = uploads.read_apart(file, _choices(view))
    if reading.open and any(q.id not in VALUES for q in reading.open):
        reading = uploads.read_apart(file, {**reading.defaults, **_choices(view)})
    # One row alone is refused as data, but it is enough here: what was read is looked at, not the verdict.
    if reading.raw is None:
        st.error(f"**{md(file.name, 80)}** was not read. {md(reading.sentence, 900)}", icon=":material/error:")
        return
    try:
        found = _placed(view, reading, file.file_id)
    except ValueError as error:
        st.error(md(str(error), 900), icon=":material/error:")
        return
    _show(view, found, file.name, [n.text for n in reading.notes if not n.code.startswith("step-")])


def _choices(view: View) -> dict[str, Any]:
    """Return how the file is read: as a table like the one before, with every column that is needed as numbers."""
    told = answers_wanted(view.dataset)
    table = {"layout": "table", "relations": "table", "labels": [], "total_column": "keep"}
    return told if view.dataset.mask == "unstored" else {**told, **table}


def _placed(view: View, reading: Reading, file_id: str) -> NewRows:
    key = (file_id, view.dataset.id, view.result.request.key, view.result.H.tobytes()[:64])
    kept = st.session_state.get("_new_rows")
    if kept is None or kept[0] != key:
        assert reading.raw is not None
        with st.spinner("Finding the recipes …"):
            kept = st.session_state["_new_rows"] = (key, place(reading.raw, view.dataset, view.result))
    found: NewRows = kept[1]
    return found


def _show(view: View, found: NewRows, name: str, read: list[str]) -> None:
    n = len(found.names)
    known = found.error[~np.isnan(found.error)]
    said = f"**{md(name, 80)}**: {n:,} row{'s' * (n != 1)} placed."
    if known.size:
        own = usual_error(view.dataset, view.result)
        said += f" Half of them are within a relative error of {percent(np.median(known))}; of the fitted {view.rows_are}, half are within {percent(own)}."
        if np.median(known) > 2 * own + 0.05:
            said += " The new rows hold something that these parts do not: look at those with the largest error."
    st.success(said, icon=":material/check_circle:")
    if said := [*found.notes, *read]:
        st.markdown("\n".join(f"- {md(note, 400)}" for note in said))
    table = _table(view, found)
    columns: dict[str, Any] = {
        name: st.column_config.NumberColumn(format="%.4g") for name in table.columns if name != ERROR
    }
    columns[ERROR] = st.column_config.NumberColumn(
        "relative error", format="percent", help="How much of the row the parts cannot make: ‖x − wH‖ / ‖x‖."
    )
    st.dataframe(table.head(SHOWN), column_config=columns, height=min(580, 38 + 35 * max(1, min(n, SHOWN))))
    if n > SHOWN:
        st.caption(f"The first {SHOWN:,} of {n:,} rows; the download holds all.")
    st.download_button(
        "W of the new rows (.csv)", data=lambda: frame_csv(table.reset_index()), file_name="new_rows_W.csv", mime="text/csv",
        icon=":material/download:", key="new_rows_csv", on_click="ignore",
    )  # fmt: skip


def _table(view: View, found: NewRows) -> pd.DataFrame:
    names = [f"{name}" for name in view.parts.names]
    table = pd.DataFrame(found.shown(view.result, view.parts), index=pd.Index(found.names, name="row"), columns=names)
    table[ERROR] = found.error
    return table


def _steps(view: View) -> str:
    if not view.dataset.steps:
        return "These data were not prepared, so the new rows are taken as they are."
    labels = [step_from_json(step).LABEL for step in view.dataset.steps]
    return f"The stored preparation is applied to them first, with the numbers it learned: {', then '.join(labels)}."


def _example(view: View) -> str:
    dataset = view.dataset
    wanted = columns_wanted(dataset)
    if dataset.steps:
        return matrix_csv(np.zeros((0, len(wanted))), [], wanted, "sample")
    X = dataset.X[:EXAMPLE].toarray() if is_sparse(dataset.X) else dataset.X[:EXAMPLE]
    return matrix_csv(X, dataset.rows[:EXAMPLE], wanted, "sample")
