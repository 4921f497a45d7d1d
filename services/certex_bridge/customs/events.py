"""The canonical declaration events (topic customs.declarations.v1): contract and source of the JSON schemas.

A customs system, or an adapter in front of one, speaks in these words. Amounts are JSON texts, never numbers, so that
no reader turns them into binary fractions. Unknown fields are tolerated, unknown types of known fields are not.
A sender that waits for the outcome says so with the extension attribute `answer=always`: it is always answered, and an
event that does not follow on what is known is refused and becomes no fact, unless `order=recorded` goes with it.
Numbers in the docstrings are data elements of Implementing Regulation (EU) 2015/2447 Annex B.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

from certex_bridge.customs import limits
from certex_bridge.ledger.domain.facts import Decision, EventKind

Number = Annotated[int, Field(ge=1, le=limits.NUMBER)]
Version = Annotated[int, Field(ge=1, le=limits.VERSION)]
Code = Annotated[str, Field(max_length=limits.CODE)]
Text = Annotated[str, Field(max_length=limits.TEXT)]

_IDENTITY: dict[str, JsonValue] = {"anyOf": [{"required": ["mrn"]}, {"required": ["lrn", "exporter"]}]}


class WireModel(BaseModel):
    """Base of all models: strict types, camel case outside, unknown fields tolerated."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", alias_generator=to_camel)


class QuantityText(WireModel):
    """A quantity: decimal text (n..16,6) and TARIC unit with optional qualifier."""

    amount: Text
    unit: Code


class MoneyText(WireModel):
    """Money: decimal text (n..16,2) and ISO 4217 currency."""

    amount: Text
    currency: Code


class ShipmentDocument(WireModel):
    """A supporting document of the whole shipment (12 03, goods shipment level): it carries no figures."""

    seq: Number = Field(description="Sequence number within the level")
    type: Code = Field(description="12 03 002, for instance X060")
    reference: Text = Field(description="12 03 001, the licence number")
    line: Number | None = Field(None, description="12 03 013, line of the licence")
    issuer: Code | None = Field(None, description="Country that issued the licence; absent: the declaring state")
    status: Code | None = Field(None, description="National status code of the document")
    authority: Text | None = Field(None, description="12 03 010")
    valid_to: Code | None = Field(None, description="12 03 011")


class Document(ShipmentDocument):
    """A supporting document of a goods item (12 03), with what is to be written off."""

    quantity: QuantityText | None = Field(None, description="12 03 006 with 12 03 005")
    value: MoneyText | None = Field(None, description="12 03 014 with 12 03 012")


class Reference(WireModel):
    """An additional reference (12 04): an alternative place for a licence number, and the home of Y901."""

    seq: Number
    type: Code
    reference: Text | None = None


class SimplifiedDeclaration(WireModel):
    """A simplified declaration that a supplementary one names as previous document (12 01)."""

    mrn: Text
    item: Number | None = Field(None, description="Goods item of it that is meant; absent: the whole declaration")


class Consignee(WireModel):
    """The consignee (13 03)."""

    name: Text | None = None
    identification: Text | None = None
    country: Code | None = None


class GoodsItem(WireModel):
    """A goods item."""

    item: Number = Field(description="11 03")
    procedure: Code | None = Field(None, description="11 09, four digits: requested and previous procedure")
    additional_procedures: list[Code] = Field([], max_length=limits.PER_LEVEL, description="11 10")
    commodity: Code | None = Field(None, description="18 09, 6 to 10 digits")
    description: Annotated[str, Field(max_length=limits.DESCRIPTION)] | None = Field(None, description="18 05")
    destination: Code | None = Field(None, description="16 03, overrides the shipment's")
    origin: Code | None = Field(None, description="16 08")
    net_mass: Text | None = Field(None, description="18 01, kilograms")
    gross_mass: Text | None = Field(None, description="18 04, kilograms; only compared, never booked")
    supplementary_units: Text | None = Field(None, description="18 02, unit implied by the commodity code")
    amount: MoneyText | None = Field(None, description="14 08 with 14 05")
    documents: list[Document] = Field([], max_length=limits.PER_LEVEL)
    references: list[Reference] = Field([], max_length=limits.PER_LEVEL)
    simplified_declarations: list[SimplifiedDeclaration] = Field(
        [], max_length=limits.ITEMS, description="12 01, of a supplementary declaration: what this item supplements"
    )


class Declaration(WireModel):
    """The content of a declaration in one version."""

    type: Code = Field(description="11 01: EX, CO, T1, …")
    items: list[GoodsItem] = Field(min_length=1, max_length=limits.ITEMS)
    additional_type: Code | None = Field(None, description="11 02: A to F, R, U, V, X, Y, Z")
    exporter: Text | None = Field(None, description="13 01 017")
    declarant: Text | None = Field(None, description="13 05 017")
    representative: Text | None = Field(None, description="13 06 017")
    consignee: Consignee | None = None
    destination: Code | None = Field(None, description="16 03")
    invoice_currency: Code | None = Field(None, description="14 05")
    documents: list[ShipmentDocument] = Field([], max_length=limits.PER_LEVEL)
    references: list[Reference] = Field([], max_length=limits.PER_LEVEL)


class ReleasedDocument(WireModel):
    """The figures of one document as really released."""

    seq: Number
    quantity: QuantityText | None = None
    value: MoneyText | None = None


class ReleasedItem(WireModel):
    """One released item; without `documents` everything is as declared."""

    item: Number
    documents: list[ReleasedDocument] | None = Field(None, min_length=1, max_length=limits.PER_LEVEL)


class ItemNumber(WireModel):
    """One item that was not released."""

    item: Number


class DeclarationEvent(WireModel):
    """Which declaration: by MRN, or by LRN and exporter while there is no MRN."""

    model_config = ConfigDict(json_schema_extra=_IDENTITY)

    mrn: Text | None = Field(None, description="Master reference number, 18 characters")
    lrn: Text | None = Field(None, description="12 09")
    exporter: Text | None = Field(None, description="13 01 017")
    office: Code | None = Field(None, description="17 02, customs office of export")
    version: Version | None = Field(None, description="Version of the declaration's content, 1 when it was lodged")
    reason: Text | None = None
    day_of_exit: Code | None = Field(
        None, description="Calendar day on which the goods left; counts for a retrospective declaration (11 02 R)"
    )


class DeclarationContent(DeclarationEvent):
    """An event that may carry the declaration's content."""

    declaration: Declaration | None = None
    simplified_declarations: list[SimplifiedDeclaration] = Field(
        [],
        max_length=limits.ITEMS,
        description="12 01, of a supplementary declaration: what it supplements as a whole; an item may name its own",
    )


class DeclarationLodged(DeclarationContent):
    """Lodged or pre-lodged: licences are checked, nothing is reserved."""

    lrn: Text
    exporter: Text
    declaration: Declaration


class DeclarationPresented(DeclarationContent):
    """The goods of a pre-lodged declaration were presented."""


class DeclarationAccepted(DeclarationContent):
    """Accepted: quantities are reserved. The content may be left out when it was lodged before."""

    mrn: Text
    accepted_at: Text | None = Field(None, description="15 09, date or instant; absent: the event's time")


class DeclarationAmended(DeclarationContent):
    """An amendment took effect: the whole content in its new version."""

    version: Version
    declaration: Declaration


class DeclarationSupplementary(DeclarationContent):
    """A supplementary declaration: one instrument with the simplified ones it names (UCC Art. 167(4))."""

    declaration: Declaration
    simplified_mrn: Text | None = Field(None, description="The same as one entry of simplifiedDeclarations")


class DeclarationReleased(DeclarationEvent):
    """Released: quantities are consumed. Without `items` the whole declaration, as declared."""

    items: list[ReleasedItem] | None = Field(None, min_length=1, max_length=limits.ITEMS)


class DeclarationNotReleased(DeclarationEvent):
    """Not released: reservations are freed. Without `items` the whole declaration."""

    items: list[ItemNumber] | None = Field(None, min_length=1, max_length=limits.ITEMS)


class DeclarationInvalidated(DeclarationEvent):
    """Invalidated, before or after release."""


class DeclarationRejected(DeclarationEvent):
    """Rejected before acceptance."""


class DeclarationExitConfirmed(DeclarationEvent):
    """The goods have left the customs territory; nothing is booked."""

    exited_at: Text | None = Field(None, description="Date or instant of exit")


class DeclarationRecheck(DeclarationEvent):
    """Refused claims are to be tried again."""


class DeclarationIdentified(DeclarationEvent):
    """An officer says which lodging an MRN was, where several could be meant.

    The exporter is that of the lodging; `lodgedEvent` is needed only where that exporter has several open ones.
    """

    mrn: Text
    lrn: Text
    exporter: Text
    officer: Annotated[str, Field(min_length=1, max_length=limits.OFFICER)] = Field(
        description="The officer's identification"
    )
    reason: Annotated[str, Field(min_length=1, max_length=limits.REASON)] = Field(description="How it is known")
    lodged_event: Text | None = Field(None, description="Id of the event that lodged it")


class EvidenceDocument(WireModel):
    """The document that proves a decision, as box 26 of the licence form asks for it (DU Annex III A)."""

    type: Annotated[str, Field(min_length=1, max_length=limits.CODE)] = Field(description="Kind of document")
    number: Annotated[str, Field(min_length=1, max_length=limits.TEXT)]
    date: Code = Field(description="Calendar day")
    member_state: Code | None = Field(None, description="Where it was made")


class OverriddenDocument(WireModel):
    """The figures of one document as the officer decides; only AMEND has figures, and at least one."""

    seq: Number
    quantity: QuantityText | None = None
    value: MoneyText | None = None


class OverriddenItem(WireModel):
    """One goods item; without `documents` all of them."""

    item: Number
    documents: list[OverriddenDocument] | None = Field(None, min_length=1, max_length=limits.PER_LEVEL)


class DeclarationOverridden(DeclarationEvent):
    """An officer of customs decides by hand (IR 2024/2145 Art. 8): booked as told, beyond limits and rules.

    Without `items` the whole declaration. It counts until customs change the content.
    """

    mrn: Text
    officer: Annotated[str, Field(min_length=1, max_length=limits.OFFICER)] = Field(
        description="The officer's identification; kept in the journal"
    )
    reason: Annotated[str, Field(min_length=1, max_length=limits.REASON)] = Field(
        description="Why the automatic answer is not followed; kept in the journal"
    )
    decision: Annotated[Decision, Field(strict=False)] = Field(
        description="ACCEPT: the declared figures. AMEND: those told here. REFUSE: nothing"
    )
    evidence: EvidenceDocument | None = None
    items: list[OverriddenItem] | None = Field(None, min_length=1, max_length=limits.ITEMS)


EVENT_MODELS: dict[EventKind, type[DeclarationEvent]] = {
    EventKind.LODGED: DeclarationLodged,
    EventKind.PRESENTED: DeclarationPresented,
    EventKind.ACCEPTED: DeclarationAccepted,
    EventKind.AMENDED: DeclarationAmended,
    EventKind.RELEASED: DeclarationReleased,
    EventKind.NOT_RELEASED: DeclarationNotReleased,
    EventKind.INVALIDATED: DeclarationInvalidated,
    EventKind.EXIT_CONFIRMED: DeclarationExitConfirmed,
    EventKind.SUPPLEMENTARY: DeclarationSupplementary,
    EventKind.REJECTED: DeclarationRejected,
    EventKind.RECHECK: DeclarationRecheck,
    EventKind.IDENTIFIED: DeclarationIdentified,
    EventKind.OVERRIDDEN: DeclarationOverridden,
}
"""What a sender may say, by kind; the other kinds are made inside (timers, notes on foreign messages)."""


def event_type(kind: EventKind) -> str:
    """The CloudEvents type of a kind."""
    return f"customs.declaration.{kind.value}.v1"


KINDS: dict[str, EventKind] = {event_type(kind): kind for kind in EVENT_MODELS}
"""CloudEvents type to kind."""
