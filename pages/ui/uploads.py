"""The file a visitor has opened: read once, kept with its bytes so that choices can be changed, counted by a quota."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from nmf_core.ingest import Message, Reading, Verdict, read_many
from nmf_core.ingest.progress import STAGES
from nmf_core.wording import percent
from pages.ui.jobs import owner
from pages.ui.limits import LIMITS, quota
from pages.ui.widgets import md

KEY = "_upload"  # the visitor's last upload
APART = "_upload_apart"  # the last file read beside the data
CANCELLED = "_upload_cancelled"  # token of the upload whose reading the visitor has stopped
SOON = 0.5  # seconds after which a reading shows how far it is
_quota = quota(10)


@dataclass(frozen=True, slots=True, eq=False)
class Upload:
    """Files opened together.

    Attributes
    ----------
    token : str
        Ids of the files as Streamlit gave them: a file is read once, not on every rerun.
    files : tuple of (name, bytes)
    reading : Reading
    digest : str
        Of names, bytes and choices.
    """

    token: str
    files: tuple[tuple[str, bytes], ...]
    reading: Reading
    digest: str


def current() -> Upload | None:
    """Return the visitor's last upload, also when its widget is on another page."""
    upload = st.session_state.get(KEY)
    return upload if isinstance(upload, Upload) else None


def take(files: Sequence[Any]) -> tuple[Upload, bool]:
    """Read uploaded files unless they were read before; return the upload and whether it is new."""
    token = "+".join(file.file_id for file in files)
    known = current()
    if known is not None and known.token == token:
        return known, False
    size = sum(file.size for file in files)
    message = _stopped(token, size)
    if message is not None:
        return _keep(token, (), Reading(Verdict.REFUSE, files[0].name, message=message)), True
    contents = tuple((file.name, file.getvalue()) for file in files)
    reading = _read(contents, {}, token)
    if len(files) > LIMITS.files or size > LIMITS.upload:
        contents = ()  # refused for its size: no choice will change that
    return _keep(token, contents, reading), True


def read_apart(file: Any, choices: Mapping[str, Any]) -> Reading:
    """Read a file that is not to become the visitor's data, such as new rows; once, and counted by the quota."""
    known = st.session_state.get(APART)
    if known is not None and known[:2] == (file.file_id, dict(choices)):
        reading: Reading = known[2]
        return reading
    message = _stopped(file.file_id, file.size)
    if message is None:
        reading = _read([(file.name, file.getvalue())], choices, file.file_id)
    else:
        reading = Reading(Verdict.REFUSE, file.name, message=message)
    st.session_state[APART] = (file.file_id, dict(choices), reading)
    return reading


def _stopped(token: str, size: int) -> Message | None:
    """Return why files are not read: the visitor has said so, or the quota."""
    if st.session_state.get(CANCELLED) == token:
        return Message("cancelled", "Reading was cancelled", hint="Open the file again when you want to go on")
    return _quota.admit(owner(), size, time.monotonic())


def answer(choices: Mapping[str, Any]) -> Upload:
    """Read the current upload again with other choices."""
    upload = current()
    assert upload is not None
    if dict(choices) == dict(upload.reading.choices):
        return upload
    return _keep(upload.token, upload.files, _read(upload.files, choices, ""))


def _read(files: Sequence[tuple[str, bytes]], choices: Mapping[str, Any], token: str) -> Reading:
    """Read files; after half a second say how far it is, with a button that stops it.

    A click on the button, like any other, ends this run of the page at the next message to the browser; the exception
    passes through the reading and ends its process.
    """
    place, started, bar = st.empty(), time.monotonic(), None
    what = f"{len(files)} files" if len(files) > 1 else files[0][0][-60:]

    def watch(stage: str, share: float) -> None:
        nonlocal bar
        if time.monotonic() - started < SOON:
            return
        if bar is None:
            with place.container():
                bar = st.progress(0.0)
                st.button("Cancel", icon=":material/close:", on_click=_cancel, args=(token,), key="cancel_reading")
        done = f" — {percent(share, 2)}" if share else " …"
        bar.progress(share, text=f"{STAGES[stage]}: {md(what)}{done}")

    try:
        return read_many(files, choices, limits=LIMITS, watch=watch)
    finally:
        place.empty()


def _cancel(token: str) -> None:
    st.session_state[CANCELLED] = token


def _keep(token: str, files: tuple[tuple[str, bytes], ...], reading: Reading) -> Upload:
    h = hashlib.blake2b(digest_size=10)
    for name, data in files:
        h.update(name.encode("utf-8", "replace"))
        h.update(data)
    h.update(repr(sorted(reading.choices.items(), key=str)).encode("utf-8", "replace"))
    upload = Upload(token, files, reading, h.hexdigest())
    st.session_state[KEY] = upload
    return upload
