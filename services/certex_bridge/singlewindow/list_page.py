"""A page of a list as a message: names of licences, or their data with the balances the caller may see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from certex_bridge.kernel.amounts import Money, Quantity, format_decimal
from certex_bridge.ledger.domain.model import WHOLE_LICENCE, Account, Dim
from certex_bridge.ledger.listing import ListedLicence
from certex_bridge.licensing.certificate_parts import customs_code
from certex_bridge.licensing.domain.licence import Direction, Licence, LicenceCap, LicenceLine
from certex_bridge.singlewindow.answering import instant_text
from certex_bridge.singlewindow.listing import View

LINES_MAX = 2_000
"""Lines of licence data on a page; a page ends early instead of growing without bound."""

Item = dict[str, Any]


def within_bounds(listed: Sequence[ListedLicence]) -> Sequence[ListedLicence]:
    """As many licences from the beginning as fit on a page, at least one."""
    lines = 0
    for number, one in enumerate(listed):
        lines += len(one.licence.lines) if one.licence else 0
        if lines > LINES_MAX and number:
            return listed[:number]
    return listed


def certificates(listed: Iterable[ListedLicence], view: View) -> list[Item]:
    """Element Certificate of each licence."""
    return [_certificate(one, view) for one in listed]


def _certificate(one: ListedLicence, view: View) -> Item:
    entry = one.entry
    # Nothing about the operator of a transit authorisation is mapped (IR 2024/2145 Annex II B.3).
    persons = entry.direction != Direction.TRANSIT or view.is_owner(entry.issuer)
    return _stated(
        issuingCountry=entry.issuer,
        type=entry.document_code or None,
        referenceNumber=entry.number,
        licenceVersion=entry.version,
        status=entry.status,
        validityStartDate=entry.valid_from.isoformat() if entry.valid_from else None,
        validityDate=entry.valid_to.isoformat() if entry.valid_to else None,
        holderIdentificationNumber=(entry.holder or None) if persons else None,
        changedDateAndTime=instant_text(entry.changed_at),
        LicenceData=_data(one.licence, _accounts(one, view), persons=persons) if one.licence else None,
    )


_Accounts = dict[tuple[int, Dim], Account]


def _accounts(one: ListedLicence, view: View) -> _Accounts:
    if not view.shows_figures(one.entry.issuer):
        return {}
    return {(account.line_no, account.dim): account for account in one.accounts if not account.closed}


def _data(licence: Licence, accounts: _Accounts, *, persons: bool) -> Item:
    direction = licence.direction
    consignees = licence.consignees if persons else ()
    return _stated(
        holderName=(licence.holder.name or None) if persons else None,
        Consignee=[_stated(name=c.name, identificationNumber=c.identification or None) for c in consignees],
        countryOfConsignment=[customs_code(code, direction) for code in licence.consignment_countries],
        countryOfDestination=[customs_code(code, direction) for code in licence.destinations],
        procedure=list(licence.procedures),
        issuingAuthorityName=licence.authority.name,
        **_figures(licence.cap, accounts.pop((WHOLE_LICENCE, Dim.QTY), None), accounts.pop((0, Dim.VAL), None)),
        Line=[*(_line(line, accounts, direction) for line in licence.lines), *_removed(accounts)],
    )


def _line(line: LicenceLine, accounts: _Accounts, direction: Direction) -> Item:
    """Takes the line's balances out of `accounts`: what remains belongs to no line."""
    return _stated(
        documentLineItemNumber=line.line_no,
        descriptionOfGoods=line.description,
        controlListCode=line.control_list or None,
        commodityCode=list(line.commodity_codes),
        countryOfOrigin=customs_code(line.origin, direction) if line.origin else None,
        **_figures(line, accounts.pop((line.line_no, Dim.QTY), None), accounts.pop((line.line_no, Dim.VAL), None)),
    )


def _removed(accounts: _Accounts) -> Iterator[Item]:
    """Lines that a later version took out while they were in use."""
    for line_no in sorted({line_no for line_no, _ in accounts}):
        figures = _figures(LicenceCap(), accounts.get((line_no, Dim.QTY)), accounts.get((line_no, Dim.VAL)))
        yield {"documentLineItemNumber": line_no, **figures}


def _figures(entry: LicenceLine | LicenceCap, on_quantity: Account | None, on_value: Account | None) -> Item:
    quantity = _balance(
        "measurementUnitAndQualifier", entry.quantity, entry.quantity_remaining, entry.quantity_stated, on_quantity
    )
    value = _balance("currency", entry.value, entry.value_remaining, entry.value_stated, on_value)
    return _stated(Quantity=quantity, Amount=value)


def _balance(
    name: str,
    authorised: Quantity | Money | None,
    remaining: Quantity | Money | None,
    stated: str,
    account: Account | None,
) -> Item | None:
    """One figure of the licence beside its balance, in the balance's unit where a later version has another one."""
    unit = _unit(authorised)
    if account is not None and account.unit != unit:
        authorised = remaining = None
        unit = account.unit
    found = _stated(
        asStated=stated or None,
        authorised=format_decimal(authorised.amount) if authorised else None,
        remaining=format_decimal(remaining.amount) if remaining else None,
    )
    if account is not None:
        found["limit"] = format_decimal(account.cap)
        found["reserved"] = format_decimal(account.reserved)
        found["consumed"] = format_decimal(account.consumed)
        found["available"] = format_decimal(account.available)
        found["over"] = format_decimal(account.over)
    return (found | {name: unit} if unit else found) or None


def _unit(figure: Quantity | Money | None) -> str:
    if figure is None:
        return ""
    return figure.unit if isinstance(figure, Quantity) else figure.currency


def _stated(**items: object) -> Item:
    """What there is."""
    return {name: value for name, value in items.items() if value is not None}
