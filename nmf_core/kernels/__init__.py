"""Compiled inner loops, each beside a plain NumPy twin that gives the same bits.

A kernel is looked up by name and dtype with :func:`get`. While it is not loaded yet, or Numba is absent or switched
off, the answer is None and the caller runs the twin: same request, same bits, only slower. A background thread loads
(compiling, at the first start of an installation, in a child process that fills Numba's cache on disk).
"""

from __future__ import annotations

from nmf_core.kernels.compiling import enabled, get, patience, ready, status, twins_only, warm_up

__all__ = ["enabled", "get", "patience", "ready", "status", "twins_only", "warm_up"]
