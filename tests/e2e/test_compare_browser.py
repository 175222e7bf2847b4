"""Compare in a real browser: two pinned runs, a race that is shared by its link, data spoiled by a slider, names kept."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.e2e.conftest import SLOW, Server, settled


def tab(page: Page, name: str) -> None:
    """Turn to a tab of the page Compare."""
    page.get_by_role("tab", name=name).click()
    settled(page)


def turn_rank_up(page: Page) -> None:
    """Move the slider of the rank by one, by keyboard."""
    page.get_by_role("slider", name=re.compile("Rank")).first.focus()
    page.keyboard.press("ArrowRight")


def rename(page: Page, name: str) -> None:
    """Give the first part a name and wait until the address holds it."""
    page.get_by_text("Names and colours of the parts").click()
    field = page.get_by_role("textbox", name=re.compile("Name of Part 1"))
    field.fill(name)
    field.press("Enter")
    expect(page).to_have_url(re.compile(name.replace(" ", r"(%20|\+)")))
    settled(page)


def test_two_pinned_runs_are_compared_pair_by_pair(page: Page, server: Server):
    page.goto(f"{server.url}/compare?data=wine&section=Runs")
    expect(page.get_by_text("Nothing is pinned yet")).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Pin to compare").click()
    expect(page.get_by_text("This is the very result on the screen")).to_be_visible()
    settled(page)
    turn_rank_up(page)
    expect(page.get_by_text("What changed", exact=True)).to_be_visible()
    settled(page)
    # Matched one to one: three pairs, and what differs in the least alike one.
    expect(page.get_by_text("Mean cosine")).to_be_visible()
    expect(page.get_by_text("Same main part")).to_be_visible()
    expect(page.get_by_text("What differs in a pair")).to_be_visible()
    chart = page.locator(".js-plotly-plot").last
    expect(chart.locator(".legendtext").first).to_contain_text(", first")
    page.get_by_text("Similarity of every part with every other").click()
    expect(page.get_by_role("figure", name=re.compile("Cosine similarity of 3 and 4 components"))).to_be_visible()
    settled(page)
    # A second pin, and the two pins beside each other.
    page.get_by_role("button", name="Pin to compare").click()
    expect(page.get_by_text("All pins against the result on the screen")).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Take the pin away").click()
    expect(page.get_by_text("All pins against the result on the screen")).to_be_hidden()


def test_a_race_of_two_losses_is_shared_by_its_link(page: Page, server: Server):
    page.goto(f"{server.url}/compare?data=iris&section=Solvers&max_iter=60")
    expect(page.get_by_text("Measured here")).to_be_visible()
    settled(page)
    page.get_by_role("button", name="Kullback-Leibler", exact=True).click()
    expect(page.get_by_text("must not be ranked against each other").first).to_be_visible()
    expect(page).to_have_url(re.compile("race_losses=kullback-leibler"))
    settled(page)
    page.get_by_role("radio", name="second").click()
    expect(page).to_have_url(re.compile("race_axis=second"))
    settled(page)
    other = page.context.browser.new_context().new_page()
    other.set_default_timeout(SLOW)
    other.goto(page.url)
    expect(other.get_by_text("must not be ranked against each other").first).to_be_visible()
    expect(other.locator(".js-plotly-plot").get_by_text("scikit-learn’s own mu").first).to_be_visible()
    expect(other.locator(".js-plotly-plot").get_by_text("milliseconds of computing").first).to_be_visible()
    other.context.close()


def test_a_slider_spoils_the_data_as_far_as_one_likes(page: Page, server: Server):
    page.goto(f"{server.url}/compare?data=iris&section=Robustness&corruption=missing&draws=1")
    expect(page.get_by_text("40.0 % of the cells missing")).to_be_visible()
    settled(page)
    page.get_by_role("slider", name=re.compile("How much")).first.focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    expect(page.get_by_text("37.0 % of the cells missing")).to_be_visible()
    expect(page).to_have_url(re.compile("level_missing=37"))


def test_a_name_is_on_compare_and_comes_back_with_the_bundle(page: Page, server: Server, tmp_path):
    page.goto(f"{server.url}/?rank=2&view=Take+along")
    expect(page.get_by_text("sum of 2 parts")).to_be_visible()
    settled(page)
    rename(page, "the petals")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Bundle", exact=True).click()
    waiting.value.save_as(tmp_path / "iris.zip")
    page.get_by_test_id("stSidebarNavLink").filter(has_text="Compare").click()
    expect(page.get_by_text("tell another story about Iris")).to_be_visible()
    settled(page)
    expect(page.locator(".js-plotly-plot").first.get_by_text("the petals").first).to_be_visible()
    other = page.context.browser.new_context().new_page()
    other.set_default_timeout(SLOW)
    other.goto(f"{server.url}/?data=wine&view=Take+along")
    expect(other.get_by_text("Open a bundle")).to_be_visible()
    settled(other)
    other.get_by_test_id("stFileUploaderDropzoneInput").last.set_input_files(str(tmp_path / "iris.zip"))
    expect(other.get_by_text("Opened: Iris, rank 2.")).to_be_visible()
    settled(other)
    expect(other).to_have_url(re.compile("the(%20|\\+)petals"))
    other.get_by_role("tab", name="Parts").click()
    expect(other.locator(".js-plotly-plot").first.get_by_text("the petals").first).to_be_visible()
    other.context.close()


def test_a_run_pinned_on_explore_is_compared_on_compare(page: Page, server: Server):
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
    expect(page.get_by_text("What changed", exact=True)).to_be_visible()
    expect(page.get_by_text("Mean cosine")).to_be_visible()


def test_a_name_survives_another_seed_and_rank_and_is_in_the_download(page: Page, server: Server, tmp_path):
    page.goto(f"{server.url}/?rank=2&init=random&view=Take+along")
    expect(page.get_by_text("sum of 2 parts")).to_be_visible()
    settled(page)
    rename(page, "my part")
    page.get_by_role("slider").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("sum of 3 parts")).to_be_visible()
    expect(page.get_by_text("Names carried over by cosine similarity")).to_be_visible()
    settled(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="W (recipes)", exact=True).click()
    waiting.value.save_as(tmp_path / "W.csv")
    assert "my part" in (tmp_path / "W.csv").read_text().splitlines()[0]


def test_blocks_take_no_more_room_than_they_fill_on_a_narrow_page(page: Page, server: Server):
    page.set_viewport_size({"width": 768, "height": 1000})
    page.goto(f"{server.url}/compare?data=faces_lfw")
    chart = page.locator(".st-key-method_blocks_0")
    expect(chart.get_by_text("the picture uses").first).to_be_visible()
    settled(page)
    expect(chart.locator(".shapelayer path, .layer-above path")).to_have_count(3)
    page.wait_for_function(
        """() => {
          const chart = document.querySelector('.st-key-method_blocks_0'), low = chart.getBoundingClientRect().bottom;
          const frames = [...chart.querySelectorAll('.shapelayer path')].map((e) => e.getBoundingClientRect().bottom);
          return frames.length === 3 && low - Math.max(...frames) < 30 && low >= Math.max(...frames);
        }"""
    )
