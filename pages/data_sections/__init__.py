"""The parts of the page Data, top to bottom."""
