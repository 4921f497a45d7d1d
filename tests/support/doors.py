"""One question asked at every door: check, dry run, lodged and accepted events, WCO, and the reservation itself.

Every door that books gets a copy of the ledger of its own, so that all of them answer on the same state.

    doors = Doors(store, policy)
    told = await doors.ask(question)        # {"check": {...}, "lodged": {...}, "reserve": {...}, ...}
"""

from __future__ import annotations

import copy
import json
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from html import unescape
from itertools import count
from typing import TYPE_CHECKING, Any

from certex_bridge.customs.decode import decode_declaration_event
from certex_bridge.customs.options import DecodeOptions
from certex_bridge.customs.profiles import decode_message
from certex_bridge.ledger.adapters.memory import Contents, InMemoryStore, InMemoryUnit
from certex_bridge.ledger.adapters.memory_reader import InMemoryReader
from certex_bridge.ledger.checking import Depth
from certex_bridge.ledger.checking import check as check_facts
from certex_bridge.ledger.commands import INTERNAL, Delivery
from certex_bridge.ledger.domain.facts import DeclarationCommand, Facts
from certex_bridge.ledger.domain.supplementing import names_of
from certex_bridge.ledger.executor import Executor
from certex_bridge.ledger.joining import main_id
from certex_bridge.ledger.reading import picture_of
from certex_bridge.platform.envelope import Envelope
from certex_bridge.singlewindow.callers import Caller, CallerRole, Policies
from certex_bridge.singlewindow.documents import BridgeDocuments
from certex_bridge.singlewindow.functions import movements
from certex_bridge.singlewindow.functions.availability import Availability, CheckSettings
from certex_bridge.singlewindow.functions.ledger_calls import Answered
from certex_bridge.singlewindow.functions.movement_event import content_of
from certex_bridge.singlewindow.messages.availability import AvailabilityCheck, AvailabilityCheckResponse
from certex_bridge.singlewindow.messages.movement import QuantityMovement
from certex_bridge.singlewindow.operation import Call
from tests.support.ledger_words import HOLDER, mrn_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from certex_bridge.ledger.adapters.postgres import PostgresStore
    from certex_bridge.ledger.domain.outcome import ClaimOutcome
    from certex_bridge.ledger.domain.policy import Policy
    from certex_bridge.ledger.reading import LedgerReader
    from certex_bridge.singlewindow.interests import Interest

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CUSTOMS = Caller(name="NSW.BE", member_state="BE", roles=frozenset({CallerRole.CLEARANCE}), policies=Policies())
OFFICE = "BE000123"
TOPIC = "customs.declarations.v1"
Json = dict[str, Any]
Place = tuple[int, int, str]
"""Item, document, licence."""
Verdict = tuple[str, tuple[str, ...]]
"""In the words of advice: OK_AVAILABLE, OK_NOT_MANAGED, OK_NOT_APPLICABLE or REFUSED; and why."""
Verdicts = dict[Place, Verdict]

_GRANTED = {"OK_RESERVED", "OK_ADJUSTED", "OK_CONSUMED", "OK_AVAILABLE"}


def advice(outcome: str, reasons: Iterable[str]) -> Verdict:
    """What acceptance decided, in the words in which a check says it."""
    if outcome in _GRANTED:
        return "OK_AVAILABLE", ()
    if outcome in {"OK_NOT_MANAGED", "OK_NOT_APPLICABLE"}:
        return outcome, ()
    return "REFUSED", tuple(reasons) or ("GROUP_REFUSED",)


@dataclass(frozen=True)
class Question:
    """The content of a declaration, as the messages of customs have it."""

    name: str
    items: tuple[Json, ...]
    exporter: str = HOLDER
    destination: str = "KR"
    consignee: str = ""
    documents: tuple[Json, ...] = ()
    """At shipment level."""
    declaration_type: str = "EX"
    day: str = "2026-03-01"
    version: int = 1
    state: str = "BE"
    """Where it is declared."""

    @property
    def mrn(self) -> str:
        """The number that acceptance gives."""
        return mrn_of(self.name)

    @property
    def lrn(self) -> str:
        """The trader's own."""
        return f"L{self.name}"

    def message(self, message_type: str, call_id: str, *, numbered: bool = True, **more: Any) -> Json:
        """The question as a message; with its MRN or with its LRN."""
        reference: Json = {
            "declarationVersion": self.version, "declarationType": self.declaration_type,
            "additionalDeclarationType": "A", "CustomsOfficeOfExport": {"referenceNumber": OFFICE},
            "Exporter": {"identificationNumber": self.exporter}, "declarationAcceptanceDate": self.day,
        }  # fmt: skip
        told: Json = {
            "messageSender": CUSTOMS.name, "messageRecipient": "CERTEX", "messageIdentification": call_id,
            "preparationDateAndTime": "2026-03-01T12:00:00", "messageType": message_type,
            "DeclarationReference": reference | ({"MRN": self.mrn} if numbered else {"LRN": self.lrn}),
            "GoodsItem": list(self.items),
        }  # fmt: skip
        told |= {"countryOfDestination": self.destination} if self.destination else {}
        told |= {"Consignee": {"name": self.consignee}} if self.consignee else {}
        told |= {"SupportingDocument": list(self.documents)} if self.documents else {}
        return told | more

    def content(self) -> Json:
        """The content in the canonical event's words."""
        request = QuantityMovement.model_validate(self.message("CBQMRQ", "content", movementType="RESERVE"))
        return content_of(request, request.declaration_reference)


@dataclass
class Doors:
    """All doors of one ledger in memory."""

    store: InMemoryStore
    policy: Policy
    calls: Any = field(default_factory=lambda: count(1))

    async def ask(self, question: Question) -> dict[str, Verdicts]:
        """What each door says; nothing of it stays."""
        told = {
            "check": await self.check(question),
            "check by LRN": await self.check(question, numbered=False),
            "dry run": await self.check(question, dryRun="RESERVE"),
            "lodged": await self.event(question, "lodged"),
            "accepted": await self.event(question, "accepted"),
            "reserve": await self.move(question, "RESERVE", fork(self.store)),
        }
        if expressible_in_wco(question):
            told["wco"] = await self.wco(question)
        return told

    async def check(self, question: Question, *, numbered: bool = True, **more: Any) -> Verdicts:
        """Function F1."""
        reader = InMemoryReader(self.store)
        return await check(reader, self.policy, question, f"check-{next(self.calls)}", numbered=numbered, **more)

    async def event(self, question: Question, kind: str) -> Verdicts:
        """The canonical event on the topic: what is published of it."""
        return await self._told(decode_declaration_event(envelope(question, kind, f"{kind}-{next(self.calls)}")))

    async def wco(self, question: Question) -> Verdicts:
        """The declaration of a trader on the WCO data model."""
        (command,) = decode_message(wco_envelope(question, f"wco-{next(self.calls)}"))
        assert isinstance(command, DeclarationCommand), command
        return await self._told(command)

    async def _told(self, command: DeclarationCommand) -> Verdicts:
        store = fork(self.store)
        await Executor(store, BridgeDocuments("CERTEX", "NSW"), self.policy).apply([Delivery(INTERNAL, command)])
        return published(store, main_id(command))

    async def move(self, question: Question, movement: str, store: InMemoryStore) -> Verdicts:
        """Functions F3 to F6 on this ledger."""
        return await move(store, self.policy, question, movement, f"call-{next(self.calls)}")


class Direct:
    """The ledger behind the function, without the group commit."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def submit(self, event: Envelope, _caller: Caller) -> Answered:
        """Apply the event."""
        command = decode_declaration_event(event)
        applied = await self._executor.apply([Delivery(INTERNAL, command)])
        return Answered(applied.answers[0].result, applied.documents[command.event_id].body)


class Nobody:
    """Interests are not kept."""

    def note(self, interest: Interest) -> None:
        """Forget it."""


class LightStore(InMemoryStore):
    """The store in memory whose transactions copy tables only; rows are copied when they are locked."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[InMemoryUnit]:
        draft = _copied(self.contents)
        yield InMemoryUnit(draft)
        self.contents = draft


def fork(store: InMemoryStore) -> LightStore:
    """A ledger of its own with the same contents."""
    made = LightStore()
    made.contents = _copied(store.contents)
    return made


def _copied(contents: Contents) -> Contents:
    return Contents(**{one.name: copy.copy(getattr(contents, one.name)) for one in fields(Contents)})


async def check(
    reader: LedgerReader, policy: Policy, question: Question, call_id: str, *, numbered: bool = True, **more: Any
) -> Verdicts:
    """What function F1 answers."""
    function = Availability(reader, Nobody(), CheckSettings("CERTEX", policy, DecodeOptions()), lambda: AT)
    request = AvailabilityCheck.model_validate(question.message("CBACRQ", call_id, numbered=numbered, **more))
    reply = await function.check(Call(CUSTOMS, AT), request)
    assert isinstance(reply.message, AvailabilityCheckResponse)
    return {
        (one.declaration_goods_item_number or 0, one.supporting_document.sequence_number or 0, one.licence_identification):
            advice(one.outcome or "", [told.code for told in one.verdict if told.severity == "ERROR"])
        for one in reply.message.check_result
    }  # fmt: skip


async def move(
    store: InMemoryStore | PostgresStore, policy: Policy, question: Question, movement: str, call_id: str
) -> Verdicts:
    """What functions F3 to F6 answer; of a refusal as a whole, that for every document."""
    executor = Executor(store, BridgeDocuments("CERTEX", "NSW"), policy)
    (operation,) = movements.operations(Direct(executor), "CERTEX")
    message = question.message("CBQMRQ", call_id, movementType=movement)
    if movement != "RESERVE":
        del message["DeclarationReference"]["declarationAcceptanceDate"]
    if movement in {"CONSUME", "UNRESERVE", "WITHDRAW"}:
        message = {name: told for name, told in message.items() if name not in _CONTENT}
        message["DeclarationReference"] = {"MRN": question.mrn}
    reply = await operation.handler(Call(CUSTOMS, AT), QuantityMovement.model_validate(message))
    assert isinstance(reply.message, bytes)
    return documented(reply.message.decode())


_CONTENT = ("GoodsItem", "countryOfDestination", "Consignee", "SupportingDocument")


def documented(document: str) -> Verdicts:
    """The verdicts of an outcome document."""
    found: Verdicts = {}
    for result in re.findall(r"<ClaimResult>.*?</ClaimResult>", document):
        told = result.partition("<LicenceContent>")[0]
        errors = list(re.findall(r"<Verdict>(?:<rule>\w+</rule>)?<severity>ERROR</severity><code>(\w+)</code>", result))
        item = _value(told, "declarationGoodsItemNumber") or "0"
        seq = re.search(r"<SupportingDocument>.*?<sequenceNumber>(\d+)</sequenceNumber>", told)
        place = (int(item), int(seq[1]) if seq else 0, unescape(_value(told, "licenceIdentification")))
        found[place] = advice(_value(told, "outcome"), errors)
    return found


def _value(text: str, name: str) -> str:
    found = re.search(f"<{name}>([^<]*)</{name}>", text)
    return found[1] if found else ""


def published(store: InMemoryStore, decl_id: str) -> Verdicts:
    """The verdicts of the last outcome published for a declaration."""
    made = [key for key in store.contents.outbox if key[:2] == ("outcome", decl_id)]
    return documented(store.contents.outbox[max(made)].body.decode()) if made else {}


def envelope(question: Question, kind: str, event_id: str) -> Envelope:
    """The canonical event."""
    data: Json = {"lrn": question.lrn, "exporter": question.exporter, "office": OFFICE, "version": question.version}
    if kind == "accepted":
        data = {"mrn": question.mrn, "office": OFFICE, "exporter": question.exporter, "version": question.version}
        data["acceptedAt"] = question.day
    data["declaration"] = question.content()
    headers = {
        "ce_specversion": "1.0", "ce_id": event_id, "ce_type": f"customs.declaration.{kind}.v1", "ce_source": "urn:test",
        "ce_time": f"{question.day}T12:00:00Z", "content-type": "application/json",
    }  # fmt: skip
    told = tuple((name, value.encode()) for name, value in headers.items())
    return Envelope(TOPIC, -1, -1, b"key", json.dumps(data).encode(), told)


# -- WCO


def expressible_in_wco(question: Question) -> bool:
    """The documents of that data model name no issuer; ours at shipment level and consignees are left out here."""
    documents = [one for item in question.items for one in item.get("SupportingDocument", ())]
    return not (question.documents or question.consignee or any("issuingCountry" in one for one in documents))


def wco_envelope(question: Question, event_id: str) -> Envelope:
    """The declaration as a trader's system writes it."""
    stamp = question.day.replace("-", "") + "120000Z"
    body = (
        '<?xml version="1.0" encoding="UTF-8"?><Declaration xmlns="urn:wco:datamodel:WCO:DEC-DMS:2">'
        f"<FunctionCode>9</FunctionCode><FunctionalReferenceID>{question.lrn}</FunctionalReferenceID>"
        f'<IssueDateTime><DateTimeString formatCode="304">{stamp}</DateTimeString></IssueDateTime>'
        f"<TypeCode>{question.declaration_type}A</TypeCode><Exporter><ID>{question.exporter}</ID></Exporter>"
        f"<SupervisingOffice><ID>{OFFICE}</ID></SupervisingOffice><GoodsShipment>"
        + (
            f"<Destination><CountryCode>{question.destination}</CountryCode></Destination>"
            if question.destination
            else ""
        )
        + "".join(map(_wco_item, question.items))
        + "</GoodsShipment></Declaration>"
    ).encode()
    headers = {
        "ce_specversion": "1.0", "ce_id": event_id, "ce_type": "customs.message.v1", "ce_source": "urn:test",
        "ce_time": f"{question.day}T12:00:00Z", "content-type": "application/xml", "profile": "wco",
    }  # fmt: skip
    told = tuple((name, value.encode()) for name, value in headers.items())
    return Envelope("customs.messages.v1", -1, -1, b"key", body, told)


def _wco_item(item: Json) -> str:
    procedure, measure, code = item["Procedure"], item.get("GoodsMeasure", {}), item["CommodityCode"]
    commodity = code["harmonizedSystemSubHeadingCode"] + code.get("combinedNomenclatureCode", "")
    additional = "".join(
        f"<GovernmentProcedure><CurrentCode>{one}</CurrentCode></GovernmentProcedure>"
        for one in procedure.get("additionalProcedure", ())
    )
    mass = f"<NetNetWeightMeasure>{measure['netMass']}</NetNetWeightMeasure>" if "netMass" in measure else ""
    charge = (
        f'<InvoiceLine><ItemChargeAmount currencyID="{item["currency"]}">{item["itemAmount"]}</ItemChargeAmount>'
        "</InvoiceLine>"
        if "itemAmount" in item
        else ""
    )
    return (
        f"<GovernmentAgencyGoodsItem><SequenceNumeric>{item['declarationGoodsItemNumber']}</SequenceNumeric>"
        + "".join(map(_wco_document, item.get("SupportingDocument", ())))
        + f"<Commodity><Classification><ID>{commodity}</ID><IdentificationTypeCode>TSP</IdentificationTypeCode>"
        f"</Classification><GoodsMeasure>{mass}</GoodsMeasure>{charge}</Commodity>"
        + (
            f"<Destination><CountryCode>{item['countryOfDestination']}</CountryCode></Destination>"
            if "countryOfDestination" in item
            else ""
        )
        + f"<GovernmentProcedure><CurrentCode>{procedure['requestedProcedure']}</CurrentCode>"
        f"<PreviousCode>{procedure['previousProcedure']}</PreviousCode></GovernmentProcedure>{additional}"
        f"<Origin><CountryCode>{item['countryOfOrigin']}</CountryCode></Origin></GovernmentAgencyGoodsItem>"
    )


def _wco_document(document: Mapping[str, Any]) -> str:
    line = (
        f"<LineNumeric>{document['documentLineItemNumber']}</LineNumeric>"
        if "documentLineItemNumber" in document
        else ""
    )
    figures = ""
    if "quantity" in document:
        unit = document["measurementUnitAndQualifier"]
        figures += f'<QuantityQuantity unitCode="{unit}">{document["quantity"]}</QuantityQuantity>'
    if "amount" in document:
        figures += f'<AmountAmount currencyID="{document["currency"]}">{document["amount"]}</AmountAmount>'
    return (
        f"<SupportingDocument><ID>{document['referenceNumber']}</ID><TypeCode>{document['type']}</TypeCode>{line}"
        + (f"<WriteOff>{figures}</WriteOff>" if figures else "")
        + "</SupportingDocument>"
    )


# -- stories


async def check_agrees(store: InMemoryStore, policy: Policy, command: DeclarationCommand) -> None:
    """What a check and a dry run say of this content, and what becomes of it: the same, as long as order says nothing.

    Left out: declarations of which more is known than content and acceptance, and events that are put aside.
    """
    facts = command.facts
    if facts.payload is None or facts.payload_rank is None or not (facts.lodged or facts.accepted):
        return
    told = Facts(payload=facts.payload, payload_rank=facts.payload_rank, lodged=facts.lodged, accepted=facts.accepted)
    asked = replace(told, acceptance_day=facts.acceptance_day, mrn=facts.mrn, lrn=facts.lrn, exporter=facts.exporter)
    if asked != facts or command.lrn in store.contents.anchors or names_of(facts):
        return
    decl_id = main_id(command)
    picture = await picture_of(InMemoryReader(store), (asked,), decl_id)
    if picture.declaration is not None and picture.declaration.facts != Facts():
        return
    book = fork(store)
    await Executor(book, BridgeDocuments("CERTEX", "NSW"), policy).apply([Delivery(INTERNAL, command)])
    became = published(book, decl_id)
    question = replace(asked, lodged=facts.lodged or facts.accepted)
    depths = [Depth.ALL, Depth.REHEARSAL] if facts.accepted else [Depth.ALL]
    for depth in depths:
        said = {
            (one.outcome.key.item, one.outcome.key.doc_seq, one.outcome.key.licence_id):
                advice(one.outcome.outcome, _codes(one.outcome))
            for one in check_facts(question, picture, policy, depth)
        }  # fmt: skip
        assert said == became, f"{depth.value} of {decl_id} differs from what became of it"


def _codes(outcome: ClaimOutcome) -> list[str]:
    """What an outcome document says against the claim, in its order."""
    failed = [reason for _, reason in outcome.failed]
    return [reason.code for reason in (*failed, *(one for one in outcome.reasons if one not in failed))]
