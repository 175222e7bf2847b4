"""A person walks the page Images in a real browser."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.e2e.conftest import settled


def test_parts_of_digits_are_seen_chosen_and_added_up(page: Page, server) -> None:
    page.goto(f"{server.url}/images?images_data=digits")
    expect(page.get_by_text("Measured here")).to_be_visible()
    sheet = page.locator(".js-plotly-plot").first
    expect(sheet.locator("image").first).to_be_visible()
    # A click on a tile names another part below.
    part = page.get_by_label("Pictures that use most of")
    before = part.input_value() if part.evaluate("e => 'value' in e") else part.inner_text()
    settled(page)
    for _ in range(5):  # the chart may still be moving down the page when it is clicked first
        box = sheet.locator("image").first.bounding_box()
        assert box
        page.mouse.click(box["x"] + 0.55 * box["width"], box["y"] + 0.25 * box["height"])
        try:
            page.wait_for_function(
                "before => { const e = document.querySelector('[aria-label*=\"Pictures that use most of\"]');"
                " return e && (e.value || e.innerText) !== before }",
                arg=before,
                timeout=15_000,
            )
            break
        except PlaywrightTimeout:
            continue
    now = part.input_value() if part.evaluate("e => 'value' in e") else part.inner_text()
    assert now != before
    settled(page)
    # A step fewer with the keyboard: one part less in the sum.
    expect(page.get_by_text(re.compile(r"6 of \d+ parts"))).to_be_visible()
    page.get_by_role("slider", name="Parts added").press("ArrowLeft")
    expect(page.get_by_text(re.compile(r"5 of \d+ parts"))).to_be_visible()
    expect(page).to_have_url(re.compile("images_steps=5"))


def test_sections_are_walked_and_a_link_opens_the_same_one(page: Page, server) -> None:
    page.goto(f"{server.url}/images?images_data=digits&damage=gaussian&denoising_rank_gaussian=8")
    expect(page.get_by_text("Measured here")).to_be_visible()
    for name, text in (
        ("Methods", "How much of each block the picture holds"),
        ("Compression", "Left of the curtain"),
        ("Denoising", "NMF on patches gains"),
        ("Spectral cubes", "Abundance maps"),
    ):
        page.get_by_test_id("stButtonGroup").first.get_by_text(name, exact=True).click()
        expect(page.get_by_text(text).first).to_be_visible()
    expect(page.get_by_text("normalised mutual information")).to_be_visible()
    page.goto(page.url)
    expect(page.get_by_text("Abundance maps")).to_be_visible()


def test_the_curtain_moves_over_an_own_picture(page: Page, server) -> None:
    import io

    import numpy as np
    from PIL import Image

    values = (np.indices((60, 80)).sum(axis=0) * 1.5).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(np.stack([values, values[::-1], values[:, ::-1]], axis=2)).save(buffer, "PNG")
    page.goto(f"{server.url}/images?images_view=Compression&compression_picture=upload&compression_rank=4")
    expect(page.get_by_text("Choose a file above.")).to_be_visible()
    page.locator("input[type=file]").last.set_input_files(
        {"name": "mine.png", "mimeType": "image/png", "buffer": buffer.getvalue()}
    )
    picture = page.get_by_role("img", name=re.compile("Original in the left 50 %"))
    expect(picture).to_be_visible()
    expect(page.get_by_text(re.compile("NMF (beats|loses to|ties with) truncated SVD"))).to_be_visible()
    page.get_by_role("slider", name="Curtain").press("End")
    expect(page.get_by_role("img", name=re.compile("Original in the left 100 %"))).to_be_visible()
    page.locator("input[type=file]").last.set_input_files(
        {"name": "broken.png", "mimeType": "image/png", "buffer": b"\x89PNG broken"}
    )
    expect(page.get_by_text("could not be read as a picture")).to_be_visible()
