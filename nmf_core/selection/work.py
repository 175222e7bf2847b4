"""A sweep as work: a chain of small pieces that can be watched, stopped, continued and enlarged."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nmf_core.selection.pieces import Name, SweepState, compute, planned
from nmf_core.selection.request import SweepRequest
from nmf_core.types import Chunk, Dataset, Stop

if TYPE_CHECKING:
    from nmf_core.selection.sweep import Sweep

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
        from nmf_core.fit import one_thread

        state = self._start(state)
        pieces, best = dict(state.pieces), dict(state.best)
        names = list(planned(self.request, dataset))
        todo = [name for name in names if name not in pieces]
        deadline = time.perf_counter() + budget
        last: Name | None = None
        with one_thread():
            for name in todo:
                piece, result = compute(name, self.request, dataset)
                pieces[name] = piece
                last = name
                if result is not None:
                    _, rank, restart = name
                    held = best.get(rank)
                    if held is None or (result.loss, restart) < (held[1], held[0]):
                        best[rank] = (restart, result.loss, result.W, result.H)
                if time.perf_counter() >= deadline:
                    break
        left = sum(name not in pieces for name in names)
        stop = Stop.RUNNING if left else Stop.CONVERGED
        done = len(names) - left
        message = (
            ""
            if last is None
            else f"rank {last[1]}, {_WORDS[last[0]]} {last[2] + 1}; {done:,} of {len(names):,} pieces"
        )
        return Chunk(SweepState(state.model_key, pieces, best), stop, done / max(len(names), 1), message)

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
        from nmf_core.selection.sweep import summarize

        return summarize(self.request, dataset, self._start(state), stop)
