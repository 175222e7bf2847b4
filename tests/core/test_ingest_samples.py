"""Data beyond a limit: refused with the numbers, and read in part by one answer; the same for every kind of file."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.sparse as sp
from PIL import Image

from nmf_core.ingest import Limits, Reading, Verdict, read
from nmf_core.ingest.sample import ordinal
from nmf_core.types import is_sparse
from tests.core.ingest_corpus import arrow, csv_of, npy, npz, picture, saved, tone, wav, zip_of
from tests.core.ingest_programs import hdf5, mtx, words

RNG = np.random.default_rng(0)
DENSE = np.round(RNG.gamma(2.0, 2.0, (30, 4)) + 0.01, 2)
SPARSE = sp.random_array((30, 8), density=0.5, format="csr", rng=RNG)
SMALL = Limits(cells=50, stored=50)  # the tables above are more than twice as large


@dataclass(frozen=True)
class Large:
    """A file beyond a limit, the numbers its refusal must name, the offer, and what is left of the whole."""

    name: str
    make: Callable[[], bytes]
    words: str
    question: str
    expected: Any = None  # the matrix that is read
    limits: Limits = SMALL
    rows: tuple[str, ...] = ()


def columns(array: np.ndarray) -> dict[str, Any]:
    """Return an array as named columns."""
    return {f"x{j}": array[:, j] for j in range(array.shape[1])}


def batches(stream: bool) -> bytes:
    """Return an Arrow file or stream in pieces of seven rows."""
    table, buffer = pa.table(columns(DENSE)), io.BytesIO()
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(buffer, table.schema) as writer:
        writer.write_table(table, max_chunksize=7)
    return buffer.getvalue()


def cells_by_genes(form: str) -> Callable[[Any], None]:
    """Return a writer of AnnData with 30 cells."""

    def write(file: Any) -> None:
        if form == "dense":
            file["X"] = SPARSE.toarray()
        else:
            group, matrix = file.create_group("X"), SPARSE if form == "csr" else sp.csc_array(SPARSE)
            group.attrs["encoding-type"], group.attrs["shape"] = f"{form}_matrix", SPARSE.shape
            for part in ("data", "indices", "indptr"):
                group[part] = getattr(matrix, part)
        for name, prefix, n in (("obs", "c", 30), ("var", "g", 8)):
            words(file.create_group(name), "_index", prefix, n)
        kind = file["obs"].create_group("type")
        kind["codes"], kind["categories"] = np.arange(30, dtype=np.int8) % 2, np.array(["B", "T"], dtype="S")

    return write


def loom(file: Any) -> None:
    """Write genes × cells."""
    file["matrix"] = DENSE.T
    words(file.create_group("row_attrs"), "Gene", "g", 4)
    words(file.create_group("col_attrs"), "CellID", "c", 30)


def long_table() -> bytes:
    """Return (row, column, value) of the sparse matrix."""
    X = sp.coo_array(SPARSE)
    lines = [f"{i},{j},{v:.6f}" for i, j, v in zip(X.row, X.col, X.data, strict=True)]
    return ("user,item,value\n" + "\n".join(lines) + "\n").encode()


def long_arrow() -> pa.Table:
    """Return (row, column, value) of the sparse matrix as columns."""
    X = sp.coo_array(SPARSE)
    return pa.table({"user": X.row, "item": X.col.astype(float), "value": X.data})


PAGES = [np.full((5, 5), 10 * k + 5, dtype=np.uint8) for k in range(12)]


def pages() -> bytes:
    """Return a TIFF of twelve pages."""
    first, *rest = [Image.fromarray(page) for page in PAGES]
    return saved(lambda file: first.save(file, "TIFF", save_all=True, append_images=rest))


def linked(n: int = 9) -> list[tuple[int, int]]:
    """Return links of n nodes, of which each has more than the one before it: i and j are linked where i + j >= n."""
    return [(i, j) for i in range(n) for j in range(i) if i + j >= n]


MOST = np.array([[float(i != j) for j in range(5, 9)] for i in range(5, 9)])  # four nodes, all linked
FEW_LINKS = Limits(
    stored=8
)  # 16 links in all; nodes 4, 6, 7 and 8 have 6 among them (5 is as good as 4), with 5 they have 10
GRAPH = nx.Graph([(f"n{i}", f"n{j}") for i, j in linked()])


def symmetric(array: bool) -> bytes:
    """Return links as a symmetric MatrixMarket file, as coordinates or in full."""
    X = np.zeros((9, 9))
    for i, j in linked():
        X[i, j] = X[j, i] = 1.0
    return mtx(X if array else sp.coo_array(X), symmetry="symmetric")


SYMMETRIC = np.add.outer(np.arange(9.0), np.arange(9.0)) + np.eye(9)
SKEW = np.subtract.outer(np.arange(9.0), np.arange(9.0))


NAMED = {f"p{k:02d}.png": picture(page) for k, page in enumerate(PAGES)}
EVEN = {"sample": "even"}
THIRD = DENSE[::3]
CASES = [
    Large("csv", lambda: csv_of(DENSE).encode(), r"30 rows × 4 columns = 120 cells", "sample", THIRD),
    Large("csv with quotes", lambda: ('"n#","a","b","c","d"\n# x\n' + "".join(f'"r{i}",{",".join(map(str, r))}\n' for i, r in enumerate(DENSE))).encode(),
          "30 rows × 5 columns|31 rows × 5 columns|32 rows × 5", "sample"),
    Large("parquet", lambda: saved(lambda f: pq.write_table(pa.table(columns(DENSE)), f, row_group_size=7)), "30 rows × 4 columns", "sample", THIRD),
    Large("arrow", lambda: batches(False), "30 rows × 4 columns", "sample", THIRD),
    Large("arrow stream", lambda: batches(True), "30 rows × 4 columns", "sample", THIRD),
    Large("arrow in one piece", lambda: arrow(columns(DENSE)), "30 rows × 4 columns", "sample", THIRD),
    Large("npy", lambda: npy(DENSE), "30 rows × 4 columns", "sample", THIRD),
    Large("npz", lambda: npz(X=DENSE), "30 rows × 4 columns", "sample", THIRD),
    Large("records", lambda: npy(np.rec.fromarrays(list(DENSE.T), names="a,b,c,d")), "30 rows × 4 columns", "sample", THIRD),
    Large("arrays of one length", lambda: npz(**{f"x{j}": DENSE[:, j] for j in range(4)}), "30 rows × 4 columns", "sample", THIRD),
    Large("pictures in an array", lambda: npy(np.arange(750.0).reshape(30, 5, 5)), "30 rows × 25 columns", "sample", np.arange(750.0).reshape(30, 25)[::15]),
    Large("sparse npz", lambda: saved(lambda f: sp.save_npz(f, SPARSE)), "30 rows × 8 columns with 120 entries", "sample", SPARSE[::3]),
    Large("sparse npz, by columns", lambda: saved(lambda f: sp.save_npz(f, sp.csc_array(SPARSE))), "with 120 entries", "sample", SPARSE[::3]),
    Large("sparse npz, tall", lambda: saved(lambda f: sp.save_npz(f, SPARSE)), "30 rows × 8 columns", "sample", SPARSE[::3], Limits(sparse_side=14)),
    Large("mtx", lambda: mtx(SPARSE), "30 rows × 8 columns with 120 entries", "sample", SPARSE[::3]),
    Large("mtx dense", lambda: mtx(DENSE), "30 rows × 4 columns = 120 cells", "sample", THIRD),
    Large("mtx dense symmetric", lambda: mtx(SYMMETRIC, symmetry="symmetric"), r"9 × 9 = 81 cells \(648 bytes of memory\); the limit is 50", "sample", SYMMETRIC[::2, ::2]),
    Large("mtx symmetric", lambda: symmetric(array=False), "16 entries between 9 rows and columns", "sample_nodes", MOST, FEW_LINKS, rows=("r5", "r7")),
    Large("list of links", lambda: ("source,target\n" + "".join(f"n{i},n{j}\n" for i, j in linked())).encode(), "16 links between 8 nodes", "sample_nodes", MOST, FEW_LINKS),
    Large("list of links without names", lambda: "".join(f"{i} {j}\n" for i, j in linked()).encode(), "16 links between 8 nodes", "sample_nodes", MOST, FEW_LINKS, rows=("4", "6")),
    Large("list of links in Parquet", lambda: saved(lambda f: pq.write_table(pa.table({"source": [f"n{i}" for i, _ in linked()], "target": [f"n{j}" for _, j in linked()]}), f)),
          "16 links between 8 nodes", "sample_nodes", MOST, FEW_LINKS),
    Large("links of too many nodes", lambda: ("source,target\n" + "".join(f"n{i},n{j}\n" for i, j in linked())).encode(), "and 4 nodes, because", "sample_nodes", MOST,
          Limits(sparse_side=4)),
    Large("GraphML", lambda: saved(lambda f: nx.write_graphml(GRAPH, f)), "16 links between 8 nodes", "sample_nodes", MOST, FEW_LINKS),
    Large("GML", lambda: saved(lambda f: nx.write_gml(GRAPH, f)), "16 links between 8 nodes", "sample_nodes", MOST, FEW_LINKS),
    Large("nodes and links in JSON", lambda: json.dumps(nx.node_link_data(GRAPH, edges="links")).encode(), "16 links between 8 nodes", "sample_nodes", MOST, FEW_LINKS),
    Large("long table in Parquet", lambda: saved(lambda f: pq.write_table(long_arrow(), f, row_group_size=40)), "120 lines", "sample_lines", SPARSE[::3], rows=("0", "3", "6")),
    Large("long table of too many rows", long_table, "30 rows × 8 columns with 120 entries", "sample", SPARSE[::3], Limits(sparse_side=10), rows=("0", "3", "6")),
    Large("mtx, packed", lambda: gzip.compress(mtx(SPARSE)), "with 120 entries", "sample", SPARSE[::3]),
    Large("h5ad", lambda: hdf5(cells_by_genes("csr")), "with 120 entries", "sample", SPARSE[::3], rows=("c0", "c3", "c6")),
    Large("h5ad by columns", lambda: hdf5(cells_by_genes("csc")), "with 120 entries", "sample", SPARSE[::3], rows=("c0", "c3", "c6")),
    Large("h5ad dense", lambda: hdf5(cells_by_genes("dense")), "30 rows × 8 columns", "sample", SPARSE.toarray()[::5], rows=("c0", "c5")),
    Large("loom", lambda: hdf5(loom), "30 rows × 4 columns", "sample", THIRD, rows=("c0", "c3")),
    Large("long table", long_table, "12[01] lines", "sample_lines", SPARSE[::3], rows=("0", "3", "6")),
    Large("pages", pages, "12 pages of 5 × 5 pixels", "sample", np.stack([p.ravel() for p in PAGES[::3]]) / 255.0, Limits(pixels=25)),
    Large("zip of pictures", lambda: zip_of(NAMED), "holds 12 files; the limit is 5", "sample", np.stack([p.ravel() for p in PAGES[::3]]) / 255.0, Limits(members=5),
          rows=("p00", "p03")),
    Large("zip of texts", lambda: zip_of({f"{k:02d}.txt": f"word{'abcdefghijkl'[k]} and something {'abc'[k % 3] * 3}" for k in range(12)}), "holds 12 files", "sample",
          limits=Limits(members=5), rows=("00", "03")),
    Large("a large picture", lambda: picture(np.repeat(np.repeat(PAGES[3], 2, 0), 2, 1) + np.eye(10, dtype=np.uint8)), "10 x 10 pixels", "smaller",
          limits=Limits(pixels=25)),
    Large("text packed as gz", lambda: gzip.compress(csv_of(DENSE).encode() * 3), "unpacks to more than 600 bytes", "beginning", DENSE[:14], Limits(unpacked=600)),
    Large("text packed as xz", lambda: __import__("lzma").compress(csv_of(DENSE).encode() * 3), "unpacks to more than 600 bytes", "beginning", DENSE[:14], Limits(unpacked=600)),
    Large("text packed as zip", lambda: zip_of({"a.csv": csv_of(DENSE) * 3}), r"unpacks to 1\.", "beginning", DENSE[:14], Limits(unpacked=600)),
    Large("sound", lambda: wav(tone(3.0, 1000), 1000), "0.1 minutes long", "clip", limits=Limits(audio_seconds=2)),
    Large("sound of many samples a second", lambda: wav(tone(3.0, 8000), 8000), r"8,000 Hz is 0\.0", "clip", limits=Limits(cells=10_000)),
]  # fmt: skip


def offered(reading: Reading, question: str) -> dict[str, str]:
    """Return the answer that reads a part."""
    options = next(q.options for q in reading.questions if q.id == question)
    assert options[0].value == "refuse"
    assert len(options) == 2
    return {question: options[1].value}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_what_is_too_large_names_its_size_and_is_read_in_part_by_one_answer(case):
    data = case.make()
    whole = read(data, "x", limits=case.limits, sandbox=False)
    assert whole.verdict is Verdict.REFUSE
    assert __import__("re").search(case.words, whole.sentence), whole.sentence
    assert "hoose to read" in whole.sentence
    answer = offered(whole, case.question)
    part = read(data, "x", answer, limits=case.limits, sandbox=False)
    for _ in range(3):  # what is asked of a whole file is asked of its part
        if part.verdict is Verdict.ASK:
            part = read(data, "x", {**part.defaults, **answer}, limits=case.limits, sandbox=False)
    assert part.verdict is Verdict.NOTE, part.sentence
    assert any(note.question == case.question for note in part.notes)
    X = part.raw.X.toarray() if is_sparse(part.raw.X) else part.raw.X
    if case.expected is not None:
        expected = case.expected.toarray() if is_sparse(case.expected) else case.expected
        np.testing.assert_allclose(X, expected, atol=1e-5)
    assert tuple(part.raw.rows[: len(case.rows)]) == case.rows
    for label in part.raw.labels.values():
        assert len(label) == len(X)


def test_a_cube_that_is_thinned_out_is_still_a_picture():
    cube = np.random.default_rng(1).random((12, 10, 6)) + 0.1
    part = read(npy(cube), "x", {"sample": "even", "dimensions": "cube"}, limits=Limits(cells=300), sandbox=False)
    assert part.raw.extra["image_shape"] == (6, 5)
    np.testing.assert_array_equal(part.raw.X, cube[::2, ::2].reshape(30, 6))


def test_labels_stay_with_the_rows_that_were_read():
    part = read(hdf5(cells_by_genes("csr")), "x", EVEN, limits=SMALL, sandbox=False)
    assert part.raw.labels["type"].tolist() == ["B", "T"] * 5


@pytest.mark.parametrize(("form", "n", "m", "step"), [("csr", 5000, 3, 3), ("dense", 2100, 2000, 5)])
def test_every_kth_row_is_counted_on_across_the_blocks_of_a_large_file(form, n, m, step):
    X = np.ones((n, m), dtype=np.float32)
    X[:, 0] += np.arange(n)

    def large(file: Any) -> None:
        if form == "dense":
            file["X"] = X
            return
        group = file.create_group("X")
        group.attrs["encoding-type"], group.attrs["shape"] = "csr_matrix", X.shape
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(sp.csr_array(X), name)

    limits = Limits(cells=1_000_000) if form == "dense" else Limits(stored=n)
    part = read(hdf5(large), "x", EVEN, limits=limits, sandbox=False).raw
    first = part.X[:, :1].toarray() if is_sparse(part.X) else part.X[:, :1]
    np.testing.assert_array_equal(first.ravel(), 1 + np.arange(0, n, step))


@pytest.mark.parametrize(
    ("data", "limits", "words"),
    [
        (saved(lambda f: sp.save_npz(f, SPARSE.T.tocsr())), Limits(sparse_side=14), "8 rows × 30 columns"),
        (gzip.compress(npy(DENSE)), Limits(unpacked=600), "unpacks to more than"),
        (zip_of({f"{k}.csv": "a,b\n1,2\n3,4\n" for k in range(9)}), Limits(members=5), "holds 9 files"),
        (saved(lambda f: Image.fromarray(np.ones((30, 30), np.uint8)).save(f, "PNG")), Limits(pixels=25), "30 x 30 pixels"),
    ],
    ids=["too many columns", "no text", "tables", "huge picture"],
)  # fmt: skip
def test_nothing_is_offered_where_a_part_would_be_of_no_use(data, limits, words):
    reading = read(data, "x", limits=limits, sandbox=False)
    assert reading.verdict is Verdict.REFUSE
    assert words in reading.sentence
    assert not [q for q in reading.questions if q.id in ("sample", "beginning", "smaller", "sample_lines")]


def test_photographs_that_do_not_fit_into_memory_together_are_read_smaller(monkeypatch):
    """Twenty photographs of a telephone take gigabytes as numbers: each is shrunk before the next one is opened."""
    from nmf_core.ingest import pictures

    monkeypatch.setattr(
        pictures, "HELD", 3 * 20 * 20 * 4
    )  # room for four pictures of 20 × 20; sixteen of 40 × 40 are sent
    tiles = [
        np.kron(RNG.integers(1, 255, (10, 10, 3), dtype=np.uint8), np.ones((4, 4, 1), dtype=np.uint8)) for _ in range(4)
    ]
    reading = read(zip_of({f"{k}.png": picture(tile) for k, tile in enumerate(tiles)}), "x.zip", sandbox=False)
    assert any("read at 1/2 of their width and height" in note.text for note in reading.notes)
    grey = tiles[0] @ np.array([0.299, 0.587, 0.114]) / 255.0
    np.testing.assert_allclose(reading.raw.X[0].reshape(20, 20), grey[::2, ::2], atol=0.01)


def test_a_photograph_is_shrunk_while_it_is_decoded():
    image = np.kron(RNG.integers(1, 255, (12, 12, 3), dtype=np.uint8), np.ones((8, 8, 1), dtype=np.uint8))
    data = saved(lambda f: Image.fromarray(image).save(f, "JPEG", quality=95))
    reading = read(data, "x.jpg", {"smaller": "part"}, limits=Limits(pixels=48 * 48), sandbox=False)
    assert reading.raw.shape == (48, 48)
    grey = (image @ np.array([0.299, 0.587, 0.114]) / 255.0).reshape(48, 2, 48, 2).mean(axis=(1, 3))
    assert np.corrcoef(grey.ravel(), reading.raw.X.ravel())[0, 1] > 0.98


@pytest.mark.parametrize(
    ("k", "words"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th"), (12, "12th"), (23, "23rd"), (112, "112th")]
)
def test_numbers_are_written_as_places(k, words):
    assert ordinal(k) == words
