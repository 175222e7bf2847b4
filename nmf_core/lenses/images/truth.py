"""Parts found beside parts known: matched cosines, and the torso's ghost in Swimmer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nmf_core.lenses.images.methods import pca
from nmf_core.lenses.images.prepare import dense
from nmf_core.staged import Fit, StagedWork, Step
from nmf_core.types import Array, Dataset, FitRequest

if TYPE_CHECKING:
    import pandas as pd

FOUND = 0.98


@dataclass(frozen=True, slots=True, eq=False)
class Recovery:
    """How well known parts were found again.

    Attributes
    ----------
    component : ndarray of int of shape (n_true,)
        The component matched to each true part (one to one, best total cosine); −1 where components ran out.
    cosine : ndarray of shape (n_true,)
        Of each match; absolute, so that signed components get their chance. 0 where nothing was matched.
    cosine_without : ndarray of shape (n_true,)
        The same after the pixels of the shared part were blanked in the component; NaN without a shared part.
    ghost : ndarray of shape (n_true,)
        Share of the matched component's squares that lies on the shared part; NaN without one.
    """

    component: Array
    cosine: Array
    cosine_without: Array
    ghost: Array

    @property
    def found(self) -> int:
        """True parts whose cosine is at least `FOUND`."""
        return int((self.cosine >= FOUND).sum())

    @property
    def found_without(self) -> int:
        """The same with the shared part blanked."""
        return int((np.nan_to_num(self.cosine_without) >= FOUND).sum())


def recover(H: Array, true_parts: Array, shared: Array | None = None) -> Recovery:
    """Match components with true parts, one to one.

    Parameters
    ----------
    H : ndarray of shape (rank, n_features)
    true_parts : ndarray of shape (n_true, n_features)
    shared : ndarray of shape (n_features,), optional
        A part that every picture holds (Swimmer's torso): its share of each match is reported as the ghost. No
        factorization error can tell to which of the parts it belongs: moving it from the torso's component into the
        four positions of one limb, of which every picture has exactly one, changes no picture.
    """
    from scipy.optimize import linear_sum_assignment

    H = np.asarray(H, dtype=np.float64)
    table = np.abs(cosine(H, true_parts))
    rows, cols = linear_sum_assignment(-table)
    component = np.full(len(true_parts), -1)
    component[cols] = rows
    value = np.zeros(len(true_parts))
    value[cols] = table[rows, cols]
    without, ghost = np.full(len(true_parts), np.nan), np.full(len(true_parts), np.nan)
    if shared is not None:
        on = np.asarray(shared) > 0
        blanked = np.where(on, 0.0, H)
        clean = np.abs(cosine(blanked, true_parts))
        squares = (H**2).sum(axis=1)
        share = np.divide((H[:, on] ** 2).sum(axis=1), squares, out=np.zeros(len(H)), where=squares > 0)
        matched = component >= 0
        without[matched] = clean[component[matched], np.flatnonzero(matched)]
        ghost[matched] = share[component[matched]]
    return Recovery(component, value, without, ghost)


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Parts found by several methods, beside the parts that the data were made of.

    Attributes
    ----------
    names : tuple of str
        Of the true parts.
    true_parts : ndarray of shape (n_true, n_features)
    shared : int or None
        Position of the true part that every picture holds.
    components : tuple of ndarray
        Rows of H per method.
    methods : tuple of str
    recoveries : tuple of Recovery
    """

    names: tuple[str, ...]
    true_parts: Array
    shared: int | None
    components: tuple[Array, ...]
    methods: tuple[str, ...]
    recoveries: tuple[Recovery, ...]

    @property
    def others(self) -> Array:
        """Positions of the true parts that are not shared by all pictures."""
        at = np.arange(len(self.names))
        return at if self.shared is None else at[at != self.shared]

    def matched(self, method: str) -> Array:
        """Return a method's component for each true part, turned so that it points the same way; zeros if none."""
        i = self.methods.index(method)
        H, component = self.components[i], self.recoveries[i].component
        out = np.where((component >= 0)[:, None], H[component], 0.0)
        sign = np.sign((out * self.true_parts).sum(axis=1, keepdims=True))
        return out * np.where(sign == 0, 1.0, sign)

    def table(self) -> pd.DataFrame:
        """Return one row per true part: cosine and ghost for each method."""
        import pandas as pd

        out: dict[str, Any] = {"true part": self.names}
        for method, recovery in zip(self.methods, self.recoveries, strict=True):
            out[f"{method}: cosine"] = recovery.cosine
            if self.shared is not None:
                out[f"{method}: share on {self.names[self.shared]}"] = recovery.ghost
        return pd.DataFrame(out)


PLAIN, PENALISED, SIGNED = "NMF", "NMF with L1 penalty", "PCA"


@dataclass(frozen=True, slots=True)
class KnownPartsWork(StagedWork):
    """Look for the parts that a data set was made of (its ``extra["true_parts"]``).

    Attributes
    ----------
    rank : int
        0: as many as there are true parts.
    alpha : float
        L1 penalty on W and H (scikit-learn's scaling) of the second run.
    seed, n_restarts, max_iter : int
        Of the random starts; the best run counts.
    """

    rank: int = 0
    alpha: float = 1e-4
    seed: int = 0
    n_restarts: int = 6
    max_iter: int = 300
    NAME: ClassVar[str] = "known-parts"

    def plan(self, dataset: Dataset) -> tuple[Step | Fit, ...]:
        """Plain NMF, penalised NMF, PCA."""
        X, _ = dense(dataset)
        rank = min(self.rank or len(dataset.extra["true_parts"]), *X.shape)
        # Plain HALS: exact small steps from a random start lose fewer parts here than pushed ones.
        plain = FitRequest(
            rank=rank,
            solver="hals",
            init="random",
            seed=self.seed,
            n_restarts=2,
            max_iter=self.max_iter,
            tol=1e-6,
        )
        penalised = plain.with_(alpha_W=self.alpha, l1_ratio=1.0, n_restarts=self.n_restarts)
        whole = Dataset.of(X.astype(np.float64))
        return (
            Fit(PLAIN, lambda done: (whole, plain)),
            Fit(PENALISED, lambda done: (whole, penalised)),
            Step(SIGNED, lambda done: pca(X, rank)),
        )

    def finish(self, dataset: Dataset, done: tuple[Any, ...]) -> Known | None:
        """Match what has been found so far."""
        if not done:
            return None
        true_parts = np.asarray(dataset.extra["true_parts"], dtype=np.float64)
        names = dataset.extra.get("true_part_names")
        names = [f"true part {i + 1}" for i in range(len(true_parts))] if names is None else names
        X, _ = dense(dataset)
        shared = shared_part(X, true_parts)
        components = [done[0].H, *(d.H for d in done[1:2]), *(d.parts for d in done[2:3])]
        on = None if shared is None else true_parts[shared]
        recoveries = tuple(recover(H, true_parts, on) for H in components)
        return Known(
            tuple(str(n) for n in names),
            true_parts,
            shared,
            tuple(components),
            (PLAIN, PENALISED, SIGNED)[: len(components)],
            recoveries,
        )


def shared_part(X: Array, true_parts: Array) -> int | None:
    """Return the true part whose pixels are lit in every picture, or None."""
    always = np.asarray((X > 0).all(axis=0))
    inside = [i for i, part in enumerate(true_parts) if part.any() and always[part > 0].all()]
    return inside[0] if len(inside) == 1 else None


def cosine(A: Array, B: Array) -> Array:
    """Return the cosines between the rows of A and of B; 0 where a row is empty."""
    unit_A, unit_B = (_unit(np.asarray(F, dtype=np.float64)) for F in (A, B))
    return unit_A @ unit_B.T


def _unit(F: Array) -> Array:
    length = np.linalg.norm(F, axis=1, keepdims=True)
    return np.divide(F, length, out=np.zeros_like(F), where=length > 0)
