"""The settings and the middleware that safety rests on."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from nmf_core.ingest import Limits
from nmf_core.ingest.quota import Quota
from pages.ui.limits import LIMITS
from pages.ui.security import SecurityHeaders, UploadQuota, content_security_policy, inline_script_hashes
from pages.ui.server import middleware
from tests.loops import run_async

ROOT = Path(__file__).parents[2]
SETTINGS = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        ("server", "enableXsrfProtection", True),
        ("server", "enableCORS", True),
        ("server", "enableStaticServing", False),
        ("server", "enableAgentApi", False),
        ("server", "fileWatcherType", "none"),
        ("server", "maxMessageSize", 50),
        ("server", "headless", True),
        ("client", "showErrorDetails", "none"),
        ("client", "showErrorLinks", False),
        ("client", "toolbarMode", "viewer"),
        ("client", "allowedOrigins", []),
        ("browser", "gatherUsageStats", False),
    ],
)
def test_settings_are_safe(section, name, value):
    assert SETTINGS[section][name] == value


def test_the_server_takes_no_larger_file_than_the_reader():
    assert SETTINGS["server"]["maxUploadSize"] * 1_000_000 == Limits().upload


@pytest.mark.parametrize(("megabytes", "times"), [(10, 1), (50, 1), (400, 8)])
def test_who_starts_the_server_for_larger_files_gets_room_for_what_they_hold(megabytes, times):
    code = (
        f"from streamlit import config; config.set_option('server.maxUploadSize', {megabytes})\n"
        "from pages.ui import limits, uploads\n"
        "L = limits.LIMITS; print(L.upload, L.cells, L.memory, L.wall_seconds, L.columns, uploads._quota.per_visitor)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    usual = Limits()
    expected = [times * value for value in (usual.cells, usual.memory, usual.wall_seconds)]
    assert [int(word) for word in done.stdout.split()] == [
        megabytes * 1_000_000, *expected, usual.columns, 10 * megabytes * 1_000_000,
    ]  # fmt: skip


def test_the_usual_server_has_the_usual_limits():
    assert Limits() == LIMITS
    assert UploadQuota(inner).quota.per_visitor == 2_000_000_000


def test_sessions_of_visitors_who_left_are_forgotten():
    assert SETTINGS["server"]["disconnectedSessionTTL"] <= 900


def test_the_middleware_is_in_place_and_headers_come_first():
    assert [m.cls for m in middleware()] == [SecurityHeaders, UploadQuota]


def test_the_policy_lets_in_only_the_inline_script_of_streamlits_page():
    policy = content_security_policy()
    assert len(inline_script_hashes()) >= 1
    assert all(f"'{digest}'" in policy for digest in inline_script_hashes())
    assert "http" not in policy
    assert "*" not in policy


def ask(app, path="/", method="GET", size=None, client="1.2.3.4"):
    """Send one request through an ASGI application; return status, headers and body."""
    sent = []
    headers = [] if size is None else [(b"content-length", str(size).encode())]
    scope = {"type": "http", "method": method, "path": path, "headers": headers, "client": (client, 1)}

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    run_async(app(scope, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"].decode()


async def inner(scope, receive, send):
    """Answer everything with 200 and a header that the middleware must replace."""
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"X-Frame-Options", b"ALLOWALL"), (b"a", b"b")]}
    )
    await send({"type": "http.response.body", "body": b"ok"})


def test_headers_are_added_once_and_others_stay():
    status, headers, body = ask(SecurityHeaders(inner))
    assert (status, body, headers[b"a"]) == (200, "ok", b"b")
    assert headers[b"x-frame-options"] == b"SAMEORIGIN"
    assert b"X-Frame-Options" not in headers
    assert headers[b"x-content-type-options"] == b"nosniff"


def test_uploads_are_counted_with_or_without_a_widget():
    app = UploadQuota(inner, Quota(per_visitor=100, total=150))
    path = "/_stcore/upload_file/some-session/some-file"
    assert ask(app, path, "PUT", 80)[0] == 200
    status, _, body = ask(app, path, "PUT", 80)
    assert status == 429
    assert "the limit is 100 bytes" in body
    assert ask(app, path, "PUT", 60, client="5.6.7.8")[0] == 200
    assert ask(app, path, "PUT", 60, client="9.9.9.9")[0] == 429
    assert ask(app, "/data", "GET")[0] == 200
    assert ask(app, path, "DELETE", 10)[0] == 200


def test_an_upload_that_hides_its_length_counts_as_the_largest():
    app = UploadQuota(inner, Quota(per_visitor=60_000_000, total=10**9))
    path = "/_stcore/upload_file/s/f"
    assert ask(app, path, "PUT")[0] == 200
    assert ask(app, path, "PUT")[0] == 429
    assert ask(UploadQuota(inner, Quota(per_visitor=10)), path, "PUT", "9" * 40)[0] == 429
