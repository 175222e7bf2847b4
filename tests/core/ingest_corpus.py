"""Files that people really drop, and what is to be answered: one generator each, with a verdict and a pattern.

Verdicts: R read as it is, N read with a note, A a choice is asked, X refused. The pattern is looked for in the message
of X, the notes of N, the questions of A.
"""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    """One file of the corpus."""

    id: str
    name: str
    make: Callable[[], bytes]
    verdict: str
    pattern: str = ""
    shape: tuple[int, int] | None = None
    kind: str | None = None
    choices: tuple[tuple[str, Any], ...] = ()
    first: tuple[float, ...] = ()  # the first row of the matrix, as far as it is told
    rows: tuple[str, ...] = ()  # the first names, as far as they are told
    cols: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


class Corpus(list[Case]):
    """Files one after the other."""

    def add(self, id: str, verdict: str, data: Any, pattern: str = "", name: str = "file.csv", **more: Any) -> None:
        """Register a file; `data` is text, bytes or a function that makes them."""

        def make() -> bytes:
            value = data() if callable(data) else data
            return value.encode() if isinstance(value, str) else bytes(value)

        choices = tuple(sorted(more.pop("choices", {}).items()))
        self.append(Case(id, name, make, verdict, pattern, choices=choices, **more))


CASES = Corpus()
case = CASES.add


def saved(write: Callable[[io.BytesIO], Any]) -> bytes:
    """Return what a program writes into a file."""
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def numbers(n: int = 6, m: int = 4, seed: int = 0) -> np.ndarray:
    """Return positive numbers with two digits after the point."""
    return np.round(np.random.default_rng(seed).gamma(2.0, 2.0, (n, m)) + 0.01, 2)


def csv_of(values: Any, sep: str = ",", header: str | None = "a,b,c,d", end: str = "\n", decimal: str = ".") -> str:
    """Write numbers as a text table."""
    lines = [] if header is None else [header.replace(",", sep)]
    lines += [sep.join(f"{v:.2f}".replace(".", decimal) for v in row) for row in values]
    return end.join(lines) + end


def npy(array: Any) -> bytes:
    """Return the bytes of a .npy file."""
    return saved(lambda file: np.save(file, array))


def npy_header(shape: tuple[int, ...], descr: str = "<f8", body: bytes = b"") -> bytes:
    """Return a .npy file whose header promises what it likes."""
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    return saved(lambda file: np.lib.format.write_array_header_1_0(file, header)) + body


def npz(**arrays: Any) -> bytes:
    """Return the bytes of a .npz file."""
    return saved(lambda file: np.savez_compressed(file, **arrays))


def zipped(**members: Any) -> bytes:
    """Return a .zip; names come with __ for dots and _S_ for slashes."""
    return zip_of({name.replace("_S_", "/").replace("__", "."): data for name, data in members.items()})


def zip_of(members: dict[str, Any]) -> bytes:
    """Return a .zip of named members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def sheet_xml(cells: str) -> str:
    """Return the XML of a worksheet."""
    return (
        '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f"<sheetData>{cells}</sheetData></worksheet>"
    )


def workbook(*sheets: tuple[str, str], states: tuple[str, ...] = ()) -> bytes:
    """Return an .xlsx with hand-written sheets: (name, XML)."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    listed = "".join(
        f'<sheet name="{name}" sheetId="{i}" r:id="rId{i}"{f" state={states[i - 1]!r}" if states else ""}/>'
        for i, (name, _) in enumerate(sheets, 1)
    )
    relations = "".join(
        f'<Relationship Id="rId{i}" Type="{rel}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(sheets) + 1)
    )
    kinds = "".join(
        f'<Override PartName="/xl/worksheets/sheet{i}.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
        for i in range(1, len(sheets) + 1)
    )
    members = {
        "[Content_Types].xml": f'<?xml version="1.0"?><Types xmlns="{package}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>{kinds}</Types>',
        "_rels/.rels": f'<?xml version="1.0"?><Relationships xmlns="{package}/relationships"><Relationship Id="rId1" Type="{rel}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<?xml version="1.0"?><workbook xmlns="{main}" xmlns:r="{rel}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<?xml version="1.0"?><Relationships xmlns="{package}/relationships">{relations}</Relationships>',
    }
    members |= {f"xl/worksheets/sheet{i}.xml": xml for i, (_, xml) in enumerate(sheets, 1)}
    return zip_of(members)


def rows_xml(rows: list[list[Any]]) -> str:
    """Return sheet XML of values; texts are written inline."""
    out = []
    for i, row in enumerate(rows, 1):
        cells = []
        for j, value in enumerate(row):
            ref = f"{chr(65 + j)}{i}"
            if value is None:
                continue
            if isinstance(value, str) and value.startswith("#"):
                cells.append(f'<c r="{ref}" t="e"><v>{value}</v></c>')
            elif isinstance(value, bool):
                cells.append(f'<c r="{ref}" t="b"><v>{int(value)}</v></c>')
            elif isinstance(value, str):
                escaped = value.replace("&", "&amp;").replace("<", "&lt;")
                cells.append(f'<c r="{ref}" t="inlineStr"><is><t>{escaped}</t></is></c>')
            else:
                cells.append(f'<c r="{ref}"><v>{value}</v></c>')
        out.append(f'<row r="{i}">{"".join(cells)}</row>')
    return sheet_xml("".join(out))


TABLE = [["a", "b", "c"], [1, 2, 3.5], [4, 5, 6], [7, 8, 9]]
GOOD = csv_of(numbers())


def far_cell() -> bytes:
    """Return a workbook with two cells at opposite corners of the sheet: it ends whole processes."""
    return workbook(
        (
            "Sheet1",
            sheet_xml('<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'),
        )
    )


def cut_mtx() -> bytes:
    """Return a MatrixMarket file cut off in a number, without a line end: it crashes SciPy's reader."""
    return b"%%MatrixMarket matrix coordinate real general\n3 3 4\n1 1 2."


def parquet(frame: Any, **more: Any) -> bytes:
    """Return the bytes of a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = frame if isinstance(frame, pa.Table) else pa.table(frame)
    return saved(lambda file: pq.write_table(table, file, **more))


def arrow(columns: dict[str, Any], stream: bool = False) -> bytes:
    """Return the bytes of an Arrow file or stream."""
    import pyarrow as pa

    table, buffer = pa.table(columns), io.BytesIO()
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(buffer, table.schema) as writer:
        writer.write_table(table)
    return buffer.getvalue()


def picture(array: Any, form: str = "PNG", **more: Any) -> bytes:
    """Return the bytes of a picture."""
    from PIL import Image

    return saved(lambda file: Image.fromarray(np.asarray(array)).save(file, form, **more))


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    """Return random grey values or colours."""
    return np.random.default_rng(seed).integers(1, 255, shape, dtype=np.uint8)


def wav(samples: Any, rate: int = 8000, form: str = "WAV", subtype: str = "PCM_16") -> bytes:
    """Return the bytes of a sound."""
    import soundfile

    return saved(lambda file: soundfile.write(file, np.asarray(samples), rate, format=form, subtype=subtype))


def tone(seconds: float = 0.5, rate: int = 8000) -> np.ndarray:
    """Return a sine of 440 Hz."""
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)


def sparse_npz(**more: Any) -> bytes:
    """Return a scipy.sparse matrix as save_npz writes it, with parts replaced."""
    import scipy.sparse as sp

    X = sp.random_array((20, 10), density=0.3, format="csr", rng=np.random.default_rng(0))
    parts = {
        "format": np.array(b"csr"),
        "shape": np.array(X.shape),
        "data": X.data,
        "indices": X.indices,
        "indptr": X.indptr,
    }
    return npz(**{**parts, **more})


# ---------------------------------------------------------------- text tables
case("T01 empty", "X", b"", r"empty \(0 bytes\)")
case("T02 header only", "X", "a,b\n", "header but no rows")
case("T02b header without line end", "X", "a;b;c", "header but no rows|no rows|at least two")
case("T03 blank lines", "X", "\n\n\n", "empty")
case("T03b blanks and tabs", "X", "  \n\t\n ", "empty")
case("T04 bom", "R", b"\xef\xbb\xbf" + GOOD.encode(), shape=(6, 4))
case("T05 utf-16", "N", GOOD.encode("utf-16"), "UTF-16", shape=(6, 4))
case("T05b utf-16 big-endian", "N", b"\xfe\xff" + GOOD.encode("utf-16-be"), "UTF-16", shape=(6, 4))
case("T05c utf-16 without mark", "N", GOOD.encode("utf-16-le"), "UTF-16", shape=(6, 4))
case("T05d utf-32", "N", GOOD.encode("utf-32"), "UTF-32", shape=(6, 4))
case("T05e utf-16 odd length", "X", GOOD.encode("utf-16")[:-1], "UTF-16")
case("T07 latin-1", "N", "Größe,Länge,Fünf\n1,2,3\n4,5,7\n".encode("cp1252"), "Windows-1252.*Größe", shape=(2, 3))
case("T07b euro sign", "N", "Preis €,b\n1,2\n4,5\n".encode("cp1252"), "Windows-1252.*€", shape=(2, 2))
case("T07c undefined in cp1252", "N", b"a\x81,b\n1,2\n3,4\n", "Windows-1252", shape=(2, 2))
case("T08 semicolon", "N", csv_of(numbers(), ";"), "semicolon", shape=(6, 4))
case("T09 decimal comma", "N", csv_of(numbers(), ";", decimal=","), "semicolon[\\s\\S]*decimal comma", shape=(6, 4))
case("T09b decimal comma, tab", "N", csv_of(numbers(), "\t", decimal=","), "tab[\\s\\S]*decimal comma", shape=(6, 4))
case("T09c decimal comma in quotes", "N", 'a,b\n"1,5","2,25"\n"3,5","4,125"\n', "decimal comma", shape=(2, 2))
case("T09d one decimal column", "N", "n;a;b\nx;1,5;2\ny;2,5;3\nz;3,25;4\n", "decimal comma", shape=(3, 2))
case("T10 tab", "N", csv_of(numbers(), "\t"), "tab", shape=(6, 4))
case("T10b bar", "N", csv_of(numbers(), "|"), "vertical bar", shape=(6, 4))
case("T10c blanks", "N", "a  b   c\n1  2   3.5\n4  5   6\n", "blanks", shape=(2, 3))
case("T10d blanks before", "N", "  1.5   2.5  3\n  4.5  15.5  6\n 10.5  11.5 12\n", "blanks", shape=(3, 3))
case("T10e tsv with missing", "A", "a\tb\tc\n1\t\t3\n4\t5\t6\n", "missing")
case("T11 thousands", "N", 'a,b\n"1,234","2,345"\n"13,456","12,345"\n', "1,234 was read as 1234", shape=(2, 2))
case(
    "T11b thousands and decimals", "N", 'a,b\n"1,234.5",7\n"13,456.25",8\n', "1,234.5 was read as 1234.5", shape=(2, 2)
)
case("T11c German thousands", "N", "a;b\n1.234,5;7\n13.456,25;8\n", "1.234,5 was read as 1234.5", shape=(2, 2))
case("T11d thin spaces", "N", "a;b\n1\u202f234;7\n13\u202f456;8\n", "thousands", shape=(2, 2))
case("T11e apostrophes", "N", "a;b\n1'234;7\n13'456;8\n", "thousands", shape=(2, 2))
case("T12 ambiguous point", "A", "a;b\n1.234;2.345\n3.456;4.567\n", "three digits.*1.234")
case("T12b ambiguous, comma separated", "A", "a,b\n1.234,2.345\n3.456,4.567\n", "three digits")
case("T12c ambiguous comma", "A", "a;b\n1,234;2,345\n3,456;4,567\n", "three digits")
case(
    "T12d answered",
    "N",
    "a;b\n1.234;2.345\n3.456;4.567\n",
    "1.234 was read as 1234",
    choices={"numbers": "point-thousands"},
)
case("T12e clear by a zero", "N", "a;b\n0.234;2.345\n3.456;4.567\n", "semicolon", shape=(2, 2))
case("T14 row too long", "X", "a,b\n1,2\n1,2,3\n4,5\n", r"line 3.*skip 1 row", name="x.csv")
case(
    "T14b rows skipped",
    "N",
    "a,b\n1,2\n1,2,3\n4,5\n",
    "1 row with too many cells skipped",
    choices={"long_rows": "skip"},
    shape=(2, 2),
)
case("T14c empty cells at the end", "R", "a,b,\n1,2,\n4,5,\n", shape=(2, 2))
case("T14d only rows end with a comma", "R", "a,b\n1,2,\n4,5,\n", shape=(2, 2))
case("T15 row too short", "A", "a,b,c\n1,2,3\n4,5\n6,7,8\n", "missing")
case(
    "T15b noted and kept",
    "N",
    "a,b,c\n1,2,3\n4,5\n6,7,8\n",
    "too few cells.*line 3",
    choices={"missing": "keep"},
    shape=(3, 3),
)
case("T17 duplicate names", "N", "x,x,y\n1,2,3\n4,5,6\n", r"x → x \(2\)", shape=(2, 3))
case("T17b renamed name taken", "N", "x,x (2),x\n1,2,3\n4,5,6\n", r"x → x \(3\)", shape=(2, 3))
case("T18 no header", "N", csv_of(numbers(), header=None), "No header", shape=(6, 4))
case(
    "T18b years as header",
    "N",
    "1990,1991,1992,1993\n1.5,2.5,3.5,4.5\n2.5,2.5,3.5,1.5\n",
    "as names: 1990",
    shape=(2, 4),
)
case("T18c positions as header", "N", "0,1,2,3\n0.5,0.25,0.75,1\n0.1,0.2,0.3,0.4\n", "as names: 0, 1", shape=(2, 4))
case("T18d missing in the first row", "A", "1,NA,3\n4,5,6\n7,8,9\n", "missing")
case("T19 text among numbers", "A", "a,b\n1,2\nfoo,3\n4,5\n6,7\n", "1 cell is no number: foo in row 2 of a")
case(
    "T19b blanked out",
    "N",
    "a,b\n1,2\nfoo,3\n4,5\n6,7\n",
    "",
    choices={"bad_cells": "missing", "missing": "zero"},
    shape=(4, 2),
)
case(
    "T19c column dropped", "N", "a,b,c\n1,2,2\nfoo,3,3\n4,5,1\n6,7,1\n", "", choices={"bad_cells": "drop"}, shape=(4, 2)
)
case("T19d below limit", "A", "a,b\n1,2\n<0.5,3\n4,5\n6,7\n", "no number: <0.5")
case("T20 row names", "N", "name,a,b\nx,1,2\ny,3,4\nz,5,6\n", "name names the rows", shape=(3, 2))
case("T20b no name over row names", "N", ",a,b\nx,1,2\ny,3,4\nz,5,6\n", "names the rows", shape=(3, 2))
case("T20c as R writes it", "N", '"a","b"\n"x",1,2\n"y",3,4\n"z",5,6\n', "names the rows", shape=(3, 2))
case("T20d pandas index", "N", ",a,b\n0,1,2\n1,3,4\n2,5,6\n", "names the rows", shape=(3, 2))
case("T20e labels", "N", "a,b,species\n1,2,u\n3,4,u\n5,6,v\n7,8,v\n", "labels: species", shape=(4, 2))
case(
    "T20f class numbers",
    "N",
    "a,b,class\n" + "".join(f"{i}.5,{i}.25,{i % 3}\n" for i in range(12)),
    "labels: class",
    shape=(12, 2),
)
case("T22 nul byte", "X", b"a,b\n1\0,2\n3,4\n", "binary data at byte 5")
case("T22b nul far away", "X", GOOD.encode() * 200 + b"1,\0,3,4\n", "binary data at byte")
case("T22c escape codes", "X", b"a,b\n\x1b[31m\x07\x08,2\n3,4\n", "binary data|no number|No numeric")
case("T23 cr", "R", csv_of(numbers(), end="\r"), shape=(6, 4))
case("T23b crlf", "R", csv_of(numbers(), end="\r\n"), shape=(6, 4))
case("T23c mixed line ends", "R", "a,b\r\n1,2\n3,4\r\n", shape=(2, 2))
case("T23d no line end at the end", "R", csv_of(numbers()).rstrip("\n"), shape=(6, 4))
case("T25 blanks in names", "N", "a, b\n1,2\n3,4\n", "Blanks around", shape=(2, 2))
case("T26 names like missing", "R", "NA,null,nan\n1,2,3\n4,5,6\n", shape=(2, 3))
case("T27 random bytes", "X", lambda: np.random.default_rng(1).bytes(5000), "not a text table|damaged|MP3")
case("T27b high bytes", "X", lambda: bytes(range(128, 256)) * 30, "")
case("T29 web page", "X", "<!DOCTYPE html><html><body>404</body></html>", "web page")
case("T29b web page, lower case", "X", "\n <html lang='en'><head>", "web page")
case("T29c xml", "X", "<?xml version='1.0'?><data/>", "XML")
case("T29d login page with a mark", "X", b"\xef\xbb\xbf<!doctype HTML><p>", "web page")
case("T30 thirty digits", "N", "a,b\n123456789012345678901234567890,2\n3,4\n", r"2\^53", shape=(2, 2))
case("T31 over 2^53", "N", "a,b\n9007199254740993,2\n9223372036854775807,4\n", r"2\^53", shape=(2, 2))
case(
    "T31b just below", "R", "a,b\n9007199254740991,9007199254740990\n9007199254740980,9007199254740000\n", shape=(2, 2)
)
case("T32 nan and inf", "A", "a,b\nNaN,inf\n-inf,1e400\n1,2\n", "3 cells are infinite")
case("T32b infinite capped", "N", "a,b\n3,inf\n5,7\n1,2\n", "capped", choices={"infinite": "cap"}, shape=(3, 2))
case("T33 huge and tiny", "N", "a,b\n5e-324,1e300\n1,2\n", "sum of squares", shape=(2, 2))
case("T34 truth values", "N", "a,b\nTrue,yes\nFalse,no\nTrue,yes\n", "1/0 in: a, b", shape=(3, 2))
case("T35 dates", "A", "d,a,b\n2020-01-01,1,2\n2020-01-02,3,4\n", "dates")
case("T35b dates counted", "N", "d,a,b\n2020-01-01,1,2\n2020-01-02,3,4\n", "", choices={"dates": "days"}, shape=(2, 3))
case("T35c German dates", "A", "d;a;b\n01.02.2020;1;2\n02.02.2020;3;4\n", "dates")
case("T35d times", "A", "t,a,b\n2020-01-01 10:30:00,1,2\n2020-01-01 11:30:00,3,4\n", "dates")
case("T38 complex", "X", "a,b\n1+2j,3\n2-1j,4\n", "complex")
case("T39 other notations", "A", "a,b,c\n0x10,1,2\n1_000,2,2\n1.0D+03,3,2\n", "no number: 0x10")
case("T39b per cent", "N", "a,b,c\n10 %,1,2\n20 %,2,2\n30 %,3,2\n", "% in a", shape=(3, 3))
case("T41 formula names", "R", "=cmd|' /C calc'!A0,+1,@x\n1,2,3\n4,5,6\n", shape=(2, 3))
case(
    "T42 markup names",
    "R",
    '<img src=x onerror=alert(1)>,"![](http://x/y)",[x](http://x),$a$,:red[b]\n1,2,3,4,5\n4,5,6,7,8\n',
    shape=(2, 5),
)
case("T43 long names", "N", f"{'x' * 10_000},{'x' * 9_999}\n1,2\n3,4\n", "cut to 200", shape=(2, 2))
case("T43b direction characters", "R", "a\u202eb,c\u200bd\n1,2\n3,4\n", shape=(2, 2))
case(
    "T44 many columns",
    "N",
    lambda: csv_of(np.ones((3, 30_000)) + np.arange(3)[:, None], header=None),
    "No header",
    shape=(3, 30_000),
)
case(
    "T44b too many columns",
    "X",
    lambda: ",".join(["1"] * 600_001) + "\n" + ",".join(["1"] * 600_001),
    "600,001 columns; the limit is 500,000",
)
case("T45 one long cell", "X", lambda: "a,b\n" + "x" * 5_000_000 + ",2\n3,4\n", "cell is longer than 1,000,000")
case(
    "T46 too many cells",
    "X",
    lambda: gzip.compress(b"1,2,3,4,5,6,7,8,9,1\n" * 2_600_000, 1),
    "26,000,000 cells.*208 MB.*25,000,000",
)
case("T47b gz", "R", lambda: gzip.compress(GOOD.encode()), name="x.csv.gz", shape=(6, 4))
case("T47c gz cut off", "X", lambda: gzip.compress(GOOD.encode() * 50)[:-20], "cut off", name="x.csv.gz")
case("T47d gz damaged", "X", lambda: b"\x1f\x8b\x08" + b"\0" * 7 + b"\xff" * 50, "damaged|cut off", name="x.gz")
case("T47e bz2", "R", lambda: __import__("bz2").compress(GOOD.encode()), shape=(6, 4))
case("T47f xz", "R", lambda: __import__("lzma").compress(GOOD.encode()), shape=(6, 4))
case("T47g xz cut off", "X", lambda: __import__("lzma").compress(GOOD.encode())[:-8], "cut off|damaged")
case("T47h two gz members", "R", lambda: gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"3,4\n"), shape=(2, 2))
case("T48 zip with one", "R", lambda: zip_of({"a.csv": GOOD}), name="x.zip", shape=(6, 4))
case("T48b zip with two", "A", lambda: zip_of({"a.csv": GOOD, "b.csv": GOOD * 2}), "Which file", name="x.zip")
case(
    "T48c zip, chosen",
    "R",
    lambda: zip_of({"a.csv": GOOD, "b.csv": "x,y\n1,2\n3,4\n"}),
    choices={"member": "b.csv"},
    shape=(2, 2),
)
case(
    "T48d zip with 1001", "X", lambda: zip_of({f"{i}.csv": "a" for i in range(1001)}), "1,001 files; the limit is 1,000"
)
case(
    "T48e zip in zip in zip in zip",
    "X",
    lambda: zip_of({"a": zip_of({"b": zip_of({"c": zip_of({"d": zip_of({"e.csv": GOOD})})})})}),
    "packed more than",
)
case("T48f zip bomb", "X", lambda: _claiming(zip_of({"a.csv": GOOD}), 501_000_000), "unpacks to 501 MB")
case("T48g empty zip", "X", lambda: zip_of({}), "empty")
case(
    "T48h zip from a Mac",
    "R",
    lambda: zip_of({"a.csv": GOOD, "__MACOSX/._a.csv": b"\0\5", ".DS_Store": b"x"}),
    shape=(6, 4),
)
case("T48i zip cut off", "X", lambda: zip_of({"a.csv": GOOD * 99})[:-40], "damaged")
case("T48j encrypted zip", "X", lambda: _encrypted(zip_of({"a.csv": GOOD})), "password")
case("T48k zip lies about the size", "X", lambda: _lying(zip_of({"a.csv": GOOD * 50})), "damaged")
case("T50 only text", "X", "a,b\nx,y\nz,w\n", "No numeric column.*x, z")
case("T51 comments", "N", "# made by us\n# second\na,b\n1,2\n3,4\n", "2 lines before", shape=(2, 2))
case("T51b comments within", "R", "a,b\n1,2\n# half\n3,4\n", shape=(2, 2))
case("T51c names in a comment", "N", "# a b c\n1.5 2 3\n4 5 6\n", "comment line", shape=(2, 3))
case("T52 title lines", "N", "Report 2020\n\nname,a,b\nx,1,2\ny,3,4\nz,5,6\n", "before the table", shape=(3, 2))
case("T53 quote never closed", "X", 'a,b\n"1,2\n3,4\n5,6\n', "quotation mark")
case("T53b quotes with line ends", "N", 'n,a,b\n"x\ny",1,2\n"z",3,4\n', "names the rows", shape=(2, 2))
case("T53c broken quotes", "X", 'a,b\n"1"2,3\n"4",5\n', "quotation mark")
case("T54 one column", "X", "a\n1\n2\n3\n", "at least two")
case("T54b one row", "X", "a,b,c\n1,2,3\n", "1 row")
case("T55 all zero", "X", "a,b\n0,0\n0,0\n", "only zeros")
case("T56 negative", "A", "a,b\n-1,2\n3,4\n", "1 cell is negative")
case("T56b tiny negative", "N", "a,b\n-1e-12,2\n3,4\n", "rounding errors", shape=(2, 2))
case("T56c split", "N", "a,b\n-1,2\n3,4\n", "Negative values", choices={"negative": "split"}, shape=(2, 4))
case(
    "T57 zero row and column",
    "N",
    "a,b,c\n0,0,0\n1,0,3\n4,0,2\n",
    "1 row holds only zeros[\\s\\S]*1 column holds only zeros",
    shape=(3, 3),
)
case(
    "T58 wide range",
    "N",
    "a,b,c,d,e\n" + "".join(f"{i}e6,{i + 1}e-3,0.5,{i}e-2,0.1\n" for i in range(1, 9)),
    "1 of 5 columns carries",
    shape=(8, 5),
)
case("T59 empty column", "R", "a,,b\n1,,2\n3,,4\n", "", shape=(2, 2))
case("T59b named empty column", "N", "a,leer,b\n1,,2\n3,,4\n", "empty column", shape=(2, 2))
case("T59c empty rows", "N", "a,b\n1,2\n,\n3,4\n", "empty row", shape=(2, 2))
case("T60 excel separator line", "N", "sep=;\na;b\n1;2\n3;4\n", "semicolon", shape=(2, 2))
case("T61 many missing", "A", "a,b\nNA,1\n-,2\n?,3\n#N/A,4\nnull,5\n7,6\n", "5 cells are missing")
case("T61b all missing", "X", "a,b\nNA,NA\nNA,NA\n", "empty|No cell")
case("T62 spreadsheet errors", "A", "a,b\n#DIV/0!,1\n2,#VALUE!\n3,4\n", "2 cells are missing")
case(
    "T63 long table",
    "N",
    "doc,word,count\n" + "".join(f"d{i},w{j},{i + j + 1}\n" for i in range(6) for j in range(i + 1)),
    "long table",
    kind="counts",
    shape=(6, 6),
)
case(
    "T63b ratings",
    "N",
    "userId,movieId,rating,timestamp\n"
    + "".join(f"{i},{j * 3},{(i + j) % 5 + 1},99\n" for i in range(1, 9) for j in range(1, 1 + i)),
    "unknown",
    kind="ratings",
    shape=(8, 8),
)
case("T63c cells twice", "A", "row,col,value\na,x,1\na,x,3\nb,y,2\nb,x,1\n", "given more than once")
case(
    "T63d unclear triples",
    "A",
    "".join(["p,q,r\n", *(f"k{i},m{j},{i * j + 1}\n" for i in range(5) for j in range(3))]),
    "one line of this file",
)
# ---------------------------------------------------------------- workbooks
case("E00 workbook", "R", lambda: workbook(("S", rows_xml(TABLE))), name="x.xlsx", shape=(3, 3))
case("E01 far cell", "X", far_cell, "spans 1048576 x 16384 cells but holds 2", name="x.xlsx")
case(
    "E01b far row",
    "X",
    lambda: workbook(
        ("S", sheet_xml('<row r="1"><c r="A1"><v>1</v></c></row><row r="1000000"><c r="ZZ1000000"><v>1</v></c></row>'))
    ),
    "spans 1000000 x 702",
    name="x.xlsx",
)
case(
    "E03 entities",
    "X",
    lambda: workbook(("S", '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]>' + rows_xml(TABLE)[21:])),
    "damaged or unsafe",
    name="x.xlsx",
)
case(
    "E03b entities in the list of sheets",
    "X",
    lambda: zip_of({"xl/workbook.xml": '<!DOCTYPE x [<!ENTITY a "b">]><workbook/>', "[Content_Types].xml": "<x/>"}),
    "damaged or unsafe",
    name="x.xlsx",
)
case("E05 text named xlsx", "N", GOOD, "plain text", name="x.xlsx", shape=(6, 4))
case("E05b workbook named csv", "R", lambda: workbook(("S", rows_xml(TABLE))), name="x.csv", shape=(3, 3))
case(
    "E07 password",
    "X",
    lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 900,
    "password",
    name="x.xlsx",
)
case("E08 broken ole", "X", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000, "damaged", name="x.xls")
case(
    "E09 several sheets",
    "A",
    lambda: workbook(("one", rows_xml(TABLE)), ("two", rows_xml(TABLE + TABLE[1:]))),
    "Which sheet",
    name="x.xlsx",
)
case(
    "E09b chosen",
    "R",
    lambda: workbook(("one", rows_xml(TABLE)), ("two", rows_xml(TABLE + TABLE[1:]))),
    choices={"sheet": "two"},
    shape=(6, 3),
    name="x.xlsx",
)
case(
    "E09c hidden sheet",
    "A",
    lambda: workbook(("one", rows_xml(TABLE)), ("two", rows_xml(TABLE)), states=("visible", "hidden")),
    "Which sheet",
    name="x.xlsx",
)
case("E10 empty sheet", "X", lambda: workbook(("S", sheet_xml(""))), "empty", name="x.xlsx")
case(
    "E11 errors",
    "A",
    lambda: workbook(("S", rows_xml([["a", "b"], [1, "#N/A"], [3, "#DIV/0!"], [5, 6]]))),
    "2 cells are missing",
    name="x.xlsx",
)
case(
    "E11b truth values",
    "N",
    lambda: workbook(("S", rows_xml([["a", "b", "c"], [1.5, True, 2], [3, False, 2], [5, True, 2]]))),
    "1/0 in: b",
    name="x.xlsx",
    shape=(3, 3),
)
case(
    "E12 title rows",
    "N",
    lambda: workbook(("S", rows_xml([["Report"], [None], ["n", "a", "b"], ["x", 1, 2], ["y", 3, 4]]))),
    "2 rows above",
    name="x.xlsx",
    shape=(2, 2),
)
case("E12b no header", "N", lambda: workbook(("S", rows_xml(TABLE[1:]))), "No header", name="x.xlsx", shape=(3, 3))
case(
    "E13 path in a member",
    "R",
    lambda: _with_member(workbook(("S", rows_xml(TABLE))), "../../evil.txt"),
    name="x.xlsx",
    shape=(3, 3),
)
case(
    "E14 no such sheet file",
    "X",
    lambda: zip_of({"xl/workbook.xml": "<workbook/>", "[Content_Types].xml": "<x/>"}),
    "damaged|no sheet",
    name="x.xlsx",
)
case("E15 word document", "X", lambda: zip_of({"word/document.xml": "<x/>"}), "text document", name="x.xlsx")
case("E16 cut off", "X", lambda: workbook(("S", rows_xml(TABLE)))[:-60], "damaged", name="x.xlsx")
case(
    "E17 only text",
    "X",
    lambda: workbook(("S", rows_xml([["a", "b"], ["x", "y"], ["z", "w"]]))),
    "No numeric",
    name="x.xlsx",
)
case(
    "E18 numbers as text",
    "R",
    lambda: workbook(("S", rows_xml([["a", "b"], ["1", "2"], ["3", "4.5"]]))),
    name="x.xlsx",
    shape=(2, 2),
)
case(
    "E19 sheet name with markup",
    "R",
    lambda: workbook(("S&amp;&lt;b&gt;", rows_xml(TABLE))),
    name="x.xlsx",
    shape=(3, 3),
)
# ---------------------------------------------------------------- columnar
case("P00 parquet", "R", lambda: parquet({"a": [1.0, 2], "b": [3, 4]}), name="x.parquet", shape=(2, 2))
case("P01 many rows, few bytes", "X", lambda: _rle_parquet(), "20,000,000 rows.*limit", name="x.parquet")
case("P02 cut off", "X", lambda: parquet({"a": [1.0, 2]})[:-9], "damaged Parquet", name="x.parquet")
case("P02b junk", "X", b"PAR1" + b"\7" * 500 + b"PAR1", "damaged Parquet", name="x.parquet")
case(
    "P02c lying footer",
    "X",
    lambda: parquet({"a": [1.0, 2]})[:-8] + struct.pack("<I", 2**31 - 9) + b"PAR1",
    "damaged Parquet",
    name="x.parquet",
)
case("P04 types", "N", lambda: _typed_parquet(), "float64", name="x.parquet", shape=(4, 3))
case(
    "P05 labels",
    "N",
    lambda: parquet({"a": [1.0, 2, 3, 4], "b": [1, 2, 3, 5], "g": ["u", "u", "v", "v"]}),
    "labels: g",
    name="x.parquet",
    shape=(4, 2),
)
case("P06 no rows", "X", lambda: parquet({"a": np.zeros(0)}), "no data", name="x.parquet")
case("P07 lists", "X", lambda: parquet({"a": [[1, 2], [3]]}), "No column|left out", name="x.parquet")
case("P08 nulls", "A", lambda: parquet({"a": [1.0, None, 3.0], "b": [1, 2, 3]}), "1 cell is missing", name="x.parquet")
case("P09 feather", "R", lambda: arrow({"a": [1.0, 2], "b": [3, 4]}), name="x.feather", shape=(2, 2))
case("P09b stream", "R", lambda: arrow({"a": [1.0, 2], "b": [3, 4]}, stream=True), name="x.arrow", shape=(2, 2))
case("P09c cut off", "X", lambda: arrow({"a": [1.0, 2]})[:100], "damaged Arrow", name="x.arrow")
case(
    "P10 dates",
    "A",
    lambda: parquet({"a": [1.0, 2], "b": [1.0, 5], "d": np.array(["2020-01-01", "2020-01-02"], "datetime64[ms]")}),
    "dates",
    name="x.parquet",
)
# ---------------------------------------------------------------- JSON
case("J01 records", "R", json.dumps([{"a": 1, "b": 2}, {"a": 3, "b": 4.5}]), name="x.json", shape=(2, 2))
case("J02 columns", "R", json.dumps({"a": [1, 2], "b": [3, 4]}), name="x.json", shape=(2, 2))
case("J03 lists", "N", json.dumps([[1, 2], [3, 4]]), "No header", name="x.json", shape=(2, 2))
case("J04 lines", "R", '{"a":1,"b":2}\n{"a":3,"b":4}\n', name="x.jsonl", shape=(2, 2))
case(
    "J05 split",
    "N",
    json.dumps({"columns": ["a", "b"], "index": ["x", "y"], "data": [[1, 2], [3, 4]]}),
    "names the rows",
    name="x.json",
    shape=(2, 2),
)
case("J06 nested", "R", json.dumps([{"a": {"u": 1, "v": 2}}, {"a": {"u": 3, "v": 4}}]), name="x.json", shape=(2, 2))
case("J07 cut off", "X", '[{"a": 1, "b": 2}, {"a": 3,', "damaged or cut off.*line 1", name="x.json")
case("J08 deep", "X", "[" * 200_000, "nested too deeply", name="x.json")
case("J09 empty", "X", "[]", "no rows", name="x.json")
case("J10 nulls", "A", json.dumps([{"a": 1, "b": None}, {"a": 3, "b": 4}]), "missing", name="x.json")
case("J11 infinite", "A", '[{"a": Infinity, "b": 2}, {"a": 3, "b": 4}]', "infinite", name="x.json")
case("J12 columns of different length", "X", json.dumps({"a": [1, 2], "b": [3]}), "differ in length", name="x.json")
case("J13 huge number", "A", '[{"a": 1' + "0" * 400 + ', "b": 2}, {"a": 3, "b": 4}]', "infinite", name="x.json")
case("J14 mixed", "X", '[1, {"a": 2}]', "mixes", name="x.json")
# ---------------------------------------------------------------- NumPy
case("N00 npy", "R", lambda: npy(numbers()), name="x.npy", shape=(6, 4))
case("N01 objects", "X", lambda: npy(np.array([[1, "a"], [2, 3]], dtype=object)), "Python objects", name="x.npy")
case(
    "N01b objects in npz",
    "X",
    lambda: npz(X=np.array([[1, "a"], [2, 3]], dtype=object)),
    "Python objects",
    name="x.npz",
)
case("N01c pickle", "X", lambda: __import__("pickle").dumps({"a": 1}), "pickle", name="x.pkl")
case(
    "N02 promises a terabyte",
    "X",
    lambda: npy_header((10**6, 10**6), body=b"x" * 16),
    "promises 1,000,000 × 1,000,000",
    name="x.npy",
)
case("N02b overflowing shape", "X", lambda: npy_header((2**62, 2**62)), "promises", name="x.npy")
case("N03 npz bomb", "X", lambda: _claiming(npz(a=numbers()), 800_000_000), "unpacks to 800 MB", name="x.npz")
case(
    "N05 truncated",
    "X",
    lambda: npy(numbers(9, 3))[: 128 + 16],
    "cut off: 27 numbers promised, 2 present",
    name="x.npy",
)
case("N05b negative shape", "X", lambda: npy_header((-3, 3), body=b"x" * 80), "negative size", name="x.npy")
case("N05c broken header", "X", b"\x93NUMPY\x01\x00\x10\x00{'descr': !!!!!!}", "header cannot be read", name="x.npy")
case(
    "N05d header with code",
    "X",
    b"\x93NUMPY\x01\x00\x20\x00__import__('os').system('id')   \n",
    "header cannot be read",
    name="x.npy",
)
case("N05e unknown version", "X", b"\x93NUMPY\x09\x00\x10\x00{'descr': '<f8'}", "header cannot be read", name="x.npy")
case("N06 several arrays", "A", lambda: npz(A=numbers(), B=numbers(7, 3)), "Which array", name="x.npz")
case("N06b chosen", "R", lambda: npz(A=numbers(), B=numbers(7, 3)), choices={"array": "B"}, name="x.npz", shape=(7, 3))
case(
    "N06c with names",
    "N",
    lambda: npz(X=numbers(), rows=np.array(list("uvwxyz")), cols=np.array(list("abcd"))),
    "taken along",
    name="x.npz",
    shape=(6, 4),
)
case("N06d sparse", "N", sparse_npz, "sparse matrix: 20 × 10", name="x.npz", shape=(20, 10))
case(
    "N06e sparse, index out of range",
    "X",
    lambda: sparse_npz(indices=np.full(60, 99, np.int32)),
    "do not fit together",
    name="x.npz",
)
case(
    "N06f sparse, wrong pointers",
    "X",
    lambda: sparse_npz(indptr=np.array([0, 2, 1], np.int32)),
    "do not fit together",
    name="x.npz",
)
case(
    "N06g sparse, huge shape",
    "X",
    lambda: sparse_npz(shape=np.array([10**12, 10])),
    "1,000,000,000,000 rows",
    name="x.npz",
)
case("N06h sparse with NaN", "X", lambda: sparse_npz(data=np.full(60, np.nan)), "60 NaN", name="x.npz")
case("N08 complex", "X", lambda: npy(numbers() + 1j), "24 complex numbers", name="x.npy")
case(
    "N08b complex without imaginary part",
    "N",
    lambda: npy(numbers() + 0j),
    "real parts were kept",
    name="x.npy",
    shape=(6, 4),
)
case("N09 bool", "N", lambda: npy(numbers() > 3), "float64", name="x.npy", shape=(6, 4))
case("N09b uint8", "N", lambda: npy(noise(6, 4)), "float64", name="x.npy", shape=(6, 4))
case("N09c half", "N", lambda: npy(numbers().astype(np.float16)), "float64", name="x.npy", shape=(6, 4))
case("N09d long double", "N", lambda: npy(numbers().astype(np.longdouble)), "float64", name="x.npy", shape=(6, 4))
case("N09e big-endian", "R", lambda: npy(numbers().astype(">f8")), name="x.npy", shape=(6, 4))
case("N09f float32 stays", "R", lambda: npy(numbers().astype(np.float32)), name="x.npy", shape=(6, 4))
case("N09g texts", "X", lambda: npy(np.array([["a", "b"], ["c", "d"]])), "not numbers", name="x.npy")
case(
    "N09h records of arrays",
    "X",
    lambda: npy(np.zeros(3, dtype=[("a", float, 2), ("b", int)])),
    "records",
    name="x.npy",
)
case("N10 big integers", "N", lambda: npy(np.array([[2**60, 1], [2, 3]])), r"2\^53", name="x.npy", shape=(2, 2))
case(
    "N11 pictures",
    "N",
    lambda: npy(np.random.default_rng(0).random((10, 5, 5))),
    "10 pictures of 5 × 5",
    name="x.npy",
    kind="images",
    shape=(10, 25),
)
case("N11b cube", "A", lambda: npy(np.random.default_rng(0).random((9, 9, 50))), "9 × 9 × 50", name="x.npy")
case(
    "N11c cube chosen",
    "N",
    lambda: npy(np.random.default_rng(0).random((9, 9, 50))),
    "points",
    name="x.npy",
    choices={"dimensions": "cube"},
    kind="cube",
    shape=(81, 50),
)
case("N11d five dimensions", "X", lambda: npy(np.zeros((2, 2, 2, 2, 2))), "5 dimensions", name="x.npy")
case(
    "N11e colour pictures",
    "N",
    lambda: npy(np.random.default_rng(0).random((10, 5, 6, 3))),
    "10 pictures",
    name="x.npy",
    kind="images",
    shape=(10, 90),
)
case("N12 one dimension", "X", lambda: npy(np.arange(5.0)), "needs rows and columns", name="x.npy")
case("N12b no dimension", "X", lambda: npy(np.array(3.0)), "needs rows and columns", name="x.npy")
case("N13 no rows", "X", lambda: npy(np.zeros((0, 5))), "empty: shape 0 × 5", name="x.npy")
case("N15 Fortran order", "R", lambda: npy(np.asfortranarray(numbers())), name="x.npy", shape=(6, 4))
case("N16 npz cut off", "X", lambda: npz(X=numbers())[:-30], "damaged", name="x.npz")
case("N17 npz with junk", "X", lambda: zip_of({"X.npy": b"junk"}), "damaged", name="x.npz")
case("N18 npz without matrix", "X", lambda: npz(a=np.arange(3)), "No array", name="x.npz")
# ---------------------------------------------------------------- MatrixMarket
MM = "%%MatrixMarket matrix coordinate real general\n"
case("M00 mtx", "N", MM + "3 3 4\n1 1 1.5\n2 2 2\n3 3 3\n1 3 4\n", "sparse matrix: 3 × 3", name="x.mtx", shape=(3, 3))
case(
    "M00b gz",
    "N",
    lambda: gzip.compress((MM + "3 3 3\n1 1 1.5\n2 2 2\n3 3 3\n").encode()),
    "sparse",
    name="x.mtx.gz",
    shape=(3, 3),
)
case("M01 cut in a number", "X", cut_mtx, "cut off at line 3: 4 entries promised, 1 found", name="x.mtx")
case("M02 no rows", "X", "%%MatrixMarket matrix array real general\n0 5\n", "empty: 0 × 5", name="x.mtx")
case("M04 a billion a side", "X", MM + "1000000000 1000000000 1\n1 1 1\n", "1,000,000,000 rows", name="x.mtx")
case(
    "M05 a billion entries",
    "X",
    MM + "3 3 1000000000\n1 1 1\n",
    r"promises 1,000,000,000 entries \(1 lines found\)",
    name="x.mtx",
)
case(
    "M07 pattern",
    "N",
    "%%MatrixMarket matrix coordinate pattern general\n3 3 3\n1 1\n2 2\n3 3\n",
    "counts 1",
    name="x.mtx",
    shape=(3, 3),
)
case(
    "M07b symmetric",
    "N",
    "%%MatrixMarket matrix coordinate pattern symmetric\n3 3 2\n2 1\n3 2\n",
    "network",
    name="x.mtx",
    kind="network",
    shape=(3, 3),
)
case("M08 complex", "X", "%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1 1\n", "complex", name="x.mtx")
case("M09 index zero", "X", MM + "3 3 1\n0 1 1\n", "counting starts at 1", name="x.mtx")
case("M09b index too large", "X", MM + "3 3 2\n1 1 1\n1 4 1\n", r"column 4 lies outside.*line 4", name="x.mtx")
case(
    "M10 stored zeros",
    "N",
    MM + "3 3 4\n1 1 0\n2 2 2\n3 3 3\n1 2 1\n",
    "1 stored zero was removed",
    name="x.mtx",
    shape=(3, 3),
)
case("M11 word instead of a number", "X", MM + "3 3 2\n1 1 1\n2 x 1\n", "line 4", name="x.mtx")
case("M12 CR", "N", (MM + "3 3 3\n1 1 1.5\n2 2 2\n3 3 3\n").replace("\n", "\r"), "sparse", name="x.mtx", shape=(3, 3))
case("M13 wrong banner", "X", "%%MatrixMarket matrix fancy\n3 3 1\n1 1 1\n", "banner", name="x.mtx")
case("M14 dense", "R", "%%MatrixMarket matrix array real general\n2 2\n1\n2\n3\n4\n", name="x.mtx", shape=(2, 2))
case(
    "M14b dense, cut off",
    "X",
    "%%MatrixMarket matrix array real general\n2 2\n1\n2\n",
    "4 numbers promised, 2 found",
    name="x.mtx",
)
case("M15 more than promised", "X", MM + "3 3 1\n1 1 1\n2 2 2\n", "1 entries promised, 2 found", name="x.mtx")
case("M16 no entries", "X", MM + "3 3 0\n", "only zeros", name="x.mtx")
case("M17 sizes missing", "X", MM, "sizes", name="x.mtx")
# ---------------------------------------------------------------- pictures
case("I00 picture", "N", lambda: picture(noise(40, 50)), "grey values", name="x.png", shape=(40, 50))
case("I00b colour", "N", lambda: picture(noise(40, 50, 3)), "grey values", name="x.png", shape=(40, 50))
case(
    "I00c channels",
    "N",
    lambda: picture(noise(40, 50, 3)),
    "one row per pixel",
    choices={"picture_as": "channels"},
    name="x.png",
    kind="cube",
    shape=(2000, 3),
)
case(
    "I00d patches",
    "N",
    lambda: picture(noise(40, 50, 3)),
    "patch",
    choices={"picture_as": "patches"},
    name="x.png",
    kind="images",
    shape=(30, 64),
)
case("I01 900 MP", "X", lambda: _png_header(30_000, 30_000), "30000 x 30000 pixels; the limit is 25 MP", name="x.png")
case("I02 108 MP", "X", lambda: _png_header(12_000, 9000), "12000 x 9000", name="x.png")
case("I04 transparent", "N", lambda: picture(noise(40, 50, 4)), "on white", name="x.png", shape=(40, 50))
case("I05 16 bit", "N", lambda: picture(noise(9, 9).astype(np.uint16) * 200), "grey", name="x.png", shape=(9, 9))
case("I06 gif", "N", lambda: picture(noise(20, 20), "GIF"), "grey", name="x.gif", shape=(20, 20))
case("I06b bmp", "N", lambda: picture(noise(20, 20), "BMP"), "grey", name="x.bmp", shape=(20, 20))
case("I06c tiff", "N", lambda: picture(noise(20, 20), "TIFF"), "grey", name="x.tif", shape=(20, 20))
case("I06d webp", "N", lambda: picture(noise(20, 20, 3), "WEBP", lossless=True), "grey", name="x.webp", shape=(20, 20))
case("I06e pgm", "N", lambda: picture(noise(20, 20), "PPM"), "grey", name="x.pgm", shape=(20, 20))
case("I06f pages", "N", lambda: _pages(), "3 pictures", name="x.tif", kind="images", shape=(3, 400))
case("I07 truncated", "X", lambda: picture(noise(40, 50, 3))[:900], "damaged or cut off", name="x.png")
case("I07b wrong ending", "N", lambda: picture(noise(40, 50), "JPEG"), "grey", name="x.csv", shape=(40, 50))
case("I07c svg", "X", '<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG", name="x.svg")
case("I07d damaged jpeg", "X", b"\xff\xd8\xff\xe0" + b"\0" * 60, "damaged", name="x.jpg")
case("I07e text named png", "N", GOOD, "plain text", name="x.png", shape=(6, 4))
case("I08 one pixel", "X", lambda: picture(noise(1, 1)), "at least 2 × 2", name="x.png")
case("I08b black", "X", lambda: picture(np.zeros((9, 9), np.uint8)), "only zeros", name="x.png")
case(
    "I09 different sizes",
    "A",
    lambda: zip_of({f"{i}.png": picture(noise(20 + i, 30)) for i in range(3)}),
    "3 different sizes",
    name="x.zip",
)
case(
    "I09b resized",
    "N",
    lambda: zip_of({f"{i}.png": picture(noise(20 + i, 30)) for i in range(3)}),
    "3 pictures of 30 × 20",
    choices={"sizes": "smallest"},
    name="x.zip",
    kind="images",
    shape=(3, 600),
)
case(
    "I10 folders",
    "N",
    lambda: zip_of({f"f/s{i // 2}/{i}.png": picture(noise(20, 30, seed=i)) for i in range(4)}),
    "folders became labels",
    name="x.zip",
    kind="images",
    shape=(4, 600),
)
case(
    "I11 one damaged",
    "N",
    lambda: zip_of({"a.png": picture(noise(9, 9)), "b.png": picture(noise(9, 9)), "c.png": picture(noise(9, 9))[:60]}),
    "1 of 3 files could not",
    name="x.zip",
    shape=(2, 81),
)
case(
    "I12 colour kept",
    "N",
    lambda: zip_of({f"{i}.png": picture(noise(9, 9, 3, seed=i)) for i in range(3)}),
    "in colour",
    choices={"colour": "colour"},
    name="x.zip",
    shape=(3, 243),
)
# ---------------------------------------------------------------- sound
case("S00 wav", "N", lambda: wav(tone()), "short-time Fourier", name="x.wav", kind="audio")
case("S01 flac", "N", lambda: wav(tone(), form="FLAC"), "short-time Fourier", name="x.flac", kind="audio")
case(
    "S01b ogg", "N", lambda: wav(tone(), form="OGG", subtype="VORBIS"), "short-time Fourier", name="x.ogg", kind="audio"
)
case("S01c aiff", "N", lambda: wav(tone(), form="AIFF"), "short-time Fourier", name="x.aiff", kind="audio")
case("S02 no samples", "X", lambda: wav(np.zeros((0, 1))), "no samples", name="x.wav")
case("S03 too short", "X", lambda: wav(tone(0.01)), "at least", name="x.wav")
case("S04 stereo", "N", lambda: wav(np.stack([tone(), tone()], 1)), "2 channels", name="x.wav", kind="audio")
case(
    "S05 damaged", "X", b"RIFF\xff\xff\xff\x7fWAVEfmt \xff\xff\xff\xff" + b"\0" * 40, "damaged|no samples", name="x.wav"
)
case("S05b only a header", "X", b"RIFF\x24\0\0\0WAVE", "damaged|no samples", name="x.wav")
case("S06 mp3", "X", b"ID3\x03" + b"\0" * 500, "WAV", name="x.wav")
case("S06b mp3 without tag", "X", b"\xff\xfb\x90\x00" + b"\0" * 500, "WAV", name="x.wav")
case("S07 24 bit", "N", lambda: wav(tone(), subtype="PCM_24"), "24 bit", name="x.wav", kind="audio")
case("S07b float", "N", lambda: wav(tone(), subtype="FLOAT"), "float", name="x.wav", kind="audio")
case("S07c mu-law", "N", lambda: wav(tone(), subtype="ULAW"), "U-Law", name="x.wav", kind="audio")
case("S08 silence", "X", lambda: wav(np.zeros(8000)), "only zeros", name="x.wav")
case(
    "S08b two hours",
    "X",
    lambda: wav(np.zeros(3600 * 2 * 1000, np.int16), 1000, "FLAC"),
    "120.0 minutes",
    name="x.flac",
)
case(
    "S08c the beginning",
    "N",
    lambda: wav(np.tile(tone(1, 1000), 1000), 1000, "FLAC"),
    "first 60 seconds",
    choices={"clip": "clip"},
    name="x.flac",
    kind="audio",
)
case(
    "S09 NaN",
    "N",
    lambda: wav(np.where(np.arange(8000) == 5, np.nan, np.tile(tone(), 2)), subtype="FLOAT"),
    "no numbers",
    name="x.wav",
    kind="audio",
)
# ---------------------------------------------------------------- text
PROSE = (
    "The quick brown fox jumps over lazy dogs every day.\nAnother sentence, about cats, walks into bars.\n"
    "Cats and dogs rarely agree about foxes, or bars.\nThe lazy cat sleeps through every quick day.\n"
)
case("D00 lines", "N", PROSE, "4 documents, one per line", name="x.txt", kind="text")
case(
    "D00b paragraphs",
    "N",
    PROSE.replace("\n", "\n\n").replace("day.\n\n", "day.\n"),
    "paragraph|line",
    name="x.txt",
    kind="text",
)
case("D01 only stop words", "X", "the and of\nof the and with\nand a the of it\nthe of\n", "words", name="x.txt")
case("D01b no words", "X", "!!! ??? ...\n--- ***\n", "", name="x.txt")
case("D02 one document", "X", "Only one document here with several words in a row.\n", "one document", name="x.txt")
case(
    "D03 column of texts",
    "N",
    'text,g\n"the committee discussed a new budget for many schools",u\n"many trains were late again because of heavy snow",v\n"a new railway budget for trains was discussed today",u\n"schools stay closed today because of the heavy snow",v\n',
    "texts in text",
    kind="text",
)
case("D04 latin-1", "N", PROSE.replace("fox", "Füchse").encode("cp1252"), "Windows-1252", name="x.txt", kind="text")
case(
    "D05 zip of texts",
    "N",
    lambda: zip_of({f"{i}.txt": line for i, line in enumerate(PROSE.splitlines())}),
    "4 documents",
    name="x.zip",
    kind="text",
)
case("D06 binary", "X", lambda: PROSE.encode() + bytes(range(32)) * 9, "binary", name="x.txt")
# ---------------------------------------------------------------- networks
GRAPHML = '<?xml version="1.0"?><graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="undirected"><node id="a"/><node id="b"/><node id="c"/><edge source="a" target="b"/><edge source="b" target="c"/></graph></graphml>'
case("W00 graphml", "N", GRAPHML, "3 nodes and 2 links", name="x.graphml", kind="network", shape=(3, 3))
case("W00b cut off", "X", GRAPHML[:150], "damaged", name="x.graphml")
case(
    "W00c entities",
    "X",
    GRAPHML.replace("<graphml", '<!DOCTYPE g [<!ENTITY a "b">]><graphml', 1),
    "unsafe",
    name="x.graphml",
)
case("W00d no links", "X", GRAPHML.split("<edge")[0] + "</graph></graphml>", "no links", name="x.graphml")
case(
    "W01 gml",
    "N",
    'graph [ node [ id 1 label "a" ] node [ id 2 label "b" ] node [ id 3 label "c" ] edge [ source 1 target 2 ] edge [ source 2 target 3 ] ]',
    "3 nodes",
    name="x.gml",
    kind="network",
)
case("W01b damaged gml", "X", "graph [ node [ id 1 ] edge [ source 1", "damaged", name="x.gml")
case(
    "W02 edges with header",
    "N",
    "source,target,weight\na,b,2\nb,c,1\nc,a,3\n",
    "3 nodes and 3 weighted links",
    kind="network",
    shape=(3, 3),
)
case("W02b edges without header", "A", "a b\nb c\nc a\na d\n", "one line of this file", name="x.txt")
case("W02c SNAP", "A", "# nodes: 4\n1\t2\n2\t3\n3\t1\n1\t4\n", "one line of this file", name="x.txt")
case(
    "W02d directed both ways",
    "N",
    "source,target\na,b\nb,a\nb,c\nc,b\n",
    "both directions",
    kind="network",
    shape=(3, 3),
)
case(
    "W03 node-link",
    "N",
    json.dumps(
        {"nodes": [{"id": 1}, {"id": 2}, {"id": 3}], "links": [{"source": 1, "target": 2}, {"source": 2, "target": 3}]}
    ),
    "3 nodes",
    name="x.json",
    kind="network",
)
case(
    "W03b link without target",
    "X",
    json.dumps({"nodes": [{"id": 1}], "links": [{"source": 1}]}),
    "no target",
    name="x.json",
)
# ---------------------------------------------------------------- other files
case("O01 pdf", "X", b"%PDF-1.7 ...", "PDF", name="x.pdf")
case("O02 program", "X", b"\x7fELF" + b"\0" * 99, "program")
case("O03 rar", "X", b"Rar!\x1a\x07\x00", "RAR")
case("O04 7z", "X", b"7z\xbc\xaf\x27\x1c" + b"\0" * 20, "7z")
case("O05 matlab", "X", b"MATLAB 5.0 MAT-file" + b" " * 200, "MATLAB", name="x.mat")
case("O06 R", "X", lambda: gzip.compress(b"X\n\0\0\0\3"), "R file", name="x.rds")
case("O07 sqlite", "X", b"SQLite format 3\0" + b"\0" * 99, "SQLite")
case("O08 rtf", "X", b"{\\rtf1 hello}", "RTF")
case("O09 one byte", "X", b"7", "")
case("O10 hdf5 damaged", "X", b"\x89HDF\r\n\x1a\n" + b"\0" * 100, "damaged|h5py", name="x.h5ad")
case("O11 feather 1", "X", b"FEA1" + b"\0" * 40, "not read", name="x.feather")


def _encrypted(archive: bytes) -> bytes:
    """Set the flag that says the members are encrypted."""
    data = bytearray(archive)
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def _claiming(archive: bytes, size: int) -> bytes:
    """Write another unpacked size into the directory of an archive with one member."""
    data = bytearray(archive)
    at = data.rindex(b"PK\x01\x02") + 24
    data[at : at + 4] = struct.pack("<I", size)
    return bytes(data)


def _lying(archive: bytes) -> bytes:
    """Change a byte within the packed data, so that the checksum fails."""
    data = bytearray(archive)
    data[60] ^= 0xFF
    return bytes(data)


def _with_member(archive: bytes, name: str) -> bytes:
    buffer = io.BytesIO(archive)
    with zipfile.ZipFile(buffer, "a") as more:
        more.writestr(name, "x")
    return buffer.getvalue()


def _rle_parquet() -> bytes:
    """Return twenty million equal rows, which take a few kilobytes in Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    part = pa.table({"a": np.ones(1_000_000), "b": np.ones(1_000_000) * 2})
    with pq.ParquetWriter(buffer, part.schema, compression="zstd") as writer:
        for _ in range(20):
            writer.write_table(part)
    return buffer.getvalue()


def _typed_parquet() -> bytes:
    import decimal

    import pyarrow as pa

    return parquet(
        pa.table(
            {
                "a": pa.array([decimal.Decimal(f"{i}.25") for i in range(4)], pa.decimal128(9, 2)),
                "b": pa.array([1, 2, 3, 4], pa.uint64()),
                "c": pa.array(np.arange(1, 5, dtype=np.float16)),
                "g": pa.array(["u", "u", "v", "v"]).dictionary_encode(),
            }
        )
    )


def _png_header(width: int, height: int) -> bytes:
    """Return a PNG that claims a size and holds hardly anything."""
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")


def _pages() -> bytes:
    from PIL import Image

    pages = [Image.fromarray(noise(20, 20, seed=i)) for i in range(3)]
    return saved(lambda file: pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:]))
