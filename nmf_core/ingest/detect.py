"""What a file is: decided by its first bytes, never by its name."""

from __future__ import annotations

import re

from nmf_core.ingest.reading import Refused

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x93NUMPY", "npy"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x1f\x8b", "gz"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"\xff\xff\xff\xff", "arrow-stream"),
    (b"FEA1", "feather1"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"\x89PNG\r\n\x1a\n", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF87a", "image"),
    (b"GIF89a", "image"),
    (b"II*\x00", "image"),
    (b"MM\x00*", "image"),
    (b"II+\x00", "image"),
    (b"MM\x00+", "image"),
    (b"fLaC", "audio"),
    (b"OggS", "audio"),
    (b"FORM", "audio"),
    (b".snd", "audio"),
    (b"caff", "audio"),
    (b"riff.\x91\xcf\x11", "audio"),
    (b"%%MatrixMarket", "mtx"),
)
_REFUSED: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "a PDF document", "Export the table as CSV or Excel"),
    (b"\x7fELF", "a program", "Choose a data file"),
    (b"MZ", "a program", "Choose a data file"),
    (b"Rar!", "a RAR archive", "Pack it as .zip"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "Pack it as .zip"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", "Pack it as .gz or .zip"),
    (
        b"MATLAB 5.0",
        "a MATLAB file",
        "In MATLAB: writematrix(X, 'x.csv'); in Python: scipy.io.loadmat, then numpy.savez",
    ),
    (
        b"MATLAB 7.3",
        "a MATLAB file",
        "In MATLAB: writematrix(X, 'x.csv'); in Python: h5py.File(path)['X'][()].T, then numpy.savez",
    ),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture", "Save it as PNG or JPEG"),
    (b"\0\0\1\0", "an icon", "Save the picture as PNG"),
    (b"8BPS", "a Photoshop picture", "Save it as PNG or JPEG"),
    (b"\x1aE\xdf\xa3", "a film", "Save single pictures as PNG, or the sound as WAV"),
    (b"RDX2", "an R file", "In R: write.csv(x, 'x.csv')"),
    (b"RDX3", "an R file", "In R: write.csv(x, 'x.csv')"),
    (b"X\n\x00\x00", "an R file", "In R: write.csv(x, 'x.csv')"),
    (b"SQLite format 3", "an SQLite database", "Export one table as CSV"),
    (b"ID3", "an MP3 sound", "Save the sound as WAV or FLAC"),
    (b"$FL2", "an SPSS file", "Export the table as CSV"),
    (b"<stata_dta>", "a Stata file", "In Stata: export delimited using x.csv"),
    (b"\0" * 12 + b"\xc2\xea\x81\x60", "a SAS file", "Export the table as CSV"),
    (b"CDF\x01", "a NetCDF file", "In Python: xarray.open_dataset(path)['name'].values, then numpy.save"),
    (b"CDF\x02", "a NetCDF file", "In Python: xarray.open_dataset(path)['name'].values, then numpy.save"),
    (b"SIMPLE  =", "a FITS file", "In Python: astropy.io.fits.getdata(path), then numpy.save"),
    (b"##fileformat=VCF", "a file of genetic variants (VCF)", "Save the genotypes as a table of 0, 1 and 2, as CSV"),
    (b"##TITLE=", "a spectrum in JCAMP-DX", "Save the spectra as a table, as CSV: one row each"),
    (b"BLF", "a binary log", "Export the table as CSV"),
)
_PICKLE = re.compile(rb"\x80[\x02-\x05](\x95|c|\}|\]|\(|q|\x8c|X|K|J|M|G|N)")
_TEXTS: tuple[tuple[bytes, str, str], ...] = (
    (
        rb"(strict\s+)?(di)?graph\b[^\n\[]{0,80}\{",
        "a drawing of a network in DOT",
        "Save the network as GraphML, GML or a list of links",
    ),
    (rb"(%[^\n]*\n|\s)*@relation\b", "an ARFF file", "Save the table as CSV"),
    (
        rb"[+-]?\d+(\.\d+)? +\d+:[-+\d.e]+( +\d+:[-+\d.e]+)*\s*\n",
        "a sparse text format (LIBSVM or LDA-C)",
        "Save the matrix as MatrixMarket or with scipy.sparse.save_npz",
    ),
    (
        rb">[^\n]{1,200}\r?\n[acgtunrykmswbdhv*\-\s]{4,}(>|$)",
        "a file of sequences (FASTA)",
        "Count words of the sequences (k-mers), and save the counts as CSV",
    ),
    (rb"<\?php|#!|import \w+|from \w+ import ", "a program", "Choose a data file"),
)
NAMES = {
    "npy": "NumPy array",
    "npz": "NumPy archive",
    "zip": "ZIP archive",
    "gz": "gzip",
    "bz2": "bzip2",
    "xz": "xz",
    "parquet": "Parquet",
    "arrow": "Arrow/Feather",
    "arrow-stream": "Arrow stream",
    "hdf5": "HDF5",
    "workbook": "workbook",
    "image": "picture",
    "audio": "sound",
    "mtx": "MatrixMarket",
    "json": "JSON",
    "graphml": "GraphML",
    "gexf": "GEXF",
    "tar": "tar archive",
    "feather1": "Feather (version 1)",
    "gml": "GML",
    "pajek": "Pajek",
    "text": "text table",
}


def detect(data: bytes | memoryview) -> str:
    """Return the format the bytes belong to.

    Raises
    ------
    Refused
        For formats that are recognised but not read; the message says what to save instead.
    """
    head = bytes(data[:512])
    for magic, what, hint in _REFUSED:
        if head.startswith(magic):
            raise Refused("not-data", f"This is {what}", hint=hint)
    if head[4:8] == b"ftyp":
        picture = head[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis", b"hevc")
        raise Refused(
            "not-data",
            "This is a HEIC or AVIF picture, as telephones take them"
            if picture
            else "This is a film or a sound in MP4",
            hint="Save it as PNG or JPEG" if picture else "Save the sound as WAV or FLAC, or single pictures as PNG",
        )
    if _PICKLE.match(head):
        raise Refused(
            "pickle",
            "This is a Python pickle, which is never opened",
            hint="Save the array with numpy.save, or a table as CSV",
        )
    if (
        head[:1] == b"\xff"
        and len(head) > 2
        and head[1] & 0xE0 == 0xE0
        and not head.startswith((b"\xff\xd8", b"\xff\xfe", b"\xff\xff"))
    ):
        raise Refused("not-data", "This looks like an MP3 sound", hint="Save the sound as WAV or FLAC")
    if head[257:262] == b"ustar":
        return "tar"
    if head[128:132] == b"DICM":
        raise Refused("not-data", "This is a medical picture in DICOM", hint="Save it as PNG or TIFF")
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if head[:4] in (b"RIFF", b"RIFX", b"RF64"):
        return "audio" if head[8:12] == b"WAVE" else "image"
    if head[:2] in (b"P2", b"P3", b"P5", b"P6") and re.match(rb"P[2356]\s", head):
        return "image"
    if head.startswith(b"BM") and len(head) > 26 and int.from_bytes(head[2:6], "little") in (len(data), 0):
        return "image"
    return _text_kind(_as_utf8(head).lstrip(), data)


def _as_utf8(head: bytes) -> bytes:
    """Return the beginning of a text without its byte order mark, as UTF-8."""
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if head.startswith(mark):
            return head[2:].decode(encoding, "ignore").encode("utf-8", "ignore")
    return head.removeprefix(b"\xef\xbb\xbf")


def _text_kind(head: bytes, data: bytes | memoryview) -> str:
    low = head[:300].lower()
    if low.startswith((b"<!doctype html", b"<html")) or (low.startswith(b"<") and b"<html" in low):
        if b"<table" in bytes(data[: 1 << 16]).lower():
            raise Refused(
                "web-page",
                "This is a web page with a table, as some programs write under the name .xls",
                hint="Open it in a spreadsheet program and save it as .xlsx or CSV; or download the file itself, if this is a login or an error page",
            )
        raise Refused(
            "web-page",
            "This is a web page, not data",
            hint="Download the file itself: the link may have led to a login or an error page",
        )
    if low.startswith((b"<svg", b"<!doctype svg")) or (
        low.startswith(b"<?xml") and b"<svg" in bytes(data[:4096]).lower()
    ):
        raise Refused("not-data", "This is an SVG drawing", hint="Save it as PNG")
    if low.startswith((b"<?xml", b"<graphml")) or low.startswith(b"<"):
        if b"<graphml" in bytes(data[:8192]).lower():
            return "graphml"
        if b"<gexf" in bytes(data[:8192]).lower():
            return "gexf"
        if low.startswith((b"<?xml", b"<!doctype")):
            if b"urn:schemas-microsoft-com:office:spreadsheet" in bytes(data[:8192]):
                raise Refused(
                    "format",
                    "This is a workbook in the XML of Excel 2003",
                    hint="Open it in a spreadsheet program and save it as .xlsx or CSV",
                )
            raise Refused("not-data", "This is an XML document", hint="Save the table as CSV, or a network as GraphML")
    if low.startswith(b"{\\rtf"):
        raise Refused("not-data", "This is a text document in RTF", hint="Save it as plain text")
    if low.startswith((b"{", b"[")) and re.match(rb'(\{\s*("|\})|\[\s*(\[|\{|\]|-?\d|"|t|f|n))', head):
        return "json"
    if re.match(
        rb"(#[^\n]*\n|\s|creator\s[^\n]*\n|version\s[^\n]*\n|comment\s[^\n]*\n)*graph\s*\[", bytes(data[:4096]), re.I
    ):
        return "gml"
    if low.startswith((b"%%matrixmarket", b"%matrixmarket")):  # in any letters, also after a byte order mark
        return "mtx"
    if low.startswith(b"*vertices"):
        return "pajek"
    for pattern, what, hint in _TEXTS:
        if re.match(pattern, low):
            raise Refused("not-data", f"This is {what}", hint=hint)
    return "text"
