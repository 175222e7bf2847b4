"""Visitors of the running app, without a browser: what is sent, and that nothing a visitor or the system does loses a run."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time

import pytest

from benchmarks.load import Visitor, family, start_app
from tests.loops import run_async

TIMEOUT = 120.0


@pytest.fixture(scope="module")
def app():
    """Start the app; yield its address and its process id."""
    process, url = start_app()
    yield url, process.pid
    process.terminate()
    process.wait(20)


def visitor_of(app, seed: int = 0) -> Visitor:
    return Visitor(app[0], "", seed, TIMEOUT)


async def fine(visitor: Visitor, fragment: str = ""):
    answer = await visitor.run("run", time.perf_counter(), fragment)
    assert not answer.errors
    return answer


async def refresh(visitor: Visitor, times: int = 1) -> None:
    """Refresh the running computation as a browser does."""
    for _ in range(times):
        fragment, interval = next(iter(visitor.timers.items()))
        await asyncio.sleep(interval)
        await fine(visitor, fragment)


async def finished(visitor: Visitor) -> None:
    end = time.monotonic() + TIMEOUT
    while visitor.timers:
        assert time.monotonic() < end
        await refresh(visitor)


def workers(pid: int) -> list[int]:
    """Return the worker processes of the app."""
    found = []
    for child in family(pid)[1:]:
        try:
            with open(f"/proc/{child}/cmdline") as file:
                found += [child] if "popen_loky" in file.read() else []
        except OSError:
            continue
    return found


async def endless(visitor: Visitor) -> None:
    """Ask for a fit that takes for ever."""
    visitor.put("Data set", next(name for name in visitor.controls["Data set"][1].options if "ORL" in name))
    await fine(visitor)
    visitor.put("Iterations at most", 100_000)
    visitor.put("Tolerance", visitor.controls["Tolerance"][1].options[-1])
    await fine(visitor)
    assert visitor.timers, "it runs, and the page refreshes"


def iterations(visitor: Visitor) -> int:
    found = re.findall(r"iteration ([\d,]+)", " ".join(visitor.texts))
    return int(found[-1].replace(",", "")) if found else 0


def test_the_first_screen_and_a_rerun_are_lean(app):
    async def scenario():
        async with visitor_of(app) as visitor:
            first = await fine(visitor)
            await finished(visitor)
            again = await fine(visitor)
            assert not visitor.timers, "everything is computed"
            assert 10_000 < max(first.sent, again.sent) < 1_000_000

    run_async(scenario())


def test_a_killed_worker_a_cancel_and_a_continue_lose_nothing(app):
    async def scenario():
        async with visitor_of(app) as visitor:
            await fine(visitor)
            await finished(visitor)
            await endless(visitor)
            while iterations(visitor) < 20:
                await refresh(visitor)
            before = iterations(visitor)
            while not (victims := workers(app[1])):  # the list of children of a busy process can be read half
                await refresh(visitor)
            for pid in victims:
                os.kill(pid, signal.SIGKILL)
            while iterations(visitor) <= before + 20:
                await refresh(visitor)
            reached = iterations(visitor)
            visitor.put("Cancel")
            await fine(visitor)
            assert not visitor.timers
            visitor.put("Continue")
            await fine(visitor)
            await refresh(visitor, 2)
            assert iterations(visitor) >= reached
            visitor.put("Cancel")
            await fine(visitor)
            assert not visitor.timers

    run_async(scenario())


def test_visitors_who_change_controls_at_random_meet_no_error(app):
    controls = ["Rank (number of components)", "Solver", "Loss", "Initialization", "Rows of W", "Columns of H"]

    async def one(seed: int):
        async with visitor_of(app, seed) as visitor:
            await fine(visitor)
            for _ in range(5):
                await finished(visitor)
                assert visitor.act(controls) in controls
                await fine(visitor)

    async def all_of_them():
        await asyncio.gather(*(one(seed) for seed in range(3)))

    run_async(all_of_them())
