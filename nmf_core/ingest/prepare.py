"""Preparation: an ordered list of steps as data, learned once, applied in the same way to new rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nmf_core.ingest.diagnose import as_raw, nature
from nmf_core.ingest.raw import BEFORE, Raw
from nmf_core.ingest.reading import Refused
from nmf_core.ingest.settle import check_shape, check_values, share_below, to_dataset
from nmf_core.ingest.steps import (
    DropEmpty,
    Infinite,
    Log,
    Missing,
    MostVariable,
    Negative,
    ScaleColumns,
    ScaleRows,
    Step,
    TfIdf,
    step_from_json,
)
from nmf_core.types import Dataset, Kind


@dataclass(frozen=True, slots=True)
class Advice:
    """One step of the preset list.

    Attributes
    ----------
    step : Step
    on : bool
        Switched on at first.
    reason : str
        Why, or why not.
    """

    step: Step
    on: bool
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """The data before and after one step, and what the step lost."""

    step: Step
    before: Raw
    after: Raw
    lost: str


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """The outcome of `prepare`.

    Attributes
    ----------
    dataset : Dataset
        With the learned steps in ``steps`` and a note for each.
    steps : tuple of Step
        Learned: they carry the numbers taken from the data.
    stages : tuple of Stage
    """

    dataset: Dataset
    steps: tuple[Step, ...]
    stages: tuple[Stage, ...]

    def on_new(self, rows: Raw | Dataset) -> Raw:
        """Treat new rows in the same way."""
        return apply_steps(rows, self.steps)


def run_steps(data: Raw | Dataset, steps: Iterable[Step]) -> tuple[Stage, ...]:
    """Learn and apply steps in order; return the data before and after each.

    Raises
    ------
    ValueError
        When a step cannot be used at its place; the sentence names it.
    """
    raw, stages = as_raw(data), []
    for step in steps:
        reason = step.applies(raw)
        if reason:
            raise ValueError(f"{step.LABEL}: {reason}")
        step = step.learn(raw)
        after = step.apply(raw)
        if 0 in after.shape:
            raise ValueError(
                f"{step.LABEL}: leaves {after.shape[0]:,} rows and {after.shape[1]:,} columns, that is, nothing."
            )
        stages.append(Stage(step, raw, after, step.lost(raw, after)))
        raw = after
    return tuple(stages)


def prepare(
    data: Raw | Dataset,
    steps: Iterable[Step],
    *,
    kind: Kind | None = None,
    cell_shape: tuple[int, ...] | None = None,
) -> Prepared:
    """Apply steps in order and build the data set.

    Parameters
    ----------
    data : Raw or Dataset
    steps : iterable of Step
    kind : str, optional
        What the rows are, if not what reading took them for.
    cell_shape : tuple of int, optional
        Shape of one row as a picture, for data that come as a table of pixels.

    Raises
    ------
    ValueError
        When a step cannot be used, or negative, infinite or no values are left over; the sentence says which step helps.
    """
    earlier = tuple(data.steps) if isinstance(data, Dataset) else ()
    notes = tuple(data.notes) if isinstance(data, Dataset) else ()
    given = as_raw(data)
    stages = run_steps(given, steps)
    raw = stages[-1].after if stages else given
    if kind is not None:
        raw = raw.with_(kind=kind, cell_shape=raw.cell_shape if kind == "images" else None)
    if cell_shape is not None:
        if np.prod(cell_shape) != raw.shape[1]:
            raise ValueError(
                f"A picture of {cell_shape} has {np.prod(cell_shape):,} pixels, but there are {raw.shape[1]:,} columns."
            )
        raw = raw.with_(cell_shape=tuple(cell_shape))
    values = raw.X.data if raw.sparse else raw.X
    if np.isinf(values).any():
        raise ValueError("Infinite values are left: switch on the step “Infinite values”.")
    if values.size and np.nanmin(np.where(np.isnan(values), 0.0, values) if np.isnan(values).any() else values) < 0:
        raise ValueError("Negative values are left: switch on the step “Negative values”.")
    try:
        check_shape(raw)
        check_values(raw)
        dataset = to_dataset(raw)
    except Refused as refused:
        raise ValueError(str(refused.message)) from None
    done = tuple(stage.step for stage in stages)
    before = given.extra.get(BEFORE, given.cols)
    extra = {key: value for key, value in dataset.extra.items() if key != BEFORE}
    if not np.array_equal(before, dataset.cols):
        extra[BEFORE] = np.asarray(before)
    dataset = dataset.with_(
        extra=extra,
        notes=notes + tuple(f"{stage.step.LABEL}: {stage.lost}" for stage in stages),
        steps=earlier + tuple(step.to_json() for step in done),
    )
    return Prepared(dataset, done, stages)


def apply_steps(rows: Raw | Dataset, steps: Sequence[Step] | Sequence[Mapping[str, Any]]) -> Raw:
    """Apply learned steps, given as steps or as the JSON of ``dataset.steps``, to new rows.

    Raises
    ------
    ValueError
        When the new rows have other columns than the data the steps were learned from.
    """
    raw = as_raw(rows)
    for step in steps:
        raw = (step if isinstance(step, Step) else step_from_json(step)).apply(raw)
    return raw


def recommend(data: Raw | Dataset) -> tuple[Advice, ...]:
    """Return the preset list for a kind of data, each with its reason; the ones that are needed are on."""
    raw = as_raw(data)
    values = raw.X.data if raw.sparse else raw.X
    finite = np.isfinite(values)
    good = values if finite.all() else values[finite]
    advice = []
    if np.isinf(values).any():
        advice.append(
            Advice(Infinite(how="cap" if raw.sparse else "missing"), True, "Infinite values cannot be fitted.")
        )
    if not raw.sparse and not finite.all():
        advice.append(Advice(Missing(), True, "Missing cells are left out of the fit: nothing is made up."))
    if good.size and good.min() < 0:
        share = share_below(good)
        how = "clip" if share < 0.05 else "split" if raw.sparse else "shift"
        reason = f"Needed: {100 * share:.3g} % of the sum of absolute values lies below zero."
        advice.append(Advice(Negative(how=how), True, reason))  # type: ignore[arg-type]
    return tuple(advice + _for_kind(raw, nature(good) if good.size else "constant"))


def _for_kind(raw: Raw, numbers: str) -> list[Advice]:
    done = raw.kind in ("images", "cube", "audio", "ratings", "network", "spectra")
    m = raw.shape[1]
    empty = Advice(DropEmpty(), False, "Optional: rows and columns of zeros stay zero anyway.")
    if raw.kind == "text":
        weigh = numbers in ("counts", "binary")
        reason = (
            "Counts of words: common words would rule the parts." if weigh else "The numbers look weighted already."
        )
        return [Advice(TfIdf(), weigh, reason), empty]
    if raw.kind == "expression":
        most = Advice(MostVariable(), m > 5000, f"{m:,} genes: the most variable ones carry the differences.")
        spread = _ratio(raw) > 100
        log = Advice(Log(), spread, "Values span several powers of ten." if spread else "The range is moderate.")
        return [log, most, empty]
    if raw.kind == "counts":
        spread = _row_ratio(raw) > 20
        rows = Advice(
            ScaleRows(), spread, "A few rows are far larger than the rest." if spread else "Rows are of similar size."
        )
        return [rows, Advice(Log(), False, "Optional: Kullback-Leibler loss already suits counts."), empty]
    if done:
        reason = {
            "images": "All pixels share one unit: scaling columns would raise noise in dark corners.",
            "cube": "All bands share one unit.",
            "audio": "All frequencies share one unit.",
            "ratings": "All ratings share one scale.",
            "network": "Scaling would break the symmetry.",
            "spectra": "All channels share one unit.",
        }[raw.kind]
        return [Advice(ScaleColumns(), False, f"Not needed: {reason}")]
    spread = _column_ratio(raw) > 10
    reason = (
        "The columns differ in size or unit by more than ten times." if spread else "The columns are of similar size."
    )
    return [
        Advice(ScaleColumns(), spread, reason),
        Advice(Log(), False, "Optional, for values over several powers of ten."),
        empty,
    ]


def _ratio(raw: Raw) -> float:
    values = raw.X.data if raw.sparse else raw.X
    good = values[np.isfinite(values) & (values > 0)]
    return float(good.max() / np.median(good)) if good.size else 1.0


def _column_ratio(raw: Raw) -> float:
    if raw.sparse:
        tops = np.zeros(raw.shape[1])
        np.maximum.at(tops, raw.X.indices, np.abs(raw.X.data))
    else:
        tops = np.abs(np.where(np.isfinite(raw.X), raw.X, 0.0)).max(axis=0)
    tops = tops[tops > 0]
    return float(tops.max() / tops.min()) if tops.size else 1.0


def _row_ratio(raw: Raw) -> float:
    if raw.sparse:
        sums = np.asarray(abs(raw.X).sum(axis=1)).ravel()
    else:
        sums = np.abs(np.where(np.isfinite(raw.X), raw.X, 0.0)).sum(axis=1)
    sums = sums[sums > 0]
    return float(sums.max() / np.median(sums)) if sums.size else 1.0
