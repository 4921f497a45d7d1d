"""Licence events that were refused, as a whole or in their content: counted by code, and listed until somebody looks.

An act that blocks is counted apart: `taken` with its content, `content_not_taken`, `kept` for a licence that is not
known, or `lost`. The last two must wake somebody: a licence that should be blocked may still be used.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from certex_bridge.kernel.errors import Severity
from certex_bridge.ledger.domain.acts import BLOCKED
from certex_bridge.ledger.domain.versions import LicenceDecision, Verdict
from certex_bridge.ledger.ports import QuarantineRow
from certex_bridge.ledger.refused_events import RefusedLicenceEvent
from certex_bridge.ledger.work import Cause, Work
from certex_bridge.licensing.domain.commands import STATUS_OF_ACT, LicenceCommand
from certex_bridge.licensing.domain.licence import AuthorityStatus

ACT_RESULTS = ("taken", "content_not_taken", "kept", "lost")
"""What can become of an act that blocks."""

REFUSAL_CODES = (
    *("AMOUNT_NOT_TEXT", "BLANKS", "CAP_UNIT", "CAS_INVALID", "CERTIFICATE_SIZE", "COMMODITY_CODE_INVALID"),
    *("CONFLICTING_DUPLICATE", "CONTACT_DATA", "CONTENT_MISSING", "CONTROL_CHANGED_WITH_USE"),
    *("CONTROL_CHARACTER", "CONTROL_FIGURE"),
    *("COUNTRY_SPECIAL", "COUNTRY_UNKNOWN", "CURRENCY_UNKNOWN", "DATE_INVALID", "DATE_ORDER", "DATE_RANGE"),
    *("DESTINATION_MISSING", "DIRECTION_TYPE", "DOCUMENT_CODE_FORM", "DOCUMENT_CODE_LEGACY", "DOCUMENT_CODE_TYPE"),
    *("ENUM", "EORI_INVALID", "EUGEA_DESTINATION", "FIELD_MISSING", "FIELD_TYPE", "FIGURES_MISSING", "FRACTION"),
    *("INVALID_TRANSITION", "KIND_TYPE", "LEXICAL", "LICENCE_NUMBER_BLANKS"),
    *("LICENCE_NUMBER_COLLISION", "LICENCE_NUMBER_INVALID"),
    *("LICENCE_UNKNOWN", "LINE_DUPLICATE", "LINE_MISSING", "LINE_NUMBER", "LINE_REUSED", "NEGATIVE", "NOT_CHECKED"),
    *("NOT_NFC", "NOT_XML", "PARTS_MISSING", "PART_IDENTITY", "PROCEDURE_INVALID", "RANGE", "REMAINING_FIGURE"),
    *("REMAINING_LIMIT", "REMAINING_UNIT", "SCALE", "SHIPMENT_VALUE_TYPE", "SPLIT_EXCEEDS_REMAINDER", "STATUS_EVENT"),
    *("TOLERANCE_RANGE", "TOO_LONG", "TOO_MANY", "UNIT_CHANGED_WITH_USE", "UNIT_UNKNOWN", "UNKNOWN_FIELD"),
    *("VERSION_RANGE", "ZERO", "ZERO_WIDTH"),
)
"""Codes that refuse a licence event or its content; their counters begin at 0."""

FINDINGS_KEPT = 20
"""Errors of one event that are listed; the acknowledgement has them all."""

_TYPES_THAT_BLOCK = (
    *(f"licensing.licence.{kind}.v1".encode() for kind in STATUS_OF_ACT),
    b"licensing.exporter.barred.v1",
)
_encoder = msgspec.json.Encoder()


def note_refusal(work: Work, command: LicenceCommand, decision: LicenceDecision, cause: Cause) -> None:
    """Count what became of a licence event, and list it when something of it was refused."""
    errors = [finding for finding in decision.findings if finding.severity is Severity.ERROR]
    result = _act_result(work, command, decision, errors)
    if result:
        work.count(f"act:{result}")
    refused = decision.verdict in (Verdict.REFUSED, Verdict.CONFLICT, Verdict.KEPT)
    if not refused and result != "content_not_taken":
        return
    told = errors or [finding for finding in decision.findings if finding.code == decision.quarantine]
    for code in sorted({finding.code for finding in told}):
        work.count(f"refused:{code}")
    status = command.act
    work.changes.refused_licence_events.append(
        RefusedLicenceEvent(
            cause.event_id,
            command.licence_id,
            command.kind.value,
            command.version,
            decision.verdict.value,
            {"content_not_taken": "TAKEN", "": ""}.get(result, result.upper()),
            status.value if status is not None else "",
            command.licence.sub_status if command.licence is not None else command.sub_status,
            command.bare,
            command.payload_sha256,
            _encoder.encode(
                [{"code": f.code, "field": f.field, "message": f.message} for f in told[:FINDINGS_KEPT]]
            ).decode(),
            cause.at,
        )
    )


def _act_result(work: Work, command: LicenceCommand, decision: LicenceDecision, errors: Iterable[object]) -> str:
    """What became of an act that blocks; empty where it was none, or where what it asks for holds anyway."""
    if not command.means_to_block:
        return ""
    if decision.verdict is Verdict.ACCEPTED:
        return "content_not_taken" if any(errors) else "taken"
    if decision.verdict is Verdict.KEPT:
        return "kept"
    if decision.verdict in (Verdict.REFUSED, Verdict.CONFLICT) and not _blocked(work, command):
        return "lost"
    return ""


def _blocked(work: Work, command: LicenceCommand) -> bool:
    """Whether the licence is blocked at least as much as the act asks for."""
    state = work.licences.get(command.licence_id)
    held = state.licence.status if state is not None and state.licence is not None else AuthorityStatus.VALID
    asked = command.act or command.stated
    if asked is AuthorityStatus.SUSPENDED:
        return held in BLOCKED
    return held in BLOCKED and held is not AuthorityStatus.SUSPENDED


def may_be_an_act(row: QuarantineRow) -> bool:
    """Whether a record that could not be read may have been an act that blocks: its type stands in it."""
    headers = (value for name, value in row.headers if name.lower() == "ce_type" and value)
    return any(kind in text for text in (*headers, row.raw or b"") for kind in _TYPES_THAT_BLOCK)
