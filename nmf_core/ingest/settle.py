"""The end of every reading: what the values are like, what has to be decided, and the data set that comes of it."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from nmf_core.ingest.raw import BEFORE, CELLS, READ_AS, Raw
from nmf_core.ingest.reading import Option, Reading, Refused, Verdict
from nmf_core.ingest.steps import Infinite, Missing, Negative, Step
from nmf_core.ingest.talk import Talk
from nmf_core.types import Array, Dataset

TINY = 1e-9
SAMPLE = 200_000


def settle(raw: Raw, talk: Talk) -> Reading:
    """Decide about missing, infinite and negative values, and build the data set.

    Returns
    -------
    Reading
        ASK when something is open, else READ or NOTE; REFUSE when the values can never be factorized.
    """
    answers = {key: talk.choices[key] for key in CELLS if isinstance(talk.choices.get(key), str)}
    if answers:
        raw = raw.with_(extra={**raw.extra, READ_AS: json.dumps(answers)})
    kept = raw
    try:
        steps = decide(raw, talk)
        if talk.open:
            return _reading(Verdict.ASK, kept, talk)
        done: list[Step] = []
        for step in steps:
            step = step.learn(raw)
            after = step.apply(raw)
            talk.note(f"step-{step.NAME}", f"{step.LABEL}: {step.lost(raw, after)}", step.NAME)
            raw = after
            done.append(step)
        check_shape(raw)
        check_values(raw)
        if not np.array_equal(kept.cols, raw.cols):
            raw = raw.with_(extra={**raw.extra, BEFORE: kept.cols})
        dataset = to_dataset(raw, talk, done)
    except Refused as refused:
        return Reading(
            Verdict.REFUSE,
            kept.name,
            tuple(talk.notes),
            tuple(talk.questions),
            refused.message,
            raw=kept,
            choices=talk.choices,
            format=talk.format,
        )
    verdict = Verdict.NOTE if talk.notes else Verdict.READ
    return _reading(verdict, kept, talk, dataset)


def _reading(verdict: Verdict, raw: Raw, talk: Talk, dataset: Dataset | None = None) -> Reading:
    return Reading(
        verdict,
        raw.name,
        tuple(talk.notes),
        tuple(talk.questions),
        None,
        dataset,
        raw,
        talk.choices,
        talk.format,
    )


def decide(raw: Raw, talk: Talk) -> list[Step]:
    """Return the steps that make the values non-negative and finite; asks where there is a choice."""
    check_shape(raw)
    steps: list[Step] = []
    values = raw.X.data if raw.sparse else raw.X
    infinite = np.isinf(values)
    if infinite.any():
        k, place = int(infinite.sum()), _first(raw, infinite)
        options = [] if raw.sparse else [Option("missing", "treat them as missing", k)]
        options.append(Option("cap", "put the largest finite value of the column in their place", k))
        answer = talk.ask("infinite", f"{_cells(k)} infinite (first: {place}). What to do?", options, options[0].value)
        steps.append(Infinite(how=answer))  # type: ignore[arg-type]
    finite = np.isfinite(values) if infinite.any() else None
    gone = None if raw.sparse else np.isnan(values)
    if gone is not None and infinite.any() and isinstance(steps[0], Infinite) and steps[0].how == "missing":
        gone = gone | infinite
    if gone is not None and gone.any():
        if gone.all():
            raise Refused("all-missing", "No cell holds a finite number", hint="Choose a file that holds numbers")
        steps.append(_ask_missing(raw, gone, talk))
        finite = ~gone if finite is None else finite & ~gone
    good = values if finite is None else values[finite]
    if good.size and float(good.min()) < 0:
        steps.append(_ask_negative(raw, good, talk))
    elif not good.size or float(good.max()) == 0:
        check_values(raw)
    _note_empty(raw, talk)
    _note_spread(raw, talk)
    return steps


def _ask_missing(raw: Raw, gone: np.ndarray, talk: Talk) -> Missing:
    k, n, m = int(gone.sum()), *raw.shape
    in_rows, in_cols = gone.any(axis=1), gone.any(axis=0)
    rows, cols = int(in_rows.sum()), int(in_cols.sum())
    options = [
        Option("keep", "keep them out of the fit (the parts are fitted to the known cells)", k),
        Option("drop_rows", f"leave out {rows:,} of {n:,} rows", rows),
        Option("drop_columns", f"leave out {cols:,} of {m:,} columns", cols),
        Option("zero", "put 0 in their place", k),
        Option("mean", "put the mean of the column in their place", k),
        Option("median", "put the median of the column in their place", k),
    ]
    if n - rows < 2:
        options = [o for o in options if o.value != "drop_rows"]
    if m - cols < 2:
        options = [o for o in options if o.value != "drop_columns"]
    i = int(np.argmax(in_rows))
    j = int(np.argmax(gone[i]))
    text = (
        f"{_cells(k)} missing ({100 * k / gone.size:.3g} %), first in row {raw.rows[i]}, column {raw.cols[j]}; "
        f"{'it lies' if k == 1 else 'they lie'} in {_counted(rows, 'row')} and {_counted(cols, 'column')}. What to do?"
    )
    return Missing(how=talk.ask("missing", text, options, "keep"))  # type: ignore[arg-type]


def _ask_negative(raw: Raw, good: np.ndarray, talk: Talk) -> Negative:
    below = good[good < 0]
    low, high = float(below.min()), float(np.abs(good).max())
    k = int(below.size)
    if -low < TINY * high:
        talk.note("negative-tiny", f"{_cells(k)} negative, the lowest {low:.3g}: rounding errors, set to 0.")
        return Negative(how="clip")
    share = share_below(good)
    options = [
        Option("clip", f"set them to 0 ({100 * share:.3g} % of the sum of absolute values is lost)", k),
        Option("split", "split each column in two: its positive and its negative part", 2 * raw.shape[1]),
        Option("absolute", "drop the sign", k),
    ]
    if not raw.sparse:
        options.insert(1, Option("shift", "shift each column so that its lowest value is 0", raw.shape[1]))
        options.insert(2, Option("shift_all", f"add {-low:.6g} to every cell", int(good.size)))
    default = "clip" if share < 0.05 else "split" if raw.sparse else "shift"
    text = f"{_cells(k)} negative ({100 * k / good.size:.3g} %), the lowest {low:.6g}. The factorization needs numbers ≥ 0. What to do?"
    return Negative(how=talk.ask("negative", text, options, default))  # type: ignore[arg-type]


def share_below(values: Array) -> float:
    """Return which share of the sum of absolute values lies below zero; scaled first, so that nothing overflows."""
    top = float(np.abs(values).max(initial=0.0))
    if top == 0.0:
        return 0.0
    sizes = np.abs(values / top)
    return float(sizes[values < 0].sum() / sizes.sum())


def _note_empty(raw: Raw, talk: Talk) -> None:
    for axis, what in ((1, "row"), (0, "column")):
        if raw.sparse:
            sums = np.diff(raw.X.indptr) if axis == 1 else np.bincount(raw.X.indices, minlength=raw.shape[1])
            zero = sums == 0
        else:
            zero = ~(raw.X != 0).any(axis=axis)  # NaN counts as filled
        k = int(zero.sum())
        if k:
            talk.note(
                f"zero-{what}s",
                f"{k:,} {what}{'s hold' if k > 1 else ' holds'} only zeros; {'they stay' if k > 1 else 'it stays'} "
                f"zero in every part{' and can be left out on the page Data' if what == 'column' else ''}.",
            )


def _note_spread(raw: Raw, talk: Talk) -> None:
    """Say when a few columns carry the sum of squares and the rest will hardly be seen by the fit."""
    m = raw.shape[1]
    if m < 2 or raw.kind not in ("table", "expression"):
        return
    if raw.sparse:
        squares = np.bincount(raw.X.indices, weights=raw.X.data.astype(float) ** 2, minlength=m)
    else:
        sample = raw.X if raw.X.size <= SAMPLE * 10 else raw.X[:: max(1, raw.X.size // (SAMPLE * 10))]
        scale = float(np.nanmax(np.abs(np.where(np.isfinite(sample), sample, 0.0)))) or 1.0
        squares = np.nansum(np.where(np.isfinite(sample), sample / scale, 0.0) ** 2, axis=0)
    total = squares.sum()
    if not total > 0:
        return
    order = np.sort(squares)[::-1].cumsum() / total
    k = int(np.searchsorted(order, 0.999)) + 1
    if k <= m // 4 or (m < 4 and k < m and order[k - 1] > 1 - 1e-9):
        share = f"{100 * order[k - 1]:.4g} %" if order[k - 1] < 1 else "100 %"
        talk.note(
            "scale-spread",
            f"{k:,} of {m:,} columns carr{'ies' if k == 1 else 'y'} {share} of the sum of squares; "
            "scale the columns if the others matter as much.",
        )


def check_shape(raw: Raw) -> None:
    """Refuse what has fewer than two rows or columns."""
    n, m = raw.shape
    if n < 2 or m < 2:
        what = "document" if raw.kind == "text" else "row"
        raise Refused(
            "too-small",
            f"There {'is' if n == 1 else 'are'} {n:,} {what}{'s' * (n != 1)} and {m:,} column{'s' * (m != 1)} of numbers; "
            "a factorization needs at least two of each",
            hint="Choose a larger table" if m > 1 else "Check how the columns are separated, or choose a larger table",
        )


def check_values(raw: Raw) -> None:
    """Refuse what holds only zeros."""
    values = raw.X.data if raw.sparse else raw.X
    if not np.any(values[np.isfinite(values)] if values.size else values):
        raise Refused("all-zero", "The data hold only zeros", hint="There is nothing to factorize; choose another file")


def to_dataset(raw: Raw, talk: Talk | None = None, steps: Sequence[Step] = ()) -> Dataset:
    """Freeze finite, non-negative data; the notes and steps travel with them."""
    X = raw.X
    if not raw.sparse and raw.X.size and np.isnan(raw.X).any() and np.isnan(raw.X).all():
        raise Refused("all-missing", "No cell holds a number", hint="Choose a file that holds numbers")
    return Dataset.of(
        X,
        raw.name,
        rows=raw.rows,
        cols=raw.cols,
        mask=raw.mask,
        kind=raw.kind,
        labels=raw.labels,
        cell_shape=raw.cell_shape or None,
        notes=tuple(note.text for note in talk.notes) if talk else (),
        steps=tuple(step.to_json() for step in steps),
        extra=dict(raw.extra),
    )


def _first(raw: Raw, where: np.ndarray) -> str:
    if raw.sparse:
        position = int(np.argmax(where))
        i = int(np.searchsorted(raw.X.indptr, position, side="right")) - 1
        j = int(raw.X.indices[position])
    else:
        i, j = (int(v) for v in np.unravel_index(int(np.argmax(where)), where.shape))
    return f"row {raw.rows[i]}, column {raw.cols[j]}"


def _counted(k: int, what: str) -> str:
    return f"1 {what}" if k == 1 else f"{k:,} {what}s"


def _cells(k: int) -> str:
    return "1 cell is" if k == 1 else f"{k:,} cells are"
