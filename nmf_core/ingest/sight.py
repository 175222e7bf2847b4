"""What a reading process can still see of the disk: Python, its packages and the system's libraries; nothing of anybody's.

Linux 5.13 and later let a program without rights give up files for good (Landlock). Elsewhere nothing is given up, and the
process reads whatever its user may.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import sys
from collections.abc import Iterable
from pathlib import Path

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same numbers on every machine
_VERSION, _BENEATH, _NO_NEW_PRIVILEGES = 1, 1, 38
_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
#: Kinds of access known to each version, from executing (bit 0) on; all of them are given up but where reading is allowed.
_KINDS = {1: 13, 2: 14, 3: 15, 4: 15}
_LATEST = 16
#: Libraries, time zones, and what OpenBLAS and allocators ask about the machine.
SYSTEM = (
    "/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo",
    "/etc/ld.so.cache", "/etc/localtime", "/dev/null", "/dev/zero", "/dev/urandom", "/sys/devices/system/cpu",
    "/sys/kernel/mm/transparent_hugepage", "/proc/cpuinfo", "/proc/meminfo", "/proc/sys/vm",
)  # fmt: skip


def confine_sight() -> bool:
    """Give up every file but those of `needed`; return False where the system has no such call."""
    if not sys.platform.startswith("linux") or platform.machine() not in ("x86_64", "aarch64"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    version = libc.syscall(ctypes.c_long(_CREATE), None, ctypes.c_size_t(0), ctypes.c_uint(_VERSION))
    if version < 1:
        return False
    every = (1 << _KINDS.get(version, _LATEST)) - 1
    handled = ctypes.c_uint64(every)
    rules = libc.syscall(ctypes.c_long(_CREATE), ctypes.byref(handled), ctypes.c_size_t(8), ctypes.c_uint(0))
    if rules < 0:
        return False
    try:
        for path in needed():
            _allow(libc, rules, path)
        libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
        if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
            return False
        return bool(libc.syscall(ctypes.c_long(_RESTRICT), ctypes.c_int(rules), ctypes.c_uint(0)) == 0)
    finally:
        os.close(rules)


def needed() -> list[str]:
    """Return the folders and files that Python needs: its own, packages, this program's code, libraries of the system."""
    code = Path(__file__).resolve().parents[1]
    home = code.parent  # may hold more than code: data, keys, notes; unless the program is installed among packages
    packages = [path for path in sys.path if Path(path).resolve() != home or home.name.endswith("-packages")]
    return list(dict.fromkeys((*packages, str(code), *_homes(), *SYSTEM)))


def _homes() -> Iterable[str]:
    """Return the folders of the libraries that this process has loaded, wherever a distribution puts them."""
    with contextlib.suppress(OSError), open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
        for line in file:
            path = line.rstrip("\n").partition("/")[2]
            if ".so" in path:
                yield f"/{path.rpartition('/')[0]}"


def _allow(libc: ctypes.CDLL, rules: int, path: str) -> None:
    """Allow reading one file, or a folder and all it holds; what does not exist needs no rule."""
    with contextlib.suppress(OSError):
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            kinds = _READ_FILE | (_READ_FOLDER if os.path.isdir(path) else 0)
            # struct landlock_path_beneath_attr: packed, 64 bits of access and a file descriptor
            rule = kinds.to_bytes(8, "little") + place.to_bytes(4, "little", signed=True)
            libc.syscall(ctypes.c_long(_ADD), ctypes.c_int(rules), ctypes.c_uint(_BENEATH), rule, ctypes.c_uint(0))
        finally:
            os.close(place)
