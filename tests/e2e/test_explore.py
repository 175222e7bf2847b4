"""Explore in a real browser, on a real server."""

from __future__ import annotations

import io
import re
import time
import zipfile

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from nmf_core import fit, load_dataset
from nmf_core.components import present
from tests.e2e.conftest import Server, settled


def choose(page: Page, label: str, option: str) -> None:
    """Choose an option of a select box by typing, as a person does."""
    box = page.get_by_role("combobox", name=re.compile(label)).first
    box.click()
    box.fill(option)
    page.get_by_role("option", name=option, exact=True).first.click()


def card(page: Page, label: str) -> str:
    """Return the value of a card."""
    metric = page.get_by_test_id("stMetric").filter(has_text=label).first
    return metric.get_by_test_id("stMetricValue").inner_text()


def test_the_first_screen_shows_iris(page: Page, server: Server):
    outside: list[str] = []
    page.on("request", lambda request: outside.append(request.url) if server.url not in request.url else None)
    page.goto(server.url)
    expect(page.get_by_text("150 flowers is shown as a sum of 3 parts")).to_be_visible()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    expect(page.get_by_text("W: the recipe of each sample").first).to_be_visible()
    assert card(page, "Relative error") == "1.93 %"
    assert [url for url in outside if not url.startswith(("data:", "blob:", "ws:"))] == []


@pytest.mark.parametrize("address", ["/explore", "/data", "/rank", "/nowhere"])
def test_a_deep_link_is_the_first_request_to_a_fresh_server(page: Page, fresh_server, address: str):
    page.goto(fresh_server().url + address)
    expect(page.get_by_test_id("stSidebarNav").get_by_text("Explore")).to_be_visible()
    expect(page.get_by_text("Data set").first).to_be_visible()
    assert page.get_by_test_id("stSidebarNav").get_by_text(re.compile("main|app", re.I)).count() == 0


def test_data_set_and_rank_change_what_is_shown_and_the_link_restores_it(page: Page, server: Server):
    page.goto(server.url)
    expect(page.get_by_text("sum of 3 parts")).to_be_visible()
    choose(page, "Data set", "Wine")
    expect(page.get_by_text("178 wines is shown as a sum of 3 parts")).to_be_visible()
    # No name below H is dropped, not even the longest at the right.
    expect(page.locator(".xtick text", has_text="od280").first).to_be_visible()
    page.get_by_role("slider").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("sum of 4 parts")).to_be_visible()
    settled(page)
    error, address = card(page, "Relative error"), page.url
    assert "data=wine" in address
    assert "rank=4" in address
    other = page.context.new_page()
    other.goto(address)
    expect(other.get_by_text("178 wines is shown as a sum of 4 parts")).to_be_visible()
    expect(other.get_by_test_id("stMetric").first).to_contain_text(error)
    other.reload()
    expect(other.get_by_text("sum of 4 parts")).to_be_visible()
    other.close()


def test_a_long_fit_is_watched_cancelled_and_continued(page: Page, server: Server):
    page.goto(f"{server.url}/?data=faces_orl&rank=49&solver=mu&max_iter=100000&tol=0&seconds=3600")
    expect(page.get_by_text("Factorizing ORL faces into 49 parts")).to_be_visible()
    progress = page.get_by_text(re.compile(r"iteration [\d,]+, relative error")).first
    expect(progress).to_be_visible()
    before = progress.inner_text()
    # A click elsewhere does not kill the run.
    page.get_by_text("About these data").click()
    expect(progress).not_to_have_text(before)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Cancel").click()
    clicked = time.monotonic()
    expect(page.get_by_text("Cancelled; the result so far is kept.").first).to_be_visible()
    assert time.monotonic() - clicked < 60  # the second itself is held by the tests of the job manager
    expect(page.get_by_test_id("stMetric").first).to_contain_text("Relative error")
    page.get_by_role("button", name="Continue", exact=True).click()
    expect(page.get_by_text(re.compile(r"iteration [\d,]+, relative error")).first).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled; the result so far is kept.").first).to_be_visible()


def test_an_uploaded_table_is_factorized_and_a_refused_one_keeps_the_result(page: Page, server: Server):
    page.goto(server.url)
    expect(page.get_by_text("sum of 3 parts")).to_be_visible()
    page.get_by_text("Open a file of your own").click()
    rng = np.random.default_rng(3)
    table = pd.DataFrame(rng.gamma(2, 1, (12, 3)).round(2), columns=["north", "<b>south</b>", "=1+1"])
    table.insert(0, "group", ["a", "b"] * 6)
    chooser = page.get_by_test_id("stFileUploaderDropzoneInput").first
    chooser.set_input_files({"name": "mine.csv", "mimeType": "text/csv", "buffer": table.to_csv(index=False).encode()})
    expect(page.get_by_text("12 rows").first).to_be_visible()
    expect(page.get_by_text("mine").first).to_be_visible()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    settled(page)
    assert page.locator("b", has_text="south").count() == 0
    chooser.set_input_files({"name": "bad.csv", "mimeType": "text/csv", "buffer": b""})
    expect(page.get_by_text("The file is empty").first).to_be_visible()
    expect(page.get_by_text("12 rows").first).to_be_visible()


def test_downloads_hold_the_numbers_on_the_screen(page: Page, server: Server, tmp_path):
    page.goto(f"{server.url}/?rank=2&view=Take+along")
    expect(page.get_by_text("The same numbers again")).to_be_visible()
    settled(page)

    def download(label: str) -> bytes:
        with page.expect_download() as waiting:
            page.get_by_role("button", name=label, exact=True).click()
        path = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(path)
        return path.read_bytes()

    dataset = load_dataset("iris")
    result = fit(dataset, rank=2, time_limit=300.0)
    parts = present(dataset, result, "component sums 1")
    W = pd.read_csv(io.BytesIO(download("W (recipes)")), index_col=0)
    np.testing.assert_array_equal(W[list(parts.names)].to_numpy(), parts.W)
    H = pd.read_csv(io.BytesIO(download("H (parts)")), index_col=0)
    np.testing.assert_array_equal(H[list(dataset.cols)].to_numpy(), parts.H)
    with np.load(io.BytesIO(download("All as NPZ")), allow_pickle=False) as archive:
        np.testing.assert_allclose(archive["W"] @ archive["H"], result.W @ result.H, rtol=1e-12)
    assert zipfile.ZipFile(io.BytesIO(download("Bundle"))).testzip() is None
    script = download("Python script").decode()
    compile(script, "script.py", "exec")
    assert 'load_dataset("iris")' in script or "load_dataset('iris')" in script


def test_a_given_start_is_used_and_a_wrong_one_gets_a_sentence(page: Page, server: Server):
    page.goto(f"{server.url}/?init=custom&solver=hals&max_iter=5&tol=0")
    page.get_by_text("Model", exact=True).click()
    expect(page.get_by_text("until then the start is NNDSVDa")).to_be_visible()
    dataset = load_dataset("iris")
    rng = np.random.default_rng(1)
    W, H = rng.random((150, 2)), rng.random((2, 4))
    field = page.locator(".st-key-start_file").get_by_test_id("stFileUploaderDropzoneInput")

    def give(**arrays: np.ndarray) -> None:
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        field.set_input_files({"name": "start.npz", "mimeType": "application/zip", "buffer": buffer.getvalue()})

    give(W=-W, H=H)
    expect(page.get_by_text("W must be a matrix of finite numbers")).to_be_visible()
    give(W=W, H=H)
    expect(page.get_by_text("their rank is 2")).to_be_visible()
    expect(page.get_by_text("sum of 2 parts")).to_be_visible()
    settled(page)
    result = fit(dataset, rank=2, init="custom", W=W, H=H, solver="hals", max_iter=5, tol=0.0)
    relative = np.linalg.norm(dataset.X - result.W @ result.H) / np.linalg.norm(dataset.X)
    assert card(page, "Relative error") == f"{100 * relative:.3g} %"
