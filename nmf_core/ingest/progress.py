"""How far a reading is: told by the child, a line at a time, and believed only as far as a stage and a share."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import IO

#: Stage → words for people. A child may name these and no others.
STAGES = {
    "start": "Starting the reader",
    "unpack": "Unpacking",
    "read": "Reading",
    "arrange": "Arranging rows and columns",
    "hand": "Handing the matrix over",
}
EVERY = 0.1  # seconds between two lines
Tell = Callable[[str, float], None]
#: Called about ten times a second with a stage and its share (0 to 1); False ends the reading.
Watch = Callable[[str, float], bool | None]


def silent(stage: str, share: float) -> None:
    """Tell nobody."""


class Reporter:
    """Writes progress to a file descriptor, at most ten lines a second."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.last = 0.0
        self.stage = ""

    def __call__(self, stage: str, share: float) -> None:
        """Write one line, unless the last one is too young."""
        now = time.monotonic()
        if stage == self.stage and now - self.last < EVERY and share < 1:
            return
        self.stage, self.last = stage, now
        try:
            os.write(self.fd, f"{stage} {share:.4f}\n".encode())
        except OSError:  # nobody listens any more
            self.fd = -1


class Listener:
    """Keeps the latest progress that a child has told; whatever else it writes is thrown away."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self.pipe = pipe
        self.stage, self.share = "start", 0.0

    def run(self) -> None:
        """Read until the pipe ends."""
        rest = b""
        try:
            while chunk := os.read(self.pipe.fileno(), 4096):
                *lines, rest = (rest + chunk).split(b"\n")
                rest = rest[-100:]
                for line in lines:
                    self.take(line)
        except (OSError, ValueError):  # closed under our hands
            return

    def take(self, line: bytes) -> None:
        """Believe a line that names a known stage and a number between 0 and 1."""
        stage, _, share = line[:60].decode("ascii", "replace").partition(" ")
        try:
            value = float(share)
        except ValueError:
            return
        if stage in STAGES and 0 <= value <= 1:
            self.stage, self.share = stage, value
