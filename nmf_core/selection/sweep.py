"""What a sweep found: one row of evidence per rank, with the fits kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nmf_core.selection.blending import Step, step
from nmf_core.selection.evidence import RankEvidence, row
from nmf_core.selection.pieces import SweepState
from nmf_core.selection.request import SweepRequest
from nmf_core.types import Array, Dataset, FitRequest, Stop

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """Evidence over ranks, with the fits kept.

    Attributes
    ----------
    request : SweepRequest
    shape : tuple of int
    evidence : tuple of RankEvidence
        In the order of ranks; ranks without a finished restart are left out.
    stop : Stop
    progress : float
    notes : tuple of str
        What could not be measured on this data and why, in sentences.
    state : SweepState
        Where a larger sweep starts from.
    sample_rows : ndarray of int
        The samples that the consensus compares.
    total : float
        Sum of squares of the known cells.
    known : int
        Number of known cells.
    drift : float
        Typical correlation of rows with the next one over the columns (:func:`~nmf_core.selection.baseline.drift`).
    """

    request: SweepRequest
    shape: tuple[int, int]
    evidence: tuple[RankEvidence, ...]
    stop: Stop
    progress: float
    notes: tuple[str, ...]
    state: SweepState
    sample_rows: Array
    total: float
    known: int
    drift: float = 0.0

    @property
    def sparse_knowledge(self) -> bool:
        """Whether fewer than one cell in five is known."""
        return self.known < 0.2 * self.shape[0] * self.shape[1]

    @property
    def ranks(self) -> tuple[int, ...]:
        """Ranks with at least one finished restart."""
        return tuple(e.rank for e in self.evidence)

    def at(self, rank: int) -> RankEvidence:
        """Return the evidence of one rank.

        Raises
        ------
        KeyError
            If the sweep holds no fit of that rank.
        """
        for e in self.evidence:
            if e.rank == rank:
                return e
        raise KeyError(rank)

    def factors(self, rank: int) -> tuple[Array, Array]:
        """Return W and H of the best restart of a rank."""
        return self.state.best[rank][2], self.state.best[rank][3]

    def best_request(self, rank: int) -> FitRequest:
        """Return the request that computes the best restart of a rank again."""
        return self.request.fit_request(rank, self.state.best[rank][0])

    def restart_request(self, rank: int, position: int) -> FitRequest:
        """Return the request that computes one restart again, bit for bit.

        Parameters
        ----------
        rank : int
        position : int
            Place of the restart in ``at(rank).losses``.
        """
        return self.request.fit_request(rank, self.state.restarts(rank, self.request.n_restarts)[position])

    def step(self, lower: int, higher: int) -> Step | None:
        """Return what held-out cells say about going from one rank to another; None if they were not predicted at both."""
        held = self.state.heldout
        common = [i for i in range(self.request.n_folds) if (0, i) in held and {(lower, i), (higher, i)} <= held.keys()]
        cells, below, above = ([held[k, i] for i in common] for k in (0, lower, higher))
        return step(cells, below, above, self.request.model.loss)

    def weights(self) -> Array:
        """Return how much of the step from the rank before to each rank held-out cells ask for; NaN where not measured."""
        steps = [None, *(self.step(a, b) for a, b in pairwise(self.ranks))]
        return np.array([np.nan if found is None else found.weight for found in steps[: len(self.ranks)]])

    def groups(self, rank: int) -> Array:
        """Return the strongest component of each compared sample in every restart, shape (n_fits, n_rows)."""
        return np.stack([piece.groups for piece in self.state.fits(rank, self.request.n_restarts)])

    def components(self, rank: int) -> list[Array]:
        """Return the unit components of every restart (a sketch of them beyond 512 features)."""
        return [piece.components for piece in self.state.fits(rank, self.request.n_restarts)]

    def table(self) -> pd.DataFrame:
        """Return one row per rank, one column per criterion."""
        import pandas as pd

        table = pd.DataFrame([row(e) for e in self.evidence])
        if len(table):
            after = list(table.columns).index("held-out error / rank 1") + 1
            table.insert(after, "weight of the step to it", self.weights())
        return table

    def long(self) -> pd.DataFrame:
        """Return one row per rank and criterion."""
        return (
            self.table().melt(id_vars="rank", var_name="criterion", value_name="value").dropna().reset_index(drop=True)
        )


def sweep(
    X: Any,
    ranks: Iterable[int],
    n_restarts: int = 10,
    *,
    mask: Array | Literal["unstored"] | None = None,
    start: Sweep | None = None,
    n_folds: int = 10,
    n_shuffles: int = 2,
    bicross: bool = True,
    **model: Any,
) -> Sweep:
    """Fit many ranks many times and gather evidence on each.

    Parameters
    ----------
    X : array-like, sparse matrix or Dataset of shape (n_samples, n_features)
    ranks : iterable of int
    n_restarts : int
    mask : see :func:`nmf_core.fit.fit`
    start : Sweep, optional
        An earlier sweep on the same data and model: its pieces are not computed again.
    n_folds, n_shuffles, bicross : see :class:`SweepRequest`
    **model
        Fields of :class:`~nmf_core.types.FitRequest`: solver, loss, seed, max_iter, tol, penalties …

    Returns
    -------
    Sweep

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> found = sweep(load_iris().data, range(1, 4), n_restarts=3, n_folds=2)
    >>> found.ranks
    (1, 2, 3)
    """
    from nmf_core.selection.work import SweepWork

    dataset = X if isinstance(X, Dataset) else Dataset.of(X, mask=mask)
    base = FitRequest(**{"dataset_id": dataset.id, "tol": 1e-4, "max_iter": 500, **model})
    work = SweepWork(SweepRequest(tuple(ranks), n_restarts, base, n_folds, n_shuffles, bicross))
    state = None if start is None else start.state
    while True:
        chunk = work.advance(dataset, state, float("inf"))
        state = chunk.state
        if chunk.stop is not Stop.RUNNING:
            return work.result(dataset, state, chunk.stop)
