"""QuantityMovement: reserve, consume, undo, adjust, withdraw (Implementing Regulation (EU) 2024/2145 Art. 6 and 7)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from certex_bridge.singlewindow.messages.base import Country, Message, Text512
from certex_bridge.singlewindow.messages.goods import (
    ITEMS,
    PER_LEVEL,
    AdditionalReference,
    Consignee,
    DeclarationReference,
    GoodsItem,
    ShipmentDocument,
)

MovementType = Literal["RESERVE", "CONSUME", "UNRESERVE", "ADJUST", "WITHDRAW"]
"""What is asked: Art. 6(1), 6(3), 6(4), 7 for an amendment, 7 for an invalidation."""


class QuantityMovement(Message):
    """One movement of a declaration's quantities; the answer is QuantityMovementResponse."""

    family: ClassVar[str] = "quantity-movement-request"
    root: ClassVar[str] = "QuantityMovement"
    message_type: ClassVar[str] = "CBQMRQ"

    type_of_message: Annotated[Literal["CBQMRQ"], Field(alias="messageType")] = "CBQMRQ"
    """Kind of message."""
    movement_type: MovementType
    """RESERVE when the declaration is accepted, CONSUME when the goods are released, UNRESERVE when they are not,
    ADJUST when the declaration is amended, WITHDRAW when it is invalidated."""
    declaration_reference: Annotated[DeclarationReference, Field(alias="DeclarationReference")]
    """The declaration; its MRN is needed."""
    reason: Text512 | None = None
    """Why, as customs put it."""
    country_of_destination: Annotated[Country | None, Field(json_schema_extra={"dataElement": "16 03 001"})] = None
    """Destination of the shipment."""
    consignee: Annotated[Consignee | None, Field(alias="Consignee", json_schema_extra={"dataElement": "13 03 000"})] = (
        None
    )
    """Consignee of the shipment."""
    goods_item: Annotated[tuple[GoodsItem, ...], Field(alias="GoodsItem", max_length=ITEMS, strict=False)] = ()
    """RESERVE, ADJUST: the whole content (RESERVE without items: as lodged). CONSUME, UNRESERVE: the items released or
    not, without items the whole declaration; of a released item the documents' figures count, without documents it is
    released as declared, and a document that is not among them was not used."""
    supporting_document: Annotated[
        tuple[ShipmentDocument, ...],
        Field(
            alias="SupportingDocument",
            max_length=PER_LEVEL,
            strict=False,
            json_schema_extra={"dataElement": "12 03 000"},
        ),
    ] = ()
    """Supporting documents of the shipment."""
    additional_reference: Annotated[
        tuple[AdditionalReference, ...],
        Field(
            alias="AdditionalReference",
            max_length=PER_LEVEL,
            strict=False,
            json_schema_extra={"dataElement": "12 04 000"},
        ),
    ] = ()
    """Additional references of the shipment."""

    @model_validator(mode="after")
    def _complete(self) -> QuantityMovement:
        reference = self.declaration_reference
        if reference.mrn is None:
            _needs("DeclarationReference/MRN", self.movement_type)
        if self.movement_type == "ADJUST" and reference.declaration_version is None:
            _needs("DeclarationReference/declarationVersion", self.movement_type)
        if self.movement_type == "ADJUST" and not self.goods_item:
            _needs("GoodsItem", self.movement_type)
        if self.goods_item and self.has_content and reference.declaration_type is None:
            _needs("DeclarationReference/declarationType", f"{self.movement_type} with GoodsItem")
        return self

    @model_validator(mode="after")
    def _not_too_much(self) -> QuantityMovement:
        """What an event of this kind cannot say is refused, not dropped."""
        told = self.movement_type
        if told == "WITHDRAW" and self.goods_item:
            _has_no("GoodsItem", told)
        if told == "UNRESERVE" and any(item.supporting_document for item in self.goods_item):
            _has_no("GoodsItem/SupportingDocument (an item is released or not; CONSUME frees the rest)", told)
        whole = {
            "SupportingDocument": self.supporting_document,
            "AdditionalReference": self.additional_reference,
            "Consignee": self.consignee,
            "countryOfDestination": self.country_of_destination,
        }
        for name, value in whole.items():
            if value and not (self.has_content and self.goods_item):
                _has_no(name, told if not self.has_content else f"{told} without GoodsItem")
        return self

    @property
    def has_content(self) -> bool:
        """Whether the items are the declaration's content."""
        return self.movement_type in {"RESERVE", "ADJUST"}


def _needs(what: str, movement: str) -> None:
    raise PydanticCustomError("MISSING", f"{movement} needs {what}", {"error_code": "13", "at": what})


def _has_no(what: str, movement: str) -> None:
    raise PydanticCustomError(
        "NOT_ALLOWED", f"{movement} has no {what}", {"error_code": "15", "at": what.partition(" ")[0]}
    )
