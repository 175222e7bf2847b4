"""Measure, print tables, and write ``benchmarks/RESULTS.md`` with its plot.

python -m benchmarks            everything (a quarter of an hour or more)
python -m benchmarks --quick    small problems, two starts, no peers but scikit-learn; under two minutes
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed import extra
from benchmarks.speed.measure import Outcome, compare
from benchmarks.speed.methods import methods
from benchmarks.speed.problems import problems, untuned

FOLDER = Path(__file__).parents[1]


def main() -> None:
    """Run the benchmarks of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under two minutes; writes nothing unless --write")
    parser.add_argument("--only", default="", help="problems whose name contains this")
    parser.add_argument("--seeds", type=int, default=0, help="number of starts")
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the time limits")
    parser.add_argument("--write", action="store_true", help="write RESULTS.md also for a partial run")
    chosen = parser.parse_args()
    from nmf_core import kernels

    kernels.warm_up(wait=True)
    begin = time.time()
    report = Report(chosen)
    found, failing = methods(peers=not chosen.quick)
    alone, _ = methods(peers=False)
    if failing:
        report.text(f"Left out, because they fail here on a matrix of 8 × 6: {'; '.join(failing)}.", "")
    tuned = [p for p in problems() if chosen.only in p.name and (p.quick or not chosen.quick)]
    for problem in tuned:
        seeds = chosen.seeds or (2 if chosen.quick or problem.seconds > 8 else 3)
        report.outcome(compare(problem, found, seeds, chosen.scale * (0.25 if chosen.quick else 1)))
    if not chosen.quick and not chosen.only:
        for problem in untuned():
            report.outcome(compare(problem, alone, chosen.seeds or 2, chosen.scale))
    report.aimed()
    if not chosen.only:
        report.extras(quick=chosen.quick)
    report.text("", f"Took {time.time() - begin:.0f} s.")
    if report.kept:
        report.write()


class Report:
    """Collects lines for the terminal and for RESULTS.md."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        self.lines: list[str] = []
        self.outcomes: list[Outcome] = []
        self.losing: list[str] = []
        self.aims: list[tuple[str, ...]] = []
        self.kept = chosen.write or not (chosen.quick or chosen.only)
        self.text("# Speed: last run", "", *machine(), "")

    def text(self, *lines: str) -> None:
        """Print lines and keep them."""
        for line in lines:
            print(line, flush=True)
        self.lines += lines

    def table(self, head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
        """Add a Markdown table."""
        self.text("| " + " | ".join(head) + " |", "|" + "---|" * len(head))
        self.text(*("| " + " | ".join(row) + " |" for row in rows), "")

    def outcome(self, outcome: Outcome) -> None:
        """Add the table of one problem."""
        problem = outcome.problem
        self.outcomes.append(outcome)
        self.text(f"## {problem.name}", "", f"Best known {'error' if problem.loss == 'frobenius' else 'divergence'} "
                  f"{outcome.best:.6g}; {outcome.seeds} starts.")  # fmt: skip
        for dtype, mine in outcome.iteration.items():
            products = outcome.products[dtype]
            self.text(f"One iteration in {dtype.__name__} {mine * 1e3:.3g} ms, its two products alone "
                      f"{products * 1e3:.3g} ms: {mine / products:.2f} ×.", "")  # fmt: skip
        self.text("")
        head = (
            "method",
            *(f"to {percent(t)}" for t in problem.targets),
            *(f"hits {percent(t)}" for t in problem.targets),
        )
        rows = []
        for row in sorted(outcome.rows, key=lambda r: (-r.hits[problem.main], nan_last(r.seconds[problem.main]))):
            name = (
                f"{row.method.package} {row.method.name}"
                if row.method.package in ("scikit-learn",)
                else row.method.name
            )
            name = f"**{name}**" if row.method.ours else name
            rows.append((name, *(seconds(row.seconds[t]) for t in problem.targets),
                         *(f"{row.hits[t]}/{outcome.seeds}" for t in problem.targets)))  # fmt: skip
        self.table(head, rows)
        ratios = []
        for target in problem.targets:
            ours, theirs = outcome.quickest(target, True), outcome.quickest(target, False, "scikit-learn")
            if ours is None:
                ratios.append(f"{percent(target)}: not reached by ours")
                if theirs is not None:
                    self.losing.append(f"{problem.name}: {percent(target)} reached by {theirs.method.name} only")
            elif theirs is None:
                ratios.append(f"{percent(target)}: scikit-learn never gets there")
            else:
                ratio, cpu = theirs.seconds[target] / ours.seconds[target], theirs.cpu[target] / ours.cpu[target]
                ratios.append(f"{percent(target)}: {ratio:.1f} × by the clock, {cpu:.1f} × in processor time")
                if ratio < 1:
                    self.losing.append(f"{problem.name}: {percent(target)}, {ratio:.2f} × by the clock")
        self.text("Against scikit-learn's quickest: " + "; ".join(ratios) + ".", "")
        if problem.aim is not None:
            self.aims.append(aimed(outcome, *problem.aim))
        if self.kept:  # a run that is cut off leaves what it has
            (FOLDER / "RESULTS.md").write_text("\n".join(self.lines) + "\n")

    def aimed(self) -> None:
        """Add what was aimed at and what was reached."""
        self.text("## What was aimed at", "", "Ours needs scikit-learn's time divided by the aim. Where the two products with X "
                  "of our iterations alone take longer than that, no code for them can reach it.", "")  # fmt: skip
        head = ("problem", "above the best", "aim", "reached", "ours", "ours would need", "its products alone")
        self.table(head, self.aims)

    def extras(self, *, quick: bool) -> None:
        """Add default calls, batches, a fresh process, memory and exactness."""
        small = ("iris r3", "leukemia 5000×38 r3", "digits 1797×64 r10")
        names = small if quick else (*small, "ORL faces 400×2576 r49", "tall 200000×100 r20", "TF-IDF 20000×10000 r30")
        self.text("## Whole default call `NMF(r).fit(X)`", "")
        self.table(extra.DEFAULT_CALLS, extra.default_calls(names))
        if not quick:
            self.text(
                "## Other shapes and losses",
                "",
                "Whole default calls; ratios are medians, our error at most 0.1 % above theirs.",
                "",
            )
            rows, losing = extra.grid()
            self.table(("loss", "cases", "ratio", "ratio to their error", "smallest", "error no higher"), rows)
            self.losing += losing
            self.text(
                "## Missing cells", "", "The default solver against the plain one (HALS), from the same start.", ""
            )
            self.table(("problem", "E-A-HALS", "HALS", "ratio"), extra.missing_cells())
        self.text("## Batches", "")
        self.table(("batch", "ours", "scikit-learn", "ratio", "fits at or below their error"), extra.batches())
        self.text("## Fresh process", "")
        with tempfile.TemporaryDirectory() as folder:
            self.table(("what", "ours", "scikit-learn", "ratio"), extra.fresh_process(Path(folder)))
        if not quick:
            self.text("## Peak memory over the size of X", "")
            self.table(("problem", "ours", "scikit-learn"), extra.memory())
            self.text("## Exact low rank", "")
            self.table(("problem", "ours", "scikit-learn"), extra.exactness())
        self.text("## Where scikit-learn is quicker", "")
        self.text(*(f"- {line}" for line in self.losing or ["nowhere in this run"]))

    def write(self) -> None:
        """Write RESULTS.md and its plot."""
        if self.plot():
            self.lines += ["", "![error against time](results.png)"]
        (FOLDER / "RESULTS.md").write_text("\n".join(self.lines) + "\n")

    def plot(self) -> bool:
        """Draw error against time for every problem, our quickest and scikit-learn's."""
        try:
            import matplotlib

            matplotlib.use("Agg")
            import matplotlib.pyplot as plt
        except ImportError:
            print("matplotlib is not installed: no plot")
            return False
        count = len(self.outcomes)
        columns = 3
        figure, axes = plt.subplots(
            -(-count // columns), columns, figsize=(13, 3 * -(-count // columns)), squeeze=False
        )
        for axis, outcome in zip(axes.flat, self.outcomes, strict=False):
            for ours, colour in ((True, "#0072B2"), (False, "#D55E00")):
                row = outcome.quickest(outcome.problem.main, ours) or next(
                    r for r in outcome.rows if r.method.ours == ours
                )
                c = outcome.curves[row.method.name, 0]
                distance = np.maximum(np.asarray(c.errors) / outcome.best - 1, 1e-9)
                axis.loglog(c.seconds, distance, color=colour, label=row.method.name, lw=1.5)
            axis.set_title(outcome.problem.name, fontsize=9)
            axis.set_ylim(1e-5, 1)
            axis.legend(fontsize=7)
            axis.set_xlabel("seconds", fontsize=8)
            axis.set_ylabel("above best known", fontsize=8)
        for axis in axes.flat[count:]:
            axis.remove()
        figure.tight_layout()
        figure.savefig(FOLDER / "results.png", dpi=80)
        return True


def aimed(outcome: Outcome, target: float, aim: float) -> tuple[str, ...]:
    """Return the row of one problem: how many times quicker than scikit-learn, and what more would take."""
    ours, theirs = outcome.quickest(target, True), outcome.quickest(target, False, "scikit-learn")
    head = (outcome.problem.name, percent(target), f"{aim:g} ×")
    if ours is None:
        return (*head, "ours never gets there", "–", "–", "–")
    counts = []
    for seed in range(outcome.seeds):
        c = outcome.curves[ours.method.name, seed]
        at = c.first(outcome.best * (1 + target))
        counts += [] if at is None else [c.iterations[at]]
    products = float(np.median(counts)) * outcome.products.get(ours.method.dtype, float("nan"))
    mine = seconds(ours.seconds[target])
    if theirs is None:
        return (*head, "scikit-learn never gets there", mine, "–", seconds(products))
    reached = theirs.seconds[target] / ours.seconds[target]
    return (*head, f"{reached:.1f} ×", mine, seconds(theirs.seconds[target] / aim), seconds(products))


def machine() -> list[str]:
    """Describe processor, cores, load and versions."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as file:
            name = next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    from nmf_core.kernels.threads import cores

    parts: list[Any] = [f"Python {platform.python_version()}"]
    for package in ("numpy", "scipy", "scikit-learn", "numba", "tensorly", "nimfa", "nn-fac", "torchnmf"):
        try:
            parts.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            parts.append(f"{package} absent")
    load = f"load average {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    return [f"{name}, {cores()} cores, {load}.", "", ", ".join(parts) + "."]


def percent(value: float) -> str:
    """Return 0.001 as '0.1 %'."""
    return f"{value * 100:g} %"


def seconds(value: float) -> str:
    """Return a time for people."""
    if not np.isfinite(value):
        return "–"
    return f"{value * 1e3:.3g} ms" if value < 1 else f"{value:.3g} s"


def nan_last(value: float) -> float:
    """Return a key that puts NaN at the end."""
    return value if np.isfinite(value) else float("inf")


if __name__ == "__main__":
    main()
