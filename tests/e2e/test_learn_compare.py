"""Compare with two pinned runs; names that survive another seed and rank."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Server, settled


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
