"""The same promises with real worker processes: deaths, stuck chunks, big states, orphans."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from nmf_core import fit, load_dataset
from nmf_core.fit import FitWork
from nmf_core.jobs import Manager
from nmf_core.kernels.threads import cores
from nmf_core.types import Dataset, FitRequest, Stop
from tests.core.jobs_toys import Bad, Endless, HalfSent, Inside, Walk

DATA = Dataset.of(np.random.default_rng(0).random((150, 40)))
TALL = Dataset.of(np.random.default_rng(0).random((60_000, 8)))


@pytest.fixture(scope="module")
def manager():
    manager = Manager("processes", workers=2, tries=2)
    yield manager
    root = manager._spool.root
    manager.shutdown()
    assert not os.path.exists(root)


@pytest.fixture(scope="module")
def inline():
    manager = Manager("inline")
    yield manager
    manager.shutdown()


def until(condition, seconds=20.0):
    """Wait for something another process does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen in time")


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False


def states(manager) -> list[str]:
    """Return the files of states that are kept."""
    return [str(path) for path in Path(manager._spool.root, "states").rglob("*") if path.is_file()]


def result(manager, work, data=DATA):
    manager.submit(work, data)
    view = manager.wait(work.key)
    assert view.finished, view
    return manager.result(work.key)


def same(a, b):
    return a["n"] == b["n"] and a["W"].tobytes() == b["W"].tobytes() and a["H"].tobytes() == b["H"].tobytes()


def test_workers_give_the_bits_of_this_process(manager, inline):
    assert same(result(manager, Walk("bits")), result(inline, Walk("bits")))


@pytest.mark.parametrize(
    "fields", [{"rank": 6, "solver": "mu", "loss": "kullback-leibler"}, {"rank": 10, "n_restarts": 3}]
)
def test_a_fit_gives_the_same_bits_in_chunks_in_a_worker_and_whole_in_this_process(manager, fields):
    digits = load_dataset("digits")
    request = FitRequest(digits.id, init="random", tol=0.0, max_iter=60, **fields)
    work = FitWork(request)
    manager.submit(work, digits)
    assert manager.wait(work.key).stop is Stop.MAX_ITER
    there, here = manager.result(work.key), fit(digits, request)
    assert there.W.tobytes() == here.W.tobytes()
    assert there.H.tobytes() == here.H.tobytes()
    assert [trace.loss.tobytes() for trace in there.restarts] == [trace.loss.tobytes() for trace in here.restarts]
    assert manager.peek(work.key).news["n_iter"] == 60


def test_linear_algebra_has_one_thread_in_a_worker(manager):
    inside = result(manager, Inside("threads"))
    assert inside["blas"]
    assert set(inside["blas"]) == {1}
    assert inside["threads"] == cores(), "a job that is alone has all cores for its kernels"
    assert inside["main"] != "pytest"
    assert inside["nice"] >= os.nice(0)
    assert inside["pid"] != os.getpid()


def test_a_killed_worker_costs_time_and_nothing_else(manager, inline):
    works = [Walk("killed", steps=80), Walk("beside", steps=80, rank=4)]
    for work in works:
        manager.submit(work, DATA)
    until(lambda: all(manager.peek(work.key).chunks >= 2 for work in works))
    for pid in list(manager._pool._pool._processes):
        os.kill(pid, signal.SIGKILL)
        break
    for work in works:
        assert manager.wait(work.key).stop is Stop.MAX_ITER
        assert same(manager.result(work.key), result(inline, work))
    assert sum(manager.peek(work.key).retries for work in works) >= 1


def test_a_worker_killed_in_the_middle_of_a_message_holds_nothing_up(manager, inline, tmp_path):
    work, beside = HalfSent("half", flag=str(tmp_path / "killed")), Walk("half-beside", steps=80)
    manager.submit(beside, DATA)
    assert same(result(manager, work), result(inline, Walk("half")))
    assert same(result(manager, beside), result(inline, beside))
    assert manager.peek(work.key).retries == 1


def test_a_pool_whose_worker_was_killed_in_the_middle_of_a_message_can_be_shut_down(tmp_path):
    manager = Manager("processes", workers=1)
    work = HalfSent("half", flag=str(tmp_path / "killed"))
    manager.submit(work, DATA)
    until(lambda: os.path.exists(work.flag))
    manager.shutdown()
    assert not os.path.exists(manager._spool.root)


def test_a_work_that_kills_its_workers_fails_and_others_do_not(manager, inline):
    bad, good = Bad("killer", "kill"), Walk("innocent", steps=80)
    manager.submit(good, DATA)
    manager.submit(bad, DATA)
    view = manager.wait(bad.key)
    assert view.stop is Stop.FAILED
    assert "ended several times" in view.message
    assert view.report in view.message
    assert manager.wait(good.key).stop is Stop.MAX_ITER
    assert same(manager.result(good.key), result(inline, good))


def test_what_a_worker_cannot_send_back_is_a_failure(manager):
    bad = Bad("send", "unpicklable")
    manager.submit(bad, DATA)
    assert manager.wait(bad.key).stop is Stop.FAILED
    assert result(manager, Walk("after", steps=3))["n"] == 3


def test_cancel_is_quick_and_resume_gives_the_bits_of_an_undisturbed_run(manager, inline):
    work = Walk("resume", steps=80)
    manager.submit(work, DATA)
    until(lambda: manager.peek(work.key).chunks >= 2)
    begin = time.monotonic()
    manager.cancel(work.key)
    assert manager.wait(work.key).stop is Stop.CANCELLED
    assert time.monotonic() - begin < 1.0
    until(lambda: manager.stats()["computing"] == 0)
    assert 0 < manager.partial(work.key)["n"] < 80
    manager.resume(work.key)
    manager.wait(work.key)
    assert same(manager.result(work.key), result(inline, work))


def test_cancel_ends_a_worker_that_is_deaf_to_it(manager):
    stuck, good = Endless("stuck", stuck=60.0), Walk("meanwhile", steps=150)
    manager.submit(good, DATA)
    manager.submit(stuck, DATA)
    until(lambda: any(Path(manager._spool.root, "states").glob("*.pid")))
    time.sleep(0.5)
    manager.cancel(stuck.key)
    view = manager.wait(stuck.key, timeout=10)
    assert view.stop is Stop.CANCELLED
    until(lambda: manager.peek(good.key).finished)
    assert not states(manager)


def test_big_arrays_wait_in_files_that_go_when_the_job_ends(manager, inline):
    work = Walk("tall", steps=60, rank=5)  # W: 2.4 MB
    manager.submit(work, TALL)
    until(lambda: manager.peek(work.key).chunks >= 2)
    assert sum(os.path.getsize(path) for path in states(manager) if path.endswith(".npy")) >= 2_400_000
    assert manager.partial(work.key)["W"].shape == (60_000, 5)
    manager.wait(work.key)
    assert same(manager.result(work.key), result(inline, work, TALL))
    until(lambda: not states(manager))


def test_a_work_begun_in_the_page_goes_on_in_a_worker_with_the_same_bits(manager, inline):
    work = Walk("moved", steps=80)
    assert manager.run_inline(work, DATA, seconds=0.1) is None
    assert manager.wait(work.key).finished
    assert same(manager.result(work.key), result(inline, work))


def test_an_executor_of_somebody_else_will_do(inline):
    with ThreadPoolExecutor(2) as threads:
        manager = Manager(threads)
        assert manager.stats()["workers"] == 2
        assert same(
            result(manager, Walk("foreign", rank=5, steps=5), TALL), result(inline, Walk("f", steps=5, rank=5), TALL)
        )
        manager.shutdown()


SERVER = """
import sys
import numpy as np
from nmf_core.jobs import Manager
from nmf_core.kernels.threads import cores
from nmf_core.types import Dataset
from tests.core.jobs_toys import Endless

manager = Manager("processes", workers=2, tries=2)
for name in "ab":
    manager.submit(Endless(name), Dataset.of(np.ones((5, 5))))
while not all(manager.peek(f"endless-{name}").chunks for name in "ab"):
    manager.wait("endless-a", timeout=0.2)
print(manager._spool.root, *manager._pool._pool._processes, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("sign", [None, signal.SIGKILL, signal.SIGTERM], ids=["end", "kill", "term"])
def test_workers_and_files_go_when_the_server_goes(tmp_path, sign):
    environment = os.environ | {"NMF_SPOOL": str(tmp_path), "PYTHONPATH": os.pathsep.join([os.getcwd(), *sys.path])}
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment) as server:
        root, *pids = server.stdout.readline().split()
        assert re.fullmatch(r"nmf-explorer-\w+", Path(root).name)
        assert len(pids) == 2
        assert all(alive(int(pid)) for pid in pids)
        if sign is None:  # the script ends with two jobs under way
            _, errors = server.communicate(timeout=30)
            assert (server.returncode, errors) == (0, "")
        else:
            server.send_signal(sign)
            server.wait()
        until(lambda: not any(alive(int(pid)) for pid in pids), 10)
        until(lambda: not os.path.exists(root), 10)
