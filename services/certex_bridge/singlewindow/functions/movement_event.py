"""What a message says about a declaration, in the words of the canonical event (topic customs.declarations.v1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from certex_bridge.singlewindow.messages.availability import AvailabilityCheck
    from certex_bridge.singlewindow.messages.goods import (
        AdditionalReference,
        DeclarationReference,
        GoodsItem,
        ShipmentDocument,
        SimplifiedDeclaration,
        SupportingDocument,
    )
    from certex_bridge.singlewindow.messages.movement import QuantityMovement

JsonObject = dict[str, Any]


def identity_of(reference: DeclarationReference) -> JsonObject:
    """Which declaration."""
    office, exporter = reference.customs_office_of_export, reference.exporter
    return stated(
        mrn=reference.mrn,
        lrn=reference.lrn,
        exporter=exporter and exporter.identification_number,
        office=office and office.reference_number,
        version=reference.declaration_version,
        dayOfExit=reference.day_of_exit,
    )


def simplified_of(named: Sequence[SimplifiedDeclaration]) -> list[JsonObject] | None:
    """The simplified declarations that a supplementary one names at one level."""
    return [stated(mrn=one.mrn, item=one.declaration_goods_item_number) for one in named] or None


def acceptance_of(reference: DeclarationReference) -> str | None:
    """Day or instant of acceptance; an instant is UTC, whether it says so or not."""
    instant = reference.declaration_acceptance_date_and_time
    if instant is not None:
        return instant if instant.endswith("Z") else instant + "Z"
    return reference.declaration_acceptance_date


def content_of(request: QuantityMovement | AvailabilityCheck, reference: DeclarationReference) -> JsonObject:
    """The declaration's content; a check and the reservation after it are read by these words alone."""
    consignee, exporter = request.consignee, reference.exporter
    return stated(
        type=reference.declaration_type,
        additionalType=reference.additional_declaration_type,
        exporter=exporter and exporter.identification_number,
        consignee=consignee
        and stated(name=consignee.name, identification=consignee.identification_number, country=consignee.country),
        destination=request.country_of_destination,
        items=[item_of(item) for item in request.goods_item],
        documents=[_document(one) for one in request.supporting_document] or None,
        references=[_reference(one) for one in request.additional_reference] or None,
    )


def item_of(item: GoodsItem) -> JsonObject:
    """One goods item."""
    procedure, measure, commodity = item.procedure, item.goods_measure, item.commodity_code
    return stated(
        item=item.declaration_goods_item_number,
        procedure=procedure and procedure.requested_procedure + procedure.previous_procedure,
        additionalProcedures=list(procedure.additional_procedure) if procedure else None,
        commodity=commodity and commodity.digits,
        description=item.description_of_goods,
        destination=item.country_of_destination,
        origin=item.country_of_origin,
        netMass=measure and measure.net_mass,
        grossMass=measure and measure.gross_mass,
        supplementaryUnits=measure and measure.supplementary_units,
        amount=_money(item.item_amount, item.currency),
        documents=[document_of(one) for one in item.supporting_document] or None,
        references=[_reference(one) for one in item.additional_reference] or None,
        simplifiedDeclarations=simplified_of(item.simplified_declaration),
    )


def document_of(document: SupportingDocument) -> JsonObject:
    """A document of an item, with what is to be written off."""
    return _document(document) | figures_of(document)


def figures_of(document: SupportingDocument) -> JsonObject:
    """Quantity and value."""
    return stated(
        quantity=stated(amount=document.quantity, unit=document.measurement_unit_and_qualifier) or None,
        value=_money(document.amount, document.currency),
    )


def _document(document: ShipmentDocument) -> JsonObject:
    return stated(
        seq=document.sequence_number,
        type=document.type,
        reference=document.reference_number,
        line=document.document_line_item_number,
        issuer=document.issuing_country,
        status=document.status,
        authority=document.issuing_authority_name,
        validTo=document.validity_date,
    )


def _reference(reference: AdditionalReference) -> JsonObject:
    return stated(seq=reference.sequence_number, type=reference.type, reference=reference.reference_number)


def _money(amount: str | None, currency: str | None) -> JsonObject | None:
    return stated(amount=amount, currency=currency) or None


def stated(**fields: Any) -> JsonObject:
    """Only what is there."""
    return {name: value for name, value in fields.items() if value is not None}
