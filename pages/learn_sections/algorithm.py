"""Chapter 2: the algorithm, section by section."""

from __future__ import annotations

from pages.learn_sections import methods, minima, reasons, steps
from pages.learn_sections.common import Section

SMALL = {"example": "small", "learn_start": "as given"}
FRESH = {**SMALL, "step": 0}
SECTIONS = {
    "step": Section("One update at a time", steps.show, ({**FRESH, "method": "mu"},)),
    "methods": Section("Three methods side by side", methods.show, (FRESH,)),
    "why": Section(
        "Why it works so",
        reasons.show,
        (
            {"why": "negative", **SMALL, "step": 0},
            {"why": "zero", **SMALL},
            {"why": "stop", "example": "valleys", "step": 10},
        ),
    ),
    "minima": Section("Other starts, other minima", minima.show_minima, ({"example": "valleys"},)),
    "disguise": Section("The same product in disguise", minima.show_disguise, ({**FRESH, "disguise": 2.0},)),
}
