"""The words of a refusal: a sticky one with figures of today, and the dimension that could not be booked."""

from __future__ import annotations

from collections.abc import Iterable

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.ledger.domain.members import Member
from certex_bridge.ledger.domain.model import Dim, Figures
from certex_bridge.ledger.domain.reasons import Reason
from certex_bridge.ledger.domain.room import Room, Shortage, exceeded

_FIELDS = {
    "NOT_FOUND": "referenceNumber",
    "ISSUER_AMBIGUOUS": "referenceNumber",
    "LICENCE_AMBIGUOUS": "referenceNumber",
    "UNKNOWN_DOC_TYPE": "type",
    "TYPE_MISMATCH": "type",
    "WRONG_DIRECTION": "requestedProcedure",
    "LEVEL_NOT_SUPPORTED": "supportingDocument",
    "GROUP_REFUSED": "supportingDocument",
    "NOT_YET_VALID": "declarationAcceptanceDate",
    "EXPIRED_AT_ACCEPTANCE": "declarationAcceptanceDate",
    "NOT_YET_VALID_AT_EXIT": "dayOfExit",
    "EXPIRED_AT_EXIT": "dayOfExit",
    "LINE_NOT_FOUND": "documentLineItemNumber",
    "LINE_AMBIGUOUS": "documentLineItemNumber",
    "UNIT_MISMATCH": "measurementUnitAndQualifier",
    "CURRENCY_MISMATCH": "currency",
    "QUANTITY_MISSING": "quantity",
    "VALUE_MISSING": "amount",
    "BARRED": "exporter",
    "NOT_REGISTERED": "referenceNumber",
    "VALUE_ABOVE_THRESHOLD": "amount",
    "PROCEDURE_NOT_ALLOWED": "status",
    "INITIAL_LICENCE_MISSING": "referenceNumber",
    "INITIAL_LICENCE_UNKNOWN": "referenceNumber",
    "INITIAL_LICENCE_NOT_EFFECTIVE": "referenceNumber",
    "INITIAL_LICENCE_TOO_OLD": "referenceNumber",
    "INITIAL_LICENCE_CONSIGNEE": "consignee",
}
"""What a reason is about whose test would pass today."""


def standing_reasons(member: Member, short: Shortage, room: Room) -> tuple[Reason, ...]:
    """The reasons of a refusal that stands: its codes are those of then, field and figures those of now."""
    now = {reason.code: reason for reason in (*member.reasons, *exceeded(member, short))}
    return tuple(now.get(code) or _told_again(code, member, room) for code in member.stored_codes)


def _told_again(code: str, member: Member, room: Room) -> Reason:
    if code == "QUANTITY_EXCEEDED":
        within = format_decimal(room.within_reach(member, Dim.QTY))
        return Reason(code, "quantity", format_decimal(member.target.quantity), within)
    if code == "VALUE_EXCEEDED":
        within = format_decimal(room.within_reach(member, Dim.VAL))
        return Reason(code, "amount", format_decimal(member.target.value), within)
    return Reason(code, "status" if code.startswith("STATUS_") else _FIELDS.get(code, ""))


def not_booked(code: str, member: Member, figures: Figures, causes: Iterable[Reason], room: Room) -> Reason:
    """A reason about the dimension that could not be booked, its figure with its unit."""
    codes = {cause.code for cause in causes}
    by_value = "VALUE_EXCEEDED" in codes and "QUANTITY_EXCEEDED" not in codes
    dim = Dim.VAL if by_value or (not figures.quantity and figures.value) else Dim.QTY
    figure, about = (figures.value, "amount") if dim is Dim.VAL else (figures.quantity, "quantity")
    text = f"{format_decimal(figure)} {room.unit(member, dim)}".rstrip() if figure else ""
    return Reason(code, about, text)
