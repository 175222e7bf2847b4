"""Take a result along: CSV, NPZ, Python code, notebook, HTML report, bundle."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nmf_core.export.bundle import Bundle, load_bundle, save_bundle
    from nmf_core.export.ipynb import notebook
    from nmf_core.export.npy import ArchiveError
    from nmf_core.export.npz import result_from_npz, result_npz
    from nmf_core.export.python_code import python_script, sklearn_obstacle, sklearn_script
    from nmf_core.export.report import html_report
    from nmf_core.export.tables import data_csv, features_csv, frame_csv, model_csv, samples_csv, trace_csv

__all__ = [
    "ArchiveError",
    "Bundle",
    "data_csv",
    "features_csv",
    "frame_csv",
    "html_report",
    "load_bundle",
    "model_csv",
    "notebook",
    "python_script",
    "result_from_npz",
    "result_npz",
    "samples_csv",
    "save_bundle",
    "sklearn_obstacle",
    "sklearn_script",
    "trace_csv",
]

_HOME = {
    "ArchiveError": "npy",
    "Bundle": "bundle",
    "load_bundle": "bundle",
    "save_bundle": "bundle",
    "notebook": "ipynb",
    "result_from_npz": "npz",
    "result_npz": "npz",
    "python_script": "python_code",
    "sklearn_obstacle": "python_code",
    "sklearn_script": "python_code",
    "html_report": "report",
    "data_csv": "tables",
    "features_csv": "tables",
    "frame_csv": "tables",
    "model_csv": "tables",
    "samples_csv": "tables",
    "trace_csv": "tables",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(import_module(f"nmf_core.export.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'nmf_core.export' has no attribute {name!r}")
