"""Parts of the certificate as text: escaping, persons, countries, lines, figures.

Strings instead of a tree: nine times as fast. What a string cannot guarantee, the schema does: no document leaves
without validation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from certex_bridge.kernel.amounts import format_decimal
from certex_bridge.kernel.countries import to_geonom, to_iso
from certex_bridge.licensing.domain.caps import QTY, VAL, unlimited
from certex_bridge.licensing.domain.licence import Control, Direction, Licence, LicenceCap, LicenceLine, Party

_MARKUP = re.compile("[&<>\r]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_CONTROLLED_BY = {Control.NONE: "O", Control.QUANTITY: "Q", Control.VALUE: "V", Control.QUANTITY_AND_VALUE: "B"}


class Balance(Protocol):
    """What the ledger knows of one account; its own type fits without being imported."""

    @property
    def line_no(self) -> int:
        """Line, 0 for the whole licence."""

    @property
    def dim(self) -> str:
        """QTY or VAL."""

    @property
    def unit(self) -> str:
        """TARIC unit or ISO 4217 currency."""

    @property
    def cap(self) -> Decimal:
        """The limit."""

    @property
    def reserved(self) -> Decimal:
        """Held for accepted declarations."""

    @property
    def consumed(self) -> Decimal:
        """Written off."""

    @property
    def available(self) -> Decimal:
        """What a new declaration can take."""

    @property
    def over(self) -> Decimal:
        """In use beyond the limit."""


Balances = Mapping[tuple[int, str], Balance]


def escape(text: str) -> str:
    """Text as element content; `>` too, so that `]]>` never appears, and CR, which a parser would fold."""
    return _MARKUP.sub(lambda match: _ENTITIES[match[0]], text) if _MARKUP.search(text) else text


def optional(name: str, text: str) -> str:
    """The element, or nothing for an empty text."""
    return f"<{name}>{escape(text)}</{name}>" if text else ""


def validity(licence: Licence) -> str:
    """First and last day of validity, where there is one."""
    first, last = licence.valid_from, licence.valid_to
    start = f"<validityStartDate>{first.isoformat()}</validityStartDate>" if first else ""
    return f"{start}<validityDate>{last.isoformat()}</validityDate>" if last else start


def customs_code(code: str, direction: Direction) -> str:
    """A country in the code list of the declaration: GEONOM at export, ISO 3166 in transit."""
    return to_iso(code) if direction is Direction.TRANSIT else to_geonom(code)


def country(name: str, customs_name: str, code: str, direction: Direction) -> str:
    """A country as the authority wrote it, beside the declaration's code where it is another one."""
    if not code:
        return ""
    customs = customs_code(code, direction)
    extra = f"<{customs_name}>{customs}</{customs_name}>" if customs != code else ""
    return f"<{name}>{escape(code)}</{name}>{extra}"


def address(party: Party, direction: Direction, group: str = "Address") -> str:
    """Address elements that the party has, without the group when there is none."""
    inner = (
        optional("streetAndNumber", party.street)
        + optional("postcode", party.postcode)
        + optional("city", party.city)
        + country("country", "customsCountry", party.country, direction)
    )
    return f"<{group}>{inner}</{group}>" if inner else ""


def persons(group: str, parties: Sequence[Party], direction: Direction) -> str:
    """Consignees or end-users in the licence's order."""
    return "".join(
        f"<{group}><sequenceNumber>{number}</sequenceNumber><name>{escape(party.name)}</name>"
        f"{optional('identificationNumber', party.identification)}{address(party, direction)}</{group}>"
        for number, party in enumerate(parties, 1)
    )


def countries(group: str, codes: Sequence[str], direction: Direction) -> str:
    """A repeating group of countries."""
    return "".join(
        f"<{group}><sequenceNumber>{number}</sequenceNumber>{country('country', 'customsCountry', code, direction)}"
        f"</{group}>"
        for number, code in enumerate(codes, 1)
    )


def procedures(codes: Sequence[str], direction: Direction) -> str:
    """Procedures named in the licence: four digits are the requested and the previous one."""
    parts = []
    for number, code in enumerate(codes, 1):
        if direction is Direction.TRANSIT:
            inner = f"<declarationType>{escape(code)}</declarationType>"
        else:
            inner = optional("requestedProcedure", code[:2]) + optional("previousProcedure", code[2:])
        parts.append(f"<Procedure><sequenceNumber>{number}</sequenceNumber>{inner}</Procedure>")
    return "".join(parts)


def numbered(group: str, element: str, texts: Sequence[str]) -> str:
    """A repeating group of one text each."""
    return "".join(
        f"<{group}><sequenceNumber>{number}</sequenceNumber><{element}>{escape(text)}</{element}></{group}>"
        for number, text in enumerate(texts, 1)
    )


def commodity_codes(codes: Sequence[str]) -> str:
    """Codes in the parts of the customs data model: HS 6, CN 2, TARIC 2."""
    return "".join(
        f"<CommodityCode><sequenceNumber>{number}</sequenceNumber>"
        f"<harmonizedSystemSubHeadingCode>{escape(code[:6])}</harmonizedSystemSubHeadingCode>"
        f"{optional('combinedNomenclatureCode', code[6:8])}{optional('taricCode', code[8:])}</CommodityCode>"
        for number, code in enumerate(codes, 1)
    )


def original_data(licence: Licence, *, form: bool) -> str:
    """What Annex II maps to no data element, in original form (IR 2024/2145 Art. 5(1)(c), introduction to Annex II).

    Nothing about the operator or who acts for it is passed on in transit, as nothing is mapped there.
    """
    told = [("", "subStatus", licence.sub_status)]
    if licence.direction is Direction.EXPORT:
        holder, agent = licence.holder, licence.representative
        told += [
            ("", "holder.legalType", holder.legal_type),
            ("", "holder.vat", holder.vat),
            ("", "holder.countryOfRegistration", holder.registration_country),
        ]
        if agent is not None:
            told += [
                ("7", "representative.name", agent.name),
                ("7", "representative.identification", agent.identification),
                ("7", "representative.street", agent.street),
                ("7", "representative.postcode", agent.postcode),
                ("7", "representative.city", agent.city),
                ("7", "representative.country", agent.country),
            ]
    told += [("10", "memberStatesOfLocation", state) for state in licence.location_states]
    told += [("11", "memberStatesOfEntry", state) for state in licence.entry_states]
    told += [("19", "endUse", text) for text in licence.end_use]
    told.append(("20", "contractDate", licence.contract_date.isoformat() if licence.contract_date else ""))
    told += [("22", "additionalInformation", text) for text in licence.additional_information]
    return _originals(told, form=form)


def _line_originals(entry: LicenceLine, *, form: bool) -> str:
    told = (
        ("", "itemType", entry.item_type),
        ("13", "technicalSpecification", entry.technical_specification),
        ("16", "controlListRegulation", entry.regulation),
        ("19", "endUse", entry.end_use),
        ("", "consumptionMethod", entry.consumption_method),
        ("", "customsPurposesOnly", entry.customs_purposes_only),
    )
    return _originals(told, form=form)


def _originals(told: Sequence[tuple[str, str, str]], *, form: bool) -> str:
    """Box, name in the licence event, text; the boxes are those of the form of Annex III Section A."""
    stated = [one for one in told if one[2]]
    return "".join(
        f"<OriginalData><sequenceNumber>{number}</sequenceNumber>{optional('box', box if form else '')}"
        f"<dataItem>{name}</dataItem><text>{escape(text)}</text></OriginalData>"
        for number, (box, name, text) in enumerate(stated, 1)
    )


def line(licence: Licence, entry: LicenceLine, balances: Balances, number: int, *, form: bool) -> str:
    """One line of the licence with its figures; `number` is its position, `form`: whether its boxes have numbers."""
    return (
        f"<CertificateLine><sequenceNumber>{number}</sequenceNumber>"
        f"<documentLineItemNumber>{entry.line_no}</documentLineItemNumber>"
        f"<descriptionOfGoods>{escape(entry.description)}</descriptionOfGoods>"
        f"{optional('controlListCode', entry.control_list)}{commodity_codes(entry.commodity_codes)}"
        f"{country('countryOfOrigin', 'customsCountryOfOrigin', entry.origin, licence.direction)}"
        f"{numbered('CasNumber', 'number', entry.cas)}{_line_originals(entry, form=form)}"
        f"{_line_figures(licence, entry, balances)}</CertificateLine>"
    )


def _line_figures(licence: Licence, entry: LicenceLine, balances: Balances) -> str:
    controlled = "O" if unlimited(licence.type) else _CONTROLLED_BY[entry.control]
    tolerance = entry.tolerance_percent
    # "0" is by far the most frequent text; other spellings of zero are zero all the same.
    stated = "" if tolerance == "0" or not Decimal(tolerance) else format_decimal(Decimal(tolerance))
    return (
        f"<SweCData><controlledBy>{controlled}</controlledBy>{optional('tolerancePercent', stated)}"
        f"{figures_of(entry, balances.get((entry.line_no, QTY)), balances.get((entry.line_no, VAL)))}</SweCData>"
    )


def figures_of(entry: LicenceLine | LicenceCap, on_quantity: Balance | None, on_value: Balance | None) -> str:
    """What a line, or the licence as a whole, says of quantity and value, with the balances that there are."""
    quantity, value = entry.quantity, entry.value
    left, rest = entry.quantity_remaining, entry.value_remaining
    return (
        optional("quantityAsStated", entry.quantity_stated)
        + optional("amountAsStated", entry.value_stated)
        + _swec_quantity(
            quantity.unit if quantity else "",
            quantity.amount if quantity else None,
            on_quantity,
            left.amount if left else None,
        )
        + _swec_amount(
            value.currency if value else "", value.amount if value else None, on_value, rest.amount if rest else None
        )
    )


def account_figures(quantity: Balance | None, value: Balance | None) -> str:
    """Figures of a limit that belongs to no line of this version: a removed line."""
    controlled = "B" if quantity and value else "Q" if quantity else "V"
    return (
        f"<SweCData><controlledBy>{controlled}</controlledBy>"
        f"{_swec_quantity('', None, quantity, None)}{_swec_amount('', None, value, None)}</SweCData>"
    )


def _swec_quantity(unit: str, authorised: Decimal | None, balance: Balance | None, left: Decimal | None) -> str:
    """Quantities in the licence's own unit, nothing when there is none."""
    if authorised is None and balance is None:
        return ""
    own = balance.unit if balance is not None else unit
    same = own == unit
    figures = _figures("quantity", authorised if same else None, balance, left if same else None)
    return f"<SweCQuantity><measurementUnitAndQualifier>{own}</measurementUnitAndQualifier>{figures}</SweCQuantity>"


def _swec_amount(currency: str, authorised: Decimal | None, balance: Balance | None, left: Decimal | None) -> str:
    """Values in the licence's own currency, nothing when there is none."""
    if authorised is None and balance is None:
        return ""
    own = balance.unit if balance is not None else currency
    same = own == currency
    figures = _figures("amount", authorised if same else None, balance, left if same else None)
    return f"<SweCAmount><currency>{own}</currency>{figures}</SweCAmount>"


def _figures(kind: str, authorised: Decimal | None, balance: Balance | None, left: Decimal | None) -> str:
    text = ""
    if authorised is not None:
        text = f"<{kind}Authorised>{format_decimal(authorised)}</{kind}Authorised>"
    if left is not None:
        text += f"<{kind}Remaining>{format_decimal(left)}</{kind}Remaining>"
    if balance is None:
        return text
    if balance.cap != authorised:
        text += f"<{kind}Limit>{format_decimal(balance.cap)}</{kind}Limit>"
    text += (
        f"<{kind}Reserved>{format_decimal(balance.reserved)}</{kind}Reserved>"
        f"<{kind}Consumed>{format_decimal(balance.consumed)}</{kind}Consumed>"
        f"<{kind}Available>{format_decimal(balance.available)}</{kind}Available>"
    )
    over = balance.over
    return f"{text}<{kind}Over>{format_decimal(over)}</{kind}Over>" if over else text
