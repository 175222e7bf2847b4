"""Preparation steps: one frozen dataclass each, found by name in the registry."""

from nmf_core.ingest.steps.base import REGISTRY, Step, step_from_json
from nmf_core.ingest.steps.values import Infinite, Missing, Negative

__all__ = ["REGISTRY", "Infinite", "Missing", "Negative", "Step", "step_from_json"]
