"""Page Data: open a file, see what was understood, prepare it, use it everywhere."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import streamlit as st

from nmf_core.ingest import Raw
from nmf_core.ingest.code import steps_code
from nmf_core.ingest.diagnose import Finding, Weight, as_raw, diagnose
from nmf_core.ingest.prepare import Prepared, prepare
from nmf_core.ingest.recipe import Recipe
from nmf_core.types import Dataset
from pages.data_sections import looking, preparing, understood
from pages.data_sections.cache import once
from pages.ui import data, uploads, widgets
from pages.ui.limits import LIMITS
from pages.ui.widgets import md

FORMATS = (
    "CSV and other text tables, Excel, OpenDocument, Parquet, Feather, JSON, BIOM, NumPy (.npy, .npz), MatrixMarket, .h5ad and Loom, "
    "pictures, sound (WAV, FLAC, OGG), text files, networks (lists of links, GraphML, GEXF, GML, Pajek); also packed as .gz, .tar or .zip"
)
KINDS = {
    "table": "a table of measurements",
    "counts": "counts",
    "spectra": "spectra",
    "expression": "samples × genes",
    "images": "pictures",
    "text": "documents × words",
    "ratings": "ratings",
    "network": "a network",
    "audio": "sound",
    "cube": "pixels of a picture",
}
ICONS = {Weight.STOP: ":material/block:", Weight.SUGGEST: ":material/lightbulb:", Weight.INFO: ":material/info:"}


def main() -> None:
    """Draw the page."""
    dataset = data.chosen()
    widgets.story(
        "Data",
        "Open a file, see what was understood, and decide what is done to it before the factorization. "
        "Nothing is changed in silence, and every step can be switched off.",
    )
    if name := st.session_state.pop("_now_used", None):
        st.success(f"**{md(name)}** is now the current data set on every page.", icon=":material/check_circle:")
        st.page_link("explore.py", label="Explore its parts", icon=":material/stacked_bar_chart:")
    upload = _open()
    if upload is not None:
        understood.show(upload)
    raw, source, notes = _source(dataset, upload)
    base = data.recipe_of(dataset) if source == dataset.id else None
    st.subheader(f"{md(raw.name, 80)}: {raw.shape[0]:,} rows × {raw.shape[1]:,} columns", anchor=False)
    ready = st.container(border=True)  # filled below, when the steps are known; the next thing to do stands first
    _findings(once(f"findings {source}", lambda: diagnose(raw, LIMITS)), source)
    left, right = st.columns([5, 6], gap="large")
    with left:
        st.subheader("Preparation", anchor=False)
        steps, stages, problem = preparing.editor(raw, source)
        kind, shape = _kind(stages[-1].after if stages else raw, source)
        key = f"prepared {source} {[s.to_json() for s in steps]} {kind} {shape}"
        prepared, problem = _prepare(raw, steps, kind, shape, problem, key)
        recipe = base.then(prepared.steps, kind, shape) if base and prepared else None
        with ready:
            _finish(dataset, raw, prepared, problem, notes, recipe)
        if prepared is not None:
            _keep(prepared, raw)
    with right:
        st.subheader("What the data look like", anchor=False)
        after = bool(stages) and st.segmented_control(
            "Show", ["as read", "as prepared"], default="as prepared", key="data_stage", required=True, label_visibility="collapsed"
        ) != "as read"  # fmt: skip
        looking.show(stages[-1].after if after else raw, f"{source} {[s.to_json() for s in steps] if after else ''}")


def _open() -> uploads.Upload | None:
    files = st.file_uploader(
        "Open files (several pictures or texts together become one data set)",
        accept_multiple_files=True,
        key="data_page_files",
        help=f"{FORMATS}. What a file is, its content decides, not its name. Up to {LIMITS.upload // 1_000_000} MB and {LIMITS.files} files; "
        "on your own machine, more when you start the program with --server.maxUploadSize and a number of MB.",
    )
    if not files:
        st.caption(f"{FORMATS}. A file is read in a process of its own and never leaves this server.")
    return uploads.take(files)[0] if files else uploads.current()


def _source(dataset: Dataset, upload: uploads.Upload | None) -> tuple[Raw, str, tuple[str, ...]]:
    """Return what is prepared: the file just opened, or the current data set."""
    if upload is not None and understood.usable(upload.reading):
        options = ["file", "current"]
        names = {
            "file": f"the file: {upload.reading.name}"[:60],
            "current": f"the current data set: {dataset.name}"[:60],
        }
        choice = st.segmented_control(
            "Prepare", options, default="file", format_func=lambda o: md(names[o]), key=f"data_source_{upload.token}", required=True
        )  # fmt: skip
        if choice != "current" and upload.reading.raw is not None:
            notes = tuple(n.text for n in upload.reading.notes if not n.code.startswith("step-"))
            return upload.reading.raw, upload.digest, notes
    return as_raw(dataset), dataset.id, ()


def _findings(findings: tuple[Finding, ...], source: str) -> None:
    for i, finding in enumerate(findings):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"{ICONS[finding.weight]} {md(finding.text, 400)}", width="content")
            for step in finding.steps[:2] if finding.weight is not Weight.INFO else ():
                how = getattr(step, "how", "")
                words = preparing.WORDS.get(step.NAME, {}).get(how, "")
                label = f"{step.LABEL}: {words}" if words else step.LABEL
                st.button(
                    label,
                    key=f"do_{source}_{i}_{step.NAME}_{how}",
                    type="tertiary",
                    icon=":material/add:",
                    help="Puts this step into the preparation below.",
                    on_click=preparing.add,
                    args=(step, source),
                )


def _kind(raw: Raw, source: str) -> tuple[Any, tuple[int, ...] | None]:
    kinds = list(KINDS)
    kind = st.selectbox(
        "The rows are", kinds, kinds.index(raw.kind), format_func=KINDS.__getitem__, key=f"kind_{source}",
        help="Chooses the wording, the pictures and the recommended settings.",
    )  # fmt: skip
    if kind != "images" or raw.cell_shape:
        return (kind if kind != raw.kind else None), None
    m = raw.shape[1]
    heights = [h for h in range(2, m // 2 + 1) if m % h == 0 and h * h <= 64 * m and m <= 64 * h * h]
    if not heights:
        st.caption(f"{m:,} pixels make no rectangle.")
        return None, None
    default = min(heights, key=lambda h: abs(h - m**0.5))
    height = st.selectbox(
        "Height × width",
        heights,
        heights.index(default),
        format_func=lambda h: f"{h} × {m // h}",
        key=f"height_{source}",
    )
    return "images", (height, m // height)


def _prepare(
    raw: Raw, steps: list[Any], kind: Any, shape: tuple[int, ...] | None, problem: str, key: str
) -> tuple[Prepared | None, str]:
    if problem:
        return None, problem
    try:
        return once(key, lambda: prepare(raw, steps, kind=kind, cell_shape=shape)), ""
    except ValueError as error:
        return None, str(error)


def _finish(
    dataset: Dataset,
    raw: Raw,
    prepared: Prepared | None,
    problem: str,
    notes: tuple[str, ...],
    recipe: Recipe | None,
) -> None:
    if prepared is None:
        st.warning(md(problem, 500), icon=":material/warning:")
        return
    result = prepared.dataset
    changed = result.id != dataset.id or result.kind != dataset.kind
    n, m = result.shape
    steps = len(prepared.steps)
    done = f"after {steps} step{'s' * (steps > 1)} of preparation (below)" if steps else "as read"
    unknown = ", missing cells kept out of the fit" if result.mask is not None else ""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(
            f":material/check: Ready {done}: **{n:,} rows × {m:,} columns**, nothing negative{unknown}."
            if changed
            else f":material/check: These are the current data on every page: **{n:,} rows × {m:,} columns**. Open a file "
            "above, or change the preparation below.",
            width="stretch",
        )
        pressed = st.button(
            "Use this data", type="primary", icon=":material/done_all:", disabled=not changed, key="use_prepared",
            help=None if changed else "These are the current data already.",
        )  # fmt: skip
    if pressed:
        own = notes or dataset.name != raw.name or not prepared.steps
        result = result.with_(name=raw.name if own else f"{raw.name} (prepared)", notes=notes + tuple(result.notes))
        data.use(result, recipe)
        st.session_state["_now_used"] = result.name
        st.rerun()


def _keep(prepared: Prepared, raw: Raw) -> None:
    with st.expander("Keep it: code and files", icon=":material/code:"):
        st.caption(
            "The same preparation in Python, for an array X with names rows and cols, and labels of the rows in a dictionary:"
        )
        st.code(steps_code(prepared.steps, sparse=raw.sparse), language="python")
        st.download_button(
            "Prepared matrix (.npz)", data=lambda: _npz(prepared.dataset), file_name="prepared.npz",
            mime="application/octet-stream", icon=":material/download:", on_click="ignore", key="prepared_npz",
        )  # fmt: skip


def _npz(dataset: Dataset) -> bytes:
    """Return the matrix with its names in a form that opens here and in NumPy (or SciPy, when sparse)."""
    buffer = io.BytesIO()
    X = dataset.X
    if hasattr(X, "indptr"):
        np.savez_compressed(
            buffer, format=np.array("csr"), shape=np.array(X.shape), data=X.data, indices=X.indices, indptr=X.indptr
        )
    else:
        np.savez_compressed(
            buffer,
            X=X,
            rows=dataset.rows,
            cols=dataset.cols,
            **{f"label_{i}": np.asarray(v).astype(str) for i, v in enumerate(dataset.labels.values())},
        )
    return buffer.getvalue()


main()
