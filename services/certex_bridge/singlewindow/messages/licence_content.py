"""The content of a licence in JSON and XML messages, one for all of them: `schemas/xsd/shared/1/licence-content.xsd`.

`licensing.content` writes the same content into outcome documents on the fast path; a test holds the two together.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.licensing.certificate_parts import customs_code
from certex_bridge.licensing.domain.caps import unlimited
from certex_bridge.licensing.domain.licence import Direction, Licence, LicenceLine, Party
from certex_bridge.singlewindow.messages import outcome_words as words
from certex_bridge.singlewindow.messages.base import (
    AmountFigure,
    Country,
    Currency,
    Day,
    DocumentType,
    Number5,
    Part,
    QuantityFigure,
    Unit,
)
from certex_bridge.singlewindow.messages.shape import BLANKS

Figure = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,21})(\.[0-9]{1,6})?$", max_length=29)]
"""A figure of the licence."""
Countries = Annotated[tuple[Country, ...], BLANKS]


class ContentCommodityCode(Part):
    """Commodity code in the parts that the data model splits it into."""

    sequence_number: Number5
    """Position in the group."""
    harmonized_system_sub_heading_code: words.HsCode
    """HS subheading."""
    combined_nomenclature_code: words.CnCode | None = None
    """Seventh and eighth digit (CN)."""
    taric_code: words.CnCode | None = None
    """Ninth and tenth digit (TARIC)."""


class HolderAddress(Part):
    """Address of the exporter; telephone, fax and e-mail are not exchanged."""

    street_and_number: words.Plain70 | None = None
    """Street and number."""
    postcode: words.Plain17 | None = None
    """Postcode."""
    city: words.Plain35 | None = None
    """City."""
    country: Country | None = None
    """Country, as in the licence."""
    customs_country: Country | None = None
    """The same country in the code list of the declaration; only where it differs."""


class ContentConsignee(Part):
    """Consignee (DU form box 5), as far as a declaration can be compared with it."""

    sequence_number: Number5
    """Position in the group."""
    name: words.Plain70
    """Name."""
    identification_number: words.Plain17 | None = None
    """Identification number."""


class LicenceContent(Part):
    """What customs compare a declaration with: a licence, or one line of it, beside an outcome."""

    reference_number: words.Plain70
    """Licence number as issued."""
    type: DocumentType
    """Document code, derived from the licence type."""
    validity_start_date: Day | None = None
    """First day of validity."""
    validity_date: Day | None = None
    """Last day of validity."""
    holder_name: words.Plain70 | None = None
    """Name of the exporter; not for transit."""
    holder_identification_number: words.Eori | None = None
    """EORI number of the exporter; not for transit."""
    holder_address: Annotated[HolderAddress | None, Field(alias="HolderAddress")] = None
    """Address of the exporter; mapped for general authorisations only."""
    consignees: Annotated[tuple[ContentConsignee, ...], Field(alias="Consignee")] = ()
    """Consignees; for licences on the form of Annex III A only."""
    countries_of_consignment: Countries = ()
    """Countries of consignment (DU form box 8)."""
    countries_of_destination: Countries = ()
    """Countries of final destination (DU form box 12)."""
    procedures: Annotated[tuple[words.Procedure, ...], BLANKS] = ()
    """Procedures named in the licence (DU form box 21)."""
    issuing_authority_name: words.Plain70
    """Authority that issued the licence."""
    document_line_item_number: Number5 | None = None
    """Line of the licence; absent for the licence as a whole."""
    description_of_goods: words.Plain512 | None = None
    """Description of the line."""
    control_list_code: words.Plain35 | None = None
    """Entry of the control list, original data (DU form box 16)."""
    commodity_codes: Annotated[tuple[ContentCommodityCode, ...], Field(alias="CommodityCode")] = ()
    """Commodity codes of the line."""
    country_of_origin: Country | None = None
    """Country of origin, as in the licence."""
    customs_country_of_origin: Country | None = None
    """The same country in the code list of the declaration; only where it differs."""
    measurement_unit_and_qualifier: Unit | None = None
    """Unit of the licence (EU SWE-C data element, DU form box 18)."""
    quantity_authorised: QuantityFigure | None = None
    """Authorised quantity (EU SWE-C data element, DU form box 18)."""
    currency: Currency | None = None
    """Currency of the licence (EU SWE-C data element, DU form box 17)."""
    amount_authorised: AmountFigure | None = None
    """Authorised value (EU SWE-C data element, DU form box 17)."""


def content_of(licence: Licence, line_no: int = 0) -> LicenceContent:
    """What an answer says of the licence, or of one line of it; an unknown line gives the licence as a whole.

    The content was checked when the licence was taken in; it is not checked again.
    """
    line = licence.line(line_no) if line_no else None
    entry = line or licence.cap
    quantity, value = entry.quantity, entry.value
    return LicenceContent.model_construct(
        reference_number=licence.number,
        type=licence.document_code,
        validity_start_date=licence.valid_from.isoformat() if licence.valid_from else None,
        validity_date=licence.valid_to.isoformat() if licence.valid_to else None,
        **_persons(licence),
        countries_of_consignment=_countries(licence.consignment_countries, licence.direction),
        countries_of_destination=_countries(licence.destinations, licence.direction),
        procedures=licence.procedures,
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
        ContentConsignee.model_construct(
            sequence_number=n, name=party.name, identification_number=party.identification or None
        )
        for n, party in enumerate(licence.consignees, 1)
    ]
    return named | {"consignees": tuple(consignees)}


def _address(party: Party, direction: Direction) -> HolderAddress | None:
    country = _country(party.country, direction)
    if not (party.street or party.postcode or party.city or party.country):
        return None
    return HolderAddress.model_construct(
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


def _countries(codes: tuple[str, ...], direction: Direction) -> tuple[str, ...]:
    return tuple([customs_code(code, direction) for code in codes])


def _goods(line: LicenceLine, direction: Direction) -> dict[str, Any]:
    codes = [
        ContentCommodityCode.model_construct(
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
        "commodity_codes": tuple(codes),
        "country_of_origin": line.origin or None,
        "customs_country_of_origin": _country(line.origin, direction),
    }
