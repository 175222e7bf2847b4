"""Files as other programs write them: openpyxl, pandas, odfpy, pyarrow, SciPy, h5py, Pillow, libsndfile, NetworkX.

Same letters as in `ingest_corpus`. Where a first row or names are told, the reading must find exactly these.
"""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import h5py
import networkx as nx
import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.io
import scipy.sparse as sp
import soundfile
from PIL import Image

from tests.core.ingest_corpus import Corpus, noise, npy, npz, saved, tone, zip_of

CASES = Corpus()
case = CASES.add


def sheet(
    rows: list[list[Any]], merge: tuple[str, ...] = (), others: dict[str, list[list[Any]]] | None = None
) -> bytes:
    """Return an .xlsx written by openpyxl."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for area in merge:
        book.active.merge_cells(area)
    for title, cells in (others or {}).items():
        extra = book.create_sheet(title)
        for row in cells:
            extra.append(row)
    return saved(book.save)


FRAME = pd.DataFrame([[1.5, 2.0, 3.0], [4.0, 5.5, 6.0], [7.0, 8.0, 9.5]], index=list("xyz"), columns=list("abc"))
MULTI = pd.DataFrame(
    [[1.5, 2.0, 3.0, 4.0], [5.0, 6.5, 7.0, 8.0], [2.0, 1.0, 3.0, 4.0]],
    columns=pd.MultiIndex.from_product([["A", "B"], ["x", "y"]]),
    index=["p", "q", "r"],
)

# workbooks ------------------------------------------------------------------------------------------------------------
SEASONS = [["Rivers 2021", *[None] * 6], [None, "Spring", None, None, "Autumn", None, None], ["Site", *"NPKNPK"]]
case(
    "EX01 merged headings", "N",
    lambda: sheet(SEASONS + [[f"s{i}", *[float(i * j) for j in range(1, 7)]] for i in range(1, 7)], ("A1:G1", "B2:D2", "E2:G2")),
    "names reach over 2 rows", name="x.xlsx", shape=(6, 6), cols=("Spring N", "Spring P", "Spring K", "Autumn N"),
    rows=("s1", "s2"), first=(1, 2, 3, 4, 5, 6),
)  # fmt: skip
case(
    "EX01b merged headings, last row only", "A",
    lambda: sheet(SEASONS + [[f"s{i}", *[float(i * j) for j in range(1, 7)]] for i in range(1, 7)]),
    "missing|no number", name="x.xlsx", choices={"header": "2"},
)  # fmt: skip
case(
    "EX02 frame with two levels",
    "N",
    lambda: saved(MULTI.to_excel),
    "A x, A y, B x",
    name="x.xlsx",
    shape=(3, 4),
    cols=("A x", "A y"),
)
case(
    "EX03 notes before data", "A",
    lambda: sheet([["Read me first"], ["Data on the next sheet"]], others={"Data": [["a", "b"], [1, 2], [3, 4]]}),
    "Which sheet", name="x.xlsx", first=(1, 2), cols=("a", "b"),
)  # fmt: skip
case("EX04 numbers as text", "N", lambda: sheet([["id", "a", "b"], *[[f"r{i}", f"{i},5", f"1.{i}00,25"] for i in range(5)]]),
     "decimal comma|thousands", name="x.xlsx", shape=(5, 2), first=(0.5, 1000.25))  # fmt: skip
case("EX05 per cent as text", "N", lambda: sheet([["id", "a", "b"], ["x", "12 %", 1], ["y", "15 %", 2]]), "% in a", name="x.xlsx",
     first=(12, 1), shape=(2, 2))  # fmt: skip
case("EX06 table in the middle", "R", lambda: sheet([[]] * 4 + [[None] * 3 + r for r in (["a", "b"], [1.5, 2], [3, 4])]),
     name="x.xlsx", first=(1.5, 2), cols=("a", "b"))  # fmt: skip
TOTALS = [["name", "a", "b"], *[[f"n{i}", i + 1, 2 * i + 1] for i in range(6)]]
case("EX07 total and source below", "N", lambda: sheet([*TOTALS, [], ["Total", 21, 36], ["Source: own survey"]]),
     "1 line below the table left out: Source.*\n.*Total, sums up", name="x.xlsx", shape=(6, 2))  # fmt: skip
case(
    "EX07b total kept",
    "N",
    lambda: sheet([*TOTALS, ["Total", 21, 36]]),
    "names the rows",
    name="x.xlsx",
    choices={"total": "keep"},
    shape=(7, 2),
)
case(
    "EX07c a row that is only called total",
    "N",
    lambda: sheet([*TOTALS, ["Total", 1, 2]]),
    "names the rows",
    name="x.xlsx",
    shape=(7, 2),
)
case(
    "EX07d second names, empty in the row of totals", "N",
    "code,country,a,b\n" + "".join(f"c{i},Land {i},{i + 1},{2 * i + 1}\n" for i in range(6)) + "Total,,21,36\n", "country names the rows",
    choices={"row_names": "country"}, shape=(6, 2), rows=("Land 0", "Land 1"),
)  # fmt: skip
case(
    "EX08 dates",
    "A",
    lambda: sheet([["day", "a", "b"], *[[dt.date(2020, 1, i + 1), i, i + 1] for i in range(4)]]),
    "dates",
    name="x.xlsx",
)
case(
    "EX09 ODS",
    "N",
    lambda: saved(lambda b: FRAME.to_excel(b, engine="odf")),
    "first column names the rows",
    name="x.ods",
    first=(1.5, 2, 3),
    rows=tuple("xyz"),
)
case(
    "EX09b ODS, two sheets", "A",
    lambda: saved(lambda b: _sheets(b, {"One": FRAME, "Two": FRAME.T * 2})), "Which sheet.*One: 4 rows.*Two", name="x.ods",
)  # fmt: skip
case("EX09c ODS, second sheet", "N", lambda: saved(lambda b: _sheets(b, {"One": FRAME, "Two": FRAME.T * 2})),
     "names the rows", name="x.ods", choices={"sheet": "Two"}, first=(3, 8, 14), rows=tuple("abc"))  # fmt: skip
case(
    "EX10 formulas without values",
    "X",
    lambda: sheet([["a", "b"], ["=1+1", "=2+2"], ["=A2", "=B2"]]),
    "empty|No numeric|no rows",
    name="x.xlsx",
)
case(
    "EX11 booleans",
    "N",
    lambda: sheet([["a", "b", "c"], [True, 1, 2], [False, 3, 4], [True, 5, 6]]),
    "1/0",
    name="x.xlsx",
    first=(1, 1, 2),
)


def _sheets(buffer: io.BytesIO, frames: dict[str, pd.DataFrame]) -> None:
    with pd.ExcelWriter(buffer, engine="odf") as writer:
        for title, frame in frames.items():
            frame.to_excel(writer, sheet_name=title)


# text tables ----------------------------------------------------------------------------------------------------------
UNICODE = "Größe\tMenge\tÄpfel\n" + "".join(f"{i}.5\t{i + 1}\t{2 * i + 1}\n" for i in range(5))
case(
    "TX01 Unicode text of a spreadsheet",
    "N",
    UNICODE.encode("utf-16"),
    "UTF-16",
    name="x.txt",
    cols=("Größe", "Menge", "Äpfel"),
    first=(0.5, 1, 1),
)
case("TX01b big-endian without mark", "N", UNICODE.encode("utf-16-be"), "UTF-16.*Größe", first=(0.5, 1, 1))
case(
    "TX01c packed",
    "N",
    gzip.compress("a;b\n1,5;2\n3,5;4\n".encode("utf-16")),
    "decimal comma",
    name="x.csv.gz",
    first=(1.5, 2),
)
GERMAN = "Straße;Größe (m²);Preis €;Menge\n" + "".join(
    f"Müller {i};{i},25;{i + 1}.234,50;{i + 1}.000\n" for i in range(6)
)
case("TX02 Windows-1252, semicolon, comma, thousands", "N", GERMAN.encode("cp1252"), "1.234,50 was read as 1234.50",
     rows=("Müller 0",), cols=("Größe (m²)", "Preis €", "Menge"), first=(0.25, 1234.5, 1000))  # fmt: skip
case("TX03 Swiss marks", "N", "n;a;b\nx;1'234.50;2\ny;2'345.75;3\nz;12.5;4\n", "between thousands", first=(1234.5, 2))
case(
    "TX03b French marks",
    "N",
    "n;a;b\nx;1\u202f234,50;2\ny;2\u202f345,75;3\nz;12,5;4\n",
    "decimal comma",
    first=(1234.5, 2),
)
case("TX04 euros", "N", "n;a;b\nx;12,50 €;2\ny;15,00 €;3\nz;1.020,10 €;4\n", "€ in a", first=(12.5, 2), shape=(3, 2))
case("TX04b dollars", "N", 'n,a,b\nx,$12.5,2\ny,$15.0,3\nz,"$1,200.0",4\n', r"\$ in a", first=(12.5, 2), shape=(3, 2))
case("TX04c units", "N", "n,a,b\nx,12 kg,2\ny,15 kg,3\nz,20.5 kg,4\n", "kg in a", first=(12, 2))
case(
    "TX04d different units stay text",
    "N",
    "n,a,b,c\nx,12 kg,2,1\ny,15 g,3,1\nz,20 kg,4,2\n",
    "labels: n|labels: a|names the rows",
    shape=(3, 2),
)
case(
    "TX04e units kept as text",
    "N",
    "a,b,c\n12 %,2,1\n15 %,3,1\n15 %,4,2\n",
    "labels: a",
    choices={"units": "text"},
    shape=(3, 2),
)
case("TX05 typographic minus", "A", "a,b\n−1.5,2\n2.5,3\n", "1 cell is negative", first=(-1.5, 2))
case("TX05b in exponents", "N", "a,b\n1.5e−2,2\n2.5e−1,3\n", "typographic minus sign .* in: a", first=(0.015, 2))
case("TX06 units below the names", "N", "time,temp,pressure\ns,degC,hPa\n1,20.5,1000\n2,21.5,1001\n3,22.5,1002\n",
     "joined: time s", cols=("temp degC", "pressure hPa"), rows=("1", "2"), first=(20.5, 1000), shape=(3, 2))  # fmt: skip
case(
    "TX06b first line alone",
    "A",
    "time,temp,pressure\ns,degC,hPa\n1,20.5,1000\n2,21.5,1001\n3,22.5,1002\n",
    "no number: s",
    choices={"header": "first"},
)
case("TX06c one word in the first row is no heading", "A", "a,b,c\nfoo,2,3\n4,5,6\n7,8,9\n", "no number: foo")
case(
    "TX07 two levels",
    "N",
    lambda: MULTI.to_csv(),
    "A x, A y",
    cols=("A x", "A y", "B x", "B y"),
    rows=("p", "q"),
    first=(1.5, 2, 3, 4),
)
case(
    "TX08 slashes",
    "N",
    "// by us\n// in a laboratory\na,b,c\n1,2,3\n4,5,6\n7,8,9.5\n",
    "2 lines before",
    first=(1, 2, 3),
    cols=("a",),
)
case(
    "TX08b at the end of lines",
    "N",
    "a,b,c\n1,2,3 # first\n4,5,6\n7,8,9.5 # last\n",
    "[Cc]omments",
    first=(1, 2, 3),
    shape=(3, 3),
)
case("TX08c exclamation marks (GEO)", "N", '!Title\tx\n!Type\ty\n"ID_REF"\t"G1"\t"G2"\n"g1"\t1.5\t2.5\n"g2"\t3.5\t4.5\n"g3"\t1\t2\n!end\n',
     "2 lines before", name="x.txt", shape=(3, 2), first=(1.5, 2.5), cols=("G1", "G2"))  # fmt: skip
case(
    "TX09 title with separators",
    "N",
    "Report 2020;;;\n;;;\nname;a;b;c\nx;1;2;3\ny;3,5;4;5\nz;5;6;7\n",
    "before the table",
    shape=(3, 3),
    first=(1, 2, 3),
)
case("TX10 tilde", "N", "a~b~c\n1~2~3\n4~5~6\n", "a tilde", first=(1, 2, 3))
case("TX10b two bars", "N", "a||b||c\n1||2||3\n4||5||6\n", "vertical bar", first=(1, 2, 3))
case(
    "TX11 Markdown",
    "N",
    "| n | a | b |\n|---|--:|---|\n| x | 1 | 2 |\n| y | 3 | 4 |\n",
    "vertical bar",
    name="x.md",
    first=(1, 2),
    rows=("x", "y"),
)
case("TX12 GCT", "N", "#1.2\n3\t2\nName\tDescription\tA\tB\ng1\tx\t1.5\t2\ng2\ty\t2.5\t3\ng3\tz\t1\t1\n", "Name names the rows", name="x.gct",
     shape=(3, 2), labels=("Description",))  # fmt: skip
case("TX13 OTU table", "N", "#OTU ID\tS1\tS2\ttaxonomy\nO1\t3\t4\tA; B\nO2\t0\t4\tA; C\nO3\t2\t1\tD; E\n", "OTU ID names the rows", name="x.txt",
     first=(3, 4), labels=("taxonomy",))  # fmt: skip
case("TX14 spectra along an axis", "N", "wavelength,s1,s2\n" + "".join(f"{400 + 2 * i},{i + 1}.5,{i + 2}\n" for i in range(9)),
     "wavelength names the rows", shape=(9, 2), rows=("400", "402"))  # fmt: skip
case("TX14b time that does not rise is a value", "R", "time,a,b\n1.5,2,3\n1.5,4,5\n0.5,6,7\n", shape=(3, 3))
case(
    "TX15 square with names",
    "N",
    "," + "a,b,c\na,0,2,3\nb,2,0,1\nc,3,1,0\n",
    "network of 3 nodes",
    kind="network",
    rows=("a", "b", "c"),
    first=(0, 2, 3),
)
case(
    "TX15b directed square",
    "N",
    ",a,b,c\na,0,2,1\nb,0,0,1.5\nc,3,0,0\n",
    "directed network",
    kind="table",
    first=(0, 2, 1),
)
case("TX15c directed square as a network", "N", ",a,b,c\na,0,2,1\nb,0,0,1.5\nc,3,0,0\n", "network of 3 nodes", kind="network", first=(0, 2, 4),
     choices={"relations": "network"})  # fmt: skip
case("TX15d square with other names", "N", ",a,b,c\nx,0,2,3\ny,2,0,1\nz,3,1,0\n", "names the rows", kind="table")
case("TX15e links to themselves", "N", ",a,b,c\na,1,2,0\nb,0,3,4\nc,0,0,0\n", "network of 3 nodes", kind="network", first=(1, 2, 0),
     choices={"relations": "network"})  # fmt: skip
case("TX15f diagonal", "R", lambda: npy(np.diag([1.0, 2.0, 3.0, 4.0])), name="x.npy", kind="table", shape=(4, 4))
case("TX16 dates, day first", "N", "d;a;b\n13/02/2020;1;2\n14/02/2020;3;4\n01/03/2020;5;6\n", "days since", choices={"dates": "days"},
     first=(0, 1, 2), shape=(3, 3))  # fmt: skip
case("TX17 DOT", "X", "digraph G { a -> b; b -> c; }", "DOT.*GraphML", name="x.dot")
case("TX17b ARFF", "X", "% comment\n@relation iris\n@attribute a numeric\n@data\n1\n", "ARFF.*CSV", name="x.arff")
case("TX17c LIBSVM", "X", "1 1:0.5 3:2.5\n-1 2:1.5\n", "LIBSVM", name="x.svm")
case("TX17d Python", "X", "import os\nprint(1)\n", "program", name="x.py")

case(
    "TX18 R, blanks and row names",
    "N",
    '"a" "b" "c"\n"1" 1.5 2 3\n"2" 2.5 3 4\n"3" 3.5 4 5\n',
    "names the rows",
    name="x.txt",
    first=(1.5, 2, 3),
    rows=("1", "2"),
)
case(
    "TX19 accountants", "A", 'n,a,b\nx,"(1,234)",2\ny,"2,345",3\nz,"(12)",4\n', "2 cells are negative", first=(-1234, 2)
)
case(
    "TX20 two ways in one file",
    "N",
    "n;a;b\nx;1,5;2.5\ny;2,5;3.5\nz;3,5;4.5\n",
    "another way than the rest",
    first=(1.5, 2.5),
    shape=(3, 2),
)
case(
    "TX20b thousands among fractions",
    "N",
    "n;a;b;c\nx;1,500;2.5;1\ny;2,500;3.5;1\nz;2,500;4.5;2\n",
    "1,500 was read as 1500",
    first=(1500, 2.5),
    shape=(3, 3),
)
case(
    "TX21 numbers kept as text by a spreadsheet",
    "N",
    'id,a,b\n="001",1,2\n="002",3,4\n="003",5,6\n',
    "id names the rows",
    rows=("001", "002"),
)
case(
    "TX22 two names before the numbers",
    "N",
    "g,h,x,y\na,u,1,2\na,v,3,4\nb,u,5,6\nb,v,7,8\n",
    "labels: g",
    shape=(4, 2),
    labels=("g", "h"),
    first=(1, 2),
)

# long tables ----------------------------------------------------------------------------------------------------------
LONG = "".join(f"s{i // 5},g{i % 5},{i * 0.5},ok\n" for i in range(40))
case(
    "LX01 with another column",
    "N",
    "sample,gene,expression,quality\n" + LONG,
    "from sample, gene, expression",
    shape=(8, 5),
    first=(0, 0.5, 1),
)
case("LX02 order of columns does not matter", "N", "rating,title,movie,user\n" + "".join(f"{i % 5 + 1},film {i % 5},{i % 5},{i // 5}\n" for i in range(35)),
     "from user, movie, rating", shape=(7, 5), kind="ratings", first=(1, 2, 3, 4, 5))  # fmt: skip
SEEN = sorted({(i * 7 % 39 + 1, i * 11 % 58 + 1) for i in range(380)})
case(
    "LX03 u.data",
    "A",
    "".join(f"{a}\t{b}\t{(a + b) % 5 + 1}\t{881250949 + a}\n" for a, b in SEEN),
    "long table.*ordinary table",
    name="u.data",
)
case(
    "LX03b two colons",
    "A",
    "".join(f"{a}::{b}::{(a + b) % 5 + 1}::{978300760 + a}\n" for a, b in SEEN),
    "long table",
    name="ratings.dat",
)
case(
    "LX04 numbers written in two ways are one name",
    "N",
    "user,item,rating\n01,5,1\n1.0,6,2\n2,5,3\n2,6,4\n",
    "2 × 2 cells",
    first=(1, 2),
    rows=("1", "2"),
)
case(
    "LX05 missing values and names",
    "N",
    "user,item,rating\na,x,1\na,,2\n,x,3\nb,y,NA\nb,y,5\na,y,2\n",
    "3 lines without",
    shape=(2, 2),
    first=(1, 2),
)
case(
    "LX06 semicolon and comma",
    "N",
    "user;item;score\na;x;1,5\nb;x;2,5\na;y;3\n",
    "decimal comma",
    kind="ratings",
    first=(1.5, 3),
)
for letter, how, told in (("", "last", 3), ("b", "sum", 4), ("c", "first", 1), ("d", "mean", 2)):
    case(
        f"LX07{letter} given twice, {how}",
        "N",
        "row,col,value\na,x,1\na,x,3\nb,y,2\nb,x,1\n",
        "value of a long table",
        choices={"twice": how},
        first=(told, 0),
    )
case("LX07e a value that is no number", "N", "user,item,rating\na,x,1\na,y,3\nb,y,foo\nb,x,1\n", "missing: foo in row 3 of rating.*\n1 line without",
     shape=(2, 2), first=(1, 3))  # fmt: skip
case("LX08 Gephi edges", "N", "Source,Target,Type,Id,Weight\n0,1,Undirected,0,1.0\n1,2,Undirected,1,2.0\n2,0,Undirected,2,1\n",
     "one link of a network from Source, Target, Weight", kind="network", first=(0, 1, 1))  # fmt: skip

# JSON -----------------------------------------------------------------------------------------------------------------
API = {
    "status": "ok",
    "results": [{"id": i, "at": {"x": i + 0.5, "y": {"deep": i + 1}}, "v": [i, 2]} for i in range(5)],
    "meta": {"n": 5},
}
case("JX01 records within records", "N", lambda: json.dumps(API), "names the rows", name="x.json", shape=(5, 4), cols=("at.x", "at.y.deep", "v.1", "v.2"),
     first=(0.5, 1, 0, 2))  # fmt: skip
case("JX02 rows outside", "N", lambda: FRAME.to_json(orient="index"), "taken as columns|taken as rows", name="x.json", choices={"outer": "rows"},
     first=(1.5, 2, 3), rows=tuple("xyz"))  # fmt: skip
case(
    "JX02b columns outside",
    "N",
    lambda: FRAME.to_json(),
    "taken as columns",
    name="x.json",
    first=(1.5, 2, 3),
    rows=tuple("xyz"),
    cols=tuple("abc"),
)
case("JX02c more rows than columns outside", "N", lambda: json.dumps({f"r{i}": {"a": i + 1, "b": i + 0.5} for i in range(5)}), "taken as rows",
     name="x.json", shape=(5, 2), first=(1, 0.5))  # fmt: skip
for orient in ("split", "table"):
    case(
        f"JX03 {orient}",
        "N",
        lambda orient=orient: FRAME.to_json(orient=orient),
        "names the rows",
        name="x.json",
        first=(1.5, 2, 3),
        rows=tuple("xyz"),
    )
case("JX04 UTF-16", "N", '[{"a":1,"b":2},{"a":3,"b":4}]'.encode("utf-16"), "UTF-16", name="x.json", first=(1, 2))
case("JX05 NaN", "A", '[{"a": NaN, "b": 2}, {"a": 3, "b": 4}, {"a": 5, "b": 6}]', "1 cell is missing", name="x.json")
case(
    "JX06 decimal commas",
    "N",
    '[{"a":"1,5","b":"2,5"},{"a":"2,5","b":"3,25"}]',
    "decimal comma",
    name="x.json",
    first=(1.5, 2.5),
)
GEO = [
    {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [i, i + 1]},
        "properties": {"n": f"p{i}", "pop": i + 5},
    }
    for i in range(5)
]
case(
    "JX07 GeoJSON",
    "N",
    lambda: json.dumps({"type": "FeatureCollection", "features": GEO}),
    "names the rows",
    name="x.geojson",
    shape=(5, 3),
    first=(0, 1, 5),
)
case(
    "JX08 vectors",
    "N",
    '[{"name":"x","v":[1,2,3]},{"name":"y","v":[3,4,5]}]',
    "names the rows",
    name="x.json",
    first=(1, 2, 3),
    cols=("v.1", "v.2"),
)
case(
    "JX09 lines with mark and CRLF",
    "R",
    b"\xef\xbb\xbf" + b'{"a":1,"b":2}\r\n{"a":3,"b":4}\r\n',
    name="x.ndjson",
    first=(1, 2),
)

# Parquet, Feather -----------------------------------------------------------------------------------------------------
MIXED = pd.DataFrame(
    {
        "when": pd.date_range("2020-01-01", periods=6, tz="UTC"), "g": pd.Categorical(list("aabbcc")), "n": pd.array([1, 7, 3, 4, 5, 6], dtype="Int64"),
        "x": [1.5, 2.5, 3, 4, 5, 6], "b": [True, False, True, True, True, False], "name": [f"n{i}" for i in range(6)],
        "dur": pd.to_timedelta(range(6), unit="h"),
    }
)  # fmt: skip
case("PX01 all kinds of columns", "N", lambda: saved(MIXED.to_parquet), "turned into seconds: dur", name="x.parquet", choices={"dates": "label"},
     shape=(6, 4), labels=("when", "g"), rows=("n0", "n1"), first=(1, 1.5, 1, 0))  # fmt: skip
case("PX01b as Feather", "A", lambda: saved(MIXED.to_feather), "dates", name="x.feather")
case("PX01c with nulls", "A", lambda: saved(MIXED.assign(n=pd.array([1, None, 3, 4, 5, 6], dtype="Int64")).to_parquet), "1 cell is missing", name="x.parquet",
     choices={"dates": "out"})  # fmt: skip
case(
    "PX02 index with a name",
    "N",
    lambda: saved(FRAME.rename_axis("gene").to_parquet),
    "gene names the rows",
    name="x.parquet",
    rows=tuple("xyz"),
)
case("PX03 categories of numbers", "R", lambda: saved(pd.DataFrame({"k": pd.Categorical([1, 2, 1, 3]), "x": [1.0, 2, 3, 4]}).to_parquet), name="x.parquet",
     first=(1, 1))  # fmt: skip
case("PX04 lists of equal length", "N", lambda: saved(lambda b: pq.write_table(pa.table({"v": [[1.0, 2], [3, 4]], "n": ["a", "b"]}), b)),
     "names the rows", name="x.parquet", cols=("v.1", "v.2"), first=(1, 2))  # fmt: skip
case("PX05 records", "N", lambda: saved(lambda b: pq.write_table(pa.table({"s": [{"u": 1.0, "w": 2.0}, {"u": 3.0, "w": 4.0}], "n": ["a", "b"]}), b)),
     "names the rows", name="x.parquet", cols=("s.u", "s.w"), first=(1, 2))  # fmt: skip
case("PX06 decimals", "N", lambda: saved(pd.DataFrame({"a": [Decimal("1.25"), Decimal("2.5")], "b": [1, 2]}).to_parquet), "decimal128", name="x.parquet",
     first=(1.25, 1))  # fmt: skip
for packing in ("zstd", "brotli", "gzip", "snappy"):
    case(f"PX07 {packing}", "N", lambda packing=packing: saved(lambda b: FRAME.to_parquet(b, compression=packing)), "names the rows", name="x.parquet",
         first=(1.5, 2, 3))  # fmt: skip

# NumPy, SciPy, MatrixMarket -------------------------------------------------------------------------------------------
S = sp.random_array((12, 8), density=0.3, format="csr", rng=np.random.default_rng(0))
S.data[:] = np.round(S.data * 9) + 1
ROW = tuple(S.toarray()[0])
for form in ("csr", "csc", "coo", "bsr", "dia"):
    case(
        f"NX01 {form}",
        "N",
        lambda form=form: saved(lambda b: sp.save_npz(b, S.asformat(form))),
        "12 × 8 with",
        name="x.npz",
        shape=(12, 8),
        first=ROW,
    )
case(
    "NX01b csr_matrix of int8",
    "N",
    lambda: saved(lambda b: sp.save_npz(b, sp.csr_matrix(S).astype(np.int8))),
    "12 × 8",
    name="x.npz",
    first=ROW,
)
case(
    "NX01c truth values",
    "N",
    lambda: saved(lambda b: sp.save_npz(b, S.astype(bool))),
    "12 × 8",
    name="x.npz",
    first=tuple(np.sign(ROW)),
)
case("NX02 records", "N", lambda: npy(np.array([("a", 1.5, 2), ("b", 2.5, 3)], dtype=[("n", "U3"), ("x", "f8"), ("k", "i4")])), "n names the rows",
     name="x.npy", first=(1.5, 2), rows=("a", "b"))  # fmt: skip
case(
    "NX03 symmetric",
    "N",
    lambda: npy(np.array([[0, 2, 3], [2, 0, 1], [3, 1, 0.0]])),
    "network of 3",
    name="x.npy",
    kind="network",
    first=(0, 2, 3),
)
case(
    "NX03b symmetric as a table",
    "R",
    lambda: npy(np.array([[0, 2, 3], [2, 0, 1], [3, 1, 0.0]])),
    name="x.npy",
    kind="table",
    choices={"relations": "table"},
)
case("NX04 data set with labels", "N", lambda: npz(data=np.ones((5, 4)), target=np.arange(5), feature_names=np.array(list("abcd"))), "target", name="x.npz",
     cols=tuple("abcd"), labels=("target",))  # fmt: skip


def mtx(matrix: Any, **options: Any) -> bytes:
    """Return a MatrixMarket file written by SciPy."""
    return saved(lambda buffer: scipy.io.mmwrite(buffer, matrix, **options))


SQUARE = sp.coo_array(S.toarray()[:8] + S.toarray()[:8].T)
case("MX01 written by SciPy", "N", lambda: mtx(S), "12 × 8", name="x.mtx", first=ROW)
case("MX01b packed", "N", lambda: gzip.compress(mtx(S)), "12 × 8", name="x.mtx.gz", first=ROW)
case(
    "MX02 pattern", "N", lambda: mtx(S, field="pattern"), "each entry counts 1", name="x.mtx", first=tuple(np.sign(ROW))
)
case(
    "MX03 symmetric",
    "N",
    lambda: mtx(SQUARE, symmetry="symmetric"),
    "as a network",
    name="x.mtx",
    kind="network",
    first=tuple(SQUARE.toarray()[0]),
)
case(
    "MX03b dense symmetric",
    "N",
    lambda: mtx(SQUARE.toarray(), symmetry="symmetric"),
    "network of 8",
    name="x.mtx",
    first=tuple(SQUARE.toarray()[0]),
)
case(
    "MX04 complex without imaginary parts",
    "N",
    lambda: mtx(S.astype(complex)),
    "imaginary parts 0",
    name="x.mtx",
    first=ROW,
)
case("MX04b complex", "X", lambda: mtx(S * (1 + 1j)), "complex numbers", name="x.mtx")
case(
    "MX04c Hermitian",
    "N",
    lambda: mtx(SQUARE.astype(complex), symmetry="hermitian"),
    "imaginary parts 0",
    name="x.mtx",
    first=tuple(SQUARE.toarray()[0]),
)
case(
    "MX05 skew",
    "A",
    lambda: mtx(sp.coo_array(np.triu(np.ones((4, 4)), 1) - np.triu(np.ones((4, 4)), 1).T), symmetry="skew-symmetric"),
    "negative",
    name="x.mtx",
)
TEN_X = {
    "run/matrix.mtx.gz": gzip.compress(mtx(S.astype(int))),
    "run/barcodes.tsv.gz": gzip.compress("".join(f"BC{i}-1\n" for i in range(8)).encode()),
    "run/features.tsv.gz": gzip.compress("".join(f"ENS{i}\tgene{i}\tGene Expression\n" for i in range(12)).encode()),
}
case("MX06 Cell Ranger folder", "N", lambda: zip_of(TEN_X), "rows of 8 cells × 12 features", name="x.zip", shape=(8, 12), kind="expression",
     rows=("BC0-1",), cols=("gene0", "gene1"), first=tuple(S.toarray()[:, 0]))  # fmt: skip
case(
    "MX06b of two runs",
    "X",
    lambda: zip_of({**TEN_X, "run/barcodes.tsv.gz": gzip.compress(b"a\nb\n")}),
    "names for 12 features and 2 barcodes",
    name="x.zip",
)


# HDF5 -----------------------------------------------------------------------------------------------------------------
def hdf5(write: Callable[[Any], Any]) -> bytes:
    """Return an HDF5 file."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        write(file)
    return buffer.getvalue()


def words(group: Any, name: str, prefix: str, n: int) -> None:
    """Write names as variable-length strings."""
    group.create_dataset(
        name, data=np.array([f"{prefix}{i}" for i in range(n)], dtype=object), dtype=h5py.string_dtype()
    )


def loom(file: Any, layer: bool = False) -> None:
    """Write a Loom file: genes × cells."""
    file["matrix"] = S.toarray()
    for group, name, prefix, n in (("row_attrs", "Gene", "g", 12), ("col_attrs", "CellID", "c", 8)):
        words(file.create_group(group), name, prefix, n)
    file["col_attrs"].create_dataset("Class", data=np.array(list("aabbbbaa"), dtype=object), dtype=h5py.string_dtype())
    if layer:
        file.create_group("layers")["spliced"] = S.toarray() * 2


def cell_ranger(file: Any) -> None:
    """Write what Cell Ranger writes: features × barcodes in CSC."""
    group, matrix = file.create_group("matrix"), sp.csc_array(S.astype(np.int32))
    for part in ("data", "indices", "indptr"):
        group[part] = getattr(matrix, part)
    group["shape"] = np.array([12, 8], dtype=np.int32)
    group["barcodes"] = np.array([f"BC{i}" for i in range(8)], dtype="S")
    group.create_group("features")["name"] = np.array([f"g{i}" for i in range(12)], dtype="S")


def early(file: Any) -> None:
    """Write AnnData as its first versions did: tables as records."""
    file["X"] = S.toarray()
    for name, letter, n in (("obs", "c", 12), ("var", "g", 8)):
        file[name] = np.array(
            [(f"{letter}{i}".encode(), float(i)) for i in range(n)], dtype=[("index", "S5"), ("x", "f8")]
        )


def with_raw(file: Any) -> None:
    """Write AnnData with the genes before selection beside X."""
    file["X"] = S.toarray()
    for name, prefix, n in (("obs", "c", 12), ("var", "g", 8), ("raw/var", "G", 9)):
        words(file.create_group(name), "_index", prefix, n)
    file["raw/X"] = np.arange(108.0).reshape(12, 9)


GENES = tuple(S.toarray()[:, 0])
case("HX01 Loom", "N", lambda: hdf5(loom), "8 cells × 12 genes", name="x.loom", shape=(8, 12), kind="expression", first=GENES, rows=("c0",), cols=("g0", "g1"),
     labels=("Class",))  # fmt: skip
case("HX01b Loom with a layer", "A", lambda: hdf5(lambda f: loom(f, layer=True)), "layers/spliced", name="x.loom")
case(
    "HX02 Cell Ranger",
    "N",
    lambda: hdf5(cell_ranger),
    "8 cells × 12 genes",
    name="x.h5",
    shape=(8, 12),
    first=GENES,
    rows=("BC0",),
    cols=("g0",),
)
case("HX03 early AnnData", "N", lambda: hdf5(early), name="x.h5ad", rows=("c0", "c1"), cols=("g0", "g1"), first=ROW)
case("HX04 raw beside X", "A", lambda: hdf5(with_raw), "raw/X: 12 × 9", name="x.h5ad")
case(
    "HX04b raw chosen",
    "R",
    lambda: hdf5(with_raw),
    name="x.h5ad",
    choices={"layer": "raw/X"},
    cols=("G0", "G1"),
    first=(0, 1, 2),
)
case(
    "HX05 cube",
    "A",
    lambda: hdf5(lambda f: f.create_dataset("cube", data=np.ones((9, 9, 20)))),
    "9 × 9 × 20",
    name="x.h5",
)
case(
    "HX06 MATLAB 7.3",
    "X",
    lambda: b"MATLAB 7.3 MAT-file" + b" " * 493 + hdf5(lambda f: f.create_dataset("x", data=np.ones((4, 3)))),
    "MATLAB",
    name="x.mat",
)
case("HX07 only groups", "X", lambda: hdf5(lambda f: f.create_group("x")), "no matrix X", name="x.h5")


# pictures -------------------------------------------------------------------------------------------------------------
def drawn(image: Any, form: str, **options: Any) -> bytes:
    """Return a picture written by Pillow."""
    return saved(lambda buffer: image.save(buffer, form, **options))


COLOUR = Image.fromarray(noise(20, 30, 3))
GREY = Image.fromarray(noise(20, 30))
FRAMES = [Image.fromarray(noise(20, 30, seed=k)) for k in range(4)]
TURNED = Image.Exif()
TURNED[0x112] = 6
case("IX01 palette", "N", lambda: drawn(COLOUR.quantize(16), "PNG"), "30 × 20 pixels", name="x.png", shape=(20, 30))
case(
    "IX01b palette with a transparent colour",
    "N",
    lambda: drawn(COLOUR.quantize(16), "PNG", transparency=0),
    "put on white",
    name="x.png",
    shape=(20, 30),
)
case("IX02 16 bit", "N", lambda: drawn(Image.fromarray((noise(20, 30) * 257.0).astype(np.uint16)), "PNG"), "30 × 20", name="x.png",
     first=tuple(noise(20, 30)[0, :5] / 255.0))  # fmt: skip
case(
    "IX03 grey with full alpha",
    "N",
    lambda: drawn(GREY.convert("LA"), "PNG"),
    "30 × 20",
    name="x.png",
    first=tuple(noise(20, 30)[0, :5] / 255.0),
)
case("IX04 black and white", "N", lambda: drawn(COLOUR.convert("1"), "PNG"), "30 × 20", name="x.png", shape=(20, 30))
case(
    "IX05 moving GIF",
    "N",
    lambda: drawn(FRAMES[0], "GIF", save_all=True, append_images=FRAMES[1:]),
    "4 pictures",
    name="x.gif",
    shape=(4, 600),
    kind="images",
)
case(
    "IX05b moving WebP",
    "N",
    lambda: drawn(FRAMES[0], "WEBP", save_all=True, append_images=FRAMES[1:], lossless=True),
    "4 pictures",
    name="x.webp",
    shape=(4, 600),
)
case(
    "IX05c moving PNG",
    "N",
    lambda: drawn(FRAMES[0], "PNG", save_all=True, append_images=FRAMES[1:]),
    "4 pictures",
    name="x.png",
    shape=(4, 600),
)
case("IX06 CMYK", "N", lambda: drawn(COLOUR.convert("CMYK"), "JPEG"), "30 × 20", name="x.jpg", shape=(20, 30))
case(
    "IX07 turned by its camera",
    "N",
    lambda: drawn(COLOUR, "JPEG", exif=TURNED),
    "20 × 30 pixels",
    name="x.jpg",
    shape=(30, 20),
)
case(
    "IX08 TIFF of fractions",
    "N",
    lambda: drawn(Image.fromarray((noise(20, 30) / 255).astype(np.float32)), "TIFF"),
    "30 × 20",
    name="x.tif",
    shape=(20, 30),
)
case(
    "IX08b TIFF, LZW",
    "N",
    lambda: drawn(COLOUR, "TIFF", compression="tiff_lzw"),
    "30 × 20",
    name="x.tif",
    shape=(20, 30),
)
case("IX09 HEIC", "X", b"\0\0\0\x18ftypheic" + b"\0" * 100, "HEIC.*PNG or JPEG", name="x.heic")
case("IX09b JPEG 2000", "X", lambda: drawn(COLOUR, "JPEG2000"), "JPEG 2000.*PNG", name="x.jp2")
case("IX09c film", "X", b"\0\0\0\x18ftypisom" + b"\0" * 100, "film", name="x.mp4")
FOLDERS = {
    f"faces/{'cat' if k % 2 else 'dog'}/{k}.png": drawn(Image.fromarray(noise(12, 12, seed=k)), "PNG") for k in range(6)
}
MAC = {f"__MACOSX/faces/._{k}.png": b"junk" for k in range(6)}
case("IX10 folders of a Mac", "N", lambda: zip_of({**FOLDERS, **MAC, "faces/.DS_Store": b"x", "faces/Thumbs.db": b"x"}), "6 pictures", name="x.zip",
     shape=(6, 144), labels=("folder",))  # fmt: skip

# archives -------------------------------------------------------------------------------------------------------------
ABOUT = {"d/README.md": "What this is about, at some length.\n" * 99, "d/LICENSE": "MIT", "__MACOSX/d/._data.csv": b"x"}
case(
    "ZX01 data beside a description",
    "N",
    lambda: zip_of({"d/data.csv": "a,b\n1,2\n3,4\n", **ABOUT}),
    "d/data.csv was read",
    name="x.zip",
    first=(1, 2),
)
case(
    "ZX01b two tables",
    "A",
    lambda: zip_of({"d/one.csv": "a,b\n1,2\n3,4\n", "d/two.csv": "a,b\n1,2\n3,4\n", **ABOUT}),
    "Which file",
    name="x.zip",
)
case(
    "ZX02 workbook within",
    "R",
    lambda: zip_of({"x.xlsx": sheet([["a", "b"], [1, 2], [3, 4]])}),
    name="x.zip",
    first=(1, 2),
)

# sound ----------------------------------------------------------------------------------------------------------------
for form, sub in (("WAV", "PCM_U8"), ("WAV", "PCM_16"), ("WAV", "PCM_24"), ("WAV", "PCM_32"), ("WAV", "FLOAT"), ("WAV", "DOUBLE"), ("FLAC", "PCM_16"),
                  ("FLAC", "PCM_24"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("RF64", "PCM_16"), ("AIFF", "PCM_16"), ("AU", "PCM_16"), ("CAF", "PCM_16"),
                  ("W64", "PCM_16")):  # fmt: skip
    case(f"SX01 {form} {sub}", "N", lambda form=form, sub=sub: saved(lambda b: soundfile.write(b, tone(1.0, 8000), 8000, format=form, subtype=sub)),
         "short-time Fourier", name="x.wav", kind="audio")  # fmt: skip
case(
    "SX02 six channels",
    "N",
    lambda: saved(lambda b: soundfile.write(b, np.stack([tone(1.0, 8000)] * 6, 1), 8000, format="WAV")),
    "6 channels",
    name="x.wav",
)
case(
    "SX03 cut off",
    "X",
    lambda: saved(lambda b: soundfile.write(b, tone(1.0, 8000), 8000, format="FLAC"))[:2000],
    "damaged or cut off",
    name="x.flac",
)


# networks -------------------------------------------------------------------------------------------------------------
def graphml(graph: Any) -> bytes:
    """Return GraphML written by NetworkX."""
    return saved(lambda buffer: nx.write_graphml(graph, buffer))


ARROWS = nx.DiGraph()
ARROWS.add_weighted_edges_from([("a", "b", 2.5), ("b", "c", 1.5), ("c", "a", 3), ("a", "c", 1)])
PARALLEL = nx.MultiDiGraph()
PARALLEL.add_weighted_edges_from([("a", "b", 2), ("a", "b", 3), ("b", "c", 1)])
ENEMIES = nx.Graph([("a", "b", {"weight": -2.0}), ("b", "c", {"weight": 1.0})])
KARATE = nx.Graph(nx.karate_club_graph())
case(
    "WX01 karate",
    "N",
    lambda: graphml(KARATE),
    "34 nodes and 78 weighted links",
    name="x.graphml",
    kind="network",
    labels=("club",),
    first=(0, 4, 5, 3),
)
case(
    "WX01b karate as GML",
    "N",
    lambda: "\n".join(nx.generate_gml(KARATE)),
    "34 nodes and 78 weighted",
    name="x.gml",
    first=(0, 4, 5, 3),
)
case(
    "WX02 directed",
    "N",
    lambda: graphml(ARROWS),
    "both directions",
    name="x.graphml",
    first=(0, 2.5, 4),
    rows=("a", "b", "c"),
)
case(
    "WX02b directed GML",
    "N",
    lambda: "\n".join(nx.generate_gml(ARROWS)),
    "both directions",
    name="x.gml",
    first=(0, 2.5, 4),
)
case("WX03 parallel links", "N", lambda: graphml(PARALLEL), "2 weighted links", name="x.graphml", first=(0, 5, 0))
case(
    "WX03b parallel GML",
    "N",
    lambda: "\n".join(nx.generate_gml(PARALLEL)),
    "2 weighted links",
    name="x.gml",
    first=(0, 5, 0),
)
case("WX04 negative weights", "A", lambda: graphml(ENEMIES), "2 cells are negative", name="x.graphml")
case(
    "WX05 Pajek",
    "N",
    '*Vertices 3\n1 "a"\n2 "b"\n3 "c"\n*Arcs\n1 2 1.5\n2 3 2\n',
    "3 nodes and 2 weighted",
    name="x.net",
    rows=("a", "b", "c"),
    first=(0, 1.5, 0),
)
case(
    "WX06 node-link",
    "N",
    lambda: json.dumps(nx.node_link_data(ARROWS)),
    "3 weighted links",
    name="x.json",
    first=(0, 2.5, 4),
)
case(
    "WX06b lists of neighbours",
    "N",
    lambda: json.dumps(nx.adjacency_data(ARROWS)),
    "3 weighted links",
    name="x.json",
    first=(0, 2.5, 4),
)
case(
    "WX07 adjacency with labels",
    "N",
    lambda: nx.to_pandas_adjacency(nx.Graph(ARROWS)).to_csv(),
    "network of 3 nodes",
    kind="network",
    rows=("a", "b", "c"),
)
case(
    "WX07b directed adjacency",
    "N",
    lambda: nx.to_pandas_adjacency(ARROWS).to_csv(),
    "directed network",
    kind="table",
    first=(0, 2.5, 1),
)

# found by damaging the files above -------------------------------------------------------------------------------------
case("FX01 line ends of three kinds", "R", "a,b\r\n1,2\r3,4\n5,6\r7,8", shape=(4, 2), first=(1, 2))
case(
    "FX02 broken quotes in the names",
    "X",
    'a,b","2,345"\n"13,456","12,34',
    "quotation mark|at least two|no rows|No numeric",
)
case(
    "FX03 TIFF with a damaged directory",
    "X",
    lambda: drawn(GREY, "TIFF")[:8] + b"\xff" * 60,
    "picture is damaged",
    name="x.tif",
)
