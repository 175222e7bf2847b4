"""Energy use of countries by source."""

from __future__ import annotations

import numpy as np

from datasets._files import frame
from nmf_core.catalog import DatasetInfo
from nmf_core.types import Dataset

INFO = DatasetInfo(
    title="Energy mix of countries",
    kind="table",
    shape=(448, 8),
    story="Energy per head from eight sources in 79 countries, 1970 to 2019; the parts are mixes, used more or less.",
    rows_are="countries and years",
    cols_are="sources",
    source="Our World in Data, in prince",
    licence="CC BY 4.0",
    citation="Our World in Data, based on the BP Statistical Review of World Energy",
    rank=4,
    order=180,
)


def load() -> Dataset:
    """Return 448 country-years × 8 sources in kWh per head, with continent, country and year as labels."""
    import pandas as pd

    table = frame("energy_mix", "energy.csv.gz")
    sources = ["Coal", "Oil", "Gas", "Nuclear", "Hydro", "Wind", "Solar", "Other renewables"]
    X = table[sources].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    return Dataset.of(
        X,
        INFO.title,
        kind=INFO.kind,
        rows=[f"{entity} {year}" for entity, year in zip(table["Entity"], table["Year"], strict=True)],
        cols=sources,
        labels={
            "continent": table["Continent"].to_numpy(str),
            "country": table["Entity"].to_numpy(str),
            "year": table["Year"].to_numpy(str),
        },
        notes=(f"{int(np.isnan(X).sum())} cells have no figure; they stay unknown and are left out of the fit.",),
    )
