"""Preparation steps: one frozen dataclass each, found by name in the registry."""

from nmf_core.ingest.steps.base import REGISTRY, Step, step_from_json
from nmf_core.ingest.steps.scaling import Cap, Log, ScaleColumns, ScaleRows, SquareRoot, TfIdf
from nmf_core.ingest.steps.selecting import (
    DropColumns,
    DropEmpty,
    KeepRows,
    MostVariable,
    SampleRows,
    SetAside,
    Transpose,
)
from nmf_core.ingest.steps.values import Infinite, Missing, Negative

__all__ = [
    "REGISTRY",
    "Cap",
    "DropColumns",
    "DropEmpty",
    "Infinite",
    "KeepRows",
    "Log",
    "Missing",
    "MostVariable",
    "Negative",
    "SampleRows",
    "ScaleColumns",
    "ScaleRows",
    "SetAside",
    "SquareRoot",
    "Step",
    "TfIdf",
    "Transpose",
    "step_from_json",
]
