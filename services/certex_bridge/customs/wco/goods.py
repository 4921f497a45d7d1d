"""Goods items and their documents in WCO shape, told in the words of the canonical event.

Documents come as AdditionalDocument with the code split in category and type (`X` + `002`, United Kingdom) or as
SupportingDocument with the code in one piece (`X060`, Denmark). A document's sequence is its position on its level.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from certex_bridge.customs.wco.tree import Element, child, children, text
from certex_bridge.platform.poison import Poison
from certex_bridge.platform.xmlgate import local_name

if TYPE_CHECKING:
    from collections.abc import Iterator

_DOCUMENTS = ("AdditionalDocument", "SupportingDocument")
_DIGITS_OF_A_NUMBER = 5


def goods_item(item: Element) -> dict[str, Any]:
    """One GovernmentAgencyGoodsItem.

    Raises:
        Poison: WCO_STRUCTURE when it has no number.
    """
    commodity = child(item, "Commodity")
    measure = child(commodity, "GoodsMeasure")
    procedure, additional = _procedures(item)
    charge = child(child(commodity, "InvoiceLine"), "ItemChargeAmount")
    return {
        "item": _number(text(item, "SequenceNumeric"), "GovernmentAgencyGoodsItem/SequenceNumeric"),
        "procedure": procedure,
        "additionalProcedures": additional,
        "commodity": _commodity(commodity),
        "destination": text(item, "Destination", "CountryCode") or None,
        "origin": text(item, "Origin", "CountryCode") or None,
        "netMass": text(measure, "NetNetWeightMeasure") or None,
        "grossMass": text(measure, "GrossMassMeasure") or None,
        "supplementaryUnits": text(measure, "TariffQuantity") or None,
        "amount": None if charge is None else {"amount": text(charge), "currency": charge.get("currencyID", "")},
        "documents": documents(item),
        "references": references(item),
    }


def documents(*levels: Element | None) -> list[dict[str, Any]]:
    """The documents on these elements, counted through.

    Raises:
        Poison: WCO_STRUCTURE for a line number that is none.
    """
    found = (entry for level in levels for entry in _entries(level))
    return [_document(entry, position) for position, entry in enumerate(found, start=1)]


def references(*levels: Element | None) -> list[dict[str, Any]]:
    """The additional references (12 04) on these elements, counted through."""
    found = (entry for level in levels for entry in children(level, "AdditionalReference"))
    return [
        {"seq": position, "type": _code(entry), "reference": text(entry, "ID")}
        for position, entry in enumerate(found, start=1)
    ]


def _entries(level: Element | None) -> Iterator[Element]:
    if level is not None:
        for entry in level:
            if local_name(entry) in _DOCUMENTS:
                yield entry


def _document(entry: Element, position: int) -> dict[str, Any]:
    line = text(entry, "LineNumeric")
    return {
        "seq": position,
        "type": _code(entry),
        "reference": text(entry, "ID"),
        "line": _number(line, f"{local_name(entry)}/LineNumeric") if line else None,
        "status": text(entry, "LPCOExemptionCode") or None,
        "quantity": _figure(entry, "QuantityQuantity", "unitCode", "unit"),
        "value": _figure(entry, "AmountAmount", "currencyID", "currency"),
    }


def _code(entry: Element) -> str:
    return text(entry, "CategoryCode") + text(entry, "TypeCode")


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


def _number(written: str, field: str) -> int:
    if written.isascii() and written.isdigit() and len(written) <= _DIGITS_OF_A_NUMBER:
        return int(written)
    raise Poison("WCO_STRUCTURE", "a number of at most five digits is expected", field, written)
