"""What a page may know about a job: a frozen snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nmf_core.types import Stop


@dataclass(frozen=True, slots=True)
class JobView:
    """One job at one moment, as one visitor sees it.

    Attributes
    ----------
    key : str
        ``Work.key``.
    stop : Stop
        ``RUNNING`` while it waits or computes; else why it ended. ``str(view.stop)`` is a sentence for people.
    version : int
        Grows with every change: a page draws anew only when it differs from the one drawn last.
    progress : float or None
        Share done from 0 to 1, if the work knows it. For a fit it is the share of the iterations *allowed*.
    message : str
        One short line from the work; after a failure, what to tell people.
    seconds : float
        Seconds of computing so far (waiting not counted).
    eta : float or None
        Estimated seconds of waiting until progress is 1, at the pace of the last chunks.
    place : int
        0 once the job has had its first turn; until then its place in the queue, from 1.
    chunks : int
        Chunks finished.
    retries : int
        Chunks computed again because a worker process died.
    viewers : int
        Visitors who look at it.
    news : object
        What ``Work.news(state)`` said of the latest state, for live display; None if the work has no such method.
    has_state : bool
        There is a state, so a partial result can be had and the job can be resumed where it is.
    report : str
        Number of the report in the log, after a failure; empty otherwise.
    """

    key: str
    stop: Stop = Stop.RUNNING
    version: int = 0
    progress: float | None = None
    message: str = ""
    seconds: float = 0.0
    eta: float | None = None
    place: int = 0
    chunks: int = 0
    retries: int = 0
    viewers: int = 0
    news: Any = None
    has_state: bool = False
    report: str = ""

    @property
    def running(self) -> bool:
        """It waits for its turn or computes."""
        return self.stop is Stop.RUNNING

    @property
    def finished(self) -> bool:
        """It came to its own end, so ``Manager.result`` has (or had) the result."""
        return self.stop in FINISHED

    @property
    def resumable(self) -> bool:
        """``Manager.resume`` would set it going again."""
        return self.stop in RESUMABLE


RESUMABLE = frozenset({Stop.CANCELLED, Stop.ABANDONED, Stop.FAILED})
FINISHED = frozenset(Stop) - RESUMABLE - {Stop.RUNNING}
