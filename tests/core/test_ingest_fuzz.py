"""Any bytes become a Reading; any well-formed table comes back as it was written."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nmf_core.ingest import Limits, Reading, Verdict, read
from tests.core import ingest_damage

ROOT = Path(__file__).parents[2]
SMALL = Limits(upload=1_000_000, unpacked=2_000_000, cells=200_000, columns=2000)
MAGIC = (
    b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\x93NUMPY\x01\x00", b"PK\x03\x04", b"\x1f\x8b\x08", b"%%MatrixMarket matrix ", b"[{", b"{",
    b"graph [", b"<?xml", b"<graphml", b"BZh9", b"\xfd7zXZ\x00", b"a,b\n", b"#", b'"', b"sep=;\n", b"\x89HDF\r\n\x1a\n", b"P5 ", b"BM",
)  # fmt: skip
DAMAGED = 640


def fixed(examples: int) -> settings:
    """Return settings under which every run draws the same examples."""
    return settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


@fixed(250)
@given(st.sampled_from(MAGIC), st.binary(max_size=400), st.text(max_size=40))
def test_any_bytes_become_a_reading(magic: bytes, rest: bytes, name: str) -> None:
    reading = read(magic + rest, name, limits=SMALL, sandbox=False)
    assert isinstance(reading, Reading)
    assert (reading.dataset is not None) == (reading.verdict in (Verdict.READ, Verdict.NOTE))
    assert (reading.message is not None) == (reading.verdict is Verdict.REFUSE)
    assert reading.sentence


@fixed(250)
@given(st.text(alphabet='0123456789.,;-+eE"\n\r\t |#ab%NAinf/:', max_size=300))
def test_any_text_of_table_characters_becomes_a_reading(text: str) -> None:
    reading = read(text.encode(), "x.csv", limits=SMALL, sandbox=False)
    assert isinstance(reading, Reading)
    again = read(text.encode(), "x.csv", limits=SMALL, sandbox=False)
    assert (again.verdict, again.notes, again.questions, again.message) == (
        reading.verdict,
        reading.notes,
        reading.questions,
        reading.message,
    )


@fixed(60)
@given(st.dictionaries(st.text(max_size=12), st.one_of(st.text(max_size=9), st.lists(st.text(max_size=5))), max_size=6))
def test_any_choices_are_taken_or_left(choices) -> None:
    known = ("separator", "numbers", "header", "row_names", "labels", "missing", "negative", "encoding")
    wild = {known[i % len(known)]: value for i, value in enumerate(choices.values())} | choices
    reading = read(b"n;a;b\nx;1,5;-2\ny;2,5;\nz;3,25;4\n", "x.csv", wild, limits=SMALL, sandbox=False)
    assert isinstance(reading, Reading)


@fixed(120)
@given(st.data())
def test_well_formed_tables_come_back_as_written(data) -> None:
    n, m = data.draw(st.integers(2, 12)), data.draw(st.integers(2, 6))
    separator, decimal = data.draw(
        st.sampled_from([(",", "."), (";", ","), (";", "."), ("\t", "."), ("|", "."), ("\t", ",")])
    )
    values = np.array(
        data.draw(st.lists(st.lists(st.integers(0, 10**6), min_size=m, max_size=m), min_size=n, max_size=n)),
        dtype=float,
    )
    values = values / 10**4 + 0.00005  # five digits after the point, so that nothing looks like thousands
    names = data.draw(
        st.lists(
            st.text("abcxyzäß _", min_size=1, max_size=8).filter(str.strip), min_size=m, max_size=m, unique_by=str.strip
        )
    )
    bom = data.draw(st.booleans())
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=separator, lineterminator=end)
    writer.writerow([f"v{name.strip()}" for name in names])
    writer.writerows([[f"{v:.5f}".replace(".", decimal) for v in row] for row in values])
    raw = (b"\xef\xbb\xbf" if bom else b"") + buffer.getvalue().encode()
    reading = read(raw, "x.csv", {"row_names": "", "labels": []}, limits=SMALL, sandbox=False)
    assert reading.raw is not None, reading.sentence
    np.testing.assert_array_equal(reading.raw.X, np.round(values, 5))
    assert list(reading.raw.cols) == [f"v{name.strip()}" for name in names]


@fixed(60)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=6, max_size=60))
def test_every_float_keeps_its_bits(values) -> None:
    numbers = np.array(values[: len(values) // 3 * 3]).reshape(-1, 3)
    text = "x1;x2;x3\n" + "\n".join(";".join(repr(float(v)) for v in row) for row in numbers) + "\n"
    choices = {"numbers": "point", "row_names": "", "labels": [], "layout": "table", "negative": "absolute"}
    reading = read(text.encode(), "x.csv", choices, limits=SMALL, sandbox=False)
    if reading.raw is None:  # columns of zeros alone are no table of numbers
        assert reading.verdict is Verdict.REFUSE
        return
    np.testing.assert_array_equal(reading.raw.X, numbers)


@pytest.mark.parametrize("half", [0, 1])
def test_damaged_files_leave_a_reading_or_a_dead_child_and_nothing_else(half: int) -> None:
    first, last = half * DAMAGED // 2, (half + 1) * DAMAGED // 2
    verdicts: dict[int, str] = {}
    deaths = 0
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    while first < last:
        done = subprocess.run(
            [sys.executable, ingest_damage.__file__, str(first), str(last)],
            capture_output=True, text=True, timeout=120, env=environment, cwd=ROOT,
        )  # fmt: skip
        lines = [line.split() for line in done.stdout.splitlines()]
        verdicts |= {int(number): word for number, word in lines if word != "start"}
        if done.returncode == 0:
            break
        assert done.returncode < 0, done.stderr[-2000:]  # a signal, never an exception
        deaths += 1
        first = int(lines[-1][0]) + 1
    assert len(verdicts) + deaths == DAMAGED // 2
    assert set(verdicts.values()) <= {v.value for v in Verdict}
    assert list(verdicts.values()).count("refuse") > DAMAGED // 10
