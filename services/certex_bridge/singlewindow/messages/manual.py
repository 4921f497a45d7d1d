"""Messages of decisions by hand: F7 of customs officers, and corrections of the licensing side.

An officer and a reason are mandatory in both; they stay in the journal. Numbers are data elements of Implementing
Regulation (EU) 2015/2447 Annex B. What an amended figure may be is told in the unit of the licence line.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from certex_bridge.ledger.domain.facts import Decision
from certex_bridge.licensing.domain.writeoff import WriteOffSource
from certex_bridge.singlewindow.messages.base import (
    AmountFigure,
    Country,
    Currency,
    Day,
    Message,
    Mrn,
    Number5,
    Part,
    QuantityFigure,
    Text35,
    Text70,
    Text512,
    Unit,
)

ITEMS = 9_999
PER_LEVEL = 99
LINES = 999


class Evidence(Part):
    """The document that proves a decision, as box 26 of the form asks for it (Regulation (EU) 2021/821 Annex III A)."""

    type: Text35
    """Kind of document."""
    reference_number: Text70
    """Its number."""
    issuing_date: Day
    """Its date."""
    member_state: Country | None = None
    """Where it was made."""


class Figures(Part):
    """A quantity, a value, or both; each with its unit."""

    quantity: QuantityFigure | None = None
    """12 03 006: n..16,6."""
    measurement_unit_and_qualifier: Unit | None = None
    """12 03 005: the licence line's own unit."""
    amount: AmountFigure | None = None
    """12 03 014: n..16,2."""
    currency: Currency | None = None
    """12 03 012: the licence line's own currency."""

    @model_validator(mode="after")
    def _complete(self) -> Figures:
        for figure, unit, names in (
            (self.quantity, self.measurement_unit_and_qualifier, ("quantity", "measurementUnitAndQualifier")),
            (self.amount, self.currency, ("amount", "currency")),
        ):
            if (figure is None) != (unit is None):
                missing, there = reversed(names) if unit is None else names
                raise PydanticCustomError(
                    "FIGURE_INCOMPLETE", f"{there} needs {missing}", {"error_code": "13", "at": missing}
                )
        return self

    @property
    def told(self) -> bool:
        """Whether any figure is."""
        return self.quantity is not None or self.amount is not None


class DecidedDocument(Figures):
    """One supporting document of an item (12 03); only AMEND tells figures."""

    sequence_number: Number5
    """Its place on the item."""


class DecidedItem(Part):
    """One goods item; without documents all of them."""

    declaration_goods_item_number: Number5
    """11 03 001."""
    supporting_document: Annotated[
        tuple[DecidedDocument, ...], Field(alias="SupportingDocument", max_length=PER_LEVEL, strict=False)
    ] = ()
    """The documents decided on."""


class ManualQuantityManagementRequest(Message):
    """F7: an officer of customs accepts, amends or refuses quantities by hand (IR 2024/2145 Art. 8)."""

    family: ClassVar[str] = "manual-quantity-management"
    root: ClassVar[str] = "ManualQuantityManagementRequest"
    message_type: ClassVar[str] = "CBMQRQ"

    mrn: Annotated[Mrn, Field(alias="MRN")]
    """Movement reference number."""
    officer_identification: Text35
    """Who decides; stays in the journal."""
    reason: Text512
    """Why the automatic answer is not followed; stays in the journal."""
    decision: Annotated[Decision, Field(strict=False)]
    """ACCEPT: the declared figures. AMEND: those told here. REFUSE: nothing."""
    evidence: Annotated[Evidence | None, Field(alias="Evidence")] = None
    """What proves it."""
    goods_item: Annotated[tuple[DecidedItem, ...], Field(alias="GoodsItem", max_length=ITEMS, strict=False)] = ()
    """The items decided on; none: the whole declaration."""

    @model_validator(mode="after")
    def _figures_fit(self) -> ManualQuantityManagementRequest:
        documents = [document for item in self.goods_item for document in item.supporting_document]
        if self.decision is not Decision.AMEND:
            if any(document.told for document in documents):
                raise PydanticCustomError(
                    "FIGURES_UNEXPECTED", "only AMEND tells figures", {"error_code": "15", "at": "GoodsItem"}
                )
            return self
        named = self.goods_item and all(item.supporting_document for item in self.goods_item)
        if not named or not all(document.told for document in documents):
            sentence = "AMEND names documents and tells a quantity or a value for each"
            raise PydanticCustomError("FIGURES_MISSING", sentence, {"error_code": "13", "at": "GoodsItem"})
        return self


class WrittenOffLine(Figures):
    """What was written off one licence line in total (box 24 of the form); zero takes back what was told before."""

    document_line_item_number: Number5 | None = None
    """12 03 013: the licence line; absent where it has only one."""


class LicenceReference(Part):
    """Which licence."""

    issuing_country: Country
    """Whose authority issued it."""
    reference_number: Text70
    """Its number."""


class QuantityCorrectionRequest(Message):
    """The licensing side captures a write-off made outside the bridge, or corrects one: the totals on one evidence."""

    family: ClassVar[str] = "quantity-correction"
    root: ClassVar[str] = "QuantityCorrectionRequest"
    message_type: ClassVar[str] = "CBQCRQ"

    licence: Annotated[LicenceReference, Field(alias="Licence")]
    """The licence that was written off."""
    source: Annotated[WriteOffSource, Field(strict=False)]
    """Where the figures come from."""
    officer_identification: Text35
    """Who answers for it; stays in the journal."""
    reason: Text512
    """Why it is captured or corrected; stays in the journal."""
    evidence: Annotated[Evidence, Field(alias="Evidence")]
    """The document that proves it: a later message on the same one states new totals."""
    line: Annotated[tuple[WrittenOffLine, ...], Field(alias="Line", min_length=1, max_length=LINES, strict=False)]
    """Totals by line."""


class CorrectionFinding(Part):
    """What the ledger found; a warning changes nothing."""

    severity: Literal["ERROR", "WARNING"]
    """ERROR refuses the message as a whole."""
    code: Text70
    """Stable code."""
    error_pointer: Annotated[str, Field(max_length=512)] = ""
    """What it is about."""


class QuantityCorrectionResponse(Message):
    """What became of a captured write-off; the balance follows on its topic."""

    family: ClassVar[str] = "quantity-correction"
    root: ClassVar[str] = "QuantityCorrectionResponse"
    message_type: ClassVar[str] = "CBQCRS"

    licence: Annotated[LicenceReference, Field(alias="Licence")]
    """The licence."""
    verdict: Literal["ACCEPTED", "REFUSED", "SUPERSEDED"]
    """SUPERSEDED: a later total on the same evidence was told before."""
    finding: Annotated[tuple[CorrectionFinding, ...], Field(alias="Finding", max_length=1_000, strict=False)] = ()
    """Every finding."""
