"""Tables in long form: one row per (row, column, value) or per link, turned into a sparse matrix."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nmf_core.ingest.columns import Column
from nmf_core.ingest.keys import Keys
from nmf_core.ingest.links import network_of
from nmf_core.ingest.names import tidy_names
from nmf_core.ingest.raw import Raw
from nmf_core.ingest.reading import Option, Refused
from nmf_core.ingest.sample import sparse_stride
from nmf_core.ingest.sparse import whole
from nmf_core.ingest.talk import Talk

_ROW = re.compile(
    r"(row|user|person|customer|reader|sample|doc|document|cell|i|patient|site)s?([ _.]?(id|no|nr|index))?$", re.I
)
_COL = re.compile(
    r"(col|column|item|movie|film|book|product|word|term|gene|feature|j|artist|song|species|variable)s?([ _.]?(id|no|nr|index))?$",
    re.I,
)
_VALUE = re.compile(
    r"(value|val|rating|score|count|n|freq|frequency|x|weight|amount|quantity|stars?|plays|abundance|expression|"
    r"intensity|intensities|reads|tpm|fpkm|level|concentration|signal|measurement|hits|clicks|visits)s?$",
    re.I,
)
_SOURCE = re.compile(
    r"(source|from|start|origin|head|node[ _]?1|node[ _]?a|src|protein[ _]?1|sender|u?id1)([ _.]?(node|vertex))?([ _.]?id)?$",
    re.I,
)
_TARGET = re.compile(
    r"(target|to|end|dest|destination|tail|node[ _]?2|node[ _]?b|dst|protein[ _]?2|receiver|u?id2)([ _.]?(node|vertex))?([ _.]?id)?$",
    re.I,
)


_ASIDE = re.compile(r"(.*(time|date|stamp|year|id|nr|no|index))$", re.I)
FEW = 20  # different values that make a column of numbers look like ratings


@dataclass(frozen=True, slots=True)
class Roles:
    """Which columns of a table could hold row, column and value of a long table, or the ends of links.

    Attributes
    ----------
    row, col : int
    value : int or None
    hint : {"", "long", "network"}
        What the names say; empty when they say nothing.
    others : tuple of int
        Columns that would be left out.
    sure : bool
        Whether the names settle it: nothing that looks like data would be left out.
    """

    row: int
    col: int
    value: int | None
    hint: str = ""
    others: tuple[int, ...] = ()
    sure: bool = True


def find_roles(columns: Sequence[Column], given: Sequence[str]) -> Roles | None:
    """Return the roles that the columns could play, from their names and kinds; None when the table is an ordinary one."""
    names = [name.strip() for name in given]
    keys = [j for j, column in enumerate(columns) if _is_key(column)]
    numbers = [j for j, column in enumerate(columns) if column.kind == "number"]

    if 3 <= len(columns) <= 20 and (named := _named(columns, names, keys, numbers)) is not None:
        return named
    if not (2 <= len(columns) <= 4 and keys[:2] == [0, 1]):
        return None
    value = next((j for j in numbers if j > 1 and not _ASIDE.match(names[j])), None)
    others = tuple(j for j in range(2, len(columns)) if j != value)
    if any(columns[j].kind == "text" for j in others):
        return None
    hint = ""
    if _SOURCE.match(names[0]) and _TARGET.match(names[1]):
        hint = "network"
    elif value is not None and (
        (_ROW.match(names[0]) and (_COL.match(names[1]) or _VALUE.match(names[value])))
        or (_COL.match(names[1]) and _VALUE.match(names[value]))
    ):
        hint = "long"
    return Roles(0, 1, value, hint, others)


def _named(
    columns: Sequence[Column], names: Sequence[str], keys: Sequence[int], numbers: Sequence[int]
) -> Roles | None:
    """Find the roles by names alone, wherever the columns stand."""

    def first(pattern: re.Pattern[str], among: Sequence[int], *taken: int | None) -> int | None:
        return next((j for j in among if j not in taken and pattern.match(names[j])), None)

    row, col = first(_SOURCE, keys), first(_TARGET, keys)
    if row is not None and col is not None and row != col:
        value = first(_VALUE, numbers, row, col)
        if value is None and len(columns) == 3:
            value = next((j for j in numbers if j not in (row, col) and not _ASIDE.match(names[j])), None)
        return Roles(row, col, value, "network", _rest(columns, (row, col, value)))
    row = first(_ROW, keys)
    col = first(_COL, keys, row)
    value = first(_VALUE, numbers, row, col)
    if row is None or col is None or value is None:
        return None
    others = _rest(columns, (row, col, value))
    sure = all(columns[j].kind != "number" or _ASIDE.match(names[j]) for j in others)
    return Roles(row, col, value, "long", others, sure)


def _crossed(columns: Sequence[Column]) -> Roles | None:
    """Find two columns of names that come together once each beside the only column of numbers: a table of one number
    can be factorized in no other way. It is asked, never assumed.
    """
    numbers = [j for j, column in enumerate(columns) if column.kind == "number"]
    n = len(columns[0].texts or []) if columns else 0
    if len(numbers) != 1 or n < 6:
        return None
    texts = [j for j, c in enumerate(columns) if c.kind == "text" and not c.missing and len(c.texts or []) == n][:8]
    found: list[tuple[int, int, int]] = []
    for at, i in enumerate(texts):
        for j in texts[at + 1 :]:
            a, b = columns[i].texts or [], columns[j].texts or []
            rows, cols = len(set(a)), len(set(b))
            if 2 <= rows < n and 2 <= cols < n and len(set(zip(a, b, strict=True))) >= 0.9 * n:
                found.append((rows * cols, i, j) if rows >= cols else (rows * cols, j, i))
    if not found:
        return None
    _, row, col = min(found)
    return Roles(row, col, numbers[0], "long", _rest(columns, (row, col, numbers[0])), sure=False)


def _rest(columns: Sequence[Column], used: Sequence[int | None]) -> tuple[int, ...]:
    return tuple(j for j in range(len(columns)) if j not in used)


def settle_layout(
    roles: Roles, columns: Sequence[Column], a: Keys, b: Keys, values: np.ndarray | None, talk: Talk
) -> str:
    """Return "table", "long" or "network"; asks unless the names make it clear.

    Parameters
    ----------
    roles : Roles
    columns : sequence of Column
        All of the table, or of its first lines: names and kinds are looked at.
    a, b : Keys
        Of the columns in the roles of row and column.
    values : ndarray of float, or None
    talk : Talk
    """
    n, rows, cols = len(a.index), len(a.names), len(b.names)
    texts = columns[roles.row].kind == "text" and columns[roles.col].kind == "text"
    both = len(set(a.names) & set(b.names))
    overlap = both / max(1, min(rows, cols))
    hint = roles.hint
    if hint == "network" and not (overlap > 0.1 or columns[roles.row].kind == "text"):
        hint = ""
    repeats = rows < n or cols < n
    bare = len(columns) == 2 and columns[0].name == "c1" and columns[1].name == "c2" and n > 2 and overlap > 0.3
    picked = len(columns) > 4 or (bool(roles.others) and hint == "long")  # by name, out of more columns
    if picked and not (hint == "network" or (hint == "long" and rows < n and cols < n)):
        return "table"
    rated = values is not None and n >= 50 and len(roles.others) == 1 and _ratings(values, columns[roles.others[0]])
    aside = all(_ASIDE.match(columns[j].name) for j in roles.others)
    if not (hint or aside or rated) and talk.choices.get("layout") not in ("long", "network"):
        return "table"  # a column of data would be left out
    pairs = n if hint else _pairs(a, b)
    if (
        not hint
        and not bare  # two bare columns, as SNAP and others write links
        and not (texts and ((values is not None and repeats) or overlap > 0.2))
        and not (values is not None and repeats and pairs >= 0.9 * n and n >= 10 and max(rows, cols) <= n / 2)
    ):
        return "table"
    default = hint or ("network" if bare or (overlap > 0.2 and texts) else "long" if texts or rated else "table")
    if default == "long" and values is None:
        default = "network"
    options = []
    if values is not None:
        fill = (
            f", {_share(pairs / (rows * cols))} of the cells filled" if pairs <= rows * cols else f" from {n:,} lines"
        )
        options.append(Option("long", f"a long table: {rows:,} rows × {cols:,} columns{fill}", pairs))
    options.append(Option("network", f"links of a network with {rows + cols - both:,} nodes", pairs))
    if not texts or roles.others:
        options.append(Option("table", f"an ordinary table: {n:,} rows × {len(columns)} columns", n))
    answer = talk.ask("layout", "What is one line of this file?", options, default, required=not hint or not roles.sure)
    if hint and answer == hint:
        what = "value of a long table (row, column, value)" if hint == "long" else "link of a network"
        used = [columns[j].name for j in (roles.row, roles.col, roles.value) if j is not None]
        rest = f" from {', '.join(used)}; the other columns were left out" if roles.others else ""
        talk.note("layout", f"Each line was read as one {what}{rest}.", "layout")
    return answer


def _pairs(a: Keys, b: Keys) -> int:
    """Count the different pairs."""
    flat = a.index.astype(np.int64) * (len(b.names) + 1) + b.index
    flat.sort()
    return int((np.diff(flat) != 0).sum()) + bool(len(flat))


def _ratings(values: np.ndarray, other: Column) -> bool:
    """Tell a few different values beside moments in seconds, as ratings come."""
    x = other.numbers
    return bool(x is not None and len(x) and np.nanmin(x) > 1e8 and len(np.unique(values[:100_000])) <= FEW)


def arrange_long(columns: Sequence[Column], given: Sequence[str], talk: Talk) -> Raw | None:
    """Build the sparse matrix of a long table or the symmetric one of a network; None for an ordinary table."""
    roles = find_roles(columns, given) or _crossed(columns)
    if roles is None:
        return None
    a, b = keys_of(columns[roles.row]), keys_of(columns[roles.col])
    values = None if roles.value is None else columns[roles.value].numbers
    layout = settle_layout(roles, columns, a, b, values, talk)
    if layout == "table":
        return None
    if roles.value is not None and columns[roles.value].bad:
        shown = columns[roles.value].no_numbers
        talk.note("bad-cells", f"Cells that are no numbers count as missing: {shown[:200]}.")
    return build(layout, a, b, values, "" if roles.value is None else columns[roles.value].name, talk)


def build(layout: str, a: Keys, b: Keys, values: np.ndarray | None, named: str, talk: Talk) -> Raw:
    """Turn keys and values into a matrix, leaving out lines that lack something."""
    keep = (a.index >= 0) & (b.index >= 0)
    if values is not None:
        keep &= ~np.isnan(values)
    k = len(keep) - int(np.count_nonzero(keep))
    if k:
        talk.note("lines-incomplete", f"{k} line{'s' * (k > 1)} without row, column or value left out.")
        a, b = a.take(keep).used(), b.take(keep).used()
        values = None if values is None else values[keep]
    if not len(a.index):
        raise Refused("no-rows", "No line has a row, a column and a value", hint="Choose a file that holds data")
    if layout == "network":
        return network_of(a, b, values, talk)
    assert values is not None
    return long_matrix(a, b, values, talk, named)


def long_matrix(a: Keys, b: Keys, values: np.ndarray, talk: Talk, named: str) -> Raw:
    """Turn (row, column, value) into CSR; cells that occur twice are asked about.

    The memory is that of the lines (two int32 and a float64 each) and of the matrix: nothing is sorted but within rows.
    """
    import scipy.sparse as sp

    n, m = len(a.names), len(b.names)
    if max(n, m) > talk.limits.sparse_side and (step := sparse_stride(n, m, len(values), talk)) > 1:
        keep = a.index % step == 0
        a, b, values = Keys(a.names[::step], a.index[keep] // step), b.take(keep).used(), values[keep]
        n, m = len(a.names), len(b.names)
    talk.progress("arrange", 0.0)
    X = sp.csr_array(sp.coo_array((values, (a.index, b.index)), shape=(n, m)))  # adds up what is given twice
    if X.nnz < len(values):
        X = _once(X, a, b, values, talk)
    ratings = bool(re.search(r"rating|stars?|score", named, re.I))
    cells = n * m
    options = [
        Option("zero", f"zero: all {cells:,} cells count", cells),
        Option("unknown", f"unknown: only the {X.nnz:,} given cells count", X.nnz),
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
        f"{n:,} × {m:,} cells, {_share(X.nnz / cells)} of them given; the others count as {answer}.",
        "unstored",
    )
    names = tidy_names(a.names, talk, "row", "r"), tidy_names(b.names, talk, "column", "c")
    return Raw(
        X,
        np.array(names[0]),
        np.array(names[1]),
        kind="ratings" if ratings else "counts" if whole(X.data) else "table",
        mask="unstored" if answer == "unknown" else None,
    )


def _once(X: Any, a: Keys, b: Keys, values: np.ndarray, talk: Talk) -> Any:
    """Decide what cells that are given more than once hold; X holds their sums."""
    import scipy.sparse as sp

    times = sp.csr_array(sp.coo_array((np.ones(len(values)), (a.index, b.index)), shape=X.shape))
    k = int((times.data > 1).sum())
    options = [Option(o, label, k) for o, label in _TWICE]
    how = talk.ask("twice", f"{k:,} cells are given more than once. Which value counts?", options, "mean")
    if how == "sum":
        return X
    if how == "mean":
        X.data /= times.data
        return X
    flat = a.index.astype(np.int64) * X.shape[1] + b.index
    order = flat[::-1] if how == "last" else flat
    unique, place = np.unique(order, return_index=True)
    chosen = (values[::-1] if how == "last" else values)[place]
    return sp.csr_array((chosen, (unique // X.shape[1], unique % X.shape[1])), shape=X.shape)


_TWICE = (("mean", "their mean"), ("sum", "their sum"), ("last", "the last one"), ("first", "the first one"))


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


def keys_of(column: Column) -> Keys:
    """Return the keys of a column of text or of whole numbers."""
    if column.texts is not None:
        return Keys.of(column.texts)
    return Keys.of_numbers(column.numbers if column.numbers is not None else np.empty(0))


def _share(x: float) -> str:
    return f"{100 * x:.3g} %"
