"""Calls as events: identity, what is kept while the database is away, and what is refused."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from certex_bridge.customs.decode import decode_declaration_event
from certex_bridge.ledger.adapters.memory import InMemoryStore
from certex_bridge.ledger.answers import Answer, Given
from certex_bridge.platform.kafka import Record
from certex_bridge.platform.tracing import within
from certex_bridge.singlewindow.functions.keeping import Keeping
from certex_bridge.singlewindow.functions.ledger_calls import LedgerCalls, event_of, source_of
from certex_bridge.singlewindow.functions.movements import KINDS, data_of
from certex_bridge.singlewindow.messages.json import read_json_message
from certex_bridge.singlewindow.messages.movement import QuantityMovement
from certex_bridge.singlewindow.operation import Call
from certex_bridge.singlewindow.refusals import Refusal
from tests.support.clearance import Desk, caller, goods
from tests.support.ledger_words import mrn_of
from tests.support.traced_bridge import UPSTREAM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from certex_bridge.ledger.commands import Delivery
    from certex_bridge.platform.envelope import Envelope

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Away:
    """A ledger that cannot be reached."""

    async def apply(self, _deliveries: Sequence[Delivery]) -> Any:
        raise ConnectionRefusedError


def desk_without_database(keep: Any) -> Desk:
    return Desk(InMemoryStore(), keep=keep, executor=Away())


def call_of(message: dict[str, Any], **policies: Any) -> tuple[Call, QuantityMovement]:
    request = read_json_message(json.dumps(message).encode(), QuantityMovement)
    return Call(caller(**policies), NOW), request


def envelope_of(message: dict[str, Any], **policies: Any) -> Envelope:
    call, request = call_of(message, **policies)
    return event_of(call, request, KINDS[request.movement_type], data_of(request))


def test_a_reservation_says_what_an_accepted_declaration_says() -> None:
    message = Desk(InMemoryStore()).message(
        "RESERVE",
        "M1",
        goods(1, about={
            "Procedure": {"requestedProcedure": "31", "previousProcedure": "51", "additionalProcedure": ["F75"]},
            "GoodsMeasure": {"grossMass": "12.5", "netMass": "10", "supplementaryUnits": "3"},
            "itemAmount": "70.00", "currency": "EUR", "descriptionOfGoods": "Fräse", "countryOfDestination": "JP",
            "AdditionalReference": [{"sequenceNumber": 1, "type": "Y901"}],
        }, A="5 KGM + 20.00 EUR"),
    )  # fmt: skip
    message["Consignee"] = {"name": "Hanbit", "country": "KR"}
    message["DeclarationReference"]["declarationAcceptanceDateAndTime"] = "2026-02-28T23:30:00"
    message["GoodsItem"][0]["SupportingDocument"][0] |= {"issuingCountry": "DE", "validityDate": "2026-12-31"}
    envelope = envelope_of(message)
    command = decode_declaration_event(envelope)
    assert command.waits
    assert command.demands_order
    assert (command.mrn, command.lrn, command.occurred_at) == (
        mrn_of("M1"),
        "L1",
        datetime(2026, 3, 1, 10, 0, 1, tzinfo=UTC),
    )
    assert command.facts.acceptance_day == "2026-02-28T23:30:00+00:00"
    payload = command.facts.payload
    assert payload is not None
    (item,) = payload.items
    assert (item.procedure, item.additional_procedures, item.destination) == ("3151", ("F75",), "JP")
    assert (str(item.net_mass), str(item.supplementary_units), str(item.amount)) == ("10", "3", "70 EUR")
    (claim,) = item.claims
    assert (claim.licence_id, claim.line_no, str(claim.quantity), str(claim.value)) == ("DE/A", 1, "5 KGM", "20 EUR")
    assert (payload.consignee_name, payload.office, payload.destination) == ("Hanbit", "BE000123", "KR")


def test_the_event_is_that_of_the_call_whatever_the_caller_is_called() -> None:
    message = Desk(InMemoryStore()).message("CONSUME", "M1", call_id="one")
    call, request = call_of(message)
    envelope = envelope_of(message)
    headers = dict(envelope.headers)
    assert headers["ce_id"] == call.call_id(request).encode()
    assert (headers["ce_source"], headers["ce_answer"]) == (b"urn:certex-bridge:caller:NSW.BE", b"always")
    assert envelope.key == mrn_of("M1").encode()
    assert "ce_order" not in headers
    assert dict(envelope_of(message, mode="shadow").headers)["ce_order"] == b"recorded"
    assert source_of(caller("National Window/1")) == "urn:certex-bridge:caller:National%20Window%2F1"


def test_two_messages_are_two_contents_even_when_the_event_says_the_same() -> None:
    message = Desk(InMemoryStore()).message("CONSUME", "M1", call_id="one")
    one, other = envelope_of(message), envelope_of(message | {"messageRecipient": "ELSEWHERE"})
    assert decode_declaration_event(one).event_id == decode_declaration_event(other).event_id
    assert decode_declaration_event(one).payload_sha256 != decode_declaration_event(other).payload_sha256
    assert decode_declaration_event(one).payload_sha256 == decode_declaration_event(envelope_of(message)).payload_sha256


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"DeclarationReference": {"LRN": "L1", "Exporter": {"identificationNumber": "BE1"}}}, "MISSING"),
        ({"movementType": "ADJUST"}, "MISSING"),
        ({"movementType": "ADJUST", "DeclarationReference": {"MRN": mrn_of("M1"), "declarationVersion": 2}}, "MISSING"),
        ({"movementType": "RESERVE", "GoodsItem": [goods(1)]}, "MISSING"),
        ({"movementType": "WITHDRAW", "GoodsItem": [goods(1)]}, "NOT_ALLOWED"),
        ({"movementType": "UNRESERVE", "GoodsItem": [goods(1, A="1")]}, "NOT_ALLOWED"),
        ({"countryOfDestination": "KR"}, "NOT_ALLOWED"),
        ({"movementType": "RESERVE", "countryOfDestination": "KR"}, "NOT_ALLOWED"),
    ],
)
async def test_what_a_movement_needs_and_has_not(change: dict[str, Any], told: str) -> None:
    desk = Desk(InMemoryStore())
    reply = await desk.send(desk.message("CONSUME", "M1") | change)
    assert reply.status == 400
    (error,) = reply.answer.problem["errors"]
    assert error["errorReason"] == told


async def test_a_declaration_of_another_state_is_refused() -> None:
    desk = Desk(InMemoryStore())
    message = desk.message("CONSUME", "M1")
    message["DeclarationReference"]["MRN"] = "26DE00000000000011"
    reply = await desk.send(message)
    assert (reply.status, reply.answer.problem["code"]) == (403, "FOREIGN_MEMBER_STATE")


async def test_an_item_told_twice_is_refused() -> None:
    desk = Desk(InMemoryStore())
    reply = await desk.move("RESERVE", "M1", goods(1), goods(1))
    (error,) = reply.answer.problem["errors"]
    assert (reply.status, error["errorReason"], error["originalAttributeValue"]) == (400, "ITEM_DUPLICATE", "[1]")


async def test_an_impossible_figure_of_a_release_is_refused() -> None:
    desk = Desk(InMemoryStore())
    reply = await desk.move("CONSUME", "M1", A="9999999999999999.9")
    assert (reply.status, reply.answer.problem["code"]) == (400, "SCHEMA_INVALID")


@pytest.mark.parametrize("movement", ["CONSUME", "UNRESERVE", "ADJUST", "WITHDRAW"])
async def test_what_customs_tell_is_kept_while_the_database_is_away(movement: str) -> None:
    kept: list[Envelope] = []

    async def keep(envelope: Envelope) -> None:
        kept.append(envelope)

    desk = desk_without_database(keep)
    told = {"A": "1"} if movement == "ADJUST" else {}
    reply = await desk.move(movement, "M1", **told)
    assert (reply.status, reply.findings, reply.outcomes) == (202, ["INFO KEPT"], [])
    assert reply.told["DeclarationReference"] == {"MRN": mrn_of("M1")}
    assert reply.told["correlationIdentifier"] == "call-1"
    assert not reply.told.keys() & {"outcomeVersion", "declarationState"}
    assert decode_declaration_event(kept[0]).waits


async def test_a_reservation_is_never_kept() -> None:
    async def keep(_envelope: Envelope) -> None:
        pytest.fail("a reservation is decided or refused")

    reply = await desk_without_database(keep).move("RESERVE", "M1", A="1")
    assert (reply.status, reply.answer.problem["code"]) == (503, "NOT_AVAILABLE")
    assert "retry-after" in reply.answer.headers


async def test_without_broker_nothing_is_kept_and_that_is_said() -> None:
    desk = Desk(InMemoryStore(), executor=Away())
    reply = await desk.move("CONSUME", "M1")
    assert (reply.status, reply.answer.problem["code"]) == (503, "NOT_AVAILABLE")


async def test_an_outcome_that_cannot_be_found_is_no_answer() -> None:
    class Forgetful:
        async def submit(self, delivery: Delivery, _seconds: float) -> Given:
            assert delivery.command is not None
            return Given(Answer(delivery.command.event_id, "APPLIED", '{"result":"APPLIED"}', repeated=True), None)

    async def keep(_envelope: Envelope) -> None: ...

    calls = LedgerCalls(Forgetful(), decode_declaration_event, keep, 1)
    with pytest.raises(Refusal) as refused:
        await calls.submit(envelope_of(Desk(InMemoryStore()).message("CONSUME", "M1")), caller())
    assert refused.value.code == "NOT_AVAILABLE"


async def test_an_mrn_that_is_none_is_refused_by_the_reader_too() -> None:
    envelope = envelope_of(Desk(InMemoryStore()).message("CONSUME", "M1") | {})
    wrong = envelope.value.replace(mrn_of("M1").encode(), b"X" * 18) if envelope.value else b""
    desk = Desk(InMemoryStore())
    bad = type(envelope)(envelope.topic, -1, -1, envelope.key, wrong, envelope.headers, envelope.timestamp_ms)
    with pytest.raises(Refusal) as refused:
        await desk.ledger.submit(bad, caller())
    assert refused.value.code == "MRN_INVALID"


# -- keeping


async def test_those_who_keep_at_the_same_time_share_a_batch() -> None:
    sent: list[int] = []
    first = asyncio.Event()

    async def send_all(records: Sequence[Record]) -> list[Exception | None]:
        sent.append(len(records))
        await first.wait()
        return [None] * len(records)

    keeping = Keeping(send_all, 5)
    envelope = envelope_of(Desk(InMemoryStore()).message("CONSUME", "M1"))
    waiting = [asyncio.create_task(keeping.keep(envelope)) for _ in range(4)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    late = [asyncio.create_task(keeping.keep(envelope)) for _ in range(3)]
    await asyncio.sleep(0)
    first.set()
    await asyncio.gather(*waiting, *late)
    await keeping.stop()
    assert sent == [4, 3]


async def test_a_record_that_is_refused_fails_its_caller_alone() -> None:
    async def send_all(records: Sequence[Record]) -> list[Exception | None]:
        return [ValueError("too large"), *[None] * (len(records) - 1)]

    keeping = Keeping(send_all, 5)
    envelope = envelope_of(Desk(InMemoryStore()).message("CONSUME", "M1"))
    kept = await asyncio.gather(keeping.keep(envelope), keeping.keep(envelope), return_exceptions=True)
    assert [type(one).__name__ for one in kept] == ["ValueError", "NoneType"]


async def test_a_broker_that_says_nothing_is_given_up() -> None:
    async def send_all(_records: Sequence[Record]) -> list[Exception | None]:
        await asyncio.Event().wait()
        raise AssertionError

    keeping = Keeping(send_all, 0.01)
    envelope = envelope_of(Desk(InMemoryStore()).message("CONSUME", "M1"))
    with pytest.raises(TimeoutError):
        await keeping.keep(envelope)
    assert keeping._flushing is not None
    keeping._flushing.cancel()
    await keeping.stop()


async def test_a_publisher_that_breaks_tells_everyone() -> None:
    async def send_all(_records: Sequence[Record]) -> list[Exception | None]:
        raise ConnectionResetError

    keeping = Keeping(send_all, 5)
    envelope = envelope_of(Desk(InMemoryStore()).message("CONSUME", "M1"))
    kept = await asyncio.gather(keeping.keep(envelope), keeping.keep(envelope), return_exceptions=True)
    assert [type(one) for one in kept] == [ConnectionResetError] * 2
    await keeping.stop()


async def test_an_event_that_is_kept_stays_in_the_trace_of_its_call() -> None:
    sent: list[Record] = []

    async def send_all(records: Sequence[Record]) -> list[Exception | None]:
        sent.extend(records)
        return [None] * len(records)

    keeping = Keeping(send_all, 5)
    envelope = envelope_of(Desk(InMemoryStore()).message("CONSUME", "M1"))
    with within(UPSTREAM):
        await keeping.keep(envelope)
    await keeping.keep(envelope)
    await keeping.stop()
    assert [dict(record.headers).get("traceparent") for record in sent] == [UPSTREAM.encode(), None]
