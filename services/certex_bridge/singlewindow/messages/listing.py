"""Family `list`: lists of licences by criteria, once or periodically (IR 2024/2145 Art. 10)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from certex_bridge.singlewindow.messages.base import (
    Country,
    Currency,
    Day,
    DocumentType,
    Identification,
    Instant,
    Message,
    Number5,
    Part,
    Text17,
    Unit,
)

ListAction = Literal["ONCE", "PERIODIC", "CANCEL", "ORDERS", "DELIVERED"]
ListContent = Literal["LIST", "DATA"]
PeriodUnit = Literal["DAILY", "WEEKLY", "HOURLY"]
OrderState = Literal["ACTIVE", "CANCELLED", "ENDED"]
StatusWord = Literal["Valid", "Cancelled", "Exhausted", "Expired", "Suspended", "Revoked"]

PAGE_SIZE_MAX = 500

Stated = Annotated[str, Field(min_length=1, max_length=512)]
"""A text as the authority wrote it: nothing is changed on the way to customs (CR 2022/2399 Art. 10(2)(b))."""
Rest = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,15})(\.[0-9]{1,6})?$")]
"""A figure of a balance: a rest of two figures of 16 digits may have more digits than either."""
Count = Annotated[int, Field(ge=1)]
Hours = Annotated[int, Field(ge=1, le=8_784)]
"""At most a leap year."""
CommodityCode = Annotated[str, Field(pattern=r"^[0-9]{6}([0-9]{2}){0,2}$")]
"""18 09 056, 057, 058 in one: 6, 8 or 10 digits."""
CommodityBeginning = Annotated[str, Field(pattern=r"^[0-9]{2}([0-9]{2}){0,4}$")]
"""18 09: chapter, heading, or a whole code."""
ControlListEntry = Annotated[str, Field(min_length=1, max_length=35, pattern=r"^[!-~]+$")]
"""For instance 3A001.a.7."""
ProcedureCode = Annotated[str, Field(min_length=1, max_length=35)]
"""11 09, as the authority wrote it."""
Token = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[A-Za-z0-9_-]+$")]
"""Where a list goes on; base 64 for addresses."""


class Criteria(Part):
    """What a licence must be; what is left out asks nothing."""

    holder_identification_number: Text17 | None = None
    """13 01 017: EORI number."""
    issuing_country: Country | None = None
    """State of the issuing authority; EL is read as GR."""
    types: Annotated[tuple[DocumentType, ...], Field(alias="type", max_length=20, strict=False)] = ()
    """12 03 002: one of these document codes."""
    statuses: Annotated[tuple[StatusWord, ...], Field(alias="status", max_length=6, strict=False)] = ()
    """One of these statuses."""
    valid_on: Day | None = None
    """Covers this day, both ends of the validity included."""
    valid_from: Day | None = None
    """Valid on some day from here on …"""
    valid_until: Day | None = None
    """… to here."""
    country_of_destination: Country | None = None
    """16 03: a declaration to that country (ISO 3166 or GEONOM) could cite it."""
    commodity_code: CommodityBeginning | None = None
    """18 09: the first 2, 4, 6, 8 or 10 digits; the shorter of the two codes decides."""
    control_list_code: ControlListEntry | None = None
    """An entry of the control list, with everything below it."""
    changed_since: Instant | None = None
    """Version or status written since (UTC): `asOf` of an earlier list misses nothing and may repeat. In a periodic
    order each list counts from the one before."""


class Period(Part):
    """When a periodic list is made; the hours of the day are UTC."""

    unit: PeriodUnit
    """Every 24 hours, every 7 days, or every `hours` hours."""
    hours: Hours | None = None
    """With HOURLY: every so many hours."""
    from_date_and_time: Instant | None = None
    """When the first list is due (UTC); absent: at once."""
    until_date_and_time: Instant | None = None
    """No list is due after it (UTC); absent: until cancelled."""


class ListRequest(Message):
    """Ask for a list of licences or for their data; order, cancel or look after periodic ones."""

    family: ClassVar[str] = "list"
    root: ClassVar[str] = "ListRequest"
    message_type: ClassVar[str] = "LST001"

    action: ListAction
    """ONCE: a page now. PERIODIC: order. CANCEL: end an order. ORDERS: own orders. DELIVERED: a page made earlier."""
    content: ListContent = "LIST"
    """The licences' names, or the data of each."""
    criteria: Annotated[Criteria, Field(alias="Criteria")] = Criteria()
    """What a licence must be."""
    page_size: Annotated[int, Field(ge=1, le=PAGE_SIZE_MAX)] = 100
    """Licences per page."""
    continuation_token: Token | None = None
    """From the page before, with the same criteria."""
    period: Annotated[Period | None, Field(alias="Period")] = None
    """With PERIODIC."""
    order_identification: Identification | None = None
    """With CANCEL and DELIVERED: messageIdentification of the order."""
    delivery_number: Number5 | None = None
    """With DELIVERED: which list; absent: the last one."""
    page_number: Number5 | None = None
    """With DELIVERED: which page; absent: the first."""


class _Figures(Part):
    as_stated: Stated | None = None
    """The authority's own words where the figure is absent or in the TARIC code of another unit."""
    authorised: Rest | None = None
    """As the licence says; absent where only the ledger knows of the limit."""
    remaining: Rest | None = None
    """Boxes 23 and 24: what was left when the licence was handed over."""
    limit: Rest | None = None
    """What the ledger limits; this and the following only for those who may see balances."""
    reserved: Rest | None = None
    """Held for accepted declarations."""
    consumed: Rest | None = None
    """Written off."""
    available: Rest | None = None
    """What a new declaration can take."""
    over: Rest | None = None
    """In use beyond the limit."""


class QuantityBalance(_Figures):
    """SWE-C data element: quantities of a line, or of the whole licence."""

    measurement_unit_and_qualifier: Unit | None = None
    """12 03 005."""


class AmountBalance(_Figures):
    """SWE-C data element: values of a line, or of the whole licence."""

    currency: Currency | None = None
    """12 03 012."""


class ListedLine(Part):
    """One licensed item."""

    document_line_item_number: Number5
    """12 03 013."""
    description_of_goods: Stated | None = None
    """18 05; absent for a line that a later version took out while it was in use."""
    control_list_code: Stated | None = None
    """Box 16 of the form."""
    commodity_codes: Annotated[tuple[CommodityCode, ...], Field(alias="commodityCode", strict=False)] = ()
    """18 09 056, 057, 058 in one."""
    country_of_origin: Country | None = None
    """16 08."""
    quantity: Annotated[QuantityBalance | None, Field(alias="Quantity")] = None
    """Box 18."""
    amount: Annotated[AmountBalance | None, Field(alias="Amount")] = None
    """Box 17."""


class ListedParty(Part):
    """A consignee."""

    name: Stated
    """13 03 016."""
    identification_number: Stated | None = None
    """13 03 017."""


class LicenceData(Part):
    """Content of a licence as IR 2024/2145 Annex II maps it; of transit authorisations no person is mapped."""

    holder_name: Stated | None = None
    """13 01 016."""
    consignees: Annotated[tuple[ListedParty, ...], Field(alias="Consignee", strict=False)] = ()
    """13 03."""
    countries_of_consignment: Annotated[tuple[Country, ...], Field(alias="countryOfConsignment", strict=False)] = ()
    """Box 8, in the code list of the declaration."""
    countries_of_destination: Annotated[tuple[Country, ...], Field(alias="countryOfDestination", strict=False)] = ()
    """16 03, in the code list of the declaration."""
    procedures: Annotated[tuple[ProcedureCode, ...], Field(alias="procedure", strict=False)] = ()
    """11 09."""
    issuing_authority_name: Stated
    """12 03 010."""
    quantity: Annotated[QuantityBalance | None, Field(alias="Quantity")] = None
    """A limit over the whole licence."""
    amount: Annotated[AmountBalance | None, Field(alias="Amount")] = None
    """A limit over the whole licence."""
    lines: Annotated[tuple[ListedLine, ...], Field(alias="Line", strict=False)] = ()
    """Licensed items."""


class ListedCertificate(Part):
    """One licence of the list."""

    issuing_country: Country
    """State of the issuing authority."""
    type: DocumentType | None = None
    """12 03 002; absent for a licence without document code."""
    reference_number: Stated
    """12 03 001."""
    licence_version: Count
    """Version of its authority."""
    status: StatusWord
    """The status last published."""
    validity_start_date: Day | None = None
    """First day."""
    validity_date: Day | None = None
    """12 03 011: last day."""
    holder_identification_number: Stated | None = None
    """13 01 017; not for transit."""
    changed_date_and_time: Instant
    """Last change of version or status (UTC)."""
    data: Annotated[LicenceData | None, Field(alias="LicenceData")] = None
    """With content DATA."""


class ListOrderState(Part):
    """A periodic order as it stands."""

    order_identification: Identification
    """messageIdentification of the order."""
    state: OrderState
    """ACTIVE until cancelled, or until its last list is made."""
    next_date_and_time: Instant | None = None
    """When the next list is due (UTC)."""
    until_date_and_time: Instant | None = None
    """No list is due after it (UTC)."""
    deliveries: Annotated[int, Field(ge=0)]
    """Lists made so far."""


class ListResponse(Message):
    """A page of a list, or the state of orders."""

    family: ClassVar[str] = "list"
    root: ClassVar[str] = "ListResponse"
    message_type: ClassVar[str] = "LST002"

    as_of: Instant | None = None
    """The list misses no change before (UTC): the moment of its first page."""
    continuation_token: Token | None = None
    """There is more: ask with it for the next page."""
    order_identification: Identification | None = None
    """Of a periodic list: its order."""
    delivery_number: Number5 | None = None
    """Dense per order: a gap means a lost list."""
    page_number: Number5 | None = None
    """Page of a periodic list."""
    last_page: Literal["0", "1"] | None = None
    """1: the list ends with this page."""
    orders: Annotated[tuple[ListOrderState, ...], Field(alias="Order", strict=False)] = ()
    """The order concerned, or all own orders."""
    certificates: Annotated[tuple[ListedCertificate, ...], Field(alias="Certificate", strict=False)] = ()
    """Licences in the order of issuer and number."""
