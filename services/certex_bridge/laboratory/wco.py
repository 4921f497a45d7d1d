"""Declarations as systems on the WCO data model send them: the declaration, then what customs notify."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from certex_bridge.kernel.canonical import content_id
from certex_bridge.laboratory.messages import CUSTOMS_SOURCE, Message, Wire, instant

if TYPE_CHECKING:
    from certex_bridge.laboratory.declarations import Plan
    from certex_bridge.laboratory.lives import Clock, Life

CUSTOMS_MESSAGES = "customs.messages.v1"


def wco(plan: Plan, clock: Clock, _random: Random) -> Life:
    """Declared in WCO form; customs notify acceptance and clearance."""
    yield clock.accepted, "wco declaration", _declaration(plan, clock)
    yield clock.noon, "wco notification 01", _notification(plan, "01", clock.noon, accepted=clock.noon)
    yield clock.released, "wco notification 09", _notification(plan, "09", clock.released)


def wco_message(plan: Plan, at: datetime, label: str, document: bytes) -> Message:
    """The document as a record: the profile in a header, the key that of the local reference number."""
    time = instant(at)
    headers = (
        ("ce_specversion", b"1.0"),
        ("ce_id", content_id("wco", time, document.decode()).encode()),
        ("ce_type", b"customs.message.v1"),
        ("ce_source", CUSTOMS_SOURCE.encode()),
        ("ce_time", time.encode()),
        ("content-type", b"application/xml"),
        ("profile", b"wco"),
    )
    return Message(CUSTOMS_MESSAGES, plan.lrn.encode(), document, headers, f"declaration {label}")


def _moment(at: datetime) -> str:
    text = instant(at)[:19].translate(str.maketrans("", "", "-:T"))
    return f'<DateTimeString formatCode="304">{text}Z</DateTimeString>'


def _declaration(plan: Plan, clock: Clock) -> bytes:
    items = "".join(_item(item) for item in plan.content["items"])
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Declaration xmlns="urn:wco:datamodel:WCO:DEC-DMS:2">'
        f"<FunctionCode>9</FunctionCode><FunctionalReferenceID>{plan.lrn}</FunctionalReferenceID>"
        f"<IssueDateTime>{_moment(clock.accepted)}</IssueDateTime><TypeCode>EXA</TypeCode>"
        f"<Exporter><ID>{plan.exporter.eori}</ID></Exporter>"
        f"<SupervisingOffice><ID>{plan.office}</ID></SupervisingOffice><GoodsShipment>{items}</GoodsShipment>"
        "</Declaration>"
    ).encode()


def _item(item: Wire) -> str:
    documents = "".join(_document(document) for document in item.get("documents", ()))
    procedure = item["procedure"]
    return (
        f"<GovernmentAgencyGoodsItem><SequenceNumeric>{item['item']}</SequenceNumeric>{documents}"
        f"<Commodity><Classification><ID>{item['commodity']}</ID><IdentificationTypeCode>TSP</IdentificationTypeCode>"
        f"</Classification><GoodsMeasure><NetNetWeightMeasure>{item['netMass']}</NetNetWeightMeasure></GoodsMeasure>"
        f"</Commodity><Destination><CountryCode>{item['destination']}</CountryCode></Destination>"
        f"<GovernmentProcedure><CurrentCode>{procedure[:2]}</CurrentCode><PreviousCode>{procedure[2:]}</PreviousCode>"
        f"</GovernmentProcedure><Origin><CountryCode>{item['origin']}</CountryCode></Origin>"
        "</GovernmentAgencyGoodsItem>"
    )


def _document(document: Wire) -> str:
    line = f"<LineNumeric>{document['line']}</LineNumeric>" if "line" in document else ""
    quantity, value = document["quantity"], document["value"]
    return (
        f"<SupportingDocument><ID>{escape(document['reference'])}</ID><TypeCode>{document['type']}</TypeCode>{line}"
        f'<WriteOff><QuantityQuantity unitCode="{quantity["unit"]}">{quantity["amount"]}</QuantityQuantity>'
        f'<AmountAmount currencyID="{value["currency"]}">{value["amount"]}</AmountAmount></WriteOff>'
        "</SupportingDocument>"
    )


def _notification(plan: Plan, function: str, at: datetime, *, accepted: datetime | None = None) -> bytes:
    acceptance = f"<AcceptanceDateTime>{_moment(accepted)}</AcceptanceDateTime>" if accepted else ""
    return (
        f"<MetaData><WCOTypeName>RES</WCOTypeName><Response><FunctionCode>{function}</FunctionCode>"
        f"<FunctionalReferenceID>{plan.lrn}-{function}</FunctionalReferenceID>"
        f"<IssueDateTime>{_moment(at)}</IssueDateTime><Declaration>{acceptance}"
        f"<FunctionalReferenceID>{plan.lrn}</FunctionalReferenceID><ID>{plan.mrn}</ID></Declaration></Response>"
        "</MetaData>"
    ).encode()
