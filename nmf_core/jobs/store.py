"""Data sets in files, so that X never travels with a task: written once, memory-mapped by every worker.

The files are ``.npy`` and JSON, nothing that could run code when read. The folder belongs to one server process, is
locked while that process lives, and goes away with it; a folder left by a killed process is removed by the next one.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

import numpy as np

from nmf_core.jobs.plain import decode, encode
from nmf_core.types import Array, Dataset, is_sparse

PREFIX = "nmf-explorer-"
OPEN_IN_WORKER = 8


@dataclass(frozen=True, slots=True)
class DatasetRef:
    """Where a data set lies: `folder` holds the matrix and the names, `more` (below it) labels, notes and extras."""

    folder: str
    more: str


class Spool:
    """The folder of one server process.

    Parameters
    ----------
    parent : str, optional
        Where to make it: ``NMF_SPOOL``, else the folder for temporary files. Workers on other machines need it shared.
    max_bytes : int
        Data sets that no job needs are dropped, longest unused first, until the rest fits.
    """

    def __init__(self, parent: str | None = None, max_bytes: int = 4_000_000_000) -> None:
        base = parent or os.environ.get("NMF_SPOOL") or tempfile.gettempdir()
        remove_stale(base)
        self.root = tempfile.mkdtemp(prefix=PREFIX, dir=base)
        self._lock_file: IO[bytes] | None = _hold(Path(self.root) / "alive")
        self.max_bytes = max_bytes
        self._lock = threading.Lock()
        self._sizes: OrderedDict[str, int] = OrderedDict()  # folder -> bytes, least recently used first
        self._users: dict[str, int] = {}

    def put(self, dataset: Dataset) -> DatasetRef:
        """Write the data set unless it is there already, and count one more user of it.

        Raises
        ------
        OSError
            If the disk is full.
        TypeError
            If an extra is neither plain nor an array.
        """
        with self._lock:
            folder = os.path.join(self.root, "data", _safe(dataset.id))
            if folder not in self._sizes:
                _write(folder, *_matrix(dataset))
            ref = DatasetRef(folder, os.path.join(folder, "more-" + _write_more(folder, dataset)))
            self._sizes[folder] = folder_bytes(folder)
            self._sizes.move_to_end(folder)
            self._users[folder] = self._users.get(folder, 0) + 1
            self._evict()
            return ref

    def release(self, ref: DatasetRef) -> None:
        """Count one user less."""
        with self._lock:
            self._users[ref.folder] = max(0, self._users.get(ref.folder, 0) - 1)
            self._evict()

    def bytes(self) -> int:
        """Bytes of all data sets kept."""
        with self._lock:
            return sum(self._sizes.values())

    def folder(self, name: str) -> str:
        """Path for the parked arrays of a task; made by whoever writes first."""
        return os.path.join(self.root, "states", name)

    def close(self) -> None:
        """Remove everything."""
        with self._lock:
            if self._lock_file is not None:
                self._lock_file.close()
                self._lock_file = None
            self._sizes.clear()
            shutil.rmtree(self.root, ignore_errors=True)

    def _evict(self) -> None:
        for folder in list(self._sizes):
            if sum(self._sizes.values()) <= self.max_bytes:
                return
            if not self._users.get(folder):
                shutil.rmtree(folder, ignore_errors=True)  # whoever has it mapped keeps it
                del self._sizes[folder]


_opened: OrderedDict[DatasetRef, Dataset] = OrderedDict()
_opened_lock = threading.Lock()


def open_dataset(ref: DatasetRef) -> Dataset:
    """Return the data set at `ref`, its matrix memory-mapped; the last few stay open in this process."""
    with _opened_lock:
        if ref in _opened:
            _opened.move_to_end(ref)
            return _opened[ref]
        dataset = _open(ref)
        _opened[ref] = dataset
        while len(_opened) > OPEN_IN_WORKER:
            _opened.popitem(last=False)
        return dataset


def remove_stale(base: str) -> None:
    """Remove folders of server processes that are gone."""
    for lock in Path(base).glob(f"{PREFIX}*/alive"):
        try:
            held = _hold(lock)
        except OSError:
            continue  # its owner lives, or it belongs to somebody else
        if held is not None:
            held.close()
            shutil.rmtree(lock.parent, ignore_errors=True)
    for folder in Path(base).glob(f"{PREFIX}*"):
        try:
            if not (folder / "alive").exists() and time.time() - folder.stat().st_mtime > 60:
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue


def _hold(path: Path) -> IO[bytes]:
    """Open and lock a file; the system lets go of the lock when the process ends, however it ends."""
    file = open(path, "ab")  # noqa: SIM115  (kept open on purpose)
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise
    return file


def _safe(name: str) -> str:
    return name if name.isalnum() and len(name) <= 64 else hashlib.blake2b(name.encode(), digest_size=12).hexdigest()


def _matrix(dataset: Dataset) -> tuple[dict[str, Array], dict[str, Any]]:
    X = dataset.X
    arrays: dict[str, Array] = {"rows": dataset.rows, "cols": dataset.cols}
    if is_sparse(X):
        arrays |= {"data": X.data, "indices": X.indices, "indptr": X.indptr}
    else:
        arrays["X"] = X
    mask: Any = dataset.mask
    if isinstance(mask, np.ndarray):
        arrays["mask"] = mask
        mask = True
    return arrays, {"id": dataset.id, "shape": list(dataset.shape), "mask": mask, "arrays": sorted(arrays)}


def _write_more(folder: str, dataset: Dataset) -> str:
    arrays: list[Array] = []
    form = {
        "name": dataset.name,
        "kind": dataset.kind,
        "labels": encode(dataset.labels, arrays, "labels"),
        "cell_shape": None if dataset.cell_shape is None else [int(n) for n in dataset.cell_shape],
        "notes": list(dataset.notes),
        "steps": encode(dataset.steps, arrays, "steps"),
        "extra": encode(dataset.extra, arrays, "extra"),
        "arrays": len(arrays),
    }
    h = hashlib.blake2b(json.dumps(form).encode(), digest_size=8)
    for array in arrays:
        h.update(f"{array.dtype.str}{array.shape}".encode())
        h.update(np.ascontiguousarray(array).view(np.uint8).data if array.nbytes else b"")
    name = h.hexdigest()
    if not os.path.isdir(os.path.join(folder, "more-" + name)):
        _write(os.path.join(folder, "more-" + name), {str(i): a for i, a in enumerate(arrays)}, form)
    return name


def _write(folder: str, arrays: dict[str, Array], form: dict[str, Any]) -> None:
    """Write arrays and form to a folder that appears whole or not at all."""
    draft = f"{folder}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    os.makedirs(draft)
    for name, array in arrays.items():
        np.save(os.path.join(draft, f"{name}.npy"), array, allow_pickle=False)
    Path(draft, "form.json").write_text(json.dumps(form), encoding="utf-8")
    os.replace(draft, folder)


def folder_bytes(folder: str) -> int:
    """Return the bytes of all files below a folder; 0 if there is none."""
    return sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())


def _map(path: str) -> Array:
    header = np.load(path, mmap_mode="r", allow_pickle=False) if os.path.getsize(path) > 4096 else None
    if header is None:
        array = np.load(path, allow_pickle=False)
        array.flags.writeable = False
        return array
    return header.view(np.ndarray)


def _open(ref: DatasetRef) -> Dataset:
    form = json.loads(Path(ref.folder, "form.json").read_text(encoding="utf-8"))
    more = json.loads(Path(ref.more, "form.json").read_text(encoding="utf-8"))
    part = {name: _map(os.path.join(ref.folder, f"{name}.npy")) for name in form["arrays"]}
    if "X" in part:
        X: Any = part["X"]
    else:
        import scipy.sparse as sp

        # Set part by part: the constructor would look through the indices and might change their type.
        X = sp.csr_array(tuple(form["shape"]), dtype=part["data"].dtype)
        X.data, X.indices, X.indptr = part["data"], part["indices"], part["indptr"]
        X.has_sorted_indices = X.has_canonical_format = True
    arrays = [_map(os.path.join(ref.more, f"{i}.npy")) for i in range(more["arrays"])]
    return Dataset(
        form["id"],
        more["name"],
        X,
        part["rows"],
        part["cols"],
        kind=more["kind"],
        labels=MappingProxyType(decode(more["labels"], arrays)),
        cell_shape=None if more["cell_shape"] is None else tuple(more["cell_shape"]),
        mask=part["mask"] if form["mask"] is True else form["mask"],
        notes=tuple(more["notes"]),
        steps=decode(more["steps"], arrays),
        extra=decode(more["extra"], arrays),
    )
