"""Links of a network, given by the names of their ends, as a symmetric adjacency matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nmf_core.ingest.hubs import busiest
from nmf_core.ingest.keys import Keys
from nmf_core.ingest.names import tidy_names
from nmf_core.ingest.raw import Raw
from nmf_core.ingest.talk import Talk


def network(
    a: Sequence[str],
    b: Sequence[str],
    weights: np.ndarray,
    talk: Talk,
    *,
    weighted: bool,
    nodes: Sequence[str] = (),
) -> Raw:
    """Turn links, given by names, into a symmetric adjacency matrix; nodes without links may be given."""
    known = Keys.of([*nodes, *a, *b])
    ends = known.index[len(nodes) :]
    return _adjacency(known.names, ends[: len(a)], ends[len(a) :], weights, talk, weighted=weighted)


def network_of(a: Keys, b: Keys, values: np.ndarray | None, talk: Talk) -> Raw:
    """Turn links, given as keys, into a symmetric adjacency matrix."""
    known = Keys.of([*a.names, *b.names])
    i, j = known.index[: len(a.names)][a.index], known.index[len(a.names) :][b.index]
    weights = np.ones(len(i)) if values is None else values
    return _adjacency(known.names, i, j, weights, talk, weighted=values is not None)


def _adjacency(
    nodes: list[str], i: np.ndarray, j: np.ndarray, weights: np.ndarray, talk: Talk, *, weighted: bool
) -> Raw:
    """Return the symmetric matrix of links; parallel links add up."""
    import scipy.sparse as sp

    part = busiest(i, j, len(nodes), talk)
    if part is not None:
        kept, inside, i, j = part
        nodes, weights = [nodes[k] for k in kept.tolist()], weights[inside]
    loops = int((i == j).sum())
    A = sp.coo_array((weights, (i, j)), shape=(len(nodes), len(nodes))).tocsr()
    del i, j, weights
    A.eliminate_zeros()
    X = A.T.tocsr()
    if A.nnz > A.diagonal().astype(bool).sum() and _same(A, X):
        text = "each link is listed in both directions"
    else:
        X = A + X
        if loops:
            X = X - sp.diags_array(A.diagonal())
        text = "links count in both directions"
    X = sp.csr_array(X)
    X.eliminate_zeros()
    links = (X.nnz + int((X.diagonal() != 0).sum())) // 2
    loop = f"; {loops} link{'s' * (loops > 1)} from a node to itself kept" if loops else ""
    talk.note(
        "network",
        f"A network of {len(nodes):,} nodes and {links:,} {'weighted ' if weighted else ''}links; {text}{loop}.",
    )
    names = np.array(tidy_names(nodes, talk, "row", "r"))
    return Raw(X, names, names, kind="network")


def _same(A: Any, B: Any) -> bool:
    """Tell whether two matrices in canonical form are equal, without a third."""
    return A.nnz == B.nnz and all(np.array_equal(getattr(A, p), getattr(B, p)) for p in ("indptr", "indices", "data"))
