"""Where pushes may go: a caller names the address, and it must not lead into places that only the bridge can reach.

Link-local addresses (among them the metadata services of clouds), unspecified and multicast ones are never allowed.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from certex_bridge.kernel.errors import InputError

URL_LENGTH = 512

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_METADATA = ipaddress.ip_network("fd00:ec2::/32")
"""The one metadata service that has an address of a private network."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


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
    if not private and host in _LOCAL_NAMES:
        return "it leads to this machine"
    literal = _literal(host)
    return "" if literal is None or allowed(literal, private=private) else "it leads where pushes may not go"


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def allowed(address: Address, *, private: bool) -> bool:
    """Whether a push may be sent to this address."""
    inner = _inner(address)
    if inner is not None:
        return allowed(inner, private=private)
    never = address.is_link_local or address.is_unspecified or address.is_multicast or address in _METADATA
    return not never and (address.is_global or (private and (address.is_private or address.is_loopback)))


def _inner(address: Address) -> Address | None:
    """The IPv4 address that an IPv6 address stands for, if any."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def may_connect(host: str, *, private: bool) -> bool:
    """Whether a host given by its number, or a number that a name led to, may be connected to; names may."""
    literal = _literal(host.partition("%")[0].strip("[]"))
    return literal is None or allowed(literal, private=private)
