"""NMF Explorer's engine: non-negative matrix factorization, its diagnosis and its pictures.

Names are loaded on first use, so that importing the package stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nmf_core.fit import fit  # at once: loading the submodule later would put the module in the function's place
from nmf_core.types import Dataset, FitRequest, FitResult, Stop, Trace

if TYPE_CHECKING:
    from nmf_core.catalog import list_datasets, load_dataset
    from nmf_core.estimator import NMF

__version__ = "0.1.0"
__all__ = ["NMF", "Dataset", "FitRequest", "FitResult", "Stop", "Trace", "fit", "list_datasets", "load_dataset"]

_LAZY = {
    "NMF": "nmf_core.estimator",
    "load_dataset": "nmf_core.catalog",
    "list_datasets": "nmf_core.catalog",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        value = getattr(import_module(_LAZY[name]), name)
        globals()[name] = value  # the submodule of the same name would otherwise win
        return value
    raise AttributeError(f"module 'nmf_core' has no attribute {name!r}")
