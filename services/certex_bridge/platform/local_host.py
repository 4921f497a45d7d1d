"""Whether a request was meant for this machine, where nobody proves who he is.

A page of a browser can send a request to this machine under a name of its own that it makes lead here (DNS rebinding).
The Host header keeps that name.
"""

from __future__ import annotations

from collections.abc import Iterable

_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


def is_for_this_machine(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether there is one Host header, and it names this machine."""
    hosts = [value.decode("latin-1").lower() for name, value in headers if name == b"host"]
    if len(hosts) != 1:
        return False
    name, port = hosts[0], ""
    if not name.endswith("]"):
        name, _, port = name.rpartition(":") if ":" in name else (name, "", "")
    return name in _NAMES and (not port or (port.isascii() and port.isdigit()))
