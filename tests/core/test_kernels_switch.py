"""Loading kernels, doing without them, sharing threads, and fitting in batches."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.datasets import load_iris

from nmf_core import kernels
from nmf_core.batch import fit_many
from nmf_core.fit import fit
from nmf_core.kernels import compiling, threads
from nmf_core.types import FitRequest

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
import numpy as np
from nmf_core.fit import fit
X = np.random.default_rng(0).random((40, 7))
result = fit(X, rank=3, init="random", max_iter=30, tol=0)
print(result.loss.hex(), "numba" in sys.modules, "sklearn" in sys.modules)
from nmf_core import kernels
print(kernels.enabled())
"""


def answer(**environment):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout.split()


def test_without_kernels_everything_works_and_gives_the_same_bits():
    kernels.warm_up(["dense"], ["float64"], wait=True)
    X = np.random.default_rng(0).random((40, 7))
    here = fit(X, rank=3, init="random", max_iter=30, tol=0).loss.hex()
    assert kernels.ready("dense", "float64")
    for environment in ({"NMF_EXPLORER_KERNELS": "0"}, {"NUMBA_DISABLE_JIT": "1"}):
        loss, numba, sklearn, enabled = answer(**environment)
        assert (loss, numba, sklearn, enabled) == (here, "False", "False", "False")


def test_code_compiled_from_other_sources_is_forgotten_once(tmp_path, monkeypatch):
    """Numba would go on with it where only a function that was compiled into another one has changed."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    stale = [tmp_path / name for name in ("_dense.sweep-27.py311.nbi", "in/_dense.sweep-27.py311.1.nbc")]
    others = [tmp_path / name for name in ("theirs.f-1.py311.nbi", "_foreign.f-1.py311.nbc")]
    mark = tmp_path / "nmf-kernels-0123.mark"
    for file in (*stale, *others, mark):
        file.parent.mkdir(exist_ok=True)
        file.touch()
    compiling.forget_older()
    assert not any(file.exists() for file in (*stale, mark))
    assert all(file.exists() for file in others)
    stale[0].touch()  # now compiled from these sources
    compiling.forget_older()
    assert stale[0].exists()


def test_unknown_kernels_are_left_to_the_twin():
    assert kernels.get("dense", "no such kernel", np.float64) is None
    assert kernels.get("dense", "sweep", np.float16) is None


def test_twins_only_is_undone_after_an_error():
    kernels.warm_up(["dense"], ["float64"], wait=True)
    seen = []

    def fail():
        with kernels.twins_only():
            seen.append(kernels.get("dense", "sweep", np.float64))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert seen == [None]
    assert kernels.get("dense", "sweep", np.float64) is not None


def test_limit_never_exceeds_the_cores(monkeypatch):
    monkeypatch.setenv(threads.VARIABLE, "100000")
    threads.set_limit(None)
    assert threads.limit() == threads.cores()
    threads.set_limit(0)
    assert threads.limit() == 1
    threads.set_limit(None)


def test_run_keeps_order_uses_threads_and_raises(monkeypatch):
    monkeypatch.setattr(threads, "cores", lambda: 3)
    threads.set_limit(3)
    together = threading.Barrier(3, timeout=20)
    assert threads.run(lambda i: (together.wait(), i)[1], [(0,), (1,), (2,)]) == [0, 1, 2]

    def fail(i):
        if i == 1:
            raise ValueError("part 1")
        return i

    with pytest.raises(ValueError, match="part 1"):
        threads.run(fail, [(i,) for i in range(5)])
    threads.set_limit(None)


def test_blas_is_held_to_one_thread_and_let_go():
    from threadpoolctl import threadpool_info

    def counts():
        return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]

    before = counts()
    with threads.one_blas_thread():
        assert set(counts()) == {1}
        with threads.one_blas_thread():
            assert set(counts()) == {1}
        assert set(counts()) == {1}
    assert counts() == before


def requests():
    for rank in (2, 5):
        for seed in (0, 1, 2):
            yield FitRequest(rank=rank, seed=seed, init="random", max_iter=300, tol=1e-4)
    yield FitRequest(rank=3, n_restarts=3, init="nndsvda", tol=1e-5)
    yield FitRequest(rank=3, loss="kullback-leibler", max_iter=40)
    yield FitRequest(rank=3, solver="bpp", max_iter=20)
    yield FitRequest(rank=3, alpha_W=0.01, l1_ratio=0.3, init="random", max_iter=95, tol=0)
    yield FitRequest(rank=3, stop_rule="kkt", init="random", tol=1e-3)


@pytest.mark.parametrize("warm", [True, False])
@pytest.mark.parametrize("kind", ["dense", "sparse", "missing"])
def test_a_batch_gives_what_single_fits_give(kind, warm):
    kernels.warm_up(["dense"], ["float64"], wait=True)
    X = load_iris().data
    if kind == "sparse":
        X = sp.csr_array(np.where(X < 1, 0, X))
    if kind == "missing":
        X = X.copy()
        X[3, 2] = np.nan
    asked = [r for r in requests() if kind != "missing" or r.solver != "bpp"]
    single = [fit(X, request) for request in asked]
    if warm:
        batch = fit_many(X, asked)
    else:
        with kernels.twins_only():
            batch = fit_many(X, asked)
    for one, many in zip(single, batch, strict=True):
        assert one.request == many.request
        assert one.stop == many.stop
        assert one.best == many.best
        np.testing.assert_array_equal(one.W, many.W)
        np.testing.assert_array_equal(one.H, many.H)
        for a, b in zip(one.restarts, many.restarts, strict=True):
            np.testing.assert_array_equal(a.loss, b.loss)


@pytest.mark.parametrize("shape", [(40, 9), (9, 40), (300, 33)])
@pytest.mark.parametrize("limit", [7, 10, 25, 400])
def test_small_fits_that_share_a_loop_end_and_go_on_as_single_ones(shape, limit):
    kernels.warm_up(["dense"], ["float32"], wait=True)
    X = np.random.default_rng(1).gamma(1.0, 1.0, shape).astype(np.float32)
    X[:, 0] = 0
    common = {"init": "random", "max_iter": limit, "alpha_W": 0.01, "l1_ratio": 0.3}
    asked = [FitRequest(rank=k, seed=s, **common) for s in range(7) for k in (1, 2, 5)]
    for request, many in zip(asked, fit_many(X, asked), strict=True):
        one = fit(X, request)
        assert (one.stop, one.n_iter) == (many.stop, many.n_iter)
        np.testing.assert_array_equal(one.W, many.W)
        np.testing.assert_array_equal(one.trace.loss, many.trace.loss)
        assert len(many.trace.seconds) == len(many.trace.loss)
        assert (np.diff(many.trace.seconds) >= 0).all()
        further = fit(X, request.with_(max_iter=limit + 20), continue_from=many)
        np.testing.assert_array_equal(further.H, fit(X, request.with_(max_iter=limit + 20)).H)


def test_a_batch_names_what_is_wrong():
    with pytest.raises(ValueError, match="n_components"):
        fit_many(load_iris().data, [FitRequest(rank=2), FitRequest(rank=7, init="nndsvd")])
