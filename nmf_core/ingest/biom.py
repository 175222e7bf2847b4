"""BIOM 1.0: tables of counts in JSON, observations × samples, sparse or dense, as QIIME and others write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nmf_core.ingest.names import tidy_names
from nmf_core.ingest.raw import Raw
from nmf_core.ingest.reading import Refused
from nmf_core.ingest.sample import sparse_stride
from nmf_core.ingest.sparse import from_sparse
from nmf_core.ingest.talk import Talk


def is_biom(value: Mapping[str, Any]) -> bool:
    """Tell a BIOM table from other JSON objects."""
    return {"rows", "columns", "data", "shape", "matrix_type"} <= set(value)


def read_biom(value: Mapping[str, Any], talk: Talk) -> Raw:
    """Read the counts, turned so that the rows are samples."""
    import scipy.sparse as sp

    talk.format = "BIOM"
    try:
        n, m = (int(side) for side in value["shape"])
        observations, samples = ([str(item["id"]) for item in value[key]] for key in ("rows", "columns"))
        entries = np.array(value["data"], dtype=np.float64)
        if (len(observations), len(samples)) != (n, m):
            raise ValueError("names")
        step = sparse_stride(
            m, n, len(entries) if value["matrix_type"] == "sparse" else int((entries != 0).sum()), talk
        )
        if value["matrix_type"] == "sparse":
            entries = entries.reshape(-1, 3)
            X = sp.coo_array((entries[:, 2], (entries[:, 1].astype(int), entries[:, 0].astype(int))), shape=(m, n))
        else:
            X = sp.coo_array(entries.reshape(n, m).T)
    except Refused:
        raise
    except (TypeError, ValueError, KeyError, IndexError) as error:
        raise Refused(
            "damaged", "The BIOM table is damaged: its parts do not fit together", hint="Write it again, or as TSV"
        ) from error
    talk.note("turned", f"Observations × samples in the file became rows of {m:,} samples × {n:,} observations.")
    raw = from_sparse(sp.csr_array(X)[::step], talk)
    return raw.with_(
        rows=np.array(tidy_names(samples[::step], talk, "row", "sample ")),
        cols=np.array(tidy_names(observations, talk, "column", "observation ")),
    )
