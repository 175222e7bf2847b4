"""Text from files, made safe and short enough for a Plotly figure."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from nmf_core.wording import count, number, percent

__all__ = ["count", "label", "labels", "number", "percent", "plain", "shorten"]

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
    # Of the named entities Plotly decodes a handful only, and none of the quotes: those are written as numbers.
    escaped = html.escape(text, quote=False).replace('"', "&#34;").replace("'", "&#39;")
    # Plotly also reads %{…} in hover templates and $…$ as TeX: a zero-width joiner takes both their meaning.
    if "%{" in escaped:
        escaped = escaped.replace("%{", "%\u2060{")
    if escaped.startswith("$") and escaped.endswith("$"):
        escaped = "\u2060" + escaped
    return escaped


def labels(values: Iterable[object], limit: int = 60) -> list[str]:
    """Escape many names, see `label`."""
    return [label(value, limit) for value in values]
