"""Page Images: what parts are, and what they are good for."""

from __future__ import annotations

from pages.image_sections import compression, cube, denoising, methods, parts, recognition
from pages.ui.state import pick
from pages.ui.widgets import story

SECTIONS = {
    "Parts": parts.show,
    "Methods": methods.show,
    "Compression": compression.show,
    "Denoising": denoising.show,
    "Recognition": recognition.show,
    "Spectral cubes": cube.show,
}

story(
    "Images",
    "NMF became famous for finding the parts of faces: it may only add, never take away, so what it finds are pieces that "
    "pictures share. Look for parts that stay local, and at the end of each section for what they are worth in numbers.",
)
section = pick("Section", list(SECTIONS), "images_view", "Parts", segmented=True, label_visibility="collapsed")
SECTIONS[section]()
