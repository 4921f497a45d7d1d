"""From the declaration in a question to the facts that the ledger's rules work on.

Read by the same reader as the declarations of the topics, so that a check and the reservation after it understand the
same thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from certex_bridge.customs import wire
from certex_bridge.customs.identity import declaring_country
from certex_bridge.customs.options import DecodeOptions
from certex_bridge.customs.payload import PayloadReader
from certex_bridge.kernel.dates import has_zone, parse_date, parse_instant
from certex_bridge.kernel.errors import Finding, InputError, Severity
from certex_bridge.kernel.identifiers import check_eori, check_mrn
from certex_bridge.ledger.domain.facts import Facts, Payload, PayloadRank, Stamp
from certex_bridge.ledger.joining import draft_id
from certex_bridge.platform.poison import Poison
from certex_bridge.singlewindow.messages.availability import AvailabilityCheck
from certex_bridge.singlewindow.messages.goods import (
    AdditionalReference,
    Consignee,
    DeclarationReference,
    GoodsItem,
    ShipmentDocument,
    SupportingDocument,
)
from certex_bridge.singlewindow.refusals import FieldError, Refusal

_NAMELESS = DeclarationReference.model_construct()


@dataclass(frozen=True, slots=True)
class Declared:
    """What a question says of a declaration."""

    payload: Payload
    decl_id: str
    """MRN, or exporter and LRN; empty when the question names no declaration."""
    mrn: str
    lrn: str
    exporter: str
    version: int | None
    acceptance_day: str
    """Day or instant that validity is judged on, ISO text; empty: not stated."""
    findings: tuple[Finding, ...] = ()

    def facts(self, at: datetime, call_id: str, *, accepted: bool = False, version: int = 0, day: str = "") -> Facts:
        """The facts as of a question; `day` stands in where the question states none."""
        stamp = Stamp(at, call_id)
        return Facts(
            payload=self.payload,
            payload_rank=PayloadRank(0, self.version or version or 1, stamp),
            lodged=None if version else stamp,
            accepted=stamp if accepted else None,
            acceptance_day=self.acceptance_day or day,
            mrn=self.mrn,
            lrn=self.lrn,
            exporter=self.exporter,
        )


def read_declared(request: AvailabilityCheck, state: str, options: DecodeOptions) -> Declared:
    """The declaration in a question; `state` is the caller's, for one that says nothing of where it was lodged.

    Raises:
        Refusal: SCHEMA_INVALID, with every mistake.
    """
    named = request.declaration_reference or _NAMELESS
    mrn, lrn = named.mrn or "", named.lrn or ""
    exporter = named.exporter.identification_number if named.exporter else ""
    office = named.customs_office_of_export.reference_number if named.customs_office_of_export else ""
    findings = _identity_findings(mrn, exporter)
    country, country_from = declaring_country(mrn, office, "")
    if not country:
        country, country_from = state, "CALLER"
    reader = PayloadReader(country, options, findings, issuer_from=country_from)
    try:
        payload = reader.read(_declaration(request, named), exporter, office)
        day = _acceptance_day(request, named)
    except (Poison, InputError) as error:
        raise unreadable([Finding(error.code, error.field, str(error.value), str(error))]) from error
    decl_id = mrn or (draft_id(exporter, lrn) if lrn and exporter else "")
    return Declared(payload, decl_id, mrn, lrn, exporter, named.declaration_version, day, tuple(findings))


def _identity_findings(mrn: str, exporter: str) -> list[Finding]:
    """A number that cannot be is refused where it has to name the declaration, and remarked elsewhere."""
    found = check_mrn(mrn, "DeclarationReference.MRN") if mrn else []
    if exporter:
        place = "DeclarationReference.Exporter.identificationNumber"
        of_exporter = check_eori(exporter, place)
        found += [replace(one, severity=Severity.WARNING) for one in of_exporter] if mrn else of_exporter
    errors = [finding for finding in found if finding.severity is Severity.ERROR]
    if errors:
        raise unreadable(errors)
    return found


def unreadable(findings: Sequence[Finding]) -> Refusal:
    """The refusal of what cannot be read, with every mistake."""
    errors = [FieldError(one.field, "14", one.code, one.value[:512], one.message) for one in findings]
    return Refusal("SCHEMA_INVALID", "the question cannot be read", errors=errors)


def _acceptance_day(request: AvailabilityCheck, named: DeclarationReference) -> str:
    day = request.as_of or named.declaration_acceptance_date
    if day:
        return parse_date(day, "asOf" if request.as_of else "declarationAcceptanceDate").isoformat()
    text = named.declaration_acceptance_date_and_time
    if not text:
        return ""
    field = "declarationAcceptanceDateAndTime"
    return parse_instant(text if has_zone(text) else text + "Z", field=field).isoformat()


def _declaration(request: AvailabilityCheck, named: DeclarationReference) -> wire.Declaration:
    return wire.Declaration(
        type=named.declaration_type or "EX",
        items=[_item(item) for item in request.goods_item],
        additional_type=named.additional_declaration_type,
        consignee=_consignee(request.consignee),
        destination=request.country_of_destination,
        documents=[_shipment_document(one) for one in request.supporting_document],
        references=_references(request.additional_reference),
    )


def _consignee(told: Consignee | None) -> wire.Consignee | None:
    return wire.Consignee(told.name, told.identification_number, told.country) if told else None


def _item(item: GoodsItem) -> wire.GoodsItem:
    measure, procedure, currency = item.goods_measure, item.procedure, item.currency
    return wire.GoodsItem(
        item=item.declaration_goods_item_number,
        procedure=procedure.requested_procedure + procedure.previous_procedure if procedure else None,
        additional_procedures=list(procedure.additional_procedure) if procedure else [],
        commodity=item.commodity_code.digits if item.commodity_code else None,
        description=item.description_of_goods,
        destination=item.country_of_destination,
        origin=item.country_of_origin,
        net_mass=measure.net_mass if measure else None,
        gross_mass=measure.gross_mass if measure else None,
        supplementary_units=measure.supplementary_units if measure else None,
        amount=wire.MoneyText(item.item_amount, currency) if item.item_amount and currency else None,
        documents=[_document(one) for one in item.supporting_document],
        references=_references(item.additional_reference),
    )


def _document(told: SupportingDocument) -> wire.Document:
    unit, currency = told.measurement_unit_and_qualifier, told.currency
    return wire.Document(
        told.sequence_number,
        told.type,
        told.reference_number,
        told.document_line_item_number,
        told.issuing_country,
        told.status,
        wire.QuantityText(told.quantity, unit) if told.quantity is not None and unit else None,
        wire.MoneyText(told.amount, currency) if told.amount is not None and currency else None,
    )


def _shipment_document(told: ShipmentDocument) -> wire.ShipmentDocument:
    return wire.ShipmentDocument(
        told.sequence_number,
        told.type,
        told.reference_number,
        told.document_line_item_number,
        told.issuing_country,
        told.status,
    )


def _references(told: Sequence[AdditionalReference]) -> list[wire.Reference]:
    return [wire.Reference(one.sequence_number, one.type, one.reference_number) for one in told]
