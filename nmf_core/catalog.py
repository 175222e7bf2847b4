"""The built-in data sets: one file each in the folder `datasets`, found by looking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from nmf_core.types import Dataset, Kind

PACKAGE = "datasets"  # a plug-in folder: nmf_core finds it by name and imports nothing of it at import time


@dataclass(frozen=True, slots=True)
class DatasetOption:
    """A setting of a generated data set, shown as a slider.

    Attributes
    ----------
    label, help : str
    low, high, default, step : int or float
        All whole numbers or all real numbers.
    """

    label: str
    low: float
    high: float
    default: float
    step: float
    help: str = ""


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """What the picker shows about a data set before it is loaded.

    Attributes
    ----------
    title : str
    kind : str
        See :class:`nmf_core.types.Dataset`.
    shape : tuple of int
        (n_samples, n_features); with the default options for generated data.
    story : str
        One line: what the rows are and what parts to expect.
    rows_are, cols_are : str
        Plural nouns for one row and one column ("flowers", "measurements").
    source, licence, citation : str
    rank : int
        A rank that shows something true.
    options : mapping of str to DatasetOption
        Keyword arguments of ``load``.
    order : int
        Place in the picker.
    """

    title: str
    kind: Kind
    shape: tuple[int, int]
    story: str
    rows_are: str
    cols_are: str
    source: str
    licence: str
    citation: str
    rank: int = 3
    options: Mapping[str, DatasetOption] = field(default_factory=dict)
    order: int = 100


@cache
def list_datasets() -> dict[str, DatasetInfo]:
    """Return the built-in data sets by name, in the picker's order."""
    package = import_module(PACKAGE)
    names = [m.name for m in iter_modules(package.__path__) if not m.name.startswith("_") and not m.ispkg]
    found = {name: import_module(f"{PACKAGE}.{name}").INFO for name in names}
    return dict(sorted(found.items(), key=lambda item: (item[1].order, item[0])))


def load_dataset(name: str, **options: Any) -> Dataset:
    """Load a built-in data set.

    Parameters
    ----------
    name : str
        One of :func:`list_datasets`, for example ``"iris"``.
    **options
        Settings of generated data sets, for example ``load_dataset("synthetic", rank=4, noise=0.1)``.

    Returns
    -------
    Dataset
        Equal calls in one process return the same object.

    Raises
    ------
    ValueError
        For an unknown name or option, or an option outside its limits.
    """
    known = list_datasets()
    if name not in known:
        raise ValueError(f"load_dataset: no data set named {name!r}; known are {', '.join(known)}")
    allowed = known[name].options
    for key, value in options.items():
        if key not in allowed:
            raise ValueError(f"load_dataset: {name!r} has no option {key!r}; it has {', '.join(allowed) or 'none'}")
        option = allowed[key]
        if not option.low <= value <= option.high:
            raise ValueError(f"load_dataset: {key} must be from {option.low:g} to {option.high:g}, not {value!r}")
    return _load(name, tuple(sorted(options.items())))


@lru_cache(maxsize=32)  # generated data sets have many settings: keep the latest
def _load(name: str, options: tuple[tuple[str, Any], ...]) -> Dataset:
    dataset: Dataset = import_module(f"{PACKAGE}.{name}").load(**dict(options))
    return dataset
