"""A gateway over HTTP on a real database, with licences from wire events and programmable customs in front of it."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from certex_bridge.laboratory.customs_channel import Account, Channel, Form
from certex_bridge.laboratory.customs_client import CustomsClient
from certex_bridge.laboratory.customs_expectation import Expectation
from certex_bridge.laboratory.customs_requests import declared
from certex_bridge.ledger.commands import Delivery
from certex_bridge.ledger.ports import Origin
from certex_bridge.licensing.decode import decode_licence_event
from certex_bridge.operations.composition import Bridge
from certex_bridge.operations.gateway_beside import gateway_beside
from certex_bridge.operations.running import run_roles
from certex_bridge.operations.verify import verify
from certex_bridge.platform.envelope import Envelope
from certex_bridge.platform.settings import Settings
from tests.support.ledger_words import HOLDER, mrn_of
from tests.support.push_receiver import KEY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from certex_bridge.laboratory.messages import Wire
    from certex_bridge.ledger.answers import Answer
    from certex_bridge.singlewindow.http.gateway import Recorder

CALLER = """
[[caller]]
name = "{name}"
member_state = "{state}"
roles = ["clearance", "customs_officer", "licensing_officer", "auditor"]
limits = {{ rate = 100000.0, burst = 100000, concurrent = 1000 }}
"""
CALLERS = {"NSW.BE": "BE", "NSW-2.BE": "BE", "NSW.DE": "DE", "LICENSING.BE": "BE", "AUDIT.BE": "BE"}
TOPIC = "licensing.licences.v1"
OFFICE = "BE000123"


def content(name: str, *items: Wire, version: int = 1, **more: Any) -> Wire:
    """The content of the declaration with this short name."""
    return declared(mrn_of(name), items, version=version, exporter=HOLDER, office=OFFICE) | more


@dataclass
class GatewayWorld:
    """What a test of the gateway over HTTP needs."""

    bridge: Bridge
    url: str
    channel: Channel
    database_url: str
    expectation: Expectation = field(default_factory=Expectation)
    told: int = 0

    def customs(self, name: str = "NSW.BE", state: str = "BE", form: Form = Form.JSON, seed: int = 0) -> CustomsClient:
        """A customs system; all of them share one expectation."""
        return CustomsClient(self.channel, Account(name, state), self.expectation, seed, form)

    async def tell(self, kind: str, data: Wire, at: str = "2026-02-01T10:00:00Z") -> Answer:
        """One licence event, applied by the ledger."""
        self.told += 1
        names = {"specversion": "1.0", "id": f"event-{self.told}", "type": kind, "source": "urn:test", "time": at}
        headers = [(f"ce_{name}", value.encode()) for name, value in names.items()]
        headers.append(("content-type", b"application/json"))
        key = f"{data['issuer']}/{data['number']}".encode()
        envelope = Envelope(TOPIC, 0, self.told, key, json.dumps(data).encode(), tuple(headers))
        command = decode_licence_event(envelope)
        applied = await self.bridge.executor.apply([Delivery(Origin(TOPIC, 0, self.told), command, raw=b"{}")])
        return applied.answers[0]

    async def issue(self, number: str, *, quantity: str = "", value: str = "", unit: str = "NAR", **more: Any) -> None:
        """A licence of one line, and the same in the book."""
        data = licence(number, quantity=quantity, value=value, unit=unit) | more
        assert (await self.tell("licensing.licence.issued.v1", data)).result == "ACCEPTED"
        self.expectation.licence(f"{data['issuer']}/{number}", quantity=quantity, value=value)

    async def change(self, number: str, kind: str, status: str, version: int, **more: Any) -> None:
        """A new version of a licence in another status."""
        data = licence(number, **more) | {"version": version, "status": status}
        assert (await self.tell(f"licensing.licence.{kind}.v1", data)).result == "ACCEPTED"

    async def rows(self, query: str, *arguments: object) -> list[Any]:
        """Rows of the database."""
        return list(await self.bridge.pool.fetch(query, *arguments))

    async def sound(self) -> None:
        """The verifier agrees with the whole database, and the book with what can be read."""
        customs = self.customs("AUDIT.BE")
        for number in sorted({name for name, _ in self.expectation.lines}):
            await customs.look_at_licence(number)
        report = await verify(self.database_url)
        late = {"outcomes published", "balances published", "certificates published", "left over"}
        assert not [check for check in report.checks if not check.ok and check.name not in late]


def licence(number: str, *, quantity: str = "", value: str = "", unit: str = "NAR") -> Wire:
    """An individual Belgian licence of one line for South Korea, in euro."""
    control = "_AND_".join([*(["QUANTITY"] if quantity else []), *(["VALUE"] if value else [])]) or "NONE"
    line: Wire = {
        "line": 1, "description": "machine tool", "controlList": "2B001.b", "commodityCodes": ["84571090"],
        "control": control,
    }  # fmt: skip
    line |= {"quantity": {"amount": quantity, "unit": unit}} if quantity else {}
    line |= {"value": {"amount": value, "currency": "EUR"}} if value else {}
    return {
        "issuer": "BE", "number": number, "version": 1, "type": "INDIVIDUAL", "direction": "EXPORT",
        "status": "VALID", "issueDate": "2026-01-02", "validFrom": "2026-01-01", "validTo": "2099-12-31",
        "holder": {"name": "Holder", "eori": HOLDER, "country": "BE"},
        "authority": {"name": "Authority", "country": "BE"},
        "consignees": [{"name": "Consignee", "country": "KR"}], "destinations": ["KR"], "lines": [line],
    }  # fmt: skip


@asynccontextmanager
async def gateway_world(
    database_url: str, *, roles: Sequence[str] = (), recorder: Recorder | None = None, **settings: Any
) -> AsyncIterator[GatewayWorld]:
    """A gateway that believes the header with the caller's name, and the roles beside it."""
    with TemporaryDirectory() as folder:
        callers = Path(folder) / "callers.toml"
        callers.write_text("".join(CALLER.format(name=name, state=state) for name, state in CALLERS.items()), "utf-8")
        bridge = Bridge(_settings(database_url, callers_file=callers, **settings))
        await bridge.open()
        try:
            async with AsyncExitStack() as stack:
                if roles:
                    stop = asyncio.Event()
                    work = asyncio.create_task(run_roles(bridge, roles, stop))
                    stack.push_async_callback(_end, work, stop)
                url = await stack.enter_async_context(gateway_beside(bridge, recorder=recorder))
                channel = await stack.enter_async_context(Channel(url))
                yield GatewayWorld(bridge, url, channel, database_url)
        finally:
            await bridge.close()


def _settings(database_url: str, **more: Any) -> Settings:
    return Settings.load(
        roles="gateway",
        http_host="127.0.0.1",
        http_port=0,
        database_url=database_url,
        database_async_commit=True,
        gateway_check_budget_ms=5_000,
        gateway_database_wait_ms=5_000,
        push_keys=KEY,
        push_private_networks=True,
        worker_poll_ms=50,
        timers_poll_seconds=1,
        **more,
    )


async def _end(work: asyncio.Task[None], stop: asyncio.Event) -> None:
    stop.set()
    await work
