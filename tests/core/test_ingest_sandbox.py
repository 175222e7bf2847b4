"""The child process: its limits, its environment, its death; and what large data cost."""

from __future__ import annotations

import gzip
import io
import mmap
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.io
import scipy.sparse as sp

from nmf_core.ingest import Limits, Verdict, read, read_many, sandbox
from nmf_core.ingest.quota import Quota
from nmf_core.ingest.wire import receive
from tests.core.ingest_corpus import GOOD, cut_mtx, far_cell, noise, picture, zip_of

ROOT = Path(__file__).parents[2]
posix = os.name == "posix"


def with_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Put another program in the place of the child."""
    program = tmp_path / "child.py"
    program.write_text(code)
    monkeypatch.setattr(sandbox, "CHILD", program)


@pytest.mark.parametrize(("data", "words"), [(far_cell(), "spans 1048576 x 16384"), (cut_mtx(), "cut off at line 3")])
def test_the_two_files_that_end_processes_end_in_a_sentence(data, words):
    reading = read(data, "x.xlsx")
    assert reading.verdict is Verdict.REFUSE
    assert words in reading.sentence


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "crash"),
        ("import os; os.abort()", "crash"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "memory"),
        ("import time; time.sleep(60)", "time"),
        ("while True: pass", "time"),
        ("raise SystemExit(3)", "memory"),
        ("pass", "memory"),
        ("import sys; sys.stdout.write('hello')", "memory"),
        ("import sys; sys.stdout.buffer.write((10**9).to_bytes(8, 'little') + b'{}')", "memory"),
        ("import sys; sys.stdout.buffer.write((2).to_bytes(8, 'little') + b'{}')", "memory"),
        ("import pickle, sys; pickle.dump([1], sys.stdout.buffer)", "memory"),
    ],
)
def test_the_death_or_the_lies_of_a_child_are_a_sentence(tmp_path, monkeypatch, code, expected):
    with_child(tmp_path, monkeypatch, code)
    started = time.monotonic()
    reading = read(GOOD.encode(), "x.csv", limits=Limits(wall_seconds=2, cpu_seconds=1))
    assert reading.verdict is Verdict.REFUSE
    assert reading.message.code == expected
    assert reading.message.hint
    assert time.monotonic() - started < 30


def test_an_hdf5_file_that_takes_too_long_is_called_damaged_and_soon(tmp_path, monkeypatch):
    """Its library goes round for ever in some damaged files; an intact one takes a fraction of the time that is left to it."""
    with_child(tmp_path, monkeypatch, "import sys; import time; time.sleep(60)")
    data = b"\x89HDF\r\n\x1a\n" + bytes(3_000_000)
    assert Limits().for_bytes(data).cpu_seconds == 6
    reading = read(data, "x.h5", limits=Limits(wall_seconds=1))
    assert reading.message.code == "time"
    assert "longer than 6 seconds and was stopped. The file is probably damaged" in reading.sentence
    assert "damaged" not in read(GOOD.encode(), "x.csv", limits=Limits(wall_seconds=1)).sentence


def test_a_child_that_promises_more_than_it_sends_is_not_believed(tmp_path):
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "<f8", "fortran_order": False, "shape": (10**9, 10**3)})
    head = (
        b'{"notes": [], "questions": [], "message": null, "format": "", "raw": {"name": "x", "kind": "table", "mask": null, '
        b'"shape": [1, 1], "cell_shape": null, "X": [{"array": 0}], "rows": {"array": 0}, "cols": {"array": 0}, '
        b'"labels": [], "extra": []}}'
    )
    path = tmp_path / "answer"
    path.write_bytes(len(head).to_bytes(8, "little") + head + buffer.getvalue())
    with path.open("rb") as file, pytest.raises(ValueError, match="not a plain array"):
        receive(file)


def test_the_child_knows_nothing_of_the_server(tmp_path, monkeypatch):
    seen = tmp_path / "environment"
    monkeypatch.setenv("SECRET_TOKEN", "do not tell")
    with_child(
        tmp_path, monkeypatch, f"import os, pathlib; pathlib.Path({str(seen)!r}).write_text(repr(dict(os.environ)))"
    )
    read(GOOD.encode(), "x.csv")
    assert "SECRET" not in seen.read_text()
    assert "PATH" not in seen.read_text().replace("PYTHONPATH", "PATH") or not posix


def test_the_child_takes_limits_on_itself():
    code = (
        "import resource; from nmf_core.ingest.child import confine; confine(2_000_000_000, 7, 1_000_000); "
        "print([resource.getrlimit(k) for k in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, "
        "resource.RLIMIT_CORE)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[(2000000000, 2000000000), (7, 7), (1000000, 1000000), (0, 0)]"


def test_more_memory_than_allowed_ends_in_a_sentence():
    data = io.BytesIO()
    np.savez_compressed(data, X=np.zeros((20_000, 4000), dtype=np.int8))
    started = time.monotonic()
    reading = read(data.getvalue(), "x.npz", limits=Limits(memory=500_000_000, cells=10**9, unpacked=10**10))
    assert reading.verdict is Verdict.REFUSE
    assert reading.message.code == "memory"
    assert time.monotonic() - started < 60


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    outside = set(ROOT.parent.iterdir())
    archive = zip_of({"../../evil.csv": GOOD, "/tmp/evil2.csv": GOOD})
    read(archive, "../../../evil.zip", {"member": "../../evil.csv"})
    read(GOOD.encode(), "x.csv")
    assert list(tmp_path.iterdir()) == []
    assert set(ROOT.parent.iterdir()) == outside


def test_a_child_starts_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "numpy.py").write_text("raise SystemExit('a stranger’s module was imported')")
    assert read(GOOD.encode(), "x.csv").verdict is Verdict.READ


def test_only_a_few_children_run_at_once(tmp_path, monkeypatch):
    log = tmp_path / "log"
    with_child(
        tmp_path, monkeypatch,
        f"import time\nf = open({str(log)!r}, 'a', buffering=1)\nf.write('+')\ntime.sleep(0.3)\nf.write('-')",
    )  # fmt: skip
    threads = [threading.Thread(target=read, args=(GOOD.encode(), "x.csv")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    running = np.cumsum([1 if c == "+" else -1 for c in log.read_text()])
    assert len(running) == 16
    assert running.max() <= sandbox.AT_ONCE


def test_an_installation_without_python_says_so(monkeypatch):
    monkeypatch.setattr(sys, "executable", "")
    assert "cannot start" in read(GOOD.encode(), "x.csv").sentence


def test_the_limit_of_an_upload_names_both_sizes():
    reading = read(b"x" * 60_000_000, "x.csv")
    assert reading.sentence.startswith("The file is 60 MB large; the limit is 50 MB")


def test_what_unpacks_without_end_is_counted_while_unpacking():
    reading = read(gzip.compress(b"0" * 9_000_000, 1), "x.csv.gz", limits=Limits(unpacked=5_000_000), sandbox=False)
    assert "more than 5 MB" in reading.sentence


def test_a_table_beyond_the_limit_is_offered_as_a_sample():
    limits = Limits(cells=1000)
    data = ("a,b,c,d\n" + "".join(f"{i}.5,{i + 1}.5,1.5,2.5\n" for i in range(1000))).encode()
    refused = read(data, "x.csv", limits=limits, sandbox=False)
    assert refused.verdict is Verdict.REFUSE
    assert "1,000 rows × 4 columns = 4,000 cells (32 kB of memory); the limit is 1,000" in refused.sentence
    assert [q.id for q in refused.questions][-1] == "sample"
    sampled = read(data, "x.csv", {"sample": "even"}, limits=limits, sandbox=False)
    assert sampled.dataset.shape == (250, 4)
    np.testing.assert_array_equal(sampled.dataset.X[:, 0], np.arange(0, 1000, 4) + 0.5)


@pytest.mark.parametrize("name", ["x.npy", "x.parquet", "x.json"])
def test_samples_are_offered_by_other_readers_too(name):
    from tests.core.ingest_corpus import npy, parquet

    X = np.arange(1.0, 4001).reshape(1000, 4)
    data = {
        "x.npy": lambda: npy(X),
        "x.parquet": lambda: parquet({f"c{j}": X[:, j] for j in range(4)}),
        "x.json": lambda: repr([{f"c{j}": float(row[j]) for j in range(4)} for row in X]).replace("'", '"').encode(),
    }[name]()
    limits = Limits(cells=1000)
    assert read(data, name, limits=limits, sandbox=False).verdict is Verdict.REFUSE
    reading = read(data, name, {"sample": "even", "row_names": ""}, limits=limits, sandbox=False)
    np.testing.assert_array_equal(reading.dataset.X, X[::4])


def test_several_pictures_become_one_data_set():
    files = [
        ("b.png", picture(noise(9, 9, seed=1))),
        ("a.png", picture(noise(9, 9, seed=2))),
        ("../a.png", picture(noise(9, 9))),
    ]
    reading = read_many(files, sandbox=False)
    assert list(reading.dataset.rows) == ["b", "a", "a (2)"]
    assert reading.dataset.cell_shape == (9, 9)
    np.testing.assert_allclose(reading.dataset.X[0] * 255, noise(9, 9, seed=1).ravel(), atol=1e-4)


def test_too_many_files_and_no_file_are_a_sentence():
    assert "21 files at once; the limit is 20" in read_many([("a.csv", b"1")] * 21).sentence
    assert read_many([]).verdict is Verdict.REFUSE


CONSTANT = 45_000_000  # libraries that a reader loads, whatever the file
N_LINES = 1_000_000


def test_a_large_table_takes_little_more_than_its_numbers():
    n, m = 200_000, 40
    row = ",".join(f"{v:.2f}" for v in np.random.default_rng(0).random(m) * 9)
    data = (",".join(f"c{j}" for j in range(m)) + "\n" + (row + "\n") * n).encode()
    peak = peak_of_child(data)
    assert peak["n"] == n
    assert peak["own"] == n * m * 8
    assert peak["growth"] < 3 * peak["own"] + CONSTANT


def long_text(header: str, end: str) -> bytes:
    """Return a million different (row, column, value) of a 20,000 × 10,000 matrix as a text table."""
    rng = np.random.default_rng(0)
    flat = np.unique(rng.integers(0, 20_000 * 10_000, N_LINES + 10_000))
    rng.shuffle(flat)
    flat = flat[:N_LINES]
    values = rng.integers(1, 11, N_LINES) / 2
    lines = [f"u{f // 10_000},i{f % 10_000},{v}{end}" for f, v in zip(flat.tolist(), values.tolist(), strict=True)]
    return "\n".join([header, *lines]).encode()


@pytest.mark.parametrize(
    ("header", "end"), [("user,item,rating", ""), ("userId,movieId,rating,timestamp", ",978300760")]
)
def test_a_long_table_of_a_million_lines_takes_little_more_than_its_matrix(header, end):
    peak = peak_of_child(long_text(header, end))
    assert peak["n"] == 20_000
    assert peak["own"] < 12.2 * N_LINES  # float64 and int32: the honest measure, not the 1.6 GB of a dense matrix
    assert peak["growth"] < 4 * peak["own"] + CONSTANT


def test_a_long_table_whose_names_say_nothing_is_read_the_same_way_once_that_is_chosen():
    data = long_text("a,b,c", "")
    asked = read(data, "x.csv")
    assert [q.id for q in asked.open] == ["layout"]
    peak = peak_of_child(data, {"layout": "long"})
    assert peak["growth"] < 4 * peak["own"] + CONSTANT
    reading = read(data, "x.csv", {"layout": "long"}, limits=Limits(memory=1_200_000_000))
    assert reading.dataset.X.nnz == N_LINES


def test_a_long_table_holds_what_pandas_finds_in_it():
    data = long_text("user,item,rating", "")[:60_000].rpartition(b"\n")[0]
    reading = read(data, "x.csv", sandbox=False)
    frame = pd.read_csv(io.BytesIO(data)).pivot(index="user", columns="item", values="rating")
    frame = frame.loc[list(reading.dataset.rows), list(reading.dataset.cols)]
    np.testing.assert_array_equal(reading.dataset.X.toarray(), frame.fillna(0).to_numpy())


def sparse_file(form: str, X: sp.csr_array) -> bytes:
    """Return a sparse matrix as one kind of file."""
    buffer = io.BytesIO()
    if form.startswith("npz"):
        sp.save_npz(buffer, X.asformat(form.partition(" ")[2]))
    elif form.startswith("mtx"):
        scipy.io.mmwrite(buffer, X, precision=17)
    elif form.startswith("h5ad"):
        kind = form.partition(" ")[2]
        with h5py.File(buffer, "w") as file:
            group = file.create_group("X")
            group.attrs["encoding-type"], group.attrs["shape"] = f"{kind}_matrix", X.shape
            for part in ("data", "indices", "indptr"):
                group[part] = getattr(X.asformat(kind), part)
    else:
        C = X.tocoo()
        pq.write_table(pa.table({"user": C.row, "item": C.col, "value": C.data}), buffer)
    return gzip.compress(buffer.getvalue(), 1) if form.endswith("gz") else buffer.getvalue()


@pytest.mark.parametrize(
    "form", ["npz csr", "npz csc", "npz coo", "mtx", "mtx gz", "h5ad csr", "h5ad csc", "parquet of entries"]
)
def test_a_large_sparse_matrix_never_becomes_dense(form):
    X = sp.random_array((20_000, 10_000), density=0.005, format="csr", rng=np.random.default_rng(0))
    data = sparse_file(form, X)
    peak = peak_of_child(data)
    assert peak["n"] == 20_000
    text = len(gzip.decompress(data)) if form == "mtx gz" else 0  # unpacked whole, beside the matrix
    assert peak["growth"] < 4 * peak["own"] + text + CONSTANT  # dense: 1.6 GB
    reading = read(data, "x", limits=Limits(memory=1_200_000_000))
    assert reading.raw.shape == (20_000, 10_000)
    assert abs(reading.raw.X - X).max() == 0


def test_a_large_list_of_links_takes_little_more_than_its_matrix():
    rng = np.random.default_rng(0)
    ends = rng.integers(0, 20_000, (N_LINES, 2)).tolist()
    data = ("source,target,weight\n" + "".join(f"n{a},n{b},1.5\n" for a, b in ends)).encode()
    peak = peak_of_child(data)
    assert peak["n"] == 20_000
    assert 22 * N_LINES < peak["own"] < 24.1 * N_LINES  # both directions
    assert peak["growth"] < 4 * peak["own"] + CONSTANT
    reading = read(data, "x", limits=Limits(memory=1_200_000_000))
    assert reading.raw.X.sum() == pytest.approx(3 * N_LINES - 1.5 * sum(a == b for a, b in ends))


def test_the_text_of_a_large_file_does_not_stay_in_the_memory_of_its_reader():
    """What the whole process takes for 22 MB of text beyond what it takes for a short file: the text is not in it."""
    X = sp.random_array((20_000, 10_000), density=0.005, format="csr", rng=np.random.default_rng(0))
    small, large = io.BytesIO(), io.BytesIO()
    scipy.io.mmwrite(small, X[:20, :20] + sp.eye_array(20), precision=8)
    scipy.io.mmwrite(large, X, precision=8)
    code = (
        "import resource, sys; from nmf_core.ingest import read; data = sys.stdin.buffer.read()\n"
        "assert read(data, 'x').raw.shape[0] in (20, 20_000)\n"
        "print(1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    peaks = [
        int(subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True, cwd=ROOT).stdout)
        for data in (small.getvalue(), large.getvalue())
    ]
    assert len(large.getvalue()) > 18_000_000
    stays = 0 if hasattr(mmap, "MADV_DONTNEED") else len(large.getvalue())  # where the system takes no pages back
    assert peaks[1] - peaks[0] < 4 * (12 * X.nnz + 4 * 20_001) + stays


def peak_of_child(data: bytes, choices: dict[str, str] | None = None) -> dict[str, int]:
    """Parse in a fresh process; return the rows read and by how many bytes its peak memory grew over the start.

    The kernel's high-water mark is set back just before the reading: that of a new process begins with what the process
    that started it had in memory, and would hide everything.
    """
    code = (
        "import sys, pathlib; from nmf_core.ingest.read import read_here; from nmf_core.ingest import Limits\n"
        "import pyarrow, pyarrow.csv, pyarrow.compute, pyarrow.parquet, scipy.sparse\n"
        "data = sys.stdin.buffer.read()\n"
        "def peak(): return 1024 * int(pathlib.Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])\n"
        "pathlib.Path('/proc/self/clear_refs').write_text('5'); start = peak()\n"
        f"raw = read_here(data, 'x', {choices or {}!r}, Limits(upload=10**9))[0]\n"
        "X = raw.X; own = sum(a.nbytes for a in (X.data, X.indices, X.indptr)) if raw.sparse else X.nbytes\n"
        "print(raw.shape[0], peak() - start, own)"
    )
    environment = {**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], input=data, capture_output=True, check=True, cwd=ROOT, env=environment
    )
    n, growth, own = done.stdout.split()
    return {"n": int(n), "growth": int(growth), "own": int(own)}


def test_a_quota_counts_per_visitor_and_in_total_and_forgets():
    quota = Quota(per_visitor=100, total=250, window=60)
    assert quota.admit("a", 80, 0) is None
    assert "the limit is 100 bytes" in str(quota.admit("a", 30, 1))
    assert quota.admit("b", 100, 1) is None
    assert "All visitors together" in str(quota.admit("c", 90, 2))
    assert quota.admit("c", 70, 2) is None
    assert quota.admit("a", 80, 60.5) is None  # a minute later the first upload counts no more
