"""Pages run whole, with the real engine, in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.helpers import finished

MAIN = Path(__file__).parents[2] / "pages" / "main.py"


@pytest.fixture(autouse=True)
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let jobs of pages run in this process; for these tests alone, or servers that others start would inherit it."""
    monkeypatch.setenv("NMF_EXECUTOR", "inline")


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
