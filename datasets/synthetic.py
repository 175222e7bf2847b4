"""A synthetic matrix whose rank, noise and sparsity are known."""

from __future__ import annotations

import numpy as np

from nmf_core.catalog import DatasetInfo, DatasetOption
from nmf_core.types import Dataset

INFO = DatasetInfo(
    title="Synthetic, known rank",
    kind="table",
    shape=(200, 60),
    story="W·H with a rank you choose, plus noise: the place to see whether a method finds what is there.",
    rows_are="samples",
    cols_are="features",
    source="Generated here",
    licence="BSD-3-Clause (this project)",
    citation="",
    rank=5,
    order=50,
    options={
        "rank": DatasetOption("True rank", 1, 20, 5, 1, "How many parts are really there."),
        "noise": DatasetOption("Noise", 0.0, 1.0, 0.1, 0.01, "Standard deviation of the noise over that of W·H."),
        "sparsity": DatasetOption("Zeros in W and H", 0.0, 0.9, 0.5, 0.05, "Share of entries set to zero."),
        "n_samples": DatasetOption("Samples", 10, 2000, 200, 10, "Rows of X."),
        "n_features": DatasetOption("Features", 5, 500, 60, 5, "Columns of X."),
        "seed": DatasetOption("Seed", 0, 9999, 0, 1, "Another number, another matrix of the same kind."),
    },
)


def load(
    rank: int = 5,
    noise: float = 0.1,
    sparsity: float = 0.5,
    n_samples: int = 200,
    n_features: int = 60,
    seed: int = 0,
) -> Dataset:
    """Return max(0, W H + noise) with gamma(2) entries in W and H; both are kept in ``extra``.

    Every row of W and every part keeps at least one entry, so that no row, column or part is empty by chance.
    """
    rng = np.random.default_rng(int(seed))
    n, m, k = int(n_samples), int(n_features), int(rank)

    def factor(rows: int, columns: int) -> np.ndarray:
        values = rng.gamma(2.0, 1.0, size=(rows, columns))
        keep = rng.random((rows, columns)) >= sparsity
        keep[np.arange(rows), rng.integers(columns, size=rows)] = True
        return values * keep

    W, H = factor(n, k), factor(m, k).T
    clean = W @ H
    X = np.maximum(clean + noise * clean.std() * rng.standard_normal(clean.shape), 0.0)
    return Dataset.of(
        X,
        f"Synthetic, rank {k}",
        labels={"largest true part": np.array([f"true part {j + 1}" for j in W.argmax(axis=1)])},
        notes=(f"True rank {k}; noise {noise:g} of the signal; {sparsity:.0%} zeros in W and H; seed {seed}.",),
        extra={"true_W": W, "true_H": H},
    )
