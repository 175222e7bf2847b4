"""New rows: the stored steps, H fixed, and sentences when columns do not match."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from nmf_core import Dataset, FitRequest, fit, load_dataset
from nmf_core.components import SCALES, Identity, present
from nmf_core.ingest import read
from nmf_core.ingest.prepare import prepare
from nmf_core.ingest.steps import (
    DropColumns,
    DropEmpty,
    Log,
    MostVariable,
    Negative,
    SampleRows,
    ScaleColumns,
    ScaleRows,
    Transpose,
)
from nmf_core.new_rows import answers_wanted, columns_wanted, match_columns, place, relative_error, usual_error

WINE = load_dataset("wine")


def rows_of(frame: pd.DataFrame):
    """Return what reading a CSV of the frame gives, before anything is prepared."""
    return read(frame.to_csv().encode(), "new.csv", {"layout": "table", "labels": []}, sandbox=False).raw


def frame_of(dataset, rows) -> pd.DataFrame:
    """Return some rows as a table."""
    return pd.DataFrame(np.asarray(dataset.X)[rows], index=dataset.rows[rows], columns=dataset.cols)


def fitted(dataset, **more):
    """Return a tight fit."""
    return fit(dataset, FitRequest(dataset_id=dataset.id, rank=3, max_iter=3000, tol=1e-10, **more))


@pytest.mark.parametrize(
    "asked",
    [
        {"loss": "frobenius"},
        {"loss": "kullback-leibler"},
        {"alpha_W": 0.5, "alpha_H": 0.0, "l1_ratio": 1.0},
        {"alpha_W": 0.5, "alpha_H": 0.0, "l1_ratio": 0.0},
    ],
)
def test_rows_of_the_fit_get_the_w_of_the_fit(asked):
    result = fitted(WINE, **asked)
    found = place(rows_of(frame_of(WINE, slice(0, 30))), WINE, result)
    np.testing.assert_allclose(found.W @ result.H, (result.W @ result.H)[:30], rtol=2e-3)
    assert list(found.names) == list(WINE.rows[:30])
    assert found.notes == ()


@pytest.mark.parametrize(
    "steps",
    [
        (ScaleColumns(how="deviation"), Log()), (MostVariable(n_columns=6), ScaleRows()), (DropColumns(names=("ash", "proline")), ScaleColumns()),
        (SampleRows(n_rows=90, seed=2), ScaleColumns()), (DropEmpty(),),
    ],
)  # fmt: skip
def test_stored_steps_are_applied_with_what_they_learned(steps):
    dataset = prepare(WINE, steps).dataset
    result = fitted(dataset)
    assert list(columns_wanted(dataset)) == list(WINE.cols)
    some = frame_of(WINE, slice(40, 60))
    found = place(rows_of(some), dataset, result)
    whole = prepare(WINE, [s for s in steps if not isinstance(s, SampleRows)])
    if not any(isinstance(s, SampleRows) for s in steps):  # what was learned from all rows, not from these twenty
        np.testing.assert_allclose(found.X, np.asarray(whole.dataset.X)[40:60])
    assert found.X.shape == (20, dataset.shape[1])
    np.testing.assert_allclose(found.error, relative_error(found.X, found.W, result.H))
    assert np.median(found.error) < 2 * usual_error(dataset, result) + 0.02


def test_a_bundle_carries_all_that_new_rows_need():
    from nmf_core.export import load_bundle, save_bundle

    dataset = prepare(WINE, (DropColumns(names=("ash",)), ScaleColumns(how="deviation"), Log())).dataset
    result = fitted(dataset)
    again = load_bundle(save_bundle(dataset, result))
    raw = rows_of(frame_of(WINE, slice(5, 15)))
    np.testing.assert_allclose(place(raw, again.dataset, again.result).W, place(raw, dataset, result).W, rtol=1e-6)
    assert list(columns_wanted(again.dataset)) == list(WINE.cols)


def test_data_prepared_twice_ask_for_the_first_columns_also_when_there_are_as_many_rows():
    few = Dataset.of(WINE.X[:13], cols=WINE.cols)
    dataset = prepare(prepare(few, (DropColumns(names=("ash",)),)).dataset, (SampleRows(n_rows=8),)).dataset
    assert dataset.shape == (8, 12)
    assert list(columns_wanted(dataset)) == list(WINE.cols)


LIMITS = "id,a,b,c,d\n" + "".join(f"r{i},{'<0.5' if i % 3 else 2},{i + 1}.25,{i % 4 + 1},{i % 5}\n" for i in range(12))


def test_answers_about_cells_travel_with_the_data_into_a_bundle_and_through_preparation():
    from nmf_core.export import load_bundle, save_bundle

    dataset = read(LIMITS.encode(), "x.csv", {"bad_cells": "bound", "separator": ","}, sandbox=False).dataset
    prepared = prepare(dataset, (Log(),)).dataset
    again = load_bundle(save_bundle(prepared, fitted(prepared))).dataset
    assert answers_wanted(dataset) == answers_wanted(prepared) == answers_wanted(again) == {"bad_cells": "bound"}
    assert read(b"id,a,b,c,d\nnew,<0.5,2,3,4\n", "n.csv", answers_wanted(again), sandbox=False).raw.X[0, 0] == 0.5


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id,a,b,c\nx,1,-999,3\ny,2,3,4\nz,1,2,-999\nw,1,1,1\n", {"marker": "missing"}),
        ("id;a;b\nx;1.234;2.345\ny;3.456;4.567\nz;5.678;6.789\n", {"numbers": "point-thousands"}),
        ("a,zone,b\n1.5,007,2\n3,012,4\n5,019,6\n", {"codes": "numbers"}),
    ],
)
def test_what_cells_mean_is_remembered_for_new_rows(text, told):
    dataset = read(text.encode(), "x.csv", {**told, "missing": "keep"}, sandbox=False).dataset
    assert answers_wanted(dataset) == told


@pytest.mark.parametrize("told", ["no json", "[1]", '{"bad_cells": 3, "evil": "x"}', "null"])
def test_answers_that_a_stranger_wrote_into_a_bundle_are_looked_at(told):
    assert answers_wanted(WINE.with_(extra={"read_as": told})) == {}


def test_an_upload_that_was_split_takes_new_rows_by_its_first_names():
    data = pd.DataFrame(np.random.default_rng(0).normal(size=(40, 4)), columns=list("abcd")).to_csv(index=False)
    dataset = read(data.encode(), "x.csv", {"negative": "split"}, sandbox=False).dataset
    assert dataset.shape == (40, 8)
    assert list(columns_wanted(dataset)) == list("abcd")
    result = fitted(dataset)
    found = place(rows_of(pd.read_csv(io.StringIO(data)).head(6)), dataset, result)
    np.testing.assert_allclose(found.X, dataset.X[:6])


def test_order_and_further_columns_do_not_matter_and_are_said():
    some = frame_of(WINE, slice(0, 8))
    turned = some[some.columns[::-1]].assign(remark=1.5)
    found = place(rows_of(turned), WINE, fitted(WINE))
    np.testing.assert_allclose(found.X, some.to_numpy())
    assert found.notes == ("1 other column left out: remark.",)


def test_one_row_is_enough():
    result = fitted(WINE)
    found = place(rows_of(frame_of(WINE, slice(7, 8))), WINE, result)
    np.testing.assert_allclose(found.W @ result.H, (result.W @ result.H)[7:8], rtol=2e-3)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda f: f.drop(columns=["ash", "hue"]),
            "2 of the 13 columns of the data are missing in the file: ash, hue. Add them",
        ),
        (lambda f: f.drop(columns=["ash"]), "1 of the 13 columns of the data is missing in the file: ash. Add it"),
        (lambda f: f.add_prefix("x "), "The columns have other names: the file has x alcohol"),
        (lambda f: f.add_prefix("x ").iloc[:, :4], "None of the 4 columns of the file .* is one of the 13"),
    ],
)
def test_columns_that_do_not_match_are_a_sentence(change, said):
    with pytest.raises(ValueError, match=said):
        place(rows_of(change(frame_of(WINE, slice(0, 8)))), WINE, fitted(WINE))


def test_a_file_without_names_is_taken_in_order():
    text = frame_of(WINE, slice(0, 8)).to_csv(index=False, header=False)
    raw = read(text.encode(), "x.csv", sandbox=False).raw
    found = place(raw, WINE, fitted(WINE))
    np.testing.assert_allclose(found.X, WINE.X[:8])
    assert "taken in the order of the data" in found.notes[0]


def test_missing_and_negative_cells_of_new_rows():
    some = frame_of(WINE, slice(0, 8))
    some.iloc[0, 0], some.iloc[1, 1] = np.nan, -3.0
    found = place(rows_of(some), WINE, fitted(WINE))
    assert np.isnan(found.X[0, 0])
    assert found.X[1, 1] == 0
    assert found.notes == ("1 negative cell was set to 0 (lowest: -3): the data of the fit had none.",)
    assert np.isfinite(found.W).all()


def test_a_row_of_zeros_holds_no_part_and_has_no_error():
    some = frame_of(WINE, slice(0, 3))
    some.iloc[1] = 0.0
    found = place(rows_of(some), WINE, fitted(WINE))
    assert found.W[1].tolist() == [0, 0, 0]
    assert np.isnan(found.error).tolist() == [False, True, False]


def test_values_below_what_was_learned_become_zero():
    dataset = prepare(
        Dataset.of(np.random.default_rng(0).random((30, 4)), cols=list("abcd")), (Negative(how="shift"), Log())
    ).dataset
    found = place(
        rows_of(pd.DataFrame([[-9.0, 1, 1, 1], [1, 1, 1, 1]], columns=list("abcd"))), dataset, fitted(dataset)
    )
    assert found.X.min() >= 0


def test_words_that_are_not_there_count_as_zero():
    cols = [f"w{j}" for j in range(30)]
    counts = sp.random_array((60, 30), density=0.4, format="csr", rng=np.random.default_rng(0))
    dataset = Dataset.of(counts, cols=cols, kind="counts")
    result = fitted(dataset)
    frame = pd.DataFrame(counts[:5].toarray(), columns=cols).drop(columns=["w3"]).assign(other=1.0)
    found = place(rows_of(frame), dataset, result)
    expected = counts[:5].toarray()
    expected[:, 3] = 0
    np.testing.assert_allclose(found.X.toarray() if sp.issparse(found.X) else found.X, expected)
    assert found.notes[0].startswith("1 of 30 columns are not in the file and count as 0: w3")


def test_sparse_rows_are_matched_and_placed_like_dense_ones():
    counts = sp.random_array((60, 30), density=0.4, format="csr", rng=np.random.default_rng(0))
    dataset = Dataset.of(counts, cols=[f"w{j}" for j in range(30)], kind="counts")
    result = fitted(dataset)
    raw = read(sparse_file(counts[:7]), "x.npz", sandbox=False).raw.with_(cols=dataset.cols)
    turned = raw.with_(X=sp.csr_array(raw.X[:, ::-1]), cols=raw.cols[::-1])
    found = place(turned, dataset, result)
    assert sp.issparse(found.X)
    np.testing.assert_allclose(found.W @ result.H, (result.W @ result.H)[:7], atol=1e-3)
    rows = counts[:7].toarray()
    direct = np.linalg.norm(rows - found.W @ result.H, axis=1) / np.linalg.norm(rows, axis=1)
    np.testing.assert_allclose(relative_error(rows, found.W, result.H), direct)
    np.testing.assert_allclose(relative_error(counts[:7], found.W, result.H), direct)
    np.testing.assert_allclose(found.error, relative_error(turned.X[:, ::-1], found.W, result.H))


def test_cells_that_new_ratings_do_not_give_are_unknown():
    """Rows of an exact model of rank 2 with two thirds of their cells left out: zeros would spoil both W and the error."""
    rng = np.random.default_rng(3)
    W, H = rng.random((80, 2)) + 0.1, rng.random((2, 40)) + 0.1
    given = sp.csr_array(np.where(rng.random((80, 40)) < 1 / 3, W @ H, 0.0))
    dataset = Dataset.of(given[:70], cols=[f"item {j}" for j in range(40)], kind="ratings", mask="unstored")
    result = fit(dataset, FitRequest(dataset_id=dataset.id, rank=2, max_iter=5000, tol=1e-12))
    raw = read(sparse_file(given[70:]), "x.npz", sandbox=False).raw.with_(cols=dataset.cols)
    found = place(raw, dataset, result)
    np.testing.assert_allclose(found.W @ result.H, (W @ H)[70:], rtol=0.02)
    assert found.error.max() < 0.02


def sparse_file(X) -> bytes:
    """Return a .npz of SciPy."""
    buffer = io.BytesIO()
    sp.save_npz(buffer, X)
    return buffer.getvalue()


def test_swapped_data_take_no_new_rows():
    dataset = prepare(WINE, (Transpose(),)).dataset
    with pytest.raises(ValueError, match=r"swapped|columns"):
        place(rows_of(frame_of(WINE, slice(0, 8))), dataset, fitted(dataset))


@pytest.mark.parametrize("scale", SCALES)
def test_w_is_shown_in_the_scale_and_order_of_the_parts(scale):
    result = fitted(WINE)
    found = place(rows_of(frame_of(WINE, slice(0, 12))), WINE, result)
    parts = present(WINE, result, scale)
    np.testing.assert_allclose(found.shown(result, parts), parts.W[:12], rtol=0.02, atol=0.01 * parts.W.max())
    merged = present(WINE, result, scale, Identity(merged=((0, 1),)))
    np.testing.assert_allclose(found.shown(result, merged), merged.W[:12], rtol=0.1, atol=0.05 * merged.W.max())


def test_matching_names_every_missing_column_but_not_too_many():
    raw = rows_of(pd.DataFrame(np.ones((3, 2)), columns=["a", "b"]))
    with pytest.raises(ValueError, match="w0, w1, w2, w3, w4 …"):
        match_columns(raw, ["a", *[f"w{j}" for j in range(50)]], zero=False)
