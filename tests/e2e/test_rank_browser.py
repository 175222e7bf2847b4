"""The page Rank in a real browser: the advice, a click on a point, the way to Explore."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Server, settled


def test_iris_advice_point_and_fit(page: Page, server: Server):
    page.goto(f"{server.url}/rank?rank_restarts=4")
    expect(page.get_by_text("Advice", exact=True)).to_be_visible()  # without "so far"
    settled(page)
    expect(page.get_by_role("heading", name="2 components")).to_be_visible()
    expect(page.get_by_text("Held-out cells are predicted best from rank 2 on")).to_be_visible()
    # A click on the second point of the error curve looks at rank 2.
    chart = page.locator(".js-plotly-plot").first
    chart.locator(".scatterlayer .trace .points path").nth(1).click(force=True)
    expect(page).to_have_url(re.compile("rank=2"))
    expect(page.get_by_text("All of this is about rank 2")).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Open the best fit of rank 2 in Explore").click()
    expect(page.get_by_text("150 flowers is shown as a sum of 2 parts")).to_be_visible()
    expect(page).to_have_url(re.compile("init=random"))
