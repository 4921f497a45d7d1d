"""Messages of the functions: names on the wire, strictness, and one content hash for both forms."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import Field, ValidationError

from certex_bridge.kernel.errors import InputError
from certex_bridge.singlewindow.messages.base import Message, Part, QuantityFigure, Text35

HEADER = {
    "messageSender": "NSW.BE",
    "messageRecipient": "CERTEX-BRIDGE",
    "preparationDateAndTime": "2026-03-01T10:00:00",
    "messageIdentification": "M1",
    "messageType": "TST001",
}


class Goods(Part):
    quantity: QuantityFigure | None = None


class Example(Message):
    family: ClassVar[str] = "example"
    root: ClassVar[str] = "Example"
    message_type: ClassVar[str] = "TST001"
    holder_name: Text35 | None = None
    goods: Annotated[tuple[Goods, ...], Field(alias="Goods", strict=False)] = ()


def read(**more: Any) -> Example:
    return Example.model_validate(HEADER | more)


def test_names_on_the_wire_are_the_aliases() -> None:
    message = read(holderName="Precision Machines", Goods=[{"quantity": "0.5"}])
    assert message.goods[0].quantity == "0.5"
    assert message.namespace() == "urn:certex-bridge:example:1"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("holdername", "x"),
        ("holderName", " x"),
        ("holderName", ""),
        ("messageIdentification", "with blank"),
        ("messageType", "TOO_LONG"),
        ("Goods", [{"quantity": 1}]),
        ("Goods", [{"quantity": "1e3"}]),
        ("Goods", [{"quantity": "01"}]),
        ("Goods", [{"quantity": "0.1234567"}]),
    ],
)
def test_what_does_not_fit_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        read(**{field: value})
    assert str(refused.value.errors()[0]["loc"][0]) == field


def test_the_time_is_utc_whether_it_says_so_or_not() -> None:
    expected = datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert read().prepared_at == read(preparationDateAndTime="2026-03-01T10:00:00Z").prepared_at == expected
    with pytest.raises(InputError):
        read(preparationDateAndTime="2026-02-30T10:00:00").prepared_at  # noqa: B018


def test_equal_content_has_one_hash_and_other_content_another() -> None:
    one = read(holderName="A")
    assert one.content_sha256 == Example.model_validate_strings(HEADER | {"holderName": "A"}).content_sha256
    assert one.content_sha256 != read(holderName="B").content_sha256
