"""Swimmer: stick figures whose true parts are known (generated)."""

from __future__ import annotations

import itertools

import numpy as np

from nmf_core.catalog import DatasetInfo
from nmf_core.types import Dataset

INFO = DatasetInfo(
    title="Swimmer",
    kind="images",
    shape=(256, 1024),
    story="A torso and four limbs, each in one of four positions: 17 true parts, seen in all 256 combinations.",
    rows_are="figures",
    cols_are="pixels",
    source="Generated here after the description in the paper",
    licence="BSD-3-Clause (this project)",
    citation="D. Donoho & V. Stodden (2003), When does non-negative matrix factorization give a correct decomposition "
    "into parts?, NIPS 16",
    rank=17,
    order=40,
)

SIZE, TORSO_TOP, TORSO_BOTTOM, LENGTH = 32, 11, 20, 5
# One unit step per position of a limb: outwards, two diagonals, and along the body.
_STEPS = {
    "left arm": ((0, -1), (-1, -1), (1, -1), (-1, 0)),
    "right arm": ((0, 1), (-1, 1), (1, 1), (-1, 0)),
    "left leg": ((0, -1), (1, -1), (-1, -1), (1, 0)),
    "right leg": ((0, 1), (1, 1), (-1, 1), (1, 0)),
}
_ROOTS = {
    "left arm": (TORSO_TOP, 14),
    "right arm": (TORSO_TOP, 17),
    "left leg": (TORSO_BOTTOM, 14),
    "right leg": (TORSO_BOTTOM, 17),
}


def true_parts() -> tuple[list[str], np.ndarray]:
    """Return the names and the pictures (17 × 1024, zeros and ones) of the torso and the 16 limb positions."""
    torso = np.zeros((SIZE, SIZE))
    torso[TORSO_TOP : TORSO_BOTTOM + 1, 15:17] = 1
    names, parts = ["torso"], [torso]
    for limb, steps in _STEPS.items():
        row, column = _ROOTS[limb]
        for position, (down, right) in enumerate(steps, start=1):
            picture = np.zeros((SIZE, SIZE))
            for i in range(1, LENGTH + 1):
                picture[row + i * down, column + i * right] = 1
            names.append(f"{limb} {position}")
            parts.append(picture)
    return names, np.stack([part.ravel() for part in parts])


def load() -> Dataset:
    """Return 256 figures × 1024 pixels (0 and 1); the true parts are in ``extra["true_parts"]``."""
    names, parts = true_parts()
    rows, pictures = [], []
    for positions in itertools.product(range(4), repeat=4):
        chosen = [1 + 4 * limb + position for limb, position in enumerate(positions)]
        pictures.append(np.minimum(parts[0] + parts[chosen].sum(axis=0), 1))
        rows.append("figure " + "".join(str(position + 1) for position in positions))
    return Dataset.of(
        np.stack(pictures),
        INFO.title,
        kind=INFO.kind,
        rows=rows,
        cols=[f"row {r + 1}, column {c + 1}" for r in range(SIZE) for c in range(SIZE)],
        cell_shape=(SIZE, SIZE),
        extra={"true_parts": parts, "true_part_names": np.array(names)},
    )
