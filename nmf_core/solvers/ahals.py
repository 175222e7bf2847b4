"""Accelerated HALS: several passes per product with X."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from nmf_core.problem import Problem
from nmf_core.solvers.base import Solver, option
from nmf_core.solvers.hals import gram_step
from nmf_core.types import State


@dataclass(frozen=True)
class AcceleratedHals(Solver):
    """HALS that repeats its cheap passes while the costly products with X are at hand."""

    name: ClassVar[str] = "ahals"
    label: ClassVar[str] = "Accelerated HALS"
    help: ClassVar[str] = "HALS with several cheap passes per costly product; never rises."
    order: ClassVar[int] = 15
    REFERENCE: ClassVar[str] = (
        "N. Gillis and F. Glineur (2012), Accelerated multiplicative updates and hierarchical ALS algorithms for "
        "nonnegative matrix factorization, Neural Computation 24(4)"
    )

    inner: int = option(3, label="Passes", low=1, high=100, help="Passes over a factor per product with X.")

    def step(self, problem: Problem, state: State) -> State:
        """Return the state after `inner` passes over W and as many over H."""
        return gram_step(problem, state, passes_W=self.inner, passes_H=self.inner)
