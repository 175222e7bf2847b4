"""The child behind its wall: no network, no programs, no file written or read; what it may tell about its progress."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nmf_core.ingest import Limits, Verdict, read, read_many, sandbox, sight, wall
from nmf_core.ingest.progress import STAGES, Listener, Reporter
from tests.core.ingest_corpus import GOOD

ROOT = Path(__file__).parents[2]
linux = sys.platform.startswith("linux") and os.uname().machine in wall.MACHINES
TRIED = {
    "socket": "import socket; socket.socket()",
    "unix socket": "import socket; socket.socket(socket.AF_UNIX)",
    "pair": "import socket; socket.socketpair()",
    "name": "import socket; socket.create_connection(('example.org', 80), timeout=2)",
    "program": "import os; os.execv(sys.executable, [sys.executable, '-c', 'pass'])",
    "child": "import os; os.fork()",
    "shell": "import subprocess; subprocess.run([sys.executable, '-c', 'pass'])",
    "write": "open(target, 'w')",
    "append": "open(target, 'a')",
    "folder": "import os; os.mkdir(target)",
    "delete": "import os; os.unlink(present)",
    "rename": "import os; os.rename(present, target)",
    "mode": "import os; os.chmod(present, 0o777)",
    "signal": "import os; os.kill(os.getppid(), 0)",
}


WALL = "from nmf_core.ingest.wall import confine_calls as confine"


def behind_the_wall(code: str, tmp_path: Path, confine: str = WALL) -> str:
    """Run code in a process that has confined itself; return what came of it."""
    present = tmp_path / "present"
    present.write_text("kept")
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); target, present = {str(tmp_path / 'new')!r}, {str(present)!r}\n"
        f"{confine}\nassert confine() is {linux if confine == WALL else landlock()}\n"
        f"try:\n    {code}\nexcept OSError as error: print(type(error).__name__)\nelse: print('done')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr


@pytest.mark.parametrize("tried", TRIED)
def test_what_a_taken_over_reader_might_try_is_refused(tmp_path, tried):
    outcome = behind_the_wall(TRIED[tried], tmp_path)
    assert outcome == ("PermissionError" if linux else "done") or (tried == "name" and outcome == "gaierror")
    if linux:
        assert [p.name for p in tmp_path.iterdir()] == ["present"]


@pytest.mark.parametrize(
    "allowed",
    [
        "open(present).read()",
        "import threading; t = threading.Thread(target=print); t.start(); t.join()",
        "import numpy as np; np.linalg.svd(np.eye(300))",
    ],
)
def test_what_a_reader_needs_is_allowed(tmp_path, allowed):
    assert behind_the_wall(allowed, tmp_path) == "done"


def test_the_child_of_a_reading_stands_behind_the_wall(tmp_path, monkeypatch):
    """The child that reads files calls the wall before it looks at the file: shown by a reader that tries to break out."""
    copy = tmp_path / "child.py"
    source = sandbox.CHILD.read_text(encoding="utf-8")
    root = "str(Path(__file__).resolve().parents[2])"
    assert root in source
    assert source.index("confine_calls()\n") < source.index("understand(data")
    copy.write_text(
        source.replace(root, repr(str(ROOT))).replace(
            "    raw, talk, message = understand(",
            f"    import socket\n    try:\n        socket.socket()\n        open({str(tmp_path / 'out')!r}, 'w').write('out')\n"
            "    except PermissionError:\n        pass\n    raw, talk, message = understand(",
        )
    )
    monkeypatch.setattr(sandbox, "CHILD", copy)
    assert read(GOOD.encode(), "x.csv").verdict is Verdict.READ
    assert (tmp_path / "out").exists() is not linux


def landlock() -> bool:
    """Tell whether this kernel lets a process give up files, by asking it in another way than the code does."""
    code = (
        "import ctypes, os; libc = ctypes.CDLL(None, use_errno=True); libc.syscall(444, None, 0, 1)\n"
        "raise SystemExit(int(ctypes.get_errno() in (38, 95)))"  # ENOSYS, EOPNOTSUPP
    )
    return linux and subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


SEEN = {
    "a file of somebody": "open(present).read()",
    "a folder of somebody": "import os; os.listdir(os.path.dirname(present))",
    "users of the system": "open('/etc/passwd').read()",
    "the environment of the server": "import os; open(f'/proc/{os.getppid()}/environ').read()",
    "what lies beside the code": f"open({str(ROOT / 'pyproject.toml')!r}).read()",
    "a new file": "open(target, 'w')",
}


@pytest.mark.parametrize("tried", SEEN)
def test_a_process_that_has_given_up_files_cannot_read_them(tmp_path, tried):
    outcome = behind_the_wall(SEEN[tried], tmp_path, "from nmf_core.ingest.sight import confine_sight as confine")
    if landlock():
        assert outcome == "PermissionError"
    else:
        assert outcome in ("done", "PermissionError")


@pytest.mark.parametrize(
    "allowed",
    [
        "import pandas, pyarrow.csv, pyarrow.parquet, scipy.sparse, networkx, PIL.Image, soundfile, python_calamine, h5py",
        "import datetime, zoneinfo; zoneinfo.ZoneInfo('Europe/Vienna'); import nmf_core.ingest.understand",
        "import numpy as np; np.linalg.svd(np.eye(300))",
    ],
)
def test_a_process_that_has_given_up_files_still_has_its_packages(tmp_path, allowed):
    assert behind_the_wall(allowed, tmp_path, "from nmf_core.ingest.sight import confine_sight as confine") == "done"


def test_the_child_of_a_reading_sees_no_file_but_its_own(tmp_path, monkeypatch):
    """Shown by a reader that ends in a crash where it could read the server's files."""
    copy, secret = tmp_path / "child.py", tmp_path / "secret"
    secret.write_text("key")
    source = sandbox.CHILD.read_text(encoding="utf-8")
    copy.write_text(
        source.replace("str(Path(__file__).resolve().parents[2])", repr(str(ROOT))).replace(
            "    raw, talk, message = understand(",
            f"    try:\n        open({str(secret)!r}).read()\n        os.abort()\n"
            "    except PermissionError:\n        pass\n    raw, talk, message = understand(",
        )
    )
    monkeypatch.setattr(sandbox, "CHILD", copy)
    assert read(GOOD.encode(), "x.csv").verdict is (Verdict.READ if landlock() else Verdict.REFUSE)


def test_where_a_program_lies_among_packages_they_stay_readable(tmp_path, monkeypatch):
    code = tmp_path / "site-packages" / "nmf_core" / "ingest" / "sight.py"
    monkeypatch.setattr(sight, "__file__", str(code))
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site-packages"), str(tmp_path / "lib")])
    assert sight.needed()[:3] == [str(tmp_path / p) for p in ("site-packages", "lib", "site-packages/nmf_core")]
    monkeypatch.setattr(sight, "__file__", str(tmp_path / "work" / "nmf_core" / "ingest" / "sight.py"))
    monkeypatch.setattr(sys, "path", [str(tmp_path / "work"), str(tmp_path / "lib")])
    assert sight.needed()[:2] == [str(tmp_path / p) for p in ("lib", "work/nmf_core")]


@pytest.mark.parametrize(
    ("system", "limits"),
    [
        ("darwin", "del resource.RLIMIT_AS, resource.RLIMIT_CORE"),
        ("openbsd7", "del resource.RLIMIT_AS"),
        ("win32", "sys.modules['resource'] = None"),
    ],
)
def test_a_system_without_walls_and_limits_reads_all_the_same(tmp_path, monkeypatch, system, limits):
    """The modules of the child see another system; those of others have been imported before."""
    program = tmp_path / "child.py"
    program.write_text(
        "import sys, resource, runpy, numpy, ctypes\n"
        f"sys.path.append({str(ROOT)!r}); from nmf_core.ingest import sight, understand, wall, wire\n"
        "from types import SimpleNamespace; import nmf_core.ingest.delimited, nmf_core.ingest.table\n"
        "def called(*a, **k): raise SystemExit('a call that other systems do not know')\n"
        f"for module in (sight, wall): module.sys = SimpleNamespace(platform={system!r}, path=sys.path, byteorder='little')\n"
        f"ctypes.CDLL = called; {limits}\n"
        f"runpy.run_path({str(sandbox.CHILD)!r}, run_name='__main__')\n"
    )
    monkeypatch.setattr(sandbox, "CHILD", program)
    reading = read(GOOD.encode(), "x.csv")
    assert reading.verdict is Verdict.READ, reading.sentence
    assert reading.raw.shape == read(GOOD.encode(), "x.csv", sandbox=False).raw.shape


def test_progress_rises_through_known_stages():
    """A table with comments and doubled quotes takes the patient reader seconds: many pieces, many reports."""
    rows = "".join(f'"name ""{i}""",{i % 97}.5,{i % 89}.25,{i % 83}\n' for i in range(10_000))
    table = ("name,a,b,c\n# a comment\n" + rows * 30).encode()
    seen: list[tuple[str, float]] = []
    reading = read(table, "x.csv", watch=lambda stage, share: seen.append((stage, share)))
    assert reading.raw.shape == (300_000, 3)
    order = list(STAGES)
    places = [(order.index(stage), share) for stage, share in seen]
    assert places == sorted(places)
    assert any(stage == "read" and 0 < share < 1 for stage, share in seen)


def test_a_reading_that_is_cancelled_ends_at_once_with_a_sentence(tmp_path, monkeypatch):
    program = tmp_path / "child.py"
    program.write_text(f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(60)")
    monkeypatch.setattr(sandbox, "CHILD", program)
    calls: list[int] = []

    def watch(stage: str, share: float) -> bool:
        calls.append(1)
        return not (tmp_path / "pid").exists() or len(calls) < 5

    started = time.monotonic()
    reading = read_many([("x.csv", GOOD.encode())], watch=watch)
    assert time.monotonic() - started < 30
    assert reading.verdict is Verdict.REFUSE
    assert reading.message.code == "cancelled"
    pid = int((tmp_path / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_what_the_watcher_raises_ends_the_child_and_is_passed_on(tmp_path, monkeypatch):
    program = tmp_path / "child.py"
    program.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(sandbox, "CHILD", program)

    class Rerun(BaseException):
        pass

    def watch(stage: str, share: float) -> None:
        raise Rerun

    with pytest.raises(Rerun):
        read(GOOD.encode(), "x.csv", watch=watch)
    free = [sandbox._slots.acquire(blocking=False) for _ in range(sandbox.AT_ONCE)]  # every place is free again
    for taken in free:
        if taken:
            sandbox._slots.release()
    assert all(free)


@pytest.mark.parametrize(
    "line", [b"read 0.5", b"evil 0.5", b"read 7", b"read nan", b"read <b>", b"\xff" * 90, b"", b"read"]
)
def test_lies_about_progress_are_not_believed(line):
    listener = Listener(io.BytesIO())
    listener.take(line)
    assert (listener.stage, listener.share) == (("read", 0.5) if line == b"read 0.5" else ("start", 0.0))


def test_a_child_that_shouts_is_heard_out(tmp_path, monkeypatch):
    """More than a pipe holds on standard error neither stops the child nor reaches anybody."""
    program = tmp_path / "child.py"
    program.write_text("import sys; sys.stderr.write('x' * 5_000_000); sys.exit(3)")
    monkeypatch.setattr(sandbox, "CHILD", program)
    reading = read(GOOD.encode(), "x.csv", limits=Limits(wall_seconds=20))
    assert reading.message.code == "memory"


def test_a_reporter_writes_few_lines():
    out, into = os.pipe()
    report = Reporter(into)
    for k in range(1000):
        report("read", k / 1000)
    report("hand", 0.0)
    os.close(into)
    with os.fdopen(out, "rb") as file:
        lines = file.read().split()
    assert lines[:2] == [b"read", b"0.0000"]
    assert lines[-2:] == [b"hand", b"0.0000"]
    assert len(lines) < 100
