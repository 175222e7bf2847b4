"""Long tables (row, column, value) and lists of links, read in pieces: names are kept once, lines as two numbers and a value.

A rating file of a million lines would take 200 MB as columns of text; this way its memory is that of its matrix, about
three times over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nmf_core.ingest.columns import Column
from nmf_core.ingest.keys import Keys
from nmf_core.ingest.limits import size
from nmf_core.ingest.long_table import Roles, build, find_roles, settle_layout
from nmf_core.ingest.names import tidy_names
from nmf_core.ingest.raw import Raw
from nmf_core.ingest.reading import Option
from nmf_core.ingest.sample import offer_part, ordinal
from nmf_core.ingest.talk import Talk

MOST_NAMES = 2  # times as many as a matrix may have: of a network, those with most links are then read
MANY = 100_000  # lines from which a table that might be long is read so even when its names do not say it
Stream = Callable[[Roles], tuple[Keys, Keys, np.ndarray | None] | None]


def read_lines(
    sample: Sequence[Column], names: Sequence[str], n: int, stream: Stream, talk: Talk
) -> tuple[Raw | None, bool]:
    """Read a file of up to n lines, of which the first are known as columns.

    Parameters
    ----------
    sample : sequence of Column
        The first lines.
    names : sequence of str
        As the file gives them.
    n : int
        Upper bound on the number of lines.
    stream : callable
        Reads the columns in the roles of row, column and value; None when that is not possible.
    talk : Talk

    Returns
    -------
    raw : Raw or None
        None when the file is an ordinary table or needs the patient reader.
    settled : bool
        Whether the file was found to be an ordinary table, so that nobody needs to look again.
    """
    answer = talk.choices.get("layout")
    if answer == "table":
        return None, False
    roles = find_roles(sample, names) if sample else None
    if roles is None or not (roles.hint or answer in ("long", "network") or n >= MANY):
        return None, False
    step = 1 if "network" in (answer, roles.hint) or roles.value is None else -(-n // talk.limits.stored)
    if step > 1:
        if answer != "long" and not roles.hint:
            _ask_layout(n, talk)
            return None, True  # a tall table to the eye, whose rows can be sampled
        limit = talk.limits.stored
        text = f"The table has {n:,} lines ({size(16 * n)} of memory); the limit is {limit:,}"
        offer_part(
            "sample_lines", "too-large", text, f"Read about every {ordinal(step)} {sample[roles.row].name or 'row'} with all its lines",
            "Keep the lines you need", talk,
        )  # fmt: skip
    read = stream(roles)
    if read is None:
        return None, False
    a, b, values = read
    if step > 1:
        keep, n = (a.index >= 0) & (a.index % step == 0), len(a.names)
        a, b, values = a.take(keep).used(), b.take(keep).used(), None if values is None else values[keep]
        talk.note(
            "sampled",
            f"The lines of every {ordinal(step)} row were read: {len(a.names):,} of {n:,} rows.",
            "sample_lines",
        )
    for column, name in zip(sample, tidy_names(names, talk, "column", "c"), strict=True):
        column.name = name
    layout = settle_layout(roles, sample, a, b, values, talk)
    if layout == "table":
        return None, True
    return build(layout, a, b, values, "" if roles.value is None else sample[roles.value].name, talk), True


def _ask_layout(n: int, talk: Talk) -> None:
    """Offer to take a table of many lines for a long one, or for links."""
    options = [
        Option("table", "an ordinary table", n),
        Option("long", "one value of a long table (row, column, value)", n),
        Option("network", "one link of a network", n),
    ]
    talk.ask("layout", "What is one line of this file?", options, "table", required=False)
