"""Curves of error against time, and the time to a target."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.speed.methods import Method, asked
from benchmarks.speed.problems import Problem
from nmf_core.loss import objective
from nmf_core.problem import prepare
from nmf_core.types import LOSSES, is_sparse

# Below this many seconds a time is taken anew: a fresh call with the number of iterations that the target takes.
RETIME = 0.5
REPEATS = 5


@dataclass
class Curve:
    """One method from one start.

    Attributes
    ----------
    iterations, seconds, cpu, errors : list
        After each look; errors are ‖X − WH‖ or the divergence, in double precision.
    """

    iterations: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)

    def first(self, level: float) -> int | None:
        """Return the index of the first look at or below a level."""
        hits = np.flatnonzero(np.asarray(self.errors) <= level)
        return int(hits[0]) if hits.size else None


def start(X: Any, rank: int, seed: int) -> tuple[Any, Any]:
    """Return a random start with scikit-learn's scale."""
    rng = np.random.RandomState(seed)
    level = np.sqrt(X.mean() / rank)
    return (
        np.abs(level * rng.standard_normal((X.shape[0], rank))),
        np.abs(level * rng.standard_normal((rank, X.shape[1]))),
    )


class Judge:
    """Takes the error of W and H in double precision, off the clock."""

    def __init__(self, X: Any, loss: str) -> None:
        self.problem, self.frobenius = prepare(X, beta=LOSSES[loss]), loss == "frobenius"

    def __call__(self, W: Any, H: Any) -> float:
        W, H = np.asarray(W, dtype=np.float64), np.asarray(H, dtype=np.float64)
        value = objective(self.problem, np.ascontiguousarray(W), np.ascontiguousarray(H))
        return float(np.sqrt(2.0 * max(value, 0.0))) if self.frobenius else value


def cast(X: Any, dtype: type) -> Any:
    """Return X in a precision, C order or CSR."""
    return X.astype(dtype) if is_sparse(X) else np.ascontiguousarray(X, dtype=dtype)


def timed(method: Method, X: Any, W: Any, H: Any, loss: str, iterations: int) -> tuple[Any, Any, float, float]:
    """Run a method and return W, H, wall-clock and processor seconds."""
    with threadpool_limits(1 if method.ours else method.threads):
        cpu, wall = time.process_time(), time.perf_counter()
        W, H = method.run(X, W, H, loss, iterations)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return W, H, wall, cpu


def curve(
    method: Method, X: Any, W: Any, H: Any, problem: Problem, judge: Judge, stop_at: float, limit: float
) -> Curve:
    """Run until `stop_at` is reached or `limit` seconds are spent."""
    X, W, H = cast(X, method.dtype), W.astype(method.dtype), H.astype(method.dtype)
    out = Curve()
    if method.ours:
        return _ours(method, X, W, H, problem, judge, stop_at, limit)
    chunk, wall, cpu, done = 1, 0.0, 0.0, 0
    while wall < limit and done < 20_000:
        try:
            W, H, w, c = timed(method, X, W, H, problem.loss, chunk)
        except Exception as error:  # a peer that fails on a problem is a result, too
            print(f"      {method.name}: {type(error).__name__}: {error}")
            break
        done, wall, cpu = done + chunk, wall + w, cpu + c
        out.iterations.append(done)
        out.seconds.append(wall)
        out.cpu.append(cpu)
        out.errors.append(judge(W, H))
        if out.errors[-1] <= stop_at or not np.isfinite(out.errors[-1]):
            break
        if len(out.errors) > 6 and abs(out.errors[-1] / out.errors[-6] - 1) < 1e-9:
            break
        chunk = max(1, done // 8)
    return out


def _ours(
    method: Method, X: Any, W: Any, H: Any, problem: Problem, judge: Judge, stop_at: float, limit: float
) -> Curve:
    """Take the whole curve from the trace of one run: its seconds count computing only."""
    from nmf_core.fit import fit

    solver = method.name.split()[0]
    frobenius = problem.loss == "frobenius"
    settings = {"rank": len(H), "solver": solver, "loss": problem.loss, "init": "custom", "tol": 0, "max_iter": 20_000}
    settings["options"] = asked(solver)

    def reached(state: Any, chunk: Any) -> bool:
        loss = state.current.loss if state.current is not None else state.best.loss
        return (np.sqrt(2 * loss) if frobenius else loss) <= stop_at

    with threadpool_limits(1):
        cpu = time.process_time()
        result = fit(X, W=W, H=H, time_limit=limit, callback=reached, **settings)
        cpu = time.process_time() - cpu
    errors = np.sqrt(2 * np.maximum(result.trace.loss, 0)) if frobenius else result.trace.loss
    last = judge(result.W, result.H)
    errors = errors[1:] * (last / errors[-1] if errors[-1] > 0 else 1.0)  # single precision: put right by the exact end
    seconds = result.trace.seconds[1:]
    return Curve(list(range(1, len(errors) + 1)), list(seconds), list(cpu * seconds / seconds[-1]), list(errors))


def retime(
    method: Method, X: Any, W: Any, H: Any, loss: str, iterations: int, repeats: int = REPEATS
) -> tuple[float, float]:
    """Return the median wall-clock and processor seconds of fresh calls."""
    X, W, H = cast(X, method.dtype), W.astype(method.dtype), H.astype(method.dtype)
    runs = [timed(method, X, W, H, loss, iterations)[2:] for _ in range(repeats)]
    return tuple(float(np.median([run[i] for run in runs])) for i in (0, 1))  # type: ignore[return-value]


@dataclass
class Row:
    """One method on one problem: per target the number of starts that got there, and median seconds."""

    method: Method
    hits: dict[float, int]
    seconds: dict[float, float]
    cpu: dict[float, float]


@dataclass
class Outcome:
    """All methods on one problem."""

    problem: Problem
    seeds: int
    best: float
    rows: list[Row]
    curves: dict[tuple[str, int], Curve]
    iteration: dict[type, float] = field(default_factory=dict)
    products: dict[type, float] = field(default_factory=dict)

    def quickest(self, target: float, ours: bool, package: str | None = None) -> Row | None:
        """Return the row with the most hits and, among those, the least time."""
        rows = [
            r
            for r in self.rows
            if r.method.ours == ours and r.hits[target] and (package is None or r.method.package == package)
        ]
        return min(rows, key=lambda r: (-r.hits[target], r.seconds[target]), default=None)


def compare(problem: Problem, methods: Sequence[Method], seeds: int, scale: float = 1.0) -> Outcome:
    """Run all methods that take the problem, from the same starts, seed by seed."""
    X = problem.load()
    judge = Judge(X, problem.loss)
    used = [m for m in methods if m.takes(X, problem.loss)]
    limit = problem.seconds * scale
    curves: dict[tuple[str, int], Curve] = {}
    starts = {seed: start(X, problem.rank, seed) for seed in range(seeds)}
    best = np.inf
    for seed in range(seeds):
        W, H = starts[seed]
        for i, method in enumerate(sorted(used, key=lambda m: not m.ours)):
            stop_at = 0.0 if method.ours and i == 0 else best * (1 + min(problem.targets) / 2)
            curves[method.name, seed] = c = curve(method, X, W, H, problem, judge, stop_at, limit)
            best = min(best, min((e for e in c.errors if np.isfinite(e)), default=np.inf))
    rows = []
    for method in used:
        row = Row(method, {}, {}, {})
        for target in problem.targets:
            level = best * (1 + target)
            at = {s: k for s in range(seeds) if (k := curves[method.name, s].first(level)) is not None}
            times = {s: (curves[method.name, s].seconds[k], curves[method.name, s].cpu[k]) for s, k in at.items()}
            for s, k in at.items():
                if times[s][0] < RETIME:
                    n = curves[method.name, s].iterations[k]
                    times[s] = retime(method, X, *starts[s], problem.loss, n, REPEATS if times[s][0] < 0.1 else 2)
            row.hits[target] = len(at)
            row.seconds[target] = float(np.median([t[0] for t in times.values()])) if times else float("nan")
            row.cpu[target] = float(np.median([t[1] for t in times.values()])) if times else float("nan")
        rows.append(row)
    outcome = Outcome(problem, seeds, float(best), rows, curves)
    if problem.loss == "frobenius":
        for dtype in (np.float64, np.float32):
            outcome.iteration[dtype], outcome.products[dtype] = _per_iteration(X, *starts[0], problem, dtype)
    return outcome


def _per_iteration(X: Any, W: Any, H: Any, problem: Problem, dtype: type) -> tuple[float, float]:
    """Return seconds of one of our iterations and of the two products it cannot avoid, interleaved."""
    from nmf_core.fit import fit

    X, W, H = cast(X, dtype), W.astype(dtype), H.astype(dtype)
    XT = X.T.tocsr() if is_sparse(X) else X.T
    ours, needed = [], []
    size = X.shape[0] * X.shape[1]
    count = 200 if size < 2e5 else 40 if size < 1e7 else 20  # a call begins with copies of the factors
    for _ in range(5 if size < 1e7 else 3):
        result = fit(X, W=W, H=H, rank=len(H), solver="eahals", init="custom", tol=0, max_iter=count)
        ours.append((result.trace.seconds[-1] - result.trace.seconds[0]) / result.n_iter)
        for threads in (1, 2):
            with threadpool_limits(threads):
                begin = time.perf_counter()
                for _ in range(count):
                    X @ H.T
                    XT @ W
                needed.append((time.perf_counter() - begin) / count)
    return min(ours), min(needed)
