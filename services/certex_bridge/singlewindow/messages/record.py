"""Family `record`: extra information that customs enter to a licence (IR 2024/2145 Art. 9)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from certex_bridge.singlewindow.messages.base import (
    Identification,
    Instant,
    Message,
    Mrn,
    Number5,
    Part,
    Text70,
    Text512,
)
from certex_bridge.singlewindow.messages.reference import CertificateReference

RecordAction = Literal["ADD", "AMEND", "DELETE"]


class Information(Part):
    """One piece of extra information."""

    code: Text70
    """What it is about: a code that the two authorities agreed on."""
    text: Text512
    """What it says."""


class RecordRequest(Message):
    """Enter, amend or delete extra information to a licence."""

    family: ClassVar[str] = "record"
    root: ClassVar[str] = "RecordRequest"
    message_type: ClassVar[str] = "REC001"

    action: RecordAction
    """AMEND replaces all information of the record, DELETE takes it back; earlier versions stay on record."""
    record_identification: Identification
    """The caller's own name of the record, used once for ever."""
    certificate_reference: Annotated[CertificateReference, Field(alias="CertificateReference")]
    """The licence it belongs to."""
    mrn: Annotated[Mrn | None, Field(alias="MRN")] = None
    """The declaration that gave rise to it, of the caller's own member state."""
    declaration_goods_item_number: Number5 | None = None
    """Goods item of that declaration."""
    information: Annotated[tuple[Information, ...], Field(alias="Information", max_length=99, strict=False)] = ()
    """At least one for ADD and AMEND, none for DELETE."""
    reason: Text512 | None = None
    """Why it is amended or deleted: mandatory then."""


class RecordAcknowledgement(Message):
    """The record is stored and on its way to the licensing side."""

    family: ClassVar[str] = "record"
    root: ClassVar[str] = "RecordAcknowledgement"
    message_type: ClassVar[str] = "REC002"

    action: RecordAction
    """What was done."""
    record_identification: Identification
    """The caller's own name of the record."""
    record_version: Number5
    """Dense, from 1."""
    certificate_reference: Annotated[CertificateReference, Field(alias="CertificateReference")]
    """The licence, as its authority writes it."""
    licence_version: Annotated[int, Field(ge=1)]
    """Version of the licence at that moment."""
    recorded_date_and_time: Instant
    """When it was stored (UTC)."""
