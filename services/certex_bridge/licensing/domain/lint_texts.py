"""Lint of the texts and persons of a licence: formats, and who must be named."""

from __future__ import annotations

from collections.abc import Iterator

from certex_bridge.kernel.countries import check_country
from certex_bridge.kernel.errors import Finding
from certex_bridge.kernel.identifiers import check_eori
from certex_bridge.licensing.domain.licence import Direction, LicenceType, Party
from certex_bridge.licensing.domain.lint_case import Case, check_count, warning
from certex_bridge.licensing.domain.texts import check_text

_ONE_CONSIGNEE = (LicenceType.INDIVIDUAL, LicenceType.LARGE_PROJECT_INDIVIDUAL)


def check_texts(case: Case) -> Iterator[Finding]:
    """Findings on the texts of the licence as a whole."""
    licence = case.licence
    yield from check_text(licence.application_number, "applicationNumber", "applicationNumber")
    yield from check_text(licence.legal_basis, "legalBasis", "legalBasis")
    yield from check_text(licence.replaces, "replaces", "replacedReferenceNumber")
    yield from check_text(licence.sub_status, "subStatus", "subStatus")
    lists = (
        ("conditions", "condition", licence.conditions),
        ("endUse", "endUse", licence.end_use),
        ("additionalInformation", "additionalInformation", licence.additional_information),
    )
    for name, element, texts in lists:
        yield from check_count(name, texts)
        for index, text in enumerate(texts):
            yield from check_text(text, f"{name}[{index}]", element, required=True)


def check_parties(case: Case) -> Iterator[Finding]:
    """Findings on the persons named in the licence."""
    licence = case.licence
    yield from _holder(case)
    yield from check_text(licence.authority.name, "authority.name", "issuingAuthorityName", required=True)
    if licence.representative is not None:
        yield from _check_party(licence.representative, "representative", required=True)
    for name, parties in (("consignees", licence.consignees), ("endUsers", licence.end_users)):
        yield from check_count(name, parties)
        for index, party in enumerate(parties):
            yield from _check_party(party, f"{name}[{index}]", required=True)
    yield from _partners(case)
    yield from _consignees(case)


def _holder(case: Case) -> Iterator[Finding]:
    """Nothing about the operator is mapped for transit, whose holder may be a person without an EORI number."""
    holder = case.licence.holder
    named = case.read("direction") and case.licence.direction is not Direction.TRANSIT
    yield from check_text(holder.name, "holder.name", "name", required=named)
    yield from _check_address(holder, "holder")
    if holder.identification or named:
        yield from check_eori(holder.identification, "holder.eori")
    yield from check_text(holder.legal_type, "holder.legalType", "legalType")
    yield from check_text(holder.vat, "holder.vat", "vatNumber")
    if holder.registration_country:
        yield from check_country(holder.registration_country, "holder.countryOfRegistration")


def _check_party(party: Party, field: str, *, required: bool) -> Iterator[Finding]:
    yield from check_text(party.name, f"{field}.name", "name", required=required)
    yield from check_text(party.identification, f"{field}.identification", "identificationNumber")
    yield from _check_address(party, field)


def _check_address(party: Party, field: str) -> Iterator[Finding]:
    yield from check_text(party.street, f"{field}.street", "streetAndNumber")
    yield from check_text(party.postcode, f"{field}.postcode", "postcode")
    yield from check_text(party.city, f"{field}.city", "city")
    if party.country:
        yield from check_country(party.country, f"{field}.country")


def _partners(case: Case) -> Iterator[Finding]:
    partners = case.licence.trade_partners
    yield from check_count("tradePartners", partners)
    for index, partner in enumerate(partners):
        field = f"tradePartners[{index}]"
        yield from check_text(partner.type, f"{field}.type", "partnerType", required=True)
        yield from check_text(partner.name, f"{field}.name", "name", required=True)
        yield from check_text(partner.identification, f"{field}.identification", "identificationNumber")
        yield from check_text(partner.vat, f"{field}.vat", "vatNumber")


def _consignees(case: Case) -> Iterator[Finding]:
    licence = case.licence
    if not case.read("type", "consignees") or licence.type not in _ONE_CONSIGNEE:
        return
    if licence.type == LicenceType.INDIVIDUAL and len(licence.consignees) > 1:
        message = "an individual licence names one consignee or end-user (Reg. 2021/821 Art. 2(12))"
        yield warning("CONSIGNEE_COUNT", "consignees", str(len(licence.consignees)), message)
    if case.read("endUsers") and not (licence.consignees or licence.end_users):
        message = "an individual licence names its consignee or end-user (form boxes 5 and 9): none can be compared"
        yield warning("CONSIGNEE_MISSING", "consignees", "", message)
