"""Pages run whole, with the real engine, in this process."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.helpers import finished

os.environ["NMF_EXECUTOR"] = "inline"
MAIN = Path(__file__).parents[2] / "pages" / "main.py"


@pytest.fixture
def open_page() -> Callable[..., AppTest]:
    """Open a page as a link does: ``open_page("rank", data="digits", rank="5")``; waits until its jobs are done."""

    def opened(page: str = "explore", **query: str) -> AppTest:
        app = AppTest.from_file(str(MAIN), default_timeout=120)
        for key, value in query.items():
            app.query_params[key] = value
        app.run()
        if page != "explore":
            app.switch_page(f"{page}.py").run()
        return finished(app)

    return opened
