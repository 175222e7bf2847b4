"""Algorithms, one file each, found by looking into this folder.

To add one: write ``solvers/<name>.py`` with a frozen dataclass derived from `Solver` that has a `name`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from nmf_core.kernels.dense import is_small
from nmf_core.solvers.base import Solver
from nmf_core.solvers.sampled import size_of
from nmf_core.types import beta_of

# Up to this many cells of dense X, coordinate descent beats multiplicative updates for the Kullback–Leibler loss; above,
# its copies of X and its divisions cost more than they gain.
SMALL_CELLS = 20_000

__all__ = ["Solver", "available", "build", "choose", "get", "registry"]


@cache
def registry() -> dict[str, type[Solver]]:
    """Return every solver class by name, in the order of `Solver.order`."""
    found: dict[str, type[Solver]] = {}
    for module in iter_modules(__path__):
        for value in vars(import_module(f"{__name__}.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, Solver) and value.name:
                found[value.name] = value
    return dict(sorted(found.items(), key=lambda pair: (pair[1].order, pair[0])))


def get(name: str) -> type[Solver]:
    """Return a solver class.

    Raises
    ------
    ValueError
        For an unknown name.
    """
    if name not in registry():
        raise ValueError(f"solver: unknown name {name!r}; use one of auto, {', '.join(registry())}")
    return registry()[name]


def available(
    loss: str | float | None = None, *, masked: bool = False, sparse: bool = False, penalised: bool = False
) -> list[type[Solver]]:
    """Return the solvers that take this loss and input, the most useful first, so that no page offers another."""
    return [
        solver
        for solver in registry().values()
        if (loss is None or solver.handles(beta_of(loss)))
        and (not masked or solver.supports_mask)
        and (not sparse or solver.supports_sparse)
        and (not penalised or solver.supports_penalty)
    ]


def build(
    name: str, options: Iterable[tuple[str, Any]] = (), *, beta: float, masked: bool, sparse: bool, penalised: bool
) -> Solver:
    """Return a solver with its options, or say in a sentence why it cannot take this problem.

    Raises
    ------
    ValueError
        For an unknown name or option, an option out of its limits, or a problem the solver does not take.
    """
    cls = get(name)
    wants = {
        f"the loss β = {beta:g}": cls.handles(beta),
        "missing cells": not masked or cls.supports_mask,
        "sparse X": not sparse or cls.supports_sparse,
        "penalties": not penalised or cls.supports_penalty,
    }
    refused = [what for what, taken in wants.items() if not taken]
    if refused:
        others = [s.name for s in available(beta, masked=masked, sparse=sparse, penalised=penalised)]
        raise ValueError(f"solver {name!r} does not take {' and '.join(refused)}; use {' or '.join(others)}")
    parts = [part for pair in options for part in pair]
    try:
        return _built(name, *parts)
    except TypeError:  # a value that cannot be hashed: the class has the sentence for it
        return _built.__wrapped__(name, *parts)


@lru_cache(maxsize=256, typed=True)
def _built(name: str, *parts: Any) -> Solver:
    """Return a solver from names and values of its options, one after another."""
    cls = get(name)
    values = dict(zip(parts[::2], parts[1::2], strict=True))
    unknown = sorted(set(values) - set(cls.options()))
    if unknown:
        known = ", ".join(cls.options()) or "none"
        raise ValueError(f"solver {name!r} has no option {', '.join(unknown)}; it has: {known}")
    return cls(**values)


@lru_cache(maxsize=256)
def choose(
    *, beta: float, masked: bool, sparse: bool, penalised: bool, shape: tuple[int, int], rank: int, stored: int
) -> tuple[str, str]:
    """Return the solver that ``"auto"`` takes, and why, in a sentence.

    Parameters
    ----------
    beta, masked, sparse, penalised : see :func:`build`
    shape : tuple of int
        Of X.
    rank : int
    stored : int
        Cells of sparse X that are stored.
    """
    n, m = shape
    fitting = available(beta, masked=masked, sparse=sparse, penalised=penalised)
    best = fitting[0]
    small = n * m <= SMALL_CELLS
    known = {2.0: "the Frobenius loss", 1.0: "the Kullback–Leibler loss", 0.0: "the Itakura–Saito loss"}
    what = known.get(beta, f"the β-divergence with β = {beta:g}")
    why = "the fastest here"
    if masked:
        why += " that leaves missing cells out"
    elif beta == 2.0 and not sparse and is_small(shape, rank):
        why += ": X is small, so whole runs are compiled"
    elif beta == 2.0 and not sparse:
        why += ": it reads X once per iteration"
    elif beta == 1.0 and (sparse or penalised or small) and get("ccd") in fitting:
        best = get("ccd")
        why += " and goes lowest" + (" on an X this small" if small and not sparse else "")
    if sparse:
        why += f", at the {100 * stored / (n * m):.2g} % of the cells that hold something"
    told = f"For {what}: {best.label} is {why} (X is {n:,} × {m:,}, {rank} components)."
    lines = n if sparse else max(shape)
    if best.name == "eahals" and not masked and size_of(lines, stored if sparse else n * m, rank):
        told += f" It begins on a sample of the {'rows' if lines == n else 'columns'}, unless the start is given."
    return best.name, told
