"""Addresses that are not plain public ones: the special-purpose registries of IANA as data, and what follows of them.

https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry. Kept here and not asked of
Python's `ipaddress`, whose tables differ from release to release.
"""

from __future__ import annotations

import ipaddress
from enum import Enum

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Reach(Enum):
    """Where an address leads."""

    PUBLIC = "public"
    PRIVATE = "private"
    """A private network, or this machine."""
    NEVER = "never"
    """Nothing that receives pushes has such an address."""
    EMBEDDED = "embedded"
    """It stands for an IPv4 address, which counts."""


_RANGES: tuple[tuple[str, Reach, str], ...] = (
    ("0.0.0.0/0", Reach.PUBLIC, "everything that nothing below is about"),
    ("0.0.0.0/8", Reach.NEVER, "this network"),
    ("10.0.0.0/8", Reach.PRIVATE, "private use"),
    ("100.64.0.0/10", Reach.NEVER, "shared address space"),
    ("127.0.0.0/8", Reach.PRIVATE, "loopback"),
    ("169.254.0.0/16", Reach.NEVER, "link-local, metadata services"),
    ("172.16.0.0/12", Reach.PRIVATE, "private use"),
    ("192.0.0.0/24", Reach.NEVER, "IETF protocol assignments"),
    ("192.0.0.9/32", Reach.PUBLIC, "Port Control Protocol anycast"),
    ("192.0.0.10/32", Reach.PUBLIC, "TURN anycast"),
    ("192.0.2.0/24", Reach.NEVER, "documentation"),
    ("192.31.196.0/24", Reach.PUBLIC, "AS112"),
    ("192.52.193.0/24", Reach.PUBLIC, "AMT"),
    ("192.88.99.0/24", Reach.NEVER, "6to4 relay anycast, deprecated"),
    ("192.168.0.0/16", Reach.PRIVATE, "private use"),
    ("192.175.48.0/24", Reach.PUBLIC, "AS112"),
    ("198.18.0.0/15", Reach.NEVER, "benchmarking"),
    ("198.51.100.0/24", Reach.NEVER, "documentation"),
    ("203.0.113.0/24", Reach.NEVER, "documentation"),
    ("224.0.0.0/4", Reach.NEVER, "multicast"),
    ("240.0.0.0/4", Reach.NEVER, "reserved, limited broadcast"),
    ("::/0", Reach.NEVER, "not assigned, IPv4-compatible and IPv4-translated addresses, loopback apart"),
    ("::1/128", Reach.PRIVATE, "loopback"),
    ("::ffff:0:0/96", Reach.EMBEDDED, "IPv4-mapped"),
    ("64:ff9b::/96", Reach.EMBEDDED, "IPv4-IPv6 translation (NAT64)"),
    ("64:ff9b:1::/48", Reach.NEVER, "IPv4-IPv6 translation of local use"),
    ("100::/64", Reach.NEVER, "discard-only"),
    ("100:0:0:1::/64", Reach.NEVER, "dummy prefix"),
    ("2000::/3", Reach.PUBLIC, "global unicast"),
    ("2001::/23", Reach.NEVER, "IETF protocol assignments, Teredo, benchmarking"),
    ("2001:1::1/128", Reach.PUBLIC, "Port Control Protocol anycast"),
    ("2001:1::2/128", Reach.PUBLIC, "TURN anycast"),
    ("2001:1::3/128", Reach.PUBLIC, "service registration anycast"),
    ("2001:3::/32", Reach.PUBLIC, "AMT"),
    ("2001:4:112::/48", Reach.PUBLIC, "AS112"),
    ("2001:20::/28", Reach.NEVER, "ORCHIDv2: names of hosts, to which nothing is routed"),
    ("2001:30::/28", Reach.NEVER, "names of unmanned aircraft, to which nothing is routed"),
    ("2001:db8::/32", Reach.NEVER, "documentation"),
    ("2002::/16", Reach.EMBEDDED, "6to4"),
    ("2620:4f:8000::/48", Reach.PUBLIC, "AS112"),
    ("3fff::/20", Reach.NEVER, "documentation"),
    ("5f00::/16", Reach.NEVER, "segment identifiers (SRv6)"),
    ("fc00::/7", Reach.PRIVATE, "unique local"),
    ("fd00:ec2::/32", Reach.NEVER, "metadata service with a unique local address"),
    ("fe80::/10", Reach.NEVER, "link-local"),
    ("fec0::/10", Reach.NEVER, "site-local, deprecated"),
    ("ff00::/8", Reach.NEVER, "multicast"),
)
SPECIAL: tuple[tuple[Network, Reach], ...] = tuple(
    sorted(((ipaddress.ip_network(text), reach) for text, reach, _ in _RANGES), key=lambda one: -one[0].prefixlen)
)
"""The most special first."""


def reach_of(address: Address) -> Reach:
    """Where an address leads, PUBLIC, PRIVATE or NEVER; one that stands for an IPv4 address as that one."""
    found = next(reach for network, reach in SPECIAL if address.version == network.version and address in network)
    if found is not Reach.EMBEDDED:
        return found
    bits = int(address)
    return reach_of(ipaddress.IPv4Address((bits >> 80 if bits >> 112 == _SIXTOFOUR else bits) & 0xFFFFFFFF))


_SIXTOFOUR = 0x2002
