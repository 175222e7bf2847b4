"""Text from files, made safe and short enough for a Plotly figure."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

# Control and direction characters can hide or reorder what people read; Plotly has no use for them.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]+"
)


def plain(value: object) -> str:
    """Return a value as one line of plain text: control, direction and zero-width characters become blanks."""
    text = str(value)
    if not text.isascii() or not text.isprintable():
        text = _UNSEEN.sub(" ", text)
    return " ".join(text.split())


def shorten(text: str, limit: int) -> str:
    """Cut the middle out of a text longer than `limit`, so that its beginning and its end stay readable.

    Names in a family often differ at the end ("petal length (cm)", "petal width (cm)").
    """
    if limit < 3 or len(text) <= limit:
        return text
    tail = (limit - 1) // 3
    return f"{text[: limit - 1 - tail].rstrip()}…{text[len(text) - tail :].lstrip()}"


def label(value: object, limit: int = 60) -> str:
    """Escape a name for every place where Plotly reads markup: titles, ticks, legends, annotations, hover.

    Parameters
    ----------
    value : object
        The name, as found in a file.
    limit : int
        Longest text shown; the middle is cut out of longer ones. 0 keeps all of it.

    Returns
    -------
    str
        Text in which ``<``, ``>``, ``&`` and quotes are shown instead of obeyed. An empty name becomes "(no name)".
    """
    text = plain(value) or "(no name)"
    if limit:
        text = shorten(text, limit)
    # Plotly also reads %{…} in hover templates and $…$ as TeX: a zero-width joiner takes both their meaning.
    escaped = html.escape(text, quote=True)
    if "%{" in escaped:
        escaped = escaped.replace("%{", "%\u2060{")
    if escaped.startswith("$") and escaped.endswith("$"):
        escaped = "\u2060" + escaped
    return escaped


def labels(values: Iterable[object], limit: int = 60) -> list[str]:
    """Escape many names, see `label`."""
    return [label(value, limit) for value in values]


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
    """Return a share from 0 to 1 as a percentage; values that are nearly, but not quite, 100 % keep a 9 more."""
    share = float(share)
    if share != share:
        return "not defined"
    value = 100 * share
    if 99.9 < value < 100:
        return f"{value:.3f} %"
    if abs(value) >= 10:
        return f"{value:.1f} %"
    return f"{value:.{digits}g} %"


def count(n: int, one: str, many: str | None = None) -> str:
    """Return ``1 sample`` or ``150 samples``."""
    return f"{n:,} {one if n == 1 else (many or one + 's')}"
