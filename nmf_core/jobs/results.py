"""Finished results by key, as many as fit into a limit of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from nmf_core.jobs.parking import nbytes


class Results:
    """A store that forgets what was used longest ago; the newest result is always kept, whatever its size.

    Parameters
    ----------
    max_bytes : int
    on_evict : callable, optional
        Called with the key of each result that had to go.
    """

    def __init__(self, max_bytes: int, on_evict: Callable[[str], None] | None = None) -> None:
        self.max_bytes = max_bytes
        self._on_evict = on_evict
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self._bytes = 0

    def put(self, key: str, result: Any) -> None:
        """Keep a result."""
        size = nbytes(result)
        gone = []
        with self._lock:
            self._bytes += size - self._kept.pop(key, (None, 0))[1]
            self._kept[key] = (result, size)
            while self._bytes > self.max_bytes and len(self._kept) > 1:
                old, (_, old_size) = self._kept.popitem(last=False)
                self._bytes -= old_size
                gone.append(old)
        for old in gone:
            if self._on_evict is not None:
                self._on_evict(old)

    def get(self, key: str) -> Any | None:
        """Return the result, or None."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    @property
    def bytes(self) -> int:
        """Bytes kept."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._kept)
