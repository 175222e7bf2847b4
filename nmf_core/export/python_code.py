"""The analysis as a Python script: with this engine, or with scikit-learn alone where it has an equal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nmf_core.components import Identity, present
from nmf_core.quality import errors
from nmf_core.types import Dataset, FitRequest, FitResult, Stop, is_sparse

#: Requests that `sklearn.decomposition.NMF` answers with the same algorithm.
SKLEARN_SOLVERS = ("cd", "mu")
SKLEARN_INITS = ("random", "nndsvd", "nndsvda", "nndsvdar")
_NAMED_COLUMNS = 200
_CUT_SHORT = (Stop.TIME_LIMIT, Stop.CANCELLED, Stop.ABANDONED, Stop.FAILED, Stop.RUNNING)


def python_script(
    dataset: Dataset,
    result: FitResult,
    *,
    source: Mapping[str, Any] | None = None,
    scale: str = "as fitted",
    identity: Identity | None = None,
) -> str:
    """Return a script that repeats the analysis with nmf_core and says whether the numbers agree.

    Parameters
    ----------
    dataset, result, scale, identity
        What is on the screen.
    source : mapping, optional
        Where the script finds the data: ``{"builtin": name, "options": {…}}``, ``{"csv": file name}`` (the table as it
        was before preparation, row names in the first column), or ``{"bundle": file name}``, which is the default.
        ``"saved"`` beside one of the first two names the bundle from which W and H are read if their start was given.

    Returns
    -------
    str
        Runs as ``python script.py``; whatever came from files stands in string literals only.
    """
    return (
        "\n\n\n".join(text for _, text in sections(dataset, result, source=source, scale=scale, identity=identity))
        + "\n"
    )


def sections(
    dataset: Dataset,
    result: FitResult,
    *,
    source: Mapping[str, Any] | None = None,
    scale: str = "as fitted",
    identity: Identity | None = None,
) -> list[tuple[str, str]]:
    """Return the script as (heading, code) pairs, for a notebook."""
    request, remark = repeatable(result)
    source = dict(source or {"bundle": "bundle.zip"})
    custom = request.init == "custom"
    if custom:
        remark += (
            "# The start was given, not drawn (a file, or the parts left after some were dropped), and is not kept.\n"
            "# So W and H are those of the bundle, as fitted; fit(dataset, request, W=W0, H=H0) makes them from the start.\n"
        )
    arguments = ",\n    ".join(f"{key}={value!r}" for key, value in _changed(request).items())
    given = _literal(identity)
    shown = f"present(dataset, result, {scale!r}{', identity' if given else ''})"
    names = "Identity, present" if given else "present"
    run = "result = fit(dataset, request)"
    if custom:
        run = "result = bundle.result"
    versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    head = [
        f"# Made with {_plain(versions) or 'NMF Explorer'}.",
        "from pathlib import Path",
        "",
        "import numpy as np",
        "",
        "from nmf_core import Dataset, FitRequest, fit, load_dataset",
        f"from nmf_core.components import {names}",
        "from nmf_core.export import load_bundle",
        "from nmf_core.quality import errors",
    ]
    return [
        ("What this needs", "\n".join(head)),
        ("The data", _data(dataset, source, need_bundle=custom)),
        ("The factorization", f"{remark}request = FitRequest(\n    {arguments},\n)\n{run}"),
        (
            "The components",
            (f"identity = Identity.from_json({given!r})\n" if given else "")
            + f"parts = {shown}\n"
            + "W, H = parts.recipe, parts.H  # W @ H is the model of dataset.X\n"
            + "found = errors(dataset, W, H)\n"
            + 'print(f"relative error {found.relative:.6%}, share of total variation {found.share:.6%}")\n'
            + "for name, share in zip(parts.names, parts.share):\n"
            + '    print(f"{name}: explains {share:.3%} alone")',
        ),
        (
            "The same numbers?",
            _held_against(dataset, result, scale, identity)
            if custom
            else f"expected = {result.loss!r}\n"
            "if np.isclose(result.loss, expected, rtol=1e-9, atol=0):\n"
            '    print("The loss is the one seen in NMF Explorer:", result.loss)\n'
            "else:\n"
            '    print("The loss is", result.loss, "and was", expected, "in NMF Explorer.")\n'
            '    print("Other versions of NumPy or another processor round differently; a large gap means other data.")',
        ),
    ]


def _held_against(dataset: Dataset, result: FitResult, scale: str, identity: Identity | None) -> str:
    """Return code that holds W and H read from a bundle against the data: the loss it brings along proves nothing."""
    parts = present(dataset, result, scale, identity)
    return (
        f"expected = {float(errors(dataset, parts.recipe, parts.H).relative)!r}\n"
        "if np.isclose(found.relative, expected, rtol=1e-9, atol=1e-12):\n"
        '    print("The relative error is the one seen in NMF Explorer:", found.relative)\n'
        "else:\n"
        '    print("The relative error is", found.relative, "and was", expected, "in NMF Explorer: these are other data.")'
    )


def sklearn_obstacle(dataset: Dataset, result: FitResult) -> str:
    """Return why scikit-learn alone cannot repeat this result, or an empty string if it can."""
    request = result.request
    if request.solver not in SKLEARN_SOLVERS:
        return f"scikit-learn has no solver like {request.solver!r}; run cd or mu for a script without this package."
    if request.init not in SKLEARN_INITS:
        return f"scikit-learn has no initialization {request.init!r}."
    if dataset.mask is not None:
        return "scikit-learn does not take missing cells."
    if request.n_restarts > 1 and result.best > 0:
        return "scikit-learn makes one run, and here a later restart was the best."
    if request.options:
        return "Options of the solver were changed."
    return ""


def sklearn_script(dataset: Dataset, result: FitResult, *, source: Mapping[str, Any] | None = None) -> str:
    """Return a script that repeats the run with NumPy and scikit-learn alone.

    Parameters
    ----------
    source : mapping, optional
        As for `python_script`; data that are neither built into scikit-learn nor a CSV file are read from the CSV of X
        as factorized, ``{"matrix": file name}``.

    Raises
    ------
    ValueError
        If scikit-learn has no equal; the sentence of `sklearn_obstacle`.
    """
    obstacle = sklearn_obstacle(dataset, result)
    if obstacle:
        raise ValueError(obstacle)
    request = result.request
    arguments: dict[str, Any] = {
        "n_components": request.rank,
        "init": request.init,
        "solver": request.solver,
        "beta_loss": request.loss,
        "tol": 0.0,
        "max_iter": max(result.n_iter, 1),
        "random_state": request.seed,
        "alpha_W": request.alpha_W,
        "alpha_H": request.alpha_H,
        "l1_ratio": request.l1_ratio,
    }
    if request.solver == "cd":
        del arguments["beta_loss"]
    written = "".join(f"    {key}={value!r},\n" for key, value in arguments.items())
    divergence = (
        "loss = 0.5 * np.square(X - W @ H).sum()"
        if request.beta == 2
        else "loss = model.reconstruction_err_ ** 2 / 2  # scikit-learn reports sqrt(2 D)"
    )
    return (
        "# The same model with scikit-learn alone.\n"
        "import numpy as np\n"
        "from sklearn.decomposition import NMF\n\n\n"
        f"{_sklearn_data(dataset, dict(source or {}))}\n\n\n"
        "# scikit-learn has another rule for stopping: without a tolerance it makes the iterations made here.\n"
        f"model = NMF(\n{written})\n"
        "W = model.fit_transform(X)\n"
        "H = model.components_\n"
        f"{divergence}\n"
        f'print("loss without penalties:", loss, "after", model.n_iter_, "iterations")\n'
        "# NMF Explorer computes the same start more exactly (scikit-learn's SVD is randomised), so digits may differ.\n"
        f'print("with penalties, if any, NMF Explorer had:", {result.loss!r}, "after", {result.n_iter})\n'
    )


def repeatable(result: FitResult) -> tuple[FitRequest, str]:
    """Return the request that repeats a run, and a comment where the clock or a hand had ended it."""
    request, remark = result.request, ""
    if result.stop in _CUT_SHORT or request.time_limit is not None:
        request = request.with_(time_limit=None)
        if result.stop in _CUT_SHORT:
            remark = "# The run was cut short: the iterations are set to those it had made.\n"
            request = request.with_(max_iter=max(result.n_iter, 1))
            if result.best > 0:
                remark += "# Restarts that had not been made then are made now.\n"
            elif request.n_restarts > 1:
                request = request.with_(n_restarts=1)
    return request, remark


def _changed(request: FitRequest) -> dict[str, Any]:
    """Return the fields that matter: all but those that have never been touched."""
    standard = FitRequest()
    always = ("dataset_id", "rank", "solver", "loss", "init", "seed", "max_iter", "tol")
    values = {name: getattr(request, name) for name in FitRequest.__dataclass_fields__}
    return {name: value for name, value in values.items() if name in always or value != getattr(standard, name)}


def _literal(identity: Identity | None) -> dict[str, Any]:
    return (identity or Identity()).to_json()


def _plain(text: str) -> str:
    """Return text that can stand in a comment: one line."""
    return " ".join(str(text).split())


def _data(dataset: Dataset, source: Mapping[str, Any], *, need_bundle: bool) -> str:
    bundle = _bundle(str(source.get("saved", "bundle.zip"))) if need_bundle and "bundle" not in source else ""
    steps = _steps(dataset)
    if "builtin" in source:
        options = "".join(f", {key}={value!r}" for key, value in dict(source.get("options") or {}).items())
        lines = [f"dataset = load_dataset({source['builtin']!r}{options})"]
        if steps:
            copied = "dataset.X.copy()" if is_sparse(dataset.X) else "np.array(dataset.X)"
            lines += [f"X, rows, cols = {copied}, np.array(dataset.rows), np.array(dataset.cols)"]
            lines += ["labels = dict(dataset.labels)", steps, _rebuilt(dataset)]
        return "\n".join([*lines, bundle] if bundle else lines)
    if "csv" in source:
        return "\n".join(text for text in (_table(dataset, source["csv"]), steps, _rebuilt(dataset), bundle) if text)
    return f"{_bundle(str(source.get('bundle', 'bundle.zip')))}\ndataset = bundle.dataset"


def _bundle(name: str) -> str:
    """Return code that opens a bundle: the file named on the command line, or else the one with this name."""
    return (
        "import sys\n\n"
        "# The bundle, saved with the data in it; another name can be given: python script.py other.zip\n"
        f"named = [argument for argument in sys.argv[1:] if argument.endswith('.zip')]\n"
        f"bundle = load_bundle(Path(named[0] if named else {name!r}).read_bytes())"
    )


def _rebuilt(dataset: Dataset) -> str:
    return (
        "names = {\n"
        '    "rows": rows if len(rows) == X.shape[0] else None,\n'
        '    "cols": cols if len(cols) == X.shape[1] else None,\n'
        "}\n"
        f"dataset = Dataset.of(X, {dataset.name!r}, kind={dataset.kind!r}, cell_shape={dataset.cell_shape!r}, **names)"
    )


def _table(dataset: Dataset, name: str) -> str:
    lines = ["import pandas as pd", "", f"table = pd.read_csv({name!r}, index_col=0)"]
    lines.append('labels = {key: table[key].astype(str).to_numpy() for key in table.select_dtypes(exclude="number")}')
    if dataset.shape[1] <= _NAMED_COLUMNS and not dataset.steps:
        columns = ", ".join(repr(str(c)) for c in dataset.cols)
        lines.append(f"table = table[[{columns}]]")
    else:
        lines.append('table = table.select_dtypes("number")')
    lines.append("X = table.to_numpy(dtype=float)")
    lines.append("rows, cols = table.index.astype(str).to_numpy(), table.columns.astype(str).to_numpy()")
    return "\n".join(lines)


def _steps(dataset: Dataset) -> str:
    """Return the preparation as NumPy statements on X, rows, cols and labels; empty without any."""
    if not dataset.steps:
        return ""
    from nmf_core.ingest.code import steps_code

    try:
        code = steps_code(dataset.steps, sparse=is_sparse(dataset.X))
    except (ValueError, TypeError, NotImplementedError) as error:
        written = "".join(f"\n# {_plain(str(dict(step)))}" for step in dataset.steps)
        return f"# These steps have no code of their own ({_plain(str(error))}):{written}"
    body = "\n".join(line for line in code.splitlines() if not line.startswith("import ")).strip()
    return f"import scipy.sparse as sp\n\n{body}" if "sp." in body else body


_SKLEARN_DATA = {
    "iris": "load_iris",
    "wine": "load_wine",
    "breast_cancer": "load_breast_cancer",
    "digits": "load_digits",
}


def _sklearn_data(dataset: Dataset, source: Mapping[str, Any]) -> str:
    loader = _SKLEARN_DATA.get(str(source.get("builtin", "")))
    steps = _steps(dataset)
    tail = f"\n{steps}" if steps else ""
    if loader and not source.get("options"):
        lines = [f"from sklearn.datasets import {loader}", "", f"raw = {loader}()", "X = raw.data.astype(float)"]
        if steps:
            lines += ["rows, cols = np.arange(len(X)), np.array(raw.feature_names)", "labels = {}"]
        return "\n".join(lines) + tail
    if "csv" in source:
        return _table(dataset, source["csv"]) + tail
    sparse = "  # zeros written out: the data are sparse" if is_sparse(dataset.X) else ""
    name = str(source.get("matrix", "X.csv"))
    return f"import pandas as pd\n\nX = pd.read_csv({name!r}, index_col=0).to_numpy(dtype=float)  # X as factorized{sparse}"
