"""New rows in the space of parts that were found before: same columns, same preparation, H fixed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nmf_core.components import Parts
from nmf_core.fold_in import weights_of
from nmf_core.ingest.diagnose import as_raw
from nmf_core.ingest.prepare import apply_steps
from nmf_core.ingest.raw import BEFORE, CELLS, READ_AS, Raw
from nmf_core.ingest.steps import Negative
from nmf_core.quality import matrix_errors
from nmf_core.types import Array, Dataset, FitResult, is_sparse

MOST_CELLS = 5_000_000
_MISSING_IS_ZERO = ("text", "ratings", "network", "counts")


@dataclass(frozen=True, slots=True, eq=False)
class NewRows:
    """New rows and what they are made of.

    Attributes
    ----------
    names : ndarray of str of shape (n,)
    X : ndarray or csr_array of shape (n, n_features)
        Prepared as the data of the fit were; NaN where a cell is missing.
    W : ndarray of shape (n, rank)
        As fitted, in the order of the fitted H.
    error : ndarray of shape (n,)
        Relative error ‖x − wH‖ / ‖x‖ over the known cells; NaN for a row of zeros.
    notes : tuple of str
        What was matched, left out or assumed.
    """

    names: Array
    X: Any
    W: Array
    error: Array
    notes: tuple[str, ...]

    def shown(self, result: FitResult, parts: Parts) -> Array:
        """Return W in the order and the scale in which the parts are shown, shape (n, n_parts)."""
        columns = []
        for k in range(parts.rank):
            members = list(parts.members[k]) if parts.members else [int(parts.index[k])]
            turn, *_ = np.linalg.lstsq(result.W[:, members].astype(float), parts.W[:, k].astype(float), rcond=None)
            columns.append(self.W[:, members] @ turn)
        return np.column_stack(columns)


def columns_wanted(dataset: Dataset) -> Array:
    """Return the names of the columns that new rows need: those of the data before preparation."""
    before = dataset.extra.get(BEFORE)
    return dataset.cols if before is None else np.asarray(before).astype(np.str_)


def answers_wanted(dataset: Dataset) -> dict[str, str]:
    """Return what was answered about the cells of the file the data came from, for reading new rows in the same way."""
    try:
        told = json.loads(str(dataset.extra.get(READ_AS, "{}")))
    except ValueError:  # a stranger's bundle may hold anything
        return {}
    return {key: told[key] for key in CELLS if isinstance(told, dict) and isinstance(told.get(key), str)}


def place(raw: Raw, dataset: Dataset, result: FitResult) -> NewRows:
    """Bring new rows into the columns of a data set, prepare them as it was prepared, and find their W.

    Parameters
    ----------
    raw : Raw
        As a file was read, before missing and negative values are dealt with.
    dataset : Dataset
        What was factorized; its ``steps`` carry what they learned.
    result : FitResult

    Raises
    ------
    ValueError
        When columns do not match, or the rows cannot be prepared or fitted; the sentence names the columns.
    """
    if raw.kind == "text" and dataset.kind == "text":
        raise ValueError("New documents need the words of the old ones: use “New text” on the page Text for them.")
    wanted = columns_wanted(dataset)
    aligned, notes = match_columns(raw, wanted, zero=dataset.kind in _MISSING_IS_ZERO)
    if aligned.shape[0] * len(wanted) > MOST_CELLS and not aligned.sparse:
        raise ValueError(
            f"The file holds {aligned.shape[0]:,} rows × {len(wanted):,} columns; at most {MOST_CELLS:,} cells are placed at once. "
            "Split the file."
        )
    prepared = apply_steps(aligned, dataset.steps)
    if prepared.shape[1] != dataset.shape[1]:
        raise ValueError(
            f"After the preparation the new rows have {prepared.shape[1]:,} columns, but the data have {dataset.shape[1]:,}: "
            "the file differs from the one the steps were learned from."
        )
    gone = aligned.shape[0] - prepared.shape[0]
    if gone:
        notes.append(f"The preparation left out {gone:,} of {aligned.shape[0]:,} rows.")
    if not prepared.shape[0]:
        raise ValueError("The preparation left none of the new rows.")
    X, low = prepared.X, _lowest(prepared.X)
    if low < 0:
        k = int((X.data < 0).sum()) if is_sparse(X) else int((X < 0).sum())
        cells = "1 negative cell was" if k == 1 else f"{k:,} negative cells were"
        notes.append(f"{cells} set to 0 (lowest: {low:.3g}): the data of the fit had none.")
        X = Negative(how="clip").apply(prepared).X
    unknown = isinstance(dataset.mask, str)
    W = weights_of(X, result, unknown=unknown)
    return NewRows(prepared.rows, X, W, relative_error(X, W, result.H, unknown=unknown), tuple(notes))


def match_columns(raw: Raw, wanted: Sequence[str] | Array, *, zero: bool) -> tuple[Raw, list[str]]:
    """Return the rows with the wanted columns in their order, and what was done.

    Parameters
    ----------
    raw : Raw
    wanted : sequence of str
    zero : bool
        A column that the file lacks counts as 0 (words, counts) rather than being an error.

    Raises
    ------
    ValueError
        The sentence names the first columns that are missing.
    """
    names = [str(name) for name in wanted]
    here = {str(name): j for j, name in enumerate(raw.cols)}
    notes: list[str] = []
    found = [here.get(name, -1) for name in names]
    missing = [name for name, j in zip(names, found, strict=True) if j < 0]
    if len(missing) == len(names):
        if raw.shape[1] != len(names):
            raise ValueError(
                f"None of the {raw.shape[1]:,} columns of the file ({_some(raw.cols)}) is one of the {len(names):,} columns of "
                f"the data ({_some(names)})."
            )
        if not _made_up(raw.cols):
            raise ValueError(
                f"The columns have other names: the file has {_some(raw.cols)}, the data have {_some(names)}. Rename them, or "
                "save the file without names if the order is the same."
            )
        notes.append(f"The file names no columns; its {len(names):,} columns were taken in the order of the data.")
        return raw.with_(cols=np.asarray(wanted)), notes
    if missing and not zero:
        raise ValueError(
            f"{len(missing):,} of the {len(names):,} columns of the data {'is' if len(missing) == 1 else 'are'} missing in the "
            f"file: {_some(missing)}. Add {'it' if len(missing) == 1 else 'them'}; the order does not matter."
        )
    if missing:
        notes.append(
            f"{len(missing):,} of {len(names):,} columns are not in the file and count as 0: {_some(missing)}."
        )
    extra = [str(name) for name in raw.cols if str(name) not in set(names)]
    if extra:
        notes.append(f"{len(extra):,} other column{'s' * (len(extra) > 1)} left out: {_some(extra)}.")
    return raw.with_(X=_taken(raw, found), cols=np.asarray(names), cell_shape=None), notes


def _taken(raw: Raw, found: list[int]) -> Any:
    at = np.array(found)
    if not raw.sparse:
        X = np.zeros((raw.shape[0], len(at)), dtype=raw.X.dtype)
        X[:, at >= 0] = raw.X[:, at[at >= 0]]
        return X
    import scipy.sparse as sp

    n, m = raw.shape[1], len(at)
    turn = sp.csr_array((np.ones(int((at >= 0).sum())), (at[at >= 0], np.flatnonzero(at >= 0))), shape=(n, m))
    return sp.csr_array(raw.X @ turn)


def relative_error(X: Any, W: Array, H: Array, *, unknown: bool = False) -> Array:
    """Return ‖x − wH‖ / ‖x‖ of each row, over its known cells.

    Parameters
    ----------
    X : ndarray or csr_array of shape (n, n_features)
        NaN marks a missing cell.
    W, H : ndarray of shape (n, rank), (rank, n_features)
    unknown : bool
        Cells that a sparse X does not store are unknown, not zero.
    """
    mask: Any = ("unstored" if unknown else None) if is_sparse(X) else np.isnan(X)
    return matrix_errors(X, mask, W, H).relative_rows


def usual_error(dataset: Dataset, result: FitResult, most: int = 500) -> float:
    """Return the median relative error of the rows that were fitted, from an even sample of them."""
    step = max(1, dataset.shape[0] // most)
    raw = as_raw(dataset)
    error = relative_error(raw.X[::step], result.W[::step], result.H, unknown=isinstance(dataset.mask, str))
    return float(np.nanmedian(error)) if not np.isnan(error).all() else float("nan")


def _lowest(X: Any) -> float:
    values = X.data if is_sparse(X) else X
    return float(np.nanmin(values)) if values.size and not np.isnan(values).all() else 0.0


def _made_up(cols: Array) -> bool:
    return all(str(name) == f"c{j + 1}" for j, name in enumerate(cols))


def _some(names: Sequence[str] | Array) -> str:
    shown = ", ".join(str(name)[:40] for name in list(names)[:5])
    return f"{shown} …" if len(names) > 5 else shown
