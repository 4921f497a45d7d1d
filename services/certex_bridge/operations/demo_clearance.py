"""The demo's customs that clear over HTTP: checks and reservations before each release, decisions by hand, pushes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.laboratory.customs_channel import Account, Channel, Form
from certex_bridge.laboratory.customs_client import CustomsClient, Made
from certex_bridge.laboratory.customs_expectation import Expectation
from certex_bridge.laboratory.push_receiver import PushReceiver
from certex_bridge.singlewindow.callers import Caller, CallerRole

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from certex_bridge.laboratory.clearance import Step
    from certex_bridge.laboratory.messages import Wire
    from certex_bridge.singlewindow.messages.outcome import ClaimResult, QuantityMovementResponse

AT_ONCE = 4
"""Declarations that are cleared at the same time: customs and gateway share one process, more would only wait."""
_FORMS = (Form.JSON, Form.JSON, Form.XML, Form.MESSAGES, Form.SOAP_12, Form.SOAP_11)
_BY_HAND_MAX = 5
_TOO_MUCH = frozenset({"QUANTITY_EXCEEDED", "VALUE_EXCEEDED"})


def callers_of(mrns: Sequence[str]) -> dict[str, Caller]:
    """One customs system per member state that declares something."""
    states = sorted({mrn[2:4] for mrn in mrns})
    return {
        f"NSW.{state}": Caller(name=f"NSW.{state}", member_state=state, roles=frozenset(CallerRole)) for state in states
    }


@dataclass
class Clearance:
    """All customs systems of the demo, and what came of their calls."""

    channel: Channel
    receiver: PushReceiver
    callers: Mapping[str, Caller]
    clients: dict[str, CustomsClient] = field(default_factory=dict)
    refused: dict[str, tuple[Step, QuantityMovementResponse]] = field(default_factory=dict)
    """Declarations that asked for too much, by MRN."""
    seconds: float = 0.0
    """Spent on the calls of the waves."""

    def __post_init__(self) -> None:
        expectation = Expectation()
        for number, caller in enumerate(self.callers.values()):
            account = Account(caller.name, caller.member_state)
            form = _FORMS[number % len(_FORMS)]
            self.clients[caller.member_state] = CustomsClient(self.channel, account, expectation, form=form)

    @property
    def made(self) -> list[Made]:
        """Every call that was answered as expected."""
        return [one for client in self.clients.values() for one in client.made]

    async def subscribe(self) -> None:
        """F2: every customs system asks for pushes about what its declarations wait for."""
        for client in self.clients.values():
            name = client.account.name
            answer = await client.subscribe(self.receiver.address(name), form=Form.JSON)
            self.receiver.trust(name, answer.secret or "")

    async def clear(self, steps: Sequence[Step], told: Callable[[int], None]) -> None:
        """The steps of one wave: those of a declaration in order, several declarations at once.

        Raises:
            Mismatch: an answer is not what it must be.
            NoAnswer: the gateway is gone.
        """
        lives: dict[str, list[Step]] = {}
        for step in steps:
            lives.setdefault(step.mrn, []).append(step)
        gate, done = asyncio.Semaphore(AT_ONCE), 0

        async def live(own: list[Step]) -> None:
            nonlocal done
            async with gate:
                for step in own:
                    await self._tell(step)
                    done += 1
                    told(done)

        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for own in lives.values():
                group.create_task(live(own))
        self.seconds += time.monotonic() - began

    async def _tell(self, step: Step) -> None:
        client = self.clients[step.mrn[2:4]]
        if step.told["movementType"] == "RESERVE":
            await client.check({name: value for name, value in step.told.items() if name != "movementType"}, at=step.at)
        answer = await client.move(step.told, at=step.at, manner=step.manner)
        if _asked_too_much(answer):
            self.refused[step.mrn] = (step, answer)

    async def at_the_desk(self) -> None:
        """F7 to F10: officers decide on some of what was refused; a record, a list and a notice."""
        for mrn, (step, answer) in sorted(self.refused.items())[:_BY_HAND_MAX]:
            await self._decide(mrn, step, answer)
        if not self.clients:
            return
        client = self.clients[min(self.clients)]
        now = datetime.now(UTC)
        page = await client.list_documents({"status": ["Valid"]}, at=now)
        if page.certificates:
            one = page.certificates[0]
            licence = f"{one.issuing_country}/{one.reference_number}"
            await client.record("ADD", "seen-1", licence, [{"code": "SEEN", "text": "goods examined at exit"}], at=now)
        begin = now + timedelta(days=7)
        told = {
            "noticeIdentification": "maintenance-1", "function": "F9", "kind": "PLANNED", "reason": "maintenance",
            "fromDateAndTime": _instant(begin), "untilDateAndTime": _instant(begin + timedelta(hours=2)),
        }  # fmt: skip
        await client.notice("ANNOUNCE", told=told, at=now)

    async def _decide(self, mrn: str, step: Step, answer: QuantityMovementResponse) -> None:
        """The officer lets pass what the shipment really holds: the nine-hundredth part of a slip of the pen."""
        items = [item for claim in answer.claim_results if (item := _amended(claim)) is not None]
        if items:
            client, at = self.clients[mrn[2:4]], step.at + timedelta(hours=8)
            await client.decide(mrn, "AMEND", officer="OFFICER-7", reason="figures mistyped", items=items, at=at)


def _asked_too_much(answer: QuantityMovementResponse) -> bool:
    return any(_TOO_MUCH & {one.code for one in claim.verdicts} for claim in answer.claim_results)


def _amended(claim: ClaimResult) -> Wire | None:
    """What is granted of a claim for which there was no room, in the figures of the licence line."""
    if not _TOO_MUCH & {one.code for one in claim.verdicts}:
        return None
    document: Wire = {"sequenceNumber": claim.supporting_document.sequence_number}
    if claim.quantity_requested:
        document |= {
            "quantity": _part(claim.quantity_requested),
            "measurementUnitAndQualifier": claim.measurement_unit_and_qualifier,
        }
    if claim.amount_requested:
        document |= {"amount": _part(claim.amount_requested), "currency": claim.currency}
    return {"declarationGoodsItemNumber": claim.declaration_goods_item_number, "SupportingDocument": [document]}


def _part(figure: str) -> str:
    """A whole number, so that it is exact in every unit and currency."""
    return format_decimal(max(Decimal(1), Decimal(int(Decimal(figure) / 900))))


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


@asynccontextmanager
async def clearance(address: str, callers: Mapping[str, Caller]) -> AsyncIterator[Clearance]:
    """Customs systems at the gateway with this address, and the server for their pushes."""
    async with AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(PushReceiver())
        channel = await stack.enter_async_context(Channel(address))
        yield Clearance(channel, receiver, callers)


def as_rows(made: Sequence[Made]) -> list[dict[str, Any]]:
    """Calls by function and outcome; the times of a function stand in its first row, in milliseconds."""
    found: dict[str, dict[str, int]] = {}
    seconds: dict[str, list[float]] = {}
    for one in made:
        outcomes = found.setdefault(one.function, {})
        outcomes[one.outcome] = outcomes.get(one.outcome, 0) + 1
        seconds.setdefault(one.function, []).append(one.seconds)
    rows: list[dict[str, Any]] = []
    for function in sorted(found, key=lambda name: int(name.partition(" ")[0][1:])):
        times = sorted(seconds[function])
        for place, (outcome, number) in enumerate(sorted(found[function].items(), key=lambda pair: -pair[1])):
            row: dict[str, Any] = {"function": function, "outcome": outcome, "calls": number}
            if place == 0:
                row |= {"p50": _percentile(times, 0.50), "p99": _percentile(times, 0.99)}
            rows.append(row)
    return rows


def _percentile(times: Sequence[float], part: float) -> float:
    """In milliseconds."""
    return round(times[min(len(times) - 1, int(len(times) * part))] * 1000, 1)
