"""NumPy files: .npy and .npz, dense and scipy.sparse; sizes are checked from headers before anything is read."""

from __future__ import annotations

import io
import math
import zipfile
from typing import Any

import numpy as np

from nmf_core.ingest.columns import parse_number
from nmf_core.ingest.limits import size
from nmf_core.ingest.names import numbered, tidy_names
from nmf_core.ingest.raw import Raw
from nmf_core.ingest.reading import Option, Refused
from nmf_core.ingest.records import alike, from_columns, from_records
from nmf_core.ingest.relations import as_network
from nmf_core.ingest.sample import ordinal, stride
from nmf_core.ingest.sparse import from_parts
from nmf_core.ingest.talk import Talk
from nmf_core.types import Array

_SPARSE = {"format", "shape", "data"}


def read_npy(data: bytes | memoryview, talk: Talk) -> Raw:
    """Read one array."""
    array = _load(data, talk, "the array")
    if array.dtype.kind == "U" and array.ndim == 2 and _holds_numbers(array) and array.size <= talk.limits.cells:
        from nmf_core.ingest.grid import from_grid
        from nmf_core.ingest.table import arrange

        return arrange(from_grid(array.tolist(), talk), talk)
    return from_records(array, talk) if array.dtype.names and array.ndim == 1 else from_array(array, talk)


def _holds_numbers(array: Array) -> bool:
    """Tell whether some of the first texts are numbers."""
    return any(math.isfinite(parse_number(text)) for text in array.ravel()[:1000].tolist())


def read_npz(data: bytes | memoryview, talk: Talk) -> Raw:
    """Read an archive of arrays: a scipy.sparse matrix, the only matrix there is, or the one that is chosen."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        infos = {info.filename.removesuffix(".npy"): info for info in archive.infolist() if not info.is_dir()}
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise Refused("damaged", "This is a damaged NPZ file", hint="Save it again with numpy.savez") from error
    total = sum(info.file_size for info in infos.values())
    if len(infos) > talk.limits.members or total > talk.limits.unpacked:
        raise Refused(
            "too-large",
            f"The archive unpacks to {size(total)} in {len(infos):,} arrays; the limit is {size(talk.limits.unpacked)} in {talk.limits.members:,}",
            hint="Save fewer or smaller arrays",
        )
    if set(infos) >= _SPARSE:
        return from_parts({name: _member(archive, info, talk) for name, info in infos.items()}, talk)
    heads = {}
    for name, info in infos.items():
        try:
            with archive.open(info) as file:
                heads[name] = _header(file)
        except Refused as refused:
            if refused.message.code != "objects":
                raise
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError) as error:
            raise Refused(
                "damaged", "This is a damaged NPZ file", f"member {name[:60]}", "Save it again with numpy.savez"
            ) from error
    matrices = {name: head for name, head in heads.items() if len(head[0]) in (2, 3, 4) and head[2].kind in "biufc"}
    if not matrices:
        together = alike(heads)
        if together:
            return from_columns({name: _member(archive, infos[name], talk) for name in together}, set(heads), talk)
        if len(heads) < len(infos):
            raise _objects()
        shapes = ", ".join(f"{name[:30]} {_shape(head[0])}" for name, head in list(heads.items())[:5])
        raise Refused(
            "no-matrix", "No array in the archive has rows and columns", shapes, "Save a two-dimensional array"
        )
    largest = max(matrices, key=lambda name: math.prod(matrices[name][0]))
    named = next((name for name in ("X", "x", "data", "V", "A") if name in matrices), largest)
    options = [
        Option(name, f"{name}: {_shape(head[0])} {head[2]}", math.prod(head[0])) for name, head in matrices.items()
    ]
    name = (
        talk.ask("array", "Which array is the matrix?", options, named, required=len(matrices) > 1)
        if len(matrices) > 1
        else largest
    )
    raw = from_array(_member(archive, infos[name], talk), talk)
    return _with_companions(raw, {k: h for k, h in heads.items() if k != name}, archive, infos, talk)


def _with_companions(raw: Raw, heads: dict[str, Any], archive: Any, infos: Any, talk: Talk) -> Raw:
    """Take one-dimensional arrays of the right length along as names or labels."""
    n, m = raw.shape
    rows = cols = None
    labels = {}
    for key, (shape, _, dtype) in heads.items():
        if len(shape) != 1 or shape[0] not in (n, m) or dtype.kind not in "UbiufS":
            continue
        values = _member(archive, infos[key], talk)
        if dtype.kind == "S":
            values = np.char.decode(values, "utf-8", "replace")
        low = key.lower()
        if (
            dtype.kind in "US"
            and shape[0] == m
            and cols is None
            and low
            in (
                "cols",
                "columns",
                "features",
                "feature_names",
                "genes",
                "terms",
                "words",
                "names",
                "col_names",
                "var_names",
            )
        ):
            cols = tidy_names([str(v) for v in values], talk, "column", "c")
        elif (
            dtype.kind in "US"
            and shape[0] == n
            and rows is None
            and low in ("rows", "samples", "index", "ids", "row_names", "obs_names", "names")
        ):
            rows = tidy_names([str(v) for v in values], talk, "row", "r")
        elif shape[0] == n:
            labels[key] = np.array([str(v)[:200] for v in values], dtype=np.str_)
    used = [name for name, found in (("row names", rows), ("column names", cols)) if found] + list(labels)
    if used:
        talk.note("companions", f"Other arrays of the file were taken along: {', '.join(used)}.")
    return raw.with_(
        rows=raw.rows if rows is None else np.array(rows),
        cols=raw.cols if cols is None else np.array(cols),
        labels=labels,
    )


def from_array(array: Array, talk: Talk) -> Raw:
    """Turn any numeric array into a matrix; more than two dimensions are laid out row by row."""
    if array.dtype.names:
        raise Refused(
            "structured",
            "The array holds records with fields",
            str(array.dtype.names)[:100],
            "Save the numeric fields as one array",
        )
    if array.dtype.kind not in "biufc":
        raise Refused("not-numeric", f"The array holds {array.dtype}, not numbers", hint="Save a numeric array")
    if array.ndim < 2:
        raise Refused(
            "dimensions",
            f"The array has {array.ndim} dimension{'s' * (array.ndim != 1)}; a matrix needs rows and columns",
            f"shape {_shape(array.shape)}",
            "Reshape it to two dimensions",
        )
    if 0 in array.shape:
        raise Refused(
            "no-rows", f"The array is empty: shape {_shape(array.shape)}", hint="Choose a file that holds data"
        )
    if array.dtype.kind == "c":
        if np.any(array.imag != 0):
            k = int(np.count_nonzero(array.imag))
            raise Refused("complex", f"The array holds {k:,} complex numbers", hint="Save the magnitudes: numpy.abs(X)")
        talk.note("complex", "The numbers were complex with all imaginary parts 0; the real parts were kept.")
        array = array.real
    cell_shape: tuple[int, ...] | None = None
    kind = "table"
    extra: dict[str, Any] = {}
    if array.ndim > 2 and 1 in array.shape:
        array = _without_single(array, talk)
    if array.ndim > 2:
        array, cell_shape, kind, extra = _fold(array, talk)
    step = stride(array.shape[0], array.shape[1], talk)
    if step > 1 and "image_shape" in extra:
        array, extra = _coarser(array, extra["image_shape"], step, talk)
    elif step > 1:
        array = array[::step]
    if array.dtype not in (np.float32, np.float64) or not array.dtype.isnative:
        wide = array.dtype.itemsize == 8 and array.dtype.kind in "iu"
        if wide and max(abs(int(array.max())), abs(int(array.min()))) > 2**53:
            talk.note(
                "large-integers",
                "Integers above 2^53 (9,007,199,254,740,992) lose their last digits as 64-bit numbers.",
            )
        if array.dtype.kind != "f" or array.dtype.itemsize != 8:
            talk.note("dtype", f"Numbers of type {array.dtype.name} were turned into float64.")
        with np.errstate(over="ignore"):
            array = array.astype(np.float64)
    n, m = array.shape
    rows = numbered("r", n)
    cols = numbered("c", m)
    raw = Raw(array, rows, cols, kind=kind, cell_shape=cell_shape, extra=extra)  # type: ignore[arg-type]
    return as_network(raw, talk, named=False)


def _without_single(array: Array, talk: Talk) -> Array:
    """Drop axes of length 1, as long as two are left."""
    single = [axis for axis, side in enumerate(array.shape) if side == 1][: array.ndim - 2]
    before = _shape(array.shape)
    array = array.squeeze(tuple(single))
    talk.note("single-axes", f"Dimensions of length 1 were dropped: {before} became {_shape(array.shape)}.")
    return array


def _coarser(array: Array, shape: tuple[int, int], step: int, talk: Talk) -> tuple[Array, dict[str, Any]]:
    """Thin the points of a cube out in both directions alike, so that they still make a picture."""
    height, width = shape
    each = math.ceil(math.sqrt(step))
    array = array.reshape(height, width, -1)[::each, ::each]
    talk.note("coarser", f"Of the picture that is every {ordinal(each)} point, across and down.", "sample")
    return array.reshape(-1, array.shape[2]), {"image_shape": array.shape[:2]}


def _fold(array: Array, talk: Talk) -> tuple[Array, tuple[int, ...], str, dict[str, Any]]:
    """Lay pictures out as rows (n × height × width), or the pixels of a cube (height × width × bands)."""
    shape = array.shape
    if array.ndim > 4:
        raise Refused(
            "dimensions", f"The array has {array.ndim} dimensions", _shape(shape), "Reshape it to rows × columns"
        )
    pictures = Option("pictures", f"{shape[0]:,} pictures of {_shape(shape[1:])}: one row each", shape[0])
    cube = Option(
        "cube",
        f"a cube of {_shape(shape[:-1])} points with {shape[-1]:,} values each: one row a point",
        math.prod(shape[:-1]),
    )
    colour = shape[-1] in (3, 4)
    if array.ndim == 4 or (shape[1] == shape[2] and shape[0] != shape[1] and not colour):
        default, sure = "pictures", True
    elif colour or (shape[0] == shape[1] != shape[2] and shape[2] > 4):
        default, sure = "cube", False
    else:
        default, sure = "pictures", False
    answer = talk.ask(
        "dimensions", f"The array is {_shape(shape)}. What is one row?", [pictures, cube], default, required=not sure
    )
    if answer == "pictures":
        talk.note("reshaped", f"{shape[0]:,} pictures of {_shape(shape[1:])} were laid out as rows.", "dimensions")
        return array.reshape(shape[0], -1), tuple(shape[1:]), "images", {}
    talk.note(
        "reshaped", f"The {math.prod(shape[:-1]):,} points were laid out as rows of {shape[-1]:,} values.", "dimensions"
    )
    return (
        array.reshape(-1, shape[-1]),
        (),
        "cube",
        {"image_shape": (shape[0], math.prod(shape[1:-1]))},
    )


def _load(data: bytes | memoryview, talk: Talk, what: str) -> Array:
    file = io.BytesIO(data)
    shape, fortran, dtype = _header(file)
    start = file.tell()
    count = math.prod(shape)
    bytes_ = count * dtype.itemsize
    if bytes_ > talk.limits.unpacked or (len(shape) >= 2 and count > 16 * talk.limits.cells):
        raise Refused(
            "too-large",
            f"The header promises {_shape(shape)} = {count:,} numbers ({size(bytes_)}); the limit is {size(talk.limits.unpacked)}",
            hint="Save fewer rows or columns",
        )
    present = (len(data) - start) // max(1, dtype.itemsize)
    if present < count:
        raise Refused(
            "cut-off",
            f"The file is cut off: {count:,} numbers promised, {present:,} present",
            hint="Copy or save it again",
        )
    array = np.frombuffer(data, dtype=dtype, count=count, offset=start)
    return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, talk: Talk) -> Array:
    try:
        with archive.open(info) as file:
            data = file.read(talk.limits.unpacked + 1)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError, Exception) as error:
        raise Refused(
            "damaged", "This is a damaged NPZ file", f"member {info.filename[:60]}", "Save it again with numpy.savez"
        ) from error
    return _load(data, talk, info.filename)


def _header(file: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read the header of a .npy stream and refuse what is no plain numeric array."""
    from numpy.lib import format as npy

    try:
        version = npy.read_magic(file)
        shape, fortran, dtype = (npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0)(file)
    except Exception as error:  # whatever a damaged header raises: ValueError, SyntaxError, UnicodeDecodeError, …
        raise Refused(
            "damaged", "This is a damaged NumPy file: its header cannot be read", hint="Save it again with numpy.save"
        ) from error
    if dtype.hasobject:
        raise _objects()
    if any(side < 0 for side in shape):
        raise Refused(
            "damaged", f"The header promises a negative size {_shape(shape)}", hint="Save it again with numpy.save"
        )
    return tuple(int(side) for side in shape), bool(fortran), dtype


def _objects() -> Refused:
    return Refused(
        "objects",
        "The file holds Python objects, which are never opened",
        hint="Save a numeric array: numpy.save('x.npy', X.astype(float))",
    )


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(f"{side:,}" for side in shape) if shape else "0-dimensional"
