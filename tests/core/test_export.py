"""What is taken along can be read back, repeated, and trusted."""

import ast
import csv
import io
import json
import re
import subprocess
import sys
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from nmf_core import FitRequest, fit, load_dataset
from nmf_core.components import SCALES, Identity, drop_start, present
from nmf_core.export import (
    ArchiveError,
    data_csv,
    features_csv,
    frame_csv,
    html_report,
    load_bundle,
    model_csv,
    notebook,
    python_script,
    result_from_npz,
    result_npz,
    samples_csv,
    save_bundle,
    sklearn_obstacle,
    sklearn_script,
    trace_csv,
)
from nmf_core.export.npy import array_bytes, array_from, json_bytes, pack, unpack
from nmf_core.export.tables import exact, matrix_csv, safe
from nmf_core.ingest.prepare import prepare
from nmf_core.ingest.raw import Raw
from nmf_core.ingest.steps import DropEmpty, Negative, ScaleColumns
from nmf_core.types import Dataset, Stop

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def iris():
    data = load_dataset("iris")
    request = FitRequest(dataset_id=data.id, rank=3, solver="cd", init="random", seed=3, max_iter=60, n_restarts=2)
    result = fit(data, request)
    return data, result, present(data, result, "W·D·H")


def read_csv(text):
    return list(csv.reader(io.StringIO(text)))


def columns(text, *names):
    """Return columns of numbers, parsed exactly."""
    head, *body = read_csv(text)
    at = [head.index(name) for name in names]
    return np.array([[float(row[j]) for j in at] for row in body])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_csv_gives_back_the_very_same_numbers(dtype):
    rng = np.random.default_rng(0)
    values = (rng.random((40, 5)) * 10.0 ** rng.integers(-300 if dtype is np.float64 else -30, 30, (40, 5))).astype(
        dtype
    )
    text = matrix_csv(values, range(40), "abcde")
    again = np.array([[float(cell) for cell in row[1:]] for row in read_csv(text)[1:]]).astype(dtype)
    np.testing.assert_array_equal(again, values)


def test_every_csv_holds_what_its_name_says(iris):
    data, result, parts = iris
    W = samples_csv(data, parts)
    assert read_csv(W)[0] == ["sample", "species", "dominant component", "Part 1", "Part 2", "Part 3"]
    assert read_csv(W)[1][:2] == ["setosa 1", "setosa"]
    np.testing.assert_array_equal(columns(W, *parts.names), parts.W)
    H = features_csv(data, parts)
    assert [row[0] for row in read_csv(H)[1:]] == list(parts.names)
    np.testing.assert_array_equal(columns(H, "weight")[:, 0], parts.weights)
    np.testing.assert_array_equal(columns(H, *data.cols), parts.H)
    np.testing.assert_allclose(columns(model_csv(data, parts), *data.cols), result.W @ result.H, rtol=1e-12)
    np.testing.assert_array_equal(columns(data_csv(data), *data.cols), data.X)
    restart, best, iteration, seconds, loss = columns(
        trace_csv(result), "restart", "best", "iteration", "seconds", "loss"
    ).T
    np.testing.assert_array_equal(loss[best == 1], result.trace.loss)
    np.testing.assert_array_equal(seconds[best == 1], result.trace.seconds)
    np.testing.assert_array_equal(iteration[best == 1], np.arange(result.n_iter + 1))
    assert set(restart) == {1, 2}


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1", "|x", "-abc"]
)
def test_formulas_are_disarmed_everywhere(text):
    assert safe(text).startswith("'")
    data = Dataset.of(np.ones((3, 2)), text, rows=[text, "b", "c"], cols=[text, "d"], labels={text: [text, "x", None]})
    result = fit(data, FitRequest(rank=1, max_iter=3))
    parts = present(data, result, identity=Identity(names=((0, text),)))
    for written in (
        samples_csv(data, parts),
        features_csv(data, parts),
        model_csv(data, parts),
        data_csv(data),
        frame_csv(pd.DataFrame({text: [text]})),
    ):
        for row in read_csv(written):
            for cell in row:
                assert cell[:1] not in ("=", "+", "@", "\t", "\r", "|", "＝")
                assert not re.match(r"\s*[=@|]|-[^\d.]", cell)


def test_ordinary_names_and_negative_numbers_stay_as_they_are():
    for text in ("petal length", "-3.5", "+7", "-1e-5", "ALL_1", "3'UTR", 'say "hi", you'):
        assert safe(text) == text
    assert exact(float("nan")) == ""
    assert exact(np.float64(0.1)) == "0.1"
    assert exact(np.int64(7)) == "7"


def test_tables_with_missing_and_sparse_cells():
    holes = Dataset.of(np.array([[1.0, np.nan], [0.5, 2.0]]))
    assert read_csv(data_csv(holes))[1] == ["r1", "1.0", ""]
    sparse = Dataset.of(sp.csr_array(np.array([[0.0, 2.0], [1.0, 0.0]])))
    assert read_csv(data_csv(sparse))[1] == ["r1", "0.0", "2.0"]
    assert frame_csv(pd.DataFrame({"a": [1.5, np.nan], "b": ["x", None]})) == "a,b\n1.5,x\n,\n"


def test_a_csv_of_absurd_size_is_refused_with_advice():
    class Huge:
        shape = (10_000_000, 20)

    with pytest.raises(ValueError, match="NPZ"):
        matrix_csv(Huge(), [], [])


@pytest.mark.parametrize("scale", SCALES)
def test_npz_is_read_by_numpy_alone_and_gives_the_result_back(iris, scale):
    data, result, _ = iris
    identity = Identity().rename(1, "Blätter <b>")
    parts = present(data, result, scale, identity)
    written = result_npz(data, result, parts, identity)
    assert written == result_npz(data, result, parts, identity)
    with np.load(io.BytesIO(written), allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["W"], parts.W)
        np.testing.assert_allclose(
            archive["W"] @ np.diag(archive["weights"]) @ archive["H"], result.W @ result.H, rtol=1e-12
        )
        assert archive["rows"].tolist() == data.rows.tolist()
        assert archive["components"].tolist() == list(parts.names)
        about = json.loads(str(archive["about"]))
    assert about["dataset"]["id"] == data.id
    again, _ = result_from_npz(written)
    np.testing.assert_array_equal(again.W, result.W)
    np.testing.assert_array_equal(again.H, result.H)
    assert (again.request, again.stop, again.best) == (result.request, result.stop, result.best)
    assert again.versions == dict(result.versions)
    for one, other in zip(again.restarts, result.restarts, strict=True):
        np.testing.assert_array_equal(one.loss, other.loss)
        np.testing.assert_array_equal(one.seconds, other.seconds)


def datasets():
    rng = np.random.default_rng(4)
    X = rng.random((12, 7)) * (rng.random((12, 7)) > 0.5)
    X[0] = X[:, 0] = 1
    yield Dataset.of(X, "dense <i>", labels={"a": np.arange(12), "b": np.array(["x", None] * 6, dtype=object)})
    yield Dataset.of(
        X.astype(np.float32), "single", kind="images", cell_shape=(7, 1), extra={"peak": np.arange(3), "s": 1}
    )
    yield Dataset.of(np.where(X > 0.8, np.nan, X), "holes", notes=("a note",), steps=({"step": "x", "learned": [1.5]},))
    yield Dataset.of(sp.csr_array(X), "sparse", kind="text")
    yield Dataset.of(sp.csr_array(X.astype(np.float32)), "ratings", mask="unstored", kind="ratings")


@pytest.mark.parametrize("data", list(datasets()), ids=lambda d: d.name)
def test_bundle_gives_data_and_result_back(data):
    request = FitRequest(dataset_id=data.id, rank=2, solver="mu", init="random", max_iter=5)
    result = fit(data, request)
    identity = Identity().rename(0, "one").hide(1)
    written = save_bundle(data, result, scale="max 1", identity=identity, source={"csv": "x.csv"})
    assert written == save_bundle(data, result, scale="max 1", identity=identity, source={"csv": "x.csv"})
    bundle = load_bundle(written)
    assert bundle.dataset.id == data.id
    assert (bundle.dataset.name, bundle.dataset.kind, bundle.dataset.cell_shape) == (
        data.name,
        data.kind,
        data.cell_shape,
    )
    assert bundle.dataset.notes == data.notes
    assert [dict(s) for s in bundle.dataset.steps] == [dict(s) for s in data.steps]
    assert list(bundle.dataset.labels) == list(data.labels)
    assert set(bundle.dataset.extra) == set(data.extra)
    assert bundle.source == {"csv": "x.csv"}
    np.testing.assert_array_equal(bundle.result.H, result.H)
    parts, before = bundle.parts(), present(data, result, "max 1", identity)
    assert parts.names == before.names
    assert parts.hidden.tolist() == before.hidden.tolist()
    np.testing.assert_array_equal(parts.W, before.W)
    small = load_bundle(save_bundle(data, result, include_data=False))
    assert small.dataset is None
    assert small.parts(data).rank == 2
    with pytest.raises(ValueError, match="holds no data"):
        small.parts()
    other = Dataset.of(np.ones(data.shape))
    with pytest.raises(ValueError, match="belongs to other data"):
        small.parts(other)


def changed(written, **members):
    with zipfile.ZipFile(io.BytesIO(written)) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    for name, data in members.items():
        name = name.replace("__", ".")
        if data is None:
            content.pop(name)
        else:
            content[name] = data(content.get(name, b"")) if callable(data) else data
    return pack(content)


def remade(written, name, data):
    """Change a member and its checksum too, as an attacker would."""
    import hashlib

    def manifest(old):
        values = json.loads(old)
        values["members"][name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        return json_bytes(values)

    return changed(written, **{name.replace(".", "__"): data, "manifest__json": manifest})


def test_damaged_and_foreign_bundles_are_refused_in_a_sentence(iris):
    data, result, _ = iris
    good = save_bundle(data, result)
    bad = {
        "empty": b"",
        "not a zip": b"hello",
        "cut off": good[: len(good) // 2],
        "foreign member": changed(good, evil__txt=b"x"),
        "path": changed(good, **{"../x": b"x"}),
        "no manifest": changed(good, manifest__json=None),
        "no result": changed(good, result__npz=None),
        "other json": changed(good, manifest__json=b"[]"),
        "no json": changed(good, manifest__json=b"\xff\xfe"),
        "nan": changed(good, manifest__json=lambda old: old.replace(b'"schema": 1', b'"schema": NaN')),
        "later schema": changed(good, manifest__json=lambda old: old.replace(b'"schema": 1', b'"schema": 2')),
        "changed request": changed(good, request__json=b"{}"),
        "changed data": changed(good, data__npz=lambda old: old + b"x"),
        "bad scale": changed(good, manifest__json=lambda old: old.replace(b"as fitted", b"as wished")),
        "bad identity": changed(
            good, manifest__json=lambda old: old.replace(b'"identity": {}', b'"identity": {"x": 1}')
        ),
        "other fingerprint": changed(good, manifest__json=lambda old: old.replace(data.id.encode(), b"0" * 24)),
        "request differs": remade(good, "request.json", json_bytes({"rank": 2})),
        "result is no archive": remade(good, "result.npz", b"x"),
        "data without X": remade(good, "data.npz", pack({"about.npy": array_bytes(np.array("{}"))})),
    }
    for name, written in bad.items():
        with pytest.raises(ArchiveError) as caught:
            load_bundle(written)
        assert len(str(caught.value)) > 20, name
        assert "Traceback" not in str(caught.value)


def test_every_single_damaged_byte_is_noticed_or_harmless(iris):
    data, result, _ = iris
    good = save_bundle(data, result)
    want = load_bundle(good)
    rng = np.random.default_rng(0)
    for position in rng.integers(0, len(good), 150):
        hurt = bytearray(good)
        hurt[position] ^= 0x41
        try:
            found = load_bundle(bytes(hurt))
        except ArchiveError:
            continue
        np.testing.assert_array_equal(found.result.W, want.result.W)
        assert found.dataset.id == data.id


def test_results_that_contradict_themselves_are_refused(iris):
    data, result, parts = iris
    good = result_npz(data, result, parts)
    members = unpack(good, None, "x")
    about = json.loads(str(array_from(members["about.npy"])))

    def with_(**arrays):
        return pack({**members, **{f"{k}.npy": array_bytes(np.asarray(v)) for k, v in arrays.items()}})

    bad = [
        with_(W_fitted=result.W[:, :2]),
        with_(W_fitted=-result.W),
        with_(H_fitted=np.full_like(result.H, np.nan)),
        with_(H_fitted=np.ones(3)),
        with_(loss=[1.0]),
        with_(restart_lengths=[]),
        with_(about=json.dumps({**about, "best": 9})),
        with_(about=json.dumps({**about, "stop": "LUNCH"})),
        with_(about=json.dumps({**about, "request": {"rank": -1}})),
        with_(about=json.dumps({**about, "format": "other"})),
        pack({"about.npy": members["about.npy"]}),
    ]
    for written in bad:
        with pytest.raises(ArchiveError):
            result_from_npz(written)


def test_no_pickle_and_no_giant_is_read():
    evil = io.BytesIO()
    np.save(evil, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ArchiveError, match="only numbers and text"):
        array_from(evil.getvalue())
    with pytest.raises(ValueError, match="without pickle"):
        array_bytes(np.array([object()]))
    honest = array_bytes(np.ones((2, 2)))
    with pytest.raises(ArchiveError, match="cut off"):
        array_from(honest.replace(b"(2, 2)", b"(9, 9)"))
    with pytest.raises(ArchiveError, match="cut off"):
        array_from(honest[:-1])
    with pytest.raises(ArchiveError):
        array_from(b"\x93NUMPY\x01\x00\xff\xff{")
    np.testing.assert_array_equal(
        array_from(array_bytes(np.asfortranarray(np.arange(6.0).reshape(2, 3)))), [[0, 1, 2], [3, 4, 5]]
    )
    assert array_from(array_bytes(np.array(["ä", "bc"]))).tolist() == ["ä", "bc"]


def test_a_bomb_is_not_unpacked(monkeypatch):
    monkeypatch.setattr("nmf_core.export.npy.MOST_BYTES", 10_000)
    with pytest.raises(ArchiveError, match="unpack to more"):
        unpack(pack({"a.npy": b"\0" * 20_000}), None, "x")
    lying = bytearray(pack({"a.npy": b"\0" * 20_000}))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):  # claim to be small, twice
        at = lying.find(signature) + offset
        lying[at : at + 4] = (100).to_bytes(4, "little")
    with pytest.raises(ArchiveError):
        unpack(bytes(lying), None, "x")


def run_script(text, folder, *arguments):
    path = folder / "analysis.py"
    path.write_text(text, encoding="utf-8")
    environment = {
        "PYTHONPATH": str(ROOT),
        "PATH": "",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "HOME": str(folder),
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", str(path), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_python_script_repeats_a_built_in_analysis(iris, tmp_path):
    data, result, _ = iris
    identity = Identity().rename(0, 'it\'s "quoted"\n')
    text = python_script(data, result, source={"builtin": "iris"}, scale="max 1", identity=identity)
    shown = run_script(text, tmp_path)
    assert "The loss is the one seen in NMF Explorer" in shown
    assert "it's" in shown


def test_python_script_repeats_an_upload_from_bundle_and_from_csv(tmp_path):
    rng = np.random.default_rng(1)
    names = ['a"', "b'\\", "c\n<", "=d", "e", "f"]
    data = Dataset.of(rng.random((20, 6)).round(3), '"""x\n# y', cols=names)
    result = fit(
        data, FitRequest(dataset_id=data.id, rank=2, solver="mu", loss="kullback-leibler", init="random", max_iter=20)
    )
    (tmp_path / "bundle.zip").write_bytes(save_bundle(data, result))
    assert "the one seen" in run_script(python_script(data, result), tmp_path)
    pd.DataFrame(data.X, index=data.rows, columns=data.cols).to_csv(tmp_path / "mine.csv")
    assert "the one seen" in run_script(python_script(data, result, source={"csv": "mine.csv"}), tmp_path)


def test_scripts_give_what_is_left_after_a_part_was_dropped(tmp_path):
    data = load_dataset("wine")
    whole = fit(data, FitRequest(dataset_id=data.id, rank=4, init="random", seed=1, max_iter=60))
    request, W, H = drop_start(whole, [2])
    result = fit(data, request, W=W, H=H)
    identity = Identity().rename(1, "acids").merge([0, 2])
    shown = present(data, result, "max 1", identity)
    (tmp_path / "wine.zip").write_bytes(save_bundle(data, result, identity=identity, source={"builtin": "wine"}))
    for source in ({"bundle": "wine.zip"}, {"builtin": "wine", "saved": "wine.zip"}):
        text = python_script(data, result, source=source, scale="max 1", identity=identity)
        said = run_script(text + 'np.savez("out.npz", W=W, H=H)\n', tmp_path)
        assert "The relative error is the one seen in NMF Explorer" in said
        assert "acids" in said
        found = np.load(tmp_path / "out.npz")
        np.testing.assert_allclose(found["W"], shown.recipe, rtol=1e-12)
        np.testing.assert_allclose(found["H"], shown.H, rtol=1e-12)


def test_scripts_repeat_the_preparation(tmp_path):
    rng = np.random.default_rng(2)
    table = pd.DataFrame(rng.normal(1, 1, (25, 5)).round(3), columns=list("abcde"), index=[f"s{i}" for i in range(25)])
    table.insert(0, "group", ["x", "y"] * 12 + ["x"])
    table["c"] = 0.0
    table.to_csv(tmp_path / "mine.csv")
    raw = Raw(table[list("abcde")].to_numpy(), table.index.to_numpy(str), np.array(list("abcde")), name="mine")
    prepared = prepare(raw, [Negative(how="clip"), DropEmpty(), ScaleColumns(how="max")])
    data = prepared.dataset
    result = fit(data, FitRequest(dataset_id=data.id, rank=2, solver="hals", init="random", max_iter=15))
    text = python_script(data, result, source={"csv": "mine.csv"})
    assert "np.maximum(X, 0.0)" in text
    assert "the one seen" in run_script(text, tmp_path)
    iris = load_dataset("iris")
    data = prepare(iris, [ScaleColumns(how="max")]).dataset
    result = fit(data, FitRequest(dataset_id=data.id, rank=2, solver="cd", init="random", max_iter=15))
    assert "the one seen" in run_script(python_script(data, result, source={"builtin": "iris"}), tmp_path)
    shown = run_script(sklearn_script(data, result, source={"builtin": "iris"}), tmp_path)
    assert float(re.search(r"loss without penalties: (\S+)", shown)[1]) == pytest.approx(result.loss, rel=1e-9)


def test_another_bundle_can_be_named(tmp_path):
    data = Dataset.of(np.random.default_rng(0).random((6, 4)))
    result = fit(data, FitRequest(dataset_id=data.id, rank=2, max_iter=5))
    (tmp_path / "other.zip").write_bytes(save_bundle(data, result))
    assert "the one seen" in run_script(python_script(data, result), tmp_path, "other.zip")


def test_scripts_are_valid_python_whatever_the_names(iris):
    data, result, _ = iris
    nasty = Dataset.of(data.X, "''' \"\"\" \\ \n\r import os", cols=["\\", "'", '"', "\n"])
    for source in ({"builtin": "iris"}, {"csv": "a'\\\n.csv"}, {"bundle": 'b"\n.zip'}, None):
        ast.parse(python_script(nasty, result, source=source))
        ast.parse(sklearn_script(nasty, fit(nasty, FitRequest(rank=2, solver="cd", max_iter=2)), source=source))


def test_scikit_learn_script_reaches_the_same_loss(tmp_path):
    data = load_dataset("iris")
    for loss, solver in (("frobenius", "cd"), ("kullback-leibler", "mu")):
        request = FitRequest(
            dataset_id=data.id, rank=2, solver=solver, loss=loss, init="random", seed=1, max_iter=40, tol=1e-3
        )
        result = fit(data, request)
        assert sklearn_obstacle(data, result) == ""
        shown = run_script(sklearn_script(data, result, source={"builtin": "iris"}), tmp_path)
        found = float(re.search(r"loss without penalties: (\S+)", shown)[1])
        assert found == pytest.approx(result.loss, rel=1e-9)


def test_what_scikit_learn_cannot_do_is_said(iris):
    data, _, _ = iris
    changes = [
        ({"solver": "hals"}, "no solver"),
        ({"init": "kmeans"}, "no initialization"),
        ({"options": (("x", 1),)}, "Options"),
    ]
    for change, words in changes:
        other = fit(data, FitRequest(rank=2, solver="cd", max_iter=2))
        object.__setattr__(other, "request", other.request.with_(**change))
        assert words in sklearn_obstacle(data, other)
        with pytest.raises(ValueError, match=words):
            sklearn_script(data, other)
    holes = Dataset.of(np.where(data.X > 6, np.nan, data.X))
    assert "missing" in sklearn_obstacle(
        holes, other if False else fit(data, FitRequest(rank=2, solver="cd", max_iter=2))
    )


def test_a_run_cut_short_is_repeated_with_the_iterations_it_had(iris):
    data, _, _ = iris
    result = fit(data, FitRequest(dataset_id=data.id, rank=2, solver="mu", max_iter=7, tol=0, time_limit=100.0))
    object.__setattr__(result, "stop", Stop.CANCELLED)
    text = python_script(data, result, source={"builtin": "iris"})
    assert "max_iter=7" in text
    assert "cut short" in text
    assert "time_limit" not in text


def test_notebook_is_valid_and_its_code_compiles(iris):
    data, result, _ = iris
    book = json.loads(notebook(data, result, source={"builtin": "iris"}))
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in book["cells"]]
    assert len(ids) == len(set(ids))
    code = ["".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == "code"]
    ast.parse("\n".join(code))
    assert len(code) == 6
    assert {"cell_type", "id", "metadata", "source"} <= set(book["cells"][0])


class Outline(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.texts, self.images, self.links = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        attrs = dict(attrs)
        if attrs.get("role") == "img":
            self.images.append(attrs["aria-label"])
        self.links += [attrs[name] for name in ("href", "src") if name in attrs]

    def handle_data(self, data):
        self.texts.append(data)


def test_report_stands_alone_and_below_its_limit(iris):
    data, result, parts = iris
    page = html_report(data, result, parts, rows_are="flowers", cols_are="measurements")
    assert len(page.encode()) < 5_000_000
    outline = Outline()
    outline.feed(page)
    assert outline.links == []  # nothing to fetch
    assert "default-src 'none'" in page
    assert len(outline.images) == 9
    assert all(len(alt) > 40 for alt in outline.images)
    assert outline.tags.count("script") == 3
    figures = json.loads(re.search(r'id="figures">(.*?)</script>', page, re.S)[1])
    assert list(figures) == [f"picture-{i}" for i in range(9)]
    assert all(figure["data"] or figure["layout"]["images"] for figure in figures.values())
    text = " ".join(outline.texts)
    for expected in ("Relative error", "150 flowers × 4 measurements", "virginica 150", data.id, "sepal width"):
        assert expected in text


def test_the_report_names_what_is_hidden_from_its_pictures(iris):
    data, result, parts = iris
    assert "Hidden" not in html_report(data, result, parts)
    identity = Identity().rename(1, "<b>stalks</b>").hide(1)
    page = html_report(data, result, present(data, result, parts.scale, identity))
    outline = Outline()
    outline.feed(page)
    assert "b" not in outline.tags[: outline.tags.index("div")]
    assert "Hidden from the pictures of components, but part of the model: <b>stalks</b>." in "".join(outline.texts)


def test_markup_in_names_stays_text_in_the_report():
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    data = Dataset.of(
        np.random.default_rng(0).random((8, 5)),
        evil,
        rows=[evil] * 8,
        cols=[evil + str(j) for j in range(5)],
        labels={evil: [evil, "b"] * 4},
        notes=(evil,),
    )
    result = fit(data, FitRequest(rank=2, max_iter=5))
    parts = present(data, result, identity=Identity(names=((0, evil),)))
    page = html_report(data, result, parts, rows_are=evil, cols_are=evil)
    outline = Outline()
    outline.feed(page)
    assert "img" not in outline.tags
    assert outline.tags.count("script") == 3
    assert outline.links == []
