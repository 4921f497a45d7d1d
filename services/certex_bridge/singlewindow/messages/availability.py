"""F1, check availability (IR 2024/2145 Art. 5(1)): the question and its answer.

A document is asked about in the context of a declaration, or by its reference alone. The answer is advisory: only a
reservation decides.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from certex_bridge.singlewindow.messages import outcome_words as words
from certex_bridge.singlewindow.messages.base import (
    Country,
    Currency,
    Day,
    DocumentType,
    Instant,
    Message,
    Mrn,
    Number5,
    Part,
    Text22,
    Text70,
    Text128,
    Text512,
    Unit,
)
from certex_bridge.singlewindow.messages.goods import (
    ITEMS,
    PER_LEVEL,
    AdditionalReference,
    Consignee,
    DeclarationReference,
    GoodsItem,
    ShipmentDocument,
)
from certex_bridge.singlewindow.messages.licence_content import Figure, LicenceContent

Told = Annotated[str, Field(max_length=512)]
"""What was declared, told again as far as 512 characters."""
Status = Literal["Valid", "Cancelled", "Exhausted", "Expired", "Suspended", "Revoked"]
Count = Annotated[int, Field(ge=0)]
"""A whole number of something."""
Ordinal = Annotated[int, Field(ge=1)]
"""A position or a version, counted from one."""
Base64 = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]+={0,2}$")]
"""Bytes as text."""
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A hash in hexadecimal digits."""
Names = Annotated[str, Field(min_length=1, max_length=512)]
"""Names separated by blanks."""


class CertificateReference(Part):
    """One document by its reference alone."""

    issuing_country: Country
    """State that issued it."""
    type: DocumentType | None = None
    """Document code, if it is to be compared with the document's own."""
    reference_number: Text70
    """Number of the document."""


class AvailabilityCheck(Message):
    """Whether supporting documents are there, valid, and cover what is declared (Art. 5(1))."""

    family: ClassVar[str] = "availability-check"
    root: ClassVar[str] = "AvailabilityCheck"
    message_type: ClassVar[str] = "CBACRQ"

    step: Literal["LODGE", "PRESENT"] | None = None
    """LODGE: the reference only. PRESENT: everything. Counts for callers that check in two steps."""
    as_of: Day | None = None
    """Day that validity is judged on; absent: the exit or acceptance, or today in the declaring state."""
    original: bool = False
    """Whether the document as issued is wanted too."""
    explain: bool = False
    """Whether other documents of the holder that would fit are wanted; answered to the licensing side only."""
    dry_run: Literal["RESERVE", "ADJUST"] | None = None
    """Instead of a check: what a reservation, or an amendment, with this content would be answered."""
    declaration_reference: Annotated[DeclarationReference | None, Field(alias="DeclarationReference")] = None
    """Declaration that cites the documents."""
    consignee: Annotated[Consignee | None, Field(alias="Consignee")] = None
    """Consignee of the shipment."""
    country_of_destination: Country | None = None
    """Destination of the shipment."""
    goods_item: Annotated[tuple[GoodsItem, ...], Field(alias="GoodsItem", max_length=ITEMS, strict=False)] = ()
    """Goods items that cite documents."""
    supporting_document: Annotated[
        tuple[ShipmentDocument, ...], Field(alias="SupportingDocument", max_length=PER_LEVEL, strict=False)
    ] = ()
    """Documents of the whole shipment."""
    additional_reference: Annotated[
        tuple[AdditionalReference, ...], Field(alias="AdditionalReference", max_length=PER_LEVEL, strict=False)
    ] = ()
    """Additional references of the whole shipment."""
    certificate_reference: Annotated[
        tuple[CertificateReference, ...], Field(alias="CertificateReference", max_length=PER_LEVEL, strict=False)
    ] = ()
    """Documents by reference alone; then there are no goods items."""

    @model_validator(mode="after")
    def _one_question(self) -> AvailabilityCheck:
        if bool(self.goods_item) == bool(self.certificate_reference):
            sentence = "either goods items or certificate references say what is asked"
            raise PydanticCustomError("QUESTION_MISSING", sentence, {"error_code": "13", "at": "GoodsItem"})
        if self.certificate_reference and (self.dry_run or self.supporting_document or self.additional_reference):
            raise PydanticCustomError(
                "QUESTION_MIXED", "a reference alone has no declaration around it", {"at": "CertificateReference"}
            )
        if self.dry_run and self.declaration_reference is None:
            sentence = "a dry run needs the declaration it is made for"
            raise PydanticCustomError(
                "DECLARATION_MISSING", sentence, {"error_code": "13", "at": "DeclarationReference"}
            )
        return self


class CheckedDocument(Part):
    """Document that was asked about."""

    sequence_number: Ordinal | None = None
    """Position on its item."""
    type: Told | None = None
    """Document code as declared."""
    reference_number: Told
    """Reference as declared."""
    document_line_item_number: Number5 | None = None
    """Line of the licence that the document is about."""


class AnnexOneVerdict(Part):
    """What the rules table of Annex I says of the document on one procedure."""

    table: Text70
    """Rules table."""
    version: Ordinal
    """Its version."""
    procedure: Text22
    """Procedure, or type of the transit declaration."""
    allowed: bool
    """Whether a document with this status opens the procedure."""
    quantity_management: bool
    """Whether its quantities are managed under this procedure."""
    note: Annotated[tuple[Text512, ...], Field(strict=False)] = ()
    """Conditions, footnotes, remarks."""


class Verdict(Part):
    """What one rule says against the document."""

    rule: Text70 | None = None
    """Rule that was tested."""
    severity: Literal["ERROR", "WARNING", "INFO"]
    """ERROR refuses, WARNING is reported, INFO explains."""
    code: Text70
    """Reason code."""
    error_pointer: Told | None = None
    """Data item it is about."""
    original_attribute_value: Told | None = None
    """What was declared."""
    available: Told | None = None
    """What the document says, or what is left, if the caller may know."""
    text: Told
    """The reason as a sentence."""


class AttachedDocument(Part):
    """Document of the authority, for instance the signed licence as PDF."""

    media_type: Text70
    """What the file is: application/pdf or application/xml."""
    sha256: Sha256
    """Its hash."""
    content: Base64
    """The file, base 64."""


class IssuedContent(Part):
    """The authority's own statement of the licence, byte for byte."""

    version: Ordinal
    """Version that it came with: a bare act on the status brings no content, and the one before counts."""
    event_identification: Text128
    """Licensing event that brought it."""
    issued_at: Told
    """When that happened (UTC)."""
    media_type: Told
    """What the bytes are, as the authority says."""
    sha256: Sha256
    """Their hash, which is in the licence's journal."""
    content: Base64
    """The bytes, base 64."""


class OriginalDocument(Part):
    """What was issued with the version in force (Art. 5(1)(c))."""

    version: Ordinal
    """Version of the document."""
    event_identification: Text128
    """Licensing event that brought it."""
    issued_at: Told
    """When that happened (UTC)."""
    issued_content: Annotated[IssuedContent | None, Field(alias="IssuedContent")] = None
    """What the authority wrote."""
    attached_document: Annotated[AttachedDocument | None, Field(alias="AttachedDocument")] = None
    """Document that it attached to this version or an earlier one."""
    certificate: Base64
    """The bridge's certificate XML of that moment, base 64."""


class FittingDocument(Part):
    """Another document of the holder that would carry the same goods."""

    licence_identification: Text128
    """Issuer and number."""
    type: DocumentType
    """Document code."""
    document_line_item_number: Number5 | None = None
    """Line."""
    validity_date: Day | None = None
    """Last day of validity."""
    measurement_unit_and_qualifier: Unit | None = None
    """Unit."""
    quantity_available: Figure | None = None
    """What is left of its quantity."""
    currency: Currency | None = None
    """Currency."""
    amount_available: Figure | None = None
    """What is left of its value."""


class CheckResult(Part):
    """Answer about one document."""

    sequence_number: Number5
    """Position in the answer."""
    declaration_goods_item_number: Number5 | None = None
    """Item that cites the document."""
    supporting_document: Annotated[CheckedDocument, Field(alias="SupportingDocument")]
    """Document."""
    result: Literal["FOUND", "NOT_FOUND", "NOT_READ"]
    """NOT_READ: the ledger could not be asked, and nothing is remembered of this document."""
    outcome: Text70 | None = None
    """What a reservation would be answered; absent where the ledger could not be asked."""
    licence_identification: Text128
    """Issuer and number that the reference was read as."""
    licence_status: Status | None = None
    """Status now."""
    reference_day: Day | None = None
    """Day that validity is judged on."""
    status_on_day: Status | None = None
    """Status on that day, as far as it follows from what is known now."""
    status_then: Told | None = None
    """Status with which the version of that day came in force; only for a day of the past that was asked for."""
    licence_version: Ordinal | None = None
    """Version in force."""
    journal_version: Ordinal | None = None
    """Version of the journal that the answer includes."""
    age: Count | None = None
    """Seconds since this was read, where the ledger could not be asked."""
    annex_one: Annotated[tuple[AnnexOneVerdict, ...], Field(alias="AnnexIVerdict", strict=False)] = ()
    """Rules table on the procedure declared, or on all procedures for a reference alone."""
    measurement_unit_and_qualifier: Unit | None = None
    """Unit of the licence line; absent where quantity is not limited."""
    quantity_requested: Figure | None = None
    """Figure that a reservation would take."""
    quantity_available: Figure | None = None
    """What is left for everybody."""
    quantity_passing: Figure | None = None
    """Greatest figure that would pass for this declaration, what it holds already included."""
    currency: Currency | None = None
    """Currency of the licence line; absent where value is not limited."""
    amount_requested: Figure | None = None
    """Value that a reservation would take."""
    amount_available: Figure | None = None
    """What is left for everybody."""
    amount_passing: Figure | None = None
    """Greatest value that would pass for this declaration."""
    figure_source: Told | None = None
    """Where a figure came from that is not the document's own."""
    rules_passed: words.Rules = ()
    """Rules that were tested and hold."""
    rules_not_tested: words.Rules = ()
    """Rules that had nothing to test."""
    verdict: Annotated[tuple[Verdict, ...], Field(alias="Verdict", strict=False)] = ()
    """Rules that do not hold, in the order of decision."""
    licence_content: Annotated[LicenceContent | None, Field(alias="LicenceContent")] = None
    """Content of the document."""
    original: Annotated[OriginalDocument | None, Field(alias="Original")] = None
    """Document as issued, if it was asked for and the caller may see its figures."""
    fitting_document: Annotated[tuple[FittingDocument, ...], Field(alias="FittingDocument", strict=False)] = ()
    """Other documents that would fit."""


class Finding(Part):
    """A remark on the question as a whole."""

    severity: Literal["ERROR", "WARNING", "INFO"]
    code: Text70
    error_pointer: Told | None = None
    original_attribute_value: Told | None = None
    text: Told | None = None


class AvailabilityCheckResponse(Message):
    """Answer to a check: one result per document (Art. 5(1))."""

    family: ClassVar[str] = "availability-check"
    root: ClassVar[str] = "AvailabilityCheckResponse"
    message_type: ClassVar[str] = "CBACRS"

    lrn: Annotated[Text22 | None, Field(alias="LRN")] = None
    """Local reference number of the question."""
    mrn: Annotated[Mrn | None, Field(alias="MRN")] = None
    """Movement reference number of the question."""
    as_of: Day | None = None
    """Day that was asked for."""
    read_at: Instant
    """When the ledger was read (UTC); what came after is not included."""
    degraded: bool = False
    """The ledger could not be asked: what is told was read before and has its age."""
    finding: Annotated[tuple[Finding, ...], Field(alias="Finding", strict=False)] = ()
    """Remarks on the question."""
    check_result: Annotated[tuple[CheckResult, ...], Field(alias="CheckResult", strict=False)] = ()
    """Results in the order of items and documents; none: a finding says why."""
