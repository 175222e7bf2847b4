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
    # Error bars and ranges grow with reruns of the page, which a click must not meet.
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    settled(page)
    page.get_by_role("button", name="Open the best fit of rank 2 in Explore").click()
    expect(page.get_by_text("150 flowers is shown as a sum of 2 parts")).to_be_visible()
    expect(page).to_have_url(re.compile("init=random"))


def test_a_sweep_is_cancelled_continued_and_enlarged(page: Page, server: Server):
    page.goto(f"{server.url}/rank?data=digits&rank=4&rank_to=10&rank_restarts=20")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Advice so far (the sweep is not finished)")).to_be_visible()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Advice", exact=True)).to_be_visible()
    settled(page)
    box = page.get_by_role("spinbutton", name="to", exact=True)
    box.fill("11")
    box.press("Enter")
    # Only one more rank is computed: the count starts where the first sweep ended.
    expect(page.get_by_text("Fitting ranks 1 to 11 of Digits")).to_be_visible()
    line = page.get_by_text(re.compile(r"\d+ of [\d,]+ pieces")).inner_text()
    ((done, total),) = re.findall(r"(\d+) of (\d+) pieces", line.replace(",", ""))
    assert int(done) > 0.8 * int(total)
