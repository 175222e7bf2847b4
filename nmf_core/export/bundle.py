"""One file with everything: request, result, names, and on request the data. Read back without trust."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from nmf_core.components import SCALES, Identity, Parts, present
from nmf_core.export.npy import ArchiveError, array_bytes, array_from, json_bytes, json_from, pack, unpack
from nmf_core.export.npz import result_from_npz, result_npz
from nmf_core.types import Array, Dataset, FitResult, Kind, is_sparse

FORMAT = "nmf-explorer bundle"
SCHEMA = 1
_MANIFEST, _RESULT, _REQUEST, _DATA = "manifest.json", "result.npz", "request.json", "data.npz"
_MEMBERS = {_MANIFEST, _RESULT, _REQUEST, _DATA}


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """What a bundle holds.

    Attributes
    ----------
    result : FitResult
    identity : Identity
    scale : str
    dataset_id, dataset_name : str
        Fingerprint and title of the data that was factorized.
    dataset : Dataset or None
        The data, if they were put in.
    source : dict
        How the data were obtained, as given to `save_bundle`.
    """

    result: FitResult
    identity: Identity
    scale: str
    dataset_id: str
    dataset_name: str
    dataset: Dataset | None
    source: dict[str, Any]

    def parts(self, dataset: Dataset | None = None) -> Parts:
        """Return the components as they were shown when the bundle was written.

        Raises
        ------
        ValueError
            If the bundle holds no data and none, or other data, are given.
        """
        data = dataset or self.dataset
        if data is None:
            raise ValueError(f"bundle: holds no data; give the data set {self.dataset_name!r}")
        if data.id != self.dataset_id:
            raise ValueError(
                f"bundle: belongs to other data ({self.dataset_name!r}) than the ones given ({data.name!r})"
            )
        return present(data, self.result, self.scale, self.identity)


def save_bundle(
    dataset: Dataset,
    result: FitResult,
    *,
    scale: str = "as fitted",
    identity: Identity | None = None,
    include_data: bool = True,
    source: dict[str, Any] | None = None,
) -> bytes:
    """Return a bundle as the bytes of a ZIP file; equal content gives equal bytes.

    Parameters
    ----------
    dataset, result, scale, identity
        What is on the screen.
    include_data : bool
        Without the data the file is small and gives nothing away but names of rows and columns.
    source : dict, optional
        How to get the data again, plain values only, for example ``{"builtin": "iris"}``.
    """
    parts = present(dataset, result, scale, identity)
    members = {
        _RESULT: result_npz(dataset, result, parts, identity),
        _REQUEST: json_bytes(result.request.to_json()),
    }
    if include_data:
        members[_DATA] = _data_npz(dataset)
    manifest = {
        "format": FORMAT,
        "schema": SCHEMA,
        "dataset": {"id": dataset.id, "name": dataset.name, "shape": list(dataset.shape), "kind": dataset.kind},
        "scale": scale,
        "identity": (identity or Identity()).to_json(),
        "source": source or {},
        "members": {name: {"bytes": len(data), "sha256": _sha(data)} for name, data in members.items()},
    }
    return pack({_MANIFEST: json_bytes(manifest), **members})


def load_bundle(data: bytes) -> Bundle:
    """Read a bundle. Nothing in it is executed, and every part is checked.

    Raises
    ------
    ArchiveError
        A sentence, for a file that is damaged, cut off, changed, or not a bundle.
    """
    what = "bundle"
    members = unpack(data, _MEMBERS, what)
    for name in (_MANIFEST, _RESULT, _REQUEST):
        if name not in members:
            raise ArchiveError(f"{what}: {name} is missing; the file is not a bundle of NMF Explorer")
    manifest = json_from(members[_MANIFEST], f"{what}: {_MANIFEST}")
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ArchiveError(f"{what}: the file is not a bundle of NMF Explorer")
    if manifest.get("schema") != SCHEMA:
        raise ArchiveError(f"{what}: has schema {manifest.get('schema')!r}, this version reads {SCHEMA}")
    listed = manifest.get("members")
    if not isinstance(listed, dict) or set(listed) != set(members) - {_MANIFEST}:
        raise ArchiveError(f"{what}: its list of members does not agree with what it holds")
    for name, facts in listed.items():
        if not isinstance(facts, dict) or facts.get("sha256") != _sha(members[name]):
            raise ArchiveError(f"{what}: {name} is damaged or was changed (its checksum does not agree)")
    try:
        facts = manifest["dataset"]
        dataset_id, dataset_name = str(facts["id"]), str(facts["name"])
        identity = Identity.from_json(manifest["identity"])
        scale = manifest["scale"]
        source = dict(manifest.get("source") or {})
    except (KeyError, TypeError, ValueError) as error:
        raise ArchiveError(f"{what}: {_MANIFEST} is incomplete ({error})") from error
    if scale not in SCALES:
        raise ArchiveError(f"{what}: unknown scale {scale!r}")
    result, _ = result_from_npz(members[_RESULT])
    if result.request.to_json() != json_from(members[_REQUEST], f"{what}: {_REQUEST}"):
        raise ArchiveError(f"{what}: {_REQUEST} and {_RESULT} speak of different requests")
    dataset = _data_from(members[_DATA]) if _DATA in members else None
    if dataset is not None:
        if dataset.id != dataset_id:
            raise ArchiveError(f"{what}: the data in it are not those that were factorized")
        if (result.W.shape[0], result.H.shape[1]) != dataset.shape:
            raise ArchiveError(f"{what}: data of shape {dataset.shape} and the result do not belong together")
    return Bundle(result, identity, scale, dataset_id, dataset_name, dataset, source)


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _data_npz(dataset: Dataset) -> bytes:
    X = dataset.X
    arrays: dict[str, Array] = {"rows": dataset.rows, "cols": dataset.cols}
    if is_sparse(X):
        arrays |= {"values": X.data, "indices": X.indices, "indptr": X.indptr}
    else:
        arrays["X"] = X
    labels = []
    for i, (name, values) in enumerate(dataset.labels.items()):
        plain = values
        if plain.dtype.hasobject or plain.dtype.kind not in "biufU":
            plain = np.array(["" if v is None or v != v else str(v) for v in values.tolist()], dtype=np.str_)
        arrays[f"label_{i}"] = plain
        labels.append(name)
    about = {
        "name": dataset.name,
        "kind": dataset.kind,
        "shape": list(dataset.shape),
        "sparse": is_sparse(X),
        "unstored": isinstance(dataset.mask, str),
        "labels": labels,
        "cell_shape": list(dataset.cell_shape) if dataset.cell_shape else None,
        "notes": list(dataset.notes),
        "steps": [dict(step) for step in dataset.steps],
    }
    extra: dict[str, Any] = {}
    for i, (name, value) in enumerate(dataset.extra.items()):
        if isinstance(value, np.ndarray) and value.dtype.kind in "biufU":
            arrays[f"extra_{i}"] = value
            extra[name] = {"array": i}
        elif value is None or isinstance(value, bool | int | float | str):
            extra[name] = {"value": value}
    about["extra"] = extra
    arrays["about"] = np.array(json_bytes(about).decode())
    return pack({f"{name}.npy": array_bytes(array) for name, array in arrays.items()})


def _data_from(data: bytes) -> Dataset:
    what = "bundle: data"
    arrays = {
        name.removesuffix(".npy"): array_from(member, f"{what}: {name}")
        for name, member in unpack(data, None, what).items()
    }
    about = json_from(str(arrays.get("about", "")).encode(), f"{what}: about")
    try:
        X = _matrix(arrays, about)
        kind = about["kind"]
        if kind not in get_args(Kind):
            raise ValueError(f"unknown kind {kind!r}")
        cell_shape = tuple(int(side) for side in about["cell_shape"]) if about["cell_shape"] else None
        extra = {
            name: arrays[f"extra_{value['array']}"] if "array" in value else value["value"]
            for name, value in about["extra"].items()
        }
        return Dataset.of(
            X,
            str(about["name"]),
            rows=arrays["rows"].astype(np.str_),
            cols=arrays["cols"].astype(np.str_),
            mask="unstored" if about["unstored"] else None,
            kind=kind,
            labels={str(name): arrays[f"label_{i}"] for i, name in enumerate(about["labels"])},
            cell_shape=cell_shape,
            notes=tuple(str(text) for text in about["notes"]),
            steps=tuple(dict(step) for step in about["steps"]),
            extra=extra,
        )
    except ArchiveError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise ArchiveError(f"{what} cannot be rebuilt: {error}") from error


def _matrix(arrays: dict[str, Array], about: dict[str, Any]) -> Any:
    if not about["sparse"]:
        return arrays["X"]
    import scipy.sparse as sp

    n, m = (int(side) for side in about["shape"])
    values, indices, indptr = (arrays[name] for name in ("values", "indices", "indptr"))
    if indptr.shape != (n + 1,) or indices.shape != values.shape or values.ndim != 1:
        raise ValueError("its sparse matrix is inconsistent")
    if indptr[0] != 0 or indptr[-1] != len(values) or (np.diff(indptr) < 0).any():
        raise ValueError("its sparse matrix is inconsistent")
    if len(indices) and not 0 <= indices.min() <= indices.max() < m:
        raise ValueError("its sparse matrix names columns that do not exist")
    return sp.csr_array((values, indices, indptr), shape=(n, m))
