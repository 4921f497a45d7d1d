"""F2: a change of status, pushed (Implementing Regulation (EU) 2024/2145 Art. 5(2))."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from certex_bridge.singlewindow.messages.base import (
    Country,
    Day,
    DocumentType,
    Instant,
    Message,
    Mrn,
    Part,
    Text17,
    Text22,
    Text35,
    Text70,
)

StatusName = Literal["Unknown", "Valid", "Cancelled", "Exhausted", "Expired", "Suspended", "Revoked"]
Count = Annotated[int, Field(ge=0)]
EventIdentity = Annotated[str, Field(min_length=1, max_length=256)]
"""As its sender made it."""
Number = Annotated[int, Field(ge=1)]


class CertificateReference(Part):
    """Which document it is about."""

    issuing_country: Country
    type: DocumentType
    """12 03 002."""
    reference_number: Text70
    """12 03 001, as the issuing authority writes it."""


class StatusVerdict(Part):
    """What a status opens: Annex I."""

    status: StatusName
    rule_table: Text35 | None = None
    """Name and version of the table; none: no table speaks of the document."""
    procedure: Annotated[tuple[Text17, ...], Field(strict=False)] = ()
    """Codes of D.E. 11 09 001, or of 11 01 for transit, that the document opens in this status."""


class DeclarationConcerned(Part):
    """One citation of the document in a declaration of the recipient's member state."""

    mrn: Annotated[Mrn | None, Field(alias="MRN")] = None
    lrn: Annotated[Text22 | None, Field(alias="LRN")] = None
    """Before acceptance."""
    declaration_goods_item_number: Count | None = None
    """None: the declaration was checked and holds nothing."""
    sequence_number: Count | None = None
    """Of the supporting document."""
    claim_state: Literal["CHECKED", "WAITING", "REFUSED", "RESERVED", "NOT_MANAGED"]
    at_risk: bool
    """Granted, and now the document is blocked or no longer covers the day of acceptance: customs decide on release."""
    valid_at_acceptance: bool | None = None
    """Whether the document covers the day of acceptance; none before acceptance."""


class StatusChangeNotification(Message):
    """The status of a document has changed, or something else that bears on declarations which wait for it."""

    family: ClassVar[str] = "status-change"
    root: ClassVar[str] = "StatusChangeNotification"
    message_type: ClassVar[str] = "CBSTCH"

    subscription_identification: Text35
    push_number: Number
    """Dense per subscription: a gap means a push not read yet, a repetition is one delivered twice."""
    change_number: Number
    """Dense per document over all changes of its status, told to this recipient or not."""
    certificate_reference: Annotated[CertificateReference, Field(alias="CertificateReference")]
    reason: Text35
    """VALIDITY_SHORTENED and EXPORTER_BARRED leave the status as it was."""
    effective_date_and_time: Instant
    """When the event happened that led to it (UTC)."""
    cause_event: EventIdentity
    """Identity of that event."""
    licence_version: Count
    journal_version: Count
    validity_start_date: Day | None = None
    validity_end_date: Day | None = None
    old_verdict: Annotated[StatusVerdict, Field(alias="OldVerdict")]
    new_verdict: Annotated[StatusVerdict, Field(alias="NewVerdict")]
    declaration: Annotated[tuple[DeclarationConcerned, ...], Field(alias="Declaration", strict=False)] = ()
    """At most 500; more follow under the same changeNumber and the next pushNumbers."""
