"""When data are too large: the numbers, and the offer to read a part of it, which one answer takes."""

from __future__ import annotations

from nmf_core.ingest.limits import size
from nmf_core.ingest.reading import Option, Refused
from nmf_core.ingest.talk import Talk


def stride(n: int, m: int, talk: Talk) -> int:
    """Return k such that every k-th row of a dense table fits the limit; 1 when all of them do.

    Raises
    ------
    Refused
        When the table is too large and no sample was asked for; the question "sample" goes with the message.
    """
    cells, rows = talk.limits.cells, talk.limits.rows
    if n * m <= cells and n <= rows:
        return 1
    k = max(-(-n * m // cells), -(-n // rows))
    text = f"The table has {n:,} rows × {m:,} columns = {n * m:,} cells ({size(8 * n * m)} of memory); the limit is {cells:,} cells in {rows:,} rows"
    if -(-n // k) < 2:
        raise Refused("too-large", text, hint="Keep the columns you need and try again")
    return every(k, n, "row", text, talk)


def sparse_stride(n: int, m: int, stored: int, talk: Talk, *, square: bool = False) -> int:
    """Return k such that every k-th row of a sparse matrix fits the limit; 1 when all of them do.

    Parameters
    ----------
    n, m, stored : int
        Rows, columns, stored entries.
    talk : Talk
    square : bool
        Rows and columns are the same things, so that rows alone cannot be left out.

    Raises
    ------
    Refused
        As for `stride`; without an offer where leaving out rows would not help.
    """
    limit, side = talk.limits.stored, talk.limits.sparse_side
    if stored <= limit and max(n, m) <= side:
        return 1
    k = max(-(-stored // limit), -(-n // side))
    text = (
        f"The matrix has {n:,} rows × {m:,} columns with {stored:,} entries ({size(12 * stored)} of memory); the limit is "
        f"{limit:,} entries, and {side:,} rows or columns, because W and H are dense"
    )
    if square or m > side or -(-n // k) < 2:
        raise Refused("too-large", text, hint="Keep the rows and columns you need and try again")
    return every(k, n, "row", text, talk)


def every(k: int, n: int, what: str, text: str, talk: Talk, *, code: str = "too-large", id: str = "sample") -> int:
    """Return k if every k-th of n things is wanted.

    Raises
    ------
    Refused
        With the text and the offer, when nothing was answered yet.
    """
    kept = -(-n // k)
    options = [
        Option("refuse", "Do not read it", n),
        Option("even", f"Read every {ordinal(k)} {what}: {kept:,} {what}s", kept),
    ]
    if talk.ask(id, f"Read a sample of the {what}s?", options, "refuse", required=False) != "even":
        raise Refused(code, text, hint=f"Choose to read a sample: every {ordinal(k)} {what} gives {kept:,} {what}s")
    talk.note("sampled", f"Every {ordinal(k)} of {n:,} {what}s was read: {kept:,} {what}s.", id)
    return k


def offer_part(id: str, code: str, text: str, offer: str, hint: str, talk: Talk) -> None:
    """Return if a part of the data is wanted, as `offer` says.

    Raises
    ------
    Refused
        With the text and the offer, when nothing was answered yet.
    """
    options = [Option("refuse", "Do not read it"), Option("part", offer)]
    if talk.ask(id, "Read a part of it?", options, "refuse", required=False) != "part":
        raise Refused(code, text, hint=f"{hint}, or choose to {offer[0].lower()}{offer[1:]}")


def ordinal(k: int) -> str:
    """Write a number as a place: ``ordinal(3)`` gives ``'3rd'``."""
    ending = "th" if 10 <= k % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(k % 10, "th")
    return f"{k}{ending}"
