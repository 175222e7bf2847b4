"""Shares that may be very large, in words."""

from __future__ import annotations

from nmf_core.wording import percent


def share(value: float) -> str:
    """Return a share as a percentage that is read at a glance, also where it is thousands."""
    return percent(value) if value < 10 else f"{100 * value:,.0f} %"
