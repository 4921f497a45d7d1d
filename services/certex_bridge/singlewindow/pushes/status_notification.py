"""A change of status as one subscriber is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from certex_bridge.kernel.canonical import content_id
from certex_bridge.ledger.domain.model import ClaimState, Status
from certex_bridge.ledger.domain.risk import at_risk, covered
from certex_bridge.ledger.ports import OpenClaim
from certex_bridge.ledger.pushes import member_state
from certex_bridge.ledger.stored import StatusRecord
from certex_bridge.singlewindow.answering import instant_text
from certex_bridge.singlewindow.messages.status_change import (
    CertificateReference,
    DeclarationConcerned,
    StatusChangeNotification,
    StatusVerdict,
)
from certex_bridge.singlewindow.pushes.verdicts import Verdicts

if TYPE_CHECKING:
    from datetime import date

_MRN_LENGTH = 18
_IDENTIFICATION_LENGTH = 32


def notification(  # what changed, and to whom it is told
    change: StatusRecord,
    subscription_id: str,
    number: int,
    concerned: Sequence[OpenClaim],
    verdicts: Verdicts,
    names: tuple[str, str],
    made_at: datetime,
) -> StatusChangeNotification:
    """The message, made at `made_at`.

    `names` are its sender and its recipient, `concerned` the declarations the recipient may see.
    """
    sender, recipient = names
    issuer = change.licence_id.partition("/")[0]
    return StatusChangeNotification(
        message_sender=sender,
        message_recipient=recipient,
        preparation_date_and_time=instant_text(made_at),
        message_identification=content_id("push", subscription_id, str(number))[:_IDENTIFICATION_LENGTH],
        type_of_message=StatusChangeNotification.message_type,
        subscription_identification=subscription_id,
        push_number=number,
        change_number=change.change_no,
        certificate_reference=CertificateReference(
            issuing_country=issuer, type=change.document_code, reference_number=change.number.strip()
        ),
        reason=change.reason,
        effective_date_and_time=change.at,
        cause_event=change.event_id,
        licence_version=change.licence_version,
        journal_version=change.lv,
        validity_start_date=_day(change.valid_from),
        validity_end_date=_day(change.valid_to),
        old_verdict=_verdict(change, change.old, verdicts),
        new_verdict=_verdict(change, change.new, verdicts),
        declaration=tuple(_concerned(change, claim) for claim in concerned),
    )


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _verdict(change: StatusRecord, status: str, verdicts: Verdicts) -> StatusVerdict:
    opened = verdicts.opened(change.document_code, change.direction, status)
    return StatusVerdict(status=status, rule_table=opened.table or None, procedure=opened.procedures)  # type: ignore[arg-type]  # one of the seven


def _concerned(change: StatusRecord, claim: OpenClaim) -> DeclarationConcerned:
    draft = "/" in claim.decl_id or len(claim.decl_id) != _MRN_LENGTH
    where = member_state(claim.decl_id, claim.office)
    valid = covered(claim.accepted, where, change.valid_from, change.valid_to)
    return DeclarationConcerned(
        mrn=None if draft else claim.decl_id,
        lrn=local_reference(claim) if draft else None,
        declaration_goods_item_number=claim.item or None,
        sequence_number=claim.doc_seq or None,
        claim_state=claim.state,  # type: ignore[arg-type]  # an open state
        at_risk=at_risk(ClaimState(claim.state), Status(change.new), valid=valid is not False),
        valid_at_acceptance=valid,
    )


def local_reference(claim: OpenClaim) -> str:
    """The LRN in a draft's name, which is its exporter's number, a slash and the LRN."""
    prefix = f"{claim.exporter}/"
    return claim.decl_id.removeprefix(prefix) if claim.exporter else claim.decl_id.partition("/")[2]
