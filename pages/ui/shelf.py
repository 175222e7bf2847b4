"""Uploaded and prepared data sets, kept for the server's life so that a reload or a link finds them again.

A plain module singleton, never a Streamlit cache: any visitor can clear those. The key is a digest of the content, so a
link shows the data only to those who were given it.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from nmf_core.types import Dataset, is_sparse

LIMIT_BYTES = 1_000_000_000

_lock = Lock()
_kept: OrderedDict[str, Dataset] = OrderedDict()


def size(dataset: Dataset) -> int:
    """Return the bytes a data set holds, about."""
    X = dataset.X
    parts = [X.data, X.indices, X.indptr] if is_sparse(X) else [X]
    parts += [dataset.rows, dataset.cols, *dataset.labels.values()]
    parts += [value for value in dataset.extra.values() if hasattr(value, "nbytes")]
    return sum(int(part.nbytes) for part in parts)


def put(dataset: Dataset) -> str:
    """Keep a data set and return its id; the ones unused for longest give way."""
    with _lock:
        _kept[dataset.id] = dataset
        _kept.move_to_end(dataset.id)
        while len(_kept) > 1 and sum(map(size, _kept.values())) > LIMIT_BYTES:
            _kept.popitem(last=False)
    return dataset.id


def get(dataset_id: str) -> Dataset | None:
    """Return a kept data set, or None when it has given way."""
    with _lock:
        if dataset_id in _kept:
            _kept.move_to_end(dataset_id)
        return _kept.get(dataset_id)
