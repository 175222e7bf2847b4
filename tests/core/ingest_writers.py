"""Files of real writers in ways that are legal and unusual: instruments, pivot tables, East Asian spreadsheets, old Parquet."""

from __future__ import annotations

import io

import networkx as nx
import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.sparse as sp
import soundfile

from tests.core.ingest_corpus import Corpus, noise, npz, numbers, picture, saved, zip_of

CASES = Corpus()
case = CASES.add

X = numbers(8, 4)
FIRST = tuple(X[0])
LINES = "".join(f"{chr(65 + i)},{','.join(f'{v:.2f}' for v in row)}\n" for i, row in enumerate(X))

# What instruments tell above a table, narrower than it is.
case(
    "WR01 plate reader", "N", f"User: anna,Path: C:\\Data,Test: 12\nTest name: ELISA,,\n\n,1,2,3,4\n{LINES}", "3 lines before the table",
    shape=(8, 4), first=FIRST, rows=("A", "B"), cols=("1", "2", "3", "4"),
)  # fmt: skip
case(
    "WR01b key and value", "N", f"Instrument,UV-2600\nOperator,Max\nDate,2024-03-01\nwell,F1,F2,F3,F4\n{LINES}", "3 lines before the table",
    shape=(8, 4), first=FIRST, rows=("A", "B"), cols=("F1", "F2", "F3", "F4"),
)  # fmt: skip
case(
    "WR01c few names are no preface", "N", "id,values\n" + LINES, "first column|column id", shape=(8, 4), first=FIRST, rows=("A", "B"), cols=("values",),
)  # fmt: skip

# Sums of money: the example in the note is the number, whatever stands around it.
case(
    "WR02 euro behind", "N", "Laden;Jan;Feb\n" + "".join(f"L{i};1.{200 + i},50 €;{i + 3},25 €\n" for i in range(5)),
    r"1\.200,50 was read as 1200\.50", shape=(5, 2), first=(1200.5, 3.25), rows=("L0",),
)  # fmt: skip

# East Asian spreadsheets: characters alone tell the encoding, also where a table holds few of them.
case(
    "WR03 Shift JIS without kana", "A", ("名前,身長,体重\n" + "".join(f"人{i},{150 + i}.5,{50 + i}.25\n" for i in range(6))).encode("cp932"), "身長",
    shape=(6, 2), first=(150.5, 50.25), rows=("人0",), cols=("身長", "体重"),
)  # fmt: skip
case(
    "WR03b GB 18030", "A", ("城市,人口,面积\n" + "".join(f"北京{i},{150 + i}.5,{50 + i}.25\n" for i in range(6))).encode("gb18030"), "人口",
    shape=(6, 2), first=(150.5, 50.25), rows=("北京0",), cols=("人口", "面积"),
)  # fmt: skip
case(
    "WR03c EUC-KR", "A", ("이름,인구,면적\n" + "".join(f"서울{i},{150 + i}.5,{50 + i}.25\n" for i in range(6))).encode("euc-kr"), "인구",
    shape=(6, 2), first=(150.5, 50.25), rows=("서울0",), cols=("인구", "면적"),
)  # fmt: skip
case(
    "WR03d Western accents stay Western", "N", ("Größe,Süße,Façon\n" + "".join(f"{i},{i + 2},{i}.5\n" for i in range(6))).encode("cp1252"),
    "Windows-1252", shape=(6, 3), cols=("Größe", "Süße", "Façon"),
)  # fmt: skip

# Pivot tables of pandas: several levels on both sides, the names of the levels on a line of their own.
PIVOT = pd.DataFrame(
    X,
    index=pd.MultiIndex.from_product([["A", "B"], [1, 2, 3, 4]], names=["group", "plot"]),
    columns=pd.MultiIndex.from_product([["x", "y"], ["u", "v"]]),
)
case(
    "WR04 pivot table", "N", lambda: PIVOT.to_csv().encode(), "3 lines and were joined", shape=(8, 5), first=(1.0, *FIRST),
    cols=("plot", "x u", "x v", "y u", "y v"), labels=("group",),
)  # fmt: skip
case(
    "WR04b pivot table in a workbook", "N", lambda: saved(PIVOT.to_excel), "6 blank cells in group", name="x.xlsx", shape=(8, 5), first=(1.0, *FIRST),
    cols=("plot", "x u"), labels=("group",),
)  # fmt: skip

# Parquet of writers that know bytes and no text.
case(
    "WR05 names as bytes", "N",
    lambda: saved(lambda f: pq.write_table(pa.table({"id": pa.array([b"p1", b"p2", b"p3"]), "a": [1.5, 2, 3], "b": [1, 2, 3.5]}), f)),
    "The column id names the rows", name="x.parquet", shape=(3, 2), rows=("p1", "p2"), first=(1.5, 1.0),
)  # fmt: skip
case(
    "WR05b bytes that are no text", "N",
    lambda: saved(lambda f: pq.write_table(pa.table({"id": pa.array([b"\xff1", b"\xfe2", b"\xfd3"]), "a": [1.5, 2, 3], "b": [1, 2, 3.5]}), f)),
    "The column id of type binary was left out", name="x.parquet", shape=(3, 2), first=(1.5, 1.0),
)  # fmt: skip

# Sparse matrices that name a cell twice: SciPy adds up, and so does the reading, which says so.
TWICE = sp.csr_array((np.array([1.0, 2.5, 3.0, 4.0]), np.array([1, 1, 0, 2]), np.array([0, 2, 3, 4])), shape=(3, 3))
COO = sp.coo_array((TWICE.data, (np.array([0, 0, 1, 2]), TWICE.indices)), shape=(3, 3))
for number, matrix in enumerate((TWICE, COO)):
    case(
        f"WR06 cells given twice {number}", "N", lambda matrix=matrix: saved(lambda f: sp.save_npz(f, matrix)), "1 entry was given for a cell that has one",
        name="x.npz", shape=(3, 3), first=(0.0, 3.5, 0.0),
    )  # fmt: skip
case(
    "WR06b cells given twice, MatrixMarket", "N", "%%MatrixMarket matrix coordinate real general\n3 3 4\n1 2 1\n1 2 2.5\n2 1 3\n3 3 4\n",
    "1 entry was given for a cell that has one", name="x.mtx", shape=(3, 3), first=(0.0, 3.5, 0.0),
)  # fmt: skip


def workbook(rows: list[list[object]]) -> bytes:
    """Return one sheet."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


case(
    "WR07 blank labels are no merged cells", "N",
    lambda: workbook([["note", "plot", "a", "b"], *([["ok" if i in (0, 5, 6) else None, i, i + 0.5, i + 1.25] for i in range(8)])]),
    "labels|empty", name="x.xlsx", shape=(8, 3), first=(0.0, 0.5, 1.25),
)  # fmt: skip


def graph(**weights: str) -> bytes:
    """Return a path of four nodes as GraphML, with attributes of its links."""
    path = nx.path_graph(["a", "b", "c", "d"])
    for name, texts in weights.items():
        for (i, j), text in zip(list(path.edges), texts.split(), strict=True):
            path.edges[i, j][name] = text if name == "weight" else float(text)
    return saved(lambda f: nx.write_graphml(path, f))


case(
    "WR08 weights written as text", "N", lambda: graph(weight="3 2.5 1"), "3 weighted links", name="x.graphml", shape=(4, 4),
    first=(0.0, 3.0, 0.0, 0.0), kind="network",
)  # fmt: skip
case(
    "WR08b a number that is no weight", "N", lambda: graph(capacity="3 2 1"), r"Every link counts 1: none has a weight\. Not used: capacity",
    name="x.graphml", shape=(4, 4), first=(0.0, 1.0, 0.0, 0.0),
)  # fmt: skip
case(
    "WR08c names of two ends", "A", "alice bob\nbob carol\ncarol alice\ndave alice\n", "links of a network with 4 nodes", name="x.txt",
    shape=(4, 4), first=(0.0, 1.0, 1.0, 1.0), kind="network",
)  # fmt: skip
case(
    "WR09 BigTIFF", "N", lambda: picture(noise(12, 10), "TIFF", big_tiff=True), "10 × 12 pixels", name="x.tif", shape=(12, 10),
    first=tuple(noise(12, 10)[0] / 255.0),
)  # fmt: skip
case(
    "WR09b pictures of as many sizes, resized", "N", lambda: zip_of({f"p{i}.png": picture(noise(12 + i, 10)) for i in range(3)}),
    r"Pictures of 3 sizes were resized to 10 × 12 pixels", name="x.zip", shape=(3, 120), kind="images", rows=("p0", "p1", "p2"), choices={"sizes": "smallest"},
)  # fmt: skip
case(
    "WR10 one sample",
    "X",
    lambda: saved(lambda f: soundfile.write(f, np.ones(1), 8000, format="WAV")),
    "is 1 sample long",
    name="x.wav",
)

# Codes with zeros in front are names or labels; a table of nothing else is one of numbers.
case(
    "WR11 postcodes", "N", "plz,a,b\n01067,1.5,2\n01069,3,4\n11097,5,6\n", "such as 01067, were taken as codes in: plz", shape=(3, 2),
    first=(1.5, 2.0), rows=("01067", "01069"), cols=("a", "b"),
)  # fmt: skip
case(
    "WR11b codes that come again", "N", "a,region,b\n1.5,007,2\n3,007,4\n5,012,6\n7,012,1\n", "as codes in: region", shape=(4, 2),
    first=(1.5, 2.0), labels=("region",),
)  # fmt: skip
case(
    "WR11c read as numbers",
    "R",
    "plz,a,b\n01067,1.5,2\n01069,3,4\n11097,5,6\n",
    shape=(3, 3),
    first=(1067.0, 1.5),
    choices={"codes": "numbers"},
)
case(
    "WR11d nothing but padded numbers", "R", "a,b\n0012,0034\n0120,0045\n1200,0001\n", shape=(3, 2), first=(12.0, 34.0)
)
case(
    "WR11e codes in a workbook", "N", lambda: workbook([["fips", "x", "y"], *[[f"0{i}001", i + 0.5, i] for i in range(1, 6)]]), "such as 01001",
    name="x.xlsx", shape=(5, 2), first=(1.5, 1.0), rows=("01001",),
)  # fmt: skip
case(
    "WR12 the first number that is not exact",
    "N",
    "id,a,b\nx,9007199254740993,1\ny,5,2\nz,6,3\n",
    r"2\^53",
    shape=(3, 2),
)
case(
    "WR12b the last one that is", "N", "id,a,b\nx,9007199254740992,1\ny,5,2\nz,6,3\n", r"^(?![\s\S]*lose their last digits)", shape=(3, 2),
)  # fmt: skip
case(
    "WR13 thin blanks between thousands", "N", "id;a;b\n" + "".join(f"r{i};1\u202f{200 + i},50;{i + 1},25\n" for i in range(6)),
    r"decimal comma[\s\S]*Marks between thousands were removed", shape=(6, 2), first=(1200.5, 1.25),
)  # fmt: skip
case(
    "WR14 table of a web page",
    "X",
    "<html><body><table><tr><td>1</td></tr></table></body></html>",
    "with a table.*spreadsheet program",
    name="x.xls",
)
case(
    "WR14b workbook of Excel 2003 in XML", "X",
    '<?xml version="1.0"?>\n<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet/></Workbook>', "XML of Excel 2003", name="x.xls",
)  # fmt: skip
case(
    "WR12c more digits than Python converts",
    "N",
    "id,a,b\nx,1" + "0" * 5000 + ",1\ny,5,2\nz,6,3\n",
    "infinite|Infinite|inf",
    shape=(3, 2),
    choices={"infinite": "cap"},
)
case(
    "WR11f codes at both ends of links", "N", "source,target,weight\n007,012,1.5\n012,100,2\n100,007,3\n", "3 weighted links", shape=(3, 3), kind="network",
    first=(0.0, 1.5, 3.0), rows=("007", "012", "100"),
)  # fmt: skip
case(
    "WR11g codes in a long table", "N", "user,item,rating\n" + "".join(f"{u:03d},{i:04d},{(u + i) % 5 + 1}\n" for u in range(1, 9) for i in range(1, 7)),
    "Each line was read as one value of a long table", shape=(8, 6), rows=("001", "002"), cols=("0001", "0002"), first=(3.0, 4.0, 5.0, 1.0, 2.0, 3.0),
)  # fmt: skip
case(
    "WR03e EUC-JP", "A", ("名前,身長,体重\n" + "".join(f"田中{i},{150 + i}.5,{50 + i}.25\n" for i in range(6))).encode("euc-jp"), "身長",
    shape=(6, 2), first=(150.5, 50.25), rows=("田中0",), cols=("身長", "体重"),
)  # fmt: skip
case(
    "WR03f Big5", "A", ("城市,人口,面積\n" + "".join(f"台北{i},{150 + i}.5,{50 + i}.25\n" for i in range(6))).encode("big5"), "人口",
    shape=(6, 2), first=(150.5, 50.25), rows=("台北0",), cols=("人口", "面積"),
)  # fmt: skip
case(
    "WR03g Polish, once that is chosen", "N", ("Miasto;Ludność;Powierzchnia\n" + "".join(f"Łódź{i};{i},5;{i}\n" for i in range(6))).encode("cp1250"),
    "Windows-1250", shape=(6, 2), rows=("Łódź0",), cols=("Ludność",), choices={"encoding": "cp1250"},
)  # fmt: skip

# Archives of NumPy without a matrix: arrays of one length are columns.
case(
    "WR15 arrays as columns", "N", lambda: npz(name=np.array(["a", "b", "c"]), x=np.array([1.5, 2, 3]), y=np.array([4, 5, 6])),
    "3 arrays of 3 values were read as columns", name="x.npz", shape=(3, 2), rows=("a", "b", "c"), cols=("x", "y"), first=(1.5, 4.0),
)  # fmt: skip
case(
    "WR15b entries of a sparse matrix", "N",
    lambda: npz(row=np.array([0, 0, 1, 2, 2, 1]), col=np.array([0, 1, 1, 0, 2, 2]), count=np.array([3, 1, 2, 5, 4, 7]), vocabulary=np.array(["u", "v"])),
    "left out: vocabulary[\\s\\S]*one value of a long table", name="x.npz", shape=(3, 3), first=(3.0, 1.0, 0.0), rows=("0", "1"), kind="counts",
)  # fmt: skip
case(
    "WR15c one array is no table",
    "X",
    lambda: npz(x=np.arange(5.0)),
    "No array in the archive has rows and columns",
    name="x.npz",
)
