"""Values with arrays inside, as JSON beside ``.npy`` files: how labels and extras of a data set are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nmf_core.types import Array, is_sparse


def encode(value: Any, arrays: list[Array], where: str = "extra") -> Any:
    """Return a JSON form of `value`; arrays are appended to `arrays` and referred to by number.

    Raises
    ------
    TypeError
        For a value that is neither plain nor an array; the sentence says where it is.
    """
    if value is None or (isinstance(value, (bool, int, float, str)) and not isinstance(value, np.generic)):
        return value
    if isinstance(value, np.generic):
        arrays.append(np.asarray(value))
        return {"scalar": len(arrays) - 1}
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            return {"objects": [_cell(v) for v in value.ravel()], "shape": list(value.shape)}
        arrays.append(value)
        return {"array": len(arrays) - 1}
    if is_sparse(value):
        csr = value.tocsr()
        parts = [encode(part, arrays) for part in (csr.data, csr.indices, csr.indptr)]
        return {"csr": parts, "shape": list(csr.shape)}
    if isinstance(value, Mapping):
        return {"map": [[encode(k, arrays, where), encode(v, arrays, f"{where}.{k}")] for k, v in value.items()]}
    if isinstance(value, (list, tuple)):
        parts = [encode(v, arrays, f"{where}[{i}]") for i, v in enumerate(value)]
        return {"list" if isinstance(value, list) else "tuple": parts}
    raise TypeError(
        f"{where}: {type(value).__name__} cannot be kept; use numbers, text, arrays and containers of these"
    )


def decode(form: Any, arrays: list[Array]) -> Any:
    """Return the value that :func:`encode` was given."""
    if not isinstance(form, dict):
        return form
    if "scalar" in form:
        return arrays[form["scalar"]][()]
    if "array" in form:
        return arrays[form["array"]]
    if "objects" in form:
        cells = np.empty(len(form["objects"]), dtype=object)
        cells[:] = form["objects"]
        return cells.reshape(form["shape"])
    if "csr" in form:
        import scipy.sparse as sp

        return sp.csr_array(tuple(decode(part, arrays) for part in form["csr"]), shape=tuple(form["shape"]))
    if "map" in form:
        return {decode(k, arrays): decode(v, arrays) for k, v in form["map"]}
    if "list" in form:
        return [decode(v, arrays) for v in form["list"]]
    return tuple(decode(v, arrays) for v in form["tuple"])


def _cell(value: Any) -> Any:
    # Label columns of tables mix text, numbers and gaps; dates become text.
    if value is None or (isinstance(value, (bool, int, float, str)) and not isinstance(value, np.generic)):
        return value
    return value.item() if isinstance(value, (np.bool_, np.integer, np.floating, np.str_)) else str(value)
