"""AnnData (.h5ad): cells × genes with names and labels, through h5py where it is installed."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from nmf_core.ingest.arrays import from_array
from nmf_core.ingest.heaps import check_heaps
from nmf_core.ingest.limits import size
from nmf_core.ingest.names import tidy_names
from nmf_core.ingest.raw import Raw
from nmf_core.ingest.reading import Option, Refused
from nmf_core.ingest.sample import sparse_stride, stride
from nmf_core.ingest.sparse import from_sparse
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
    body = bytes(data)
    check_heaps(body)
    try:
        with h5py.File(io.BytesIO(body), "r") as file:
            return _read(file, talk)
    except Refused:
        raise
    except Exception as error:  # OSError, KeyError, ValueError, RuntimeError of HDF5
        raise Refused(
            "damaged", "The HDF5 file is damaged or holds no AnnData", hint="Save it again with adata.write_h5ad"
        ) from error


def _read(file: Any, talk: Talk) -> Raw:
    import h5py

    matrix = file.get("matrix")
    if isinstance(matrix, h5py.Dataset) and "row_attrs" in file and "col_attrs" in file:
        return _loom(file, talk)
    if isinstance(matrix, h5py.Group) and {"barcodes", "data", "indices", "indptr", "shape"} <= set(matrix):
        return _cell_ranger(matrix, talk)
    choices: dict[str, Any] = {"X": file["X"]} if "X" in file else {}
    for name, layer in file.get("layers", {}).items():
        choices[f"layers/{name}"] = layer
    if choices and "X" in file.get("raw", {}):
        choices["raw/X"] = file["raw/X"]
    plain = {}
    if not choices:
        file.visititems(
            lambda name, node: (
                plain.update({name: node})
                if isinstance(node, h5py.Dataset) and node.ndim in (2, 3) and node.dtype.kind in "biuf"
                else None
            )
        )
        choices = dict(sorted(plain.items(), key=lambda item: -item[1].size))
    if not choices:
        raise Refused(
            "no-matrix",
            "The HDF5 file holds no matrix X and no array of two or three dimensions",
            hint="Save the matrix as .npz or .mtx",
        )
    name = _chosen(choices, talk)
    raw, step = _matrix(choices[name], talk)
    if plain:
        return raw
    return _named(
        raw,
        _index(file, "obs")[::step],
        _index(file, "raw/var" if name == "raw/X" else "var"),
        _thinned(_labels(file.get("obs")), step, raw.shape[0]),
        talk,
    )


def _chosen(choices: dict[str, Any], talk: Talk) -> str:
    """Return the name of the wanted matrix: the first one, unless another is chosen."""
    default = next(iter(choices))
    if len(choices) == 1:
        return default
    options = [Option(name, f"{name}: {_shape(node)}") for name, node in choices.items()]
    return talk.ask("layer", "Which matrix of the file is wanted?", options, default)


def _matrix(node: Any, talk: Talk, *, turned: bool = False) -> tuple[Raw, int]:
    """Return the matrix, and k where it holds only every k-th row: every k-th column of the file when it is `turned`."""
    import h5py
    import scipy.sparse as sp

    if isinstance(node, h5py.Dataset):
        if node.ndim != 2:
            if node.size > 4 * talk.limits.cells:
                raise Refused(
                    "too-large",
                    f"The array {_shape(node)} needs {size(8 * node.size)}; the limit is {size(32 * talk.limits.cells)}",
                    hint="Save fewer rows",
                )
            return from_array(np.asarray(node[()]), talk), 1
        n, m = map(int, node.shape)
        step = stride(m, n, talk) if turned else stride(n, m, talk)
        raw = from_array(_picked(node, step, 1 if turned else 0), talk)
        return raw.turned() if turned else raw, step
    kind = str(node.attrs.get("encoding-type", node.attrs.get("h5sparse_format", "csr")))
    shape = tuple(int(v) for v in node.attrs.get("shape", node.attrs.get("h5sparse_shape")))
    if "csc" not in kind:
        return _compressed(node, shape, talk)
    step = sparse_stride(shape[0], shape[1], int(node["data"].shape[0]), talk)
    X = sp.csc_array((node["data"][()], node["indices"][()], node["indptr"][()]), shape=shape)
    X.check_format(full_check=True)
    X = sp.csr_array(X)
    return from_sparse(X if step == 1 else X[::step], talk), step


def _picked(node: Any, step: int, axis: int) -> Any:
    """Read every `step`-th row (axis 0) or column, a block of rows at a time."""
    if step == 1:
        return np.asarray(node[()])
    n, m = node.shape
    block = max(1, (1 << 22) // max(1, m))
    pieces = []
    for start in range(0, n, block):
        rows = node[start : start + block]
        pieces.append(rows[:, ::step] if axis else rows[(-start) % step :: step])
    return np.concatenate(pieces)


def _compressed(group: Any, shape: tuple[int, ...], talk: Talk) -> tuple[Raw, int]:
    """Read the rows of data, indices and indptr, a block at a time where only every k-th is wanted."""
    import scipy.sparse as sp

    n, m = shape
    step = sparse_stride(n, m, int(group["data"].shape[0]), talk)
    ends = group["indptr"][()]
    block = n if step == 1 else 4096
    pieces = []
    for start in range(0, n, block):
        rows = ends[start : start + block + 1].astype(np.int64)
        here = slice(int(rows[0]), int(rows[-1]))
        X = sp.csr_array((group["data"][here], group["indices"][here], rows - rows[0]), shape=(len(rows) - 1, m))
        X.check_format(full_check=True)
        pieces.append(X if step == 1 else X[(-start) % step :: step])
        talk.progress("read", min(1.0, (start + block) / n))
    return from_sparse(pieces[0] if len(pieces) == 1 else sp.csr_array(sp.vstack(pieces)), talk), step


def _loom(file: Any, talk: Talk) -> Raw:
    """Read a Loom file: genes × cells, turned so that the rows are cells."""
    choices: dict[str, Any] = {"matrix": file["matrix"]}
    for name, layer in file.get("layers", {}).items():
        choices[f"layers/{name}"] = layer
    genes, cells = file["row_attrs"], file["col_attrs"]
    raw, step = _matrix(choices[_chosen(choices, talk)], talk, turned=True)
    _note_turned(raw, talk)
    return _named(
        raw,
        _first(cells, ("CellID", "obs_names", "cell_names"))[::step],
        _first(genes, ("Gene", "var_names", "gene_names", "Accession")),
        _thinned(_classes(cells), step, raw.shape[0]),
        talk,
    )


def _cell_ranger(group: Any, talk: Talk) -> Raw:
    """Read the matrix of Cell Ranger (10x Genomics): features × barcodes in CSC, which is barcodes × features in CSR."""
    n_features, n_cells = group["shape"][()]
    raw, step = _compressed(group, (int(n_cells), int(n_features)), talk)
    _note_turned(raw, talk)
    features = group.get("features", group)
    return _named(
        raw, _texts(group["barcodes"])[::step], _first(features, ("name", "gene_names", "id", "genes")), {}, talk
    )


def _note_turned(raw: Raw, talk: Talk) -> None:
    n, m = raw.shape
    talk.note("turned", f"Genes × cells in the file became rows of {n:,} cells × {m:,} genes.")


def _named(raw: Raw, rows: list[str], cols: list[str], labels: dict[str, Any], talk: Talk) -> Raw:
    """Return cells × genes with their names, where there are as many as cells and genes."""
    n, m = raw.shape
    if labels:
        talk.note("labels", f"Set aside as labels: {', '.join(list(labels)[:5])}.")
    return raw.with_(
        rows=np.array(tidy_names(rows, talk, "row", "cell ")) if len(rows) == n else raw.rows,
        cols=np.array(tidy_names(cols, talk, "column", "gene ")) if len(cols) == m else raw.cols,
        labels=labels,
        kind="expression",
    )


def _thinned(labels: dict[str, Any], step: int, n: int) -> dict[str, Any]:
    """Return the labels of the rows that were read; what does not have one for each is left out."""
    return {key: values[::step] for key, values in labels.items() if len(values[::step]) == n}


def _classes(cells: Any) -> dict[str, Any]:
    """Return the first text attributes of cells that name a few classes."""
    nodes = {key: node for key, node in cells.items() if getattr(node, "ndim", 0) == 1 and node.dtype.kind in "OSU"}
    found = {}
    for key, node in list(nodes.items())[:20]:
        values = _texts(node)
        if 2 <= len(set(values)) <= max(2, len(values) // 2):
            found[str(key)[:60]] = np.array([value[:100] for value in values], dtype=np.str_)
    return found


def _first(group: Any, names: tuple[str, ...]) -> list[str]:
    return next((_texts(group[name]) for name in names if name in group), [])


def _texts(node: Any) -> list[str]:
    return [_text(value) for value in node[()]]


def _index(file: Any, group: str) -> list[str]:
    node = file.get(group)
    if node is not None and getattr(node, "dtype", None) is not None and node.dtype.names:  # as early versions wrote
        fields = [name for name in ("index", "_index") if name in node.dtype.names] or [node.dtype.names[0]]
        return [_text(value) for value in node[fields[0]]]
    if node is None or not hasattr(node, "keys"):
        return []
    key = node.attrs.get("_index", "_index")
    values = node.get(key.decode() if isinstance(key, bytes) else key)
    return [] if values is None else _texts(values)


def _labels(obs: Any) -> dict[str, Any]:
    labels: dict[str, Any] = {}
    if obs is None or not hasattr(obs, "items"):
        return labels
    for name, node in obs.items():
        if len(labels) >= 20:
            break
        if hasattr(node, "keys") and {"codes", "categories"} <= set(node.keys()):
            categories = [text[:100] for text in _texts(node["categories"])]
            codes = np.asarray(node["codes"][()])
            labels[name] = np.array([categories[c] if 0 <= c < len(categories) else "" for c in codes])
    index = obs.attrs.get("_index", "_index")
    texts = _classes({name: node for name, node in obs.items() if name != index and not name.startswith("__")})
    return {**labels, **texts}


def _shape(node: Any) -> str:
    shape = getattr(node, "shape", None) or tuple(node.attrs.get("shape", ()))
    return " × ".join(f"{int(s):,}" for s in shape)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
