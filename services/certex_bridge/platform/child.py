"""Starts one server as a child that cannot outlive us, as an unprivileged user where the server insists on it.

Run as a script (`python -I -S child.py PARENT SIGNAL IDENTITY COMMAND…`), never imported by the bridge: the steps
between fork and exec are unsafe in a threaded process, so they happen in a small interpreter of their own, which then
becomes the server. Linux only; elsewhere the command is simply executed.

IDENTITY is one of
    same       keep the user
    namespace  our own user under the number 1000 of a new user namespace: files stay ours, no account is needed
    nobody     the account 65534, keeping one capability (to pass directories closed to others, since a clone often
               lies under a closed home directory); for places where user namespaces are refused, such as a chroot
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from pathlib import Path

_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_SET_SECUREBITS = 28
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_CAPABILITY_VERSION_3 = 0x20080522
_NOBODY = 65534
_MAPPED_ID = 1000


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilityWord(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _prctl(option: int, first: int, second: int = 0) -> None:
    arguments = [ctypes.c_ulong(value) for value in (first, second, 0, 0)]
    _check(_libc.prctl(ctypes.c_int(option), *arguments), f"prctl {option}")


def enter_namespace() -> None:
    """Give this process the number 1000 inside a user namespace of its own."""
    user, group = os.geteuid(), os.getegid()
    _check(_libc.unshare(_CLONE_NEWUSER), "unshare")
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{_MAPPED_ID} {user} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{_MAPPED_ID} {group} 1", encoding="ascii")


def become_nobody() -> None:
    """Give up root for the account 65534, keeping only the right to pass directories closed to others."""
    _prctl(_PR_SET_KEEPCAPS, 1)
    # Otherwise access(2), which PostgreSQL's programs ask about each other, would ignore the capability.
    with contextlib.suppress(OSError):
        _prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP)
    os.setgroups([])
    os.setresgid(_NOBODY, _NOBODY, _NOBODY)
    os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    bit = 1 << _CAP_DAC_OVERRIDE
    words = (_CapabilityWord * 2)(_CapabilityWord(bit, bit, bit), _CapabilityWord(0, 0, 0))
    # Without the capability the server still runs when its files lie in a directory open to others.
    with contextlib.suppress(OSError):
        _check(_libc.capset(ctypes.byref(_CapabilityHeader(_CAPABILITY_VERSION_3, 0)), words), "capset")
        _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE)


def main(arguments: list[str]) -> None:
    """Take the identity, ask for the signal that follows our parent's death, become the command."""
    parent, signal_number, identity, *command = arguments
    if sys.platform == "linux":
        if identity == "namespace":
            enter_namespace()
        elif identity == "nobody":
            become_nobody()
        # Last, because a change of identity clears it.
        _prctl(_PR_SET_PDEATHSIG, int(signal_number))
        if os.getppid() != int(parent):
            sys.exit("the parent died before the server started")
    os.execv(command[0], command)  # noqa: S606  (becoming the server is the purpose)


if __name__ == "__main__":
    main(sys.argv[1:])
