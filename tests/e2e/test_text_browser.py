"""The page Text in a real browser, on a real server."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Server, settled

HEALTH = re.compile("care · (nhs · health|health · nhs)")  # a topic that no change of the words has lost
EVIL = '<img src=x onerror="document.title=1"> ![x](http://outside.example/y.png) :red[red] <b>bold</b>'


def section(page: Page, name: str) -> None:
    """Click a section as a reader does."""
    page.get_by_test_id("stButtonGroup").get_by_text(name, exact=True).click()
    settled(page)


def watch(page: Page, server: Server) -> list[str]:
    """Collect requests that leave the server."""
    outside: list[str] = []
    local = (server.url, server.url.replace("http", "ws"), "data:", "blob:")
    page.on("request", lambda request: None if request.url.startswith(local) else outside.append(request.url))
    return outside


def test_a_reader_walks_through_all_sections(page: Page, server: Server):
    outside = watch(page, server)
    page.goto(f"{server.url}/text")
    expect(page.get_by_text(HEALTH).first).to_be_visible()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    expect(page.get_by_text("A second opinion: LDA")).to_be_visible()
    section(page, "Documents")
    words = page.locator(".nmf-text mark[class*='nmf-']")
    expect(words.nth(15)).to_be_visible()
    tint = words.nth(15).evaluate("element => getComputedStyle(element).borderBottomColor")
    assert tint not in ("rgba(0, 0, 0, 0)", "transparent")
    expect(page.get_by_text("half of the words").first).to_be_visible()
    for name, text in (
        ("Groups", "chance-corrected AMI"),
        ("Time and labels", "The clearest difference"),
        ("Summaries", "Sentences chosen by NMF say more of the whole"),
        ("New text", "get their own topic shares back"),
        ("Words", "most frequent of them"),
    ):
        section(page, name)
        if name == "Words":
            expect(page.get_by_text("What is left of one document")).to_be_visible()
        else:
            expect(page.get_by_text(text).first).to_be_visible()
        expect(page).to_have_url(re.compile(f"section={re.escape(name.split()[0])}"))
    assert outside == []


def test_new_text_gets_the_topic_it_is_about(page: Page, server: Server):
    page.goto(f"{server.url}/text?section=New+text")
    area = page.get_by_label("Text", exact=True)
    expect(area).to_be_visible()
    area.fill("Police officers fight crime, and more police on the beat mean fewer crimes and more arrests.")
    area.press("Control+Enter")
    settled(page)
    expect(page.locator(".nmf-text mark", has_text="Police").last).to_be_visible()
    title = page.locator(".nmf-text mark", has_text="Police").last.get_attribute("title")
    assert title is not None
    assert "police" in title


def test_an_upload_is_read_and_its_markup_shown_literally(page: Page, server: Server):
    outside = watch(page, server)
    lines = [f"{EVIL} apples pears plums orchard tree {i}" for i in range(6)]
    lines += [f"ships harbour sailors waves storm {EVIL} {i}" for i in range(6)]
    page.goto(f"{server.url}/text")
    expect(page.get_by_text(HEALTH).first).to_be_visible()
    page.get_by_text("Open a file of your own").click()
    page.locator("input[type=file]").first.set_input_files(
        {"name": "lines.txt", "mimeType": "text/plain", "buffer": "\n".join(lines).encode()}
    )
    metric = page.get_by_test_id("stMetric").filter(has_text="Documents").get_by_test_id("stMetricValue")
    expect(metric).to_have_text("12")
    section(page, "Documents")
    text = page.locator(".nmf-text").last
    expect(text).to_contain_text('<img src=x onerror="document.title=1">')
    expect(text).to_contain_text("![x](http://outside.example/y.png) :red[red] <b>bold</b>")
    assert text.locator("img, b, a, script").count() == 0
    section(page, "Summaries")
    expect(page.get_by_text("Chosen by NMF")).to_be_visible()
    assert page.locator("img[src*='outside'], img[src='x']").count() == 0
    assert outside == []
