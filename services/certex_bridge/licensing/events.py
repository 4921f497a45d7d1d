"""Wire models of the licence events (topic `licensing.licences.v1`); the JSON schemas are made from them.

A model checks what must hold for a value to be read at all: types, codes of closed lists, exact figures, units,
dates. Everything else is the lint's. Unknown fields are tolerated: a sender may be ahead of this version.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, WithJsonSchema, field_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from certex_bridge.kernel.amounts import QUANTITY_SCALE, VALUE_SCALE, Money, Quantity, parse_decimal
from certex_bridge.kernel.currencies import minor_unit
from certex_bridge.kernel.dates import parse_date
from certex_bridge.kernel.errors import InputError
from certex_bridge.kernel.units import parse_unit
from certex_bridge.licensing.domain.licence import AuthorityStatus, Control, Direction, LicenceType

_Read = TypeVar("_Read")

TOLERANCE_SCALE = 4
TOLERANCE_DIGITS = 7


def read(reader: Callable[[], _Read]) -> _Read:
    """Run a kernel reader and hand its refusal to pydantic with the kernel's code, so that all are collected.

    Raises:
        PydanticCustomError: type is the stable code of the refusal.
    """
    try:
        return reader()
    except InputError as refused:
        # Braces would be taken for placeholders of the message template.
        message = refused.message.replace("{", "(").replace("}", ")")
        raise PydanticCustomError(refused.code, message) from None


def _read_date(value: Any) -> Any:
    return read(lambda: parse_date(value)) if isinstance(value, str) else value


def _schema_date() -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "format": "date"})


Day = Annotated[date, BeforeValidator(_read_date), _schema_date()]
AmountText = Annotated[str, Field(description="Exact decimal as text; a JSON number is refused, nothing is rounded")]
Country = Annotated[str, Field(description="ISO 3166 or GEONOM alpha-2")]


class Wire(BaseModel):
    """Base of all wire models: camelCase names, no conversion between types, unknown fields ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel, frozen=True, extra="ignore", strict=True, serialize_by_alias=True
    )


class WireQuantity(Wire):
    """A quantity: n..16,6 with a TARIC unit of three letters and an optional qualifier letter."""

    amount: AmountText
    unit: str

    @field_validator("amount")
    @classmethod
    def _amount(cls, text: str) -> str:
        read(lambda: parse_decimal(text, scale=QUANTITY_SCALE))
        return text

    @field_validator("unit")
    @classmethod
    def _unit(cls, text: str) -> str:
        return read(lambda: parse_unit(text))

    def quantity(self) -> Quantity:
        """The exact quantity."""
        return Quantity.parse(self.amount, self.unit)


class WireMoney(Wire):
    """An amount of money: n..16,2, decimals as the currency's minor unit allows."""

    # Declared first, since the decimals of the amount depend on it.
    currency: str
    amount: AmountText

    @field_validator("currency")
    @classmethod
    def _currency(cls, text: str) -> str:
        read(lambda: minor_unit(text))
        return text

    @field_validator("amount")
    @classmethod
    def _amount(cls, text: str, info: ValidationInfo) -> str:
        currency = info.data.get("currency")
        scale = VALUE_SCALE if currency is None else min(VALUE_SCALE, minor_unit(currency))
        read(lambda: parse_decimal(text, scale=scale))
        return text

    def money(self) -> Money:
        """The exact amount of money."""
        return Money.parse(self.amount, self.currency)


class WireAddress(Wire):
    """Where a person is established; telephone, fax and e-mail have no place in the exchange."""

    street: str = ""
    postcode: str = ""
    city: str = ""
    country: Country = ""


class WireHolder(WireAddress):
    """The exporter who holds the licence."""

    name: str = ""
    eori: str = ""


class WireParty(WireAddress):
    """A consignee, end-user or authority."""

    name: str
    identification: str = ""


class WireCap(Wire):
    """A limit over all lines."""

    quantity: WireQuantity | None = None
    value: WireMoney | None = None


class WireLine(Wire):
    """One licensed item. `line` is given at issue and never changes its meaning."""

    line: int
    description: str
    control_list: str = ""
    commodity_codes: list[str] = []
    origin: Country = ""
    cas: list[str] = []
    control: Annotated[Control, Field(strict=False)]
    quantity: WireQuantity | None = None
    value: WireMoney | None = None
    tolerance_percent: AmountText = "0"

    @field_validator("tolerance_percent")
    @classmethod
    def _tolerance(cls, text: str) -> str:
        read(lambda: parse_decimal(text, scale=TOLERANCE_SCALE, digits=TOLERANCE_DIGITS, allow_zero=True))
        return text


class WireLicence(Wire):
    """The full snapshot of one licence in one version."""

    issuer: Country
    number: str
    version: int
    type: Annotated[LicenceType, Field(strict=False)]
    document_code: str | None = None
    direction: Annotated[Direction, Field(strict=False)] = Direction.EXPORT
    status: Annotated[AuthorityStatus, Field(strict=False)]
    issue_date: Day | None = None
    valid_from: Day | None = None
    valid_to: Day | None = None
    holder: WireHolder
    authority: WireParty
    consignees: list[WireParty] = []
    end_users: list[WireParty] = []
    destinations: list[Country] = []
    consignment_countries: list[Country] = []
    procedures: list[str] = []
    conditions: list[str] = []
    application_number: str = ""
    legal_basis: str = ""
    replaces: str = ""
    cap: WireCap | None = None
    lines: list[WireLine] = []


class LicenceIssued(WireLicence):
    """A licence was issued."""


class LicenceModified(WireLicence):
    """A licence has a new version; use already made is untouched."""


class LicenceSuspended(WireLicence):
    """A licence was suspended; it can be resumed."""


class LicenceResumed(WireLicence):
    """A suspended licence is valid again."""


class LicenceRevoked(WireLicence):
    """A licence was revoked, for good."""


class LicenceAnnulled(WireLicence):
    """A licence was annulled, withdrawn at the holder's request or replaced, for good."""


class LicenceSplit(WireLicence):
    """A global licence was split (Reg. 2021/821 Art. 12(4)): the original's new snapshot and the new licences."""

    parts: list[WireLicence]


class EugeaRegistered(WireLicence):
    """The use of a Union general export authorisation was registered for an exporter."""


class ExporterBarred(Wire):
    """An exporter may no longer use Union general authorisations (Reg. 2021/821 Art. 12(7))."""

    issuer: Country
    eori: str
    document_codes: list[str] = []
    from_: Annotated[Day, Field(alias="from")]
    reason: str = ""


LicenceEventType = Literal[
    "licensing.licence.issued.v1",
    "licensing.licence.modified.v1",
    "licensing.licence.suspended.v1",
    "licensing.licence.resumed.v1",
    "licensing.licence.revoked.v1",
    "licensing.licence.annulled.v1",
    "licensing.licence.split.v1",
    "licensing.licence.eugea-registered.v1",
    "licensing.exporter.barred.v1",
]

EVENT_MODELS: dict[str, type[WireLicence | ExporterBarred]] = {
    "licensing.licence.issued.v1": LicenceIssued,
    "licensing.licence.modified.v1": LicenceModified,
    "licensing.licence.suspended.v1": LicenceSuspended,
    "licensing.licence.resumed.v1": LicenceResumed,
    "licensing.licence.revoked.v1": LicenceRevoked,
    "licensing.licence.annulled.v1": LicenceAnnulled,
    "licensing.licence.split.v1": LicenceSplit,
    "licensing.licence.eugea-registered.v1": EugeaRegistered,
    "licensing.exporter.barred.v1": ExporterBarred,
}
"""Model of each `ce_type`; the JSON schemas under `schemas/events` are generated from these."""
