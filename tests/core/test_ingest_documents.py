"""A column of running text becomes documents; the columns beside it stay as labels."""

from __future__ import annotations

import csv
import io

from nmf_core.ingest import read

WORDS = ["school", "teacher", "hospital", "nurse", "police", "officer", "railway", "budget", "minister", "council"]


def speeches(n: int = 80) -> bytes:
    """Return a table of short texts with a date and a speaker of their own each."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(["date", "speaker", "party", "text"])
    for i in range(n):
        sentence = " ".join(
            WORDS[(i * k + k) % len(WORDS)] + " matters to the people of this town" for k in range(1, 6)
        )
        table.writerow([f"20{i % 20 + 10}-0{i % 9 + 1}-{i % 28 + 1:02d}", f"Member {i}", "ABC"[i % 3], sentence + "."])
    return out.getvalue().encode()


def test_dates_and_speakers_stay_as_labels_however_many_there_are():
    dataset = read(speeches(), "speeches.csv", sandbox=False).dataset
    assert dataset.kind == "text"
    assert len(dataset.extra["documents"]) == 80
    assert set(dataset.labels) >= {"date", "party"}
    assert dataset.labels["date"][3] == "2013-04-04"
    assert "speaker" in dataset.labels or dataset.rows[3] == "Member 3"
