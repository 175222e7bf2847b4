"""Word counts of Reuters news items."""

from __future__ import annotations

import re

import numpy as np
import scipy.sparse as sp

from datasets._files import arrays
from nmf_core.catalog import DatasetInfo
from nmf_core.types import Dataset

INFO = DatasetInfo(
    title="Reuters news, word counts",
    kind="text",
    shape=(395, 4258),
    story="Word counts of 395 news items of 1996 and 1997; try the Kullback-Leibler loss, which suits counts.",
    rows_are="news items",
    cols_are="words",
    source="Python package lda",
    licence="MPL-2.0 (package); counts and headlines only",
    citation="A. Riddell (lda), subset of Reuters news 1996-1997",
    rank=12,
    order=160,
)


def load() -> Dataset:
    """Return 395 news items × 4258 words (counts, sparse), with the country of the headline as label."""
    raw = arrays("text_reuters395", "reuters395.npz")
    counts = raw["count"].astype(float)
    X = sp.coo_array((counts, (raw["row"].astype(int), raw["col"].astype(int))), shape=tuple(map(int, raw["shape"])))
    titles = [re.sub(r"^\d+ ", "", title) for title in raw["titles"]]
    countries = [title.split(":")[0].strip() if ":" in title[:30] else "unknown" for title in titles]
    return Dataset.of(
        X.tocsr(),
        INFO.title,
        kind=INFO.kind,
        rows=[f"{i + 1}: {title}" for i, title in enumerate(titles)],
        cols=raw["vocabulary"],
        labels={"country": np.array(countries)},
    )
