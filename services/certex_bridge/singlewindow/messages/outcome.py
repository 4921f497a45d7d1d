"""QuantityMovementResponse as a model: the outcome documents of the ledger for those who read JSON.

The schema came first and is written by hand; the documents come from templates (`outcome_document.py`). The model says
the same in the same order, and never makes one.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from certex_bridge.singlewindow.messages import outcome_words as words
from certex_bridge.singlewindow.messages.base import (
    Currency,
    Instant,
    Message,
    Number5,
    Part,
    Unit,
)
from certex_bridge.singlewindow.messages.licence_content import LicenceContent
from certex_bridge.singlewindow.messages.shape import BLANKS

_Rules = words.Rules


class CustomsOffice(Part):
    """Customs office."""

    reference_number: words.Said8
    """Office code."""


class Exporter(Part):
    """Exporter of the declaration."""

    identification_number: words.Said17
    """Identification number as declared."""


class DeclarationReference(Part):
    """Which declaration, and which version of it. Before acceptance there is an LRN and no MRN."""

    lrn: Annotated[words.Said22 | None, Field(alias="LRN")] = None
    """Local reference number."""
    mrn: Annotated[words.Said18 | None, Field(alias="MRN")] = None
    """Movement reference number."""
    declaration_version: words.Counted | None = None
    """Version of the content that was decided on; absent while no content is known."""
    customs_office_of_export: Annotated[CustomsOffice | None, Field(alias="CustomsOfficeOfExport")] = None
    """Office of export."""
    exporter: Annotated[Exporter | None, Field(alias="Exporter")] = None
    """Exporter."""


class OutcomeFinding(Part):
    """Observation about the message as a whole."""

    severity: words.Severity
    """How it counts."""
    code: words.Said70
    """Stable code."""
    error_pointer: words.Said512 | None = None
    """Field that it is about."""
    original_attribute_value: words.Said512 | None = None
    """What was found there."""
    text: words.Said512 | None = None
    """Sentence for people."""


class OutcomeVerdict(Part):
    """A test that failed or warns, a reason that comes from no single test, or what explains a positive outcome."""

    rule: words.Rule | None = None
    """Test; absent when the reason comes from none."""
    severity: words.Severity
    """How it counts."""
    code: words.Said70
    """Reason, IR (EU) 2024/2145 Art. 6(5)."""
    error_pointer: words.Said512 | None = None
    """Field that it is about."""
    original_attribute_value: words.Said512 | None = None
    """What was declared there."""
    available: words.Said512 | None = None
    """What the licence has, where it may be told."""
    text: words.Said512
    """Sentence for people."""


class DeclaredDocument(Part):
    """The document as declared; a text longer than its format is cut."""

    sequence_number: words.DocumentNumber
    """Position in the declaration. 100000 is added for an additional reference (12 04), 200000 for what is cited for
    the shipment and taken for its only item."""
    type: words.Said4 | None = None
    """Document code."""
    reference_number: words.Said70 | None = None
    """Licence reference."""
    document_line_item_number: Number5 | None = None
    """Line of the licence that the claim is booked on: as declared, or found; absent when there is none."""


class ClaimResult(Part):
    """Result of one claim: one document on one goods item against one line. A figure that is left out is zero."""

    sequence_number: Number5
    """Position in the message."""
    declaration_goods_item_number: Number5 | None = None
    """Goods item; absent for a document at shipment level."""
    supporting_document: Annotated[DeclaredDocument, Field(alias="SupportingDocument")]
    """Document."""
    outcome: words.Outcome
    """Outcome."""
    state: words.ClaimState
    """State."""
    at_risk: words.Flag | None = None
    """Reserved while Valid, and the licence is blocked since: customs decide on release."""
    measurement_unit_and_qualifier: Unit | None = None
    """Unit of the licence line."""
    quantity_requested: words.QuantitySum | None = None
    """Quantity asked for."""
    quantity_reserved: words.QuantitySum | None = None
    """Quantity reserved (Art. 6(2))."""
    quantity_consumed: words.QuantitySum | None = None
    """Quantity consumed (Art. 6(3))."""
    quantity_uncovered: words.QuantitySum | None = None
    """Quantity released without cover; booked nowhere."""
    quantity_available: words.QuantitySum | None = None
    """Quantity available to others after this result; absent when not told."""
    currency: Currency | None = None
    """Currency of the licence line."""
    amount_requested: words.AmountSum | None = None
    """Value asked for."""
    amount_reserved: words.AmountSum | None = None
    """Value reserved (Art. 6(2))."""
    amount_consumed: words.AmountSum | None = None
    """Value consumed (Art. 6(3))."""
    amount_uncovered: words.AmountSum | None = None
    """Value released without cover; booked nowhere."""
    amount_available: words.AmountSum | None = None
    """Value available to others after this result; absent when not told."""
    figure_source: words.Said70 | None = None
    """Where the figure came from when it is not the document's own."""
    rules_passed: _Rules = ()
    """Tests that were passed."""
    rules_not_tested: _Rules = ()
    """Tests that had nothing to test or were not reached."""
    rules_table: words.Said70 | None = None
    """Table of Annex I that the claim was judged by, with its version."""
    verdicts: Annotated[tuple[OutcomeVerdict, ...], Field(alias="Verdict")] = ()
    """Tests that failed, then those that warn, then other reasons, then what explains a positive outcome."""
    incidents: Annotated[tuple[words.Incident, ...], BLANKS] = ()
    """Incidents."""
    licence_identification: words.Said73
    """Issuing state and licence number, normalised."""
    licence_status: words.CertificateStatus | None = None
    """Status after this result; absent while the licence is not known."""
    licence_version: words.Counted | None = None
    """Version of the licence that was decided on."""
    journal_version: words.JournalVersion | None = None
    """Last entry in the licence's journal that this result includes."""
    licence_content: Annotated[LicenceContent | None, Field(alias="LicenceContent")] = None
    """Data of the licence, on success (Art. 6(2)(b))."""


class QuantityMovementResponse(Message):
    """What became of the quantities and values that one declaration claims from licences (Art. 6(2), 6(5) and 7)."""

    family: ClassVar[str] = "quantity-movement"
    root: ClassVar[str] = "QuantityMovementResponse"
    message_type: ClassVar[str] = "CBQMRS"
    schema_generated: ClassVar[bool] = False

    message_sender: words.Said35
    """System that sends."""
    message_recipient: words.Said35
    """System that the message is for."""
    message_identification: words.Said35
    """The declaration and the version of the outcome, or the start of their hash when that is longer."""
    correlation_identifier: words.Said35 | None = None
    """The declaration's own event that is answered."""
    declaration_reference: Annotated[DeclarationReference, Field(alias="DeclarationReference")]
    """Declaration."""
    declaration_state: words.DeclarationState | None = None
    """State of the declaration; absent while nothing is known of it."""
    outcome_version: words.Counted | None = None
    """Version of what was said about this declaration; dense, a gap means a lost message. Absent in the answer to a
    call that is kept and not decided yet."""
    event_type: words.Said70 | None = None
    """Kind of event that led to it."""
    event_date_and_time: Instant | None = None
    """When the event that is answered happened (UTC)."""
    cause_identification: words.Said128 | None = None
    """Event that led to this answer when it is not the one answered."""
    findings: Annotated[tuple[OutcomeFinding, ...], Field(alias="Finding")] = ()
    """Findings on the message."""
    claim_results: Annotated[tuple[ClaimResult, ...], Field(alias="ClaimResult")] = ()
    """Results, in the order of goods item and document."""
