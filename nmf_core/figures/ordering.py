"""The order of rows and columns in a picture: as in the file, by label, by dominant component, by similarity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from nmf_core.components import Parts, dominant, dominant_feature
from nmf_core.types import Array, Dataset

SAMPLE_ORDERS = ("file", "label", "dominant", "cluster")
FEATURE_ORDERS = ("file", "name", "dominant", "cluster")
#: Hierarchical clustering compares all pairs: beyond this many rows it is no longer a matter of milliseconds.
CLUSTER_LIMIT = 2000
_OPTIMAL_LIMIT = 200


@dataclass(frozen=True, slots=True, eq=False)
class Ordering:
    """An order, and what to say about it.

    Attributes
    ----------
    order : ndarray of int or None
        Positions in the file, top to bottom; None is file order.
    words : str
        Ends the sentence "Samples are …".
    """

    order: Array | None
    words: str


def order_samples(dataset: Dataset, parts: Parts, by: str = "file", label: str | None = None) -> Ordering:
    """Order samples.

    Parameters
    ----------
    by : one of `SAMPLE_ORDERS`
        ``"label"`` needs `label`, a key of ``dataset.labels`` (the first one if None); inside a label by dominant
        component. ``"cluster"``: average-linkage tree of the shares of components in each sample.
    """
    if by not in SAMPLE_ORDERS:
        raise ValueError(f"order: unknown {by!r}; use one of {', '.join(SAMPLE_ORDERS)}")
    if by == "label":  # labels may change under the same fingerprint; and they are quick
        return _samples(dataset, parts, by, label)
    return _once(parts, (dataset.id, "samples", by), lambda: _samples(dataset, parts, by, label))


def _once(parts: Parts, key: tuple[Any, ...], compute: Callable[[], Ordering]) -> Ordering:
    """Return an order computed once for the same Parts: a picture, its alt text and its table all ask for it."""
    known = _known.setdefault(parts, {})
    if key not in known:
        known[key] = compute()
    return known[key]


_known: WeakKeyDictionary[Parts, dict[tuple[Any, ...], Ordering]] = WeakKeyDictionary()


def _samples(dataset: Dataset, parts: Parts, by: str, label: str | None) -> Ordering:
    if by == "file" or (by == "label" and not dataset.labels):
        return Ordering(None, "in file order")
    top, size = dominant(parts), parts.amounts
    if by == "label":
        name = label if label is not None and label in dataset.labels else next(iter(dataset.labels))
        codes, _ = label_codes(dataset.labels[name])
        return Ordering(np.lexsort((-size.max(axis=1), top, codes)), f"grouped by {name}")
    profile = size / np.maximum(size.sum(axis=1, keepdims=True), np.finfo(size.dtype).tiny)
    if by == "cluster" and len(profile) <= CLUSTER_LIMIT:
        return Ordering(_tree_order(profile), "in the order of a similarity tree")
    order = np.lexsort((-profile.max(axis=1), np.where(top < 0, parts.rank, top)))
    words = "grouped by dominant component, purest first"
    if by == "cluster":
        words += f" (a similarity tree is drawn for up to {CLUSTER_LIMIT:,} only)"
    return Ordering(order, words)


def order_features(dataset: Dataset, parts: Parts, by: str = "file") -> Ordering:
    """Order features: as in the file, by name, by the component that uses them most, or by a similarity tree."""
    if by not in FEATURE_ORDERS:
        raise ValueError(f"order: unknown {by!r}; use one of {', '.join(FEATURE_ORDERS)}")
    return _once(parts, (dataset.id, "features", by), lambda: _features(dataset, parts, by))


def _features(dataset: Dataset, parts: Parts, by: str) -> Ordering:
    if by == "file":
        return Ordering(None, "in file order")
    if by == "name":
        return Ordering(np.argsort(np.char.lower(dataset.cols), kind="stable"), "sorted by name")
    size = (parts.recipe.sum(axis=0)[:, None] * parts.H).T
    profile = size / np.maximum(size.sum(axis=1, keepdims=True), np.finfo(size.dtype).tiny)
    if by == "cluster" and len(profile) <= CLUSTER_LIMIT:
        return Ordering(_tree_order(profile), "in the order of a similarity tree")
    top = dominant_feature(parts)
    order = np.lexsort((-size.max(axis=1), np.where(top < 0, parts.rank, top)))
    words = "grouped by the component that uses them most, strongest first"
    if by == "cluster":
        words += f" (a similarity tree is drawn for up to {CLUSTER_LIMIT:,} only)"
    return Ordering(order, words)


def _tree_order(profile: Array) -> Array:
    if len(profile) < 3:
        return np.arange(len(profile))
    from scipy.cluster.hierarchy import leaves_list, linkage

    tree = linkage(np.asarray(profile, dtype=np.float64), "average", optimal_ordering=len(profile) <= _OPTIMAL_LIMIT)
    return leaves_list(tree)


def label_codes(values: Array, limit: int | None = None) -> tuple[Array, list[str]]:
    """Turn a column of labels into codes and names, numbers in their own order and text alphabetically.

    Parameters
    ----------
    values : ndarray of length n
        Empty text, None and NaN become the group "(none)", last.
    limit : int, optional
        Most groups; the smallest ones are joined as "other (k groups)".

    Returns
    -------
    codes : ndarray of int of length n
    names : list of str
        Unescaped.
    """
    values = np.asarray(values)
    if values.dtype.kind in "iufb":
        missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), dtype=bool)
        kept, codes = np.unique(values[~missing], return_inverse=True)
        names = [f"{v:g}" if values.dtype.kind == "f" else str(v) for v in kept]
    else:
        text = np.array(["" if v is None or v != v else str(v) for v in values.tolist()], dtype=np.str_)
        missing = text == ""
        kept, codes = np.unique(text[~missing], return_inverse=True)
        names = [str(v) for v in kept]
    out = np.full(len(values), len(names), dtype=np.intp)
    out[~missing] = codes
    if missing.any():
        names.append("(none)")
    if limit is not None and len(names) > limit:
        sizes = np.bincount(out, minlength=len(names))
        kept_codes = np.sort(np.argsort(-sizes, kind="stable")[: limit - 1])
        new = np.full(len(names), limit - 1, dtype=np.intp)
        new[kept_codes] = np.arange(limit - 1)
        out = new[out]
        names = [names[c] for c in kept_codes] + [f"other ({len(names) - limit + 1} groups)"]
    return out, names
