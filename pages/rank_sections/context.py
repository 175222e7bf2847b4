"""What every section of the page Rank draws from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmf_core import Dataset, FitRequest
from nmf_core.catalog import DatasetInfo
from nmf_core.selection import Advice, Sweep


@dataclass(frozen=True, slots=True)
class View:
    """One sweep with its advice, and the rank the visitor looks at."""

    dataset: Dataset
    info: DatasetInfo | None
    request: FitRequest
    sweep: Sweep
    advice: Advice

    @property
    def rank(self) -> int:
        """The rank looked at: the model's if the sweep holds it, else the nearest one."""
        ranks = np.array(self.sweep.ranks)
        return int(ranks[np.argmin(np.abs(ranks - self.request.rank))])
