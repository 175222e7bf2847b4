"""The problems: real data that ship with NMF Explorer, and generated ones of the shapes people bring."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

KL, IS = "kullback-leibler", "itakura-saito"


@dataclass(frozen=True)
class Problem:
    """One problem.

    Attributes
    ----------
    name : str
    load : callable
        Returns X in float64.
    rank : int
    loss : str
    targets : tuple of float
        Distances above the best known error at which the clock is read.
    main : float
        The target of the summary.
    quick : bool
        Part of ``--quick``.
    seconds : float
        How long a method may take to get there.
    aim : tuple of float, optional
        A target, and how many times quicker than scikit-learn's quickest we set out to be there.
    """

    name: str
    load: Callable[[], Any]
    rank: int
    loss: str = "frobenius"
    targets: tuple[float, ...] = (1e-2, 1e-3, 1e-4)
    main: float = 1e-3
    quick: bool = False
    seconds: float = 20.0
    tuned: bool = True
    aim: tuple[float, float] | None = None


def _dataset(name: str) -> Callable[[], Any]:
    def load() -> Any:
        from nmf_core import load_dataset

        X = load_dataset(name).X
        return X.astype(np.float64) if X.dtype != np.float64 else X

    return load


def _leukemia() -> Any:
    return np.ascontiguousarray(_dataset("genes_leukemia")().T)


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def _mnist_like() -> Any:
    """20,000 pictures of 28 × 28: mixtures of the shipped digits, a few strokes each, with noise."""
    rng = _rng(1)
    parts = _dataset("mnist_1k")()
    pick = rng.integers(0, len(parts), (20_000, 2))
    mix = rng.dirichlet([2.0, 1.0], 20_000)
    X = mix[:, :1] * parts[pick[:, 0]] + mix[:, 1:] * parts[pick[:, 1]]
    X += np.where(X > 0, 0.05 * rng.random(X.shape), 0.0)
    return X


def _tall() -> Any:
    rng = _rng(2)
    W = rng.gamma(0.5, 1.0, (200_000, 20))
    H = rng.gamma(0.5, 1.0, (20, 100))
    return np.maximum(W @ H + 0.3 * rng.standard_normal((200_000, 100)), 0.0)


def _counts(n: int = 20_000, m: int = 10_000, topics: int = 30, words: int = 55) -> Any:
    """Word counts of n texts: topics over a Zipf vocabulary, about 0.5 % of the cells filled."""
    rng = _rng(3)
    base = 1.0 / np.arange(1, m + 1) ** 0.9
    beta = base * rng.gamma(0.05, 1.0, (topics, m))
    beta = np.cumsum(beta / beta.sum(axis=1, keepdims=True), axis=1)
    theta = rng.dirichlet(np.full(topics, 0.1), n)
    length = rng.poisson(words * 1.6, n)
    rows = np.repeat(np.arange(n), length)
    topic = (np.cumsum(theta, axis=1)[rows] < rng.random(len(rows))[:, None]).sum(axis=1).clip(0, topics - 1)
    u = rng.random(len(rows))
    columns = np.empty(len(rows), dtype=np.int64)
    for k in range(topics):
        at = topic == k
        columns[at] = np.searchsorted(beta[k], u[at]).clip(0, m - 1)
    X = sp.coo_array((np.ones(len(rows)), (rows, columns)), shape=(n, m)).tocsr()
    X.sum_duplicates()
    return X


def _tfidf() -> Any:
    X = _counts()
    df = np.maximum(np.bincount(X.indices, minlength=X.shape[1]), 1)
    X.data = (1.0 + np.log(X.data)) * (np.log((1 + X.shape[0]) / (1 + df)) + 1.0)[X.indices]
    norms = np.sqrt(np.asarray(X.multiply(X).sum(axis=1))).ravel()
    X.data /= np.repeat(np.maximum(norms, 1e-12), np.diff(X.indptr))
    return X


def _spectrogram(power: bool = False) -> Any:
    """513 frequencies × 1000 frames: eight harmonic notes with decaying onsets."""
    rng = _rng(4)
    f, t = np.arange(513), np.arange(1000)
    W, H = np.zeros((513, 8)), np.zeros((8, 1000))
    for k in range(8):
        f0 = 12 * 2 ** (k / 4)
        for h in range(1, 12):
            W[:, k] += np.exp(-(((f - h * f0) / 1.5) ** 2)) / h
        for onset in rng.choice(1000, 12, replace=False):
            H[k] += (t >= onset) * np.exp(-np.maximum(t - onset, 0) / 40.0)
    X = (W @ H) * rng.gamma(4.0, 0.25, (513, 1000)) + 1e-3 * rng.gamma(1.0, 1.0, (513, 1000))
    return X**2 + 1e-8 if power else X


def problems() -> list[Problem]:
    """Return the ten tuned-for problems."""
    return [
        Problem("iris r3", _dataset("iris"), 3, quick=True, seconds=5, aim=(1e-3, 25)),
        Problem("leukemia 5000×38 r3", _leukemia, 3, quick=True, seconds=5, aim=(1e-3, 7)),
        Problem("digits 1797×64 r10", _dataset("digits"), 10, quick=True, seconds=8, aim=(1e-3, 12)),
        Problem("ORL faces 400×2576 r49", _dataset("faces_orl"), 49, main=1e-2, aim=(1e-2, 25)),
        Problem("MNIST-like 20000×784 r50", _mnist_like, 50, main=1e-2, seconds=30, aim=(1e-3, 15)),
        Problem("tall 200000×100 r20", _tall, 20, seconds=30, aim=(1e-3, 10)),
        Problem("TF-IDF 20000×10000 r30", _tfidf, 30, targets=(1e-2, 1e-3, 1e-4), main=1e-4, aim=(1e-4, 8)),
        Problem("counts 20000×10000 KL r30", _counts, 30, loss=KL, targets=(3e-2, 1e-2, 1e-3), main=1e-2, seconds=30),
        Problem("spectrogram 513×1000 KL r8", _spectrogram, 8, loss=KL, quick=True, seconds=8, aim=(1e-3, 50)),
        Problem(
            "spectrogram 513×1000 IS r8", lambda: _spectrogram(True), 8, loss=IS, quick=True, seconds=8, aim=(1e-3, 100)
        ),
    ]


def untuned() -> list[Problem]:
    """Return shapes nobody tuned for."""

    def dense(n: int, m: int, seed: int, kind: str = "gamma") -> Callable[[], Any]:
        def load() -> Any:
            rng = _rng(seed)
            X = rng.gamma(0.7, 1.0, (n, 12)) @ rng.gamma(0.7, 1.0, (12, m)) + rng.random((n, m))
            if kind == "dominant":
                X[:, 0] *= 1e4
            if kind == "zeros":
                X[rng.random((n, m)) < 0.9] = 0
            if kind == "counts":
                X = rng.poisson(X / X.mean()).astype(float)
            if kind == "ill":
                X *= np.logspace(0, -6, m)
            if kind == "exact":
                X = rng.random((n, 8)) @ rng.random((8, m))
            return np.ascontiguousarray(X)

        return load

    options: dict[str, Any] = {"tuned": False, "seconds": 6.0, "targets": (1e-2, 1e-3)}
    return [
        Problem("wide 60×20000 r8", dense(60, 20_000, 11), 8, **options),
        Problem("square 1000×1000 r15", dense(1000, 1000, 12), 15, **options),
        Problem("rank near min: 60×400 r55", dense(60, 400, 13), 55, **options),
        Problem("ten rows 10×5000 r4", dense(10, 5000, 14), 4, **options),
        Problem("dominant column 2000×100 r8", dense(2000, 100, 15, "dominant"), 8, **options),
        Problem("90 % zeros, dense 2000×300 r10", dense(2000, 300, 16, "zeros"), 10, **options),
        Problem("integer counts 2000×200 r10", dense(2000, 200, 17, "counts"), 10, **options),
        Problem("ill-conditioned 1500×80 r8", dense(1500, 80, 18, "ill"), 8, **options),
    ]


def exact_low_rank() -> Any:
    """Return X of exact rank 8: nobody's error should stop above rounding."""
    rng = _rng(19)
    return rng.random((400, 8)) @ rng.random((8, 120))
