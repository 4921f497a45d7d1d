"""Wire models of the licence events (topic `licensing.licences.v1`); the JSON schemas are made from them.

A model checks what must hold for a value to be read at all: types, codes of closed lists, exact figures, units,
dates. Everything else is the lint's. Unknown fields are tolerated and told: a sender may be ahead of this version.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from certex_bridge.kernel.amounts import QUANTITY_SCALE, VALUE_SCALE, parse_decimal
from certex_bridge.kernel.currencies import minor_unit
from certex_bridge.licensing import wire_types as facet
from certex_bridge.licensing.domain.certificate_types import CertificateTypes
from certex_bridge.licensing.domain.licence import AuthorityStatus, Control, Direction
from certex_bridge.licensing.domain.writeoff import WriteOffSource
from certex_bridge.licensing.wire_reading import Day, read

Country = Annotated[str, facet.COUNTRY]
OptionalCountry = Annotated[str, facet.OPTIONAL_COUNTRY]


class Wire(BaseModel):
    """Base of all wire models: camelCase names, no conversion between types, unknown fields ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel, frozen=True, extra="ignore", strict=True, serialize_by_alias=True
    )


class WireQuantity(Wire):
    """A quantity: n..16,6 with its unit. Zero and unknown units are refused by the lint, where the figure binds."""

    amount: Annotated[str, facet.QUANTITY_AMOUNT]
    unit: Annotated[str, facet.UNIT]

    @field_validator("amount")
    @classmethod
    def _amount(cls, text: str) -> str:
        read(lambda: parse_decimal(text, scale=QUANTITY_SCALE, allow_zero=True))
        return text


class WireMoney(Wire):
    """An amount of money: n..16,2, decimals as the currency's minor unit allows. Zero is refused where it binds."""

    # Declared first, since the decimals of the amount depend on it.
    currency: Annotated[str, facet.CURRENCY]
    amount: Annotated[str, facet.VALUE_AMOUNT]

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
        read(lambda: parse_decimal(text, scale=scale, allow_zero=True))
        return text


class WireAddress(Wire):
    """Where a person is established; telephone, fax and e-mail have no place in the exchange."""

    street: Annotated[str, facet.text("streetAndNumber")] = ""
    postcode: Annotated[str, facet.text("postcode")] = ""
    city: Annotated[str, facet.text("city")] = ""
    country: OptionalCountry = ""


class WireHolder(WireAddress):
    """The exporter who holds the licence."""

    name: Annotated[str, facet.text("name")] = ""
    eori: Annotated[str, facet.OPTIONAL_EORI] = ""
    legal_type: Annotated[str, facet.text("legalType")] = ""
    vat: Annotated[str, facet.text("vatNumber")] = ""
    country_of_registration: OptionalCountry = ""


class WireParty(WireAddress):
    """A consignee, end-user, representative or authority."""

    name: Annotated[str, facet.text("name", required=True)]
    identification: Annotated[str, facet.text("identificationNumber")] = ""


class WirePartner(Wire):
    """A trade partner of a transit licence."""

    type: Annotated[str, facet.text("partnerType", required=True)]
    name: Annotated[str, facet.text("name", required=True)]
    identification: Annotated[str, facet.text("identificationNumber")] = ""
    vat: Annotated[str, facet.text("vatNumber")] = ""


class WireDocument(Wire):
    """The licence document as issued, a PDF or XML file (IR 2024/2145 Art. 5(1)(c)).

    It is kept under its hash. A later version that leaves it out keeps it; one that names the hash alone means the
    document that an earlier version brought.
    """

    media_type: Annotated[str, facet.MEDIA_TYPE]
    sha256: Annotated[str, facet.SHA256] = ""
    content: Annotated[str, facet.FILE] = ""


class WireInitialLicence(Wire):
    """The licence under which goods first left that EU003 lets out again."""

    issuer: Country
    number: Annotated[str, facet.NUMBER]


class WireCap(Wire):
    """A limit over all lines.

    What remained when the licence was handed over (form boxes 23 and 24) is the limit where it is stated; later
    versions repeat it, the bridge deducts what is used since.
    """

    quantity: WireQuantity | None = None
    value: WireMoney | None = None
    net_quantity_remaining: WireQuantity | None = None
    net_value_remaining: WireMoney | None = None


class WireLine(Wire):
    """One licensed item. `line` is given at issue and never changes its meaning; what remains is as in the cap."""

    line: Annotated[int, facet.LINE_NUMBER]
    description: Annotated[str, facet.text("descriptionOfGoods", required=True)]
    item_type: Annotated[str, facet.text("itemType")] = ""
    technical_specification: Annotated[str, facet.text("technicalSpecification")] = ""
    end_use: Annotated[str, facet.text("endUse")] = ""
    control_list: Annotated[str, facet.text("controlListCode")] = ""
    control_list_regulation: Annotated[str, facet.text("regulation")] = ""
    commodity_codes: Annotated[list[Annotated[str, facet.COMMODITY]], facet.many("commodityCodes")] = []
    origin: OptionalCountry = ""
    cas: Annotated[list[Annotated[str, facet.text("casNumber", required=True)]], facet.many("cas")] = []
    control: Annotated[Control, Field(strict=False)]
    quantity: WireQuantity | None = None
    value: WireMoney | None = None
    net_quantity_remaining: WireQuantity | None = None
    net_value_remaining: WireMoney | None = None
    tolerance_percent: Annotated[str, facet.PERCENT] = "0"
    consumption_method: Annotated[str, facet.text("consumptionMethod")] = ""
    customs_purposes_only: Annotated[str, facet.text("customsPurposesOnly")] = ""

    @field_validator("tolerance_percent")
    @classmethod
    def _tolerance(cls, text: str) -> str:
        scale, digits = facet.TOLERANCE_SCALE, facet.TOLERANCE_DIGITS
        read(lambda: parse_decimal(text, scale=scale, digits=digits, allow_zero=True))
        return text


class WireLicence(Wire):
    """The full snapshot of one licence in one version."""

    issuer: Country
    number: Annotated[str, facet.NUMBER]
    version: Annotated[int, facet.VERSION]
    type: Annotated[str, facet.LICENCE_TYPE]
    document_code: Annotated[str, facet.DOCUMENT_CODE] | None = None
    direction: Annotated[Direction, Field(strict=False)] = Direction.EXPORT
    status: Annotated[AuthorityStatus, Field(strict=False)]
    sub_status: Annotated[str, facet.text("subStatus")] = ""
    issue_date: Day
    valid_from: Day | None = None
    valid_to: Day | None = None
    holder: WireHolder
    representative: WireParty | None = None
    authority: WireParty
    consignees: Annotated[list[WireParty], facet.many("consignees")] = []
    end_users: Annotated[list[WireParty], facet.many("endUsers")] = []
    trade_partners: Annotated[list[WirePartner], facet.many("tradePartners")] = []
    destinations: Annotated[list[Country], facet.many("destinations")] = []
    consignment_countries: Annotated[list[Country], facet.many("consignmentCountries")] = []
    member_states_of_location: Annotated[list[Country], facet.many("memberStatesOfLocation")] = []
    member_states_of_entry: Annotated[list[Country], facet.many("memberStatesOfEntry")] = []
    procedures: Annotated[list[Annotated[str, facet.PROCEDURE]], facet.many("procedures")] = []
    conditions: Annotated[list[Annotated[str, facet.text("condition", required=True)]], facet.many("conditions")] = []
    end_use: Annotated[list[Annotated[str, facet.text("endUse", required=True)]], facet.many("endUse")] = []
    additional_information: Annotated[
        list[Annotated[str, facet.text("additionalInformation", required=True)]], facet.many("additionalInformation")
    ] = []
    application_number: Annotated[str, facet.text("applicationNumber")] = ""
    legal_basis: Annotated[str, facet.text("legalBasis")] = ""
    replaces: Annotated[str, facet.text("replacedReferenceNumber")] = ""
    initial_licence: WireInitialLicence | None = None
    cap: WireCap | None = None
    shipment_value_max: WireMoney | None = None
    contract_date: Day | None = None
    original_document: WireDocument | None = None
    lines: Annotated[list[WireLine], facet.many("lines")] = []

    @field_validator("type")
    @classmethod
    def _type(cls, text: str, info: ValidationInfo) -> str:
        types = info.context
        if isinstance(types, CertificateTypes) and text not in types.by_licence_type:
            known = ", ".join(types.by_licence_type)
            raise PydanticCustomError("ENUM", f"a licence type is one of {known}")
        return text


class BareAct(Wire):
    """An act without content: the content in force stays."""

    issuer: Country
    number: Annotated[str, facet.NUMBER]
    version: Annotated[int, facet.VERSION]
    status: Annotated[AuthorityStatus, Field(strict=False)] | None = None
    sub_status: Annotated[str, facet.text("subStatus")] = ""


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

    parts: Annotated[list[WireLicence], facet.many("parts")]


class EugeaRegistered(WireLicence):
    """The use of a Union general export authorisation was registered for an exporter."""


class ExporterBarred(Wire):
    """An exporter may no longer use Union general authorisations (Reg. 2021/821 Art. 12(7))."""

    issuer: Country
    eori: Annotated[str, facet.EORI]
    document_codes: Annotated[list[Annotated[str, facet.EUGEA_CODE]], facet.many("documentCodes")] = []
    from_: Annotated[Day, Field(alias="from")]
    reason: Annotated[str, facet.text("reason")] = ""


class WireEvidence(Wire):
    """The document that proves a write-off, as box 26 of the form has it (Reg. 2021/821 Annex III A)."""

    type: Annotated[str, facet.text("evidenceType", required=True)]
    number: Annotated[str, facet.text("evidenceNumber", required=True)]
    date: Day
    member_state: OptionalCountry = ""


class WireWriteOffLine(Wire):
    """What was written off one line in total (box 24); zero takes back what was told before."""

    line: Annotated[int, facet.LINE_NUMBER] | None = None
    quantity: WireQuantity | None = None
    value: WireMoney | None = None


class WriteOffCaptured(Wire):
    """A write-off made outside the bridge: on paper, on an ATA carnet, under contingency, or a correction of one.

    The evidence is its identity: a later event on the same evidence states the new totals, and the difference is
    booked. It is recorded whatever the licence's status and validity are, for the goods have left.
    """

    issuer: Country
    number: Annotated[str, facet.NUMBER]
    source: Annotated[WriteOffSource, Field(strict=False)]
    officer: Annotated[str, facet.text("officer", required=True)]
    reason: Annotated[str, facet.text("reason", required=True)]
    evidence: WireEvidence
    lines: Annotated[list[WireWriteOffLine], facet.many("lines")]


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
    "licensing.write-off.captured.v1",
]

EVENT_MODELS: dict[str, type[WireLicence | ExporterBarred | WriteOffCaptured]] = {
    "licensing.licence.issued.v1": LicenceIssued,
    "licensing.licence.modified.v1": LicenceModified,
    "licensing.licence.suspended.v1": LicenceSuspended,
    "licensing.licence.resumed.v1": LicenceResumed,
    "licensing.licence.revoked.v1": LicenceRevoked,
    "licensing.licence.annulled.v1": LicenceAnnulled,
    "licensing.licence.split.v1": LicenceSplit,
    "licensing.licence.eugea-registered.v1": EugeaRegistered,
    "licensing.exporter.barred.v1": ExporterBarred,
    "licensing.write-off.captured.v1": WriteOffCaptured,
}
"""Model of each `ce_type`; the JSON schemas under `schemas/events` are generated from these."""
