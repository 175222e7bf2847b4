"""When a matrix is too large: the numbers, and the offer to read a part of it."""

from __future__ import annotations

from nmf_core.ingest.limits import size
from nmf_core.ingest.reading import Option, Refused
from nmf_core.ingest.talk import Talk


def stride(n: int, m: int, talk: Talk) -> int:
    """Return k such that every k-th row fits the limit; 1 when all of them do.

    Raises
    ------
    Refused
        When the matrix is too large and no sample was asked for; the question "sample" goes with the message.
    """
    cells, rows = talk.limits.cells, talk.limits.rows
    if n * m <= cells and n <= rows:
        return 1
    k = max(-(-n * m // cells), -(-n // rows))
    kept = -(-n // k)
    text = f"The table has {n:,} rows × {m:,} columns = {n * m:,} cells ({size(8 * n * m)} of memory); the limit is {cells:,} cells in {rows:,} rows"
    if kept < 2:
        raise Refused("too-large", text, hint="Keep the columns you need and try again")
    options = [
        Option("refuse", "Do not read it", n),
        Option("even", f"Read every {_th(k)} row", kept),
    ]
    answer = talk.ask("sample", "Read a sample of the rows?", options, "refuse", required=False)
    if answer != "even":
        raise Refused("too-large", text, hint=f"Choose to read a sample: every {_th(k)} row gives {kept:,} rows")
    talk.note("sampled", f"Every {_th(k)} of {n:,} rows was read: {kept:,} rows.", "sample")
    return k


def _th(k: int) -> str:
    ending = "th" if 10 <= k % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(k % 10, "th")
    return f"{k}{ending}"
