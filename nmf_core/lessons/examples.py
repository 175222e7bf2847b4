"""Matrices small enough to be read number by number, with a start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
        "Say, what four customers bought of three goods. Small enough to follow every number with a pencil.",
        np.array([[1.0, 2, 0], [3, 4, 1], [0, 1, 5], [2, 0, 1]]),
        np.array([[0.5, 1], [1, 0.25], [0.75, 0.5], [1, 1]]),
        np.array([[1.0, 0.5, 0.25], [0.5, 1, 2]]),
        ("row 1", "row 2", "row 3", "row 4"),
        ("a", "b", "c"),
    )


#: Two flowers of each species.
SIX_FLOWERS = (0, 1, 50, 51, 100, 101)


def flowers(chosen: Sequence[int] = SIX_FLOWERS) -> Example:
    """Return some flowers of the Iris data, in centimetres.

    Parameters
    ----------
    chosen : sequence of int
        Rows of the data set, from 0; two at least.
    """
    from nmf_core import load_dataset

    iris = load_dataset("iris")
    X = np.array(iris.X[list(chosen)], dtype=float)
    return Example(
        "Rows of Iris",
        "Each row is a flower, each column a length in cm. Two of each of three species, unless you choose others.",
        X,
        *start(X, 2, 0),
        tuple(str(name) for name in iris.rows[list(chosen)]),
        tuple(str(name) for name in iris.cols),
    )


def picture() -> Example:
    """Return pictures of 5 × 5 pixels: a bar across, a bar down, and their sums."""
    across, down = np.zeros((5, 5)), np.zeros((5, 5))
    across[1], down[:, 3] = 1, 1
    use = np.array([[1.0, 0], [0, 1], [1, 1], [2, 1]])
    X = use @ np.stack([across.ravel(), down.ravel()])
    return Example(
        "Pictures of 5 × 5 pixels",
        "Each row is a picture of 25 pixels: a bar across, a bar down, or both. Two parts that NMF can find.",
        X,
        *start(X, 2, 1),
        ("across", "down", "both", "across twice"),
        tuple(f"{r + 1},{c + 1}" for r in range(5) for c in range(5)),
        (5, 5),
    )


def two_valleys() -> Example:
    """Return a table that two parts fit in two ways, one of them worse; which one is found depends on the start."""
    X = np.array([[0.0, 0, 0, 3], [0, 2, 1, 4], [4, 0, 0, 0], [0, 1, 4, 4]])
    return Example(
        "Two valleys",
        "Two parts fit this table in two ways, and one is worse. Which one is found depends on the start.",
        X,
        *start(X, 2, 0),
        ("row 1", "row 2", "row 3", "row 4"),
        ("a", "b", "c", "d"),
    )


def own(shape: tuple[int, int] = (3, 3)) -> Example:
    """Return a table to be overwritten with one's own numbers.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns, 2 to 8 each.
    """
    n, m = shape
    X = 1.0 + (2.0 * np.arange(n)[:, None] + 3.0 * np.arange(m)) % 5
    return Example(
        "Your own table",
        "Choose how many rows and columns, then type or paste your numbers under *Type the numbers*.",
        X,
        *start(X, 2, 0),
        tuple(f"row {i + 1}" for i in range(n)),
        tuple("abcdefgh"[:m]),
    )


EXAMPLES: dict[str, Callable[[], Example]] = {
    "small": paper_example,
    "flowers": flowers,
    "picture": picture,
    "valleys": two_valleys,
    "own": own,
}
