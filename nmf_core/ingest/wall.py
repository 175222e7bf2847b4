"""The wall around a reading process: no network, no new programs, no file opened for writing, where the system allows it.

On Linux a seccomp filter is put on the process by itself; no rights are needed for that, and it can never be taken off
again. Other systems have no such call for a program without rights: there the limits of `child` are what remains.
"""

from __future__ import annotations

import ctypes
import platform
import struct
import sys

#: Refused system calls by their numbers: what reaches the network, starts programs, changes files, or reaches into
#: other processes. io_uring would do the same behind a queue; unshare and mount would build another world.
X86_64 = {
    "socket": 41, "connect": 42, "accept": 43, "sendto": 44, "sendmsg": 46, "bind": 49, "listen": 50, "socketpair": 53,
    "fork": 57, "vfork": 58, "execve": 59, "kill": 62, "truncate": 76, "rename": 82, "mkdir": 83, "rmdir": 84, "creat": 85,
    "link": 86, "unlink": 87, "symlink": 88, "chmod": 90, "chown": 92, "lchown": 94, "ptrace": 101, "mknod": 133,
    "chroot": 161, "mount": 165, "tkill": 200, "unlinkat": 263, "mkdirat": 258, "mknodat": 259, "fchownat": 260,
    "renameat": 264, "linkat": 265, "symlinkat": 266, "fchmodat": 268, "unshare": 272, "accept4": 288, "renameat2": 316,
    "process_vm_readv": 310, "process_vm_writev": 311, "bpf": 321, "execveat": 322, "userfaultfd": 323,
    "pidfd_send_signal": 424, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "openat2": 437,
    "pidfd_getfd": 438,
}  # fmt: skip
AARCH64 = {
    "socket": 198, "socketpair": 199, "bind": 200, "listen": 201, "accept": 202, "connect": 203, "sendto": 206,
    "sendmsg": 211, "execve": 221, "kill": 129, "tkill": 130, "truncate": 45, "mknodat": 33, "mkdirat": 34, "unlinkat": 35,
    "symlinkat": 36, "linkat": 37, "renameat": 38, "mount": 40, "chroot": 51, "fchmodat": 53, "fchownat": 54, "unshare": 97,
    "ptrace": 117, "accept4": 242, "process_vm_readv": 270, "process_vm_writev": 271, "renameat2": 276, "bpf": 280,
    "execveat": 281, "userfaultfd": 282, "pidfd_send_signal": 424, "io_uring_setup": 425, "io_uring_enter": 426,
    "io_uring_register": 427, "openat2": 437, "pidfd_getfd": 438,
}  # fmt: skip
#: machine → (audit number of the architecture, refused calls, numbers of open (or None), openat and clone)
MACHINES = {
    "x86_64": (0xC000003E, X86_64, 2, 257, 56),
    "aarch64": (0xC00000B7, AARCH64, None, 56, 220),
}
_CLONE3 = 435
_THREAD = 0x10000  # CLONE_THREAD: a thread of this process, not a new one
_WRITING = 0o1 | 0o2 | 0o100 | 0o1000  # O_WRONLY, O_RDWR, O_CREAT, O_TRUNC
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | 1, 0x80000000  # the 1 is EPERM
_UNKNOWN = 0x00050000 | 38  # ENOSYS: the C library then starts threads with the older call, whose flags can be seen
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2
_X32 = 0x40000000


def confine_calls() -> bool:
    """Put the filter on this process; return False where the system has none."""
    if not sys.platform.startswith("linux") or platform.machine() not in MACHINES:
        return False
    if struct.calcsize("P") != 8 or sys.byteorder != "little":
        return False
    program = _program(platform.machine())

    class Instruction(ctypes.Structure):
        _fields_ = (
            ("code", ctypes.c_uint16),
            ("yes", ctypes.c_uint8),
            ("no", ctypes.c_uint8),
            ("k", ctypes.c_uint32),
        )

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_uint16), ("first", ctypes.POINTER(Instruction)))

    lines = (Instruction * len(program))(*(Instruction(*line) for line in program))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        return False
    whole = Program(len(program), lines)
    return bool(libc.prctl(_SET_SECCOMP, _FILTER, ctypes.addressof(whole), 0, 0) == 0)


def _program(machine: str) -> list[tuple[int, int, int, int]]:
    """Return the filter as (code, jump if true, jump if false, constant)."""
    architecture, refused, open_, openat, clone = MACHINES[machine]
    lines = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    if machine == "x86_64":  # the same calls under other numbers
        lines += [(_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _REFUSE)]
    for number in sorted(refused.values()):
        lines += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE)]
    lines += [(_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _UNKNOWN)]
    lines += [(_EQUAL, 0, 4, clone), (_LOAD, 0, 0, 16), (_ANY_BIT, 1, 0, _THREAD)]
    lines += [(_RETURN, 0, 0, _REFUSE), (_RETURN, 0, 0, _ALLOW)]
    for opening, argument in ((open_, 1), (openat, 2)):
        if opening is not None:
            flags = 16 + 8 * argument  # low half of the argument that holds the flags
            lines += [(_EQUAL, 0, 4, opening), (_LOAD, 0, 0, flags), (_ANY_BIT, 0, 1, _WRITING)]
            lines += [(_RETURN, 0, 0, _REFUSE), (_RETURN, 0, 0, _ALLOW)]
    return [*lines, (_RETURN, 0, 0, _ALLOW)]
