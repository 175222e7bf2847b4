"""Which rank do nimfa and cvanmf lead to, on the data of rank_advice.py?

    python -m benchmarks.rank_peers [--peers nimfa cvanmf] [--last 1020]

Both want NumPy 1 (nimfa 1.4.0, cvanmf 0.4.0), so this runs in an environment of its own:
``pip install "numpy<2" "pandas<2.3" "statsmodels<0.14.3" nimfa cvanmf threadpoolctl``. It takes the sets at moderate noise whose seeds the
rule has not seen. Every line of rank_peers.jsonl is one data set and peer; a second run goes on where the first stopped.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.rank_data import UNSEEN, make
from benchmarks.rank_rules import first_fall, highest, largest_bend, random_gain

OUT = Path(__file__).with_suffix(".jsonl")


def nimfa(X: np.ndarray, last: int) -> dict[str, Any]:
    """Run ``estimate_rank`` with five runs per rank, and once on shuffled columns; read its curves in the documented ways."""
    import nimfa as package

    np.random.seed(0)  # noqa: NPY002 - the package draws from NumPy's global state

    def curves(Z: np.ndarray, n_run: int, what: list[str]) -> dict[int, dict[str, float]]:
        return package.Nmf(Z, rank=2, max_iter=200).estimate_rank(range(2, last + 1), n_run=n_run, what=what)

    ranks = list(range(2, last + 1))
    found = curves(X, 5, ["cophenetic", "rss"])
    null = curves(np.random.default_rng(0).permuted(X, axis=0), 1, ["rss"])
    cophenetic, rss = ([float(found[k][name]) for k in ranks] for name in ("cophenetic", "rss"))
    return {
        "highest cophenetic correlation": highest(ranks, cophenetic),
        "before its first fall (Brunet)": first_fall(ranks, cophenetic),
        "largest bend of RSS (Hutchins)": largest_bend(ranks, rss),
        "gain over shuffled data (Frigyesi & Höglund)": random_gain(ranks, rss, [float(null[k]["rss"]) for k in ranks]),
    }


def cvanmf(X: np.ndarray, last: int) -> dict[str, Any]:
    """Run ``rank_selection`` (bi-cross-validation) with five shuffles and take what ``suggest_rank`` says."""
    import pandas as pd
    from cvanmf import denovo

    # It wants Python 3.12 for this alone.
    vars(itertools).setdefault("batched", lambda items, n: (tuple(items[i : i + n]) for i in range(0, len(items), n)))
    frame = pd.DataFrame(X, index=[f"r{i}" for i in range(len(X))], columns=[f"c{j}" for j in range(X.shape[1])])
    results = denovo.rank_selection(frame, range(2, last + 1), shuffles=5, seed=0, progress_bar=False)
    said = denovo.suggest_rank(results)
    return {name: None if value is None else int(value) for name, value in said.items()}


PEERS = {"nimfa": nimfa, "cvanmf": cvanmf}


def report(rows: list[dict[str, Any]]) -> str:
    """Return the hits of every peer's readings in Markdown."""
    lines = ["| peer | reading | hits | seconds a set |", "|---|---|---|---|"]
    for peer in PEERS:
        mine = [row for row in rows if row["peer"] == peer]
        for reading in next((row["says"] for row in mine if "error" not in row["says"]), ()):
            hits = sum(row["says"].get(reading) == row["rank"] for row in mine)
            seconds = np.median([row["seconds"] for row in mine])
            lines.append(
                f"| {peer} | {reading} | {hits}/{len(mine)} ({100 * hits / len(mine):.0f} %) | {seconds:.1f} |"
            )
    return "\n".join(lines)


def main() -> None:
    """Run what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", nargs="*", default=list(PEERS))
    parser.add_argument("--last", type=int, default=UNSEEN + 40)
    arguments = parser.parse_args()
    rows = [json.loads(line) for line in OUT.read_text().splitlines()] if OUT.exists() else []
    done = {(row["peer"], row["seed"]) for row in rows}
    for peer in arguments.peers:
        for seed in range(UNSEEN, arguments.last):
            if (peer, seed) in done:
                continue
            X, info = make("moderate", seed)
            began = time.perf_counter()
            try:
                with threadpool_limits(1):
                    says = PEERS[peer](X, min(info["rank"] + 4, min(X.shape) - 1))
            except ValueError as error:  # nimfa's tree of samples sometimes refuses its own consensus
                says = {"error": str(error)}
            seconds = round(time.perf_counter() - began, 1)
            rows.append({"peer": peer, "seed": seed, "rank": info["rank"], "says": says, "seconds": seconds})
            with OUT.open("a") as file:
                file.write(json.dumps(rows[-1]) + "\n")
            print(peer, seed, "true", info["rank"], says, flush=True)
    print(report(rows))


if __name__ == "__main__":
    main()
