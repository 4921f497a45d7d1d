"""Records of extra information to a licence (IR 2024/2145 Art. 9): what is kept, and what may be done to them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import NamedTuple, Protocol

import msgspec

from certex_bridge.kernel.canonical import content_id
from certex_bridge.ledger.listing import IndexEntry
from certex_bridge.ledger.ports import OutboxRow
from certex_bridge.platform.tracing import current_trace
from certex_bridge.singlewindow.answering import instant_text, missing, not_here
from certex_bridge.singlewindow.answers import CallAnswers
from certex_bridge.singlewindow.callers import Caller
from certex_bridge.singlewindow.messages.record import RecordRequest
from certex_bridge.singlewindow.refusals import Refusal
from certex_bridge.singlewindow.rights import require_own_declaration

AGGREGATE = "record"
"""Outbox aggregate type; its id is the record's key, its version the record's."""

Said = tuple[tuple[str, str], ...]
"""Information as (code, text)."""


class RecordState(NamedTuple):
    """A record as it stands."""

    caller: str
    record_id: str
    version: int
    licence_id: str
    member_state: str
    mrn: str
    item: int
    """0: none."""
    information: Said
    """Empty when it is deleted."""
    deleted: bool

    @property
    def key(self) -> str:
        """Identity for ever: the caller and its own name of the record."""
        return record_key(self.caller, self.record_id)


class RecordVersion(NamedTuple):
    """One version for ever: what was done, by whom, when, why, with before and after."""

    state: RecordState
    action: str
    reason: str
    before: Said
    licence_version: int
    at: datetime
    call_id: str


class RecordUnit(CallAnswers, Protocol):
    """One open transaction."""

    async def lock(self, caller: str, record_id: str) -> RecordState | None:
        """The record, or None; until the transaction ends nobody else writes it, whether it exists or not."""

    async def written_by(self, caller: str, since: datetime) -> int:
        """How many versions the caller has written since then; it writes no other until the transaction ends."""

    async def write(self, version: RecordVersion, message: OutboxRow) -> None:
        """Append the version and queue its message."""


class Records(Protocol):
    """The store of records."""

    def transaction(self) -> AbstractAsyncContextManager[RecordUnit]:
        """Begin; commit at the end of the block."""

    async def history(self, caller: str, record_id: str) -> Sequence[RecordVersion]:
        """All versions of a record, oldest first."""


def record_key(caller: str, record_id: str) -> str:
    """Key of a record: no two callers share one, whatever their names are made of."""
    return content_id("record", caller, record_id)


def next_state(
    request: RecordRequest, caller: Caller, before: RecordState | None, licence: IndexEntry | None
) -> RecordState:
    """The record after the request. Pure.

    Raises:
        Refusal: the request contradicts itself, the record, or the licence.
    """
    _check_items(request)
    require_own_declaration(caller, request.mrn, "MRN")
    _check_licence(request, licence)
    _check_record(request, before)
    if request.action == "DELETE" and before is not None:
        return before._replace(version=before.version + 1, information=(), deleted=True)
    information = tuple((one.code, one.text) for one in request.information)
    if before is not None:
        return before._replace(version=before.version + 1, information=information)
    return RecordState(
        caller.name,
        request.record_identification,
        1,
        request.certificate_reference.licence_id,
        caller.member_state,
        request.mrn or "",
        request.declaration_goods_item_number or 0,
        information,
        deleted=False,
    )


def _check_items(request: RecordRequest) -> None:
    deletes, changes = request.action == "DELETE", request.action != "ADD"
    if deletes and request.information:
        raise not_here("Information", request.information[0].code, "a record is deleted as a whole")
    if not deletes and not request.information:
        raise missing("Information", "a record has at least one piece of information")
    if changes and request.reason is None:
        raise missing("reason", "whoever amends or deletes a record says why")
    if not changes and request.reason is not None:
        raise not_here("reason", request.reason, "a reason is given for an amendment or a deletion")
    if request.declaration_goods_item_number is not None and request.mrn is None:
        raise missing("MRN", "a goods item belongs to a declaration")


def _check_licence(request: RecordRequest, licence: IndexEntry | None) -> None:
    reference = request.certificate_reference
    if licence is None:
        raise Refusal(
            "NOT_FOUND",
            f"{reference.licence_id} is no licence known here",
            field="CertificateReference/referenceNumber",
            value=reference.reference_number,
        )
    if reference.type is not None and reference.type != licence.document_code:
        raise Refusal(
            "TYPE_MISMATCH",
            f"{reference.licence_id} has the document code {licence.document_code or 'of no customs document'}",
            field="CertificateReference/type",
            value=reference.type,
        )


def _check_record(request: RecordRequest, before: RecordState | None) -> None:
    name, adds = request.record_identification, request.action == "ADD"
    if before is None:
        if not adds:
            raise Refusal("RECORD_UNKNOWN", f"there is no record {name}", field="recordIdentification", value=name)
        return
    if adds:
        raise Refusal("RECORD_EXISTS", f"the name {name} is used", field="recordIdentification", value=name)
    if before.deleted:
        raise Refusal("RECORD_DELETED", f"the record {name} is deleted", field="recordIdentification", value=name)
    licence_id = request.certificate_reference.licence_id
    stated: tuple[tuple[str, object, object], ...] = (
        ("CertificateReference/referenceNumber", licence_id, before.licence_id),
        ("MRN", request.mrn or before.mrn, before.mrn),
        ("declarationGoodsItemNumber", request.declaration_goods_item_number or before.item, before.item),
    )
    for field, told, held in stated:
        if told != held:
            raise Refusal("RECORD_MISMATCH", f"the record {name} is about {held or 'none'}", field=field, value=told)


_encoder = msgspec.json.Encoder()


def record_message(version: RecordVersion, licence: IndexEntry) -> OutboxRow:
    """What the licensing side is told, whole, so that one message suffices to know the record."""
    state = version.state
    body = {
        "issuer": licence.issuer,
        "number": licence.number,
        "licenceVersion": version.licence_version,
        "record": state.key,
        "recordIdentification": state.record_id,
        "version": state.version,
        "action": version.action,
        "caller": state.caller,
        "memberState": state.member_state,
        "mrn": state.mrn,
        "item": state.item,
        "information": _told(state.information),
        "before": _told(version.before),
        "reason": version.reason,
        "at": instant_text(version.at),
    }
    at = instant_text(version.at)
    return OutboxRow(AGGREGATE, state.key, state.version, state.licence_id, _encoder.encode(body), at, current_trace())


def _told(information: Said) -> list[dict[str, str]]:
    return [{"code": code, "text": text} for code, text in information]
