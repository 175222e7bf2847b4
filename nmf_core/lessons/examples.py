"""Matrices small enough to be read number by number, with a start."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nmf_core.types import Array


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A tiny X with names and a start of rank 2.

    Attributes
    ----------
    title, story : str
    X : ndarray of shape (n, m)
    W, H : ndarray of shape (n, 2), (2, m)
        Where the algorithms start.
    rows, cols : tuple of str
    cell_shape : tuple of int, optional
        When a row is a picture.
    """

    title: str
    story: str
    X: Array
    W: Array
    H: Array
    rows: tuple[str, ...]
    cols: tuple[str, ...]
    cell_shape: tuple[int, int] | None = None


def start(X: Array, rank: int, seed: int) -> tuple[Array, Array]:
    """Return the random start of the engine for a matrix, rounded so that it can be read.

    Parameters
    ----------
    X : ndarray of shape (n, m)
    rank : int
    seed : int

    Returns
    -------
    W, H : ndarray
        Two decimals, at least 0.05 everywhere: zeros would stay zero under multiplicative updates.
    """
    from nmf_core.initialization import initialize
    from nmf_core.problem import prepare

    W, H = initialize(prepare(X), rank, "random", seed=seed)
    return np.maximum(np.round(W, 2), 0.05), np.maximum(np.round(H, 2), 0.05)


def paper_example() -> Example:
    """Return the 4 × 3 case whose steps can be checked by hand."""
    return Example(
        "Four rows, three columns",
        "Small enough to follow every number with a pencil.",
        np.array([[1.0, 2, 0], [3, 4, 1], [0, 1, 5], [2, 0, 1]]),
        np.array([[0.5, 1], [1, 0.25], [0.75, 0.5], [1, 1]]),
        np.array([[1.0, 0.5, 0.25], [0.5, 1, 2]]),
        ("row 1", "row 2", "row 3", "row 4"),
        ("a", "b", "c"),
    )


def flowers() -> Example:
    """Return six iris flowers, two of each species, in centimetres."""
    X = np.array(
        [
            [5.1, 3.5, 1.4, 0.2],
            [4.9, 3.0, 1.4, 0.2],
            [7.0, 3.2, 4.7, 1.4],
            [6.4, 3.2, 4.5, 1.5],
            [6.3, 3.3, 6.0, 2.5],
            [5.8, 2.7, 5.1, 1.9],
        ]
    )
    return Example(
        "Six flowers",
        "Two flowers of each of three species, four lengths in cm.",
        X,
        *start(X, 2, 0),
        ("setosa 1", "setosa 2", "versicolor 1", "versicolor 2", "virginica 1", "virginica 2"),
        ("sepal length", "sepal width", "petal length", "petal width"),
    )


def picture() -> Example:
    """Return pictures of 5 × 5 pixels: a bar across, a bar down, and their sums."""
    across, down = np.zeros((5, 5)), np.zeros((5, 5))
    across[1], down[:, 3] = 1, 1
    use = np.array([[1.0, 0], [0, 1], [1, 1], [2, 1]])
    X = use @ np.stack([across.ravel(), down.ravel()])
    return Example(
        "Pictures of 5 × 5 pixels",
        "Each picture is a bar across, a bar down, or both: two parts that NMF can find.",
        X,
        *start(X, 2, 1),
        ("across", "down", "both", "both, across twice"),
        tuple(f"{r + 1},{c + 1}" for r in range(5) for c in range(5)),
        (5, 5),
    )


EXAMPLES = {"small": paper_example, "flowers": flowers, "picture": picture}
