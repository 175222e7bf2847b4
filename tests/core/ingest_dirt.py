"""Files as people leave them: units under names, totals, limits of detection, markers, crosses, alphabets, odd encodings.

Same letters as in `ingest_corpus`; each of these was read wrongly, or refused, before somebody dropped it.
"""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
from PIL import Image

from tests.core.ingest_corpus import Corpus, noise, npy, saved
from tests.core.ingest_programs import drawn, hdf5, sheet

CASES = Corpus()
case = CASES.add

# text tables ----------------------------------------------------------------------------------------------------------
NAMED = "Name\tÄpfel\tBirnen\n" + "".join(f"Müller {i}\t{i},5\t{i + 1},25\n" for i in range(5))
case("RT01 blanks and numbers in names between tabs", "N", NAMED.encode("utf-16"), "by a tab", name="x.txt",
     rows=("Müller 0", "Müller 1"), cols=("Äpfel", "Birnen"), first=(0.5, 1.25))  # fmt: skip
case("RT02 names over lines of their own", "N", '"Sample\nname","Conc.\n(mg/l)","Temp\n(C)"\nA,1.5,2\nB,2.5,3\nC,3.5,4\n',
     "Line ends within 3 column names became blanks", cols=("Conc. (mg/l)", "Temp (C)"), rows=("A", "B", "C"), first=(1.5, 2))  # fmt: skip
case(
    "RT02b the line of an error is counted in the file",
    "X",
    '"Sample\nname","Conc.\n(mg/l)","Temp\n(C)"\nA,1.5,2\nB,1,2\nD,1,2,3\n',
    "Line 7 has 4 cells",
)
case(
    "RT02c inches",
    "N",
    'pipe,len,cost\n5" pipe,2,3\n6" pipe,3,4\n7" pipe,1,2\n',
    "pipe names the rows",
    rows=('5" pipe', '6" pipe'),
    first=(2, 3),
)
case("RT03 two blanks between columns, one within names", "N",
     "Country        GDP   Pop\nGermany        3800    83\nUnited States  21000  330\nNew Zealand    210     5\n", "two or more blanks",
     rows=("Germany", "United States"), cols=("GDP", "Pop"), first=(3800, 83))  # fmt: skip
DATES = "Date,AAPL,MSFT\n2023-01-03,125.07,239.58\n2023-01-04,126.36,229.10\n2023-01-05,125.02,222.31\n"
case("RT04 dates first", "A", DATES, "name the rows by Date", rows=("2023-01-03", "2023-01-04"), first=(125.07, 239.58))
case(
    "RT04b dates taken as names",
    "N",
    DATES,
    "taken as names of the rows: Date",
    choices={"dates": "rows"},
    rows=("2023-01-03",),
    shape=(3, 2),
)
case(
    "RT04c dates that come twice name nothing",
    "A",
    DATES.replace("04,126", "03,126"),
    r"^What about dates \(Date\)\? \['leave them out",
    rows=("r1", "r2"),
)
SUMS = "Region,Q1,Q2,Q3,Total\nNorth,10,20,30,60\nSouth,12,22,33,67\nEast,9,17,25,51\nWest,3,21,37,61\nTotal,34,80,125,239\n"
case(
    "RT05 totals below and beside",
    "N",
    SUMS,
    "last row, Total.*\n.*column Total adds up the others",
    shape=(4, 3),
    first=(10, 20, 30),
)
case("RT05b column of totals kept", "N", SUMS, "last row", choices={"total_column": "keep"}, shape=(4, 4))
case(
    "RT05c a column that is only called total",
    "N",
    SUMS.replace("60\n", "70\n").replace("67\n", "1\n"),
    "names the rows",
    shape=(5, 4),
)
LIMIT = "id,a,b\nx,<0.5,2.5\ny,2.5,<0.1\nz,1.5,2.0\nw,3,4\n"
case("RT06 below the limit of detection", "A", LIMIT, "take half the limit: <0.5 becomes 0.25", first=(0.25, 2.5))
case(
    "RT06b half of the limit",
    "N",
    LIMIT,
    "got half of the limit: <0.5 in row 1 of a",
    choices={"bad_cells": "half"},
    first=(0.25, 2.5),
    shape=(4, 2),
)
case(
    "RT06c the limit",
    "N",
    LIMIT.replace("<0.1", "> 10"),
    "got the limit",
    choices={"bad_cells": "bound"},
    first=(0.5, 2.5),
    shape=(4, 2),
)
case(
    "RT06e most cells below the limit",
    "A",
    "id,a,b\nx,<0.5,2.5\ny,<0.5,1\nz,1.5,2.0\nw,<0.5,4\n",
    "3 cells are no number: <0.5",
    first=(0.25, 2.5),
)
case(
    "RT06d one cell is no limit",
    "A",
    LIMIT.replace("<0.1", "bad"),
    r"^2 cells are no number.*\['treat them as missing'",
)
case(
    "RT07 uncertainties",
    "N",
    "id,a,b\nx,1.5±0.1,2.5 ± 0.2\ny,2.5±0.1,3.5±0.2\nz,1.5+/-0.3,2.0±0.2\n",
    "after ± was left out in: a, b",
    first=(1.5, 2.5),
)
case(
    "RT08 crosses",
    "N",
    "id,a,b\nx,X,\ny,,X\nz,X,X\n",
    "cross was read as 1 and a blank cell as 0 in: a, b",
    first=(1, 0),
    shape=(3, 2),
)
case(
    "RT08b yes, no and nothing",
    "A",
    "id,a,b\nx,yes,1\ny,,2\nz,no,3\n",
    "1 cell is missing.*it lies in 1 row and 1 column",
)
case("RT09 lakhs", "N", 'City,Sales,Cost\nPune,"1,23,456","2,22,333"\nDelhi,"12,34,567","99,999"\nGoa,"45,678","12,345"\n', "1,23,456 was read as 123456",
     first=(123456, 222333))  # fmt: skip
MARKED = "id,a,b,c\nx,1,-999,3\ny,2,3,4\nz,1,2,-999\nw,1,1,1\n"
case("RT10 a marker of missing values", "A", MARKED, "2 cells are missing", first=(1,))
case(
    "RT10b taken as missing", "N", MARKED, "2 cells hold -999, as files mark", choices={"missing": "keep"}, shape=(4, 3)
)
case("RT10c a number after all", "A", MARKED, "2 cells are negative", choices={"marker": "value"}, first=(1, -999, 3))
case(
    "RT10d other negative numbers beside it",
    "A",
    MARKED.replace("2,3,4", "2,-3,4"),
    "3 cells are negative",
    first=(1, -999, 3),
)
case("RT11 edges with times", "N", "source,target,timestamp\n1,2,1586900000\n2,3,1586900100\n3,1,1586900200\n1,4,1586900300\n",
     "from source, target; the other columns were left out", kind="network", first=(0, 1, 1, 1))  # fmt: skip
case(
    "RT11b names above in a comment",
    "N",
    "# FromNodeId\tToNodeId\n0\t1\n0\t2\n1\t2\n3\t0\n3\t1\n",
    "link of a network",
    name="x.txt",
    kind="network",
    shape=(4, 4),
)

case(
    "RT12 a counter without a name",
    "N",
    "".join(f"{i},{i * i + 1},{7 - i % 5}\n" for i in range(1, 9)),
    "c1 names the rows",
    rows=("1", "2"),
    shape=(8, 2),
    first=(2, 6),
)
case(
    "RT12b numbers that do not count",
    "N",
    "".join(f"{2 * i},{i * i + 1},{7 - i % 5}\n" for i in range(1, 9)),
    "No header",
    shape=(8, 3),
)
case(
    "RT13 milliseconds",
    "N",
    "t_ms,ch1,ch2\n" + "".join(f"{1700000000000 + 10 * i},{i % 7},{i % 5}\n" for i in range(9)),
    "t_ms names the rows",
    shape=(9, 2),
)
case(
    "RT13b t1, t2, t3 are measurements",
    "R",
    "t1,t2,t3\n" + "".join(f"{i + 1},{i * i % 5},{i % 3}\n" for i in range(9)),
    shape=(9, 3),
)

QPCR = "Well,Sample,Target,Ct\n" + "".join(
    f"A{i},s{i // 2},{('ACTB', 'GAPDH')[i % 2]},{20 + i / 4}\n" for i in range(6)
)
case(
    "RT14 one number for each pair of names",
    "A",
    QPCR,
    "What is one line.*long table: 3 rows × 2 columns",
    rows=("s0", "s1"),
    cols=("ACTB", "GAPDH"),
    first=(20, 20.25),
)
case("RT14b an ordinary table after all", "X", QPCR, "1 column of numbers", choices={"layout": "table"})
case(
    "RT15 names again among the rows",
    "N",
    "a,b,c\n1,2,3\n4,5,6\na,b,c\n7,8,9\n1,1,1\n",
    "1 row that holds the names again left out",
    shape=(4, 3),
    first=(1, 2, 3),
)
case(
    "RT16 total on top",
    "N",
    "name,a,b,c\nTotal,9,12,15\nx,1,2,3\ny,3,4,5\nz,5,6,7\n",
    "first row, Total, sums up",
    shape=(3, 3),
    rows=("x", "y"),
    first=(1, 2, 3),
)
case(
    "RT17 quotation marks of databases",
    "N",
    "'id','a','b'\n'x','1.5','2'\n'y','2.5','3'\n'z','3.5','1'\n",
    "Apostrophes around numbers",
    cols=("a", "b"),
    rows=("x", "y"),
    first=(1.5, 2),
)
case(
    "RT17b numbers marked as text",
    "N",
    "id,a,b\nx,'12,'3\ny,'14,'5\nz,'1,'2\n",
    "Apostrophes around numbers were taken off in: a, b",
    first=(12, 3),
)
HEIGHTS = "ncols 4\nnrows 3\nxllcorner 0.0\nyllcorner 0.0\ncellsize 50\nNODATA_value -9999\n-9999 2 3 4\n5 6 7 8\n9 10 11 12\n"
case("RT18 grid of heights", "A", HEIGHTS, "1 cell is missing", name="x.asc", cols=("c1", "c2", "c3", "c4"))
case("RT18b taken", "N", HEIGHTS, "6 lines before the table", name="x.asc", choices={"missing": "keep"}, shape=(3, 4))
BAG = "3\n5\n6\n1 1 2\n1 3 1\n2 2 4\n2 5 1\n3 1 1\n3 4 2\n"
case(
    "RT19 bag of words",
    "N",
    BAG,
    "first three lines hold sizes",
    name="docword.txt",
    shape=(3, 5),
    first=(2, 0, 1, 0, 0),
    rows=("1", "2"),
)
case(
    "RT20 strands are no crosses",
    "N",
    "chr1\t100\t200\tgene1\t5\t+\nchr1\t300\t400\tgene2\t7\t-\nchr2\t100\t250\tgene3\t2\t+\n",
    "c4 names the rows",
    shape=(3, 3),
)
for letter, what, data in (
    ("", "variants", "##fileformat=VCFv4.2\n#CHROM\tPOS\n1\t100\n"), ("b", "sequences", ">s1 human\nACGTACGT\n>s2 mouse\nACGTTCGT\n"),
    ("c", "JCAMP", "##TITLE=Coffee\n##XYDATA=(X++(Y..Y))\n4000 1 2\n"), ("d", "NetCDF", b"CDF\x01" + b"\0" * 99), ("e", "FITS", b"SIMPLE  =                    T" + b" " * 99),
    ("f", "DICOM", b"\0" * 128 + b"DICM" + b"\2\0" * 40), ("g", "Stata", b"<stata_dta><header>" + b"\0" * 99),
):  # fmt: skip
    case(f"RX01{letter} {what}", "X", data, f"{what}.*(CSV|csv|numpy|PNG)")

# texts ----------------------------------------------------------------------------------------------------------------
case(
    "RD01 short lines",
    "N",
    "good film\nbad film\ngreat cast\nbad plot\ngood plot great film\n",
    "5 documents, one per line",
    name="x.txt",
    kind="text",
    shape=(5, 6),
)
EVEN = "good film\nbad film\ngreat cast\nbad plot\n"
case("RD01b as many words in each line", "X", EVEN, "No numeric column", name="x.txt")
case(
    "RD01c taken as a text",
    "N",
    EVEN,
    "4 documents, one per line",
    name="x.txt",
    choices={"text_or_table": "text"},
    kind="text",
)
case("RD02 a column of short texts", "A", "id,title\n1,good film\n2,bad film\n3,great cast\n4,bad plot\n5,great film\n", "No column holds numbers.*texts in title",
     rows=("1", "2"), cols=("bad", "cast"))  # fmt: skip
case(
    "RD02b nothing of it",
    "X",
    "id,title\n1,good film\n2,bad film\n3,great cast\n",
    "No numeric column",
    choices={"text_column": ""},
)
case("RD03 one column beside the texts names them", "N", 'id,tweet\n11,"Love this phone, the camera is great"\n22,"Battery died again after one day"\n33,"The camera and battery are great"\n',
     "id names the rows", rows=("11", "22", "33"), kind="text")  # fmt: skip
CHINESE = "我喜欢在河边散步和读书\n猫每天在河边睡觉\n河水很安静读书很好\n今天天气很好我在河边\n"
case(
    "RD04 no blanks between words",
    "N",
    CHINESE,
    "two neighbouring characters count as a word",
    name="x.txt",
    kind="text",
)
RUSSIAN = (
    "Быстрая коричневая лиса прыгает через ленивую собаку\nСобака спит у реки каждый день\nЛиса и собака живут у реки\n"
)
GREEK = "Το γρήγορο καφέ ποτάμι κυλά ήσυχα στη θάλασσα.\nΗ γάτα κοιμάται κάθε μέρα κοντά στο ποτάμι.\nΗ θάλασσα είναι ήσυχη και το ποτάμι γρήγορο.\n"
JAPANESE = "私は川のそばで本を読むのが好きです\n猫は毎日川のそばで眠ります\n川はとても静かです\n"
KOREAN = "나는 강가에서 책을 읽는 것을 좋아한다\n고양이는 매일 강가에서 잔다\n강은 아주 조용하다\n"
for letter, text, encoding in (
    ("", RUSSIAN, "cp1251"), ("b", RUSSIAN, "koi8-r"), ("c", GREEK, "cp1253"),
    ("d", JAPANESE, "cp932"), ("e", CHINESE, "gb18030"), ("f", KOREAN, "euc-kr"),
):  # fmt: skip
    case(
        f"RD05{letter} {encoding} is asked about",
        "A",
        text.encode(encoding),
        f"Which encoding.*{text[:3]}",
        name="x.txt",
    )
    case(
        f"RD05{letter} {encoding} taken",
        "N",
        text.encode(encoding),
        "was decoded as",
        name="x.txt",
        choices={"encoding": encoding},
        kind="text",
    )
case("RD06 Cyrillic table", "A", "Город;Население;Площадь\nМосква;12,5;2561\nКазань;1,2;614\nСочи;0,4;176\n".encode("cp1251"), "Windows-1251.*Город",
     rows=("Москва",), cols=("Население",), first=(12.5, 2561))  # fmt: skip
case(
    "RD06b Western text is no question",
    "N",
    "Le garçon été déçu par la forêt\nLa fenêtre était fermée à clé\nUn élève sage\n".encode("cp1252"),
    "Western Europe.*clé",
    name="x.txt",
)

case(
    "RD06c signs are no letters",
    "N",
    ("T °;x €\n" + "".join(f"{i},5 °;{i + 1},25 €\n" for i in range(9))).encode("cp1252"),
    "Western Europe",
    shape=(9, 2),
    first=(0.5, 1.25),
)
case("RD06d single accents", "N", "n;a;b\né;1;2\nà;3;4\nù;5;6\n".encode("cp1252"), "Western Europe", rows=("é", "à"))

# workbooks ------------------------------------------------------------------------------------------------------------


def unsolved(buffer: io.BytesIO) -> None:
    """Write a workbook with formulas that nobody has worked out yet."""
    book = openpyxl.Workbook()
    book.active.append(["n", "a", "b", "sum"])
    for i in range(2, 6):
        book.active.append([f"n{i}", i, 2 * i, f"=B{i}+C{i}"])
    book.save(buffer)


case(
    "RE01 formulas without results",
    "N",
    lambda: saved(unsolved),
    "4 formulas have no stored result.*save it there",
    name="x.xlsx",
    shape=(4, 2),
)
WATER: list[list[Any]] = [
    ["Water quality 2023"],
    [],
    ["Station", "Nutrients", None, "Metals", None],
    [None, "NO3", "PO4", "Zn", "Cu"],
    [None, "mg/l", "mg/l", "µg/l", "µg/l"],
]
WATER += [[f"St {i}", i + 1, 2 * i + 1, 3 * i + 1, i + 0.5] for i in range(8)]
WATER += [["Total", 36, 64, 92, 32], [], ["* values below the limit were set to half of it"]]
case("RE02 three rows of names, total and remark", "N", lambda: sheet(WATER, ("B3:C3", "D3:E3")), "3 rows and were joined.*\n.*2 rows above.*\n.*1 line below.*\n.*Total",
     name="x.xlsx", shape=(8, 4), cols=("Nutrients NO3 mg/l", "Nutrients PO4 mg/l", "Metals Zn µg/l"), rows=("St 0",), first=(1, 1, 1, 0.5))  # fmt: skip

# frames ---------------------------------------------------------------------------------------------------------------
LEVELS = pd.MultiIndex.from_tuples([("u", 1), ("u", 2), ("v", 1), ("v", 2)], names=["g", "k"])
FRAME = pd.DataFrame(np.arange(8.0).reshape(4, 2) + 1, columns=["a", "b"], index=LEVELS)
case(
    "RP01 index of two levels",
    "N",
    lambda: saved(FRAME.to_parquet),
    "names the rows.*\n.*labels: g",
    name="x.parquet",
    rows=("u, 1", "u, 2"),
    labels=("g",),
    shape=(4, 2),
)
case(
    "RP01b levels without names",
    "N",
    lambda: saved(FRAME.rename_axis([None, None]).to_parquet),
    "names the rows",
    name="x.parquet",
    rows=("u, 1",),
    shape=(4, 2),
)
case(
    "RP01e long numbers in an index of two levels",
    "N",
    lambda: saved(
        FRAME.set_index(pd.MultiIndex.from_product([["u"], [1234567, 1234568, 1234569, 1234570]])).to_parquet
    ),
    "names the rows",
    name="x.parquet",
    rows=("u, 1234567", "u, 1234568"),
    shape=(4, 2),
)
case("RP01c numbers as index", "N", lambda: saved(FRAME.set_index(pd.Index([30, 10, 44, 7], name="cell")).to_parquet), "names the rows", name="x.parquet",
     rows=("30", "10"), shape=(4, 2), first=(1, 2))  # fmt: skip
case("RP01d dates as index", "A", lambda: saved(FRAME.set_index(pd.date_range("2020-01-01", periods=4, name="day")).to_parquet), "name the rows by day", name="x.parquet",
     rows=("2020-01-01",), first=(1, 2))  # fmt: skip

# arrays ---------------------------------------------------------------------------------------------------------------
case(
    "RN01 one picture too deep",
    "N",
    lambda: npy(np.arange(600.0).reshape(1, 20, 30)),
    "1 × 20 × 30 became 20 × 30",
    name="x.npy",
    shape=(20, 30),
)
case("RN01b channel of its own", "A", lambda: npy(np.arange(3000.0).reshape(5, 20, 30, 1)), "20 × 30", name="x.npy")
case(
    "RN02 numbers as texts",
    "N",
    lambda: npy(np.array([["n", "x", "y"], ["a", "1.5", "2"], ["b", "3", "4"]])),
    "n names the rows",
    name="x.npy",
    first=(1.5, 2),
    rows=("a", "b"),
)
case(
    "RN03 marker in an array",
    "A",
    lambda: npy(np.where(np.arange(40).reshape(8, 5) % 7 == 0, -9999.0, 1.5)),
    "6 cells are missing",
    name="x.npy",
)
case(
    "RM01 banner in capitals",
    "N",
    "%%MATRIXMARKET MATRIX COORDINATE REAL GENERAL\n3 3 3\n1 1 1.0\n2 2 2\n3 3 3\n",
    "sparse matrix: 3 × 3",
    name="x.mtx",
    first=(1, 0, 0),
)
case(
    "RM01b after a byte order mark",
    "N",
    "\ufeff%%MatrixMarket matrix coordinate real general\n3 3 3\n1 1 1.0\n2 2 2\n3 3 3\n",
    "sparse matrix: 3 × 3",
    name="x.mtx",
)


def tarred(mode: str, members: dict[str, str]) -> bytes:
    """Return a .tar, packed or not, with a folder and a link beside the files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        folder, link = tarfile.TarInfo("d"), tarfile.TarInfo("d/link")
        folder.type, link.type, link.linkname = tarfile.DIRTYPE, tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(folder)
        archive.addfile(link)
        for name, text in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return buffer.getvalue()


for letter, mode, name in (
    ("", "w", "x.tar"),
    ("b", "w:gz", "x.tgz"),
    ("c", "w:bz2", "x.tar.bz2"),
    ("d", "w:xz", "x.tar.xz"),
):
    case(
        f"RZ01{letter} {name}",
        "R",
        lambda mode=mode: tarred(mode, {"d/data.csv": "a,b\n1,2\n3,4\n"}),
        name=name,
        first=(1, 2),
        shape=(2, 2),
    )
case(
    "RZ01e two files",
    "A",
    lambda: tarred("w:gz", {"d/one.csv": "a,b\n1,2\n3,4\n", "../two.csv": "a,b\n1,2\n3,4\n"}),
    "Which file.*two.csv",
    name="x.tgz",
)
case(
    "RZ01f cut off",
    "X",
    lambda: tarred("w", {"d/data.csv": "a,b\n1,2\n" * 900})[:4000],
    "damaged or cut off",
    name="x.tar",
)
OTUS = {
    "id": None,
    "format": "1.0.0",
    "type": "OTU table",
    "rows": [{"id": f"O{i}"} for i in range(3)],
    "columns": [{"id": "S1"}, {"id": "S2"}],
    "shape": [3, 2],
}
case("RJ01 BIOM", "N", json.dumps({**OTUS, "matrix_type": "sparse", "data": [[0, 0, 5], [1, 1, 3], [2, 0, 1], [2, 1, 4]]}), "2 samples × 3 observations", name="x.biom",
     rows=("S1", "S2"), cols=("O0", "O1", "O2"), first=(5, 0, 1), kind="counts")  # fmt: skip
case(
    "RJ01b dense",
    "N",
    json.dumps({**OTUS, "matrix_type": "dense", "data": [[5, 0], [0, 3], [1, 4]]}),
    "2 samples",
    name="x.biom",
    first=(5, 0, 1),
)
case(
    "RJ01c damaged",
    "X",
    json.dumps({**OTUS, "matrix_type": "sparse", "data": [[0, 7, 5]]}),
    "parts do not fit",
    name="x.biom",
)
GEXF = '<?xml version="1.0"?><gexf xmlns="http://gexf.net/1.3" version="1.3"><graph defaultedgetype="undirected"><nodes><node id="0" label="A"/><node id="1" label="B"/><node id="2" label="C"/></nodes><edges><edge id="0" source="0" target="1" weight="2.5"/><edge id="1" source="1" target="2" weight="1"/></edges></graph></gexf>'
case(
    "RG01 GEXF",
    "N",
    GEXF,
    "3 nodes and 2 weighted links",
    name="x.gexf",
    kind="network",
    rows=("A", "B", "C"),
    first=(0, 2.5, 0),
)
case("RG01b cut off", "X", GEXF[:200], "GEXF file is damaged", name="x.gexf")
case("RG01c entities", "X", GEXF.replace("<gexf", '<!DOCTYPE g [<!ENTITY a "b">]><gexf', 1), "unsafe", name="x.gexf")


def two_sets(file: Any) -> None:
    """Write a small array before a large one, as alphabets will."""
    file["test/x"], file["train/x"] = np.ones((7, 5)), np.full((20, 5), 2.0)


case("RH01 the larger array is meant", "A", lambda: hdf5(two_sets), "train/x: 20 × 5", name="x.h5", first=(2, 2))
case("RI01 more than 16 bits", "N", lambda: drawn(Image.fromarray(noise(20, 30).astype(np.int32) * 1000), "TIFF"), "30 × 20", name="x.tif",
     first=tuple(noise(20, 30)[0, :4] / noise(20, 30).max()))  # fmt: skip
