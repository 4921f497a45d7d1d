"""What the laboratory's customs systems say to a gateway: the messages of all functions, made from few words.

Documents are the interface's own JSON, so they can be changed before they are read into a message, and a mistake in
them is found by the published model and not by the laboratory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from certex_bridge.singlewindow.messages.availability import AvailabilityCheck, AvailabilityCheckResponse
from certex_bridge.singlewindow.messages.listing import ListRequest, ListResponse
from certex_bridge.singlewindow.messages.manual import (
    ManualQuantityManagementRequest,
    QuantityCorrectionRequest,
    QuantityCorrectionResponse,
)
from certex_bridge.singlewindow.messages.movement import QuantityMovement
from certex_bridge.singlewindow.messages.notice import NoticeList, UnavailabilityNotice
from certex_bridge.singlewindow.messages.outcome import QuantityMovementResponse
from certex_bridge.singlewindow.messages.record import RecordAcknowledgement, RecordRequest
from certex_bridge.singlewindow.messages.subscription import SubscriptionRequest, SubscriptionResponse

if TYPE_CHECKING:
    from certex_bridge.laboratory.messages import Wire
    from certex_bridge.singlewindow.messages.base import Message

RECIPIENT = "CERTEX"
ID_LENGTH = 35
"""messageIdentification is an..35."""


class Function(Enum):
    """What can be asked: path, request, response."""

    CHECK = ("/v1/checks", AvailabilityCheck, AvailabilityCheckResponse)
    MOVE = ("/v1/movements", QuantityMovement, QuantityMovementResponse)
    DECIDE = ("/v1/overrides", ManualQuantityManagementRequest, QuantityMovementResponse)
    CORRECT = ("/v1/corrections", QuantityCorrectionRequest, QuantityCorrectionResponse)
    SUBSCRIBE = ("/v1/subscriptions", SubscriptionRequest, SubscriptionResponse)
    RECORD = ("/v1/records", RecordRequest, RecordAcknowledgement)
    LIST = ("/v1/lists", ListRequest, ListResponse)
    NOTICE = ("/v1/notices", UnavailabilityNotice, NoticeList)

    def __init__(self, path: str, request: type[Message], response: type[Message]) -> None:
        self.path = path
        self.request = request
        self.response = response


_MOVEMENTS = {"RESERVE": "F3", "CONSUME": "F4", "UNRESERVE": "F5", "ADJUST": "F6", "WITHDRAW": "F6"}
_NUMBERS = {
    Function.CHECK: "F1", Function.SUBSCRIBE: "F2", Function.DECIDE: "F7", Function.CORRECT: "F7",
    Function.RECORD: "F8", Function.LIST: "F9", Function.NOTICE: "F10",
}  # fmt: skip
KINDS = {
    "accepted": "RESERVE",
    "released": "CONSUME",
    "not-released": "UNRESERVE",
    "amended": "ADJUST",
    "invalidated": "WITHDRAW",
}
"""Movement by the kind of canonical event that says the same."""


def numbered(function: Function, request: Message) -> str:
    """F1 to F10, with the movement where there are several: `F3 reserve`."""
    if isinstance(request, QuantityMovement):
        return f"{_MOVEMENTS[request.movement_type]} {request.movement_type.lower()}"
    return f"{_NUMBERS[function]} {function.name.lower()}"


def header(function: Function, sender: str, identification: str, at: datetime) -> Wire:
    """The six items that every message begins with; `at` is when it happened."""
    return {
        "messageSender": sender,
        "messageRecipient": RECIPIENT,
        "preparationDateAndTime": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "messageIdentification": identification[:ID_LENGTH],
        "messageType": function.request.message_type,
    }


def cited(
    sequence: int,
    number: str,
    *,
    quantity: str = "",
    unit: str = "NAR",
    value: str = "",
    currency: str = "EUR",
    **more: Any,
) -> Wire:
    """An individual licence's first line with what is to be written off; `more` are items in their own names."""
    told: Wire = {"sequenceNumber": sequence, "type": "X060", "referenceNumber": number, "documentLineItemNumber": 1}
    told |= {"quantity": quantity, "measurementUnitAndQualifier": unit} if quantity else {}
    told |= {"amount": value, "currency": currency} if value else {}
    return told | more


def goods(number: int, documents: Sequence[Wire], *, commodity: str = "84571090", procedure: str = "1000") -> Wire:
    """A goods item for export that cites licences."""
    code = {"harmonizedSystemSubHeadingCode": commodity[:6]}
    code |= {"combinedNomenclatureCode": commodity[6:8]} if commodity[6:] else {}
    item: Wire = {"declarationGoodsItemNumber": number, "CommodityCode": code}
    if procedure:
        item["Procedure"] = {"requestedProcedure": procedure[:2], "previousProcedure": procedure[2:]}
    return item | ({"SupportingDocument": list(documents)} if documents else {})


def declared(
    mrn: str, items: Sequence[Wire], *, version: int = 1, exporter: str, office: str, destination: str = "KR"
) -> Wire:
    """A declaration's content as RESERVE, ADJUST and checks carry it."""
    reference = {
        "MRN": mrn,
        "declarationVersion": version,
        "declarationType": "EX",
        "additionalDeclarationType": "A",
        "CustomsOfficeOfExport": {"referenceNumber": office},
        "Exporter": {"identificationNumber": exporter},
    }
    return {"DeclarationReference": reference, "countryOfDestination": destination, "GoodsItem": list(items)}


def checked(content: Wire) -> Wire:
    """The same content as a question (F1): it needs no version."""
    reference = {name: value for name, value in content["DeclarationReference"].items() if name != "declarationVersion"}
    return content | {"DeclarationReference": reference}


# -- from canonical events


def movement_of(kind: str, data: Wire, before: Wire | None = None) -> Wire:
    """What a canonical declaration event says, as a movement without its header.

    Args:
        kind: of the event, one of `KINDS`.
        data: of the event.
        before: the declaration's content as told before; a release names its documents in full, the event does not.
    """
    movement = KINDS[kind]
    told: Wire = {"movementType": movement, "DeclarationReference": _reference(data, movement)}
    if data.get("reason"):
        told["reason"] = data["reason"]
    content = data.get("declaration")
    if content is not None:
        told |= _content(content)
    elif data.get("items"):
        known = {item["item"]: item for item in (before or {}).get("items", ())}
        told["GoodsItem"] = [_released(item, known.get(item["item"], {})) for item in data["items"]]
    return told


def _reference(data: Wire, movement: str) -> Wire:
    content = data.get("declaration") or {}
    version = data.get("version") or (1 if movement == "RESERVE" else None)
    accepted = data.get("acceptedAt")
    return _stated(
        LRN=data.get("lrn"),
        MRN=data["mrn"],
        declarationVersion=version,
        declarationType=content.get("type"),
        additionalDeclarationType=content.get("additionalType"),
        declarationAcceptanceDateAndTime=_utc(accepted) if accepted else None,
        CustomsOfficeOfExport={"referenceNumber": data["office"]} if data.get("office") else None,
        Exporter={"identificationNumber": content["exporter"]} if content.get("exporter") else None,
    )


def _utc(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).isoformat().replace("+00:00", "Z")


def _content(content: Wire) -> Wire:
    consignee = content.get("consignee")
    return _stated(
        countryOfDestination=content.get("destination"),
        Consignee=_stated(name=consignee.get("name"), country=consignee.get("country")) if consignee else None,
        GoodsItem=[_item(item) for item in content["items"]],
    )


def _item(item: Wire) -> Wire:
    commodity, procedure = item.get("commodity", ""), item.get("procedure", "")
    code = _stated(
        harmonizedSystemSubHeadingCode=commodity[:6],
        combinedNomenclatureCode=commodity[6:8] or None,
        taricCode=commodity[8:10] or None,
    )
    return _stated(
        declarationGoodsItemNumber=item["item"],
        Procedure={"requestedProcedure": procedure[:2], "previousProcedure": procedure[2:]} if procedure else None,
        countryOfDestination=item.get("destination"),
        countryOfOrigin=item.get("origin"),
        descriptionOfGoods=item.get("description"),
        CommodityCode=code if commodity else None,
        GoodsMeasure={"netMass": item["netMass"]} if item.get("netMass") else None,
        SupportingDocument=[_document(one) for one in item.get("documents", ())] or None,
        AdditionalReference=[_additional(one) for one in item.get("references", ())] or None,
    )


def _document(document: Wire) -> Wire:
    return _stated(
        sequenceNumber=document["seq"],
        type=document.get("type"),
        referenceNumber=document.get("reference"),
        documentLineItemNumber=document.get("line"),
        issuingCountry=document.get("issuer"),
        **_figures(document),
    )


def _additional(reference: Wire) -> Wire:
    return _stated(sequenceNumber=reference["seq"], type=reference["type"], referenceNumber=reference.get("reference"))


def _released(item: Wire, known: Wire) -> Wire:
    """An item of a release, with the figures that left."""
    cited = {one["seq"]: one for one in known.get("documents", ())}
    documents = [
        _document({name: cited[one["seq"]].get(name) for name in ("type", "reference", "issuer", "line")} | one)
        for one in item.get("documents", ())
    ]
    return _stated(declarationGoodsItemNumber=item["item"], SupportingDocument=documents or None)


def _figures(document: Wire) -> dict[str, Any]:
    quantity: Mapping[str, str] = document.get("quantity") or {}
    value: Mapping[str, str] = document.get("value") or {}
    return _stated(
        quantity=quantity.get("amount"),
        measurementUnitAndQualifier=quantity.get("unit"),
        amount=value.get("amount"),
        currency=value.get("currency"),
    )


def _stated(**fields: Any) -> Wire:
    return {name: value for name, value in fields.items() if value is not None}
