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


def pieces(page: Page) -> int:
    """Return how many pieces of the running sweep are there."""
    return int(re.findall(r"(\d+) of \d+ pieces", page.get_by_text(re.compile(r"\d+ of \d+ pieces")).inner_text())[0])


def test_a_sweep_is_cancelled_and_continued(page: Page, server: Server):
    # Minutes of work, so that no machine is done before the click.
    page.goto(f"{server.url}/rank?data=faces_orl&rank=4&rank_from=20&rank_to=30&rank_restarts=50")
    button = page.get_by_role("button", name="Cancel")
    expect(button).to_be_visible()
    while (done := pieces(page)) < 2:
        page.wait_for_timeout(200)
    button.click()
    expect(page.get_by_text("Advice so far (the sweep is not finished)")).to_be_visible()
    page.get_by_role("button", name="Continue").click()
    expect(button).to_be_visible()
    assert pieces(page) >= done
    button.click()
    expect(page.get_by_role("button", name="Continue")).to_be_visible()


def test_a_finished_sweep_is_enlarged(page: Page, server: Server):
    page.goto(f"{server.url}/rank?data=faces_orl&rank=2&rank_to=3&rank_restarts=2&rank_shuffled=off")
    expect(page.get_by_text("Advice", exact=True)).to_be_visible()  # without "so far"
    settled(page)
    box = page.get_by_role("spinbutton", name="Restarts per rank")
    box.fill("100")
    box.press("Enter")
    # Only further restarts are computed: the count starts where the first sweep ended, which was at 2 restarts, 5 sets of
    # held-out cells (of so large a table) and 9 blocks for each of 3 ranks.
    assert pieces(page) >= 3 * (2 + 5 + 9)
    page.get_by_role("button", name="Cancel").click()  # nobody waits for the rest
    expect(page.get_by_role("button", name="Continue")).to_be_visible()


def test_any_restart_is_opened_by_its_point_or_by_keyboard_and_the_sweep_is_found_again(page: Page, server: Server):
    page.goto(
        f"{server.url}/rank?data=wine&rank=4&rank_from=2&rank_to=4&rank_restarts=5&rank_shuffled=off&boot_on=off&disp_on=off"
    )
    expect(page.get_by_text("Advice", exact=True)).to_be_visible()  # without "so far"
    settled(page)
    points = page.locator(".st-key-restart_losses .scatterlayer .trace .points path")
    expect(points).to_have_count(5)
    points.nth(4).click(force=True)  # best first: this is the worst
    expect(page).to_have_url(re.compile(r"restart_4=\d"))
    worst = int(re.findall(r"restart_4=(\d)", page.url)[0])
    expect(page.get_by_text(f"Restart {worst} beside the best one")).to_be_visible()
    settled(page)
    # Another one by the keyboard alone.
    other = 1 + worst % 5
    choice = page.get_by_role("combobox", name="Restart", exact=True)
    choice.focus()
    choice.press_sequentially(f"Restart {other}:")
    expect(page.get_by_role("option")).to_have_count(1)
    choice.press("Enter")
    button = page.get_by_role("button", name=f"Open restart {other} in Explore")
    expect(button).to_be_visible()
    settled(page)
    button.press("Enter")
    expect(page.get_by_text("178 wines is shown as a sum of 4 parts")).to_be_visible()
    expect(page).to_have_url(re.compile(f"seed={other - 1}" if other > 1 else "init=random"))
    settled(page)
    page.get_by_role("link", name="Rank").click()
    expect(page.get_by_text("Advice", exact=True)).to_be_visible()
    expect(page.get_by_text(re.compile("restarts reached the best solution"))).to_be_visible()
    settled(page)
    expect(page.get_by_role("button", name=f"Open restart {other} in Explore")).to_be_visible()
    expect(points).to_have_count(5)
