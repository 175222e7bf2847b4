"""AnnData files, as anndata writes them, and what is said where h5py is missing."""

from __future__ import annotations

import io
import sys

import h5py
import numpy as np
import pytest
import scipy.sparse as sp

from nmf_core.ingest import Verdict, read

X = sp.random_array((8, 5), density=0.5, format="csr", rng=np.random.default_rng(0))


def h5ad(*, form: str = "csr", layer: bool = False) -> bytes:
    """Return an .h5ad file with names and one categorical column."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        if form == "dense":
            file["X"] = X.toarray()
        else:
            matrix = X if form == "csr" else sp.csc_array(X)
            group = file.create_group("X")
            group.attrs["encoding-type"] = f"{form}_matrix"
            group.attrs["shape"] = X.shape
            for part in ("data", "indices", "indptr"):
                group[part] = getattr(matrix, part)
        for name, letter, size in (("obs", "cell", 8), ("var", "gene", 5)):
            group = file.create_group(name)
            group.attrs["_index"] = "_index"
            group["_index"] = np.array([f"{letter}{i}" for i in range(size)], dtype=object)
        kind = file["obs"].create_group("type")
        kind["codes"], kind["categories"] = np.array([0, 1] * 4, np.int8), np.array(["B", "T"], dtype=object)
        if layer:
            file.create_group("layers")["counts"] = np.arange(40.0).reshape(8, 5)
    return buffer.getvalue()


@pytest.mark.parametrize("form", ["csr", "csc", "dense"])
@pytest.mark.parametrize("sandbox", [True, False])
def test_the_matrix_comes_with_names_and_labels(form, sandbox):
    dataset = read(h5ad(form=form), "x.h5ad", sandbox=sandbox).dataset
    values = dataset.X if form == "dense" else dataset.X.toarray()
    np.testing.assert_array_equal(values, X.toarray())
    assert dataset.kind == "expression"
    assert list(dataset.rows[:2]) == ["cell0", "cell1"]
    assert list(dataset.cols[:2]) == ["gene0", "gene1"]
    assert list(dataset.labels["type"]) == ["B", "T"] * 4


def test_a_layer_is_asked_for_and_taken():
    reading = read(h5ad(layer=True), "x.h5ad", sandbox=False)
    assert reading.verdict is Verdict.ASK
    assert [o.value for o in reading.open[0].options] == ["X", "layers/counts"]
    chosen = read(h5ad(layer=True), "x.h5ad", {"layer": "layers/counts"}, sandbox=False).dataset
    np.testing.assert_array_equal(chosen.X, np.arange(40.0).reshape(8, 5))


def test_without_h5py_the_package_is_named(monkeypatch):
    data = h5ad()
    monkeypatch.setitem(sys.modules, "h5py", None)
    reading = read(data, "x.h5ad", sandbox=False)
    assert reading.verdict is Verdict.REFUSE
    assert "pip install h5py" in reading.sentence
