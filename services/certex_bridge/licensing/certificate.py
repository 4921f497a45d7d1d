"""The certificate: a licence as customs receive it, in the bridge's own XSD family.

Content is what IR (EU) 2024/2145 Annex II Part B.3 maps for the licence's type, plus original data the record has;
figures stay in the licence's own unit and currency (Regulation (EU) 2022/2399 Art. 10(2)(b)). The bytes depend on the
arguments alone: the same state gives the same document, whoever builds it; the time of making is one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.kernel.canonical import content_id
from certex_bridge.licensing import certificate_parts as parts
from certex_bridge.licensing.certificate_parts import Balance, Balances
from certex_bridge.licensing.domain.caps import QTY, VAL, WHOLE_LICENCE, line_caps, unlimited
from certex_bridge.licensing.domain.certificate_types import CertificateType, CertificateTypes
from certex_bridge.licensing.domain.dual_use import DUAL_USE_TYPES
from certex_bridge.licensing.domain.licence import Direction, Licence
from certex_bridge.platform.xsd import validator

__all__ = ["Balance", "build_certificate", "largest_certificate", "render_certificate"]

FAMILY, VERSION = "certificate", 1
NAMESPACE = "urn:certex-bridge:certificate:1"
MESSAGE_TYPE = "CBCERT"
SENDER = "CERTEX-BRIDGE"
RECIPIENT = "EU-CSW-CERTEX"
_ID_LENGTH = 32
"""Of 64 hexadecimal digits: the header holds 35, and half of SHA-256 tells messages apart as well."""
_HEADER_TEXT = 35
_RECORD_BYTES = 2048
"""Key and headers of a broker's record."""
_WIDEST = Decimal("9999999999999999.999999")


def render_certificate(  # noqa: PLR0913  # what a document is made of, each by name
    licence: Licence,
    status: str,
    balances: Sequence[Balance],
    *,
    prepared_at: datetime,
    event_id: str,
    status_at: datetime | None = None,
    sender: str = SENDER,
    recipient: str = RECIPIENT,
    journal_version: int = 0,
    types: CertificateTypes = DUAL_USE_TYPES,
) -> bytes:
    """The certificate of one licence version, validated.

    Args:
        licence: the version in force.
        status: CERTEX status (Valid, Cancelled, Exhausted, Expired, Suspended, Revoked).
        balances: accounts of the licence in any order; line 0 is the whole licence.
        prepared_at: when the document is made.
        event_id: the event that led here.
        status_at: when that event happened; the status is told as of then. None: as of the making.
        sender: this installation's name in message headers (an..35).
        recipient: the system that certificates are for (an..35).
        journal_version: the last journal entry that the figures include; 0 leaves it out.
        types: the live certificate types, whose tables say which procedures are accepted.

    Raises:
        DocumentInvalid: the licence was not linted, or the status is not one of the six.
    """
    document = build_certificate(
        licence,
        status,
        balances,
        prepared_at=prepared_at,
        event_id=event_id,
        status_at=status_at,
        sender=sender,
        recipient=recipient,
        journal_version=journal_version,
        types=types,
    )
    validator(FAMILY, VERSION).validate(document)
    return document


def build_certificate(  # noqa: PLR0913  # the same
    licence: Licence,
    status: str,
    balances: Sequence[Balance],
    *,
    prepared_at: datetime,
    event_id: str,
    status_at: datetime | None = None,
    sender: str = SENDER,
    recipient: str = RECIPIENT,
    journal_version: int = 0,
    types: CertificateTypes = DUAL_USE_TYPES,
) -> bytes:
    """As `render_certificate`, without validation."""
    accounts = {(balance.line_no, str(balance.dim)): balance for balance in balances}
    direction = licence.direction
    status_at = status_at or prepared_at
    at, made_at = (f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}" for moment in (status_at, prepared_at))
    identity = _message_identity(licence, status, accounts, event_id)
    word = _kind(licence, types).statuses.get(status, status)
    form = _on_form(licence)
    lines = [parts.line(licence, line, accounts, number, form=form) for number, line in enumerate(licence.lines, 1)]
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Certificate xmlns="{NAMESPACE}">'
        f"<messageSender>{parts.escape(sender)}</messageSender>"
        f"<messageRecipient>{parts.escape(recipient)}</messageRecipient>{_header(made_at, identity, event_id)}"
        f"{_identity(licence, status, at, word)}{_holder(licence)}{_form_persons(licence)}"
        f"{parts.countries('CountryOfConsignment', licence.consignment_countries, direction)}"
        f"{parts.countries('CountryOfDestination', licence.destinations, direction)}"
        f"{parts.procedures(licence.procedures, direction)}"
        f"{parts.numbered('AcceptedProcedure', 'code', _accepted(licence, status, status_at, types))}"
        f"{parts.numbered('Condition', 'text', licence.conditions)}{parts.original_data(licence, form=form)}"
        f"{_shipment_limit(licence)}"
        f"{f'<journalVersion>{journal_version}</journalVersion>' if journal_version else ''}"
        f"{_whole(licence, accounts)}{''.join(lines)}{_removed(licence, accounts)}</Certificate>\n"
    ).encode()


def largest_certificate(
    licence: Licence, event_id: str, prepared_at: datetime, types: CertificateTypes = DUAL_USE_TYPES
) -> int:
    """Bytes that the certificate can grow to, with what a broker's record adds: every figure as long as its format.

    A sixteenth is kept for lines that later versions drop while they are in use.
    """
    accounts = [_Widest(cap.line_no, cap.dim, cap.unit) for cap in line_caps(licence)]
    name = "x" * _HEADER_TEXT
    document = build_certificate(
        licence,
        "Valid",
        accounts,
        prepared_at=prepared_at,
        event_id=event_id,
        sender=name,
        recipient=name,
        types=types,
    )
    return len(document) * 17 // 16 + _RECORD_BYTES


def _kind(licence: Licence, types: CertificateTypes) -> CertificateType:
    return types.cited(licence.document_code, licence.type)


def _shipment_limit(licence: Licence) -> str:
    most = licence.shipment_value_max
    if most is None:
        return ""
    return (
        f"<ShipmentLimit><currency>{most.currency}</currency>"
        f"<amountMaximum>{format_decimal(most.amount)}</amountMaximum></ShipmentLimit>"
    )


def _accepted(licence: Licence, status: str, at: datetime, types: CertificateTypes) -> tuple[str, ...]:
    """Procedures that the table of the licence's certificate type accepts for a licence in this status."""
    kind = _kind(licence, types)
    if licence.direction not in kind.versions:
        return ()
    return kind.table(licence.direction, at.date()).accepted.get(status, ())


class _Widest(NamedTuple):
    """An account whose figures are as long as they can get."""

    line_no: int
    dim: str
    unit: str
    cap: Decimal = _WIDEST
    reserved: Decimal = _WIDEST
    consumed: Decimal = _WIDEST
    available: Decimal = _WIDEST
    over: Decimal = _WIDEST


def _message_identity(licence: Licence, status: str, accounts: Balances, event_id: str) -> str:
    """Made from content, so that a repetition has the same one."""
    figures = "|".join(
        f"{line_no}{dim}{format_decimal(account.cap)}/{format_decimal(account.reserved)}"
        f"/{format_decimal(account.consumed)}"
        for (line_no, dim), account in sorted(accounts.items())
    )
    return content_id(MESSAGE_TYPE, licence.licence_id, str(licence.version), status, event_id, figures)


def _header(at: str, identity: str, event_id: str) -> str:
    """What follows sender and recipient of the six data items that every message begins with."""
    follows = event_id if len(event_id) <= _HEADER_TEXT else content_id(event_id)[:_ID_LENGTH]
    return (
        f"<preparationDateAndTime>{at}</preparationDateAndTime>"
        f"<messageIdentification>{identity[:_ID_LENGTH]}</messageIdentification>"
        f"<messageType>{MESSAGE_TYPE}</messageType>"
        f"<correlationIdentifier>{parts.escape(follows)}</correlationIdentifier>"
    )


def _identity(licence: Licence, status: str, at: str, word: str) -> str:
    """`word`: the status in the words of the certificate type's table."""
    initial = licence.initial_licence
    origin = (
        f"<InitialLicence><referenceNumber>{parts.escape(initial.number)}</referenceNumber>"
        f"<issuingCountry>{parts.escape(initial.issuer)}</issuingCountry></InitialLicence>"
        if initial
        else ""
    )
    issued = f"<issueDate>{licence.issue_date.isoformat()}</issueDate>" if licence.issue_date else ""
    return (
        f"<referenceNumber>{parts.escape(licence.number)}</referenceNumber>"
        f"<type>{parts.escape(licence.document_code)}</type><licenceType>{parts.escape(licence.type)}</licenceType>"
        f"<direction>{licence.direction.value}</direction><issuingCountry>{parts.escape(licence.issuer)}"
        f"</issuingCountry><version>{licence.version}</version><status>{parts.escape(status)}</status>"
        f"{parts.optional('statusInTable', word if word != status else '')}"
        f"<statusDateAndTime>{at}</statusDateAndTime>"
        f"{issued}{parts.validity(licence)}{parts.optional('applicationNumber', licence.application_number)}"
        f"{parts.optional('legalBasis', licence.legal_basis)}"
        f"{parts.optional('replacedReferenceNumber', licence.replaces)}{origin}"
        f"<issuingAuthorityName>{parts.escape(licence.authority.name)}</issuingAuthorityName>"
    )


def _holder(licence: Licence) -> str:
    """Nothing about the operator is mapped for transit, and the address only for general authorisations."""
    if licence.direction is Direction.TRANSIT:
        return ""
    holder = licence.holder
    address = parts.address(holder, licence.direction) if unlimited(licence.type) else ""
    return (
        f"<Holder><name>{parts.escape(holder.name)}</name>"
        f"<identificationNumber>{parts.escape(holder.identification)}</identificationNumber>{address}</Holder>"
    )


def _form_persons(licence: Licence) -> str:
    """Consignees and end-users: they stand on the form, not in general authorisations nor in the transit table."""
    if not _on_form(licence):
        return ""
    direction = licence.direction
    consignees = parts.persons("Consignee", licence.consignees, direction)
    return consignees + parts.persons("EndUser", licence.end_users, direction)


def _on_form(licence: Licence) -> bool:
    return licence.direction is Direction.EXPORT and not unlimited(licence.type)


def _whole(licence: Licence, accounts: Balances) -> str:
    quantity, value = licence.cap.quantity, licence.cap.value
    on_quantity, on_value = accounts.get((WHOLE_LICENCE, QTY)), accounts.get((WHOLE_LICENCE, VAL))
    if not (quantity or value or on_quantity or on_value):
        return ""
    by_quantity, by_value = bool(quantity or on_quantity), bool(value or on_value)
    controlled = "O" if unlimited(licence.type) else "B" if by_quantity and by_value else "Q" if by_quantity else "V"
    figures = parts.figures_of(licence.cap, on_quantity, on_value)
    return f"<SweCData><controlledBy>{controlled}</controlledBy>{figures}</SweCData>"


def _removed(licence: Licence, accounts: Balances) -> str:
    """Accounts without a line: a later version dropped the line, what was used of it stays on record."""
    known = {line.line_no for line in licence.lines}
    known.add(WHOLE_LICENCE)
    gone = sorted({line_no for line_no, _ in accounts} - known)
    return "".join(
        f"<RemovedLine><sequenceNumber>{number}</sequenceNumber>"
        f"<documentLineItemNumber>{line_no}</documentLineItemNumber>"
        f"{parts.account_figures(accounts.get((line_no, QTY)), accounts.get((line_no, VAL)))}</RemovedLine>"
        for number, line_no in enumerate(gone, 1)
    )
