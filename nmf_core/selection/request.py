"""What a sweep over ranks computes: the settings that decide its numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from nmf_core.types import MAX_RANK, MAX_RESTARTS, FitRequest

SPECKLE_SHARE = 0.1
BLOCK_FOLDS = 3


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """Ranks × restarts, and which kinds of evidence to gather.

    Attributes
    ----------
    ranks : tuple of int
        Sorted, without repeats.
    n_restarts : int
        Random starts per rank. Restart i is the fit ``model.with_(rank=k, init="random", seed=model.seed + i)``.
    model : FitRequest
        Solver, loss, penalties, tolerance, seed and ``dataset_id``; its rank, init and restarts are not used.
    n_folds : int
        Sets of held-out cells, 10 % of the known cells each (0: none, 10: every cell once).
    n_shuffles : int
        Copies with permuted columns for the baseline (0: none).
    bicross : bool
        Bi-cross-validation on a 3 × 3 grid of blocks.

    Raises
    ------
    ValueError
        If a number lies outside its limits; the sentence names the field.
    """

    ranks: tuple[int, ...] = tuple(range(1, 9))
    n_restarts: int = 10
    model: FitRequest = field(default_factory=FitRequest)
    n_folds: int = 10
    n_shuffles: int = 2
    bicross: bool = True

    def __post_init__(self) -> None:
        ranks = tuple(sorted({int(k) for k in self.ranks}))
        if not ranks or ranks[0] < 1 or ranks[-1] > MAX_RANK:
            raise ValueError(f"ranks: must be whole numbers from 1 to {MAX_RANK}, not {self.ranks!r}")
        object.__setattr__(self, "ranks", ranks)
        for name, low, high in (("n_restarts", 1, MAX_RESTARTS), ("n_folds", 0, 10), ("n_shuffles", 0, 20)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ValueError(f"{name}: must be a whole number from {low} to {high}, not {value!r}")
        neutral = self.model.with_(rank=1, init="random", n_restarts=1, time_limit=None)
        object.__setattr__(self, "model", neutral)

    @classmethod
    def over(cls, ranks: Iterable[int], model: FitRequest | None = None, **more: Any) -> SweepRequest:
        """Build a request from any iterable of ranks."""
        return cls(tuple(ranks), model=FitRequest() if model is None else model, **more)

    @property
    def model_key(self) -> str:
        """Digest of all that decides a single piece; sweeps with the same one can share pieces."""
        return self.model.key

    @property
    def key(self) -> str:
        """Digest of everything that decides the result."""
        plain = [list(self.ranks), self.n_restarts, self.model_key, self.n_folds, self.n_shuffles, self.bicross]
        return "sweep-" + hashlib.blake2b(json.dumps(plain).encode(), digest_size=12).hexdigest()

    def fit_request(self, rank: int, restart: int) -> FitRequest:
        """Return the request that repeats one restart of the sweep on its own."""
        return self.model.with_(rank=rank, init="random", seed=(self.model.seed + restart) % 2**32)

    def with_(self, **changes: Any) -> SweepRequest:
        """Return a copy with some fields changed (and checked again)."""
        return replace(self, **changes)
