"""Learn as a class uses it: presented by keyboard from end to end, dragged, typed into, played, shared by link."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from nmf_core.lessons.examples import EXAMPLES
from nmf_core.lessons.stepping import moments
from pages.learn_sections.uses import TITLES
from tests.e2e.conftest import Server, settled

LOSS = "Your Σ (X − WH)²"


def press(page: Page, key: str, seen: str) -> None:
    """Press a key and wait for what it does.

    On a busy machine the page may not listen yet: the key is pressed again if the page neither begins to work nor shows
    what is awaited. Once it works, the key is not pressed again, however long that takes: it would be done twice.
    """
    settled(page)
    awaited = page.get_by_text(seen, exact=True)
    heard = page.locator("[data-testid=stApp][data-test-script-state=running]").or_(awaited)
    for _ in range(6):
        page.keyboard.press(key)
        try:
            expect(heard.first).to_be_visible(timeout=5_000)
        except AssertionError:
            continue
        break
    expect(awaited.first).to_be_visible()


def metric(page: Page, label: str):
    """Return the value under a label."""
    return page.get_by_test_id("stMetric").filter(has_text=label).get_by_test_id("stMetricValue")


def test_the_whole_page_is_presented_by_keyboard(page: Page, server: Server):
    page.goto(f"{server.url}/learn?present=on")
    expect(page.get_by_text("Each row of X is to be a sum")).to_be_visible()
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    assert page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)") >= 20
    stops = int(re.search(r"of (\d+)", page.get_by_text("Stop 1 of").inner_text()).group(1))
    heads = []
    for stop in range(1, stops + 1):
        expect(page.get_by_text(f"Stop {stop} of {stops} · PageDown goes on")).to_be_visible()
        settled(page)
        # Jobs end in a picture; the film has one of its own.
        expect(
            page.locator(".js-plotly-plot, [data-testid=stBidiComponentRegular] canvas, canvas[role=img]").first
        ).to_be_visible()
        expect(page.get_by_test_id("stException")).to_have_count(0)
        heads.append(page.get_by_role("heading", level=1).first.inner_text())
        if stop < stops:
            press(page, "PageDown", f"Stop {stop + 1} of {stops} · PageDown goes on")
    assert list(dict.fromkeys(heads)) == [
        "A table as a sum of parts",
        "One update at a time",
        "Three methods side by side",
        "Why it works so",
        "Other starts, other minima",
        "The same product in disguise",
        "Hidden units that only excite",
        "Two parts, two features",
        "Three parts",
        "Parts taking shape",
        "Random against NNDSVD",
        "When to stop",
        "Too few iterations",
        "Where it is used",
        "Where it fails",
    ]
    assert heads.count("Where it is used") == len(TITLES) == 7
    expect(page.get_by_role("button", name="Next")).to_be_disabled()
    press(page, "PageUp", f"Stop {stops - 1} of {stops} · PageDown goes on")


def test_the_presentation_is_ended_and_begun_by_keyboard_alone(page: Page, server: Server):
    page.goto(f"{server.url}/learn?present=on&chapter=network")
    settled(page)
    page.get_by_role("button", name="End").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("stSidebar")).to_be_visible()
    expect(page).not_to_have_url(re.compile("present="))
    settled(page)
    page.get_by_role("switch", name="Presenter view").or_(page.get_by_label("Presenter view")).first.focus()
    page.keyboard.press("Space")
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()


def test_a_number_typed_into_the_table_is_in_the_sum_and_in_a_second_browser(page: Page, server: Server):
    e = EXAMPLES["small"]()
    page.goto(f"{server.url}/learn")
    expect(metric(page, LOSS)).to_have_text("38.832")
    settled(page)
    page.get_by_text("Type the numbers").click()
    grid = page.get_by_test_id("stDataFrameResizable").first
    expect(grid).to_be_visible()
    settled(page)

    def type_into(row: int, col: int, text: str) -> None:
        """Walk to a cell with the arrow keys and type: the first column holds the names of the rows."""
        field = page.locator("#portal input")
        for _ in range(6):  # on a busy machine the page may move once more under the first click
            grid.scroll_into_view_if_needed()  # charts above that come late push it out of sight
            box = grid.bounding_box()
            page.keyboard.press("Escape")  # a second click on a cell would open it by itself
            page.mouse.click(box["x"] + box["width"] * 0.35, box["y"] + 52)
            # Keys that come sooner go to what was in focus before: Enter would fold the table away.
            expect(grid.locator(":focus")).to_have_count(1)
            page.keyboard.press("Control+Home")  # wherever the click fell: the first name
            for _ in range(row):
                page.keyboard.press("ArrowDown")
            for _ in range(1 + col):
                page.keyboard.press("ArrowRight")
            page.keyboard.press("Enter")
            try:
                expect(field).to_be_focused(timeout=15_000)
            except AssertionError:
                continue
            break
        expect(field).to_be_focused()
        field.press("Control+a")
        field.press_sequentially(text, delay=80)  # as fast as fingers are: the editor drops what comes at once
        expect(field).to_have_value(text)
        field.press("Enter")
        expect(field).to_have_count(0)

    type_into(0, 0, "2.5")
    expect(page).to_have_url(re.compile(r"x_small=2\.5%2C2%2C0|x_small=2\.5,2,0"))
    X = e.X.copy()
    X[0, 0] = 2.5
    expect(metric(page, LOSS)).to_have_text(f"{((X - e.W @ e.H) ** 2).sum():.5g}")
    settled(page)
    type_into(3, 2, "7")  # a second number: the first must stay
    X[3, 2] = 7
    expect(metric(page, LOSS)).to_have_text(f"{((X - e.W @ e.H) ** 2).sum():.5g}")
    settled(page)
    # A slider moves while numbers are typed: neither takes the other back.
    slider = page.get_by_role("slider", name=re.compile("Amount of part 1 in row 1"))
    slider.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    W = e.W.copy()
    W[0, 0] = 0.6
    expect(metric(page, LOSS)).to_have_text(f"{((X - W @ e.H) ** 2).sum():.5g}")
    other = page.context.browser.new_context().new_page()
    other.goto(page.url)
    expect(metric(other, LOSS)).to_have_text(f"{((X - W @ e.H) ** 2).sum():.5g}", timeout=90_000)
    other.context.close()


def test_amounts_and_parts_are_dragged_with_the_mouse(page: Page, server: Server):
    page.goto(f"{server.url}/learn?drag=h")
    expect(metric(page, LOSS)).to_have_text("38.832")
    settled(page)
    thumb = page.get_by_role("slider", name="c in part 1")
    box = thumb.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y, steps=6)
    page.mouse.up()
    expect(page).to_have_url(re.compile("h_small="))
    value = float(re.search(r"h_small=1(?:,|%2C)0\.5(?:,|%2C)([\d.]+)", page.url).group(1))
    assert value > 0.3
    e = EXAMPLES["small"]()
    H = e.H.copy()
    H[0, 2] = value
    expect(metric(page, LOSS)).to_have_text(f"{((e.X - e.W @ H) ** 2).sum():.5g}")
    settled(page)
    page.get_by_role("button", name="The given numbers").click()
    expect(metric(page, LOSS)).to_have_text("38.832")
    expect(page).not_to_have_url(re.compile("h_small="))


def test_steps_by_key_and_the_link_offered_show_the_same_numbers_to_a_student(page: Page, server: Server):
    e = EXAMPLES["small"]()
    path = moments(e.X, e.W, e.H, "mu", count=3)
    page.goto(f"{server.url}/learn?chapter=algorithm")
    expect(page.get_by_text("This is the start.")).to_be_visible()
    for step in (1, 2, 3):
        press(page, "n", f"{2 * path[step].loss:.6g}")
    press(page, "b", f"{2 * path[2].loss:.6g}")
    settled(page)
    page.get_by_text("Bring everybody here").click()
    address = page.get_by_test_id("stCode").locator("code").inner_text()
    assert "step=2" in address
    student = page.context.browser.new_context(color_scheme="dark").new_page()
    student.goto(address)
    expect(metric(student, "Σ (X − WH)²").first).to_have_text(f"{2 * path[2].loss:.6g}", timeout=90_000)
    expect(student.get_by_text("W (new)").first).to_be_visible()
    student.context.close()


def test_the_film_is_scrubbed_by_keyboard_played_and_shared(page: Page, server: Server):
    page.goto(f"{server.url}/learn?chapter=starts&film=digits")
    scrubber = page.get_by_role("slider", name="Iteration of the film")
    expect(scrubber).to_be_visible()
    settled(page)
    first = page.locator("canvas[role=img]").screenshot()
    scrubber.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(scrubber).to_have_attribute("aria-valuetext", re.compile(r"iteration 5 · relative error [\d.]+ %"))
    expect(page).to_have_url(re.compile(r"frame=5\b"))
    settled(page)
    assert page.locator("canvas[role=img]").screenshot() != first
    student = page.context.browser.new_context().new_page()
    student.goto(page.url)
    other = student.get_by_role("slider", name="Iteration of the film")
    expect(other).to_have_value("5", timeout=90_000)
    student.context.close()
    page.get_by_role("button", name="Play").focus()
    page.keyboard.press("Space")
    expect(scrubber).to_have_attribute("aria-valuetext", re.compile("iteration 310 "))  # it runs to the end by itself
    expect(page).to_have_url(re.compile(r"frame=27\b"))
    alt = page.locator("canvas[role=img]").get_attribute("aria-label")
    assert re.search(r"16 parts of digits as pictures, from iteration 0 to 310 in 28 frames", alt)


def test_a_negative_weight_is_dragged_out_of_the_cone(page: Page, server: Server):
    page.goto(f"{server.url}/learn?chapter=geometry&cone_w2=0.2")
    settled(page)
    slider = page.get_by_role("slider", name="Weight of part 2")
    slider.focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    expect(page.get_by_text("A negative weight leads out of the cone")).to_be_visible()
    expect(page).to_have_url(re.compile(r"cone_w2=-0\.2"))
    expect(page.get_by_role("figure", name="lies outside the cone")).to_be_visible()


FOCUSED = """(() => {
  const a = document.activeElement, group = a.closest('[role=radiogroup]');
  return [a.getAttribute('aria-label'), a.innerText, group && group.getAttribute('aria-label')].join(' ').replace(/\\s+/g, ' ');
})()"""


def tabbed(page: Page) -> list[str]:
    """Press Tab from the top of the page until it begins again; return the names of what had the focus on the way."""
    reached: list[str] = []
    for _ in range(200):
        page.keyboard.press("Tab")
        name = page.evaluate(FOCUSED)
        if reached and name == reached[0]:
            return reached
        reached.append(name)
    raise AssertionError(f"Tab does not come back to where it began: {reached}")


def test_every_control_of_a_step_is_reached_by_the_tab_key(page: Page, server: Server):
    page.goto(f"{server.url}/learn?chapter=algorithm")
    settled(page)
    reached = tabbed(page)
    controls = (
        "Presenter view",
        "Back",
        "Chapter",
        "Section",
        "Next Shift",
        "Example",
        "Update",
        "Loss",
        "Start",
        "Set H[1,1] to zero",
        "Back one",
        "Next update",
        "Updates made",
        "Entry spelled out",
        "Table",
        "Check yourself",
        "Bring everybody here",
    )
    assert [control for control in controls if not any(control in name for name in reached)] == [], reached
