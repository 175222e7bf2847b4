"""Data of known rank, and data without structure, for the benchmark of the advice; NumPy alone, so that peers can use it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

SIZES = ((60, 40), (100, 60), (150, 100), (60, 200), (300, 40))
NOISE = {"low": 0.05, "moderate": 0.10, "high": 0.20}
# Seeds from here on were drawn after the rule was settled.
UNSEEN = 1000


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
    signal = W @ H
    X, clear = noisy(signal, NOISE[level], kind, rank, rng)
    info = {
        "seed": seed,
        "level": level,
        "rank": rank,
        "shape": [n, m],
        "sparsity": sparsity,
        "correlation": correlation,
    }
    return X[X.any(axis=1)][:, X.any(axis=0)], {**info, "noise": kind, "clear": clear}


def dense(seed: int) -> tuple[np.ndarray, dict[str, Any]]:
    """Draw W and H uniformly between 0 and 1: no zero anywhere, so all parts overlap and most of X is one common profile."""
    rng = np.random.default_rng([seed, 19])
    rank = 3 + seed % 10
    n, m = SIZES[int(rng.integers(len(SIZES)))]
    level, kind = (0.05, 0.10)[seed // 10 % 2], ("gaussian", "poisson", "gamma")[seed % 3]
    X, clear = noisy(rng.random((n, rank)) @ rng.random((rank, m)), level, kind, rank, rng)
    info = {"seed": seed, "level": "dense", "rank": rank, "shape": [n, m], "sparsity": 0.0, "size": level}
    return X, {**info, "noise": kind, "clear": clear}


def noisy(signal: np.ndarray, size: float, kind: str, rank: int, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Add noise of ‖noise‖ = size·‖signal‖; return the data and how clear the weakest direction is."""
    norm = float(np.linalg.norm(signal))
    sd = size * norm / np.sqrt(signal.size)
    if kind == "gaussian":
        X = np.maximum(signal + sd * rng.standard_normal(signal.shape), 0)
    elif kind == "poisson":
        scale = signal.sum() / (size * norm) ** 2
        X = rng.poisson(signal * scale) / scale
    else:
        X = signal * rng.gamma(1 / size**2, size**2, signal.shape)
    edge = sd * (np.sqrt(signal.shape[0]) + np.sqrt(signal.shape[1]))
    return X, round(float(np.linalg.svd(signal, compute_uv=False)[rank - 1] / edge), 2)


def null(seed: int) -> tuple[np.ndarray, dict[str, Any]]:
    """Draw data without any structure: shuffled columns of synthetic data, or independent noise."""
    rng = np.random.default_rng([seed, 18])
    kind = ("shuffled", "uniform", "poisson", "gamma")[seed % 4]
    if kind == "shuffled":
        X = np.random.default_rng(seed).permuted(synthetic(seed, "moderate")[0], axis=0)
    elif kind == "uniform":
        X = rng.random((100, 40))
    elif kind == "poisson":
        X = rng.poisson(3 * rng.gamma(2, 0.5, 30), (120, 30)).astype(float)
    else:
        X = rng.gamma(0.5, 1, (80, 25)) * rng.gamma(1, 3, 25)
    return X, {"seed": seed, "level": "nothing", "rank": None, "shape": list(X.shape), "noise": kind, "clear": 0.0}


def make(level: str, seed: int) -> tuple[np.ndarray, dict[str, Any]]:
    """Draw one data set."""
    if level == "nothing":
        return null(seed)
    return dense(seed) if level == "dense" else synthetic(seed, level)


def jobs(sets: int) -> Iterable[tuple[str, int]]:
    """Interleave the levels, so that any prefix is a fair sample; after them come sets with seeds unseen by the rule."""
    for i in range(sets):
        level = ("moderate", "high", "moderate", "low", "nothing")[i % 5]
        yield level, i // 5 * 2 + (i % 5 == 2) if level == "moderate" else i // 5
    for i in range(UNSEEN, UNSEEN + 40):
        yield "moderate", i
        yield "dense", i
