"""How much may be uploaded in a while, by one visitor and by all."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from threading import Lock

from nmf_core.ingest.limits import MB, size
from nmf_core.ingest.reading import Message


@dataclass(slots=True)
class Quota:
    """A sliding window over bytes received; safe to call from many threads. The clock is the caller's.

    Attributes
    ----------
    per_visitor, total : int
        Bytes within the window.
    window : float
        Seconds.
    """

    per_visitor: int = 500 * MB
    total: int = 4000 * MB
    window: float = 3600.0
    _seen: deque[tuple[float, str, int]] = field(default_factory=deque)
    _lock: Lock = field(default_factory=Lock)

    def admit(self, visitor: str, n_bytes: int, now: float) -> Message | None:
        """Count an upload and return None, or return why it has to wait, counting nothing."""
        with self._lock:
            while self._seen and self._seen[0][0] <= now - self.window:
                self._seen.popleft()
            everyone = sum(amount for _, _, amount in self._seen)
            own = sum(amount for _, who, amount in self._seen if who == visitor)
            if own + n_bytes > self.per_visitor:
                return self._wait("You have", own, self.per_visitor)
            if everyone + n_bytes > self.total:
                return self._wait("All visitors together have", everyone, self.total)
            self._seen.append((now, visitor, n_bytes))
            return None

    def _wait(self, who: str, used: int, limit: int) -> Message:
        minutes = max(1, round(self.window / 60))
        return Message(
            "quota",
            f"{who} uploaded {size(used)} within {minutes} minutes; the limit is {size(limit)}",
            hint="Wait a while, or use smaller files",
        )
