"""Steps for cells that cannot stay as they are: missing, infinite, negative."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np

from nmf_core.ingest.raw import Raw
from nmf_core.ingest.steps.base import Step, check_choice, learned_array, register, take_columns, take_rows


@register
@dataclass(frozen=True, slots=True)
class Missing(Step):
    """Deal with missing cells; ``keep`` leaves them to a masked fit."""

    NAME: ClassVar[str] = "missing"
    LABEL: ClassVar[str] = "Missing values"
    HELP: ClassVar[str] = "Keep them out of the fit, drop their rows or columns, or fill them."
    PER_ROW: ClassVar[bool] = True

    how: Literal["keep", "drop_rows", "drop_columns", "zero", "mean", "median"] = "keep"

    def __post_init__(self) -> None:
        check_choice(self, "how", ("keep", "drop_rows", "drop_columns", "zero", "mean", "median"))

    def applies(self, raw: Raw) -> str:
        return "A sparse matrix has no missing cells marked." if raw.sparse else ""

    def learn(self, raw: Raw) -> Self:
        if raw.sparse:
            return self.remember(())
        if self.how == "drop_columns":
            return self.remember(np.flatnonzero(~np.isnan(raw.X).any(axis=0)))
        if self.how in ("mean", "median"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # of columns without any cell
                values = (np.nanmean if self.how == "mean" else np.nanmedian)(raw.X, axis=0)
            return self.remember(np.where(np.isnan(values), 0.0, values))
        return self.remember(())

    def apply(self, raw: Raw) -> Raw:
        if raw.sparse or self.how == "keep":
            return raw
        gone = np.isnan(raw.X)
        if self.how == "drop_rows":
            return take_rows(raw, np.flatnonzero(~gone.any(axis=1)))
        if self.how == "drop_columns":
            return take_columns(raw, learned_array(self, 0).astype(int))
        if not gone.any():
            return raw
        fill = 0.0 if self.how == "zero" else learned_array(self, 0, raw.shape[1])
        return raw.with_(X=np.where(gone, fill, raw.X).astype(raw.X.dtype, copy=False))

    def lost(self, before: Raw, after: Raw) -> str:
        if self.how == "keep" or before.sparse:
            return "Nothing is lost: missing cells take no part in the fit."
        k = int(np.isnan(before.X).sum())
        if self.how in ("drop_rows", "drop_columns"):
            n, m = before.shape[0] - after.shape[0], before.shape[1] - after.shape[1]
            return f"{n:,} rows and {m:,} columns are left out to be rid of {k:,} missing cells."
        return f"{k:,} missing cells are filled; afterwards they cannot be told from measured ones."

    def code(self, sparse: bool = False) -> str:
        return {
            "keep": "# missing cells stay NaN and take no part in the fit",
            "drop_rows": "keep = ~np.isnan(X).any(axis=1)\nX, rows = X[keep], rows[keep]",
            "drop_columns": "keep = ~np.isnan(X).any(axis=0)\nX, cols = X[:, keep], cols[keep]",
            "zero": "X = np.where(np.isnan(X), 0.0, X)",
            "mean": "fill = np.nanmean(X, axis=0)\nX = np.where(np.isnan(X), np.where(np.isnan(fill), 0.0, fill), X)",
            "median": "fill = np.nanmedian(X, axis=0)\nX = np.where(np.isnan(X), np.where(np.isnan(fill), 0.0, fill), X)",
        }[self.how]

    @property
    def chooses_rows(self) -> bool:
        return self.how == "drop_rows"


@register
@dataclass(frozen=True, slots=True)
class Infinite(Step):
    """Turn infinite cells into missing ones, or into the largest finite value of their column."""

    NAME: ClassVar[str] = "infinite"
    LABEL: ClassVar[str] = "Infinite values"
    HELP: ClassVar[str] = "Treat infinite cells as missing, or cap them at the largest finite value of the column."

    how: Literal["missing", "cap"] = "missing"

    def __post_init__(self) -> None:
        check_choice(self, "how", ("missing", "cap"))

    def applies(self, raw: Raw) -> str:
        return "A sparse matrix cannot mark cells as missing; cap them." if raw.sparse and self.how == "missing" else ""

    def learn(self, raw: Raw) -> Self:
        if self.how == "missing":
            return self.remember(())
        if raw.sparse:
            finite = np.where(np.isfinite(raw.X.data), raw.X.data, 0.0)
            m = raw.shape[1]
            low, high = np.zeros(m), np.zeros(m)
            np.minimum.at(low, raw.X.indices, finite)
            np.maximum.at(high, raw.X.indices, finite)
            return self.remember(low, high)
        finite = np.where(np.isfinite(raw.X), raw.X, np.nan)
        some = ~np.isnan(finite).all(axis=0)
        low, high = np.zeros(raw.shape[1]), np.zeros(raw.shape[1])
        low[some], high[some] = np.nanmin(finite[:, some], axis=0), np.nanmax(finite[:, some], axis=0)
        return self.remember(low, high)

    def apply(self, raw: Raw) -> Raw:
        if self.how == "missing":
            return raw if raw.sparse else raw.with_(X=np.where(np.isinf(raw.X), np.nan, raw.X))
        low, high = learned_array(self, 0, raw.shape[1]), learned_array(self, 1, raw.shape[1])
        if raw.sparse:
            X = raw.X.copy()
            top, bottom = np.isposinf(X.data), np.isneginf(X.data)
            X.data[top], X.data[bottom] = high[X.indices[top]], low[X.indices[bottom]]
            return raw.with_(X=X)
        X = np.where(np.isposinf(raw.X), high, raw.X)
        return raw.with_(X=np.where(np.isneginf(X), low, X))

    def lost(self, before: Raw, after: Raw) -> str:
        values = before.X.data if before.sparse else before.X
        return f"{int(np.isinf(values).sum()):,} infinite cells are {'missing' if self.how == 'missing' else 'capped'}."

    def code(self, sparse: bool = False) -> str:
        if self.how == "missing":
            return "X = np.where(np.isinf(X), np.nan, X)"
        if sparse:
            return (
                "low, high = np.zeros(X.shape[1]), np.zeros(X.shape[1])\n"
                "finite = np.where(np.isfinite(X.data), X.data, 0)\n"
                "np.minimum.at(low, X.indices, finite)\nnp.maximum.at(high, X.indices, finite)\n"
                "X.data = np.where(np.isposinf(X.data), high[X.indices], X.data)\n"
                "X.data = np.where(np.isneginf(X.data), low[X.indices], X.data)"
            )
        return (
            "finite = np.where(np.isfinite(X), X, np.nan)\n"
            "low = np.nan_to_num(np.nanmin(finite, axis=0)).astype(float)\n"
            "high = np.nan_to_num(np.nanmax(finite, axis=0)).astype(float)\n"
            "X = np.where(np.isposinf(X), high, X)\nX = np.where(np.isneginf(X), low, X)"
        )


@register
@dataclass(frozen=True, slots=True)
class Negative(Step):
    """Make negative cells non-negative.

    ``split`` doubles the columns: what lies above zero, and, with its sign turned, what lies below.
    """

    NAME: ClassVar[str] = "negative"
    LABEL: ClassVar[str] = "Negative values"
    HELP: ClassVar[str] = "Clip them to 0, shift each column up, take absolute values, or split into + and − columns."

    how: Literal["clip", "shift", "shift_all", "absolute", "split"] = "clip"

    def __post_init__(self) -> None:
        check_choice(self, "how", ("clip", "shift", "shift_all", "absolute", "split"))

    def applies(self, raw: Raw) -> str:
        shifts = raw.sparse and self.how in ("shift", "shift_all")
        return "Shifting a sparse matrix would fill all of its cells." if shifts else ""

    def learn(self, raw: Raw) -> Self:
        if self.how == "shift" and not raw.sparse:
            return self.remember(np.minimum(np.nanmin(np.where(np.isnan(raw.X), np.inf, raw.X), axis=0), 0.0))
        if self.how == "shift_all" and not raw.sparse:
            return self.remember([min(0.0, float(np.nanmin(raw.X)))])
        return self.remember(())

    def apply(self, raw: Raw) -> Raw:
        X = raw.X
        if self.how == "split":
            return self._split(raw)
        if raw.sparse:
            X = X.copy()
            X.data = np.abs(X.data) if self.how == "absolute" else np.maximum(X.data, 0.0)
            X.eliminate_zeros()
            return raw.with_(X=X)
        if self.how == "absolute":
            return raw.with_(X=np.abs(X))
        if self.how != "clip":
            X = X - learned_array(self, 0, raw.shape[1] if self.how == "shift" else 1)
        return raw.with_(X=np.maximum(X, 0.0))  # new rows may lie below the minimum learned

    def _split(self, raw: Raw) -> Raw:
        cols = np.array([f"{name} {sign}" for sign in "+−" for name in raw.cols], dtype=np.str_)
        above, below = _part(raw.X, 1.0), _part(raw.X, -1.0)
        if raw.sparse:
            import scipy.sparse as sp

            X: Any = sp.csr_array(sp.hstack([above, below], format="csr"))
        else:
            X = np.hstack([above, below])
        return raw.with_(X=X, cols=cols, cell_shape=None)

    def lost(self, before: Raw, after: Raw) -> str:
        values = before.X.data if before.sparse else before.X
        below = values[values < 0]
        if not below.size:
            return "Nothing is lost: there are no negative values."
        if self.how == "clip":
            top = float(np.nanmax(np.abs(values)))
            share = float((-below / top).sum() / np.nansum(np.abs(values) / top))
            cells = "1 negative cell becomes" if below.size == 1 else f"{below.size:,} negative cells become"
            return f"{cells} 0: {100 * share:.3g} % of the sum of absolute values."
        if self.how == "absolute":
            return f"The sign of {below.size:,} cells is lost."
        if self.how == "split":
            return "Nothing is lost, but there are twice as many columns."
        return "Nothing is lost, but 0 no longer means none: parts can hold the shift itself."

    def code(self, sparse: bool = False) -> str:
        names = "cols = np.array([f'{name} {sign}' for sign in '+−' for name in cols])"
        if sparse:
            return {
                "clip": "X = X.maximum(0)",
                "absolute": "X = abs(X)",
                "split": f"X = sp.csr_array(sp.hstack([X.maximum(0), (-X).maximum(0)]))\n{names}",
            }.get(self.how, "")
        return {
            "clip": "X = np.maximum(X, 0.0)",
            "absolute": "X = np.abs(X)",
            "shift": "X = X - np.minimum(np.nanmin(X, axis=0), 0.0).astype(float)",
            "shift_all": "X = X - np.minimum(np.nanmin(X), 0.0).astype(float)",
            "split": f"X = np.hstack([np.maximum(X, 0.0), np.maximum(-X, 0.0)])\n{names}",
        }[self.how]


def _part(X: Any, sign: float) -> Any:
    if hasattr(X, "indptr"):
        part = X.copy()
        part.data = np.maximum(sign * part.data, 0.0)
        part.eliminate_zeros()
        return part
    return np.maximum(sign * X, 0.0)
