"""How often does the advice hit the true rank? Synthetic data, each criterion alone, the rule, and peers.

    python -m benchmarks.rank_advice [--sets 107] [--out benchmarks/rank_advice.jsonl]

Every line of the JSON file is one data set; a second run goes on where the first stopped. Peers' rules:

* *cophenetic-only*: the rank with the highest cophenetic correlation, and the readings that nimfa's documentation names
  (see ``rank_rules.py``), here on our own fits; ``rank_peers.py`` runs nimfa and cvanmf themselves;
* *elbow-only*: the largest bend of the error curve.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.rank_data import NOISE, UNSEEN, jobs, make
from benchmarks.rank_rules import first_fall, random_gain
from nmf_core import Dataset, kernels
from nmf_core.selection import advise, sweep


def measure(X: np.ndarray, info: dict[str, Any]) -> dict[str, Any]:
    """Sweep, advise, and note what each criterion alone would take."""
    last = min((info["rank"] or 4) + 4, min(X.shape) - 1)
    found = sweep(Dataset.of(X), range(1, last + 1), 5, n_shuffles=1, max_iter=200)
    advice = advise(found)
    votes = {vote.criterion: vote.rank for vote in advice.families}
    ranks, cophenetic = list(found.ranks), [e.consensus.cophenetic for e in found.evidence]
    rss = [float(e.errors[e.best]) ** 2 for e in found.evidence]
    shuffled = [float(e.shuffled_errors.min()) ** 2 for e in found.evidence]
    readings = {
        "first fall": first_fall(ranks, cophenetic),
        "random gain": random_gain(ranks, rss, shuffled),
    }
    return {**info, "ranks": last, "rule": advice.rank, "votes": votes, "readings": readings}


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
        "Stability: before the cophenetic correlation first falls (Brunet 2004)": lambda row: row["readings"][
            "first fall"
        ],
        "Baseline: gain over shuffled columns": lambda row: row["votes"].get("Gain over shuffled columns"),
        "Baseline: RSS falls by less than on shuffled columns (Frigyesi & Höglund 2008)": lambda row: row["readings"][
            "random gain"
        ],
        "Fit: largest bend of the error (elbow-only)": lambda row: row["votes"].get("Elbow of the error"),
    }
    lines = [
        "| criterion | low noise (5 %) | moderate (10 %) | high (20 %) | moderate, unseen seeds | of these, weakest part clear "
        "| dense, unseen seeds | of these, weakest part clear | nothing there |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    groups = [[row for row in rows if row["level"] == level and row["seed"] < UNSEEN] for level in NOISE]
    for level in ("moderate", "dense"):
        unseen = [row for row in rows if row["level"] == level and row["seed"] >= UNSEEN]
        groups += [unseen, [row for row in unseen if row["clear"] >= 1]]
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
    parser.add_argument("--sets", type=int, default=107)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".jsonl"))
    arguments = parser.parse_args()
    kernels.warm_up(["dense", "heldout"], ("float64",), wait=True)
    lines = arguments.out.read_text().splitlines() if arguments.out.exists() else []
    rows = [json.loads(line) for line in lines]
    done = {(row["level"], row["seed"]) for row in rows}
    for level, seed in jobs(arguments.sets):
        if (level, seed) in done:
            continue
        X, info = make(level, seed)
        with threadpool_limits(1):
            rows.append(measure(X, info))
        with arguments.out.open("a") as file:
            file.write(json.dumps(rows[-1]) + "\n")
        print(level, seed, "true", rows[-1]["rank"], "advised", rows[-1]["rule"], flush=True)
    print(report(rows))


if __name__ == "__main__":
    main()
