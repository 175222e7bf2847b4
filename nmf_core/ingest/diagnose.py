"""What a matrix is like before any fit: what stops one, and what may be worth doing first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from nmf_core.ingest.limits import Limits, size
from nmf_core.ingest.names import numbered
from nmf_core.ingest.raw import Raw
from nmf_core.ingest.settle import share_below
from nmf_core.ingest.steps import (
    Cap,
    DropEmpty,
    Infinite,
    Log,
    Missing,
    MostVariable,
    Negative,
    SampleRows,
    ScaleColumns,
    ScaleRows,
    SquareRoot,
    Step,
)
from nmf_core.types import Array, Dataset, is_sparse
from nmf_core.wording import count, number, percent

TINY = 1e-9
HUGE = 1e150
SEARCHED = 20_000_000  # cells within which duplicates are looked for


class Weight(StrEnum):
    """How much a finding matters."""

    STOP = "stop"
    SUGGEST = "suggest"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth knowing about a matrix.

    Attributes
    ----------
    code : str
    weight : Weight
        STOP: no fit is possible as it is. SUGGEST: a step may help. INFO: good to know.
    text : str
        A sentence with numbers; names in it come from the file.
    steps : tuple of Step
        What to do about it, the most useful first.
    """

    code: str
    weight: Weight
    text: str
    steps: tuple[Step, ...] = ()


def diagnose(data: Any, limits: Limits | None = None) -> tuple[Finding, ...]:
    """Look at a matrix and say what would stop a fit and what could be better.

    Parameters
    ----------
    data : Raw, Dataset, array or sparse matrix
    limits : Limits, optional

    Returns
    -------
    tuple of Finding
        Those that stop a fit first, then suggestions, then the rest.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # values near the end of the range are told of, not tripped over
        return _diagnose(as_raw(data), limits or Limits())


def _diagnose(raw: Raw, limits: Limits) -> tuple[Finding, ...]:
    findings: list[Finding] = []
    values = raw.X.data if raw.sparse else raw.X
    n, m = raw.shape
    if n < 2 or m < 2:
        findings.append(
            Finding("too-small", Weight.STOP, f"{n:,} × {m:,}: at least two rows and two columns are needed.")
        )
    findings += _unusable(raw, values)
    finite = np.isfinite(values)
    good = values if finite.all() else values[finite]
    if good.size == 0 or not np.any(good):
        findings.append(Finding("all-zero", Weight.STOP, "Every number is zero: there is nothing to factorize."))
        return _ordered(findings)
    if float(np.abs(good).max()) > HUGE:
        text = f"Numbers up to {number(float(np.abs(good).max()))}: their squares are beyond what a computer can hold."
        findings.append(Finding("huge", Weight.STOP, text, (ScaleColumns(), Log())))
    findings += _empty(raw)
    findings += _copies(raw)
    findings += _nature(raw, good)
    if not (good.min() < 0):
        findings += _spread(raw, good)
    findings += _bulk(raw, limits)
    return _ordered(findings)


def as_raw(data: Any) -> Raw:
    """Return any matrix as Raw, names made up where there are none."""
    if isinstance(data, Raw):
        return data
    if isinstance(data, Dataset):
        mask = data.mask if isinstance(data.mask, str) else None
        return Raw(
            data.X,
            data.rows,
            data.cols,
            kind=data.kind,
            labels=data.labels,
            cell_shape=data.cell_shape,
            mask=mask,
            extra=data.extra,
            name=data.name,
        )
    if is_sparse(data):
        import scipy.sparse as sp

        X = sp.csr_array(data)
    else:
        X = np.atleast_2d(np.asarray(data, dtype=np.float64))
    n, m = X.shape
    return Raw(X, numbered("r", n), numbered("c", m))


def nature(values: Array, cells: int | None = None) -> str:
    """Return "binary", "counts", "constant" or "continuous" for finite numbers (stored ones of a sparse matrix)."""
    if values.size == 0:
        return "constant"
    low, high = float(values.min()), float(values.max())
    whole = low >= 0 and bool((values == np.floor(values)).all())
    if whole and high <= 1:
        return "binary"
    if whole:
        return "counts"
    return "continuous"


def _unusable(raw: Raw, values: Array) -> list[Finding]:
    findings = []
    infinite = int(np.isinf(values).sum())
    if infinite:
        steps: tuple[Step, ...] = (Infinite(how="cap"),) if raw.sparse else (Infinite(), Infinite(how="cap"))
        findings.append(Finding("infinite", Weight.STOP, f"{count(infinite, 'cell')} infinite.", steps))
    missing = int(np.isnan(values).sum())
    if missing:
        n, m = raw.shape
        rows = int(np.isnan(raw.X).any(axis=1).sum()) if not raw.sparse else 0
        cols = int(np.isnan(raw.X).any(axis=0).sum()) if not raw.sparse else 0
        text = (
            f"{count(missing, 'cell')} missing ({percent(missing / (n * m))}), in {count(rows, 'row')} and "
            f"{count(cols, 'column')}. They can be left out of the fit."
        )
        findings.append(
            Finding("missing", Weight.SUGGEST, text, (Missing(), Missing(how="mean"), Missing(how="drop_rows")))
        )
    finite = np.isfinite(values)
    good = values if finite.all() else values[finite]
    below = good[good < 0]
    if below.size:
        low, top = float(below.min()), float(np.abs(good).max())
        share = share_below(good)
        text = f"{count(below.size, 'cell')} below zero ({percent(below.size / good.size)}), the lowest {number(low)}."
        if -low < TINY * top:
            text += " They are rounding errors."
            steps = (Negative(how="clip"),)
        elif looks_centred(raw):
            text += " The columns look centred: their means are zero. Use the data before centring, if you have them."
            steps = (Negative(how="shift"), Negative(how="split")) if not raw.sparse else (Negative(how="split"),)
        else:
            text += f" They hold {percent(share)} of the sum of absolute values."
            steps = (
                (Negative(how="clip"), Negative(how="split"))
                if share < 0.05 or raw.sparse
                else (Negative(how="shift"), Negative(how="split"))
            )
        findings.append(Finding("negative", Weight.STOP, text, steps))
    return findings


def looks_centred(raw: Raw) -> bool:
    """Tell whether most column means are zero compared with the columns' standard deviations."""
    if raw.sparse:
        return False
    X = np.where(np.isfinite(raw.X), raw.X, np.nan)
    some = ~np.isnan(X).all(axis=0)
    if not some.any():
        return False
    mean, deviation = np.nanmean(X[:, some], axis=0), np.nanstd(X[:, some], axis=0)
    varied = deviation > 0
    return bool(varied.any() and np.mean(np.abs(mean[varied]) < 1e-3 * deviation[varied]) > 0.8)


def _empty(raw: Raw) -> list[Finding]:
    findings = []
    for axis, what in ((1, "row"), (0, "column")):
        if raw.sparse:
            filled = np.diff(raw.X.indptr) if axis == 1 else np.bincount(raw.X.indices, minlength=raw.shape[1])
            zero = filled == 0
        else:
            zero = ~(raw.X != 0).any(axis=axis)
        k = int(zero.sum())
        if k:
            names = raw.rows if axis == 1 else raw.cols
            text = f"{count(k, what)} of zeros (first: {names[int(np.argmax(zero))]}); zero in every part, too."
            findings.append(Finding(f"zero-{what}s", Weight.SUGGEST, text, (DropEmpty(),)))
    if not raw.sparse and raw.shape[0] > 1:
        X = raw.X
        with np.errstate(invalid="ignore"):
            constant = (X[:1] == X).all(axis=0) & (X[0] != 0)
        k = int(constant.sum())
        if k:
            name = raw.cols[int(np.argmax(constant))]
            findings.append(
                Finding("constant", Weight.INFO, f"{count(k, 'column')} with one value in all rows (first: {name}).")
            )
    return findings


def _copies(raw: Raw) -> list[Finding]:
    if raw.shape[0] * raw.shape[1] > SEARCHED:
        return []
    findings = []
    for axis, what in ((0, "row"), (1, "column")):
        if raw.sparse:
            X = raw.X if axis == 0 else raw.X.tocsc()
            keys = {
                (X.indices[a:b].tobytes(), X.data[a:b].tobytes())
                for a, b in zip(X.indptr[:-1], X.indptr[1:], strict=True)
            }
        else:
            lines = np.ascontiguousarray(raw.X if axis == 0 else raw.X.T)
            keys = {line.tobytes() for line in lines}
        k = raw.shape[axis] - len(keys)
        if k:
            findings.append(Finding(f"duplicate-{what}s", Weight.INFO, f"{count(k, what)} equal to another one."))
    return findings


def _nature(raw: Raw, good: Array) -> list[Finding]:
    kind = nature(good)
    zeros = 1 - np.count_nonzero(good) / (raw.shape[0] * raw.shape[1]) if raw.sparse else float((good == 0).mean())
    if kind == "binary":
        text = "Zeros and ones. Kullback-Leibler loss suits them."
        return [Finding("binary", Weight.INFO, text), *_sparsity(raw, zeros)]
    if kind == "counts":
        text = f"Whole numbers ≥ 0, up to {number(float(good.max()))}: counts. Kullback-Leibler loss suits them."
        return [Finding("counts", Weight.INFO, text, (SquareRoot(how="anscombe"), Log())), *_sparsity(raw, zeros)]
    found = []
    if not raw.sparse and good.min() >= 0:
        sums = np.nansum(raw.X, axis=1)
        for total in (1.0, 100.0):
            if np.allclose(sums, total, rtol=1e-3):
                text = f"Every row adds up to {total:g}: proportions. No scaling of rows is needed."
                found.append(Finding("proportions", Weight.INFO, text))
    found.append(
        Finding(
            "continuous",
            Weight.INFO,
            f"Continuous numbers{', apart from zeros,' if raw.sparse else ''} from {number(float(good.min()))} to {number(float(good.max()))}.",
        )
    )
    return [*found, *_sparsity(raw, zeros)]


def _sparsity(raw: Raw, zeros: float) -> list[Finding]:
    if raw.mask == "unstored":
        return [Finding("sparsity", Weight.INFO, f"{percent(zeros)} of the cells are unknown, not zero.")]
    if zeros < 0.3:
        return []
    return [Finding("sparsity", Weight.INFO, f"{percent(zeros)} of the cells are zero.")]


def _spread(raw: Raw, good: Array) -> list[Finding]:
    m = raw.shape[1]
    if raw.sparse:
        squares = np.bincount(raw.X.indices, weights=raw.X.data.astype(float) ** 2, minlength=m)
        row_sums = np.bincount(
            np.repeat(np.arange(raw.shape[0]), np.diff(raw.X.indptr)), weights=raw.X.data, minlength=raw.shape[0]
        )
    else:
        scale = float(good.max()) or 1.0
        X = np.where(np.isfinite(raw.X), raw.X, 0.0) / scale
        squares, row_sums = (X**2).sum(axis=0), X.sum(axis=1)
    found = []
    order = np.sort(squares)[::-1].cumsum() / squares.sum()
    k = int(np.searchsorted(order, 0.999)) + 1
    if m >= 4 and k <= m // 4 and raw.kind not in ("images", "text", "network", "ratings", "cube", "audio"):
        text = f"{count(k, 'column')} of {m:,} hold {percent(order[k - 1])} of the sum of squares; the others hardly count."
        found.append(
            Finding("scale-spread", Weight.SUGGEST, text, (ScaleColumns(), ScaleColumns(how="deviation"), Log()))
        )
    filled = row_sums[row_sums > 0]
    if filled.size > 3 and filled.max() > 20 * np.median(filled) and raw.kind not in ("images", "network", "ratings"):
        name = raw.rows[int(np.argmax(row_sums))]
        text = f"Row {name} is {number(filled.max() / np.median(filled), 3)} times as large as a typical row."
        found.append(Finding("row-spread", Weight.SUGGEST, text, (ScaleRows(), Log())))
    positive = good[good > 0]
    if positive.size > 100:
        top = np.sort(positive)[-max(1, positive.size // 1000) :]
        share = float((top.astype(float) ** 2).sum() / (positive.astype(float) ** 2).sum())
        if share > 0.5:
            text = (
                f"{count(len(top), 'cell')} of {positive.size:,} hold {percent(share)} of the sum of squares: outliers."
            )
            found.append(Finding("outliers", Weight.SUGGEST, text, (Cap(), Log(), SquareRoot())))
    return found


def _bulk(raw: Raw, limits: Limits) -> list[Finding]:
    n, m = raw.shape
    held = raw.X.nnz * 12 if raw.sparse else n * m * 8
    over = raw.X.nnz > limits.stored or max(n, m) > limits.sparse_side if raw.sparse else n * m > limits.cells
    if over:
        text = f"{n:,} × {m:,} ({size(held)}) is beyond the limits of this server."
        return [Finding("too-large", Weight.STOP, text, (SampleRows(n_rows=max(2, limits.cells // m)), MostVariable()))]
    if held > 80_000_000:
        text = f"{n:,} × {m:,} takes {size(held)}; a fit takes a while. A sample is enough for a first look."
        return [Finding("large", Weight.SUGGEST, text, (SampleRows(n_rows=max(1000, n // 20)), MostVariable()))]
    return []


def _ordered(findings: list[Finding]) -> tuple[Finding, ...]:
    rank = {Weight.STOP: 0, Weight.SUGGEST: 1, Weight.INFO: 2}
    return tuple(sorted(findings, key=lambda f: rank[f.weight]))
