"""Steps that choose rows and columns."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from nmf_core.ingest.raw import Raw
from nmf_core.ingest.steps.base import (
    Step,
    check_number,
    learned_array,
    register,
    take_columns,
    take_rows,
)
from nmf_core.types import Array


@register
@dataclass(frozen=True, slots=True)
class DropColumns(Step):
    """Leave columns out by name."""

    NAME: ClassVar[str] = "drop_columns"
    LABEL: ClassVar[str] = "Leave out columns"
    HELP: ClassVar[str] = "Columns that do not belong to the question: identifiers, totals, dates."

    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_names(self)

    def learn(self, raw: Raw) -> Self:
        return self.remember(np.flatnonzero(~np.isin(raw.cols, self.names)))

    def apply(self, raw: Raw) -> Raw:
        return take_columns(raw, learned_array(self, 0).astype(int)) if self.names else raw

    def lost(self, before: Raw, after: Raw) -> str:
        return f"{before.shape[1] - after.shape[1]:,} of {before.shape[1]:,} columns are left out."

    def code(self, sparse: bool = False) -> str:
        return f"keep = ~np.isin(cols, {list(self.names)!r})\nX, cols = X[:, keep], cols[keep]"


@register
@dataclass(frozen=True, slots=True)
class SetAside(Step):
    """Set columns aside as labels, out of the numbers."""

    NAME: ClassVar[str] = "set_aside"
    LABEL: ClassVar[str] = "Set aside as labels"
    HELP: ClassVar[str] = "Columns that say what a row is (a class, a group) colour the charts, but are not factorized."

    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_names(self)

    def learn(self, raw: Raw) -> Self:
        return self.remember(np.flatnonzero(~np.isin(raw.cols, self.names)))

    def apply(self, raw: Raw) -> Raw:
        labels = dict(raw.labels)
        for j in np.flatnonzero(np.isin(raw.cols, self.names)):
            values = raw.X[:, [j]].toarray().ravel() if raw.sparse else raw.X[:, j]
            labels[str(raw.cols[j])] = np.array([f"{value:.6g}" for value in values])
        return take_columns(raw, learned_array(self, 0).astype(int)).with_(labels=labels) if self.names else raw

    def lost(self, before: Raw, after: Raw) -> str:
        return f"Nothing is lost: {before.shape[1] - after.shape[1]:,} columns became labels."

    def code(self, sparse: bool = False) -> str:
        cells = "X[:, [j]].toarray().ravel()" if sparse else "X[:, j]"
        return (
            f"aside = np.isin(cols, {list(self.names)!r})\n"
            "for j in np.flatnonzero(aside):\n"
            f"    labels[str(cols[j])] = np.array([f'{{value:.6g}}' for value in {cells}])\n"
            "X, cols = X[:, ~aside], cols[~aside]"
        )


@register
@dataclass(frozen=True, slots=True)
class KeepRows(Step):
    """Keep the rows whose label has one of some values."""

    NAME: ClassVar[str] = "keep_rows"
    LABEL: ClassVar[str] = "Choose rows"
    HELP: ClassVar[str] = "Only the rows with certain labels."
    PER_ROW: ClassVar[bool] = True

    label: str = ""
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.label, str):
            raise ValueError(f"keep_rows: label must be a text, not {self.label!r}")
        _check_names(self, "values")

    def applies(self, raw: Raw) -> str:
        return "" if raw.labels else "There are no labels to choose rows by."

    def apply(self, raw: Raw) -> Raw:
        if self.label not in raw.labels or not self.values:
            return raw
        return take_rows(raw, np.flatnonzero(np.isin(np.asarray(raw.labels[self.label]).astype(str), self.values)))

    def lost(self, before: Raw, after: Raw) -> str:
        return f"{before.shape[0] - after.shape[0]:,} of {before.shape[0]:,} rows are left out."

    def code(self, sparse: bool = False) -> str:
        return (
            f"keep = np.isin(np.asarray(labels[{self.label!r}]).astype(str), {list(self.values)!r})\n"
            "X, rows = X[keep], rows[keep]"
        )

    @property
    def chooses_rows(self) -> bool:
        return True


@register
@dataclass(frozen=True, slots=True)
class DropEmpty(Step):
    """Leave out rows and columns that hold only zeros."""

    NAME: ClassVar[str] = "drop_empty"
    LABEL: ClassVar[str] = "Rows and columns of zeros"
    HELP: ClassVar[str] = "They stay zero in every part; Itakura-Saito cannot use them."
    PER_ROW: ClassVar[bool] = True

    def learn(self, raw: Raw) -> Self:
        return self.remember(np.flatnonzero(_filled(raw.X, 0)))

    def apply(self, raw: Raw) -> Raw:
        columns = learned_array(self, 0).astype(int)
        kept = raw if len(columns) == raw.shape[1] else take_columns(raw, columns)
        filled = _filled(kept.X, 1)
        return kept if filled.all() else take_rows(kept, np.flatnonzero(filled))

    def lost(self, before: Raw, after: Raw) -> str:
        n, m = before.shape[0] - after.shape[0], before.shape[1] - after.shape[1]
        return f"{n:,} rows and {m:,} columns of zeros are left out."

    def code(self, sparse: bool = False) -> str:
        return (
            "keep = np.asarray((X != 0).sum(axis=0)).ravel() > 0\n"
            "if not keep.all():\n    X, cols = X[:, keep], cols[keep]\n"
            "keep = np.asarray((X != 0).sum(axis=1)).ravel() > 0\n"
            "if not keep.all():\n    X, rows = X[keep], rows[keep]"
        )

    @property
    def chooses_rows(self) -> bool:
        return True


@register
@dataclass(frozen=True, slots=True)
class MostVariable(Step):
    """Keep the columns that vary most."""

    NAME: ClassVar[str] = "most_variable"
    LABEL: ClassVar[str] = "Most variable columns"
    HELP: ClassVar[str] = "Keep the columns with the largest variance (of log1p for counts); the rest is mostly noise."

    n_columns: int = 2000

    def __post_init__(self) -> None:
        check_number(self, "n_columns", 2, 1_000_000, whole=True)

    def learn(self, raw: Raw) -> Self:
        if raw.shape[1] <= self.n_columns:
            return self.remember(np.arange(raw.shape[1]))
        order = np.argsort(-column_variances(raw.X), kind="stable")[: int(self.n_columns)]
        return self.remember(np.sort(order))

    def apply(self, raw: Raw) -> Raw:
        columns = learned_array(self, 0).astype(int)
        return raw if len(columns) == raw.shape[1] else take_columns(raw, columns)

    def lost(self, before: Raw, after: Raw) -> str:
        total = float(np.nansum(column_variances(before.X)))
        kept = float(np.nansum(column_variances(after.X))) / total if total else 1.0
        return (
            f"{after.shape[1]:,} of {before.shape[1]:,} columns are kept; they hold {100 * kept:.3g} % of the variance."
        )

    def code(self, sparse: bool = False) -> str:
        return (
            f"{variances_code(sparse)}\n"
            f"keep = np.sort(np.argsort(-variances, kind='stable')[:{int(self.n_columns)}])\nX, cols = X[:, keep], cols[keep]"
        )


@register
@dataclass(frozen=True, slots=True)
class SampleRows(Step):
    """Keep a random sample of the rows; new rows are all kept."""

    NAME: ClassVar[str] = "sample_rows"
    LABEL: ClassVar[str] = "Sample rows"
    HELP: ClassVar[str] = "A random sample, for a first look at large data; the seed makes it the same each time."

    n_rows: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        check_number(self, "n_rows", 2, 10_000_000, whole=True)
        check_number(self, "seed", 0, 2**32 - 1, whole=True)

    def learn(self, raw: Raw) -> Self:
        return self.remember(raw.shape[0])

    def apply(self, raw: Raw) -> Raw:
        n = raw.shape[0]
        if n <= self.n_rows or self.learned is None or self.learned[0] != n:
            return raw
        return take_rows(raw, self._index(n))

    def _index(self, n: int) -> Array:
        return np.sort(np.random.default_rng(self.seed).choice(n, int(self.n_rows), replace=False))

    def lost(self, before: Raw, after: Raw) -> str:
        return f"{after.shape[0]:,} of {before.shape[0]:,} rows are kept."

    def code(self, sparse: bool = False) -> str:
        n = int(self.n_rows)
        return (
            f"keep = np.sort(np.random.default_rng({self.seed}).choice(len(rows), min({n}, len(rows)), replace=False))\n"
            "X, rows = X[keep], rows[keep]"
        )

    @property
    def chooses_rows(self) -> bool:
        return True


@register
@dataclass(frozen=True, slots=True)
class Transpose(Step):
    """Swap rows and columns."""

    NAME: ClassVar[str] = "transpose"
    LABEL: ClassVar[str] = "Swap rows and columns"
    HELP: ClassVar[str] = "Samples should be rows. Genes × samples, for example, is the other way round."

    def learn(self, raw: Raw) -> Self:
        return self.remember(raw.shape[0])

    def applies(self, raw: Raw) -> str:
        return "A network is symmetric: nothing would change." if raw.kind == "network" else ""

    def apply(self, raw: Raw) -> Raw:
        if self.learned is None or self.learned[0] != raw.shape[0]:
            raise ValueError("transpose: new rows cannot be added to swapped data; swap them before the file is read")
        return raw.turned().with_(kind=raw.kind if raw.kind in ("counts", "expression", "ratings") else "table")

    def lost(self, before: Raw, after: Raw) -> str:
        dropped = f" {len(before.labels)} labels of the rows have no place any more." if before.labels else ""
        return f"Nothing of the matrix is lost: it is {after.shape[0]:,} × {after.shape[1]:,} now.{dropped}"

    def code(self, sparse: bool = False) -> str:
        return f"X, rows, cols = {'sp.csr_array(X.T)' if sparse else 'np.ascontiguousarray(X.T)'}, cols, rows"


def column_variances(X: Any) -> Array:
    """Return the variance of each column, missing cells left out; sparse data stay sparse."""
    if hasattr(X, "indptr"):
        n, m = X.shape
        data = X.data.astype(np.float64)
        sums = np.bincount(X.indices, weights=data, minlength=m) / n
        squares = np.bincount(X.indices, weights=data**2, minlength=m) / n
        return np.maximum(squares - sums**2, 0.0)
    gone = np.isnan(X)
    if not gone.any():
        return np.asarray(X.var(axis=0, dtype=np.float64))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of columns without any cell
        variances = np.nanvar(X, axis=0, dtype=np.float64)
    return np.where(np.isnan(variances), 0.0, variances)


def variances_code(sparse: bool) -> str:
    """Return NumPy statements that do what `column_variances` does."""
    if sparse:
        return (
            "sums = np.bincount(X.indices, weights=X.data, minlength=X.shape[1]) / X.shape[0]\n"
            "squares = np.bincount(X.indices, weights=X.data.astype(float) ** 2, minlength=X.shape[1]) / X.shape[0]\n"
            "variances = np.maximum(squares - sums**2, 0)"
        )
    return (
        "variances = (np.nanvar if np.isnan(X).any() else np.var)(X, axis=0, dtype=float)\n"
        "variances = np.where(np.isnan(variances), 0, variances)"
    )


def _filled(X: Any, axis: int) -> Array:
    if hasattr(X, "indptr"):
        counts = np.bincount(X.indices[X.data != 0], minlength=X.shape[1]) if axis == 0 else np.diff(X.indptr)
        return np.asarray(counts > 0)
    return np.asarray((X != 0).any(axis=axis))  # NaN counts as filled


def _check_names(step: Step, field: str = "names") -> None:
    value = getattr(step, field)
    if not isinstance(value, tuple) or not all(isinstance(name, str) for name in value):
        raise ValueError(f"{step.NAME}: {field} must be a list of texts, not {value!r}")
