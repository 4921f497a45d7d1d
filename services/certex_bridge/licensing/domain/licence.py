"""The licence as the bridge keeps it: a full, versioned snapshot without contact details.

Field set after Regulation (EU) 2021/821 Annexes II and III and Implementing Regulation (EU) 2024/2145
Annex II B.3. Telephone, fax, e-mail and contact persons have no place here (IR 2024/2145, CR 2022/2399 Art. 6(3)).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from certex_bridge.kernel.amounts import Money, Quantity
from certex_bridge.kernel.identifiers import licence_key
from certex_bridge.licensing.domain.originals import AttachedDocument


class LicenceType(StrEnum):
    """Licence types of Regulation (EU) 2021/821 that reach a customs declaration.

    A licence can be of another type as well: of one that the profile of another certificate type names.
    """

    INDIVIDUAL = "INDIVIDUAL"
    GLOBAL = "GLOBAL"
    LARGE_PROJECT_INDIVIDUAL = "LARGE_PROJECT_INDIVIDUAL"
    LARGE_PROJECT_GLOBAL = "LARGE_PROJECT_GLOBAL"
    NGEA = "NGEA"
    TRANSIT = "TRANSIT"
    EU001 = "EU001"
    EU002 = "EU002"
    EU003 = "EU003"
    EU004 = "EU004"
    EU005 = "EU005"
    EU006 = "EU006"
    EU007 = "EU007"
    EU008 = "EU008"
    LEGACY = "LEGACY"
    """Authorisation cited by X002: before 9 September 2021 in the Union, still live in the United Kingdom."""


def is_eugea(licence_type: str) -> bool:
    """Whether it is a Union general export authorisation, EU001 to EU008 (Annex II)."""
    return licence_type.startswith("EU0")


class Direction(StrEnum):
    """Which table of the certificate type applies (for dual-use: IR 2024/2145 Annex I B.2)."""

    EXPORT = "EXPORT"
    TRANSIT = "TRANSIT"


class AuthorityStatus(StrEnum):
    """The status set by the licensing authority; Expired and Exhausted are derived, never stored."""

    VALID = "VALID"
    SUSPENDED = "SUSPENDED"
    REVOKED = "REVOKED"
    CANCELLED = "CANCELLED"


class Control(StrEnum):
    """Which figures of a line bind (national policy per line, DU form boxes 17 and 18)."""

    NONE = "NONE"
    QUANTITY = "QUANTITY"
    VALUE = "VALUE"
    QUANTITY_AND_VALUE = "QUANTITY_AND_VALUE"

    @property
    def quantity(self) -> bool:
        """Whether the quantity binds."""
        return self in (Control.QUANTITY, Control.QUANTITY_AND_VALUE)

    @property
    def value_(self) -> bool:
        """Whether the value binds."""
        return self in (Control.VALUE, Control.QUANTITY_AND_VALUE)


@dataclass(frozen=True, slots=True)
class Party:
    """A person in the licence: name and identification, address where the law maps one."""

    name: str
    identification: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    legal_type: str = ""
    vat: str = ""
    registration_country: str = ""
    """The last three are stated of the operator only and are mapped to nothing (IR 2024/2145 Annex II B.3)."""


@dataclass(frozen=True, slots=True)
class TradePartner:
    """A trade partner named in a transit licence; mapped to nothing, and without contact details."""

    type: str
    name: str
    identification: str = ""
    """National identification."""
    vat: str = ""


@dataclass(frozen=True, slots=True)
class InitialLicence:
    """The licence that first let the goods out: stated for EU003, after repair or replacement (DU Annex II C)."""

    issuer: str
    number: str


@dataclass(frozen=True, slots=True)
class LicenceLine:
    """One licensed item (DU form boxes 13 to 18). The line number is stable from issue on."""

    line_no: int
    description: str
    control: Control
    quantity: Quantity | None = None
    value: Money | None = None
    control_list: str = ""
    commodity_codes: tuple[str, ...] = ()
    origin: str = ""
    cas: tuple[str, ...] = ()
    tolerance_percent: str = "0"
    """Decimal text; the cap is authorised x (1 + t), fixed at issue (rule R7)."""
    quantity_remaining: Quantity | None = None
    value_remaining: Money | None = None
    """What was left when the licence was handed over (boxes 23 and 24); it is the limit where it is stated."""
    quantity_stated: str = ""
    value_stated: str = ""
    """The authority's own words where the figure above is absent or in the TARIC code of another unit code."""
    item_type: str = ""
    technical_specification: str = ""
    end_use: str = ""
    regulation: str = ""
    """The act whose list `control_list` is an entry of."""
    consumption_method: str = ""
    customs_purposes_only: str = ""


@dataclass(frozen=True, slots=True)
class LicenceCap:
    """A limit over all lines (maximum amount, global value limit)."""

    quantity: Quantity | None = None
    value: Money | None = None
    quantity_remaining: Quantity | None = None
    value_remaining: Money | None = None
    quantity_stated: str = ""
    value_stated: str = ""
    """As on a line."""


@dataclass(frozen=True, slots=True)
class Licence:
    """One version of one licence. Identity is (issuer, number); `version` strictly increases."""

    issuer: str
    number: str
    version: int
    type: str
    """One of `LicenceType`, or a type of another certificate type that is live."""
    document_code: str
    direction: Direction
    status: AuthorityStatus
    valid_from: date | None
    valid_to: date | None
    holder: Party
    authority: Party
    lines: tuple[LicenceLine, ...]
    issue_date: date | None = None
    cap: LicenceCap = field(default_factory=LicenceCap)
    consignees: tuple[Party, ...] = ()
    end_users: tuple[Party, ...] = ()
    destinations: tuple[str, ...] = ()
    consignment_countries: tuple[str, ...] = ()
    procedures: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    application_number: str = ""
    legal_basis: str = ""
    replaces: str = ""
    initial_licence: InitialLicence | None = None
    sub_status: str = ""
    representative: Party | None = None
    """Agent or representative of the operator (box 7)."""
    location_states: tuple[str, ...] = ()
    """Member States where the items are or will be (box 10)."""
    entry_states: tuple[str, ...] = ()
    """Member States where the items enter the export procedure (box 11)."""
    end_use: tuple[str, ...] = ()
    additional_information: tuple[str, ...] = ()
    trade_partners: tuple[TradePartner, ...] = ()
    shipment_value_max: Money | None = None
    """A national general authorisation's limit per shipment; checked, never written off."""
    contract_date: date | None = None
    """Date of the contract (box 20)."""
    document: AttachedDocument | None = None
    """The document as issued; a version that brings none has that of the version before."""

    @property
    def licence_id(self) -> str:
        """`issuer/number`, the number as normalised by `kernel.identifiers.licence_key`."""
        return licence_key(self.issuer, self.number)

    def line(self, line_no: int) -> LicenceLine | None:
        """The line with that number, or None."""
        for line in self.lines:
            if line.line_no == line_no:
                return line
        return None
