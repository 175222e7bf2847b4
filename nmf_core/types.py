"""The values that flow through NMF Explorer: data, request, state, result.

Names follow scikit-learn: ``X`` (n_samples × n_features) ≈ ``W`` (n_samples × rank) · ``H`` (rank × n_features).
Rows of ``H`` are the *components* (parts); rows of ``W`` say how much of each part a sample holds.

This module imports NumPy alone, so that a fresh process answers quickly.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Kind: TypeAlias = Literal[
    "table", "counts", "spectra", "expression", "images", "text", "ratings", "network", "audio", "cube"
]
LOSSES: Mapping[str, float] = MappingProxyType({"frobenius": 2.0, "kullback-leibler": 1.0, "itakura-saito": 0.0})
INITS = ("nndsvda", "nndsvd", "nndsvdar", "random", "kmeans", "custom")
MAX_RANK, MAX_ITER, MAX_RESTARTS = 2000, 1_000_000, 1000


def beta_of(loss: str | float) -> float:
    """Return the β of a loss given by name (``"frobenius"``, …) or by number.

    Raises
    ------
    ValueError
        For an unknown name or a number that is not finite.
    """
    if isinstance(loss, str):
        if loss in LOSSES:
            return LOSSES[loss]
        raise ValueError(f"loss: unknown name {loss!r}; use one of {', '.join(LOSSES)} or a number β")
    beta = float(loss)
    if not math.isfinite(beta):
        raise ValueError(f"loss: β must be a finite number, not {loss!r}")
    return beta


def _frozen(array: Any) -> Any:
    """Return the array (dense or CSR) with its buffers made read-only."""
    for part in (array.data, array.indices, array.indptr) if hasattr(array, "indptr") else (array,):
        part.flags.writeable = False
    return array


def is_sparse(X: Any) -> bool:
    """Tell whether X is a SciPy sparse matrix, without importing SciPy."""
    return hasattr(X, "indptr") or hasattr(X, "tocsr")


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """A labelled, non-negative, read-only matrix, ready to factorize. Build one with :meth:`of`.

    Attributes
    ----------
    id : str
        Digest over dtype, shape, bytes, mask and names: the key of every cache.
    name : str
        Title for people. May come from a file: escape it wherever it is shown.
    X : ndarray or scipy.sparse.csr_array of shape (n_samples, n_features)
        float64 or float32, C order or CSR, ≥ 0, finite except where the mask says missing (NaN there).
    rows, cols : ndarray of str
        Names of samples and features, of length n_samples and n_features.
    kind : str
        What the rows are; chooses lenses, defaults and wording.
    labels : mapping of str to ndarray of length n_samples
        Columns set aside (species, party, …); never part of X.
    cell_shape : tuple of int, optional
        Shape of one row as a picture, for example ``(8, 8)``.
    mask : ndarray of bool of X's shape, ``"unstored"`` or None
        True where a cell of dense X is missing. ``"unstored"``: X is sparse and a cell not stored is unknown, not zero.
    notes : tuple of str
        What reading and preparation did, in sentences.
    steps : tuple of mappings
        Preparation steps as data (JSON), in order.
    extra : mapping
        What else belongs to the data (coordinates, true parts, sample rate, …): arrays and plain values.
    """

    id: str
    name: str
    X: Any
    rows: Array
    cols: Array
    kind: Kind = "table"
    labels: Mapping[str, Array] = field(default_factory=dict)
    cell_shape: tuple[int, ...] | None = None
    mask: Array | Literal["unstored"] | None = None
    notes: tuple[str, ...] = ()
    steps: tuple[Mapping[str, Any], ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        X: Any,
        name: str = "data",
        *,
        rows: Iterable[str] | None = None,
        cols: Iterable[str] | None = None,
        mask: Array | Literal["unstored"] | None = None,
        **more: Any,
    ) -> Dataset:
        """Check, copy where needed, freeze and fingerprint a matrix.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Non-negative numbers. NaN marks a missing cell in dense X.
        rows, cols : iterable of str, optional
            Names; ``r1…`` and ``c1…`` when left out.
        mask : see the class.
        **more
            The other attributes of the class.

        Raises
        ------
        ValueError
            If X is not two-dimensional, is empty, or holds negative or infinite values; the sentence says where.
        """
        if is_sparse(X):
            import scipy.sparse as sp

            X = sp.csr_array(X, copy=True)
            X.sum_duplicates()
            X.sort_indices()
            if mask != "unstored":
                X.eliminate_zeros()
            if X.dtype not in (np.float32, np.float64):
                X = X.astype(np.float64)
            values = X.data
            if mask is not None and not isinstance(mask, str):
                raise ValueError("mask: a sparse X takes mask='unstored' or None, not an array")
            if np.isnan(values).any():
                raise ValueError("X: a sparse matrix cannot hold NaN; leave missing cells out and use mask='unstored'")
        else:
            X = np.array(X, dtype=X.dtype if getattr(X, "dtype", None) == np.float32 else np.float64, order="C")
            if isinstance(mask, str):
                raise ValueError("mask: 'unstored' is for sparse X; mark missing cells of a dense X with NaN")
            if mask is not None:
                mask = np.asarray(mask, dtype=bool)
                if mask.shape != X.shape:
                    raise ValueError(f"mask: shape {mask.shape} does not match X {X.shape}")
                X[mask] = np.nan
            missing = np.isnan(X)
            mask = missing if missing.any() else None
            values = X if mask is None else X[~missing]
        if X.ndim != 2:
            raise ValueError(f"X: needs rows and columns, got {X.ndim} dimension(s)")
        if 0 in X.shape:
            raise ValueError(f"X: is empty ({X.shape[0]} rows × {X.shape[1]} columns)")
        if values.size and not np.isfinite(values).all():
            raise ValueError("X: holds infinite values; remove them or mark them as missing")
        if values.size and values.min() < 0:
            raise ValueError(f"X: holds {int((values < 0).sum())} negative values (smallest {values.min():.6g})")
        n, m = X.shape
        row_names = np.asarray([f"r{i + 1}" for i in range(n)] if rows is None else list(rows), dtype=np.str_)
        col_names = np.asarray([f"c{j + 1}" for j in range(m)] if cols is None else list(cols), dtype=np.str_)
        if len(row_names) != n or len(col_names) != m:
            raise ValueError(f"names: {len(row_names)} row and {len(col_names)} column names for a {n} × {m} matrix")
        labels = {k: np.asarray(v) for k, v in more.pop("labels", {}).items()}
        for key, label in labels.items():
            if len(label) != n:
                raise ValueError(f"labels: {key!r} has {len(label)} entries for {n} rows")
        _frozen(X)
        if isinstance(mask, np.ndarray):
            _frozen(mask)
        dataset_id = _digest(X, mask, row_names, col_names)
        return cls(dataset_id, name, X, row_names, col_names, mask=mask, labels=MappingProxyType(labels), **more)

    @property
    def shape(self) -> tuple[int, int]:
        """(n_samples, n_features)."""
        return (int(self.X.shape[0]), int(self.X.shape[1]))

    @property
    def max_rank(self) -> int:
        """The largest rank that makes sense here: min(n_samples, n_features)."""
        return min(self.shape)

    def with_(self, **changes: Any) -> Dataset:
        """Return a copy with other names, notes, labels …; X and id stay."""
        if "X" in changes or "mask" in changes:
            raise ValueError("with_: X and mask decide the id; build a new Dataset with Dataset.of")
        return replace(self, **changes)


def _digest(X: Any, mask: Any, rows: Array, cols: Array) -> str:
    h = hashlib.blake2b(digest_size=12)
    h.update(f"{X.dtype.str}{X.shape}".encode())
    for part in (X.indptr, X.indices, X.data) if is_sparse(X) else (X,):
        h.update(np.ascontiguousarray(part).data)
    if isinstance(mask, np.ndarray):
        h.update(np.packbits(mask).data)
    elif mask:
        h.update(mask.encode())
    for names in (rows, cols):
        h.update(np.ascontiguousarray(names).view(np.uint8).data if names.size and names.itemsize else b"")
        h.update(b"\0")
    return h.hexdigest()


class Stop(StrEnum):
    """Why a run ended; each value is a sentence for people."""

    RUNNING = "Still running."
    CONVERGED = "Converged: the change fell below the tolerance."
    MAX_ITER = "Stopped at the limit of iterations; the loss may still be falling."
    TIME_LIMIT = "Stopped at the time limit; the result so far is kept."
    NONFINITE = "Stopped because a value was no longer finite; the last good result is kept."
    CANCELLED = "Cancelled; the result so far is kept."
    ABANDONED = "Stopped because nobody was looking any more; the result so far is kept."
    FAILED = "Failed; the data and the settings are kept."


@dataclass(frozen=True, slots=True)
class FitRequest:
    """All that decides the numbers of one factorization: hashable, comparable, storable as JSON.

    Attributes
    ----------
    dataset_id : str
        Of the :class:`Dataset`; empty for a bare matrix.
    rank : int
        Number of components (scikit-learn: ``n_components``).
    solver : str
        Name in the registry ``nmf_core.solvers``; ``"auto"`` lets the engine choose.
    loss : str or float
        A name in :data:`LOSSES` or any β.
    init : str
        One of :data:`INITS`.
    seed : int
        Restart i > 0 uses a stream of its own derived from it.
    n_restarts : int
        Best of n; every restart is kept in the trace.
    max_iter : int
    tol : float
        How small is small enough; what it is compared with depends on stop_rule.
    stop_rule : {"loss", "kkt", "scikit-learn"}
        "loss": fall of the error √(2·loss) over ten iterations, relative to the error after the first ten.
        "kkt": norm of the projected gradient relative to the start. "scikit-learn": what scikit-learn's solver of that
        name looks at (``mu``: fall of the error relative to the start; ``cd``: its violation relative to the first).
    time_limit : float or None
        Seconds of computing for the whole request.
    alpha_W, alpha_H, l1_ratio : float
        Penalties with scikit-learn's scaling; ``alpha_H="same"`` means alpha_W.
    options : tuple of (name, value) pairs, sorted
        Fields of the solver, for example ``(("inner", 3),)``.
    """

    dataset_id: str = ""
    rank: int = 3
    solver: str = "auto"
    loss: str | float = "frobenius"
    init: str = "nndsvda"
    seed: int = 0
    n_restarts: int = 1
    max_iter: int = 500
    tol: float = 1e-5
    stop_rule: Literal["loss", "kkt", "scikit-learn"] = "loss"
    time_limit: float | None = None
    alpha_W: float = 0.0
    alpha_H: float | Literal["same"] = "same"
    l1_ratio: float = 0.0
    options: tuple[tuple[str, Any], ...] = ()

    def __post_init__(self) -> None:
        # The URL and the socket are user input: everything is checked again here, whoever built the request.
        def whole(name: str, low: int, high: int) -> None:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not low <= value <= high:
                raise ValueError(f"{name}: must be a whole number from {low} to {high}, not {value!r}")
            object.__setattr__(self, name, int(value))

        def real(name: str, low: float, high: float) -> None:
            value = getattr(self, name)
            number = isinstance(value, float) or (not isinstance(value, (bool, str)) and np.isreal(value))
            if not number or not low <= value <= high:
                raise ValueError(f"{name}: must be a number from {low:g} to {high:g}, not {value!r}")
            object.__setattr__(self, name, float(value))

        whole("rank", 1, MAX_RANK)
        whole("seed", 0, 2**32 - 1)
        whole("n_restarts", 1, MAX_RESTARTS)
        whole("max_iter", 1, MAX_ITER)
        real("tol", 0.0, 1.0)
        real("alpha_W", 0.0, 1e12)
        real("l1_ratio", 0.0, 1.0)
        if self.alpha_H != "same":
            real("alpha_H", 0.0, 1e12)
        if self.time_limit is not None:
            real("time_limit", 0.0, 86400.0)
        beta = beta_of(self.loss)
        name = next((name for name, value in LOSSES.items() if value == beta), beta)
        object.__setattr__(self, "loss", name)
        if self.init not in INITS:
            raise ValueError(f"init: unknown {self.init!r}; use one of {', '.join(INITS)}")
        if self.stop_rule not in ("loss", "kkt", "scikit-learn"):
            raise ValueError(f"stop_rule: must be 'loss', 'kkt' or 'scikit-learn', not {self.stop_rule!r}")
        options = self.options.items() if isinstance(self.options, Mapping) else self.options
        object.__setattr__(self, "options", tuple(sorted((str(k), v) for k, v in options)))

    @property
    def beta(self) -> float:
        """The β of the loss."""
        return beta_of(self.loss)

    @property
    def penalised(self) -> bool:
        """Whether any penalty is asked for."""
        return self.alpha_W > 0 or self.alpha_H not in ("same", 0.0)

    @property
    def key(self) -> str:
        """Digest of all fields: key of caches and of de-duplication."""
        return hashlib.blake2b(json.dumps(self.to_json(), sort_keys=True).encode(), digest_size=12).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return plain values that :meth:`from_json` reads back."""
        return {**asdict(self), "options": dict(self.options)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> FitRequest:
        """Rebuild a request; unknown fields are an error.

        Raises
        ------
        ValueError
            For an unknown field or a value out of its limits.
        """
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"request: unknown field(s) {', '.join(unknown)}; known are {', '.join(sorted(known))}")
        return cls(**values)

    def with_(self, **changes: Any) -> FitRequest:
        """Return a copy with some fields changed (and checked again)."""
        return replace(self, **changes)

    def solved_by(self, solver: str) -> FitRequest:
        """Return a copy that names the solver; nothing else changes, so nothing is checked again."""
        named = copy(self)
        object.__setattr__(named, "solver", solver)
        return named


@dataclass(frozen=True, slots=True)
class State:
    """All that the next step of a solver needs; picklable.

    Attributes
    ----------
    W, H : ndarray of shape (n_samples, rank), (rank, n_features)
    n_iter : int
    loss : float
        The objective at (W, H): D_β(X | WH), with ½ for Frobenius as in scikit-learn, plus penalties.
    rng : numpy.random.Generator, RandomState or None
    aux : mapping
        What a solver carries along (extrapolation point, step size, …).
    """

    W: Array
    H: Array
    n_iter: int
    loss: float
    rng: Any = None
    aux: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trace:
    """Objective after every iteration, the start included, and the seconds of computing spent until then.

    ``loss`` and ``seconds`` have length n_iter + 1; ``seconds`` counts computing only (no waiting between chunks).
    """

    loss: Array
    seconds: Array


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one task of a job returns: about a quarter of a second of work.

    Attributes
    ----------
    state : object
        Input of the next task and of ``Work.result``; picklable.
    stop : Stop
        RUNNING: submit the next task.
    progress : float or None
        Share done from 0 to 1, if known.
    message : str
        One short line for people ("iteration 120, relative error 4.1 %").
    """

    state: Any
    stop: Stop
    progress: float | None = None
    message: str = ""


@runtime_checkable
class Work(Protocol):
    """A unit of computing that runs as a chain of chunks: a fit, a sweep over ranks, a bootstrap, a lens.

    A frozen, picklable dataclass. ``advance`` is pure: same arguments, same bits, however the budget cuts the chain.
    """

    @property
    def key(self) -> str:
        """Digest of everything that decides the result."""

    @property
    def dataset_id(self) -> str:
        """The data it runs on."""

    def advance(self, dataset: Dataset, state: Any | None, budget: float) -> Chunk:
        """Work for about `budget` seconds from `state` (None: the start) and return where it got to."""

    def result(self, dataset: Dataset, state: Any, stop: Stop) -> Any:
        """Turn any state, also an unfinished one, into the (partial) result."""


@dataclass(frozen=True, slots=True)
class FitResult:
    """One finished (or stopped) factorization.

    Attributes
    ----------
    request : FitRequest
        With the solver actually used (never ``"auto"``).
    W, H : ndarray of shape (n_samples, rank), (rank, n_features)
        As fitted; `nmf_core.components.present` scales, orders and names them.
    trace : Trace
        Of the best restart.
    stop : Stop
    restarts : tuple of Trace
        All restarts in order, the best among them; ``best`` is its index.
    best : int
    solver_reason : str
        Why ``"auto"`` took this solver; empty otherwise.
    versions : mapping of str to str
        Of Python, NumPy, SciPy, scikit-learn, Numba and NMF Explorer.
    state : object
        Where to continue from.
    """

    request: FitRequest
    W: Array
    H: Array
    trace: Trace
    stop: Stop
    restarts: tuple[Trace, ...] = ()
    best: int = 0
    solver_reason: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    state: Any = None

    @property
    def loss(self) -> float:
        """The objective at the end."""
        return float(self.trace.loss[-1])

    @property
    def n_iter(self) -> int:
        """Iterations of the best restart."""
        return len(self.trace.loss) - 1
