"""What a sweep still has to compute: its pieces in order, and the factors of best restarts that are no longer kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nmf_core.selection.pieces import Name
from nmf_core.selection.request import BLOCK_FOLDS, SweepRequest
from nmf_core.selection.sample import heldout_of
from nmf_core.types import Dataset

NULL_FOLDS = 3


def planned(request: SweepRequest, dataset: Dataset) -> Iterator[Name]:
    """Name all pieces in the order they are computed: one of each kind per rank and round, so that curves fill evenly."""
    ranks = [k for k in request.ranks if k <= dataset.max_rank]
    # Held-out gain is measured against rank 1, so rank 1 always takes part.
    tested = sorted({1, *ranks}) if request.n_folds else []
    rounds = max(request.n_restarts, request.n_folds, request.n_shuffles, BLOCK_FOLDS**2 if request.bicross else 0)
    block_ranks = [k for k in ranks if k <= block_limit(dataset)] if request.bicross and is_complete(dataset) else []
    null_folds = min(NULL_FOLDS, request.n_folds) if request.n_shuffles else 0
    for i in range(rounds):
        if i < request.n_restarts:
            yield from (("fit", k, i) for k in ranks)
        if i < request.n_folds:
            yield from (("speckle", k, i) for k in tested)
        if i < request.n_shuffles:
            yield from (("shuffle", k, i) for k in ranks)
        if i < null_folds and not isinstance(dataset.mask, str):
            yield from (("null", k, i) for k in tested)
        if i < BLOCK_FOLDS**2:
            yield from (("block", k, i) for k in block_ranks)


def is_complete(dataset: Dataset) -> bool:
    """Whether no cell is missing."""
    return dataset.mask is None


def block_limit(dataset: Dataset) -> int:
    """Return the largest rank that bi-cross-validation can test: two thirds of the smaller side."""
    data = heldout_of(dataset)
    return min(side - -(-side // BLOCK_FOLDS) for side in data.X.shape)


def unfinished(
    request: SweepRequest, dataset: Dataset, pieces: Mapping[Name, Any], best: Mapping[int, tuple[Any, ...]]
) -> list[Name]:
    """Name what is left to compute, in order.

    Only the factors of the best restart of a rank are kept. If the sweep is cut to fewer restarts than were computed, the
    best of those is another one; it is computed once more, before all else.

    Parameters
    ----------
    pieces, best : see :class:`~nmf_core.selection.pieces.SweepState`
    """
    again = []
    for rank in request.ranks:
        done = [
            (piece.loss, i) for i in range(request.n_restarts) if (piece := pieces.get(("fit", rank, i))) is not None
        ]
        if done and best.get(rank, (None,))[0] != min(done)[1]:
            again.append(("fit", rank, min(done)[1]))
    return again + [name for name in planned(request, dataset) if name not in pieces]
