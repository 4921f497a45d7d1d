"""Wire events for the tests that run the whole bridge, and what came of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from certex_bridge.kernel.identifiers import mrn_check_digit
from certex_bridge.platform.kafka import Record

LICENCES = "licensing.licences.v1"
DECLARATIONS = "customs.declarations.v1"


def mrn(number: int) -> str:
    """A valid Belgian MRN."""
    head = f"26BE{number:012d}A"
    return head + mrn_check_digit(head)


def event(topic: str, key: str, event_id: str, kind: str, data: dict[str, Any] | bytes, at: str) -> Record:
    """A CloudEvent in binary mode."""
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": event_id,
        "ce_type": kind,
        "ce_source": "urn:test",
        "ce_time": at,
        "content-type": "application/json",
    }
    body = data if isinstance(data, bytes) else json.dumps(data, separators=(",", ":")).encode()
    return Record(topic, key.encode(), body, tuple((name, value.encode()) for name, value in attributes.items()))


def licence(number: str, quantity: str, *, version: int = 1, status: str = "VALID", kind: str = "issued") -> Record:
    """A licence of one line in pieces."""
    data = {
        "issuer": "BE", "number": number, "version": version, "type": "INDIVIDUAL", "direction": "EXPORT",
        "status": status, "issueDate": "2026-01-02", "validFrom": "2026-01-01", "validTo": "2099-12-31",
        "holder": {"name": "Holder", "eori": "BE0123456789", "country": "BE"},
        "authority": {"name": "Authority", "country": "BE"},
        "consignees": [{"name": "Consignee", "country": "KR"}], "destinations": ["KR"],
        "lines": [{"line": 1, "description": "machine tool", "controlList": "2B001.b", "commodityCodes": ["84571090"],
                   "control": "QUANTITY", "quantity": {"amount": quantity, "unit": "NAR"}}],
    }  # fmt: skip
    at = f"2026-02-01T10:{version:02d}:00Z"
    return event(LICENCES, f"BE/{number}", f"{number}-v{version}", f"licensing.licence.{kind}.v1", data, at)


def declaration(number: int, kind: str, minute: int, claims: dict[str, str] | None = None, **more: Any) -> Record:
    """An event on the declaration with that MRN; `claims` are licence number to pieces, one item each."""
    data: dict[str, Any] = {"mrn": mrn(number), **more}
    if claims is not None:
        items = [
            {"item": item, "procedure": "1000", "commodity": "84571090", "destination": "KR",
             "documents": [{"seq": 1, "type": "X060", "reference": name, "line": 1, "issuer": "BE",
                            "quantity": {"amount": amount, "unit": "NAR"}}]}
            for item, (name, amount) in enumerate(claims.items(), start=1)
        ]  # fmt: skip
        data["declaration"] = {
            "type": "EX", "additionalType": "A", "exporter": "BE0123456789", "destination": "KR", "items": items,
        }  # fmt: skip
        data.setdefault("version", 1)
    identity = f"d{number}-{kind}-{minute}"
    at = f"2026-03-01T{minute // 60 + 8:02d}:{minute % 60:02d}:00Z"
    return event(DECLARATIONS, mrn(number), identity, f"customs.declaration.{kind}.v1", data, at)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 90.0, *, what: str = "") -> None:
    """Wait until the condition holds.

    Raises:
        AssertionError: it did not in time.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    while not await condition():
        assert asyncio.get_running_loop().time() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.1)


async def settled(connection: asyncpg.Connection[Any], events: int, quarantined: int = 0) -> bool:
    """Whether so many events are in, and nothing is left to do."""
    row = await connection.fetchrow(
        "SELECT (SELECT count(*) FROM inbox), (SELECT count(*) FROM quarantine), (SELECT count(*) FROM wake), "
        "(SELECT count(*) FROM unsent)"
    )
    assert row is not None
    return (row[0], row[1], row[2], row[3]) == (events, quarantined, 0, 0)
