"""How well do groups of samples agree with known classes?"""

from __future__ import annotations

import numpy as np

from nmf_core.types import Array


def contingency(groups: Array, classes: Array) -> tuple[Array, Array, Array]:
    """Count samples per group and class.

    Returns
    -------
    table : ndarray of int of shape (n_groups, n_classes)
    group_names, class_names : ndarray
    """
    group_names, g = np.unique(groups, return_inverse=True)
    class_names, c = np.unique(classes, return_inverse=True)
    table = np.zeros((len(group_names), len(class_names)), dtype=np.int64)
    np.add.at(table, (g, c), 1)
    return table, group_names, class_names


def purity(table: Array) -> float:
    """Share of samples that belong to the majority class of their group (Kim & Park 2007)."""
    return float(table.max(axis=1).sum() / table.sum())


def entropy(table: Array) -> float:
    """Mean class entropy of the groups, −1/(n log₂ l) Σ n_qj log₂(n_qj/n_q): 0 is best, 1 is chance."""
    n, n_classes = table.sum(), table.shape[1]
    if n_classes < 2:
        return 0.0
    size = table.sum(axis=1, keepdims=True)
    ratio = np.divide(table, size, out=np.ones(table.shape), where=table > 0)
    return float(-(table * np.log2(ratio)).sum() / (n * np.log2(n_classes)))


def agreeing(table: Array) -> int:
    """Number of samples whose group has their class as its majority."""
    return int(table.max(axis=1).sum())
