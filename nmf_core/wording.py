"""Numbers as people write them."""

from __future__ import annotations


def number(value: float, digits: int = 4) -> str:
    """Return a number as people write it: 0.0421, 15.53, 1,234, 2.1e-09."""
    value = float(value)
    if value != value:
        return "not defined"
    size = abs(value)
    if size != 0 and (size < 1e-4 or size >= 1e9):
        return f"{value:.{max(digits - 2, 1)}e}"
    if size >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def percent(share: float, digits: int = 3) -> str:
    """Return a share from 0 to 1 as a percentage; values that are nearly, but not quite, 100 % keep a 9 more.

    `digits` count from the first that is not zero: three give 4.32 % and 43.2 %, two 4.3 % and 43 %.
    """
    share = float(share)
    if share != share:
        return "not defined"
    value = 100 * share
    if 99.9 < value < 100:
        return f"{value:.3f} %"
    if abs(value) >= 10:
        return f"{value:.{max(digits - 2, 0)}f} %"
    return f"{value:.{digits}g} %"


def count(n: int, one: str, many: str | None = None) -> str:
    """Return ``1 sample`` or ``150 samples``."""
    return f"{n:,} {one if n == 1 else (many or one + 's')}"


def duration(seconds: float) -> str:
    """Return seconds as people say them."""
    if seconds < 1:
        return f"{1000 * seconds:.3g} ms"
    if seconds < 100:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
