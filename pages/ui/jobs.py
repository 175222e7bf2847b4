"""Long computing on a page: a result at once if it can be had, else what is going on, with Cancel and Continue."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import streamlit as st

from nmf_core.jobs import JobView, QueueFull, manager
from nmf_core.types import Dataset, Stop, Work
from pages.ui.widgets import md

EVERY = 0.5  # seconds between two looks at a running job
REDRAW = 2.0  # seconds between two drawings of a growing result: Plotly charts are rebuilt each time


def owner() -> str:
    """Return this visitor's name towards the job manager; it is shown nowhere."""
    return str(st.session_state.setdefault("_owner", uuid.uuid4().hex))


def keep_alive() -> None:
    """Keep this visitor's computations going while they look at another page."""
    manager().touch_owner(owner())


def run(
    work: Work,
    dataset: Dataset,
    *,
    label: str,
    key: str,
    start: Any = None,
    growing: bool = False,
    live: Callable[[Any], None] | None = None,
) -> Any | None:
    """Return the result of a work, computing it if need be.

    Small work is done at once. Longer work runs in the background: what it is at is drawn here, with Cancel; after that
    the result so far is returned, with Continue above it.

    Parameters
    ----------
    work : Work
    dataset : Dataset
    label : str
        What is being computed, for people ("Factorizing Iris into 3 parts").
    key : str
        Of the widgets drawn; unique on the page.
    start : object, optional
        State of an earlier result to go on from.
    growing : bool
        While it runs, return the result so far about every two seconds instead of None (curves that fill in).
    live : callable, optional
        Draws ``view.news`` while it runs (cheap charts only: it is called twice a second).

    Returns
    -------
    object or None
        None: it runs and there is nothing to draw yet, or it failed (a sentence was drawn).
    """
    jobs, me = manager(), owner()
    try:
        if start is not None and jobs.result(work.key) is None:
            jobs.submit(work, dataset, owner=me, state=start)
            jobs.wait(work.key, timeout=0.3)  # a short continuation is drawn at once, without a flicker
            result = jobs.result(work.key)
        else:
            result = jobs.run_inline(work, dataset, owner=me)
    except (QueueFull, ValueError) as refusal:
        st.warning(md(refusal, 600), icon=":material/hourglass_disabled:")
        return None
    if result is not None:
        return result
    view = jobs.peek(work.key, owner=me)
    if view is None:
        return jobs.result(work.key)
    if view.running:
        st.fragment(_watch, run_every=EVERY)(work.key, label, key, growing, live, view.version)
        return jobs.partial(work.key) if growing else None
    if view.stop is Stop.FAILED:
        st.error(md(view.message or str(view.stop), 600), icon=":material/error:")
        st.button("Try again", key=f"{key}_again", on_click=_resume, args=(work.key,), icon=":material/refresh:")
        return jobs.partial(work.key) if view.has_state else None
    if view.finished:
        return jobs.result(work.key)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(str(view.stop), icon=":material/pause_circle:")
        st.button("Continue", key=f"{key}_continue", on_click=_resume, args=(work.key,), icon=":material/play_arrow:")
    return jobs.partial(work.key)


def _resume(work_key: str) -> None:
    manager().resume(work_key, owner=owner())


def _cancel(work_key: str) -> None:
    manager().cancel(work_key, owner=owner())


def _watch(work_key: str, label: str, key: str, growing: bool, live: Callable[[Any], None] | None, drawn: int) -> None:
    """Draw a running job; when it has ended (or grown enough), run the whole page again."""
    view = manager().touch(work_key, owner=owner())
    if view is None or not view.running:
        st.rerun()
    ticks = st.session_state.get(f"{key}_ticks", 0) + 1
    st.session_state[f"{key}_ticks"] = ticks
    if growing and view.version != drawn and ticks * EVERY >= REDRAW:
        st.session_state[f"{key}_ticks"] = 0
        st.rerun()
    with st.container(border=True):
        st.markdown(f"**{md(label)}**")
        st.progress(view.progress or 0.0, text=md(_line(view), 300))
        if live is not None and view.news is not None:
            live(view.news)
        st.button("Cancel", key=f"{key}_cancel", on_click=_cancel, args=(work_key,), icon=":material/stop_circle:")


def _line(view: JobView) -> str:
    if view.place:
        return f"Waiting for a free worker, place {view.place} in the queue"
    parts = [view.message or "starting", f"{view.seconds:.1f} s so far"]
    if view.eta is not None:
        parts.append(f"about {_duration(view.eta)} left at most")
    if view.retries:
        parts.append("a worker process was lost and replaced; nothing but time went with it")
    return " · ".join(parts)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
