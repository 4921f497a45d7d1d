"""The content of a licence beside an outcome: what customs compare a declaration with, in as few bytes as it takes.

It is part of every successful answer (IR 2024/2145 Art. 6(2)(b)) and is validated with each of them, so lists are
written as lists of codes; the certificate has the same data in full.
"""

from __future__ import annotations

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.licensing import certificate_parts as parts
from certex_bridge.licensing.domain.caps import unlimited
from certex_bridge.licensing.domain.licence import Direction, Licence, LicenceLine


def licence_content(licence: Licence, line_no: int | None) -> str:
    """What an outcome says of the licence, or of one line of it: element `LicenceContent`, without prefixes.

    It takes the namespace it is put into; its type is in `schemas/xsd/shared/1/licence-content.xsd`. A line number the
    licence does not have gives the content of the licence as a whole.
    """
    line = licence.line(line_no) if line_no is not None else None
    return (
        f"<LicenceContent><referenceNumber>{parts.escape(licence.number)}</referenceNumber>"
        f"<type>{parts.escape(licence.document_code)}</type>{parts.validity(licence)}{_persons(licence)}"
        f"{_codes('countriesOfConsignment', licence.consignment_countries, licence.direction)}"
        f"{_codes('countriesOfDestination', licence.destinations, licence.direction)}"
        f"{parts.optional('procedures', ' '.join(licence.procedures))}"
        f"<issuingAuthorityName>{parts.escape(licence.authority.name)}</issuingAuthorityName>"
        f"{_goods(licence, line) if line else ''}{_figures(licence, line)}</LicenceContent>"
    )


def _persons(licence: Licence) -> str:
    """Nothing about persons is mapped for transit; the form has consignees, general authorisations an address."""
    if licence.direction is Direction.TRANSIT:
        return ""
    holder = licence.holder
    named = (
        f"<holderName>{parts.escape(holder.name)}</holderName>"
        f"<holderIdentificationNumber>{parts.escape(holder.identification)}</holderIdentificationNumber>"
    )
    if unlimited(licence.type):
        return named + parts.address(holder, licence.direction, "HolderAddress")
    return named + "".join(
        f"<Consignee><sequenceNumber>{number}</sequenceNumber><name>{parts.escape(party.name)}</name>"
        f"{parts.optional('identificationNumber', party.identification)}</Consignee>"
        for number, party in enumerate(licence.consignees, 1)
    )


def _codes(name: str, countries: tuple[str, ...], direction: Direction) -> str:
    """Countries in the code list of the declaration."""
    return parts.optional(name, " ".join([parts.customs_code(code, direction) for code in countries]))


def _goods(licence: Licence, line: LicenceLine) -> str:
    return (
        f"<documentLineItemNumber>{line.line_no}</documentLineItemNumber>"
        f"<descriptionOfGoods>{parts.escape(line.description)}</descriptionOfGoods>"
        f"{parts.optional('controlListCode', line.control_list)}{parts.commodity_codes(line.commodity_codes)}"
        f"{parts.country('countryOfOrigin', 'customsCountryOfOrigin', line.origin, licence.direction)}"
    )


def _figures(licence: Licence, line: LicenceLine | None) -> str:
    entry = line or licence.cap
    text = ""
    if entry.quantity:
        text = (
            f"<measurementUnitAndQualifier>{entry.quantity.unit}</measurementUnitAndQualifier>"
            f"<quantityAuthorised>{format_decimal(entry.quantity.amount)}</quantityAuthorised>"
        )
    if entry.value:
        text += (
            f"<currency>{entry.value.currency}</currency>"
            f"<amountAuthorised>{format_decimal(entry.value.amount)}</amountAuthorised>"
        )
    return text
