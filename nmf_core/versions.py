"""The versions of what the numbers depend on."""

from __future__ import annotations

from functools import cache


@cache
def versions() -> dict[str, str]:
    """Return the versions of what the numbers depend on."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from nmf_core import __version__

    found = {"Python": platform.python_version(), "NMF Explorer": __version__}
    for package in ("numpy", "scipy", "scikit-learn", "numba"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found
