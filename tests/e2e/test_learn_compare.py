"""Learn presented by keyboard and shared by its link; Compare with two pinned runs."""

from __future__ import annotations

import re
from itertools import pairwise

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Server, settled


def press(page: Page, key: str, seen: str) -> None:
    """Press a key until what it does is seen: on a busy machine the page may not listen yet when it is pressed first."""
    for _ in range(6):
        page.keyboard.press(key)
        try:
            expect(page.get_by_text(seen).first).to_be_visible(timeout=15_000)
        except AssertionError:
            continue
        return
    raise AssertionError(f"the key {key} does nothing")


def test_the_whole_page_learn_is_presented_by_keyboard(page: Page, server: Server):
    page.goto(f"{server.url}/learn?present=on")
    beginnings = (
        "Each row of X is to be a sum",
        "Start with any W and H",
        "Read X ≈ W · H as a network",
        "A part is a direction",
        "The algorithm goes downhill",
        "on seven kinds of data",
    )
    for now, following in pairwise(beginnings):
        expect(page.get_by_text(now).first).to_be_visible()
        expect(page.locator(".js-plotly-plot").first).to_be_visible()
        settled(page)
        press(page, "PageDown", following)
    settled(page)
    press(page, "PageUp", beginnings[-2])


def test_steps_by_key_and_a_shared_link_show_the_same_numbers(page: Page, server: Server):
    page.goto(f"{server.url}/learn?chapter=algorithm")
    expect(page.get_by_text("This is the start.")).to_be_visible()
    settled(page)
    press(page, "n", "H (just updated)")
    settled(page)
    press(page, "n", "W (just updated)")
    settled(page)
    loss = page.get_by_test_id("stMetricValue").first.inner_text()
    other = page.context.browser.new_context().new_page()
    other.goto(page.url)
    expect(other.get_by_text("W (just updated)").first).to_be_visible(timeout=90_000)
    expect(other.get_by_test_id("stMetricValue").first).to_have_text(loss)
    other.context.close()
    press(page, "b", "H (just updated)")


def test_an_amount_that_is_dragged_changes_the_sum(page: Page, server: Server):
    page.goto(f"{server.url}/learn")
    expect(page.get_by_text("38.83")).to_be_visible()
    page.get_by_role("slider").first.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(page.get_by_test_id("stMetricValue").first).not_to_have_text("38.83")
    expect(page).to_have_url(re.compile("w_small="))


def test_two_runs_are_compared(page: Page, server: Server):
    page.goto(f"{server.url}/?data=wine")
    expect(page.get_by_text("sum of 3 parts")).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Pin to compare").click()
    expect(page.get_by_role("button", name="Pinned")).to_be_visible()
    settled(page)
    page.get_by_role("slider").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("sum of 4 parts")).to_be_visible()
    settled(page)
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Compare").click()
    expect(page.get_by_text("tell another story about Wine")).to_be_visible()
    expect(page).to_have_url(re.compile("data=wine&rank=4$"))
    page.get_by_role("tab", name="Runs").click()
    expect(page.get_by_text("What changed in the settings")).to_be_visible()
    expect(page.get_by_text("Mean cosine")).to_be_visible()


def test_a_name_survives_another_seed_and_rank_and_is_in_the_download(page: Page, server: Server, tmp_path):
    page.goto(f"{server.url}/?rank=2&init=random&view=Take+along")
    expect(page.get_by_text("sum of 2 parts")).to_be_visible()
    settled(page)
    page.get_by_text("Names and colours of the parts").click()
    field = page.get_by_role("textbox", name=re.compile("Name of Part 1"))
    field.fill("my part")
    field.press("Enter")
    expect(page).to_have_url(re.compile("my(%20|\\+)part"))
    settled(page)
    page.get_by_role("slider").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("sum of 3 parts")).to_be_visible()
    expect(page.get_by_text("Names carried over by cosine similarity")).to_be_visible()
    settled(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="W (recipes)", exact=True).click()
    waiting.value.save_as(tmp_path / "W.csv")
    assert "my part" in (tmp_path / "W.csv").read_text().splitlines()[0]
