"""Data sets and states in files: what comes back is what was put in, bounded, and gone in the end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections import namedtuple
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

import nmf_core.jobs
from nmf_core.jobs.parking import Parked, nbytes, park, unpark
from nmf_core.jobs.results import Results
from nmf_core.jobs.store import Spool, open_dataset
from nmf_core.types import Dataset, State

rng = np.random.default_rng(5)
DENSE = rng.random((60, 40))
HOLES = np.where(rng.random((60, 40)) < 0.2, np.nan, DENSE)
SPARSE = sp.random_array((60, 40), density=0.1, format="csr", rng=rng)
EXTRA = {
    "parts": rng.random((3, 40)),
    "rate": 44100,
    "scalar": np.float32(0.25),
    "nested": {"pairs": [(1, "a"), (2, None)], "flags": np.array([True, False]), 3: "number as a key"},
    "graph": sp.csr_array(np.eye(3)),
    "words": np.array(["größe", "日本", ""]),
}
DATASETS = {
    "dense": Dataset.of(DENSE, "Dense", rows=[f"Probe {i} ä" for i in range(60)]),
    "float32": Dataset.of(DENSE.astype(np.float32)),
    "masked": Dataset.of(HOLES),
    "sparse": Dataset.of(SPARSE),
    "unstored": Dataset.of(SPARSE, mask="unstored", kind="ratings"),
    "big": Dataset.of(rng.random((3000, 50))),
    "rich": Dataset.of(
        DENSE,
        kind="images",
        cell_shape=(5, 8),
        labels={
            "text": np.array(["x", "y"] * 30),
            "mixed": np.array(["a", None, 3] * 20, dtype=object),
            "n": range(60),
        },
        notes=("read", "scaled"),
        steps=({"step": "scale", "by": 2.0},),
        extra=EXTRA,
    ),
}


@pytest.fixture
def spool(tmp_path):
    spool = Spool(str(tmp_path))
    yield spool
    spool.close()


def same(a: Any, b: Any) -> bool:
    if sp.issparse(a):
        return sp.issparse(b) and a.shape == b.shape and all(same(getattr(a, p), getattr(b, p)) for p in CSR)
    if isinstance(a, np.ndarray):
        if a.dtype != b.dtype or a.shape != b.shape:
            return False
        return a.tolist() == b.tolist() if a.dtype.hasobject else a.tobytes() == b.tobytes()
    if isinstance(a, (dict, MappingProxyType)):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


CSR = ("data", "indices", "indptr")


@pytest.mark.parametrize("name", DATASETS)
def test_a_data_set_comes_back_as_it_was(spool, name):
    dataset = DATASETS[name]
    opened = open_dataset(spool.put(dataset))
    for attribute in Dataset.__slots__:
        assert same(getattr(dataset, attribute), getattr(opened, attribute)), attribute
    assert Dataset.of(opened.X, rows=opened.rows, cols=opened.cols, mask=opened.mask).id == dataset.id


@pytest.mark.parametrize("name", DATASETS)
def test_an_opened_data_set_is_read_only(spool, name):
    X = open_dataset(spool.put(DATASETS[name])).X
    for part in [getattr(X, p) for p in CSR] if sp.issparse(X) else [X]:
        assert type(part) is np.ndarray
        assert not part.flags.writeable


def test_a_big_matrix_is_mapped_not_read(spool):
    X = open_dataset(spool.put(DATASETS["big"])).X
    assert isinstance(X.base, np.memmap)
    assert X.flags.c_contiguous


def test_other_labels_do_not_write_the_matrix_again(spool):
    plain = DATASETS["dense"]
    labelled = plain.with_(labels={"party": np.array(["a", "b"] * 30)})
    one, two = spool.put(plain), spool.put(labelled)
    assert one.folder == two.folder
    assert one.more != two.more
    assert list(open_dataset(two).labels) == ["party"]
    assert not open_dataset(one).labels
    assert len(list(Path(spool.root).rglob("X.npy"))) == 1


def test_what_cannot_be_kept_is_named(spool):
    dataset = DATASETS["dense"].with_(extra={"deep": [{"here": object()}]})
    with pytest.raises(TypeError, match=r"extra\.deep\[0\]\.here: object cannot be kept"):
        spool.put(dataset)


def test_the_spool_drops_what_no_job_needs(tmp_path):
    spool = Spool(str(tmp_path), max_bytes=50_000)
    sets = [Dataset.of(np.full((50, 50), float(i + 1))) for i in range(4)]
    held = spool.put(sets[0])
    others = [spool.put(dataset) for dataset in sets[1:3]]
    assert spool.bytes() > 50_000, "data sets in use stay"
    for ref in others:
        spool.release(ref)
    assert os.path.exists(held.folder)
    assert not os.path.exists(others[0].folder)
    assert spool.bytes() <= 50_000
    assert np.array_equal(open_dataset(spool.put(sets[1])).X, sets[1].X), "written again when needed again"
    spool.close()
    assert not os.path.exists(spool.root)


def test_the_folder_of_a_killed_server_is_removed_and_that_of_a_living_one_stays(tmp_path):
    code = (
        "import sys; from nmf_core.jobs.store import Spool; s = Spool(sys.argv[1]); print(s.root, flush=True); input()"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as server:
        root = Path(server.stdout.readline().strip())
        Spool(str(tmp_path)).close()
        assert root.exists()
        server.send_signal(signal.SIGKILL)
        server.wait()
    Spool(str(tmp_path)).close()
    assert not root.exists()


@dataclass(frozen=True, slots=True)
class Outer:
    state: State
    trail: tuple[Any, ...]


Pair = namedtuple("Pair", "left right")


def test_big_arrays_are_parked_once_and_come_back_the_same(tmp_path):
    W, H = rng.random((1000, 20)), np.asfortranarray(rng.random((20, 1000)))
    small = rng.random(5)
    value = Outer(State(W, H, 3, 0.5, np.random.default_rng(1), {"Y": W, "small": small}), (Pair(H, 1), [W], "text"))
    parked = park(value, str(tmp_path / "task"), at_least=10_000)
    assert len(list((tmp_path / "task").iterdir())) == 2
    assert isinstance(parked.state.W, Parked)
    assert parked.state.W is parked.state.aux["Y"]
    assert parked.state.aux["small"] is small
    back = unpark(parked)
    assert same(back.state.W, W)
    assert same(back.state.H, H)
    assert back.state.H.flags.f_contiguous, "the order decides the last bits of products"
    assert back.state.aux["Y"] is back.state.W
    assert isinstance(back.trail[0], Pair)
    assert back.trail[1][0].flags.writeable
    assert value.state.W is W, "the original is left alone"


def test_a_value_without_big_arrays_is_returned_itself(tmp_path):
    value = Outer(State(np.ones((2, 2)), np.ones((2, 2)), 0, 1.0), ())
    assert park(value, str(tmp_path / "task")) is value
    assert not (tmp_path / "task").exists()


def test_bytes_count_shared_arrays_once():
    a = np.zeros(1000)
    assert 8000 <= nbytes({"a": a, "b": [a, a]}) < 8500
    assert nbytes({"m": SPARSE}) >= SPARSE.data.nbytes + SPARSE.indices.nbytes


def test_results_are_bounded_and_the_newest_stays():
    gone: list[str] = []
    results = Results(25_000, gone.append)
    for name in "abc":
        results.put(name, np.zeros(1000))
    assert results.get("a") is not None
    results.put("d", np.zeros(1000))
    assert gone == ["b"], "a was used since"
    assert results.bytes <= 25_000
    results.put("e", np.zeros(100_000))
    assert results.get("e") is not None
    assert len(results) == 1
    results.put("e", np.zeros(10))
    assert results.bytes == 80


def test_nothing_in_jobs_reads_a_pickle():
    folder = Path(nmf_core.jobs.__file__).parent
    text = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.py")}
    assert len(text) > 8
    for name, source in text.items():
        assert not re.search(r"import (cloud)?pickle|allow_pickle=True|\bpickle\.|joblib|marshal|shelve", source), name
        calls = re.findall(r"np\.(?:load|save)\([^\n]*", source)
        assert all("allow_pickle=False" in call for call in calls), name
