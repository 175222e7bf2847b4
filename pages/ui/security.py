"""What every answer of the server carries, and how much the server takes: security headers and an upload quota."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from pathlib import Path
from typing import Any

import streamlit

from nmf_core.ingest.quota import Quota
from pages.ui import limits

UPLOADS = "/_stcore/upload_file/"
_INLINE = re.compile(r"<script>(.*?)</script>", re.S)


def content_security_policy() -> str:
    """Return the strictest policy with which Streamlit and Plotly still work.

    Scripts come from this server alone; the one inline script of Streamlit's page is let in by its hash. Plotly's WebGL
    charts compile their drawing code at run time (``'unsafe-eval'``), and Streamlit styles elements inline. Pictures may
    be data and blob URLs; nothing else leaves for another address, so that a name in a file can fetch nothing.
    """
    hashes = " ".join(f"'{digest}'" for digest in inline_script_hashes())
    rules = {
        "default-src": "'self'",
        "script-src": f"'self' 'unsafe-eval' 'wasm-unsafe-eval' blob: {hashes}".strip(),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "media-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self' data: blob:",
        "worker-src": "'self' blob:",
        "frame-src": "'self'",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'self'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def inline_script_hashes() -> list[str]:
    """Return the CSP hashes of the inline scripts on Streamlit's page."""
    page = Path(streamlit.__file__).parent / "static" / "index.html"
    if not page.is_file():
        return []
    scripts = _INLINE.findall(page.read_text(encoding="utf-8"))
    return ["sha256-" + base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts]


class SecurityHeaders:
    """ASGI middleware: sends the headers with every answer.

    Parameters
    ----------
    app : ASGI application
    """

    def __init__(self, app: Any) -> None:
        self.app = app
        headers = {
            "content-security-policy": content_security_policy(),
            "x-content-type-options": "nosniff",
            "x-frame-options": "SAMEORIGIN",
            "referrer-policy": "no-referrer",
            "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
        }
        self.headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                ours = {name for name, _ in self.headers}
                kept = [(k, v) for k, v in message.get("headers", []) if k.lower() not in ours]
                message = {**message, "headers": [*kept, *self.headers]}
            await send(message)

        await self.app(scope, receive, send_with_headers)


class UploadQuota:
    """ASGI middleware: counts what is uploaded, with a widget or without, by address and in total.

    Streamlit keeps uploads in memory and takes them at its upload address from anybody who holds a session; the limit of
    one file is Streamlit's, the sum over time is ours. The declared length is counted before a byte is taken; an upload
    that declares none counts as the largest one allowed. Visitors behind one proxy share an address, so the bound here is
    wide; the narrow one, per visitor, is in `pages.ui.uploads`.

    Parameters
    ----------
    app : ASGI application
    quota : Quota, optional
    """

    def __init__(self, app: Any, quota: Quota | None = None) -> None:
        self.app = app
        self.quota = quota or limits.quota(40)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["method"] in ("PUT", "POST") and UPLOADS in scope["path"]:
            message = self.quota.admit(self._address(scope), self._length(scope), time.monotonic())
            if message:
                body = str(message).encode()
                headers = [
                    (b"content-type", b"text/plain; charset=utf-8"),
                    (b"content-length", str(len(body)).encode()),
                ]
                await send({"type": "http.response.start", "status": 429, "headers": headers})
                await send({"type": "http.response.body", "body": body})
                return
        await self.app(scope, receive, send)

    @staticmethod
    def _length(scope: Any) -> int:
        declared = dict(scope["headers"]).get(b"content-length", b"")
        return int(declared) if declared.isdigit() and len(declared) < 16 else limits.LIMITS.upload

    @staticmethod
    def _address(scope: Any) -> str:
        client = scope.get("client")
        return str(client[0]) if client else ""
