"""What the curves do not show: default calls, batches, a fresh process, memory, exact low rank."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.measure import cast
from benchmarks.speed.problems import exact_low_rank, problems

ROOT = Path(__file__).parents[2]
Table = list[tuple[str, ...]]


DEFAULT_CALLS = (
    "problem", "ours", "scikit-learn", "ratio", "our error over theirs", "ours to their error", "ratio"
)  # fmt: skip


def default_calls(names: tuple[str, ...], repeats: int = 3) -> Table:
    """Compare ``NMF(r).fit(X)`` as it comes, with its own start and stop."""
    from sklearn.decomposition import NMF as Theirs

    from nmf_core.estimator import NMF as Ours

    out: Table = []
    chosen = [p for p in problems() if p.name in names and p.loss == "frobenius"]
    for problem, dtype in ((p, d) for p in chosen for d in (np.float64, np.float32)):
        X = cast(problem.load(), dtype)
        times: dict[str, list[float]] = {"ours": [], "theirs": []}
        errors, reached = {}, []
        for _ in range(repeats):
            for name, cls in (("ours", Ours), ("theirs", Theirs)):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    begin = time.perf_counter()
                    model = cls(problem.rank).fit(X)
                    times[name].append(time.perf_counter() - begin)
                errors[name] = model.reconstruction_err_
                if cls is Ours:
                    trace = model.trace_
            reached.append(times["ours"][-1] - spared(trace, errors["theirs"]))
        ours, theirs, there = np.median(times["ours"]), np.median(times["theirs"]), np.median(reached)
        out.append(
            (
                f"{problem.name}, {dtype.__name__}",
                f"{ours * 1e3:.1f} ms",
                f"{theirs * 1e3:.1f} ms",
                f"{theirs / ours:.1f}",
                f"{errors['ours'] / errors['theirs'] - 1:+.2e}",
                "not in this call" if np.isnan(there) else f"{there * 1e3:.1f} ms",
                "–" if np.isnan(there) else f"{theirs / there:.1f}",
            )
        )
    return out


def spared(trace: Any, error: float) -> float:
    """Return how long before its end a fit had come down to an error; NaN if it never did."""
    hit = np.flatnonzero(np.sqrt(2 * np.maximum(trace.loss, 0)) <= error)
    return float(trace.seconds[-1] - trace.seconds[hit[0]]) if hit.size else float("nan")


def grid() -> tuple[Table, list[str]]:
    """Try default calls on shapes, kinds of data and losses that nobody tuned for.

    Returns a table with a row per loss, and a line for each case in which scikit-learn was quicker to its own error.
    """
    import scipy.sparse as sp
    from sklearn.decomposition import NMF as Theirs

    from nmf_core.estimator import NMF as Ours

    rng = np.random.default_rng(0)

    def low(n: int, m: int) -> Any:
        return rng.gamma(0.7, 1.0, (n, 6)) @ rng.gamma(0.7, 1.0, (6, m)) * rng.gamma(5.0, 0.2, (n, m))

    shapes = ((10, 5), (20, 20), (150, 4), (30, 2000), (2000, 30), (500, 500), (3000, 300))
    data = {f"dense {n} × {m}": low(n, m) for n, m in shapes}
    data["single precision 2000 × 200"] = low(2000, 200).astype(np.float32)
    data["counts 1000 × 200"] = rng.poisson(low(1000, 200)).astype(float)
    for n, m, share in ((100, 50, 0.1), (5000, 2000, 0.01), (300, 20_000, 0.005)):
        data[f"sparse {n} × {m}"] = sp.random(n, m, share, format="csr", random_state=0)
    out: Table = []
    losing = []
    for loss in ("frobenius", "kullback-leibler", "itakura-saito", 0.5, 1.5):
        calls, levels, lower = [], [], []
        for title, X in data.items():
            if loss not in ("frobenius", "kullback-leibler") and (sp.issparse(X) or (X == 0).any()):
                continue
            for rank in (2, 5, 20):
                if rank > min(X.shape):
                    continue
                ours, theirs, traces = [], [], []
                for _ in range(5 if X.shape[0] * X.shape[1] < 10_000 else 2):
                    for times, cls in ((ours, Ours), (theirs, Theirs)):
                        solver = {"solver": "mu"} if cls is Theirs and loss != "frobenius" else {}
                        with warnings.catch_warnings():
                            warnings.simplefilter("ignore")
                            begin = time.perf_counter()
                            model = cls(rank, beta_loss=loss, init="nndsvda", **solver).fit(X)
                            took = time.perf_counter() - begin
                        times.append(took)
                        if cls is Ours:
                            error = model.reconstruction_err_
                            traces.append(model.trace_)
                target = model.reconstruction_err_ * (1 + 1e-3)
                level = min(took - spared(trace, target) for took, trace in zip(ours, traces, strict=True))
                calls.append(min(theirs) / min(ours))
                levels.append(min(theirs) / level if np.isfinite(level) else 0.0)
                lower.append(error <= target)
                if levels[-1] < 1:
                    how = f"{levels[-1]:.2f} × to its error" if levels[-1] else "not down to its error + 0.1 %"
                    losing.append(f"{title}, rank {rank}, {loss if isinstance(loss, str) else f'β = {loss:g}'}: {how}")
        out.append((f"β = {loss:g}" if isinstance(loss, float) else loss, f"{len(calls)}", f"{np.median(calls):.1f}",
                    f"{np.median(levels):.1f}", f"{min(levels):.1f}", f"{np.mean(lower):.0%}"))  # fmt: skip
    return out, losing


def missing_cells() -> Table:
    """Compare the time to 0.1 % of the best known loss with cells missing, our default against plain HALS."""
    import scipy.sparse as sp
    from sklearn.datasets import load_digits

    from nmf_core.fit import fit

    rng = np.random.default_rng(0)
    digits = load_digits().data
    W, H = rng.gamma(0.5, 1.0, (4000, 8)), rng.gamma(0.5, 1.0, (8, 2000))
    rows, columns = rng.integers(0, 4000, 300_000), rng.integers(0, 2000, 300_000)
    values = 1.0 + np.minimum(4.0, np.einsum("ij,ji->i", W[rows], H[:, columns]) * rng.gamma(4.0, 0.25, 300_000))
    ratings = sp.csr_array(sp.coo_array((values, (rows, columns)), shape=(4000, 2000)))
    out: Table = []
    for title, X, rank, fields in (
        ("digits, 30 % missing, r10", digits, 10, {"mask": rng.random(digits.shape) < 0.3}),
        ("digits, random weights, r10", digits, 10, {"weights": rng.random(digits.shape)}),
        ("ratings 4000×2000, 300,000 known, r8", ratings, 8, {"mask": "unstored"}),
    ):
        traces = {}
        for solver in ("eahals", "hals"):
            fit(X, rank=rank, solver=solver, init="random", max_iter=3, tol=0, **fields)
            result = fit(X, rank=rank, solver=solver, init="random", max_iter=2000, tol=0, time_limit=10.0, **fields)
            traces[solver] = result.trace
        best = min(float(trace.loss[-1]) for trace in traces.values())
        seconds = []
        for trace in traces.values():
            hit = np.flatnonzero(trace.loss <= best * 1.001)
            seconds.append(float(trace.seconds[hit[0]]) if hit.size else float("nan"))
        words = [f"{s * 1e3:.0f} ms" if np.isfinite(s) else "not in 10 s" for s in seconds]
        out.append((title, *words, f"{seconds[1] / seconds[0]:.1f}" if np.isfinite(seconds).all() else "–"))
    return out


def batches(repeats: int = 3) -> Table:
    """Compare 180 fits (ranks 2–10 × 20 restarts; iris: 2–4 × 60) at scikit-learn's kind of tolerance."""
    from sklearn.decomposition import non_negative_factorization

    from nmf_core.batch import fit_many
    from nmf_core.types import FitRequest

    out: Table = []
    for problem, dtype in ((p, d) for p in problems()[:3] for d in (np.float64, np.float32)):
        X = cast(problem.load(), dtype)
        ranks = range(2, 5) if X.shape[1] < 10 else range(2, 11)
        seeds = range(180 // len(ranks))
        requests = [
            FitRequest(rank=k, init="random", seed=s, tol=1e-4, max_iter=200, stop_rule="scikit-learn")
            for k in ranks
            for s in seeds
        ]
        ours, theirs, errors = [], [], {}
        for _ in range(repeats):
            begin = time.perf_counter()
            results = fit_many(X, requests)
            ours.append(time.perf_counter() - begin)
        errors["ours"] = [np.sqrt(2 * r.loss) for r in results]
        begin = time.perf_counter()
        errors["theirs"] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for request in requests:
                W, H, _ = non_negative_factorization(
                    X, n_components=request.rank, init="random", random_state=request.seed, tol=1e-4, max_iter=200
                )
                theirs.append((W, H))
        took = time.perf_counter() - begin
        errors["theirs"] = [np.linalg.norm(X - W @ H) for W, H in theirs]
        lower = np.mean(np.asarray(errors["ours"]) <= np.asarray(errors["theirs"]) * 1.0001)
        mine = float(np.median(ours))
        out.append(
            (f"180 fits, {problem.name.split()[0]}, {dtype.__name__}", f"{mine * 1e3:.0f} ms", f"{took * 1e3:.0f} ms",
             f"{took / mine:.1f}", f"{lower:.0%}")
        )  # fmt: skip
    return out


_FRESH = """
import time; begin = time.perf_counter()
{code}
print(time.perf_counter() - begin)
"""
_OURS = """
import numpy as np
from nmf_core.fit import fit
fit(np.load({path!r}), rank=3)
"""
_THEIRS = """
import numpy as np
from sklearn.decomposition import NMF
NMF(3).fit(np.load({path!r}))
"""


def fresh_process(folder: Path, repeats: int = 5) -> Table:
    """Time the first iris result of a new process, imports included (not the start of Python itself)."""
    from sklearn.datasets import load_iris

    path = folder / "iris.npy"
    np.save(path, load_iris().data)
    medians = {}
    for name, code in (("ours", _OURS), ("theirs", _THEIRS)):
        runs = [float(_child(_FRESH.format(code=code.format(path=str(path))))) for _ in range(repeats)]
        medians[name] = float(np.median(runs))
    return [("first iris result", f"{medians['ours']:.2f} s", f"{medians['theirs']:.2f} s",
             f"{medians['theirs'] / medians['ours']:.1f}")]  # fmt: skip


_MEMORY = """
import numpy as np
{code}
def peak():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) * 1024
rng = np.random.default_rng(0)
run(rng.random((100, 20)))
if {sparse}:
    import scipy.sparse as sp
    rows = np.sort(rng.integers(0, {n}, {n} * {m} // 200)).astype(np.int32)
    X = sp.csr_array((rng.random(len(rows)), (rows, rng.integers(0, {m}, len(rows)))), shape=({n}, {m}))
    size = X.data.nbytes + X.indices.nbytes + X.indptr.nbytes
else:
    X = rng.random(({n}, {m}))
    size = X.nbytes
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # the peak starts anew from what is in use now, X included
before = peak()
run(X)
factors = ({n} + {m}) * {r} * 8
print((peak() - before + size) / size, (peak() - before) / factors)
"""
_RUN_OURS = """
from nmf_core.fit import fit
from nmf_core import kernels
kernels.warm_up(["dense", "sparse"], ["float64"], wait=True)
def run(X): fit(X, rank={r}, init="random", max_iter=12, tol=0)
"""
_RUN_THEIRS = """
import warnings; warnings.simplefilter("ignore")
from sklearn.decomposition import NMF
def run(X): NMF({r}, init="random", max_iter=12, tol=0).fit_transform(X)
"""


def memory() -> Table:
    """Return peak memory of a fit (Linux): X itself counts, what was in use before does not."""
    out: Table = []
    for title, n, m, r, sparse in (
        ("dense 20000×784 r50", 20_000, 784, 50, False),
        ("dense 200000×100 r20", 200_000, 100, 20, False),
        ("dense 400×40000 r20", 400, 40_000, 20, False),
        ("sparse 60000×20000, 0.5 %, r20", 60_000, 20_000, 20, True),
    ):
        row = []
        for code in (_RUN_OURS, _RUN_THEIRS):
            script = _MEMORY.format(code=code.format(r=r), n=n, m=m, r=r, sparse=sparse)
            share, factors = map(float, _child(script).split())
            row.append(f"{share:.2f} × X (X + {factors:.1f} × the factors)")
        out.append((title, *row))
    return out


def exactness() -> Table:
    """Return the relative error that 2,000 iterations reach on exact low rank."""
    from sklearn.decomposition import non_negative_factorization

    from nmf_core.fit import fit

    X = exact_low_rank()
    ours = fit(X, rank=8, init="random", max_iter=2000, tol=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        W, H, _ = non_negative_factorization(X, n_components=8, init="random", random_state=0, max_iter=2000, tol=0)
    size = np.linalg.norm(X)
    return [("exact rank 8, 400×120", f"{np.linalg.norm(X - ours.W @ ours.H) / size:.1e}",
             f"{np.linalg.norm(X - W @ H) / size:.1e}")]  # fmt: skip


def _child(script: str) -> str:
    environment: dict[str, Any] = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True, cwd=ROOT
    )
    return done.stdout.strip().splitlines()[-1]
