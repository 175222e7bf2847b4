"""Recipes: a prepared built-in data set as a short text that makes the same data again, and nothing else."""

from __future__ import annotations

import base64
import json
import zlib

import numpy as np
import pytest
import scipy.sparse as sp

from nmf_core import list_datasets, load_dataset
from nmf_core.ingest.prepare import prepare
from nmf_core.ingest.recipe import LONGEST, Recipe
from nmf_core.ingest.steps import DropColumns, Log, MostVariable, SampleRows, ScaleColumns, TfIdf, Transpose

STEPS = {
    "iris": (ScaleColumns(how="deviation"), Log(), SampleRows(n_rows=60, seed=3)),
    "digits": (SampleRows(n_rows=200, seed=1), MostVariable(n_columns=40)),
    "swimmer": (Transpose(),),
}


def dense(X):
    """Return an array."""
    return X.toarray() if sp.issparse(X) else np.asarray(X)


@pytest.mark.parametrize("name", STEPS)
def test_a_recipe_makes_the_same_data_from_its_text(name):
    made = prepare(load_dataset(name), STEPS[name]).dataset
    text = Recipe(name).then(STEPS[name], None, None).encode()
    assert 0 < len(text) < 250
    assert text.replace("-", "").replace("_", "").isalnum()
    again = Recipe.decode(text).make(load_dataset)
    assert again.id == made.id
    np.testing.assert_array_equal(dense(again.X), dense(made.X))
    assert [step["step"] for step in again.steps] == [step.NAME for step in STEPS[name]]
    assert [s.get("learned") for s in again.steps] == [s.get("learned") for s in made.steps]


def test_steps_after_steps_are_one_recipe():
    first = Recipe("iris").then(STEPS["iris"][:1], None, None)
    both = first.then(STEPS["iris"][1:], None, None)
    step_by_step = prepare(prepare(load_dataset("iris"), STEPS["iris"][:1]).dataset, STEPS["iris"][1:]).dataset
    assert Recipe.decode(both.encode()).make(load_dataset).id == step_by_step.id


def test_text_data_kind_and_options_travel():
    name = next(name for name, info in list_datasets().items() if info.kind == "text")
    recipe = Recipe(name).then((TfIdf(),), "table", None)
    again = Recipe.decode(recipe.encode())
    assert again == recipe
    assert again.make(load_dataset).kind == "table"
    named, info = next((n, i) for n, i in list_datasets().items() if i.options)
    key, setting = next(iter(info.options.items()))
    kind = int if float(setting.step).is_integer() else float
    assert (
        Recipe.decode(Recipe(named, {key: kind(setting.low)}).encode()).make(load_dataset).id
        == load_dataset(named, **{key: kind(setting.low)}).id
    )


def test_what_is_too_long_for_an_address_is_left_out():
    names = tuple(f"column {i} {np.random.default_rng(i).integers(1 << 60)}" for i in range(400))
    assert Recipe("iris").then((DropColumns(names=names),), None, None).encode() == ""


def packed(value) -> str:
    """Return what looks like a recipe."""
    return base64.urlsafe_b64encode(zlib.compress(json.dumps(value).encode())).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "!!!!", "a" * 2000, packed([]), packed({}), packed({"from": 3}), packed({"from": "iris", "evil": 1}), packed({"from": "iris", "steps": 3}),
        packed({"from": "iris", "steps": [{"step": "exec"}]}), packed({"from": "iris", "steps": [{"step": "log", "code": "x"}]}),
        packed({"from": "iris", "steps": [{"step": "log"}] * 60}), packed({"from": "iris", "kind": "malware"}), packed({"from": "iris", "shape": ["a", "b"]}),
        packed({"from": "iris", "options": {"n": "x"}}), packed({"from": "iris", "options": {"n": True}}), packed({"from": "iris", "shape": [2, 2, 2, 2]}),
        base64.urlsafe_b64encode(zlib.compress(b'{"from":"' + b"x" * 900_000 + b'"}')).decode(), packed({"from": "iris"})[:-9],
        base64.urlsafe_b64encode(zlib.compress(b"[" * 40_000)).decode(),
    ],
)  # fmt: skip
def test_a_strangers_text_is_checked(text):
    with pytest.raises(ValueError, match=r"recipe|step|log|exec"):
        Recipe.decode(text)
    assert LONGEST < 2000
