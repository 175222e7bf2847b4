"""How many components, and can they be trusted?"""

from __future__ import annotations

from nmf_core.selection.advice import Advice, advise
from nmf_core.selection.request import SweepRequest
from nmf_core.selection.sweep import Sweep, sweep
from nmf_core.selection.work import SweepWork

__all__ = ["Advice", "Sweep", "SweepRequest", "SweepWork", "advise", "sweep"]
