"""A labelled matrix as the file holds it: any sign, missing and infinite values included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from nmf_core.types import Array, Kind, is_sparse

BEFORE = "columns_before"  # in extra: names of the columns before preparation, where it changed them
READ_AS = "read_as"  # in extra: answers about what cells mean, as JSON text, so that new rows are read in the same way
CELLS = ("numbers", "bad_cells", "marker", "dates", "units", "codes")  # the questions whose answers these are


@dataclass(frozen=True, slots=True, eq=False)
class Raw:
    """What a reader hands on, and what preparation steps turn into something factorizable.

    Attributes
    ----------
    X : ndarray or scipy.sparse.csr_array of shape (n_samples, n_features)
        Floating point; NaN marks a missing cell of a dense X; negative and infinite values are allowed here.
    rows, cols : ndarray of str
        Names.
    kind : str
        As in `nmf_core.types.Dataset`.
    labels : mapping of str to ndarray of length n_samples
        Columns set aside.
    cell_shape : tuple of int, optional
        Shape of one row as a picture.
    mask : "unstored" or None
        For sparse X: cells not stored are unknown rather than zero.
    extra : mapping
        Documents, waveform, sample rate, wavelengths …
    name : str
        Title.
    """

    X: Any
    rows: Array
    cols: Array
    kind: Kind = "table"
    labels: Mapping[str, Array] = field(default_factory=dict)
    cell_shape: tuple[int, ...] | None = None
    mask: Literal["unstored"] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    name: str = "data"

    @property
    def shape(self) -> tuple[int, int]:
        """(n_samples, n_features)."""
        return (int(self.X.shape[0]), int(self.X.shape[1]))

    @property
    def sparse(self) -> bool:
        """True when X is a CSR matrix."""
        return is_sparse(self.X)

    def turned(self) -> Raw:
        """Return the data with rows and columns swapped; labels and pictures of the rows stay behind."""
        if self.sparse:
            import scipy.sparse as sp

            X: Any = sp.csr_array(self.X.T)
        else:
            X = np.ascontiguousarray(self.X.T)
        return self.with_(X=X, rows=self.cols, cols=self.rows, labels=MappingProxyType({}), cell_shape=None, extra={})

    def with_(self, **changes: Any) -> Raw:
        """Return a copy with some attributes changed."""
        return replace(self, **changes)
