"""One restart under way: start, step, watch, keep the last good state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from nmf_core.fit_state import FitState
from nmf_core.gradient import kkt_norm
from nmf_core.initialization import DRAW_NOTHING, Start, stream
from nmf_core.kernels.hals import Rule
from nmf_core.problem import Problem
from nmf_core.solvers.base import Solver
from nmf_core.stopping import CHECK_EVERY, compiled_rule, verdict
from nmf_core.types import Array, FitRequest, State, Stop


class Restart:
    """One restart under way, mutable while `advance` lasts."""

    def __init__(
        self, problem: Problem, request: FitRequest, solver: Solver, state: FitState, clock: Callable[[], float]
    ) -> None:
        self.problem, self.request, self.solver, self.before, self.clock = problem, request, solver, state, clock
        self.current = state.current
        self.number = len(state.losses) if state.current is None else state.running
        self.losses: list[float] = [] if state.current is None else state.losses[self.number].tolist()
        self.seconds: list[float] = [] if state.current is None else state.seconds[self.number].tolist()
        self.first_kkt = float("nan") if state.current is None else state.first_kkt[self.number]
        self.earlier = state.spent - (self.seconds[-1] if self.seconds else 0.0)

    def go(self, deadline: float, W: Array | None, H: Array | None) -> FitState:
        """Iterate until a rule stops the restart or the deadline passes."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
            if self.current is None:
                self._start(W, H)
            if self.request.stop_rule == "kkt" and not np.isfinite(self.first_kkt):
                start = self.current
                if start is None or start.n_iter > 0:
                    start = self.solver.init(self.problem, self._begin(W, H).of(self.problem), None)
                self.first_kkt = kkt_norm(self.problem, start.W, start.H)
            stop = self._check()
            while stop is Stop.RUNNING:
                stop = self._check() if self._step(deadline) else Stop.NONFINITE
                if self.clock() >= deadline:
                    break
        return self._packed(stop)

    def open(self) -> Rule | None:
        """Begin, and return the rule by which compiled loops would end it; None: it takes more than that to run it."""
        self._start(None, None)
        assert self.current is not None
        if self.request.time_limit is not None or self.solver.look_every != CHECK_EVERY:
            return None
        return compiled_rule(self.problem, self.request, self.current, self.losses)

    def close(self, after: State, losses: list[float], seconds: float) -> FitState:
        """Return the state of a restart that a compiled loop has run."""
        finite = self._take(after, losses, len(losses), lambda: seconds)
        return self._packed(self._check() if finite else Stop.NONFINITE)

    def _begin(self, W: Array | None, H: Array | None) -> Start:
        request = self.request
        zeros = self.solver.keeps_zeros
        turn = self.number + (0 if request.init in DRAW_NOTHING else request.seed)
        return Start(request.rank, request.init, request.seed, self.number, W, H, zeros, turn)

    @property
    def keeps_start(self) -> bool:
        """Whether the start is the caller's own, who did not ask for a rough one: it must not be left for a poorer one."""
        asked = dict(self.request.options).get("sample", False)
        return self.request.init == "custom" and self.number == 0 and not asked

    def _start(self, W: Array | None, H: Array | None) -> None:
        begin = self.clock()
        rng = stream(self.request.seed, self.number) if self.solver.draws else None
        start = self._begin(W, H)
        if self.keeps_start:
            state = self.solver.init(self.problem, start.of(self.problem), rng)
        else:
            state = self.solver.begin(self.problem, start, rng)
        if not np.isfinite(state.loss):
            raise ValueError("The loss is not finite at the start: rescale X, or take another initialization.")
        self.current, self.losses, self.seconds = state, [state.loss], [self.clock() - begin]

    def _step(self, deadline: float) -> bool:
        """Make steps up to the next check, fewer if the deadline is near; False: a value was not finite."""
        assert self.current is not None
        before, begin = self.current, self.clock()
        n_iter = before.n_iter
        look = self.solver.look_every
        count = min(self._affordable(deadline - begin), self.request.max_iter - n_iter)
        rule = None
        if count > look and n_iter % look == 0 and look == CHECK_EVERY:
            rule = compiled_rule(self.problem, self.request, before, self.losses)
        if rule is None:
            count = min(count, look - n_iter % look)
            after, losses = self.solver.many(self.problem, before, count)
        else:
            after, losses = self.solver.until(self.problem, before, count, rule)
            count = len(losses)
        return self._take(after, losses, count, lambda: self.clock() - begin)

    def _take(self, after: State, losses: list[float], count: int, seconds: Callable[[], float]) -> bool:
        """Go on from where some steps led, or from the last good one; False: a value was not finite."""
        before = self.current
        assert before is not None
        if not np.isfinite(losses).all():
            good = int(np.argmin(np.isfinite(losses)))
            after, losses = self.solver.many(self.problem, before, good) if good else (before, [])
        took, spent = seconds(), self.seconds[-1]
        self.current = after
        self.losses += losses
        self.seconds += (spent + took * np.arange(1, len(losses) + 1) / max(len(losses), 1)).tolist()
        return len(losses) == count

    def _affordable(self, left: float) -> int:
        """Return how many iterations fit into the time left, judged by those so far."""
        if self.request.time_limit is not None:
            left = min(left, self.request.time_limit - self.earlier - self.seconds[-1])
        if left == float("inf"):
            return self.request.max_iter
        done = len(self.seconds) - 1
        if done == 0:
            return 1
        each = (self.seconds[-1] - self.seconds[0]) / done
        count = int(min(left / each, self.request.max_iter)) if each > 0 else self.request.max_iter
        return max(1, count if count < CHECK_EVERY else count - count % CHECK_EVERY)

    def _check(self) -> Stop:
        """Say whether the restart is over."""
        assert self.current is not None
        return verdict(
            self.problem,
            self.request,
            self.current,
            self.losses,
            first_kkt=self.first_kkt,
            spent=self.earlier + self.seconds[-1],
        )

    def _packed(self, stop: Stop) -> FitState:
        before, i = self.before, self.number

        def put(values: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
            return (*values[:i], value, *values[i + 1 :])

        state = FitState(
            self.current,
            i,
            put(before.losses, np.array(self.losses)),
            put(before.seconds, np.array(self.seconds)),
            put(before.stops, stop),
            put(before.first_kkt, self.first_kkt),
            before.best,
            before.best_restart,
            before.model,
        )
        if stop is Stop.RUNNING:
            return state
        best, best_restart = state.leading
        return replace(state, current=None, best=best, best_restart=best_restart)
