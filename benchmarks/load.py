"""Simulated visitors against the app: how long a click takes, how much is sent, what goes wrong.

    python benchmarks/load.py --visitors 10 --seconds 30

starts the app on a free port (or takes ``--url``), lets each visitor change random controls of the page, and prints a
table. A visitor is what a browser tab is to the server: one websocket, one session; drawing in the browser is not part of
it. An answer counts from the moment the click was due, so a server that falls behind cannot look quick; an error message
on the page, a lost connection or an answer that never comes is an error. While a computation runs the visitor refreshes
as a browser does, and the time until its result stands on the page is counted apart (``result``).

``--still`` changes nothing and runs the page again and again: what a click costs when everything is computed.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import os
import random
import re
import socket
import subprocess
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlparse

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

ROOT = Path(__file__).resolve().parents[1]
EARLY = ForwardMsg.FINISHED_EARLY_FOR_RERUN


@dataclass
class Answer:
    """What came back for one action."""

    kind: str
    milliseconds: float
    sent: int = 0
    errors: list[str] = field(default_factory=list)
    early: bool = False


class Visitor:
    """One browser tab: ``async with Visitor(…) as visitor``."""

    def __init__(self, url: str, page: str, seed: int, timeout: float) -> None:
        self.address, self.page, self.timeout = urlparse(url), page, timeout
        self.random = random.Random(seed)
        self.values: dict[str, WidgetState] = {}
        self.controls: dict[str, tuple[str, object]] = {}
        self.texts: list[str] = []
        self.timers: dict[str, float] = {}  # fragment -> interval: something refreshes itself
        self.messages: dict[str, ForwardMsg] = {}
        self.page_hash = self.token = ""
        self.socket: websockets.ClientConnection | None = None

    async def __aenter__(self) -> Visitor:
        """Open the websocket."""
        await asyncio.to_thread(self._greet)
        headers = {"Cookie": f"_streamlit_xsrf={self.token}"}
        self.socket = await websockets.connect(
            f"ws://{self.address.netloc}/_stcore/stream",
            subprotocols=["streamlit", self.token or "-"],  # type: ignore[list-item]
            origin=f"http://{self.address.netloc}",  # type: ignore[arg-type]
            additional_headers=headers,
            max_size=2**28,
            compression=None,
            ping_interval=None,
            open_timeout=self.timeout,
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        """Close the tab."""
        if self.socket is not None:
            await self.socket.close()

    def _greet(self) -> None:
        connection = http.client.HTTPConnection(self.address.hostname or "", self.address.port or 80, timeout=30)
        connection.request("GET", "/_stcore/health")
        response = connection.getresponse()
        response.read()
        for name, value in response.getheaders():
            if name.lower() == "set-cookie" and value.startswith("_streamlit_xsrf="):
                self.token = value.split(";")[0].split("=", 1)[1]
        connection.close()

    async def run(self, kind: str, due: float, fragment: str = "") -> Answer:
        """Ask for a run of the page (or of a fragment) and read until it has ended."""
        assert self.socket is not None
        message = BackMsg()
        ask = message.rerun_script
        ask.page_script_hash, ask.fragment_id, ask.is_auto_rerun = self.page_hash, fragment, bool(fragment)
        if not self.page_hash:
            ask.page_name = self.page
        ask.cached_message_hashes.extend(self.messages)
        for value in self.values.values():
            ask.widget_states.widgets.add().CopyFrom(value)
        answer = Answer(kind, 0.0)
        try:
            await self.socket.send(message.SerializeToString())
            async with asyncio.timeout(self.timeout):
                while not self._read(await self.socket.recv(), answer, fragment):
                    pass
        except TimeoutError:
            answer.errors.append("no answer in time")
        except websockets.ConnectionClosed as closed:
            answer.errors.append(f"connection lost: {closed.rcvd}")
        self.values = {k: v for k, v in self.values.items() if v.WhichOneof("value") != "trigger_value"}
        answer.milliseconds = 1000 * (time.perf_counter() - due)
        return answer

    def _read(self, raw: bytes | str, answer: Answer, fragment: str) -> bool:
        """Take in one message; True: the run is over."""
        assert isinstance(raw, bytes)
        answer.sent += len(raw)
        message = ForwardMsg.FromString(raw)
        kind = message.WhichOneof("type")
        if kind == "ref_hash":
            message = self.messages.get(message.ref_hash, message)
            kind = message.WhichOneof("type")
        elif message.metadata.cacheable and message.hash:
            self.messages[message.hash] = message
        if kind == "new_session":
            self.page_hash = message.new_session.page_script_hash or self.page_hash
            if not fragment or answer.early:
                self.controls, self.timers = {}, {}
            self.texts = []
        elif kind == "navigation":
            self.page_hash = message.navigation.page_script_hash or self.page_hash
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            element = message.delta.new_element
            name = element.WhichOneof("type")
            if name is None:
                return False
            part = getattr(element, name)
            self.texts += [text for text in (getattr(part, "body", ""), getattr(part, "text", "")) if text]
            if name == "exception":
                answer.errors.append(f"{part.type}: {part.message[:200]}")
            elif name == "alert" and part.format == part.ERROR:
                answer.errors.append(f"on the page: {part.body[:200]}")
            elif getattr(part, "id", "") and getattr(part, "label", "") and not getattr(part, "disabled", False):
                self.controls[part.label] = (name, part)
        elif kind == "auto_rerun":
            self.timers[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "stop_auto_rerun":
            self.timers = {}
        elif kind == "script_finished":
            if message.script_finished == EARLY:
                answer.errors.clear()
                answer.early = True  # a run of the whole page follows
                return False
            if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                answer.errors.append("the script does not compile")
            return True
        return False

    def act(self, only: list[str]) -> str:
        """Change a random control; return its label."""
        choices = {label: c for label, c in self.controls.items() if c[0] in CHOICES and (not only or label in only)}
        if not choices:
            return ""
        label = self.random.choice(sorted(choices))
        kind, part = choices[label]
        self.put(label, CHOICES[kind](part, self.random))
        return label

    def put(self, label: str, value: object = True) -> None:
        """Give a control a value, or press a button; it takes effect with the next run."""
        kind, part = self.controls[label]
        state = WidgetState(id=part.id)  # type: ignore[attr-defined]
        if kind == "slider":
            state.double_array_value.data.append(float(value))  # type: ignore[arg-type]
        elif kind == "number_input" and part.data_type == part.INT:  # type: ignore[attr-defined]
            state.int_value = int(value)  # type: ignore[call-overload]
        else:
            field = {"selectbox": "string", "checkbox": "bool", "button": "trigger", "number_input": "double"}[kind]
            setattr(state, f"{field}_value", value)
        self.values[state.id] = state


def _on_slider(part, rnd: random.Random) -> float:
    if part.options:
        return rnd.randrange(len(part.options))
    step = part.step or 1.0
    return part.min + step * rnd.randint(0, min(20, int((part.max - part.min) / step)))


CHOICES = {
    "slider": _on_slider,
    "selectbox": lambda part, rnd: rnd.choice(list(part.options)),
    "checkbox": lambda part, rnd: rnd.random() < 0.5,
}


async def visit(number: int, options: argparse.Namespace, end: float, answers: list[Answer]) -> None:
    """Arrive, look, change something, wait, and again."""
    visitor = Visitor(options.url, options.page, options.seed + number, options.timeout)
    await asyncio.sleep(visitor.random.random() * options.ramp)
    due = time.perf_counter()
    try:
        async with visitor:
            answer = await visitor.run("first page", due)
            while True:
                answers.append(answer)
                await follow(visitor, due, end, answers)
                if any("connection" in error for error in answer.errors) or time.perf_counter() >= end:
                    break
                due = time.perf_counter() + visitor.random.expovariate(1 / options.think)
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                label = "" if options.still else visitor.act(options.only)
                answer = await visitor.run(label or "run again", due)
    except (OSError, TimeoutError, websockets.WebSocketException) as error:
        answers.append(Answer("first page", 0.0, errors=[f"no connection: {error!r}"]))


async def follow(visitor: Visitor, due: float, end: float, answers: list[Answer]) -> None:
    """Refresh what refreshes itself, as a browser does, until it no longer does."""
    waited = False
    while visitor.timers and time.perf_counter() < end + visitor.timeout:
        waited = True
        fragment, interval = next(iter(visitor.timers.items()))
        await asyncio.sleep(interval)
        answer = await visitor.run("refresh", time.perf_counter(), fragment)
        answers.append(answer)
        if answer.errors:
            break
    if waited:
        errors = ["still running at the end"] if visitor.timers else []
        answers.append(Answer("result", 1000 * (time.perf_counter() - due), errors=errors))


def family(pid: int) -> list[int]:
    """Return a process and all below it."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += [int(child) for child in children.read_text().split()]
            except OSError:
                continue
    return found


def usage(pids: list[int]) -> tuple[float, float]:
    """Return resident megabytes and seconds of computing of some processes (Linux)."""
    memory = seconds = 0.0
    for pid in pids:
        try:
            status = Path(f"/proc/{pid}/status").read_text()
            times = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        found = re.search(r"VmRSS:\s+(\d+)", status)
        memory += int(found[1]) / 1024 if found else 0.0
        seconds += (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")
    return memory, seconds


def quantile(values: list[float], share: float) -> float:
    """Return the value that `share` of the values do not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def table(answers: list[Answer]) -> str:
    """Return one line for each kind of action."""
    kinds: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        kinds[answer.kind].append(answer)
    columns = ("p50 ms", "p95 ms", "max ms", "mean kB", "max kB")
    lines = [f"{'action':28} {'n':>5} {'errors':>6} " + " ".join(f"{name:>8}" for name in columns)]
    for kind in sorted(kinds):
        good = [answer.milliseconds for answer in kinds[kind] if not answer.errors]
        sent = [answer.sent / 1000 for answer in kinds[kind]]
        errors = len(kinds[kind]) - len(good)
        figures = [quantile(good, 0.5), quantile(good, 0.95), max(good, default=float("nan"))]
        figures += [sum(sent) / len(sent), max(sent)]
        lines.append(f"{kind[:28]:28} {len(kinds[kind]):5} {errors:6} " + " ".join(f"{x:8.1f}" for x in figures))
    words = Counter(re.sub(r"report [0-9a-fA-F]+", "report …", error) for answer in answers for error in answer.errors)
    lines += [f"  {number} × {error}" for error, number in words.most_common(10)]
    return "\n".join(lines)


async def load(options: argparse.Namespace, pid: int) -> list[Answer]:
    """Let all visitors come, and watch the server and this client meanwhile."""
    answers: list[Answer] = []
    late: list[float] = []

    async def watch() -> None:
        while True:
            begin = time.perf_counter()
            await asyncio.sleep(0.02)
            late.append(1000 * (time.perf_counter() - begin - 0.02))

    watcher = asyncio.create_task(watch())
    begin, before = time.perf_counter(), usage([pid])
    end = begin + options.ramp + options.seconds
    await asyncio.gather(*(visit(i, options, end, answers) for i in range(options.visitors)))
    watcher.cancel()
    seconds, after, everyone = time.perf_counter() - begin, usage([pid]), usage(family(pid))
    print(table(answers))
    spent = after[1] - before[1]
    runs = sum(answer.kind != "result" for answer in answers)
    print(f"server: {before[0]:.0f} → {after[0]:.0f} MB, {spent / seconds:.2f} cores", end=", ")
    print(f"{1000 * spent / max(runs, 1):.0f} ms of computing a run", end="; ")
    print(f"with its workers {everyone[0]:.0f} MB")
    if quantile(late, 0.95) > 50:
        print(f"NOT VALID: this client itself was late by {quantile(late, 0.95):.0f} ms (p95)")
    return answers


def start_app() -> tuple[subprocess.Popen[bytes], str]:
    """Start the app on a free port and wait until it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), f"--server.port={port}"]
    app = subprocess.Popen([*command, "--server.headless=true"], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    for _ in range(600):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/_stcore/health")
            if connection.getresponse().status == 200:
                return app, f"http://127.0.0.1:{port}"
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    app.terminate()
    raise SystemExit("the app did not start within a minute")


def main() -> int:
    """Read the options, run, and return 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--url", help="of a running app; left out, one is started")
    parser.add_argument("--pid", type=int, default=0, help="its process, for memory and computing time")
    parser.add_argument("--page", default="", help="for example rank")
    parser.add_argument("--visitors", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--ramp", type=float, default=3.0, help="seconds within which all arrive")
    parser.add_argument("--think", type=float, default=3.0, help="mean seconds between two clicks")
    parser.add_argument("--timeout", type=float, default=60.0)
    parser.add_argument("--still", action="store_true", help="change nothing, run the page again")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", action="append", default=[], help="label of a control to change (may be repeated)")
    options = parser.parse_args()
    app = None
    if options.url is None:
        app, options.url = start_app()
        options.pid = app.pid
    try:
        answers = asyncio.run(load(options, options.pid))
    finally:
        if app is not None:
            app.terminate()
            app.wait(10)
    return int(any(answer.errors for answer in answers))


if __name__ == "__main__":
    sys.exit(main())
