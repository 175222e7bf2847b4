"""The list of preparation steps: on or off, in order, each with its options, its reason and what it loses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from nmf_core.figures.ingest_matrix import DataHeatmap
from nmf_core.figures.ingest_values import BeforeAfter
from nmf_core.ingest import Raw
from nmf_core.ingest.prepare import Stage, recommend, run_steps
from nmf_core.ingest.steps import REGISTRY, Step
from pages.data_sections.cache import once
from pages.ui import widgets
from pages.ui.widgets import md

KEY = "_preparation"  # {"source": id, "items": [{"uid", "step", "on", "reason"}]}
WORDS = {
    "missing": {
        "keep": "keep out of the fit",
        "drop_rows": "leave out their rows",
        "drop_columns": "leave out their columns",
        "zero": "put 0",
        "mean": "put the column's mean",
        "median": "put the column's median",
    },
    "infinite": {"missing": "treat as missing", "cap": "cap at the largest finite value"},
    "negative": {
        "clip": "set to 0",
        "shift": "shift each column up",
        "shift_all": "shift all cells up",
        "absolute": "drop the sign",
        "split": "split into + and − columns",
    },
    "scale_columns": {
        "max": "by the maximum",
        "deviation": "by the standard deviation",
        "sum": "by the sum",
        "l2": "by the length",
    },
    "scale_rows": {"sum": "by the sum", "l2": "by the length", "max": "by the maximum"},
    "square_root": {"plain": "√x", "anscombe": "Anscombe, for counts"},
}
OFFERED = 2000  # columns offered by name


def editor(raw: Raw, source: str) -> tuple[list[Step], tuple[Stage, ...], str]:
    """Draw the list and return the steps that are on, the data after each, and what is wrong (empty if nothing)."""
    items = _items(raw, source)
    spaces = []
    for position, item in enumerate(items):
        with st.container(border=True):
            _row(raw, items, position, item)
            spaces.append(st.container())
    _add(items)
    steps = [item["step"] for item in items if item["on"]]
    try:
        stages = once(f"stages {source} {[s.to_json() for s in steps]}", lambda: run_steps(raw, steps))
        problem = ""
    except ValueError as error:
        stages, problem = (), str(error)
    at = 0
    for item, space in zip(items, spaces, strict=True):
        with space:
            st.caption(md(item["reason"] or item["step"].HELP, 300))
            if item["on"] and at < len(stages):
                _effect(stages[at], f"{source}_{item['uid']}")
                at += 1
    return steps, stages, problem


def add(step: Step, source: str) -> None:
    """Put a step at the end of the list, or switch the one of its name on with these options."""
    state = st.session_state.get(KEY)
    if not state or state["source"] != source:
        return
    for item in state["items"]:
        if item["step"].NAME == step.NAME:
            item.update(step=step, on=True)
            item["uid"] = _uid()  # new widgets, so that they show the new options
            return
    state["items"].append({"uid": _uid(), "step": step, "on": True, "reason": ""})


def _items(raw: Raw, source: str) -> list[dict[str, Any]]:
    state = st.session_state.get(KEY)
    if not state or state["source"] != source:
        advice = once(f"advice {source}", lambda: recommend(raw))
        items = [{"uid": _uid(), "step": a.step, "on": a.on, "reason": a.reason} for a in advice]
        state = st.session_state[KEY] = {"source": source, "items": items}
    items: list[dict[str, Any]] = state["items"]
    return items


def _uid() -> int:
    st.session_state["_step_uid"] = st.session_state.get("_step_uid", 0) + 1
    return int(st.session_state["_step_uid"])


def _row(raw: Raw, items: list[dict[str, Any]], position: int, item: dict[str, Any]) -> None:
    uid, step = item["uid"], item["step"]
    with st.container(horizontal=True, vertical_alignment="center"):
        item["on"] = st.toggle(f"**{position + 1}. {step.LABEL}**", item["on"], key=f"step_on_{uid}", help=step.HELP)
        if (
            item["on"]
            and position
            and st.button("Earlier", key=f"step_up_{uid}", icon=":material/arrow_upward:", type="tertiary")
        ):
            items[position - 1], items[position] = item, items[position - 1]
            st.rerun()
        if item["on"] and st.button("Remove", key=f"step_out_{uid}", icon=":material/close:", type="tertiary"):
            items.remove(item)
            st.rerun()
    if item["on"]:
        item["step"] = replace(step, **_options(raw, step, uid))


def _options(raw: Raw, step: Step, uid: int) -> dict[str, Any]:
    values = step.options()
    chosen: dict[str, Any] = {}
    if "how" in values:
        words = WORDS[step.NAME]
        options = list(words)
        chosen["how"] = st.selectbox(
            "How",
            options,
            options.index(values["how"]),
            format_func=words.__getitem__,
            key=f"step_how_{uid}",
            label_visibility="collapsed",
        )
    if "names" in values:
        names = [str(c) for c in raw.cols[:OFFERED]]
        kept = [n for n in values["names"] if n in names]
        chosen["names"] = tuple(st.multiselect("Columns", names, kept, key=f"step_names_{uid}"))
    if "label" in values and raw.labels:
        keys = list(raw.labels)
        label = st.selectbox(
            "Label", keys, keys.index(values["label"]) if values["label"] in keys else 0, key=f"step_label_{uid}"
        )
        found = sorted(set(np.asarray(raw.labels[label]).astype(str).tolist()))[:500]
        kept = [v for v in values["values"] if v in found]
        chosen["label"] = label
        chosen["values"] = tuple(st.multiselect("Keep the rows with", found, kept, key=f"step_values_{uid}_{label}"))
    if "n_columns" in values:
        most = max(2, raw.shape[1])
        chosen["n_columns"] = int(
            st.number_input("Columns kept", 2, most, min(values["n_columns"], most), key=f"step_columns_{uid}")
        )
    if "n_rows" in values:
        most = max(2, raw.shape[0])
        chosen["n_rows"] = int(
            st.number_input("Rows kept", 2, most, min(values["n_rows"], most), key=f"step_rows_{uid}")
        )
    if "seed" in values:
        chosen["seed"] = int(st.number_input("Seed", 0, 2**32 - 1, values["seed"], key=f"step_seed_{uid}"))
    if "quantile" in values:
        chosen["quantile"] = st.slider(
            "Quantile", 0.5, 1.0, values["quantile"], 0.005, key=f"step_quantile_{uid}", format="%.3f"
        )
    return chosen


def _effect(stage: Stage, key: str) -> None:
    before, after = stage.before, stage.after
    sizes = "" if before.shape == after.shape else f" Now {after.shape[0]:,} rows × {after.shape[1]:,} columns."
    st.markdown(f"{md(stage.lost, 300)}{sizes}")
    with st.popover(
        "Before and after", icon=":material/compare:", type="tertiary", key=f"compare_{key}", on_change="rerun"
    ) as panel:
        if panel.open:
            widgets.picture(BeforeAfter(before.X, after.X, f"{stage.step.LABEL}: values"), key=f"values_{key}")
            left, right = st.columns(2)
            with left:
                widgets.picture(DataHeatmap(before.X, before.rows, before.cols, "Before", 280), key=f"before_{key}")
            with right:
                widgets.picture(DataHeatmap(after.X, after.rows, after.cols, "After", 280), key=f"after_{key}")


def _add(items: list[dict[str, Any]]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = sorted(REGISTRY, key=lambda name: REGISTRY[name].LABEL)
        name = st.selectbox(
            "Another step", names, format_func=lambda n: REGISTRY[n].LABEL, key="step_to_add", width=320
        )
        if st.button("Add", icon=":material/add:", key="step_add"):
            items.append({"uid": _uid(), "step": REGISTRY[name](), "on": True, "reason": ""})
            st.rerun()
