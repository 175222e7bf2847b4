"""Where a fit stands between two chunks of work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nmf_core.types import Array, State, Stop


@dataclass(frozen=True, slots=True)
class FitState:
    """Where a fit stands between two chunks; picklable.

    Attributes
    ----------
    current : State or None
        Of the restart under way.
    running : int
        Its number.
    losses, seconds : tuple of ndarray
        One entry per begun restart, each of length n_iter + 1.
    stops : tuple of Stop
        One per begun restart.
    first_kkt : tuple of float
        Projected gradient norm at each start; NaN where nobody looked.
    best : State or None
    best_restart : int
        Of the finished restarts.
    model : tuple
        What must be equal for a later request to go on from here.
    """

    current: State | None = None
    running: int = 0
    losses: tuple[Array, ...] = ()
    seconds: tuple[Array, ...] = ()
    stops: tuple[Stop, ...] = ()
    first_kkt: tuple[float, ...] = ()
    best: State | None = None
    best_restart: int = 0
    model: tuple[Any, ...] = ()

    @property
    def spent(self) -> float:
        """Seconds of computing so far, over all restarts."""
        return float(sum(s[-1] for s in self.seconds))

    @property
    def leading(self) -> tuple[State | None, int]:
        """The best state so far, the restart under way included, and its number."""
        if self.current is not None and (self.best is None or self.current.loss < self.best.loss):
            return self.current, self.running
        return self.best, self.best_restart
