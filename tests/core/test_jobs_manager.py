"""What the manager promises, with the chunks computed in this process."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest

from nmf_core.jobs import JobView, Manager, QueueFull
from nmf_core.jobs.job import Job, Turns
from nmf_core.types import Dataset, Stop
from tests.core.jobs_toys import Bad, Endless, Walk

DATA = Dataset.of(np.random.default_rng(0).random((30, 20)))


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def manager(clock):
    manager = Manager("inline", budget=0.02, clock=clock)
    yield manager
    manager.shutdown()


@dataclass(frozen=True)
class Counted(Walk):
    """A walk that tells from where each chunk started."""

    @property
    def starts(self) -> list[int]:
        return STARTS.setdefault(self.name, [])

    def advance(self, dataset, state, budget):
        self.starts.append(0 if state is None else state["n"])
        return super().advance(dataset, state, budget)


STARTS: dict[str, list[int]] = {}


def undisturbed(work):
    """Return the result of the work computed in one go."""
    state, stop = None, Stop.RUNNING
    while stop is Stop.RUNNING:
        chunk = work.advance(DATA, state, 1e9)
        state, stop = chunk.state, chunk.stop
    return work.result(DATA, state, stop)


def same(a, b):
    return a["n"] == b["n"] and a["W"].tobytes() == b["W"].tobytes() and a["H"].tobytes() == b["H"].tobytes()


def until(condition, seconds=10.0):
    """Wait for something another thread does."""
    event = threading.Event()
    for _ in range(int(seconds / 0.005)):
        if condition():
            return
        event.wait(0.005)
    raise AssertionError("it did not happen in time")


def test_a_job_runs_to_its_end_and_gives_the_bits_of_an_undisturbed_run(manager):
    work = Walk("end")
    view = manager.submit(work, DATA)
    assert view.running
    assert view.progress is None
    view = manager.wait(work.key)
    assert view.stop is Stop.MAX_ITER
    assert view.finished
    assert view.progress == 1.0
    assert view.message == "step 50"
    assert view.news == 50
    assert view.chunks > 5
    assert 0.4 < view.seconds < 10
    assert same(manager.result(work.key), undisturbed(Walk("other")))
    assert manager.partial(work.key) is manager.result(work.key)


def test_the_version_grows_with_each_change_and_only_then(manager):
    work = Endless("version")
    manager.submit(work, DATA)
    views: dict[int, JobView] = {}
    until(lambda: views.setdefault((v := manager.peek(work.key)).version, v).chunks >= 0 and v.chunks > 3)
    ordered = [views[version] for version in sorted(views)]
    assert len(ordered) > 2
    assert [v.chunks for v in ordered] == sorted(v.chunks for v in ordered)
    manager.cancel(work.key)
    manager.wait(work.key)
    assert manager.peek(work.key) == manager.peek(work.key)
    last = manager.peek(work.key).version
    manager.cancel(work.key)
    assert manager.peek(work.key).version == last


def test_equal_works_are_computed_once(manager):
    work, twin = Counted("once"), Counted("once")
    manager.submit(work, DATA, owner="a")
    view = manager.submit(twin, DATA, owner="b")
    assert view.viewers == 2
    manager.wait(work.key)
    assert work.starts == sorted(set(work.starts))
    manager.submit(Counted("once"), DATA, owner="c")
    assert manager.run_inline(Counted("once"), DATA) is manager.result(work.key)
    assert work.starts.count(0) == 1


def test_unknown_keys_are_none(manager):
    assert manager.peek("x") is None
    assert manager.touch("x") is None
    assert manager.cancel("x") is None
    assert manager.resume("x") is None
    assert manager.result("x") is None
    assert manager.partial("x") is None
    assert manager.wait("x") is None


def test_the_data_must_be_those_of_the_work(manager):
    with pytest.raises(ValueError, match="the work is for data set abc"):
        manager.submit(Walk("d", dataset_id="abc"), DATA)


def test_three_endless_jobs_get_equal_shares_of_one_worker(manager):
    works = [Endless(name) for name in "abc"]
    for work in works:
        manager.submit(work, DATA)
    until(lambda: all(manager.peek(work.key).chunks >= 8 for work in works))
    chunks = [manager.peek(work.key).chunks for work in works]
    assert max(chunks) - min(chunks) <= 1
    for work in works:
        manager.cancel(work.key)


def test_a_cancelled_job_keeps_its_state_and_goes_on_from_it(manager):
    work = Counted("cancel")
    manager.submit(work, DATA)
    until(lambda: manager.peek(work.key).chunks >= 3)
    assert manager.cancel(work.key).stop is Stop.CANCELLED
    view = manager.wait(work.key)
    assert view.stop is Stop.CANCELLED
    assert view.resumable
    assert view.has_state
    assert manager.result(work.key) is None
    part = manager.partial(work.key)
    assert part["stop"] is Stop.CANCELLED
    assert 0 < part["n"] < 50
    assert manager.partial(work.key) is part, "made once for each state"
    assert manager.submit(work, DATA).stop is Stop.CANCELLED, "a page run must not start it again"
    chunks = len(work.starts)
    assert manager.resume(work.key).running
    assert manager.wait(work.key).stop is Stop.MAX_ITER
    assert work.starts[chunks] == part["n"], "nothing is computed twice"
    assert same(manager.result(work.key), undisturbed(Walk("other")))


def test_a_partial_result_can_be_had_while_the_job_runs(manager):
    work = Walk("partial")
    assert manager.partial(work.key) is None
    manager.submit(work, DATA)
    until(lambda: manager.peek(work.key).chunks >= 2)
    part = manager.partial(work.key)
    assert part["stop"] is Stop.RUNNING
    assert 0 < part["n"] < 50
    manager.cancel(work.key)


def test_cancelling_a_shared_job_stops_it_for_the_last_viewer_only(manager):
    work = Endless("shared")
    manager.submit(work, DATA, owner="a")
    manager.submit(work, DATA, owner="b")
    assert manager.cancel(work.key, owner="a").stop is Stop.CANCELLED
    assert manager.peek(work.key, owner="a").stop is Stop.CANCELLED
    assert manager.submit(work, DATA, owner="a").stop is Stop.CANCELLED
    assert manager.touch(work.key, owner="a").stop is Stop.CANCELLED
    assert manager.peek(work.key, owner="b").running
    before = manager.peek(work.key).chunks
    until(lambda: manager.peek(work.key).chunks > before + 2)
    assert manager.resume(work.key, owner="a").running
    assert manager.peek(work.key).viewers == 2
    manager.cancel(work.key, owner="a")
    manager.cancel(work.key, owner="b")
    assert manager.wait(work.key).stop is Stop.CANCELLED
    assert manager.submit(work, DATA, owner="c").running, "somebody new wants it"
    manager.cancel(work.key, owner="c")


def test_a_job_nobody_looks_at_is_stopped_with_its_state(manager, clock):
    work, watched = Counted("lease", steps=400), Endless("watched")
    manager.submit(work, DATA, owner="a")
    manager.submit(watched, DATA, owner="b")
    until(lambda: manager.peek(work.key).chunks >= 2)
    clock.now += 179
    manager.touch(watched.key, owner="b")
    until(lambda: manager.peek(watched.key).chunks > 5)
    assert manager.peek(work.key).running
    clock.now += 2
    assert manager.wait(work.key).stop is Stop.ABANDONED
    assert manager.peek(watched.key).running
    assert manager.partial(work.key)["n"] > 0
    assert manager.submit(work, DATA, owner="a").running, "coming back sets it going again"
    until(lambda: manager.peek(work.key).chunks >= 6)
    assert work.starts.count(0) == 1
    for each in (work, watched):
        manager.cancel(each.key, owner="a")
        manager.cancel(each.key, owner="b")


def test_an_active_visitor_keeps_jobs_of_other_pages_alive(manager, clock):
    work = Endless("elsewhere")
    manager.submit(work, DATA, owner="a")
    for _ in range(5):
        clock.now += 100
        manager.touch_owner("a")
        before = manager.peek(work.key).chunks
        until(lambda before=before: manager.peek(work.key).chunks > before + 1)
    assert manager.peek(work.key).running
    manager.cancel(work.key, owner="a")


def test_jobs_in_sight_go_first_and_others_still_move():
    turns = Turns(watch=10.0)
    seen, unseen = (Job(name, None, None) for name in ("seen", "unseen"))
    seen.viewers["a"], unseen.viewers["b"] = 100.0, 50.0
    order = []
    for job in (unseen, seen):
        turns.add(job)
    for _ in range(8):
        job = turns.next(100.0, [])
        order.append(job.key)
        turns.add(job)
    assert order == ["seen", "seen", "seen", "unseen"] * 2


def test_a_suspect_computes_alone():
    turns = Turns(watch=10.0)
    suspect, other = Job("suspect", None, None, suspect=True), Job("other", None, None)
    turns.add(other)
    turns.add(suspect)
    assert turns.next(0.0, [Job("busy", None, None)]) is None
    assert turns.next(0.0, []) is suspect
    assert turns.next(0.0, [suspect]) is None
    assert turns.next(0.0, []) is other


def test_waiting_jobs_know_their_place():
    turns = Turns(watch=10.0)
    jobs = [Job(name, None, None, view=JobView(name)) for name in "abc"]
    for job in jobs:
        turns.add(job)
    turns.publish_places()
    assert [job.view.place for job in jobs] == [1, 2, 3]
    turns.next(0.0, [])
    turns.publish_places()
    assert [job.view.place for job in jobs[1:]] == [1, 2]


def test_limits_are_told_in_a_sentence(clock):
    manager = Manager("inline", budget=0.01, clock=clock, max_jobs=3, max_per_owner=2)
    a, b, c, d = (Endless(name) for name in "abcd")
    manager.submit(a, DATA, owner="x")
    manager.submit(b, DATA, owner="x")
    with pytest.raises(QueueFull, match="You have 2 computations under way"):
        manager.submit(c, DATA, owner="x")
    manager.submit(c, DATA, owner="y")
    with pytest.raises(QueueFull, match="The server is busy with 3 computations"):
        manager.submit(d, DATA, owner="z")
    manager.submit(a, DATA, owner="z")  # joining costs nothing
    clock.now += 20
    for work, owner in ((a, "z"), (c, "y")):
        manager.touch(work.key, owner=owner)
    assert manager.submit(d, DATA, owner="x").running, "the visitor's own job out of sight makes room"
    assert manager.peek(b.key).stop is Stop.ABANDONED
    manager.shutdown()


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("value", "rank: 9 is more than this matrix allows. The log has"),
        ("memory", "There was not enough memory"),
        ("key", "an error it does not know (KeyError)"),
        ("exit", "an error it does not know (SystemExit)"),
    ],
)
def test_a_failure_is_a_sentence_and_its_traceback_is_in_the_log_alone(manager, caplog, how, words):
    bad, good = Bad("f", how), Walk("beside", steps=10)
    with caplog.at_level(logging.ERROR, "nmf_core.jobs"):
        manager.submit(bad, DATA)
        manager.submit(good, DATA)
        view = manager.wait(bad.key)
    assert view.stop is Stop.FAILED
    assert words in view.message
    assert "/secret" not in view.message
    assert "Traceback" not in view.message
    assert view.report in view.message
    assert f"report {view.report}" in caplog.text
    assert "Traceback" in caplog.text
    assert manager.wait(good.key).stop is Stop.MAX_ITER, "others go on"
    assert manager.partial(bad.key) == 1, "the last good state is kept"
    assert manager.submit(bad, DATA).stop is Stop.FAILED
    assert manager.resume(bad.key).running
    again = manager.wait(bad.key)
    assert again.report not in ("", view.report)


def test_a_small_work_is_answered_at_once(manager):
    work = Walk("small", steps=5, pause=0)
    result = manager.run_inline(work, DATA)
    assert result["n"] == 5
    assert manager.result(work.key) is result
    view = manager.peek(work.key)
    assert view.stop is Stop.MAX_ITER
    assert view.seconds > 0


def test_a_longer_work_is_handed_over_and_nothing_is_computed_twice(manager):
    work = Counted("handed")
    assert manager.run_inline(work, DATA, seconds=0.05) is None
    view = manager.peek(work.key)
    assert view.running
    assert view.seconds >= 0.04
    assert manager.wait(work.key).stop is Stop.MAX_ITER
    assert work.starts == sorted(set(work.starts))
    assert same(manager.result(work.key), undisturbed(Walk("other")))
    assert manager.run_inline(work, DATA) is manager.result(work.key)


def test_equal_small_works_of_many_threads_are_computed_once(manager):
    work = Counted("crowd", steps=10)
    with ThreadPoolExecutor(8) as visitors:
        results = list(visitors.map(lambda _: manager.run_inline(Counted("crowd", steps=10), DATA), range(8)))
    assert work.starts.count(0) == 1
    assert all(result is results[0] for result in results)


def test_a_work_may_refuse_to_compute_in_the_page(manager):
    @dataclass(frozen=True)
    class Heavy(Walk):
        inline = False

    work = Heavy("heavy", steps=3)
    assert manager.run_inline(work, DATA, seconds=60) is None or manager.result(work.key)["n"] == 3
    assert manager.wait(work.key).chunks >= 1


def test_an_inline_failure_is_remembered_as_a_failed_job(manager):
    bad = Bad("inline", "value", at=0)
    assert manager.run_inline(bad, DATA) is None
    assert manager.peek(bad.key).stop is Stop.FAILED
    assert "rank: 9" in manager.peek(bad.key).message


def test_a_result_that_had_to_go_is_computed_again(clock):
    manager = Manager("inline", clock=clock, result_bytes=5000)
    works = [Counted(f"evict{i}", steps=2, pause=0, rank=8) for i in range(3)]
    for work in works:
        manager.submit(work, DATA)
        manager.wait(work.key)
    assert manager.peek(works[0].key) is None
    assert manager.result(works[0].key) is None
    assert manager.result(works[2].key)["n"] == 2
    assert manager.run_inline(works[0], DATA)["n"] == 2
    assert works[0].starts.count(0) == 2
    manager.shutdown()


def test_states_of_stopped_jobs_are_bounded(clock):
    manager = Manager("inline", clock=clock, budget=0.01, state_bytes=20_000)
    works = [Walk(f"s{i}", rank=10) for i in range(6)]  # about 4 kB each
    for work in works:
        manager.submit(work, DATA)
        until(lambda work=work: manager.peek(work.key).chunks > 0)
        manager.cancel(work.key)
        manager.wait(work.key)
    assert manager.submit(Walk("last", steps=1), DATA).key == "walk-last-1-3"
    manager.wait("walk-last-1-3")
    kept = [manager.peek(work.key) is not None for work in works]
    assert kept == [False] * kept.count(False) + [True] * kept.count(True), "the oldest go first"
    assert 3 <= kept.count(True) <= 5
    manager.shutdown()


def test_after_shutdown_nothing_starts(manager):
    manager.shutdown()
    manager.shutdown()
    with pytest.raises(QueueFull, match="shutting down"):
        manager.submit(Walk("late"), DATA)


def test_the_executor_must_be_known():
    with pytest.raises(ValueError, match="unknown 'threads'"):
        Manager("threads")
