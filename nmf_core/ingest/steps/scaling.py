"""Steps that change the scale of rows, columns or cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np

from nmf_core.ingest.raw import Raw
from nmf_core.ingest.steps.base import (
    Step,
    check_choice,
    check_number,
    learned_array,
    on_values,
    register,
    scale_columns,
    scale_rows,
)
from nmf_core.ingest.steps.selecting import column_variances, variances_code
from nmf_core.types import Array

_ANSCOMBE_ZERO = 2.0 * np.sqrt(3.0 / 8.0)


@register
@dataclass(frozen=True, slots=True)
class ScaleColumns(Step):
    """Divide each column by its maximum, standard deviation (without centring), sum or length."""

    NAME: ClassVar[str] = "scale_columns"
    LABEL: ClassVar[str] = "Scale columns"
    HELP: ClassVar[str] = "So that columns in different units count alike; nothing is centred, zero stays zero."

    how: Literal["max", "deviation", "sum", "l2"] = "max"

    def __post_init__(self) -> None:
        check_choice(self, "how", ("max", "deviation", "sum", "l2"))

    def learn(self, raw: Raw) -> Self:
        return self.remember(_safe(self._sizes(raw.X)))

    def _sizes(self, X: Any) -> Array:
        if self.how == "deviation":
            return np.sqrt(column_variances(X))
        return _norms(X, self.how, 0)

    def apply(self, raw: Raw) -> Raw:
        return raw.with_(X=scale_columns(raw.X, 1.0 / learned_array(self, 0, raw.shape[1])))

    def lost(self, before: Raw, after: Raw) -> str:
        sizes = learned_array(self, 0)
        sizes = sizes[sizes > 0]
        ratio = float(sizes.max() / sizes.min()) if sizes.size else 1.0
        return f"Nothing is lost, but columns whose sizes differed by a factor of up to {ratio:.3g} now count alike."

    def code(self, sparse: bool = False) -> str:
        size = (
            f"{variances_code(sparse)}\nsize = np.sqrt(variances)"
            if self.how == "deviation"
            else _norms_code(self.how, 0, sparse)
        )
        factors = "factors = 1 / np.where(size > 0, size, 1).astype(float)"
        apply = "X.data = X.data * factors[X.indices]" if sparse else "X = X * factors"
        return f"{size}\n{factors}\n{apply}"


@register
@dataclass(frozen=True, slots=True)
class ScaleRows(Step):
    """Divide each row by its sum, length or maximum; new rows by their own."""

    NAME: ClassVar[str] = "scale_rows"
    LABEL: ClassVar[str] = "Scale rows"
    HELP: ClassVar[str] = "So that large and small samples count alike: what remains is their composition."
    PER_ROW: ClassVar[bool] = True

    how: Literal["sum", "l2", "max"] = "sum"

    def __post_init__(self) -> None:
        check_choice(self, "how", ("sum", "l2", "max"))

    def apply(self, raw: Raw) -> Raw:
        return raw.with_(X=scale_rows(raw.X, 1.0 / _safe(_norms(raw.X, self.how, 1))))

    def lost(self, before: Raw, after: Raw) -> str:
        sizes = _norms(before.X, self.how, 1)
        sizes = sizes[sizes > 0]
        ratio = float(sizes.max() / sizes.min()) if sizes.size else 1.0
        return f"How large each row is: they differed by a factor of up to {ratio:.3g}."

    def code(self, sparse: bool = False) -> str:
        return f"{_norms_code(self.how, 1, sparse)}\n{_rows_code(sparse)}"


@register
@dataclass(frozen=True, slots=True)
class Log(Step):
    """log(1 + x): large values count less; zero stays zero."""

    NAME: ClassVar[str] = "log"
    LABEL: ClassVar[str] = "Logarithm, log(1 + x)"
    HELP: ClassVar[str] = "For values over several powers of ten, such as gene expression or counts."
    PER_ROW: ClassVar[bool] = True

    def applies(self, raw: Raw) -> str:
        return _needs_nonnegative(raw)

    def apply(self, raw: Raw) -> Raw:
        return raw.with_(X=on_values(raw.X, lambda x: np.log1p(np.maximum(x, 0.0))))

    def lost(self, before: Raw, after: Raw) -> str:
        return "Nothing is lost (exp(x) − 1 undoes it), but parts add up in logarithms, not in the original units."

    def code(self, sparse: bool = False) -> str:
        return "X = X.log1p()" if sparse else "X = np.log1p(X)"


@register
@dataclass(frozen=True, slots=True)
class SquareRoot(Step):
    """Square root, or Anscombe's variant for counts, moved so that zero stays zero.

    Anscombe (1948): 2·√(x + 3/8) makes the variance of Poisson counts about 1; here 2·√(3/8) is taken away.
    """

    NAME: ClassVar[str] = "square_root"
    LABEL: ClassVar[str] = "Square root"
    HELP: ClassVar[str] = "Milder than the logarithm; Anscombe's form evens out the noise of counts."
    PER_ROW: ClassVar[bool] = True

    how: Literal["plain", "anscombe"] = "plain"

    def __post_init__(self) -> None:
        check_choice(self, "how", ("plain", "anscombe"))

    def applies(self, raw: Raw) -> str:
        return _needs_nonnegative(raw)

    def apply(self, raw: Raw) -> Raw:
        if self.how == "plain":
            return raw.with_(X=on_values(raw.X, lambda x: np.sqrt(np.maximum(x, 0.0))))
        return raw.with_(
            X=on_values(raw.X, lambda x: np.maximum(2.0 * np.sqrt(np.maximum(x, 0.0) + 0.375) - _ANSCOMBE_ZERO, 0.0))
        )

    def lost(self, before: Raw, after: Raw) -> str:
        return "Nothing is lost (squaring undoes it), but parts add up in roots, not in the original units."

    def code(self, sparse: bool = False) -> str:
        value = "X.data" if sparse else "X"
        if self.how == "plain":
            return f"{value} = np.sqrt({value})"
        return f"{value} = np.maximum(2 * np.sqrt({value} + 3 / 8) - 2 * np.sqrt(3 / 8), 0)"


@register
@dataclass(frozen=True, slots=True)
class TfIdf(Step):
    """Weigh words by how few documents hold them, then bring documents to length 1 (scikit-learn's defaults)."""

    NAME: ClassVar[str] = "tf_idf"
    LABEL: ClassVar[str] = "TF-IDF"
    HELP: ClassVar[str] = "For counts of words: common words count less, long documents no more than short ones."

    def applies(self, raw: Raw) -> str:
        return _needs_nonnegative(raw)

    def learn(self, raw: Raw) -> Self:
        n, m = raw.shape
        if raw.sparse:
            df = np.bincount(raw.X.indices[raw.X.data > 0], minlength=m)
        else:
            df = (raw.X > 0).sum(axis=0)
        return self.remember(np.log((1.0 + n) / (1.0 + df)) + 1.0)

    def apply(self, raw: Raw) -> Raw:
        X = scale_columns(raw.X, learned_array(self, 0, raw.shape[1]))
        return raw.with_(X=scale_rows(X, 1.0 / _safe(_norms(X, "l2", 1))))

    def lost(self, before: Raw, after: Raw) -> str:
        return "How long each document is."

    def code(self, sparse: bool = False) -> str:
        df = "np.bincount(X.indices[X.data > 0], minlength=X.shape[1])" if sparse else "(X > 0).sum(axis=0)"
        weigh = "X.data = X.data * idf[X.indices]" if sparse else "X = X * idf"
        return (
            f"idf = np.log((1 + X.shape[0]) / (1 + {df})) + 1\n{weigh}\n"
            f"{_norms_code('l2', 1, sparse)}\n{_rows_code(sparse)}"
        )


@register
@dataclass(frozen=True, slots=True)
class Cap(Step):
    """Cap cells at a quantile of their column (of its stored entries, when sparse)."""

    NAME: ClassVar[str] = "cap"
    LABEL: ClassVar[str] = "Cap outliers"
    HELP: ClassVar[str] = (
        "Cells above a quantile of their column are set to it, so that single cells do not rule the fit."
    )

    quantile: float = 0.995

    def __post_init__(self) -> None:
        check_number(self, "quantile", 0.5, 1.0)

    def learn(self, raw: Raw) -> Self:
        if raw.sparse:
            return self.remember(self._sparse_tops(raw.X))
        some = ~np.isnan(raw.X).all(axis=0)
        tops = np.zeros(raw.shape[1])
        tops[some] = np.nanquantile(raw.X[:, some], self.quantile, axis=0)
        return self.remember(tops)

    def _sparse_tops(self, X: Any) -> Array:
        by_column = X.tocsc()
        tops = np.zeros(X.shape[1])
        for j in range(X.shape[1]):
            values = by_column.data[by_column.indptr[j] : by_column.indptr[j + 1]]
            tops[j] = np.quantile(values, self.quantile) if len(values) else 0.0
        return tops

    def apply(self, raw: Raw) -> Raw:
        tops = learned_array(self, 0, raw.shape[1])
        if raw.sparse:
            X = raw.X.copy()
            X.data = np.minimum(X.data, tops[X.indices])
            return raw.with_(X=X)
        return raw.with_(X=np.minimum(raw.X, tops))

    def lost(self, before: Raw, after: Raw) -> str:
        old, new = (before.X.data, after.X.data) if before.sparse else (before.X, after.X)
        return f"{int((old > new).sum()):,} cells are capped; what they had above the cap is lost."

    def code(self, sparse: bool = False) -> str:
        if not sparse:
            return f"X = np.minimum(X, np.nanquantile(X, {self.quantile!r}, axis=0).astype(float))"
        return (
            "by_column = X.tocsc()\n"
            f"tops = np.array([np.quantile(c, {self.quantile!r}) if len(c) else 0.0 "
            "for c in np.split(by_column.data, by_column.indptr[1:-1])])\n"
            "X.data = np.minimum(X.data, tops[X.indices])"
        )


def _norms(X: Any, how: str, axis: int) -> Array:
    """Return the sum, Euclidean length or maximum of rows (axis 1) or columns (axis 0); missing cells count nothing."""
    if hasattr(X, "indptr"):
        n, m = X.shape
        index = X.indices if axis == 0 else np.repeat(np.arange(n), np.diff(X.indptr))
        size = m if axis == 0 else n
        data = X.data.astype(np.float64)
        if how == "max":
            result = np.zeros(size)
            np.maximum.at(result, index, data)
            return result
        sums = np.bincount(index, weights=data**2 if how == "l2" else data, minlength=size)
        return np.sqrt(sums) if how == "l2" else sums
    X = np.where(np.isnan(X), 0.0, X)
    if how == "max":
        return np.asarray(X.max(axis=axis))
    return np.sqrt((X**2).sum(axis=axis)) if how == "l2" else np.asarray(X.sum(axis=axis))


def _norms_code(how: str, axis: int, sparse: bool) -> str:
    """Return NumPy statements that do what `_norms` does."""
    if not sparse:
        known = "np.where(np.isnan(X), 0, X)"
        return {
            "max": f"size = {known}.max(axis={axis})",
            "sum": f"size = {known}.sum(axis={axis})",
            "l2": f"size = np.sqrt(({known} ** 2).sum(axis={axis}))",
        }[how]
    index = "X.indices" if axis == 0 else "np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))"
    side = f"X.shape[{1 - axis}]"
    if how == "max":
        return f"size = np.zeros({side})\nnp.maximum.at(size, {index}, X.data)"
    weights = "X.data.astype(float) ** 2" if how == "l2" else "X.data"
    sums = f"np.bincount({index}, weights={weights}, minlength={side})"
    return f"size = np.sqrt({sums})" if how == "l2" else f"size = {sums}"


def _rows_code(sparse: bool) -> str:
    """Return NumPy statements that divide rows by ``size``, those of size 0 by 1."""
    factors = "factors = 1 / np.where(size > 0, size, 1)"
    return f"{factors}\n" + (
        "X.data = X.data * np.repeat(factors, np.diff(X.indptr))" if sparse else "X = X * factors[:, None]"
    )


def _safe(sizes: Array) -> Array:
    return np.where(sizes > 0, sizes, 1.0)


def _needs_nonnegative(raw: Raw) -> str:
    values = raw.X.data if raw.sparse else raw.X
    negative = bool(values.size) and bool(np.nanmin(values) < 0)
    return "Negative values come first: switch on a step that deals with them." if negative else ""
