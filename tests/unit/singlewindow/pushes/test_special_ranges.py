"""The list of special ranges beside the registries of IANA, row by row, and beside Python's own."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certex_bridge.singlewindow.pushes.special_ranges import Network, Reach, reach_of

REGISTRIES = {
    # iana-ipv4-special-registry: prefix and its column "Globally Reachable"
    "0.0.0.0/8": False, "0.0.0.0/32": False, "10.0.0.0/8": False, "100.64.0.0/10": False, "127.0.0.0/8": False,
    "169.254.0.0/16": False, "172.16.0.0/12": False, "192.0.0.0/24": False, "192.0.0.0/29": False, "192.0.0.8/32": False,
    "192.0.0.9/32": True, "192.0.0.10/32": True, "192.0.0.170/32": False, "192.0.0.171/32": False, "192.0.2.0/24": False,
    "192.31.196.0/24": True, "192.52.193.0/24": True, "192.88.99.0/24": None, "192.88.99.2/32": False,
    "192.168.0.0/16": False, "192.175.48.0/24": True, "198.18.0.0/15": False, "198.51.100.0/24": False,
    "203.0.113.0/24": False, "240.0.0.0/4": False, "255.255.255.255/32": False,
    # iana-ipv6-special-registry
    "::1/128": False, "::/128": False, "::ffff:0:0/96": False, "64:ff9b::/96": True, "64:ff9b:1::/48": False,
    "100::/64": False, "100:0:0:1::/64": False, "2001::/23": False, "2001::/32": None, "2001:1::1/128": True,
    "2001:1::2/128": True, "2001:1::3/128": True, "2001:2::/48": False, "2001:3::/32": True, "2001:4:112::/48": True,
    "2001:10::/28": None, "2001:20::/28": True, "2001:30::/28": True, "2001:db8::/32": False, "2002::/16": None,
    "2620:4f:8000::/48": True, "3fff::/20": False, "5f00::/16": False, "fc00::/7": False, "fe80::/10": False,
}  # fmt: skip
"""As published in 2025; None: the registry says N/A. A row it gets later is added here first."""

STRICTER = {"2001:20::/28", "2001:30::/28"}
"""Reachable by the registry's word, and yet no address of a server: names in the form of addresses."""
STANDS_FOR_IPV4 = {"::ffff:0:0/96", "64:ff9b::/96", "2002::/16"}


def ends(network: Network) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ...]:
    return network[0], network[network.num_addresses // 2], network[-1]


def row_of(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """The longest prefix of the registries that an address is in; empty: none."""
    found = [text for text in REGISTRIES if address in ipaddress.ip_network(text)]
    return max(found, key=lambda text: ipaddress.ip_network(text).prefixlen, default="")


@pytest.mark.parametrize("text", REGISTRIES)
def test_a_row_of_the_registries(text: str) -> None:
    network = ipaddress.ip_network(text)
    for address in ends(network):
        if row_of(address) != text or text in STANDS_FOR_IPV4:
            continue
        expected = REGISTRIES[text] and text not in STRICTER
        assert (reach_of(address) is Reach.PUBLIC) == bool(expected), address


@pytest.mark.parametrize("prefix", sorted(STANDS_FOR_IPV4))
def test_what_stands_for_an_ipv4_address_leads_where_that_leads(prefix: str) -> None:
    network = ipaddress.IPv6Network(prefix)
    shift = 80 if prefix == "2002::/16" else 0
    for text, reachable in REGISTRIES.items():
        inner = ipaddress.ip_network(text)
        if inner.version == 4:
            address = ipaddress.IPv6Address(int(network[0]) | int(inner[-1]) << shift)
            assert reach_of(address) is reach_of(inner[-1]), address
            assert reachable or row_of(inner[-1]) != text or reach_of(address) is not Reach.PUBLIC


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_what_python_calls_not_global_is_never_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    """Python's tables differ from release to release, but what they do not let out was never public."""
    row = row_of(address)
    if not address.is_global and not REGISTRIES.get(row) and row not in STANDS_FOR_IPV4:
        assert reach_of(address) is not Reach.PUBLIC, address
