"""Running text with its words coloured by topic, as HTML in which the text stays text."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from nmf_core.figures.palette import with_alpha
from nmf_core.figures.text import label, percent
from nmf_core.lenses.text.running_text import Piece

MARKED = 4_000  # words marked; a longer text goes on in plain
FAINT = 0.4  # a word whose topic is less certain than this is marked faintly


def coloured_html(
    pieces: Iterable[Piece],
    names: Sequence[str],
    colors: Sequence[str],
    *,
    numbers: bool = False,
    only: Sequence[int] | None = None,
) -> str:
    """Return a fragment of HTML: the text, each word of a topic on that topic's colour.

    Every character of the text and of the names is escaped, so that nothing in a file can act as markup. The colour is
    a tint over the page's own background, so that it suits light and dark; the topic's number is in the tooltip, and
    behind the word with `numbers`.

    Parameters
    ----------
    pieces : iterable of Piece
    names, colors : sequence of str
        Of the topics.
    numbers : bool
        Write the topic's number behind each word.
    only : sequence of int, optional
        Topics to colour.
    """
    wanted = set(range(len(names)) if only is None else only)
    pieces = list(pieces)
    used = sorted({p.topic for p in pieces if p.topic in wanted})
    titles = {t: f"topic {t + 1}: {label(names[t], 60)}" for t in used}
    out = [_style({str(t): colors[t] for t in used}), '<div class="nmf-text">']
    marked = 0
    for piece in pieces:
        text = html.escape(piece.text, quote=True)
        if piece.topic in wanted and marked < MARKED:
            marked += 1
            faint = " nmf-faint" if piece.certainty < FAINT else ""
            behind = f"<sup>{piece.topic + 1}</sup>" if numbers else ""
            out.append(f'<mark class="nmf-{piece.topic}{faint}" title="{titles[piece.topic]}">{text}{behind}</mark>')
        else:
            out.append(text)
    out.append("</div>")
    return "".join(out)


def sentences_html(text: str, chosen: Sequence[tuple[int, int]], color: str) -> str:
    """Return a fragment of HTML: the text with some stretches of it marked.

    Parameters
    ----------
    text : str
    chosen : sequence of (start, end)
        Stretches that do not overlap.
    color : str
        ``#rrggbb``.
    """
    out = [_style({"chosen": color}), '<div class="nmf-text">']
    at = 0
    for start, end in sorted(chosen):
        out.append(html.escape(text[at:start]))
        out.append(f'<mark class="nmf-chosen">{html.escape(text[start:end])}</mark>')
        at = end
    out.append(html.escape(text[at:]))
    out.append("</div>")
    return "".join(out)


def legend_html(topics: Sequence[int], names: Sequence[str], colors: Sequence[str], shares: Sequence[float]) -> str:
    """Return a fragment of HTML: the topics of a document with their colours and shares."""
    items = [
        f'<mark class="nmf-{t}">{t + 1} {label(names[t], 48)}</mark> {percent(share, 2)}'
        for t, share in zip(topics, shares, strict=True)
    ]
    return (
        _style({str(t): colors[t] for t in topics})
        + '<div class="nmf-text nmf-legend">'
        + " &ensp; ".join(items)
        + "</div>"
    )


def _style(colors: dict[str, str]) -> str:
    rules = [
        ".nmf-text{white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.75}",
        ".nmf-text mark{color:inherit;border-radius:3px;padding:0 2px}",
        ".nmf-text mark.nmf-faint{background:transparent}",
        ".nmf-legend{white-space:normal;line-height:2}",
        ".nmf-legend mark{white-space:nowrap}",
    ]
    rules += [
        f".nmf-text mark.nmf-{name}:not(.nmf-faint){{background:{with_alpha(color, 0.3)}}}"
        f".nmf-text mark.nmf-{name}{{border-bottom:2px solid {color}}}"
        for name, color in colors.items()
    ]
    return f"<style>{''.join(rules)}</style>"
