"""Small works for the tests of jobs; a module of its own because workers import it by name."""

from __future__ import annotations

import os
import signal
import struct
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nmf_core.kernels.threads import limit
from nmf_core.types import Chunk, Dataset, Stop


@dataclass(frozen=True)
class Walk:
    """Multiplicative updates with a random kick: every step depends on all before it, to the last bit."""

    name: str
    dataset_id: str = ""
    steps: int = 50
    pause: float = 0.01
    rank: int = 3

    @property
    def key(self) -> str:
        return f"walk-{self.name}-{self.steps}-{self.rank}"

    def advance(self, dataset: Dataset, state: Any, budget: float) -> Chunk:
        X = dataset.X
        if state is None:
            rng = np.random.default_rng(7)
            state = {
                "W": rng.random((X.shape[0], self.rank)),
                "H": rng.random((self.rank, X.shape[1])),
                "n": 0,
                "rng": rng,
            }
        W, H, n = state["W"], state["H"], state["n"]
        rng = np.random.default_rng()
        rng.bit_generator.state = state["rng"].bit_generator.state
        end = time.perf_counter() + budget
        while n < self.steps:
            H = H * (W.T @ X) / (W.T @ W @ H + 1e-9)
            W = W * (X @ H.T) / (W @ (H @ H.T) + 1e-9) * (1 + 1e-3 * rng.random(W.shape))
            n += 1
            time.sleep(self.pause)
            if time.perf_counter() >= end:
                break
        state = {"W": W, "H": H, "n": n, "rng": rng}
        return Chunk(state, Stop.RUNNING if n < self.steps else Stop.MAX_ITER, n / self.steps, f"step {n}")

    def news(self, state: Mapping[str, Any]) -> int:
        return state["n"]

    def result(self, dataset: Dataset, state: Mapping[str, Any], stop: Stop) -> dict[str, Any]:
        return {"W": state["W"], "H": state["H"], "n": state["n"], "stop": stop}


@dataclass(frozen=True)
class Endless:
    """Counts its chunks for ever; `stuck` seconds of each are deaf to the budget."""

    name: str
    dataset_id: str = ""
    stuck: float = 0.0

    @property
    def key(self) -> str:
        return f"endless-{self.name}"

    def advance(self, dataset: Dataset, state: Any, budget: float) -> Chunk:
        time.sleep(max(budget, self.stuck))
        n = (state or 0) + 1
        return Chunk(n, Stop.RUNNING, None, f"chunk {n} in {os.getpid()}")

    def result(self, dataset: Dataset, state: Any, stop: Stop) -> tuple[int, Stop]:
        return state, stop


@dataclass(frozen=True)
class Bad:
    """Raises, or kills its worker, at a given chunk."""

    name: str
    how: str
    at: int = 1
    dataset_id: str = ""

    @property
    def key(self) -> str:
        return f"bad-{self.name}-{self.how}"

    def advance(self, dataset: Dataset, state: Any, budget: float) -> Chunk:
        n = (state or 0) + 1
        if n > self.at:
            if self.how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if self.how == "value":
                raise ValueError("rank: 9 is more than this matrix allows")
            if self.how == "memory":
                raise MemoryError
            if self.how == "exit":
                raise SystemExit(3)
            if self.how == "unpicklable":
                return Chunk(lambda: None, Stop.RUNNING)
            raise KeyError("/secret/path")
        return Chunk(n, Stop.RUNNING)

    def result(self, dataset: Dataset, state: Any, stop: Stop) -> Any:
        return state


@dataclass(frozen=True)
class HalfSent(Walk):
    """A walk whose worker is killed once, in the middle of sending a message."""

    flag: str = ""

    def advance(self, dataset: Dataset, state: Any, budget: float) -> Chunk:
        if state is not None and not os.path.exists(self.flag):
            Path(self.flag).touch()
            frame = sys._getframe()
            while "result_queue" not in frame.f_locals:
                frame = frame.f_back
            os.write(frame.f_locals["result_queue"]._writer.fileno(), struct.pack("!i", 1000) + b"half")
            os.kill(os.getpid(), signal.SIGKILL)
        return super().advance(dataset, state, budget)


@dataclass(frozen=True)
class Inside:
    """Tells how the process is set up in which it runs."""

    name: str
    dataset_id: str = ""

    @property
    def key(self) -> str:
        return f"inside-{self.name}"

    def advance(self, dataset: Dataset, state: Any, budget: float) -> Chunk:
        from threadpoolctl import threadpool_info

        blas = [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]
        main = Path(getattr(sys.modules["__main__"], "__file__", "") or "").stem
        threads = limit()
        found = {"threads": threads, "blas": blas, "nice": os.nice(0), "main": main, "pid": os.getpid()}
        return Chunk(found, Stop.CONVERGED)

    def result(self, dataset: Dataset, state: Any, stop: Stop) -> Any:
        return state
