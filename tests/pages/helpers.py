"""What the tests read off a page."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest

from nmf_core.jobs import manager


def finished(app: AppTest) -> AppTest:
    """Run the page again until none of its jobs is under way; no exception may be on it."""
    for _ in range(60):
        assert not app.exception, app.exception
        running = [key for key in list(manager()._jobs) if (view := manager().peek(key)) and view.running]
        if not running:
            return app
        for key in running:
            manager().wait(key, timeout=60)
        app.run()
    raise AssertionError("the jobs of the page do not end")


def figures(app: AppTest) -> list[dict[str, Any]]:
    """Return the Plotly figures on a page as plain values, in order."""
    return [json.loads(element.proto.spec) for element in app.get("plotly_chart")]


def bytes_sent(app: AppTest) -> int:
    """Return what the charts of a page weigh on the wire."""
    return sum(len(element.proto.spec) for element in app.get("plotly_chart"))


def array(value: Any) -> np.ndarray:
    """Return an array of a figure, also in Plotly's base64 form."""
    if isinstance(value, dict) and "bdata" in value:
        flat = np.frombuffer(base64.b64decode(value["bdata"]), dtype=np.dtype(value["dtype"]))
        shape = str(value.get("shape", len(flat)))
        return flat.reshape([int(part) for part in shape.split(",")])
    return np.asarray(value)


def texts(app: AppTest) -> str:
    """Return all text on a page."""
    kinds = ("markdown", "caption", "title", "subheader", "warning", "error", "info", "success")
    return "\n".join(str(element.value) for kind in kinds for element in app.get(kind))


def address(app: AppTest) -> dict[str, str]:
    """Return the parameters of the page's address."""
    return {key: value[-1] if isinstance(value, list) else value for key, value in app.query_params.items()}
