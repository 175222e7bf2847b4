"""AnnData (.h5ad): cells × genes with names and labels, through h5py where it is installed."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from nmf_core.ingest.arrays import from_array, from_sparse
from nmf_core.ingest.limits import size
from nmf_core.ingest.names import tidy_names
from nmf_core.ingest.raw import Raw
from nmf_core.ingest.reading import Option, Refused
from nmf_core.ingest.talk import Talk


def read_h5ad(data: bytes | memoryview, talk: Talk) -> Raw:
    """Read X or a layer, the names from obs and var, and the categories of obs as labels."""
    try:
        import h5py
    except ImportError:
        raise Refused(
            "needs-package",
            "HDF5 and .h5ad files need the package h5py, which is not installed here",
            hint="pip install h5py; or save the matrix as .npz or .mtx",
        ) from None
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            return _read(file, talk)
    except Refused:
        raise
    except Exception as error:  # OSError, KeyError, ValueError, RuntimeError of HDF5
        raise Refused(
            "damaged", "The HDF5 file is damaged or holds no AnnData", hint="Save it again with adata.write_h5ad"
        ) from error


def _read(file: Any, talk: Talk) -> Raw:
    import h5py

    choices: dict[str, Any] = {"X": file["X"]} if "X" in file else {}
    for name, layer in file.get("layers", {}).items():
        choices[f"layers/{name}"] = layer
    plain = {}
    if not choices:
        file.visititems(
            lambda name, node: (
                plain.update({name: node})
                if isinstance(node, h5py.Dataset) and node.ndim == 2 and node.dtype.kind in "biuf"
                else None
            )
        )
        choices = plain
    if not choices:
        raise Refused(
            "no-matrix",
            "The HDF5 file holds no matrix X and no two-dimensional array",
            hint="Save the matrix as .npz or .mtx",
        )
    options = [Option(name, f"{name}: {_shape(node)}") for name, node in choices.items()]
    default = next(iter(choices))
    name = talk.ask("layer", "Which matrix of the file is wanted?", options, default) if len(choices) > 1 else default
    raw = _matrix(choices[name], talk)
    if plain:
        return raw
    rows, cols = _index(file, "obs"), _index(file, "var")
    n, m = raw.shape
    labels = _labels(file.get("obs"), n)
    if labels:
        talk.note("labels", f"Set aside as labels: {', '.join(list(labels)[:5])}.")
    return raw.with_(
        rows=np.array(tidy_names(rows, talk, "row", "cell ")) if len(rows) == n else raw.rows,
        cols=np.array(tidy_names(cols, talk, "column", "gene ")) if len(cols) == m else raw.cols,
        labels=labels,
        kind="expression",
    )


def _matrix(node: Any, talk: Talk) -> Raw:
    import h5py
    import scipy.sparse as sp

    if isinstance(node, h5py.Dataset):
        if node.size * 8 > max(talk.limits.unpacked, 8 * talk.limits.cells):
            raise Refused(
                "too-large",
                f"The matrix {_shape(node)} needs {size(8 * node.size)}; the limit is {size(8 * talk.limits.cells)}",
                hint="Save fewer rows",
            )
        return from_array(np.asarray(node[()]), talk)
    stored = int(node["data"].shape[0])
    if stored > talk.limits.stored:
        raise Refused(
            "too-large",
            f"The matrix holds {stored:,} entries; the limit is {talk.limits.stored:,}",
            hint="Save fewer cells",
        )
    kind = str(node.attrs.get("encoding-type", node.attrs.get("h5sparse_format", "csr")))
    shape = tuple(int(v) for v in node.attrs.get("shape", node.attrs.get("h5sparse_shape")))
    make = sp.csc_array if "csc" in kind else sp.csr_array
    X = make((node["data"][()], node["indices"][()], node["indptr"][()]), shape=shape)
    X.check_format(full_check=True)
    return from_sparse(sp.csr_array(X), talk)


def _index(file: Any, group: str) -> list[str]:
    node = file.get(group)
    if node is None or not hasattr(node, "keys"):
        return []
    key = node.attrs.get("_index", "_index")
    values = node.get(key.decode() if isinstance(key, bytes) else key)
    return [] if values is None else [_text(v) for v in values[()]]


def _labels(obs: Any, n: int) -> dict[str, Any]:
    labels: dict[str, Any] = {}
    if obs is None or not hasattr(obs, "items"):
        return labels
    for name, node in obs.items():
        if len(labels) >= 20:
            break
        if hasattr(node, "keys") and {"codes", "categories"} <= set(node.keys()):
            categories = [_text(v)[:100] for v in node["categories"][()]]
            codes = np.asarray(node["codes"][()])
            if len(codes) == n:
                labels[name] = np.array([categories[c] if 0 <= c < len(categories) else "" for c in codes])
    return labels


def _shape(node: Any) -> str:
    shape = getattr(node, "shape", None) or tuple(node.attrs.get("shape", ()))
    return " × ".join(f"{int(s):,}" for s in shape)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
