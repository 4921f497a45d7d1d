"""Goods items and their documents in WCO shape, told in the words of the canonical event.

Documents come as AdditionalDocument with the code split in category and type (`X` + `002`, United Kingdom) or as
SupportingDocument with the code in one piece (`X060`, Denmark). A document's sequence is its position on its level.
What is wrong with one document is gathered in `problems` by (item, sequence); it counts only if the document turns out
to cite a licence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from certex_bridge.customs.wco.tree import Element, child, children, first, text
from certex_bridge.kernel.errors import Finding
from certex_bridge.platform.poison import Poison
from certex_bridge.platform.xmlgate import local_name

if TYPE_CHECKING:
    from collections.abc import Iterator

_DOCUMENTS = ("AdditionalDocument", "SupportingDocument")
_DIGITS_OF_A_NUMBER = 5


Problems = dict[tuple[int, int], list[Finding]]
"""Findings by item (0: shipment) and document sequence."""

_SINGLE = ("CategoryCode", "ID", "TypeCode", "LineNumeric", "LPCOExemptionCode")


def goods_item(item: Element, problems: Problems) -> dict[str, Any]:
    """One GovernmentAgencyGoodsItem.

    Raises:
        Poison: WCO_STRUCTURE when it has no number, or an element twice that can occur once.
    """
    number = item_number(item)
    commodity = child(item, "Commodity")
    measure = child(commodity, "GoodsMeasure")
    procedure, additional = _procedures(item)
    charge = child(child(commodity, "InvoiceLine"), "ItemChargeAmount")
    return {
        "item": number,
        "procedure": procedure,
        "additionalProcedures": additional,
        "commodity": _commodity(commodity),
        "destination": text(item, "Destination", "CountryCode") or None,
        "origin": text(first(item, "Origin"), "CountryCode") or None,
        "netMass": text(measure, "NetNetWeightMeasure") or None,
        "grossMass": text(measure, "GrossMassMeasure") or None,
        "supplementaryUnits": text(measure, "TariffQuantity") or None,
        "amount": None if charge is None else {"amount": text(charge), "currency": charge.get("currencyID", "")},
        "documents": documents(problems, number, item),
        "references": references(item),
    }


def item_number(item: Element) -> int:
    """Its SequenceNumeric.

    Raises:
        Poison: WCO_STRUCTURE when it is none.
    """
    written = text(item, "SequenceNumeric")
    number = _number(written)
    if number is None:
        field = "GovernmentAgencyGoodsItem/SequenceNumeric"
        raise Poison("WCO_STRUCTURE", "a number of at most five digits is expected", field, written)
    return number


def documents(problems: Problems, number: int, *levels: Element | None) -> list[dict[str, Any]]:
    """The documents on these elements, counted through; `number` is the item's, 0 for the shipment."""
    found = (entry for level in levels for entry in _entries(level))
    return [_document(entry, number, position, problems) for position, entry in enumerate(found, start=1)]


def references(*levels: Element | None) -> list[dict[str, Any]]:
    """The additional references (12 04) on these elements, counted through."""
    found = (entry for level in levels for entry in children(level, "AdditionalReference"))
    return [
        {"seq": position, "type": _code(entry), "reference": _value(entry, "ID")}
        for position, entry in enumerate(found, start=1)
    ]


def _entries(level: Element | None) -> Iterator[Element]:
    if level is not None:
        for entry in level:
            if local_name(entry) in _DOCUMENTS:
                yield entry


def _document(entry: Element, item: int, position: int, problems: Problems) -> dict[str, Any]:
    written = _value(entry, "LineNumeric")
    line = _number(written)
    place = f"items[{item}].documents[{position}]" if item else f"documents[{position}]"
    if written and not line:
        message = "a line number has one to five digits and is not zero"
        _add(problems, item, position, Finding("LINE_INVALID", f"{place}.line", written, message))
    for name in _SINGLE:
        if sum(1 for _ in children(entry, name)) > 1:
            message = "an element that can occur once occurs again in the document"
            _add(problems, item, position, Finding("WCO_STRUCTURE", f"{place}.{name}", "", message))
    return {
        "seq": position,
        "type": _code(entry),
        "reference": _value(entry, "ID"),
        "line": line or None,
        "status": _value(entry, "LPCOExemptionCode") or None,
        "quantity": _figure(entry, "QuantityQuantity", "unitCode", "unit"),
        "value": _figure(entry, "AmountAmount", "currencyID", "currency"),
    }


def _add(problems: Problems, item: int, position: int, finding: Finding) -> None:
    problems.setdefault((item, position), []).append(finding)


def _value(entry: Element, name: str) -> str:
    return text(first(entry, name))


def _code(entry: Element) -> str:
    return _value(entry, "CategoryCode") + _value(entry, "TypeCode")


def _figure(entry: Element, name: str, attribute: str, key: str) -> dict[str, str] | None:
    """A write-off figure. Several of them are written side by side: no figure, so the claim is refused, not guessed."""
    figures = [figure for write_off in children(entry, "WriteOff") for figure in children(write_off, name)]
    if not figures:
        return None
    return {"amount": " ".join(text(figure) for figure in figures), key: figures[0].get(attribute, "")}


def _procedures(item: Element) -> tuple[str, list[str]]:
    """Requested and previous procedure as four digits, and the additional ones (which have no previous code)."""
    main, additional = "", []
    for procedure in children(item, "GovernmentProcedure"):
        current, previous = text(procedure, "CurrentCode"), text(procedure, "PreviousCode")
        if not main and (previous or len(current) == 2):
            main = current + previous
        elif current:
            additional.append(current)
    return main, additional


def _commodity(commodity: Element | None) -> str | None:
    """The commodity code: in one piece (`TSP`), or as heading and nomenclature part (`HS`, `CN`)."""
    codes = {
        text(entry, "IdentificationTypeCode"): text(entry, "ID") for entry in children(commodity, "Classification")
    }
    return codes.get("TSP") or codes.get("HS", "") + codes.get("CN", "") or None


def _number(written: str) -> int | None:
    plain = written.isascii() and written.isdigit() and len(written) <= _DIGITS_OF_A_NUMBER
    return int(written) if plain else None
