"""How large an upload may be: as large as the server takes, and whatever grows with it."""

from __future__ import annotations

import streamlit as st

from nmf_core.ingest import Limits
from nmf_core.ingest.limits import MB
from nmf_core.ingest.quota import Quota

#: Started with ``--server.maxUploadSize 500``, the program takes files of 500 MB, and the memory and time they need.
LIMITS = Limits.for_uploads(int(st.get_option("server.maxUploadSize")) * MB)


def quota(files: int) -> Quota:
    """Return a quota of this many of the largest files an hour for one visitor, and of 80 for all."""
    return Quota(per_visitor=files * LIMITS.upload, total=80 * LIMITS.upload)
