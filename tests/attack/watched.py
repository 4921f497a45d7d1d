"""What a process touches outside itself: files that are none of ours, addresses, other programs (PEP 578).

`python -m tests.attack.watched REPORT serve` is `certex-bridge serve` with that watch on it. libxml2 opens files without
telling Python: for that the corpus names a file and an address of its own, which nobody may look at (`bait.py`).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_OURS = tuple(
    str(path)
    for path in (
        sys.prefix,
        sys.base_prefix,
        ROOT,
        "/proc/self",
        "/proc/stat",
        "/dev/null",
        "/dev/urandom",
        "/usr/share/zoneinfo",
    )
)
_PROGRAMS = {"subprocess.Popen", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system"}
_CHANGES = {"os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.symlink", "os.link", "os.chmod", "shutil.rmtree"}


def watch(report: Path, *, folders: tuple[str, ...] = (), ports: frozenset[int] = frozenset()) -> None:
    """Note from now on what is touched, a line each; `folders` and `ports` are allowed beside our own."""
    told = os.open(report, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    allowed = (*_OURS, *folders)

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "open":
            name = args[0]
            if isinstance(name, bytes | str) and not os.fsdecode(name).startswith(allowed):
                os.write(told, f"open {os.fsdecode(name)!r}\n".encode())
        elif event == "socket.connect":
            address = args[1]
            if isinstance(address, tuple) and address[1] not in ports:
                os.write(told, f"connect {address!r}\n".encode())
        elif event == "socket.getaddrinfo":
            if args[0] not in {None, "127.0.0.1", "localhost"}:
                os.write(told, f"look up {args[0]!r}\n".encode())
        elif event in _PROGRAMS or event in _CHANGES:
            os.write(told, f"{event} {args!r}\n".encode())

    sys.addaudithook(hook)


def main() -> None:
    """Serve under watch."""
    from certex_bridge.operations.cli import main as command

    report, sys.argv = Path(sys.argv[1]), ["certex-bridge", *sys.argv[2:]]
    ports = frozenset(int(port) for port in os.environ["ATTACK_PORTS"].split(","))
    watch(report, folders=(str(report.parent),), ports=ports)
    command()


if __name__ == "__main__":
    main()
