"""From bytes to a labelled matrix: the dispatch that runs inside the child process."""

from __future__ import annotations

import re
import zipfile

from nmf_core.ingest.detect import NAMES, detect
from nmf_core.ingest.limits import Limits, size
from nmf_core.ingest.markers import without_markers
from nmf_core.ingest.names import title
from nmf_core.ingest.progress import Tell, silent
from nmf_core.ingest.raw import Raw
from nmf_core.ingest.reading import Choices, Message, Option, Refused
from nmf_core.ingest.talk import Talk

_HIDDEN = re.compile(r"\.|Thumbs\.db$|desktop\.ini$", re.I)
_ABOUT = re.compile(
    r"(read[ _-]?me|licen[cs]e|copying|changelog|notice|authors|citation|description|about)([ ._-].*)?$|.*\.(md|pdf|html?|rst|docx?)$",
    re.I,
)


def understand(
    data: bytes | memoryview, name: str, choices: Choices, limits: Limits, progress: Tell = silent
) -> tuple[Raw | None, Talk, Message | None]:
    """Parse a file in this process. Crashes of readers are the caller's business: see `sandbox`.

    Returns
    -------
    raw : Raw or None
        None when the file is refused.
    talk : Talk
        With the notes and questions.
    message : Message or None
        Why it is refused.
    """
    talk = Talk(choices, limits, progress)
    try:
        raw = without_markers(parse(data, name, talk), talk)
        return raw.with_(name=title(name)), talk, None
    except Refused as refused:
        return None, talk, refused.message
    except MemoryError:
        return (
            None,
            talk,
            Message(
                "memory",
                f"The file needs more than the {size(limits.memory)} of memory allowed",
                hint="Keep the rows and columns you need",
            ),
        )
    except RecursionError:
        return None, talk, Message("damaged", "The file is nested too deeply", hint="Save it as CSV")
    except Exception as error:  # a reader's surprise is an answer, too
        return (
            None,
            talk,
            Message(
                "damaged",
                f"The file could not be read as {NAMES.get(talk.format, talk.format or 'data')}: it is damaged or written in an unusual way",
                type(error).__name__,
                "Save it again, for example as CSV in UTF-8",
            ),
        )


def parse(data: bytes | memoryview, name: str, talk: Talk, depth: int = 0) -> Raw:
    """Dispatch on the format; archives come back here with what they hold."""
    if not len(data):
        raise Refused("empty", "The file is empty (0 bytes)", hint="Choose a file with rows and columns")
    if depth > 3:
        raise Refused("nested", "The file is packed more than three times", hint="Unpack it and try again")
    kind = detect(data)
    talk.format = NAMES.get(kind, kind)
    if kind in ("gz", "bz2", "xz"):
        from nmf_core.ingest.archive import gunzip, unpack_other

        unpacked = gunzip(data, talk) if kind == "gz" else unpack_other(data, talk, kind)
        return parse(unpacked, name.rsplit(".", 1)[0], talk, depth + 1)
    if kind == "zip":
        return _zip(data, name, talk, depth)
    if kind == "tar":
        from nmf_core.ingest.archive import zip_of_tar

        return _zip(zip_of_tar(data, talk), name, talk, depth)
    if kind == "npy":
        from nmf_core.ingest.arrays import read_npy

        return read_npy(data, talk)
    if kind == "ole":
        return _ole(data, talk)
    if kind in ("parquet", "arrow", "arrow-stream"):
        from nmf_core.ingest.columnar import read_columnar

        return read_columnar(data, talk, parquet=kind == "parquet")
    if kind == "text":
        return _text(data, name, talk)
    if kind == "mtx":
        from nmf_core.ingest.matrix_market import read_matrix_market

        return read_matrix_market(data, talk)
    if kind == "json":
        from nmf_core.ingest.json_records import read_json

        return read_json(data, talk)
    if kind in ("graphml", "gexf", "gml", "pajek"):
        from nmf_core.ingest.networks import read_gexf, read_gml, read_graphml, read_pajek

        return {"graphml": read_graphml, "gexf": read_gexf, "gml": read_gml, "pajek": read_pajek}[kind](data, talk)
    if kind == "image":
        from nmf_core.ingest.pictures import read_picture

        return read_picture(data, name, talk)
    if kind == "audio":
        from nmf_core.ingest.sounds import read_sound

        return read_sound(data, talk)
    if kind == "hdf5":
        from nmf_core.ingest.annotated import read_h5ad

        return read_h5ad(data, talk)
    raise Refused(
        "format", f"{NAMES.get(kind, kind)} files are not read", hint="Save the data as CSV, Excel, Parquet or NPZ"
    )


def _zip(data: bytes | memoryview, name: str, talk: Talk, depth: int) -> Raw:
    from nmf_core.ingest.archive import open_zip, read_member

    archive = open_zip(data, talk)
    names = {info.filename for info in archive.infolist()}
    low = {n.lower().lstrip("/") for n in names}
    if low & {"xl/workbook.xml", "xl/workbook.bin"} or "content.xml" in low:
        from nmf_core.ingest.excel import read_workbook
        from nmf_core.ingest.table import arrange

        talk.format = NAMES["workbook"]
        return arrange(read_workbook(data, talk), talk)
    if low & {"word/document.xml", "ppt/presentation.xml"}:
        raise Refused("not-data", "This is a text document or a presentation", hint="Save the table as CSV or Excel")
    if names and all(n.endswith(".npy") for n in names):
        from nmf_core.ingest.arrays import read_npz

        talk.format = NAMES["npz"]
        return read_npz(data, talk)
    members = [
        i
        for i in archive.infolist()
        if not i.is_dir() and "__MACOSX" not in i.filename and not _HIDDEN.match(i.filename.rsplit("/", 1)[-1])
    ]
    members = _not_too_many(members, archive, talk)
    if not members:
        raise Refused("empty", "The archive is empty", hint="Choose an archive that holds data")
    if len(members) == 1:
        return parse(read_member(archive, members[0], talk), members[0].filename, talk, depth + 1)
    return _members(archive, members, talk, depth)


def _not_too_many(members: list[zipfile.ZipInfo], archive: zipfile.ZipFile, talk: Talk) -> list[zipfile.ZipInfo]:
    """Return the members, or every k-th of them where there are too many pictures or texts and a sample is wanted."""
    n, most = len(members), talk.limits.members
    if n <= most:
        return members
    text = f"The archive holds {n:,} files; the limit is {most:,}"
    kinds = {i.filename.lower().rsplit(".", 1)[-1] for i in members[:most]}
    if len(kinds) > 3 or not (kinds & {"txt", "md"} or _kind_of(archive, members[0]) == "image"):
        raise Refused("too-many-members", text, hint="Pack fewer files")
    from nmf_core.ingest.sample import every

    return members[:: every(-(-n // most), n, "file", text, talk, code="too-many-members")]


def _members(archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], talk: Talk, depth: int) -> Raw:
    """Take many pictures or many texts together; else ask which file is wanted."""
    from nmf_core.ingest.archive import read_member

    pictures = [i for i in members if _kind_of(archive, i) == "image"]
    texts = [i for i in members if i.filename.lower().endswith((".txt", ".md"))]
    if len(pictures) > 1 and len(pictures) >= 0.5 * len(members):
        from nmf_core.ingest.pictures import read_pictures

        talk.format = "pictures"
        _note_rest(len(members) - len(pictures), talk)
        return read_pictures([i.filename for i in pictures], lambda k: read_member(archive, pictures[k], talk), talk)
    if len(texts) > 1 and len(texts) >= 0.5 * len(members):
        from nmf_core.ingest.documents import read_texts

        talk.format = "texts"
        _note_rest(len(members) - len(texts), talk)
        return read_texts([(i.filename, read_member(archive, i, talk)) for i in texts], talk)
    parts = _ten_x(members)
    if parts is not None:
        from nmf_core.ingest.matrix_market import read_named

        talk.format = NAMES["mtx"]
        matrix, features, barcodes = (_unpacked(archive, info, talk) for info in parts)
        return read_named(matrix, features, barcodes, talk)
    options = [Option(i.filename, f"{i.filename[:80]} ({size(i.file_size)})", i.file_size) for i in members]
    data = [i for i in members if not _ABOUT.match(i.filename.rsplit("/", 1)[-1])] or members
    largest = max(data, key=lambda i: i.file_size)
    chosen = talk.ask(
        "member", "Which file of the archive holds the data?", options, largest.filename, required=len(data) > 1
    )
    if len(data) == 1:
        talk.note("member", f"{data[0].filename[:80]} was read; the other files only describe it.", "member")
    info = next(i for i in members if i.filename == chosen)
    return parse(read_member(archive, info, talk), info.filename, talk, depth + 1)


def _ten_x(members: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo] | None:
    """Return matrix, names of its rows and names of its columns, as Cell Ranger and others save them side by side."""
    found = []
    for pattern in (r"matrix\.mtx", r"(features|genes)\.(tsv|txt|csv)", r"(barcodes|cells)\.(tsv|txt|csv)"):
        fitting = [i for i in members if re.search(rf"(^|[/_.-]){pattern}(\.gz)?$", i.filename, re.I)]
        if len(fitting) != 1:
            return None
        found += fitting
    return found


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, talk: Talk) -> bytes:
    from nmf_core.ingest.archive import gunzip, read_member

    data = read_member(archive, info, talk)
    return gunzip(data, talk) if data[:2] == b"\x1f\x8b" else data


def _kind_of(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> str:
    try:
        with archive.open(info) as file:
            return detect(file.read(512))
    except Exception:  # a damaged member is no picture; reading it will say so
        return ""


def _note_rest(k: int, talk: Talk) -> None:
    if k:
        talk.note("members-left-out", f"{k} other file{'s' * (k > 1)} of the archive left out.")


def _text(data: bytes | memoryview, name: str, talk: Talk) -> Raw:
    from nmf_core.ingest.decode import to_utf8
    from nmf_core.ingest.delimited import read_delimited
    from nmf_core.ingest.documents import looks_like_prose, read_text
    from nmf_core.ingest.long_csv import read_long
    from nmf_core.ingest.survey import first_lines, survey
    from nmf_core.ingest.table import arrange

    body = to_utf8(data, talk)
    _note_disguise(name, talk)
    options = [Option("text", "running text: documents and words"), Option("table", "a table")]
    prose = looks_like_prose(first_lines(body))
    wanted = prose or talk.choices.get("text_or_table") == "text"
    if wanted and talk.ask("text_or_table", "What does the file hold?", options, "text", required=False) == "text":
        talk.format = "text"
        return read_text(body, talk)
    try:
        found = survey(body, talk)
        long, settled = read_long(found, talk)
        return long if long is not None else arrange(read_delimited(found, talk), talk, plain=settled)
    except Refused as refused:
        if refused.message.code == "no-numbers" and not prose:  # words alone: a table to the eye, a text for the asking
            talk.ask("text_or_table", "What does the file hold?", options, "table", required=False)
        raise


def _ole(data: bytes | memoryview, talk: Talk) -> Raw:
    from nmf_core.ingest.excel import protected, read_workbook
    from nmf_core.ingest.table import arrange

    head = bytes(data)
    if "EncryptedPackage".encode("utf-16-le") in head or b"EncryptedPackage" in head:
        raise protected()
    talk.format = NAMES["workbook"]
    return arrange(read_workbook(data, talk), talk)


def _note_disguise(name: str, talk: Talk) -> None:
    ending = name.lower().rsplit(".", 1)[-1] if "." in name else ""
    if ending in (
        "xlsx",
        "xls",
        "xlsm",
        "ods",
        "parquet",
        "npy",
        "npz",
        "feather",
        "h5ad",
        "zip",
        "gz",
        "png",
        "jpg",
        "wav",
    ):
        talk.note("disguise", f"The name ends in .{ending}, but the file is plain text and was opened as a text table.")
