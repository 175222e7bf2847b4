"""The file a visitor has opened: read once, kept with its bytes so that choices can be changed, counted by a quota."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from nmf_core.ingest import Limits, Reading, Verdict, read_many
from nmf_core.ingest.quota import Quota
from pages.ui.jobs import owner

KEY = "_upload"  # the visitor's last upload
LIMITS = Limits()
_quota = Quota()


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
    refused = _quota.admit(owner(), size, time.monotonic())
    if refused is None and len(files) <= LIMITS.files and size <= LIMITS.upload:
        contents = tuple((file.name, file.getvalue()) for file in files)
        with st.spinner("Reading the file …", show_time=True):
            reading = read_many(contents, limits=LIMITS)
    else:
        contents = ()
        empty = [(file.name, b"") for file in files]
        if refused is None:
            reading = read_many([(file.name, file.getvalue()) for file in files], limits=LIMITS)
        else:
            reading = Reading(Verdict.REFUSE, empty[0][0], message=refused)
    return _keep(token, contents, reading), True


def answer(choices: Mapping[str, Any]) -> Upload:
    """Read the current upload again with other choices."""
    upload = current()
    assert upload is not None
    if dict(choices) == dict(upload.reading.choices):
        return upload
    with st.spinner("Reading the file again …", show_time=True):
        reading = read_many(upload.files, choices, limits=LIMITS)
    return _keep(upload.token, upload.files, reading)


def _keep(token: str, files: tuple[tuple[str, bytes], ...], reading: Reading) -> Upload:
    h = hashlib.blake2b(digest_size=10)
    for name, data in files:
        h.update(name.encode("utf-8", "replace"))
        h.update(data)
    h.update(repr(sorted(reading.choices.items(), key=str)).encode("utf-8", "replace"))
    upload = Upload(token, files, reading, h.hexdigest())
    st.session_state[KEY] = upload
    return upload
