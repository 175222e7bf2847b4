"""NMF Explorer. Start it with `streamlit run app.py`."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:  # so that it starts from any folder
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402

from pages.ui.server import lifespan, middleware, on_script_error  # noqa: E402

# An App with its own main script: beside a plain app.py, Streamlit would treat pages/*.py as a multipage app of its own.
app = st.App(ROOT / "pages" / "main.py", lifespan=lifespan, middleware=middleware(), on_script_error=on_script_error)
