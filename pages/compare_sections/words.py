"""Shares that may be very large, in words."""

from __future__ import annotations

from nmf_core.wording import percent


def share(value: float) -> str:
    """Return a share as a percentage that is read at a glance, also where it is thousands or mere rounding."""
    if 0 < value < 1e-6:
        return "below 0.0001 %"
    if 0.999995 <= value < 1:  # three digits would say 100.000 %
        return percent(1.0)
    return percent(value) if value < 10 else f"{100 * value:,.0f} %"
