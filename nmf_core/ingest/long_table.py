"""Tables in long form: one row per (row, column, value) or per link, turned into a sparse matrix."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from nmf_core.ingest.columns import Column
from nmf_core.ingest.names import tidy_names
from nmf_core.ingest.raw import Raw
from nmf_core.ingest.reading import Option, Refused
from nmf_core.ingest.talk import Talk

_ROW = re.compile(
    r"(row|user|person|customer|reader|sample|doc|document|cell|i|patient|site)s?([ _.]?(id|no|nr|index))?$", re.I
)
_COL = re.compile(
    r"(col|column|item|movie|film|book|product|word|term|gene|feature|j|artist|song|species|variable)s?([ _.]?(id|no|nr|index))?$",
    re.I,
)
_VALUE = re.compile(
    r"(value|val|rating|score|count|n|freq|frequency|x|weight|amount|quantity|stars?|plays|abundance)s?$", re.I
)
_SOURCE = re.compile(
    r"(source|from|start|origin|head|node[ _]?1|node[ _]?a|src|protein[ _]?1|sender|u?id1)([ _.]?id)?$", re.I
)
_TARGET = re.compile(
    r"(target|to|end|dest|destination|tail|node[ _]?2|node[ _]?b|dst|protein[ _]?2|receiver|u?id2)([ _.]?id)?$", re.I
)


def guess_layout(columns: list[Column], given: Sequence[str], talk: Talk) -> str:
    """Return "table", "long" or "network" for two to four columns; asks unless the names make it clear."""
    if not 2 <= len(columns) <= 4:
        return "table"
    first, second = columns[0], columns[1]
    if not (_is_key(first) and _is_key(second)):
        return "table"
    value = next((c for c in columns[2:] if c.kind == "number"), None)
    others = [c for c in columns[2:] if c is not value and c.kind == "text"]
    if others:
        return "table"
    a, b = _keys(first), _keys(second)
    n, distinct_a, distinct_b = len(a), set(a), set(b)
    names = [name.strip() for name in given]
    overlap = len(distinct_a & distinct_b) / max(1, min(len(distinct_a), len(distinct_b)))
    hint = ""
    if _SOURCE.match(names[0]) and _TARGET.match(names[1]) and (overlap > 0.1 or first.kind == "text"):
        hint = "network"
    elif (value is not None and _ROW.match(names[0]) and (_COL.match(names[1]) or _VALUE.match(value.name))) or (
        value is not None and _COL.match(names[1]) and _VALUE.match(value.name)
    ):
        hint = "long"
    texts = first.kind == "text" and second.kind == "text"
    pairs = len(set(zip(a, b, strict=True)))
    repeats = len(distinct_a) < n or len(distinct_b) < n
    bare = len(columns) == 2 and names == ["c1", "c2"] and n > 2 and overlap > 0.3  # as SNAP and others write links
    if (
        not hint
        and not bare
        and not (texts and (value is not None or overlap > 0.2))
        and not (
            value is not None and repeats and pairs == n and n >= 10 and max(len(distinct_a), len(distinct_b)) <= n / 2
        )
    ):
        return "table"
    default = hint or ("network" if bare or (overlap > 0.2 and texts) else "long" if texts else "table")
    if default == "long" and value is None:
        default = "network"
    options = []
    if value is not None:
        fill = pairs / (len(distinct_a) * len(distinct_b))
        options.append(
            Option(
                "long",
                f"a long table: {len(distinct_a):,} rows × {len(distinct_b):,} columns, {fill:.2g} of the cells filled",
                pairs,
            )
        )
    options.append(Option("network", f"links of a network with {len(distinct_a | distinct_b):,} nodes", pairs))
    if not texts:
        options.append(Option("table", f"an ordinary table: {n:,} rows × {len(columns)} columns", n))
    answer = talk.ask("layout", "What is one line of this file?", options, default, required=not hint)
    if hint and answer == hint:
        what = "value of a long table (row, column, value)" if hint == "long" else "link of a network"
        talk.note("layout", f"Each line was read as one {what}.", "layout")
    return answer


def arrange_long(columns: list[Column], layout: str, talk: Talk) -> Raw:
    """Build the sparse matrix of a long table or the symmetric one of a network."""
    a, b = _keys(columns[0]), _keys(columns[1])
    value = next((c for c in columns[2:] if c.kind == "number" and c.numbers is not None), None)
    weights = np.ones(len(a)) if value is None else np.array(value.numbers, dtype=np.float64)
    keep = np.fromiter(map(bool, a), dtype=bool, count=len(a)) & np.fromiter(map(bool, b), dtype=bool, count=len(b))
    keep &= ~np.isnan(weights)
    if not keep.all():
        k = int((~keep).sum())
        talk.note("lines-incomplete", f"{k} line{'s' * (k > 1)} without row, column or value left out.")
        a = [s for s, ok in zip(a, keep, strict=True) if ok]
        b = [s for s, ok in zip(b, keep, strict=True) if ok]
        weights = weights[keep]
    if not len(a):
        raise Refused("no-rows", "No line has a row, a column and a value", hint="Choose a file that holds data")
    if layout == "network":
        return network(a, b, weights, talk, weighted=value is not None)
    return long_matrix(a, b, weights, talk, named=value.name if value is not None else "")


def long_matrix(a: Sequence[str], b: Sequence[str], values: np.ndarray, talk: Talk, named: str) -> Raw:
    """Turn (row, column, value) into CSR; cells that occur twice are asked about."""
    import scipy.sparse as sp

    rows, i = _index(a)
    cols, j = _index(b)
    check_sides(len(rows), len(cols), talk)
    flat = i.astype(np.int64) * len(cols) + j
    unique, first, inverse, counts = np.unique(flat, return_index=True, return_inverse=True, return_counts=True)
    if len(unique) < len(flat):
        k = int((counts > 1).sum())
        options = [Option(o, label, k) for o, label in _TWICE]
        how = talk.ask("twice", f"{k:,} cells are given more than once. Which value counts?", options, "mean")
        last = np.zeros(len(unique), dtype=np.int64)
        np.maximum.at(last, inverse, np.arange(len(flat)))
        if how in ("mean", "sum"):
            sums = np.bincount(inverse, weights=values)
            values = sums / counts if how == "mean" else sums
        else:
            values = values[first] if how == "first" else values[last]
        i, j = unique // len(cols), unique % len(cols)
    ratings = bool(re.search(r"rating|stars?|score", named, re.I))
    fill = len(values) / (len(rows) * len(cols))
    options = [
        Option("zero", f"zero: all {len(rows) * len(cols):,} cells count", len(rows) * len(cols)),
        Option("unknown", f"unknown: only the {len(values):,} given cells count", len(values)),
    ]
    answer = talk.ask(
        "unstored",
        "What is a cell that the file does not mention?",
        options,
        "unknown" if ratings else "zero",
        required=False,
    )
    talk.note(
        "unstored",
        f"{len(rows):,} × {len(cols):,} cells, {100 * fill:.2g} % of them given; the others count as {answer}.",
        "unstored",
    )
    X = sp.csr_array((values, (i, j)), shape=(len(rows), len(cols)))
    names = tidy_names(rows, talk, "row", "r"), tidy_names(cols, talk, "column", "c")
    return Raw(
        X,
        np.array(names[0]),
        np.array(names[1]),
        kind="ratings" if ratings else "counts" if _counts(values) else "table",
        mask="unstored" if answer == "unknown" else None,
    )


_TWICE = (("mean", "their mean"), ("sum", "their sum"), ("last", "the last one"), ("first", "the first one"))


def network(
    a: Sequence[str],
    b: Sequence[str],
    weights: np.ndarray,
    talk: Talk,
    *,
    weighted: bool,
    nodes: Sequence[str] = (),
) -> Raw:
    """Turn links into a symmetric adjacency matrix; parallel links add up, nodes without links may be given."""
    import scipy.sparse as sp

    known, index = _index([*nodes, *a, *b])
    index = index[len(nodes) :]
    nodes = known
    check_sides(len(nodes), len(nodes), talk)
    i, j = index[: len(a)], index[len(a) :]
    loops = int((i == j).sum())
    A = sp.coo_array((weights, (i, j)), shape=(len(nodes), len(nodes))).tocsr()
    turned = A.T.tocsr()
    both = int((A.multiply(turned) != 0).sum()) - int((A.diagonal() != 0).sum())
    if both and abs(A - turned).max() == 0:
        X, text = A, "each link is listed in both directions"
    else:
        X = A + turned
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


def check_sides(n: int, m: int, talk: Talk) -> None:
    """Refuse a sparse matrix whose factors could not be held: W and H are dense."""
    side = talk.limits.sparse_side
    if max(n, m) > side:
        raise Refused(
            "too-large",
            f"The matrix has {n:,} rows × {m:,} columns; the limit for a sparse matrix is {side:,} each way, because W and H are dense",
            hint="Keep the rows and columns you need and try again",
        )


def _is_key(column: Column) -> bool:
    if column.kind == "text":
        return True
    x = column.numbers
    return (
        column.kind == "number"
        and not column.bad
        and x is not None
        and bool((x[~np.isnan(x)] == np.floor(x[~np.isnan(x)])).all())
    )


def _keys(column: Column) -> list[str]:
    if column.texts is not None:
        column.texts = list(map(str.strip, column.texts))
        return column.texts
    x = column.numbers if column.numbers is not None else np.empty(0)
    if np.isfinite(x).all() and len(x) and np.abs(x).max() < 2**53:
        return list(map(str, x.astype(np.int64).tolist()))
    return ["" if v != v else str(int(v)) if np.isfinite(v) else repr(float(v)) for v in x]


def _index(keys: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """Number the keys in order of first occurrence, whole numbers by size."""
    names = list(dict.fromkeys(keys))
    place = {name: k for k, name in enumerate(names)}
    index = np.fromiter(map(place.__getitem__, keys), dtype=np.int64, count=len(keys))
    if all(name.lstrip("-").isdigit() for name in names):
        order = np.argsort([int(name) for name in names], kind="stable")
        back = np.empty(len(names), dtype=np.int64)
        back[order] = np.arange(len(names))
        return [names[k] for k in order], back[index]
    return names, index


def _counts(values: np.ndarray) -> bool:
    return bool(len(values)) and bool((values >= 0).all() and (values == np.floor(values)).all())
