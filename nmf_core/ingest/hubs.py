"""When a network is too large: the nodes with most links, and the links between them, which one answer takes.

Every k-th node would leave hardly a link; the nodes with most links keep what parts are made of.
"""

from __future__ import annotations

import numpy as np

from nmf_core.ingest.limits import size
from nmf_core.ingest.reading import Refused
from nmf_core.ingest.sample import offer_part
from nmf_core.ingest.talk import Talk
from nmf_core.types import Array

QUESTION = "sample_nodes"


def busiest(
    i: Array, j: Array, n: int, talk: Talk, *, nodes: str = "nodes", links: str = "links"
) -> tuple[Array, Array, Array, Array] | None:
    """Choose nodes so that they and the links between them fit the limits; None when all do.

    Parameters
    ----------
    i, j : ndarray of int
        The ends of each link, of n nodes.
    n : int
    talk : Talk
    nodes, links : str
        What they are called.

    Returns
    -------
    kept : ndarray of int
        The nodes, ascending.
    inside : ndarray of bool
        The links between them.
    i, j : ndarray of int32
        The ends of those links, as places in `kept`.

    Raises
    ------
    Refused
        With the numbers and the offer, when nothing was answered yet; without an offer where no part would hold a link.
    """
    limit, side = talk.limits.stored, talk.limits.sparse_side
    if len(i) <= limit and n <= side:
        return None
    text = (
        f"There are {len(i):,} {links} between {n:,} {nodes} ({size(24 * len(i))} of memory); the limit is {limit:,} "
        f"{links}, and {side:,} {nodes}, because W is dense"
    )
    names = np.arange(n, dtype=np.int32) if n <= 8 * len(i) else np.unique(np.concatenate([i, j]))
    if len(names) < n:  # n is what the file claims; memory goes to what it holds
        i, j = np.searchsorted(names, i), np.searchsorted(names, j)
    m = len(names)
    degree = np.bincount(i, minlength=m) + np.bincount(j, minlength=m)
    place = np.empty(m, dtype=np.int32)
    place[np.argsort(-degree, kind="stable")] = np.arange(m, dtype=np.int32)
    last = np.maximum(place[i], place[j])  # a link is there as soon as its rarer end is
    within = np.cumsum(np.bincount(last, minlength=m))  # links between the first nodes
    k = min(int(np.searchsorted(within, limit, side="right")), side, int(np.count_nonzero(degree)))
    if k < 2 or not within[k - 1]:
        raise Refused("too-large", text, hint=f"Keep the {links} you need and try again")
    part = f"the {k:,} {nodes} with most {links}, and the {within[k - 1]:,} {links} between them"
    offer_part(QUESTION, "too-large", text, f"Read {part}", f"Keep the {links} you need", talk)
    talk.note("sampled", f"Of {n:,} {nodes} these were read: {part}.", QUESTION)
    keep, inside = place < k, last < k
    moved = (np.cumsum(keep) - 1).astype(np.int32)
    return names[keep], inside, moved[i[inside]], moved[j[inside]]
