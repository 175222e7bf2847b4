"""AnnData files, as anndata writes them, and what is said where h5py is missing."""

from __future__ import annotations

import gzip
import io
import sys

import h5py
import numpy as np
import pytest
import scipy.sparse as sp

from nmf_core.ingest import Limits, Verdict, read, sandbox

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


def test_texts_of_cells_are_labels_where_they_name_a_few_classes():
    buffer = io.BytesIO(h5ad())
    with h5py.File(buffer, "r+") as file:
        file["obs"]["batch"] = np.array(list("xxyyxxyy"), dtype=object)
        file["obs"]["barcode"] = np.array([f"AC{i}" for i in range(8)], dtype=object)
        file["obs"]["depth"] = np.arange(8.0)
    labels = read(buffer.getvalue(), "x.h5ad", sandbox=False).dataset.labels
    assert set(labels) == {"type", "batch"}
    assert list(labels["batch"]) == list("xxyyxxyy")


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


def round_in_circles() -> bytes:
    """Return an .h5ad file in which one byte was lost: the first text of a heap claims to be free space of no length."""
    data = bytearray(h5ad())
    at = data.index(b"GCOL\x01") + 16
    data[at : at + 2] = b"\0\0"
    data[at + 8 : at + 16] = b"\0" * 8
    return bytes(data)


@pytest.mark.parametrize("data", [round_in_circles(), gzip.compress(round_in_circles())], ids=["bare", "packed"])
def test_a_heap_that_leads_nowhere_is_found_before_the_library_goes_round_it(data):
    """Without the look at the heaps this file takes all the processor time that the child has, and ends as "time"."""
    reading = read(data, "x.h5ad")
    assert reading.verdict is Verdict.REFUSE
    assert reading.message.code == "damaged"
    assert "a heap of texts leads nowhere" in reading.sentence


def test_bytes_that_look_like_a_heap_by_chance_are_none():
    buffer = io.BytesIO(h5ad(form="dense"))
    with h5py.File(buffer, "a") as file:
        file["uns/note"] = np.frombuffer(
            b"GCOL\x01\0\0\0" + b"\xff" * 24 + b"GCOL\x01\0\0\0" + b"\3" + b"\0" * 31, dtype=np.uint8
        )
    assert read(buffer.getvalue(), "x.h5ad", sandbox=False).raw.shape == (8, 5)


def test_a_damaged_file_of_this_kind_gets_less_time_than_others(tmp_path, monkeypatch):
    data, limits = h5ad(), Limits()
    assert limits.for_bytes(data).cpu_seconds == 5
    assert limits.for_bytes(data + bytes(30_000_000)).cpu_seconds == 20
    assert limits.for_bytes(b"a,b\n1,2\n") == limits
    program = tmp_path / "child.py"
    program.write_text("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)")
    monkeypatch.setattr(sandbox, "CHILD", program)
    assert "longer than 5 seconds" in read(data, "x.h5ad").sentence
