"""What happens around the pages: start, end, headers, and a page script that fails."""

from __future__ import annotations

import gc
import logging
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st

from nmf_core import jobs, kernels

log = logging.getLogger("nmf_explorer")


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[dict[str, Any]]:
    """Prepare the process before the first visitor, and leave nothing running after the last."""
    jobs.prepare_process()
    # Streamlit runs a full collection after each rerun; what the imports left never needs to be looked at again.
    gc.collect()
    gc.freeze()
    kernels.warm_up(dtypes=("float64",))  # in the background; until then NumPy answers, with the same bits
    yield {}
    jobs.shutdown()


_settled: set[str] = set()


def settle(page: str) -> None:
    """Take what the first run of a page has imported out of all later collections: half the cost of a rerun."""
    if page not in _settled:
        _settled.add(page)
        gc.collect()
        gc.freeze()


def middleware() -> Sequence[Any]:
    """Return the ASGI middleware of the app, outermost first: the security headers, the upload quota."""
    from starlette.middleware import Middleware

    from pages.ui.security import SecurityHeaders, UploadQuota

    return [Middleware(SecurityHeaders), Middleware(UploadQuota)]


def on_script_error(error: Exception) -> bool:
    """Show a sentence with a report number; the traceback goes to the log alone."""
    report = uuid.uuid4().hex[:8]
    log.error("report %s", report, exc_info=error)
    st.error(
        f"This part of the page failed; your data and settings are kept. Change a setting or reload the page. "
        f"If it happens again, tell the maintainers report {report}.",
        icon=":material/error:",
    )
    return True
