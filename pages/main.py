"""The frame around every page: title, navigation, footer."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # uvicorn and the tests start this file from other folders
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402

from pages.ui.frame import footer, pages  # noqa: E402
from pages.ui.jobs import keep_alive  # noqa: E402
from pages.ui.server import settle  # noqa: E402

# An icon by name would be fetched from elsewhere by every visitor.
st.set_page_config(page_title="NMF Explorer", page_icon=str(ROOT / "pages" / "ui" / "icon.png"), layout="wide")
page = st.navigation(pages())
keep_alive()
page.run()
footer()
settle(page.url_path)
