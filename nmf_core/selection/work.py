"""A sweep as work: a chain of small pieces that can be watched, stopped, continued and enlarged."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nmf_core.selection.pieces import KEPT_CELLS, Name, Outcome, SweepState, compute
from nmf_core.selection.plan import planned, unfinished
from nmf_core.selection.request import SweepRequest
from nmf_core.types import Array, Chunk, Dataset, Stop

if TYPE_CHECKING:
    from nmf_core.selection.sweep import Sweep

# Seconds that pieces computed together should take, and how many they may be.
BATCH_SECONDS, MOST = 0.25, 512
_WORDS = {
    "fit": "restart",
    "speckle": "held-out cells",
    "shuffle": "shuffled columns",
    "null": "held-out cells of shuffled columns",
    "block": "held-out block",
}


@dataclass(frozen=True, slots=True)
class SweepWork:
    """A :class:`~nmf_core.types.Work` over the pieces of a :class:`SweepRequest`.

    Started from the state of another sweep with the same model, it computes only what that one lacks.
    """

    request: SweepRequest

    @property
    def key(self) -> str:
        """Digest of everything that decides the result."""
        return self.request.key

    @property
    def dataset_id(self) -> str:
        """The data it runs on."""
        return self.request.model.dataset_id

    def advance(self, dataset: Dataset, state: SweepState | None, budget: float) -> Chunk:
        """Compute pieces for about `budget` seconds, at least one."""
        state = self._start(state)
        pieces, best, heldout = dict(state.pieces), dict(state.best), dict(state.heldout)
        total = sum(1 for _ in planned(self.request, dataset))
        todo = unfinished(self.request, dataset, pieces, best)
        deadline = time.perf_counter() + budget
        last: Name | None = None
        size = 1
        while todo:
            batch, todo = todo[:size], todo[size:]
            began = time.perf_counter()
            for name, outcome in zip(batch, compute(batch, self.request, dataset), strict=True):
                _keep(name, outcome, self.request.n_restarts, pieces, best, heldout)
            last, now = batch[-1], time.perf_counter()
            if now >= deadline:
                break
            # As many at once as take a quarter of a second: threads have enough to share, and Cancel never waits long.
            wanted = min(BATCH_SECONDS, deadline - now) * len(batch) / max(now - began, 1e-6)
            size = int(min(max(wanted, 1), 4 * size, MOST))
        left = len(unfinished(self.request, dataset, pieces, best))
        stop = Stop.RUNNING if left else Stop.CONVERGED
        done = max(total - left, 0)
        message = (
            "" if last is None else f"rank {last[1]}, {_WORDS[last[0]]} {last[2] + 1}; {done:,} of {total:,} pieces"
        )
        return Chunk(SweepState(state.model_key, pieces, best, heldout), stop, done / max(total, 1), message)

    def _start(self, state: SweepState | None) -> SweepState:
        if state is None:
            return SweepState(self.request.model_key)
        if state.model_key != self.request.model_key:
            raise ValueError("sweep: the earlier sweep used another data set or model, so its pieces cannot be reused")
        return state

    def news(self, state: SweepState) -> dict[str, Any]:
        """Return what a page draws while the sweep runs: mean held-out error and best loss per rank so far."""
        ranks = sorted(state.best)
        return {"rank": ranks, "loss": [state.best[k][1] for k in ranks]}

    def result(self, dataset: Dataset, state: SweepState | None, stop: Stop) -> Sweep:
        """Turn any state, also an unfinished one, into a (partial) sweep."""
        from nmf_core.selection.summary import summarize

        return summarize(self.request, dataset, self._start(state), stop)


def _keep(
    name: Name,
    outcome: Outcome,
    n_restarts: int,
    pieces: dict[Name, Any],
    best: dict[int, Any],
    heldout: dict[tuple[int, int], Array],
) -> None:
    """File one computed piece."""
    _, rank, number = name
    pieces[name] = outcome.piece
    if outcome.fit is not None:
        held, result = best.get(rank), outcome.fit
        # A best restart beyond those asked for comes from a larger sweep: it has no place in this one.
        if held is None or held[0] >= n_restarts or (result.loss, number) < (held[1], held[0]):
            best[rank] = (number, result.loss, result.W, result.H)
    if outcome.heldout is not None:
        actual, predicted = (np.array(part[:KEPT_CELLS], dtype=np.float64) for part in outcome.heldout)
        heldout.setdefault((0, number), actual)
        heldout[rank, number] = predicted
