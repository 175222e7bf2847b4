"""What a solver is: a frozen dataclass whose fields are its options, with `init` and `step`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Protocol

from nmf_core.kernels.hals import Rule
from nmf_core.loss import objective
from nmf_core.problem import Problem
from nmf_core.types import Array, State

FROBENIUS = frozenset({2.0})


def option(
    default: Any,
    *,
    label: str,
    help: str,
    low: float | None = None,
    high: float | None = None,
) -> Any:
    """Declare one option of a solver: a dataclass field that knows its label, limits and one line of help."""
    return field(default=default, metadata={"label": label, "help": help, "low": low, "high": high})


class Start(Protocol):
    """A start that is drawn when it is asked for (see :class:`nmf_core.initialization.Start`)."""

    @property
    def rank(self) -> int:
        """Number of components."""

    @property
    def turn(self) -> int:
        """Which sample of X goes with it: restarts that all saw the same would agree too well."""

    def of(self, problem: Problem) -> tuple[Array, Array]:
        """Return W and H."""

    def drawn(self, problem: Problem) -> Start:
        """Return the same start, drawn now."""

    def some(self, lines: Array, wide: bool) -> Start:
        """Return the start of some rows of X, or of some columns if wide."""


@dataclass(frozen=True)
class Solver:
    """Base of all solvers; the class says what it can do, the value says how.

    Attributes
    ----------
    name, label, help : str
        Registry name, name for people, and one line: when to use it.
    losses : frozenset of float or None
        Values of β it minimizes; None: every β.
    monotone : bool
        The objective never rises (beyond rounding).
    supports_mask, supports_sparse, supports_penalty : bool
        Missing or weighted cells (dense, and unstored cells of sparse X); CSR input; L1/L2 penalties.
    keeps_zeros : bool
        Entries of W and H that start at 0 stay 0.
    draws : bool
        Its steps draw random numbers, so the state carries a generator.
    order : int
        Rank among equals: the first that fits is what ``"auto"`` takes.
    look_every : int
        The stop rules look at the state after so many iterations (at ten and its multiples in any case).
    REFERENCE : str
        The paper.
    """

    name: ClassVar[str] = ""
    label: ClassVar[str] = ""
    help: ClassVar[str] = ""
    losses: ClassVar[frozenset[float] | None] = FROBENIUS
    monotone: ClassVar[bool] = True
    supports_mask: ClassVar[bool] = False
    supports_sparse: ClassVar[bool] = True
    supports_penalty: ClassVar[bool] = True
    keeps_zeros: ClassVar[bool] = False
    draws: ClassVar[bool] = False
    order: ClassVar[int] = 100
    look_every: ClassVar[int] = 10
    REFERENCE: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for f in fields(self):
            value, low, high = getattr(self, f.name), f.metadata.get("low"), f.metadata.get("high")
            whole = isinstance(f.default, int)
            if isinstance(f.default, bool):
                if not isinstance(value, bool):
                    raise ValueError(f"{self.name}: option {f.name} must be true or false, not {value!r}")
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float)) or (whole and int(value) != value):
                kind = "a whole number" if whole else "a number"
                raise ValueError(f"{self.name}: option {f.name} must be {kind}, not {value!r}")
            if (low is not None and not value >= low) or (high is not None and not value <= high):
                raise ValueError(f"{self.name}: option {f.name} must lie from {low} to {high}, not {value!r}")

    @classmethod
    def handles(cls, beta: float) -> bool:
        """Tell whether it minimizes D_β."""
        return cls.losses is None or beta in cls.losses

    @classmethod
    def options(cls) -> dict[str, Any]:
        """Return its options by name: dataclass fields whose metadata hold label, help, low and high."""
        return {f.name: f for f in fields(cls)}

    def init(self, problem: Problem, start: tuple[Array, Array], rng: Any) -> State:
        """Return the state before the first step.

        Parameters
        ----------
        problem : Problem
        start : tuple of ndarray
            W of shape (n_samples, rank) and H of shape (rank, n_features).
        rng : numpy.random.RandomState or None
            For solvers that draw; seeded alike for alike requests.
        """
        W, H = start
        return State(W, H, 0, objective(problem, W, H), rng)

    def begin(self, problem: Problem, start: Start, rng: Any) -> State:
        """Return a state to begin with that may lie further on than `start`; one worth keeping goes to `init`."""
        return self.init(problem, start.of(problem), rng)

    def step(self, problem: Problem, state: State) -> State:
        """Return the state one iteration later; the given state and its arrays are left as they are."""
        raise NotImplementedError

    def many(self, problem: Problem, state: State, count: int) -> tuple[State, list[float]]:
        """Make `count` steps at once and return the last state and the loss after each.

        A compiled whole loop overrides this; it must give the same bits however `count` cuts the run.
        """
        losses = []
        for _ in range(count):
            state = self.step(problem, state)
            losses.append(state.loss)
        return state, losses

    def until(self, problem: Problem, state: State, count: int, rule: Rule | None) -> tuple[State, list[float]]:
        """Make up to `count` steps and end where `rule` says so; at most ``rule.every`` if nobody looks at it.

        A compiled whole loop overrides this: it saves the way back here between looks.
        """
        return self.many(problem, state, count if rule is None else min(count, rule.every))

    def shares(self, problem: Problem, rank: int) -> bool:
        """Tell whether fits of a problem may run in one compiled call, by `until_each`."""
        return False

    def until_each(
        self, problem: Problem, states: Sequence[State], count: int, rules: Sequence[Rule]
    ) -> list[tuple[State, list[float]]]:
        """Do for many states of one rank what `until` does for one, in one compiled call; only where `shares` is true.

        Rules differ in `first` alone.
        """
        raise NotImplementedError
