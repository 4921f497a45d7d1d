"""Declarations as systems on the WCO data model send them: the declaration, then what customs notify."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import escape

from certex_bridge.kernel.canonical import content_id
from certex_bridge.laboratory.messages import CUSTOMS_SOURCE, Message, Wire, instant

if TYPE_CHECKING:
    from certex_bridge.laboratory.declarations import Plan
    from certex_bridge.laboratory.lives import Clock, Life

CUSTOMS_MESSAGES = "customs.messages.v1"


class Reference(NamedTuple):
    """How messages name a declaration."""

    lrn: str
    mrn: str
    exporter: str
    """EORI."""
    office: str


def wco(plan: Plan, clock: Clock, _random: Random) -> Life:
    """Declared in WCO form; customs notify acceptance and clearance."""
    of = Reference(plan.lrn, plan.mrn, plan.exporter.eori, plan.office)
    yield clock.accepted, "wco declaration", wco_declaration(of, plan.content, clock.accepted)
    yield clock.noon, "wco notification 01", response(of, "01", clock.noon, accepted=clock.noon)
    yield clock.released, "wco notification 09", response(of, "09", clock.released)


def wco_record(lrn: str, at: datetime, label: str, document: bytes) -> Message:
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
    return Message(CUSTOMS_MESSAGES, lrn.encode(), document, headers, f"declaration {label}")


def _moment(at: datetime) -> str:
    text = instant(at)[:19].translate(str.maketrans("", "", "-:T"))
    return f'<DateTimeString formatCode="304">{text}Z</DateTimeString>'


def wco_declaration(of: Reference, content: Wire, at: datetime) -> bytes:
    """What a declarant lodges."""
    return _declaration("9", "EXA", of._replace(mrn=""), content, at)


def amendment_request(of: Reference, content: Wire, at: datetime) -> bytes:
    """The whole declaration as it shall be; declarants repeat its LRN as reference of every request."""
    return _declaration("4", "COR", of, content, at)


def _declaration(function: str, kind: str, of: Reference, content: Wire, at: datetime) -> bytes:
    items = "".join(_item(item) for item in content["items"])
    named = f"<ID>{of.mrn}</ID>" if of.mrn else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><Declaration xmlns="urn:wco:datamodel:WCO:DEC-DMS:2">'
        f"<FunctionCode>{function}</FunctionCode><FunctionalReferenceID>{of.lrn}</FunctionalReferenceID>{named}"
        f"<IssueDateTime>{_moment(at)}</IssueDateTime><TypeCode>{kind}</TypeCode>"
        f"<Exporter><ID>{of.exporter}</ID></Exporter>"
        f"<SupervisingOffice><ID>{of.office}</ID></SupervisingOffice><GoodsShipment>{items}</GoodsShipment>"
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
    quantity, value = document["quantity"], document.get("value")
    amount = f'<AmountAmount currencyID="{value["currency"]}">{value["amount"]}</AmountAmount>' if value else ""
    return (
        f"<SupportingDocument><ID>{escape(document['reference'])}</ID><TypeCode>{document['type']}</TypeCode>{line}"
        f'<WriteOff><QuantityQuantity unitCode="{quantity["unit"]}">{quantity["amount"]}</QuantityQuantity>'
        f"{amount}</WriteOff></SupportingDocument>"
    )


def response(
    of: Reference, function: str, at: datetime, *, status: str = "", accepted: datetime | None = None
) -> bytes:
    """What customs notify; a decision has a status, an acceptance its moment."""
    acceptance = f"<AcceptanceDateTime>{_moment(accepted)}</AcceptanceDateTime>" if accepted else ""
    decided = f"<Status><NameCode>{status}</NameCode></Status>" if status else ""
    return (
        f"<MetaData><WCOTypeName>RES</WCOTypeName><Response><FunctionCode>{function}</FunctionCode>"
        f"<FunctionalReferenceID>{of.lrn}-{function}</FunctionalReferenceID>"
        f"<IssueDateTime>{_moment(at)}</IssueDateTime>{decided}<Declaration>{acceptance}"
        f"<FunctionalReferenceID>{of.lrn}</FunctionalReferenceID><ID>{of.mrn}</ID></Declaration></Response>"
        "</MetaData>"
    ).encode()
