"""Which servers an address of PostgreSQL leads to, as the driver reads it: lists of hosts, ?host=, PGHOST, services."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from certex_bridge.platform.settings import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Mapping


def hosts(url: str, environment: Mapping[str, str] | None = None) -> list[str]:
    """Every host that may be connected to; empty: the local socket. A path is a socket.

    What is given in more than one place counts in all of them: which of them wins is the driver's business.
    """
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    told = [parts.netloc.rpartition("@")[2], *query.get("host", ())]
    found = [_host(one) for one in ",".join(told).split(",") if one]
    if not found:
        found = [_host(one) for one in (environment or os.environ).get("PGHOST", "").split(",") if one]
    return [host for host in found if host]


def _host(text: str) -> str:
    """The host of host:port, of [address]:port, or of a socket's folder."""
    text = unquote(text)
    if text.startswith(("/", "@")):
        return text
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


def is_local(url: str, environment: Mapping[str, str] | None = None) -> bool:
    """Whether every connection stays on this machine. An address by service name may lead anywhere."""
    environment = os.environ if environment is None else environment
    if "service" in parse_qs(urlsplit(url).query) or environment.get("PGSERVICE"):
        return False
    return all(host in LOOPBACK or host.startswith(("/", "@")) for host in hosts(url, environment))


def shown_address(url: str) -> str:
    """Hosts, ports and database: the part of an address that may be shown."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2] or ",".join(hosts(url)) or "the local socket"
    return f"PostgreSQL at {place}{parts.path}"
