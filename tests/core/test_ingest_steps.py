"""Preparation steps: what they do to the numbers, to new rows, as JSON and as code."""

from __future__ import annotations

import json
import warnings
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfTransformer

from nmf_core import load_dataset
from nmf_core.ingest.code import steps_code
from nmf_core.ingest.diagnose import Weight, as_raw, diagnose
from nmf_core.ingest.prepare import apply_steps, prepare, recommend, run_steps
from nmf_core.ingest.raw import Raw
from nmf_core.ingest.settle import share_below
from nmf_core.ingest.spectrum import elbow, spectrum
from nmf_core.ingest.steps import (
    REGISTRY,
    Cap,
    DropColumns,
    DropEmpty,
    Infinite,
    KeepRows,
    Log,
    Missing,
    MostVariable,
    Negative,
    SampleRows,
    ScaleColumns,
    ScaleRows,
    SetAside,
    SquareRoot,
    Step,
    TfIdf,
    Transpose,
    step_from_json,
)
from nmf_core.types import is_sparse


def dense() -> Raw:
    """Return numbers with a missing and a negative cell, a column and a row of zeros."""
    X = np.random.default_rng(0).gamma(1, 2, (30, 12))
    X[:, 3], X[4], X[2, 2], X[7, 7] = 0, 0, np.nan, -3
    return as_raw(X).with_(labels={"group": np.array(list("abc") * 10)})


def positive() -> Raw:
    """Return the same without negative and missing cells."""
    return dense().with_(X=np.abs(np.nan_to_num(dense().X)))


def single() -> Raw:
    """Return numbers of single precision with infinite cells."""
    X = dense().X.astype(np.float32)
    X[1, 1], X[6, 2] = np.inf, -np.inf
    return dense().with_(X=X)


def sparse() -> Raw:
    """Return counts, most of them zero."""
    rng = np.random.default_rng(1)
    X = np.where(rng.random((30, 12)) < 0.3, rng.poisson(3, (30, 12)) + 1.0, 0)
    return as_raw(sp.csr_array(X)).with_(labels={"group": np.array(list("abc") * 10)})


STEPS: tuple[Step, ...] = (
    *(Missing(how=how) for how in ("keep", "drop_rows", "drop_columns", "zero", "mean", "median")),  # type: ignore[arg-type]
    *(Infinite(how=how) for how in ("missing", "cap")),  # type: ignore[arg-type]
    *(Negative(how=how) for how in ("clip", "shift", "shift_all", "absolute", "split")),  # type: ignore[arg-type]
    *(ScaleColumns(how=how) for how in ("max", "deviation", "sum", "l2")),  # type: ignore[arg-type]
    *(ScaleRows(how=how) for how in ("sum", "l2", "max")),  # type: ignore[arg-type]
    SquareRoot(), SquareRoot(how="anscombe"), Log(), TfIdf(), Cap(quantile=0.9), MostVariable(n_columns=5),
    SampleRows(n_rows=7), Transpose(), DropEmpty(), DropColumns(names=("c2", "c5")), SetAside(names=("c2",)),
    KeepRows(label="group", values=("a", "c")),
)  # fmt: skip
PAIRS = [(step, name) for step in STEPS for name in ("dense", "positive", "sparse")]


def data(name: str) -> Raw:
    """Return one of the data sets."""
    return {"dense": dense, "positive": positive, "sparse": sparse, "single": single}[name]()


def full(X) -> np.ndarray:
    """Return a dense array."""
    return X.toarray() if is_sparse(X) else X


def run_code(steps: list[Step], raw: Raw) -> dict[str, Any]:
    """Run the exported code on the data as they were, and return what it leaves."""
    labels = {key: np.array(values) for key, values in raw.labels.items()}
    scope = {"X": raw.X.copy(), "rows": np.array(raw.rows), "cols": np.array(raw.cols), "labels": labels}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of columns without any cell, of infinite ones
        exec(compile(steps_code([s.to_json() for s in steps], sparse=raw.sparse), "<steps>", "exec"), scope)
    return scope


def compare(scope: dict[str, Any], expected: Raw, *, labels: bool) -> None:
    """Assert that the code left the very numbers and names."""
    np.testing.assert_array_equal(full(scope["X"]), full(expected.X))
    assert list(map(str, scope["rows"])) == list(map(str, expected.rows))
    assert list(map(str, scope["cols"])) == list(map(str, expected.cols))
    if labels:
        assert {k: list(v) for k, v in scope["labels"].items()} == {k: list(v) for k, v in expected.labels.items()}


PARTNERS = [next(s for s in STEPS if name == s.NAME) for name in dict.fromkeys(s.NAME for s in STEPS)]


@pytest.mark.parametrize("name", ["dense", "positive", "sparse", "single"])
@pytest.mark.parametrize("second", STEPS, ids=lambda s: f"{s.NAME}-{getattr(s, 'how', '')}")
def test_the_code_of_two_steps_does_what_the_steps_do_to_the_last_bit(second: Step, name: str):
    """The first step of each kind, then every step: what the first leaves out must be gone for the second as well."""
    raw, done = data(name), 0
    for first in PARTNERS:
        try:
            with np.errstate(all="ignore"):  # infinite cells
                stages = run_steps(raw, [first, second])
        except ValueError:  # a step that these data do not need, or that leaves nothing
            continue
        done += 1
        steps = [stage.step for stage in stages]
        compare(
            run_code(steps, raw),
            stages[-1].after,
            labels={first.NAME, second.NAME} & {"keep_rows", "set_aside"} != set(),
        )
    assert done or second.applies(raw)


def test_every_steps_label_fits_beside_its_switch_on_a_narrow_screen():
    assert max(len(step.LABEL) for step in STEPS) <= 26


def test_every_registered_step_is_tested():
    assert {step.NAME for step in STEPS} == set(REGISTRY)


@pytest.mark.parametrize(
    ("step", "name"), PAIRS, ids=lambda v: v if isinstance(v, str) else f"{v.NAME}-{getattr(v, 'how', '')}"
)
class TestEveryStep:
    """Properties that all steps share."""

    def test_is_pure_and_keeps_sparse_data_sparse(self, step: Step, name: str):
        raw = data(name)
        if step.applies(raw):
            return
        before = full(raw.X).copy()
        after = step.learn(raw).apply(raw)
        np.testing.assert_array_equal(full(raw.X), before)
        assert is_sparse(after.X) == is_sparse(raw.X)
        assert (len(after.rows), len(after.cols)) == after.shape
        assert all(len(label) == after.shape[0] for label in after.labels.values())
        assert step.learn(raw).lost(raw, after).endswith(".")

    def test_comes_back_from_json(self, step: Step, name: str):
        raw = data(name)
        if step.applies(raw):
            return
        learned = step.learn(raw)
        again = step_from_json(json.loads(json.dumps(learned.to_json())))
        assert again == learned
        np.testing.assert_array_equal(full(again.apply(raw).X), full(learned.apply(raw).X))

    def test_its_code_does_the_same(self, step: Step, name: str):
        raw = data(name)
        if step.applies(raw):
            return
        learned = step.learn(raw)
        compare(run_code([learned], raw), learned.apply(raw), labels=isinstance(step, (KeepRows, SetAside)))

    def test_treats_new_rows_as_it_treated_the_old_ones(self, step: Step, name: str):
        raw = data(name)
        if step.applies(raw) or isinstance(step, (Transpose, SampleRows)):
            return
        learned = step.learn(raw)
        some = np.array([5, 6, 9, 20, 22])
        new = raw.with_(X=raw.X[some], rows=raw.rows[some], labels={k: v[some] for k, v in raw.labels.items()})
        kept = [list(new.rows).index(row) for row in learned.apply(new).rows]
        whole = learned.apply(raw)
        at = [list(whole.rows).index(new.rows[i]) for i in kept]
        np.testing.assert_allclose(full(learned.apply(new).X), full(whole.X)[at], rtol=1e-12)


def test_negative_values_split_into_two_parts_that_give_them_back():
    raw = dense()
    split = Negative(how="split").learn(raw).apply(raw)
    m = raw.shape[1]
    np.testing.assert_array_equal(split.X[:, :m] - split.X[:, m:], raw.X)
    assert np.nanmin(split.X) >= 0


def test_shift_lifts_each_column_to_zero_and_new_rows_by_the_same_amount():
    raw = as_raw(np.array([[-1.0, 2.0], [3.0, 5.0]]))
    step = Negative(how="shift").learn(raw)
    np.testing.assert_array_equal(step.apply(raw).X, [[0, 2], [4, 5]])
    np.testing.assert_array_equal(step.apply(as_raw(np.array([[-4.0, -1.0]]))).X, [[0, 0]])


def test_tf_idf_agrees_with_scikit_learn():
    raw = sparse()
    ours = TfIdf().learn(raw).apply(raw).X
    theirs = TfidfTransformer().fit_transform(raw.X)
    np.testing.assert_allclose(full(ours), theirs.toarray(), rtol=1e-12)


def test_anscombe_makes_the_variance_of_poisson_counts_about_one():
    rng = np.random.default_rng(0)
    raw = as_raw(np.stack([rng.poisson(rate, 20_000) for rate in (10, 30, 100)], axis=1).astype(float))
    spread = SquareRoot(how="anscombe").learn(raw).apply(raw).X.var(axis=0)
    np.testing.assert_allclose(spread, 1.0, atol=0.05)


def test_columns_scaled_by_deviation_have_deviation_one_and_keep_their_zeros():
    raw = positive()
    after = ScaleColumns(how="deviation").learn(raw).apply(raw).X
    np.testing.assert_allclose(after.std(axis=0)[after.any(axis=0)], 1.0)
    np.testing.assert_array_equal(after == 0, raw.X == 0)


def test_sparse_and_dense_agree():
    lean = sparse()
    rich = lean.with_(X=lean.X.toarray())
    for step in STEPS:
        if step.applies(lean) or step.applies(rich) or isinstance(step, Cap):  # Cap's quantile is of stored entries
            continue
        np.testing.assert_allclose(full(step.learn(lean).apply(lean).X), step.learn(rich).apply(rich).X, rtol=1e-12)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"step": "no_such"}, "unknown 'no_such'"),
        ({}, "unknown None"),
        ({"step": "negative", "how": "guess"}, "how must be one of"),
        ({"step": "cap", "quantile": 2}, "quantile must be a number from 0.5 to 1"),
        ({"step": "cap", "quantile": "x"}, "quantile must be a number"),
        ({"step": "sample_rows", "n_rows": 1.5}, "whole number"),
        ({"step": "most_variable", "n_columns": True}, "whole number"),
        ({"step": "log", "base": 2}, r"unknown field\(s\) base"),
        ({"step": "drop_columns", "names": "a"}, "list of texts"),
        ({"step": "keep_rows", "label": 3}, "label must be a text"),
    ],
)
def test_steps_from_a_link_are_checked(values, words):
    with pytest.raises(ValueError, match=words):
        step_from_json(values)


def test_new_rows_of_another_width_are_refused():
    step = ScaleColumns().learn(positive())
    with pytest.raises(ValueError, match="12 columns, but the new data have 3"):
        step.apply(as_raw(np.ones((2, 3))))


def test_a_prepared_data_set_carries_its_steps_and_notes():
    raw = dense()
    done = prepare(raw, [Missing(how="mean"), Negative(how="clip"), ScaleColumns(), DropEmpty()])
    X = done.dataset.X
    assert X.shape == (29, 11)
    assert X.max(axis=0).tolist() == pytest.approx([1.0] * 11)
    assert len(done.dataset.notes) == 4
    assert [s["step"] for s in done.dataset.steps] == ["missing", "negative", "scale_columns", "drop_empty"]
    json.dumps(done.dataset.steps)
    again = apply_steps(raw, done.dataset.steps)
    np.testing.assert_array_equal(again.X, X)
    np.testing.assert_array_equal(done.on_new(raw).X, X)


def test_steps_add_up_when_data_are_prepared_twice():
    first = prepare(load_dataset("iris"), [Log()]).dataset
    second = prepare(first, [ScaleColumns()]).dataset
    assert [s["step"] for s in second.steps] == ["log", "scale_columns"]
    np.testing.assert_allclose(apply_steps(load_dataset("iris"), second.steps).X, second.X)


def test_what_cannot_be_factorized_is_named():
    with pytest.raises(ValueError, match="Negative values are left"):
        prepare(dense(), [])
    with pytest.raises(ValueError, match="Infinite values are left"):
        prepare(as_raw(np.array([[1.0, np.inf], [1.0, 2.0]])), [])
    with pytest.raises(ValueError, match="leaves 0 rows"):
        run_steps(as_raw(np.array([[np.nan, 1.0], [1.0, np.nan]])), [Missing(how="drop_rows")])
    with pytest.raises(ValueError, match="at least two"):
        prepare(as_raw(np.ones((4, 3))), [DropColumns(names=("c1", "c2"))])
    with pytest.raises(ValueError, match="Negative values come first"):
        run_steps(dense(), [Log()])
    with pytest.raises(ValueError, match="12 columns"):
        prepare(positive(), [], kind="images", cell_shape=(5, 2))


@pytest.mark.parametrize("make", [dense, positive, sparse])
def test_the_recommended_steps_lead_to_a_data_set(make):
    raw = make()
    advice = recommend(raw)
    assert all(a.reason for a in advice)
    result = prepare(raw, [a.step for a in advice if a.on]).dataset
    values = result.X.data if is_sparse(result.X) else result.X[~np.isnan(result.X)]
    assert values.min() >= 0


def codes(data) -> dict[str, Weight]:
    """Return findings by code."""
    return {finding.code: finding.weight for finding in diagnose(data)}


def test_findings_name_what_stops_a_fit():
    assert codes(np.array([[1.0, -2.0], [3.0, 4.0]]))["negative"] is Weight.STOP
    assert codes(np.array([[1.0, np.inf], [3.0, 4.0]]))["infinite"] is Weight.STOP
    assert codes(np.zeros((3, 3)))["all-zero"] is Weight.STOP
    assert codes(np.ones((1, 5)))["too-small"] is Weight.STOP
    assert codes(np.array([[1e200, 1.0], [3.0, 4.0]]))["huge"] is Weight.STOP
    assert next(iter(diagnose(dense()))).weight is Weight.STOP


def test_findings_suggest_what_helps():
    found = codes(dense())
    assert found["missing"] is found["zero-rows"] is found["zero-columns"] is Weight.SUGGEST
    wide = np.ones((20, 8)) + np.random.default_rng(0).random((20, 8))
    wide[:, 0] *= 1e4
    assert codes(wide)["scale-spread"] is Weight.SUGGEST
    spiky = np.random.default_rng(0).random((100, 20))
    spiky[3, 4] = 1e4
    assert codes(spiky)["outliers"] is Weight.SUGGEST


def test_centred_data_are_recognised():
    X = np.random.default_rng(0).standard_normal((50, 5))
    text = next(f.text for f in diagnose(X - X.mean(axis=0)) if f.code == "negative")
    assert "look centred" in text
    assert "look centred" not in next(f.text for f in diagnose(X + 0.5) if f.code == "negative")


@pytest.mark.parametrize(
    ("X", "code"),
    [
        (np.eye(5), "binary"),
        (np.arange(12.0).reshape(3, 4), "counts"),
        (np.random.default_rng(0).dirichlet(np.ones(4), 6), "proportions"),
        (np.random.default_rng(0).random((6, 4)), "continuous"),
        (np.repeat(np.random.default_rng(0).random((3, 4)), 2, axis=0), "duplicate-rows"),
        (np.repeat(np.random.default_rng(0).random((5, 3)), 2, axis=1), "duplicate-columns"),
        (np.column_stack([np.full(4, 2.5), np.arange(4) + 0.5]), "constant"),
        (np.diag([1.5, 2.5, 3.5]), "sparsity"),
    ],
)
def test_findings_say_what_the_numbers_are(X, code):
    assert code in codes(X)
    if code not in ("constant", "continuous", "proportions"):
        assert code in codes(sp.csr_array(X))


def test_share_below_zero_neither_overflows_nor_lies():
    assert share_below(np.array([-1.0, 3.0])) == 0.25
    assert share_below(np.array([-1e308, 1e308])) == 0.5
    assert share_below(np.zeros(3)) == 0.0


def test_the_elbow_is_where_a_low_rank_ends():
    rng = np.random.default_rng(0)
    X = rng.random((80, 5)) @ rng.random((5, 60)) * 3 + 0.01 * rng.random((80, 60))
    found = spectrum(as_raw(X))
    np.testing.assert_allclose(found.values, np.linalg.svd(X, compute_uv=False)[:30], rtol=1e-6, atol=1e-7)
    assert found.total == pytest.approx((X**2).sum())
    assert elbow(np.array([10.0, 9.0, 8.5, 0.4, 0.3, 0.2, 0.1])) == 3


def test_singular_values_of_sparse_and_tall_data_are_close_to_exact():
    X = sp.random_array((900, 400), density=0.02, rng=np.random.default_rng(0))
    exact = np.linalg.svd(X.toarray(), compute_uv=False)
    found = spectrum(as_raw(X))
    assert not found.sampled
    np.testing.assert_allclose(found.values[:5], exact[:5], rtol=0.02)
