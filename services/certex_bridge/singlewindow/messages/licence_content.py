"""The content of a licence in JSON and XML messages: the groups of `schemas/xsd/shared/1/licence-content.xsd`.

`licensing.content` writes the same content into outcome documents on the fast path; a test holds the two together.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.licensing.certificate_parts import customs_code
from certex_bridge.licensing.domain.caps import unlimited
from certex_bridge.licensing.domain.licence import Direction, Licence, LicenceLine, Party
from certex_bridge.singlewindow.messages.base import Country, Currency, Day, Number5, Part, Unit

Text = Annotated[str, Field(min_length=1, max_length=512)]
"""As the authority wrote it; the length is the format's."""
Figure = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,21})(\.[0-9]{1,6})?$", max_length=29)]
"""A figure of the licence."""


class ContentCommodityCode(Part):
    """Commodity code of the licence in the parts that the data model splits it into."""

    sequence_number: Number5
    harmonized_system_sub_heading_code: Text
    combined_nomenclature_code: Text | None = None
    taric_code: Text | None = None


class HolderAddress(Part):
    """Address of the holder; mapped for general authorisations only."""

    street_and_number: Text | None = None
    postcode: Text | None = None
    city: Text | None = None
    country: Country | None = None
    customs_country: Country | None = None
    """The same country in the code list of the declaration; only where it differs."""


class ContentConsignee(Part):
    """Consignee named in the licence (DU form box 5)."""

    sequence_number: Number5
    name: Text
    identification_number: Text | None = None


class LicenceContent(Part):
    """What customs compare a declaration with: a licence, or one line of it."""

    reference_number: Text
    """Licence number as issued."""
    type: Text
    """Document code, derived from the licence type."""
    validity_start_date: Day | None = None
    """First day of validity."""
    validity_date: Day | None = None
    """Last day of validity."""
    holder_name: Text | None = None
    """Name of the exporter; not for transit."""
    holder_identification_number: Text | None = None
    """EORI number of the exporter; not for transit."""
    holder_address: Annotated[HolderAddress | None, Field(alias="HolderAddress")] = None
    """Address of the exporter."""
    consignee: Annotated[tuple[ContentConsignee, ...], Field(alias="Consignee", strict=False)] = ()
    """Consignees; for licences on the form of Annex III A only."""
    countries_of_consignment: Text | None = None
    """Countries of consignment (DU form box 8), separated by blanks."""
    countries_of_destination: Text | None = None
    """Countries of final destination (DU form box 12), separated by blanks."""
    procedures: Text | None = None
    """Procedures named in the licence (DU form box 21), separated by blanks."""
    issuing_authority_name: Text
    """Authority that issued the licence."""
    document_line_item_number: Number5 | None = None
    """Line of the licence; absent for the licence as a whole."""
    description_of_goods: Text | None = None
    """Description of the line."""
    control_list_code: Text | None = None
    """Entry of the control list (DU form box 16)."""
    commodity_code: Annotated[tuple[ContentCommodityCode, ...], Field(alias="CommodityCode", strict=False)] = ()
    """Commodity codes of the line."""
    country_of_origin: Country | None = None
    """Country of origin, as in the licence."""
    customs_country_of_origin: Country | None = None
    """The same country in the code list of the declaration; only where it differs."""
    measurement_unit_and_qualifier: Unit | None = None
    """Unit of the licence."""
    quantity_authorised: Figure | None = None
    """Authorised quantity (DU form box 18)."""
    currency: Currency | None = None
    """Currency of the licence."""
    amount_authorised: Figure | None = None
    """Authorised value (DU form box 17)."""


def content_of(licence: Licence, line_no: int = 0) -> LicenceContent:
    """What an answer says of the licence, or of one line of it; an unknown line gives the licence as a whole."""
    line = licence.line(line_no) if line_no else None
    entry = line or licence.cap
    quantity, value = entry.quantity, entry.value
    return LicenceContent(
        reference_number=licence.number,
        type=licence.document_code,
        validity_start_date=licence.valid_from.isoformat() if licence.valid_from else None,
        validity_date=licence.valid_to.isoformat() if licence.valid_to else None,
        **_persons(licence),
        countries_of_consignment=_countries(licence.consignment_countries, licence.direction),
        countries_of_destination=_countries(licence.destinations, licence.direction),
        procedures=" ".join(licence.procedures) or None,
        issuing_authority_name=licence.authority.name,
        **(_goods(line, licence.direction) if line else {}),
        measurement_unit_and_qualifier=quantity.unit if quantity else None,
        quantity_authorised=format_decimal(quantity.amount) if quantity else None,
        currency=value.currency if value else None,
        amount_authorised=format_decimal(value.amount) if value else None,
    )


def _persons(licence: Licence) -> dict[str, Any]:
    """Nothing about persons is mapped for transit; the form has consignees, general authorisations an address."""
    if licence.direction is Direction.TRANSIT:
        return {}
    holder = licence.holder
    named: dict[str, Any] = {
        "holder_name": holder.name,
        "holder_identification_number": holder.identification or None,
    }
    if unlimited(licence.type):
        return named | {"holder_address": _address(holder, licence.direction)}
    consignees = [
        ContentConsignee(sequence_number=n, name=party.name, identification_number=party.identification or None)
        for n, party in enumerate(licence.consignees, 1)
    ]
    return named | {"consignee": tuple(consignees)}


def _address(party: Party, direction: Direction) -> HolderAddress | None:
    country = _country(party.country, direction)
    if not (party.street or party.postcode or party.city or party.country):
        return None
    return HolderAddress(
        street_and_number=party.street or None,
        postcode=party.postcode or None,
        city=party.city or None,
        country=party.country or None,
        customs_country=country,
    )


def _country(code: str, direction: Direction) -> str | None:
    """The declaration's code, only where it differs from the licence's."""
    customs = customs_code(code, direction) if code else ""
    return customs if customs and customs != code else None


def _countries(codes: tuple[str, ...], direction: Direction) -> str | None:
    return " ".join([customs_code(code, direction) for code in codes]) or None


def _goods(line: LicenceLine, direction: Direction) -> dict[str, Any]:
    codes = [
        ContentCommodityCode(
            sequence_number=number,
            harmonized_system_sub_heading_code=code[:6],
            combined_nomenclature_code=code[6:8] or None,
            taric_code=code[8:] or None,
        )
        for number, code in enumerate(line.commodity_codes, 1)
    ]
    return {
        "document_line_item_number": line.line_no,
        "description_of_goods": line.description,
        "control_list_code": line.control_list or None,
        "commodity_code": tuple(codes),
        "country_of_origin": line.origin or None,
        "customs_country_of_origin": _country(line.origin, direction),
    }
