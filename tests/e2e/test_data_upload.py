"""Files through the real running server: the worst of them, names that act, headers, downloads."""

from __future__ import annotations

import re
import urllib.request
from urllib.parse import urlparse

import numpy as np
from playwright.sync_api import expect

from nmf_core.ingest import read
from tests.core.ingest_corpus import cut_mtx, far_cell
from tests.e2e.conftest import settled

ACTING = (
    'name,<img src=http://evil.example/a.png onerror=fetch("http://evil.example/b")>,![x](http://evil.example/c.png),'
    "[link](http://evil.example/d),$\\frac{1}{2}$,:red[e]\n"
    + "".join(f"<b>r{i}</b>,{i + 1},{2 * i + 1},{3 + i},{i * i + 1},{7 - i % 5}\n" for i in range(8))
)


def open_data(page, server):
    """Open the page Data and wait for it."""
    page.goto(f"{server.url}/data")
    expect(page.get_by_role("heading", name="Preparation")).to_be_visible()
    settled(page)


def drop(page, name, data):
    """Drop a file on the uploader of the page."""
    body = data if isinstance(data, bytes) else data.encode()
    uploader = page.locator("[data-testid=stMain] input[type=file]")
    uploader.set_input_files({"name": name, "mimeType": "application/octet-stream", "buffer": body})


def test_files_that_end_processes_end_in_a_sentence_and_the_data_stay(page, server):
    open_data(page, server)
    drop(page, "far.xlsx", far_cell())
    expect(page.get_by_text("spans 1048576 x 16384 cells but holds 2")).to_be_visible()
    expect(page.get_by_role("heading", name="150 rows × 4 columns")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Preparation")).to_be_visible()
    settled(page)
    drop(page, "cut.mtx", cut_mtx())
    expect(page.get_by_text("cut off at line 3: 4 entries promised, 1 found")).to_be_visible()
    expect(page.get_by_role("heading", name="150 rows × 4 columns")).to_be_visible()
    with urllib.request.urlopen(f"{server.url}/_stcore/health") as answer:
        assert answer.status == 200


def test_names_from_a_file_are_shown_and_fetch_nothing(page, server):
    asked: list[str] = []
    violations: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda m: violations.append(m.text) if "Content Security Policy" in m.text else None)
    open_data(page, server)
    drop(page, "![](http://evil.example/e.png).csv", ACTING)
    expect(page.get_by_role("heading", name="8 rows × 5 columns")).to_be_visible()
    settled(page)
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    assert page.locator("[data-testid=stMain] img[src*=evil], [data-testid=stMain] a[href*=evil]").count() == 0
    assert "<img src=http" in page.locator(".js-plotly-plot").first.inner_text()
    page.get_by_role("button", name="Use this data").click()
    page.get_by_role("link", name="Explore its parts").click()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    settled(page)
    hosts = {urlparse(url).hostname for url in asked if url.startswith("http")}
    assert hosts == {"127.0.0.1"}
    assert violations == []


def test_what_is_downloaded_reads_back_under_the_policy(page, server, tmp_path):
    open_data(page, server)
    page.get_by_text("Keep it: code and files").click()
    expect(page.get_by_role("button", name="Prepared matrix (.npz)")).to_be_visible()
    settled(page)  # a click during a rerun would start no download
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Prepared matrix (.npz)").click()
    path = tmp_path / "prepared.npz"
    waiting.value.save_as(path)
    dataset = read(path.read_bytes(), path.name, sandbox=False).dataset
    assert dataset.shape == (150, 4)
    assert dataset.cols.tolist()[0] == "sepal length"
    np.testing.assert_array_equal(dataset.X.min(axis=0), [4.3, 2.0, 1.0, 0.1])


def test_every_answer_carries_the_security_headers(server):
    for path in ("/", "/data", "/_stcore/health", "/no/such/page"):
        try:
            headers = urllib.request.urlopen(server.url + path).headers
        except urllib.error.HTTPError as error:
            headers = error.headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "object-src 'none'" in policy
        assert "frame-ancestors 'self'" in policy
        assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "SAMEORIGIN"
        assert headers["Referrer-Policy"] == "no-referrer"


def slow_table() -> str:
    """Return a table that the patient reader takes some seconds for: comments and quoted names stand among its rows."""
    block = "".join(f'"name ""{i}""",{i % 97}.5,{i % 89}.25,{i % 83},{i % 79}.125\n' for i in range(10_000))
    return "name,a,b,c,d\n# a comment\n" + block * 60


def test_a_long_reading_shows_how_far_it_is_and_can_be_cancelled(page, server):
    open_data(page, server)
    drop(page, "slow.csv", slow_table())
    expect(page.get_by_text(re.compile(r"Reading: slow\\?\.csv — \d+\s%"))).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Reading was cancelled")).to_be_visible()
    expect(page.get_by_role("heading", name="150 rows × 4 columns")).to_be_visible()
    settled(page)
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    page.get_by_test_id("stMain").get_by_role("button", name="Remove slow.csv").click()
    drop(page, "quick.csv", ACTING)  # the next file is read as if nothing had happened
    expect(page.get_by_role("heading", name="8 rows × 5 columns")).to_be_visible()


def test_what_a_refusal_offers_is_taken_with_one_click(page, server):
    open_data(page, server)
    drop(page, "ragged.csv", "a,b\n1,2\n1,2,3\n4,5\n7,8\n")
    expect(page.get_by_text("Line 3 has 3 cells where 2 are expected")).to_be_visible()
    expect(page.get_by_role("heading", name="150 rows × 4 columns")).to_be_visible()
    settled(page)  # a click during a rerun would be lost
    page.get_by_role("button", name="Skip 1 row").click()
    expect(page.get_by_role("heading", name="3 rows × 2 columns")).to_be_visible()
    expect(page.get_by_text("1 row with too many cells skipped (first: line 3)")).to_be_visible()


def test_an_earlier_result_is_reached_again_after_a_refused_file(page, server):
    page.goto(f"{server.url}/?data=swimmer&rank=5&seed=7")
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    settled(page)
    before = page.get_by_text(re.compile(r"relative error", re.I)).first.inner_text()
    page.get_by_role("link", name="Data", exact=True).click()
    expect(page.get_by_role("heading", name="Preparation")).to_be_visible()
    settled(page)
    drop(page, "broken.parquet", b"PAR1" + b"\7" * 500 + b"PAR1")
    expect(page.get_by_text("This is a damaged Parquet file")).to_be_visible()
    expect(page.get_by_text("Your earlier data and results are still there")).to_be_visible()
    settled(page)
    page.get_by_role("link", name="Explore", exact=True).click()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    settled(page)
    assert "data=swimmer" in page.url
    assert page.get_by_text(re.compile(r"relative error", re.I)).first.inner_text() == before


def test_a_link_to_prepared_data_opens_in_a_fresh_browser_on_a_fresh_server(
    page, server, browser, fresh_server, tmp_path
):
    page.goto(f"{server.url}/data?data=wine")
    expect(page.get_by_role("heading", name="178 rows × 13 columns")).to_be_visible()
    settled(page)
    page.get_by_text("Logarithm, log(1 + x)").first.click()
    settled(page)
    page.get_by_role("button", name="Use this data").click()
    page.get_by_role("link", name="Explore its parts").click()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    settled(page)
    query = page.url.split("?")[1]
    assert "made=" in query
    shown = page.get_by_test_id("stMetricValue").first.inner_text()
    other = fresh_server()
    context = browser.new_context()
    tab = context.new_page()
    try:
        tab.goto(f"{other.url}/?{query}")
        expect(tab.locator(".js-plotly-plot").first).to_be_visible()
        settled(tab)
        assert tab.get_by_text("no longer on the server").count() == 0
        expect(tab.get_by_text("Wine (prepared)").first).to_be_visible()
        assert tab.get_by_test_id("stMetricValue").first.inner_text() == shown
        assert tab.url.split("?")[1] == query
        tab.get_by_role("tab", name="Take along").click()
        expect(tab.get_by_role("button", name="Python script")).to_be_visible()
        settled(tab)
        with tab.expect_download() as waiting:
            tab.get_by_role("button", name="Python script").click()
        waiting.value.save_as(tmp_path / "script.py")
        script = (tmp_path / "script.py").read_text(encoding="utf-8")
        assert "load_dataset('wine')" in script  # the built-in data, then the step: nobody needs the server for it
        assert "np.log1p(X)" in script
    finally:
        context.close()


def test_new_rows_are_placed_in_a_browser(page, server, tmp_path):
    page.goto(f"{server.url}/?data=wine&view=New+rows")
    expect(page.get_by_text("Open a file with more wines")).to_be_visible()
    settled(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="An example file").click()
    path = tmp_path / "example.csv"
    waiting.value.save_as(path)
    page.locator("[data-testid=stMain] input[type=file]").set_input_files(path)
    expect(page.get_by_text("5 rows placed")).to_be_visible()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="W of the new rows (.csv)").click()
    waiting.value.save_as(tmp_path / "W.csv")
    reading = read((tmp_path / "W.csv").read_bytes(), "W.csv", sandbox=False)
    assert reading.raw.shape == (5, 4)
    assert reading.raw.rows[0] == "wine 1"
    assert list(reading.raw.cols) == ["Part 1", "Part 2", "Part 3", "relative error"]
