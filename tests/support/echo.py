"""A function that says what it heard, for tests of how functions are reached."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from certex_bridge.kernel.errors import InputError
from certex_bridge.singlewindow.callers import CallerRole
from certex_bridge.singlewindow.messages.base import Country, Message, Mrn, Number5, Part, QuantityFigure, Text70, Unit
from certex_bridge.singlewindow.messages.shape import BLANKS
from certex_bridge.singlewindow.operation import Call, Operation, Read, Reply
from certex_bridge.singlewindow.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from certex_bridge.singlewindow.callers import Caller

SENDER = "CERTEX-BRIDGE"
AT = "2026-03-01T10:00:00"
MrnAlias = Annotated[Mrn | None, Field(alias="MRN")]


class Mood(StrEnum):
    """What the function is to do with it."""

    GOOD = "GOOD"
    REPEATED = "REPEATED"
    KEPT = "KEPT"
    REFUSED = "REFUSED"
    INPUT = "INPUT"
    AWAY = "AWAY"
    BROKEN = "BROKEN"


class EchoItem(Part):
    """One goods item."""

    number: Annotated[
        Number5, Field(alias="declarationGoodsItemNumber", json_schema_extra={"dataElement": "11 03 000"})
    ]
    """Goods item number."""
    unit: Annotated[Unit | None, Field(alias="measurementUnitAndQualifier")] = None
    """Unit."""
    quantity: QuantityFigure | None = None
    """Quantity."""
    original: bool = False
    """Whether the paper is there."""

    @model_validator(mode="after")
    def _unit_with_quantity(self) -> EchoItem:
        if self.quantity is not None and self.unit is None:
            raise PydanticCustomError("UNIT_MISSING", "a quantity has a unit", {"error_code": "13"})
        return self


class EchoRequest(Message):
    """What is to be said again."""

    family: ClassVar[str] = "echo"
    root: ClassVar[str] = "Echo"
    message_type: ClassVar[str] = "CBECRQ"

    mrn: MrnAlias = None
    """Declaration."""
    mood: Annotated[Mood, Field(strict=False)]
    """What to do."""
    side: Literal["EXPORT", "TRANSIT"] | None = None
    """Direction."""
    countries: Annotated[tuple[Country, ...], BLANKS] = ()
    """Countries, in one element."""
    note: tuple[Text70, ...] = ()
    """Notes."""
    items: Annotated[tuple[EchoItem, ...], Field(alias="GoodsItem", max_length=3)] = ()
    """Goods items."""


class EchoResponse(Message):
    """What was heard."""

    family: ClassVar[str] = "echo"
    root: ClassVar[str] = "EchoResponse"
    message_type: ClassVar[str] = "CBECRS"

    heard: Annotated[tuple[EchoItem, ...], Field(alias="GoodsItem")] = ()
    """Goods items."""
    note: tuple[Text70, ...] = ()
    """Notes."""


class EchoFound(BaseModel):
    """What a read finds."""

    place: str
    """Parameters, as they arrived."""


async def echo(call: Call, request: EchoRequest) -> Reply:
    """Says it again, or does what the mood says."""
    if request.mood is Mood.REFUSED:
        raise Refusal("RECORD_DELETED", "the record is deleted", field="MRN", value=request.mrn or "")
    if request.mood is Mood.INPUT:
        raise InputError("no such day", field="preparationDateAndTime", value="2026-02-30", code="DATE")
    if request.mood is Mood.AWAY:
        raise ConnectionResetError("the database went away")
    if request.mood is Mood.BROKEN:
        raise ZeroDivisionError("secret")
    response = EchoResponse(
        message_sender=SENDER,
        message_recipient=call.caller.name,
        preparation_date_and_time=AT,
        message_identification=call.call_id(request)[:35],
        type_of_message=EchoResponse.message_type,
        correlation_identifier=request.message_identification,
        heard=request.items,
        note=request.note,
    )
    return Reply(response, repeated=request.mood is Mood.REPEATED, kept=request.mood is Mood.KEPT)


async def place(_call: Call, parameters: Mapping[str, str]) -> EchoFound:
    """The parameters; nothing is found at `nowhere`."""
    if parameters["number"] == "nowhere":
        raise Refusal("NOT_FOUND", "no such place", field="number", value="nowhere")
    return EchoFound(place=" ".join(f"{name}={value}" for name, value in sorted(parameters.items())))


ECHO = Operation(
    name="echo",
    function="F1",
    law="5(1)",
    path="/v1/echoes",
    request=EchoRequest,
    response=EchoResponse,
    roles=frozenset({CallerRole.CLEARANCE}),
    handler=echo,
    summary="Says it again.",
    statuses=(202,),
)
PLACE = Read(
    name="getPlace",
    path="/v1/places/{issuer}/{number}",
    response=EchoFound,
    roles=frozenset({CallerRole.CLEARANCE, CallerRole.AUDITOR}),
    handler=place,
    summary="Finds a place.",
    query={"at": "A past moment."},
)


def sample(**changes: Any) -> dict[str, Any]:
    """A request in JSON."""
    message = {
        "messageSender": "NSW.BE",
        "messageRecipient": SENDER,
        "preparationDateAndTime": AT,
        "messageIdentification": "echo-1",
        "messageType": "CBECRQ",
        "MRN": "26BE00000000000M12",
        "mood": "GOOD",
        "side": "EXPORT",
        "countries": ["KR", "JP"],
        "note": ["Tom & <Jerry>", "Präzision"],
        "GoodsItem": [
            {"declarationGoodsItemNumber": 1, "measurementUnitAndQualifier": "NAR", "quantity": "40.5"},
            {"declarationGoodsItemNumber": 2, "original": True},
        ],
    }
    return {name: value for name, value in (message | changes).items() if value is not None}


def known(application: Any, caller: Caller) -> Callable[[Any, Any, Any], Awaitable[None]]:
    """The application behind somebody who lets this caller in."""

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        scope.setdefault("state", {})["caller"] = caller
        await application(scope, receive, send)

    return serve
