"""Where pushes may go: a caller names the address, and it must not lead into places that only the bridge can reach.

Where a number leads is said by a list of our own (`special_ranges.py`); numbers in other forms than an address's are
refused, since resolvers do not agree on them.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from certex_bridge.kernel.errors import InputError
from certex_bridge.singlewindow.pushes.special_ranges import Address, Reach, reach_of

URL_LENGTH = 512

_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""Last part of a host that resolvers read as a number: 127.1, 0, 2130706433, 0x7f.1, 0177.0.0.1."""


def check_url(url: str, *, private: bool, field: str = "url") -> None:
    """Check an address as it is written; what its name leads to is checked at each connection.

    `private` allows networks that are not the public internet, and http on this machine.

    Raises:
        InputError: CALLBACK_URL with field and value.
    """
    problem = _problem(url, private=private)
    if problem:
        raise InputError(f"no address for pushes: {problem}", field=field, value=url, code="CALLBACK_URL")


def _problem(url: str, *, private: bool) -> str:
    if len(url) > URL_LENGTH or not url.isascii() or not url.isprintable() or " " in url:
        return f"it has more than {URL_LENGTH} characters, or others than printable ASCII"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        return str(error)
    if parts.username is not None or parts.fragment:
        return "it must have neither user nor fragment"
    if not host or port == 0:
        return "it names no host and port"
    if parts.scheme != "https" and not (private and parts.scheme == "http" and host in _LOCAL_NAMES):
        return "it must be https"
    if not private and (host in _LOCAL_NAMES or host.rstrip(".").rpartition(".")[2] == "localhost"):
        return "it leads to this machine"
    literal = _literal(host)
    if literal is None and _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        return "it is a number that is not written as an address"
    return "" if literal is None or allowed(literal, private=private) else "it leads where pushes may not go"


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def allowed(address: Address, *, private: bool) -> bool:
    """Whether a push may be sent to this address."""
    reach = reach_of(address)
    return reach is Reach.PUBLIC or (private and reach is Reach.PRIVATE)


def may_connect(host: str, *, private: bool) -> bool:
    """Whether a host given by its number, or a number that a name led to, may be connected to; names may."""
    literal = _literal(host.partition("%")[0].strip("[]"))
    return literal is None or allowed(literal, private=private)
