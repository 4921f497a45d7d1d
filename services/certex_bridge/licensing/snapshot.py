"""From the wire model to the domain's licence; contact details, should a sender add any, are dropped here."""

from __future__ import annotations

from decimal import Decimal

from certex_bridge.kernel.amounts import Money
from certex_bridge.kernel.countries import issuing_state
from certex_bridge.kernel.errors import Finding, Severity
from certex_bridge.licensing.domain.caps import unlimited
from certex_bridge.licensing.domain.certificate_types import CertificateTypes
from certex_bridge.licensing.domain.dual_use import DUAL_USE_TYPES
from certex_bridge.licensing.domain.licence import (
    InitialLicence,
    Licence,
    LicenceCap,
    LicenceLine,
    Party,
    TradePartner,
)
from certex_bridge.licensing.events import WireCap, WireHolder, WireLicence, WireLine, WirePartner, WireParty
from certex_bridge.licensing.figures import read_figures

_NO_CAP = LicenceCap()


def issued_by(issuer: str, findings: list[Finding]) -> str:
    """The issuer under which licences are kept: one authority serves the whole United Kingdom."""
    state = issuing_state(issuer)
    if state != issuer:
        message = f"licences of {issuer} are issued by the authority of {state} and kept under it"
        findings.append(Finding("ISSUER_NORMALISED", "issuer", issuer, message, Severity.WARNING))
    return state


def read_licence(wire: WireLicence, findings: list[Finding], types: CertificateTypes = DUAL_USE_TYPES) -> Licence:
    """The domain's licence; what the figures give rise to is added to `findings`.

    IR 2024/2145 Annex II maps no document code: where the sender states none, it is that of the licence type.
    """
    binds = not unlimited(wire.type)
    initial, most = wire.initial_licence, wire.shipment_value_max
    return Licence(
        issuer=issued_by(wire.issuer, findings),
        number=wire.number,
        version=wire.version,
        type=wire.type,
        document_code=types.document_code(wire.type) if wire.document_code is None else wire.document_code,
        direction=wire.direction,
        status=wire.status,
        sub_status=wire.sub_status,
        issue_date=wire.issue_date,
        valid_from=wire.valid_from,
        valid_to=wire.valid_to,
        holder=_holder(wire.holder),
        representative=_party(wire.representative) if wire.representative else None,
        authority=_party(wire.authority),
        consignees=tuple(map(_party, wire.consignees)),
        end_users=tuple(map(_party, wire.end_users)),
        trade_partners=tuple(
            TradePartner(one.type, one.name, one.identification, one.vat) for one in wire.trade_partners
        ),
        destinations=tuple(wire.destinations),
        consignment_countries=tuple(wire.consignment_countries),
        location_states=tuple(wire.member_states_of_location),
        entry_states=tuple(wire.member_states_of_entry),
        procedures=tuple(wire.procedures),
        conditions=tuple(wire.conditions),
        end_use=tuple(wire.end_use),
        additional_information=tuple(wire.additional_information),
        application_number=wire.application_number,
        legal_basis=wire.legal_basis,
        replaces=wire.replaces,
        initial_licence=InitialLicence(initial.issuer, initial.number) if initial else None,
        shipment_value_max=Money(Decimal(most.amount), most.currency) if most else None,
        contract_date=wire.contract_date,
        cap=_cap(wire.cap, findings, binds=binds) if wire.cap else _NO_CAP,
        lines=tuple([_line(line, f"lines[{index}]", findings, binds=binds) for index, line in enumerate(wire.lines)]),
    )


def _holder(wire: WireHolder) -> Party:
    return Party(
        wire.name,
        wire.eori,
        wire.street,
        wire.postcode,
        wire.city,
        wire.country,
        legal_type=wire.legal_type,
        vat=wire.vat,
        registration_country=wire.country_of_registration,
    )


def _party(wire: WireParty) -> Party:
    return Party(wire.name, wire.identification, wire.street, wire.postcode, wire.city, wire.country)


def _partner(wire: WirePartner) -> TradePartner:
    return TradePartner(wire.type, wire.name, wire.identification, wire.vat)


def _cap(wire: WireCap, findings: list[Finding], *, binds: bool) -> LicenceCap:
    return LicenceCap(*read_figures(wire, "cap", findings, by_quantity=binds, by_value=binds))


def _line(wire: WireLine, field: str, findings: list[Finding], *, binds: bool) -> LicenceLine:
    control = wire.control
    figures = read_figures(
        wire, field, findings, by_quantity=binds and control.quantity, by_value=binds and control.value_
    )
    return LicenceLine(
        line_no=wire.line,
        description=wire.description,
        control=control,
        quantity=figures.quantity,
        value=figures.value,
        control_list=wire.control_list,
        commodity_codes=tuple(wire.commodity_codes),
        origin=wire.origin,
        cas=tuple(wire.cas),
        tolerance_percent=wire.tolerance_percent,
        quantity_remaining=figures.quantity_remaining,
        value_remaining=figures.value_remaining,
        quantity_stated=figures.quantity_stated,
        value_stated=figures.value_stated,
        item_type=wire.item_type,
        technical_specification=wire.technical_specification,
        end_use=wire.end_use,
        regulation=wire.control_list_regulation,
        consumption_method=wire.consumption_method,
        customs_purposes_only=wire.customs_purposes_only,
    )
