"""Where the data files lie, and how they are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).parent / "data"


def arrays(name: str, file: str) -> dict[str, Any]:
    """Return the arrays of an .npz file in the folder of a data set."""
    with np.load(DATA / name / file, allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}


def frame(name: str, file: str) -> Any:
    """Return a CSV file in the folder of a data set; text such as "NA" stays text."""
    import pandas as pd

    return pd.read_csv(DATA / name / file, keep_default_na=False)
