"""Messages of a United Kingdom declarant and of customs, written from what they are about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from certex_bridge.customs.wco.profile import decode_wco
from certex_bridge.ledger.domain.facts import DeclarationCommand
from certex_bridge.licensing.domain.licence import LicenceType
from certex_bridge.platform.envelope import Envelope
from tests.support.ledger_words import licence

if TYPE_CHECKING:
    from certex_bridge.licensing.domain.licence import Licence

MRN, LRN = "26GB7KX41QWZ30M8R1", "NWT-26-00731"
EXPORTER = "GB123456789012"


@dataclass(frozen=True, slots=True)
class Doc:
    """A document of a goods item: a licence with its line (X002), or another code."""

    reference: str
    quantity: str = ""
    status: str = ""
    code: str = "X002"
    unit: str = "NAR"

    def xml(self) -> str:
        """As AdditionalDocument."""
        status = f"<LPCOExemptionCode>{self.status}</LPCOExemptionCode>" if self.status else ""
        figure = f'<WriteOff><QuantityQuantity unitCode="{self.unit}">{self.quantity}</QuantityQuantity></WriteOff>'
        category, kind = self.code[:1], self.code[1:]
        codes = f"<CategoryCode>{category}</CategoryCode>" if category else ""
        codes += f"<ID>{self.reference}</ID>" if self.reference else ""
        codes += f"<TypeCode>{kind}</TypeCode>" if kind else ""
        return f"<AdditionalDocument>{codes}{status}{figure if self.quantity else ''}</AdditionalDocument>"


INVOICE = Doc("INV-5521", code="N935")


@dataclass(frozen=True, slots=True)
class Goods:
    """A goods item; `whole` is False for a branch that states its number and documents only."""

    number: int
    documents: tuple[Doc, ...]
    whole: bool = True
    gross_mass: str = ""
    """In kilogrammes; empty: not stated."""

    def xml(self) -> str:
        """As GovernmentAgencyGoodsItem."""
        mass = f"<GrossMassMeasure>{self.gross_mass}</GrossMassMeasure>"
        measure = f"<GoodsMeasure>{mass}</GoodsMeasure>" if self.gross_mass else ""
        more = (
            "<Commodity><Classification><ID>84571090</ID><IdentificationTypeCode>TSP</IdentificationTypeCode>"
            f"</Classification>{measure}</Commodity><GovernmentProcedure><CurrentCode>10</CurrentCode>"
            "<PreviousCode>40</PreviousCode></GovernmentProcedure>"
        )
        body = "".join(document.xml() for document in self.documents) + (more if self.whole else "")
        number = f"<SequenceNumeric>{self.number}</SequenceNumeric>"
        return f"<GovernmentAgencyGoodsItem>{number}{body}</GovernmentAgencyGoodsItem>"


def goods(*items: list[Doc]) -> tuple[Goods, ...]:
    """Whole items, counted through."""
    return tuple(Goods(number, tuple(documents)) for number, documents in enumerate(items, start=1))


def branches(*items: list[Doc]) -> tuple[Goods, ...]:
    """Changed branches, counted through."""
    return tuple(replace(item, whole=False) for item in goods(*items))


Place = tuple[int | str, ...]
"""What a pointer names: item, document, then the names of further classes and of a data element."""


def pointer(place: Place) -> str:
    """`(1, 2)` ends at the second document of the first item, `(1, 2, "22C.502")` at a figure of it."""
    numbers = [part for part in place if isinstance(part, int)]
    steps = [("42A", "1", ""), ("67A", "", "")]
    steps += [(section, str(number), "") for section, number in zip(("68A", "02A"), numbers, strict=False)]
    for part in place[len(numbers) :]:
        section, _, tag = str(part).rpartition(".")
        if section:
            steps.append((section, "", tag))
        else:
            steps[-1] = (*steps[-1][:2], tag)
    inside = "".join(
        "<Pointer>"
        + (f"<SequenceNumeric>{number}</SequenceNumeric>" if number else "")
        + f"<DocumentSectionCode>{section}</DocumentSectionCode>"
        + (f"<TagID>{tag}</TagID>" if tag else "")
        + "</Pointer>"
        for section, number, tag in steps
    )
    return f"<Amendment><ChangeReasonCode>32</ChangeReasonCode>{inside}</Amendment>"


def _read(raw: str) -> DeclarationCommand:
    (found,) = decode_wco(Envelope("customs.messages.v1", 0, 0, None, raw.encode(), (("profile", b"wco"),), 0))
    assert isinstance(found, DeclarationCommand), found
    return found


def _issued(minute: int) -> str:
    time = f"202603021{minute // 60}{minute % 60:02d}00Z"
    return f'<IssueDateTime><DateTimeString formatCode="304">{time}</DateTimeString></IssueDateTime>'


_DESTINATION = "<Destination><CountryCode>KR</CountryCode></Destination>"


def _people(exporter: str) -> str:
    return f"<Exporter><ID>{exporter}</ID></Exporter><PresentationOffice><ID>GB000011</ID></PresentationOffice>"


def lodging_message(
    items: tuple[Goods, ...], *, kind: str = "EXA", lrn: str = LRN, minute: int = 0, previous: str = "",
    exporter: str = EXPORTER,
) -> str:  # fmt: skip
    """The declaration as lodged; `previous` is the MRN of a simplified one that its header names."""
    named = f"<PreviousDocument><CategoryCode>Y</CategoryCode><ID>{previous}</ID><TypeCode>SDE</TypeCode></PreviousDocument>"
    return (
        f"<Declaration><FunctionCode>9</FunctionCode><FunctionalReferenceID>{lrn}</FunctionalReferenceID>"
        f"{_issued(minute)}<TypeCode>{kind}</TypeCode><GoodsItemQuantity>{len(items)}</GoodsItemQuantity>"
        f"{_people(exporter)}<GoodsShipment>{_DESTINATION}{''.join(item.xml() for item in items)}"
        f"{named if previous else ''}</GoodsShipment></Declaration>"
    )


def lodging(items: tuple[Goods, ...], **about: Any) -> DeclarationCommand:
    """The declaration as lodged (`lodging_message`)."""
    return _read(lodging_message(items, **about))


def amendment_message(
    items: tuple[Goods, ...], *places: Place, minute: int = 10, count: int | None = None, pointers: str = "",
    reference: str = f"{LRN}-A", mrn: str = MRN, timed: bool = True,
) -> str:  # fmt: skip
    """A request for amendment: with people and destination when all items are whole, else the branches alone."""
    whole = bool(items) and all(item.whole for item in items)
    stated = f"<GoodsItemQuantity>{len(items) if count is None else count}</GoodsItemQuantity>" if whole else ""
    body = "".join(item.xml() for item in items)
    return (
        f"<Declaration><FunctionCode>13</FunctionCode><FunctionalReferenceID>{reference}</FunctionalReferenceID>"
        f"<ID>{mrn}</ID>{_issued(minute) if timed else ''}<TypeCode>COR</TypeCode>{stated}"
        f"{''.join(map(pointer, places))}{pointers}{_people(EXPORTER) if whole else ''}"
        f"<GoodsShipment>{_DESTINATION if whole else ''}{body}</GoodsShipment></Declaration>"
    )


def amendment(items: tuple[Goods, ...], *places: Place, **about: Any) -> DeclarationCommand:
    """A request for amendment (`amendment_message`)."""
    return _read(amendment_message(items, *places, **about))


def presentation_message(*, mrn: str = MRN, reference: str = LRN) -> str:
    """The declarant says that the goods are there; the message states no time."""
    return (
        f"<Declaration><FunctionCode>13</FunctionCode><FunctionalReferenceID>{reference}</FunctionalReferenceID>"
        f"<ID>{mrn}</ID><TypeCode>GPR</TypeCode></Declaration>"
    )


def response_message(
    function: str, minute: int, *, reference: str = LRN, mrn: str = MRN, status: str = "", more: str = ""
) -> str:
    """What customs say under a function code."""
    told = f"<Status><NameCode>{status}</NameCode></Status>" if status else ""
    return (
        f"<Response><FunctionCode>{function}</FunctionCode><FunctionalReferenceID>{mrn}-{function}-{minute}"
        f"</FunctionalReferenceID>{_issued(minute)}{told}<Declaration>{more}"
        f"<FunctionalReferenceID>{reference}</FunctionalReferenceID><ID>{mrn}</ID></Declaration></Response>"
    )


def response(function: str, minute: int, **about: Any) -> DeclarationCommand:
    """What customs say under a function code (`response_message`)."""
    return _read(response_message(function, minute, **about))


_ACCEPTED = '<AcceptanceDateTime><DateTimeString formatCode="304">20260302100500Z</DateTimeString></AcceptanceDateTime>'


def acceptance_message(minute: int = 5, *, lrn: str = LRN, mrn: str = MRN) -> str:
    """Response 01."""
    return response_message("01", minute, reference=lrn, mrn=mrn, more=_ACCEPTED)


def acceptance(minute: int = 5, *, lrn: str = LRN, mrn: str = MRN) -> DeclarationCommand:
    """Response 01."""
    return _read(acceptance_message(minute, lrn=lrn, mrn=mrn))


def clearance(minute: int = 30, *, lrn: str = LRN, mrn: str = MRN) -> DeclarationCommand:
    """Response 09."""
    return response("09", minute, reference=lrn, mrn=mrn)


def decision(status: str, minute: int = 20, *, reference: str = f"{LRN}-A") -> DeclarationCommand:
    """Response 11: 39 grants, 41 refuses."""
    return response("11", minute, reference=reference, status=status)


def uk_licence(number: str, *limits: str) -> Licence:
    """A licence of the United Kingdom, cited by X002."""
    return licence(f"GB/{number}", *limits, type=LicenceType.LEGACY, document_code="X002")
