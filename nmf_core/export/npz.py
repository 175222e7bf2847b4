"""A result as NPZ: every number, and all that is needed to know where it came from, for NumPy alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from nmf_core.components import Identity, Parts
from nmf_core.export.npy import ArchiveError, array_bytes, array_from, json_bytes, json_from, pack, unpack
from nmf_core.types import Array, Dataset, FitRequest, FitResult, Stop, Trace

FORMAT = "nmf-explorer result"
SCHEMA = 1
_REQUIRED = ("W_fitted", "H_fitted", "loss", "seconds", "restart_lengths", "about")


def result_npz(dataset: Dataset, result: FitResult, parts: Parts, identity: Identity | None = None) -> bytes:
    """Return a result as the bytes of an NPZ file; ``np.load(file, allow_pickle=False)`` reads it.

    Members: ``W``, ``H``, ``weights`` as shown (``W @ np.diag(weights) @ H`` is WH); ``W_fitted``, ``H_fitted``;
    ``loss``, ``seconds`` of all restarts one after the other with ``restart_lengths``; the names ``rows``, ``cols``,
    ``components``; and ``about``, JSON text with the request, the fingerprint of the data, versions and stop reason.
    """
    restarts = result.restarts or (result.trace,)
    about = {
        "format": FORMAT,
        "schema": SCHEMA,
        "request": result.request.to_json(),
        "dataset": {"id": dataset.id, "name": dataset.name, "shape": list(dataset.shape)},
        "stop": result.stop.name,
        "best": result.best if result.restarts else 0,
        "solver_reason": result.solver_reason,
        "versions": dict(result.versions),
        "scale": parts.scale,
        "colors": list(parts.colors),
        "share": [float(s) for s in parts.share],
        "identity": (identity or Identity()).to_json(),
    }
    arrays: dict[str, Array] = {
        "W": parts.W,
        "H": parts.H,
        "weights": parts.weights,
        "W_fitted": result.W,
        "H_fitted": result.H,
        "loss": np.concatenate([np.asarray(t.loss, dtype=np.float64) for t in restarts]),
        "seconds": np.concatenate([np.asarray(t.seconds, dtype=np.float64) for t in restarts]),
        "restart_lengths": np.array([len(t.loss) for t in restarts], dtype=np.int64),
        "rows": dataset.rows,
        "cols": dataset.cols,
        "components": np.array(parts.names, dtype=np.str_),
        "about": np.array(json_bytes(about).decode()),
    }
    return pack({f"{name}.npy": array_bytes(array) for name, array in arrays.items()})


def result_from_npz(data: bytes) -> tuple[FitResult, dict[str, Any]]:
    """Read back what `result_npz` wrote.

    Returns
    -------
    result : FitResult
        Without a state to continue from.
    about : dict
        Everything in ``about``, checked for format and schema.

    Raises
    ------
    ArchiveError
        In a sentence, for anything that is no such file.
    """
    what = "result"
    members = unpack(data, None, what)
    arrays = {name.removesuffix(".npy"): array_from(member, f"{what}: {name}") for name, member in members.items()}
    missing = [name for name in _REQUIRED if name not in arrays]
    if missing:
        raise ArchiveError(f"{what}: has no {missing[0]}; it is not a result of NMF Explorer")
    about = json_from(str(arrays["about"]).encode(), f"{what}: about")
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise ArchiveError(f"{what}: is not a result of NMF Explorer")
    if about.get("schema") != SCHEMA:
        raise ArchiveError(f"{what}: has schema {about.get('schema')!r}, this version reads {SCHEMA}")
    W, H = arrays["W_fitted"], arrays["H_fitted"]
    for name, array in (("W", W), ("H", H)):
        if array.ndim != 2 or array.dtype.kind != "f" or not np.isfinite(array).all() or (array < 0).any():
            raise ArchiveError(f"{what}: {name} is not a matrix of finite numbers ≥ 0")
    try:
        request = FitRequest.from_json(about["request"])
        stop = Stop[about["stop"]]
        best = int(about["best"])
        lengths = [int(n) for n in arrays["restart_lengths"].ravel()]
        reason, versions = str(about.get("solver_reason", "")), dict(about.get("versions", {}))
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise ArchiveError(f"{what}: its description is incomplete ({error})") from error
    if W.shape[1] != H.shape[0] or W.shape[1] != request.rank:
        raise ArchiveError(f"{what}: W {W.shape}, H {H.shape} and rank {request.rank} do not belong together")
    loss, seconds = arrays["loss"], arrays["seconds"]
    if not lengths or min(lengths) < 1 or loss.shape != (sum(lengths),) or seconds.shape != loss.shape:
        raise ArchiveError(f"{what}: its traces are incomplete")
    if not 0 <= best < len(lengths):
        raise ArchiveError(f"{what}: names restart {best} of {len(lengths)} as the best")
    cuts = np.cumsum(lengths)[:-1]
    traces = tuple(Trace(a, b) for a, b in zip(np.split(loss, cuts), np.split(seconds, cuts), strict=True))
    result = FitResult(request, W, H, traces[best], stop, traces, best, reason, versions)
    return result, about
