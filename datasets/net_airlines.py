"""Routes of US airlines."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from datasets._files import frame
from nmf_core.catalog import DatasetInfo
from nmf_core.types import Dataset

INFO = DatasetInfo(
    title="US airline routes",
    kind="network",
    shape=(352, 352),
    story="How many of 12 airlines fly between two airports; the parts are hub systems.",
    rows_are="airports",
    cols_are="airports",
    source="bokeh_sampledata (OurAirports, US Bureau of Transportation Statistics)",
    licence="Public domain",
    citation="",
    rank=6,
    order=200,
)


def load() -> Dataset:
    """Return 352 × 352 airports: airlines on the route, both directions added; coordinates in ``extra``."""
    routes, airports = frame("net_airlines", "routes.csv.gz"), frame("net_airlines", "airports.csv.gz")
    codes = airports["IATA"].astype(str).to_numpy()
    place = {code: i for i, code in enumerate(codes)}
    source = routes["Source"].map(place).to_numpy(int)
    target = routes["Destination"].map(place).to_numpy(int)
    directed = sp.coo_array((np.ones(len(routes)), (source, target)), shape=(len(codes), len(codes))).tocsr()
    names = [f"{code} {city}" for code, city in zip(codes, airports["City"], strict=True)]
    return Dataset.of(
        directed + directed.T,
        INFO.title,
        kind=INFO.kind,
        rows=names,
        cols=names,
        notes=("Both directions were added, so the matrix is symmetric.",),
        extra={"latitude": airports["Latitude"].to_numpy(float), "longitude": airports["Longitude"].to_numpy(float)},
    )
