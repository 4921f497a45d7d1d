"""The certificate: a licence as customs receive it, in the bridge's own XSD family.

Content is what IR (EU) 2024/2145 Annex II Part B.3 maps for the licence's type, plus original data the record has;
figures stay in the licence's own unit and currency (Regulation (EU) 2022/2399 Art. 10(2)(b)). The bytes depend on the
arguments alone: the same state gives the same document, whoever builds it and whenever.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.kernel.canonical import content_id
from certex_bridge.licensing import certificate_parts as parts
from certex_bridge.licensing.certificate_parts import Balance, Balances
from certex_bridge.licensing.domain.caps import QTY, VAL, WHOLE_LICENCE, unlimited
from certex_bridge.licensing.domain.documents import accepted_procedures
from certex_bridge.licensing.domain.licence import Direction, Licence
from certex_bridge.platform.xsd import validator

__all__ = ["Balance", "build_certificate", "licence_content", "render_certificate"]

FAMILY, VERSION = "certificate", 1
NAMESPACE = "urn:certex-bridge:certificate:1"
MESSAGE_TYPE = "CBCERT"
SENDER = "CERTEX-BRIDGE"
RECIPIENT = "CSW-CERTEX"
_ID_LENGTH = 32
"""Of 64 hexadecimal digits: the header holds 35, and half of SHA-256 tells messages apart as well."""
_HEADER_TEXT = 35


def render_certificate(
    licence: Licence,
    status: str,
    balances: Sequence[Balance],
    *,
    prepared_at: datetime,
    event_id: str,
    sender: str = SENDER,
    journal_version: int = 0,
) -> bytes:
    """The certificate of one licence version, validated.

    Args:
        licence: the version in force.
        status: CERTEX status (Valid, Cancelled, Exhausted, Expired, Suspended, Revoked).
        balances: accounts of the licence in any order; line 0 is the whole licence.
        prepared_at: time of the event that led here, never the clock's.
        event_id: the event that led here.
        sender: this installation's name in message headers (an..35).
        journal_version: the last journal entry that the figures include; 0 leaves it out.

    Raises:
        DocumentInvalid: the licence was not linted, or the status is not one of the six.
    """
    document = build_certificate(
        licence,
        status,
        balances,
        prepared_at=prepared_at,
        event_id=event_id,
        sender=sender,
        journal_version=journal_version,
    )
    validator(FAMILY, VERSION).validate(document)
    return document


def build_certificate(
    licence: Licence,
    status: str,
    balances: Sequence[Balance],
    *,
    prepared_at: datetime,
    event_id: str,
    sender: str = SENDER,
    journal_version: int = 0,
) -> bytes:
    """As `render_certificate`, without validation."""
    accounts = {(balance.line_no, str(balance.dim)): balance for balance in balances}
    direction = licence.direction
    general = unlimited(licence.type)
    on_form = not general and direction is Direction.EXPORT
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Certificate xmlns="{NAMESPACE}">'
        f"{_header(licence, status, accounts, prepared_at, event_id, sender)}{_identity(licence, status)}"
        f"{_holder(licence)}{parts.consignees(licence.consignees) if on_form else ''}"
        f"{parts.countries('CountryOfConsignment', licence.consignment_countries, direction)}"
        f"{parts.countries('CountryOfDestination', licence.destinations, direction)}"
        f"{parts.procedures(licence.procedures, direction)}"
        f"{parts.numbered('AcceptedProcedure', 'code', accepted_procedures(direction, status))}"
        f"{parts.numbered('Condition', 'text', licence.conditions)}"
        f"{f'<journalVersion>{journal_version}</journalVersion>' if journal_version else ''}"
        f"{_whole(licence, accounts)}{''.join([parts.line(licence, line, accounts) for line in licence.lines])}"
        f"{_removed(licence, accounts)}</Certificate>\n"
    ).encode()


def _header(
    licence: Licence, status: str, accounts: Balances, prepared_at: datetime, event_id: str, sender: str
) -> str:
    """The six data items of every message; the identity is made from content, so a repetition has the same one."""
    figures = "|".join(
        f"{line_no}{dim}{format_decimal(account.cap)}/{format_decimal(account.reserved)}"
        f"/{format_decimal(account.consumed)}"
        for (line_no, dim), account in sorted(accounts.items())
    )
    identity = content_id(MESSAGE_TYPE, licence.licence_id, str(licence.version), status, event_id, figures)
    follows = event_id if len(event_id) <= _HEADER_TEXT else content_id(event_id)[:_ID_LENGTH]
    return (
        f"<messageSender>{parts.escape(sender)}</messageSender><messageRecipient>{RECIPIENT}</messageRecipient>"
        f"<preparationDateAndTime>{prepared_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}</preparationDateAndTime>"
        f"<messageIdentification>{identity[:_ID_LENGTH]}</messageIdentification>"
        f"<messageType>{MESSAGE_TYPE}</messageType>"
        f"<correlationIdentifier>{parts.escape(follows)}</correlationIdentifier>"
    )


def _identity(licence: Licence, status: str) -> str:
    issued = f"<issueDate>{licence.issue_date.isoformat()}</issueDate>" if licence.issue_date else ""
    return (
        f"<referenceNumber>{parts.escape(licence.number)}</referenceNumber>"
        f"<type>{parts.escape(licence.document_code)}</type><licenceType>{licence.type.value}</licenceType>"
        f"<direction>{licence.direction.value}</direction><issuingCountry>{parts.escape(licence.issuer)}"
        f"</issuingCountry><version>{licence.version}</version><status>{parts.escape(status)}</status>"
        f"{issued}{_validity(licence)}{parts.optional('applicationNumber', licence.application_number)}"
        f"{parts.optional('legalBasis', licence.legal_basis)}"
        f"{parts.optional('replacedReferenceNumber', licence.replaces)}"
        f"<issuingAuthorityName>{parts.escape(licence.authority.name)}</issuingAuthorityName>"
    )


def _validity(licence: Licence) -> str:
    first, last = licence.valid_from, licence.valid_to
    start = f"<validityStartDate>{first.isoformat()}</validityStartDate>" if first else ""
    return f"{start}<validityDate>{last.isoformat()}</validityDate>" if last else start


def _holder(licence: Licence) -> str:
    """Nothing about the operator is mapped for transit, and the address only for general authorisations."""
    if licence.direction is Direction.TRANSIT:
        return ""
    holder = licence.holder
    address = parts.address(holder) if unlimited(licence.type) else ""
    return (
        f"<Holder><name>{parts.escape(holder.name)}</name>"
        f"<identificationNumber>{parts.escape(holder.identification)}</identificationNumber>{address}</Holder>"
    )


def _whole(licence: Licence, accounts: Balances) -> str:
    quantity, value = licence.cap.quantity, licence.cap.value
    on_quantity, on_value = accounts.get((WHOLE_LICENCE, QTY)), accounts.get((WHOLE_LICENCE, VAL))
    if not (quantity or value or on_quantity or on_value):
        return ""
    by_quantity, by_value = bool(quantity or on_quantity), bool(value or on_value)
    controlled = "O" if unlimited(licence.type) else "B" if by_quantity and by_value else "Q" if by_quantity else "V"
    return (
        f"<SweCData><controlledBy>{controlled}</controlledBy>"
        + parts.swec_quantity(quantity.unit if quantity else "", quantity.amount if quantity else None, on_quantity)
        + parts.swec_amount(value.currency if value else "", value.amount if value else None, on_value)
        + "</SweCData>"
    )


def _removed(licence: Licence, accounts: Balances) -> str:
    """Accounts without a line: a later version dropped the line, what was used of it stays on record."""
    known = {line.line_no for line in licence.lines}
    known.add(WHOLE_LICENCE)
    gone = sorted({line_no for line_no, _ in accounts} - known)
    return "".join(
        f"<RemovedLine><documentLineItemNumber>{line_no}</documentLineItemNumber>"
        f"{parts.account_figures(accounts.get((line_no, QTY)), accounts.get((line_no, VAL)))}</RemovedLine>"
        for line_no in gone
    )


def licence_content(licence: Licence, line_no: int | None) -> str:
    """What an outcome says of the licence, or of one line of it: element `LicenceContent`, without prefixes.

    It takes the namespace it is put into; its type is in `schemas/xsd/shared/1/licence-content.xsd`. A line number the
    licence does not have gives the content of the licence as a whole.
    """
    holder = licence.holder.identification if licence.direction is Direction.EXPORT else ""
    line = licence.line(line_no) if line_no is not None else None
    quantity = line.quantity if line else licence.cap.quantity
    value = line.value if line else licence.cap.value
    goods = ""
    if line:
        goods = (
            f"<documentLineItemNumber>{line.line_no}</documentLineItemNumber>"
            f"<descriptionOfGoods>{parts.escape(line.description)}</descriptionOfGoods>"
            f"{parts.commodity_codes(line.commodity_codes)}"
        )
    if quantity:
        goods += (
            f"<measurementUnitAndQualifier>{quantity.unit}</measurementUnitAndQualifier>"
            f"<quantityAuthorised>{format_decimal(quantity.amount)}</quantityAuthorised>"
        )
    if value:
        goods += (
            f"<currency>{value.currency}</currency><amountAuthorised>{format_decimal(value.amount)}</amountAuthorised>"
        )
    return (
        f"<LicenceContent><referenceNumber>{parts.escape(licence.number)}</referenceNumber>"
        f"<type>{parts.escape(licence.document_code)}</type>{_validity(licence)}"
        f"{parts.optional('holderIdentificationNumber', holder)}"
        f"<issuingAuthorityName>{parts.escape(licence.authority.name)}</issuingAuthorityName>{goods}</LicenceContent>"
    )
