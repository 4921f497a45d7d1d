"""The mismatch report over HTTP: who sees what, in which days."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from certex_bridge.ledger.domain.model import ClaimKey
from certex_bridge.ledger.mismatches import Asked, Mismatch, MismatchReport, report_of
from certex_bridge.platform.metrics import Metrics
from certex_bridge.singlewindow.callers import Caller, CallerRole
from certex_bridge.singlewindow.functions.reports import reads
from certex_bridge.singlewindow.http.gateway import gateway_application
from tests.support.asgi import Answer, call
from tests.support.echo import known

AT = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
ONE = Mismatch(ClaimKey("26BE1", 1, 2, "DE/D", 3), "e1", "BE", "urn:x", "REFUSED", ("QUANTITY_EXCEEDED",), True, AT)


class Found:
    """A ledger with one mismatch; remembers what it was asked."""

    asked = Asked()

    async def report(self, asked: Asked) -> MismatchReport:
        self.asked = asked
        return report_of([ONE])


async def ask(found: Found, query: str = "", *roles: CallerRole) -> Answer:
    who = Caller(name="X", member_state="DE", roles=frozenset(roles or {CallerRole.AUDITOR}))
    application = known(gateway_application((), Metrics(), "S", reads(found)), who)
    scope: dict[str, Any] = {
        "type": "http", "method": "GET", "path": "/v1/reports/mismatches", "query_string": query.encode(),
        "headers": [], "server": ("bridge.test", 443), "scheme": "https", "root_path": "", "http_version": "1.1",
    }  # fmt: skip
    return await call(application, scope)


async def test_the_report_as_it_is_told() -> None:
    told = json.loads((await ask(Found())).body)
    assert told["total"] == 1
    assert told["totals"] == [{"source": "urn:x", "memberState": "BE", "verdict": "REFUSED", "claims": 1}]
    (listed,) = told["listed"]
    assert listed == {
        "declaration": "26BE1", "declarationGoodsItemNumber": 1, "documentSequenceNumber": 2, "licence": "DE/D",
        "documentLineItemNumber": 3, "source": "urn:x", "memberState": "BE", "verdict": "REFUSED",
        "reasons": ["QUANTITY_EXCEEDED"], "recorded": True, "releasedAt": "2026-03-01T10:00:00Z",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("role", "asked"),
    [
        (CallerRole.CLEARANCE, Asked(member_state="DE")),
        (CallerRole.CUSTOMS_OFFICER, Asked(member_state="DE")),
        (CallerRole.LICENSING_OFFICER, Asked(issuer="DE")),
        (CallerRole.AUDITOR, Asked(member_state="DE", issuer="DE")),
    ],
)
async def test_everybody_sees_their_own_side(role: CallerRole, asked: Asked) -> None:
    found = Found()
    assert (await ask(found, "", role)).status == 200
    assert found.asked == asked


async def test_days_are_whole_days() -> None:
    found = Found()
    await ask(found, "since=2026-03-01&until=2026-03-01&source=urn:x")
    assert (found.asked.since, found.asked.until) == (
        datetime(2026, 3, 1, tzinfo=UTC),
        datetime(2026, 3, 2, tzinfo=UTC),
    )
    assert found.asked.source == "urn:x"
    assert (await ask(found, "since=2026-02-30")).status == 400
