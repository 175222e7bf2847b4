"""What a preparation step is: options as fields, learned numbers as fields, one pure function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import numpy as np

from nmf_core.ingest.raw import Raw
from nmf_core.types import Array


@dataclass(frozen=True, slots=True)
class Step:
    """One preparation step.

    A step is a value: its fields are its options, and ``learned`` the numbers it took from the data it was first
    applied to (means, maxima, chosen columns), so that new rows are treated in the very same way.

    Attributes
    ----------
    learned : tuple or None
        Plain numbers, or texts; None until `learn` was called.
    """

    NAME: ClassVar[str] = ""
    LABEL: ClassVar[str] = ""
    HELP: ClassVar[str] = ""
    PER_ROW: ClassVar[bool] = False  # True: rows of new data may be left out as well

    learned: tuple[Any, ...] | None = None

    def learn(self, raw: Raw) -> Self:
        """Return the step with the numbers that it takes from the data."""
        return self

    def apply(self, raw: Raw) -> Raw:
        """Return the prepared data; the first time on the data learned from, later on new rows."""
        raise NotImplementedError

    def applies(self, raw: Raw) -> str:
        """Return why the step cannot be used on these data, or an empty string."""
        return ""

    def lost(self, before: Raw, after: Raw) -> str:
        """Return what cannot be undone, in a sentence."""
        return "Nothing is lost: the step can be undone."

    def code(self, sparse: bool = False) -> str:
        """Return NumPy statements that do the same to an array ``X`` (or CSR), with ``np`` and ``sp`` imported."""
        raise NotImplementedError

    @property
    def chooses_rows(self) -> bool:
        """Whether `code` leaves rows out, those where ``keep`` says so; labels go with them."""
        return False

    def options(self) -> dict[str, Any]:
        """Return the fields without what was learned."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "learned"}

    def to_json(self, *, with_learned: bool = True) -> dict[str, Any]:
        """Return plain values that `step_from_json` reads back."""
        values: dict[str, Any] = {"step": self.NAME}
        for key, value in self.options().items():
            values[key] = list(value) if isinstance(value, tuple) else value
        if with_learned and self.learned is not None:
            values["learned"] = _plain(self.learned)
        return values

    def remember(self, *values: Any) -> Self:
        """Return the step with `values` learned."""
        return replace(self, learned=tuple(_frozen(value) for value in values))


REGISTRY: dict[str, type[Step]] = {}


def register(cls: type[Step]) -> type[Step]:
    """Make a step known by its name."""
    REGISTRY[cls.NAME] = cls
    return cls


def step_from_json(values: Mapping[str, Any]) -> Step:
    """Rebuild a step; the values may come from a URL or a bundle, so all of them are checked.

    Raises
    ------
    ValueError
        For an unknown step or field; the sentence names it.
    """
    if not isinstance(values, Mapping):
        raise ValueError(f"step: expected a mapping, not {type(values).__name__}")
    name = values.get("step")
    if not isinstance(name, str) or name not in REGISTRY:
        raise ValueError(f"step: unknown {name!r}; known are {', '.join(sorted(REGISTRY))}")
    cls = REGISTRY[name]
    known = {f.name for f in fields(cls)}
    unknown = sorted(set(values) - known - {"step"})
    if unknown:
        raise ValueError(f"{name}: unknown field(s) {', '.join(map(str, unknown))}")
    return cls(**{key: _frozen(value) for key, value in values.items() if key != "step"})


def check_choice(step: Step, field: str, allowed: tuple[str, ...]) -> None:
    """Raise ValueError unless the field holds one of the allowed words."""
    value = getattr(step, field)
    if value not in allowed:
        raise ValueError(f"{step.NAME}: {field} must be one of {', '.join(allowed)}, not {value!r}")


def check_number(step: Step, field: str, low: float, high: float, *, whole: bool = False) -> None:
    """Raise ValueError unless the field holds a number within bounds."""
    value = getattr(step, field)
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and low <= value <= high
    if not good or (whole and int(value) != value):
        kind = "a whole number" if whole else "a number"
        raise ValueError(f"{step.NAME}: {field} must be {kind} from {low:g} to {high:g}, not {value!r}")


def learned_array(step: Step, position: int, n: int | None = None) -> Array:
    """Return learned numbers as an array, checked against the number of columns of the data at hand.

    Raises
    ------
    ValueError
        When the step has learned nothing yet or the lengths differ.
    """
    if step.learned is None:
        raise ValueError(f"{step.NAME}: nothing learned yet; use prepare() first")
    values = np.asarray(step.learned[position], dtype=np.float64)
    if n is not None and values.size != n:
        raise ValueError(f"{step.NAME}: learned from {values.size} columns, but the new data have {n}")
    return values


def take_columns(raw: Raw, index: Array) -> Raw:
    """Return the data with some columns, in the given order."""
    whole = len(index) == raw.shape[1] and bool((np.asarray(index) == np.arange(raw.shape[1])).all())
    extra = dict(raw.extra)
    for key, value in raw.extra.items():
        if isinstance(value, np.ndarray) and value.ndim == 1 and len(value) == raw.shape[1] != raw.shape[0]:
            extra[key] = value[index]
    return raw.with_(X=raw.X[:, index], cols=raw.cols[index], cell_shape=raw.cell_shape if whole else None, extra=extra)


def take_rows(raw: Raw, index: Array) -> Raw:
    """Return the data with some rows, in the given order, labels and documents with them."""
    extra = dict(raw.extra)
    for key, value in raw.extra.items():
        if (
            isinstance(value, np.ndarray)
            and value.ndim >= 1
            and len(value) == raw.shape[0]
            and raw.shape[0] != raw.shape[1]
        ):
            extra[key] = value[index]
    if raw.kind == "cube" and len(index) != raw.shape[0]:
        extra["positions"] = np.asarray(extra.get("positions", np.arange(raw.shape[0])))[index]
    labels = {key: np.asarray(label)[index] for key, label in raw.labels.items()}
    return raw.with_(X=raw.X[index], rows=raw.rows[index], labels=labels, extra=extra)


def scale_columns(X: Any, factors: Array) -> Any:
    """Multiply columns, dense or sparse."""
    if hasattr(X, "indptr"):
        import scipy.sparse as sp

        return sp.csr_array((X.data * factors[X.indices], X.indices, X.indptr), shape=X.shape)
    return X * factors


def scale_rows(X: Any, factors: Array) -> Any:
    """Multiply rows, dense or sparse."""
    if hasattr(X, "indptr"):
        import scipy.sparse as sp

        return sp.csr_array((X.data * np.repeat(factors, np.diff(X.indptr)), X.indices, X.indptr), shape=X.shape)
    return X * np.asarray(factors)[:, None]


def on_values(X: Any, function: Callable[[Array], Array]) -> Any:
    """Apply a function with f(0) = 0 to the cells, dense or sparse."""
    if hasattr(X, "indptr"):
        import scipy.sparse as sp

        return sp.csr_array((function(X.data), X.indices, X.indptr), shape=X.shape)
    return function(X)


def _plain(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        return value.item()
    return value


def _frozen(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return tuple(_frozen(v) for v in value)
    return value.item() if isinstance(value, np.generic) else value
