"""What declarations say about goods and licences: the groups that the requests of several functions have in common.

Names are those of the export declaration (CC515C); numbers are data elements of Implementing Regulation (EU) 2015/2447
Annex B. Formats are checked here; whether a code exists, a unit fits or a licence is known is the ledger's to answer.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from certex_bridge.singlewindow.messages.base import (
    AmountFigure,
    Country,
    Currency,
    Day,
    DocumentType,
    Instant,
    Mrn,
    Number5,
    Office,
    Part,
    QuantityFigure,
    Text17,
    Text22,
    Text70,
    Text512,
    Unit,
    Version,
)

ITEMS = 9_999
"""Goods items of one declaration."""
PER_LEVEL = 99
"""Documents, references and additional procedures at one level."""

DeclarationType = Annotated[str, Field(pattern=r"^[A-Z0-9]{1,5}$")]
"""11 01: EX, CO, T1."""
AdditionalDeclarationType = Annotated[str, Field(pattern=r"^[A-Z]$")]
"""11 02, a1."""
ProcedureCode = Annotated[str, Field(pattern=r"^[0-9A-Z]{2}$")]
"""11 09, an2."""
AdditionalProcedureCode = Annotated[str, Field(pattern=r"^[0-9A-Z]{3}$")]
"""11 10 001, an3."""
SubHeading = Annotated[str, Field(pattern=r"^[0-9]{6}$")]
"""18 09 056: harmonised system, six digits."""
TwoDigits = Annotated[str, Field(pattern=r"^[0-9]{2}$")]
"""18 09 057, 18 09 058."""
NationalStatus = Annotated[str, Field(pattern=r"^[0-9A-Z]{1,4}$")]
"""Status code of a document, where a state's declarations have one."""


def _element(number: str) -> dict[str, JsonValue]:
    return {"dataElement": number}


def _together(figure_name: str, figure: str | None, unit_name: str, unit: str | None) -> None:
    """A figure without its unit says nothing, and a unit without a figure neither."""
    if (figure is None) != (unit is None):
        missing, there = (unit_name, figure_name) if unit is None else (figure_name, unit_name)
        raise PydanticCustomError("FIGURE_INCOMPLETE", f"{there} needs {missing}", {"error_code": "13", "at": missing})


class CustomsOffice(Part):
    """Customs office."""

    reference_number: Annotated[Office, Field(json_schema_extra=_element("17 02 001"))]
    """Office code."""


class Exporter(Part):
    """Exporter of the declaration."""

    identification_number: Annotated[Text17, Field(json_schema_extra=_element("13 01 017"))]
    """EORI number as declared."""


class Consignee(Part):
    """Consignee of the goods."""

    identification_number: Annotated[Text17 | None, Field(json_schema_extra=_element("13 03 017"))] = None
    """Identification number, where the consignee has one."""
    name: Annotated[Text70 | None, Field(json_schema_extra=_element("13 03 016"))] = None
    """Name."""
    country: Annotated[Country | None, Field(json_schema_extra=_element("13 03 018 020"))] = None
    """Country of the address."""


class SimplifiedDeclaration(Part):
    """Simplified declaration that a supplementary one supplements (UCC Art. 167(4)): its previous document."""

    mrn: Annotated[Mrn, Field(alias="MRN")]
    """Movement reference number of the simplified declaration."""
    declaration_goods_item_number: Number5 | None = None
    """Goods item of it that is meant; absent: the whole declaration."""


class DeclarationReference(Part):
    """Which declaration, and which version of it: the MRN, or LRN and exporter while there is none."""

    lrn: Annotated[Text22 | None, Field(alias="LRN", json_schema_extra=_element("12 09 001"))] = None
    """Local reference number."""
    mrn: Annotated[Mrn | None, Field(alias="MRN")] = None
    """Movement reference number."""
    declaration_version: Version | None = None
    """Version of the content, 1 as it was lodged; every amendment counts on."""
    declaration_type: Annotated[DeclarationType | None, Field(json_schema_extra=_element("11 01 001"))] = None
    """EX or CO, or the type of a transit declaration."""
    additional_declaration_type: Annotated[
        AdditionalDeclarationType | None, Field(json_schema_extra=_element("11 02 001"))
    ] = None
    """A standard, D the same pre-lodged, B, C, E and F simplified, R retrospective, U, V, X, Y, Z supplementary."""
    declaration_acceptance_date: Annotated[Day | None, Field(json_schema_extra=_element("15 09 001"))] = None
    """Day of acceptance in the legal time of the declaring state."""
    declaration_acceptance_date_and_time: Instant | None = None
    """Instant of acceptance (UTC), instead of the day."""
    day_of_exit: Day | None = None
    """Calendar day on which the goods of a retrospective declaration left; validity is judged on it."""
    customs_office_of_export: Annotated[
        CustomsOffice | None, Field(alias="CustomsOfficeOfExport", json_schema_extra=_element("17 02 000"))
    ] = None
    """Office of export."""
    exporter: Annotated[Exporter | None, Field(alias="Exporter", json_schema_extra=_element("13 01 000"))] = None
    """Exporter."""
    simplified_declaration: Annotated[
        tuple[SimplifiedDeclaration, ...],
        Field(alias="SimplifiedDeclaration", max_length=ITEMS, strict=False, json_schema_extra=_element("12 01 000")),
    ] = ()
    """Of a supplementary declaration: what it supplements as a whole; an item may name its own."""

    @model_validator(mode="after")
    def _named(self) -> DeclarationReference:
        if self.mrn is None and (self.lrn is None or self.exporter is None):
            sentence = "neither an MRN nor LRN and exporter name the declaration"
            raise PydanticCustomError("IDENTITY_MISSING", sentence, {"error_code": "13", "at": "MRN"})
        if self.declaration_acceptance_date and self.declaration_acceptance_date_and_time:
            raise PydanticCustomError(
                "TOO_MANY",
                "the acceptance is stated as a day and as an instant",
                {"at": "declarationAcceptanceDateAndTime"},
            )
        return self


class Procedure(Part):
    """Customs procedure of an item."""

    requested_procedure: Annotated[ProcedureCode, Field(json_schema_extra=_element("11 09 001"))]
    """Procedure the goods are placed under."""
    previous_procedure: Annotated[ProcedureCode, Field(json_schema_extra=_element("11 09 002"))]
    """Procedure before."""
    additional_procedure: Annotated[
        tuple[AdditionalProcedureCode, ...],
        Field(max_length=PER_LEVEL, strict=False, json_schema_extra=_element("11 10 001")),
    ] = ()
    """Additional procedure codes."""


class CommodityCode(Part):
    """Classification of the goods, as precisely as it is declared."""

    harmonized_system_sub_heading_code: Annotated[SubHeading, Field(json_schema_extra=_element("18 09 056"))]
    """Subheading of the harmonised system."""
    combined_nomenclature_code: Annotated[TwoDigits | None, Field(json_schema_extra=_element("18 09 057"))] = None
    """Digits 7 and 8."""
    taric_code: Annotated[TwoDigits | None, Field(json_schema_extra=_element("18 09 058"))] = None
    """Digits 9 and 10."""

    @property
    def digits(self) -> str:
        """6, 8 or 10 digits; without the combined nomenclature code there are no digits 9 and 10 either."""
        combined = self.combined_nomenclature_code or ""
        return self.harmonized_system_sub_heading_code + combined + ((self.taric_code or "") if combined else "")


class GoodsMeasure(Part):
    """Masses in kilograms, and supplementary units, whose unit the commodity code implies."""

    gross_mass: Annotated[QuantityFigure | None, Field(json_schema_extra=_element("18 04 001"))] = None
    """Gross mass."""
    net_mass: Annotated[QuantityFigure | None, Field(json_schema_extra=_element("18 01 001"))] = None
    """Net mass."""
    supplementary_units: Annotated[QuantityFigure | None, Field(json_schema_extra=_element("18 02 001"))] = None
    """Supplementary units."""


class AdditionalReference(Part):
    """Additional reference: the other place for a licence number, and that of Y901."""

    sequence_number: Number5
    """Position within its level."""
    type: Annotated[DocumentType, Field(json_schema_extra=_element("12 04 002"))]
    """Reference code."""
    reference_number: Annotated[Text70 | None, Field(json_schema_extra=_element("12 04 001"))] = None
    """Reference."""


class ShipmentDocument(Part):
    """Supporting document of the whole shipment: it carries no figures."""

    sequence_number: Number5
    """Position within its level."""
    type: Annotated[DocumentType, Field(json_schema_extra=_element("12 03 002"))]
    """Document code: X060, X070 and so on."""
    reference_number: Annotated[Text70, Field(json_schema_extra=_element("12 03 001"))]
    """Licence reference."""
    document_line_item_number: Annotated[Number5 | None, Field(json_schema_extra=_element("12 03 013"))] = None
    """Line of the licence."""
    issuing_country: Country | None = None
    """State that issued the licence; absent: it is looked up by its number, the declaring state first."""
    status: NationalStatus | None = None
    """National status code of the document."""
    issuing_authority_name: Annotated[Text70 | None, Field(json_schema_extra=_element("12 03 010"))] = None
    """Issuing authority."""
    validity_date: Annotated[Day | None, Field(json_schema_extra=_element("12 03 011"))] = None
    """Last day of validity as declared."""


class SupportingDocument(ShipmentDocument):
    """Supporting document of a goods item, with what is to be written off."""

    measurement_unit_and_qualifier: Annotated[Unit | None, Field(json_schema_extra=_element("12 03 005"))] = None
    """Unit of the quantity."""
    quantity: Annotated[QuantityFigure | None, Field(json_schema_extra=_element("12 03 006"))] = None
    """Quantity to be written off."""
    currency: Annotated[Currency | None, Field(json_schema_extra=_element("12 03 012"))] = None
    """Currency of the amount."""
    amount: Annotated[AmountFigure | None, Field(json_schema_extra=_element("12 03 014"))] = None
    """Value to be written off."""

    @model_validator(mode="after")
    def _in_pairs(self) -> SupportingDocument:
        _together("quantity", self.quantity, "measurementUnitAndQualifier", self.measurement_unit_and_qualifier)
        _together("amount", self.amount, "currency", self.currency)
        return self


class GoodsItem(Part):
    """Goods item of a declaration."""

    declaration_goods_item_number: Annotated[Number5, Field(json_schema_extra=_element("11 03 000"))]
    """Number of the item."""
    procedure: Annotated[Procedure | None, Field(alias="Procedure", json_schema_extra=_element("11 09 000"))] = None
    """Customs procedure."""
    country_of_destination: Annotated[Country | None, Field(json_schema_extra=_element("16 03 001"))] = None
    """Destination of this item; absent: the shipment's."""
    country_of_origin: Annotated[Country | None, Field(json_schema_extra=_element("16 08 001"))] = None
    """Origin."""
    description_of_goods: Annotated[Text512 | None, Field(json_schema_extra=_element("18 05 001"))] = None
    """Description."""
    commodity_code: Annotated[
        CommodityCode | None, Field(alias="CommodityCode", json_schema_extra=_element("18 09 000"))
    ] = None
    """Classification."""
    goods_measure: Annotated[GoodsMeasure | None, Field(alias="GoodsMeasure")] = None
    """Masses and supplementary units."""
    item_amount: Annotated[AmountFigure | None, Field(json_schema_extra=_element("14 08 001"))] = None
    """Amount invoiced for the item."""
    currency: Annotated[Currency | None, Field(json_schema_extra=_element("14 05 001"))] = None
    """Currency of the invoice."""
    supporting_document: Annotated[
        tuple[SupportingDocument, ...],
        Field(alias="SupportingDocument", max_length=PER_LEVEL, strict=False, json_schema_extra=_element("12 03 000")),
    ] = ()
    """Supporting documents."""
    additional_reference: Annotated[
        tuple[AdditionalReference, ...],
        Field(alias="AdditionalReference", max_length=PER_LEVEL, strict=False, json_schema_extra=_element("12 04 000")),
    ] = ()
    """Additional references."""
    simplified_declaration: Annotated[
        tuple[SimplifiedDeclaration, ...],
        Field(alias="SimplifiedDeclaration", max_length=ITEMS, strict=False, json_schema_extra=_element("12 01 000")),
    ] = ()
    """Of a supplementary declaration: what this item supplements."""

    @model_validator(mode="after")
    def _in_pairs(self) -> GoodsItem:
        _together("itemAmount", self.item_amount, "currency", self.currency)
        return self
